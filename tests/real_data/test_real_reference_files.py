"""The real reference files, each read whole; facts that anybody can look up in them, and nothing
lost without a reason.
"""

from __future__ import annotations

import json
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
    not REAL, reason="CITYTRADE_REAL_DATA does not name the folder of the real files"
)

INDUSTRIES = [f"{number:02d}" for number in range(1, 46)]


@dataclass(frozen=True)
class Read:
    """What a group of real files gave: a report a file, and the rows of one table."""

    reports: list[LoadReport]
    rows: pd.DataFrame
    aside: pd.DataFrame


def real_files(pattern: str) -> list[Path]:
    files = sorted(Path(str(REAL)).glob(pattern))
    assert files, f"{REAL} holds no {pattern}"
    return files


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """`read(source, table, pattern)` -> Read, of all files that the pattern names."""
    lake = tmp_path_factory.mktemp("lake")

    def read_files(source: str, table: str, pattern: str) -> Read:
        reports, rows, aside = [], [], [pd.DataFrame(columns=["line", "reason", "detail"])]
        for path in real_files(pattern):
            report, _ = load_file(get_source(source), path, lake)
            folder = load_folder(lake, source, report.load_id)
            reports.append(report)
            rows.append(pd.read_parquet(folder / f"{table}.parquet"))
            if report.set_aside:
                aside.append(pd.read_parquet(folder / "set_aside.parquet"))
        assert all(report.read_n == report.accepted_n + report.set_aside_n for report in reports)
        return Read(
            reports,
            pd.concat(rows, ignore_index=True),
            pd.concat(aside[1:] or aside, ignore_index=True),
        )

    return read_files


@pytest.fixture(scope="module")
def national(read):
    return read("input_output", "input_output__national", "io/oecd_national_io_2021ed_CHN_*.csv")


def test_national_tables_are_there_for_every_year(national):
    assert sorted(national.rows["year"].unique()) == list(range(1995, 2019))
    assert all((report.read_n, report.set_aside) == (2700, {}) for report in national.reports)
    industries = (
        national.rows.query("row_code == column_code").groupby("year")["row_code"].nunique()
    )
    assert set(industries) == {45}


def test_every_industrys_costs_add_up_to_its_output(national):
    wide = national.rows.pivot(
        index=["year", "row_code"], columns="column_code", values="value_usd_million"
    )[INDUSTRIES]
    for year in (1995, 2011, 2018):
        table = wide.loc[year]
        bought = table.loc[[*INDUSTRIES, "TXS_IMP_FNL", "TXS_INT_FNL"]].sum()
        assert (bought - table.loc["TTL_INT_FNL"]).abs().max() < 1
        assert (table.loc["TTL_INT_FNL"] + table.loc["VALU"] - table.loc["OUTPUT"]).abs().max() < 1


def test_every_industrys_sales_add_up_to_its_output(national):
    table = national.rows.query("year == 2011").pivot(
        index="row_code", columns="column_code", values="value_usd_million"
    )
    sold = table.loc[INDUSTRIES].sum(axis=1)
    assert (sold - table.loc["OUTPUT", INDUSTRIES]).abs().max() < 1
    assert table.loc["01", "02"] == 4601.5


def test_the_sample_of_2016_is_read_and_its_missing_cells_set_aside(read):
    """Eight of 34 industries, made-up values; `NA` where the sample's makers left a cell out."""
    sample = read("input_output", "input_output__icio", "io/icio_layout_samples/ICIO2016_2003.csv")
    assert [(report.layout, report.read_n, report.first_year) for report in sample.reports] == [
        ("oecd_icio_2016", 50 * 30, 2003)
    ]
    assert set(sample.rows["column_country"]) == {"CHN", "CN1", "CN2"}
    assert set(sample.aside["reason"]) == {"bad_number"}


@pytest.mark.parametrize(
    "pattern",
    ["io/icio_layout_samples/ICIO2018_2010.CSV", "io/icio_layout_samples/ICIO2018_2010.zip"],
)
def test_the_samples_of_2018_are_recognised_and_refused_since_china_is_not_in_them(
    pattern, tmp_path
):
    with pytest.raises(SourceError, match="has no column CHN_01T03, CHN_05T06"):
        load_file(get_source("input_output"), real_files(pattern)[0], tmp_path)


