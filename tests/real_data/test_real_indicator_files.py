"""The files of cities' indicators that people really hold: what is read of them, and known values
by source.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tests.real_data.cells import CONFIG, load_all
from warehouse.lake.loads import LoadReport
from warehouse.settings.config import Config
from warehouse.sources.yearbook.parsing import Quantity, quantity_or_reason, split_head
from warehouse.sources.yearbook.printed import INDUSTRIES

pytestmark = pytest.mark.skipif(
    "CITYTRADE_REAL_DATA" not in os.environ,
    reason="CITYTRADE_REAL_DATA names no folder of real files",
)

Loads = dict[str, tuple[LoadReport, dict[str, pd.DataFrame]]]
# Reasons of which each row says what stood there, so that a person can look it up.
CHECKABLE = {
    "bad_code", "bad_number", "bad_year", "doubtful_unit", "duplicate_key", "missing_city",
    "negative_value",
    "not_a_prefecture_city", "unknown_city", "year_left_out", "zero_value",
}  # fmt: skip

COUNTIES = {"cityranking.xls", "各省+地级市+县级市人均道路面积.xlsx"}


@pytest.fixture(scope="module")
def loads(real_config: Config) -> Loads:
    """What the release's own lake holds of each file."""
    read = load_all(real_config.path, real_config.lake)
    return {report.file_name: (report, tables) for report, tables in read}


def rows(loads: Loads, name: str) -> pd.DataFrame:
    return next(
        tables["yearbook__indicators"]
        for file, (_, tables) in loads.items()
        if file.startswith(name)
    )


def value(loads: Loads, name: str, city: str, indicator: str, year: int, scope: str) -> float:
    found = rows(loads, name)
    city_rows = found["city_name"].isin({city, f"{city}市"})
    there = found[
        city_rows
        & (found["indicator"] == indicator)
        & (found["year"] == year)
        & (found["scope"] == scope)
    ]
    assert len(there) == 1, f"{name}: {city} {indicator} {year} {scope} has {len(there)} values"
    return float(there["value"].iloc[0])


def test_all_files_are_read(loads):
    official = [name for name in loads if name.startswith("2-")]
    labour = [name for name in loads if name.startswith("Data_")]
    assert (len(official), len(labour), len(loads)) == (30, 12, 61)
    assert {loads[name][0].layout for name in official + labour} == {"yearbook_sheet"}
    assert {loads[name][0].last_year for name in official if loads[name][0].read_n} == {2023}
    assert sorted(loads[name][0].last_year for name in labour) == list(range(2005, 2017))


def test_cells_are_accepted_or_set_aside_with_a_reason_to_check(loads):
    """98 % of each file's cells are accepted or doubled, but for the two files of which a third and
    half are county-level cities.
    """
    for name, (report, tables) in loads.items():
        assert set(report.set_aside) <= CHECKABLE, name
        if report.set_aside:
            assert tables["set_aside"]["detail"].str.len().gt(0).all(), name
        counted = report.accepted_n + report.set_aside.get("duplicate_key", 0)
        assert counted >= 0.98 * report.read_n or name in COUNTIES, name


def test_every_head_has_a_fate(loads):
    for name, (report, _) in loads.items():
        assert report.columns, name
        assert all(
            (column["indicator"] is None) == bool(column["reason"]) for column in report.columns
        ), name


def test_industries_add_up_to_employees(loads):
    """In the median of cities, in every edition and both scopes; a unit taken wrong would be off by
    thousands.
    """
    for year in range(2005, 2017):
        found = rows(loads, f"Data_{year + 1}")
        for scope in ("city", "district"):
            wide = found[found["scope"] == scope].pivot_table("value", "city_name", "indicator")
            if (year, scope) == (2013, "district"):
                assert INDUSTRIES - set(wide.columns) == {
                    "employees_business_services_n"
                }  # its column is empty in that edition
                continue
            assert set(wide.columns) >= INDUSTRIES, (year, scope)
            ratio = wide[sorted(INDUSTRIES)].sum(axis=1) / wide["employees_n"]
            assert 0.99 < ratio.median() < 1.01, (year, scope)
            assert ((ratio - 1).abs() < 0.02).mean() > 0.9, (year, scope)


