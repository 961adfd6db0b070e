"""The statistics office's own sheets: one yearbook's cities below each other, 全市 and 市辖区 side
by side.

    中国城市统计年鉴2012
                     |         | 年末总人口(万人)  |        | 地区生产总值(当年价格)(万元) |
    城市             | City    | 全市             | 市辖区 | 全市                        | 市辖区
    石家庄市         | ...     | 1005.1           | 248.8  | 40826500                    | ...

Heads may stand beside 城市 or above it, in one to three rows, with English glued to them and the
unit in them or in a line above (单位：万元); a table without a row of scopes has its scope in its
title, or none. Several lists of cities may stand beside each other. Yearbook N prints year N-1.
Rows of provinces and of the nation stand between those of the cities and are passed over.
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.yearbook import printed
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    count_cells,
    is_aggregate,
    is_note,
    melt,
)
from warehouse.sources.yearbook.editions import yearbook_year
from warehouse.sources.yearbook.judging import deliver
from warehouse.sources.yearbook.official_lists import (
    NAME_HEADS,
    NUMBER_HEADS,
    Block,
    blocks_of,
    chinese_name,
    scope_in,
)
from warehouse.sources.yearbook.parsing import (
    Head,
    Quantity,
    normal_head,
    quantity_or_reason,
    split_head,
)

VINTAGE = "yearbook_sheet"
COMPILED = "panel_indicator_scope_unit"  # what a panel of several yearbooks is ranked as
NEUTRAL = {
    "",
    "合计",
    "总计",
    "总量",
    "总数",
}  # a lower head that leaves the quantity of the upper one as it is
# An upper head with one of these words makes another quantity of the head below it.
CHANGING = re.compile("人均|每|比重|占|增长|增速|增加率|指数|比例|构成")


def recognise(raw: RawFile) -> bool:
    return is_workbook(raw) and any(True for _ in blocks_of(raw, read_workbook(raw)))


def read(raw: RawFile, delivery: Delivery) -> None:
    workbook = read_workbook(raw)
    parts: list[pd.DataFrame] = []
    are_compiled = False
    for block in blocks_of(raw, workbook):
        columns, fates = _columns(raw, block)
        if columns:
            keys = _keys(raw, workbook, block)
            are_compiled |= keys.year is not None
            rows = _rows(block, keys, columns)
            delivery.read_n += count_cells(rows, columns)
            parts.append(melt(rows, columns, keys, f"sheet {block.sheet}"))
        for head, indicator, reason in fates:
            delivery.column(block.sheet, head, indicator, reason)
    if parts:  # a table on another subject has its heads named, and gives nothing
        vintage = COMPILED if are_compiled else VINTAGE
        deliver(delivery, pd.concat(parts, ignore_index=True), vintage)


def _keys(raw: RawFile, workbook: dict[str, Rows], block: Block) -> Keys:
    """A sheet with a column of years is no edition's: its rows are of their own years."""
    if block.year_at is not None:
        return Keys(city=block.name_at, year=block.year_at)
    return Keys(city=block.name_at, fixed_year=_yearbook(raw, workbook, block) - 1)


Fate = tuple[str, str | None, str]  # head as printed, indicator, reason for which it is not read


def _columns(raw: RawFile, block: Block) -> tuple[list[Column], list[Fate]]:
    """The columns that are read, and what became of every one."""
    is_labour = _is_labour(block)
    columns: list[Column] = []
    fates: list[Fate] = []
    read: set[tuple[str, str]] = set()
    for index in range(block.name_at + 1, block.right):
        if index == block.year_at:
            continue
        chinese = _heads_over(block, index)
        if not chinese:
            continue
        scope, said = (
            _scope_of(block, index),
            " ".join(normal_head(text) for text in reversed(chinese[:2])),
        )
        if scope is None:
            fates.append(
                (said, None, "its cell for 全市 or 市辖区 is empty, beside others that say it")
            )
            continue
        quantity = _quantity(chinese, block, is_labour)
        scope_zh = {"city": "全市", "district": "市辖区"}.get(scope, "")
        named = f"{said} {scope_zh}".strip()
        if isinstance(quantity, str):
            fates.append((named, None, quantity))
            continue
        if (normal_head(chinese[0]), scope) in read:
            problem = f"has the head {normal_head(chinese[0])!r} twice in one list of cities"
            raise SourceError(
                raw.name, f"sheet {block.sheet}", problem, "Delete or rename one of the two columns"
            )
        read.add((normal_head(chinese[0]), scope))
        columns.append(
            Column(index, normal_head(chinese[0]), quantity.indicator, scope, quantity.factor)
        )
        fates.append((named, quantity.indicator, ""))
    return columns, fates


