"""Processed panels and city files of yearbooks, each as a tiny file of its real shape."""

from __future__ import annotations

import codecs

import pytest

from tests.unit.sources.yearbook_rows import reasons, values
from warehouse.errors import SourceError

PANEL_HEAD = [
    "行政区划代码",
    "年份",
    "城市",
    "地区生产总值_当年价格_全市_万元",
    "年末总人口_市辖区_万人",
    "某某指标_全市_件",
]


class TestPanel:
    ROWS = (
        ["330100", "2011", "杭州市", "70191000", "434.8", "7"],
        ["330100", "2012", "杭州", "78,020,100", "", "7"],
        ["330200", "2011", "宁波市", "60592400", "223.4", "7"],
    )

    def write(self, tmp_path, rows, encoding="utf-8", head=PANEL_HEAD):
        path = tmp_path / "panel.csv"
        text = (
            "\r\n".join(
                ",".join(f'"{cell}"' if "," in cell else cell for cell in row)
                for row in [head, *rows]
            )
            + "\r\n"
        )
        path.write_bytes(text.encode(encoding))
        return path

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
    def test_csv_in_each_encoding(self, load, tmp_path, encoding):
        report, tables, _ = load("yearbook", self.write(tmp_path, self.ROWS, encoding))
        rows = tables["yearbook__indicators"]
        assert report.layout == "panel_indicator_scope_unit"
        assert values(rows) == pytest.approx({
            ("杭州市", "city", "gdp_cny", 2011): 701910000000,
            ("杭州市", "district", "population_registered_n", 2011): 4348000,
            ("杭州", "city", "gdp_cny", 2012): 780201000000,
            ("宁波市", "city", "gdp_cny", 2011): 605924000000,
            ("宁波市", "district", "population_registered_n", 2011): 2234000,
        })  # fmt: skip
        assert set(rows["city_code_published"]) == {"330100", "330200"}
        assert report.read_n == 5

    def test_workbook(self, load, workbook):
        rows = [
            [330100, 2011, "杭州市", 70191000, 434.8, 7],
            [None, None, "数据来源：中国城市统计年鉴", None, None, None],
        ]
        report, tables, _ = load("yearbook", workbook("panel.xlsx", {"面板": [PANEL_HEAD, *rows]}))
        assert (
            values(tables["yearbook__indicators"])["杭州市", "city", "gdp_cny", 2011]
            == 701910000000
        )
        assert set(tables["yearbook__indicators"]["city_code_published"]) == {"330100"}
        assert report.read_n == 2

    def test_each_bad_row_has_its_reason(self, load, tmp_path):
        bad = (
            ["33O100", "2011", "杭州市", "1", "", ""],
            ["330300", "201l", "温州市", "1", "", ""],
            ["330300", "1911", "温州市", "1", "", ""],
            ["330300", "2011", "温洲市", "1", "", ""],
            ["330300", "2011", "温州市", "-1", "", ""],
            ["330300", "2012", "温州市", "1.2.3", "", ""],
            ["330300", "2013", "", "1", "", ""],
            ["330000", "2011", "浙江省", "1", "", ""],
            ["330300", "2014", "温州市", "1,5", "0", "", ""],
        )
        report, tables, aside = load("yearbook", self.write(tmp_path, [*bad, *self.ROWS]))
        assert reasons(aside) == {
            "bad_code": 1, "bad_year": 2, "unknown_city": 1, "negative_value": 1, "bad_number": 1,
            "missing_city": 1,
            "not_a_prefecture_city": 1, "wrong_field_count": 2,
        }  # fmt: skip
        detail = aside.drop_duplicates("reason").set_index("reason")["detail"]
        assert detail["bad_code"] == "杭州市: code 33O100, 4 or 6 digits expected"
        assert "温州市" in detail["unknown_city"]
        assert detail["wrong_field_count"] == "7 fields, 6 expected"
        assert (report.read_n, report.accepted_n) == (15, 5)
        assert len(tables["yearbook__indicators"]) == 5

    def test_duplicates_keep_the_first_and_say_both(self, load, tmp_path):
        again = (
            ["330100", "2011", "杭州市", "70191000", "", ""],
            ["330100", "2011", "杭州", "99", "", ""],
            ["330100", "2011", "杭州市", "-5", "", ""],
        )
        _, tables, aside = load("yearbook", self.write(tmp_path, [*self.ROWS, *again]))
        assert reasons(aside) == {"duplicate_key": 2, "negative_value": 1}
        assert aside["detail"].tolist()[:2] == [
            "杭州市 gdp_cny 2011: 701910000000 here, 701910000000 in line 2",
            "杭州 gdp_cny 2011: 990000 here, 701910000000 in line 2",
        ]
        assert (
            values(tables["yearbook__indicators"])["杭州市", "city", "gdp_cny", 2011]
            == 701910000000
        )

    def test_a_missing_key_column_is_named(self, load, tmp_path):
        head = ["行政区划代码", "城市", "地区生产总值_当年价格_全市_万元"]
        path = self.write(tmp_path, [["330100", "杭州市", "1"]], head=head)
        with pytest.raises(
            SourceError,
            match=(
                r"panel\.csv, line 1: column 年份 is missing; columns found: 行政区划代码, "
                r"城市.*Add the column 年份"
            ),
        ):
            load("yearbook", path)

    def test_no_known_column(self, load, tmp_path):
        path = self.write(
            tmp_path, [["2011", "杭州市", "1"]], head=["年份", "城市", "年末总人囗_全市_万人"]
        )
        with pytest.raises(
            SourceError,
            match=(
                "no column of it is known; columns found: 年末总人囗_全市_万人; nearest known: "
                "年末总人口"
            ),
        ):
            load("yearbook", path)

    def test_a_known_head_without_unit_is_named_as_unread(self, load, tmp_path):
        path = self.write(
            tmp_path,
            [["2011", "杭州市", "1", "1"]],
            head=["年份", "城市", "年末总人口_全市", "地区生产总值_全市_万元"],
        )
        report, tables, _ = load("yearbook", path)
        assert tables["yearbook__indicators"]["indicator"].tolist() == ["gdp_cny"]
        fate = {
            column["head"]: (column["indicator"], column["reason"]) for column in report.columns
        }
        assert fate["年末总人口_全市"] == (
            None,
            "has no unit; put its unit into the head (one of 人, 千人, 万人)",
        )

    def test_a_file_of_nothing_but_heads_without_unit_is_refused(self, load, tmp_path):
        path = self.write(
            tmp_path, [["2011", "杭州市", "1"]], head=["年份", "城市", "年末总人口_全市"]
        )
        with pytest.raises(
            SourceError,
            match=(
                "no column of it is known; columns found: 年末总人口_全市.*has no unit; put its "
                "unit"
            ),
        ):
            load("yearbook", path)

    def test_a_file_cut_off_in_its_last_row(self, load, tmp_path):
        path = self.write(tmp_path, self.ROWS)
        path.write_bytes(path.read_bytes()[:-6])
        with pytest.raises(
            SourceError, match=r"panel\.csv, line 4: ends after 5 of 6 fields: the file is cut off"
        ):
            load("yearbook", path)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
    def test_utf_16_is_read(self, load, tmp_path, encoding):
        path = self.write(tmp_path, self.ROWS, encoding)
        if encoding == "utf-16-be":
            path.write_bytes(codecs.BOM_UTF16_BE + path.read_bytes())
        accepted = load("yearbook", path)[0].accepted_n
        assert (
            accepted == load("yearbook", self.write(tmp_path, self.ROWS, "utf-8"))[0].accepted_n > 0
        )

    def test_wrong_encoding_in_one_line(self, load, tmp_path):
        path = self.write(tmp_path, self.ROWS)
        path.write_bytes(path.read_bytes().replace("宁波市".encode(), b"\xff\xfe\xff"))
        with pytest.raises(SourceError, match=r"panel\.csv, line 4: is neither UTF-8 nor GB18030"):
            load("yearbook", path)

    def test_heads_without_rows(self, load, tmp_path):
        with pytest.raises(SourceError, match=r"panel\.csv: has heads and no values under them"):
            load("yearbook", self.write(tmp_path, []))

    def test_empty_file(self, load, tmp_path):
        path = tmp_path / "panel.csv"
        path.write_bytes(b"")
        with pytest.raises(SourceError, match=r"panel\.csv: is empty"):
            load("yearbook", path)

    def test_a_file_of_another_kind(self, load, tmp_path):
        path = tmp_path / "other.csv"
        path.write_text("a,b\n1,2\n", encoding="utf-8")
        with pytest.raises(
            SourceError, match=r"other\.csv, line 1: shows none of the layouts known for yearbook"
        ):
            load("yearbook", path)


