"""Each number of a table beside the printed one, and what the two say of each other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.papers.declared import Column, Paper, Place, Table
from analysis.papers.estimate import Estimate

LEVELS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))
SAME, SIGN, DIFFERS, REFUSED = "same sign and star", "same sign", "differs", "cannot be run"
EQUAL, NEAR = "equal as printed", "within 10 %"
OURS = "not printed"
VERDICTS = (SAME, SIGN, EQUAL, NEAR, DIFFERS, REFUSED, OURS)
ALIASES = {"n": "nobs"}
Truths = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Cell:
    """One cell: ours, the printed one, and the verdict.

    Attributes
    ----------
    ours, low, high : estimate and its 95 % interval; NaN where there is none
    std_error, statistic, p_value : of ours; NaN for a statistic of the whole
    printed : the coefficient as printed, "" if none; printed_bracket, bracket_kind, printed_stars,
        doubtful likewise
    reason : why it could not be run
    truth, holds : the simulated world's value, and whether the interval holds it (None: not known)
    text : in place of a number, for rows of text
    """

    table: str
    column: str
    row: str
    ours: float = math.nan
    std_error: float = math.nan
    statistic: float = math.nan
    p_value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    is_term: bool = False
    printed: str = ""
    printed_bracket: str = ""
    bracket_kind: str = ""
    printed_stars: str = ""
    doubtful: str = ""
    verdict: str = ""
    reason: str = ""
    truth: float = math.nan
    holds: bool | None = None
    text: str = ""

    @property
    def stars(self) -> str:
        """*, **, *** where p is below 10, 5, 1 %."""
        return next((mark for limit, mark in LEVELS if self.p_value < limit), "")

    @property
    def bracket(self) -> float:
        """Ours, of the kind that was printed."""
        of_kind = {"t": self.statistic, "se": self.std_error, "p": self.p_value}
        return of_kind.get(self.bracket_kind, math.nan)


def cells_of(
    paper: Paper, table: Table, estimates: Mapping[str, Estimate], truths: Truths
) -> list[Cell]:
    """The cells of a table, row by row; a row that a column has nothing in has no cell there.

    Parameters
    ----------
    estimates : column -> what came of it
    """
    printed = paper.published[paper.published["table"] == table.name]
    theirs = {(cell["column"], cell["row"]): cell for cell in printed.to_dict("records")}
    found = []
    for row in table.rows:
        for column in table.columns.values():
            cell = _cell(table, column, row, estimates, theirs.get((column.name, row)))
            if cell is not None:
                source = table.columns[column.taken_from or column.name]
                found.append(_with_truth(cell, column, source, truths))
    return found


def _cell(
    table: Table,
    column: Column,
    row: str,
    estimates: Mapping[str, Estimate],
    printed: Mapping[Any, str] | None,
) -> Cell | None:
    values = dict(_number(column, row, estimates))
    if printed is None and not values:
        return None
    values |= {"table": table.name, "column": column.name, "row": row}
    values["bracket_kind"] = table.bracket if values.get("is_term") else ""
    if printed is not None:
        values |= {
            "printed": printed["coefficient"],
            "printed_bracket": printed["bracket"],
            "printed_stars": printed["stars"],
            "doubtful": printed["doubtful"],
            "bracket_kind": printed["bracket_kind"] or values["bracket_kind"],
        }
    if "ours" not in values and "text" not in values:
        values["reason"] = estimates[column.name].reason or "the estimate has no such term"
    cell = Cell(**values)
    return Cell(**values | {"verdict": verdict(cell)})


def _number(
    column: Column, row: str, estimates: Mapping[str, Estimate]
) -> Iterator[tuple[str, Any]]:
    """The fields of a cell that an estimate gives, from the first place that is there."""
    for place in column.rows.get(row, ()):
        if found := number_of((place,), column, estimates[place.of or column.name]):
            return iter(found.items())
    return iter(())


def number_of(places: Sequence[Place], column: Column, estimate: Estimate) -> dict[str, Any]:
    """The fields of a cell from the first of the places that an estimate has; none if it has none
    of them.
    """
    for place in places:
        if place.text:
            return {"text": place.text}
        if place.statistic:
            name = ALIASES.get(place.statistic, place.statistic)
            if name in estimate.statistics:
                return {"ours": estimate.statistics[name]}
        elif found := _term(place, column, estimate):
            return found
    return {}


def _term(place: Place, column: Column, estimate: Estimate) -> dict[str, Any]:
    terms = estimate.terms
    here = terms[terms["term"] == place.term]
    equation = place.equation or column.equation
    if equation:
        here = here[here["equation"] == equation]
    if here.empty:
        return {}
    one = here.iloc[0]
    return {
        "ours": float(one["estimate"]),
        "std_error": float(one["std_error"]),
        "statistic": float(one["statistic"]),
        "p_value": float(one["p_value"]),
        "low": float(one["conf_low"]),
        "high": float(one["conf_high"]),
        "is_term": not math.isnan(float(one["std_error"])),
    }


def verdict(cell: Cell) -> str:
    """What ours says of the printed number.

    A coefficient is compared by sign and stars, any other number by its size: equal when rounded as
    the printed one is, within a tenth of it, or neither.
    """
    if cell.text:
        return ""
    if math.isnan(cell.ours):
        return REFUSED
    if not cell.printed:
        return OURS
    theirs = float(cell.printed)
    if not (cell.printed_bracket or cell.printed_stars):
        if abs(cell.ours - theirs) <= half_unit(cell.printed) * (1 + 1e-9):
            return EQUAL
        return NEAR if abs(cell.ours - theirs) <= 0.1 * abs(theirs) else DIFFERS
    if cell.ours * theirs <= 0:
        return DIFFERS
    return SAME if cell.stars == cell.printed_stars else SIGN


def half_unit(printed: str) -> float:
    """Half a unit of the last decimal printed."""
    mantissa, _, exponent = printed.partition("e")
    return 0.5 * 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def _with_truth(cell: Cell, column: Column, source: Column, truths: Truths) -> Cell:
    """The cell with the truth that is told of its table, column and term, where the outcome is the
    one that the truth is of.
    """
    for truth in truths.values():
        if math.isnan(cell.low) or not _is_of(truth, cell, column):
            continue
        value, outcome = truth.get("value"), truth.get("outcome")
        if isinstance(value, int | float) and outcome in (None, _outcome(column, source)):
            fields = {**vars(cell), "truth": float(value)}
            return Cell(**fields | {"holds": bool(cell.low <= value <= cell.high)})
    return cell


def _outcome(column: Column, source: Column) -> str:
    """What the equation that a column shows explains."""
    if source.estimation is None:
        return ""
    arguments = source.estimation.arguments
    part = arguments.get("equations", {}).get(column.equation or source.equation, {})
    return str(arguments.get("outcome", part.get("outcome", "") if part else ""))


def _is_of(truth: Mapping[str, Any], cell: Cell, column: Column) -> bool:
    if str(truth.get("table", "")).lower().removeprefix("t") != cell.table:
        return False
    columns = truth.get("columns", [truth.get("column")])
    if cell.column not in [str(one) for one in columns]:
        return False
    if "row" in truth:
        return bool(truth["row"] == cell.row)
    return any(place.term == truth.get("term") for place in column.rows.get(cell.row, ()))
