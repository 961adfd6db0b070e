"""Exchange rates, as workbook and as csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import warehouse
from warehouse.errors import SourceError

HEAD = ["年份", "1美元兑人民币（元）"]
REFERENCE = Path(warehouse.__path__[0]) / "reference" / "exchange_rates.csv"


def write_csv(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def test_workbook(load, workbook):
    report, tables, aside = load(
        "prices",
        workbook("rates.xlsx", {"Sheet1": [HEAD, [2007, 7.604], [2008, 6.9451], [None, None]]}),
    )
    assert tables["prices__exchange_rates"][["line", "year", "cny_per_usd"]].values.tolist() == [
        [2, 2007, 7.604],
        [3, 2008, 6.9451],
    ]
    assert (report.layout, report.read_n, len(aside)) == ("exchange_rates", 2, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(
    "rate_head", ["1美元兑人民币（元）", "1美元兑人民币(元)", '"1 美元兑人民币（元）"']
)
def test_csv(load, tmp_path, encoding, rate_head):
    _, tables, _ = load(
        "prices",
        write_csv(tmp_path / "rates.csv", f"年份,{rate_head}\r\n2005,8.1917\r\n", encoding),
    )
    assert tables["prices__exchange_rates"][["year", "cny_per_usd"]].values.tolist() == [
        [2005, 8.1917]
    ]


def test_each_bad_row_has_its_reason(load, tmp_path):
    lines = [
        "2005,8.1917",
        "20o6,7.97",
        "2007,7.6o4",
        "2008,-6.9451",
        "2009,683.25",
        "2010,",
        "2005,8.2",
        "2011,6.4588",
    ]
    report, tables, aside = load(
        "prices", write_csv(tmp_path / "rates.csv", "\n".join([",".join(HEAD), *lines]) + "\n")
    )
    assert aside[["line", "reason"]].values.tolist() == [
        [3, "bad_year"], [4, "bad_number"], [5, "out_of_range"], [6, "out_of_range"], [7,
        "bad_number"], [8, "duplicate_key"],
    ]  # fmt: skip
    assert aside["detail"][2] == "year 2008, CNY per USD -6.9451"
    assert tables["prices__exchange_rates"]["cny_per_usd"].tolist() == [8.1917, 6.4588]
    assert report.read_n == 8


def test_the_reference_file_covers_2000_to_2006(load):
    report, tables, aside = load("prices", REFERENCE)
    assert tables["prices__exchange_rates"].set_index("year")["cny_per_usd"].to_dict() == {
        2000: 8.2784, 2001: 8.2770, 2002: 8.2770, 2003: 8.2770, 2004: 8.2768, 2005: 8.1917,
        2006: 7.9718,
    }  # fmt: skip
    assert (report.read_n, len(aside)) == (7, 0)


def test_a_missing_column_is_named(load, tmp_path):
    path = write_csv(tmp_path / "rates.csv", "1美元兑人民币（元）\n8.1917\n")
    with pytest.raises(
        SourceError,
        match=(
            r"rates\.csv, line 1: column 年份 is missing; columns found: 1美元兑人民币\(元\)\. "
            r"Name the column 年份"
        ),
    ):
        load("prices", path)


def test_a_rate_in_another_unit_is_refused(load, tmp_path):
    path = write_csv(tmp_path / "rates.csv", "年份,100美元兑人民币（元）\n2005,819.17\n")
    with pytest.raises(
        SourceError,
        match=r"column 1美元兑人民币\(元\) is missing; columns found: 年份, 100美元兑人民币\(元\)",
    ):
        load("prices", path)


def test_wrong_encoding(load, tmp_path):
    path = write_csv(tmp_path / "rates.csv", "年份,1美元兑人民币（元）\n2005,8.1917\n", "utf-8")
    path.write_bytes(path.read_bytes() + b"\xff\xfe\xff,1\n")
    with pytest.raises(SourceError, match=r"rates\.csv, line 3: is neither UTF-8 nor GB18030"):
        load("prices", path)


def test_a_truncated_workbook(load, workbook):
    path = workbook("rates.xlsx", {"Sheet1": [HEAD, [2007, 7.604]]})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(SourceError, match=r"rates\.xlsx: is cut off or not a workbook"):
        load("prices", path)


def test_heads_without_rows(load, tmp_path):
    with pytest.raises(SourceError, match=r"rates\.csv: has heads and no rows"):
        load("prices", write_csv(tmp_path / "rates.csv", "年份,1美元兑人民币（元）\n"))


def test_an_empty_file(load, tmp_path):
    with pytest.raises(SourceError, match=r"rates\.csv: is empty"):
        load("prices", write_csv(tmp_path / "rates.csv", ""))


def provinces(tables):
    return tables["prices__provinces"][
        ["province_name", "year", "measure", "index_pct"]
    ].values.tolist()


def test_prices_of_provinces_beside_every_prefecture(load, tmp_path):
    rows = {"year": [2008.0, 2008.0, 2009.0], "prefcode": [4401.0, 4402.0, 4401.0], "provcode": [44,
        44, 44],
            "inflation": [1.056, 1.056, 0.977], "deflator": [1.0539, 1.0539, np.nan]}  # fmt: skip
    pd.DataFrame(rows).to_stata(tmp_path / "prefecture.dta", write_index=False, version=118)
    report, tables, _ = load("prices", tmp_path / "prefecture.dta")
    assert (report.layout, report.read_n) == ("provincial_prices_stata", 3)
    assert provinces(tables) == [
        ["广东省", 2008, "consumer_prices", 105.6],
        ["广东省", 2008, "gdp_deflator", 105.39],
        ["广东省", 2009, "consumer_prices", 97.7],
    ]


def test_two_prices_of_one_province_are_refused(load, tmp_path):
    rows = {
        "year": [2008.0, 2008.0],
        "provcode": [44, 44],
        "inflation": [1.056, 1.06],
        "deflator": [1.0, 1.0],
    }
    pd.DataFrame(rows).to_stata(tmp_path / "prefecture.dta", write_index=False, version=118)
    with pytest.raises(SourceError, match="gives one province and year two values of inflation"):
        load("prices", tmp_path / "prefecture.dta")


def test_prices_of_provinces_as_yearbooks_print_them(load, workbook):
    rows = [
        ["省份", "年份", "居民消费价格指数(上年=100)"], ["广东", 2008, 105.6], ["内蒙古自治区",
        2008, 105.7], ["广冻", 2008, 100], ["广东", 2009, 977],
        ["广东", 2008, 105.6],
    ]  # fmt: skip
    report, tables, aside = load("prices", workbook("cpi.xlsx", {"Sheet1": rows}))
    assert report.layout == "provincial_prices_table"
    assert provinces(tables) == [
        ["广东省", 2008, "consumer_prices", 105.6],
        ["内蒙古自治区", 2008, "consumer_prices", 105.7],
    ]
    assert aside["reason"].tolist() == ["unknown_province", "out_of_range", "duplicate_key"]
