"""Shapes that people keep tables of cities in: crossed heads, cities as heads, years in names."""

from __future__ import annotations

import json

import pytest

from warehouse.errors import ConfigError, SourceError
from warehouse.settings.tables import parse_tables
from warehouse.sources.inspection.english_units import english_unit
from warehouse.sources.yearbook.year_groups import groups_at, stem_and_year

GDP, POPULATION = "地区生产总值(亿元)", "年末总人口(万人)"


def values(tables) -> dict[tuple[str, str, str, int], float]:
    rows = tables["yearbook__indicators"]
    return {
        (row.city_name, row.scope, row.indicator, row.year): row.value for row in rows.itertuples()
    }


def option(**given) -> dict[str, str]:
    mine = {"mine": {"files": ["*"], **given}}
    return {"table": json.dumps(parse_tables("[x]", "yearbook", mine, str)[0].told)}


class TestCrossedHeads:
    @pytest.mark.parametrize(
        "rows",
        [
            [["城市", GDP, "", POPULATION, ""], ["", 2010, 2011, 2010, 2011]],
            [["", GDP, "", POPULATION, ""], ["城市", "2010年", "2011年", "2010年", "2011年"]],
            [["说明"], ["城市", GDP, "", POPULATION, ""], ["", 2010, 2011, 2010, 2011]],
        ],
    )
    def test_years_under_each_indicator(self, load, workbook, rows):
        _, tables, aside = load(
            "yearbook", workbook("a.xlsx", {"a": [*rows, ["杭州市", 1, 2, 3, 4]]})
        )
        assert values(tables) == {
            ("杭州市", "unstated", "gdp_cny", 2010): 1e8,
            ("杭州市", "unstated", "gdp_cny", 2011): 2e8,
            ("杭州市", "unstated", "population_registered_n", 2010): 3e4,
            ("杭州市", "unstated", "population_registered_n", 2011): 4e4,
        }
        assert len(aside) == 0

    def test_indicators_under_each_year(self, load, workbook):
        rows = [["城市", 2010, "", 2011, ""], ["", GDP, POPULATION, GDP, POPULATION]]
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"a": [*rows, ["杭州市", 1, 3, 2, 4]]}))
        assert values(tables)["杭州市", "unstated", "gdp_cny", 2011] == 2e8
        assert values(tables)["杭州市", "unstated", "population_registered_n", 2010] == 3e4

    def test_other_heads_under_each_year_are_no_groups(self):
        rows = [["城市", 2010, "", 2011, ""], ["", "a", "b", "a", "c"], ["杭州市", 1, 2, 3, 4]]
        assert groups_at(rows, 0) == []

    @pytest.mark.parametrize(
        ("head", "split"),
        [
            ("gdp2010", ("gdp", 2010)), ("x1_2010", ("x1", 2010)),
            ("2010年GDP(亿元)", ("GDP(亿元)", 2010)), ("GDP_2010(亿元)", ("GDP(亿元)", 2010)),
            ("gdp", None), ("2010", None), ("x12010", None),
        ],
    )  # fmt: skip
    def test_a_year_in_a_head(self, head, split):
        assert stem_and_year(head) == split


class TestKeysThatNoColumnHolds:
    def test_a_sheet_a_year(self, load, workbook):
        sheets = {
            "2010年": [["市", "x"], ["杭州市", 1]],
            "2011": [["市", "x"], ["杭州市", 2]],
            "说明": [["市", "x"], ["杭州市", 9]],
        }
        given = option(keys={"city": "市", "years": "sheets"}, columns={"gdp_cny": ["x", "亿元"]})
        report, tables, _ = load("yearbook", workbook("a.xlsx", sheets), **given)
        assert {key[3]: value for key, value in values(tables).items()} == {2010: 1e8, 2011: 2e8}
        unread = [column for column in report.columns if column["indicator"] is None]
        assert [column["sheet"] for column in unread] == ["说明"]

    def test_a_file_a_year(self, load, tmp_path):
        given = option(keys={"city": "市", "years": "name"}, columns={"gdp_cny": ["x", "亿元"]})
        for name in ("城市2010.csv", "城市.csv", "2010-2011.csv"):
            (tmp_path / name).write_text("市,x\n杭州市,1\n", encoding="utf-8")
        _, tables, _ = load("yearbook", tmp_path / "城市2010.csv", **given)
        assert values(tables) == {("杭州市", "unstated", "gdp_cny", 2010): 1e8}
        with pytest.raises(SourceError, match="no years in the file's name"):
            load("yearbook", tmp_path / "城市.csv", **given)
        with pytest.raises(SourceError, match="2 years in the file's name"):
            load("yearbook", tmp_path / "2010-2011.csv", **given)

    def test_cities_as_heads(self, load, workbook):
        given = option(keys={"year": "年", "cities": "heads"}, columns={"gdp_cny": ["a", "亿元"]})
        rows = [["年", "杭州市", "宁波", "火星市"], [2010, 1, 2, 3], [2011, 4, "-", 6]]
        _, tables, aside = load("yearbook", workbook("a.xlsx", {"a": rows}), **given)
        assert {(key[0], key[3]): value for key, value in values(tables).items()} == {
            ("杭州市", 2010): 1e8, ("宁波", 2010): 2e8, ("杭州市", 2011): 4e8,
        }  # fmt: skip
        assert aside["reason"].tolist() == ["unknown_city"] * 2

    @pytest.mark.parametrize(
        "keys",
        [
            {"city": "市", "years": "sheet"},
            {"city": "市", "year": "年", "years": "sheets"},
            {"cities": "heads", "city": "市"},
            {"cities": "columns", "year": "年"},
            {"years": "sheets"},
        ],
    )
    def test_keys_that_make_no_shape_are_refused(self, keys):
        with pytest.raises(ConfigError):
            option(keys=keys, columns={"gdp_cny": ["x", "亿元"]})


