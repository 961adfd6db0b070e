"""Random series of cities: persistent shocks, alone and around a level of the city's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
PERSISTENCE = 0.7


def persistent(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> Array:
    """First-order autoregressive shocks along the years, started from their stationary law."""
    rho = PERSISTENCE
    draws = rng.normal(0.0, deviation, shape)
    shocks = np.empty(shape)
    shocks[:, 0] = draws[:, 0] / np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        shocks[:, t] = rho * shocks[:, t - 1] + draws[:, t]
    return shocks


def noisy(rng: np.random.Generator, shape: tuple[int, int], between: float, within: float) -> Array:
    """Factors around one: a level of the city's own, and persistent shocks; deviations of logs."""
    return np.asarray(
        np.exp(rng.normal(0.0, between, (shape[0], 1)) + persistent(rng, shape, within))
    )
