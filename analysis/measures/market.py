"""Market segmentation and integration from relative prices (virtual_agglomeration_quality, eq. 24,
after Gui Qihan et al. 2006).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Eight categories of consumption: up to 2015, and from 2016 on. A year uses the set that the
# offices printed for it.
CATEGORY_SETS: tuple[tuple[str, ...], ...] = (
    (
        "clothing",
        "food",
        "household_equipment",
        "housing",
        "medical",
        "recreation_education",
        "tobacco_liquor",
        "transport_communication",
    ),
    (
        "clothing",
        "education_recreation",
        "food_tobacco_liquor",
        "health",
        "household_goods",
        "housing",
        "other_goods",
        "transport_communication",
    ),
)


def segmentation(
    log_changes: Array, pairs: NDArray[np.bool_], *, less_own_mean: bool = False
) -> Array:
    """Segmentation of each place's market in one year.

    |dQ_ij^k| = |ln(p_it^k / p_it-1^k) - ln(p_jt^k / p_jt-1^k)|
    q_ij^k    = |dQ_ij^k| - the mean of |dQ^k| over all pairs: what befell the goods of k everywhere
              is taken out; or over i's own pairs, as the index i of the printed mean says
    mseg_i    = the mean over the places j paired with i of var_k(q_ij^k), with K - 1 in the
              denominator

    Parameters
    ----------
    log_changes : (n, K), ln of price over last year's price, without missing values
    pairs : (n, n), symmetric, whether i and j are compared; the diagonal counts for nothing
    less_own_mean : whether the mean that is taken out is that of i's own pairs

    Returns
    -------
    (n,), NaN for a place without a pair

    Raises
    ------
    ValueError : fewer than two goods, shapes that do not fit, pairs that are not symmetric, or
        missing values.
    """
    n, goods = log_changes.shape
    if goods < 2 or pairs.shape != (n, n) or not np.array_equal(pairs, pairs.T):
        raise ValueError(
            f"{goods} goods and pairs of shape {pairs.shape} for {n} places: two goods or more and"
            " symmetric pairs are needed."
        )
    if not np.isfinite(log_changes).all():
        raise ValueError("a price change is missing or not finite. Leave the place out.")
    paired = pairs & ~np.eye(n, dtype=bool)
    if not paired.any():
        return np.full(n, np.nan)
    means = np.array([_mean_distance(log_changes[:, k], paired) for k in range(goods)])
    result = np.full(n, np.nan)
    for i in np.flatnonzero(paired.any(axis=1)):
        distance = np.abs(log_changes[i] - log_changes[paired[i]])
        q = distance - (distance.mean(axis=0) if less_own_mean else means)
        result[i] = q.var(axis=1, ddof=1).mean()
    return result


def _mean_distance(values: Array, paired: NDArray[np.bool_]) -> float:
    return float(np.abs(values[:, None] - values[None, :])[paired].mean())


def integration(segmented: Array) -> Array:
    """Integration = sqrt(1 / segmentation); NaN where segmentation is missing or zero."""
    known = np.where(segmented > 0, segmented, np.nan)
    return np.sqrt(1 / known)


def market_integration(
    prices: pd.DataFrame, neighbours: pd.DataFrame, sets: Sequence[Sequence[str]] = CATEGORY_SETS
) -> pd.DataFrame:
    """Segmentation and integration of every city and year, against all cities (less the mean of
    all pairs, and less that of the city's own) and against neighbours alone.

    Parameters
    ----------
    prices : city_code, year, category, index_pct (previous year = 100); one row each
    neighbours : city_code, neighbour_code; both directions
    sets : categories that belong together; a city takes part in a year with the first set of which
        it has all, at positive values

    Returns
    -------
    city_code, year, market_segmentation_index, market_integration_index, and the same two with
    `neighbour_` and `own_pairs_` before; rows in the order of city and year, cities without a full
    set left out
    """
    touching = set(zip(neighbours["city_code"], neighbours["neighbour_code"], strict=True))
    wide = (
        prices[prices["index_pct"] > 0]
        .pivot(index=["year", "city_code"], columns="category", values="index_pct")
        .sort_index()
    )
    parts = []
    rest = wide
    for categories in sets:
        full = rest.reindex(columns=list(categories)).dropna()
        rest = rest.drop(index=full.index)
        parts += [
            _one_year(year, rows.droplevel("year"), touching)
            for year, rows in full.groupby(level="year")
        ]
    columns = [
        "city_code",
        "year",
        *(
            f"{kind}market_{what}_index"
            for kind in ("", "neighbour_", "own_pairs_")
            for what in ("segmentation", "integration")
        ),
    ]
    kinds = {
        "city_code": "str",
        "year": prices["year"].dtype,
        **dict.fromkeys(columns[2:], "float64"),
    }
    together = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return together[columns].astype(kinds).sort_values(["city_code", "year"], ignore_index=True)


def _one_year(year: object, rows: pd.DataFrame, touching: set[tuple[str, str]]) -> pd.DataFrame:
    """Cities (index) by categories, previous year = 100, of one year and set."""
    cities = list(rows.index)
    n = len(cities)
    changes = np.log(rows.to_numpy(dtype=np.float64) / 100)
    adjacent = np.array(
        [[(a, b) in touching or (b, a) in touching for b in cities] for a in cities], dtype=bool
    ).reshape(n, n)
    measured = {
        "": segmentation(changes, np.ones((n, n), dtype=bool)),
        "neighbour_": segmentation(changes, adjacent),
        "own_pairs_": segmentation(changes, np.ones((n, n), dtype=bool), less_own_mean=True),
    }
    frame = pd.DataFrame({"city_code": cities, "year": year})
    for kind, values in measured.items():
        frame[f"{kind}market_segmentation_index"] = values
        frame[f"{kind}market_integration_index"] = integration(values)
    return frame
