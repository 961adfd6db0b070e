"""Ordinary least squares with the covariances that papers print: homoskedastic, robust,
clustered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import clustered, least_squares, refuse_dependent
from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.columns import rows
from analysis.estimators.core.groups import Group
from analysis.estimators.core.inference import Design, inference_cautions
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Covariance,
    CovarianceOption,
    Where,
    columns_of,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sample import Sample, read_sample
from analysis.estimators.core.sums import each_alone


@dataclass(frozen=True, eq=False, kw_only=True)
class LinearResult(Result):
    """Least squares without effects; r2 and r2_adjusted compare with the mean of the outcome."""

    r2: float
    r2_adjusted: float

    def _fit(self) -> dict[str, Any]:
        return {"r2": self.r2, "r2_adjusted": self.r2_adjusted}


def linear_regression(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    covariance: CovarianceOption = "iid",
    where: Where | None = None,
) -> LinearResult:
    """OLS of the outcome on a constant and the regressors; t with N-k degrees of freedom, clustered
    G-1 (Stata's regress).

    Parameters
    ----------
    covariance : "iid"; "robust" to heteroskedasticity, factor N/(N-k); {"cluster": [column]},
        factor G/(G-1) (N-1)/(N-k)
    where : rows to estimate on, a column or a mask

    Raises
    ------
    ValueError : unknown or non-numeric columns, collinear regressors (a constant one among them),
        too few rows; the message names them.
    """
    began = perf_counter()
    errors = covariance_of(covariance, most=1)
    given = columns_of("regressors", regressors, outcome=outcome, empty=True)
    sample = read_sample(frame, [outcome, *given], (), errors.clusters, where=where)
    x = np.column_stack([np.ones(sample.n), sample.columns[:, 1:]])
    _check_design(x, [CONSTANT, *given])
    b, spread, df, rss = _fit(
        sample.columns[:, 0],
        x,
        sample.groups[errors.clusters[0]] if errors.clusters else None,
        errors,
    )
    index = [CONSTANT, *given]
    r2 = 1 - rss / float(((sample.columns[:, 0] - sample.columns[:, 0].mean()) ** 2).sum())
    return LinearResult(
        method="ordinary least squares",
        outcome=outcome,
        coefficients=pd.Series(b, index=index, name="coefficient"),
        covariance=pd.DataFrame(spread, index=index, columns=index),
        convention=_convention(errors, sample, df),
        df_t=float(df),
        n=sample.n,
        groups={name: sample.groups[name][1] for name in errors.clusters},
        dropped=sample.dropped,
        sample=sample.labels,
        r2=r2,
        r2_adjusted=1 - (1 - r2) * (sample.n - 1) / (sample.n - x.shape[1]),
        seconds=perf_counter() - began,
        warnings=_warnings(sample, outcome, given, errors),
    )


def _warnings(
    sample: Sample, outcome: str, regressors: Sequence[str], errors: Covariance
) -> tuple[Caution, ...]:
    few = few_clusters(sample.groups[errors.cluster][1]) if errors.cluster else ()
    design = Design(
        outcome=outcome,
        regressors=tuple(regressors),
        raw=sample.columns,
        within=sample.columns - sample.columns.mean(axis=0),
        groups=sample.groups,
        clusters=errors.clusters,
    )
    return few + inference_cautions(design)


def _check_design(x: np.ndarray, terms: list[str]) -> None:
    n, k = x.shape
    if n <= k:
        raise ValueError(f"{rows(n)} cannot carry {k} coefficients.")
    refuse_dependent(x, terms)


def _fit(
    y: np.ndarray, x: np.ndarray, group: Group | None, errors: Covariance
) -> tuple[np.ndarray, np.ndarray, int, float]:
    """Coefficients, their covariance, the degrees of freedom of t, and the residual sum of
    squares.
    """
    n, k = x.shape
    b, e, inverse = least_squares(y, x)
    rss = float(e @ e)
    if group is not None:
        g = group[1]
        if g < 2:
            raise ValueError(
                "the sample has one cluster only: clustered standard errors need at least two."
            )
        return b, clustered(x, e, inverse, group) * g / (g - 1) * (n - 1) / (n - k), g - 1, rss
    if errors.kind == "robust":
        return b, clustered(x, e, inverse, each_alone(n)) * n / (n - k), n - k, rss
    return b, inverse * rss / (n - k), n - k, rss


def _convention(errors: Covariance, sample: Sample, df: int) -> str:
    cluster = errors.cluster
    if cluster:
        what = (
            f"clustered by {cluster} ({sample.groups[cluster][1]:,} clusters, factor"
            " G/(G-1)·(N-1)/(N-K)"
        )
    else:
        what = "robust (factor N/(N-K)" if errors.kind == "robust" else "homoskedastic (RSS/(N-K)"
    return f"{what}, t with {df:,} degrees of freedom)"
