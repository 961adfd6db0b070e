"""The statistics office's own sheets: one yearbook's cities below each other, 全市 and 市辖区 side by side.

    中国城市统计年鉴2012
                     |         | 年末总人口(万人)  |        | 地区生产总值(当年价格)(万元) |
    城市             | City    | 全市             | 市辖区 | 全市                        | 市辖区
    石家庄市         | ...     | 1005.1           | 248.8  | 40826500                    | ...

A table of the yearbook 2001 and before may have no row of scopes; its values are of an unstated scope.
Yearbook N prints year N-1. Rows of provinces and of the nation stand between those of the cities and are passed
over; so are sheets and parts of sheets that have no known head, as long as one has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.yearbook.cells import Column, Keys, NumberedRow, Row, count_cells, deliver, is_aggregate, is_note, melt
from warehouse.sources.yearbook.headers import SCOPES, known_quantity, no_known_column, normal_head, split_head

VINTAGE = "yearbook_sheet"
HEAD_ROWS = 3  # rows above that of the scopes in which a head may stand
NAME_HEADS = {"城市", "城市名称", "地区", "市名"}
YEAR_HEADS = {"年份", "年度", "年", "year"}
SCOPELESS_WITHIN = 8  # a table without scopes has its row of names in one of the first rows
YEAR = r"((?:19|20)\d{2})(?!\d|[-–—~～至](?:19|20)\d{2})"  # one year, not the first of a span
# The year of a yearbook, in a text without blanks. Yearbooks of city construction print the year in their title, and are not meant.
YEARBOOK_YEAR = re.compile(
    rf"(?<!建设统计)年鉴\D{{0,4}}{YEAR}|yearbook\D{{0,4}}{YEAR}"
    rf"|(?<!\d)(?<!\d[-–—~～至]){YEAR}年?版?(?:中国)?(?:城市)?(?:统计)?年鉴"
    rf"|(?<!\d)(?<!\d[-–—~～至]){YEAR}[\W_]?(?:china)?[\W_]?(?:city|urban)?[\W_]?(?:statistical)?[\W_]?yearbook",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """A part of a sheet with its own heads: the row of scopes, or of names (0-based), and the rows of cities below it."""

    sheet: str
    rows: Rows
    scope_at: int
    end: int
    has_scopes: bool = True


def recognise(raw: RawFile) -> bool:
    return is_workbook(raw) and any(True for _ in _blocks(read_workbook(raw)))


def read(raw: RawFile, delivery: Delivery) -> None:
    workbook = read_workbook(raw)
    blocks = list(_blocks(workbook))
    parts: list[pd.DataFrame] = []
    heads: list[str] = []
    for block in blocks:
        place = f"sheet {block.sheet}"
        columns, found = _columns(raw, block, place)
        heads.extend(found)
        if not columns:
            continue
        keys = Keys(city=0, fixed_year=_data_year(raw, workbook, block))
        rows: list[NumberedRow] = [
            (at + 1, block.rows[at]) for at in range(block.scope_at + 1, block.end) if not _is_passed_over(block.rows[at], keys, columns)
        ]
        delivery.read_n += count_cells(rows, columns)
        parts.append(melt([(line, [_chinese_name(row[0]), *row[1:]]) for line, row in rows], columns, keys, place))
    if not parts:
        raise no_known_column(raw.name, f"sheet {blocks[0].sheet}", heads)
    deliver(delivery, pd.concat(parts, ignore_index=True), VINTAGE)


def _blocks(workbook: dict[str, Rows]) -> Iterator[Block]:
    for sheet, rows in workbook.items():
        starts = [at for at, row in enumerate(rows) if sum(_scope(cell) is not None for cell in row[1:]) >= 1]
        if not starts:
            yield from _scopeless(sheet, rows)
            continue
        for start, following in pairwise([*starts, len(rows)]):
            end = following
            while following < len(rows) and end > start + 1 and not any(isinstance(cell, float) for cell in rows[end - 1]):
                end -= 1  # titles and heads of the next part stand above its row of scopes
            yield Block(sheet, rows, start, end)


def _scopeless(sheet: str, rows: Rows) -> Iterator[Block]:
    """A table without scopes: cities' names on the left, heads with units, no column of years, and the word yearbook over it."""
    for at, row in enumerate(rows[:SCOPELESS_WITHIN]):
        texts = {clean_name(cell).lower() for cell in row if isinstance(cell, str)}
        if not row or _chinese_name(row[0]) not in NAME_HEADS or texts & YEAR_HEADS:
            continue
        heads = [split_head(text) for index in range(1, len(row)) for text in _texts_over(rows, at, index)]
        over = [str(cell) for above in rows[:at] for cell in above if isinstance(cell, str)]
        if any(head.unit and head.style == "plain" for head in heads) and any("年鉴" in text or "yearbook" in text.lower() for text in [*over, sheet]):
            yield Block(sheet, rows, at, len(rows), has_scopes=False)
        return


