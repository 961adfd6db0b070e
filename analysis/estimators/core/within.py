"""Small exact helpers of the panel and spatial estimators: taking out effects, plain least squares, clustered covariance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

# A direction counts as empty when less than this share of its size is left.
NOTHING_LEFT = 1e-9


def group_means(columns: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Means (L, m) of columns (n, m) by level 0..L-1."""
    counts = np.bincount(codes)
    return np.column_stack([np.bincount(codes, column) for column in columns.T]).reshape(len(counts), -1) / counts[:, None]


def demean(columns: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Columns (n, m) less the mean of their level; twice, since the first pass leaves rounding of the size of the mean."""
    once = columns - group_means(columns, codes)[codes]
    return once - group_means(once, codes)[codes]


class Effects:
    """Any number of effects, taken out exactly: the one with most levels by its means, the others by projection on their dummies.

    `codes` are (n,) level numbers from 0; `rank` is the number of independent dummies, the constant among them (0 without effects).
    """

    def __init__(self, codes: Sequence[np.ndarray]) -> None:
        ordered = sorted(codes, key=lambda column: -int(column.max(initial=0)))
        self._first = ordered[0] if ordered else None
        self._basis: np.ndarray | None = None
        self.rank = 0
        if self._first is None:
            return
        self.rank = int(self._first.max(initial=-1)) + 1
        dummies = [np.eye(int(column.max()) + 1)[column] for column in ordered[1:]]
        if dummies:
            rest = demean(np.hstack(dummies), self._first)
            q, r, _ = linalg.qr(rest, mode="economic", pivoting=True)
            size = np.abs(np.diag(r))
            real = size > NOTHING_LEFT * max(1.0, float(size.max(initial=0.0)))
            self._basis = q[:, real]
            self.rank += int(real.sum())

    def out(self, columns: np.ndarray) -> np.ndarray:
        """Columns (n, m) or (n,) with the effects taken out; unchanged without effects."""
        if self._first is None:
            return columns
        two = columns.reshape(len(columns), -1)
        left = demean(two, self._first)
        if self._basis is not None:
            left = left - self._basis @ (self._basis.T @ left)
        return left.reshape(columns.shape)


def least_squares(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients (k,), residuals (n,) and (X'X)^-1 (k, k), by QR."""
    q, r = linalg.qr(x, mode="economic")
    back = linalg.solve_triangular(r, np.eye(x.shape[1]))
    b = back @ (q.T @ y)
    return b, y - x @ b, back @ back.T


def clustered(x: np.ndarray, residuals: np.ndarray, bread: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """(X'X)^-1 sum_g X_g'e_g e_g'X_g (X'X)^-1, without a small-sample factor; clusters (n,) from 0."""
    scores = x * residuals[:, None]
    sums = np.column_stack([np.bincount(clusters, column) for column in scores.T])
    return np.asarray(bread @ (sums.T @ sums) @ bread)


def in_given_order(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values of sorted rows back in the rows' first order; `order` holds the first position of each sorted row."""
    back = np.empty_like(values)
    back[order] = values
    return back
