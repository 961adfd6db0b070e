"""Draws the customs records of a simulated market so that they come to what was decided of each
city and year beforehand: the export value of its districts to the cent, and how many products and
destinations, to the unit (`warehouse.simulate.model.exports`).

Firms share out what their city exports. Where the drawn records come to another value than the
city's, its costs were others: all its prices change by one amount in logs for each product,
quantities answer along demand, and so quality, which is what demand leaves unexplained, stays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import CitytradeError
from warehouse.simulate.model.allotment import drawn_within, meet, shared_out
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.nomenclature import unknown_codes
from warehouse.simulate.model.statements import place_texts, reasons, stated_postcodes
from warehouse.simulate.model.trade import (
    LEFT_OUT,
    PARAMETERS,
    RECORDS_BY_YEAR,
    SHARES,
    SUFFIXES,
    Floats,
    Ints,
    Market,
    Records,
)

# Of the records that are good exports, those that the panels rest on; how unequally they fall on
# cities; and the most that firms outside the districts have for each record of the districts.
CLEAN_SHARE, CONCENTRATION, MOST_OUTSIDE = 0.74, 0.75, 0.5
MOST_IN_DISTRICTS = 0.98  # of a city's exports, in a year in which both are planned


@dataclass(frozen=True)
class Plan:
    """What the records of each city of the market and each year must come to.

    cents, products, partners : (cities, years) value (0 where it is not planned), HS 2002 codes and
        destinations of the clean exports of districts
    is_narrow : (cities, years) whether the whole city sells to no other destinations than these
    whole : called with the year's place in YEARS and the cents of all exports of each city in the
        years before (cities, years before); returns those of the year, or None where what the
        districts export decides
    quality : (cities, years) added to the log of the quality of all firms that produce there
    """

    cents: Ints
    products: Ints
    partners: Ints
    is_narrow: NDArray[np.bool_]
    whole: Callable[[int, Ints], Ints | None]
    quality: Floats


@dataclass(frozen=True)
class _Year:
    """What a year's records share: which city each firm produces in (-1 outside the spine), and
    whether its good exports are clean.
    """

    at: int
    city: Ints
    is_clean: NDArray[np.bool_]
    weight: Floats


@dataclass(frozen=True)
class _Lines:
    """What a year's records are of: firm, its product by that year's declared code and by the right
    HS 2002 code's index, and partner; arrays of one entry a record.
    """

    firm: Ints
    code6: Ints
    product: Ints
    partner: Ints


def records_by_year(total: int) -> list[int]:
    """How many records each year has; they add up to `total`."""
    edges = np.rint(np.cumsum(RECORDS_BY_YEAR) / RECORDS_BY_YEAR.sum() * total).astype(int)
    return np.diff(edges, prepend=0).tolist()


def clean_by_year(total: int, cities_n: int) -> list[float]:
    """About how many clean records a mean city has in each year."""
    good = (1 - 0.03) * (1 - SHARES["imports"])
    return [CLEAN_SHARE * good * count / cities_n for count in records_by_year(total)]


def draw_records(
    market: Market, plan: Plan, bad: NDArray[np.bool_], rng: np.random.Generator
) -> Records:
    """All records of a world, by year and month.

    Parameters
    ----------
    bad : which records will be spoilt in the files, and count nowhere
    """
    years = list(_each_year(market, plan, bad, rng))
    return Records(
        **{
            f.name: np.concatenate([getattr(year, f.name) for year in years])
            for f in fields(Records)
        }
    )


def _each_year(
    market: Market, plan: Plan, bad: NDArray[np.bool_], rng: np.random.Generator
) -> Iterator[Records]:
    edges = np.cumsum([0, *records_by_year(len(bad))]).tolist()
    before = np.zeros((len(market.economy.cities), 0), dtype=np.int64)
    for at, (start, stop) in enumerate(itertools.pairwise(edges)):
        year = _year(market, at)
        whole = plan.whole(at, before)
        records = _draw_year(market, year, plan, whole, bad[start:stop], rng)
        exported = _exported(records, year, bad[start:stop])
        totals = np.zeros(len(before), dtype=np.int64)
        np.add.at(totals, year.city[records.firm[exported]], records.cents[exported])
        before = np.column_stack([before, totals])
        yield records


def _year(market: Market, at: int) -> _Year:
    firms, year = market.firms, YEARS[at]
    codes = [city.city_code for city in market.economy.cities]
    cities = np.array(
        [codes.index(p.city_code) if p.city_code in codes else -1 for p in firms.places]
    )
    named = np.array([float(bool(place.places[year])) for place in firms.places])
    named[len(codes)] = 1.0  # 莱芜, which is written as 济南 once it has no name of its own
    alive = (firms.entry <= year) & (year <= firms.leave)
    city = cities[firms.place]
    clean = (city >= 0) & (firms.postcode >= 0) & firms.postcode_known & firms.district[:, at]
    return _Year(at, city, clean, np.exp(firms.ln_size) * named[firms.place] * alive)


def _draw_year(
    market: Market,
    year: _Year,
    plan: Plan,
    whole: Ints | None,
    bad: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Records:
    firms, count = market.firms, len(bad)
    kinds = rng.random((4, count))
    shares = ("unknown_place", "unknown_partner", "unknown_hs", "imports")
    odd = {name: kinds[i] < SHARES[name] for i, name in enumerate(shares)}
    may = ~bad & ~np.logical_or.reduce(list(odd.values()))
    size = plan.cents[:, year.at] if whole is None else whole
    firm = _draw_firms(year, plan, size, may, rng)
    lines, slot = _draw_lines(market, year, plan, may & year.is_clean[firm], firm, rng)
    strange = np.array([int(code) for code in unknown_codes()])
    unknown = strange[rng.integers(0, len(strange), count)]
    code6 = np.where(odd["unknown_hs"], unknown, lines.code6)
    cents, quantity = _sold(market, year, plan, whole, may, lines, rng)
    number = YEARS[year.at]
    records = Records(
        year=np.full(count, number, dtype=np.int16),
        month=np.sort(rng.integers(1, 13, count)).astype(np.int8),
        is_import=odd["imports"],
        firm=firm.astype(np.int32),
        hs8=(code6 * 100 + np.array(SUFFIXES)[(firm + slot) % 3]).astype(np.int32),
        product=np.where(odd["unknown_hs"], -1, lines.product).astype(np.int16),
        partner=np.where(odd["unknown_partner"], -1, lines.partner).astype(np.int16),
        place=place_texts(market, number, firm, odd["unknown_place"], rng).astype(np.int32),
        cents=cents,
        quantity=quantity,
        mode=rng.choice(4, count, p=[0.55, 0.27, 0.1, 0.08]).astype(np.int8),
        postcode=stated_postcodes(firms, number, firm, rng),
        left_out=np.full(count, -1, dtype=np.int8),
    )
    records.left_out[:] = reasons(market, number, records, odd["unknown_place"])
    return records


def _draw_lines(
    market: Market,
    year: _Year,
    plan: Plan,
    clean: NDArray[np.bool_],
    firm: Ints,
    rng: np.random.Generator,
) -> tuple[_Lines, Ints]:
    """Products and partners of the records of these firms, from the firms' own, and in which place
    of the firm's products each stands.
    """
    firms, count = market.firms, len(firm)
    slot = np.minimum(rng.geometric(0.45, count) - 1, firms.products.shape[1] - 1)
    market_slot = np.minimum(rng.geometric(0.35, count) - 1, firms.partners.shape[1] - 1)
    code6, product = _declared_codes(market, YEARS[year.at], firms.products[firm, slot], rng)
    lines = _Lines(firm, code6, product, firms.partners[firm, market_slot])
    _meet_counts(market, year, plan, np.flatnonzero(clean), lines, rng)
    city = year.city[firm]
    for c in np.flatnonzero(plan.is_narrow[:, year.at]).tolist():
        sold = np.unique(lines.partner[clean & (city == c)])
        others = np.flatnonzero(~clean & (city == c))
        if len(sold):
            lines.partner[others] = rng.choice(sold, len(others))
    return lines, slot


def _exported(records: Records, year: _Year, bad: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Records of what the city as a whole exports: districts, counties, and unknown postcodes."""
    last = LEFT_OUT.index("unknown_hs")
    kept = (records.left_out < 0) | (records.left_out > last)
    return ~bad & ~records.is_import & kept & (year.city[records.firm] >= 0)


