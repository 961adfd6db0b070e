"""From a wide sheet to checked cells: every layout of the yearbooks hands its columns and rows to these functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from warehouse.dictionary.places import city_names, clean_name, province_names, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery
from warehouse.sources.reading.setting_aside import Check, sort_out
from warehouse.sources.yearbook.headers import UNITS

TABLE, PROVINCES = "yearbook__indicators", "yearbook__provinces"
FIRST_YEAR, LAST_YEAR = 1949, 2100
LARGEST = 1e18  # in base units: ten thousand times what the whole nation earns in a year, in yuan
BLANKS = {"", ",", "，", "-", "—", "——", "…", "……", "...", "#N/A"}  # how yearbooks print a number that they do not have
PLAIN = re.compile(r"[0-9]+(\.[0-9]*)?")  # what most cells are; tried first, for speed
NUMBER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?")
MUNICIPALITIES = {"11", "12", "31", "50"}
NATIONAL = {"全国", "中国", "合计", "总计", "全国合计", "全国总计"}
NEVER_ZERO = {
    "gdp_cny", "gdp_cny_2000_published", "gdp_index_pct", "gdp_deflator_2000", "population_registered_n", "population_resident_n",
    "area_km2", "deposits_cny", "loans_cny", "household_savings_cny", "urban_disposable_income_cny", "employees_n", "co2_t",
}  # fmt: skip

Row = Sequence[object]
NumberedRow = tuple[int, Row]  # line in the file, 1-based, and the row's cells


@dataclass(frozen=True)
class Column:
    """A column of values: where it stands, what it counts, and the column that fills its blanks, if there is one.

    factor : from the published unit to the base unit; None where each row states its own unit
    """

    index: int
    header: str
    indicator: str
    scope: str
    factor: float | None
    filled_index: int | None = None


@dataclass(frozen=True)
class Keys:
    """Where the columns that say which city and year stand; a sheet of one year gives `fixed_year` instead."""

    city: int
    year: int | None = None
    fixed_year: int | None = None
    code: int | None = None
    unit: int | None = None


def is_blank(cell: object) -> bool:
    if not isinstance(cell, str):
        return cell is None
    return cell in BLANKS or (not cell[:1].isdigit() and clean_name(cell) in BLANKS)


def to_number(cell: object) -> float:
    """A finite number, or nan for anything else (1e400 too, as a number or as text); text may group thousands by commas."""
    number = np.nan
    if type(cell) in (int, float):
        number = float(cell)  # type: ignore[arg-type]
    elif isinstance(cell, str):
        if PLAIN.fullmatch(cell):
            number = float(cell)
        elif NUMBER.fullmatch(text := clean_name(cell)):
            number = float(text.replace(",", ""))
    return number if np.isfinite(number) else np.nan


def is_note(row: Row, keys: Keys, columns: Sequence[Column]) -> bool:
    """Whether a row is a remark or an advertisement: neither city nor year, and no number under a known head."""
    named = not is_blank(_at(row, keys.city)) or (keys.year is not None and not is_blank(_at(row, keys.year)))
    indexes = [index for column in columns for index in (column.index, column.filled_index)]
    return not named and all(np.isnan(to_number(_at(row, index))) for index in indexes)


def count_cells(rows: Sequence[NumberedRow], columns: Sequence[Column]) -> int:
    """Cells that hold something, counted on the raw rows; a filled copy counts only where the published cell is blank."""
    return sum(
        1
        for _, row in rows
        for column in columns
        if not is_blank(_at(row, column.index)) or (column.filled_index is not None and not is_blank(_at(row, column.filled_index)))
    )


def melt(rows: Sequence[NumberedRow], columns: Sequence[Column], keys: Keys, place: str = "") -> pd.DataFrame:
    """The non-blank cells of a wide sheet, one row each, in the order of the columns; nothing is judged here.

    Returns
    -------
    line, place, city_name, city_code_published, scope, indicator, year (as published), cell (as published),
    factor, header, is_interpolated
    """
    published = [[_at(row, column.index) for _, row in rows] for column in columns]
    filled = [[None if column.filled_index is None else _at(row, column.filled_index) for _, row in rows] for column in columns]
    blank = _matrix([[is_blank(cell) for cell in cells] for cells in published], bool)
    cells = np.where(blank, _matrix(filled, object), _matrix(published, object))
    at_column, at_row = np.nonzero(~(blank & _matrix([[is_blank(cell) for cell in cells] for cells in filled], bool)))
    names = [_name(_at(row, keys.city)) for _, row in rows]
    factors = np.array([np.nan if column.factor is None else column.factor for column in columns], dtype=float)
    by_row = np.array([_row_factor(_at(row, keys.unit)) if keys.unit is not None else np.nan for _, row in rows], dtype=float)
    said = np.array([column.factor is not None for column in columns], dtype=bool)
    return pd.DataFrame(
        {
            "line": _column([line for line, _ in rows], at_row),
            "place": place,
            "city_name": _column(names, at_row),
            "city_code_published": _column([_code(_at(row, keys.code)) if keys.code is not None else None for _, row in rows], at_row),
            "year": _column([_at(row, keys.year) if keys.year is not None else keys.fixed_year for _, row in rows], at_row),
            "cell": pd.Series(cells[at_column, at_row], dtype=object),
            "is_interpolated": blank[at_column, at_row],
            "scope": _column([column.scope for column in columns], at_column),
            "indicator": _column([column.indicator for column in columns], at_column),
            "factor": np.where(said[at_column], factors[at_column], by_row[at_row]),
            "header": _column([column.header for column in columns], at_column),
        }
    )


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


def _name(cell: object) -> str:
    return "" if is_blank(cell) else clean_name(str(cell))


def deliver(delivery: Delivery, cells: pd.DataFrame, vintage: str) -> None:
    """Check every cell, accept the good ones in base units and set the others aside, each with its first reason.

    A cell that holds no finite number is a bad_number, one whose value is beyond LARGEST in base units out_of_range.
    """
    good, aside = _sorted_out(delivery, cells, _city_checks(cells))
    names = ["line", "city_name", "city_code_published", "scope", "indicator", "year", "value", "is_interpolated", "header"]
    delivery.accept(TABLE, good[names].sort_values(["line", "indicator", "scope"], kind="stable").assign(vintage=vintage))
    delivery.put_aside(TABLE, aside)


def deliver_provinces(delivery: Delivery, cells: pd.DataFrame, vintage: str) -> None:
    """The same for cells of provinces, whose names stand in `city_name`; short names are accepted."""
    good, aside = _sorted_out(delivery, cells, [_unknown_province(cells)])
    names = ["line", "province_name", "indicator", "year", "value", "header"]
    good = good.rename(columns={"city_name": "province_name"})[names]
    delivery.accept(PROVINCES, good.sort_values(["line", "indicator", "year"], kind="stable").assign(vintage=vintage))
    delivery.put_aside(PROVINCES, aside)


def _sorted_out(delivery: Delivery, cells: pd.DataFrame, place_checks: list[Check]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Good cells with `year` and `value` as numbers, and those set aside."""
    if cells.empty:
        raise SourceError(delivery.raw.name, "", "has heads and no values under them", "Fetch the file again from its publisher")
    year = pd.Series([to_number(cell) for cell in cells["year"]], index=cells.index, dtype=float)
    number = pd.Series([to_number(cell) for cell in cells["cell"]], index=cells.index, dtype=float)
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    typed = cells.assign(year=year.where(good_year).astype("Int64"), value=in_base_unit(number, cells["factor"]))
    good, aside = sort_out(typed, [*place_checks, *_cell_checks(cells, number, ~good_year)])
    good, again = sort_out(good, [_duplicate_check(good)])
    return good, pd.concat([aside, again], ignore_index=True)