def _heads_over(block: Block, index: int) -> list[str]:
    """The Chinese heads over a column, lowest first."""
    texts = [
        text
        for at in range(block.head_to, block.head_from - 1, -1)
        if (text := block.over(at, index))
    ]
    chinese = [
        text
        for text in texts
        if not scope_in(text) and re.search(r"[^\x00-\x7f]", normal_head(text))
    ]
    return [text for text in chinese if chinese_name(text) not in NAME_HEADS | NUMBER_HEADS]


def _scope_of(block: Block, index: int) -> str | None:
    """The scope of a column; None where its cell is empty beside others that say it."""
    for at in reversed(block.scope_rows):
        if block.is_scope_over_heads(at):
            said = (scope_in(block.own(at, left)) for left in range(index, block.name_at, -1))
            return next((scope for scope in said if scope), block.title_scope)
        if scope := scope_in(block.own(at, index)):
            return scope
        begins = any(block.own(up, index) for up in range(block.head_from, at))
        continues = not any(block.own(up, index + 1) for up in range(block.head_from, at))
        if (
            begins
            and continues
            and not block.own(at, index)
            and scope_in(block.own(at, index + 1)) == "district"
        ):
            return "city"  # the first of a pair, whose cell was left empty
    return block.title_scope or (None if block.scope_rows else "unstated")


def _quantity(texts: list[str], block: Block, is_labour: bool) -> Quantity | str:
    """What the heads over a column count, lowest head first, or why it is not read."""
    heads = [split_head(text) for text in texts]
    unit = (
        next((head.unit for head in heads if head.unit and head.key in NEUTRAL), None) or block.unit
    )
    heads = [head for head in heads if head.key not in NEUTRAL] or heads[:1]
    lowest, upper = heads[0], heads[1:]
    bare = printed.labour_head(lowest.key) if is_labour else None
    tries = (
        [Head(bare, None, lowest.unit, "plain", lowest.year)]
        if bare
        else [lowest, *_joined(lowest, upper)]
    )
    reason = ""
    for head in tries:
        found = quantity_or_reason(head, head.key, unit)
        if isinstance(found, str) and "has no unit" in found:
            found = quantity_or_reason(head, head.key, _unit_by_rule(head))
        if not isinstance(found, str):
            changed = next((up for up in upper if CHANGING.search(up.key)), None)
            if changed is None or lowest.unit or len(tries) == 1:
                return found
            found = f"stands under {changed.key}, which makes another quantity of it"
        reason = reason or found
    return reason


def _joined(lowest: Head, upper: list[Head]) -> list[Head]:
    """The lowest head as a part of the one above it: 地区生产总值, and below it 第一产业."""
    return [
        Head(up.key + lowest.key, None, lowest.unit or up.unit, "plain", lowest.year)
        for up in upper[:1]
    ]


def _unit_by_rule(head: Head) -> str | None:
    found = printed.find_header(head.key)
    return None if found is None else printed.WITHOUT_UNIT.get(found.indicator)


def _is_labour(block: Block) -> bool:
    keys = {
        split_head(block.own(at, index)).key
        for at in range(block.head_from, block.head_to + 1)
        for index in range(block.right)
    }
    return sum(printed.labour_head(key) is not None for key in keys if key) >= printed.LABOUR_LEAST


def _rows(block: Block, keys: Keys, columns: list[Column]) -> list[NumberedRow]:
    """The rows of cities with their names as meant, those of provinces and notes left out."""
    rows: list[tuple[int, list[object]]] = []
    for at in range(block.head_to + 1, block.end):
        row = list(block.rows[at])
        name = chinese_name(row[block.name_at]) if block.name_at < len(row) else ""
        if is_aggregate(name) or name in NAME_HEADS or is_note(row, keys, columns):
            continue
        rows.append((at + 1, [*row[: block.name_at], name, *row[block.name_at + 1 :]]))
    english = block.name_at + 1
    printed_names = [
        (str(row[block.name_at]), row[english] if english < len(row) else "") for _, row in rows
    ]
    for (_, row), name in zip(rows, printed.names_as_meant(printed_names), strict=True):
        row[block.name_at] = name
    return list(rows)


def _yearbook(raw: RawFile, workbook: dict[str, Rows], block: Block) -> int:
    elsewhere = [
        str(cell)
        for rows in workbook.values()
        for row in rows[:5]
        for cell in row
        if isinstance(cell, str)
    ]
    place = f"sheet {block.sheet}"
    return yearbook_year(raw, place, block.title, [block.sheet], [raw.path.stem], elsewhere)
