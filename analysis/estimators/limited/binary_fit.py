"""The likelihood of a logit or probit, its maximum, and what has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from analysis.estimators.core.algebra import NOTHING_LEFT
from analysis.estimators.core.columns import rows
from analysis.estimators.core.options import Link

MAX_STEPS = 100
# Newton's decrement is the squared length of the step, in standard errors: below this the step
# taken was the last that matters.
CONVERGED = 1e-20
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
