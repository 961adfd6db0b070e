"""Differences in trends up to a multiple of those before treatment: a conditional test, inverted.

Rambachan and Roth (2023), section 3.2, after Andrews, Roth and Pakes (2023): the test has a least
favourable first stage of size a tenth of alpha, and the interval is the union over the polyhedra in
which one given period before treatment has the largest change. The moments used are those of the
periods after treatment. Theta enters them through one equation only, so the vertices of the dual
problem can be written down: with x_t = delta_t - delta_t-1 and L_t = sum of the weights from t on,
they are the two signs of all |L_t| together, and one pair (+x_t, -x_t) for each t.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimators.did.violations import Problem, root

SIMULATIONS = 20_000
GRID = 400


def relative_magnitude(problem: Problem, m: float, seed: int) -> tuple[float, float]:
    """Smallest and largest theta that some polyhedron does not reject."""
    p, weights = problem.p, problem.weights
    centre = float(weights @ problem.beta[p:])
    spread = float(np.sqrt(weights @ problem.sigma[p:, p:] @ weights))
    changes = _changes(problem)
    early = changes[:p]
    errors = np.sqrt(np.diag(early @ problem.sigma @ early.T))
    largest = np.abs(early @ problem.beta).max() + 4 * errors.max()
    reach = 8 * spread + m * largest * np.abs(_tails(weights)).sum()
    shape = (SIMULATIONS, len(problem.beta))
    noise = np.random.default_rng(seed).standard_normal(shape) @ root(problem.sigma).T
    tests = [
        HybridTest.build(problem, sign * change, m, noise)
        for change in early
        for sign in (1.0, -1.0)
    ]

    def accepted(theta: float) -> bool:
        return any(test.accepts(theta) for test in tests)

    grid = centre + reach * np.linspace(-1, 1, 2 * GRID + 1)
    inside = np.array([accepted(theta) for theta in grid])
    if not inside.any():
        return centre, centre
    step = grid[1] - grid[0]
    low, high = grid[inside][0], grid[inside][-1]
    return _edge(accepted, low, low - step), _edge(accepted, high, high + step)


def _edge(accepted: Callable[[float], bool], inside: float, outside: float) -> float:
    for _ in range(40):
        middle = (inside + outside) / 2
        if accepted(middle):
            inside = middle
        else:
            outside = middle
    return float(inside)


def _tails(weights: np.ndarray) -> np.ndarray:
    return np.cumsum(weights[::-1])[::-1]


def _changes(problem: Problem) -> np.ndarray:
    """(p + q, p + q) rows that turn estimates into changes between periods, early ones first."""
    k = len(problem.beta)
    with_base = np.insert(np.eye(k), problem.p, 0.0, axis=0)
    return np.diff(with_base, axis=0)


@dataclass(frozen=True)
class HybridTest:
    """The hybrid test for one polyhedron: the dual's vertices are `constant - theta * slope`."""

    constant: np.ndarray
    slope: np.ndarray
    covariance: np.ndarray
    first_stage: float
    alpha: float

    @staticmethod
    def build(problem: Problem, largest: np.ndarray, m: float, noise: np.ndarray) -> HybridTest:
        """The polyhedron in which one change before treatment, with its sign, is the largest.

        `largest` (K,) is that change as weights on the estimates; noise (draws, K) ~ N(0, sigma).
        """
        p, tails = problem.p, _tails(problem.weights)
        after = _changes(problem)[p:]
        # (2q, K): +x_t and -x_t, each less M * largest
        rows = np.vstack([after - m * largest, -after - m * largest])
        size = np.sqrt(np.clip(np.einsum("ij,jk,ik->i", rows, problem.sigma, rows), 0, None))
        q = len(tails)
        both = np.hstack([np.eye(q), np.eye(q)]) if q > 1 else np.zeros((0, 2))
        up = np.concatenate([np.clip(tails, 0, None), np.clip(-tails, 0, None)])
        down = np.concatenate([np.clip(-tails, 0, None), np.clip(tails, 0, None)])
        vertices = np.vstack([up, down, both])
        vertices = vertices / (vertices @ size)[:, None]
        # theta = weights * tau moves the estimates after treatment; only its direction through the
        # sum of L_t x_t is left in the vertices
        signed = vertices[:, :q] - vertices[:, q:]
        slope = np.zeros(len(vertices))
        first = int(np.argmax(np.abs(tails)))
        slope[:2] = signed[:2, first] / tails[first]
        covariance = vertices @ rows @ problem.sigma @ rows.T @ vertices.T
        kappa = problem.alpha / 10
        largest_of = (noise @ (vertices @ rows).T).max(axis=1)
        return HybridTest(
            constant=vertices @ rows @ problem.beta,
            slope=slope,
            covariance=covariance,
            first_stage=float(np.quantile(largest_of, 1 - kappa)),
            alpha=(problem.alpha - kappa) / (1 - kappa),
        )

    def accepts(self, theta: float) -> bool:
        values = self.constant - theta * self.slope
        best = int(np.argmax(values))
        value = float(values[best])
        if value > self.first_stage:
            return False
        if value <= 0:
            return True
        variance = self.covariance[best, best]
        if variance <= 1e-14 * self.covariance.max():
            return True
        # Given what is independent of the best vertex, it stays the best between these limits.
        direction = self.covariance[:, best] / variance
        rest = values - direction * value
        gain = direction - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            limits = -rest / gain
        lower = max(limits[gain < -1e-12], default=-np.inf)
        upper = min(min(limits[gain > 1e-12], default=np.inf), self.first_stage)
        deviation = float(np.sqrt(variance))
        limits = float(lower) / deviation, float(upper) / deviation
        critical = _truncated_quantile(1 - self.alpha, *limits) * deviation
        return value <= max(0.0, critical)


def _truncated_quantile(share: float, low: float, high: float) -> float:
    """Quantile of a standard normal between low and high, precise in both tails."""
    if low >= high:
        return high
    if low > 0:
        top = stats.norm.cdf(-high)
        return float(-stats.norm.ppf(top + (1 - share) * (stats.norm.cdf(-low) - top)))
    bottom = stats.norm.cdf(low)
    return float(stats.norm.ppf(bottom + share * (stats.norm.cdf(high) - bottom)))
