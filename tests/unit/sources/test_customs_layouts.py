"""Customs records in every layout and file type that circulates: what each row becomes, and what a
file must have.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources import get_source
from warehouse.sources.customs.layouts import HEADS, LAYOUTS, base_form, fields_of, layout_of

# One record per layout, as its files have it: 100 kg of HS 01012100 for 1234.50 USD to the United
# States in January.
RECORDS: dict[str, dict[str, object]] = {
    "2000_english": {
        "shipment_date": "200001", "exp_imp": "0", "hs_id": "01012100", "value": "1234.5",
        "quantity": "100", "unit": "千克", "party_id": "3301910001",
        "company": "甲公司", "CompanyType": "私营企业", "city": "33019", "country": "United States",
        "port": "上海海关", "shipment": "一般贸易",
        "transportation": "江海运输", "routing": "", "zip": "310012", "tel": "",
    },
    "2002_mixed": {
        "日期": "200201", "hs_id": "01012100", "pname": "改良种用马", "国家名称_C": "美国",
        "进出口_C": "出口", "companytype": "私营企业",
        "贸易类型_C": "一般贸易", "value": "1234.5", "quantity": "100", "party_id": "3301910001",
    },
    "2003_chinese": {
        "日期": "200301", "进口或出口": "出口", "企业编码": "3301910001", "经营单位": "甲公司",
        "企业性质": "私营企业", "税号编码": "01012100",
        "起运国或目的国": "美国", "金额": "1234.5", "数量": "100", "贸易方式": "一般贸易",
    },
    "2005_english": {
        "shipment_date": "200501", "exp_imp": "0", "hs_id": "01012100", "value": "1234.5",
        "quantity": "100", "party_id": "3301910001", "company": "甲公司",
        "companyType": "", "CompanyType": "私营企业", "city": "杭州市", "country": "美国",
        "shipment": "一般贸易", "zip": "310012",
    },
    "2006_chinese": {
        "日期": "200601", "进出口": "出口", "企业代码": "3301910001", "企业名称": "甲公司",
        "企业类型": "私营企业", "商品代码": "01012100", "var18": "美国",
        "金额": "1234.5", "数量": "100", "贸易方式": "一般贸易", "消费地或生产地": "杭州市",
        "邮编": "310012",
    },
    "2007_stata": {
        "_日期": "200701", "_进口或出口": "0", "_企业编码": "3301910001", "_经营单位": "甲公司",
        "_消费地进口or生产地出口": "杭州市", "_海关口岸": "上海海关",
        "_企业性质": "私营企业", "_税号编码": "1012100", "_起运国或目的国": "502",
        "_金额": "1234.5", "_数量": "100", "_贸易方式": "一般贸易", "_中转国": "",
    },
    "csmar_2000_2016": {
        "年月_YearMonth": "201001", "经营单位名称_EntNm": "甲公司",
        "进出口分类代码_ImpExpTypeCd": "0", "HS商品编码_HSCd": "01012100",
        "金额_美元_Sum_USD": "1234.5", "贸易方式代码_TrdMdCd": "10",
        "起运国或目的国代码_BegEndCntryCd": "502", "起运国或目的国名称_BegEndCntryNm": "美国",
        "数量_Quantity": "100", "价格_Price": "12.345", "数量单位代码_QuantityUnitCd": "035",
    },
}  # fmt: skip
QUERY_ZH = (
    '"数据年月","商品编码","商品名称","贸易伙伴编码","贸易伙伴名称","贸易方式编码","贸易方式名称","注册地编码","注册地名称",'
    '"第一数量","第一计量单位","第二数量","第二计量单位","美元",'
)
ROW_ZH = (
    '"202301","01012100","改良种用马","502","美国","10","一般贸易","33","浙江省",'
    '"100","千克","0","?","5,848,714",'
)
QUERY_EN = (
    '"Date of data","Commodity code","Commodity","Trading partner code","Trading partner","Customs'
    ' Regime code","Customs Regime","Locations of importers and exporters code","Locations of'
    ' importers and exporters","Quantity","Unit","US dollar",'
)
ROW_EN = (
    '"202601","01012100","Horses","110","Hong Kong，China","10","Ordinary Trade","44","Guangdong'
    ' Province","?","Kilogram","315,286",'
)


def frame_of(layout: str, **changed: object) -> pd.DataFrame:
    return pd.DataFrame([{**RECORDS[layout], **changed}])


def csv_of(file: Path, *lines: str, encoding: str = "gb18030", end: str = "\r\n") -> Path:
    file.write_bytes((end.join(lines) + end).encode(encoding))
    return file


def save(frame: pd.DataFrame, folder: Path, kind: str) -> Path:
    """A frame in one kind of file; numbers where the kind has them, as people's programs
    save them.
    """
    file = folder / f"records.{kind.split('_')[0]}"
    if kind == "parquet":
        frame.to_parquet(file)
    elif kind == "xlsx":
        frame.to_excel(file, index=False)
    elif kind in (
        "dta_114",
        "dta_115",
    ):  # text in GB18030 bytes, as in the years when Stata knew no Unicode
        octets = {
            head: np.array([str(text).encode("gb18030") or b" " for text in frame[head]])
            for head in frame.columns
        }
        table = np.empty(
            len(frame), dtype=[(head, values.dtype) for head, values in octets.items()]
        )
        for head, values in octets.items():
            table[head] = values
        write_stata(file, table, "")
        file.write_bytes(
            bytes([int(kind[-3:])]) + file.read_bytes()[1:]
        )  # 115 is 114 under another number
    elif kind.startswith("dta"):
        frame.to_stata(file, write_index=False, version=int(kind.split("_")[1]))
    else:
        encoding = {
            "csv_bom": "utf-8-sig",
            "csv_gbk": "gbk",
            "csv_utf8": "utf-8",
            "zip_gbk": "gbk",
        }[kind]
        text = frame.to_csv(index=False).encode(encoding)
        if kind == "zip_gbk":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("a/records.csv", text)
        else:
            file.write_bytes(text)
    return file


@pytest.mark.parametrize(
    "kind",
    [
        "csv_utf8",
        "csv_bom",
        "csv_gbk",
        "zip_gbk",
        "parquet",
        "xlsx",
        "dta_114",
        "dta_115",
        "dta_118",
        "dta_119",
    ],
)
@pytest.mark.parametrize("layout", RECORDS)
def test_one_record_in_every_layout_and_kind_of_file(
    load: Callable, tmp_path: Path, layout: str, kind: str
) -> None:
    report, tables, aside = load("customs", save(frame_of(layout), tmp_path, kind))
    row = tables["customs__records"].iloc[0]
    assert report.layout == layout
    assert len(aside) == 0
    assert (row["month"], row["flow"], row["hs8"], row["value_cents"], row["currency"]) == (
        1,
        "export",
        "01012100",
        123450,
        "USD",
    )
    assert row["quantity"] == 100
    assert row["partner_name"] in ("美国", "United States") or row["partner_code"] == "502"
    assert row["trade_mode"] in ("一般贸易", "10")
    assert row["line"] == (1 if kind.startswith(("dta", "parquet")) else 2)


@pytest.mark.parametrize("layout", RECORDS)
def test_numbers_instead_of_texts_give_the_same(
    load: Callable, tmp_path: Path, layout: str
) -> None:
    """A code that became a number has lost its leading zero; a value that became one has no .0 to
    lose.
    """
    frame = frame_of(layout)
    for head in frame.columns:
        if str(frame[head][0]).replace(".", "").isdigit():
            frame[head] = pd.to_numeric(frame[head])
    for kind in ("parquet", "xlsx", "dta_118"):
        _, tables, _ = load("customs", save(frame, tmp_path, kind))
        row = tables["customs__records"].iloc[0]
        assert (row["hs8"], row["value_cents"], row["flow"]) == ("01012100", 123450, "export")
        assert row["firm_code"] in ("3301910001", None) or layout == "csmar_2000_2016"


def test_a_layout_is_told_by_its_heads_whatever_their_order_and_with_columns_merged_in() -> None:
    extra = ("消费地或生产地", "邮编", "备注")
    for layout, record in RECORDS.items():
        found = layout_of((*extra, *reversed(list(record))))
        assert found is not None and found.name == layout
    assert {spec.name for spec in LAYOUTS} == {
        *RECORDS,
        "2005_chinese_csv",
        "online_query_zh",
        "online_query_en",
    }
    assert layout_of(("a", "b")) is None


def test_no_head_means_two_things() -> None:
    heads = [head for aliases in HEADS.values() for head in aliases]
    assert len(heads) == len(set(heads))
    assert all(base_form(head) == head or head == "HS编码" for head in heads)
    assert fields_of(("_税号编码", "国家名称_C", "金额_美元_Sum_USD", "companyType")) == {
        "hs_text": "_税号编码", "partner_name": "国家名称_C", "value_text": "金额_美元_Sum_USD"
    }  # fmt: skip


def test_the_month_comes_from_the_file_name_where_no_column_has_it(
    load: Callable, tmp_path: Path
) -> None:
    frame = frame_of("2006_chinese").drop(columns="日期")
    file = save(frame, tmp_path, "csv_utf8").rename(tmp_path / "200611cn.csv")
    _, tables, _ = load("customs", file)
    assert tables["customs__records"][["year", "month"]].values.tolist() == [[2006, 11]]
    with pytest.raises(
        SourceError,
        match=(
            r"has no column with a date, and its name does not say one month\. Name the file after"
            r" its month"
        ),
    ):
        load("customs", file.rename(tmp_path / "november.csv"))


def test_the_csmar_edition_may_know_the_year_alone_and_has_no_quantities_in_2016(
    load: Callable, tmp_path: Path
) -> None:
    frame = (
        frame_of("csmar_2000_2016")
        .drop(columns=["年月_YearMonth", "数量_Quantity", "价格_Price"])
        .assign(年份_Year="2016")
    )
    _, tables, _ = load("customs", save(frame, tmp_path, "csv_bom"))
    row = tables["customs__records"].iloc[0]
    assert row["year"] == 2016 and pd.isna(row["month"]) and pd.isna(row["quantity"])
    named = save(frame.drop(columns="年份_Year"), tmp_path, "csv_bom").rename(
        tmp_path / "CSMAR_2013.csv"
    )
    _, tables, _ = load("customs", named)
    assert tables["customs__records"]["year"].tolist() == [2013]


def test_a_column_that_a_layout_lacks_is_null_and_one_that_it_has_must_be_filled(
    load: Callable, tmp_path: Path
) -> None:
    poor = frame_of("2003_chinese")
    _, tables, aside = load("customs", save(poor, tmp_path, "csv_utf8"))
    assert pd.isna(tables["customs__records"]["production_place"][0]) and len(aside) == 0
    rich = pd.concat(
        [
            poor.assign(消费地或生产地="33019", 邮编="310012"),
            poor.assign(消费地或生产地="", 邮编=""),
        ]
    )
    _, tables, aside = load("customs", save(rich, tmp_path, "csv_utf8"))
    assert tables["customs__records"]["production_place"].tolist() == ["33019"]
    assert aside["reason"].tolist() == ["missing_place"]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_the_online_query_in_both_languages(load: Callable, tmp_path: Path, end: str) -> None:
    report, tables, _ = load(
        "customs", csv_of(tmp_path / "zh.csv", QUERY_ZH, ROW_ZH, end=end), flow="export"
    )
    row = tables["customs__records"].iloc[0]
    assert report.layout == "online_query_zh"
    assert (
        row["year"],
        row["month"],
        row["flow"],
        row["value_cents"],
        row["partner_code"],
        row["trade_mode"],
    ) == (2023, 1, "export", 584871400, "502", "10")
    assert pd.isna(row["firm_code"]) and pd.isna(row["production_place"])
    report, tables, _ = load(
        "customs", csv_of(tmp_path / "en.csv", QUERY_EN, ROW_EN, end=end), flow="import"
    )
    row = tables["customs__records"].iloc[0]
    assert report.layout == "online_query_en"
    assert (row["flow"], row["value_cents"], row["quantity_unit"], row["partner_code"]) == (
        "import",
        31528600,
        "Kilogram",
        "110",
    )
    assert pd.isna(row["quantity"])


def test_yuan_are_kept_as_yuan_and_a_month_in_the_name_stands_for_its_column(
    load: Callable, tmp_path: Path
) -> None:
    header = QUERY_ZH.replace('"美元"', '"人民币"').replace('"数据年月",', "")
    file = csv_of(tmp_path / "乙炔_202501.csv", header, ROW_ZH.replace('"202301",', ""))
    _, tables, _ = load("customs", file, flow="export")
    row = tables["customs__records"].iloc[0]
    assert (row["currency"], row["value_cents"], row["year"], row["month"]) == (
        "CNY",
        584871400,
        2025,
        1,
    )


def test_a_file_without_a_flow_takes_it_from_the_configuration(
    load: Callable, tmp_path: Path
) -> None:
    file = csv_of(tmp_path / "2024out.csv", QUERY_ZH, ROW_ZH)
    with pytest.raises(
        SourceError,
        match=(
            r"no column that tells exports from imports\. Say it in the configuration, under"
            r' \[sources\.customs\]: flow = "export"'
        ),
    ):
        load("customs", file)
    for options, flow in [
        ({"flow": "import"}, "import"),
        ({"flow": "import", "export_files": "a.csv\n*out.csv"}, "export"),
    ]:
        _, tables, _ = load("customs", file, **options)
        assert tables["customs__records"]["flow"].tolist() == [flow]
    with pytest.raises(SourceError, match="named by both export_files and import_files"):
        load("customs", file, export_files="*out.csv", import_files="2024*")
    _, tables, _ = load(
        "customs", save(frame_of("2006_chinese"), tmp_path, "csv_gbk"), flow="import"
    )
    assert tables["customs__records"]["flow"].tolist() == ["export"], "a file's own column counts"


def test_a_list_that_ends_at_the_cap_of_the_query_is_refused(
    load: Callable, tmp_path: Path
) -> None:
    load("customs", csv_of(tmp_path / "less.csv", QUERY_ZH, *[ROW_ZH] * 9_999), flow="export")
    with pytest.raises(SourceError, match=r"holds 10,000 rows, at which the query stops"):
        load("customs", csv_of(tmp_path / "cut.csv", QUERY_ZH, *[ROW_ZH] * 10_000), flow="export")


def test_a_workbook_may_go_on_in_a_second_sheet(
    load: Callable, workbook: Callable, tmp_path: Path
) -> None:
    heads, row = list(RECORDS["2006_chinese"]), list(RECORDS["2006_chinese"].values())
    bad = [*row[:7], "", *row[8:]]
    bad[heads.index("金额")] = "见附件"
    file = workbook(
        "two.xlsx", {"说明": [["note"]], "a": [heads, row, row], "b": [heads, row, bad]}
    )
    report, tables, aside = load("customs", file)
    assert tables["customs__records"]["line"].tolist() == [2, 3, 5]
    assert aside[["line", "reason"]].values.tolist() == [[6, "bad_value"]]
    assert report.read_n == 4


def test_damaged_tables_say_so(load: Callable, tmp_path: Path) -> None:
    whole = save(frame_of("2007_stata"), tmp_path, "parquet")
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(SourceError, match=r"records\.parquet: cannot be read as a Parquet file"):
        load("customs", whole)
    stata = save(frame_of("2007_stata"), tmp_path, "dta_118")
    stata.write_bytes(stata.read_bytes()[:300])
    with pytest.raises(
        SourceError,
        match=r"records\.dta: cannot be read as a Stata file .*it is cut off or damaged",
    ):
        load("customs", stata)


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_column_named_twice_is_refused(load: Callable, tmp_path: Path, kind: str) -> None:
    frame = frame_of("2007_stata")
    doubled = pd.concat([frame, frame.iloc[:, -1:]], axis=1)
    file = tmp_path / f"records.{kind}"
    (
        doubled.to_excel(file, index=False)
        if kind == "xlsx"
        else doubled.to_csv(file, index=False, encoding="utf-8")
    )
    with pytest.raises(SourceError, match=rf"records\.{kind}, line 1: names a column twice"):
        load("customs", file)


def test_a_damaged_name_in_a_parquet_file_is_told(load: Callable, tmp_path: Path) -> None:
    """The name is not UTF-8, which is found out only when it is asked for."""
    file = save(frame_of("2007_stata"), tmp_path, "parquet")
    name = next(head for head in frame_of("2007_stata").columns if not head.isascii())
    file.write_bytes(file.read_bytes().replace(name.encode(), b"\xff" * len(name.encode())))
    with pytest.raises(SourceError, match=r"records\.parquet"):
        load("customs", file)


def test_text_in_a_parquet_file_that_is_not_utf_8_is_told(load: Callable, tmp_path: Path) -> None:
    frame = frame_of("2007_stata").astype(str)
    name = next(head for head in frame.columns if "企业" in head or "经营单位" in head)
    frame[name] = "ABCDEFGH"
    file = tmp_path / "records.parquet"
    frame.to_parquet(file, index=False, compression=None)
    file.write_bytes(file.read_bytes().replace(b"ABCDEFGH", b"ABC\xd6\xd0FGH"))
    with pytest.raises(SourceError, match=r"records\.parquet: cannot be read as a Parquet file"):
        load("customs", file)


def test_text_that_begins_like_a_stata_file_is_text(load: Callable, tmp_path: Path) -> None:
    """The old Stata formats begin with a byte that is a letter: `shipment_date` begins with that of
    Stata 12.
    """
    report, _, _ = load("customs", save(frame_of("2000_english"), tmp_path, "csv_utf8"))
    assert report.layout == "2000_english"


def test_every_layout_is_read_by_the_code_that_names_the_load() -> None:
    """A change of any module of the package must make a new reader version."""
    source = get_source("customs")
    assert len(source.layouts) == len(LAYOUTS)
    assert {Path(layout.read.__code__.co_filename).parent.name for layout in source.layouts} == {
        "customs"
    }
