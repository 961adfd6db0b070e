"""City yearbooks: official sheets, each as a tiny file of its real shape."""

from __future__ import annotations

import pytest

from tests.unit.sources.yearbook_rows import reasons, values
from warehouse.errors import SourceError


def official_sheet(*body: list[object], title: str = "中国城市统计年鉴2012") -> list[list[object]]:
    return [
        [title],
        [
            None,
            None,
            "年末总人口(万人)\nTotal Population (10 000 persons)",
            None,
            "地区生产总值（当年价格）（万元）",
            None,
            "客运量(万人)",
            None,
        ],
        ["城市", "City", "全市", "市辖区", "全市 Total City", "市辖区", "全市", "市辖区"],
        *body,
    ]


class TestOfficialSheet:
    def test_values_are_in_base_units_of_the_year_before_the_yearbook(self, load, workbook):
        path = workbook(
            "a.xlsx",
            {"2-1": official_sheet(["杭州市", "Hangzhou", 695.7, 434.8, 70191000, 56160000, 9, 9])},
        )
        report, tables, aside = load("yearbook", path)
        rows = tables["yearbook__indicators"]
        assert report.layout == "yearbook_sheet"
        assert values(rows) == pytest.approx({
            ("杭州市", "city", "population_registered_n", 2011): 6957000,
            ("杭州市", "district", "population_registered_n", 2011): 4348000,
            ("杭州市", "city", "gdp_cny", 2011): 701910000000,
            ("杭州市", "district", "gdp_cny", 2011): 561600000000,
        })  # fmt: skip
        assert set(rows["vintage"]) == {"yearbook_sheet"}
        assert set(rows["line"]) == {4}
        assert set(rows["header"]) == {"年末总人口(万人)", "地区生产总值(当年价格)(万元)"}
        assert (report.read_n, len(aside)) == (4, 0)

    def test_provinces_blanks_and_commas_are_passed_over_and_not_counted(self, load, workbook):
        body = [
            ["　河北省", "Hebei Province", 7034.4, 1502.3, 245157600, 1, 1, 1],
            ["全　国", "Total", 1, 1, 1, 1, 1, 1],
            ["　　石家庄市", "Shijiazhuang", 997.3, None, ",", " ", 5, 5],
            ["内蒙古", "Inner Mongolia", 1, 1, 1, 1, 1, 1],
            [None] * 8,
            ["注：本表数据来自各市", None, None, None, None, None, None, None],
        ]
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": official_sheet(*body)}))
        assert values(tables["yearbook__indicators"]) == {
            ("石家庄市", "city", "population_registered_n", 2011): pytest.approx(9973000)
        }
        assert report.read_n == 1

    def test_several_sheets_and_a_second_part_below_the_first(self, load, workbook):
        below = [
            ["续表"],
            [None, None, "行政区域土地面积（平方公里）", None],
            ["城市", "City", "全市", "市辖区"],
            ["杭州市", "Hangzhou", 16571, 3068],
        ]
        sheets = {
            "说明": [["本表由各市统计局提供"]],
            "人口": [
                *official_sheet(["杭州市", "Hangzhou", 695.7, 434.8, 70191000, 56160000, 9, 9]),
                *below,
            ],
            "外资": [
                [None, None, "当年实际使用外资金额(万美元)", None],
                ["城市", None, "全市", "市辖区"],
                ["杭州市", None, 472240, None],
            ],
        }
        report, tables, _ = load("yearbook", workbook("a.xlsx", sheets))
        found = values(tables["yearbook__indicators"])
        assert found["杭州市", "city", "area_km2", 2011] == 16571
        assert found["杭州市", "city", "fdi_usd", 2011] == 4722400000
        assert report.read_n == 7

    @pytest.mark.parametrize(
        ("file_name", "sheet", "title"),
        [
            ("a.xlsx", "Sheet1", "2005年中国城市统计年鉴"),
            ("a.xlsx", "中国城市统计年鉴 2005", "表2-1"),
            ("a.xlsx", "年鉴2005", "表2-1"),
            ("a.xlsx", "2011", "China City Statistical Yearbook 2005"),
            ("中国城市统计年鉴2005.xlsx", "Sheet1", "表2-1"),
            ("SIMULATED_city_yearbook_2005.xlsx", "Sheet1", "表2-1"),
            ("2005_City_Yearbook.xlsx", "Sheet1", "表2-1"),
        ],
    )
    def test_the_year_stands_in_title_sheet_or_file_name(
        self, load, workbook, file_name, sheet, title
    ):
        path = workbook(
            file_name, {sheet: official_sheet(["杭州市", "", 1, 1, 1, 1, 1, 1], title=title)}
        )
        report, _, _ = load("yearbook", path)
        assert (report.first_year, report.last_year) == (2004, 2004)

    @pytest.mark.parametrize(
        ("file_name", "sheet", "title"),
        [
            ("a.xlsx", "Sheet1", "表2-1"),
            ("a.xlsx", "2011", "表2-1"),
            ("a.xlsx", "Sheet1", "表2-1 (2011年)"),
            ("city_2011_final.xlsx", "Sheet1", "表2-1"),
            ("城市统计年鉴2001-2014.xlsx", "2011", "表2-1"),
            ("a.xlsx", "Sheet1", "中国城市建设统计年鉴2011"),
        ],
    )
    def test_a_year_that_is_not_said_to_be_a_yearbooks_is_refused(
        self, load, workbook, file_name, sheet, title
    ):
        path = workbook(
            file_name, {sheet: official_sheet(["杭州市", "", 1, 1, 1, 1, 1, 1], title=title)}
        )
        with pytest.raises(
            SourceError,
            match=(
                rf"sheet {sheet}: does not say which yearbook.*Name the yearbook in the sheet's"
                r" title or the file's name"
            ),
        ):
            load("yearbook", path)

    def test_numbers_too_large_to_be_true_are_set_aside(self, load, workbook):
        body = ["杭州市", "", "1e400", 1e30, 70191000, "9" * 400, 1, 1]
        more = ["宁波市", "", 1e300, "1e15", -1e30, 1e13, 1, 1]
        report, tables, aside = load(
            "yearbook", workbook("a.xlsx", {"Sheet1": official_sheet(body, more)})
        )
        assert reasons(aside) == {"bad_number": 2, "out_of_range": 4}
        assert values(tables["yearbook__indicators"]) == {
            ("杭州市", "city", "gdp_cny", 2011): 701910000000,
            ("宁波市", "district", "gdp_cny", 2011): 1e17,
        }
        assert report.read_n == 8

    def test_bad_cells_are_set_aside_one_by_one(self, load, workbook):
        body = [
            ["杭州市", "", -695.7, "四百", 70191000, 0, 1, 1],
            ["杭洲市", "", 695.7, None, None, None, 1, 1],
            [None, None, 5.5, None, None, None, None, None],
        ]
        report, tables, aside = load(
            "yearbook", workbook("a.xlsx", {"Sheet1": official_sheet(*body)})
        )
        assert reasons(aside) == {
            "negative_value": 1,
            "bad_number": 1,
            "zero_value": 1,
            "unknown_city": 1,
            "missing_city": 1,
        }
        detail = aside.set_index("reason")["detail"]
        assert "杭州市" in detail["unknown_city"].split("nearest names: ")[1]
        assert detail["bad_number"] == "sheet Sheet1, 杭州市 年末总人口(万人): '四百'"
        assert aside.set_index("reason")["line"].to_dict() == {
            "negative_value": 4,
            "bad_number": 4,
            "zero_value": 4,
            "unknown_city": 5,
            "missing_city": 6,
        }
        assert (report.read_n, report.accepted_n) == (6, 1)
        assert len(tables["yearbook__indicators"]) == 1

    def test_a_table_on_another_subject_gives_nothing_and_names_its_heads(self, load, workbook):
        rows = [
            ["中国城市统计年鉴2012"],
            [None, None, "年末总人数(万人)", None],
            ["城市", "City", "全市", "市辖区"],
            ["杭州市", "", 1, 1],
        ]
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"人口": rows}))
        assert (report.read_n, tables) == (0, {})
        assert [
            (column["sheet"], column["head"], column["reason"]) for column in report.columns
        ] == [
            ("人口", "年末总人数(万人) 全市", "not known; nearest known: 年末总人口"),
            ("人口", "年末总人数(万人) 市辖区", "not known; nearest known: 年末总人口"),
        ]

    def test_a_known_head_with_a_foreign_unit_is_named_as_unread(self, load, workbook):
        rows = official_sheet(["杭州市", "", 1, 1, 1, 1, 1, 1])
        rows[1][4] = "地区生产总值(万美元)"
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert set(tables["yearbook__indicators"]["indicator"]) == {"population_registered_n"}
        reason = next(
            column["reason"]
            for column in report.columns
            if column["head"] == "地区生产总值(万美元) 全市"
        )
        assert reason.startswith(
            "has the unit 万美元, which it cannot have; put its unit into the head (one of 元, 千元"
        )

    def test_a_truncated_workbook_is_refused(self, load, workbook):
        path = workbook("a.xlsx", {"Sheet1": official_sheet(["杭州市", "", 1, 1, 1, 1, 1, 1])})
        path.write_bytes(path.read_bytes()[:2000])
        with pytest.raises(
            SourceError, match=r"a\.xlsx: is cut off or not a workbook\. Fetch the file again"
        ):
            load("yearbook", path)
