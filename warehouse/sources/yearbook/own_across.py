"""A user's own tables with years as heads: an indicator in each row, or a sheet or block each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.sheets import WHOLE_SHEET
from warehouse.sources.yearbook.across import (
    INDICATOR_ROWS,
    YEARS_ACROSS,
    Found,
    cells_of,
    is_head_of_years,
    years_in,
)
from warehouse.sources.yearbook.cells import (
    Row,
    is_blank,
)
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.own_heads import HEAD_WITHIN, NOT_NAMED, head_row, same_head
from warehouse.sources.yearbook.own_matrix import founds_with_years_in_heads
from warehouse.sources.yearbook.parsing import Quantity
from warehouse.sources.yearbook.tables import Table, tables_of
from warehouse.sources.yearbook.year_groups import groups_at


def read_across(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    """Every table of years in a sheet; one without a column of indicators is known by the sheet's
    name or its corner.
    """
    has_groups = any(groups_at(table.rows, at) for at in range(min(HEAD_WITHIN, len(table.rows))))
    starts = [at for at, row in enumerate(table.rows) if is_head_of_years(row)]
    if has_groups or not starts:
        return _with_years_in_heads(raw, delivery, table, told)
    parts = []
    for number, at in enumerate(starts):
        heads = ["" if is_blank(cell) else str(cell) for cell in table.rows[at]]
        where = _keys_at(raw, table, told["keys"], at, heads)
        titles = [heads[0], *([table.name] if number == 0 else [])]
        title = next((text for text in titles if _of_title(text, told) is not None), "")
        layout = INDICATOR_ROWS if "indicator" in where else YEARS_ACROSS
        if layout == YEARS_ACROSS and not title:
            delivery.column(table.name, heads[0] or f"(table in line {at + 1})", None, NOT_NAMED)
            continue
        end = starts[number + 1] if number + 1 < len(starts) else len(table.rows)
        found = Found(
            _translated(raw, table, told, at, end, where.get("city", 0)),
            layout,
            at,
            where.get("city", 0),
            where.get("code"),
            years_in(heads),
            where.get("indicator"),
            where.get("unit"),
            title=title,
        )
        parts.append(cells_as_told(delivery, found, told))
    return parts


def _with_years_in_heads(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    founds = founds_with_years_in_heads(raw, table, told)
    parts = []
    for found in founds:
        if _of_title(found.title, told) is None:
            delivery.column(table.name, found.title, None, NOT_NAMED)
        else:
            parts.append(cells_as_told(delivery, found, told))
    if not founds:
        delivery.column(table.name, WHOLE_SHEET, None, "no row with years as heads in it")
    return parts


def _keys_at(
    raw: RawFile, table: Table, keys: dict[str, str], at: int, heads: list[str]
) -> dict[str, int]:
    """Where the key columns beside the years stand."""
    same = [same_head(head) for head in heads]
    named = {name: same_head(head) for name, head in keys.items() if name != "years"}
    absent = [keys[name] for name, head in named.items() if head not in same]
    if absent:
        raise SourceError(
            raw.name,
            table.place(at + 1),
            f"column {absent[0]} is missing beside the years",
            "Write the head as it stands in the file",
        )
    return {name: same.index(head) for name, head in named.items()}


def _of_title(text: str, told: dict[str, Any]) -> dict[str, Any] | None:
    return next(
        (
            column
            for column in told["columns"].values()
            if same_head(column["head"]) == same_head(text)
        ),
        None,
    )


def cells_as_told(delivery: Delivery, found: Found, told: dict[str, Any]) -> pd.DataFrame:
    def meaning(head: str, unit: str, over: str | None) -> Quantity | str:
        column = _of_title(head, told)
        if column is None:
            return NOT_NAMED
        factor = (
            column["factor"]
            if column["factor"] is not None
            else UNITS.get(unit, ("", float("nan")))[1]
        )
        return Quantity(column["indicator"], column["scope"], factor)

    cells, unread = cells_of(found, meaning)
    delivery.read_n += len(cells)
    for head, indicator in dict(zip(cells["header"], cells["indicator"], strict=True)).items():
        delivery.column(found.table.name, head, indicator, "")
    for head, reason in unread.items():
        delivery.column(found.table.name, head, None, reason)
    return cells.assign(is_interpolated=told["interpolated"] is True)


def _translated(
    raw: RawFile, table: Table, told: dict[str, Any], start: int, end: int, city: int
) -> Table:
    """The table with the names of its cities from a sheet that lists them in both writings.

    Where the list has the table's names in the same order, the order decides between two cities of
    one name (Suzhou); elsewhere a name that stands for several cities stays as it is, and is set
    aside as unknown.
    """
    names = told.get("city_names")
    if names is None:
        return table
    listed = next(
        (other for other in tables_of(raw) if other.name.strip() == names["sheet"].strip()), None
    )
    if listed is None:
        raise SourceError(
            raw.name,
            "",
            f"has no sheet {names['sheet']!r}, which city_names names",
            "Name the sheet as it is called",
        )
    at, heads = head_row(raw, listed, [names["from"], names["to"]])
    left, right = heads.index(same_head(names["from"])), heads.index(same_head(names["to"]))
    pairs = [
        (_plain(row, left), _plain(row, right))
        for row in listed.rows[at + 1 :]
        if _plain(row, left)
    ]
    body = [_plain(row, city) for row in table.rows[start + 1 : end]]
    in_order = [name for name in body if name] == [name for name, _ in pairs]
    counts = Counter(name for name, _ in pairs)
    unique = {name: meant for name, meant in pairs if counts[name] == 1}
    order = iter(pairs)
    meant = [next(order)[1] if in_order and name else unique.get(name, name) for name in body]
    rows: list[Row] = list(table.rows)
    for offset, name in enumerate(meant):
        row = rows[start + 1 + offset]
        if city < len(row):
            rows[start + 1 + offset] = [*row[:city], name, *row[city + 1 :]]
    return replace(table, rows=rows)


def _plain(row: Row, index: int) -> str:
    cell = row[index] if index < len(row) else None
    return "" if is_blank(cell) else clean_name(str(cell))
