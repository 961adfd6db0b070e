"""Column heads and single cells of the yearbooks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from warehouse.sources.yearbook import HEADERS, SOURCE, headers, panel_head, sheet_head
from warehouse.sources.yearbook.cells import is_aggregate, to_number
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.parsing import known_quantity, normal_head, split_head


def test_every_header_reads_back_from_both_styles():
    for header in HEADERS:
        for text, scope in (
            (sheet_head(header), None),
            (panel_head(header, "city"), "city"),
            (panel_head(header, "district"), "district"),
        ):
            quantity = known_quantity(text, "file", "place")
            assert quantity is not None
            assert (quantity.indicator, quantity.scope, quantity.factor) == (
                header.indicator,
                scope,
                header.factor,
            )


def test_one_stem_means_one_indicator():
    keys = [split_head(header.stem).key for header in HEADERS]
    assert len(keys) == len(set(keys))
    assert all(header.unit in UNITS for header in HEADERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("医院、卫生院床位数(张)", "hospital_beds_n"),
        ("工业烟（粉）尘排放量（吨）", "industrial_dust_t"),
        ("公路客运量(万人)", None),
    ],
)
def test_spelling_variants(text, expected):
    quantity = known_quantity(text, "file", "place")
    assert (quantity and quantity.indicator) == expected


def test_the_unit_in_the_head_decides():
    quantity = known_quantity("地区生产总值（亿元）", "file", "place")
    assert quantity is not None
    assert quantity.factor == 1e8
    assert known_quantity("城镇化率_全市_%", "file", "place").factor == 0.01


def test_the_english_half_is_cut_off():
    assert (
        normal_head("年末总人口（万人）\n Total Population (10 000 persons)") == "年末总人口(万人)"
    )
    assert normal_head("gdp（亿元人民币）") == "gdp(亿元人民币)"


@pytest.mark.parametrize(
    ("cell", "number"),
    [(3.5, 3.5), (7, 7.0), ("1,234.5", 1234.5), (" 12 ", 12.0), ("-3", -3.0), ("1e3", 1000.0)],
)
def test_numbers(cell, number):
    assert to_number(cell) == number


@pytest.mark.parametrize(
    "cell", ["12,34", "1_000", "nan", "inf", float("inf"), True, "0x1A", "1.2.3", None]
)
def test_not_numbers(cell):
    assert pd.isna(to_number(cell))


def test_provinces_are_told_from_cities_of_the_same_name():
    names = ("河北省", "河北", "内蒙古", "全国", "中国", "吉林", "北京市", "杭州市", "")
    assert [name for name in names if is_aggregate(name)] == [
        "河北省",
        "河北",
        "内蒙古",
        "全国",
        "中国",
    ]


def test_a_change_of_the_heads_is_a_change_of_the_reader(monkeypatch):
    """Files are read again when any module of the package changes, not only those that hold a
    layout's `read`.
    """
    before = replace(SOURCE).reader_version
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path,
        "read_bytes",
        lambda path: read_bytes(path) + (b"# changed" if path == Path(headers.__file__) else b""),
    )
    assert replace(SOURCE).reader_version != before
