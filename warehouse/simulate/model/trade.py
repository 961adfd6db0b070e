"""Simulated customs records as plain arrays: who exports what to whom, in which month, at which
price.

Demand for a firm's variety, as in equation 18 of virtual_agglomeration_quality:
ln q = ln(market) - sigma * ln(p / reference) + (sigma - 1) * ln(quality of the firm) + noise.
Better firms ask more. The elasticity is one for each three-digit product, so that the published
table of them is the truth. Values are whole US cents. Whatever the pipeline should leave out is
marked with its reason here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy, build_economy
from warehouse.simulate.model.firms import Firms, build_firms, partner_weights
from warehouse.simulate.model.geography import SEEDS, YEARS, City, read_reference
from warehouse.simulate.model.nomenclature import Nomenclature, nomenclature, unknown_codes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Order of precedence: the first that applies is the reason why a record is left out of the panels.
LEFT_OUT = (
    "unknown_place",
    "outside_spine",
    "unknown_partner",
    "unknown_hs",
    "no_postcode",
    "unknown_postcode",
    "county_firm",
)
SHARES = {
    "imports": 0.10,
    "unknown_place": 0.003,
    "unknown_partner": 0.002,
    "unknown_hs": 0.003,
    "postcode_missing": 0.06,
    "firm_year_without_postcode": 0.05,
    "firm_year_with_a_misprint": 0.05,
}
UNKNOWN_PLACES = ("不详", "其他地区", "保税物流园", "境外")
UNKNOWN_PARTNER_NAME, UNKNOWN_PARTNER_CODE = "国别不详", "701"
MODES = ("一般贸易", "进料加工贸易", "来料加工装配贸易", "其他")
SUFFIXES = (0, 10, 90)
RECORDS_BY_YEAR = np.array(
    [
        40,
        43,
        48,
        56,
        64,
        72,
        80,
        90,
        96,
        88,
        98,
        106,
        110,
        114,
        118,
        118,
        116,
        120,
        126,
        128,
        124,
        140,
    ],
    dtype=float,
)
PARAMETERS = {
    "sigma_log_mean": 1.2,
    "sigma_log_deviation": 0.4,
    "sigma_minimum": 1.5,
    "sigma_maximum": 9.0,
    "price_on_quality": 0.4,
    "price_noise": 0.25,
    "quality_in_demand": 1.0,
    "demand_noise": 0.6,
}


@dataclass
class Market:
    """What all records of a world share: firms, products with their tastes, partners."""

    economy: Economy
    firms: Firms
    nomenclature: Nomenclature
    partner_codes: list[str]
    partner_names: list[list[str]]
    sigma: Floats
    ln_reference_price: Floats
    ln_market: Floats
    product_weights: Floats
    place_texts: list[str] = field(default_factory=list)
    place_text_index: dict[str, int] = field(default_factory=dict)

    def text_index(self, text: str) -> int:
        if text not in self.place_text_index:
            self.place_text_index[text] = len(self.place_texts)
            self.place_texts.append(text)
        return self.place_text_index[text]


@dataclass
class Records:
    """One entry a record, in the order of the files. `product` is the index of the right HS 2002
    code, `left_out` an index
    into LEFT_OUT or -1, `postcode` a number (-1 where the record has none)."""

    year: NDArray[np.int16]
    month: NDArray[np.int8]
    is_import: NDArray[np.bool_]
    firm: NDArray[np.int32]
    hs8: NDArray[np.int32]
    product: NDArray[np.int16]
    partner: NDArray[np.int16]
    place: NDArray[np.int32]
    cents: NDArray[np.int64]
    quantity: Floats
    mode: NDArray[np.int8]
    postcode: NDArray[np.int32]
    left_out: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.year)

    def part(self, chosen: slice | NDArray[np.bool_] | NDArray[np.integer]) -> Records:
        return Records(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def build_market(cities: tuple[City, ...], firms_n: int, rng: np.random.Generator) -> Market:
    """Firms, products and partners of a world with these cities."""
    economy = build_economy(cities, rng)
    goods = nomenclature()
    n = len(goods.codes)
    weights = rng.permutation(1.0 / (np.arange(n) + 8.0) ** 0.9)
    chapters = np.array([int(code[:2]) for code in goods.codes])
    weights = weights * np.where(
        np.isin(chapters, (84, 85, 61, 62, 94, 39, 64, 73)), 3.0, np.where(chapters < 28, 0.5, 1.0)
    )
    rows = [row for row in read_reference(SEEDS / "countries.csv") if row["country_code"] != "142"]
    codes = [row["country_code"] for row in rows]
    aliases: dict[str, list[str]] = {code: [] for code in codes}
    for row in read_reference(SEEDS / "country_names.csv"):
        if row["country_code"] in aliases:
            aliases[row["country_code"]].append(row["name_zh"])
    names = [
        [row["country_name_zh"], row["country_name_zh"], *aliases[row["country_code"]]]
        for row in rows
    ]
    partners = partner_weights(codes)
    firms = build_firms(economy, firms_n, rng, weights, partners)
    sigma = _elasticities(goods, rng)
    price = rng.normal(1.5, 1.2, n)
    return Market(
        economy,
        firms,
        goods,
        codes,
        names,
        sigma,
        price,
        0.3 * np.log(partners / partners.mean()),
        weights,
    )


def _elasticities(goods: Nomenclature, rng: np.random.Generator) -> Floats:
    """One elasticity a three-digit product, for each product; a multiple of 1/256, so that a number
    of four bytes holds it exactly.
    """
    drawn = np.exp(
        rng.normal(
            PARAMETERS["sigma_log_mean"], PARAMETERS["sigma_log_deviation"], len(goods.codes)
        )
    )
    _, first, group = np.unique(
        [code[:3] for code in goods.codes], return_index=True, return_inverse=True
    )
    return (
        np.rint(
            256 * np.clip(drawn[first], PARAMETERS["sigma_minimum"], PARAMETERS["sigma_maximum"])
        )[group]
        / 256
    )


def records_by_year(total: int) -> list[int]:
    """How many records each year has; they add up to `total`."""
    edges = np.rint(np.cumsum(RECORDS_BY_YEAR) / RECORDS_BY_YEAR.sum() * total).astype(int)
    return np.diff(edges, prepend=0).tolist()


def draw_records(market: Market, total: int, rng: np.random.Generator) -> Records:
    """All records of a world, by year and month."""
    years = list(_each_year(market, total, rng))
    return Records(
        **{
            f.name: np.concatenate([getattr(year, f.name) for year in years])
            for f in fields(Records)
        }
    )


def _each_year(market: Market, total: int, rng: np.random.Generator) -> Iterator[Records]:
    for year, count in zip(YEARS, records_by_year(total), strict=True):
        yield _draw_year(market, year, count, rng)


def _draw_year(market: Market, year: int, count: int, rng: np.random.Generator) -> Records:
    firms = market.firms
    firm = _draw_firms(market, year, count, rng)
    slot = np.minimum(rng.geometric(0.45, count) - 1, firms.products.shape[1] - 1)
    line = firms.products[firm, slot]
    partner = firms.partners[
        firm, np.minimum(rng.geometric(0.35, count) - 1, firms.partners.shape[1] - 1)
    ]
    code6, product = _declared_codes(market, year, line, rng)
    quality = firms.quality[firm]
    ln_gap = PARAMETERS["price_on_quality"] * quality + rng.normal(
        0.0, PARAMETERS["price_noise"], count
    )
    sigma = market.sigma[product]
    taste = PARAMETERS["quality_in_demand"] * (sigma - 1) * quality
    size = (
        8.2
        + market.ln_market[partner]
        + 0.02 * (year - YEARS[0])
        - market.ln_reference_price[product]
    )
    ln_q = size - sigma * ln_gap + taste + rng.normal(0.0, PARAMETERS["demand_noise"], count)
    quantity = np.maximum(1.0, np.rint(np.exp(ln_q)))
    cents = np.maximum(
        1, np.rint(100 * quantity * np.exp(market.ln_reference_price[product] + ln_gap))
    ).astype(np.int64)
    kinds = rng.random((3, count))
    unknown_place = kinds[0] < SHARES["unknown_place"]
    unknown_partner = kinds[1] < SHARES["unknown_partner"]
    unknown_hs = kinds[2] < SHARES["unknown_hs"]
    strange = np.array([int(code) for code in unknown_codes()])
    code6 = np.where(unknown_hs, strange[rng.integers(0, len(strange), count)], code6)
    records = Records(
        year=np.full(count, year, dtype=np.int16),
        month=np.sort(rng.integers(1, 13, count)).astype(np.int8),
        is_import=rng.random(count) < SHARES["imports"],
        firm=firm.astype(np.int32),
        hs8=(code6 * 100 + np.array(SUFFIXES)[(firm + slot) % 3]).astype(np.int32),
        product=np.where(unknown_hs, -1, product).astype(np.int16),
        partner=np.where(unknown_partner, -1, partner).astype(np.int16),
        place=_place_texts(market, year, firm, unknown_place, rng).astype(np.int32),
        cents=cents,
        quantity=quantity,
        mode=rng.choice(4, count, p=[0.55, 0.27, 0.1, 0.08]).astype(np.int8),
        postcode=_stated_postcodes(firms, year, firm, rng),
        left_out=np.full(count, -1, dtype=np.int8),
    )
    records.left_out[:] = _reasons(market, year, records, unknown_place)
    return records


def _draw_firms(market: Market, year: int, count: int, rng: np.random.Generator) -> Ints:
    """Firms of a year's records: the large, alive ones in growing cities more often."""
    firms, t = market.firms, year - YEARS[0]
    economy = market.economy
    growth = np.exp(economy.ln_trade[:, t] - economy.ln_trade.mean(axis=1))
    named = np.array([float(bool(place.places[year])) for place in firms.places])
    jinan = next((i for i, city in enumerate(economy.cities) if city.city_code == "3701"), 0)
    by_place = np.concatenate(
        [growth, [growth[jinan]], np.ones(len(firms.places) - len(growth) - 1)]
    )
    named[len(economy.cities)] = 1.0
    weight = (
        np.exp(firms.ln_size)
        * (by_place * named)[firms.place]
        * ((firms.entry <= year) & (year <= firms.leave))
    )
    edges = np.cumsum(weight)
    return np.searchsorted(edges, rng.random(count) * edges[-1], side="right")


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


