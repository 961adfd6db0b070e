"""Taking effects out of columns exactly, and what that costs in degrees of freedom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.absorb import Absorber


def summing(codes: np.ndarray) -> sparse.csr_matrix:
    """(levels, n) matrix whose product with columns (n, m) adds them up by level."""
    return sparse.csr_matrix((np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(int(codes.max()) + 1, len(codes)))


def absorb(columns: np.ndarray, effects: Sequence[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Columns (n, m) less their weighted projection on the levels of all effects; effects are level numbers (n,) from 0, all used."""
    if not effects:
        return columns
    return Absorber([(codes, int(codes.max()) + 1) for codes in effects], weights).residualise(columns)


def degrees_absorbed(effects: Sequence[np.ndarray], clusters: Sequence[np.ndarray]) -> int:
    """Independent dummies of the effects; an effect whose levels each lie inside one cluster costs nothing, the constant still does."""
    if not effects:
        return 0
    free = [codes for codes in effects if not any(_nested(codes, cluster) for cluster in clusters)]
    return Absorber([(codes, int(codes.max()) + 1) for codes in free]).rank() if free else 1


def _nested(codes: np.ndarray, clusters: np.ndarray) -> bool:
    pairs = len(pd.unique(codes.astype(np.int64) * (int(clusters.max()) + 1) + clusters))
    return bool(pairs == int(codes.max()) + 1)
