"""Errors that go together by how near rows are, in time or on the map: groups of rows, and how much
two groups count together.

The covariance's middle is  sum_g sum_h k(g, h) S_g S_h'  with S_g the scores' sum in group g:

    driscoll_kraay   g are periods, k falls with the years between them, 1 - |g - h| / (lags + 1)
                     (Newey and West 1987); all rows of a year count together, whatever the unit
                     (Driscoll and Kraay 1998). Without lags: clusters by period
    conley           g are places, k = 1 up to `km` kilometres ("uniform"), or 1 - distance / km
                     ("triangular") (Conley 1999). Rows of all years of a place and of its
                     neighbours count together, as in R fixest; up to 0 km: clusters by place

Distances are great circles of a sphere of 6,371 km. "uniform" need not be positive semidefinite:
negative eigenvalues are set to zero, as with clusters two ways.
"""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.groups import Group, combined
from analysis.estimators.core.options import Covariance
from analysis.estimators.core.sample import Sample
from analysis.estimators.core.sums import sums_by

EARTH = 6371.0  # km


def near_groups(sample: Sample, errors: Covariance) -> tuple[Group, np.ndarray]:
    """The groups, and how much each two count together (g, g).

    Raises
    ------
    ValueError : fewer than two groups, or coordinates that are none.
    """
    if errors.kind == "driscoll_kraay":
        group, periods = sample.groups[errors.time], numbers_of(sample, errors.time)
        _refuse_one(group[1], errors.time)
        return group, bartlett(periods, lags_of(errors.lags, group[1]))
    group = combined([sample.groups[name] for name in errors.place])
    _refuse_one(group[1], " and ".join(errors.place))
    first = np.zeros(group[1], dtype=np.int64)
    first[group[0][::-1]] = np.arange(sample.n)[::-1]
    latitude, longitude = (
        numbers_of(sample, name)[sample.groups[name][0][first]] for name in errors.place
    )
    if np.abs(latitude).max() > 90 or np.abs(longitude).max() > 360:
        raise ValueError(f"{errors.place[0]} is a latitude in degrees, and the second a longitude.")
    far = distances(latitude, longitude)
    if errors.kernel == "uniform":
        return group, (far <= errors.km).astype(float)
    return group, np.maximum(0.0, 1.0 - far / errors.km)


def near_meat(group: Group, near: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """sum_g sum_h k(g, h) S_g S_h' (k, k) of scores (n, k)."""
    sums = sums_by(group, scores)
    return np.asarray(sums.T @ near @ sums)


def lags_of(given: int | None, periods: int) -> int:
    """As given, else 4 (T / 100)^(2/9), rounded down (Newey and West 1994; Stata's xtscc)."""
    return int(4 * (periods / 100) ** (2 / 9)) if given is None else given


def bartlett(periods: np.ndarray, lags: int) -> np.ndarray:
    """(T, T) 1 - |t - s| / (lags + 1), zero beyond, of periods (T,)."""
    apart = np.abs(periods[:, None] - periods)
    return np.maximum(0.0, 1.0 - apart / (lags + 1))


def distances(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """(g, g) kilometres along great circles between places in degrees (g,), by haversines."""
    north, east = np.radians(latitude), np.radians(longitude)
    half = np.sin((north[:, None] - north) / 2) ** 2
    half += np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    return np.asarray(2 * EARTH * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def numbers_of(sample: Sample, name: str) -> np.ndarray:
    """The labels of a grouping as numbers (levels,).

    Raises
    ------
    ValueError : labels that are none.
    """
    try:
        return np.asarray(sample.levels[name].to_numpy(), dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"covariance: {name!r} does not hold numbers.") from None


def _refuse_one(groups: int, name: str) -> None:
    if groups < 2:
        raise ValueError(f"the sample has one {name} only: these errors need at least two.")
