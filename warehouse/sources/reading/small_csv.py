"""Small csv files with one header line: every value as text, rows that do not fit the header told
apart.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.text import read_rows, sniff_text


@dataclass(frozen=True)
class SmallCsv:
    """A csv file's rows as text.

    rows : the columns asked for and those that happen to be there, blanks around values cut, and
        `line` (1-based)
    broken : rows with more or fewer values than the header, ready to be set aside (`line`,
        `reason`, `detail`)
    rows_n : lines of data in the file, blank lines left out
    """

    rows: pd.DataFrame
    broken: pd.DataFrame
    rows_n: int


def header_of(raw: RawFile) -> list[str]:
    """Column names in the first line of a text file; nothing for a binary one."""
    first = re.split(r"\r\n|\r|\n", sniff_text(raw) or "", maxsplit=1)[0]
    return [name.strip() for name in next(csv.reader([first]), [])]


def read_small_csv(
    raw: RawFile, columns: Sequence[str] | Mapping[str, str], delivery: Delivery | None = None
) -> SmallCsv:
    """Read a csv file that must have the columns named.

    Parameters
    ----------
    columns : heads, or head -> the column of the lake that it fills
    delivery : is told what became of every column

    Raises
    ------
    SourceError : not decodable, a column missing or there twice, no row of data, or a last row that
        is cut off.
    """
    lines = read_rows(raw)
    header = _header(raw, lines[0], columns)
    if delivery is not None:
        lake = columns if isinstance(columns, Mapping) else {name: name for name in columns}
        delivery.heads(
            "", header, {at: lake[name] for at, name in enumerate(header) if name in lake}
        )
    filled = _filled(raw, lines, len(header))
    fitting = [
        (number, *(field.strip() for field in fields))
        for number, fields in filled
        if len(fields) == len(header)
    ]
    broken = [
        (number, "wrong_field_count", f"{len(fields)} values, {len(header)} expected")
        for number, fields in filled
        if len(fields) != len(header)
    ]
    return SmallCsv(
        rows=pd.DataFrame(fitting, columns=["line", *header]),
        broken=pd.DataFrame(broken, columns=["line", "reason", "detail"]).astype({"line": "int64"}),
        rows_n=len(filled),
    )


def _header(
    raw: RawFile, first: Sequence[str], columns: Sequence[str] | Mapping[str, str]
) -> list[str]:
    """
    Raises
    ------
    SourceError : a column missing or there twice.
    """
    header = [name.strip() for name in first]
    for name in columns:
        if name not in header:
            problem = f"has no column {name!r} (it has {', '.join(header)})"
            raise SourceError(
                raw.name,
                "line 1",
                problem,
                "Fetch the file as its publisher ships it, with every column",
            )
    if len(set(header)) < len(header):
        raise SourceError(
            raw.name, "line 1", "names a column twice", "Delete or rename one of the two"
        )
    return header


def _filled(raw: RawFile, lines: Sequence[list[str]], width: int) -> list[tuple[int, list[str]]]:
    """The lines below the header that are not blank, with their numbers.

    Raises
    ------
    SourceError : none, or a last one that is cut off.
    """
    filled = [
        (number, fields)
        for number, fields in enumerate(lines[1:], start=2)
        if any(field.strip() for field in fields)
    ]
    if not filled:
        raise SourceError(
            raw.name,
            "line 1",
            "has a header and no rows",
            "Fetch the file again from its publisher",
        )
    last, fields = filled[-1]
    if len(fields) < width:
        problem = f"ends after {len(fields)} of {width} values: the file is cut off"
        raise SourceError(raw.name, f"line {last}", problem, "Fetch it again from its publisher")
    return filled