def test_employment_by_industry_is_no_input_output_table(tmp_path):
    with pytest.raises(SourceError, match="shows none of the layouts known for input_output"):
        load_file(
            get_source("input_output"),
            real_files("io/china_employment_by_industry.csv")[0],
            tmp_path,
        )


CONVERSION_ROWS = {
    (2002, 1996): 5223, (2007, 1996): 5052, (2007, 2002): 5052, (2012, 2002): 5206, (2012,
    2007): 5205, (2017, 2002): 5388, (2017, 2012): 5388,
}  # fmt: skip
CORRELATION_ROWS = {
    (2002, 1996): 5611, (2007, 1996): 6053, (2007, 2002): 5664, (2012, 2002): 6025, (2012,
    2007): 5364, (2017, 2002): 7073, (2017, 2012): 6141,
}  # fmt: skip


@pytest.fixture(scope="module")
def harmonized_system(read):
    return read("concordance", "concordance__hs", "concordance/HS*to*HS*.xls*")


def test_every_hs_workbook_gives_both_tables(harmonized_system):
    rows = harmonized_system.rows
    assert all(report.set_aside == {} for report in harmonized_system.reports)
    for kind, expected in (("conversion", CONVERSION_ROWS), ("correlation", CORRELATION_ROWS)):
        assert (
            rows[rows["kind"] == kind].groupby(["from_revision", "to_revision"]).size().to_dict()
            == expected
        )
    assert rows["from_hs6"].str.fullmatch(r"\d{6}").all()
    assert rows["to_hs6"].str.fullmatch(r"\d{6}").all()
    assert set(rows.loc[rows["kind"] == "correlation", "relationship"]) == {
        "1:1",
        "1:n",
        "n:1",
        "n:n",
    }


def test_known_hs_pairs(harmonized_system):
    rows = harmonized_system.rows.query(
        "from_revision == 2012 and to_revision == 2002 and from_hs6 == '010130'"
    )
    assert list(rows.loc[rows["kind"] == "conversion", "to_hs6"]) == ["010190"]
    assert sorted(rows.loc[rows["kind"] == "correlation", "to_hs6"]) == ["010110", "010190"]


def test_conversions_are_correlated_pairs_but_for_what_the_publisher_left_out(harmonized_system):
    keys = ["from_revision", "to_revision", "from_hs6", "to_hs6"]
    rows = harmonized_system.rows
    conversion, correlation = (
        rows.loc[rows["kind"] == kind, keys] for kind in ("conversion", "correlation")
    )
    assert not conversion.duplicated(keys[:3]).any()
    merged = conversion.merge(correlation, how="left", indicator=True)
    alone = merged.loc[merged["_merge"] == "left_only", keys[2:]].drop_duplicates()
    assert set(alone.itertuples(index=False, name=None)) == {
        ("999999", "999999"), ("844331", "844359"), ("844332", "844359"), ("844339", "844359"),
        ("140390", "140390"), ("810930", "810990"),
    }  # fmt: skip
    unconverted = correlation.merge(conversion[keys[:3]], how="left", indicator=True)
    assert sorted(unconverted.loc[unconverted["_merge"] == "left_only", "from_hs6"]) == [
        "710820",
        "711890",
    ]


def test_hs_to_bec(read):
    bec = read("concordance", "concordance__bec", "concordance/HS*to BEC*.csv")
    assert bec.rows.groupby("revision").size().to_dict() == {
        1996: 5332,
        2002: 5349,
        2007: 5050,
        2012: 5281,
    }
    assert bec.aside["reason"].to_list() == ["bad_bec_code"] * 6
    assert set(bec.aside["detail"]) == {"710820 to n/a", "711890 to n/a"}  # gold and coin
    horses = bec.rows.query("hs6 == '010110' and revision in (2002, 2007)")
    assert list(horses["bec_code"]) == ["41", "41"]


def test_other_files_of_the_concordance_folder_are_refused(tmp_path):
    for name in ("BEC4_DESC.xlsx",):
        with pytest.raises(SourceError, match="shows none of the layouts known for concordance"):
            load_file(get_source("concordance"), real_files(f"concordance/{name}")[0], tmp_path)


