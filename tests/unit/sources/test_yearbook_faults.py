"""Files that once gave wrong numbers without a word, each with the right value or the true
refusal.
"""

from __future__ import annotations

import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.sources.yearbook.printed import english_names


def values(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, str, str, int], float]:
    rows = tables["yearbook__indicators"]
    return {
        (row.city_name, row.scope, row.indicator, row.year): row.value for row in rows.itertuples()
    }


def fates(report) -> dict[str, tuple[str | None, str]]:
    return {column["head"]: (column["indicator"], column["reason"]) for column in report.columns}


def write(tmp_path, text: str, name: str = "panel.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


class TestBlocksBesideEachOther:
    def test_lists_of_cities_of_a_yearbook(self, load, workbook):
        rows = [
            ["中国城市统计年鉴2001"],
            ["城市", "年末总人口(万人)"] * 2,
            ["杭州市", 621.58, "宁波市", 540.9],
            ["温州市", 736.3, "嘉兴市", 331.3],
        ]
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        found = {city: value for (city, *_), value in values(tables).items()}
        assert found == {"杭州市": 6215800, "宁波市": 5409000, "温州市": 7363000, "嘉兴市": 3313000}

    def test_numbered_lists(self, load, workbook):
        rows = [
            ["中国城市统计年鉴2001"],
            ["序号", "城市", "年末总人口(万人)"] * 2,
            [1, "杭州市", 621.58, 101, "宁波市", 540.9],
        ]
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert {city: value for (city, *_), value in values(tables).items()} == {
            "杭州市": 6215800,
            "宁波市": 5409000,
        }

    def test_each_block_has_its_own_years(self, load, tmp_path):
        heads = "城市,年份,地区生产总值_全市_万元,城市,年份,年末总人口_全市_万人\n"
        text = heads + "杭州市,2010,59490000,宁波市,2011,574.08\n"
        _, tables, _ = load("yearbook", write(tmp_path, text))
        assert values(tables) == {
            ("杭州市", "city", "gdp_cny", 2010): 594900000000,
            ("宁波市", "city", "population_registered_n", 2011): 5740800,
        }

    @pytest.mark.parametrize(
        ("heads", "named"),
        [
            ("城市,年份,地区生产总值_全市_万元,城市,年末总人口_全市_万人", "城市"),
            ("城市,年份,地区生产总值_全市_万元,年份,年末总人口_全市_万人", "年份"),
            ("城市,年份,年末总人口_全市_万人,省份,年末总人口_全市_万人", "年末总人口_全市_万人"),
        ],
    )
    def test_what_nobody_can_tell_apart_is_refused_by_name(self, load, tmp_path, heads, named):
        path = write(tmp_path, f"{heads}\n杭州市,2010,1,2011,2\n")
        with pytest.raises(SourceError, match=f"has the head '{named}' twice.*Delete or rename"):
            load("yearbook", path)

    def test_a_head_twice_on_an_official_sheet_is_refused(self, load, workbook):
        rows = [
            ["中国城市统计年鉴2012"],
            ["城市", "City", "年末总人口(万人)", "年末总人口(万人)"],
            ["杭州市", "", 1, 2],
        ]
        with pytest.raises(SourceError, match="has the head '年末总人口.万人.' twice"):
            load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))


def test_gdp_by_its_other_names_and_every_unread_head(load, tmp_path):
    text = (
        "行政区划代码,城市,年份,地区生产总值(当年价)_全市_万元,GDP_亿元_全市,地区生产总值_现价_市辖区_万元,景气指数,固定资产投资总额_全市_万元\n"
        "330100,杭州市,2010,59490000,5949,47000000,7,27531300\n"
    )
    report, tables, aside = load("yearbook", write(tmp_path, text))
    assert values(tables) == {
        ("杭州市", "city", "gdp_cny", 2010): 594900000000,
        ("杭州市", "district", "gdp_cny", 2010): 470000000000,
        ("杭州市", "city", "fixed_investment_cny", 2010): 275313000000,
    }
    assert aside["reason"].tolist() == ["duplicate_key"]  # the same value under GDP_亿元_全市
    assert [head for head, (indicator, _) in fates(report).items() if indicator is None] == [
        "景气指数"
    ]


