"""How well places turn what they put into innovation into what comes out: by a stochastic frontier
and by data envelopment.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.measures import samples
from analysis.measures.envelopment import envelopment
from analysis.measures.frontier import FrontierError, stochastic_frontier

# A frontier of so few rows a coefficient says nothing; data envelopment finds every unit efficient
# then.
ROWS_PER_TERM = 3


def innovation_efficiency(
    frame: pd.DataFrame, inputs: Sequence[str], outputs: Sequence[str], *, unit: str, period: str
) -> pd.DataFrame:
    """Efficiency of each unit and period, twice.

    frontier : Cobb-Douglas output distance function, which takes several outputs without weighing
        them (Coelli and Perelman 1999):
        ln y1 = a + sum_k b_k ln x_k - sum_m c_m ln(y_m / y1) + trend + v - u, u half-normal, by
        maximum likelihood over all rows; efficiency E(exp(-u) | residual) of Battese and Coelli
        (1988). 1 everywhere where no inefficiency is found.
    envelopment : input-oriented with constant returns (Charnes, Cooper and Rhodes 1978), a frontier
        for each period.

    Parameters
    ----------
    frame : one row a unit and period, in any order, with any other columns
    inputs, outputs : in any units; the first output stands on the left. The frontier takes logs, so
        a row with a number at or below zero has none;
        the envelopment needs inputs above zero and one output above zero

    Returns
    -------
    frame of unit, period, frontier and envelopment, one row for every row given, sorted by unit and
    period; both efficiencies lie in (0, 1] and are missing where a row cannot be used, too few rows
    are left, or the likelihood has no maximum inside

    Raises
    ------
    ValueError : columns missing or not numeric, duplicate keys
    """
    names = [unit, period, *inputs, *outputs]
    samples.check_columns(frame, names)
    samples.refuse_duplicates(frame, [unit, period])
    ordered = frame[names].sort_values([unit, period], ignore_index=True)
    values = samples.numbers(ordered, [*inputs, *outputs])
    return ordered[[unit, period]].assign(
        frontier=_frontier(
            ordered[period].to_numpy(dtype="float64"),
            values[:, : len(inputs)],
            values[:, len(inputs) :],
        ),
        envelopment=_envelopment(ordered, inputs, outputs, unit, period, values),
    )


def _frontier(time: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.full(len(time), np.nan)
    usable = (np.isfinite(x) & (x > 0)).all(axis=1) & (np.isfinite(y) & (y > 0)).all(axis=1)
    columns = [*np.log(x[usable]).T, *np.log(y[usable, 1:] / y[usable, :1]).T, time[usable]]
    columns = [column - column.mean() for column in columns if len(column) and np.ptp(column) > 0]
    if usable.sum() < ROWS_PER_TERM * (len(columns) + 3):
        return out
    names = [f"x{number}" for number in range(len(columns))]
    sample = pd.DataFrame(dict(zip(names, columns, strict=True))).assign(y=np.log(y[usable, 0]))
    try:
        result = stochastic_frontier(sample, "y", names)
    except FrontierError:
        return out
    out[usable] = result.efficiencies["battese_coelli"].to_numpy()
    return out


def _envelopment(
    ordered: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    unit: str,
    period: str,
    values: np.ndarray,
) -> np.ndarray:
    x, y = values[:, : len(inputs)], values[:, len(inputs) :]
    usable = (
        (np.isfinite(values)).all(axis=1)
        & (x > 0).all(axis=1)
        & (y >= 0).all(axis=1)
        & (y > 0).any(axis=1)
    )
    if not usable.any():
        return np.full(len(ordered), np.nan)
    return (
        envelopment(ordered, inputs, outputs, unit=unit, period=period, slacks="none")
        .table["efficiency"]
        .to_numpy()
    )
