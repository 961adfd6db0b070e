"""The lists of cities on an official sheet: where each begins and ends, and what stands over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from warehouse.dictionary.places import clean_name
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import Rows
from warehouse.sources.yearbook.cells import (
    Row,
    to_number,
)
from warehouse.sources.yearbook.editions import configured_yearbook
from warehouse.sources.yearbook.headers import SCOPES
from warehouse.sources.yearbook.parsing import (
    normal_head,
    split_head,
    unit_above,
)

HEAD_ROWS = 3  # rows above the names' head in which a head may stand
NAME_HEADS = {"城市", "城市名称", "地区", "市名"}
NUMBER_HEADS = {"序号", "编号", "no", "no."}
YEAR_HEADS = {"年份", "年度", "年", "year"}
FIRST_YEAR, LAST_YEAR = 1949, 2100
SCOPELESS_WITHIN = 20  # a table without scopes has its row of names in one of the first rows
TABLE_NUMBER = re.compile(r"\d{1,2}-\d{1,3}[^\d]")  # 2-12对外经济贸易(全市)


@dataclass(frozen=True)
class Block:
    """A list of cities in a sheet with its heads: rows from `head_from` to `head_to` (0-based),
    cities up to `end`.

    name_at : the column of the cities' names; the block's columns are those up to `right`
    left : the first column that belongs to the block
    """

    sheet: str
    rows: Rows
    above_from: int
    head_from: int
    head_to: int
    end: int
    name_at: int
    right: int
    left: int = 0

    @cached_property
    def year_at(self) -> int | None:
        """The column that says the year of each row, in a compilation of several yearbooks."""
        for index in range(self.left, self.right):
            heads = [self.own(at, index) for at in range(self.head_from, self.head_to + 1)]
            below = [
                row[index] for row in self.rows[self.head_to + 1 : self.end] if index < len(row)
            ]
            numbers = [number for cell in below if (number := to_number(cell)) == number]
            if (
                any(clean_name(head).lower() in YEAR_HEADS for head in heads)
                and numbers
                and all(FIRST_YEAR <= number <= LAST_YEAR for number in numbers)
            ):
                return index
        return None

    @cached_property
    def title(self) -> list[str]:
        """The texts above the heads, from the block before on."""
        return self._texts(self.above_from, self.head_to + 1)

    @cached_property
    def scope_rows(self) -> list[int]:
        heads = range(self.head_from, self.head_to + 1)
        return [at for at in heads if any(scope_in(cell) for cell in self._cells(at))]

    def is_scope_over_heads(self, at: int) -> bool:
        """Whether a row of scopes stands over all heads, merged over those of its scope, and not
        below them.
        """
        above = range(self.head_from, at)
        columns = range(self.name_at + 1, self.right)
        return at < self.head_to and not any(self.own(up, i) for up in above for i in columns)

    @cached_property
    def unit(self) -> str | None:
        """The one unit stated above the heads."""
        above = self._texts(self.above_from, self.head_from)
        among = self._texts(self.head_from, self.head_to + 1)
        units = {unit_above(text) for text in above}
        units |= {unit_above(text, is_alone=True) for text in among}
        units.discard(None)
        return units.pop() if len(units) == 1 else None

    @cached_property
    def title_scope(self) -> str | None:
        found = {
            SCOPES[word]
            for text in self._texts(self.above_from, self.head_from)
            for word in re.findall(r"\((全市|市辖区)\)", normal_head(text))
        }
        return found.pop() if len(found) == 1 else None

    def _texts(self, start: int, stop: int) -> list[str]:
        return [
            str(cell)
            for row in self.rows[start:stop]
            for cell in row
            if isinstance(cell, str) and clean_name(cell)
        ]

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
                return text if left == index or not scope_in(text) else ""
            if any(self.own(up, left) for up in range(self.head_from, at)):
                return ""  # another head begins here
        return ""


def blocks_of(raw: RawFile, workbook: dict[str, Rows]) -> Iterator[Block]:
    for sheet, rows in workbook.items():
        regions = list(_head_regions(rows))
        if not any(
            scope_in(cell) for at, to in regions for row in rows[at : to + 1] for cell in row[1:]
        ):
            regions = [region for region in regions[:1] if _is_official(raw, sheet, rows, *region)]
        before = 0
        for (start, stop), (following, _) in pairwise([*regions, (len(rows), len(rows))]):
            head_from, before_right = _head_from(rows, start), 0
            for name_at, right in _segments(rows, start, stop):
                left = name_at if before_right else 0
                yield Block(sheet, rows, before, head_from, stop, following, name_at, right, left)
                before_right = right
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
        any(chinese_name(cell) in NAME_HEADS for cell in row if isinstance(cell, str))
        or any(scope_in(cell) for cell in row[1:])
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
        if not scope_in(cell) and chinese_name(cell) not in NAME_HEADS | NUMBER_HEADS
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
            if isinstance(cell, str) and chinese_name(cell) in NAME_HEADS
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


def scope_in(cell: object) -> str | None:
    """全市 and 市辖区, alone or before their English translation."""
    if not isinstance(cell, str) or not cell:
        return None
    return SCOPES.get(re.sub(r"[\x00-\x7f]+$", "", clean_name(cell.replace("_x000D_", ""))))


def chinese_name(cell: object) -> str:
    """The Chinese half of a name cell that carries both languages (杭州市 Hangzhou)."""
    return re.sub(r"(?<=[^\x00-\x7f])[A-Za-z][\x00-\x7f]*$", "", clean_name(str(cell)))