class TestRowsThatAreNoCity:
    HEAD = "省,市,区县,行政区划代码,年份,地区生产总值(万元)\n"

    def test_counties_beside_their_city(self, load, tmp_path):
        (tmp_path / "c.csv").write_text(
            f"{self.HEAD}浙江,杭州市,西湖区,,2010,7\n浙江,杭州市,,330100,2010,50\n"
            "浙江,宁波市,全市,330200,2010,40\n",
            encoding="utf-8",
        )
        _, tables, aside = load("yearbook", tmp_path / "c.csv")
        assert {key[0]: value for key, value in values(tables).items()} == {
            "杭州市": 5e5, "宁波市": 4e5,
        }  # fmt: skip
        assert aside[["reason", "detail"]].values.tolist() == [
            ["not_a_prefecture_city", "杭州市 西湖区"]
        ]

    def test_a_countys_code_under_its_citys_name(self, load, tmp_path):
        text = self.HEAD.replace("区县,", "")
        (tmp_path / "c.csv").write_text(
            f"{text}浙江,杭州市,330106,2010,7\n浙江,宁波市,330200,2010,40\n", encoding="utf-8"
        )
        _, tables, aside = load("yearbook", tmp_path / "c.csv")
        assert [key[0] for key in values(tables)] == ["宁波市"]
        assert aside["reason"].tolist() == ["not_a_prefecture_city"]


def test_a_sheet_of_scopes_with_years_in_rows_is_of_its_rows_years(load, workbook):
    rows = [
        ["城市", "年份", "全市", "", "市辖区", ""],
        ["", "", GDP, POPULATION, GDP, POPULATION],
        ["杭州市", 2010, 10, 20, 5, 6],
        ["杭州市", 2011, 11, 21, 7, 8],
    ]
    _, tables, aside = load("yearbook", workbook("panel.xlsx", {"a": rows}))
    found = values(tables)
    assert found["杭州市", "city", "population_registered_n", 2010] == 20e4
    assert found["杭州市", "district", "gdp_cny", 2011] == 7e8
    assert len(found) == 8 and len(aside) == 0
    assert set(tables["yearbook__indicators"]["vintage"]) == {"panel_indicator_scope_unit"}


def test_per_cent_signs_under_a_head_of_per_cent(load, tmp_path):
    (tmp_path / "p.csv").write_text(
        "城市,年份,城镇化率(%),地区生产总值(亿元)\n杭州市,2010,73.3%,8%\n宁波市,2010,68.3,5\n",
        encoding="utf-8",
    )
    _, tables, aside = load("yearbook", tmp_path / "p.csv")
    found = {key[:3:2]: value for key, value in values(tables).items()}
    assert found["杭州市", "urbanisation_share"] == pytest.approx(0.733)
    assert found["宁波市", "urbanisation_share"] == pytest.approx(0.683)
    assert aside["reason"].tolist() == ["bad_number"]


@pytest.mark.parametrize(
    ("head", "indicator", "unit"),
    [
        ("GDP (100 million yuan)", "gdp_cny", "亿元"), ("GDP_10k_cny", "gdp_cny", "万元"),
        ("gdp (RMB bn)", "gdp_cny", None), ("GDP (USD million)", "gdp_cny", None),
        ("FDI, US$ million", "fdi_usd", "百万美元"), ("pop (10k people)", "employees_n", "万人"),
        ("gdp", "gdp_cny", None), ("SO2 (ton)", "industrial_so2_t", "吨"),
    ],
)  # fmt: skip
def test_units_in_english(head, indicator, unit):
    assert english_unit(head, indicator) == unit