def test_plain_heads_state_no_scope_and_a_share_is_no_value_added(load, workbook):
    rows = [
        [
            "年份",
            "省份",
            "城市",
            "行政区划代码",
            "地区生产总值(万元)",
            "年末户籍人口(万人)",
            "第二产业增加值占GDP比重(%)",
            "城镇单位就业人员(人)",
        ],
        [2020, "浙江省", "杭州市", 330100, 161058000, 814, 30.0, 3000000],
    ]
    report, tables, _ = load("yearbook", workbook("中国城市数据库6.0版.xlsx", {"Sheet1": rows}))
    assert report.layout == "panel_plain_heads"
    assert values(tables) == {
        ("杭州市", "unstated", "gdp_cny", 2020): 1.61058e12,
        ("杭州市", "unstated", "population_registered_n", 2020): 8140000,
        ("杭州市", "unstated", "employees_n", 2020): 3000000,
    }
    assert fates(report)["第二产业增加值占GDP比重(%)"][0] is None


def test_a_year_in_a_head_is_that_year(load, tmp_path):
    heads = (
        "城市,年份,地区生产总值_2000年不变价_全市_万元,实际地区生产总值_全市_万元,"
        "2000年地区生产总值_全市_万元,地区生产总值_全市_万元"
    )
    report, tables, _ = load("yearbook", write(tmp_path, f"{heads}\n杭州市,2010,1,2,4,59490000\n"))
    assert values(tables) == {("杭州市", "city", "gdp_cny", 2010): 594900000000}
    assert fates(report)["2000年地区生产总值_全市_万元"] == (
        None,
        "counts 2000 alone, and rows have years of their own",
    )


class TestMergedCities:
    def test_a_city_stands_once_over_its_years(self, load, workbook):
        rows = [
            ["城市", "年份", "地区生产总值_全市_万元"],
            ["杭州市", 2010, 1],
            [None, 2011, 2],
            ["宁波市", 2010, 3],
            [None, 2011, 4],
        ]
        _, tables, aside = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert {(city, year): value / 1e4 for (city, _, _, year),
            value in values(tables).items()} == {
            ("杭州市", 2010): 1, ("杭州市", 2011): 2, ("宁波市", 2010): 3, ("宁波市", 2011): 4,
        }  # fmt: skip
        assert aside.empty

    @pytest.mark.parametrize(
        "rows",
        [
            [
                ["杭州市", 2010, 1],
                ["杭州市", 2011, 2],
                [None, 2012, 3],
            ],  # names are repeated here: one is missing
            [["杭州市", 2010, 1], [None, 2015, 3]],
            [[None, 2010, 3], ["杭州市", 2011, 1]],
        ],
    )
    def test_a_name_that_is_missing_stays_missing(self, load, workbook, rows):
        _, _, aside = load(
            "yearbook",
            workbook("a.xlsx", {"Sheet1": [["城市", "年份", "地区生产总值_全市_万元"], *rows]}),
        )
        assert aside["reason"].tolist() == ["missing_city"]


