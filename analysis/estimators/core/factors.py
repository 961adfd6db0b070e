"""A symmetric, singular system factored once: densely or sparsely, over the levels that are
independent. The others stay at zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from scipy.sparse import linalg as sparse_linalg

from analysis.estimators.core.tall import times

INVERTED = 3_000  # up to here the inverse is multiplied, which is faster than solving triangles
# share of a level's weight that must be its own; a count of redundant levels, not a precision
REDUNDANT = 1e-10


@dataclass(frozen=True, eq=False)
class Factor:
    """S factored over its independent levels; the others are redundant and stay at zero."""

    levels: int
    independent: np.ndarray  # (rank,) positions
    scale: np.ndarray  # (rank,) 1 / root of the diagonal
    solve_scaled: Callable[[np.ndarray], np.ndarray]

    @property
    def rank(self) -> int:
        return len(self.independent)

    def solve(self, right: np.ndarray) -> np.ndarray:
        """A solution (p, m) of S g = right."""
        found = np.zeros((self.levels, right.shape[1]))
        if self.rank:
            found[self.independent] = self.scale[:, None] * self.solve_scaled(
                self.scale[:, None] * right[self.independent]
            )
        return found


def _scaled(reduced: sparse.csr_array) -> tuple[np.ndarray, np.ndarray, sparse.csr_array]:
    """Levels with something of their own, the scale that gives them a unit diagonal, and S of them
    so scaled.
    """
    diagonal = reduced.diagonal()
    own = np.flatnonzero(diagonal > 0)
    scale = 1 / np.sqrt(diagonal[own])
    by_scale = sparse.dia_array((scale[None, :], [0]), shape=(len(own), len(own)))
    return own, scale, sparse.csr_array(by_scale @ reduced[own][:, own] @ by_scale)


def dense_factor(reduced: sparse.csr_array) -> Factor:
    """Cholesky with pivoting: it stops at the first level that the others already span."""
    own, scale, matrix = _scaled(reduced)
    if not len(own):
        return Factor(reduced.shape[0], own, scale, np.asarray)
    factor, pivots, rank, _ = linalg.lapack.dpstrf(
        matrix.toarray(order="F"), tol=REDUNDANT, overwrite_a=True
    )
    chosen = pivots[:rank] - 1
    upper = np.asfortranarray(factor[:rank, :rank])
    if rank <= INVERTED:
        inverse = np.ascontiguousarray(linalg.cho_solve((upper, False), np.eye(rank)))
        return Factor(
            reduced.shape[0], own[chosen], scale[chosen], lambda right: times(inverse, right)
        )
    return Factor(
        reduced.shape[0],
        own[chosen],
        scale[chosen],
        lambda right: np.asarray(linalg.cho_solve((upper, False), right)),
    )


def sparse_factor(reduced: sparse.csr_array) -> Factor:
    """Sparse elimination twice: the first finds the levels whose pivot vanishes, the second leaves
    them out.
    """
    own, scale, matrix = _scaled(reduced)
    shift = sparse.dia_array((np.full((1, len(own)), REDUNDANT / 100), [0]), shape=matrix.shape)
    first = _eliminate(matrix + shift)
    chosen = np.flatnonzero(np.abs(first.U.diagonal())[first.perm_c] > REDUNDANT)
    second = first if len(chosen) == len(own) else _eliminate(matrix[chosen][:, chosen])
    return Factor(
        reduced.shape[0],
        own[chosen],
        scale[chosen],
        lambda right: np.asarray(second.solve(np.ascontiguousarray(right))),
    )


def _eliminate(matrix: sparse.sparray) -> sparse_linalg.SuperLU:
    return sparse_linalg.splu(
        sparse.csc_array(matrix),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
