"""Logit and probit by Newton's method, run until the score is zero to rounding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import linalg, special, stats

from analysis.estimators.core.columns import (
    check_columns,
    numbers,
    refuse_duplicates,
    rows,
    usable_rows,
)
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Link, Where, checked, columns_of
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sample import rows_asked

MAX_STEPS = 100
# Newton's decrement is the squared length of the step, in standard errors: below this the step
# taken was the last that matters.
CONVERGED = 1e-20
# The share of a column that must be left beside the others.
NOTHING_LEFT = 1e-10
# A regressor, or a row, that has less than this share of the largest in a direction has no part in
# it.
TOLD, MOVED = 0.05, 1e-4
# In some direction the rows that still carry information are fewer than this share: they are
# predicted perfectly.
NO_INFORMATION = 1e-9


class SeparationError(ValueError):
    """The regressors predict some rows perfectly: the likelihood has no maximum."""


@dataclass(frozen=True)
class BinaryFit:
    """Numbers of one fit: coefficients (k,), their covariance (k, k) from the expected information,
    probabilities (n,).
    """

    beta: np.ndarray
    covariance: np.ndarray
    probability: np.ndarray
    log_likelihood: float


@dataclass(frozen=True, eq=False, kw_only=True)
class BinaryChoiceResult(Result):
    """A logit or probit.

    Attributes beyond `Result`
    ----------
    link : "logit" or "probit"
    probability, index : (n,) fitted probability, and what F is taken of, by index label of the
        frame given
    log_likelihood, log_likelihood_null : with all regressors; with the constant alone
    pseudo_r2 : 1 - log_likelihood / log_likelihood_null (McFadden)
    """

    link: Link
    probability: pd.Series
    index: pd.Series
    log_likelihood: float
    log_likelihood_null: float
    pseudo_r2: float

    def _fit(self) -> dict[str, Any]:
        return {"log_likelihood": self.log_likelihood, "pseudo_r2": self.pseudo_r2}


def binary_choice(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    link: Link = "logit",
    *,
    weights: str | None = None,
    keys: Sequence[str] = (),
    where: Where | None = None,
) -> BinaryChoiceResult:
    """P(outcome = 1) = F(constant + regressors' coefficients), F logistic or normal, by maximum
    likelihood.

    Parameters
    ----------
    frame : any order of rows; nothing in it is modified
    outcome : column of zeros and ones (or booleans)
    regressors : numeric columns; text and categorical columns become dummies, the first level (in
        sorted order) left out
    weights : column of frequency weights; rows of weight zero are left out
    keys : columns that identify a row; two rows with one key are refused
    where : rows to estimate on, a column or a mask

    Source: Greene, Econometric Analysis, ch. 17. Covariance: inverse of the expected information
    (what R's glm and Stata's logit print; for the probit Stata prints the observed information,
    which differs).

    Raises
    ------
    ValueError : unknown columns, an outcome that is not 0/1 or does not vary, regressors that are
        combinations of others
    SeparationError : rows predicted perfectly, by which regressors
    """
    started = time.perf_counter()
    checked("link", link, Link)
    columns_of("regressors", regressors, outcome=outcome)
    check_columns(frame, [outcome, *regressors, *([weights] if weights else []), *keys])
    seen = _seen(frame, outcome, regressors, weights, keys, where)
    y, design, w, names, labels = seen.y, seen.design, seen.weights, seen.names, seen.labels
    order = np.lexsort([w, y, *design.T[::-1]])
    fit = fit_binary(y[order], design[order], w[order], link, names)
    # Row by row, so that rows with the same regressors have exactly the same score wherever they
    # stand.
    index = (design * fit.beta).sum(axis=1)
    share = float(w @ y / w.sum())
    null = float(w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share)))
    ratio = 2 * (fit.log_likelihood - null)
    k = len(names) - 1
    p = float(stats.chi2.sf(ratio, k))
    test = Test("LR chi2", ratio, float(k), p, None, "no regressor matters")
    probability = special.expit(index) if link == "logit" else special.ndtr(index)
    return BinaryChoiceResult(
        method=link,
        outcome=outcome,
        coefficients=pd.Series(fit.beta, index=names, name="coefficient"),
        covariance=pd.DataFrame(fit.covariance, index=names, columns=names),
        convention="from the expected information, normal",
        df_t=None,
        n=len(y),
        groups={},
        dropped=seen.dropped,
        sample=labels,
        tests={"likelihood_ratio": test},
        seconds=time.perf_counter() - started,
        link=link,
        probability=pd.Series(probability, index=labels, name="probability"),
        index=pd.Series(index, index=labels, name="index"),
        log_likelihood=fit.log_likelihood,
        log_likelihood_null=null,
        pseudo_r2=1 - fit.log_likelihood / null,
    )


def design_matrix(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], weights: str | None = None
) -> tuple[np.ndarray, list[str], np.ndarray, dict[str, int]]:
    """The constant, the numeric regressors and the dummies of the others: (n, k), names, rows kept,
    rows dropped by reason.
    """
    if (
        isinstance(regressors, str)
        or not regressors
        or len(set(regressors)) < len(regressors)
        or outcome in regressors
    ):
        raise ValueError(
            "regressors is a list of different columns, at least one, and not the outcome"
            f" {outcome!r}; given: {regressors!r}."
        )
    numeric = [
        name
        for name in regressors
        if pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name])
    ]
    labelled = [name for name in regressors if name not in numeric]
    values = numbers(
        frame, list(dict.fromkeys([outcome, *numeric, *([weights] if weights else [])]))
    )
    keep, dropped = usable_rows(frame[labelled], values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(
            f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'})."
        )
    columns, names = [np.ones(int(keep.sum()))], [CONSTANT]
    for name in regressors:
        if name in numeric:
            columns.append(values[name].to_numpy()[keep])
            names.append(name)
            continue
        text = frame[name][keep].astype(str).to_numpy()
        for level in np.unique(text)[1:]:
            columns.append((text == level).astype(float))
            names.append(f"{name}={level}")
    return np.column_stack(columns), names, keep, dropped


class _Seen(NamedTuple):
    """The rows of a fit, in the order of the frame."""

    y: np.ndarray  # (n,)
    design: np.ndarray  # (n, k), the constant first
    weights: np.ndarray  # (n,), ones where there are none
    names: list[str]
    labels: pd.Index
    dropped: dict[str, int]


def _seen(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: str | None,
    keys: Sequence[str],
    where: Where | None,
) -> _Seen:
    frame, outside = rows_asked(frame, where)
    if keys:
        refuse_duplicates(frame[list(keys)], keys)
    weighted, unweighted = _without_zero_weight(frame, weights)
    design, names, keep, missing = design_matrix(weighted, outcome, regressors, weights)
    y = numbers(weighted, [outcome])[outcome].to_numpy()[keep]
    _check_outcome(y, outcome)
    w = numbers(weighted, [weights])[weights].to_numpy()[keep] if weights else np.ones(len(y))
    return _Seen(y, design, w, names, weighted.index[keep], outside | unweighted | missing)


def _without_zero_weight(
    frame: pd.DataFrame,
    name: str | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows whose weight is not zero, and how many others there are."""
    if name is None:
        return frame, {}
    given = numbers(frame, [name])[name].to_numpy()
    if (given < 0).any():
        raise ValueError(f"column {name!r}: weights are zero or positive.")
    zero = given == 0
    return (frame[~zero], {f"{name} zero": int(zero.sum())}) if zero.any() else (frame, {})


def _check_outcome(y: np.ndarray, outcome: str) -> None:
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(
            f"column {outcome!r} holds values other than 0 and 1:"
            f" {np.unique(y[~np.isin(y, (0.0, 1.0))])[:3].tolist()}."
        )
    if len(np.unique(y)) < 2:
        raise ValueError(
            f"column {outcome!r} is {y[0]:g} in every complete row: there is nothing to explain."
        )


def fit_binary(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, link: Link, names: Sequence[str] | None = None
) -> BinaryFit:
    """Newton's method with halved steps, on columns that are orthonormal under the weights.

    Parameters
    ----------
    y, w : (n,) zeros and ones; frequency weights
    x : (n, k), the constant among the columns

    Raises
    ------
    ValueError : columns that are combinations of others. SeparationError : no maximum.
    """
    back = _to_orthonormal(x, w, names)
    basis = x @ back
    beta = np.zeros(x.shape[1])
    value = _log_likelihood(y, basis @ beta, w, link)
    decrement = np.inf
    for _ in range(MAX_STEPS):
        score, information, _ = _derivatives(y, basis, w, basis @ beta, link)
        step = _solve(information, score, basis, back, names)
        decrement = float(score @ step)
        beta, value = _climb(y, basis, w, link, beta, step, value)
        if decrement < CONVERGED:
            break
    _, information, probability = _derivatives(y, basis, w, basis @ beta, link)
    _check_separation(information, basis, back, names)
    if decrement >= CONVERGED:
        raise ValueError(
            f"{link}: no maximum after {MAX_STEPS} steps (the last was {np.sqrt(decrement):.1e}"
            " standard errors long)."
        )
    covariance = back @ linalg.inv(information) @ back.T
    return BinaryFit(back @ beta, (covariance + covariance.T) / 2, probability, value)


def _climb(
    y: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    link: Link,
    beta: np.ndarray,
    step: np.ndarray,
    value: float,
) -> tuple[np.ndarray, float]:
    """The whole step, or the largest half, quarter, ... of it that does not lower the
    likelihood.
    """
    for halvings in range(12):
        trial = beta + step / 2**halvings
        reached = _log_likelihood(y, x @ trial, w, link)
        if reached >= value - 1e-12 * (1 + abs(value)):
            return trial, reached
    return beta, value


def _to_orthonormal(x: np.ndarray, w: np.ndarray, names: Sequence[str] | None) -> np.ndarray:
    """The matrix (k, k) that makes x (n, k) orthonormal under the weights.

    Raises
    ------
    ValueError : columns that are zero or combinations of others, named.
    """
    labels = list(names) if names is not None else [f"column {i}" for i in range(x.shape[1])]
    if len(x) < x.shape[1]:
        raise ValueError(f"{len(x)} rows cannot carry {x.shape[1]} coefficients.")
    scale = np.sqrt(w @ x**2)
    if (scale == 0).any():
        raise ValueError(
            f"{', '.join(labels[i] for i in np.flatnonzero(scale == 0))} is zero in every row."
        )
    _, r, pivots = linalg.qr(x / scale * np.sqrt(w)[:, None], mode="economic", pivoting=True)
    lost = [labels[pivots[i]] for i, left in enumerate(np.abs(np.diag(r))) if left <= NOTHING_LEFT]
    if lost:
        raise ValueError(
            f"{', '.join(lost)} is a combination of the other regressors and the constant. Leave it"
            " out."
        )
    back = np.empty_like(r)
    back[pivots] = linalg.solve_triangular(r, np.eye(len(r)))
    return back / scale[:, None]


def _log_likelihood(y: np.ndarray, index: np.ndarray, w: np.ndarray, link: Link) -> float:
    signed = np.where(y == 1, index, -index)
    return float(w @ (-np.logaddexp(0, -signed) if link == "logit" else special.log_ndtr(signed)))


def _derivatives(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, index: np.ndarray, link: Link
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score (k,), expected information (k, k) and fitted probability (n,)."""
    if link == "logit":
        p = special.expit(index)
        residual, curvature = y - p, p * special.expit(-index)
    else:
        p = special.ndtr(index)
        log_density = -0.5 * index**2 - 0.5 * np.log(2 * np.pi)
        above, below = (
            np.exp(log_density - special.log_ndtr(index)),
            np.exp(log_density - special.log_ndtr(-index)),
        )
        residual, curvature = np.where(y == 1, above, -below), above * below
    return x.T @ (w * residual), (x * (w * curvature)[:, None]).T @ x, p


def _solve(
    information: np.ndarray,
    score: np.ndarray,
    basis: np.ndarray,
    back: np.ndarray,
    names: Sequence[str] | None,
) -> np.ndarray:
    try:
        return np.asarray(linalg.cho_solve(linalg.cho_factor(information), score))
    except linalg.LinAlgError as error:
        raise _separated(information, basis, back, names) from error


def _check_separation(
    information: np.ndarray,
    basis: np.ndarray,
    back: np.ndarray,
    names: Sequence[str] | None,
) -> None:
    """Of orthonormal columns a row tells at most a quarter (logit) or 2/pi (probit) of what it
    would as a linear outcome; where all tell next to nothing in some direction, they are separated.
    """
    if linalg.eigvalsh(information)[0] < NO_INFORMATION:
        raise _separated(information, basis, back, names)


def _separated(
    information: np.ndarray,
    basis: np.ndarray,
    back: np.ndarray,
    names: Sequence[str] | None,
) -> SeparationError:
    """The error that names the regressors along which nothing is left to learn, and counts the
    rows that differ along them.
    """
    direction = linalg.eigh(information)[1][:, 0]
    along = basis @ direction
    told = int((np.abs(along) > MOVED * np.abs(along).max()).sum())
    slopes = back @ direction
    # In units of the column's spread: the constant, which has none, is never to blame.
    parts = np.abs(slopes) * (basis @ linalg.inv(back)).std(axis=0)
    labels = list(names) if names is not None else [f"column {i}" for i in range(len(parts))]
    guilty = [labels[i] for i in np.argsort(-parts) if parts[i] > TOLD * parts.max()]
    who = ", ".join(guilty)
    verb = "predicts" if len(guilty) == 1 else "together predict"
    what = f"{who} {verb} the outcome perfectly in {rows(told)}: the estimate runs to infinity"
    return SeparationError(f"{what}. Leave out the regressor that does it, or those rows.")
