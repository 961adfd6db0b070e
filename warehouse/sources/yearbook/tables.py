"""A yearbook file as tables of rows, whatever its kind: csv text, a workbook, or a Stata file.

A Stata file's names stand in the first row; what its variables are labelled is kept, for an import
from a spreadsheet leaves the head as it was in the label and what Stata allows of it in the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from warehouse.errors import SourceError
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.stata import stata_frame, stata_labels
from warehouse.sources.reading.stata_header import stata_release
from warehouse.sources.reading.text import is_foreign_text, read_rows, sniff_text
from warehouse.sources.yearbook.cells import Row

HEAD_WITHIN = 5  # the heads stand in one of the first rows
MAX_STATA_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Table:
    """A sheet, a csv or a Stata file; `name` is the sheet's and `kind` one of sheet, csv, stata."""

    name: str
    kind: str
    rows: Sequence[Row]
    labels: dict[str, str] = field(default_factory=dict)

    def place(self, line: int) -> str:
        """How an error names the table: by its sheet, or by a line."""
        return (
            f"sheet {self.name}"
            if self.kind == "sheet"
            else f"line {line}"
            if self.kind == "csv"
            else ""
        )


def first_rows(raw: RawFile) -> list[Table]:
    """What recognising a layout needs: whole workbooks and Stata files (both are remembered), the
    first lines of a text.
    """
    if is_workbook(raw) or stata_release(raw) is not None:
        return tables_of(raw)
    text = sniff_text(raw)
    lines = [] if text is None or is_foreign_text(raw) else text.splitlines()[:HEAD_WITHIN]
    return [Table("", "csv", [[cell.strip('"') for cell in line.split(",")] for line in lines])]


def tables_of(raw: RawFile) -> list[Table]:
    """
    Raises
    ------
    SourceError : a file that cannot be read, or is neither UTF-8 nor GB18030.
    """
    if is_workbook(raw):
        return [Table(name, "sheet", rows) for name, rows in read_workbook(raw).items()]
    if stata_release(raw) is not None:
        return [_read_stata(raw.path, raw.fingerprint, raw.name)]
    return [Table("", "csv", read_rows(raw))]


@lru_cache(maxsize=1)
def _read_stata(path: Path, fingerprint: str, name: str) -> Table:
    raw = RawFile(path, fingerprint, label=name)
    if path.stat().st_size > MAX_STATA_BYTES:
        raise SourceError(
            name,
            "",
            f"has {path.stat().st_size:,} bytes, more than a city panel can have",
            "Check that the right file is named",
        )
    labels, frame = stata_labels(raw), stata_frame(raw)
    heads: list[object] = [str(head) for head in frame.columns]
    columns = []
    for at in range(len(frame.columns)):
        values = frame.iloc[:, at].astype(object)
        present = values.notna()
        columns.append(
            [cell if known else None for cell, known in zip(values.tolist(), present, strict=True)]
        )
    rows: list[Row] = [heads, *(list(row) for row in zip(*columns, strict=True))]
    return Table("", "stata", rows, labels)
