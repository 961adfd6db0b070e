"""The simulated economy of each city and year: output, people, trade demand, and what a pilot zone
changes.

Every series is a city effect, a common year effect, a persistent shock of the city's own, and for
some a step at the approval of a cross-border e-commerce zone. Money is in CNY, people in persons,
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

Array = NDArray[np.float64]

# Common growth of real output and of prices, in per cent, for 2001-2021: the crisis of 2008-09 and
# 2020 show.
REAL_GROWTH = (
    8.3,
    9.1,
    10.0,
    10.1,
    11.4,
    12.7,
    14.2,
    9.7,
    8.4,
    10.6,
    9.6,
    7.9,
    7.8,
    7.4,
    7.0,
    6.8,
    6.9,
    6.7,
    6.0,
    2.2,
    8.4,
)
PRICE_GROWTH = (
    2.0,
    0.6,
    2.6,
    6.9,
    3.9,
    3.9,
    7.8,
    7.8,
    -0.1,
    6.9,
    8.1,
    2.3,
    2.2,
    1.0,
    0.0,
    1.4,
    4.2,
    3.5,
    1.3,
    0.5,
    4.5,
)
CNY_PER_USD = (
    8.279, 8.276, 8.277, 8.278, 8.276, 8.194, 7.970, 7.612, 6.938, 6.835, 6.762, 6.466, 6.317,
    6.189, 6.151, 6.234,
    6.649, 6.748, 6.625, 6.891, 6.904, 6.453,
)  # fmt: skip

# What the approval of a zone adds, in log points, from the year of approval on; the
# entropy-weighted index of economic
# resilience of 2012-2021 then rises by about 0.025 in cities with a zone.
ZONE_EFFECTS = {
    "patents_granted_n": 0.50,
    "household_savings_cny": 0.17,
    "retail_sales_cny": 0.20,
    "science_expenditure_cny": 0.25,
    "fixed_investment_cny": 0.14,
    "hospital_beds_n": 0.07,
}
# From 2012 on smaller economies grow faster, by this much a year for each standard deviation of log
# output in 2000, and
# what zones change grows more slowly than output. Otherwise the large cities, which got zones
# first, would gain so much
# in absolute terms that the resilience index rose there even where a zone changed nothing.
CATCH_UP, SLOWDOWN, TURN = 0.012, 0.06, 12
PARAMETERS = {
    "shock_persistence": 0.7,
    "shock_deviation": 0.02,
    "trade_elasticity_of_gdp": 0.9,
    "zone_effects_log": ZONE_EFFECTS,
    "zone_effect_on_resilience_index_about": 0.025,
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


def persistent(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> Array:
    """First-order autoregressive shocks along the years, started from their stationary law."""
    rho = PARAMETERS["shock_persistence"]
    assert isinstance(rho, float)
    draws = rng.normal(0.0, deviation, shape)
    shocks = np.empty(shape)
    shocks[:, 0] = draws[:, 0] / np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        shocks[:, t] = rho * shocks[:, t - 1] + draws[:, t]
    return shocks


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
    rich = np.array(
        [
            {"east": 0.45, "central": 0.0, "west": -0.15, "northeast": 0.15}.get(city.region, 0.0)
            for city in cities
        ]
    )
    rank = np.array(
        [
            {"municipality": 1.4, "provincial_capital": 0.6, "sub_provincial": 0.6}.get(
                city.tier, 0.0
            )
            for city in cities
        ]
    )
    people = np.exp(rng.normal(np.log(3.6e6), 0.5, n) + 0.8 * rank)
    shock = persistent(rng, (n, t), 0.02)
    drift = rng.normal(0.0, 0.006, n)[:, None] * np.arange(t)[None, :]
    growth = np.concatenate([[0.0], np.cumsum(np.log1p(np.array(REAL_GROWTH) / 100))])
    gdp_2000 = people * np.exp(rng.normal(np.log(7200.0), 0.3, n) + rich + 0.35 * rank)
    size = (np.log(gdp_2000) - np.log(gdp_2000).mean()) / np.log(gdp_2000).std()
    catch_up = -CATCH_UP * size[:, None] * np.clip(np.arange(t) - TURN, 0, None)[None, :]
    real = np.exp(growth[None, :] + drift + catch_up + shock - shock[:, :1])
    prices = np.concatenate([[0.0], np.cumsum(np.log1p(np.array(PRICE_GROWTH) / 100))])
    wobble = np.cumsum(rng.normal(0.0, 0.006, (n, t)), axis=1)
    deflator = np.exp(prices[None, :] + wobble - wobble[:, :1])
    ln_gdp = np.log(gdp_2000)[:, None] + np.log(real) + np.log(deflator)
    coast = np.array([{"east": 1.0, "northeast": 0.1}.get(city.region, -0.3) for city in cities])
    world = np.log(
        np.array(
            [
                249,
                266,
                326,
                438,
                593,
                762,
                969,
                1220,
                1431,
                1202,
                1578,
                1898,
                2049,
                2209,
                2342,
                2274,
                2098,
                2263,
                2487,
                2499,
                2591,
                3364.0,
            ]
        )
    )
    ln_trade = (
        0.9 * (np.log(gdp_2000) - np.log(gdp_2000).mean())[:, None]
        + (world - world[0])[None, :]
        + 0.9 * (np.log(real) - np.log(real).mean(axis=0))
        + (coast + rng.normal(0.0, 0.6, n))[:, None]
        + persistent(rng, (n, t), 0.08)
    )
    economy = Economy(cities, zone_years(cities), real, deflator, ln_trade)
    _fill(economy, np.exp(ln_gdp), people, rank, rng)
    return economy


def _noisy(
    rng: np.random.Generator, shape: tuple[int, int], between: float, within: float
) -> Array:
    return np.asarray(
        np.exp(rng.normal(0.0, between, (shape[0], 1)) + persistent(rng, shape, within))
    )


def _fill(
    economy: Economy, gdp: Array, people: Array, rank: Array, rng: np.random.Generator
) -> None:
    """Every indicator of the yearbooks, from output, people and rank."""
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    urban = 1 / (
        1 + np.exp(-(rng.normal(-0.75, 0.35, (shape[0], 1)) + 0.5 * rank[:, None] + 0.055 * time))
    )
    x = economy.indicators
    x["gdp_cny"] = gdp
    x["population_registered_n"] = people[:, None] * np.exp(
        0.005 * time + 0.1 * rank[:, None] * time / 21
    )
    x["urbanisation_share"] = urban
    _fill_output(economy, rank, rng)
    _fill_money(x, rank, rng)
    _fill_people(x, rank, rng)
    slow = np.exp(-SLOWDOWN * np.clip(time - TURN, 0, None))
    for name in (
        *ZONE_EFFECTS,
        "education_expenditure_cny",
        "fiscal_expenditure_cny",
        "fiscal_revenue_cny",
    ):
        x[name] = x[name] * slow
    for name, effect in ZONE_EFFECTS.items():
        x[name] = x[name] * np.exp(effect * economy.has_zone)
    _fill_districts(economy, urban, rng)


def _fill_output(economy: Economy, rank: Array, rng: np.random.Generator) -> None:
    """Sectors, growth, land, and trade with abroad."""
    x, gdp = economy.indicators, economy.indicators["gdp_cny"]
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    primary = np.clip(
        0.22 - 0.08 * rank[:, None] - 0.004 * time + rng.normal(0, 0.04, (shape[0], 1)), 0.004, 0.5
    )
    tertiary = np.clip(
        0.34
        + 0.06 * rank[:, None]
        + 0.006 * time
        + rng.normal(0, 0.04, (shape[0], 1))
        + persistent(rng, shape, 0.008),
        0.2,
        0.85,
    )
    x["gdp_primary_cny"], x["gdp_tertiary_cny"] = (
        gdp * primary,
        gdp * np.minimum(tertiary, 0.97 - primary),
    )
    x["gdp_secondary_cny"] = gdp - x["gdp_primary_cny"] - x["gdp_tertiary_cny"]
    x["gdp_index_pct"] = 100 * np.concatenate(
        [np.full((shape[0], 1), 1.08), economy.real_index[:, 1:] / economy.real_index[:, :-1]],
        axis=1,
    )
    x["area_km2"] = np.repeat(
        np.exp(rng.normal(np.log(12000), 0.6, (shape[0], 1))), shape[1], axis=1
    )
    x["fdi_usd"] = (
        gdp
        / np.array(CNY_PER_USD)[None, :]
        * np.minimum(0.08, 0.018 * _noisy(rng, shape, 0.7, 0.15))
    )
    trade = np.minimum(
        0.9,
        0.06
        * np.exp(
            economy.ln_trade
            - economy.ln_trade.mean(axis=0)
            - np.log(gdp)
            + np.log(gdp).mean(axis=0)
        ),
    )
    x["exports_cny"] = gdp * trade * _noisy(rng, shape, 0.2, 0.06)
    x["imports_cny"] = x["exports_cny"] * 0.7 * _noisy(rng, shape, 0.5, 0.1)


def _fill_money(x: dict[str, Array], rank: Array, rng: np.random.Generator) -> None:
    """Banks, households, shops, investment and the public purse."""
    gdp = x["gdp_cny"]
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    pc_2000 = (gdp / x["population_registered_n"])[:, :1] / 7200
    x["deposits_cny"] = (
        gdp * (1.0 + 0.5 * rank[:, None] + 0.02 * time) * _noisy(rng, shape, 0.15, 0.03)
    )
    x["loans_cny"] = (
        x["deposits_cny"] * np.clip(0.62 + 0.005 * time, 0.4, 0.9) * _noisy(rng, shape, 0.12, 0.03)
    )
    x["household_savings_cny"] = gdp * 0.62 * _noisy(rng, shape, 0.12, 0.02)
    x["urban_disposable_income_cny"] = (
        6300
        * np.exp(0.1 * time - 0.0007 * time**2)
        * pc_2000**0.25
        * _noisy(rng, shape, 0.05, 0.01)
    )
    x["retail_sales_cny"] = gdp * 0.36 * _noisy(rng, shape, 0.1, 0.02)
    x["fixed_investment_cny"] = (
        gdp * np.clip(0.32 + 0.022 * time, 0, 0.75) * _noisy(rng, shape, 0.15, 0.05)
    )
    x["fiscal_revenue_cny"] = (
        gdp * (0.05 + 0.0018 * time) * np.exp(0.2 * rank[:, None]) * _noisy(rng, shape, 0.2, 0.03)
    )
    x["fiscal_expenditure_cny"] = np.maximum(
        x["fiscal_revenue_cny"] * 1.02, gdp * (0.09 + 0.004 * time) * _noisy(rng, shape, 0.2, 0.03)
    )
    x["science_expenditure_cny"] = x["fiscal_expenditure_cny"] * np.minimum(
        0.09, 0.013 * np.exp(0.4 * rank[:, None]) * _noisy(rng, shape, 0.5, 0.08)
    )
    x["education_expenditure_cny"] = x["fiscal_expenditure_cny"] * np.clip(
        0.18 + rng.normal(0, 0.02, (shape[0], 1)), 0.1, 0.3
    )
    x["telecom_revenue_cny"] = gdp * 0.021 * _noisy(rng, shape, 0.2, 0.05)


def _fill_people(x: dict[str, Array], rank: Array, rng: np.random.Generator) -> None:
    """Residents, work, health, learning, networks and surroundings."""
    population = x["population_registered_n"]
    shape, time = population.shape, np.arange(population.shape[1])[None, :]
    pc = x["gdp_cny"] / population / 7200
    x["population_resident_n"] = population * np.clip(
        0.9 + 0.15 * rank[:, None] + 0.02 * np.log(pc), 0.7, 1.8
    )
    x["population_nonagricultural_n"] = population * x["urbanisation_share"] * 0.75
    x["employees_n"] = (
        population
        * 0.11
        * np.exp(0.25 * rank[:, None] + 0.01 * time)
        * _noisy(rng, shape, 0.15, 0.03)
    )
    x["tertiary_employees_n"] = x["employees_n"] * np.clip(
        0.46 + 0.004 * time + rng.normal(0, 0.06, (shape[0], 1)), 0.2, 0.85
    )
    x["it_employees_n"] = (
        x["employees_n"]
        * 0.012
        * np.exp(0.4 * rank[:, None] + 0.02 * time)
        * _noisy(rng, shape, 0.3, 0.06)
    )
    x["registered_unemployed_n"] = population * 0.0085 * _noisy(rng, shape, 0.25, 0.06)
    x["hospital_beds_n"] = (
        population * 0.0028 * np.exp(0.032 * time) * _noisy(rng, shape, 0.15, 0.02)
    )
    x["industrial_dust_t"] = 52000 * np.exp(-0.06 * time) * _noisy(rng, shape, 0.6, 0.15)
    inventive = np.exp(0.17 * time - 0.003 * time**2 + 0.45 * rank[:, None]) * pc[:, :1] ** 0.5
    x["patents_granted_n"] = population * 4e-5 * inventive * _noisy(rng, shape, 0.5, 0.08)
    x["university_students_n"] = (
        population
        * 0.006
        * np.exp(1.1 * rank[:, None] + np.log1p(time) * 0.35)
        * _noisy(rng, shape, 0.4, 0.04)
    )
    x["mobile_users_n"] = (
        population * np.clip(0.1 + 0.05 * time, 0, 1.2) * _noisy(rng, shape, 0.15, 0.03)
    )
    x["broadband_users_n"] = (
        population * 0.33 / (1 + np.exp(-(time - 12) / 3.5)) * _noisy(rng, shape, 0.2, 0.04)
    )
    x["internet_users_n"] = (
        population * 0.30 / (1 + np.exp(-(time - 11) / 3.5)) * _noisy(rng, shape, 0.25, 0.05)
    )
    x["road_area_per_head_m2"] = (6.5 + 0.42 * time) * _noisy(rng, shape, 0.25, 0.03)


def _fill_districts(economy: Economy, urban: Array, rng: np.random.Generator) -> None:
    """The same indicators for the municipal districts alone: a share of the city that rises with
    urbanisation.
    """
    shape = urban.shape
    share = np.clip(urban * 0.75 * _noisy(rng, shape, 0.15, 0.01), 0.08, 0.97)
    for name, values in economy.indicators.items():
        if name in (
            "gdp_index_pct",
            "urban_disposable_income_cny",
            "urbanisation_share",
            "road_area_per_head_m2",
        ):
            continue
        weight = share * 0.35 if name == "area_km2" else share**0.7
        economy.district[name] = (
            values * np.repeat(weight[:, -1:], shape[1], axis=1)
            if name == "area_km2"
            else values * weight
        )
