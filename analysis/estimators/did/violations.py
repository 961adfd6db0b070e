"""What both restrictions on trends start from: estimates around the base period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg


@dataclass(frozen=True)
class Problem:
    """Estimates before and after treatment, and the mean of effects that is asked for."""

    beta: np.ndarray  # (p + q,) before and after, without the base
    sigma: np.ndarray  # (p + q, p + q)
    p: int
    weights: np.ndarray  # (q,) of theta
    alpha: float


def root(sigma: np.ndarray) -> np.ndarray:
    """Lower triangle whose square is sigma, which may be singular up to rounding.

    A triangle rather than eigenvectors: those of equal eigenvalues turn with the last bit of the
    input, and simulated numbers with them.
    """
    ridge = 1e-14 * np.trace(sigma) / len(sigma)
    return np.asarray(linalg.cholesky(sigma + ridge * np.eye(len(sigma)), lower=True))
