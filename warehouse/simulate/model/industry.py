"""Simulated industrial enterprises, written as the surveys of 2000-2013 were, and what is true of
them.

A firm of industry j in city c makes value added of exp(a_j + b_lj l + b_kj k + w + e): l its
workers, k its net fixed assets, w productivity that only the firm sees, e noise that nobody
foresees. Productivity is a first-order autoregressive process with shocks of the firm's own and
others common to its city; its start is higher in larger cities. Materials and investment rise with
w given k and depend on nothing else, so that either tells productivity (Olley and Pakes 1996,
Levinsohn and Petrin 2003). Workers answer to w and to a wage of the firm's own, which moves l apart
from k and materials and gives its lag something to say (Ackerberg, Caves and Frazer 2015).
Investment of a year works in the next.

Money is at the prices of the city and year, so that the city's GDP deflator gives back the
quantities. From 2008 on neither value added nor materials are printed, and in 2004 value added is
not, as in the surveys themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.shocks import Array

Ints = NDArray[np.int64]
SURVEY_YEARS = range(2000, 2014)
FIRMS_PER_CITY = {"floor": 16, "mean": 36}
# Two-digit industry of GB/T 4754-2002 -> elasticities of labour and capital, and level.
INDUSTRIES: dict[str, tuple[float, float, float]] = {
    "13": (0.42, 0.36, 7.6),
    "17": (0.58, 0.27, 8.3),
    "26": (0.40, 0.42, 6.7),
    "31": (0.50, 0.33, 7.7),
    "34": (0.55, 0.30, 8.0),
    "37": (0.48, 0.38, 7.1),
    "39": (0.54, 0.32, 7.7),
    "40": (0.60, 0.29, 7.9),
}
DEPRECIATION, TAX_SHARE = 0.09, 0.06
LAST_WITH_VALUE_ADDED = 2007  # the last survey from which value added can be known
PARAMETERS: dict[str, float] = {
    "depreciation": DEPRECIATION,
    "productivity_drift": 0.03,
    "productivity_persistence": 0.8,
    "innovation_deviation": 0.16,
    "city_shock_deviation": 0.07,
    "start_deviation": 0.27,
    "agglomeration_elasticity": 0.10,
    "city_start_deviation": 0.12,
    "output_noise": 0.15,
    "wage_persistence": 0.3,
    "wage_deviation": 0.5,
}


@dataclass(frozen=True)
class Industry:
    """Firm-by-year arrays, years as in SURVEY_YEARS; what a firm was before its entry or after its
    exit has no meaning.

    real quantities are CNY of 2000; `present` says in which years the firm is in the survey.
    """

    city: Ints
    industry: list[str]
    opening: Ints
    present: NDArray[np.bool_]
    productivity: Array
    workers: Array
    capital: Array
    value_added: Array
    materials: Array
    wage: Array
    export_share: Array
    is_district: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return len(self.industry)


def build_industry(economy: Economy, rng: np.random.Generator) -> Industry:
    """Draw the industrial firms of a world and let them live."""
    cities_n, years_n = len(economy.cities), len(SURVEY_YEARS)
    people = np.log(economy.district["population_nonagricultural_n"][:, 0])
    size = people - people.mean()
    per_city = FIRMS_PER_CITY["floor"] + rng.poisson(
        (FIRMS_PER_CITY["mean"] - FIRMS_PER_CITY["floor"]) * np.exp(0.4 * size)
    )
    city = np.repeat(np.arange(cities_n), per_city)
    firms_n = len(city)
    kind = rng.integers(0, len(INDUSTRIES), firms_n)
    entry = np.where(rng.random(firms_n) < 0.45, 0, rng.integers(0, years_n - 2, firms_n))
    leave = np.minimum(years_n - 1, entry + 2 + rng.geometric(0.07, firms_n))
    t = np.arange(years_n)[None, :]
    start = PARAMETERS["agglomeration_elasticity"] * size + rng.normal(
        0.0, PARAMETERS["city_start_deviation"], cities_n
    )
    productivity = _productivity(start[city], city, years_n, rng)
    wage = _wages(firms_n, years_n, rng)
    capital = _capital(productivity, rng)
    workers, ln_value = _work(kind, productivity, wage, capital, rng)
    opening = np.where(
        entry == 0, SURVEY_YEARS[0] - rng.integers(0, 25, firms_n), SURVEY_YEARS[0] + entry
    )
    alive = (t >= entry[:, None]) & (t <= leave[:, None])
    return Industry(
        city=city,
        industry=[list(INDUSTRIES)[k] for k in kind],
        opening=opening,
        present=alive & (rng.random((firms_n, years_n)) > 0.01),
        productivity=productivity,
        workers=workers,
        capital=capital,
        value_added=np.exp(ln_value + rng.normal(0.0, PARAMETERS["output_noise"], alive.shape)),
        materials=np.exp(5.2 + 0.7 * np.log(capital) + 1.3 * productivity),
        wage=np.exp(9.2 + 0.09 * t + wage),
        export_share=np.where(rng.random((firms_n, 1)) < 0.3, rng.random((firms_n, 1)), 0.0)
        * np.ones((1, years_n)),
        is_district=rng.random(firms_n) < 0.6,
    )


def _work(
    kind: Ints, productivity: Array, wage: Array, capital: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Workers, and the log of the value that they add."""
    ln_workers = (
        5.0
        + 0.55 * (np.log(capital) - 16.8)
        + 0.6 * productivity
        - 0.8 * wage
        + rng.normal(0.0, 0.05, capital.shape)
    )
    workers = np.maximum(np.round(np.exp(ln_workers)), 9.0)
    elasticities = np.array(list(INDUSTRIES.values()))[kind]
    labour, share, level = (elasticities[:, [i]] for i in range(3))
    return workers, level + labour * np.log(workers) + share * np.log(capital) + productivity


