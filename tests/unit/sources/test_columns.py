"""Nothing read is lost silently: every column of a file is read, or named as unread with the
reason.
"""

from __future__ import annotations

import zipfile
from typing import Any

import duckdb

from flows.refresh.outcomes import SourceOutcome
from flows.refresh.summary import unread_lines
from warehouse.lake.loads import LoadReport
from warehouse.releases.meta import write_meta
from warehouse.sources.reading import base, sheets

POSTCODES = (
    "province,city,county,longitude,latitude,zipCode,phone\n"
    "浙江省,杭州市,西湖区,120.13,30.26,310013,0571\n"
)


def fates(report: LoadReport) -> dict[str, Any]:
    return {column["head"]: column["indicator"] or column["reason"] for column in report.columns}


def test_a_small_csv(load, tmp_path):
    (tmp_path / "districts.csv").write_text(POSTCODES, encoding="utf-8")
    report, *_ = load("postcodes", tmp_path / "districts.csv")
    assert fates(report) == {
        "province": "province_name", "city": "city_name", "county": "county_name",
        "longitude": "longitude", "latitude": "latitude",
        "zipCode": "postcode", "phone": base.UNKNOWN_HEAD,
    }  # fmt: skip
    assert {column["file_name"] for column in report.columns} == {"districts.csv"}


def test_a_column_without_a_head_and_a_control_character(load, tmp_path):
    text = (
        POSTCODES.replace("province", ",province", 1)
        .replace("phone", "pho\x1b[31mne", 1)
        .replace("\n浙江", "\n1,浙江", 1)
    )
    (tmp_path / "districts.csv").write_text(text, encoding="utf-8")
    report, *_ = load("postcodes", tmp_path / "districts.csv")
    assert [column["head"] for column in report.columns if column["indicator"] is None] == [
        "(column 1)",
        "pho [31mne",
    ]


def test_members_of_an_archive_and_a_second_head_of_one_meaning(load, tmp_path):
    heads = (
        "HS编码,日期,进口或出口,金额,人民币,年份,消费地或生产地,起运国或目的国,企业编码,经营单位,"
        "贸易方式,数量,企业类型,商品名称"
    )
    row = "84713000,200501,出口,10,80,2005,杭州市,美国,3301234567,甲,一般贸易,1,国有,电脑"
    with zipfile.ZipFile(tmp_path / "year.zip", "w") as archive:
        archive.writestr("a/200501.csv", f"{heads}\n{row}\n".encode("gb18030"))
        archive.writestr(
            "a/200502.csv", f"{heads}\n{row.replace('200501', '200502')}\n".encode("gb18030")
        )
    report, *_ = load("customs", tmp_path / "year.zip")
    assert [column["file_name"] for column in report.columns if column["head"] == "企业类型"] == [
        "year.zip/a/200501.csv",
        "year.zip/a/200502.csv",
    ]
    found = fates(report)
    assert (found["金额"], found["日期"], found["人民币"], found["年份"]) == (
        "value_cents",
        "year",
        "金额 is read instead",
        "日期 is read instead",
    )
    assert found["商品名称"] == base.UNKNOWN_HEAD


def test_sheets_that_no_layout_knows(load, workbook):
    rows = [["城市", "年份", "创新指数", "专利"], ["杭州市", 2010, 30.5, 7]]
    path = workbook("index.xlsx", {"notes": [["read me"]], "data": rows, "empty": []})
    report, *_ = load("innovation", path)
    assert [
        (column["sheet"], column["head"])
        for column in report.columns
        if column["indicator"] is None
    ] == [("data", "专利"), ("notes", sheets.WHOLE_SHEET)]


def test_a_file_of_any_number_of_columns_is_named_up_to_a_limit(load, tmp_path, monkeypatch):
    monkeypatch.setattr(base, "MOST_COLUMNS", 10)
    more = ",".join(f"x{at}" for at in range(100))
    text = POSTCODES.replace("phone", more).replace("0571", ",".join(["1"] * 100))
    (tmp_path / "districts.csv").write_text(text, encoding="utf-8")
    report, *_ = load("postcodes", tmp_path / "districts.csv")
    assert len(report.columns) == 11
    assert report.columns[-1]["reason"] == "only the first 10 of a file are named"


def test_the_summary_names_the_first_and_meta_has_all(load, tmp_path):
    (tmp_path / "districts.csv").write_text(
        POSTCODES.replace("phone", "phone,a,b,c").replace("0571", "0571,1,2,3"), encoding="utf-8"
    )
    report, *_ = load("postcodes", tmp_path / "districts.csv")
    outcomes = [SourceOutcome("postcodes", "loaded", (report, report))]
    assert unread_lines(outcomes) == [
        "postcodes: 4 columns unread: phone, a, b and 1 more",
        "  (select * from meta.columns where indicator is null)",
    ]
    assert unread_lines([SourceOutcome("risk", "not_configured")]) == []
    with duckdb.connect() as connection:
        write_meta(connection, {"columns": report.column_rows})
        found = connection.execute(
            "select source, file_name, head from meta.columns where indicator is null"
        ).fetchall()
    assert found == [("postcodes", "districts.csv", head) for head in ("phone", "a", "b", "c")]
