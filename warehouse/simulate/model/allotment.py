"""Sharing out a whole number of records over cities, firms, products and partners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def shared_out(total: int, least: Ints, weight: Floats) -> Ints:
    """Whole numbers that add up to `total`, in proportion to `weight` but nowhere below `least`.

    Where `total` is not enough for that, those of the least weight get nothing.
    """
    order = np.argsort(-weight, kind="stable")
    stay = np.zeros(len(weight), dtype=bool)
    stay[order] = np.cumsum(least[order]) <= total
    least, weight = np.where(stay, least, 0), np.where(stay, weight, 0.0)
    low, high = 0.0, 2.0 * total / max(weight.sum(), 1e-300)
    for _ in range(60):
        middle = (low + high) / 2
        enough = np.maximum(least, middle * weight).sum() >= total
        low, high = (low, middle) if enough else (middle, high)
    exact = np.maximum(least, low * weight)
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def drawn_within(city: Ints, weight: Floats, counts: Ints, rng: np.random.Generator) -> Ints:
    """counts[c] firms of each city c, drawn by their weights; city by city."""
    order = np.argsort(city, kind="stable")
    edges = np.cumsum(weight[order])
    stop = np.searchsorted(city[order], np.arange(len(counts)), side="right") - 1
    start = np.searchsorted(city[order], np.arange(len(counts)), side="left")
    below = np.where(start > 0, edges[start - 1], 0.0)
    of = np.repeat(np.arange(len(counts)), counts)
    drawn = below[of] + rng.random(len(of)) * (edges[stop] - below)[of]
    return order[np.clip(np.searchsorted(edges, drawn, side="right"), start[of], stop[of])]


def meet(values: Ints, wanted: int, pool: Ints, weight: Floats, rng: np.random.Generator) -> Ints:
    """`values` with the fewest changed so that they take `wanted` distinct ones: the rarest give
    way to the others, or new ones from the pool take the place of repeated ones.
    """
    distinct, first, where, counts = np.unique(
        values, return_index=True, return_inverse=True, return_counts=True
    )
    result = values.copy()
    if len(distinct) > wanted:
        kept = np.argsort(-counts, kind="stable")[:wanted]
        gone = ~np.isin(where, kept)
        share = counts[kept] / counts[kept].sum()
        result[gone] = distinct[rng.choice(kept, int(gone.sum()), p=share)]
    elif len(distinct) < wanted:
        free = ~np.isin(pool, distinct)
        repeated = np.ones(len(values), dtype=bool)
        repeated[first] = False
        share = weight[free] / weight[free].sum()
        new = rng.choice(pool[free], wanted - len(distinct), replace=False, p=share)
        at = rng.choice(np.flatnonzero(repeated), len(new), replace=False)
        result[at] = new
    return result