class TestLongWideAndThreeHeads:
    def test_one_value_a_row(self, load, workbook):
        rows = [
            ["年份", "城市", "指标", "单位", "数值"],
            [2010, "杭州市", "地区生产总值", "万元", 59490000],
            ["2010年", "杭州市", "年末总人口", "万人", 689.12],
            [2010, "杭州市", "年末总人口", "亿元", 1],
            [2010, "浙江省", "地区生产总值", "万元", 277000000],
            [2010, "杭州市", "幸福指数", "", 5],
        ]
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert report.layout == "tidy_long"
        assert values(tables) == {
            ("杭州市", "unstated", "gdp_cny", 2010): 594900000000,
            ("杭州市", "unstated", "population_registered_n", 2010): 6891200,
        }
        assert fates(report)["幸福指数"][0] is None

    @pytest.mark.parametrize(
        "rows",
        [
            [
                ["地区生产总值(万元)"],
                ["城市", "2019年", "2018年"],
                ["杭州市", 150000000, 140000000],
            ],
            [
                ["地区生产总值"],
                ["单位：万元"],
                ["城市", 2019, 2018],
                ["杭州市", 150000000, 140000000],
            ],
            [["地区生产总值(亿元)", "2019", "2018"], ["杭州市", 15000, 14000]],
        ],
    )
    def test_years_across(self, load, workbook, rows):
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert report.layout == "years_across"
        assert values(tables) == {
            ("杭州市", "unstated", "gdp_cny", 2019): 1.5e12,
            ("杭州市", "unstated", "gdp_cny", 2018): 1.4e12,
        }

    def test_an_indicator_in_each_row_and_years_across(self, load, workbook):
        rows = [
            ["指标名称(单位)", "地区", "2023年", "2022年"],
            ["GDP(亿元)", "杭州市", "20059", ""],
            ["人均GDP(元)", "杭州市", "161129", "152588"],
            ["单位从业人员数(人)", "杭州市", "", "3,012,345"],
        ]
        report, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert report.layout == "indicator_rows"
        assert values(tables) == {
            ("杭州市", "unstated", "gdp_cny", 2023): 2.0059e12,
            ("杭州市", "unstated", "employees_n", 2022): 3012345,
        }
        assert fates(report)["人均GDP(元)"][0] is None

    def test_numbers_that_look_like_years_make_no_head(self, load, workbook):
        rows = [
            ["城市", "年份", "工业二氧化硫排放量_全市_吨", "医院、卫生院床位数_全市_张"],
            ["杭州市", 2010, 2007, 2054],
        ]
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert {indicator for _, _, indicator, _ in values(tables)} == {
            "industrial_so2_t",
            "hospital_beds_n",
        }

    def test_names_labels_and_units_in_three_rows(self, load, workbook):
        rows = [
            ["Sgnyea", "Ctnm", "Ctnm_id", "Gdpct01"],
            ["年份", "城市名称", "城市代码", "地区生产总值"],
            ["没有单位", "没有单位", "没有单位", "亿元"],
            ["2010", "杭州市", "330100", "5949.17"],
        ]
        _, tables, _ = load("yearbook", workbook("CRE_city.xlsx", {"Sheet1": rows}))
        assert values(tables) == {("杭州市", "unstated", "gdp_cny", 2010): 594917000000}


