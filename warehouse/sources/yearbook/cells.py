"""From a wide sheet to checked cells: every layout of the yearbooks hands its columns and rows to
these functions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from warehouse.dictionary.places import city_name, city_names, clean_name, province_names
from warehouse.sources.reading.values import is_missing, plain_number
from warehouse.sources.yearbook.headers import UNITS

BLANKS = {
    ",",
    "，",
    "*",
}  # how yearbooks print a number that they do not have, beside the marks that everybody uses
PLAIN = re.compile(r"[0-9]+(\.[0-9]*)?")  # what most cells are; tried first, for speed
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?")
NATIONAL = {
    "全国",
    "中国",
    "合计",
    "总计",
    "全国合计",
    "全国总计",
    "城市合计",
    "地级及以上城市合计",
    "地级城市合计",
    "全部城市合计",
}
Row = Sequence[object]
NumberedRow = tuple[int, Row]  # line in the file, 1-based, and the row's cells


@dataclass(frozen=True)
class Column:
    """A column of values: where it stands, what it counts, and the column that fills its blanks, if
    there is one.

    factor : from the published unit to the base unit; None where each row states its own unit
    flag_index : a column that says of each row whether its value is estimated
    is_estimated : whether all its values are
    """

    index: int
    header: str
    indicator: str
    scope: str
    factor: float | None
    filled_index: int | None = None
    flag_index: int | None = None
    is_estimated: bool = False


@dataclass(frozen=True)
class Keys:
    """Where the columns that say which city and year stand; a sheet of one year gives `fixed_year`
    instead.
    """

    city: int
    year: int | None = None
    fixed_year: int | None = None
    code: int | None = None
    unit: int | None = None


def is_blank(cell: object) -> bool:
    if not isinstance(cell, str):
        return cell is None
    return not cell[:1].isdigit() and _is_blank_text(cell)


@lru_cache(maxsize=10_000)
def _is_blank_text(text: str) -> bool:
    return is_missing(text) or clean_name(text) in BLANKS or is_missing(clean_name(text))


TRUE = {"true", "1", "1.0", "yes", "是", "y"}


def to_number(cell: object) -> float:
    """A finite number, or nan for anything else (1e400 too, as a number or as text); text may group
    thousands by commas.
    """
    number = np.nan
    if type(cell) in (int, float):
        number = float(cell)  # type: ignore[arg-type]
    elif isinstance(cell, str):
        if PLAIN.fullmatch(cell):
            number = float(cell)
        elif NUMBER.fullmatch(text := plain_number(clean_name(cell))):
            number = float(text.replace(",", ""))
    return number if np.isfinite(number) else np.nan


def is_note(row: Row, keys: Keys, columns: Sequence[Column]) -> bool:
    """Whether a row is a remark or an advertisement: neither city nor year, and no number but zeros
    under a known head.

    Zeros without a name are what a spreadsheet adds up below the last city.
    """
    named = not is_blank(_at(row, keys.city)) or (
        keys.year is not None and not is_blank(_at(row, keys.year))
    )
    indexes = [index for column in columns for index in (column.index, column.filled_index)]
    return not named and all(
        np.isnan(number) or number == 0
        for number in (to_number(_at(row, index)) for index in indexes)
    )


def count_cells(rows: Sequence[NumberedRow], columns: Sequence[Column]) -> int:
    """Cells that hold something, counted on the raw rows; a filled copy counts only where the
    published cell is blank.
    """
    return sum(
        1
        for _, row in rows
        for column in columns
        if not is_blank(_at(row, column.index))
        or (column.filled_index is not None and not is_blank(_at(row, column.filled_index)))
    )


def melt(
    rows: Sequence[NumberedRow], columns: Sequence[Column], keys: Keys, place: str = ""
) -> pd.DataFrame:
    """The non-blank cells of a wide sheet, one row each, in the order of the columns; nothing is
    judged here.

    Returns
    -------
    line, place, city_name, city_code_published, scope, indicator, year (as published), cell (as
    published), factor, header, is_interpolated
    """
    published = [[_at(row, column.index) for _, row in rows] for column in columns]
    filled = [
        [None if column.filled_index is None else _at(row, column.filled_index) for _, row in rows]
        for column in columns
    ]
    blank = _matrix([[is_blank(cell) for cell in cells] for cells in published], bool)
    cells = np.where(blank, _matrix(filled, object), _matrix(published, object))
    at_column, at_row = np.nonzero(
        ~(blank & _matrix([[is_blank(cell) for cell in cells] for cells in filled], bool))
    )
    names = [name_text(_at(row, keys.city)) for _, row in rows]
    codes = [code_text(_at(row, keys.code)) if keys.code is not None else None for _, row in rows]
    years = [_at(row, keys.year) if keys.year is not None else keys.fixed_year for _, row in rows]
    return pd.DataFrame(
        {
            "line": _column([line for line, _ in rows], at_row),
            "place": place,
            "city_name": _column(names, at_row),
            "city_code_published": _column(codes, at_row),
            "year": _column(years, at_row),
            "cell": pd.Series(cells[at_column, at_row], dtype=object),
            "is_interpolated": (
                blank[at_column, at_row] | _estimated(rows, columns)[at_column, at_row]
            ),
            "scope": _column([column.scope for column in columns], at_column),
            "indicator": _column([column.indicator for column in columns], at_column),
            "factor": _factors(rows, columns, keys, at_column, at_row),
            "header": _column([column.header for column in columns], at_column),
        }
    )


def _factors(
    rows: Sequence[NumberedRow],
    columns: Sequence[Column],
    keys: Keys,
    at_column: np.ndarray[Any, Any],
    at_row: np.ndarray[Any, Any],
) -> np.ndarray[Any, Any]:
    """The factor of each cell: its column's, or that of the unit that its row states."""
    by_column = np.array(
        [np.nan if column.factor is None else column.factor for column in columns], dtype=float
    )
    by_row = np.array(
        [_row_factor(_at(row, keys.unit)) if keys.unit is not None else np.nan for _, row in rows],
        dtype=float,
    )
    said = np.array([column.factor is not None for column in columns], dtype=bool)
    return np.where(said[at_column], by_column[at_column], by_row[at_row])


