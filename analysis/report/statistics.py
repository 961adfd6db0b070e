"""Descriptive statistics of a panel beside those that the paper printed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.papers.statistics import NUMBERS, PublishedStatistics, describe
from analysis.report.tables import OURS, PUBLISHED, origin

HEADS = {"observations": "N", "mean": "mean", "sd": "sd", "minimum": "min", "maximum": "max"}


@dataclass(frozen=True, eq=False)
class StatisticsTable:
    """Our statistics and the published ones.

    numbers : index: variables in the paper's order; columns: (side, statistic), side 'ours' or
        'published'; NaN where nothing was printed
    """

    title: str
    origin: str
    numbers: pd.DataFrame
    labels: Mapping[str, str]
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        return self.numbers

    def to_text(self) -> str:
        """Aligned plain text: where the data come from, table, notes."""
        sides = ["", *(side if number == NUMBERS[0] else "" for side, number in self._heads)]
        grid = [sides, ["", *(HEADS[number] for _, number in self._heads)], *self._rows()]
        widths = [max(len(line[at]) for line in grid) for at in range(len(grid[0]))]
        lines = [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
            for line in grid
        ]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join(
            [self.origin, "", self.title, rule, *lines[:2], rule, *lines[2:], rule, *self.notes]
        )

    def to_markdown(self) -> str:
        heads = ["", *(f"{side} {HEADS[number]}" for side, number in self._heads)]
        lines = [
            f"| {' | '.join(line)} |"
            for line in [heads, ["---", *["---:"] * (len(heads) - 1)], *self._rows()]
        ]
        return "\n".join(
            [
                f"**{self.origin}**",
                "",
                f"**{self.title}**",
                "",
                *lines,
                "",
                *(f"{note}  " for note in self.notes),
            ]
        )

    @property
    def _heads(self) -> list[tuple[str, str]]:
        return [(str(head[0]), str(head[1])) for head in self.numbers.columns.to_flat_index()]

    def _rows(self) -> list[list[str]]:
        statistics = [statistic for _, statistic in self._heads]
        rows = zip(self.numbers.index.astype(str), self.numbers.to_numpy(), strict=True)
        return [[self.labels.get(name, name), *map(_shown, statistics, row)] for name, row in rows]


def compare_statistics(published: PublishedStatistics, frame: pd.DataFrame) -> StatisticsTable:
    """Put a panel's statistics beside the published ones.

    Parameters
    ----------
    frame : the panel, as `warehouse.panel` gives it; years outside the paper's are left out

    Raises
    ------
    PaperError : a variable of the paper that the panel does not have.
    """
    years = published.years
    inside = (
        frame[frame["year"].between(*years)]
        if years is not None and "year" in frame.columns
        else frame
    )
    ours = describe(inside, published.variables)
    theirs = published.numbers.set_index("variable")[NUMBERS]
    numbers = pd.concat({OURS: ours, PUBLISHED: theirs}, axis=1)
    known = {name: entry["label_en"] for name, entry in frame.attrs.get("columns", {}).items()}
    printed = dict(zip(published.numbers["variable"], published.numbers["paper_name"], strict=True))
    labels = {
        name: (
            f"{known.get(name, name)} [{printed[name]}]"
            if pd.notna(printed[name])
            else known.get(name, name)
        )
        for name in published.variables
    }
    period = f", {years[0]}-{years[1]}" if years is not None else ""
    notes = (
        (
            "sd with n - 1 below; in square brackets the paper's own name; published numbers as "
            "printed."
        ),
    )
    return StatisticsTable(
        f"Descriptive statistics of {published.panel}{period} ({published.title})",
        origin(frame),
        numbers,
        labels,
        notes,
    )


def _shown(statistic: str, number: float) -> str:
    if math.isnan(number):
        return ""
    return f"{number:,.0f}" if statistic == "observations" else f"{number:,.3f}"
