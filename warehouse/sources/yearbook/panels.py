"""Processed panels and digitised yearbooks: one row a city and year, and heads that say quantity, scope and unit.

They circulate in four styles, each a vintage of its own, and in every kind of file:

    panel_indicator_scope_unit   地区生产总值_当年价格_全市_万元
    panel_indicator_unit_scope   地区生产总值_当年价格_亿元_全市
    panel_glued_units            地区生产总值万元, in Stata files, whose variable labels may have the head as it was
    digitised_yearbook           地区生产总值(万元)_wc, a yearbook as somebody typed it off: _rgn and _wc for the whole
                                 city, _city, _duc and _noc for the districts, no ending in tables that do not say; the
                                 column of a merged duplicate ends _x or _y

A digitised yearbook N without a column of years holds the year N-1, and so does its column of the yearbook's own year.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.text import is_foreign_text
from warehouse.sources.yearbook.cells import TABLE, Column, Keys, NumberedRow, Row, count_cells, deliver, is_blank, is_note, melt
from warehouse.sources.yearbook.headers import Quantity, known_quantity, no_known_column, normal_head, quantity_of, split_glued, split_head
from warehouse.sources.yearbook.official import yearbook_year
from warehouse.sources.yearbook.tables import HEAD_WITHIN, Table, first_rows, tables_of

DIGITISED, SCOPE_UNIT, UNIT_SCOPE, GLUED = "digitised_yearbook", "panel_indicator_scope_unit", "panel_indicator_unit_scope", "panel_glued_units"
# A file is of the first style that one of its heads has; a digitised yearbook has heads of the others' looks too.
STYLES = {"suffix": DIGITISED, "scope_unit": SCOPE_UNIT, "unit_scope": UNIT_SCOPE, "glued": GLUED}
YEAR_HEADS = ("年份", "年度", "year", "年")
YEARBOOK_HEADS = ("年鉴年份", "年鉴", "yearbook", "yearbook_year")
CITY_HEADS = ("城市", "城市名称", "地级市", "市", "地区", "city", "city_name", "cityname", "city_zh")
CODE_HEADS = ("行政区划代码", "城市代码", "地区代码", "市代码", "city_code", "citycode")


@dataclass(frozen=True)
class Found:
    """A table's row of heads (0-based) and the vintage that its heads show."""

    table: Table
    head_at: int
    vintage: str


def layouts() -> tuple[Layout, ...]:
    return tuple(Layout(vintage, _recogniser(vintage), read) for vintage in STYLES.values())


def _recogniser(vintage: str) -> Callable[[RawFile], bool]:
    def recognise(raw: RawFile) -> bool:
        if is_foreign_text(raw):
            return vintage == SCOPE_UNIT  # so that reading it says what is wrong with its encoding
        return any(found.vintage == vintage for found in _heads(first_rows(raw)))

    return recognise


def read(raw: RawFile, delivery: Delivery) -> None:
    found_heads = _heads(tables_of(raw))
    parts: list[pd.DataFrame] = []
    heads: list[object] = []
    for found in found_heads:
        table, row = found.table, found.table.rows[found.head_at]
        place = table.place(found.head_at + 1)
        columns = _columns(raw, table, row, place)
        keys, years_before = _keys(raw, table, row, place)
        heads.extend(cell for cell in row if split_head(cell).scope)
        numbered = [(at + 1, table.rows[at]) for at in range(found.head_at + 1, len(table.rows)) if not is_note(table.rows[at], keys, columns)]
        delivery.read_n += count_cells(numbered, columns)
        if table.kind == "csv":
            numbered = _without_shifted_rows(raw, delivery, numbered, columns, len(row))
        parts.append(_years_less(melt(numbered, columns, keys, place if table.kind == "sheet" else ""), years_before) if columns else pd.DataFrame())
    if not any(len(part.columns) for part in parts):
        raise no_known_column(raw.name, "", heads)
    deliver(delivery, pd.concat([part for part in parts if len(part.columns)], ignore_index=True), delivery.layout)


def _heads(tables: list[Table]) -> list[Found]:
    """The row of heads of each table that has one."""
    found = []
    for table in tables:
        for at, row in enumerate(table.rows[:HEAD_WITHIN]):
            vintage = _vintage(table, row)
            if vintage is not None:
                found.append(Found(table, at, vintage))
                break
    return found


