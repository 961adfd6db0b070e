"""What a paper declares, once its file has been read: tables, columns, what each estimates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.papers.published import PaperError, nearest


@dataclass(frozen=True)
class Estimation:
    """What is estimated, on which rows of which panel.

    Attributes
    ----------
    panel : a panel, or schema.table of the release
    years : first and last; applied after columns are prepared, so that lags reach before them
    join : other panels whose columns are added, on the keys that both have
    arguments : of the estimator, besides the frame
    then : estimators that follow on the result, each with its arguments
    """

    panel: str
    years: tuple[int, int] | None
    where: str | None
    join: tuple[Mapping[str, Any], ...]
    prepare: tuple[Mapping[str, Any], ...]
    estimator: str
    arguments: Mapping[str, Any]
    then: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a printed row's number comes from: a term of an equation, a statistic, or a text; `of`
    another column than the row's own.
    """

    term: str = ""
    equation: str = ""
    statistic: str = ""
    text: str = ""
    of: str = ""


@dataclass(frozen=True)
class Column:
    """One printed column.

    Attributes
    ----------
    estimation : None where it cannot be run, for the `reason`
    taken_from : the column whose estimate this one shows too; "" where it has its own
    equation : the equation whose terms its rows name, where the estimate has several
    rows : printed row -> where its number may be found, the first that is there
    block : the stacked block that it belongs to
    """

    name: str
    head: str
    block: str
    estimation: Estimation | None
    reason: str
    taken_from: str
    equation: str
    rows: Mapping[str, tuple[Place, ...]]
    note: str


@dataclass(frozen=True)
class Table:
    """One table: its columns, and its rows in the order printed.

    bracket : what stands in brackets under our numbers where nothing was printed ("se", "t", "p")
    text : printed row -> a text for all columns or one a column
    """

    name: str
    title: str
    columns: Mapping[str, Column]
    rows: tuple[str, ...]
    bracket: str
    text: Mapping[str, Any]
    note: str


@dataclass(frozen=True)
class Figure:
    """One figure: what is estimated for it, and how it is drawn."""

    name: str
    title: str
    kind: str
    estimation: Estimation | None
    reason: str
    draw: Mapping[str, Any]
    note: str


@dataclass(frozen=True)
class Choice:
    """One specification of a curve: its label in each dimension, what is estimated, and where the
    number is found.
    """

    labels: Mapping[str, str]
    estimation: Estimation
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Curve:
    """A number of a paper (table, column, row) under the choices that were open, the paper's own
    first.

    dimensions : what was open -> the labels of its choices
    unit : of the number, where it is not the printed one; "" where it is
    """

    name: str
    title: str
    table: str
    column: str
    row: str
    dimensions: Mapping[str, tuple[str, ...]]
    choices: tuple[Choice, ...]
    unit: str
    note: str


@dataclass(frozen=True, eq=False)
class Paper:
    """A paper: tables, figures, curves, and every number that was printed (text, as printed)."""

    slug: str
    title: str
    folder: Path
    variant: str
    tables: Mapping[str, Table]
    figures: Mapping[str, Figure]
    published: pd.DataFrame = field(repr=False)
    curves: Mapping[str, Curve] = field(default_factory=dict)

    def table(self, name: str) -> Table:
        """The table of that name; 4, t4 and T4 are one."""
        wanted = name.lower().removeprefix("t")
        if wanted not in self.tables:
            raise PaperError(f"{self.slug} has no table {name!r}. {nearest(wanted, self.tables)}")
        return self.tables[wanted]
