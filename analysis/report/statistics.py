"""Descriptive statistics of a panel beside those that the paper printed, and the rows of its
estimates beside the printed ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis.papers.statistics import NUMBERS, PublishedStatistics, describe
from analysis.report.origin import origin

OURS, PUBLISHED = "ours", "published"
INFERRED = " i"  # behind a number of observations that no table of statistics prints
HEADS = {"observations": "N", "mean": "mean", "sd": "sd", "minimum": "min", "maximum": "max"}


@dataclass(frozen=True, eq=False)
class StatisticsTable:
    """Our statistics and the published ones.

    numbers : index: variables in the paper's order; columns: (side, statistic), side 'ours' or
        'published'; NaN where nothing was printed
    inferred : variables whose published observations are those of estimates
    reasons : variable -> why ours differ
    samples : lines of the table of samples below, its heads first; empty where there are none
    """

    title: str
    origin: str
    numbers: pd.DataFrame
    labels: Mapping[str, str]
    notes: tuple[str, ...]
    inferred: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)
    samples: tuple[tuple[str, ...], ...] = ()

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
        why = [f"{name}: {reason}" for name, reason in self._reasons()]
        return "\n".join(
            [
                *(self.origin, "", self.title, rule, *lines[:2], rule, *lines[2:], rule),
                *(*self.notes, *why, *_plain(self.samples)),
            ]
        )

    def to_markdown(self) -> str:
        heads = ["", *(f"{side} {HEADS[number]}" for side, number in self._heads), "why"]
        why = dict(self._reasons())
        rows = [[*line, why.get(line[0], "")] for line in self._rows()]
        marks = ["---", *["---:"] * (len(heads) - 2), "---"]
        lines = [f"| {' | '.join(line)} |" for line in [heads, marks, *rows]]
        if self.samples:
            marks = ["---", "---", *["---:"] * 4, "---"]
            table = [self.samples[0], marks, *self.samples[1:]]
            lines += ["", *(f"| {' | '.join(line)} |" for line in table)]
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
        at = 1 + self._heads.index((PUBLISHED, NUMBERS[0]))
        rows = []
        for name, row in zip(self.numbers.index.astype(str), self.numbers.to_numpy(), strict=True):
            line = [self.labels.get(name, name), *map(_shown, statistics, row)]
            line[at] += INFERRED if name in self.inferred and line[at] else ""
            rows.append(line)
        return rows

    def _reasons(self) -> list[tuple[str, str]]:
        return [(self.labels.get(name, name), reason) for name, reason in self.reasons.items()]


def compare_statistics(
    published: PublishedStatistics, frame: pd.DataFrame, samples: pd.DataFrame | None = None
) -> StatisticsTable:
    """Put a panel's statistics beside the published ones.

    Parameters
    ----------
    frame : the panel, as `warehouse.panel` gives it; years outside the paper's are left out
    samples : what `count_samples` gives, for the rows of its estimates

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
    labels = _labels(published, frame)
    period = f", {years[0]}-{years[1]}" if years is not None else ""
    notes = (
        (
            "sd with n - 1 below; in square brackets the paper's own name; published numbers as "
            "printed; i: inferred from the rows of the estimates in which the variable stands."
        ),
    )
    by_name = published.numbers.set_index("variable")
    inferred = by_name.index[by_name["observations_are"] == "inferred"]
    reasons = by_name["reason"]
    return StatisticsTable(
        f"Descriptive statistics of {published.panel}{period} ({published.title})",
        origin(frame),
        numbers,
        labels,
        notes,
        frozenset(inferred),
        {str(name): str(reason) for name, reason in reasons[reasons != ""].items()},
        () if samples is None or samples.empty else tuple(_sample_lines(samples)),
    )


def _sample_lines(samples: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    """The table of samples: rows and units, ours and published, and why they differ."""
    yield ("sample", "tables", "our rows", "published", "our units", "published", "why")
    for row in samples.to_dict("records"):
        counts = ("our_observations", "observations", "our_units", "units")
        shown = (_shown("observations", float(row[name])) for name in counts)
        yield (row["sample"], row["tables"], *shown, row["reason"])


def _plain(lines: Sequence[Sequence[str]]) -> list[str]:
    if not lines:
        return []
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]) - 1)]
    return ["", *("  ".join([*map(str.ljust, line, widths), line[-1]]).rstrip() for line in lines)]


def _labels(published: PublishedStatistics, frame: pd.DataFrame) -> dict[str, str]:
    """The dictionary's labels, with the paper's own names in square brackets."""
    known = {name: entry["label_en"] for name, entry in frame.attrs.get("columns", {}).items()}
    printed = dict(zip(published.numbers["variable"], published.numbers["paper_name"], strict=True))
    return {
        name: (
            f"{known.get(name, name)} [{printed[name]}]"
            if pd.notna(printed[name])
            else known.get(name, name)
        )
        for name in published.variables
    }


def _shown(statistic: str, number: float) -> str:
    if math.isnan(number):
        return ""
    return f"{number:,.0f}" if statistic == "observations" else f"{number:,.3f}"
