"""What is measured of cities beside the yearbooks, drawn before anything depends on it: the
innovation index, digital finance, and what history left.
"""

from __future__ import annotations

import numpy as np

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import OUTSIDE_PREFECTURES, YEARS
from warehouse.simulate.model.shocks import Array, persistent
from warehouse.simulate.model.zones import INNOVATION

FINANCE_YEARS = range(2011, 2022)


def innovation_index(economy: Economy, rng: np.random.Generator, null: bool = False) -> Array:
    """The index of each city and year, 2000 on, its mean over cities 100 in the last year: a city
    effect, growth that all share, a persistent shock, and a step when the city becomes a zone.
    """
    x, shape = economy.indicators, economy.indicators["gdp_cny"].shape
    per_head = np.log(x["gdp_cny"] / x["population_registered_n"])[:, :1]
    size = np.log(x["gdp_cny"])[:, :1]
    level = (
        1.1 * (size - size.mean())
        + 0.8 * (per_head - per_head.mean())
        + rng.normal(0.0, 0.5, (shape[0], 1))
    )
    logs = (
        level
        + 0.21 * np.arange(shape[1])[None, :]
        + persistent(rng, shape, 0.04)
        + (0.0 if null else INNOVATION) * economy.has_zone
    )
    values = np.exp(logs)
    return np.asarray(100.0 * values / values[:, -1].mean())


def finance_level(wealth: Array, rng: np.random.Generator) -> Array:
    """The digital finance index as printed, (places, FINANCE_YEARS): the rich stand higher, and all
    rise.
    """
    shape = (len(wealth), len(FINANCE_YEARS))
    path = np.array([52.0, 85, 125, 140, 170, 190, 215, 230, 242, 252, 265])
    level = (
        path[None, :]
        + (12 * wealth + rng.normal(0.0, 6.0, shape[0]))[:, None]
        + 100 * persistent(rng, shape, 0.02)
    )
    return np.asarray(np.round(np.maximum(level, 10.0), 2))


def digital_finance(economy: Economy, rng: np.random.Generator) -> Array:
    """The index of all cities and, behind them, of the places outside the spine that it names."""
    x, at = economy.indicators, FINANCE_YEARS[0] - YEARS[0]
    wealth = np.log(x["gdp_cny"][:, at] / x["population_registered_n"][:, at])
    outside = np.full(len(OUTSIDE_PREFECTURES) - 1, -0.4)
    return finance_level(np.concatenate([wealth - wealth.mean(), outside]), rng)


def history_of(economy: Economy, rng: np.random.Generator) -> dict[str, Array]:
    """What old tables say of each city, as compilers print it."""
    cities_n = len(economy.cities)
    people = economy.indicators["population_registered_n"][:, 0]
    density = np.round(
        people / economy.indicators["area_km2"][:, 0] * np.exp(rng.normal(-0.15, 0.2, cities_n)), 1
    )
    return {
        "population_density_1984": density,
        "post_offices_1984_n": np.round(people / 22_000 * np.exp(rng.normal(0.0, 0.3, cities_n))),
        "telephones_1984": np.round(
            people / 10_000 * 0.003 * np.exp(rng.normal(0.0, 0.5, cities_n)), 2
        ),
        "has_railway_1933": (rng.random(cities_n) < 0.35).astype(float),
        "district_land_area_km2": np.round(economy.district["area_km2"][:, -1] * 0.8, 1),
    }
