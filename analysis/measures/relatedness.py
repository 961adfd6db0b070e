"""How close a region's products are to the other things that it is good at: the density of related
products.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.measures import plain, samples


def relatedness_density(
    frame: pd.DataFrame, *, unit: str, period: str, product: str, value: str, base: Iterable[int]
) -> pd.DataFrame:
    """Density of related products by unit and period, after Hidalgo et al. (2007), averaged over a
    unit's exports as He, Chen and Zhu (2021) use it.

    m_uv = 1 where unit u has a revealed advantage in product v: (x_uv / X_u) / (x_v / X) >= 1
    proximity f_vw = sum_u m_uv m_uw / max(sum_u m_uv, sum_u m_uw), the smaller of the two
    conditional frequencies, from the base periods' summed exports density d_utv = sum_w m_utw f_vw
    / sum_w f_vw over w other than v; density of a unit = sum_v s_utv d_utv / sum_v s_utv, s =
    shares in its exports

    Parameters
    ----------
    frame : one row a unit, period and product with a positive value; other rows are left out. Order
        does not matter
    base : periods whose exports tell which products are near each other

    Returns
    -------
    frame of unit, period, density (0-1), sorted; density is missing where none of the unit's
    products has a neighbour

    Raises
    ------
    ValueError : columns missing or not numeric, duplicate keys
    """
    samples.check_columns(frame, [unit, period, product, value])
    samples.refuse_duplicates(frame, [unit, period, product])
    amount = samples.numbers(frame, [value])[:, 0]
    kept = frame.loc[np.isfinite(amount) & (amount > 0), [unit, period, product, value]]
    if kept.empty:
        return pd.DataFrame(
            {
                unit: frame[unit].iloc[:0],
                period: frame[period].iloc[:0],
                "density": pd.Series(dtype="float64"),
            }
        )
    products = {code: at for at, code in enumerate(sorted(kept[product].unique()))}
    near = _proximity(kept[kept[period].isin(list(base))], unit, product, value, products)
    reach, halves = near.sum(axis=1), plain.halves(near)
    parts = []
    for moment, rows in kept.sort_values([unit, product]).groupby(period, sort=True):
        units, exports = _matrix(rows, unit, product, value, products)
        density = np.divide(
            plain.counted(_advantage(exports), halves),
            reach[None, :],
            out=np.zeros_like(exports),
            where=reach[None, :] > 0,
        )
        weight = np.where(reach[None, :] > 0, exports, 0.0)
        total = weight.sum(axis=1)
        mean = np.divide(
            (weight * density).sum(axis=1), total, out=np.full(len(units), np.nan), where=total > 0
        )
        parts.append(pd.DataFrame({unit: units, period: moment, "density": np.round(mean, 12)}))
    return pd.concat(parts, ignore_index=True).sort_values([unit, period], ignore_index=True)


def _matrix(
    rows: pd.DataFrame, unit: str, product: str, value: str, products: dict[object, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Units in order, and their exports (units, products)."""
    units, at = np.unique(rows[unit].to_numpy(dtype=object), return_inverse=True)
    exports = np.zeros((len(units), len(products)))
    np.add.at(
        exports, (at, rows[product].map(products).to_numpy()), rows[value].to_numpy(dtype="float64")
    )
    return units, exports


def _advantage(exports: np.ndarray) -> np.ndarray:
    """1 where a product's share in the unit is at least its share in all units."""
    total = exports.sum()
    expected = np.outer(exports.sum(axis=1), exports.sum(axis=0)) / (total if total > 0 else 1.0)
    return np.asarray(((exports > 0) & (exports >= expected * (1 - 1e-12))).astype("float64"))


def _proximity(
    rows: pd.DataFrame, unit: str, product: str, value: str, products: dict[object, int]
) -> np.ndarray:
    """(products, products), zero on the diagonal; all zero where the base periods hold nothing."""
    if rows.empty:
        return np.zeros((len(products), len(products)))
    summed = rows.groupby([unit, product], sort=True)[[value]].sum().reset_index()
    _, exports = _matrix(summed, unit, product, value, products)
    held = _advantage(exports)
    together, counts = held.T @ held, held.sum(axis=0)
    larger = np.maximum.outer(counts, counts)
    near = np.divide(together, larger, out=np.zeros_like(together), where=larger > 0)
    np.fill_diagonal(near, 0.0)
    return np.asarray(near)
