"""Simulated customs records as plain arrays: who exports what to whom, in which month, at which
price.

Demand for a firm's variety, as in equation 18 of virtual_agglomeration_quality:
ln q = ln(market) - sigma * ln(p / reference) + (sigma - 1) * ln(quality of the firm) + noise.
Better firms ask more. The elasticity is one for each three-digit product, so that the published
table of them is the truth. Values are whole US cents. Whatever the pipeline should leave out is
marked with its reason here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.firms import Firms, build_firms, partner_weights
from warehouse.simulate.model.geography import SEEDS, read_reference
from warehouse.simulate.model.nomenclature import Nomenclature, nomenclature

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


def build_market(economy: Economy, firms_n: int, rng: np.random.Generator) -> Market:
    """Firms, products and partners of a world whose cities have this economy."""
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