class TestPrintedWrong:
    def sheet(
        self, yearbook: int, unit: str = "人", numbers: tuple[float, ...] = (27.63, 1.2)
    ) -> list[list[object]]:
        heads = [
            "城市",
            "City",
            f"年末城镇登记失业人员数({unit})\nRegistered Unemployed Persons",
            "",
        ]
        return [
            [f"中国城市统计年鉴{yearbook}"],
            heads,
            ["", "", "全市", "市辖区"],
            ["上海市", "Shanghai", *numbers],
        ]

    @pytest.mark.parametrize("yearbook", [2011, 2012, 2015])
    def test_the_unemployed_of_these_editions_are_in_ten_thousand(self, load, workbook, yearbook):
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": self.sheet(yearbook)}))
        assert values(tables)["上海市", "city", "registered_unemployed_n", yearbook - 1] == 276300
        assert set(tables["yearbook__indicators"]["header"]) == {
            "年末城镇登记失业人员数(人) [printed in 人, read in 万人]"
        }

    def test_private_employees_of_these_editions_too(self, load, workbook):
        rows = self.sheet(2011, numbers=(430.3573, 414.6929))
        rows[1][2] = "城镇私营和个体从业人员(人)\nPersons Employed in Private Enterprises"
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert values(tables)["上海市", "city", "private_employees_n", 2010] == 4303573

    def test_where_the_numbers_are_persons_they_stay(self, load, workbook):
        _, tables, _ = load(
            "yearbook", workbook("a.xlsx", {"Sheet1": self.sheet(2012, numbers=(276300, 240000))})
        )
        assert values(tables)["上海市", "city", "registered_unemployed_n", 2011] == 276300

    def test_other_editions_are_not_touched(self, load, workbook):
        _, tables, _ = load("yearbook", workbook("a.xlsx", {"Sheet1": self.sheet(2008)}))
        assert values(tables)["上海市", "city", "registered_unemployed_n", 2007] == 27.63

    def test_employees_ten_times_their_industries_are_set_aside(self, load, workbook):
        industries = ["农、林、牧、渔业", "采矿业", "制造业", "建筑业", "金融业", "房地产业",
            "教育", "住宿、餐饮业", "批发和零售业", "公共管理和社会组织",
                      "居民服务和其他服务业", "租赁和商业服务业", "文化、体育和娱乐业",
                      "卫生、社会保障和社会福利业", "水利、环境和公共设施管理业"]  # fmt: skip
        pair = [[f"{name}\nIndustry", ""] for name in industries]
        rows = [
            ["中国城市统计年鉴2014"],
            [
                "城市",
                "",
                "年末单位从业人员数(万人)",
                "",
                *(cell for cells in pair for cell in cells),
            ],
            ["", "", *["全市", "市辖区"] * (1 + len(industries))],
            ["嘉峪关市", "Jiayuguan", 66.0, 6.6, *[0.44] * 2 * len(industries)],
        ]
        _, tables, aside = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert aside["reason"].tolist() == ["doubtful_unit"]
        assert (
            aside["detail"].iloc[0].endswith("660,000 against 66,000 that its industries add up to")
        )
        found = values(tables)
        assert found["嘉峪关市", "district", "employees_n", 2013] == 66000
        assert found["嘉峪关市", "city", "employees_manufacturing_n", 2013] == 4400

    def test_a_unit_that_many_cities_belie_is_set_aside(self, load, workbook):
        cities = list(english_names())[:40]
        body = [[city, 2008, 100 + number, 1.5 + number / 10] for number, city in enumerate(cities)]
        rows = [["城市", "年份", "地区生产总值(亿元)", "城镇登记失业人员数(人)"], *body]
        _, tables, aside = load("yearbook", workbook("a.xlsx", {"Sheet1": rows}))
        assert aside["reason"].value_counts().to_dict() == {"doubtful_unit": 40}
        assert (
            "the median of the year is 3.45, expected 100 to 1,000,000: is the unit right?"
            in aside["detail"].iloc[0]
        )
        assert {indicator for _, _, indicator, _ in values(tables)} == {"gdp_cny"}


def test_a_value_that_no_city_can_have_is_read_as_printed_for_models_to_leave_out(load, tmp_path):
    area = "行政区域土地面积"
    heads = f"城市,年份,城镇化率_全市_%,{area}_全市_平方公里,{area}_市辖区_平方公里\n"
    text = heads + "岳阳市,2023,6239,14858,1413\n那曲市,2017,,407276,\n"
    _, tables, aside = load("yearbook", write(tmp_path, text))
    assert {62.39, 407_276} <= set(values(tables).values())
    assert aside.empty


def test_marks_for_missing_numbers_footnotes_and_full_width_digits(load, tmp_path):
    text = (
        "城市,年份,地区生产总值_全市_万元,年末总人口_全市_万人①\n杭州市①,2010,59490000*,NA\n宁波市*,2010,#VALUE!,５７４．０８\n"
        "嘉兴市[1],2010,--,无\n温州市,2010,N/A,.\n"
    )
    report, tables, aside = load("yearbook", write(tmp_path, text))
    assert values(tables) == {
        ("杭州市", "city", "gdp_cny", 2010): 594900000000,
        ("宁波市", "city", "population_registered_n", 2010): 5740800,
    }
    assert (report.read_n, len(aside)) == (2, 0)