def test_the_unemployed_go_on_through_the_editions_with_the_wrong_unit(loads):
    """Yearbooks 2011-2014 print (人) over numbers in 万人: nobody's unemployed fall to a
    ten-thousandth.
    """
    series = pd.concat([rows(loads, f"Data_{year + 1}") for year in range(2005, 2017)])
    series = series[
        (series["indicator"] == "registered_unemployed_n") & (series["scope"] == "city")
    ]
    medians = series.groupby("year")["value"].median()
    assert medians.between(15_000, 30_000).all()
    corrected = series[series["header"].str.endswith("[printed in 人, read in 万人]")]
    assert sorted(corrected["year"].unique()) == [2010, 2011, 2012, 2013]


def test_exports_add_up_to_the_nations(loads):
    """Exports by city over national exports (customs statistics, 100 million CNY) in years with
    nearly all cities.
    """
    nation = {
        2005: 62648.1,
        2008: 100394.9,
        2010: 107022.8,
        2012: 129359.3,
        2014: 143883.8,
        2016: 138419.3,
    }
    found = rows(loads, "city.xlsx")
    exports = (
        found[found["indicator"] == "exports_cny"].groupby("year")["value"].agg(["sum", "count"])
    )
    for year, total in nation.items():
        assert exports.loc[year, "count"] > 250
        assert 0.95 < exports.loc[year, "sum"] / 1e8 / total < 1.01, year
    official = rows(loads, "2-12")
    assert official[official["indicator"] == "exports_cny"]["value"].sum() / 1e8 == pytest.approx(
        233_856, rel=1e-4
    )


# File, city, indicator, year, scope and value in base units, looked up in the files by hand: number
# and unit as printed.
KNOWN = [
    ("city.xlsx", "上海", "exports_cny", 2010, "city", 12238.1728800 * 1e8),
    ("city.xlsx", "杭州", "exports_cny", 2010, "city", 2392.138215 * 1e8),
    ("city.xlsx", "丽水", "fiscal_revenue_cny", 2010, "city", 44.9423 * 1e8),
    ("city.xlsx", "嘉峪关", "science_expenditure_cny", 2010, "city", 0.1101 * 1e8),
    ("city.xlsx", "铜川", "fdi_usd", 2010, "city", 0.0520 * 1e8),
    ("job_data", "上海", "gdp_cny", 2010, "unstated", 171659800e4),
    ("job_data", "丽水", "registered_unemployed_n", 2010, "unstated", 9703),
    ("job_data", "铜川", "average_wage_cny", 2010, "unstated", 31031.85),
    ("china_city", "杭州", "fixed_investment_cny", 2010, "city", 2753.1348 * 1e8),
    ("china_city", "嘉峪关", "deposits_cny", 2010, "city", 170.9768 * 1e8),
    ("cities.csv", "上海", "gdp_cny", 2003, "district", 61807382e4),
    ("cities.csv", "丽水", "fdi_usd", 2003, "city", 1245e4),
    ("cities.csv", "铜川", "population_registered_n", 2003, "city", 83.98e4),
    ("DERIVED", "上海", "retail_sales_cny", 2010, "city", 60705033e4),
    ("DERIVED", "杭州", "hospital_beds_n", 2010, "city", 37292),
    ("Data_2011", "上海", "registered_unemployed_n", 2010, "city", 277300),
    ("Data_2011", "上海", "private_employees_n", 2010, "city", 343.1458e4),
    ("Data_2014", "铜川", "private_employees_n", 2013, "district", 6.091e4),
    ("Data_2011", "杭州", "employees_n", 2010, "district", 202.31e4),
    ("Data_2011", "丽水", "population_registered_n", 2010, "city", 259.65e4),
    ("Data_2011", "铜川", "employees_manufacturing_n", 2010, "city", 1.05e4),
    ("Data_2014", "嘉峪关", "employees_n", 2013, "district", 6.6e4),
    ("2-12", "上海", "exports_cny", 2023, "city", 173779406e4),
    ("2-12", "杭州", "imports_cny", 2023, "city", 26910005e4),
    ("2-6", "丽水", "gdp_cny", 2023, "district", 518e8),
    ("2-8", "铜川", "education_expenditure_cny", 2023, "city", 169009e4),
    ("2-1_", "嘉峪关", "urbanisation_share", 2023, "city", 0.9467),
    ("2-23", "上海", "hospital_beds_n", 2023, "city", 165230),
    ("导出详情单", "丽水", "fdi_usd", 2018, "unstated", 10691e4),
    ("中介变量", "铜川", "telecom_revenue_cny", 2018, "unstated", 57000e4),
    ("2022.7.8", "杭州", "industrial_so2_t", 2010, "city", 88682),
    ("2022.7.8", "嘉峪关", "education_expenditure_cny", 2010, "city", 1.5175 * 1e8),
    ("2022.7.8", "宿州", "industrial_so2_t", 2010, "city", 14847),
    ("2022.7.8", "台州", "industrial_so2_t", 2010, "city", 24552),
]  # fmt: skip


