"""Downloads of the statistics office's query site as they come: csv in GBK of provinces, xls of
major cities.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder
from warehouse.sources import get_source
from warehouse.sources.reading.loading import load_file

REAL = os.environ.get("CITYTRADE_REAL_DATA")
pytestmark = pytest.mark.skipif(
    not REAL, reason="CITYTRADE_REAL_DATA names no folder of real files"
)

PROVINCES, CITIES = "nbs_province", "nbs_cities/Final_Thesis/data"
Read = Callable[[str], tuple[LoadReport, pd.DataFrame]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def load(name: str) -> tuple[LoadReport, pd.DataFrame]:
        report, _ = load_file(get_source("yearbook"), Path(str(REAL)) / name, tmp_path)
        (table,) = report.tables
        return report, pd.read_parquet(
            load_folder(tmp_path, "yearbook", report.load_id) / f"{table}.parquet"
        )

    return load


def value(rows: pd.DataFrame, place: str, year: int, indicator: str = "gdp_cny") -> float:
    name = "province_name" if "province_name" in rows else "city_name"
    (found,) = rows.loc[
        (rows[name] == place) & (rows["year"] == year) & (rows["indicator"] == indicator), "value"
    ]
    return float(found)


def test_gdp_of_provinces(read: Read) -> None:
    report, rows = read(f"{PROVINCES}/分省年度数据.csv")
    assert (report.layout, report.read_n, report.set_aside_n) == ("nbs_query", 31 * 19, 0)
    assert set(report.tables) == {"yearbook__provinces"}
    assert rows["province_name"].nunique() == 31
    assert (report.first_year, report.last_year) == (2006, 2024)
    assert (
        value(rows, "北京市", 2024),
        value(rows, "上海市", 2011),
        value(rows, "西藏自治区", 2006),
    ) == (4967020000000.0, 2040610000000.0, 29060000000.0)


def test_employees_of_provinces_begin_later(read: Read) -> None:
    report, rows = read(f"{PROVINCES}/分省年度数据 (3).csv")
    assert (report.read_n, report.first_year) == (31 * 17, 2008)
    assert value(rows, "上海市", 2011, "employees_n") == 4973000


def test_gdp_of_major_cities_is_the_vintage_before_the_census(read: Read) -> None:
    report, rows = read(f"{CITIES}/20_Major_GDP.xls")
    assert (report.layout, rows["city_name"].nunique(), report.set_aside_n) == ("nbs_query", 36, 0)
    assert set(rows["scope"]) == {"unstated"}
    assert (value(rows, "上海", 2011), value(rows, "杭州", 2011), value(rows, "拉萨", 2017)) == (
        1919569000000.0,
        701906000000.0,
        47925000000.0,
    )


@pytest.mark.parametrize(
    ("city", "services"), [("Guangzhou", 1525437000000.0), ("Shenzhen", 1315028000000.0)]
)
def test_many_indicators_of_one_city(read: Read, city: str, services: float) -> None:
    report, rows = read(f"{CITIES}/20_{city}_All.xls")
    assert report.read_n == 50
    name = {"Guangzhou": "广州", "Shenzhen": "深圳"}[city]
    assert value(rows, name, 2017, "gdp_tertiary_cny") == services


@pytest.mark.parametrize("number", [1, 2, 4, 5, 6])
def test_what_no_model_uses_is_refused_by_name(read: Read, number: int) -> None:
    with pytest.raises(
        SourceError, match="no column of it is known; columns found: .*nearest known"
    ):
        read(f"{PROVINCES}/分省年度数据 ({number}).csv")
