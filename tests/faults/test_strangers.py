"""A small run of `python -m tests.faults.strangers`, and by hand what no chance makes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.faults.stranger_files import CITIES, SHAPES, make_stranger, write_kind
from tests.faults.strangers import compared, run, tried
from warehouse.sources.inspection.inspected import inspect

CODEBOOK = [["变量名", "含义", "单位"], ["x1", "地区生产总值", "亿元"], ["x2", "住宅价格", "元"]]


def test_what_strangers_keep_is_read_as_it_was_written():
    found = run(seed=7, files=26)
    assert {verdict.stranger.shape for verdict in found} == set(SHAPES)
    assert [str(one.stranger) for one in found if not one.is_right] == []
    fates = [one.fate for one in found]
    assert fates.count("by the block") >= 6
    assert fates.count("by itself") >= 3


def test_a_value_of_another_city_or_year_would_be_found(tmp_path):
    stranger = next(made for seed in range(99) if (made := make_stranger(seed)).shape == "panel")
    assert tried(stranger, tmp_path).is_right
    (code, indicator, year), value = next(iter(stranger.truth.items()))
    name = next(city[1] for city in CITIES if city[0] == code)
    rows = pd.DataFrame([[name, indicator, year + 1, value]])
    rows.columns = ["city_name", "indicator", "year", "value"]
    verdict = compared(stranger, rows, "by itself")
    assert verdict.wrong or (code, indicator, year + 1) not in stranger.truth
    assert verdict.lost >= len(stranger.truth) - 1


@pytest.fixture
def sheet(tmp_path):
    """`sheet(name=rows, ...)` -> the path of a workbook with those sheets."""

    def write(**sheets: list[list[object]]) -> Path:
        write_kind(tmp_path / "t.xlsx", "xlsx", sheets)
        return tmp_path / "t.xlsx"

    return write


def test_a_sheet_that_explains_the_heads_is_believed(sheet):
    data = [
        ["city", "year", "x1", "x2"],
        ["杭州市", 2010, 5949.0, 20_000],
        ["宁波市", 2010, 5163.0, 1],
    ]
    found = inspect(sheet(说明=CODEBOOK, 数据=data))
    assert 'gdp_cny = ["x1", "亿元"]      # 地区生产总值(亿元)' in found.block
    assert found.tried is not None and found.tried.tables == {"yearbook__indicators": 2}


def test_logarithms_dummies_and_real_values_suggest_no_level(sheet):
    heads = ["city", "year", "lngdp", "post", "did", "treat", "gdp_real"]
    rows = [[name, 2010, 6.9, 1, 0, 1, 800.5] for name in ("杭州市", "宁波市", "温州市")]
    block = inspect(sheet(a=[heads, *rows])).block
    assert '# ? = ["lngdp", "?"]    # 6.9 to 6.9; looks like a logarithm' in block
    for head in ("post", "did", "treat", "gdp_real"):
        assert f'# ? = ["{head}", "?"]' in block


def test_a_city_and_its_year_in_one_cell_are_told(sheet):
    rows = [[f"{name}{year}", 5.5] for name in ("杭州市", "宁波市") for year in (2010, 2011)]
    found = inspect(sheet(a=[["城市年份", "GDP(亿元)"], *rows]))
    assert "'城市年份' holds city and year in one" in found.advice


def test_a_year_that_nothing_says_is_asked_for(sheet):
    rows = [["杭州市", 5949.0], ["宁波市", 5163.0]]
    found = inspect(sheet(a=[["城市", "GDP(亿元)"], *rows]))
    assert "# no column holds years" in found.block
    assert found.tried is None
