"""Covariances of least squares once effects are taken out, and the small-sample conventions of the
programs that print them.

All are  factor * A^-1 M A^-1  with A = X'WX of the residualised regressors and M, of the scores
x_i w_i u_i,

    iid             s2 A, s2 = sum w u^2 / N
    robust          sum of (x w u)(x w u)'
    cluster         sum over clusters of (sum of x w u)(sum of x w u)'; two ways: by one + by the
                    other - by both (Cameron, Gelbach and Miller 2011). Should that not be positive
                    semidefinite, its negative eigenvalues are set to zero, as they propose

N rows, k regressors, G clusters (the fewer of two ways), L_q levels of effect q of Q. The factor is
N/(N-K), but for clusters G/(G-1) * (N-1)/(N-K). What differs is K, the parameters that are paid
for, and the degrees of freedom of t:

    reghdfe_nested  K = k + independent levels of the effects that are not nested in a cluster
                    variable, the constant among them (k + 1 where all are nested). Redundant
                    levels: each effect's largest number of connected parts with one before it
                    (Stata areg, reghdfe: exact for two effects; for three or more a lower bound, so
                    K is not too small). t: N-K; clusters: G-1, or N-K without the constant that
                    nesting adds, if that is less
    fixest_nested   K = k + sum L_q - (Q-1); with nested effects less their levels, plus their
                    number (R fixest and pyfixest by default, K.fixef = "nonnested"). t: N-K;
                    clusters: G-1
    fixest_full     K = k + sum L_q - (Q-1) always (ssc(K.fixef = "full")). t: N-K; clusters: G-1
    linearmodels    factor N/(N-K) for clusters too, without G/(G-1), and no mending of negative
                    eigenvalues. K = k + sum L_q - (Q-1), or k + 1 for a single effect nested in
                    every cluster variable. t: N - k - sum L_q + (Q-1) (PanelOLS.fit's default)

Without effects K is k and the constant. `effect_count = "exact"` puts the rank of the dummies in
the place of the pairwise count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.groups import Group, combined, connected_parts, nested
from analysis.estimators.core.options import CovarianceKind, EffectCount, EffectsSmall
from analysis.estimators.core.sums import sums_by
from analysis.estimators.core.tall import cross, inner

Mended = Literal["nothing", "constant", "slopes"]


@dataclass(frozen=True)
class SmallSample:
    """The factor of the covariance, the degrees of freedom of t, K, and the independent levels of
    all effects.
    """

    factor: float
    df_t: int
    counted: int
    levels: int


class LevelCount:
    """Independent dummies among effects, the constant among them: by rank, or less pairwise
    connected parts (exact up to two effects).
    """

    def __init__(self, effects: Sequence[Group], count: EffectCount = "pairwise") -> None:
        self.effects = list(effects)
        self._exact = count == "exact"
        self._parts: dict[tuple[int, int], int] = {}

    def of(self, chosen: Sequence[int]) -> int:
        """Of the effects at these positions."""
        if self._exact and len(chosen) > 2:
            return Absorber([self.effects[at] for at in chosen]).rank()
        redundant = [
            max((self._connected(at, before) for before in chosen[:place]), default=0)
            for place, at in enumerate(chosen)
        ]
        return sum(self.effects[at][1] for at in chosen) - sum(redundant)

    def of_all(self) -> int:
        return self.of(range(len(self.effects)))

    def _connected(self, at: int, before: int) -> int:
        if (at, before) not in self._parts:
            self._parts[at, before] = connected_parts(self.effects[at], self.effects[before])
        return self._parts[at, before]


def small_sample(
    convention: EffectsSmall, n: int, k: int, count: LevelCount, clusters: Sequence[Group]
) -> SmallSample:
    """Count what the regression paid for; the effects counted are at least one grouping (all rows
    as one where there is none).

    Raises
    ------
    ValueError : fewer than two clusters, or no degrees of freedom left.
    """
    few = min((size for _, size in clusters), default=0)
    if clusters and few < 2:
        raise ValueError(
            "the sample has one cluster only: clustered standard errors need at least two."
        )
    counted, df = _paid(convention, n, k, count, clusters)
    if counted >= n or df < 1:
        raise ValueError(
            f"{n:,} rows leave no degrees of freedom once {counted:,} parameters are counted. Take"
            " out fewer effects or regressors."
        )
    factor = n / (n - counted)
    if clusters and convention != "linearmodels":
        factor = few / (few - 1) * (n - 1) / (n - counted)
    return SmallSample(factor, df, counted, count.of_all())


def _paid(
    convention: EffectsSmall, n: int, k: int, count: LevelCount, clusters: Sequence[Group]
) -> tuple[int, int]:
    """The parameters that a convention counts, and its degrees of freedom of t."""
    effects, few = count.effects, min((size for _, size in clusters), default=0)
    nests = [any(nested(effect, cluster) for cluster in clusters) for effect in effects]
    naive = k + sum(size for _, size in effects) - (len(effects) - 1)
    if convention == "reghdfe_nested":
        free = [at for at, inside in enumerate(nests) if not inside]
        counted = k + (count.of(free) if free else 1)
        return counted, min(few - 1, n - counted + any(nests)) if clusters else n - counted
    if convention == "linearmodels":
        alone = bool(clusters) and len(effects) == 1
        uncounted = alone and all(nested(effects[0], cluster) for cluster in clusters)
        return k + 1 if uncounted else naive, n - naive
    free_of = convention == "fixest_nested"
    within = [size for (_, size), inside in zip(effects, nests, strict=True) if inside and free_of]
    counted = naive - sum(within) + len(within)
    return counted, few - 1 if clusters else n - counted


def meat(
    kind: CovarianceKind,
    regressors: np.ndarray,
    residuals: np.ndarray,
    weights: np.ndarray | None,
    clusters: Sequence[Group],
) -> np.ndarray:
    """M (k+1, k+1) of the residualised regressors (n, k, by row in one piece for speed) and the
    constant, last, without any factor.
    """
    weighted = residuals if weights is None else residuals * weights
    if kind == "iid":
        n, k = regressors.shape
        middle = np.zeros((k + 1, k + 1))
        middle[:k, :k] = cross(
            regressors, regressors if weights is None else regressors * weights[:, None]
        )
        middle[k, k] = n if weights is None else weights.sum()
        return middle * inner(residuals, weighted) / n
    if kind == "robust":
        scores = np.column_stack([regressors * weighted[:, None], weighted])
        return cross(scores, scores)
    parts = (
        [(clusters[0], 1)]
        if len(clusters) == 1
        else [(clusters[0], 1), (clusters[1], 1), (combined(clusters), -1)]
    )
    return sum(
        (sign * _clustered(group, regressors, weighted) for group, sign in parts),
        np.zeros((regressors.shape[1] + 1,) * 2),
    )


def _clustered(group: Group, regressors: np.ndarray, weighted: np.ndarray) -> np.ndarray:
    codes, size = group
    sums = np.column_stack(
        [sums_by(group, regressors, weighted), np.bincount(codes, weights=weighted, minlength=size)]
    )
    return sums.T @ sums


def bread(gram: np.ndarray, means: np.ndarray, total_weight: float) -> np.ndarray:
    """(k+1, k+1): from scores of the residualised regressors and the constant to coefficients, the
    constant last.

    The constant is mean outcome - mean regressors' coefficients, so it inherits the coefficients'
    errors through the means (k,).
    """
    k = len(means)
    full = np.zeros((k + 1, k + 1))
    full[:k, :k] = np.linalg.inv(gram)
    full[k, :k] = -means @ full[:k, :k]
    full[k, k] = 1 / total_weight
    return full


def mended(covariance: np.ndarray) -> tuple[np.ndarray, Mended]:
    """The covariance with its negative eigenvalues set to zero, and whose there were beyond
    rounding.

    As in reghdfe, the slopes' block is mended by itself, so that their errors do not depend on the
    constant's, last.
    """
    whole, changed = _clipped(covariance)
    if not changed:
        return whole, "nothing"
    whole[:-1, :-1], slopes_changed = _clipped(covariance[:-1, :-1])
    return whole, "slopes" if slopes_changed else "constant"


def _clipped(covariance: np.ndarray) -> tuple[np.ndarray, bool]:
    scale = np.sqrt(np.maximum(np.abs(np.diag(covariance)), np.finfo(float).tiny))
    values = np.linalg.eigvalsh(covariance / np.outer(scale, scale)) if len(scale) else np.zeros(0)
    if not len(values) or values[0] >= -1e-12 * max(values[-1], 1.0):
        return covariance.copy(), False
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 0)) @ vectors.T, True
