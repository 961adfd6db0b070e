"""Writes the simulated digital finance index in the shapes in which it is passed around: two Stata
files, or one workbook of either edition.

The workbook of 2011-2020 has notes on its first three sheets and counties on the sixth, with names
and codes of 2014; that of 2011-2023 names its sheets in English. Cities of the world stand beside
some prefectures outside the spine.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import (
    OUTSIDE_PREFECTURES,
    REFERENCE,
    SEEDS,
    former_city,
    read_reference,
)
from warehouse.simulate.model.mediators import FINANCE_YEARS as YEARS
from warehouse.simulate.model.mediators import finance_level
from warehouse.simulate.model.shocks import Array

Edition = Literal["stata", "2011-2020", "2011-2023"]

FIRST_COUNTY_YEAR, COUNTIES_N = 2014, 3
PARTS = (
    "coverage_breadth",
    "usage_depth",
    "payment",
    "insurance",
    "monetary_fund",
    "investment",
    "credit",
    "credit_investigation",
    "digitization_level",
)
NOT_PUBLISHED_FROM_2019 = ("monetary_fund", "credit_investigation")
STATA_TIME = datetime.datetime(2000, 1, 1)
TITLE = "北京大学数字普惠金融指数（模拟数据，并非真实指数）"


@dataclass(frozen=True)
class Index:
    """The index by place and year, in the columns of its publisher."""

    cities: pd.DataFrame
    provinces: pd.DataFrame


def write_digital_finance(
    folder: Path,
    economy: Economy,
    level: Array,
    rng: np.random.Generator,
    edition: Edition = "stata",
) -> None:
    """Write the index into a folder; the numbers do not depend on the edition, but that of
    2011-2020 ends in 2020.
    """
    index = draw_index(economy, level, rng)
    if edition == "stata":
        _write_stata(folder / "SIMULATED_PKU_DFIIC_city.dta", index.cities)
        _write_stata(folder / "SIMULATED_PKU_DFIIC_province.dta", index.provinces)
    elif edition == "2011-2020":
        write_workbook(folder / "SIMULATED_PKU_DFIIC_2011_2020.xlsx", _sheets_of_2020(index))
    else:
        write_workbook(folder / "SIMULATED_PKU_DFIIC_2011_2023.xlsx", _sheets_of_2023(index))


def draw_index(economy: Economy, level: Array, rng: np.random.Generator) -> Index:
    """The index with its parts.

    level : of `mediators.digital_finance`, the places outside the spine behind the cities
    """
    outside = [former_city(code) for code in OUTSIDE_PREFECTURES if code != "3414"]
    keys = [(city.name_zh, city.name_en, city.city_code) for city in economy.cities]
    keys += [
        (city.name_zh, "", code)
        for city, code in zip(outside, OUTSIDE_PREFECTURES[1:], strict=True)
    ]
    cities = _frame(level, rng)
    at = cities.pop("at").to_numpy()
    parts = {
        "pref_name_year18": 0,
        "pref_name_year18_eng": 1,
        "pref_code_year18": 2,
        "pref_name_year14": 0,
        "pref_code_year14": 2,
    }
    for position, (column, part) in enumerate(parts.items(), start=1):
        texts = [keys[i][part] for i in at]
        cities.insert(
            position, column, [float(text) for text in texts] if "code" in column else texts
        )
    known = sorted(
        {
            (city["province_code"], city["province_name_zh"], city["province_name_en"])
            for city in read_reference(SEEDS / "cities.csv")
        }
    )
    provinces = _frame(finance_level(rng.normal(0.0, 0.4, len(known)), rng), rng)
    at = provinces.pop("at").to_numpy()
    provinces.insert(1, "prov_name", [known[i][1] for i in at])
    provinces.insert(2, "prov_name_eng", [known[i][2] for i in at])
    provinces.insert(3, "prov_code", [float(known[i][0]) for i in at])
    return Index(cities, provinces)


def _frame(level: Array, rng: np.random.Generator) -> pd.DataFrame:
    """Index and components for each place and year, places with their position `at`; gaps as in the
    published files.
    """
    shape = level.shape
    columns: dict[str, object] = {
        "year": np.tile(np.array(YEARS, dtype=float), shape[0]),
        "at": np.repeat(np.arange(shape[0]), shape[1]),
    }
    years = np.array(YEARS)[None, :]
    columns["index_aggregate"] = level.ravel()
    for name in PARTS:
        part = np.round(level * np.exp(rng.normal(0.0, 0.08, shape)), 2)
        unpublished = (
            (years >= 2019)
            if name in NOT_PUBLISHED_FROM_2019
            else (years < 2014)
            if name == "investment"
            else np.zeros_like(years, dtype=bool)
        )
        columns[name] = np.where(unpublished, np.nan, part).ravel()
    return pd.DataFrame(columns)


def _write_stata(path: Path, frame: pd.DataFrame) -> None:
    frame.to_stata(
        path,
        version=118,
        write_index=False,
        time_stamp=STATA_TIME,
        data_label="SIMULATED digital finance index, not real",
    )


def _sheets_of_2020(index: Index) -> dict[str, list[list[Cell]]]:
    """Three sheets of notes, then provinces, cities and, sixth, counties."""
    return {
        "数据说明": [[TITLE], ["2011-2020"]],
        "指标体系": [["一级指标", "二级指标"], ["覆盖广度", None]],
        "引用说明": [[TITLE]],
        "省级": _rows(index.provinces[index.provinces["year"] <= 2020]),
        "地级市": _rows(index.cities[index.cities["year"] <= 2020]),
        "县域": _counties(index, 2020),
    }


def _sheets_of_2023(index: Index) -> dict[str, list[list[Cell]]]:
    codes = index.cities[["pref_code_year18", "pref_name_year18"]].drop_duplicates()
    return {
        "数据说明": [[TITLE]],
        "Note": [["SIMULATED index: invented numbers in the shape of the published workbook"]],
        "Regionalism_Code": [["pref_code_year18", "pref_name_year18"], *_rows(codes)[1:]],
        "Provinces": _rows(index.provinces),
        "Prefecture_Level_Cities": _rows(index.cities),
        "Counties": _counties(index, YEARS[-1]),
    }


def _rows(frame: pd.DataFrame) -> list[list[Cell]]:
    """Heads and rows; whole numbers without a point, gaps blank."""
    body = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    return [list(frame.columns), *body]


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value
    number = float(value)  # type: ignore[arg-type]
    return None if np.isnan(number) else int(number) if number.is_integer() else number


def _counties(index: Index, last_year: int) -> list[list[Cell]]:
    """A few counties under the codes of 2014, their city's numbers beside them; counties are in
    print from 2014 on.
    """
    divisions = read_reference(REFERENCE / "divisions.csv")
    known = {str(int(code)) for code in index.cities["pref_code_year14"]}
    names = {
        row["division_code"]: row["name_zh"]
        for row in divisions
        if row["name_zh"].endswith("县") and row["division_code"][:4] in known
    }
    kept = index.cities[index.cities["year"].between(FIRST_COUNTY_YEAR, last_year)]
    rows: list[list[Cell]] = [
        [
            "year",
            "pref_name_year14",
            "pref_code_year14",
            "county_name_year14",
            "county_code_year14",
            "index_aggregate",
            *PARTS,
        ]
    ]
    for county, name in sorted(names.items())[:COUNTIES_N]:
        city = kept[kept["pref_code_year14"] == float(county[:4])]
        values = [
            [_cell(value) for value in row]
            for row in city[["year", "pref_name_year14", "pref_code_year14"]].itertuples(
                index=False
            )
        ]
        numbers = [
            [_cell(value) for value in row]
            for row in city[["index_aggregate", *PARTS]].itertuples(index=False)
        ]
        rows += [
            [*keys, name, int(county), *figures]
            for keys, figures in zip(values, numbers, strict=True)
        ]
    return rows
