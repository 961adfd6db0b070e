"""Linear algebra that gives the same bits on every processor: sums in one order, no BLAS and no
LAPACK.

OpenBLAS chooses its kernels by the processor and splits sums among threads, so that the last digits
of a product depend on the machine; a search that ends where rounding begins then ends elsewhere.
What a release publishes is therefore computed with these functions. What guarantees equality:
products are einsum without `optimize`, which runs numpy's own loops in the order of the rows and
never calls BLAS; sums are np.add.reduce, which adds in pairs in an order given by the length alone;
factorisations are written out over these. They are for few columns: the work in Python grows with
their number only.
"""

from __future__ import annotations

import numpy as np

# Jacobi's rotations end in six to ten sweeps; eigenvalues of any symmetric matrix are settled by
# then.
SWEEPS = 60
# Halves of numbers from 0 to 1 lie on grids of 2^-40 and 2^-80, so sums of so many terms are exact.
GRID = 2.0**40
TERMS = 2**13


def dot(left: np.ndarray, right: np.ndarray) -> np.number:
    """sum_i left_i right_i of two (n,) arrays, real or complex (not conjugated), added in pairs."""
    return np.add.reduce(np.multiply(left, right, order="C"))


def times(matrix: np.ndarray, other: np.ndarray) -> np.ndarray:
    """matrix (n, k) times a vector (k,) or a matrix (k, m), added in the order of the k."""
    return np.asarray(np.einsum("ik,k...->i...", matrix, other))


def cross(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """left' right of (n, k) and (n,) or (n, m) columns, (k,) or (k, m), each sum added in pairs."""
    if right.ndim == 1:
        return np.asarray(np.add.reduce(np.multiply(left.T, right, order="C"), axis=1))
    found = [cross(left, column) for column in right.T]
    empty = np.zeros((0, left.shape[1]), dtype=np.result_type(left, right))
    return np.array(found).T if found else empty.T


def halves(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers from 0 to 1 as the sum of two, each with so few digits that thousands can be added
    without rounding.
    """
    upper = np.round(shares * GRID) / GRID
    return upper, shares - upper


def counted(marks: np.ndarray, parts: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """marks (n, k) of zeros and ones times the (k, m) numbers that `halves` split, at the speed of
    BLAS.

    Sums of the upper halves are multiples of 2^-40 below 2^13, and those of the lower halves are of
    2^-80 below 2^-27: both fit the 53 digits of a float, so no kernel rounds and none can differ.
    The numbers are to be zero or above 2^-27.
    """
    if len(parts[0]) > TERMS:
        raise ValueError(
            f"{len(parts[0]):,} terms are more than the {TERMS:,} whose sums are exact."
        )
    return np.asarray(marks @ parts[0] + marks @ parts[1])


def orthonormal(
    columns: np.ndarray, nothing_left: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gram-Schmidt with each column taken clear of those before it twice, which is as exact as
    Householder's QR.

    Parameters
    ----------
    columns : (n, k); complex ones are orthonormal without conjugation, so that a complex step
        passes through
    nothing_left : the share of a column that must be left beside those before it

    Returns
    -------
    basis : (n, r) with basis' basis = 1
    triangle : (r, k), columns = basis triangle up to what was left out
    kept : (r,) positions of the columns that add something to those before them
    """
    n, k = columns.shape
    basis = np.empty((k, n), dtype=columns.dtype)
    triangle = np.zeros((k, k), dtype=columns.dtype)
    kept: list[int] = []
    for at, column in enumerate(np.ascontiguousarray(columns.T)):
        left, rank = column, len(kept)
        for _ in range(2 if rank else 0):
            shares = cross(basis[:rank].T, left)
            left = left - np.einsum("k,ki->i", shares, basis[:rank])
            triangle[:rank, at] += shares
        size, rest = np.sqrt(dot(column, column)), np.sqrt(dot(left, left))
        if np.real(rest) > nothing_left * np.real(size) and rank < n:
            basis[rank], triangle[rank, at] = left / rest, rest
            kept.append(at)
    rank = len(kept)
    return basis[:rank].T, triangle[:rank], np.array(kept, dtype=int)


def solve_upper(triangle: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x of triangle x = right, for an upper triangle (k, k) and (k,) or (k, m)."""
    found = np.array(right, dtype=np.result_type(triangle, right, np.float64))
    for row in range(len(triangle) - 1, -1, -1):
        found[row] = found[row] - times(triangle[row : row + 1, row + 1 :], found[row + 1 :])[0]
        found[row] = found[row] / triangle[row, row]
    return found


def least_squares(columns: np.ndarray, target: np.ndarray, nothing_left: float) -> np.ndarray:
    """Coefficients (k,) of target (n,) on columns (n, k); zero for a column that those before it
    determine.
    """
    basis, triangle, kept = orthonormal(columns, nothing_left)
    found = np.zeros(columns.shape[1], dtype=np.result_type(columns, target))
    found[kept] = solve_upper(triangle[:, kept], cross(basis, target))
    return found


def solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """x of matrix x = right, (k, k) and (k,) or (k, m), by the Gram-Schmidt basis of the columns.

    Raises
    ------
    ZeroDivisionError : columns that are combinations of each other.
    """
    basis, triangle, kept = orthonormal(matrix, 1e-15)
    if len(kept) < len(matrix):
        raise ZeroDivisionError(
            "the matrix has no inverse: a column is a combination of those before it."
        )
    return solve_upper(triangle, cross(basis, right))


def eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (k,) of a symmetric matrix, smallest first, and eigenvectors in the columns of
    (k, k).

    Jacobi's rotations, row by row, until every element beside the diagonal is below the rounding of
    the diagonal elements that it lies between (Rutishauser 1966; Golub and Van Loan, section 8.5).
    """
    a, size = np.array(matrix, dtype=np.float64), len(matrix)
    axes = np.eye(size)
    for _ in range(SWEEPS):
        turned = False
        for p in range(size - 1):
            for q in range(p + 1, size):
                if abs(a[p, q]) <= 1e-17 * np.sqrt(abs(a[p, p])) * np.sqrt(abs(a[q, q])):
                    a[p, q] = a[q, p] = 0.0
                    continue
                _rotate(a, axes, p, q)
                turned = True
        if not turned:
            break
    order = np.argsort(np.diag(a), kind="stable")
    return np.diag(a)[order], axes[:, order]


def _rotate(a: np.ndarray, axes: np.ndarray, p: int, q: int) -> None:
    """Turn axes p and q so that a[p, q] is zero, in place."""
    ratio = (a[q, q] - a[p, p]) / (2 * a[p, q])
    tangent = (1.0 if ratio >= 0 else -1.0) / (abs(ratio) + np.hypot(1.0, ratio))
    cosine = 1 / np.sqrt(1 + tangent * tangent)
    sine = tangent * cosine
    for rows in (a, a.T, axes.T):
        one, other = rows[p].copy(), rows[q].copy()
        rows[p], rows[q] = cosine * one - sine * other, sine * one + cosine * other
    a[p, q] = a[q, p] = 0.0
