"""Take two sets of fixed effects out of columns of numbers, for millions of rows.

With D1, D2 the dummies of two effects and z a column, the residual is z - D1 a - D2 g with

    (D2'D2 - C' N1^-1 C) g = D2'z - C' N1^-1 D1'z,
    a = N1^-1 (D1'z - C g),
    C = D1'D2, N1 = D1'D1

The first effect is eliminated by hand, the second is found by conjugate gradients on the counts C
of pairs of levels, so that a step costs the pairs and not the rows. The system is singular by one
for each connected part of the two effects; residuals do not depend on which solution is found. Two
rounds bring the sums by level to the rounding error of the columns.

Source: the normal equations of Abowd, Kramarz and Margolis (1999); conjugate gradients of Hestenes
and Stiefel (1952).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

STEPS = 5_000
TOLERANCE = 1e-13  # of the size of what is left of a column
FLOOR = 2e-15  # of the column's own size: below it all is rounding
ROUNDS = 2


def two_way_residuals(columns: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Columns (n, m) less their projection on two effects, in float64.

    Parameters
    ----------
    columns : (n, m) or (n,) finite numbers
    first, second : (n,) level numbers 0.. of the two effects, without holes

    Raises
    ------
    ValueError : different lengths, or numbers that are not finite
    ArithmeticError : no convergence, which well-formed data do not meet
    """
    left = np.array(columns, dtype=np.float64, order="F", copy=True)
    if len(first) != len(left) or len(second) != len(left):
        raise ValueError(
            f"{len(left)} rows, but {len(first)} and {len(second)} levels: the effects must be"
            " given for every row."
        )
    if not np.isfinite(left).all():
        raise ValueError("a column holds missing or infinite numbers: leave those rows out first.")
    if not len(left):
        return left
    effects = _TwoWay(first, second)
    for column in left.T if left.ndim == 2 else [left]:
        floor = FLOOR * _length(column)
        for _ in range(ROUNDS):
            effects.take_out(column, max(TOLERANCE * _length(column), floor))
    return left


def _length(column: np.ndarray) -> float:
    return float(
        np.sqrt(np.sum(column * column))
    )  # not a BLAS product, whose last digit depends on the number of threads


class _TwoWay:
    """The two effects of some rows, ready to be taken out of columns."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        self._first, self._second = first, second
        self._sizes = int(first.max()) + 1, int(second.max()) + 1
        self._first_n = np.bincount(first, minlength=self._sizes[0]).astype(np.float64)
        self._second_n = np.bincount(second, minlength=self._sizes[1]).astype(np.float64)
        if not (self._first_n.all() and self._second_n.all()):
            raise ValueError("levels must be numbered 0.. without holes.")
        pairs, counts = np.unique(
            first.astype(np.int64) * self._sizes[1] + second, return_counts=True
        )
        self._pairs = sparse.csr_array(
            (counts.astype(np.float64), (pairs // self._sizes[1], pairs % self._sizes[1])),
            shape=self._sizes,
        )
        self._pairs_transposed = sparse.csr_array(self._pairs.T)

    def take_out(self, column: np.ndarray, goal: float) -> None:
        """Subtract the effects from a column (n,), in place; goal: what of them may be left, in the
        column's units times the root of n.
        """
        sums = np.bincount(self._first, column, minlength=self._sizes[0])
        second = self._solve(
            np.bincount(self._second, column, minlength=self._sizes[1])
            - self._pairs_transposed @ (sums / self._first_n),
            goal,
        )
        first = (sums - self._pairs @ second) / self._first_n
        column -= first[self._first]
        column -= second[self._second]

    def _reduced(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(
            self._second_n * values
            - self._pairs_transposed @ ((self._pairs @ values) / self._first_n)
        )

    def _solve(self, right: np.ndarray, goal: float) -> np.ndarray:
        """Conjugate gradients with the levels' counts as preconditioner."""
        found, left = np.zeros_like(right), right.copy()
        step = scaled = left / self._second_n
        size = float(np.sum(left * scaled))
        for _ in range(STEPS):
            if not np.sqrt(max(size, 0.0)) > goal:
                return found
            along = self._reduced(step)
            curve = float(np.sum(step * along))
            if not curve > 0:  # rounding is all that is left
                return found
            found += size / curve * step
            left -= size / curve * along
            scaled = left / self._second_n
            size, before = float(np.sum(left * scaled)), size
            step = scaled + size / before * step
        raise ArithmeticError(
            f"the effects were not found in {STEPS:,} steps: some levels hang together by very few"
            " rows."
        )
