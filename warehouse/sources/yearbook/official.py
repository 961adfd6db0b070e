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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.yearbook import printed
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    Row,
    count_cells,
    is_aggregate,
    is_note,
    melt,
    to_number,
)
from warehouse.sources.yearbook.editions import configured_yearbook, yearbook_year
from warehouse.sources.yearbook.headers import SCOPES
from warehouse.sources.yearbook.judging import deliver
from warehouse.sources.yearbook.parsing import (
    Head,
    Quantity,
    normal_head,
    quantity_or_reason,
    split_head,
    unit_above,
)

VINTAGE = "yearbook_sheet"
HEAD_ROWS = 3  # rows above the names' head in which a head may stand
NAME_HEADS = {"城市", "城市名称", "地区", "市名"}
NUMBER_HEADS = {"序号", "编号", "no", "no."}
YEAR_HEADS = {"年份", "年度", "年", "year"}
SCOPELESS_WITHIN = 20  # a table without scopes has its row of names in one of the first rows
TABLE_NUMBER = re.compile(r"\d{1,2}-\d{1,3}[^\d]")  # 2-12对外经济贸易(全市)
NEUTRAL = {
    "",
    "合计",
    "总计",
    "总量",
    "总数",
}  # a lower head that leaves the quantity of the upper one as it is
# An upper head with one of these words makes another quantity of the head below it.
CHANGING = re.compile("人均|每|比重|占|增长|增速|增加率|指数|比例|构成")


@dataclass(frozen=True)
class Block:
    """A list of cities in a sheet with its heads: rows from `head_from` to `head_to` (0-based),
    cities up to `end`.

    name_at : the column of the cities' names; the block's columns are those up to `right`
    """

    sheet: str
    rows: Rows
    above_from: int
    head_from: int
    head_to: int
    end: int
    name_at: int
    right: int

    @cached_property
    def title(self) -> list[str]:
        """The texts above the heads, from the block before on."""
        rows = self.rows[self.above_from : self.head_to + 1]
        return [
            str(cell) for row in rows for cell in row if isinstance(cell, str) and clean_name(cell)
        ]

    @cached_property
    def scope_rows(self) -> list[int]:
        heads = range(self.head_from, self.head_to + 1)
        return [at for at in heads if any(_scope(cell) for cell in self._cells(at))]

    @cached_property
    def unit(self) -> str | None:
        """The one unit stated above the heads."""
        units = {unit for text in self.title if (unit := unit_above(text))}
        return units.pop() if len(units) == 1 else None

    @cached_property
    def title_scope(self) -> str | None:
        above = [
            str(cell)
            for row in self.rows[self.above_from : self.head_from]
            for cell in row
            if isinstance(cell, str)
        ]
        found = {
            SCOPES[word]
            for text in above
            for word in re.findall(r"\((全市|市辖区)\)", normal_head(text))
        }
        return found.pop() if len(found) == 1 else None

    def _cells(self, at: int) -> Row:
        return self.rows[at][self.name_at + 1 : self.right]

    def own(self, at: int, index: int) -> str:
        """The text that stands in a cell of the heads itself."""
        row = self.rows[at]
        return (
            str(row[index])
            if index < len(row) and isinstance(row[index], str) and clean_name(str(row[index]))
            else ""
        )

    def over(self, at: int, index: int) -> str:
        """The text over a column in one row of heads: its own, or that of a cell merged over
        several columns.
        """
        for left in range(index, self.name_at, -1):
            if text := self.own(at, left):
                return text if left == index or not _scope(text) else ""
            if any(self.own(up, left) for up in range(self.head_from, at)):
                return ""  # another head begins here
        return ""


def recognise(raw: RawFile) -> bool:
    return is_workbook(raw) and any(True for _ in _blocks(raw, read_workbook(raw)))


def read(raw: RawFile, delivery: Delivery) -> None:
    workbook = read_workbook(raw)
    parts: list[pd.DataFrame] = []
    for block in _blocks(raw, workbook):
        columns, fates = _columns(raw, block)
        if columns:
            year = _yearbook(raw, workbook, block)
            keys = Keys(city=block.name_at, fixed_year=year - 1)
            rows = _rows(block, keys, columns)
            delivery.read_n += count_cells(rows, columns)
            parts.append(melt(rows, columns, keys, f"sheet {block.sheet}"))
        for head, indicator, reason in fates:
            delivery.column(block.sheet, head, indicator, reason)
    if parts:  # a table on another subject has its heads named, and gives nothing
        deliver(delivery, pd.concat(parts, ignore_index=True), VINTAGE)


def _blocks(raw: RawFile, workbook: dict[str, Rows]) -> Iterator[Block]:
    for sheet, rows in workbook.items():
        regions = list(_head_regions(rows))
        if not any(
            _scope(cell) for at, to in regions for row in rows[at : to + 1] for cell in row[1:]
        ):
            regions = [region for region in regions[:1] if _is_official(raw, sheet, rows, *region)]
        before = 0
        for (start, stop), (following, _) in pairwise([*regions, (len(rows), len(rows))]):
            head_from = _head_from(rows, start)
            for name_at, right in _segments(rows, start, stop):
                yield Block(sheet, rows, before, head_from, stop, following, name_at, right)
            before = stop + 1