def _place_texts(
    market: Market, year: int, firm: Ints, unknown: NDArray[np.bool_], rng: np.random.Generator
) -> Ints:
    """Production place of each record as customs write it that year."""
    jinan = next((city for city in market.economy.cities if city.city_code == "3701"), None)
    forms = [
        place.places[year]
        or (jinan.places[year] if jinan and place.city_code == "3701" else ("不详",))
        for place in market.firms.places
    ]
    width = max(len(form) for form in forms)
    table = np.array(
        [[market.text_index(form[j % len(form)]) for j in range(width)] for form in forms]
    )
    texts = table[market.firms.place[firm], rng.integers(0, width, len(firm))]
    strange = np.array([market.text_index(text) for text in UNKNOWN_PLACES])
    return np.where(unknown, strange[rng.integers(0, len(strange), len(firm))], texts)


def _stated_postcodes(
    firms: Firms, year: int, firm: Ints, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Postcode on each record: the firm's, or none - on single records, and on all records of some
    firm-years.
    """
    lost_year = (firm * 2_654_435_761 + year * 40_503) % 1000 < 1000 * SHARES[
        "firm_year_without_postcode"
    ]
    lost = lost_year | (rng.random(len(firm)) < SHARES["postcode_missing"])
    return np.where(lost, -1, firms.postcode[firm]).astype(np.int32)


def _reasons(
    market: Market, year: int, records: Records, unknown_place: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Why a record is left out of the panels (an index into LEFT_OUT), from what is known of its
    firm; -1 if it is not.
    """
    firms, firm = market.firms, records.firm
    outside = np.array([not place.city_code for place in firms.places])[firms.place[firm]]
    tests = {
        "unknown_place": unknown_place,
        "outside_spine": outside,
        "unknown_partner": records.partner < 0,
        "unknown_hs": records.product < 0,
        "no_postcode": firms.postcode[firm] < 0,
        "unknown_postcode": ~firms.postcode_known[firm],
        "county_firm": ~firms.district[firm, year - YEARS[0]],
    }
    return np.select([tests[reason] for reason in LEFT_OUT], np.arange(len(LEFT_OUT)), -1).astype(
        np.int8
    )


def state_every_postcode(firms: Firms, records: Records, bad: NDArray[np.bool_]) -> None:
    """Give every firm that has a postcode one good export record which states it, so that other
    years can supply it.
    """
    usable = ~bad & ~records.is_import & ~np.isin(records.left_out, (0, 1, 2, 3))
    stated = np.zeros(firms.count, dtype=bool)
    stated[records.firm[usable & (records.postcode >= 0)]] = True
    candidates = np.flatnonzero(usable)
    first_firm, first_at = np.unique(records.firm[candidates], return_index=True)
    needed = ~stated[first_firm] & (firms.postcode[first_firm] >= 0)
    records.postcode[candidates[first_at[needed]]] = firms.postcode[first_firm[needed]]


def stray_postcodes(
    firms: Firms, records: Records, bad: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Misprint the postcode on one record of some firm-years that state the right one at least five
    times more.
    """
    stating = np.flatnonzero(
        ~bad & ~records.is_import & (records.left_out < 0) & (records.postcode >= 0)
    )
    key = records.firm[stating].astype(np.int64) * len(YEARS) + (records.year[stating] - YEARS[0])
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    chosen = stating[
        first[(counts >= 6) & (rng.random(len(counts)) < SHARES["firm_year_with_a_misprint"])]
    ]
    other = firms.postcode[rng.integers(0, firms.count, len(chosen))]
    records.postcode[chosen] = np.where(rng.random(len(chosen)) < 0.5, 0, np.maximum(other, 0))