def in_base_unit(number: pd.Series, factor: pd.Series) -> pd.Series:
    """number x factor, rounded to 15 digits: 184.08 万人 and 1840800 人 become the same number, as printed numbers they are."""
    product = (number * factor).to_numpy(dtype=float, copy=True)
    changed = np.flatnonzero((factor.to_numpy(dtype=float) != 1) & np.isfinite(product))
    product[changed] = [float(f"{value:.15g}") for value in product[changed]]
    return pd.Series(product, index=number.index)


def _check(cells: pd.DataFrame, reason: str, failed: pd.Series, say: Callable[[Any], str]) -> Check:
    """A demand on cells; what stood there is put into words only for cells that fail."""
    found = pd.Series(None, index=cells.index, dtype=object)
    found[failed] = [say(cell) for cell in cells[failed].itertuples()]
    return Check(reason, failed, found)


def _city_checks(cells: pd.DataFrame) -> list[Check]:
    name, code = cells["city_name"], cells["city_code_published"].astype(object)
    return [
        _check(cells, "missing_city", name == "", _said),
        _check(
            cells,
            "bad_code",
            code.notna() & ~code.astype(str).str.fullmatch("[0-9]{4}|[0-9]{6}"),
            lambda cell: f"{cell.city_name}: code {cell.city_code_published}, 4 or 6 digits expected",
        ),
        _check(cells, "not_a_prefecture_city", _not_a_city(name, code), lambda cell: f"{cell.city_name} {cell.city_code_published or ''}".strip()),
        _check(cells, "unknown_city", ~name.isin(city_names()), lambda cell: unknown_name_detail(cell.city_name)),
    ]


