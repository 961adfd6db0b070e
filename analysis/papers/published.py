"""What a paper printed (published.csv): read as text, since the decimals printed say how exact a
number is.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from warehouse.errors import CitytradeError

FOLDER = Path(__file__).resolve().parent
CELL = ["table", "column", "row"]
PUBLISHED_COLUMNS = [*CELL, "coefficient", "bracket", "bracket_kind", "stars", "doubtful"]
BRACKET_KINDS = ("t", "se", "p")
NUMBER = re.compile(r"-?\d*\.?\d+(e[+-]?\d+)?", re.ASCII)


class PaperError(CitytradeError):
    """A paper, a table or a column that is not there, or a paper.toml or published.csv that does
    not hold together.
    """


def read_lines(file: Path, columns: Sequence[str]) -> list[list[str]]:
    """Lines of a csv file below its header, as text.

    Raises
    ------
    PaperError : another header, or a line with more or fewer fields, with its place.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            head, *lines = [*csv.reader(text, strict=True)] or [[]]
    except (csv.Error, UnicodeDecodeError) as error:
        raise PaperError(f"{file}: not a csv file in UTF-8 ({error}). Mend it there.") from error
    if head != list(columns):
        expected = ", ".join(columns)
        raise PaperError(f"{file}: columns are {', '.join(head)}; {expected} expected.")
    for at, line in enumerate(lines, start=2):
        if len(line) != len(head):
            raise PaperError(f"{file}, line {at}: {len(line)} fields; {len(head)} expected.")
    return lines


def read_published(file: Path) -> pd.DataFrame:
    """Every number that a paper printed, of all its tables.

    Returns
    -------
    pandas.DataFrame : PUBLISHED_COLUMNS as text, since the decimals printed say how exact a number
        is; "" where nothing was printed; no table, column and row as printed stand there twice

    Raises
    ------
    PaperError : a file that does not hold together, with the line.
    """
    lines = read_lines(file, PUBLISHED_COLUMNS)
    frame = pd.DataFrame(lines, columns=PUBLISHED_COLUMNS, dtype="string")
    for reason, found in _faults(frame):
        if found.any():
            at = int(found.to_numpy(dtype=bool).argmax())
            cell = ", ".join(lines[at][: len(CELL)])
            raise PaperError(f"{file}, line {at + 2} ({cell}): {reason}.")
    return frame


def _faults(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """What can be wrong with a line of published.csv, and the lines that have it."""
    yield "it names no table, column or row", (frame[CELL] == "").any(axis=1)
    yield "its coefficient is not a number", ~frame["coefficient"].str.fullmatch(NUMBER)
    bare, kind = frame["bracket"] == "", frame["bracket_kind"]
    yield "its bracket is not a number", ~bare & ~frame["bracket"].str.fullmatch(NUMBER)
    yield f"its bracket has no kind ({', '.join(BRACKET_KINDS)})", ~bare & ~kind.isin(BRACKET_KINDS)
    yield "it has a kind and no bracket", bare & (kind != "")
    yield "its stars are not *, ** or ***", ~frame["stars"].isin(["", "*", "**", "***"])
    yield "the same table, column and row stand there twice", frame.duplicated(CELL)


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence with the known names that look most like one that is not known."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return f"Nearest: {', '.join(near)}." if near else f"There are: {', '.join(names)}."