def _texts_over(rows: Rows, at: int, index: int) -> list[str]:
    """The texts of a column from its row of names upwards, for tables that have no pairs of columns."""
    above = (rows[up] for up in range(at, max(-1, at - HEAD_ROWS - 1), -1))
    return [str(row[index]) for row in above if index < len(row) and isinstance(row[index], str) and clean_name(str(row[index]))]


def _columns(raw: RawFile, block: Block, place: str) -> tuple[list[Column], list[str]]:
    """The columns with a known head, and all heads for the error that says that there was none."""
    columns: list[Column] = []
    found: list[str] = []
    above = [block.rows[at] for at in range(block.scope_at - 1, max(-1, block.scope_at - 1 - HEAD_ROWS), -1)]
    for index, cell in enumerate(block.rows[block.scope_at]):
        scope = None if not index else _scope(cell) if block.has_scopes else "unstated"
        if scope is None:
            continue
        texts = [text for row in above if (text := _head_over(row, index))] if block.has_scopes else _texts_over(block.rows, block.scope_at, index)
        found.extend(text for text in texts[:1] if text not in found)
        for text in texts:
            quantity = known_quantity(text, raw.name, place)
            if quantity is not None:
                columns.append(Column(index, normal_head(text), quantity.indicator, scope, quantity.factor))
                break
    return columns, found


def _head_over(row: Row, index: int) -> str:
    """The text over a column: a head stands once over its pair of columns, above the first."""
    for at in (index, index - 1):
        if 0 < at < len(row) and isinstance(row[at], str) and str(row[at]).strip():
            return str(row[at])
    return ""


def _scope(cell: object) -> str | None:
    """全市 and 市辖区, alone or before their English translation."""
    if not isinstance(cell, str):
        return None
    return SCOPES.get(re.sub(r"[\x00-\x7f]+$", "", clean_name(cell)))


def _is_passed_over(row: Row, keys: Keys, columns: list[Column]) -> bool:
    name = _chinese_name(row[0])
    return is_aggregate(name) or name in NAME_HEADS or is_note(row, keys, columns)


def _chinese_name(cell: object) -> str:
    """The Chinese half of a name cell that carries both languages (杭州市 Hangzhou)."""
    return re.sub(r"(?<=[^\x00-\x7f])[A-Za-z][\x00-\x7f]*$", "", clean_name(str(cell)))


def _data_year(raw: RawFile, workbook: dict[str, Rows], block: Block) -> int:
    """The year that the yearbook prints: one less than its own, which stands in the title, the sheet's name or the file's.

    A year counts only beside the word 年鉴 or yearbook: one that stands alone may as well be the year of the numbers.

    Raises
    ------
    SourceError : none of them names a yearbook with its year.
    """
    title = [str(cell) for row in block.rows[: block.scope_at] for cell in row if isinstance(cell, str)]
    elsewhere = [str(cell) for rows in workbook.values() for row in rows[:5] for cell in row if isinstance(cell, str)]
    return yearbook_year(raw, f"sheet {block.sheet}", title, [block.sheet], [raw.path.stem], elsewhere) - 1


def yearbook_year(raw: RawFile, place: str, *sayings: Sequence[str]) -> int:
    """The year of a yearbook: the one that the first group of texts to name just one year beside the word names.

    Raises
    ------
    SourceError : none of them names a yearbook with its year.
    """
    for texts in sayings:
        years = {int(match[match.lastindex or 0]) for text in texts for match in YEARBOOK_YEAR.finditer(re.sub(r"\s", "", text))}
        if len(years) == 1:
            return years.pop()
    raise SourceError(
        raw.name,
        place,
        "does not say which yearbook it is from: neither its title, its name nor the file's name has 年鉴 or yearbook with a year",
        "Name the yearbook in the sheet's title or the file's name, for instance 中国城市统计年鉴2012.xlsx",
    )
