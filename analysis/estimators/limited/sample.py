"""Rows, designs and covariances of the models with a limited outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.columns import check_columns, numbers, rows
from analysis.estimators.core.groups import Group, numbered
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Covariance,
    CovarianceOption,
    LimitedSmall,
    Where,
    checked,
    covariance_of,
)
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sample import Sample, read_sample, rows_asked
from analysis.estimators.core.sums import sums_by
from analysis.estimators.limited.likelihoods import Maximum


@dataclass(frozen=True)
class Request:
    """What an estimator is asked to use, checked: errors, their factor, keys and rows."""

    errors: Covariance
    small: LimitedSmall
    keys: Sequence[str]
    where: Where | None


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows in the order of their values.

    Attributes
    ----------
    values : (n, m), a column a name
    errors, small : what is assumed of the scores, and the factor of their cross product
    clusters : of the rows, where errors are clustered
    groups, dropped, labels : as in `Result`
    """

    values: pd.DataFrame
    errors: Covariance
    small: LimitedSmall
    clusters: Group | None
    groups: dict[str, int]
    dropped: dict[str, int]
    labels: pd.Index

    @property
    def sandwich(self) -> bool:
        """Whether the covariance rests on the scores' cross product."""
        return self.errors.kind != "iid"

    def cross_product(self, scores: np.ndarray) -> np.ndarray:
        """Cross product of scores (n, k), summed by cluster if there is one, with its factor."""
        if self.clusters is not None:
            scores = sums_by(self.clusters, scores)
        count = len(scores)
        factor = count / (count - 1) if self.small == "stata" else 1.0
        return np.asarray(scores.T @ scores * factor)

    def covariance(self, best: Maximum) -> np.ndarray:
        """Of the coefficients at a maximum: inverse information, or sandwich."""
        return self.cross_product(best.influence) if self.sandwich else best.inverse

    def convention(self, plain: str) -> str:
        """How the standard errors were computed, `plain` being what iid errors come from."""
        if not self.sandwich:
            return f"from the {plain} (normal)"
        letter = "N" if self.clusters is None else "G"
        small = self.small == "stata"
        factor = f"factor {letter}/({letter}-1)" if small else "no small-sample factor"
        if self.clusters is None:
            return f"robust to heteroskedasticity (sandwich, {factor}, normal)"
        count = f"{self.clusters[1]:,} clusters"
        return f"clustered by {self.errors.cluster} ({count}, sandwich, {factor}, normal)"

    def warnings(self) -> tuple[Caution, ...]:
        """Few clusters."""
        if self.clusters is None:
            return ()
        return few_clusters(
            self.clusters[1], remedy="Cluster by something finer, if errors allow it."
        )


def request_of(
    covariance: CovarianceOption,
    small: LimitedSmall,
    keys: Sequence[str],
    where: Where | None,
) -> Request:
    """Check the options that all models of the family share."""
    checked("small", small, LimitedSmall)
    return Request(covariance_of(covariance, most=1), small, keys, where)


def complete_rows(frame: pd.DataFrame, columns: Sequence[str], request: Request) -> Rows:
    """Keep the rows that are asked for and complete in the numeric columns and the cluster."""
    names = list(dict.fromkeys(columns))
    clusters = request.errors.clusters
    sample = read_sample(frame, names, (), clusters, keys=request.keys, where=request.where)
    return _in_order_of_values(sample, names, sample.columns, request)


def _in_order_of_values(
    sample: Sample,
    names: Sequence[str],
    values: np.ndarray,
    request: Request,
) -> Rows:
    """Rows in the order of their values, so that neither the input's order nor the kind of its ids
    can move a digit.
    """
    cluster = request.errors.cluster
    codes = sample.groups[cluster][0] if cluster else np.zeros(sample.n, dtype=int)
    order = np.lexsort([codes, *values.T[::-1]])
    group = numbered(pd.factorize(codes[order])[0]) if cluster else None
    if group is not None and group[1] < 2:
        one = f"the sample has one level of {cluster!r} only"
        raise ValueError(f"{one}: clustered standard errors need at least two.")
    return Rows(
        values=pd.DataFrame(values[order], columns=list(names)),
        errors=request.errors,
        small=request.small,
        clusters=group,
        groups={} if group is None else {str(cluster): group[1]},
        dropped=sample.dropped,
        labels=sample.labels,
    )


