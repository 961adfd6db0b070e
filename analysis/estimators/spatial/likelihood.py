"""The likelihood of the spatial lag and the spatial error model, concentrated on the spatial parameter.

log L(r) = -n/2 (log(2 pi) + 1) - n/2 log(e(r)'e(r)/n) + log|I - r W|, with log|I - r W| = sum of log|1 - r w_i| over the eigenvalues of W
(Ord 1975, J. American Statistical Association 70), period by period.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import linalg, optimize, sparse

from analysis.estimators.core.algebra import least_squares


class Likelihood(NamedTuple):
    coefficients: np.ndarray  # (1 + k,) the spatial parameter first
    covariance: np.ndarray
    residuals: np.ndarray
    variance: float
    log_likelihood: float


def fit_likelihood(
    y: np.ndarray, wy: np.ndarray, x: np.ndarray, wx: np.ndarray, w: sparse.csr_array, periods: Sequence[slice], model: Literal["lag", "error"]
) -> Likelihood:
    """Maximise over the interval where I - r W is regular around zero, and take the covariance from the information matrix.

    Parameters
    ----------
    y, wy : (n,) outcome and its lag; x, wx : (n, k) regressors and their lags; effects taken out of all four
    w : (n, n) block diagonal; periods : its blocks
    """
    blocks = [w[p][:, p].toarray() for p in periods]
    roots = _eigenvalues(blocks)
    real = roots[np.abs(roots.imag) < 1e-10].real
    low = 1 / real.min() if len(real) and real.min() < 0 else -1 / np.abs(roots).max()
    high = 1 / real.max() if len(real) and real.max() > 0 else 1 / np.abs(roots).max()
    n = len(y)

    def at(r: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return least_squares(y - r * wy, x if model == "lag" else x - r * wx)

    def loss(r: float) -> float:
        e = at(r)[1]
        return 0.5 * n * float(np.log(e @ e / n)) - float(np.log(np.abs(1 - r * roots)).sum())

    def slope(r: float) -> float:
        b, e, _ = at(r)
        # The coefficients are at their optimum for this r, so they do not enter the derivative.
        moved = wy if model == "lag" else wy - wx @ b
        return -n * float(e @ moved) / float(e @ e) + float((roots / (1 - r * roots)).real.sum())

    r = _minimum(loss, slope, low, high)
    b, e, inverse = at(r)
    variance = float(e @ e) / n
    value = -0.5 * n * (np.log(2 * np.pi) + 1) - loss(r)
    information = _lag_information(r, b, x, variance, blocks, periods) if model == "lag" else _error_information(r, inverse, variance, blocks, n)
    return Likelihood(np.concatenate([[r], b]), np.linalg.inv(information)[: 1 + len(b), : 1 + len(b)], e, variance, float(value))


def _eigenvalues(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Of all blocks; equal blocks, as in a balanced panel, are decomposed once."""
    seen: dict[bytes, np.ndarray] = {}
    found = []
    for block in blocks:
        key = block.tobytes()
        if key not in seen:
            seen[key] = np.linalg.eigvals(block).astype(complex)
        found.append(seen[key])
    roots = np.concatenate(found)
    if not np.abs(roots).max(initial=0.0) > 0:
        raise ValueError("the weights have no eigenvalue but zero: a spatial parameter cannot be estimated from them.")
    return roots


def _minimum(loss: Callable[[float], float], slope: Callable[[float], float], low: float, high: float) -> float:
    """A grid finds the basin; the zero of the slope in it is the minimum."""
    edge = 1e-6 * (high - low)
    grid = np.linspace(low + edge, high - edge, 101)
    best = int(np.argmin([loss(float(r)) for r in grid]))
    left, right = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)])
    if slope(left) >= 0 or slope(right) <= 0:
        raise ValueError(f"the likelihood has no maximum for a spatial parameter between {low:.4g} and {high:.4g}: it grows towards {grid[best]:.4g}.")
    return float(optimize.brentq(slope, left, right, xtol=1e-15, rtol=1e-14))


def _lag_information(r: float, b: np.ndarray, x: np.ndarray, variance: float, blocks: Sequence[np.ndarray], periods: Sequence[slice]) -> np.ndarray:
    """Of (r, b, s2): Anselin (1988, section 6.2)."""
    k, n = x.shape[1], len(x)
    total = np.zeros((k + 2, k + 2))
    for block, p in zip(blocks, periods, strict=True):
        a = linalg.solve((np.eye(len(block)) - r * block).T, block.T).T  # W (I - rW)^-1
        ax = a @ (x[p] @ b)
        trace = float(np.trace(a))
        total[0, 0] += float((a * a.T).sum() + (a**2).sum()) + float(ax @ ax) / variance
        total[0, 1:-1] += x[p].T @ ax / variance
        total[0, -1] += trace / variance
        total[1:-1, 1:-1] += x[p].T @ x[p] / variance
    total[-1, -1] = n / (2 * variance**2)
    return np.triu(total) + np.triu(total, 1).T


def _error_information(r: float, inverse: np.ndarray, variance: float, blocks: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Of (lambda, b, s2); b is independent of the other two."""
    k = len(inverse)
    total = np.zeros((k + 2, k + 2))
    for block in blocks:
        a = linalg.solve((np.eye(len(block)) - r * block).T, block.T).T
        total[0, 0] += float((a * a.T).sum() + (a**2).sum())
        total[0, -1] += float(np.trace(a)) / variance
    total[1:-1, 1:-1] = np.linalg.inv(inverse) / variance
    total[-1, -1] = n / (2 * variance**2)
    total[-1, 0] = total[0, -1]
    return total