def _estimated(rows: Sequence[NumberedRow], columns: Sequence[Column]) -> np.ndarray[Any, Any]:
    """Which cells are estimates, as their column or a flag in their row says."""
    return _matrix(
        [
            [column.is_estimated or _is_true(_at(row, column.flag_index)) for _, row in rows]
            for column in columns
        ],
        bool,
    )


def _is_true(cell: object) -> bool:
    return clean_name(str(cell)).lower() in TRUE


def _matrix(lists: list[list[Any]], kind: type) -> np.ndarray[Any, Any]:
    """Columns of cells as a matrix whose cells may be of any type."""
    matrix: np.ndarray[Any, Any] = np.empty((len(lists), len(lists[0]) if lists else 0), dtype=kind)
    for at, cells in enumerate(lists):
        matrix[at] = cells
    return matrix


def _column(values: Sequence[object], at: np.ndarray[Any, Any]) -> pd.Series:
    taken = np.empty(len(values), dtype=object)
    taken[:] = values
    return pd.Series(taken[at], dtype=object)


def name_text(cell: object) -> str:
    return "" if is_blank(cell) else city_name(str(cell))


def is_aggregate(name: str) -> bool:
    """Whether a name is the nation's or a province's, in full or short; 吉林 alone is a city, 北京
    both.
    """
    if name in NATIONAL:
        return True
    if name in city_names() or not name:
        return False
    return name in province_names() or any(
        full.startswith(name) for full in province_names() if len(name) >= 2
    )


def _at(row: Row, index: int | None) -> object:
    return row[index] if index is not None and index < len(row) else None


def code_text(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if is_blank(cell) else clean_name(str(cell)).removesuffix(".0")


def _row_factor(cell: object) -> float:
    return UNITS.get(clean_name(str(cell or "")), ("", np.nan))[1]
