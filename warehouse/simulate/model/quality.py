"""Quality of exports follows virtual agglomeration (virtual_agglomeration_quality, eq. 17), fixed
before any estimate:

    ln quality of a firm in a city and year
        = the firm's own + ON_VIRTUAL vagg_ct + the city's + a shock of the city and year

The outcome is an index: (ln quality - least) / (greatest - least) of the product over firms,
destinations and years (eq. 20), averaged with export values over a city's products (eq. 21). So a
unit of vagg moves a row of the panel by ON_VIRTUAL times the mean, with those weights, of one over
the range of its products: `index_slope` computes that from the world's records.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.shocks import Array
from warehouse.simulate.model.trade import LEFT_OUT, Market, Records

ON_VIRTUAL = 1.3  # log points of quality for one per cent of output
CITY_DEVIATION, SHOCK_DEVIATION, SHOCK_MEMORY = 0.10, 0.02, 0.5
SAMPLE_YEARS = (2003, 2015)  # of dbt_project.yml: quality_first_year, quality_last_year
LEAST_RECORDS = 100  # of a product in those years: quality_records_minimum
FIRST_CHAPTER = 28  # farm and resource goods, chapters below, have no place in the sample


def parameters() -> dict[str, object]:
    """What was set, not drawn."""
    return {
        "ln_quality_on_virtual_agglomeration": ON_VIRTUAL,
        "city_deviation": CITY_DEVIATION,
        "shock_deviation": SHOCK_DEVIATION,
        "shock_memory": SHOCK_MEMORY,
    }


def quality_of_cities(
    virtual: Array, rng: np.random.Generator, null: bool = False
) -> NDArray[np.float64]:
    """What a city and year add to the log of its firms' quality: (cities, years); a year without
    tables is as the nearest that has them, a city without output as the mean one.
    """
    known = np.flatnonzero(~np.isnan(virtual).all(axis=0))
    at = np.clip(np.arange(virtual.shape[1]), known[0], known[-1])
    measured = virtual[:, at]
    mean = np.nanmean(measured, axis=0)
    measured = np.where(np.isnan(measured), mean[None, :], measured) - mean.mean()
    shock = rng.normal(0.0, SHOCK_DEVIATION, virtual.shape)
    for t in range(1, virtual.shape[1]):
        shock[:, t] += SHOCK_MEMORY * shock[:, t - 1]
    own = rng.normal(0.0, CITY_DEVIATION, (len(virtual), 1))
    return np.asarray((0.0 if null else ON_VIRTUAL) * measured + own + shock)


def cell_quality(
    market: Market, records: Records, bad: NDArray[np.bool_]
) -> tuple[dict[str, NDArray[np.int64]], Array]:
    """Cells of firm, product, partner and year of the quality sample, with what demand leaves
    unexplained over sigma less one; product and market count as known.
    """
    last = LEFT_OUT.index("unknown_hs")
    chapter = np.array([int(code[:2]) for code in market.nomenclature.codes])
    rows = np.flatnonzero(
        ~bad
        & ~records.is_import
        & ((records.left_out < 0) | (records.left_out > last))
        & (records.year >= SAMPLE_YEARS[0])
        & (records.year <= SAMPLE_YEARS[1])
        & ~market.firms.is_intermediary[records.firm]
    )
    product = records.product[rows].astype(np.int64)
    often = np.bincount(product, minlength=len(chapter)) >= LEAST_RECORDS
    rows = rows[((chapter >= FIRST_CHAPTER) & often)[product]]
    part = records.part(rows)
    product, partner, firm = (
        getattr(part, name).astype(np.int64) for name in ("product", "partner", "firm")
    )
    t = part.year.astype(np.int64) - YEARS[0]
    key = ((firm * len(chapter) + product) * len(market.partner_codes) + partner) * len(YEARS) + t
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    quantity, cents = np.bincount(cell, part.quantity), np.bincount(cell, part.cents.astype(float))
    keys = {"firm": firm[first], "product": product[first], "t": t[first], "cents": cents}
    sigma, reference = market.sigma[keys["product"]], market.ln_reference_price[keys["product"]]
    size = market.ln_market[partner[first]] + 0.02 * keys["t"] - reference
    ln_p = np.log(cents / 100 / quantity)
    left = np.log(quantity) + sigma * (ln_p - reference) - size
    return keys, left / (sigma - 1)


def index_slope(market: Market, records: Records, bad: NDArray[np.bool_], virtual: Array) -> float:
    """How much a unit of ln quality moves a row of the panel (city, HS 2002 heading, year with
    virtual agglomeration), in units of the index, on average over rows.
    """
    keys, quality = cell_quality(market, records, bad)
    n = len(market.nomenclature.codes)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, keys["product"], quality)
    np.maximum.at(high, keys["product"], quality)
    slope = 1 / (high - low)[keys["product"]]
    heading = np.unique([code[:4] for code in market.nomenclature.codes], return_inverse=True)[1]
    codes = [city.city_code for city in market.economy.cities]
    city = np.array([codes.index(c) if c in codes else -1 for c in market.firms.spine_code()])
    of = city[keys["firm"]]
    row = (of * n + heading[keys["product"]]) * len(YEARS) + keys["t"]
    known = ~np.isnan(virtual)[of, keys["t"]] & (of >= 0) & np.isfinite(slope)
    _, at = np.unique(row[known], return_inverse=True)
    weight = keys["cents"][known]
    mean = np.bincount(at, weight * slope[known]) / np.bincount(at, weight)
    return float(mean.mean())