def _draw_firms(
    year: _Year, plan: Plan, size: Ints, may: NDArray[np.bool_], rng: np.random.Generator
) -> Ints:
    """Firms of a year's records. Of the good exports CLEAN_SHARE are of firms in districts, as many
    a city as its products and destinations need and its `size` attracts; the rest, and records that
    count nowhere, are of any firms.
    """
    cities_n = len(plan.cents)
    inside = year.weight * year.is_clean
    known = year.city >= 0
    there = np.bincount(year.city[known], inside[known], cities_n)
    others = np.where(year.is_clean, 0.0, year.weight)
    apart = np.bincount(year.city[known], others[known], cities_n)
    order = rng.permutation(np.flatnonzero(may))
    clean, rest = np.split(order, [round(CLEAN_SHARE * len(order))])
    least = np.maximum(plan.products[:, year.at], plan.partners[:, year.at])
    counts = shared_out(
        len(clean),
        np.where(there > 0, least, 0),
        np.where(there > 0, size.astype(float), 0.0) ** CONCENTRATION,
    )
    firm = np.empty(len(may), dtype=np.int64)
    firm[clean] = drawn_within(year.city, inside, counts, rng)
    # As many records for a unit of size as in the districts, up to a limit; outside the spine, as
    # in the mean city.
    wanted = np.minimum(
        np.divide(counts, there, out=np.zeros(cities_n), where=there > 0) * apart,
        MOST_OUTSIDE * counts,
    )
    factor = np.divide(wanted, apart, out=np.zeros(cities_n), where=apart > 0)
    mean = counts.sum() / there.sum()
    edges = np.cumsum(others * np.where(known, factor[year.city], mean))
    firm[rest] = np.searchsorted(edges, rng.random(len(rest)) * edges[-1], side="right")
    nowhere = np.flatnonzero(~may)
    whole = np.where(year.is_clean, counts[year.city] / np.maximum(there[year.city], 1e-300), 0.0)
    edges = np.cumsum(inside * whole + others * np.where(known, factor[year.city], mean))
    firm[nowhere] = np.searchsorted(edges, rng.random(len(nowhere)) * edges[-1], side="right")
    return firm


