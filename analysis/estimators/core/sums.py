"""Sums and means by group, and the covariance that sums of scores by cluster give."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from analysis.estimators.core.groups import Group


def sums_by(group: Group, columns: np.ndarray, factor: np.ndarray | None = None) -> np.ndarray:
    """Sums (levels, m) of columns (n, m), times a factor by row (n,) if given."""
    codes, size = group
    n = len(codes)
    entries = np.ones(n) if factor is None else factor
    by_level = sparse.csr_array((entries, codes, np.arange(n + 1, dtype=np.int32)), shape=(n, size))
    return np.asarray(by_level.T @ columns)


def means_by(group: Group, columns: np.ndarray) -> np.ndarray:
    """Means (levels, m) of columns (n, m)."""
    return sums_by(group, columns) / np.bincount(group[0], minlength=group[1])[:, None]


def crossed_sums(group: Group, scores: np.ndarray) -> np.ndarray:
    """sum_g s_g s_g' (m, m) with s_g the sums of scores (n, m) in cluster g; no small-sample
    factor.
    """
    sums = sums_by(group, scores)
    return np.asarray(sums.T @ sums)


def each_alone(n: int) -> Group:
    """Every row a group of its own: clusters of one row are the heteroskedasticity-robust case."""
    return np.arange(n), n