def _vintage(table: Table, row: Row) -> str | None:
    """Which style a row of heads has, or None for a row of something else."""
    texts = [cell for cell in row if isinstance(cell, str) and cell]
    heads = [split_head(text) for text in texts]
    styles = {head.style for head in heads if head.key and (head.unit or head.style == "scope_unit") and len(head.key) > 1}
    for style in ("suffix", "scope_unit", "unit_scope"):
        if style in styles:
            return STYLES[style]
    if _index_of(texts, CITY_HEADS) is None or _index_of(texts, YEAR_HEADS) is None:
        return None
    return GLUED if any(split_glued(text) is not None for text in texts) else None


def _columns(raw: RawFile, table: Table, heads: Row, place: str) -> list[Column]:
    columns = []
    for index, head in enumerate(heads):
        quantity = None if is_blank(head) else _quantity(raw, table, str(head), place)
        if quantity is not None:
            columns.append(Column(index, normal_head(head), quantity.indicator, quantity.scope or "unstated", quantity.factor))
    return columns


def _quantity(raw: RawFile, table: Table, head: str, place: str) -> Quantity | None:
    """What a head counts: as its label says, if it has one that is known with its unit, or as it says itself."""
    label = table.labels.get(head, "")
    if label and split_head(label).unit is not None:
        quantity = known_quantity(label, raw.name, place)
        if quantity is not None:
            own = split_glued(head) or split_head(head)
            return Quantity(quantity.indicator, quantity.scope or own.scope, quantity.factor)
    glued = split_glued(head)
    return known_quantity(head, raw.name, place) if glued is None else quantity_of(glued, head, raw.name, place)


def _keys(raw: RawFile, table: Table, heads: Row, place: str) -> tuple[Keys, int]:
    """Where the keys stand, and how many years the data lie before the column of years."""
    texts = [str(head) for head in heads]
    city, year, code = _index_of(texts, CITY_HEADS), _index_of(texts, YEAR_HEADS), _index_of(texts, CODE_HEADS)
    if city is None:
        raise _missing(raw, place, CITY_HEADS[0], texts)
    if year is not None:
        return Keys(city=city, year=year, code=code), 0
    yearbook = _index_of(texts, YEARBOOK_HEADS)
    if yearbook is not None:
        return Keys(city=city, year=yearbook, code=code), 1
    if not any(split_head(text).style == "suffix" for text in texts):
        raise _missing(raw, place, YEAR_HEADS[0], texts)
    return Keys(city=city, fixed_year=yearbook_year(raw, place, [table.name], [raw.path.stem]) - 1, code=code), 0


def _index_of(heads: list[str], wanted: tuple[str, ...]) -> int | None:
    names = [clean_name(head).lower() for head in heads]
    return next((names.index(name) for name in wanted if name in names), None)


def _missing(raw: RawFile, place: str, wanted: str, heads: list[str]) -> SourceError:
    found = ", ".join(clean_name(head).lower() for head in heads[:8])
    return SourceError(raw.name, place, f"column {wanted} is missing; columns found: {found}", f"Add the column {wanted}, or rename the one that holds it")


def _years_less(cells: pd.DataFrame, years: int) -> pd.DataFrame:
    """Cells of yearbooks, in the year before; a year that is no number stays as it is, to be set aside as such."""
    if not years:
        return cells
    numbers = pd.to_numeric(cells["year"], errors="coerce")
    return cells.assign(year=(numbers - years).astype(object).where(numbers.notna(), cells["year"]))


def _without_shifted_rows(raw: RawFile, delivery: Delivery, rows: list[NumberedRow], columns: list[Column], width: int) -> list[NumberedRow]:
    """Set aside csv rows with more or fewer fields than heads: their values would stand under the heads of others.

    Raises
    ------
    SourceError : the last row is too short, as it is in a file that was cut off.
    """
    if rows and len(rows[-1][1]) < width:
        line, row = rows[-1]
        raise SourceError(raw.name, f"line {line}", f"ends after {len(row)} of {width} fields: the file is cut off", "Fetch it again from its publisher")
    shifted = [(line, row) for line, row in rows if len(row) != width]
    cells = [(line, f"{len(row)} fields, {width} expected") for line, row in shifted for _ in range(count_cells([(line, row)], columns))]
    delivery.put_aside(TABLE, pd.DataFrame(cells, columns=["line", "detail"]).assign(reason="wrong_field_count"))
    return [(line, row) for line, row in rows if len(row) == width]
