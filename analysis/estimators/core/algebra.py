"""Plain least squares, which columns are independent, and rows back in their first order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg

from analysis.estimators.core.groups import Group
from analysis.estimators.core.sums import crossed_sums

# A column counts as a combination of those before it when less than this share of its size is left.
NOTHING_LEFT = 1e-10


def least_squares(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients (k,), residuals (n,) and (X'X)^-1 (k, k), by QR."""
    q, r = linalg.qr(x, mode="economic")
    back = linalg.solve_triangular(r, np.eye(x.shape[1]))
    b = back @ (q.T @ y)
    return b, y - x @ b, back @ back.T


def clustered(x: np.ndarray, residuals: np.ndarray, bread: np.ndarray, group: Group) -> np.ndarray:
    """(X'X)^-1 sum_g X_g'e_g e_g'X_g (X'X)^-1, without a small-sample factor."""
    return np.asarray(bread @ crossed_sums(group, x * residuals[:, None]) @ bread)


def independent_columns(matrix: np.ndarray) -> np.ndarray:
    """Which columns (n, m) are not combinations of the ones before them, in order: boolean (m,)."""
    keep = np.zeros(matrix.shape[1], dtype=bool)
    basis = np.empty((len(matrix), 0))
    for i, column in enumerate(matrix.T):
        size = float(np.linalg.norm(column))
        rest = column - basis @ (basis.T @ column)
        rest = rest - basis @ (basis.T @ rest)  # a second pass removes what rounding left
        left = float(np.linalg.norm(rest))
        if size > 0 and left > NOTHING_LEFT * size:
            keep[i] = True
            basis = np.column_stack([basis, rest / left])
    return keep


def refuse_dependent(matrix: np.ndarray, terms: Sequence[str], where: str = "") -> None:
    """Refuse columns (n, k) that are combinations of others; `where` ends what they are of.

    Raises
    ------
    ValueError : naming the columns.
    """
    free = independent_columns(matrix)
    if not free.all():
        named = ", ".join(term for term, keep in zip(terms, free, strict=True) if not keep)
        raise ValueError(
            f"{named} is a combination of the other regressors{where}. Leave one of them out."
        )


def in_given_order(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values of sorted rows back in the rows' first order; `order` holds the first position of each
    sorted row.
    """
    back = np.empty_like(values)
    back[order] = values
    return back