@pytest.mark.parametrize(("name", "city", "indicator", "year", "scope", "expected"), KNOWN)
def test_known_values_by_source(loads, name, city, indicator, year, scope, expected):
    assert value(loads, name, city, indicator, year, scope) == pytest.approx(expected, rel=1e-9)


def test_misprints_are_set_aside_and_not_used(loads):
    """嘉峪关 2013 has 66.0 over districts' 6.6 and industries of 6.57; 阳江 2009 has 7.53 over
    industries of 62.97.
    """
    aside = {name: loads[name][1]["set_aside"] for name in ("Data_2014.xlsx", "Data_2010.xlsx")}
    doubted = {
        name: (
            frame[frame["reason"] == "doubtful_unit"]["detail"]
            .str.split("，|, ")
            .str[1]
            .str[:3]
            .tolist()
        )
        for name, frame in aside.items()
    }
    assert doubted == {"Data_2014.xlsx": ["嘉峪关"], "Data_2010.xlsx": ["阳江市"]}


def test_names_misprinted_in_a_list_are_mended_by_their_english(loads):
    for edition, mended in (
        ("Data_2006", ["宣城市"]),
        ("Data_2012", ["鸡西市", "宿迁市", "西安市", "酒泉市"]),
        ("Data_2017", ["亳州市"]),
    ):
        assert set(mended) <= set(rows(loads, edition)["city_name"])


def test_real_heads_changed_at_random(loads):
    """Every head of these files, with marks, blanks and full-width forms, is read as before or not
    at all.
    """
    rng = random.Random(7)
    heads = {
        column["head"]
        for report, _ in loads.values()
        for column in report.columns
        if report.layout != "own_table"
    }
    fates: Counter[str] = Counter()
    for head in sorted(heads):
        before = quantity_or_reason(split_head(head), head)
        at = rng.randrange(len(head) + 1)
        changed = (
            head[:at]
            + rng.choice((" ", "\u3000", "\n", "_x000D_\n"))
            + head[at:].translate({40: "（", 41: "）", 37: "％"})
            + rng.choice(("①", "*", "[1]", ""))
        )
        after = quantity_or_reason(split_head(changed), changed)
        if isinstance(after, Quantity):
            assert isinstance(before, Quantity) and (after.indicator, after.factor) == (
                before.indicator,
                before.factor,
            ), changed
        fates[f"{isinstance(before, Quantity)}->{isinstance(after, Quantity)}"] += 1
    assert fates["False->True"] == 0
    assert fates["True->True"] > 0.9 * (fates["True->True"] + fates["True->False"])


def test_files_stay_where_they_are():
    assert str(Path(os.environ["CITYTRADE_REAL_DATA"])) not in CONFIG.read_text(encoding="utf-8")
