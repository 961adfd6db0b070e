"""Writes the simulated city yearbooks: official sheets, a processed panel, a panel of real GDP, and
downloads on provinces.

Official sheets are one workbook a yearbook (yearbook N prints year N-1); the processed panel
continues them from 2008, and where both print a number they print the same. The panel of real GDP
has no gaps. `layout` puts another layout in the place of sheets and panel.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS, City
from warehouse.simulate.writers.yearbook.layouts import write_in_layout, write_query
from warehouse.simulate.writers.yearbook.printing import (
    LAIWU_SHARE,
    PANEL_ONLY,
    PANEL_YEARS,
    SHEET_YEARS,
    SHEETS_ONLY,
    AllPrinted,
    division_code,
    own_share,
    print_all,
    printed_cell,
    sheets_of,
)
from warehouse.sources.yearbook.headers import panel_head

TRUTH_CITIES = ("3301", "3100", "4206", "5205", "4403")
TRUTH_YEARS = (2003, 2010, 2012, 2021)


def write_yearbooks(
    folder: Path,
    economy: Economy,
    rng: np.random.Generator,
    progress: Callable[[str], None],
    layout: str | None = None,
) -> list[dict[str, object]]:
    """Write all yearbook files; returns what a faultless pipeline must find for a handful of cities
    and years.
    """
    printed = print_all(economy, rng)
    if layout is None:
        for year in SHEET_YEARS:
            write_workbook(
                folder / f"SIMULATED_city_yearbook_{year + 1}.xlsx",
                sheets_of(economy, printed, year, rng),
            )
        progress("yearbooks 2001-2014")
        _write_panel(folder / "SIMULATED_city_panel_2008_2021.csv", economy, printed)
    else:
        write_in_layout(folder, economy, printed, rng, layout, progress)
    _write_real_gdp(folder / "SIMULATED_real_gdp_2000_2021.xlsx", economy)
    _write_provinces(folder, economy)
    progress("city panels, provinces")
    return yearbook_truth(economy, printed)


def _write_panel(path: Path, economy: Economy, printed: AllPrinted) -> None:
    columns = [column for (name, _), column in printed.items() if name not in SHEETS_ONLY]
    with path.open("w", encoding="gb18030", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(
            [
                "行政区划代码",
                "年份",
                "城市",
                *(panel_head(column.header, column.scope) for column in columns),
            ]
        )
        for index, city in enumerate(economy.cities):
            for year in PANEL_YEARS:
                cells = [
                    printed_cell(column, index, year - YEARS[0], own_share(city, year))
                    for column in columns
                ]
                writer.writerow(
                    [
                        division_code(city),
                        year,
                        city.name_zh,
                        *("" if cell in (None, ",") else cell for cell in cells),
                    ]
                )
                if city.city_code == "3701" and year <= 2018:
                    cells = [
                        printed_cell(column, index, year - YEARS[0], LAIWU_SHARE)
                        for column in columns
                    ]
                    writer.writerow(
                        [
                            "371200",
                            year,
                            "莱芜市",
                            *("" if cell in (None, ",") else cell for cell in cells),
                        ]
                    )


def _write_real_gdp(path: Path, economy: Economy) -> None:
    """Nominal and real GDP in 亿元, the index of growth and the deflator, in the layout in which
    such panels circulate.
    """
    rows: list[list[Cell]] = [
        ["省份", "城市", "年份", "名义GDP", "GDP指数", "实际GDP", "GDP平减指数"]
    ]
    nominal = nominal_gdp(economy)
    for index, city in enumerate(economy.cities):
        for t, year in enumerate(YEARS):
            value = float(nominal[index, t])
            deflator = round(float(economy.deflator[index, t]), 7)
            growth = round(float(economy.indicators["gdp_index_pct"][index, t]), 1)
            rows.append(
                [
                    city.province_zh,
                    city.name_zh,
                    year,
                    value,
                    growth,
                    round(value / deflator, 4),
                    deflator,
                ]
            )
    write_workbook(path, {"Sheet1": rows})


def nominal_gdp(economy: Economy) -> NDArray[np.float64]:
    """Nominal GDP as the GDP panel prints it: 亿元 with two decimals."""
    return np.round(economy.indicators["gdp_cny"] / 1e8, 2)


def _write_provinces(folder: Path, economy: Economy) -> None:
    """What the query site has on provinces, which here are the sums of their simulated cities: GDP,
    its growth, employees.
    """
    provinces = sorted({(city.province_code, city.province_zh) for city in economy.cities})
    x = economy.indicators
    real = x["gdp_cny"] / economy.deflator
    before = np.concatenate([real[:, :1], real[:, :-1]], axis=1)
    tables: dict[str, list[list[Cell]]] = {
        "地区生产总值(亿元)": [],
        "地区生产总值指数(上年=100)": [],
        "城镇单位就业人员(万人)": [],
    }
    for code, name in provinces:
        mine = np.array([city.province_code == code for city in economy.cities])
        growth = 100 * real[mine].sum(axis=0) / before[mine].sum(axis=0)
        numbers = (
            x["gdp_cny"][mine].sum(axis=0) / 1e8,
            growth,
            x["employees_n"][mine].sum(axis=0) / 1e4,
        )
        for rows, values in zip(tables.values(), numbers, strict=True):
            rows.append([name, *(round(float(value), 1) for value in values[::-1])])
    for row in tables["地区生产总值指数(上年=100)"]:
        row[-1] = None  # the first year has none before it
    for number, (indicator, rows) in enumerate(tables.items(), start=1):
        write_query(
            folder / f"SIMULATED_nbs_provinces_{number}.csv", "分省年度数据", indicator, rows
        )


def yearbook_truth(economy: Economy, printed: AllPrinted) -> list[dict[str, object]]:
    """Values in base units for TRUTH_CITIES and TRUTH_YEARS: nominal GDP from the GDP panel, the
    rest from the yearbooks.
    """
    facts: list[dict[str, object]] = []
    for index, city in enumerate(economy.cities):
        if city.city_code not in TRUTH_CITIES:
            continue
        for year in TRUTH_YEARS:
            t = year - YEARS[0]
            key = {"city_code": city.city_code, "year": year}
            facts.append(
                {
                    **key,
                    "indicator": "gdp_cny",
                    "scope": "city",
                    "value": float(nominal_gdp(economy)[index, t]) * 1e8,
                }
            )
            facts += [
                {**key, "indicator": indicator, "scope": scope, "value": number}
                for indicator, scope, number in _printed_then(printed, city, index, year)
            ]
    return facts


def _printed_then(
    printed: AllPrinted, city: City, index: int, year: int
) -> Iterator[tuple[str, str, float]]:
    """Indicator, scope and value in base units of what yearbooks print of a city and year."""
    absent = (
        SHEETS_ONLY if year not in SHEET_YEARS else PANEL_ONLY if year not in PANEL_YEARS else ()
    )
    in_print = year in PANEL_YEARS or city.since <= year
    for (indicator, scope), column in printed.items():
        number = float(column.numbers[index, year - YEARS[0]])
        is_elsewhere = (indicator, scope) == ("gdp_cny", "city") or indicator == "gdp_index_pct"
        if in_print and not is_elsewhere and indicator not in absent and not np.isnan(number):
            yield indicator, scope, number * column.header.factor
