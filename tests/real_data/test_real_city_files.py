"""The city panels, digital finance files and exchange rates as they are passed round: known facts,
and counts that add up.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

REAL = os.environ.get("CITYTRADE_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not REAL, reason="CITYTRADE_REAL_DATA names no folder of real files"
)

# layout -> (what tells its file from the others, cities, first year, last year, cells read, cells
# set aside by reason)
# 中国 in the FDI file is the nation; the road file also lists 26 provinces short of the
# municipalities, 吉林 the
# province, and 336 county-level cities, which no list of prefecture-level names holds.
EXPECTED = {
    "gdp_base_2000": ("GDP相关数据", 296, 2000, 2023, 28352, {}),
    "sector_structure": ("产业结构", 342, 2000, 2023, 31887, {}),
    "population_density": ("人口密度", 298, 1998, 2024, 16092, {}),
    "financial_development": ("2003-2023", 300, 2003, 2023, 18296, {"zero_value": 1}),
    "fdi": ("FDI", 293, 1996, 2023, 7000, {"not_a_prefecture_city": 19}),
    "road_area": ("人均道路面积", 321, 2002, 2023, 14696, {"not_a_prefecture_city": 7705}),
    "carbon": ("碳排放强度", 295, 2000, 2023, 7080, {}),
}


@dataclass(frozen=True)
class Loaded:
    report: LoadReport
    tables: dict[str, pd.DataFrame]
    aside: pd.DataFrame


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def city_files(lake) -> dict[str, Loaded]:
    """Each city panel by its layout, loaded once."""
    return {
        layout: load("yearbook", one_file("city_panel", f"*{mark}*.xlsx"), lake)
        for layout, (mark, *_) in EXPECTED.items()
    }


def one_file(folder: str, pattern: str) -> Path:
    found = sorted(Path(REAL or "", folder).glob(pattern))
    assert len(found) == 1, f"{pattern} in {folder} names {len(found)} files"
    return found[0]


def load(source: str, path: Path, lake: Path) -> Loaded:
    report, _ = load_file(get_source(source), path, lake)
    folder = load_folder(lake, source, report.load_id)
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in report.tables}
    aside_file = folder / "set_aside.parquet"
    aside = (
        pd.read_parquet(aside_file)
        if aside_file.exists()
        else pd.DataFrame(columns=["reason", "detail", "line"])
    )
    return Loaded(report, tables, aside)


def value(loaded: Loaded, city: str, indicator: str, year: int) -> float:
    rows = loaded.tables["yearbook__indicators"]
    found = rows[
        (rows["city_name"] == city) & (rows["indicator"] == indicator) & (rows["year"] == year)
    ]
    assert len(found) == 1
    return float(found["value"].iloc[0])


@pytest.mark.parametrize("layout", EXPECTED)
def test_each_city_file_is_recognised_and_its_counts_add_up(city_files, layout):
    _, cities, first, last, read, aside = EXPECTED[layout]
    report, rows = city_files[layout].report, city_files[layout].tables["yearbook__indicators"]
    assert report.layout == layout
    assert (report.first_year, report.last_year) == (first, last)
    assert (report.read_n, report.set_aside) == (read, aside)
    assert report.accepted_n == len(rows) == read - sum(aside.values())
    assert rows["city_name"].nunique() == cities
    assert not rows.duplicated(["city_name", "scope", "indicator", "year"]).any()
    assert set(rows["vintage"]) == {layout}


def test_no_city_is_lost(city_files):
    """Every name set aside is the nation, a province or a county-level city; none is unknown."""
    for loaded in city_files.values():
        assert "unknown_city" not in loaded.report.set_aside
    assert set(city_files["fdi"].aside["detail"]) == {"中国"}
    codes = city_files["road_area"].aside["detail"].str.split().str[1]
    names = city_files["road_area"].aside["detail"].nunique()
    assert (codes.str.endswith("0000") | ~codes.str.endswith("00")).all()
    assert names == 363


def test_two_vintages_of_shanghai_are_both_kept(city_files):
    assert value(city_files["sector_structure"], "上海市", "gdp_cny", 2011) == pytest.approx(
        20009.68e8, abs=1e6
    )
    assert value(city_files["financial_development"], "上海市", "gdp_cny", 2011) == pytest.approx(
        19195.69e8, abs=1e6
    )


def test_known_values_in_base_units(city_files):
    gdp = city_files["gdp_base_2000"]
    assert value(gdp, "上海市", "gdp_cny", 2001) == pytest.approx(5257.66e8)
    assert value(gdp, "上海市", "gdp_index_pct", 2001) == pytest.approx(110.5)
    assert value(gdp, "上海市", "gdp_deflator_2000", 2000) == 1
    assert value(
        city_files["population_density"], "北京市", "population_resident_n", 1998
    ) == pytest.approx(1245.6e4)
    assert value(city_files["population_density"], "北京市", "area_km2", 1998) == 16808
    assert value(city_files["fdi"], "桂林", "fdi_usd", 2009) == pytest.approx(193.08e6, rel=1e-6)
    assert value(city_files["road_area"], "北京", "road_area_per_head_m2", 2003) == 10.98
    assert value(city_files["carbon"], "北京市", "co2_t", 2000) == 43133076


def test_sectors_add_up_to_gdp(city_files):
    """Within 0.5 % in nineteen of twenty city-years: a column read in a wrong unit would fail it by
    powers of ten.
    """
    wide = (
        city_files["sector_structure"]
        .tables["yearbook__indicators"]
        .pivot_table("value", ["city_name", "year"], "indicator")
        .dropna()
    )
    gap = (
        wide[["gdp_primary_cny", "gdp_secondary_cny", "gdp_tertiary_cny"]].sum(axis=1)
        / wide["gdp_cny"]
        - 1
    )
    assert gap.abs().quantile(0.95) < 0.005


def test_estimates_stand_only_in_gaps(city_files):
    rows = city_files["population_density"].tables["yearbook__indicators"]
    assert rows.groupby("indicator")["is_interpolated"].sum().to_dict() == {
        "area_km2": 0,
        "population_resident_n": 1078,
    }
    assert city_files["road_area"].tables["yearbook__indicators"]["is_interpolated"].sum() == 3


@pytest.mark.parametrize("pattern", ["*31个省份*.xlsx", "汇率.xlsx"])
def test_files_of_other_kinds_are_refused(lake, pattern):
    with pytest.raises(SourceError, match="shows none of the layouts known for yearbook"):
        load("yearbook", one_file("city_panel", pattern), lake)


def test_digital_finance_of_cities(lake):
    loaded = load("digital_finance", one_file("digital_finance", "*_city.dta"), lake)
    rows = loaded.tables["digital_finance__cities"]
    assert (loaded.report.read_n, loaded.report.set_aside) == (4369, {})
    assert set(rows.loc[rows["name_2018"] == "杭州市", "code_2018"]) == {"3301"}
    assert (
        rows["code_2018"].nunique() == rows["name_2018"].nunique() == 338
    )  # 337 a year at most: 莱芜 leaves after 2020, 儋州 comes in 2021
    by_year = rows.groupby("year").size()
    assert (by_year.index[0], by_year.index[-1], by_year.min(), by_year.max()) == (
        2011,
        2023,
        333,
        337,
    )
    assert (
        rows.loc[rows["year"] >= 2019, ["monetary_fund", "credit_investigation"]]
        .isna()
        .all(axis=None)
    )
    assert rows.loc[rows["year"] <= 2013, "investment"].isna().all()
    beijing = rows[(rows["code_2018"] == "1100") & (rows["year"] == 2011)]
    assert beijing["index_aggregate"].tolist() == [80.78]
    assert rows["payment"].min() < 0 < rows["index_aggregate"].min()


def test_digital_finance_of_provinces(lake):
    loaded = load("digital_finance", one_file("digital_finance", "*_province.dta"), lake)
    rows = loaded.tables["digital_finance__provinces"]
    assert (loaded.report.read_n, loaded.report.set_aside) == (403, {})
    assert rows["province_code"].nunique() == 31
    assert rows.groupby("year").size().to_dict() == dict.fromkeys(range(2011, 2024), 31)


def test_exchange_rates(lake):
    loaded = load("prices", one_file("city_panel", "汇率.xlsx"), lake)
    rates = loaded.tables["prices__exchange_rates"].set_index("year")["cny_per_usd"]
    assert (loaded.report.read_n, loaded.report.set_aside) == (17, {})
    assert list(rates.index) == list(range(2007, 2024))
    assert (rates[2007], rates[2023]) == (7.604, 7.0467)