def _productivity(start: Array, city: Ints, years_n: int, rng: np.random.Generator) -> Array:
    """First-order autoregressive with drift; its innovations have a part of the firm's own and one
    that the city's firms share.
    """
    firms_n, rho = len(start), PARAMETERS["productivity_persistence"]
    common = rng.normal(0.0, PARAMETERS["city_shock_deviation"], (int(city.max()) + 1, years_n))
    productivity = (
        PARAMETERS["productivity_drift"]
        + rng.normal(0.0, PARAMETERS["innovation_deviation"], (firms_n, years_n))
        + common[city]
    )
    productivity[:, 0] = start + rng.normal(0.0, PARAMETERS["start_deviation"], firms_n)
    for t in range(1, years_n):
        productivity[:, t] += rho * productivity[:, t - 1]
    return np.asarray(productivity)


def _wages(firms_n: int, years_n: int, rng: np.random.Generator) -> Array:
    """The log of each firm's wage against the common one: first-order autoregressive, from its
    stationary law.
    """
    rho, deviation = PARAMETERS["wage_persistence"], PARAMETERS["wage_deviation"]
    wage = rng.normal(0.0, deviation, (firms_n, years_n))
    for t in range(1, years_n):
        wage[:, t] = rho * wage[:, t - 1] + np.sqrt(1 - rho**2) * wage[:, t]
    return wage


def _capital(productivity: Array, rng: np.random.Generator) -> Array:
    """Net fixed assets at work in each year; what is invested in a year, a function of w and k,
    works from the next on.
    """
    capital = np.empty_like(productivity)
    capital[:, 0] = np.exp(rng.normal(16.8, 1.3, len(productivity)))
    for t in range(1, productivity.shape[1]):
        before = np.log(capital[:, t - 1])
        invested = np.exp(before - 2.2 + 0.8 * productivity[:, t - 1] - 0.15 * (before - 16.8))
        capital[:, t] = (1 - DEPRECIATION) * capital[:, t - 1] + invested
    return capital


def industry_truth(economy: Economy, industry: Industry) -> dict[str, object]:
    """Elasticities and, by city and year, the firms and their mean log productivity: w alone, and
    with the industry's level.
    """
    level = np.array([INDUSTRIES[name][2] for name in industry.industry])
    rows = []
    for index, place in enumerate(economy.cities):
        mine = industry.city == index
        for t, year in enumerate(SURVEY_YEARS):
            there = mine & industry.present[:, t]
            if there.any():
                w = industry.productivity[there, t]
                rows.append(
                    {
                        "city_code": place.city_code,
                        "year": year,
                        "firms_n": int(there.sum()),
                        "mean_productivity": round(float(w.mean()), 9),
                        "mean_ln_tfp": round(float((w + level[there]).mean()), 9),
                    }
                )
    return {"parameters": PARAMETERS, "elasticities_and_level": INDUSTRIES, "city_year": rows}


def surveyed_productivity(economy: Economy, industry: Industry) -> Array:
    """Mean over each city's firms of the log of productivity as the surveys show it, (cities,
    years of the survey): ln value added less the elasticities times ln workers and ln capital.
    Where value added cannot be known (from 2008 on) it is output times the industry's share of
    value added in output in 2007, as the panel has it; NaN where a city has no firm.
    """
    price = deflators(economy)[industry.city]
    gross = industry.value_added * (1 - TAX_SHARE) + industry.materials
    names = np.array(industry.industry)
    last = SURVEY_YEARS.index(LAST_WITH_VALUE_ADDED)
    there, money = industry.present[:, last], price[:, last]
    value = industry.value_added.copy()
    unseen = np.arange(len(SURVEY_YEARS)) > last
    for name in INDUSTRIES:
        own = names == name
        counted = own & there
        share = (industry.value_added[counted, last] * money[counted]).sum() / (
            gross[counted, last] * money[counted]
        ).sum()
        value[np.ix_(own, unseen)] = share * gross[np.ix_(own, unseen)]
    labour, capital = (np.array([INDUSTRIES[name][i] for name in names])[:, None] for i in (0, 1))
    found = np.log(value) - labour * np.log(industry.workers) - capital * np.log(industry.capital)
    shape = (len(economy.cities), len(SURVEY_YEARS))
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, industry.city, np.where(industry.present, found, 0.0))
    np.add.at(count, industry.city, industry.present)
    return np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)


def deflators(economy: Economy) -> Array:
    """City-by-survey-year price levels of the firms' money, as the GDP panel prints them."""
    at = [YEARS.index(year) for year in SURVEY_YEARS]
    return np.round(economy.deflator[:, at], 7)