def _head_regions(rows: Rows) -> Iterator[tuple[int, int]]:
    """First and last row of each run of heads: rows with 城市 or with scopes, and rows of texts
    below them.
    """
    at = 0
    while at < len(rows):
        if not _is_anchor(rows[at]):
            at += 1
            continue
        stop = at
        while stop + 1 < len(rows) and (
            _is_anchor(rows[stop + 1]) or _is_lower_head(rows[stop + 1])
        ):
            stop += 1
        yield at, stop
        at = stop + 1


def _is_anchor(row: Row) -> bool:
    return bool(row) and (
        any(_chinese_name(cell) in NAME_HEADS for cell in row if isinstance(cell, str))
        or any(_scope(cell) for cell in row[1:])
    )


def _is_lower_head(row: Row) -> bool:
    """A row of heads below 城市: no name, no number, some text."""
    texts = [cell for cell in row if isinstance(cell, str) and clean_name(cell)]
    has_number = any(isinstance(cell, float) or to_number(cell) == to_number(cell) for cell in row)
    return bool(texts) and not has_number and not (isinstance(row[0], str) and clean_name(row[0]))


def _head_from(rows: Rows, anchor: int) -> int:
    """The row in which the heads begin: that of 城市 if heads stand beside it, else up to three
    rows above.
    """
    own = [
        cell
        for cell in rows[anchor][1:]
        if isinstance(cell, str) and re.search(r"[^\x00-\x7f]", cell)
    ]
    beside = [
        cell
        for cell in own
        if not _scope(cell) and _chinese_name(cell) not in NAME_HEADS | NUMBER_HEADS
    ]
    return anchor if beside else max(0, anchor - HEAD_ROWS)


def _segments(rows: Rows, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Column of names and end of each list of cities; lists stand beside each other where 城市
    stands more than once.
    """
    width = max(len(row) for row in rows[start : stop + 1])
    for row in rows[start : stop + 1]:
        names = [
            at
            for at, cell in enumerate(row)
            if isinstance(cell, str) and _chinese_name(cell) in NAME_HEADS
        ]
        if names:
            yield from pairwise([*names, width])
            return
    yield 0, width


def _is_official(raw: RawFile, sheet: str, rows: Rows, start: int, stop: int) -> bool:
    """Whether a table without scopes is a yearbook's: known heads with units, no years beside the
    names, and a title.
    """
    if start > SCOPELESS_WITHIN:
        return False
    head_from = _head_from(rows, start)
    cells = [
        cell
        for row in rows[head_from : stop + 1]
        for cell in row
        if isinstance(cell, str) and clean_name(cell)
    ]
    if {clean_name(cell).lower() for cell in cells} & YEAR_HEADS:
        return False
    over = [str(cell) for row in rows[:start] for cell in row if isinstance(cell, str)]
    unit = any(unit_above(text) for text in over)
    said = any("年鉴" in text or "yearbook" in text.lower() for text in [*over, sheet])
    titled = (
        said
        or configured_yearbook(raw) is not None
        or any(TABLE_NUMBER.match(clean_name(text)) for text in over)
    )
    heads = [split_head(cell) for cell in cells if re.search(r"[^\x00-\x7f]", cell)]
    counting = [
        head for head in heads if head.style == "plain" and head.key and head.key not in NAME_HEADS
    ]
    beside = any(clean_name(cell).lower() == "city" for cell in cells)
    return titled and bool(counting) and (unit or beside or any(head.unit for head in counting))


Fate = tuple[str, str | None, str]  # head as printed, indicator, reason for which it is not read


def _columns(raw: RawFile, block: Block) -> tuple[list[Column], list[Fate]]:
    """The columns that are read, and what became of every one."""
    is_labour = _is_labour(block)
    columns: list[Column] = []
    fates: list[Fate] = []
    read: set[tuple[str, str]] = set()
    for index in range(block.name_at + 1, block.right):
        texts = [
            text
            for at in range(block.head_to, block.head_from - 1, -1)
            if (text := block.over(at, index))
        ]
        chinese = [
            text
            for text in texts
            if not _scope(text) and re.search(r"[^\x00-\x7f]", normal_head(text))
        ]
        chinese = [text for text in chinese if _chinese_name(text) not in NAME_HEADS | NUMBER_HEADS]
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


def _scope_of(block: Block, index: int) -> str | None:
    """The scope of a column; None where its cell is empty beside others that say it."""
    for at in reversed(block.scope_rows):
        if scope := _scope(block.own(at, index)):
            return scope
        begins = any(block.own(up, index) for up in range(block.head_from, at))
        continues = not any(block.own(up, index + 1) for up in range(block.head_from, at))
        if (
            begins
            and continues
            and not block.own(at, index)
            and _scope(block.own(at, index + 1)) == "district"
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
        name = _chinese_name(row[block.name_at]) if block.name_at < len(row) else ""
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


def _scope(cell: object) -> str | None:
    """全市 and 市辖区, alone or before their English translation."""
    if not isinstance(cell, str) or not cell:
        return None
    return SCOPES.get(re.sub(r"[\x00-\x7f]+$", "", clean_name(cell.replace("_x000D_", ""))))


def _chinese_name(cell: object) -> str:
    """The Chinese half of a name cell that carries both languages (杭州市 Hangzhou)."""
    return re.sub(r"(?<=[^\x00-\x7f])[A-Za-z][\x00-\x7f]*$", "", clean_name(str(cell)))


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
