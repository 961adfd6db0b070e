"""Tables in which indicators or years stand where panels have columns.

indicator_rows   指标名称(单位) | 地区 | 2023年 | 2022年 | ...
years across, an indicator in each row
years_across     地区生产总值(万元) in the corner or in a row above, 城市 | 2019年 | 2018年 | ...
tidy_long        年份 | 城市 | 指标 | 单位 | 数值                    one value a row
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import city_names, clean_name
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.text import is_foreign_text
from warehouse.sources.yearbook.cells import (
    NumberedRow,
    Row,
    code_text,
    is_aggregate,
    is_blank,
    name_text,
    to_number,
)
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.judging import deliver
from warehouse.sources.yearbook.key_heads import CITY_HEADS, CODE_HEADS, YEAR_HEADS, index_of
from warehouse.sources.yearbook.parsing import (
    Quantity,
    no_known_column,
    normal_head,
    quantity_or_reason,
    split_head,
    unit_above,
)
from warehouse.sources.yearbook.tables import HEAD_WITHIN, Table, first_rows, tables_of
from warehouse.sources.yearbook.year_groups import groups_at

INDICATOR_ROWS, YEARS_ACROSS, TIDY = "indicator_rows", "years_across", "tidy_long"
INDICATOR_HEADS = (
    "指标名称(单位)",
    "指标(单位)",
    "指标名称",
    "指标",
    "变量",
    "indicator",
    "variable",
)
VALUE_HEADS = ("数值", "值", "数据", "取值", "value")
UNIT_HEADS = ("单位", "计量单位", "unit")
YEAR_HEAD = re.compile(r"((?:19|20)\d{2})(?:\.0)?年?")
FEWEST_YEARS = 2
# What query sites put before the name of the indicator over a table: 指标：地区生产总值.
TITLE_WORD = re.compile(r"^\s*(?:指标名称|指标|变量)\s*[:：]\s*")
CELL_COLUMNS = [
    "line",
    "city_name",
    "city_code_published",
    "scope",
    "indicator",
    "year",
    "cell",
    "factor",
    "header",
]


@dataclass(frozen=True)
class Found:
    """A table's row of heads (0-based), its layout, and where keys and years stand.

    years : column -> year, where years stand across
    title : the head over a table of one indicator
    """

    table: Table
    layout: str
    head_at: int
    city: int
    code: int | None
    years: dict[int, int]
    indicator: int | None = None
    unit: int | None = None
    year: int | None = None
    value: int | None = None
    title: str = ""
    title_unit: str | None = None
    fixed_year: int | None = None


def layouts() -> tuple[Layout, ...]:
    return tuple(
        Layout(name, _recogniser(name), read) for name in (INDICATOR_ROWS, YEARS_ACROSS, TIDY)
    )


def _recogniser(layout: str) -> Callable[[RawFile], bool]:
    def recognise(raw: RawFile) -> bool:
        if is_foreign_text(raw):
            return False
        return any(found.layout == layout for table in first_rows(raw) for found in _found(table))

    return recognise


def read(raw: RawFile, delivery: Delivery) -> None:
    parts: list[pd.DataFrame] = []
    heads: dict[str, str] = {}
    for table in tables_of(raw):
        for found in _found(table):
            cells, unread = cells_of(found, _as_it_says)
            heads |= unread
            tell(delivery, found, cells, unread)
            delivery.read_n += len(cells)
            parts.append(cells)
    cells = pd.concat(parts, ignore_index=True)
    if cells.empty:
        raise no_known_column(raw.name, "", heads, heads.values())
    deliver(delivery, cells, delivery.layout)


def tell(delivery: Delivery, found: Found, cells: pd.DataFrame, unread: dict[str, str]) -> None:
    for head, indicator in dict(zip(cells["header"], cells["indicator"], strict=True)).items():
        delivery.column(found.table.name, head, indicator, "")
    for head, reason in unread.items():
        delivery.column(found.table.name, head, None, reason)


def _found(table: Table) -> list[Found]:
    """What the first row of heads shows, if it is one of a layout here."""
    for at, row in enumerate(table.rows[:HEAD_WITHIN]):
        grouped = _grouped(table, at)
        if grouped:
            return grouped
        heads = ["" if is_blank(cell) else str(cell) for cell in row]
        found = _across(table, at, heads) or _tidy(table, at, heads)
        if found is not None:
            return [found]
    return []


def _grouped(table: Table, at: int) -> list[Found]:
    """Indicators crossed with years in two rows of heads, of which one is known at least."""
    groups = groups_at(table.rows, at)
    known = (quantity_or_reason(split_head(group.title), group.title) for group in groups)
    if not any(isinstance(quantity, Quantity) for quantity in known):
        return []
    return [
        Found(table, YEARS_ACROSS, group.head_at, group.city, None, group.years, title=group.title)
        for group in groups
    ]


def years_in(heads: Sequence[str]) -> dict[int, int]:
    """Where years stand as heads."""
    matches = ((at, YEAR_HEAD.fullmatch(clean_name(head))) for at, head in enumerate(heads))
    return {at: int(match[1]) for at, match in matches if match}


def _across(table: Table, at: int, heads: list[str]) -> Found | None:
    years = years_in(heads)
    if not _are_heads(years, heads):
        return None
    city, code = index_of(heads, CITY_HEADS), index_of(heads, CODE_HEADS)
    indicator = index_of(heads, INDICATOR_HEADS)
    if indicator is not None:
        unit = index_of(heads, UNIT_HEADS)
        named = city if city is not None else None
        return (
            None
            if named is None
            else Found(table, INDICATOR_ROWS, at, named, code, years, indicator, unit)
        )
    title, title_unit = _title(table, at, heads[: min(years)])
    if not title:
        return None
    return Found(
        table,
        YEARS_ACROSS,
        at,
        0 if city is None else city,
        code,
        years,
        title=title,
        title_unit=title_unit,
    )


def is_head_of_years(row: Row) -> bool:
    heads = ["" if is_blank(cell) else str(cell) for cell in row]
    return _are_heads(years_in(heads), heads)


def _are_heads(years: dict[int, int], heads: list[str]) -> bool:
    """Whether these years are heads and not numbers in a row of data: near each other, and most of
    the row.
    """
    if len(years) < FEWEST_YEARS or len(set(years.values())) < len(years):
        return False
    others = [head for at, head in enumerate(heads) if head and at not in years]
    is_dense = max(years.values()) - min(years.values()) < 2 * len(years) + 3
    are_texts = all(to_number(head) != to_number(head) for head in others)
    return (
        is_dense
        and are_texts
        and len(others) <= max(len(years), 6)
        and not any(clean_name(head) in city_names() for head in others)
    )


def _title(table: Table, at: int, beside: list[str]) -> tuple[str, str | None]:
    """The text that says what a table of one indicator counts: beside the years, above them, or the
    sheet's name.
    """
    above = [
        str(cell)
        for row in table.rows[:at]
        for cell in row
        if isinstance(cell, str) and clean_name(cell)
    ]
    units = {unit for text in above if (unit := unit_above(text))}
    unit = units.pop() if len(units) == 1 else None
    for text in [*beside, *reversed(above), table.name]:
        text = TITLE_WORD.sub("", text)
        head = split_head(text)
        if isinstance(quantity_or_reason(head, text, unit), Quantity):
            return text, unit
    return "", None


def _tidy(table: Table, at: int, heads: list[str]) -> Found | None:
    city, year, indicator = (
        index_of(heads, wanted) for wanted in (CITY_HEADS, YEAR_HEADS, INDICATOR_HEADS)
    )
    value, unit, code = (
        index_of(heads, wanted) for wanted in (VALUE_HEADS, UNIT_HEADS, CODE_HEADS)
    )
    if city is None or year is None or indicator is None or value is None:
        return None
    return Found(table, TIDY, at, city, code, {}, indicator, unit, year, value)


# From the head and the unit that a row states, and the unit stated over the table, to what the row
# counts.
Meaning = Callable[[str, str, str | None], Quantity | str]


def _as_it_says(head: str, unit: str, over: str | None) -> Quantity | str:
    return quantity_or_reason(split_head(head), head, unit if unit in UNITS else over)


def cells_of(found: Found, meaning: Meaning) -> tuple[pd.DataFrame, dict[str, str]]:
    """The cells that are read, in the shape that `melt` gives them, and the indicators that are not
    with the reason.
    """
    known: dict[tuple[str, str], Quantity | str] = {}
    unread: dict[str, str] = {}
    cells: list[tuple[object, ...]] = []
    for line, row in _body(found):
        head, unit = _head_of(found, row)
        if (head, unit) not in known:
            known[head, unit] = meaning(head, unit, found.title_unit)
        quantity = known[head, unit]
        name = name_text(_at(row, found.city))
        if isinstance(quantity, str):
            if head:
                unread[normal_head(head)] = quantity
            continue
        if is_aggregate(name):
            continue
        keys = line, name, code_text(_at(row, found.code)), quantity.scope or "unstated"
        cells.extend(
            (*keys, quantity.indicator, year, cell, quantity.factor, normal_head(head))
            for year, cell in _values(found, row)
        )
    frame = pd.DataFrame(cells, columns=CELL_COLUMNS).astype(
        {"year": object, "cell": object, "city_code_published": object}
    )
    return (
        frame.assign(
            place=f"sheet {found.table.name}" if found.table.name else "", is_interpolated=False
        ),
        unread,
    )


def _body(found: Found) -> list[NumberedRow]:
    """The rows below the heads; those of one indicator end where the next table's heads stand."""
    rows: list[NumberedRow] = []
    for at in range(found.head_at + 1, len(found.table.rows)):
        row = found.table.rows[at]
        if found.layout == YEARS_ACROSS and is_head_of_years(row):
            break
        if not all(is_blank(cell) for cell in row):
            rows.append((at + 1, row))
    return rows


def _head_of(found: Found, row: Row) -> tuple[str, str]:
    """The indicator that a row counts, and the unit that the row states apart from it."""
    if found.indicator is None:
        return found.title, ""
    head, unit = _at(row, found.indicator), _at(row, found.unit)
    return "" if is_blank(head) else str(head), "" if is_blank(unit) else normal_head(unit)


def _values(found: Found, row: Row) -> Sequence[tuple[object, object]]:
    """Year and cell of the values in a row that are not blank; a note has none."""
    if found.value is not None:
        cell = _at(row, found.value)
        year = _at(row, found.year) if found.fixed_year is None else found.fixed_year
        return [] if is_blank(cell) else [(year, cell)]
    named = not is_blank(_at(row, found.city))
    pairs = [(year, _at(row, at)) for at, year in found.years.items() if not is_blank(_at(row, at))]
    return pairs if named or any(to_number(cell) == to_number(cell) for _, cell in pairs) else []


def _at(row: Row, index: int | None) -> object:
    return row[index] if index is not None and index < len(row) else None
