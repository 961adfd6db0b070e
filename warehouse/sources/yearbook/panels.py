"""Processed panels and digitised yearbooks: one row a city and year, and heads that say quantity,
scope and unit.

They circulate in five styles, each a vintage of its own, and in every kind of file:

    panel_indicator_scope_unit   地区生产总值_当年价格_全市_万元
    panel_indicator_unit_scope   地区生产总值_当年价格_亿元_全市
    panel_glued_units            地区生产总值万元, in Stata files, whose variable labels may have
                                 the head as it was
    digitised_yearbook           地区生产总值(万元)_wc, a yearbook as somebody typed it off: _rgn
                                 and _wc for the whole city, _city, _duc and _noc for the districts,
                                 no ending in tables that do not say; the column of a merged
                                 duplicate ends _x or _y
    panel_plain_heads            地区生产总值(万元), the commonest of all, whose scope is unstated

A digitised yearbook N without a column of years holds the year N-1, and so does its column of the
yearbook's own year. A row of units may stand below the heads. Blocks with their own cities and
years may stand beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import city_names, clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.text import is_foreign_text
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    Row,
    count_cells,
    is_blank,
    is_note,
    melt,
    to_number,
)
from warehouse.sources.yearbook.editions import yearbook_year
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.judging import deliver
from warehouse.sources.yearbook.key_heads import (
    CITY_HEADS,
    CODE_HEADS,
    KEY_HEADS,
    YEAR_HEADS,
    YEARBOOK_HEADS,
    index_of,
    plain_name,
)
from warehouse.sources.yearbook.panel_rows import (
    with_merged_cities,
    without_counties,
    without_shifted_rows,
    years_less,
)
from warehouse.sources.yearbook.parsing import (
    Quantity,
    no_known_column,
    normal_head,
    quantity_or_reason,
    split_glued,
    split_head,
)
from warehouse.sources.yearbook.tables import HEAD_WITHIN, Table, first_rows, tables_of

DIGITISED, PLAIN = "digitised_yearbook", "panel_plain_heads"
SCOPE_UNIT, UNIT_SCOPE, GLUED = (
    "panel_indicator_scope_unit",
    "panel_indicator_unit_scope",
    "panel_glued_units",
)
# A file is of the first style that one of its heads has; a digitised yearbook has heads of the
# others' looks too.
STYLES = {
    "suffix": DIGITISED,
    "scope_unit": SCOPE_UNIT,
    "unit_scope": UNIT_SCOPE,
    "glued": GLUED,
    "plain": PLAIN,
}


@dataclass(frozen=True)
class Found:
    """A table's heads, the row that they stand in, the first row below them (0-based) and the
    vintage that they show.
    """

    table: Table
    heads: list[str]
    head_at: int
    body_at: int
    vintage: str


@dataclass(frozen=True)
class Block:
    """Columns that belong to one column of cities: positions from `left` up to `right`, and where
    the keys stand.
    """

    left: int
    right: int
    keys: Keys
    years_before: int = 0


def layouts() -> tuple[Layout, ...]:
    return tuple(Layout(vintage, _recogniser(vintage), read) for vintage in STYLES.values())


def _recogniser(vintage: str) -> Callable[[RawFile], bool]:
    def recognise(raw: RawFile) -> bool:
        if is_foreign_text(raw):
            return vintage == SCOPE_UNIT  # so that reading it says what is wrong with its encoding
        return any(found.vintage == vintage for found in _found(first_rows(raw)))

    return recognise


def read(raw: RawFile, delivery: Delivery) -> None:
    founds = _found(tables_of(raw))
    parts: list[pd.DataFrame] = []
    reasons: dict[str, str] = {}
    for found in founds:
        rows: list[NumberedRow] = [
            (at + 1, found.table.rows[at]) for at in range(found.body_at, len(found.table.rows))
        ]
        for block in _blocks(raw, found):
            columns, unread = _columns(raw, delivery, found, block)
            reasons |= unread
            if columns:
                parts.append(_cells(raw, delivery, found, block, columns, rows))
    if not parts:
        heads = [
            head
            for found in founds
            for head in found.heads
            if split_head(head).scope or head in reasons
        ]
        raise no_known_column(raw.name, "", heads, reasons.values())
    deliver(delivery, pd.concat(parts, ignore_index=True), delivery.layout)


def _cells(
    raw: RawFile,
    delivery: Delivery,
    found: Found,
    block: Block,
    columns: list[Column],
    rows: list[NumberedRow],
) -> pd.DataFrame:
    is_sheet = found.table.kind == "sheet"
    named = with_merged_cities(rows, block.keys) if is_sheet else rows
    named = [(line, row) for line, row in named if not is_note(row, block.keys, columns)]
    delivery.read_n += count_cells(named, columns)
    if found.table.kind == "csv":
        named = without_shifted_rows(raw, delivery, named, columns, len(found.heads))
    heads = found.heads[block.left : block.right]
    if not block.left:
        named = without_counties(delivery, heads, named, block.keys, columns)
    place = found.table.place(found.head_at + 1) if is_sheet else ""
    return years_less(melt(named, columns, block.keys, place), block.years_before)


def _found(tables: list[Table]) -> list[Found]:
    """The heads of each table that has some."""
    found = []
    for table in tables:
        for at, row in enumerate(table.rows[:HEAD_WITHIN]):
            heads, body_at = heads_at(table.rows, at)
            vintage = _vintage(table, heads, row)
            if vintage is not None:
                found.append(Found(table, heads, at, body_at, vintage))
                break
    return found


def heads_at(rows: Sequence[Row], at: int) -> tuple[list[str], int]:
    """The heads in a row, with the units from a row of units below it, and the first row below
    both.
    """
    heads = ["" if is_blank(cell) else str(cell) for cell in rows[at]]
    below = rows[at + 1] if at + 1 < len(rows) else []
    units = ["" if is_blank(cell) else clean_name(str(cell)) for cell in below]
    units += [""] * (len(heads) - len(units))
    known = sum(unit in UNITS for unit in units)
    if not known or any(
        to_number(cell) == to_number(cell) or str(cell) in city_names() for cell in below
    ):
        return heads, at + 1
    joined = [
        f"{head}({unit})" if unit in UNITS and head else head
        for head, unit in zip(heads, units, strict=False)
    ]
    return joined, at + 2


def _vintage(table: Table, heads: list[str], row: Row) -> str | None:
    """Which style a row of heads has, or None for a row of something else."""
    texts = [head for head in heads if head]
    if len(texts) < 2 or not any(isinstance(cell, str) for cell in row):
        return None  # a title, or a row of values
    taken = [split_head(text) for text in texts]
    styles = {
        head.style
        for head in taken
        if len(head.key) > 1 and (head.unit or head.style == "scope_unit")
    }
    for style in ("suffix", "scope_unit", "unit_scope"):
        if style in styles:
            return STYLES[style]
    if index_of(texts, CITY_HEADS) is None or index_of(texts, YEAR_HEADS) is None:
        return None
    if any(split_glued(text) is not None for text in texts):
        return GLUED
    known = (isinstance(_quantity(table, text), Quantity) for text in texts)
    return PLAIN if any(known) else None


def _blocks(raw: RawFile, found: Found) -> list[Block]:
    """The table's blocks: one for each column of cities under the same head."""
    place, names = found.table.place(found.head_at + 1), [plain_name(head) for head in found.heads]
    city = index_of(found.heads, CITY_HEADS)
    if city is None:
        raise _missing(raw, place, CITY_HEADS[0], found.heads)
    cities = [at for at, name in enumerate(names) if name == names[city]]
    starts = [0, *(_first_key(names, at) for at in cities[1:])]
    ends = [*starts[1:], len(names)]
    return [
        _block(raw, found, left, right, place) for left, right in zip(starts, ends, strict=True)
    ]


