"""Consumer prices by category, and the crosswalk of industries."""

from __future__ import annotations

import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.workbooks import write_workbook
from warehouse.sources.prices.consumer import CATEGORIES

OLD = [
    "年份",
    "城市",
    "居民消费价格指数(上年=100)",
    "食品类",
    "烟酒及用品类",
    "衣着",
    "家庭设备用品及维修服务",
    "医疗保健和个人用品",
    "交通和通信",
    "娱乐教育文化用品及服务",
    "居住",
]
NEW = [
    "年份",
    "城市",
    "居民消费价格总指数",
    "食品烟酒",
    "衣着",
    "居住",
    "生活用品及服务",
    "交通和通信",
    "教育文化和娱乐",
    "医疗保健",
    "其他用品和服务",
]


@pytest.mark.parametrize("heads", [OLD, NEW])
def test_each_classification_gives_all_items_and_eight_categories(load, tmp_path, heads):
    write_workbook(
        tmp_path / "cpi.xlsx",
        {"Sheet1": [["标题"], heads, [2014, "杭州市", *(100 + k / 10 for k in range(9))]]},
    )
    report, tables, aside = load("prices", tmp_path / "cpi.xlsx")
    rows = tables["prices__consumer"]
    assert (report.layout, report.read_n) == ("consumer_prices", 9)
    assert aside.empty
    assert set(rows["category"]) <= set(CATEGORIES)
    assert rows["category"].is_unique
    assert rows.set_index("category")["index_pct"]["all_items"] == 100
    assert rows.set_index("category")["index_pct"]["clothing"] == (100.3 if heads is OLD else 100.2)


def test_bad_cells_are_set_aside_and_blank_ones_not_counted(load, tmp_path):
    lines = [
        "年份,城市,CPI,食品,烟酒,居住",
        "2014,杭州市,101,x,500,100.5",
        "2014,乌有市,101,,,",
        "94,温州市,101,,,",
        "2014,杭州市,101,,,",
    ]
    (tmp_path / "cpi.csv").write_text("\n".join(lines), encoding="gb18030")
    report, tables, aside = load("prices", tmp_path / "cpi.csv")
    assert report.read_n == 7
    assert list(tables["prices__consumer"]["category"]) == ["all_items", "housing"]
    assert sorted(aside["reason"]) == [
        "bad_number",
        "bad_year",
        "duplicate_key",
        "out_of_range",
        "unknown_city",
    ]


def test_a_category_in_two_columns_is_refused(load, tmp_path):
    (tmp_path / "cpi.csv").write_text(
        "年份,城市,CPI,食品,食品类\n2014,杭州市,101,1,2\n", encoding="utf-8"
    )
    with pytest.raises(SourceError, match="gives a category in two columns"):
        load("prices", tmp_path / "cpi.csv")


CROSSWALK = [
    ["对照表"],
    ["ISIC Rev.4", "门类", "大类", "中类", "小类", "类别名称"],
    [5, "B", 6, None, None, "煤炭开采和洗选业"],
    [None, "B", None, 61, None, "烟煤和无烟煤的开采洗选"],
    [None, "B", None, None, 690, "其他煤炭采选"],
    ["25、28", "C", 35, None, None, "通用设备制造业"],
    ["无", "S", 93, None, None, "中国共产党机关"],
    [62, "G", 61, None, None, "计算机服务业"],
    [62, "G", 61, None, None, "计算机服务业"],
]


def test_merged_cells_are_filled_and_lost_zeros_come_back(load, tmp_path):
    write_workbook(tmp_path / "crosswalk.xlsx", {"Sheet1": CROSSWALK})
    report, tables, aside = load("concordance", tmp_path / "crosswalk.xlsx")
    rows = tables["concordance__industries"]
    assert (report.layout, report.read_n) == ("gbt_isic_sheet", 7)
    assert rows[["gbt2002_code", "isic4_code"]].to_numpy().tolist() == [
        ["06", "05"],
        ["061", "05"],
        ["0690", "05"],
        ["61", "62"],
    ]
    assert sorted(aside["reason"]) == ["bad_isic_code", "duplicate_key", "no_counterpart"]


def test_the_projects_own_list_reads_without_a_row_set_aside(load):
    from warehouse.simulate.model.technology import CROSSWALK as OWN

    report, tables, aside = load("concordance", OWN)
    rows = tables["concordance__industries"].set_index("gbt2002_code")["isic4_code"]
    assert report.layout == "gbt_isic_csv"
    assert aside.empty
    assert (rows["06"], rows["079"], rows["372"], rows["37"], rows["60"], rows["63"]) == (
        "05",
        "09",
        "29",
        "30",
        "61",
        "46",
    )
    industrial = {f"{code:02d}" for code in range(6, 47)} - {"12", "38"}
    assert industrial <= set(rows.index), (
        "every division of mining, manufacturing and utilities leads somewhere"
    )


def test_a_crosswalk_that_begins_without_a_division_is_refused(load, tmp_path):
    write_workbook(
        tmp_path / "crosswalk.xlsx",
        {"Sheet1": [*CROSSWALK[:2], [None, "B", 6, None, None, "煤炭开采和洗选业"]]},
    )
    with pytest.raises(SourceError, match="has no ISIC division, and none stands above it"):
        load("concordance", tmp_path / "crosswalk.xlsx")
