from __future__ import annotations

import pytest

from warehouse.errors import SourceError

TITLE = ["各省份市场化指数总得分"]


def test_a_reports_table(load, workbook):
    rows = [
        TITLE,
        ["地区", "2018年", "2019年"],
        ["全国", 8.0, 8.1],
        ["浙  江", 11.0, 11.4],
        ["内蒙古", 6.3, ""],
        ["西藏自治区", -0.2, "…"],
        ["浙江", 11.0, 11.5],
        ["注：作者计算"],
    ]
    report, tables, aside = load("marketisation", workbook("m.xlsx", {"总指数": rows}))
    found = tables["marketisation__provinces"]
    assert report.layout == "provinces_by_year"
    assert report.read_n == 8  # … stands for nothing
    assert found[["line", "province_name", "year", "marketisation_index"]].values.tolist() == [
        [4, "浙江", 2018, 11.0], [4, "浙江", 2019, 11.4], [5, "内蒙古", 2018, 6.3], [6,
        "西藏自治区", 2018, -0.2],
    ]  # fmt: skip
    assert aside[["line", "reason"]].values.tolist() == [
        [3, "unknown_province"], [3, "unknown_province"], [7, "duplicate_key"], [7,
        "duplicate_key"],
    ]  # fmt: skip


def test_years_as_numbers_on_a_named_sheet(load, workbook):
    _, tables, _ = load(
        "marketisation",
        workbook(
            "m.xlsx",
            {"市场化指数": [["省份", 1997, 1998], ["北京", 5.15, 4.89], ["上海市", 5.0, 50]]},
        ),
    )
    assert tables["marketisation__provinces"]["year"].to_list() == [1997, 1998, 1997]


def test_csv_in_gb18030(load, tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("市场化指数\n地区,2008,2009\n广东,9.1,9.3\n", encoding="gb18030")
    _, tables, _ = load("marketisation", path)
    assert tables["marketisation__provinces"]["marketisation_index"].to_list() == [9.1, 9.3]


def test_two_sheets_or_a_year_twice_are_refused(load, workbook):
    good = [["地区", 2018, 2019], ["浙江", 1, 2]]
    with pytest.raises(SourceError, match="holds the index again"):
        load("marketisation", workbook("two.xlsx", {"市场化指数": good, "市场化指数2": good}))
    with pytest.raises(SourceError, match="names a year twice"):
        load(
            "marketisation",
            workbook("year.xlsx", {"市场化指数": [["地区", 2018, "2018年"], ["浙江", 1, 2]]}),
        )
    with pytest.raises(SourceError, match="no values"):
        load(
            "marketisation",
            workbook("none.xlsx", {"市场化指数": [["地区", 2018, 2019], ["浙江", "", ""]]}),
        )


def test_another_table_of_provinces_is_not_taken_for_it(load, workbook):
    with pytest.raises(SourceError, match="shows none of the layouts"):
        load(
            "marketisation",
            workbook("gdp.xlsx", {"Sheet1": [["地区", 2018, 2019], ["浙江", 1, 2]]}),
        )
