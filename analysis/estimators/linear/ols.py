"""Ordinary least squares with the covariances that papers print: homoskedastic, robust, clustered."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers, rows, usable_rows
from analysis.estimators.core.result import Result
from analysis.estimators.core.within import clustered, least_squares
from analysis.estimators.system.algebra import independent_columns

CONSTANT = "constant"


def linear_regression(frame: pd.DataFrame, outcome: str, regressors: Sequence[str], *, robust: bool = False, cluster: str | None = None) -> Result:
    """OLS of the outcome on a constant and the regressors; t with N-k degrees of freedom, clustered G-1 (Stata's regress).

    Parameters
    ----------
    robust : heteroskedasticity-robust, factor N/(N-k)
    cluster : column of the clusters, factor G/(G-1) (N-1)/(N-k)

    Raises
    ------
    ValueError : unknown or non-numeric columns, collinear regressors (a constant one among them), too few rows; the message names them.
    """
    began = perf_counter()
    given, labels = _checked(outcome, regressors, robust, cluster)
    check_columns(frame, [outcome, *given, *labels])
    values = numbers(frame, [outcome, *given])
    keep, dropped = usable_rows(frame[labels], values)
    data = values[keep].to_numpy()
    groups = pd.factorize(frame.loc[keep, cluster], sort=True)[0] if cluster else np.zeros(len(data), dtype=int)
    order = np.lexsort([*data.T[::-1], groups])
    data, groups = data[order], np.asarray(groups)[order]
    x = np.column_stack([np.ones(len(data)), data[:, 1:]])
    n, k = x.shape
    if n <= k:
        raise ValueError(f"{rows(n)} cannot carry {k} coefficients.")
    free = independent_columns(x)
    if not free.all():
        raise ValueError(f"{', '.join(np.array([CONSTANT, *given])[~free])} is a combination of the other regressors. Leave one of them out.")
    b, spread, df = _fit(data[:, 0], x, groups if cluster else None, robust)
    g = len(np.unique(groups))
    what = (
        f"clustered by {cluster} ({g:,} clusters, factor G/(G-1)·(N-1)/(N-K)"
        if cluster
        else f"{'robust (factor N/(N-K)' if robust else 'homoskedastic (RSS/(N-K)'}"
    )
    index = [CONSTANT, *given]
    return Result(
        method="ordinary least squares",
        outcome=outcome,
        coefficients=pd.Series(b, index=index, name="coefficient"),
        covariance=pd.DataFrame(spread, index=index, columns=index),
        convention=f"{what}, t with {df:,} degrees of freedom)",
        df_t=float(df),
        n=n,
        groups={cluster: g} if cluster else {},
        dropped=dropped,
        sample=frame.index[keep],
        seconds=perf_counter() - began,
    )


def _checked(outcome: str, regressors: Sequence[str], robust: bool, cluster: str | None) -> tuple[list[str], list[str]]:
    given = list(regressors)
    if isinstance(regressors, str) or len(set(given)) < len(given) or outcome in given or CONSTANT in given:
        raise ValueError(f"regressors are a list of different columns, without the outcome {outcome!r} and none called constant; given: {regressors!r}.")
    if robust and cluster is not None:
        raise ValueError("clustered errors are robust already: give cluster or robust, not both.")
    return given, [cluster] if cluster else []


def _fit(y: np.ndarray, x: np.ndarray, groups: np.ndarray | None, robust: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Coefficients, their covariance and the degrees of freedom of t."""
    n, k = x.shape
    b, e, inverse = least_squares(y, x)
    if groups is not None:
        g = int(groups.max()) + 1
        if g < 2:
            raise ValueError("the sample has one cluster only: clustered standard errors need at least two.")
        return b, clustered(x, e, inverse, groups) * g / (g - 1) * (n - 1) / (n - k), g - 1
    if robust:
        return b, clustered(x, e, inverse, np.arange(n)) * n / (n - k), n - k
    return b, inverse * float(e @ e) / (n - k), n - k
