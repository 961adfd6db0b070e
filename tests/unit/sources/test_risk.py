from __future__ import annotations

import datetime

import pytest

from warehouse.errors import SourceError

HEADS = ["month", "GPR", "GPRC_CHN", "GPRHC_CHN", "GPRC_USA", "var_name", "var_label"]


def test_workbook(load, workbook):
    rows = [
        HEADS,
        [datetime.date(2008, 1, 1), 101.5, 0.5, 9.0, 2.25, "month", "Date (year/month)"],
        [datetime.datetime(2008, 2, 1), 99.0, "", 9.0, 2.5, "GPR", "Recent GPR"],
        [39508, 98.0, 0.75, 9.0, 2.0, "", ""],  # a day number: 1 March 2008
    ]
    report, tables, aside = load("risk", workbook("gpr.xlsx", {"Sheet1": rows}))
    found = tables["risk__geopolitical"]
    assert report.layout == "gpr_export"
    assert (
        report.read_n == 5
    )  # six cells of two countries, one of them blank; other series are not read
    assert aside.empty
    assert found[["line", "iso3", "year", "month", "articles_pct"]].values.tolist() == [
        [2, "CHN", 2008, 1, 0.5], [2, "USA", 2008, 1, 2.25], [3, "USA", 2008, 2, 2.5], [4, "CHN",
        2008, 3, 0.75], [4, "USA", 2008, 3, 2.0],
    ]  # fmt: skip


def test_csv_and_what_is_set_aside(load, tmp_path):
    path = tmp_path / "gpr.csv"
    path.write_text(
        "month,GPRC_CHN,GPRC_USA\n2008-01-01,0.5,1\n2008M02,0.6,-1\n2008-03-15,0.7,\n"
        "2008m4,many,1e400\n2008-01-01,0.5,\nsoon,0.1,120\n",
        encoding="utf-8",
    )
    _, tables, aside = load("risk", path)
    assert tables["risk__geopolitical"]["month"].to_list() == [1, 1, 2]
    assert aside[["line", "reason"]].values.tolist() == [
        [3, "out_of_range"], [4, "bad_date"], [5, "bad_number"], [5, "bad_number"], [6,
        "duplicate_key"], [7, "bad_date"], [7, "bad_date"],
    ]  # fmt: skip
    assert "CHN 2008-03-15: 0.7" in aside["detail"].to_list()


@pytest.mark.parametrize("text", ["month,GPR\n2008-01-01,100\n", "date,GPRC_CHN\n2008-01-01,1\n"])
def test_another_table_is_not_taken_for_it(load, tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match="shows none of the layouts"):
        load("risk", path)


def test_a_country_twice_or_no_row_is_refused(load, tmp_path):
    for text, problem in (
        ("month,GPRC_CHN,GPRC_CHN\n2008-01-01,1,2\n", "names a country twice"),
        ("month,GPRC_CHN\n", "no rows"),
    ):
        path = tmp_path / f"{len(text)}.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=problem):
            load("risk", path)
