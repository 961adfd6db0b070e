"""Percentiles as programs define them, winsorising and trimming.

Definitions of the p-th percentile of n sorted values x_(1) .. x_(n):

    stata   with i = n p / 100: x_(ceil i), or the mean of x_(i) and x_(i+1) where i is whole
            (Stata's pctile, summarize, winsor2)
    altdef  linear between x_(j) and x_(j+1) at (n+1) p / 100 (Stata's pctile, altdef; R type 6)
    linear  linear at 1 + (n-1) p / 100 (numpy, pandas, R type 7)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers
from analysis.estimators.core.options import Percentiles, checked


@dataclass(frozen=True, eq=False)
class Clipped:
    """A frame with its tails winsorised or trimmed.

    Attributes
    ----------
    frame : a copy, the columns replaced (or added under a suffix)
    limits : a row a column (and group): lower, upper, below and above (values changed), n (values
        that are not missing)
    definition : of the percentiles
    """

    frame: pd.DataFrame
    limits: pd.DataFrame
    definition: Percentiles
    what: str

    def note(self) -> str:
        """One sentence: what was done to how many values."""
        changed = int(self.limits["below"].sum() + self.limits["above"].sum())
        return (
            f"{self.what} ({self.definition} definition of percentiles), {changed:,} values of"
            f" {len(self.limits)} columns or groups changed."
        )


def percentile(values: np.ndarray, p: float, definition: Percentiles = "stata") -> float:
    """The p-th percentile (0-100) of values without missing ones; NaN of none."""
    checked("definition", definition, Percentiles)
    if not 0 <= p <= 100:
        raise ValueError(f"percentile {p!r}: it lies between 0 and 100.")
    x = np.sort(np.asarray(values, dtype=float))
    n = len(x)
    if n == 0:
        return float("nan")
    if definition == "stata":
        i = n * p / 100
        if i == np.floor(i) and 1 <= i < n:
            return float((x[int(i) - 1] + x[int(i)]) / 2)
        return float(x[min(max(int(np.ceil(i)), 1), n) - 1])
    place = (n + 1) * p / 100 if definition == "altdef" else 1 + (n - 1) * p / 100
    low = int(min(max(np.floor(place), 1), n))
    high = min(low + 1, n)
    share = min(max(place - low, 0.0), 1.0)
    return float(x[low - 1] + share * (x[high - 1] - x[low - 1]))


def winsorise(
    frame: pd.DataFrame,
    columns: Sequence[str],
    lower: float = 1,
    upper: float = 99,
    *,
    by: Sequence[str] = (),
    definition: Percentiles = "stata",
    suffix: str = "",
) -> Clipped:
    """Replace values below the lower percentile by it, and those above the upper one by that;
    missing values stay missing.

    Parameters
    ----------
    lower, upper : percentiles (0-100); 0 and 100 leave a tail alone
    by : columns within whose groups the percentiles are taken; rows that lack one form no group and
        stay as they are
    suffix : ends the names of new columns; empty replaces the columns (in the copy)

    Raises
    ------
    ValueError : unknown or non-numeric columns, percentiles out of order, a new name that exists.
    """
    return _clip(frame, columns, (lower, upper), by, definition, suffix, trimmed=False)


def trim(
    frame: pd.DataFrame,
    columns: Sequence[str],
    lower: float = 1,
    upper: float = 99,
    *,
    by: Sequence[str] = (),
    definition: Percentiles = "stata",
    suffix: str = "",
) -> Clipped:
    """Make values outside the percentiles missing (winsor2's trim); parameters and errors as
    winsorise().
    """
    return _clip(frame, columns, (lower, upper), by, definition, suffix, trimmed=True)


def _clip(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cuts: tuple[float, float],
    by: Sequence[str],
    definition: Percentiles,
    suffix: str,
    trimmed: bool,
) -> Clipped:
    _check_clip(frame, columns, cuts, by, suffix)
    values = numbers(frame, list(columns))
    codes, names = _groups(frame, by)
    made, limits = frame.copy(), []
    for column in columns:
        x = values[column].to_numpy().copy()
        for code, name in enumerate(names):
            here = (codes == code) & ~np.isnan(x)
            low, high = (percentile(x[here], cut, definition) for cut in cuts)
            below, above = here & (x < low), here & (x > high)
            counts = {"below": int(below.sum()), "above": int(above.sum()), "n": int(here.sum())}
            limits.append({"column": column, "group": name, "lower": low, "upper": high, **counts})
            x[below], x[above] = (np.nan, np.nan) if trimmed else (low, high)
        made[column + suffix] = x
    what = (
        f"{'trimmed' if trimmed else 'winsorised'} at percentiles {cuts[0]:g} and"
        f" {cuts[1]:g}{f' by {chr(44).join(by)}' if by else ''}"
    )
    return Clipped(made, pd.DataFrame(limits).set_index(["column", "group"]), definition, what)


def _check_clip(
    frame: pd.DataFrame,
    columns: Sequence[str],
    cuts: tuple[float, float],
    by: Sequence[str],
    suffix: str,
) -> None:
    if isinstance(columns, str) or isinstance(by, str):
        raise ValueError("columns and by are lists of column names.")
    check_columns(frame, [*columns, *by])
    if not 0 <= cuts[0] < cuts[1] <= 100:
        raise ValueError(
            f"percentiles {cuts[0]} and {cuts[1]}: the lower one lies below the upper one, both"
            " between 0 and 100."
        )
    taken = [column + suffix for column in columns if suffix and column + suffix in frame.columns]
    if taken:
        raise ValueError(f"{', '.join(taken)} exists already: choose another suffix.")


def _groups(frame: pd.DataFrame, by: Sequence[str]) -> tuple[np.ndarray, pd.Index]:
    """The group of each row (n,), and the groups' names; one group of all rows without columns."""
    if not by:
        return np.zeros(len(frame), dtype=int), pd.Index(["all"])
    grouped = frame.groupby(list(by), sort=True, observed=True)
    return grouped.ngroup().to_numpy(), grouped.size().index
