"""Malmquist index of productivity change from enveloping frontiers (Färe, Grosskopf, Norris and
Zhang 1994).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from analysis.measures.envelopment import Sample, sample_of
from analysis.measures.envelopment_programs import Orientation, Returns, Technology, radial, snap


@dataclass(frozen=True, eq=False, kw_only=True)
class MalmquistResult:
    """Change of total factor productivity between neighbouring periods.

    Attributes
    ----------
    changes : unit, period (the later), period_before, efficiency_change, technical_change,
        pure_efficiency_change, scale_efficiency_change, malmquist;
        above 1 is progress. malmquist = efficiency_change x technical_change, efficiency_change =
        pure x scale
    distances : unit, period, crs_before, crs_own, crs_after (efficiency against the
        constant-returns frontier of the period before, its own and the
        one after), vrs_own
    means : geometric means of the changes by period
    dropped : reason -> rows; a unit without the neighbouring period is counted under "no row in the
        period before"
    left_out : unit, period and reason of each row that was dropped for its numbers
    """

    orientation: Orientation
    changes: pd.DataFrame
    distances: pd.DataFrame
    means: pd.DataFrame
    dropped: Mapping[str, int]
    left_out: pd.DataFrame

    def note(self) -> str:
        """One sentence: what was computed and on what."""
        units = self.changes.iloc[:, 0].nunique()
        reasons = (
            "; ".join(f"{count:,} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        return (
            f"{self.orientation}-oriented Malmquist index of {units:,} units, {len(self.changes):,}"
            f" changes; left out: {reasons}."
        )


def malmquist(
    frame: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    unit: str,
    period: str,
    orientation: Orientation = "output",
) -> MalmquistResult:
    """M = sqrt(D_t(t+1) / D_t(t) x D_t+1(t+1) / D_t+1(t)), D_s(t) the constant-returns efficiency
    of the unit's row of t against the frontier of s.

    efficiency_change = D_t+1(t+1) / D_t(t); technical_change = M / efficiency_change;
    pure_efficiency_change is efficiency_change under variable returns. Frontiers are spanned by all
    rows of their period; periods are neighbours in the frame's own sequence. A unit needs both
    periods.

    Parameters
    ----------
    frame : one row a unit and period; inputs positive, outputs non-negative and not all zero
    orientation : which distances are computed; under constant returns the index is the same in both

    Raises
    ------
    ValueError : columns missing or not numeric, duplicate keys, fewer than two periods. Rows that
        cannot be used are dropped, counted and named.
    """
    if orientation not in get_args(Orientation):
        raise ValueError(f"orientation {orientation!r} is not known: use 'input' or 'output'.")
    sample = sample_of(frame, inputs, outputs, unit, period)
    if len(sample.groups) < 2:
        raise ValueError(
            f"a change needs two periods; column {period!r} has {len(sample.groups)} with usable"
            " rows."
        )
    distances = _distances(sample, orientation, unit, period)
    changes, alone = _changes(distances, unit, period)
    index_columns = list(changes.columns[3:])
    logs = pd.DataFrame(np.log(changes[index_columns]))
    means = pd.DataFrame(np.exp(logs.groupby(changes[period]).mean()))
    dropped = dict(sample.dropped)
    if alone:
        dropped["no row in the period before"] = alone
    return MalmquistResult(
        orientation=orientation,
        changes=changes,
        distances=distances,
        means=means,
        dropped=dropped,
        left_out=sample.left_out,
    )


def _distances(sample: Sample, orientation: Orientation, unit: str, period: str) -> pd.DataFrame:
    """Every row against the frontiers of its own period and of its neighbours, sorted by unit and
    period.
    """

    def against(
        members: np.ndarray, frontier: np.ndarray | None, returns: Returns = "crs"
    ) -> np.ndarray:
        if frontier is None:
            return np.full(len(members), np.nan)
        technology = Technology(sample.x[frontier], sample.y[frontier], returns)
        return np.array(
            [snap(radial(technology, sample.x[row], sample.y[row], orientation)) for row in members]
        )

    padded = [None, *sample.groups, None]
    pieces = []
    for before, members, after in zip(padded[:-2], sample.groups, padded[2:], strict=True):
        columns = {unit: sample.labels[members], period: sample.times[members].astype(int)}
        columns["crs_before"] = against(members, before)
        columns["crs_own"] = np.minimum(1.0, against(members, members))
        columns["crs_after"] = against(members, after)
        columns["vrs_own"] = np.minimum(1.0, against(members, members, "vrs"))
        pieces.append(pd.DataFrame(columns))
    table = pd.concat(pieces, ignore_index=True)
    table[unit] = table[unit].infer_objects()
    return table.sort_values(
        [unit, period],
        key=lambda column: column.astype(str) if column.dtype == object else column,
        ignore_index=True,
    )


def _changes(distances: pd.DataFrame, unit: str, period: str) -> tuple[pd.DataFrame, int]:
    """Changes of units with neighbouring periods, and how many later rows have no earlier one."""
    moments = np.sort(distances[period].unique())
    before = dict(zip(moments[1:], moments[:-1], strict=True))
    later = distances[distances[period] != moments[0]].copy()
    later["period_before"] = later[period].map(before)
    joined = later.merge(
        distances,
        left_on=[unit, "period_before"],
        right_on=[unit, period],
        suffixes=("", "_then"),
        how="inner",
    )
    efficiency = joined["crs_own"] / joined["crs_own_then"]
    pure = joined["vrs_own"] / joined["vrs_own_then"]
    technical = np.sqrt(
        joined["crs_before"] / joined["crs_own"] * joined["crs_own_then"] / joined["crs_after_then"]
    )
    changes = joined[[unit, period, "period_before"]].assign(
        efficiency_change=efficiency,
        technical_change=technical,
        pure_efficiency_change=pure,
        scale_efficiency_change=efficiency / pure,
        malmquist=efficiency * technical,
    )
    return changes, len(later) - len(joined)
