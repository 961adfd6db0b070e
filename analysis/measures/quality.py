"""Quality of exported goods from what sells at a price (virtual_agglomeration_quality, equations
18-21; Khandelwal, Schott and Wei 2013).

A buyer's demand for the variety of firm g in product h, destination f and year t:

    ln q = -sigma_h ln p + a_h + b_ft + c ln(real GDP of the province) + e,
        e = (sigma_h - 1) ln(quality)                      (18)
    ln quality = e / (sigma_h - 1)                         (19)
    index = (ln quality - min_h) / (max_h - min_h)         (20)

The extremes in (20) are over all firms, destinations and years of product h.

Two readings of the paper are here, and differ in where sigma comes from:

published : sigma is given by product; ln q + sigma ln p is regressed on the effects and ln GDP.
    Nothing is assumed of prices.
estimated : ln p is regressed on too, instrumented by the firm's mean price of the product at other
    destinations; sigma is what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measures.demeaning import two_way_residuals

# Spread that rounding leaves of equal numbers.
EQUAL = 1e-11
PROBLEMS = (
    "no_other_destination",
    "no_province_gdp",
    "no_elasticity",
    "elasticity_not_above_one",
    "one_value",
)  # the first that applies is told
KEPT = [
    "firm_id",
    "city_id",
    "hs6_id",
    "destination_id",
    "year",
    "value_cents",
    "ordinary_cents",
    "processing_cents",
]


@dataclass(frozen=True, eq=False)
class Demand:
    """What equation 18 leaves unexplained, row by row; NaN in rows that could not be used.

    residuals, sigma : (n,)
    control : coefficient of the control where it is one for all, else None
    """

    residuals: np.ndarray
    sigma: np.ndarray
    control: float | None

    @property
    def ln_quality(self) -> np.ndarray:
        """(19), for sigma above one; NaN elsewhere."""
        good = self.sigma > 1
        return np.where(good, self.residuals / np.where(good, self.sigma - 1, 1.0), np.nan)


def demand_with_sigma(
    ln_quantity: np.ndarray,
    ln_price: np.ndarray,
    sigma: np.ndarray,
    product: np.ndarray,
    market: np.ndarray,
    control: np.ndarray,
) -> Demand:
    """Residuals of ln q + sigma ln p on product effects, destination-year effects and a control.

    Parameters
    ----------
    ln_quantity, ln_price, sigma, control : (n,) floats; rows where one is NaN, or sigma is not
        above one, are left out
    product, market : (n,) whole numbers in any numbering: the product, and the pair of destination
        and year

    A control that the effects explain (or that never varies) has coefficient zero.
    """
    keep = np.isfinite(ln_quantity) & np.isfinite(ln_price) & np.isfinite(control) & (sigma > 1)
    columns = np.column_stack([ln_quantity[keep] + sigma[keep] * ln_price[keep], control[keep]])
    left = two_way_residuals(columns, _numbered(product[keep]), _numbered(market[keep]))
    explained = float(
        np.sum(left[:, 1] * left[:, 1])
    )  # sums, not BLAS products, whose last digit depends on the number of threads
    scale = float(np.sum(columns[:, 1] * columns[:, 1]))
    coefficient = (
        float(np.sum(left[:, 1] * left[:, 0])) / explained if explained > EQUAL**2 * scale else 0.0
    )
    residuals = np.full(len(keep), np.nan)
    residuals[keep] = left[:, 0] - coefficient * left[:, 1]
    return Demand(residuals, np.where(np.isfinite(sigma), sigma, np.nan), coefficient)


def demand_with_instrument(
    ln_quantity: np.ndarray,
    ln_price: np.ndarray,
    ln_other_price: np.ndarray,
    group: np.ndarray,
    product: np.ndarray,
    market: np.ndarray,
    control: np.ndarray,
) -> Demand:
    """Residuals of ln q on ln p, product and destination-year effects and a control, by two-stage
    least squares in each group.

    In each group, with effects taken out of q, p, the instrument z and the control x:
    [z'p z'x; x'p x'x] (-sigma, c)' = (z'q, x'q)', and the residual is q + sigma p - c x.

    Parameters
    ----------
    ln_other_price : (n,) the instrument; NaN where the firm sells the product at no other
        destination
    group : (n,) whole numbers; each has its own sigma (three-digit products, or one number for all)
    others : as for `demand_with_sigma`

    A group in which the instrument says nothing has sigma NaN.
    """
    keep = (
        np.isfinite(ln_quantity)
        & np.isfinite(ln_price)
        & np.isfinite(ln_other_price)
        & np.isfinite(control)
    )
    groups = _numbered(group[keep])
    markets = _numbered(groups.astype(np.int64) * (int(market.max(initial=0)) + 1) + market[keep])
    products = _numbered(
        groups.astype(np.int64) * (int(product.max(initial=0)) + 1) + product[keep]
    )
    columns = np.column_stack(
        [ln_quantity[keep], ln_price[keep], ln_other_price[keep], control[keep]]
    )
    q, p, z, x = two_way_residuals(columns, products, markets).T
    slope, control_slope = _by_group(q, p, z, x, groups)
    sigma, residuals = np.full(len(keep), np.nan), np.full(len(keep), np.nan)
    sigma[keep] = -slope[groups]
    residuals[keep] = q - slope[groups] * p - control_slope[groups] * x
    return Demand(residuals, sigma, None)


def _by_group(
    q: np.ndarray, p: np.ndarray, z: np.ndarray, x: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of p and x in each group; NaN where the instrument is explained, x has
    coefficient zero where it is.
    """

    def sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.bincount(group, a * b)

    zp, zx, xp, xx, zq, xq, zz, pp = (
        sums(z, p),
        sums(z, x),
        sums(x, p),
        sums(x, x),
        sums(z, q),
        sums(x, q),
        sums(z, z),
        sums(p, p),
    )
    has_control = xx > EQUAL * np.maximum(1.0, np.bincount(group))
    share = np.where(
        has_control, zx / np.where(has_control, xx, 1.0), 0.0
    )  # partial the control out of the instrument
    strength = zp - share * xp
    good = np.abs(strength) > EQUAL * np.sqrt(zz * pp)
    slope = np.where(good, (zq - share * xq) / np.where(good, strength, 1.0), np.nan)
    control = np.where(has_control, (xq - slope * xp) / np.where(has_control, xx, 1.0), 0.0)
    return slope, control


