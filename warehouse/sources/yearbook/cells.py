"""From a wide sheet to checked cells: every layout of the yearbooks hands its columns and rows to these functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from warehouse.errors import SourceError
from warehouse.places import city_names, clean_name, province_names, unknown_name_detail
from warehouse.sources.base import Delivery
from warehouse.sources.setting_aside import Check, sort_out
from warehouse.sources.yearbook.headers import UNITS

TABLE = "yearbook__indicators"
FIRST_YEAR, LAST_YEAR = 1949, 2100
LARGEST = 1e18  # in base units: ten thousand times what the whole nation earns in a year, in yuan
BLANKS = {"", ",", "，", "-", "—", "——", "…", "……", "..."}  # how yearbooks print a number that they do not have
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
    return cell is None or (isinstance(cell, str) and clean_name(cell) in BLANKS)


def to_number(cell: object) -> float:
    """A finite number, or nan for anything else (1e400 too, as a number or as text); text may group thousands by commas."""
    number = np.nan
    if type(cell) in (int, float):
        number = float(cell)  # type: ignore[arg-type]
    elif isinstance(cell, str):
        text = clean_name(cell)
        if NUMBER.fullmatch(text):
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
    base = pd.DataFrame(
        {
            "line": [line for line, _ in rows],
            "place": place,
            "city_name": [clean_name(str(_at(row, keys.city) or "")) for _, row in rows],
            "city_code_published": [_code(_at(row, keys.code)) if keys.code is not None else None for _, row in rows],
            "year": pd.Series([_at(row, keys.year) if keys.year is not None else keys.fixed_year for _, row in rows], dtype=object),
            "unit_factor": [_row_factor(_at(row, keys.unit)) if keys.unit is not None else np.nan for _, row in rows],
        }
    )
    parts = [part for column in columns if len(part := _column_cells(base, rows, column))]
    return pd.concat(parts, ignore_index=True) if parts else _column_cells(base, [], None)


def deliver(delivery: Delivery, cells: pd.DataFrame, vintage: str) -> None:
    """Check every cell, accept the good ones in base units and set the others aside, each with its first reason.

    A cell that holds no finite number is a bad_number, one whose value is beyond LARGEST in base units out_of_range.
    """
    if cells.empty:
        raise SourceError(delivery.raw.name, "", "has heads and no values under them", "Fetch the file again from its publisher")
    year = pd.Series([to_number(cell) for cell in cells["year"]], index=cells.index, dtype=float)
    number = pd.Series([to_number(cell) for cell in cells["cell"]], index=cells.index, dtype=float)
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    typed = cells.assign(year=year.where(good_year).astype("Int64"), value=number * cells["factor"])
    good, aside = sort_out(typed, _checks(cells, number, ~good_year))
    good, again = sort_out(good, [_duplicate_check(good)])
    names = ["line", "city_name", "city_code_published", "scope", "indicator", "year", "value", "is_interpolated", "header"]
    delivery.accept(TABLE, good[names].sort_values(["line", "indicator", "scope"], kind="stable").assign(vintage=vintage))
    delivery.put_aside(TABLE, pd.concat([aside, again], ignore_index=True))


def _checks(cells: pd.DataFrame, number: pd.Series, bad_year: pd.Series) -> list[Check]:
    """What is demanded of a cell, first demand first; what stood there is put into words only for cells that fail."""

    def check(reason: str, failed: pd.Series, say: Callable[[Any], str]) -> Check:
        found = pd.Series(None, index=cells.index, dtype=object)
        found[failed] = [say(cell) for cell in cells[failed].itertuples()]
        return Check(reason, failed, found)

    name, code = cells["city_name"], cells["city_code_published"].astype(object)
    return [
        check("missing_city", name == "", _said),
        check(
            "bad_code",
            code.notna() & ~code.astype(str).str.fullmatch("[0-9]{4}|[0-9]{6}"),
            lambda cell: f"{cell.city_name}: code {cell.city_code_published}, 4 or 6 digits expected",
        ),
        check("not_a_prefecture_city", _not_a_city(name, code), lambda cell: f"{cell.city_name} {cell.city_code_published or ''}".strip()),
        check("unknown_city", ~name.isin(city_names()), lambda cell: unknown_name_detail(cell.city_name)),
        check("bad_year", bad_year, lambda cell: f"{cell.city_name}: year {cell.year!r}"),
        check("bad_unit", cells["factor"].isna(), lambda cell: f"{cell.city_name} {cell.header}: the row's unit is not known"),
        check("bad_number", number.isna(), _said),
        check("out_of_range", (number * cells["factor"]).abs() > LARGEST, _said),
        check("zero_value", (number == 0) & cells["indicator"].isin(NEVER_ZERO), _said),
        check("negative_value", number < 0, _said),
    ]


def _column_cells(base: pd.DataFrame, rows: Sequence[NumberedRow], column: Column | None) -> pd.DataFrame:
    if column is None:
        return base.iloc[:0].drop(columns="unit_factor").assign(cell=None, is_interpolated=False, scope="", indicator="", factor=np.nan, header="")
    published = [_at(row, column.index) for _, row in rows]
    blank = np.array([is_blank(cell) for cell in published], dtype=bool)
    if column.filled_index is not None:
        published = [_at(row, column.filled_index) if absent else cell for cell, absent, (_, row) in zip(published, blank, rows, strict=True)]
    present = np.array([not is_blank(cell) for cell in published], dtype=bool)
    cells = base.assign(cell=pd.Series(published, dtype=object), is_interpolated=blank)[present]
    factor = cells["unit_factor"] if column.factor is None else column.factor
    return cells.assign(scope=column.scope, indicator=column.indicator, factor=factor, header=column.header).drop(columns="unit_factor")


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