def selection_rows(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    selection_regressors: Sequence[str],
    selected: str | None,
    request: Request,
) -> tuple[Rows, np.ndarray]:
    """The complete rows and which of them are selected (n,); what an unselected row holds in the
    outcome equation does not matter.
    """
    outside = [outcome, *(name for name in regressors if name not in selection_regressors)]
    numeric = list(dict.fromkeys([*selection_regressors, *outside]))
    keys, clusters = list(request.keys), list(request.errors.clusters)
    check_columns(frame, [*numeric, *keys, *clusters, *([selected] if selected else [])])
    frame, unasked = rows_asked(frame, request.where)
    marker, flag = _flag(frame, outcome, selected, numeric)
    values = numbers(frame, numeric)
    # A key says which row it is whether or not the row is selected: it is never masked.
    masked = {name: values[name].where(flag != 0, 0.0) for name in outside if name not in keys}
    named = list(dict.fromkeys([*numeric, *keys, *clusters]))
    marked = frame[named].assign(**masked, **{marker: flag})
    sample = read_sample(marked, [marker, *numeric], (), clusters, keys=keys)
    chosen = sample.column(0)
    columns = sample.columns.copy()
    columns[np.ix_(chosen == 0, [1 + numeric.index(name) for name in outside])] = 0.0
    sample.dropped.update(unasked | sample.dropped)
    rows_used = _in_order_of_values(sample, [marker, *numeric], columns, request)
    chosen = rows_used.values[marker].to_numpy()
    _check_selection(chosen, len(regressors) + 2)
    return rows_used, chosen


def _flag(
    frame: pd.DataFrame,
    outcome: str,
    selected: str | None,
    numeric: Sequence[str],
) -> tuple[str, np.ndarray]:
    """The name and the values (n,) of what says that a row is selected: 0, 1 or NaN."""
    marker = f"{outcome} seen" if selected is None else selected
    what = f"the selection column {marker!r}"
    if marker in numeric:
        raise ValueError(f"{what} cannot be a variable of the equations too.")
    given = numbers(frame, [selected or outcome])[selected or outcome]
    flag = given.to_numpy() if selected else given.notna().to_numpy(dtype=float)
    if not np.isin(flag[~np.isnan(flag)], (0.0, 1.0)).all():
        raise ValueError(f"{what} holds other values than 0 and 1. Make it a dummy.")
    return marker, flag


def _check_selection(chosen: np.ndarray, needed: int) -> None:
    count = int(chosen.sum())
    if not 0 < count < len(chosen):
        given = f"{count:,} of {len(chosen):,} complete rows are selected"
        raise ValueError(f"{given}: a selection model needs both kinds.")
    if count <= needed:
        raise ValueError(f"{count} selected rows are too few for {needed} coefficients.")


def design(values: pd.DataFrame, names: Sequence[str], constant: bool, what: str) -> np.ndarray:
    """(n, k) columns, the constant last; refuses columns that are combinations of each other."""
    matrix = values[list(names)].to_numpy()
    if constant:
        matrix = np.column_stack([matrix, np.ones(len(matrix))])
    terms = [*names, *([CONSTANT] if constant else [])]
    refuse_dependent(matrix, terms, f"the {what}. Leave one of them out")
    return matrix


def refuse_dependent(matrix: np.ndarray, names: Sequence[str] | None, what: str) -> None:
    size = np.linalg.norm(matrix, axis=0)
    if len(matrix) <= matrix.shape[1]:
        few = rows(len(matrix))
        raise ValueError(f"{few} are too few for {matrix.shape[1]} columns among {what}.")
    _, r, pivots = linalg.qr(matrix / np.where(size > 0, size, 1), mode="economic", pivoting=True)
    left = zip(pivots, np.abs(np.diag(r)), strict=True)
    dependent = [i for i, share in left if share <= 1e-9]
    if dependent:
        named = "a column" if names is None else ", ".join(names[i] for i in dependent)
        raise ValueError(f"{named} is constant, zero or a combination of others among {what}.")


def slopes_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Least squares of y (n,) on x (n, k), its columns brought to one unit before: else a column
    of small numbers would count as zero.
    """
    size = np.linalg.norm(x, axis=0)
    return np.asarray(np.linalg.lstsq(x / size, y, rcond=None)[0] / size)
