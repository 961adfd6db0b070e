"""What a paper's text says of its tables (claims.csv), and whether the printed cells bear it out.

A claim names cells by table, columns and rows (several joined by ";", in the order that matters)
and asserts a relation of them: one or more of these, joined by "; ".

positive, negative             every cell has that sign
significant at 10% (5%, 1%)    every cell has the stars of that level or of a stricter one
not significant                no cell has a star
= X, size = X                  every cell is X, or is X but for its sign
similar to X                   every cell's size is within a fifth of X
in table N, in column N        the text says that the cells stand there
no cell                        nothing was printed to compare with

and these along each row ("over columns") or down each column ("over rows"):

similar                        the smallest size is at least four fifths of the largest
decreasing, stars decreasing   each size, or number of stars, is below the one before
sum to X                       the cells add up to X, within their rounding
first is the sum               the first cell is the sum of the others, within their rounding
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.papers.published import CELL, PaperError, nearest, read_lines

CLAIM_COLUMNS = ["place", "claim", "table", "column", "row", "relation"]
STARS = {"10": 1, "5": 2, "1": 3}  # per cent -> stars
PART = re.compile(r"(?P<words>.*?)(?P<number> -?\d+(\.\d+)?)?(?P<percent>%)?( over (?P<over>.*))?")


@dataclass(frozen=True)
class Cell:
    """A printed number: its place, its value, half a unit of its last decimal, its stars."""

    table: str
    column: str
    value: float
    rounding: float
    stars: int

    @property
    def size(self) -> float:
        return abs(self.value)


Line = Sequence[Cell]
Test = Callable[[Line, str], bool]
SINGLE: dict[str, Test] = {  # about all cells of the claim
    "positive": lambda cells, _: all(cell.value > 0 for cell in cells),
    "negative": lambda cells, _: all(cell.value < 0 for cell in cells),
    "significant at": lambda cells, level: all(cell.stars >= STARS[level] for cell in cells),
    "not significant": lambda cells, _: not any(cell.stars for cell in cells),
    "=": lambda cells, number: all(cell.value == float(number) for cell in cells),
    "size =": lambda cells, number: all(cell.size == float(number) for cell in cells),
    "similar to": lambda cells, x: all(abs(c.size - float(x)) <= 0.2 * float(x) for c in cells),
    "in table": lambda cells, number: all(cell.table == number for cell in cells),
    "in column": lambda cells, number: all(cell.column == number for cell in cells),
    "no cell": lambda cells, _: not cells,
}
ALONG: dict[str, Test] = {  # about each row or each column of them
    "similar": lambda line, _: min(sizes(line)) >= 0.8 * max(sizes(line)),
    "decreasing": lambda line, _: all(a > b for a, b in pairwise(sizes(line))),
    "stars decreasing": lambda line, _: all(a.stars > b.stars for a, b in pairwise(line)),
    "sum to": lambda line, number: abs(total(line) - float(number)) <= slack(line),
    "first is the sum": lambda line, _: abs(line[0].value - total(line[1:])) <= slack(line),
}
NUMBERED = {"significant at", "=", "size =", "similar to", "in table", "in column", "sum to"}


def sizes(line: Line) -> list[float]:
    return [cell.size for cell in line]


def total(line: Line) -> float:
    return sum(cell.value for cell in line)


def slack(line: Line) -> float:
    """How far a sum may be off for the rounding of its terms; counts are not rounded."""
    return 1e-9 + sum(cell.rounding for cell in line if cell.rounding != 0.5)


@dataclass(frozen=True)
class Claim:
    """A sentence of a paper about its tables, in our words.

    cells : rows x columns of printed cells, in the order named; empty where nothing was printed
    """

    place: str
    claim: str
    cells: tuple[tuple[Cell, ...], ...]
    relation: str

    def contradicted(self) -> list[str]:
        """Parts of the relation that the printed cells do not bear out; empty if all hold."""
        return [part for part in self.relation.split("; ") if not _holds(part, self.cells)]


def read_claims(file: Path, published: pd.DataFrame) -> list[Claim]:
    """Read and check a paper's claims.

    Parameters
    ----------
    published : the paper's printed numbers, as `analysis.papers.read_published` gives them

    Raises
    ------
    PaperError : a cell that was not printed, or a relation without meaning, with the line.
    """
    cells = published.set_index(CELL, drop=False).to_dict("index")
    claims = []
    for at, line in enumerate(read_lines(file, CLAIM_COLUMNS), start=2):
        place, claim, table, columns, rows, relation = line
        grid = []
        for row in rows.split(";") if rows else []:
            keys = [(table, column, row) for column in columns.split(";")]
            if absent := [key for key in keys if key not in cells]:
                cell = ", ".join(absent[0])
                raise PaperError(f"{file}, line {at}: table {cell} was not printed.")
            grid.append(tuple(_cell(cells[key]) for key in keys))
        for part in relation.split("; "):
            if reason := _misread(part, bool(grid)):
                raise PaperError(f"{file}, line {at}: {part!r}: {reason}")
        claims.append(Claim(place, claim, tuple(grid), relation))
    return claims


def _cell(row: Mapping[Any, str]) -> Cell:
    mantissa, _, exponent = row["coefficient"].partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    value = float(row["coefficient"])
    return Cell(row["table"], row["column"], value, 0.5 * 10.0**-decimals, len(row["stars"]))


def _parsed(part: str) -> tuple[str, str, str]:
    found = PART.fullmatch(part)
    assert found is not None  # every text has words
    return found["words"], (found["number"] or "").strip(), found["over"] or ""


def _misread(part: str, cells: bool) -> str:
    """Why a part of a relation cannot be computed; "" if it can."""
    words, number, over = _parsed(part)
    if words not in SINGLE and words not in ALONG:
        return f"no such relation. {nearest(words, [*SINGLE, *ALONG])}"
    if (words in NUMBERED) != bool(number) or (words == "significant at" and number not in STARS):
        return "a number is missing, or one too many, or no level of 1, 5 or 10%."
    if over not in (("rows", "columns") if words in ALONG else ("",)):
        return "along rows or columns where it must not be, or not where it must."
    return "" if cells == (words != "no cell") else "it needs cells, or must have none."


def _holds(part: str, cells: Sequence[Line]) -> bool:
    words, number, over = _parsed(part)
    if words in SINGLE:
        return SINGLE[words]([cell for line in cells for cell in line], number)
    lines = cells if over == "columns" else list(zip(*cells, strict=True))
    return all(ALONG[words](line, number) for line in lines)
