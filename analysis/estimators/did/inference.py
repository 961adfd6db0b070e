"""Influence functions to standard errors and simultaneous bands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.groups import numbered
from analysis.estimators.core.sums import crossed_sums, sums_by

# Draws are made in blocks of at most this many numbers, so that memory stays small; the size of
# blocks never changes a draw.
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False)
class Bands:
    """Bands that hold all estimates at once with the stated probability.

    Attributes
    ----------
    standard_errors : (k,) interquartile range of the draws over that of the normal
    critical_value : quantile of the largest |draw / standard error|
    intervals : (k, 2) lower and upper, estimate -+ critical value * standard error
    draws, seed, level : how they were made
    """

    standard_errors: pd.Series
    critical_value: float
    intervals: pd.DataFrame
    draws: int
    seed: int
    level: float


@dataclass(frozen=True)
class Bootstrap:
    """How bands are made: draws of the multipliers (0 for none), their seed, and the coverage."""

    draws: int
    seed: int
    level: float

    def bands(
        self, estimates: pd.Series, influence: np.ndarray, clusters: np.ndarray
    ) -> Bands | None:
        """Bands from influence functions (units, k) and clusters (units,); None without draws."""
        if not self.draws:
            return None
        return multiplier_bootstrap(estimates, influence, clusters, self)


def covariance_of_sums(influence: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """(k, k): sum over clusters of products of summed influence (units, k), over units squared."""
    return crossed_sums(numbered(clusters), influence) / len(influence) ** 2


def multiplier_bootstrap(
    estimates: pd.Series, influence: np.ndarray, clusters: np.ndarray, asked: Bootstrap
) -> Bands:
    """Perturb clusters' influence by Mammen's two-point multipliers.

    Callaway and Sant'Anna 2021, algorithm 1: estimates (k,), influence (units, k), clusters
    (units,) numbers. Estimates that have no variance get no band.
    """
    sums = sums_by(numbered(clusters), influence) / len(influence)
    blocks = _multipliers(len(sums), asked.draws, asked.seed)
    drawn = np.concatenate([block @ sums for block in blocks])
    low, high = np.quantile(drawn, [0.25, 0.75], axis=0, method="inverted_cdf")
    errors = (high - low) / (stats.norm.ppf(0.75) - stats.norm.ppf(0.25))
    usable = np.isfinite(errors) & (errors > 1e-12 * (1 + np.abs(estimates.to_numpy())))
    errors = np.where(usable, errors, np.nan)
    if not usable.any():
        raise ValueError("no estimate has a variance: there is nothing to bootstrap.")
    largest = np.abs(drawn[:, usable] / errors[usable]).max(axis=1)
    single = float(stats.norm.ppf((1 + asked.level) / 2))
    critical = max(float(np.quantile(largest, asked.level, method="inverted_cdf")), single)
    half = critical * errors
    return Bands(
        standard_errors=pd.Series(errors, index=estimates.index, name="standard_error"),
        critical_value=critical,
        intervals=pd.DataFrame({"lower": estimates - half, "upper": estimates + half}),
        draws=asked.draws,
        seed=asked.seed,
        level=asked.level,
    )


def _multipliers(n: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Mammen's weights: 1 - phi with probability phi/sqrt(5), else phi, the golden ratio."""
    golden = (1 + np.sqrt(5)) / 2
    generator = np.random.default_rng(seed)
    step = max(1, BLOCK // n)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        yield np.where(generator.random((size, n)) < golden / np.sqrt(5), 1 - golden, golden)
