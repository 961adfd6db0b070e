"""Workbooks: xlsx and xls, read as values only (no formula or macro is ever run), with a limit on
their size.

What is hidden is not read, since a person who looks at the workbook does not see it: sheets in both
kinds, rows and columns in xlsx. Rows that a filter hides are read: whoever looked something up in a
table, and left the filter on, took nothing out of it.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.workbook_extent import (
    MAX_CELLS,
    Extent,
    letters,
    look_through,
    refuse_bomb,
)

MAX_CHARACTERS = 1024 * 1024 * 1024
WHOLE_SHEET = "(the whole sheet)"
WORKER = Path(__file__).with_name("workbook_worker.py")
XLSX_MARK = b"PK\x03\x04"
XLS_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
Rows = list[list[object]]


@dataclass(frozen=True)
class Hidden:
    """What a person does not see of a sheet and what is not read therefore: a column by its
    position (1-based), or rows, or all of it.
    """

    sheet: str
    head: str
    reason: str
    column: int = 0


@dataclass(frozen=True)
class _Workbook:
    sheets: dict[str, Rows]
    hidden: list[Hidden]


def is_workbook(raw: RawFile) -> bool:
    return raw.head.startswith((XLSX_MARK, XLS_MARK))


def read_workbook(raw: RawFile) -> dict[str, Rows]:
    """Every visible sheet's rows from its first cell on; blank cells and hidden ones are "",
    numbers float, text str, dates datetime.

    The last workbook is remembered, since each layout looks into it to recognise its own: do not
    change the rows.

    Raises
    ------
    SourceError : a workbook that is truncated, encrypted, of another kind than xlsx and xls,
        unpacks to more than
        1 GiB or 250 times its size, whose sheets span more than 20 million cells, or that holds
        formulas without results.
    """
    return _read_workbook(raw.path, raw.fingerprint, raw.label).sheets


def hidden_parts(raw: RawFile) -> list[Hidden]:
    """What of a workbook holds something and is hidden, so that it was not read. Raises as
    `read_workbook` does.
    """
    return _read_workbook(raw.path, raw.fingerprint, raw.label).hidden


@lru_cache(maxsize=1)
def _read_workbook(path: Path, fingerprint: str, label: str) -> _Workbook:
    raw = RawFile(path, fingerprint, label=label)
    covered: dict[str, Extent] = {}
    if raw.head.startswith(XLSX_MARK):
        refuse_bomb(raw)
        covered = look_through(raw)
    found, hidden = _cells_of(raw)
    for name, extent in covered.items():
        if name in found:
            hidden += _cover(name, found[name], extent)
    if hidden and not found:
        raise SourceError(
            raw.name,
            "",
            "has no sheet that is not hidden",
            "Show the sheet that is meant, save it and refresh",
        )
    return _Workbook(found, hidden)


def _cover(sheet: str, rows: Rows, extent: Extent) -> list[Hidden]:
    """Blank hidden rows and columns, and say which of them held something."""
    hidden = []
    for span in extent.hidden_rows:
        filled = 0
        for row in rows[span.start - 1 : span.stop - 1]:
            filled += any(cell != "" for cell in row)
            row[:] = [""] * len(row)
        if filled:
            named = (
                f"(row {span.start})"
                if len(span) == 1
                else f"(rows {span.start} to {span.stop - 1})"
            )
            hidden.append(
                Hidden(
                    sheet, named, f"hidden; {filled} row{'' if filled == 1 else 's'} with content"
                )
            )
    width = max(map(len, rows), default=0)
    for at in dict.fromkeys(
        column - 1 for span in extent.hidden_columns for column in span if column <= width
    ):
        texts = [str(row[at]) for row in rows if at < len(row) and row[at] != ""]
        for row in rows:
            if at < len(row):
                row[at] = ""
        if texts:
            hidden.append(Hidden(sheet, texts[0], f"column {letters(at + 1)} is hidden", at + 1))
    return hidden


def _cells_of(raw: RawFile) -> tuple[dict[str, Rows], list[Hidden]]:
    """The rows of all visible sheets and the names of the others, read by a process of its own: a
    damaged workbook can end the one that reads it.
    """
    command = [
        sys.executable,
        "-P",
        str(WORKER),
        str(raw.path.absolute()),
        str(MAX_CELLS),
        str(MAX_CHARACTERS),
    ]
    sheets: dict[str, Rows] = {}
    rows: Rows = []
    hidden: list[Hidden] = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as worker:
        assert worker.stdout is not None
        try:
            while (message := pickle.load(worker.stdout))[0] in ("hidden", "sheet", "rows"):
                if message[0] == "hidden":
                    hidden.append(Hidden(message[1], WHOLE_SHEET, "the sheet is hidden"))
                elif message[0] == "sheet":
                    rows = sheets.setdefault(message[1], [])
                else:
                    rows.extend(message[1])
        except (EOFError, pickle.UnpicklingError):
            message = ("broken", "it takes more memory or time than a workbook may")
        finally:
            worker.kill()  # ended already, unless this process was interrupted
    _refuse_unread(raw, message)
    return sheets, hidden


def _refuse_unread(raw: RawFile, message: tuple[str, ...]) -> None:
    """The worker's last word: done, or why it could not."""
    if message[0] == "broken":
        raise SourceError(
            raw.name,
            "",
            f"cannot be read as a workbook ({message[1]})",
            "Open it in a spreadsheet program, save it again and refresh",
        )
    if message[0] == "large":
        raise SourceError(
            raw.name,
            message[1],
            message[2],
            "Delete what holds nothing of use, such as far rows and columns, "
            "save it again and refresh",
        )
