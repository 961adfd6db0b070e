"""Published numbers as an audit sees them: each with its rounding and the kind of its row.

Nothing here knows a particular paper: kinds of rows are told by words that tables use in English
and Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.papers.cells import half_unit

COUNT = re.compile(r"^(n|obs\.?|observations?|观测值|观测数|样本量|样本数|number of obs.*)$", re.I)
UNITS = re.compile(r"number of (cit|firm|unit|group|countr|id)|城市数|企业数|个体数", re.I)
SHARE = re.compile(r"(^|\W|的|pseudo|adj)r\s*[-_]?\s*(2|²|squared?)$|拟合优度", re.I)
ADJUSTED = re.compile(r"adj|调整", re.I)
P_VALUE = re.compile(r"p\s*[-_]?\s*(value|值)|prob", re.I)
F_TEST = re.compile(r"(^|[\s-])F([\s-]|$)|F\s*统计", re.I)
TEST = re.compile(r"AR\s*[（(]|sargan|hansen|sobel|\bLM\b|wald|cragg|kleibergen|统计量|检验", re.I)
INSTRUMENT = re.compile(r"^(iv\d*|instrument.*|工具变量.*|z\d*)$", re.I)
HEADS = {
    "observations": re.compile(r"^(n|obs.*|观测.*|样本.*)$", re.I),
    "mean": re.compile(r"mean|均值|平均", re.I),
    "sd": re.compile(r"sd|std|s\.d|标准差|标准误", re.I),
    "minimum": re.compile(r"min|最小", re.I),
    "maximum": re.compile(r"max|最大", re.I),
}
LAGGED = re.compile(r"^(?:L\d?\.|lag[_ ]|l_)(?P<base>.+)$|^(?P<other>.+)-1$", re.I)
CHANGED = re.compile(r"^(?:d_|D\.|Δ|diff[_ ])(?P<base>.+)$")


@dataclass(frozen=True)
class Number:
    """A printed number.

    Attributes
    ----------
    value, half : the number and half a unit of its last decimal; bracket, bracket_half likewise
        (None where there is none)
    """

    table: str
    column: str
    row: str
    printed: str
    value: float
    half: float
    bracket: float | None
    bracket_half: float
    printed_bracket: str
    kind: str
    stars: int
    doubtful: str

    @property
    def place(self) -> str:
        return f"table {self.table} ({self.column}) {self.row}"

    @property
    def shown(self) -> str:
        bracket = f" ({self.printed_bracket})" if self.printed_bracket else ""
        return f"{self.printed}{'*' * self.stars}{bracket}"

    @property
    def decimals(self) -> int:
        return len(self.printed.partition("e")[0].partition(".")[2])


@dataclass(frozen=True)
class PrintedColumn:
    """A printed column: coefficients (with brackets or stars), and numbers of the whole by kind."""

    table: str
    name: str
    numbers: tuple[Number, ...]

    @property
    def place(self) -> str:
        return f"table {self.table} ({self.name})"

    @property
    def terms(self) -> dict[str, Number]:
        return {n.row: n for n in self.numbers if not is_statistic(n.row)}

    @property
    def count(self) -> Number | None:
        return next((n for n in self.numbers if COUNT.search(n.row)), None)

    def of(self, kind: re.Pattern[str]) -> list[Number]:
        return [n for n in self.numbers if kind.search(n.row)]


@dataclass(frozen=True)
class PrintedTable:
    """A printed table: its columns in order."""

    name: str
    columns: tuple[PrintedColumn, ...]

    @property
    def numbers(self) -> list[Number]:
        return [number for column in self.columns for number in column.numbers]

    @property
    def heads(self) -> dict[str, PrintedColumn]:
        """Columns of descriptive statistics by what they are; empty for other tables."""
        found = {
            kind: column
            for kind, pattern in HEADS.items()
            for column in self.columns
            if pattern.search(column.name) and not column.name.isdecimal()
        }
        return found if {"mean", "sd"} <= set(found) else {}


@dataclass(frozen=True)
class PrintedPaper:
    """All printed tables, and the years that the data cover, where somebody said."""

    tables: tuple[PrintedTable, ...]
    years: tuple[int, int] | None = None
    signed_t: bool = field(default=False)

    @property
    def regressions(self) -> list[PrintedTable]:
        return [table for table in self.tables if not table.heads]


def is_statistic(row: str) -> bool:
    """Is a row about the column as a whole?"""
    kinds = (COUNT, UNITS, P_VALUE, F_TEST, TEST, SHARE)
    return any(kind.search(row) for kind in kinds)


def read_numbers(published: pd.DataFrame, years: Sequence[int] | None = None) -> PrintedPaper:
    """The printed numbers of published.csv, as `analysis.papers.read_published` gives them."""
    numbers = [_number(row) for row in published.to_dict("records")]
    tables = []
    for name in dict.fromkeys(number.table for number in numbers):
        here = [number for number in numbers if number.table == name]
        columns = [
            PrintedColumn(name, column, tuple(n for n in here if n.column == column))
            for column in dict.fromkeys(number.column for number in here)
        ]
        tables.append(PrintedTable(name, tuple(columns)))
    signed = any(n.kind == "t" and n.bracket is not None and n.bracket < 0 for n in numbers)
    span = (years[0], years[1]) if years else None
    return PrintedPaper(tuple(tables), span, signed)


def pairs(columns: Sequence[PrintedColumn]) -> Iterator[tuple[PrintedColumn, PrintedColumn]]:
    """Every two columns, the earlier first."""
    for at, first in enumerate(columns):
        for second in columns[at + 1 :]:
            yield first, second


def _number(row: dict[object, str]) -> Number:
    bracket = row["bracket"]
    return Number(
        table=row["table"],
        column=row["column"],
        row=row["row"],
        printed=row["coefficient"],
        value=float(row["coefficient"]),
        half=half_unit(row["coefficient"]),
        bracket=float(bracket) if bracket else None,
        bracket_half=half_unit(bracket) if bracket else 0.0,
        printed_bracket=bracket,
        kind=row["bracket_kind"],
        stars=len(row["stars"]),
        doubtful=row["doubtful"],
    )
