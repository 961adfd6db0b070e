"""What tables print that no estimator gives: statistics of variables, and values as they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators import Report
from analysis.estimators.core.options import Where, row_mask
from analysis.estimators.core.result import tidy_frame
from analysis.measures.weights import entropy_weights

NUMBERS: dict[str, Callable[[pd.Series], float]] = {
    "observations": lambda x: float(x.count()),
    "mean": lambda x: float(x.mean()),
    "sd": lambda x: float(x.std(ddof=1)),
    "minimum": lambda x: float(x.min()),
    "maximum": lambda x: float(x.max()),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Plain(Report):
    """Numbers without errors: equation -> term -> number, and what they are."""

    numbers: Mapping[str, Mapping[str, float]]
    n: int
    said: str

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        parts = []
        for equation, values in self.numbers.items():
            found = np.array(list(values.values()), dtype=float)
            parts.append(tidy_frame(equation, list(values), found, np.full(len(found), np.nan)))
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        return pd.DataFrame([{"method": self.said, "nobs": self.n}])

    def note(self) -> str:
        return f"{self.said}, {self.n:,} rows."


def statistics(
    frame: pd.DataFrame, variables: Sequence[str], *, where: Where | None = None
) -> Plain:
    """Observations, mean, sd (n - 1 below), minimum and maximum of variables, missing values left
    out one by one; true counts as 1.

    Raises
    ------
    ValueError : a column that is not there.
    """
    if absent := [name for name in variables if name not in frame.columns]:
        raise ValueError(f"column {absent[0]!r} is not in the frame.")
    mask = row_mask(frame, where)
    kept = frame if mask is None else frame[mask]
    values = kept[list(variables)].astype("float64")
    numbers = {
        name: {column: work(values[column]) for column in variables}
        for name, work in NUMBERS.items()
    }
    return Plain(numbers=numbers, n=len(kept), said="Descriptive statistics")


def values(frame: pd.DataFrame, term: str, value: str, *, where: Where | None = None) -> Plain:
    """A column's values under the names that another column gives them.

    Raises
    ------
    ValueError : a column that is not there, or two rows of one name.
    """
    if absent := [name for name in (term, value) if name not in frame.columns]:
        raise ValueError(f"column {absent[0]!r} is not in the frame.")
    mask = row_mask(frame, where)
    kept = frame if mask is None else frame[mask]
    names = kept[term].astype(str)
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise ValueError(f"{term}: {twice!r} stands there more than once; narrow `where`.")
    numbers = {value: dict(zip(names, kept[value].astype("float64"), strict=True))}
    return Plain(numbers=numbers, n=len(kept), said=f"{value} by {term}")


def index_weights(
    frame: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str] = (),
    *,
    keys: Sequence[str] = ("city_code", "year"),
    term: str = "variable",
    value: str = "value",
    where: Where | None = None,
) -> Plain:
    """Entropy weights of indicators that stand one below the other (term, value).

    Units (the first key) with a missing value in any year are left out, as an index is made over
    complete units.

    Raises
    ------
    ValueError : an indicator without a row, or whatever the weights cannot be had of.
    """
    mask = row_mask(frame, where)
    kept = frame if mask is None else frame[mask]
    wide = kept.pivot(index=list(keys), columns=term, values=value)
    names = [*positive, *negative]
    if absent := [name for name in names if name not in wide.columns]:
        raise ValueError(f"{term}: there is no {absent[0]!r}.")
    whole = wide[names].astype("float64").dropna(how="all", axis=1)
    bad = whole.index[whole.isna().any(axis=1)].get_level_values(0).unique()
    whole = whole.drop(index=bad, level=0)
    there = [[name for name in part if name in whole.columns] for part in (positive, negative)]
    found = entropy_weights(whole.reset_index(drop=True), *there)
    said = f"Entropy weights, {len(bad):,} units with a missing value left out"
    return Plain(numbers={"weight": dict(found.weights)}, n=len(whole), said=said)


PLAIN: dict[str, Callable[..., Any]] = {
    "statistics": statistics,
    "values": values,
    "index_weights": index_weights,
}
