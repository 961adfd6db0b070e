"""Products of tall, narrow matrices, block by block of rows.

A block is small enough for the linear algebra library to stay on one thread: on shared processors
its threads wait for each other longer than such products take, and the sums do not depend on how
many there are.
"""

from __future__ import annotations

import numpy as np

MULTIPLICATIONS = 1 << 18
BLOCK_ROWS = 1 << 12


def cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """one' other, (a, b), of (n, a) and (n, b)."""
    total = np.zeros((one.shape[1], other.shape[1]))
    step = _rows(one.shape[1] * other.shape[1])
    for start in range(0, len(one), step):
        total += one[start : start + step].T @ other[start : start + step]
    return total


def times(tall: np.ndarray, small: np.ndarray) -> np.ndarray:
    """tall small, (n, b), of (n, a) and (a, b)."""
    product = np.empty((len(tall), small.shape[1]))
    step = _rows(small.size)
    for start in range(0, len(tall), step):
        np.matmul(tall[start : start + step], small, out=product[start : start + step])
    return product


def subtract_product(target: np.ndarray, tall: np.ndarray, small: np.ndarray) -> None:
    """target -= tall small, in place."""
    step = _rows(small.size)
    for start in range(0, len(tall), step):
        target[start : start + step] -= tall[start : start + step] @ small


def decomposed(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal columns (n, m) and the triangle (m, m) whose product is columns (n, m), n >= m.

    Blocks of rows are decomposed while they lie in the cache, then their triangles together, as
    precise as one decomposition of all rows.

    Source: Demmel, Grigori, Hoemmen and Langou (2012), Communication-optimal parallel and
    sequential QR and LU factorizations, section 3 (TSQR).
    """
    n, m = columns.shape
    if n <= BLOCK_ROWS:
        q, triangle = np.linalg.qr(columns)
        return np.asarray(q), np.asarray(triangle)
    inside, triangles = np.linalg.qr(_in_blocks(columns))
    between, triangle = np.linalg.qr(triangles.reshape(-1, m))
    q = inside @ between.reshape(*triangles.shape)
    return q.reshape(-1, m)[:n], np.asarray(triangle)


def _in_blocks(columns: np.ndarray) -> np.ndarray:
    """Columns (blocks, BLOCK_ROWS, m); zeros fill up the last block, and change nothing."""
    n, m = columns.shape
    filled = np.zeros((-(-n // BLOCK_ROWS) * BLOCK_ROWS, m))
    filled[:n] = columns
    return filled.reshape(-1, BLOCK_ROWS, m)


def inner(one: np.ndarray, other: np.ndarray) -> float:
    """Sum of products of two columns (n,)."""
    return float(np.einsum("i,i->", one, other))


def _rows(width: int) -> int:
    return max(64, MULTIPLICATIONS // max(width, 1))
