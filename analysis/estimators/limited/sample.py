"""Rows, designs and covariances of the models with a limited outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, usable_rows
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.sums import sums_by
from analysis.estimators.limited.likelihoods import Maximum


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows in the order of their values."""

    values: pd.DataFrame
    clusters: np.ndarray | None
    groups: dict[str, int]
    dropped: dict[str, int]
    labels: pd.Index


def check_names(lists: dict[str, Sequence[str]], outcome: str, cluster: str | None, robust: bool) -> None:
    for what, names in lists.items():
        if isinstance(names, str):
            raise ValueError(f"{what} is a list of column names, such as [{names!r}].")
        if not names or len(set(names)) < len(names) or outcome in names or CONSTANT in names:
            raise ValueError(f"{what} must be different columns, at least one, none called {CONSTANT!r} or {outcome!r}; given: {list(names)}.")
    if cluster is not None and robust:
        raise ValueError("clustered errors are robust already: give cluster or robust, not both.")


def complete_rows(frame: pd.DataFrame, numeric: Sequence[str], cluster: str | None, keys: Sequence[str], values: pd.DataFrame | None = None) -> Rows:
    """Keep the rows that are complete in the numeric columns (or in the values given for them) and the cluster."""
    names = list(dict.fromkeys([*([cluster] if cluster else []), *keys]))
    check_columns(frame, list(dict.fromkeys([*numeric, *names])))
    if keys:
        known = frame[list(keys)].notna().all(axis=1)
        refuse_duplicates(frame.loc[known.to_numpy(), list(keys)], keys)
    values = numbers(frame, numeric) if values is None else values
    keep, dropped = usable_rows(frame[names], values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    kept = values.loc[keep]
    labels = pd.factorize(frame.loc[keep, cluster])[0] if cluster else np.zeros(int(keep.sum()), dtype=int)
    # Rows are put in the order of their values, so that neither the input's order nor the kind of its ids can move a digit.
    order = np.lexsort([labels, *kept.to_numpy().T[::-1]])
    clusters = pd.factorize(labels[order])[0] if cluster else None
    if clusters is not None and clusters.max() == 0:
        raise ValueError(f"the sample has one level of {cluster!r} only: clustered standard errors need at least two.")
    groups = {} if clusters is None else {str(cluster): int(clusters.max()) + 1}
    return Rows(kept.iloc[order].reset_index(drop=True), clusters, groups, dropped, frame.index[keep])


def selection_rows(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    selection_regressors: Sequence[str],
    selected: str | None,
    cluster: str | None,
    keys: Sequence[str],
) -> tuple[Rows, np.ndarray]:
    """The complete rows and which of them are selected (n,); what an unselected row holds in the outcome equation does not matter."""
    outside = [outcome, *[name for name in regressors if name not in selection_regressors]]
    numeric = list(dict.fromkeys([*selection_regressors, *outside]))
    check_columns(frame, [*numeric, *([selected] if selected else [])])
    if selected is not None and selected in numeric:
        raise ValueError(f"the selection column {selected!r} cannot be a variable of the equations too.")
    values = numbers(frame, numeric)
    if selected is None:
        marker, flag = f"{outcome} seen", values[outcome].notna().to_numpy(dtype=float)
    else:
        marker, flag = selected, numbers(frame, [selected])[selected].to_numpy()
    if not np.isin(flag[~np.isnan(flag)], (0.0, 1.0)).all():
        raise ValueError(f"the selection column {marker!r} holds other values than 0 and 1. Make it a dummy.")
    columns = {name: np.where(flag == 0, 0.0, values[name]) if name in outside else values[name].to_numpy() for name in numeric}
    marked = pd.DataFrame({marker: flag} | columns, index=frame.index)
    rows = complete_rows(frame, numeric, cluster, keys, marked)
    chosen = rows.values.iloc[:, 0].to_numpy()
    if not 0 < chosen.sum() < len(chosen):
        raise ValueError(f"{int(chosen.sum()):,} of {len(chosen):,} complete rows are selected: a selection model needs both kinds.")
    if chosen.sum() <= len(regressors) + 2:
        raise ValueError(f"{int(chosen.sum())} selected rows are too few for {len(regressors) + 2} coefficients.")
    return rows, chosen


def design(values: pd.DataFrame, names: Sequence[str], constant: bool, what: str) -> np.ndarray:
    """(n, k) columns, the constant last; refuses columns that are combinations of each other."""
    matrix = values[list(names)].to_numpy()
    if constant:
        matrix = np.column_stack([matrix, np.ones(len(matrix))])
    refuse_dependent(matrix, [*names, *([CONSTANT] if constant else [])], f"the {what}. Leave one of them out")
    return matrix


def refuse_dependent(matrix: np.ndarray, names: Sequence[str] | None, what: str) -> None:
    size = np.linalg.norm(matrix, axis=0)
    if len(matrix) <= matrix.shape[1]:
        raise ValueError(f"{len(matrix)} rows are too few for {matrix.shape[1]} columns among {what}.")
    _, r, pivots = linalg.qr(matrix / np.where(size > 0, size, 1), mode="economic", pivoting=True)
    dependent = [i for i, left in zip(pivots, np.abs(np.diag(r)), strict=True) if left <= 1e-9]
    if dependent:
        named = ", ".join(names[i] for i in dependent) if names is not None else "a column"
        raise ValueError(f"{named} is constant, zero or a combination of others among {what}.")


def likelihood_covariance(best: Maximum, clusters: np.ndarray | None, robust: bool, small: bool) -> np.ndarray:
    return best.inverse if clusters is None and not robust else cross_product(best.influence, clusters, small)


def slopes_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least squares of y (n,) on x (n, k), its columns brought to one unit before: else a column
    of small numbers would count as zero.
    """
    size = np.linalg.norm(x, axis=0)
    return np.asarray(np.linalg.lstsq(x / size, y, rcond=None)[0] / size)


def cross_product(scores: np.ndarray, clusters: np.ndarray | None, small: bool) -> np.ndarray:
    """Cross product of the scores (n, k), summed by cluster if there is one, with its factor."""
    if clusters is not None:
        scores = sums_by(numbered(clusters), scores)
    count = len(scores)
    return np.asarray(scores.T @ scores * (count / (count - 1) if small else 1.0))