def _first_key(names: list[str], city: int) -> int:
    """Where the keys begin that stand before a column of cities without anything between."""
    at = city
    while at > 0 and names[at - 1] in KEY_HEADS:
        at -= 1
    return at


def _block(raw: RawFile, found: Found, left: int, right: int, place: str) -> Block:
    inside = found.heads[left:right]
    city, year, code = (index_of(inside, wanted) for wanted in (CITY_HEADS, YEAR_HEADS, CODE_HEADS))
    if city is None:
        raise _missing(raw, place, CITY_HEADS[0], inside)
    for key in (city, year):
        if (
            key is not None
            and [plain_name(head) for head in inside].count(plain_name(inside[key])) > 1
        ):
            raise _twice(raw, place, inside[key])
    code = None if code is None else left + code
    if year is not None:
        return Block(left, right, Keys(city=left + city, year=left + year, code=code))
    if left:
        raise _twice(raw, place, inside[city])  # a second list of cities whose years nobody knows
    yearbook = index_of(inside, YEARBOOK_HEADS)
    if yearbook is not None:
        return Block(
            left, right, Keys(city=left + city, year=left + yearbook, code=code), years_before=1
        )
    if not any(split_head(text).style == "suffix" for text in inside):
        raise _missing(raw, place, YEAR_HEADS[0], inside)
    fixed = yearbook_year(raw, place, [found.table.name], [raw.path.stem]) - 1
    return Block(left, right, Keys(city=left + city, fixed_year=fixed, code=code))


