"""Tables of a user's own: every shape, and what is said when configuration and file do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from warehouse.errors import ConfigError, SourceError
from warehouse.settings.config import load_config
from warehouse.settings.patterns import matched_files


@pytest.fixture
def own(tmp_path: Path, load):
    """`own(settings, file)` -> what `load` gives for a file under a table `mine` with these
    settings.
    """

    def read(settings: str, file: Path):
        config = tmp_path / "citytrade.toml"
        config.write_text(
            f"[sources.yearbook.tables.mine]\nfiles = ['{file.name}']\n{settings}\n",
            encoding="utf-8",
        )
        source = load_config(config).sources["yearbook"]
        assert matched_files(source.patterns) == [file]
        return load("yearbook", file, **source.options)

    return read


def values(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, str, str, int], float]:
    rows = tables["yearbook__indicators"]
    return {
        (row.city_name, row.scope, row.indicator, row.year): row.value for row in rows.itertuples()
    }


WIDE = [
    ["Sgnyea", "Ctnm", "Ctnm_id", "Gdpct01", "Popu", "imputed", "note"],
    ["年份", "城市名称", "城市代码", "地区生产总值", "人口", "是否插值", "备注"],
    ["2010", "杭州市", "330100", "5949.17", 68.9, "FALSE", "x"],
    ["2011", "杭州市", "330100", "7019.06", 69.5, "True", "y"],
    ["2011", "杭洲市", "330100", "1", None, "", ""],
]


def test_wide(own, workbook):
    settings = """
        keys = { city = "Ctnm", year = "Sgnyea", code = "Ctnm_id" }
        columns.gdp_cny = ["Gdpct01", "亿元"]
        columns.district_population_registered_n = ["Popu", 1e5]
        scope = "city"
        interpolated = { gdp_cny = "imputed" }"""
    report, tables, aside = own(settings, workbook("cre.xlsx", {"Sheet1": WIDE}))
    assert report.layout == "own_table"
    assert values(tables) == {
        ("杭州市", "city", "gdp_cny", 2010): 594917000000,
        ("杭州市", "district", "population_registered_n", 2010): 6890000,
        ("杭州市", "city", "gdp_cny", 2011): 701906000000,
        ("杭州市", "district", "population_registered_n", 2011): 6950000,
    }
    rows = tables["yearbook__indicators"]
    assert rows[rows["is_interpolated"]][["indicator", "year"]].values.tolist() == [
        ["gdp_cny", 2011]
    ]
    assert aside["reason"].tolist() == ["unknown_city"]
    unread = [
        (column["head"], column["reason"])
        for column in report.columns
        if column["indicator"] is None
    ]
    assert unread == [("note", "the configuration does not name it")]


def test_long_with_units_in_the_rows(own, tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(
        "yr,place,item,u,v\n2010,杭州市,gross product,万元,59490000\n2010,杭州市,happiness,,5\n",
        encoding="utf-8",
    )
    settings = """
        keys = { city = "place", year = "yr", indicator = "item", value = "v", unit = "u" }
        columns = { gdp_cny = ["gross product"] }"""
    report, tables, _ = own(settings, path)
    assert values(tables) == {("杭州市", "unstated", "gdp_cny", 2010): 594900000000}
    assert [column["head"] for column in report.columns if column["indicator"] is None] == [
        "happiness"
    ]


def test_rows_of_indicators_with_years_as_heads(own, workbook):
    rows = [
        ["item", "place", "2011", "2010"],
        ["产值", "杭州市", 7019.06, 5949.17],
        ["other", "杭州市", 1, 2],
    ]
    settings = (
        'keys = { city = "place", indicator = "item", years = "heads" }\n'
        'columns = { gdp_cny = ["产值", "亿元"] }'
    )
    _, tables, _ = own(settings, workbook("rows.xlsx", {"Sheet1": rows}))
    assert values(tables) == {
        ("杭州市", "unstated", "gdp_cny", 2011): 701906000000,
        ("杭州市", "unstated", "gdp_cny", 2010): 594917000000,
    }


def test_a_sheet_an_indicator_with_names_translated_by_order(own, workbook):
    sheets = {
        "list": [["Prefecture", "地级市"], ["Suzhou", "苏州"], ["Suzhou", "宿州"], ["Hangzhou",
        "杭州"]],
        "SO2 ": [["ton", 2006, 2007], ["Suzhou", 1, 2], ["Suzhou", 3, None], ["Hangzhou", 5, 6],
        [None, None, None],
                 ["dust (ton)", 2006, 2007], ["Hangzhou", 7, 8], ["Suzhou", 9, None]],
        "other": [["x", 2006, 2007], ["Suzhou", 1, 2]],
    }  # fmt: skip
    settings = """
        keys = { years = "heads" }
        city_names = { sheet = "list", from = "Prefecture", to = "地级市" }
        columns.industrial_so2_t = ["SO2", "吨"]
        columns.industrial_dust_t = ["dust (ton)", "万吨"]"""
    report, tables, aside = own(settings, workbook("gpi.xlsx", sheets))
    found = {
        (city, indicator, year): value
        for (city, _, indicator, year), value in values(tables).items()
    }
    assert found == {
        ("苏州", "industrial_so2_t", 2006): 1, ("苏州", "industrial_so2_t", 2007): 2, ("宿州",
        "industrial_so2_t", 2006): 3,
        ("杭州", "industrial_so2_t", 2006): 5, ("杭州", "industrial_so2_t", 2007): 6,
        ("杭州", "industrial_dust_t", 2006): 70000, ("杭州", "industrial_dust_t", 2007): 80000,
    }  # fmt: skip
    assert aside["detail"].str.startswith("Suzhou").tolist() == [
        True
    ]  # which Suzhou the second block means nobody can know
    assert ("other", "x") in {
        (column["sheet"], column["head"])
        for column in report.columns
        if column["indicator"] is None
    }


def test_years_that_count_something_else_are_left_out(own, workbook):
    settings = (
        'keys = { city = "Ctnm", year = "Sgnyea" }\ncolumns = { gdp_cny = ["Gdpct01", "亿元"] }\n'
        "years = [2000, 2010]"
    )
    report, tables, aside = own(settings, workbook("a.xlsx", {"Sheet1": WIDE}))
    assert values(tables) == {("杭州市", "unstated", "gdp_cny", 2010): 594917000000}
    assert (report.read_n, aside["reason"].value_counts().to_dict()) == (3, {"year_left_out": 2})


def test_the_edition_decides_the_vintage(own, workbook):
    settings = (
        'keys = { city = "Ctnm", year = "Sgnyea" }\ncolumns = { gdp_cny = ["Gdpct01", "亿元"] }\n'
        'edition = "city_exports"'
    )
    _, tables, _ = own(settings, workbook("a.xlsx", {"Sheet1": WIDE}))
    assert set(tables["yearbook__indicators"]["vintage"]) == {"city_exports"}


def test_a_yearbook_that_does_not_say_its_year(own, workbook):
    rows = [
        ["2-12对外经济贸易(全市)"],
        ["单位：万元"],
        ["城 市", "City", "货物出口额 Export Volume of Goods"],
        ["上海市", "Shanghai", 173779000],
    ]
    path = workbook("2-12.xlsx", {"Sheet1": rows})
    _, tables, _ = own("yearbook = 2024", path)
    assert values(tables) == {("上海市", "city", "exports_cny", 2023): 1737790000000}
    labour = workbook("Data_2012.xlsx", {"Sheet1": rows})
    _, tables, _ = own('yearbook = "name"', labour)
    assert values(tables) == {("上海市", "city", "exports_cny", 2011): 1737790000000}
    with pytest.raises(SourceError, match="has no years in its name.*Write yearbook = 2012"):
        own('yearbook = "name"', path)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ((
            'keys = { city = "Ctnm", year = "Sgnyea" }\n'
            'columns = { gdp_cny = ["Gdpct1", "亿元"] }'
        ), "column Gdpct1 is missing.*like it: gdpct01"),
        ((
            'keys = { city = "Ctnm", year = "Sgnyea" }\n'
            'columns = { gdp_cny = ["Gdpct01", "亿元"] }\nsheets = ["P"]'
        ), "has no sheet 'P'; its sheets: Sheet1"),
        ((
            'keys = { years = "heads" }\n'
            'columns = { gdp_cny = ["Gdpct01", "亿元"] }'
        ), "has no values under the heads named"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_told_so(own, workbook, settings, match):
    with pytest.raises(SourceError, match=match):
        own(settings, workbook("a.xlsx", {"Sheet1": WIDE}))


KEYS = 'keys = { city = "c", year = "y" }\n'


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (KEYS + 'columns = { gdp_cn = ["x", "亿元"] }',
         r"tables.mine\]: columns: no indicator is called 'gdp_cn'. Did you mean 'gdp_cny'"),
        (KEYS + 'columns = { gdp_cny = ["x", "万人"] }',
         "gdp_cny cannot have the unit '万人'. It is one of 元, 千元, 万元"),
        (KEYS + 'columns = { gdp_cny = ["x", -1] }', "gdp_cny cannot have the unit -1"),
        (KEYS + 'columns = { gdp_cny = "x" }', r"gdp_cny = 'x'; write its head and its unit"),
        (KEYS + "columns = {}", "columns must say what counts what"),
        ('keys = { city = "c" }\ncolumns = { gdp_cny = ["x", "元"] }', "keys need city and year"),
        ((
            'keys = { city = "c", year = "y", value = "v" }\n'
            'columns = { gdp_cny = ["x", "元"] }'
        ), "keys with indicator need value"),
        ((
            'keys = { years = "2000-2010" }\n'
            'columns = { gdp_cny = ["x", "元"] }'
        ), 'years = "heads" says'),
        ((
            'keys = { town = "c", year = "y" }\n'
            'columns = { gdp_cny = ["x", "元"] }'
        ), "unknown key column 'town'"),
        (KEYS + (
            'columns = { gdp_cny = ["x", "元"] }\n'
            'scope = "town"'
        ), "scope = 'town'; it is one of city, district, unstated"),
        (KEYS + (
            'columns = { gdp_cny = ["x", "元"] }\n'
            'edition = "city_export"'
        ), "edition = 'city_export' is not ranked. Did you mean 'city_exports'"),
        (KEYS + (
            'columns = { gdp_cny = ["x", "元"] }\n'
            'interpolated = { gdp = "f" }'
        ), "unknown column 'gdp'. Did you mean 'gdp_cny'"),
        ("yearbook = 12", "yearbook = 12 is no year"),
        ("colums = 1", "unknown key 'colums'. Did you mean 'columns'"),
        ("", "says neither columns nor yearbook"),
        ('yearbook = 2012\ncity_names = "x"', "city_names = "),
        ('yearbook = 2012\nsheets = "x"', "sheets must be a list"),
        ("yearbook = 2012\nyears = [2018, 2004]",
         "years = .2018, 2004. are not the first and the last year"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_refused_before_a_file_is_opened(tmp_path, settings, match):
    config = tmp_path / "citytrade.toml"
    config.write_text(
        f"[sources.yearbook.tables.mine]\nfiles = ['a.xlsx']\n{settings}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=match):
        load_config(config)


def test_a_file_that_two_tables_name_is_refused(tmp_path, load, workbook):
    config = tmp_path / "citytrade.toml"
    config.write_text(
        "".join(
            f"[sources.yearbook.tables.{name}]\nfiles = ['*.xlsx']\nyearbook = 2012\n"
            for name in "ab"
        ),
        encoding="utf-8",
    )
    options = load_config(config).sources["yearbook"].options
    with pytest.raises(SourceError, match="is named by two tables of the configuration, a and b"):
        load("yearbook", workbook("x.xlsx", {"Sheet1": WIDE}), **options)


def test_a_files_options_hold_its_own_table_and_no_path(tmp_path):
    from warehouse.sources.reading.options import options_for

    config = tmp_path / "citytrade.toml"
    config.write_text(
        "[sources.yearbook]\nfiles = ['other.xlsx']\n[sources.yearbook.tables.a]\n"
        "files = ['x.xlsx']\nyearbook = 2012\n",
        encoding="utf-8",
    )
    for name in ("x.xlsx", "other.xlsx"):
        (tmp_path / name).touch()
    options = load_config(config).sources["yearbook"].options
    assert json.loads(options_for(tmp_path / "x.xlsx", options)["table"]) == {"yearbook": 2012}
    assert options_for(tmp_path / "other.xlsx", options) == {}


def test_the_example_of_the_documents_is_a_configuration(tmp_path):
    text = (Path(__file__).resolve().parents[3] / "docs" / "own_files.md").read_text(
        encoding="utf-8"
    )
    config = tmp_path / "citytrade.toml"
    config.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    tables = json.loads(load_config(config).sources["yearbook"].options["tables"])
    assert [table["name"] for table in tables] == [
        "mine",
        "long",
        "rows",
        "sheets",
        "crossed",
        "yearly",
        "matrix",
        "yearbook_2024",
        "labour",
    ]
    assert tables[0]["table"]["columns"]["district_gdp_cny"] == {
        "indicator": "gdp_cny",
        "head": "Gdpct02",
        "scope": "district",
        "factor": 1e8,
    }
