"""Coefficient and variance of one dummy for many drawn versions of it, with everything that does
not change done once.

Let e be what is left of a drawn treatment d once effects and controls are taken out, y~ the same of
the outcome, w the weights. Then (Frisch, Waugh and Lovell)

    b = sum w e y~ / sum w e e,     scores of a cluster = sum of w e (y~ - b e) over its rows

Effects and controls Q (made orthonormal) are residualised once. As y~ and Q are orthogonal to the
effects, sum w e y~ = sum w d y~ and the controls' coefficients are Q'Wd: only the scores need e by
row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.groups import Group, combined
from analysis.estimators.core.options import CovarianceKind
from analysis.estimators.core.tall import cross, inner, subtract_product, times

ROWS_AT_ONCE = 1 << 12
BYTES_AT_ONCE = 96 << 20
# A draw whose residual keeps less than this share of its own squares is absorbed by the effects: it
# has no coefficient.
DEGENERATE = 1e-10


@dataclass(frozen=True, eq=False)
class Setting:
    """What all draws share.

    outcome : (n,) y~
    controls : (n, k) Q, with Q'WQ = 1
    weights : (n,) or None
    absorber : the effects
    kind, clusters : of the standard errors
    factor : small-sample factor of the variance
    """

    outcome: np.ndarray
    controls: np.ndarray
    weights: np.ndarray | None
    absorber: Absorber
    kind: CovarianceKind
    clusters: tuple[Group, ...]
    factor: float

    @property
    def n(self) -> int:
        return len(self.outcome)

    def weighted(self, columns: np.ndarray) -> np.ndarray:
        """Rows (n,) or (n, m) times their weights."""
        if self.weights is None:
            return columns
        return columns * (self.weights if columns.ndim == 1 else self.weights[:, None])

    def groupings(self) -> list[tuple[Group, int]]:
        """Clusters whose scores' squares are added (1) or subtracted (-1)."""
        if len(self.clusters) < 2:
            return [(cluster, 1) for cluster in self.clusters]
        return [(self.clusters[0], 1), (self.clusters[1], 1), (combined(self.clusters), -1)]

    def without_clusters(self, b: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Homoskedastic variances (B,)."""
        rss = inner(self.outcome, self.weighted(self.outcome)) - b * b * squares
        return self.factor * rss / self.n / squares


def setting(
    within: np.ndarray,
    weights: np.ndarray | None,
    absorber: Absorber,
    kind: CovarianceKind,
    clusters: Sequence[Group],
    factor: float,
) -> Setting:
    """Prepare draws: within (n, 1 + k) holds outcome and controls with the effects taken out."""
    y, x = within[:, 0].copy(), np.ascontiguousarray(within[:, 1:])
    shared = Setting(y, x, weights, absorber, kind, tuple(clusters), factor)
    if x.shape[1]:
        size = np.sqrt(np.einsum("ij,ij->j", x, shared.weighted(x)))
        x = x / size
        for _ in range(2):  # the second time mends the rounding of the first
            lower = linalg.cholesky(cross(x, shared.weighted(x)), lower=True)
            x = times(x, linalg.solve_triangular(lower, np.eye(len(lower)), lower=True).T)
        y = y - times(x, cross(x, shared.weighted(y)[:, None]))[:, 0]
    return Setting(y, x, weights, absorber, kind, tuple(clusters), factor)


class RowDraws:
    """Draws that differ by row."""

    def __init__(self, shared: Setting) -> None:
        self._shared = shared
        self._columns = np.column_stack([shared.outcome, shared.controls])
        self._parts = [(_by_group(group), sign) for group, sign in shared.groupings()]

    @property
    def at_once(self) -> int:
        """Draws to hand over together."""
        return max(1, min(32, BYTES_AT_ONCE // (8 * self._shared.n)))

    def statistics(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and variances (B,) of drawn treatments (n, B); NaN where the effects absorb
        a draw.
        """
        shared = self._shared
        sums = shared.absorber.sums(drawn)
        effects = shared.absorber.effects(sums)
        moments = cross(self._columns, shared.weighted(drawn))
        slopes = moments[1:]
        own = np.einsum("ij,ij->j", drawn, shared.weighted(drawn))
        squares = own - (sums * effects).sum(axis=0) - (slopes**2).sum(axis=0)
        squares[squares <= DEGENERATE * own] = np.nan
        b = moments[0] / squares
        if shared.kind == "iid":
            return b, shared.without_clusters(b, squares)
        scores = [np.zeros((part.shape[1], drawn.shape[1])) for part, _ in self._parts]
        robust = np.zeros(drawn.shape[1])
        for start in range(0, shared.n, ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, shared.n))
            left = drawn[rows] - shared.absorber.fitted(effects, rows)
            subtract_product(left, shared.controls[rows], slopes)
            error = shared.outcome[rows, None] - left * b
            left *= error
            if shared.weights is not None:
                left *= shared.weights[rows, None]
            for (part, _), total in zip(self._parts, scores, strict=True):
                total += part[rows].T @ left
            if not self._parts:
                robust += np.einsum("ij,ij->j", left, left)
        middle = sum(
            (
                sign * (total**2).sum(axis=0)
                for (_, sign), total in zip(self._parts, scores, strict=True)
            ),
            robust,
        )
        return b, shared.factor * middle / squares**2


def _by_group(group: Group) -> sparse.csr_array:
    """Dummies of the groups, (n, groups)."""
    codes, size = group
    return sparse.csr_array(
        (np.ones(len(codes)), codes, np.arange(len(codes) + 1, dtype=np.int32)),
        shape=(len(codes), size),
    )
