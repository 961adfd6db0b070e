"""The simulated yearbooks in any of the layouts that holders really have: what the default files
print, in one layout alone.

A cell is filled in exactly where the default files fill it, so that panels made of any of them are
the same. Only the download of the query site holds less: it has no numbers of the districts.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS, City
from warehouse.simulate.writers.yearbook.printing import (
    INDUSTRIES_SINCE,
    INDUSTRY_SHEET,
    LAIWU_SHARE,
    PANEL_ONLY,
    PANEL_YEARS,
    SHEET_YEARS,
    SHEETS_ONLY,
    THEMES,
    AllPrinted,
    Printed,
    division_code,
    own_share,
    printed_cell,
    sheets_of,
)  # fmt: skip
from warehouse.sources.yearbook.headers import glued_head, panel_head, sheet_head, unit_scope_head

FIXED_TIME = (1980, 1, 1, 0, 0, 0)
# Units that panels of the second style prefer: indicator -> unit, factor from the usual unit,
# decimals that lose nothing.
LARGER_UNITS = {
    **dict.fromkeys(
        ("gdp_cny", "gdp_primary_cny", "gdp_secondary_cny", "gdp_tertiary_cny"), ("亿元", 1e-4, 4)
    ),
    "fdi_usd": ("百万美元", 1e-2, 2),
}
# Endings of digitised heads by the yearbook's own year: (first yearbook, whole city, districts).
ENDINGS = (
    (2001, "", "_city"),
    (2002, "_rgn", "_city"),
    (2006, "_wc", "_duc"),
    (2015, "_wc", "_noc"),
)
DOUBLED_YEARBOOKS, DOUBLED_THEME = range(2011, 2015), "财政金融"
YEARBOOK_COLUMN_SINCE = 2010


@dataclass(frozen=True)
class Line:
    """A row of a panel: a city's numbers in a year, or the share of them that a city of its own had
    then.
    """

    code: str
    name: str
    year: int
    at: int
    share: float


def covered(column: Printed, city: City, year: int) -> bool:
    """Whether the default files print this indicator and scope of the city in the year."""
    indicator = column.header.indicator
    in_sheet = (
        year in SHEET_YEARS
        and city.since <= year
        and bool(city.places[year])
        and indicator not in PANEL_ONLY
    )
    if indicator in THEMES[INDUSTRY_SHEET] and year < INDUSTRIES_SINCE:
        in_sheet = False
    return in_sheet or (year in PANEL_YEARS and indicator not in SHEETS_ONLY)


def write_in_layout(
    folder: Path,
    economy: Economy,
    printed: AllPrinted,
    rng: np.random.Generator,
    layout: str,
    progress: Callable[[str], None],
) -> None:
    """Write all that is printed, in one of LAYOUTS."""
    LAYOUTS[layout](folder, economy, printed, rng)
    progress(f"yearbooks, layout {layout}")


def _write_sheets(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    for year in YEARS:
        sheets = sheets_of(economy, printed, year, rng, covered)
        write_workbook(folder / f"SIMULATED_city_yearbook_{year + 1}.xlsx", sheets)


def _write_scope_unit(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    columns = list(printed.values())
    heads = [
        "行政区划代码",
        "年份",
        "城市",
        *(panel_head(column.header, column.scope) for column in columns),
    ]
    rows = (
        [line.code, line.year, line.name, *_cells(economy, columns, line)]
        for line in _lines(economy)
    )
    (folder / "SIMULATED_city_panel_2000_2021.csv").write_bytes(
        _csv([heads, *rows]).encode("gb18030")
    )


def _write_unit_scope(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    """A zip of one csv in UTF-8 with a byte-order mark, whose year is called year and whose city
    市.
    """
    columns = list(printed.values())
    units = [
        LARGER_UNITS.get(column.header.indicator, (column.header.unit, 1.0, 4))
        for column in columns
    ]
    heads = [
        "省",
        "市",
        "市代码",
        "year",
        *(
            unit_scope_head(column.header, column.scope, unit[0])
            for column, unit in zip(columns, units, strict=True)
        ),
    ]
    provinces = [city.province_zh for city in economy.cities]
    rows = (
        [
            provinces[line.at],
            line.name,
            line.code,
            line.year,
            *(
                _in_unit(cell, unit)
                for cell, unit in zip(_cells(economy, columns, line), units, strict=True)
            ),
        ]
        for line in _lines(economy)
    )
    entry = zipfile.ZipInfo("SIMULATED_city_panel_2000_2021.csv", date_time=FIXED_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(folder / "SIMULATED_city_panel_2000_2021.zip", "w") as archive:
        archive.writestr(entry, _csv([heads, *rows]).encode("utf-8-sig"))


def _in_unit(cell: Cell, unit: tuple[str, float, int]) -> Cell:
    return (
        round(cell * unit[1], unit[2]) if isinstance(cell, int | float) and unit[1] != 1 else cell
    )


def _write_glued(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    """A Stata file of format 118, with rows of no city at its end, as a lookup in a spreadsheet
    leaves them.
    """
    columns, lines = list(printed.values()), list(_lines(economy))
    table = [_cells(economy, columns, line) for line in lines]
    data: dict[str, object] = {
        "城市": [*(line.name for line in lines), "#N/A", "#N/A"],
        "年份": np.array([*(line.year for line in lines), YEARS[-1], YEARS[-1]], dtype=np.int16),
    }
    for at, column in enumerate(columns):
        values = [row[at] for row in table]
        data[glued_head(column.header, column.scope)] = np.array(
            [np.nan if value is None else value for value in [*values, None, None]], dtype=float
        )
    stamp = datetime(*FIXED_TIME[:5])
    pd.DataFrame(data).to_stata(
        folder / "SIMULATED_city_panel_2000_2021.dta",
        write_index=False,
        version=118,
        time_stamp=stamp,
    )


def _write_digitised(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    """One csv a yearbook, in GBK; the yearbooks of 2011-2014 have one table twice, and late ones a
    column that names the yearbook.
    """
    for year in YEARS:
        yearbook = year + 1
        _, whole, districts = next(ending for ending in reversed(ENDINGS) if ending[0] <= yearbook)
        columns = list(printed.values())
        names = [
            sheet_head(column.header) + (whole if column.scope == "city" else districts)
            for column in columns
        ]
        twice = [
            at
            for at, column in enumerate(columns)
            if yearbook in DOUBLED_YEARBOOKS and column.header.indicator in THEMES[DOUBLED_THEME]
        ]
        heads: list[Cell] = [
            "城市",
            *(f"{name}_x" if at in twice else name for at, name in enumerate(names)),
            *(f"{names[at]}_y" for at in twice),
        ]
        rows: list[list[Cell]] = []
        for line in _lines(economy, (year,)):
            cells = _cells(economy, columns, line)
            rows.append([line.name, *cells, *(cells[at] for at in twice)])
        if yearbook >= YEARBOOK_COLUMN_SINCE:
            heads, rows = ["yearbook", *heads], [[yearbook, *row] for row in rows]
        (folder / f"SIMULATED_city_yearbook_{yearbook}.csv").write_bytes(
            _csv([heads, *rows]).encode("gbk")
        )


def _write_query(
    folder: Path, economy: Economy, printed: AllPrinted, rng: np.random.Generator
) -> None:
    """One download an indicator of the whole city, newest year first, with names without 市."""
    by_city: dict[str, list[Line]] = {}
    for line in _lines(economy):
        by_city.setdefault(line.name, []).append(line)
    for (indicator, scope), column in printed.items():
        if scope != "city":
            continue
        rows: list[list[Cell]] = []
        for name, lines in by_city.items():
            known = {line.year: _cells(economy, [column], line)[0] for line in lines}
            rows.append([name.removesuffix("市"), *(known.get(year) for year in reversed(YEARS))])
        write_query(
            folder / f"SIMULATED_nbs_cities_{indicator}.csv",
            "主要城市年度数据",
            sheet_head(column.header),
            rows,
        )


def write_query(path: Path, database: str, indicator: str, rows: Sequence[Sequence[Cell]]) -> None:
    """A download of the query site, one indicator by region, for all simulated years: GBK with
    CRLF.
    """
    preamble: list[list[Cell]] = [
        [f"数据库：{database}"],
        [f"指标：{indicator}"],
        [f"时间：最近{len(YEARS)}年"],
    ]
    heads: list[Cell] = ["地区", *(f"{year}年" for year in reversed(YEARS))]
    path.write_bytes(
        _csv([*preamble, heads, *rows, ["注：模拟数据。"], ["数据来源：国家统计局"]]).encode("gbk")
    )


def _lines(economy: Economy, years: Sequence[int] = YEARS) -> Iterator[Line]:
    """A panel's rows: each city in each year, and 莱芜 up to 2018."""
    for at, city in enumerate(economy.cities):
        for year in years:
            yield Line(division_code(city), city.name_zh, year, at, own_share(city, year))
            if city.city_code == "3701" and year <= 2018:
                yield Line("371200", "莱芜市", year, at, LAIWU_SHARE)


def _cells(economy: Economy, columns: Sequence[Printed], line: Line) -> list[Cell]:
    """A row's numbers; None where nothing is printed."""
    city, t = economy.cities[line.at], line.year - YEARS[0]
    cells = (
        printed_cell(column, line.at, t, line.share) if covered(column, city, line.year) else None
        for column in columns
    )
    return [None if isinstance(cell, str) else cell for cell in cells]


def _csv(rows: Sequence[Sequence[Cell]] | list[list[Cell]]) -> str:
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\r\n").writerows(rows)
    return sink.getvalue()


LAYOUTS: dict[str, Callable[[Path, Economy, AllPrinted, np.random.Generator], None]] = {
    "digitised_yearbook": _write_digitised,
    "nbs_query": _write_query,
    "panel_glued_units": _write_glued,
    "panel_indicator_scope_unit": _write_scope_unit,
    "panel_indicator_unit_scope": _write_unit_scope,
    "yearbook_sheet": _write_sheets,
}  # named as their readers are