def test_division_vintages(read):
    divisions = read("divisions", "divisions__names", "geography/gb2260/20*.json")
    rows = divisions.rows
    assert rows["vintage"].nunique() == 19
    assert (rows["vintage"].min(), rows["vintage"].max()) == ("200212", "201607")
    assert all(report.set_aside == {} for report in divisions.reports)
    in_files = {
        path.stem: len(json.loads(path.read_text(encoding="utf-8")))
        for path in real_files("geography/gb2260/20*.json")
    }
    assert rows.groupby("vintage").size().to_dict() == in_files
    assert (in_files["200212"], in_files["201607"]) == (3510, 3508)
    assert set(rows.loc[rows["division_code"] == "330106", "name_zh"]) == {"西湖区"}
    by_vintage = rows[rows["division_code"] == "420600"].set_index("vintage")["name_zh"]
    assert by_vintage["200912"] == "襄樊市"
    assert by_vintage["201110"] == "襄阳市"


def test_lists_of_one_territory_are_no_vintages(tmp_path):
    for name in ("hongkong-201512", "macao-201512"):
        with pytest.raises(SourceError, match="does not list 110000"):
            load_file(
                get_source("divisions"), real_files(f"geography/gb2260/{name}.json")[0], tmp_path
            )


def test_district_postcodes(read):
    postcodes = read("postcodes", "postcodes__districts", "geography/postcodes_by_district.csv")
    assert postcodes.reports[0].read_n == 3178
    assert postcodes.reports[0].set_aside == {"bad_postcode": 23, "unknown_city": 29}
    details = " ".join(postcodes.aside["detail"])
    assert "凤泉区: 4453011" in details
    assert "金门县: 890至896" in details
    assert set(
        postcodes.aside.query("reason == 'unknown_city'")["detail"].str.split(" ").str[0]
    ) == {
        "港澳台",
        "牡丹区",
        "兴义市",
        "墨江哈尼族自治县",
        "阿图什市",
    }
    west_lake = postcodes.rows.query("city_name == '杭州市' and county_name == '西湖区'")
    assert list(west_lake["postcode"].str.slice(0, 4)) == ["3100"]


def test_neighbouring_cities(read):
    adjacency = read(
        "geography",
        "geography__adjacency",
        "geography/DERIVED_city_queen_adjacency_300m_buffer.csv",
    )
    assert adjacency.reports[0].read_n == 2 * 969
    assert adjacency.reports[0].set_aside == {"not_a_prefecture": 148}
    pairs = set(zip(adjacency.rows["city_code"], adjacency.rows["neighbour_code"], strict=True))
    assert len(pairs) == len(adjacency.rows) == 1790
    assert all((right, left) in pairs for left, right in pairs)
    assert {right for left, right in pairs if left == "3301"} == {
        "3304",
        "3305",
        "3306",
        "3307",
        "3308",
        "3410",
        "3418",
    }
    assert {("1100", "1200"), ("3100", "3304"), ("5000", "5105")} <= pairs


@pytest.fixture(scope="module")
def zones(read):
    return read("policies", "policies__zones", "policy/*.csv")


def test_zones_of_three_policies(zones):
    rows = zones.rows
    assert all(report.set_aside == {} for report in zones.reports)
    assert rows.groupby("policy").size().to_dict() == {
        "big_data": 8,
        "broadband_china": 117,
        "cross_border_ecommerce": 181,
    }
    commerce = rows[rows["policy"] == "cross_border_ecommerce"]
    assert commerce.groupby("provenance").size().to_dict() == {"from_memory": 106, "seen": 75}
    assert commerce.groupby("first_year").size().to_dict() == {
        2015: 1,
        2016: 12,
        2018: 22,
        2019: 24,
        2020: 46,
        2022: 60,
        2025: 16,
    }
    first = rows.set_index(["policy", "name"])["first_year"]
    assert first["cross_border_ecommerce", "杭州市"] == 2015
    assert first["broadband_china", "杭州市"] == 2016
    assert first["big_data", "沈阳市"] == 2016


def test_levels_of_zones(zones):
    levels = zones.rows.groupby(["policy", "level"]).size().to_dict()
    assert levels == {
        ("big_data", "city"): 3, ("big_data", "province"): 3, ("big_data", "region"): 2,
        ("broadband_china", "city"): 109, ("broadband_china", "county"): 7, ("broadband_china",
        "region"): 1,
        ("cross_border_ecommerce", "city"): 171, ("cross_border_ecommerce", "county"): 8,
        ("cross_border_ecommerce", "province"): 1,
        ("cross_border_ecommerce", "region"): 1,
    }  # fmt: skip
    counties = set(zones.rows.loc[zones.rows["level"] == "county", "name"])
    assert {"义乌市", "昆山市", "阿拉尔市", "重庆市江津区"} <= counties
