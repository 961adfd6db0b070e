"""Panels in the other styles, digitised yearbooks, tables without scopes, and downloads of the
query site.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources.yearbook.parsing import split_glued, split_head

UNIT_SCOPE = [
    [
        "省",
        "市",
        "市代码",
        "year",
        "地区生产总值_当年价格_亿元_全市",
        "年末户籍人口_万人_全市",
        "第三产业_教育_人_市辖区",
        "人均地区生产总值_元_全市",
    ],
    ["浙江省", "杭州市", "330100", "2011", "7019.06", "695.71", "61234", "101370"],
    ["浙江省", "宁波市", "330200", "2011", "6059.24", "", "41000", "105334"],
]
IN_BASE_UNITS = {
    ("杭州市", "city", "gdp_cny", 2011): 701906000000.0,
    ("杭州市", "city", "population_registered_n", 2011): 6957100.0,
    ("杭州市", "district", "employees_education_n", 2011): 61234.0,
    ("宁波市", "city", "gdp_cny", 2011): 605924000000.0,
    ("宁波市", "district", "employees_education_n", 2011): 41000.0,
}


def values(rows: pd.DataFrame) -> dict[tuple[str, str, str, int], float]:
    return {
        (row.city_name, row.scope, row.indicator, row.year): row.value for row in rows.itertuples()
    }


def csv_text(rows: list[list[str]], end: str = "\r\n") -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator=end).writerows(rows)
    return sink.getvalue()


class TestUnitBeforeScope:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
    def test_csv_in_each_encoding(self, load, tmp_path, encoding):
        path = tmp_path / "panel.csv"
        path.write_bytes(csv_text(UNIT_SCOPE).encode(encoding))
        report, tables, _ = load("yearbook", path)
        assert values(tables["yearbook__indicators"]) == IN_BASE_UNITS
        assert (report.layout, report.read_n, report.set_aside_n) == (
            "panel_indicator_unit_scope",
            5,
            0,
        )

    def test_workbook(self, load, workbook):
        _, tables, _ = load("yearbook", workbook("panel.xlsx", {"Sheet1": UNIT_SCOPE}))
        assert values(tables["yearbook__indicators"]) == IN_BASE_UNITS

    def test_parquet(self, load, tmp_path):
        columns = dict(zip(UNIT_SCOPE[0], zip(*UNIT_SCOPE[1:], strict=True), strict=True))
        typed = {
            name: [float(cell) if cell else None for cell in cells] if "_" in name else list(cells)
            for name, cells in columns.items()
        }
        pyarrow.parquet.write_table(pa.table(typed), tmp_path / "panel.parquet")
        _, tables, _ = load("yearbook", tmp_path / "panel.parquet")
        assert values(tables["yearbook__indicators"]) == IN_BASE_UNITS

    def test_zip(self, load, tmp_path):
        with zipfile.ZipFile(tmp_path / "panel.zip", "w") as archive:
            archive.writestr("数据/面板.csv", csv_text(UNIT_SCOPE).encode("gb18030"))
        _, tables, _ = load("yearbook", tmp_path / "panel.zip")
        assert values(tables["yearbook__indicators"]) == IN_BASE_UNITS


GLUED = {
    ("杭州市", "unstated", "gdp_cny", 2011): 701906000000.0,
    ("杭州市", "unstated", "employees_agriculture_n", 2011): 1200.0,
    ("宁波", "unstated", "employees_agriculture_n", 2011): 3000.0,
    ("杭州市", "unstated", "rd_expenditure_cny", 2011): 19679000000.0,
    ("杭州市", "unstated", "mobile_users_n", 2011): 11305000.0,
    ("宁波", "unstated", "mobile_users_n", 2011): 9000000.0,
    ("杭州市", "district", "population_registered_n", 2011): 4348200.0,
    ("宁波", "district", "population_registered_n", 2011): 2234000.0,
}


class TestGluedUnits:
    def data(self) -> dict[str, list[object]]:
        return {
            "year": [2011, 2011, 2011],
            "城市": ["杭州市", "#N/A", "宁波"],
            "地区生产总值万元": [70190600.0, 5.0, np.nan],
            "人口密度人平方公里": [420.0, np.nan, 580.0],
            "第一产业农林牧渔业从业人员数万人": [0.12, np.nan, 0.3],
            "RD内部经费支出万元": [1967900.0, np.nan, np.nan],
            "移动电话年末用户数万户": [1130.5, np.nan, 900.0],
            "年末总人口市辖区万人": [434.82, np.nan, 223.4],
        }

    @pytest.mark.parametrize("version", [118, 119])
    def test_stata_of_today(self, load, tmp_path, version):
        pd.DataFrame(self.data()).to_stata(
            tmp_path / "panel.dta", write_index=False, version=version
        )
        report, tables, aside = load("yearbook", tmp_path / "panel.dta")
        assert values(tables["yearbook__indicators"]) == GLUED
        assert (report.layout, report.read_n) == ("panel_glued_units", 9)
        assert aside["reason"].tolist() == ["missing_city"], "a lookup that found no city left #N/A"

    def test_old_stata_in_gb18030(self, load, tmp_path):
        names = ["year", "城市", "地区生产总值万元", "年末总人口市辖区万人"]
        kinds = [("year", "<i2"), ("城市", "S12"), *((name, "<f8") for name in names[2:])]
        table = np.zeros(1, dtype=[(name, kind) for name, kind in kinds])
        for name, cell in zip(
            names, (2011, "杭州市".encode("gb18030"), 70190600.0, 434.82), strict=True
        ):
            table[name] = cell
        write_stata(tmp_path / "panel.dta", table, "")
        _, tables, _ = load("yearbook", tmp_path / "panel.dta")
        assert values(tables["yearbook__indicators"]) == {
            ("杭州市", "unstated", "gdp_cny", 2011): 701906000000.0,
            ("杭州市", "district", "population_registered_n", 2011): 4348200.0,
        }

    def test_a_label_says_what_the_name_has_lost(self, load, tmp_path):
        frame = pd.DataFrame(
            {
                "year": [2011],
                "city": ["杭州市"],
                "地区生产总值亿元": [7019.06],
                "var5": [73.9],
                "城镇化率": [73.9],
            }
        )
        labels = {"var5": "城镇登记失业人员数_全市_人", "城镇化率": "城镇化率(%)"}
        frame.to_stata(
            tmp_path / "panel.dta", write_index=False, version=118, variable_labels=labels
        )
        _, tables, _ = load("yearbook", tmp_path / "panel.dta")
        assert values(tables["yearbook__indicators"]) == {
            ("杭州市", "unstated", "gdp_cny", 2011): 701906000000.0,
            ("杭州市", "city", "registered_unemployed_n", 2011): 73.9,
            ("杭州市", "unstated", "urbanisation_share", 2011): 0.739,
        }

    def test_a_known_name_without_a_unit_is_named_as_unread(self, load, tmp_path):
        frame = pd.DataFrame(
            {"year": [2011], "城市": ["杭州市"], "地区生产总值亿元": [7019.06], "城镇化率": [73.9]}
        )
        frame.to_stata(tmp_path / "panel.dta", write_index=False, version=118)
        report, tables, _ = load("yearbook", tmp_path / "panel.dta")
        assert tables["yearbook__indicators"]["indicator"].tolist() == ["gdp_cny"]
        assert [column["head"] for column in report.columns if column["indicator"] is None] == [
            "城镇化率"
        ]

    def test_a_file_cut_off(self, load, tmp_path):
        path = tmp_path / "panel.dta"
        pd.DataFrame(self.data()).to_stata(path, write_index=False, version=118)
        path.write_bytes(path.read_bytes()[:900])
        with pytest.raises(SourceError, match=r"panel\.dta: cannot be read as a Stata file"):
            load("yearbook", path)


class TestDigitised:
    def test_endings_say_the_scope_and_the_year_is_that_before(self, load, tmp_path):
        heads = [
            "城市",
            "年末总人口(万人)_rgn",
            "年末总人口(万人)_city",
            "地区生产总值(万元)_wc",
            "地区生产总值(万元)_duc",
            "教育支出(万元)_noc",
        ]
        path = tmp_path / "中国城市统计年鉴2006.csv"
        path.write_bytes(
            csv_text([heads, ["杭州市", "660.45", "409.52", "29426519", "23000000", "100"]]).encode(
                "gbk"
            )
        )
        report, tables, _ = load("yearbook", path)
        assert report.layout == "digitised_yearbook"
        assert values(tables["yearbook__indicators"]) == {
            ("杭州市", "city", "population_registered_n", 2005): 6604500.0,
            ("杭州市", "district", "population_registered_n", 2005): 4095200.0,
            ("杭州市", "city", "gdp_cny", 2005): 294265190000.0,
            ("杭州市", "district", "gdp_cny", 2005): 230000000000.0,
            ("杭州市", "district", "education_expenditure_cny", 2005): 1000000.0,
        }

    def test_doubled_columns_count_once_and_fill_each_other(self, load, tmp_path):
        heads = ["yearbook", "城市", "教育支出(万元)_wc_x", "教育支出(万元)_wc_y"]
        path = tmp_path / "any.csv"
        path.write_text(
            csv_text(
                [
                    heads,
                    ["2012", "杭州市", "5", "5"],
                    ["2012", "宁波市", "", "7"],
                    ["二〇一二", "温州市", "1", ""],
                ]
            ),
            encoding="utf-8",
        )
        _, tables, aside = load("yearbook", path)
        assert values(tables["yearbook__indicators"]) == {
            ("杭州市", "city", "education_expenditure_cny", 2011): 50000.0,
            ("宁波市", "city", "education_expenditure_cny", 2011): 70000.0,
        }
        assert sorted(aside["reason"]) == ["bad_year", "duplicate_key"]

    def test_no_year_anywhere_is_refused(self, load, tmp_path):
        path = tmp_path / "any.csv"
        path.write_text("城市,教育支出(万元)_wc\r\n杭州市,5\r\n", encoding="utf-8")
        with pytest.raises(SourceError, match="does not say which yearbook it is from"):
            load("yearbook", path)


def test_a_table_of_2000_that_does_not_say_its_scope(load, workbook):
    rows = [
        ["2-1 人口、土地", None, None, None],
        ["中国城市统计年鉴2001", None, None, None],
        ["城市", "City", "年末总人口(万人)\nTotal Population", "行政区域土地面积(平方公里)"],
        ["河北省", "Hebei", 6674, 187693],
        ["石家庄市", "Shijiazhuang", 891.3, 15848],
    ]
    report, tables, _ = load("yearbook", workbook("2001.xlsx", {"Sheet1": rows}))
    assert report.layout == "yearbook_sheet"
    assert values(tables["yearbook__indicators"]) == {
        ("石家庄市", "unstated", "population_registered_n", 2000): 8913000.0,
        ("石家庄市", "unstated", "area_km2", 2000): 15848.0,
    }


def query(
    *rows: str,
    preamble: tuple[str, ...] = (
        "数据库：分省年度数据",
        "指标：地区生产总值(亿元)",
        "时间：最近20年",
    ),
) -> bytes:
    return "\r\n".join([*preamble, *rows, ""]).encode("gbk")


class TestQueryDownloads:
    FOOTER = ("注：1.数据修订,见说明。", "　　　2.不含港澳台。", "数据来源：国家统计局")

    def write(self, tmp_path: Path, data: bytes) -> Path:
        path = tmp_path / "分省年度数据.csv"
        path.write_bytes(data)
        return path

    def test_provinces_by_year(self, load, tmp_path):
        path = self.write(
            tmp_path,
            query(
                "地区,2024年,2023年",
                "北京市,49670.2,",
                "内蒙古自治区,24011.7,23096.3",
                "台湾省,1,",
                *self.FOOTER,
            ),
        )
        report, tables, aside = load("yearbook", path)
        rows = tables["yearbook__provinces"]
        assert rows[["province_name", "indicator", "year", "value", "vintage"]].values.tolist() == [
            ["北京市", "gdp_cny", 2024, 4967020000000.0, "nbs_query"],
            ["内蒙古自治区", "gdp_cny", 2023, 2309630000000.0, "nbs_query"],
            ["内蒙古自治区", "gdp_cny", 2024, 2401170000000.0, "nbs_query"],
        ]
        assert aside[["reason", "line"]].values.tolist() == [["unknown_province", 7]]
        assert (report.layout, report.read_n) == ("nbs_query", 4)

    def test_cities_go_with_the_cities_and_state_no_scope(self, load, tmp_path):
        preamble = ("数据库：主要城市年度数据", "指标：年末户籍人口(万人)", "时间：最近20年")
        path = self.write(
            tmp_path,
            query(
                "地区,2018年,2017年",
                "北京,,1359.2",
                "乌鲁木齐,222.3,222.61",
                self.FOOTER[-1],
                preamble=preamble,
            ),
        )
        _, tables, _ = load("yearbook", path)
        assert values(tables["yearbook__indicators"]) == {
            ("北京", "unstated", "population_registered_n", 2017): 13592000.0,
            ("乌鲁木齐", "unstated", "population_registered_n", 2018): 2223000.0,
            ("乌鲁木齐", "unstated", "population_registered_n", 2017): 2226100.0,
        }

    def test_many_indicators_of_one_city_in_a_workbook(self, load, workbook):
        rows = [
            ["数据库：主要城市年度数据"], ["地区：广州"], ["时间：最近20年"], ["指标", "2018年",
            "2017年"], ["国内生产总值(亿元)", None, 21503.15],
            ["公园绿地面积(公顷)", 1, 2], ["第一产业增加值(亿元)", 223.4, 233.49],
            ["数据来源：国家统计局"],
        ]  # fmt: skip
        report, tables, _ = load("yearbook", workbook("广州.xlsx", {"主要城市年度数据": rows}))
        assert values(tables["yearbook__indicators"]) == {
            ("广州", "unstated", "gdp_cny", 2017): 2150315000000.0,
            ("广州", "unstated", "gdp_primary_cny", 2018): 22340000000.0,
            ("广州", "unstated", "gdp_primary_cny", 2017): 23349000000.0,
        }
        assert report.read_n == 3

    @pytest.mark.parametrize(
        ("rows", "preamble", "match"),
        [
            (
                ("地区,2024年第四季度", "北京市,1"),
                None,
                "column 2024年第四季度, which is no year.*Query yearly data",
            ),
            (
                ("地区,2024年,2023年", "北京市,1,2", "天津市,1"),
                None,
                "line 6: has 2 of 3 fields: the file is cut off",
            ),
            (
                ("地区,2024年", "全国,1"),
                ("数据库：年度数据", "指标：地区生产总值(亿元)"),
                "from the database 年度数据, which is of neither",
            ),
            (
                ("地区,2024年", "北京市,1"),
                ("数据库：分省年度数据", "指标：人均地区生产总值(元)"),
                "no column of it is known",
            ),
            (
                ("地区,2024年", "北京市,1"),
                ("数据库：分省年度数据", "指标：地区生产总值"),
                "has no unit",
            ),
        ],
    )
    def test_what_cannot_be_understood_is_said(self, load, tmp_path, rows, preamble, match):
        data = query(*rows) if preamble is None else query(*rows, preamble=preamble)
        with pytest.raises(SourceError, match=match):
            load("yearbook", self.write(tmp_path, data))


@pytest.mark.parametrize(
    ("text", "key", "scope", "unit", "style"),
    [
        ("地区生产总值_当年价格_全市_万元", "地区生产总值当年价格", "city", "万元", "scope_unit"),
        ("货物出口额_万元_全市", "货物出口额", "city", "万元", "unit_scope"),
        ("职工平均工资_全市(元)", "职工平均工资", "city", "元", "scope_unit"),
        ("年末总人口（万人）_全市", "年末总人口", "city", "万人", "unit_scope"),
        ("2000年国内生产总值（万元）_全市", "国内生产总值", "city", "万元", "unit_scope"),
        ("R&D经费内部支出(万元)", "rd经费内部支出", None, "万元", "plain"),
        ("教育支出(万元)_duc_y", "教育支出", "district", "万元", "suffix"),
    ],
)
def test_heads_are_taken_apart(text, key, scope, unit, style):
    head = split_head(text)
    assert (head.key, head.scope, head.unit, head.style) == (key, scope, unit, style)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("移动电话年末用户数万户", ("移动电话年末用户数", None, "万户")),
        ("年末总人口市辖区万人", ("年末总人口", "district", "万人")),
        ("年末总人口万人全市", ("年末总人口", "city", "万人")),
        ("城镇化率百分比", ("城镇化率", None, "百分比")),
        ("人口密度人平方公里", None),
        ("教育支出人", None),
        ("地区生产总值", None),
    ],
)
def test_glued_heads(text, found):
    head = split_glued(text)
    assert (head and (head.key, head.scope, head.unit)) == found
