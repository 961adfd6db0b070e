"""The economic census, trade over the internet and national investment in it."""

from __future__ import annotations

import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.workbooks import write_workbook

HEAD = "行政区划代码,行业代码,企业单位数,工业总产值(当年价格)(千元)"


def write(path, lines, encoding="gb18030"):
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path


def test_output_comes_in_cny_with_the_zero_that_codes_lost(load, tmp_path):
    path = write(
        tmp_path / "census_2004.csv",
        [HEAD, "330102,610,3,1250.5", "330102,3721,1e300,8", "330103000000,0610,2,4"],
    )
    report, tables, aside = load("census", path)
    rows = tables["census__output"]
    assert (report.layout, report.read_n) == ("census_output", 3)
    assert aside.empty
    assert list(rows["industry_code"]) == ["0610", "3721", "0610"]
    assert list(rows["division_code"]) == ["330102", "330102", "330103"]
    assert list(rows["output_cny"]) == [1_250_500, 8000, 4000]
    assert rows["enterprises_n"].fillna(0).tolist() == [3, 0, 2]
    assert set(rows["year"]) == {2004}


def test_bad_lines_are_set_aside_with_their_reason(load, tmp_path):
    bad = [
        "33O102,610,1,5",
        "330102,45X,1,5",
        "330102,61,1,5",
        "330102,620,1,",
        "330102,630,1,-5",
        "330102,640,1,7",
        "330102,0640,1,8",
        "330102,650,1,1e300",
    ]
    report, tables, aside = load("census", write(tmp_path / "census_2004.csv", [HEAD, *bad]))
    assert list(aside["reason"]) == [
        "bad_division_code",
        "bad_industry_code",
        "bad_industry_code",
        "bad_number",
        "negative_value",
        "duplicate_key",
        "out_of_range",
    ]
    assert list(tables["census__output"]["output_cny"]) == [7000]
    assert report.read_n == 8


def test_a_list_of_firms_may_name_a_place_and_industry_again(load, tmp_path):
    head = "法人单位代码,年份,行政区划代码,行业小类代码,工业总产值_当年价格_万元"
    _, tables, aside = load(
        "census",
        write(
            tmp_path / "firms.csv",
            [head, "A1,2004,330102,1310,2", "A2,2004,330102,1310,3.5"],
            "utf-8",
        ),
    )
    rows = tables["census__output"]
    assert aside.empty
    assert list(rows["output_cny"]) == [20_000, 35_000]
    assert rows["enterprises_n"].isna().all()


def test_a_workbook_reads_the_same(load, tmp_path):
    write_workbook(
        tmp_path / "census_2004.xlsx",
        {
            "说明": [["模拟"]],
            "产值": [
                ["表1"],
                ["行政区划代码", "行业代码", "工业总产值（当年价）（亿元）"],
                [330102, 610, 0.5],
            ],
        },
    )
    _, tables, _ = load("census", tmp_path / "census_2004.xlsx")
    row = tables["census__output"].iloc[0]
    assert (row["division_code"], row["industry_code"], row["output_cny"], row["line"]) == (
        "330102",
        "0610",
        5e7,
        3,
    )


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (
            "census.csv",
            [HEAD, "330102,610,1,5"],
            r"has no column 年份 and names 0 years in its file name\. Name the file after the year",
        ),
        (
            "census_2004.csv",
            ["行政区划代码,行业代码,工业总产值", "330102,610,5"],
            "has no single column 工业总产值 at current prices with its unit",
        ),
        (
            "census_2004.csv",
            ["行政区划代码,行业代码,工业总产值(1990年不变价)(千元)", "330102,610,5"],
            "has no single column",
        ),
        ("census_2004.csv", [HEAD], "has heads and no rows"),
        ("census_2004.csv", ["城市,产值", "杭州,5"], "shows none of the layouts known for census"),
    ],
)
def test_what_cannot_be_understood_is_refused(load, tmp_path, name, lines, message):
    with pytest.raises(SourceError, match=message):
        load("census", write(tmp_path / name, lines))


def test_internet_trade_in_cny_and_within_its_trade(load, tmp_path):
    head = ["年份", "行业", "主营业务收入（亿元）", "其中：互联网（亿元）"]
    body = [
        [2008, "批发业", 100, 2.5],
        [2008, "零售业", 50, 1],
        [2013, "批发业", 10, 11],
        [2013, "餐饮业", 10, 1],
        [2008, "批发业", 100, 2.5],
    ]
    write_workbook(tmp_path / "trade.xlsx", {"Sheet1": [["标题"], head, *body]})
    report, tables, aside = load("census", tmp_path / "trade.xlsx")
    rows = tables["census__trade_split"]
    assert report.layout == "census_internet_trade"
    assert rows[["trade", "trade_revenue_cny", "internet_revenue_cny"]].to_numpy().tolist() == [
        ["wholesale", 1e10, 2.5e8],
        ["retail", 5e9, 1e8],
    ]
    assert sorted(aside["reason"]) == ["duplicate_key", "out_of_range", "unknown_trade"]


def test_national_investment_in_the_internet(load, tmp_path):
    lines = [
        "年份,信息传输、软件和信息技术服务业固定资产投资(亿元)",
        "2004,1657.7",
        "2005,x",
        "2004,3",
    ]
    report, tables, aside = load("census", write(tmp_path / "investment.csv", lines, "utf-8"))
    assert report.layout == "internet_investment"
    assert tables["census__internet_investment"][
        ["year", "internet_investment_cny"]
    ].to_numpy().tolist() == [[2004, 165_770_000_000]]
    assert list(aside["reason"]) == ["bad_number", "duplicate_key"]
