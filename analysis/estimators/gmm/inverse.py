"""Inverses of symmetric matrices that may be singular, their rank, and which columns are
independent, by one pivoted factor.

A singular matrix is inverted after leaving out rows, the one with the largest remaining pivot kept
first, with zeros in the rows and columns of the others, or by Moore and Penrose.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack, solve_triangular

from analysis.estimators.core.options import GmmInverse

# A pivot of a scaled weighting matrix (L, L) below this, or below L times the machine's precision,
# is rounding: the instrument says nothing that others do not. Pivots of 1e-14 to 1e-13 are met
# where instruments are as many as units, and are real.
SMALLEST_PIVOT = 1e-14
# The same for regressors, which are fewer and may come from single precision.
SMALLEST_REGRESSOR_PIVOT = 1e-11
PRECISION = float(np.finfo(float).eps) / 2


def inverse_times(
    matrix: np.ndarray, right: np.ndarray, how: GmmInverse = "drop"
) -> tuple[np.ndarray, np.ndarray]:
    """The inverse of a symmetric positive semidefinite matrix (L, L) times (L, M), and which rows
    (L,) it keeps.

    One pivoted factorisation finds the rank and solves; the inverse itself is never formed. Moore
    and Penrose's inverse is the other one between two projections that take out the null space,
    which the factor gives whatever the units of the instruments are.
    """
    scaled, scale = _scaled(matrix)
    factor, order, found = _factorise(scaled)
    kept = np.zeros(len(matrix), dtype=bool)
    kept[order[:found]] = True
    project = how == "moore_penrose" and found < len(matrix)
    null = _null_space(factor, order, found, scale) if project else np.zeros((len(matrix), 0))
    wanted = right - null @ (null.T @ right)
    solved, _ = lapack.dpotrs(
        np.asfortranarray(factor[:found, :found]), (wanted.T / scale).T[order[:found]], lower=1
    )
    out = np.zeros_like(right)
    out[order[:found]] = (solved.T / scale[order[:found]]).T
    return out - null @ (null.T @ out), kept


def _null_space(factor: np.ndarray, order: np.ndarray, found: int, scale: np.ndarray) -> np.ndarray:
    """(L, L - found) orthonormal columns that the matrix sends to zero."""
    combination = solve_triangular(
        factor[:found, :found], factor[found:, :found].T, lower=True, trans="T"
    )
    vectors = np.zeros((len(factor), len(factor) - found))
    vectors[order] = np.concatenate([-combination, np.eye(len(factor) - found)])
    return np.asarray(np.linalg.qr((vectors.T / scale).T)[0])


def rank(matrix: np.ndarray) -> int:
    """Rank of a symmetric positive semidefinite matrix."""
    return _factorise(_scaled(matrix)[0])[2]


def _factorise(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Lower triangular factor, largest pivot first; the number of the row that stands in each of
    its rows; and the rank."""
    lower, pivots, found, _ = lapack.dpstrf(
        scaled, tol=max(SMALLEST_PIVOT, len(scaled) * PRECISION), lower=1
    )
    return lower, pivots - 1, int(found)


def _scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrix with a diagonal of ones, and what its rows and columns were divided by."""
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale = np.where(size > 0, size, 1.0)
    return np.asfortranarray(matrix / np.outer(scale, scale)), scale


def independent(x: np.ndarray, constant: np.ndarray | None) -> np.ndarray:
    """Which of K columns (K, n) are not combinations of the constant (n,) and of columns before
    them."""
    if constant is not None:
        level = constant != 0
        x = x.copy()
        x[:, level] -= x[:, level].mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("kn,kn->k", x, x))
    gram = (x @ x.T) / np.outer(np.where(size > 0, size, 1.0), np.where(size > 0, size, 1.0))
    kept = np.zeros(len(x), dtype=bool)
    for k in range(len(x)):
        if size[k] == 0 or gram[k, k] <= SMALLEST_REGRESSOR_PIVOT:
            continue
        kept[k] = True
        gram[k + 1 :] -= np.outer(gram[k + 1 :, k] / gram[k, k], gram[k])
    return kept
