"""A table of rows and columns in every kind of file that holds one: csv, workbook, Stata; Parquet
arrives as csv.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.small_csv import header_of
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.reading.stata_header import stata_release
from warehouse.sources.reading.text import csv_rows, read_rows

MAX_LINE = 4 * 1024**2  # characters read as one line; one of the widest table has about 100,000


def heads_of(raw: RawFile) -> list[str]:
    """The labels of the columns; Stata's import writes them in small letters, which no label of the
    OECD has.
    """
    if stata_release(raw) is not None:
        return [str(name).upper() for name in stata_frame(raw).columns]
    if is_workbook(raw):
        return next((fields for _, fields in _sheet(raw)), [])
    return header_of(raw)


def lines_of(raw: RawFile, is_small: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Line number and values as text, row by row, the labels first; blank lines are left out.

    is_small : a csv is taken into memory as a whole, and may be GB18030
    """
    if stata_release(raw) is not None:
        frame = stata_frame(raw)
        yield 1, heads_of(raw)
        for number, cells in enumerate(frame.itertuples(index=False), start=2):
            yield number, [_text(cell) for cell in cells]
    elif is_workbook(raw):
        yield from _sheet(raw)
    else:
        rows = (
            read_rows(raw)
            if is_small
            else (fields for _, fields in csv_rows(raw, "utf-8-sig", MAX_LINE))
        )
        for line, fields in enumerate(rows, start=1):
            if fields:
                yield line, fields


def _sheet(raw: RawFile) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet that holds anything."""
    rows = next((rows for rows in read_workbook(raw).values() if rows), [])
    for number, row in enumerate(rows, start=1):
        if any(cell != "" for cell in row):
            yield number, [_text(cell) for cell in row]


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell.strip()
    return "" if cell is None or pd.isna(cell) else repr(float(cell))  # type: ignore[arg-type, call-overload]
