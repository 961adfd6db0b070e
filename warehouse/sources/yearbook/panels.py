"""Processed panels of the yearbooks: one row a city and year, heads of the form 指标_口径_单位 (地区生产总值_当年价格_全市_万元)."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from warehouse.errors import SourceError
from warehouse.places import clean_name
from warehouse.sources.base import Delivery, RawFile
from warehouse.sources.sheets import is_workbook, read_workbook
from warehouse.sources.text import is_foreign_text, read_rows, sniff_text
from warehouse.sources.yearbook.cells import TABLE, Column, Keys, NumberedRow, Row, count_cells, deliver, is_blank, is_note, melt
from warehouse.sources.yearbook.headers import known_quantity, no_known_column, normal_head, split_head

VINTAGE = "panel_indicator_scope_unit"
HEAD_WITHIN = 5  # the heads stand in one of the first rows
YEAR_HEADS = ("年份", "年度", "year")
CITY_HEADS = ("城市", "城市名称", "地区", "city")
CODE_HEADS = ("行政区划代码", "城市代码", "地区代码")


def recognise(raw: RawFile) -> bool:
    if is_workbook(raw):
        return any(_head_at(rows) is not None for rows in read_workbook(raw).values())
    if is_foreign_text(raw):
        return True  # so that reading it says what is wrong with its encoding
    text = sniff_text(raw)
    return text is not None and any(_is_head_row(line.split(",")) for line in text.splitlines()[:HEAD_WITHIN])


def read(raw: RawFile, delivery: Delivery) -> None:
    sheets: dict[str, Sequence[Row]] = dict(read_workbook(raw)) if is_workbook(raw) else {"": read_rows(raw)}
    parts: list[tuple[list[Column], pd.DataFrame]] = []
    heads: list[object] = []
    for name, rows in sheets.items():
        head_at = _head_at(rows)
        if head_at is None:
            continue
        place = f"sheet {name}" if name else f"line {head_at + 1}"
        columns = _columns(raw, rows[head_at], place)
        keys = _keys(raw, rows[head_at], place)
        heads.extend(cell for cell in rows[head_at] if split_head(cell).scope_first)
        numbered = [(at + 1, rows[at]) for at in range(head_at + 1, len(rows)) if not is_note(rows[at], keys, columns)]
        delivery.read_n += count_cells(numbered, columns)
        if not name:
            numbered = _without_shifted_rows(raw, delivery, numbered, columns, len(rows[head_at]))
        parts.append((columns, melt(numbered, columns, keys, place if name else "")))
    if not any(columns for columns, _ in parts):
        raise no_known_column(raw.name, "", heads)
    deliver(delivery, pd.concat([cells for _, cells in parts], ignore_index=True), VINTAGE)


def _head_at(rows: Sequence[Row]) -> int | None:
    return next((at for at, row in enumerate(rows[:HEAD_WITHIN]) if _is_head_row(row)), None)


def _is_head_row(row: Row) -> bool:
    """At least one head names a quantity, then a scope, then a unit, joined by underscores."""
    return any(_is_panel_head(cell) for cell in row)


def _is_panel_head(cell: object) -> bool:
    if not isinstance(cell, str) or cell.count("_") < 2:
        return False
    head = split_head(cell)
    return head.scope_first and bool(head.key)


def _columns(raw: RawFile, heads: Row, place: str) -> list[Column]:
    columns = []
    for index, head in enumerate(heads):
        quantity = None if is_blank(head) else known_quantity(head, raw.name, place)
        if quantity is not None:
            columns.append(Column(index, normal_head(head), quantity.indicator, quantity.scope or "unstated", quantity.factor))
    return columns


def _keys(raw: RawFile, heads: Row, place: str) -> Keys:
    names = [clean_name(str(head)).lower() for head in heads]

    def index_of(wanted: tuple[str, ...]) -> int | None:
        return next((names.index(name) for name in wanted if name in names), None)

    city, year = index_of(CITY_HEADS), index_of(YEAR_HEADS)
    if city is None or year is None:
        missing = CITY_HEADS[0] if city is None else YEAR_HEADS[0]
        problem = f"column {missing} is missing; columns found: {', '.join(names[:8])}"
        raise SourceError(raw.name, place, problem, f"Add the column {missing}, or rename the one that holds it")
    return Keys(city=city, year=year, code=index_of(CODE_HEADS))


def _without_shifted_rows(raw: RawFile, delivery: Delivery, rows: Sequence[NumberedRow], columns: Sequence[Column], width: int) -> list[NumberedRow]:
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
