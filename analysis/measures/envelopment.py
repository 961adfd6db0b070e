"""Data envelopment analysis: efficiency against the frontier that the best units span, with slacks,
peers, targets and scale.

Charnes, Cooper and Rhodes (1978), constant returns; Banker, Charnes and Cooper (1984), variable
returns; slacks as DEAP 2.1 (Coelli 1996).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.measures import samples
from analysis.measures.envelopment_programs import (
    EnvelopmentError,
    Orientation,
    Projection,
    Returns,
    Technology,
    most_slack,
    multi_stage,
    radial,
    snap,
)

Slacks = Literal["none", "two_stage", "multi_stage"]
RETURNS: dict[Returns, str] = {
    "crs": "constant",
    "vrs": "variable",
    "nirs": "non-increasing",
    "ndrs": "non-decreasing",
}
__all__ = ["EnvelopmentError", "EnvelopmentResult", "envelopment"]


@dataclass(frozen=True, eq=False, kw_only=True)
class EnvelopmentResult:
    """Efficiencies against an enveloping frontier.

    Attributes
    ----------
    method : what was computed, as a note would say it
    table : one row for every row of the frame given, NaN where a row was left out:
        efficiency in (0, 1], 1 on the frontier; with returns other than "crs" also efficiency_crs,
        scale_efficiency (efficiency_crs / efficiency) and, with "vrs", returns_to_scale ("irs",
        "crs", "drs"); with slacks, "slack: ..." and "target: ..." of each column, in its units;
        with super_efficiency, that of each unit against all others, NaN where no multiple of it is
        feasible
    peers : unit[, period], peer, weight: the frontier units that a unit is compared with; empty
        without slacks
    dropped : reason -> rows
    left_out : unit[, period] and reason of each row that was dropped
    n : rows used
    """

    method: str
    table: pd.DataFrame
    peers: pd.DataFrame
    dropped: Mapping[str, int]
    left_out: pd.DataFrame
    n: int

    def note(self) -> str:
        """One sentence: what was computed, on which rows, and what was left out."""
        reasons = (
            "; ".join(f"{samples.rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        return (
            f"{self.method}, {samples.rows(self.n)}, mean efficiency"
            f" {self.table['efficiency'].mean():.4f}; left out: {reasons}."
        )

    def __str__(self) -> str:
        return f"{self.table.to_string(float_format=lambda value: f'{value:.4f}')}\n{self.note()}"


def envelopment(
    frame: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    unit: str,
    period: str | None = None,
    returns: Returns = "crs",
    orientation: Orientation = "input",
    slacks: Slacks = "multi_stage",
    super_efficiency: bool = False,
) -> EnvelopmentResult:
    """Efficiency of every row against the frontier of all rows, or of the rows of its period.

    Input orientation: min theta such that X'w <= theta x, Y'w >= y, w >= 0; output orientation: 1 /
    max phi such that X'w <= x, Y'w >= phi y. The weights w sum to anything ("crs"), one ("vrs"), at
    most one ("nirs") or at least one ("ndrs").

    Parameters
    ----------
    frame : one row a unit, or a unit and period
    inputs, outputs : non-negative columns in any units; no number of theirs depends on the units
    period : a frontier of its own for each; left out, one frontier for all rows
    slacks : "multi_stage" (Coelli 1998, DEAP's default), "two_stage" (largest sum of slacks, each
        in units of the column's mean), "none" (fastest)

    Returns
    -------
    EnvelopmentResult : a table in the order of the frame, and the peers

    Raises
    ------
    ValueError : columns missing or not numeric, duplicate keys, options unknown. Rows that cannot
        be used are dropped, counted and named: a number
        missing or infinite, an input zero or negative, an output negative, all outputs zero
    """
    for given, known in ((returns, Returns), (orientation, Orientation), (slacks, Slacks)):
        if given not in get_args(known):
            raise ValueError(f"option {given!r} is not among {', '.join(get_args(known))}.")
    sample = sample_of(frame, inputs, outputs, unit, period)
    task = _Task(sample, returns, orientation, slacks, super_efficiency)
    table, peers = _table(task, frame.index)
    keys = [unit] if period is None else [unit, period]
    return EnvelopmentResult(
        method=(
            f"{orientation}-oriented data envelopment with {RETURNS[returns]}"
            f" returns{'' if period is None else ', a frontier for each ' + period}"
        ),
        table=table,
        peers=pd.DataFrame(peers, columns=[*keys, "peer", "weight"]),
        dropped=sample.dropped,
        left_out=sample.left_out,
        n=len(sample.rows),
    )


def _table(task: _Task, index: pd.Index) -> tuple[pd.DataFrame, list[tuple[object, ...]]]:
    """The numbers of every row of the frame, and the peers, frontier by frontier."""
    sample = task.sample
    table = pd.DataFrame(np.nan, index=index, columns=task.columns)
    scale_kinds = np.full(len(index), None, dtype=object)
    peers: list[tuple[object, ...]] = []
    for members in sample.groups:
        numbers, kinds, found = task.run(members)
        table.iloc[sample.rows[members]] = numbers
        scale_kinds[sample.rows[members]] = kinds
        peers += found
    if task.returns == "vrs":
        table.insert(3, "returns_to_scale", pd.Series(scale_kinds, index=index, dtype="str"))
    return table, peers


@dataclass(frozen=True)
class Sample:
    """Usable rows, sorted by their numbers so that the frame's order and the spelling of units
    change nothing.

    Attributes
    ----------
    rows : (n,) positions in the frame
    labels : (n,) units; `times` (n,) periods
    x, y : (n, m) inputs and (n, s) outputs, divided by `x_size` and `y_size`, their means
    groups : for each frontier the positions, in the arrays, of its rows
    """

    rows: np.ndarray
    labels: np.ndarray
    times: np.ndarray
    x: np.ndarray
    y: np.ndarray
    x_size: np.ndarray
    y_size: np.ndarray
    names: tuple[list[str], list[str]]
    has_period: bool
    groups: list[np.ndarray] = field(default_factory=list)
    dropped: Mapping[str, int] = field(default_factory=dict)
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)


def sample_of(
    frame: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    unit: str,
    period: str | None,
) -> Sample:
    """Check the frame and take the rows that can be used."""
    keys = [unit] if period is None else [unit, period]
    if not inputs or not outputs:
        raise ValueError("data envelopment needs at least one input and one output.")
    samples.check_columns(frame, [*keys, *inputs, *outputs])
    x, y = samples.numbers(frame, inputs), samples.numbers(frame, outputs)
    times = np.zeros(len(frame)) if period is None else samples.periods(frame, period)
    reasons = _reasons(frame, unit, period, times, (list(inputs), x), (list(outputs), y))
    bad = np.array([bool(reason) for reason in reasons], dtype=bool)
    samples.refuse_duplicates(frame.loc[~bad], keys)
    left_out = frame.loc[bad, keys].assign(reason=[reason for reason in reasons if reason])
    counts = left_out["reason"].value_counts(sort=False)
    if bad.all():
        raise ValueError(f"no row can be used: {left_out['reason'].value_counts().to_dict()}.")
    labels = frame[unit].to_numpy(dtype=object)
    rows = _own_order(np.flatnonzero(~bad), labels, x, y, times)
    x_size, y_size = x[rows].mean(axis=0), y[rows].mean(axis=0)
    y_size = np.where(y_size > 0, y_size, 1.0)
    return Sample(
        rows=rows,
        labels=labels[rows],
        times=times[rows],
        x=x[rows] / x_size,
        y=y[rows] / y_size,
        x_size=x_size,
        y_size=y_size,
        names=(list(inputs), list(outputs)),
        has_period=period is not None,
        groups=[np.flatnonzero(times[rows] == moment) for moment in np.unique(times[rows])],
        dropped={str(reason): int(count) for reason, count in counts.items()},
        left_out=left_out,
    )


def _own_order(
    rows: np.ndarray, labels: np.ndarray, x: np.ndarray, y: np.ndarray, times: np.ndarray
) -> np.ndarray:
    """Positions by period, then by their numbers, then by the spelling of the unit."""
    spelled = np.array([str(label) for label in labels[rows]], dtype=object)
    codes = pd.factorize(spelled, sort=True)[0]
    return rows[np.lexsort((codes, *x[rows].T, *y[rows].T, times[rows]))]


def _reasons(
    frame: pd.DataFrame,
    unit: str,
    period: str | None,
    times: np.ndarray,
    inputs: tuple[list[str], np.ndarray],
    outputs: tuple[list[str], np.ndarray],
) -> list[str]:
    """For each row the first reason why it cannot be used, or an empty text."""
    checks = [
        (f"{unit} missing", frame[unit].isna().to_numpy()),
        (f"{period} missing", ~np.isfinite(times)),
    ]
    for names, values in (inputs, outputs):
        for position, name in enumerate(names):
            column = values[:, position]
            checks += [
                (f"{name} missing", np.isnan(column)),
                (f"{name} infinite", np.isinf(column)),
                (f"{name} negative", column < 0),
            ]
    checks += [
        (f"{name} zero", inputs[1][:, position] == 0) for position, name in enumerate(inputs[0])
    ]
    checks.append(
        (
            "all outputs zero" if len(outputs[0]) > 1 else f"{outputs[0][0]} zero",
            np.all(outputs[1] == 0, axis=1),
        )
    )
    reasons = [""] * len(frame)
    for reason, bad in reversed(checks):
        for row in np.flatnonzero(bad):
            reasons[row] = reason
    return reasons


@dataclass(frozen=True)
class _Task:
    """What is asked of each frontier."""

    sample: Sample
    returns: Returns
    orientation: Orientation
    slacks: Slacks
    super_efficiency: bool

    @property
    def columns(self) -> list[str]:
        both = [*self.sample.names[0], *self.sample.names[1]]
        scale = [] if self.returns == "crs" else ["efficiency_crs", "scale_efficiency"]
        slack = (
            []
            if self.slacks == "none"
            else [f"slack: {name}" for name in both] + [f"target: {name}" for name in both]
        )
        return [
            "efficiency",
            *scale,
            *(["super_efficiency"] if self.super_efficiency else []),
            *slack,
        ]

    def run(
        self, members: np.ndarray
    ) -> tuple[np.ndarray, list[str | None], list[tuple[object, ...]]]:
        """Numbers in the order of `columns`, kinds of returns to scale, and peers, of the rows of
        one frontier.
        """
        sample = self.sample
        technology = Technology(sample.x[members], sample.y[members], self.returns)
        efficiency = self._all(technology)
        columns = [efficiency]
        kinds: list[str | None] = [None] * len(members)
        if self.returns != "crs":
            constant = self._all(Technology(technology.x, technology.y, "crs"))
            constant = np.minimum(constant, efficiency)
            columns += [constant, np.array([snap(share) for share in constant / efficiency])]
            if self.returns == "vrs":
                kinds = self._kinds(technology, constant, efficiency)
        if self.super_efficiency:
            everyone = np.arange(len(members))
            columns.append(
                np.array(
                    [
                        radial(
                            technology.only(everyone != row),
                            technology.x[row],
                            technology.y[row],
                            self.orientation,
                        )
                        for row in everyone
                    ]
                )
            )
        peers: list[tuple[object, ...]] = []
        if self.slacks != "none":
            slack, peers = self._slacks(technology, efficiency, members)
            columns.append(slack)
        return np.column_stack(columns), kinds, peers

    def _all(self, technology: Technology) -> np.ndarray:
        return np.array(
            [
                snap(min(1.0, radial(technology, x, y, self.orientation)))
                for x, y in zip(technology.x, technology.y, strict=True)
            ]
        )

    def _kinds(
        self, technology: Technology, constant: np.ndarray, variable: np.ndarray
    ) -> list[str | None]:
        """Constant returns where the two efficiencies agree; else decreasing where the
        non-increasing frontier is the variable one.
        """
        nirs = Technology(technology.x, technology.y, "nirs")
        kinds: list[str | None] = []
        for row in range(len(variable)):
            if snap(constant[row] / variable[row]) == 1.0:
                kinds.append("crs")
                continue
            bounded = radial(nirs, nirs.x[row], nirs.y[row], self.orientation)
            kinds.append("drs" if snap(bounded / variable[row]) == 1.0 else "irs")
        return kinds

    def _slacks(
        self, technology: Technology, efficiency: np.ndarray, members: np.ndarray
    ) -> tuple[np.ndarray, list[tuple[object, ...]]]:
        """Slacks and targets in the units of the columns, and peers. Only efficient rows can be
        peers, so only they are offered.
        """
        sample = self.sample
        best = np.flatnonzero(efficiency == 1.0)
        offered = technology.only(best)
        size = np.concatenate([sample.x_size, sample.y_size])
        out, peers = np.empty((len(members), 2 * len(size))), []
        for row, share in enumerate(efficiency):
            x, y = technology.x[row], technology.y[row]
            x, y = (x * share, y) if self.orientation == "input" else (x, y / share)
            found = self._projection(offered, x, y)
            slack = np.concatenate([found.input_slacks, found.output_slacks])
            target = np.concatenate([x - found.input_slacks, y + found.output_slacks])
            out[row] = np.concatenate([slack * size, target * size])
            me = self._key(members[row])
            peers += [
                (*me, sample.labels[members[best[peer]]], float(found.weights[peer]))
                for peer in np.flatnonzero(found.weights)
            ]
        return out, peers

    def _projection(self, offered: Technology, x: np.ndarray, y: np.ndarray) -> Projection:
        first = most_slack(offered, x, y, np.ones(len(x) + len(y)))
        if self.slacks == "two_stage" or not (
            first.input_slacks.any() or first.output_slacks.any()
        ):
            return first
        return multi_stage(offered, x, y)

    def _key(self, position: int) -> tuple[object, ...]:
        label = self.sample.labels[position]
        return (label, int(self.sample.times[position])) if self.sample.has_period else (label,)