def price_at_other_destinations(
    price: np.ndarray,
    firm: np.ndarray,
    product: np.ndarray,
    year: np.ndarray,
    destination: np.ndarray,
) -> np.ndarray:
    """Mean price (n,) of the same firm and product in the same year over its rows at all other
    destinations; NaN where there are none.
    """
    line = _numbered(firm, product, year)
    here = _numbered(line, destination)
    total, count = np.bincount(line, price)[line], np.bincount(line)[line]
    own, own_n = np.bincount(here, price)[here], np.bincount(here)[here]
    others = count - own_n
    return np.where(others > 0, (total - own) / np.maximum(others, 1), np.nan)


def scaled_within(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """(20): values (n,) scaled to 0-1 between the least and the greatest of their group; NaN where
    a group has one distinct value.
    """
    scaled = np.full(len(values), np.nan)
    keep = np.isfinite(values)
    if keep.any():
        groups, known = _numbered(group[keep]), values[keep]
        low, high = np.full(groups.max() + 1, np.inf), np.full(groups.max() + 1, -np.inf)
        np.minimum.at(low, groups, known)
        np.maximum.at(high, groups, known)
        spread = high - low
        varies = spread > EQUAL * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
        scaled[keep] = np.where(
            varies[groups], (known - low[groups]) / np.where(varies, spread, 1.0)[groups], np.nan
        )
    return scaled


def quality_of_cells(
    cells: pd.DataFrame, products: pd.DataFrame, provinces: pd.DataFrame, elasticity: str
) -> pd.DataFrame:
    """Equations 18-20 for cells of firm, city, product, destination and year.

    Parameters
    ----------
    cells : firm_id, city_id, hs6_id, destination_id, year, value_cents, ordinary_cents,
        processing_cents, quantity, unit_value_usd;
        quantity and unit value above zero
    products : hs6_id, sigma (by three-digit product; missing where the publisher has none)
    provinces : province_code, year, province_gdp_cny_2000; the province is the first two digits of
        the city's code
    elasticity : "published" or "estimated" (by three-digit product)

    Returns
    -------
    The cells' keys and values with sigma, ln_quality, quality_index and quality_problem (why one of
    them is missing).

    Raises
    ------
    ValueError : another word for `elasticity`
    """
    if elasticity not in ("published", "estimated"):
        raise ValueError(f"elasticity is {elasticity!r}: choose 'published' or 'estimated'.")
    control = _province_gdp(cells, provinces)
    if elasticity == "published":
        demand, lonely = _demand_published(cells, products, control), np.zeros(len(cells), bool)
    else:
        demand, lonely = _demand_estimated(cells, control)
    ln_quality = demand.ln_quality
    index = scaled_within(ln_quality, cells["hs6_id"].to_numpy())
    problem = _problems(
        lonely, np.isnan(control), np.isnan(demand.sigma), demand.sigma <= 1, np.isnan(index)
    )
    return cells[KEPT].assign(
        sigma=demand.sigma,
        ln_quality=ln_quality,
        quality_index=index,
        quality_problem=problem.array,
    )


def _logs(cells: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """ln quantity and ln price, (n,) each."""
    quantity, price = (cells[name].to_numpy(np.float64) for name in ("quantity", "unit_value_usd"))
    return np.log(quantity), np.log(price)


def _market(cells: pd.DataFrame) -> np.ndarray:
    """A number for each destination and year, (n,)."""
    return cells["destination_id"].to_numpy().astype(np.int64) * 10_000 + cells["year"].to_numpy()


def _demand_published(cells: pd.DataFrame, products: pd.DataFrame, control: np.ndarray) -> Demand:
    hs6 = cells["hs6_id"].to_numpy()
    sigma = _looked_up(hs6, products)
    return demand_with_sigma(*_logs(cells), sigma, hs6, _market(cells), control)


def _demand_estimated(cells: pd.DataFrame, control: np.ndarray) -> tuple[Demand, np.ndarray]:
    """The demand, and cells without a price of the same firm elsewhere (n,)."""
    names = ("firm_id", "hs6_id", "year", "destination_id")
    firm, hs6, year, destination = (cells[name].to_numpy() for name in names)
    price = cells["unit_value_usd"].to_numpy(np.float64)
    others = np.log(price_at_other_destinations(price, firm, hs6, year, destination))
    chapters = hs6 // 1000
    demand = demand_with_instrument(*_logs(cells), others, chapters, hs6, _market(cells), control)
    return demand, np.isnan(others)


def _problems(*failed: np.ndarray) -> pd.Series:
    """The first of PROBLEMS that applies to each row; missing where none does."""
    told = np.select(list(failed), range(len(PROBLEMS)), -1).astype(np.int8)
    return pd.Series(pd.Categorical.from_codes(told, categories=pd.Index(PROBLEMS))).astype("str")


def _numbered(*codes: np.ndarray) -> np.ndarray:
    """Whole numbers 0.. without holes, one for each distinct tuple of codes, in their order."""
    number = np.zeros(len(codes[0]), dtype=np.int64)
    for part in codes:
        levels = np.unique(part, return_inverse=True)[1]
        number = number * (int(levels.max(initial=0)) + 1) + levels
    return np.unique(number, return_inverse=True)[1] if len(codes) > 1 else number


def _looked_up(hs6: np.ndarray, products: pd.DataFrame) -> np.ndarray:
    known = products["hs6_id"].to_numpy()
    order = np.argsort(known, kind="stable")
    at = np.minimum(np.searchsorted(known[order], hs6), max(len(known) - 1, 0))
    found = products["sigma"].to_numpy(np.float64, na_value=np.nan)[order]
    return (
        np.where(known[order][at] == hs6, found[at], np.nan)
        if len(known)
        else np.full(len(hs6), np.nan)
    )


def _province_gdp(cells: pd.DataFrame, provinces: pd.DataFrame) -> np.ndarray:
    """ln real GDP of the province of each cell's city, NaN where it is not known."""
    values = provinces["province_gdp_cny_2000"].to_numpy(np.float64, na_value=np.nan)
    table = np.full((100, int(cells["year"].max()) + 1 if len(cells) else 1), np.nan)
    codes, years = provinces["province_code"].astype(int).to_numpy(), provinces["year"].to_numpy()
    usable = (years < table.shape[1]) & (values > 0)
    table[codes[usable], years[usable]] = np.log(values[usable])
    return table[cells["city_id"].to_numpy() // 100, cells["year"].to_numpy()]
