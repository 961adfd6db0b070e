"""Reads one workbook in a process of its own and passes its rows on in pieces: python -P
workbook_worker.py FILE CELLS CHARACTERS

The library that reads workbooks ends its process where a damaged file asks it for more memory than
there is. Nothing of the project is imported here, so that the process starts in a few hundredths of
a second. It ends at a limit of memory and of time.
"""

from __future__ import annotations

import pickle
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import BinaryIO

import python_calamine

MEMORY = 3 * 1024**3
SECONDS = 600
PIECE = 20_000  # cells
LONGEST_CELL = 32_767  # characters, as spreadsheet programs have it
Cell = str | float | bool | datetime | date | time | timedelta


class TooLargeError(Exception):
    """The workbook spans more cells, or holds more text, than it may; the message says where and
    how much.
    """


def main(file: str, cells_max: int, characters_max: int, sink: BinaryIO) -> None:
    """Write, one pickle after the other: ("hidden", name) of a sheet that is, ("sheet", name),
    ("rows", rows) and so on.

    The last one is ("end",), ("broken", text) or ("large", place, text).
    """
    for kind, limit in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(
            kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
        )
    try:
        for message in _messages(file, cells_max, characters_max):
            pickle.dump(message, sink, protocol=pickle.HIGHEST_PROTOCOL)
        last: tuple[str, ...] = ("end",)
    except TooLargeError as error:
        last = ("large", *error.args)
    # the library raises many kinds, some of them plain Exception; all of them mean a damaged file
    except Exception as error:
        last = ("broken", f"{error}")
    pickle.dump(last, sink, protocol=pickle.HIGHEST_PROTOCOL)
    sink.flush()


def _messages(file: str, cells_max: int, characters_max: int) -> Iterator[tuple[object, ...]]:
    cells_n = characters_n = 0
    with python_calamine.CalamineWorkbook.from_path(file) as workbook:
        hidden = {
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.visible != python_calamine.SheetVisibleEnum.Visible
        }
        for name in workbook.sheet_names:
            if name in hidden:
                yield "hidden", name
                continue
            yield "sheet", name
            sheet = workbook.get_sheet_by_name(name)
            if sheet.end is None:
                continue
            columns_n = sheet.end[1] + 1
            cells_n += columns_n * (sheet.end[0] + 1)
            if cells_n > cells_max:
                raise TooLargeError(
                    f"sheet {name}",
                    f"reaches so far that the workbook spans {cells_n:,} cells, more than the"
                    f" {cells_max:,} allowed",
                )
            for rows in _pieces(sheet, columns_n):
                lengths = [len(cell) for row in rows for cell in row if isinstance(cell, str)]
                characters_n += sum(lengths)
                if max(lengths, default=0) > LONGEST_CELL:
                    raise TooLargeError(
                        f"sheet {name}",
                        f"holds a text of {max(lengths):,} characters, more than the"
                        f" {LONGEST_CELL:,} of a cell",
                    )
                if characters_n > characters_max:
                    raise TooLargeError(
                        f"sheet {name}",
                        f"holds more than the {characters_max:,} characters of text allowed",
                    )
                yield "rows", rows


def _pieces(sheet: python_calamine.CalamineSheet, columns_n: int) -> Iterator[list[list[Cell]]]:
    """Rows from the first on, each from column A on; a piece ends early where its text
    grows long.
    """
    before: list[Cell] = [""] * (sheet.start[1] if sheet.start is not None else 0)
    rows: list[list[Cell]] = []
    characters_n = 0
    for row in sheet.iter_rows():
        rows.append(before + row)
        characters_n += sum(len(cell) for cell in row if isinstance(cell, str))
        if len(rows) * columns_n >= PIECE or characters_n >= PIECE * 100:
            yield rows
            rows, characters_n = [], 0
    if rows:
        yield rows


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.stdout.buffer)
