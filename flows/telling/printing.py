"""Tables on a terminal, csv and json, with Chinese text in its place in each."""

from __future__ import annotations

import csv
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

# What a spreadsheet takes for a formula, the wide signs of Chinese input too, at a cell's start or
# behind signs that it
# skips: blanks of every kind, signs without width, and the semicolon, at which some countries'
# spreadsheets split cells.
FORMULA = re.compile(
    r"(?P<before>(?:^|;)[\s\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\u2060-\u206f\u3000\u31"
    r"64\ufeff]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
CONTROLS = ("\t", "\r", "\n")
CELL_WIDTH = 60


class Sink(Protocol):
    """Whatever takes text."""

    def write(self, text: str, /) -> object: ...


def width(text: str) -> int:
    """Columns that a text takes on a terminal: Chinese characters take two, combining
    marks none.
    """
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    cell_width: int = CELL_WIDTH,
    right: Sequence[str] = (),
) -> str:
    """Rows as aligned text: numbers and the columns in `right` to the right, what is missing as an
    empty cell, long text cut.
    """
    cells = [[_cut(cell_text(value), cell_width) for value in row] for row in rows]
    numeric = [
        bool(rows) and all(value is None or is_number(value) for value in column)
        for column in zip(*rows, strict=True)
    ] or [False] * len(names)
    numeric = [is_right or name in right for name, is_right in zip(names, numeric, strict=True)]
    widths = [
        max([width(name), *(width(row[at]) for row in cells)]) for at, name in enumerate(names)
    ]

    def line(texts: Sequence[str]) -> str:
        padded = (_pad(text, widths[at], numeric[at]) for at, text in enumerate(texts))
        return "  ".join(padded).rstrip()

    return "\n".join(
        [line(names), "  ".join("-" * size for size in widths), *(line(row) for row in cells)]
    )


def cell_text(value: Any) -> str:
    """A value as a person reads it in a table."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(cell_text(part) for part in value)
    return " ".join(str(value).split())


def write_csv(names: Sequence[str], rows: Iterable[Sequence[Any]], sink: Sink) -> None:
    """Rows as csv; a text that a spreadsheet would take for a formula is preceded by an
    apostrophe.
    """
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow([guarded(name) for name in names])
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])


def guarded(value: Any) -> Any:
    """A text that begins like a formula, made harmless; every other value as it is."""
    if not isinstance(value, str):
        return value
    if value.startswith(CONTROLS):
        value = f"'{value}"
    return FORMULA.sub(_with_apostrophe, value)


def _with_apostrophe(match: re.Match[str]) -> str:
    """At a cell's start before everything, else between the semicolon and what follows it."""
    before = match.group("before")
    return f";'{before[1:]}" if before.startswith(";") else f"'{before}"


def write_json(names: Sequence[str], rows: Iterable[Sequence[Any]], sink: Sink) -> None:
    """Rows as a json list of objects, one a line; the second column of one name a becomes a_1."""
    names = unique_names(names)
    sink.write("[")
    for at, row in enumerate(rows):
        sink.write(",\n " if at else "\n ")
        sink.write(
            json.dumps(
                {name: _json_value(value) for name, value in zip(names, row, strict=True)},
                ensure_ascii=False,
                allow_nan=False,
            )
        )
    sink.write("\n]\n")


def unique_names(names: Sequence[str]) -> list[str]:
    """The names in their order, each repeated one with the first free number after it."""
    given: list[str] = []
    for at, name in enumerate(names):
        fresh, number = name, 0
        while fresh in given or (number and fresh in names[at:]):
            number += 1
            fresh = f"{name}_{number}"
        given.append(fresh)
    return given


def in_chunks(cursor: Any, size: int = 10_000) -> Iterator[Sequence[Any]]:
    """All rows of a cursor, a chunk in memory at a time."""
    while chunk := cursor.fetchmany(size):
        yield from chunk


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def csv_cell(value: Any) -> Any:
    """A value as it is handed to a csv writer, made harmless; empty where one is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return guarded(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_json_value(part) for part in value]
    if isinstance(value, dict):
        return {str(key): _json_value(part) for key, part in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def _float_text(value: float) -> str:
    """About as many digits as a person compares: all before the point, few after it."""
    size = abs(value)
    if not math.isfinite(value) or size >= 1e18 or 0 < size < 0.001:
        return f"{value:.4g}"
    return (
        f"{value:.0f}"
        if size >= 1e6 or value == int(value)
        else f"{value:.2f}"
        if size >= 1000
        else f"{value:.4f}"
    )


def _cut(text: str, limit: int) -> str:
    if width(text) <= limit:
        return text
    taken, size = "", 0
    for sign in text:
        size += width(sign)
        if size > limit - 1:
            break
        taken += sign
    return taken + "…"


def _pad(text: str, size: int, right: bool) -> str:
    blanks = " " * (size - width(text))
    return blanks + text if right else text + blanks