class TestCityFiles:
    def test_gdp_with_index_and_deflator(self, load, workbook):
        head = ["省份", "城市", "年份", "名义GDP", "GDP指数", "实际GDP", "GDP平减指数", None]
        rows = [
            ["上海市", "上海市", 2001, 5257.66, 110.5, 5317.426, 0.9887604, "更多数据"],
            ["浙江省", "杭州市", 2001, None, 112.2, 1551.2, None, None],
            [None] * 8,
            [None, "更多数据，关注某店", None, None, None, None, None, None],
        ]
        example = [head, ["上海市", "上海市", 2001, 1, 1, 1, 1, None]]
        report, tables, aside = load(
            "yearbook", workbook("gdp.xlsx", {"Sheet1": [head, *rows], "计算过程": example})
        )
        assert report.layout == "gdp_base_2000"
        assert values(tables["yearbook__indicators"]) == pytest.approx({
            ("上海市", "city", "gdp_cny", 2001): 525766000000,
            ("上海市", "city", "gdp_index_pct", 2001): 110.5,
            ("上海市", "city", "gdp_cny_2000_published", 2001): 531742600000,
            ("上海市", "city", "gdp_deflator_2000", 2001): 0.9887604,
            ("杭州市", "city", "gdp_index_pct", 2001): 112.2,
            ("杭州市", "city", "gdp_cny_2000_published", 2001): 155120000000,
        })  # fmt: skip
        assert (report.read_n, len(aside)) == (6, 0)

    def test_sectors_read_numbers_typed_as_text_and_skip_the_sheet_that_repeats_a_year(
        self, load, workbook
    ):
        head = [
            "年度标识", "城市名称", "城市代码", "城市类别", "省份名称", "gdp（亿元人民币）",
            "第一产业增加值（亿元人民币）",
            "第二产业增加值", "第三产业增加值", "第一产业占GDP比重", "产业结构高级化",
        ]  # fmt: skip
        row = [
            2023,
            "杭州市",
            330100,
            "副省级市",
            "浙江省",
            "20059",
            "347",
            5667.5,
            14045.0,
            0.017,
            2.48,
        ]
        advertisement = [None] * 6 + ["更多数据，关注某店"] + [None] * 4
        sheets = {
            "数据来源": [[None], ["各省市统计年鉴"]],
            "面板数据": [head, row, [None] * 11, advertisement],
            "2023": [head, row],
        }
        report, tables, _ = load("yearbook", workbook("sectors.xlsx", sheets))
        assert report.layout == "sector_structure"
        assert values(tables["yearbook__indicators"]) == pytest.approx({
            ("杭州市", "city", "gdp_cny", 2023): 2005900000000,
            ("杭州市", "city", "gdp_primary_cny", 2023): 34700000000,
            ("杭州市", "city", "gdp_secondary_cny", 2023): 566750000000,
            ("杭州市", "city", "gdp_tertiary_cny", 2023): 1404500000000,
        })  # fmt: skip
        assert set(tables["yearbook__indicators"]["city_code_published"]) == {"330100"}

    def test_population_takes_estimates_only_where_nothing_is_published(self, load, workbook):
        head = [
            "年份",
            "城市",
            "城市代码",
            "行政区域土地面积(平方公里)",
            "常住人口（万人）",
            "插值_常住人口（万人）",
            "人口密度（人/平方公里）",
        ]
        rows = [
            [2010, "杭州市", 330100, 16571, 870.5, 870.4, 525],
            [2011, "杭州市", 330100, 16571, None, 873.8, 527],
        ]
        report, tables, _ = load(
            "yearbook",
            workbook("density.xlsx", {"面板数据": [head, *rows], "数据说明": [["计算公式"]]}),
        )
        people = tables["yearbook__indicators"].query("indicator == 'population_resident_n'")
        assert people[["year", "value", "is_interpolated"]].values.tolist() == [
            [2010, 8705000, False],
            [2011, 8738000, True],
        ]
        assert (report.layout, report.read_n) == ("population_density", 4)
        assert (
            not tables["yearbook__indicators"]
            .query("indicator == 'area_km2'")["is_interpolated"]
            .any()
        )

    def test_finance_sets_a_deposit_of_zero_aside(self, load, workbook):
        head = [
            "年份", "省份", "城市", "省份代码", "城市代码", "所属地域", "地区生产总值(万元)",
            "年末金融机构各项贷款余额(万元)",
            "年末金融机构存款余额(万元)", "金融发展水平",
        ]  # fmt: skip
        rows = [
            [
                2011,
                "上海市",
                "上海市",
                "310000",
                310000,
                "东部",
                191956900,
                371967900,
                581865900,
                4.97,
            ],
            [2023, "甘肃省", "平凉市", "620000", 620800, "西部", 6690000, 9294375, 0, 1.39],
        ]
        report, tables, aside = load(
            "yearbook", workbook("finance.xlsx", {"Sheet1": [head, *rows]})
        )
        found = values(tables["yearbook__indicators"])
        assert report.layout == "financial_development"
        assert found["上海市", "city", "gdp_cny", 2011] == 1919569000000
        assert found["上海市", "city", "deposits_cny", 2011] == 5818659000000
        assert found["平凉市", "city", "loans_cny", 2023] == 92943750000
        assert reasons(aside) == {"zero_value": 1}

    def test_fdi_takes_the_unit_of_each_row_and_sets_the_nation_aside(self, load, workbook):
        head = ["year", "地级市", "外商直接投资", "单位", "数据来源"]
        rows = [
            [2010, "桂林", 21.36, "百万美元", "桂林市统计局"],
            [2010, "哈密\u200b\u200b", 500, "万美元", "哈密市统计局"],
            [2010, "中国", 105735, "百万美元", "国家统计局"],
            [2010, "杭州", 4356, "百万", "杭州市统计局"],
            [2011, "桂林", None, "百万美元", "桂林市统计局"],
            [2012, "桂林", 0, "百万美元", "桂林市统计局"],
        ]
        report, tables, aside = load(
            "yearbook", workbook("fdi.xlsx", {"Sheet1": [head, *rows], "Sheet2": []})
        )
        assert values(tables["yearbook__indicators"]) == pytest.approx({
            ("桂林", "city", "fdi_usd", 2010): 21360000,
            ("哈密", "city", "fdi_usd", 2010): 5000000,
            ("桂林", "city", "fdi_usd", 2012): 0,
        })  # fmt: skip
        assert reasons(aside) == {"not_a_prefecture_city": 1, "bad_unit": 1}
        assert (report.layout, report.read_n) == ("fdi", 5)

    def test_road_area_keeps_prefecture_cities(self, load, workbook):
        head = [
            "年份",
            "省份",
            "省份代码",
            "城市",
            "城市代码",
            "人均道路面积（平方米）",
            "人均道路面积（平方米）  线性插值",
        ]
        rows = [
            [2010, "浙江省", "330000", "杭州", 330100, 10.9, 10.9],
            [2011, "浙江省", "330000", "杭州", 330100, None, 11.2],
            [2010, "北京市", "110000", "北京", 110000, 5.6, 5.6],
            [2010, "吉林省", "220000", "吉林", 220000, 12.4, 12.4],
            [2010, "吉林省", "220000", "吉林市", 220200, 11.1, 11.1],
            [2010, "山东省", "370000", "高密", 370785, 29.96, 29.96],
            [2010, "湖北省", "420000", "仙桃", 429004, 15.0, 15.0],
        ]
        report, tables, aside = load(
            "yearbook", workbook("road.xlsx", {"地级市+县级市": [head, *rows]})
        )
        assert values(tables["yearbook__indicators"]) == {
            ("杭州", "unstated", "road_area_per_head_m2", 2010): 10.9,
            ("杭州", "unstated", "road_area_per_head_m2", 2011): 11.2,
            ("北京", "unstated", "road_area_per_head_m2", 2010): 5.6,
            ("吉林市", "unstated", "road_area_per_head_m2", 2010): 11.1,
            ("仙桃", "unstated", "road_area_per_head_m2", 2010): 15.0,
        }
        assert aside[["reason", "detail"]].values.tolist() == [
            ["not_a_prefecture_city", "吉林 220000"],
            ["not_a_prefecture_city", "高密 370785"],
        ]
        assert report.layout == "road_area"

    def test_carbon(self, load, workbook):
        head = [
            "年份",
            "城市代码",
            "所属省份",
            "城市",
            "地区",
            "胡焕庸线",
            "碳排放量_吨",
            None,
            None,
        ]
        rows = [
            [
                2000,
                110000,
                "北京市",
                "北京市",
                "东部",
                "东南侧",
                43133076,
                None,
                "碳排放强度=碳排放总量/GDP",
            ]
        ]
        report, tables, _ = load(
            "yearbook",
            workbook("carbon.xlsx", {"Sheet1": [head, *rows], "数据说明": [["数据来源：EDGAR"]]}),
        )
        assert values(tables["yearbook__indicators"]) == {
            ("北京市", "city", "co2_t", 2000): 43133076
        }
        assert report.layout == "carbon"

    def test_a_missing_column_is_named_with_those_found(self, load, workbook):
        head = ["省份", "城市", "年份", "GDP指数", "实际GDP", "GDP平减指数"]
        with pytest.raises(
            SourceError,
            match=(
                r"gdp\.xlsx, sheet Sheet1: column 名义GDP is missing; columns found: 省份, 城市, "
                r"年份, GDP指数"
            ),
        ):
            load(
                "yearbook",
                workbook("gdp.xlsx", {"Sheet1": [head, ["上海市", "上海市", 2001, 1, 1, 1]]}),
            )