def _declared_codes(
    market: Market, year: int, line: Ints, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """The six-digit code declared for each product line under that year's revision, and the right
    HS 2002 code's index.
    """
    goods = market.nomenclature
    index = {code: i for i, code in enumerate(goods.codes)}
    options = goods.line_codes(year)
    width = max(len(codes) for codes in options)
    table = np.array([[int(codes[j % len(codes)]) for j in range(width)] for codes in options])
    converted = {int(code): index[old] for code, old in goods.revision_of(year).converted.items()}
    right = np.array([[converted[int(code)] for code in codes] for codes in table])
    pick = rng.integers(0, width, len(line))
    return table[line, pick], right[line, pick]


def _meet_counts(
    market: Market,
    year: _Year,
    plan: Plan,
    counted: Ints,
    lines: _Lines,
    rng: np.random.Generator,
) -> None:
    """Exchange products and partners of clean records, in place, until each city has as many of
    either as planned.
    """
    goods, at, product, partner = market.nomenclature, year.at, lines.product, lines.partner
    index = {code: i for i, code in enumerate(goods.codes)}
    declared: dict[int, int] = {}
    for code, old in sorted(goods.revision_of(YEARS[at]).converted.items()):
        declared.setdefault(index[old], int(code))
    sold = np.array(sorted(declared))
    city = year.city[lines.firm[counted]]
    order = counted[np.argsort(city, kind="stable")]
    stops = np.cumsum(np.bincount(city, minlength=len(plan.cents)))
    weight, demand = market.product_weights[sold], np.exp(market.ln_market)
    everywhere = np.arange(len(demand))
    before = product[counted]
    for c, rows in enumerate(np.split(order, stops[:-1])):
        if len(rows):
            product[rows] = meet(product[rows], int(plan.products[c, at]), sold, weight, rng)
            partner[rows] = meet(partner[rows], int(plan.partners[c, at]), everywhere, demand, rng)
    new = counted[product[counted] != before]
    lines.code6[new] = [declared[p] for p in product[new].tolist()]


def _sold(
    market: Market,
    year: _Year,
    plan: Plan,
    whole: Ints | None,
    may: NDArray[np.bool_],
    lines: _Lines,
    rng: np.random.Generator,
) -> tuple[Ints, Floats]:
    """Value in cents and quantity of each record: demand at the firm's quality and price, and then
    the city's costs as they must be for its exports to come to what was planned.
    """
    firm, product, partner = lines.firm, lines.product, lines.partner
    city = year.city[firm]
    quality = market.firms.quality[firm] + np.where(city >= 0, plan.quality[city, year.at], 0.0)
    ln_gap = PARAMETERS["price_on_quality"] * quality + rng.normal(
        0.0, PARAMETERS["price_noise"], len(firm)
    )
    sigma, reference = market.sigma[product], market.ln_reference_price[product]
    taste = PARAMETERS["quality_in_demand"] * (sigma - 1) * quality
    size = 8.2 + market.ln_market[partner] + 0.02 * year.at - reference
    ln_q = size - sigma * ln_gap + taste + rng.normal(0.0, PARAMETERS["demand_noise"], len(firm))
    ln_p = reference + ln_gap
    group, target, held = _groups(year, plan, whole, may, firm)
    drawn = np.bincount(group[held], np.exp(ln_q + ln_p)[held], len(target))
    target = np.where(drawn > 0, target, 0)
    change = np.log(np.maximum(target, 1) / 100 / np.maximum(drawn, 1e-300))
    cost = np.where(target > 0, -change, 0.0)[group] / (sigma - 1)
    ln_p, ln_q = ln_p + cost, ln_q - sigma * cost
    quantity = np.maximum(1.0, np.rint(np.exp(ln_q)))
    cents = np.maximum(1, np.rint(100 * quantity * np.exp(ln_p))).astype(np.int64)
    _to_the_cent(cents, group, held & (target[group] > 0), target)
    return cents, quantity


def _groups(
    year: _Year, plan: Plan, whole: Ints | None, may: NDArray[np.bool_], firm: Ints
) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Which records share one change of costs, what those that are held to it come to in cents (0
    where nothing was planned), and which are held: (records,), (2 cities + 1,), (records,).

    The first of a city's two groups is of its districts, the second of its other firms. Where only
    the districts were planned, the others share their costs; where only the whole city was, all do;
    the last group is of firms outside the spine.
    """
    city, cities_n = year.city[firm], len(plan.cents)
    planned, none = plan.cents[:, year.at], np.zeros(cities_n + 1, dtype=np.int64)
    apart = bool((planned > 0).all()) and whole is not None
    group = np.where(city < 0, 2 * cities_n, city + cities_n * (apart & ~year.is_clean[firm]))
    if whole is None:
        return group, np.concatenate([planned, none]), may & year.is_clean[firm]
    if not apart:
        return group, np.concatenate([whole, none]), may
    others = np.bincount(group[may], minlength=2 * cities_n + 1)[cities_n:-1] > 0
    most = np.where(others, MOST_IN_DISTRICTS * whole, whole).astype(np.int64)
    planned = np.where(others, np.minimum(planned, most), whole)
    return group, np.concatenate([planned, whole - planned, none[:1]]), may


def _to_the_cent(cents: Ints, city: Ints, held: NDArray[np.bool_], target: Ints) -> None:
    """Scale the held records of each city, in place, so that they add up to its target; the
    largest takes what rounding leaves.
    """
    rows = np.flatnonzero(held)
    of = city[rows]
    total = np.bincount(of, cents[rows].astype(float), len(target))
    factor = target / np.maximum(total, 1.0)
    cents[rows] = np.maximum(1, np.rint(cents[rows] * factor[of])).astype(np.int64)
    left = target.copy()
    np.subtract.at(left, of, cents[rows])
    order = np.lexsort((rows, -cents[rows], of))
    present, first = np.unique(of[order], return_index=True)
    largest = rows[order[first]]
    cents[largest] += left[present]
    if (cents[largest] <= 0).any():
        raise CitytradeError("A city's records are too many for what it exports in a year.")
