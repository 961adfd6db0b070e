"""The rows of a panel: merged names filled, yearbooks put in their year, shifted rows set aside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from warehouse.dictionary.places import city_name, clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    Row,
    count_cells,
    is_blank,
    name_text,
    to_number,
)
from warehouse.sources.yearbook.judging import TABLE
from warehouse.sources.yearbook.key_heads import COUNTY_HEADS, index_of

# What stands in a column of counties beside the city as a whole.
WHOLE = {"全市", "合计", "总计", "小计", "全部"}


def with_merged_cities(rows: list[NumberedRow], keys: Keys) -> list[NumberedRow]:
    """Rows with the city that a merged cell over several years names in the first of them only.

    A blank is filled only in a table that names no city in two rows after each other, and only as
    long as years go on by one: anywhere else a name that is missing is missing.
    """
    if keys.year is None or any(
        _repeats(before, after, keys.city) for (_, before), (_, after) in pairwise(rows)
    ):
        return rows
    filled: list[NumberedRow] = []
    name: object = None
    last = step = 0.0
    for line, row in rows:
        year = to_number(row[keys.year]) if keys.year < len(row) else float("nan")
        if not is_blank(row[keys.city] if keys.city < len(row) else None):
            name, step = row[keys.city], 0.0
        elif name is not None and abs(year - last) == 1 and step in (0.0, year - last):
            step = year - last
            row = [name if at == keys.city else cell for at, cell in enumerate(row)]
        else:
            name = None
        last = year
        filled.append((line, row))
    return filled


def _repeats(before: Row, after: Row, city: int) -> bool:
    both = [row[city] if city < len(row) else None for row in (before, after)]
    return not is_blank(both[0]) and both[0] == both[1]


def years_less(cells: pd.DataFrame, years: int) -> pd.DataFrame:
    """Cells of yearbooks, in the year before; a year that is no number stays as it is, to be set
    aside as such.
    """
    if not years:
        return cells
    numbers = pd.to_numeric(cells["year"], errors="coerce")
    return cells.assign(year=(numbers - years).astype(object).where(numbers.notna(), cells["year"]))


def without_shifted_rows(
    raw: RawFile, delivery: Delivery, rows: list[NumberedRow], columns: list[Column], width: int
) -> list[NumberedRow]:
    """Set aside csv rows with more or fewer fields than heads: their values would stand under the
    heads of others.

    Raises
    ------
    SourceError : the last row is too short, as it is in a file that was cut off.
    """
    if rows and len(rows[-1][1]) < width:
        line, row = rows[-1]
        problem = f"ends after {len(row)} of {width} fields: the file is cut off"
        raise SourceError(raw.name, f"line {line}", problem, "Fetch it again from its publisher")
    shifted = [(line, row) for line, row in rows if len(row) != width]
    cells = [
        (line, f"{len(row)} fields, {width} expected")
        for line, row in shifted
        for _ in range(count_cells([(line, row)], columns))
    ]
    delivery.put_aside(
        TABLE, pd.DataFrame(cells, columns=["line", "detail"]).assign(reason="wrong_field_count")
    )
    return [(line, row) for line, row in rows if len(row) == width]


def without_counties(
    delivery: Delivery,
    heads: Sequence[object],
    rows: list[NumberedRow],
    keys: Keys,
    columns: list[Column],
) -> list[NumberedRow]:
    """Set aside the rows of counties and districts: beside their own name they bear the city's."""
    at = index_of(heads, COUNTY_HEADS)
    if at is None or at in (keys.city, keys.year, keys.code):
        return rows
    kept: list[NumberedRow] = []
    aside: list[tuple[int, str]] = []
    for line, row in rows:
        county = "" if at >= len(row) or is_blank(row[at]) else clean_name(str(row[at]))
        city = name_text(row[keys.city] if keys.city < len(row) else None)
        is_city = not county or county in WHOLE or city_name(county) == city
        if is_city or to_number(county) == to_number(county):
            kept.append((line, row))
        else:
            aside += [(line, f"{city} {county}")] * count_cells([(line, row)], columns)
    frame = pd.DataFrame(aside, columns=["line", "detail"])
    delivery.put_aside(TABLE, frame.assign(reason="not_a_prefecture_city"))
    return kept
