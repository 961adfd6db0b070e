"""Smooth differences in trends: the shortest interval of fixed length around an affine estimator.

Rambachan and Roth (2023), section 4.1: weights on the estimates before treatment are chosen to
minimise the length with worst-case bias.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg, optimize, special

from analysis.estimators.did.violations import Problem, root


def fixed_length(problem: Problem, m: float) -> tuple[float, float]:
    """The shortest fixed-length interval.

    An estimator has weights v on all estimates, those after treatment being theta's own. Its bias
    is finite only if it does not see straight lines (sum of v_t * t = 0, t counted from the base);
    it is then M times the sum of |b_j|, where b_j is the sum of v_t times the distance of t beyond
    the kink at j. The b_j of kinks before the base are free and determine the weights before
    treatment.
    """
    p, weights = problem.p, problem.weights
    q = len(weights)
    after = np.arange(1, q + 1)
    fixed = float(sum(abs(weights @ np.clip(after - j, 0, None)) for j in range(q)))
    times = np.arange(-p, 0)
    kinks = np.arange(-p + 1, 0)
    system = np.vstack([times, *(np.clip(j - times, 0, None) for j in kinks)]).astype(float)
    # v_before = start + move @ b
    inverse = linalg.inv(system)
    start, move = inverse[:, 0] * -(weights @ after), inverse[:, 1:]
    base = np.concatenate([start, weights])
    lift = np.vstack([move, np.zeros((q, len(kinks)))])
    half = root(problem.sigma).T

    def half_length(b: np.ndarray) -> float:
        deviation = float(np.linalg.norm(half @ (base + lift @ b)))
        bias = m * (fixed + float(np.abs(b).sum()))
        return deviation * _folded_quantile(1 - problem.alpha, bias / deviation)

    best = _shortest(half_length, half @ base, half @ lift, m)
    centre, length = float((base + lift @ best) @ problem.beta), half_length(best)
    return centre - length, centre + length


def _folded_quantile(share: float, centre: float) -> float:
    """c with P(|N(centre, 1)| <= c) = share."""
    value = centre + float(special.ndtri(share))
    for _ in range(60):
        slope = _density(value - centre) + _density(value + centre)
        inside = special.ndtr(value - centre) - special.ndtr(-value - centre)
        step = (inside - share) / slope
        value -= float(step)
        if abs(step) < 1e-14 * (1 + value):
            break
    return value


def _density(z: float) -> float:
    return float(np.exp(-z * z / 2) / np.sqrt(2 * np.pi))


def _shortest(
    half_length: Callable[[np.ndarray], float], base: np.ndarray, lift: np.ndarray, m: float
) -> np.ndarray:
    """Minimise over b: smooth in the positive and the negative part of b, both variables."""
    k = lift.shape[1]
    if not k:
        return np.zeros(0)
    steady = -linalg.lstsq(lift, base)[0]  # least variance
    if m == 0:
        return np.asarray(steady)
    found = []
    scale = half_length(steady)
    for share in (1.0, 0.0):
        parts = [np.clip(share * steady, 0, None), np.clip(-share * steady, 0, None)]
        answer = optimize.minimize(
            lambda z: half_length(z[:k] - z[k:]) / scale,
            np.concatenate(parts) + 1e-6 * (1 + np.abs(steady).max()),
            method="SLSQP",
            bounds=[(0, None)] * (2 * k),
            options={"maxiter": 500, "ftol": 1e-13},
        )
        polished = optimize.minimize(
            lambda b: half_length(b) / scale,
            answer.x[:k] - answer.x[k:],
            method="Nelder-Mead",
            options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000},
        )
        found.append(polished)
    return np.asarray(min(found, key=lambda candidate: half_length(candidate.x)).x)
