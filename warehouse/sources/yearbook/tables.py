"""A yearbook file as tables of rows, whatever its kind: csv text, a workbook, or a Stata file.

A Stata file's names stand in the first row; what its variables are labelled is kept, for an import from a spreadsheet
leaves the head as it was in the label and what Stata allows of it in the name.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.base import RawFile
from warehouse.sources.sheets import is_workbook, read_workbook
from warehouse.sources.text import is_foreign_text, read_rows, sniff_text
from warehouse.sources.yearbook.cells import Row

HEAD_WITHIN = 5  # the heads stand in one of the first rows
MAX_STATA_BYTES = 1024 * 1024 * 1024
FIRST_UTF8_RELEASE = 118  # earlier Stata files do not say how their text is encoded; Chinese ones are in GB18030
OLD_RELEASES = {102, 103, 104, 105, 108, 110, 111, 113, 114, 115}


@dataclass(frozen=True)
class Table:
    """A sheet, a csv or a Stata file; `name` is the sheet's and `kind` one of sheet, csv, stata."""

    name: str
    kind: str
    rows: Sequence[Row]
    labels: dict[str, str] = field(default_factory=dict)

    def place(self, line: int) -> str:
        """How an error names the table: by its sheet, or by a line."""
        return f"sheet {self.name}" if self.kind == "sheet" else f"line {line}" if self.kind == "csv" else ""


def first_rows(raw: RawFile) -> list[Table]:
    """What recognising a layout needs: whole workbooks and Stata files (both are remembered), the first lines of a text."""
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


def stata_release(raw: RawFile) -> int | None:
    """The number of a Stata file's format, or None for another kind of file."""
    head = raw.head
    if head.startswith(b"<stata_dta>"):
        found = re.search(rb"<release>(\d{3})</release>", head[:100])
        return int(found[1]) if found else None
    is_old = len(head) > 4 and head[0] in OLD_RELEASES and head[1] in (1, 2) and head[2] in (0, 1)
    return head[0] if is_old else None


@lru_cache(maxsize=1)
def _read_stata(path: Path, fingerprint: str, name: str) -> Table:
    raw = RawFile(path, fingerprint, label=name)
    if path.stat().st_size > MAX_STATA_BYTES:
        raise SourceError(name, "", f"has {path.stat().st_size:,} bytes, more than a city panel can have", "Check that the right file is named")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnicodeWarning)  # a name in another encoding is no known city, and is set aside as such
            with pd.read_stata(path, iterator=True, convert_categoricals=False, convert_dates=False) as reader:
                labels = dict(reader.variable_labels())
            frame = pd.read_stata(path, convert_categoricals=False, convert_dates=False)
    except Exception as error:  # a cut file raises whatever its reader stumbles over
        raise SourceError(name, "", f"cannot be read as a Stata file ({error})", "Fetch the file again: it may be cut off") from error
    release = stata_release(raw)
    decode = _from_gb18030 if release is not None and release < FIRST_UTF8_RELEASE else _as_is
    heads: list[object] = [decode(str(head)) for head in frame.columns]
    columns = []
    for at in range(len(frame.columns)):
        values = frame.iloc[:, at].astype(object)
        present = values.notna()
        columns.append([decode(cell) if isinstance(cell, str) else cell if known else None for cell, known in zip(values.tolist(), present, strict=True)])
    rows: list[Row] = [heads, *(list(row) for row in zip(*columns, strict=True))]
    return Table("", "stata", rows, {decode(str(head)): decode(label) for head, label in labels.items()})


def _from_gb18030(text: str) -> str:
    """Text that was taken for Latin-1; a character that a fixed width cut in two ends as U+FFFD."""
    return text.encode("latin-1", errors="replace").decode("gb18030", errors="replace")


def _as_is(text: str) -> str:
    return text
