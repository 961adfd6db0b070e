"""The simulated economy of each city and year: output, people, trade demand, and what a pilot zone
changes.

Every series is a city effect, a common year effect and a persistent shock of the city's own; what
zones change comes later, in `zones`. Money is in CNY, people in persons,
land in km2.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.geography import (
    REFERENCE,
    YEARS,
    City,
    city_name_rows,
    read_reference,
)
from warehouse.simulate.model.indicators import SLOWDOWN, TURN, fill
from warehouse.simulate.model.nation import PRICE_GROWTH, REAL_GROWTH, WORLD_TRADE
from warehouse.simulate.model.shocks import PERSISTENCE, Array, persistent

# From 2012 on smaller economies grow faster, by this much a year for each standard deviation of log
# output in 2000, and levels that the index of economic resilience counts grow more slowly than
# output: `zones` then has little to move for trends in the index to be parallel.
CATCH_UP = 0.012
RICH = {"east": 0.45, "west": -0.15, "northeast": 0.15}
RANK = {"municipality": 1.4, "provincial_capital": 0.6, "sub_provincial": 0.6}
PARAMETERS = {
    "shock_persistence": PERSISTENCE,
    "shock_deviation": 0.02,
    "trade_elasticity_of_gdp": 0.9,
    "catch_up_log_per_year": CATCH_UP,
    "slowdown_log_per_year": SLOWDOWN,
}


@dataclass
class Economy:
    """City-by-year arrays; rows are `cities`, columns the years 2000-2021."""

    cities: tuple[City, ...]
    zone_year: NDArray[np.int64]
    real_index: Array
    deflator: Array
    ln_trade: Array
    indicators: dict[str, Array] = field(default_factory=dict)
    district: dict[str, Array] = field(default_factory=dict)

    @property
    def has_zone(self) -> NDArray[np.bool_]:
        return np.asarray(YEARS)[None, :] >= self.zone_year[:, None]

    def at(self, chosen: NDArray[np.bool_], years: slice) -> dict[str, Array]:
        """Copies of the indicators of some cities and years."""
        return {name: values[chosen, years].copy() for name, values in self.indicators.items()}

    def replace(self, name: str, values: Array) -> None:
        """Give an indicator other values; its districts keep their share of it."""
        if name in self.district:
            self.district[name] = self.district[name] * values / self.indicators[name]
        self.indicators[name] = values

    def set_at(self, name: str, chosen: NDArray[np.bool_], years: slice, values: Array) -> None:
        """Give an indicator other values in some cities and years."""
        whole = self.indicators[name].copy()
        whole[chosen, years] = values
        self.replace(name, whole)

    def first(self, count: int) -> Economy:
        """The economy of the first cities alone; arrays are views."""
        return Economy(
            self.cities[:count],
            self.zone_year[:count],
            self.real_index[:count],
            self.deflator[:count],
            self.ln_trade[:count],
            {name: values[:count] for name, values in self.indicators.items()},
            {name: values[:count] for name, values in self.district.items()},
        )


def zone_years(cities: tuple[City, ...]) -> NDArray[np.int64]:
    """Year in which a city became a cross-border e-commerce pilot zone; 9999 if never."""
    codes = {row["name_zh"]: row["city_code"] for row in city_name_rows()}
    first: dict[str, int] = {}
    for row in read_reference(REFERENCE / "policy_zones.csv"):
        if row["policy"] == "cross_border_ecommerce" and row["level"] in ("city", "province"):
            covered = (
                [codes[row["name_zh"]]]
                if row["name_zh"] in codes
                else [c.city_code for c in cities if c.province_zh == row["name_zh"]]
            )
            for code in covered:
                first[code] = min(first.get(code, 9999), int(row["year"]))
    return np.array([first.get(city.city_code, 9999) for city in cities], dtype=np.int64)


def build_economy(cities: tuple[City, ...], rng: np.random.Generator) -> Economy:
    """The economy of all cities, 2000-2021."""
    n, t = len(cities), len(YEARS)
    rich, rank = (
        np.array([of.get(kind, 0.0) for kind in kinds])
        for of, kinds in (
            (RICH, [city.region for city in cities]),
            (RANK, [city.tier for city in cities]),
        )
    )
    people = np.exp(rng.normal(np.log(3.6e6), 0.5, n) + 0.8 * rank)
    shock = persistent(rng, (n, t), 0.02)
    drift = rng.normal(0.0, 0.006, n)[:, None] * np.arange(t)[None, :]
    gdp_2000 = people * np.exp(rng.normal(np.log(7200.0), 0.3, n) + rich + 0.35 * rank)
    size = (np.log(gdp_2000) - np.log(gdp_2000).mean()) / np.log(gdp_2000).std()
    catch_up = -CATCH_UP * size[:, None] * np.clip(np.arange(t) - TURN, 0, None)[None, :]
    real = np.exp(_course(REAL_GROWTH)[None, :] + drift + catch_up + shock - shock[:, :1])
    wobble = np.cumsum(rng.normal(0.0, 0.006, (n, t)), axis=1)
    deflator = np.exp(_course(PRICE_GROWTH)[None, :] + wobble - wobble[:, :1])
    ln_gdp = np.log(gdp_2000)[:, None] + np.log(real) + np.log(deflator)
    ln_trade = _trade(cities, np.log(gdp_2000), np.log(real), rng)
    economy = Economy(cities, zone_years(cities), real, deflator, ln_trade)
    fill(economy, np.exp(ln_gdp), people, rank, rng)
    return economy


def _course(growth: tuple[float, ...]) -> Array:
    """Logs against the first year, from growth in per cent."""
    return np.concatenate([[0.0], np.cumsum(np.log1p(np.array(growth) / 100))])


def _trade(
    cities: tuple[City, ...], ln_gdp_2000: Array, ln_real: Array, rng: np.random.Generator
) -> Array:
    """Logs of trade: output, the world's, the coast, and the city's own."""
    n, t = ln_real.shape
    coast = np.array([{"east": 1.0, "northeast": 0.1}.get(city.region, -0.3) for city in cities])
    world = np.log(np.array(WORLD_TRADE, dtype=float))
    return np.asarray(
        0.9 * (ln_gdp_2000 - ln_gdp_2000.mean())[:, None]
        + (world - world[0])[None, :]
        + 0.9 * (ln_real - ln_real.mean(axis=0))
        + (coast + rng.normal(0.0, 0.6, n))[:, None]
        + persistent(rng, (n, t), 0.08)
    )
