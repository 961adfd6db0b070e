"""A paper's table twice over: what we estimate and what was printed, column by column.

Text and Markdown open with where the data come from, so that an estimate on a simulated world is
never taken for a finding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.estimators import FixedEffectsResult, largest_difference
from analysis.papers import Paper, Table

SIMULATED = (
    "SIMULATED DATA: our columns describe an invented world, "
    "made to test this program. Only the published columns are about China."
)
UNKNOWN = (
    "DATA OF UNKNOWN ORIGIN: the frame does not say whether it is simulated. Read it through "
    "warehouse.panel."
)
LEGEND = "t statistics in brackets; *, **, *** : p below 10, 5, 1 %; published numbers as printed."
OURS, PUBLISHED = "ours", "published"


@dataclass(frozen=True, eq=False)
class ComparisonTable:
    """Estimates beside published numbers.

    cells : one row a number: column, row, side ('ours' or 'published'), coefficient, bracket,
        bracket_kind, stars
    """

    title: str
    origin: str
    cells: pd.DataFrame
    labels: Mapping[str, str]
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Rows of the table by (column, side): coefficients as numbers, NaN where one side has
        none.
        """
        wide = self.cells.pivot(index="row", columns=["column", "side"], values="coefficient")
        return wide.reindex(index=self._rows(), columns=self._heads())

    def to_text(self) -> str:
        """Aligned plain text: header, table, notes."""
        grid = self._grid()
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
        """A Markdown table; the brackets stand in the cell of their coefficient."""
        heads = ["", *(f"({column}) {side}" for column, side in self._heads())]
        body = [
            [
                self._label(row),
                *(" ".join(filter(None, self._cell(row, *head))) for head in self._heads()),
            ]
            for row in self._rows()
        ]
        lines = [
            f"| {' | '.join(line)} |"
            for line in [heads, ["---", *["---:"] * (len(heads) - 1)], *body]
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

    def _rows(self) -> list[str]:
        return list(dict.fromkeys(self.cells["row"]))

    def _heads(self) -> list[tuple[int, str]]:
        return [
            (column, side)
            for column in dict.fromkeys(self.cells["column"])
            for side in (OURS, PUBLISHED)
        ]

    def _label(self, row: str) -> str:
        return self.labels.get(row, row)

    def _grid(self) -> list[list[str]]:
        heads = self._heads()
        grid = [["", *(f"({column})" for column, _ in heads)], ["", *(side for _, side in heads)]]
        for row in self._rows():
            cells = [self._cell(row, *head) for head in heads]
            grid.append([self._label(row), *(coefficient for coefficient, _ in cells)])
            if any(bracket for _, bracket in cells):
                grid.append(["", *(bracket for _, bracket in cells)])
        return grid

    def _cell(self, row: str, column: int, side: str) -> tuple[str, str]:
        """Coefficient with its stars, and bracket; empty where there is none."""
        found = self.cells[
            (self.cells["row"] == row)
            & (self.cells["column"] == column)
            & (self.cells["side"] == side)
        ]
        if found.empty:
            return "", ""
        cell = found.iloc[0]
        number = f"{cell['coefficient']:,.0f}" if row == "n" else f"{cell['coefficient']:.3f}"
        return f"{number}{cell['stars']}", (
            "" if math.isnan(cell["bracket"]) else f"({cell['bracket']:.3f})"
        )


def compare(
    paper: Paper, table: str, results: Mapping[int, FixedEffectsResult], frame: pd.DataFrame
) -> ComparisonTable:
    """Put estimates and published numbers side by side.

    Parameters
    ----------
    results : column number -> estimate, as `analysis.papers.estimate_table` gives it
    frame : the panel that was estimated on; its attrs say whether it is simulated, which release it
        is, and its labels
    """
    wanted = paper.table(table)
    printed = paper.published[
        (paper.published["table"] == table) & paper.published["column"].isin(list(results))
    ]
    ours = pd.DataFrame(
        [cell for column, result in results.items() for cell in _our_cells(wanted, column, result)]
    )
    theirs = printed.drop(columns=["table", "doubtful"]).assign(side=PUBLISHED)
    cells = pd.concat([ours, theirs], ignore_index=True)
    order = [
        *dict.fromkeys(name for column in results for name in wanted.columns[column]),
        "constant",
        "n",
        "r2_adjusted",
    ]
    cells = cells.sort_values(
        ["row", "column"],
        key=lambda values: values.map(order.index) if values.name == "row" else values,
        kind="stable",
    )
    labels = {name: entry["label_en"] for name, entry in frame.attrs.get("columns", {}).items()}
    labels |= {"constant": "Constant", "n": "Observations", "r2_adjusted": "Adjusted R2"}
    doubtful = printed[printed["doubtful"] != ""].replace({"row": labels})
    said = "({column}) {row}, published: {doubtful}."
    doubts = (said.format_map(cell) for cell in doubtful.to_dict("records"))
    columns = [f"({column}) {result.note()}" for column, result in results.items()]
    columns += [
        f"({column}) Warning: {warning}"
        for column, result in results.items()
        for warning in result.warnings
    ]
    notes = (LEGEND, *doubts, *columns, _checked(results, frame), _conventions(wanted))
    return ComparisonTable(f"{wanted.title} ({paper.title})", origin(frame), cells, labels, notes)


def stars(p: float) -> str:
    """The usual marks: p below 1, 5 and 10 per cent."""
    return "***" if p < 0.01 else "**" if p < 0.05 else "*" if p < 0.1 else ""


def _our_cells(table: Table, column: int, result: FixedEffectsResult) -> list[dict[str, object]]:
    shared = {"column": column, "side": OURS}
    terms = [
        shared
        | {
            "row": term,
            "coefficient": result.coefficients[term],
            "bracket": result.t_statistics[term],
            "bracket_kind": "t",
            "stars": stars(p),
        }
        for term, p in zip(result.coefficients.index, result.p_values, strict=True)
    ]
    figures = {"n": float(result.n), "r2_adjusted": float(getattr(result, table.r2))}
    return terms + [
        shared
        | {
            "row": row,
            "coefficient": value,
            "bracket": math.nan,
            "bracket_kind": "",
            "stars": "",
        }
        for row, value in figures.items()
    ]


def origin(frame: pd.DataFrame) -> str:
    """The first line of whatever is printed of a frame: whether it is simulated, and its
    release.
    """
    release = f" Release {frame.attrs['release']}." if "release" in frame.attrs else ""
    if frame.attrs.get("simulated") is None:
        return UNKNOWN + release
    return (
        SIMULATED
        if frame.attrs["simulated"]
        else "Estimated on published files; what they hold is stated in the release."
    ) + release


def _checked(results: Mapping[int, FixedEffectsResult], frame: pd.DataFrame) -> str:
    """Each column once more by linearmodels: a second program's word for the slopes."""
    worst = max(largest_difference(frame, result) for result in results.values())
    return f"linearmodels' PanelOLS gives the same slopes: largest relative difference {worst:.0e}."


def _conventions(table: Table) -> str:
    constant = (
        "of the first year" if table.constant == "first_period" else "at the mean of the effects"
    )
    share = table.r2.removesuffix("_adjusted").replace("_", " ")
    return (
        f"Constant {constant}; adjusted R2 from {share}: see"
        " analysis.estimators.linear.fixed_effects. What the paper leaves unsaid: its notes.md."
    )