def _unknown_province(cells: pd.DataFrame) -> Check:
    short = {full[: 3 if full.startswith(("内蒙古", "黑龙江")) else 2] for full in province_names()}
    known = cells["city_name"].isin({*province_names(), *short})
    return _check(cells, "unknown_province", ~known, lambda cell: f"{cell.city_name}: matches no province")


def _cell_checks(cells: pd.DataFrame, number: pd.Series, bad_year: pd.Series) -> list[Check]:
    """What is demanded of a cell wherever it is from, first demand first."""
    return [
        _check(cells, "bad_year", bad_year, lambda cell: f"{cell.city_name}: year {cell.year!r}"),
        _check(cells, "bad_unit", cells["factor"].isna(), lambda cell: f"{cell.city_name} {cell.header}: the row's unit is not known"),
        _check(cells, "bad_number", number.isna(), _said),
        _check(cells, "out_of_range", (number * cells["factor"]).abs() > LARGEST, _said),
        _check(cells, "zero_value", (number == 0) & cells["indicator"].isin(NEVER_ZERO), _said),
        _check(cells, "negative_value", number < 0, _said),
    ]


def _duplicate_check(good: pd.DataFrame) -> Check:
    """Of several cells of one city, scope, indicator and year the first is kept; the same value twice is a duplicate too."""
    groups = good.groupby([good["city_name"].str.removesuffix("市"), "scope", "indicator", "year"], sort=False)
    later = groups.cumcount() > 0
    found = pd.Series(None, index=good.index, dtype=object)
    if later.any():
        firsts = good.assign(first_value=groups["value"].transform("first"), first_line=groups["line"].transform("first"))[later]
        found[later] = [
            f"{cell.city_name} {cell.indicator} {cell.year}: {cell.value:.15g} here, {cell.first_value:.15g} in line {cell.first_line}"
            for cell in firsts.itertuples()
        ]
    return Check("duplicate_key", later, found)


def _not_a_city(name: pd.Series, code: pd.Series) -> pd.Series:
    """Provinces and the nation, by name or code, and county-level cities, by a code of six digits that does not end in 00."""
    text = code.astype(str)
    six = code.notna() & text.str.fullmatch(r"\d{6}")
    province = six & text.str.endswith("0000") & ~text.str[:2].isin(MUNICIPALITIES)
    county = six & ~text.str.endswith("00") & ~name.isin(city_names())
    return province | county | name.isin([known for known in name.unique() if is_aggregate(known)])


def is_aggregate(name: str) -> bool:
    """Whether a name is the nation's or a province's, in full or short; 吉林 alone is a city, 北京 both."""
    if name in NATIONAL:
        return True
    if name in city_names() or not name:
        return False
    return name in province_names() or any(full.startswith(name) for full in province_names() if len(name) >= 2)


def _said(cell: Any) -> str:
    where = f"{cell.place}, " if cell.place else ""
    return f"{where}{cell.city_name} {cell.header}: {cell.cell!r}"


def _at(row: Row, index: int | None) -> object:
    return row[index] if index is not None and index < len(row) else None


def _code(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if is_blank(cell) else clean_name(str(cell)).removesuffix(".0")


def _row_factor(cell: object) -> float:
    return UNITS.get(clean_name(str(cell or "")), ("", np.nan))[1]
