"""Tables whose heads stand somewhere in the first rows of a csv or a workbook, read piece by piece
as text.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.text import csv_rows, is_utf8, sniff_text

HEAD_WITHIN = 10
PIECE = 50_000
Cells = list[str]
IsHead = Callable[[Cells], bool]


@dataclass(frozen=True)
class Headed:
    """Some rows of a table: its heads, and rows with their line; every row has as many cells as
    there are heads, or more.
    """

    place: str
    heads: Cells
    rows: list[tuple[int, Cells]]

    @property
    def sheet(self) -> str:
        return self.place.removeprefix("sheet ")


def has_head(raw: RawFile, is_head: IsHead) -> bool:
    """Whether a row that `is_head` knows stands among the first ten of a csv or of a workbook's
    sheet.
    """
    if is_workbook(raw):
        return any(
            is_head([as_text(cell) for cell in row])
            for rows in read_workbook(raw).values()
            for row in rows[:HEAD_WITHIN]
        )
    text = sniff_text(raw)
    return text is not None and any(
        is_head([as_text(cell) for cell in row])
        for row in islice(csv.reader(text.splitlines()), HEAD_WITHIN)
    )


def read_headed(raw: RawFile, is_head: IsHead) -> Iterator[Headed]:
    """The rows below the heads, blank ones left out, at most `PIECE` at a time; of a workbook,
    those of the first sheet that has the heads.

    Raises
    ------
    SourceError : no such heads, no row below them, or text that is neither UTF-8 nor GB18030.
    """
    place, rows = _rows(raw, is_head)
    heads: Cells = []
    for line, cells in rows:
        if is_head(cells):
            heads = cells
            break
        if line >= HEAD_WITHIN:
            break
    if not heads:
        raise SourceError(
            raw.name,
            place,
            "has no row of heads that is known",
            "Compare it with the layouts in README.md",
        )
    found = False
    filled = (
        (line, cells + [""] * (len(heads) - len(cells))) for line, cells in rows if any(cells)
    )
    while piece := list(islice(filled, PIECE)):
        found = True
        yield Headed(place, heads, piece)
    if not found:
        raise SourceError(
            raw.name, place, "has heads and no rows", "Fetch the file again from its publisher"
        )


def as_text(cell: object) -> str:
    """A cell without blanks; a whole number loses its `.0`."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return clean_name(str(cell))


def _rows(raw: RawFile, is_head: IsHead) -> tuple[str, Iterator[tuple[int, Cells]]]:
    if not is_workbook(raw):
        return "", _csv_rows(raw)
    for name, rows in read_workbook(raw).items():
        if any(is_head([as_text(cell) for cell in row]) for row in rows[:HEAD_WITHIN]):
            return f"sheet {name}", (
                (line, [as_text(cell) for cell in row]) for line, row in enumerate(rows, start=1)
            )
    return "", iter(())


def _csv_rows(raw: RawFile) -> Iterator[tuple[int, Cells]]:
    for line, cells in csv_rows(raw, "utf-8-sig" if is_utf8(raw) else "gb18030"):
        yield line, [as_text(cell) for cell in cells]
