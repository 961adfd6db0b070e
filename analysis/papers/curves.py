"""Specification curves: one number of a paper under every reasonable choice of what it leaves open
(Simonsohn, Simmons and Nelson 2020, Nature Human Behaviour 4).

    [curves.zone]
    title = "Zones and resilience, under the choices that the paper leaves open"
    table = "4"
    column = "6"
    row = "DID"                                   the number that is followed
    [curves.zone.choices.outcome]                 a dimension: label -> what it changes
    "as printed" = {}
    "spending as shares" = { outcome = "share_resilience_index" }
    [curves.zone.choices.sample]
    "all cities" = {}
    "no centres" = { where = "not is_central_city" }
    [curves.zone.beside]                          departures that are not crossed with others
    "Callaway and Sant'Anna" = { estimator = "callaway_santanna", ..., term = "ATT" }

A choice may say whatever a column may, and `term` and `equation` where the number has another name
there. `where` narrows the column's own, `prepare` and `join` add to it; anything else replaces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.papers import keys
from analysis.papers.cells import number_of
from analysis.papers.declared import Choice, Column, Curve, Estimation, Paper, Place
from analysis.papers.estimate import Estimate, run
from analysis.papers.kept import Address, Kept, key_of
from analysis.papers.published import PaperError, nearest
from analysis.papers.release import Release

MOST = 300  # specifications of a curve
BESIDE = "beside"  # the dimension of departures that are not crossed
PLACES = ("term", "equation")
NUMBERS = ("estimate", "std_error", "statistic", "p_value", "low", "high")
Level = Mapping[str, Any]


def read_curve(
    place: str,
    name: str,
    given: Level,
    column: tuple[Column, Sequence[Level]],
    estimation: Callable[[str, Sequence[Level]], Estimation],
) -> Curve:
    """A curve from what is said of it.

    Parameters
    ----------
    column : the column whose number is followed, and all that its levels say
    estimation : reads levels, the particular last, into what is estimated

    Raises
    ------
    PaperError : an unknown key or row, no choice, too many specifications, or one that cannot be
        read, with its place.
    """
    of, levels = column
    if given["row"] not in of.rows:
        raise PaperError(f"{place}: no row {given['row']!r}. {nearest(given['row'], of.rows)}")
    choices, found = given.get("choices", {}), []
    crossed = int(np.prod([len(one) for one in choices.values()]))
    if crossed + len(given.get(BESIDE, {})) > MOST or (not choices and BESIDE not in given):
        raise PaperError(f"{place}: {crossed} specifications; at least a choice, at most {MOST}.")
    for labels, parts in _combinations(choices, given.get(BESIDE, {})):
        at = f"{place}, {', '.join(labels.values())}"
        level = _joined(at, levels, parts)
        asked = estimation(at, [*levels, {k: v for k, v in level.items() if k not in PLACES}])
        found.append(Choice(labels, asked, _places(of, given["row"], level)))
    dimensions = {name: tuple(labels) for name, labels in choices.items()}
    if BESIDE in given:
        dimensions[BESIDE] = tuple(given[BESIDE])
    return Curve(
        name, given["title"], str(given["table"]).lower().removeprefix("t"), of.name, given["row"],
        dimensions, tuple(found), str(given.get("unit", "")), str(given.get("note", "")),
    )  # fmt: skip


def _combinations(
    choices: Mapping[str, Mapping[str, Level]], beside: Mapping[str, Level]
) -> Iterator[tuple[dict[str, str], list[Level]]]:
    """Labels by dimension and what they say; departures stand with the first of each dimension."""
    for combination in product(*(one.items() for one in choices.values())):
        labels = dict(zip(choices, (label for label, _ in combination), strict=True))
        if choices:
            yield labels, [parts for _, parts in combination]
    for label, parts in beside.items():
        yield {BESIDE: label}, [parts]


def _joined(place: str, levels: Sequence[Level], parts: Sequence[Level]) -> dict[str, Any]:
    """What several choices say together, on top of a column."""
    above: dict[str, Any] = {}
    for level in levels:
        above |= level
    joined: dict[str, Any] = {}
    for part in parts:
        keys.check_keys(place, "choice", part, [part.get("estimator", above["estimator"])])
        for key, value in part.items():
            before = joined.get(key, above.get(key))
            if key == "where" and before:
                joined[key] = f"({before}) and ({value})"
            elif key in ("prepare", "join") and before:
                joined[key] = [*before, *value]
            else:
                joined[key] = value
    return joined


def _places(column: Column, row: str, level: Level) -> tuple[Place, ...]:
    if "term" in level:
        return (Place(term=str(level["term"]), equation=str(level.get("equation", ""))),)
    return column.rows[row]


def estimate_curve(
    paper: Paper, curve: Curve, release: Release, *, keep: bool = True, fresh: bool = False
) -> pd.DataFrame:
    """Every specification of a curve on a release.

    Returns
    -------
    A row a specification, in the order declared: the dimensions' labels, estimate, std_error,
    statistic, p_value, low, high (95 %), n, is_paper (the paper's own choices), reason (why there
    is no estimate; else empty)
    """
    kept = Kept(release) if keep else None
    new: dict[Address, tuple[str, Estimate]] = {}
    rows = []
    column = paper.table(curve.table).columns[curve.column]
    for at, choice in enumerate(curve.choices):
        key = key_of(release, choice.estimation)
        found = kept.find(key) if kept is not None and not fresh else None
        if found is None:
            found = run(release, choice.estimation)[0]
            new[paper.slug, paper.variant, f"curve {curve.name}", str(at + 1)] = (key, found)
        rows.append(_row(curve, choice, column, found) | {"is_paper": at == 0})
    if kept is not None and new:
        kept.put(new)
    return pd.DataFrame(rows, columns=[*curve.dimensions, *NUMBERS, "n", "is_paper", "reason"])


def _row(curve: Curve, choice: Choice, column: Column, estimate: Estimate) -> dict[str, Any]:
    found = dict(number_of(choice.places, column, estimate))
    numbers = {name: found.get("ours" if name == "estimate" else name, np.nan) for name in NUMBERS}
    reason = estimate.reason or ("" if found else "the estimate has no such term")
    labels = {name: choice.labels.get(name, "") for name in curve.dimensions}
    return labels | numbers | {"n": estimate.statistics.get("nobs", np.nan), "reason": reason}


def summary_of(found: pd.DataFrame) -> str:
    """One sentence on a curve: how many, where they lie, how many agree with the paper's choices.

    Parameters
    ----------
    found : of `estimate_curve`
    """
    known = found[found["estimate"].notna()]
    missing = len(found) - len(known)
    if known.empty:
        return f"None of {len(found)} specifications could be estimated."
    values = known["estimate"]
    positive, clear = int((values > 0).sum()), known["p_value"] < 0.05
    own = found.loc[found["is_paper"], "estimate"].iloc[0]
    lost = f" ({missing} could not be estimated)" if missing else ""
    return (
        f"{len(known)} specifications{lost}: median {values.median():.4g}, from {values.min():.4g}"
        f" to {values.max():.4g}, with the paper's choices {own:.4g}; {positive} above zero,"
        f" {int((clear & (values > 0)).sum())} above and {int((clear & (values < 0)).sum())} below"
        " zero at 5 %."
    )
