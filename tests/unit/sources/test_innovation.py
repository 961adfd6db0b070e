"""The city innovation index: the long sheet, the report's wide annex, and rows that cannot
be used.
"""

from __future__ import annotations

import pytest

from warehouse.errors import SourceError

LONG_HEAD = ["城市", "年份", "创新指数"]


def test_a_row_a_city_and_year(load, workbook):
    rows = [
        LONG_HEAD,
        ["杭州市", 2015, 331.25],
        ["　宁波市", 2015.0, 0],
        [None, None, None],
        ["杭州", "2016年", "402.5"],
    ]
    report, tables, aside = load("innovation", workbook("index.xlsx", {"Sheet1": rows}))
    assert report.read_n == 3
    assert tables["innovation__cities"][["city_name", "year", "innovation_index",
        "line"]].values.tolist() == [
        ["杭州市", 2015, 331.25, 2], ["宁波市", 2015, 0.0, 3], ["杭州", 2016, 402.5, 5],
    ]  # fmt: skip
    assert len(aside) == 0


def test_english_heads(load, workbook):
    _, tables, _ = load(
        "innovation",
        workbook("index.xlsx", {"Sheet1": [["year", "city", "index"], [2010, "上海市", 9.5]]}),
    )
    assert tables["innovation__cities"][
        ["city_name", "year", "innovation_index"]
    ].values.tolist() == [["上海市", 2010, 9.5]]


@pytest.mark.parametrize(
    ("sheet", "title"), [("附表", "表3 城市创新指数"), ("城市创新指数", "附表")]
)
def test_a_column_a_year(load, workbook, sheet, title):
    rows = [
        [title],
        ["序号", "城市", "2015年", 2016.0],
        [1, "杭州市", 331.25, 402.5],
        [2, "宁波市", None, 210.0],
    ]
    report, tables, _ = load("innovation", workbook("index.xlsx", {sheet: rows}))
    assert report.read_n == 3  # a blank cell is a year that was not printed
    assert tables["innovation__cities"][["city_name", "year", "innovation_index",
        "line"]].values.tolist() == [
        ["杭州市", 2015, 331.25, 3], ["杭州市", 2016, 402.5, 3], ["宁波市", 2016, 210.0, 4],
    ]  # fmt: skip


def test_each_bad_row_has_its_reason(load, workbook):
    rows = [
        LONG_HEAD,
        ["杭州市", 2015, 1.0],
        ["杭州市", "二〇一五", 1.0],
        ["", 2015, 1.0],
        ["杭洲市", 2015, 1.0],
        ["宁波市", 2015, None],
        ["宁波市", 2015, "约30"],
        ["宁波市", 2015, "--"],
        ["宁波市", 2015, -0.5],
        ["杭州市", 2015, 2.0],
    ]
    report, tables, aside = load("innovation", workbook("index.xlsx", {"Sheet1": rows}))
    assert aside[["line", "reason"]].values.tolist() == [
        [3, "bad_year"], [4, "missing_city"], [5, "unknown_city"], [6, "missing_value"], [7,
        "bad_number"], [8, "missing_value"],
        [9, "negative_value"], [10, "duplicate_key"],
    ]  # fmt: skip
    assert "杭州市" in aside.set_index("line")["detail"][5].split("nearest names: ")[1]
    assert (report.read_n, len(tables["innovation__cities"])) == (9, 1)


def test_what_cannot_be_read_is_refused(load, workbook):
    long = [LONG_HEAD, ["杭州市", 2015, 1.0]]
    with pytest.raises(SourceError, match="sheet b: holds the index again, after sheet a"):
        load("innovation", workbook("twice.xlsx", {"a": long, "b": long}))
    with pytest.raises(SourceError, match="sheet a: has heads and no rows"):
        load("innovation", workbook("empty.xlsx", {"a": [LONG_HEAD]}))
    with pytest.raises(SourceError, match="shows none of the layouts known for innovation"):
        load(
            "innovation", workbook("other.xlsx", {"a": [["城市", 2015, 2016], ["杭州市", 1, 2]]})
        )  # a table of years that speaks of something else