def _columns(
    raw: RawFile, delivery: Delivery, found: Found, block: Block
) -> tuple[list[Column], dict[str, str]]:
    """The columns of a block that are read; every head's fate is told, and those unread come back
    with their reason.
    """
    columns: list[Column] = []
    unread: dict[str, str] = {}
    sheet = found.table.name
    keys = {
        block.keys.city: "city_name",
        block.keys.year: "year",
        block.keys.code: "city_code_published",
    }
    for index in range(block.left, block.right):
        head = found.heads[index]
        if not head:
            continue
        if index in keys:
            delivery.column(sheet, head, keys[index], "")
            continue
        quantity = _of_its_year(_quantity(found.table, head), block.keys)
        if isinstance(quantity, str):
            unread[head] = quantity
            delivery.column(sheet, head, None, quantity)
            continue
        if any(plain_name(head) == plain_name(found.heads[column.index]) for column in columns):
            raise _twice(raw, found.table.place(found.head_at + 1), head)
        columns.append(
            Column(
                index,
                normal_head(head),
                quantity.indicator,
                quantity.scope or "unstated",
                quantity.factor,
            )
        )
        delivery.column(sheet, head, quantity.indicator, "")
    return columns, unread


def _of_its_year(quantity: Quantity | str, keys: Keys) -> Quantity | str:
    """A head with a year is that year's: not read where rows have years of their own or the table
    is another year's.
    """
    if isinstance(quantity, str) or quantity.year is None or quantity.year == keys.fixed_year:
        return quantity
    other = (
        "rows have years of their own"
        if keys.year is not None
        else f"the table is of {keys.fixed_year}"
    )
    return f"counts {quantity.year} alone, and {other}"


def _quantity(table: Table, head: str) -> Quantity | str:
    """What a head counts: as its label says, if it has one that is known with its unit, or as it
    says itself.
    """
    label = table.labels.get(head, "")
    own = split_glued(head) or split_head(head)
    if label and split_head(label).unit is not None:
        quantity = quantity_or_reason(split_head(label), label)
        if isinstance(quantity, Quantity):
            return Quantity(
                quantity.indicator, quantity.scope or own.scope, quantity.factor, quantity.year
            )
    return quantity_or_reason(own, head)


def _missing(raw: RawFile, place: str, wanted: str, heads: list[str]) -> SourceError:
    found = ", ".join(clean_name(head).lower() for head in heads[:8])
    problem = f"column {wanted} is missing; columns found: {found}"
    return SourceError(
        raw.name, place, problem, f"Add the column {wanted}, or rename the one that holds it"
    )


def _twice(raw: RawFile, place: str, head: str) -> SourceError:
    problem = (
        f"has the head {normal_head(head)!r} twice, and nothing says which of the two counts for"
        " a row"
    )
    return SourceError(
        raw.name,
        place,
        problem,
        "Delete or rename one of the two columns, or put the blocks below each other",
    )
