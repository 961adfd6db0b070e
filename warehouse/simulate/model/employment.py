"""Employees by city, year and industry, drawn so that the spatial systems of
agglomeration_resilience hold in what the panel measures.

Over the cities that print all 19 industries, with W their borders, the cross-section 2009-2020 has

    ER  = a + l W ER + b PSS + t W PSS + X beta + u1
    PSS = c + p W PSS + q W ER + r ER + Z delta + u2
    PSD = d + p W PSD - k q W ER - k r ER - k Z delta + u3,      u_g = s W u_g + e_g

ER with the common national rate, PSS and PSD as means of the years; X and Z share no column, so
that each equation has instruments of its own. With t = -b p the second system of the paper holds
too, in the same world: PSS - (d' - PSD) / k is (I - p W)^-1 (u2 + u3 / k), so that

    ER  = a' + l W ER - (b / k) PSD - (t / k) W PSD + X beta + u1 + b (u2 + u3 / k)

with an error that X and Z say nothing of and that is correlated in space as the others are. The
paper's own coefficients (9.304 for ER on PSS, 0.439 back, 1.351 for W PSS) have no equilibrium, as
9.304 x 0.439 > 1: signs are the paper's, sizes are not.

The systems are solved for the outcomes; then employment is made to have them: a city's growth is
moved until ER is met, one industry of it is raised and the others are made more or less equal
until PSS and PSD are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.gaps import incomplete_cities
from warehouse.simulate.model.geography import City
from warehouse.simulate.model.industries import (
    INDUSTRIES,
    TERTIARY,
    TOWN_OF_ONE_INDUSTRY,
    share_out_employees,
)
from warehouse.simulate.model.measured import at_years, city_controls, contiguity
from warehouse.simulate.model.mixes import Mix, Sectors, compose, grow
from warehouse.simulate.model.shocks import Array, persistent

PERIOD = at_years(2009, 2020)
FEWEST = 30  # cities; below, there is no map to speak of and no system
LAGS = {"w_resilience": 0.30, "w_specialisation": 0.45, "w_resilience_on_mix": -0.045}
SPECIALISATION, RESILIENCE = 0.55, 0.09
SCALE = 0.12  # k: what a unit of specialisation is worth in diversity
ERROR_LAG = 0.2
RESILIENCE_CONTROLS = {
    "fiscal_expenditure_share": 18.0,
    "ln_gdp_per_head": 1.5,
    "fdi_share": 38.0,
    "ln_invention_applications_per_10000": 1.1,
    "fixed_investment_share": -6.0,
}
SPECIALISATION_CONTROLS = {
    "ln_students_per_10000": 0.45,
    "ln_road_area_per_head": -0.9,
    "ln_population_density": -0.26,
    "ln_retail_sales": 0.2,
    "has_railway_1933": 0.7,
    "population_density_1984": 0.0003,
}
MEANS = {"specialisation": 3.4, "diversity": 2.21}
DEVIATIONS = {"resilience": 0.65, "specialisation": 0.34, "diversity": 0.045}
SKEW = 0.8  # deviation of the log of what a skewed error is made of
YEARLY_RESILIENCE, LEAST_GROWTH = 2.4, 0.015
KNOWN_FOR_YEARLY = 0.15
LEAST_SPECIALISATION = 1.9  # of cities outside the sample
# What keeps its share of employees when their number is settled.
SIZED = ("employees_n", "tertiary_employees_n", "it_employees_n", "registered_unemployed_n")


@dataclass(frozen=True)
class Targets:
    """What the systems say of each city of the sample: resilience up to a constant."""

    resilience: Array
    specialisation: Array
    diversity: Array


def solve(
    controls: Mapping[str, Array], weights: Array, rng: np.random.Generator, null: bool = False
) -> Targets:
    """The reduced form of the systems above.

    Parameters
    ----------
    controls : (n,) each, by name
    weights : (n, n); a city without neighbours is given the mean of the others for its lags
    null : neither resilience nor the mix of industries acts on the other, there or next door
    """
    n = len(weights)
    weights = np.where(weights.sum(axis=1, keepdims=True) > 0, weights, 1.0 / n)
    b, r = (0.0, 0.0) if null else (SPECIALISATION, RESILIENCE)
    p, q = LAGS["w_specialisation"], 0.0 if null else LAGS["w_resilience_on_mix"]
    eye = np.eye(n)
    errors = np.linalg.solve(eye - ERROR_LAG * weights, _errors(n, rng))
    x, z = (
        sum(value * (controls[name] - controls[name].mean()) for name, value in of.items())
        for of in (RESILIENCE_CONTROLS, SPECIALISATION_CONTROLS)
    )
    on_resilience = b * (eye - p * weights)
    on_mix = r * eye + q * weights
    left = np.block(
        [[eye - LAGS["w_resilience"] * weights, -on_resilience], [-on_mix, eye - p * weights]]
    )
    right = np.concatenate([x + errors[:, 0], z + errors[:, 1]])
    both = np.linalg.solve(left, right)
    mix = on_mix @ both[:n] + z
    diversity = np.linalg.solve(eye - p * weights, -SCALE * mix + errors[:, 2])
    return Targets(
        both[:n],
        MEANS["specialisation"] + both[n:],
        MEANS["diversity"] + diversity,
    )


def _errors(n: int, rng: np.random.Generator) -> Array:
    """(n, 3) errors of the three equations. Those of the mixes are skewed, as a few cities live off
    one industry: up for specialisation, down for diversity.
    """
    own = rng.normal(size=(n, 3))
    spread = np.exp(SKEW**2)
    skewed = (np.exp(SKEW * own) - np.sqrt(spread)) / np.sqrt((spread - 1) * spread)
    resilience = np.sqrt(0.96) * own[:, 0] + 0.2 * own[:, 1]
    diversity = -0.5 * skewed[:, 1] - np.sqrt(0.75) * skewed[:, 2]
    return np.column_stack([resilience, skewed[:, 1], diversity]) * np.array(
        list(DEVIATIONS.values())
    )


def settle_employment(
    economy: Economy,
    history: Mapping[str, Array],
    natural: Array,
    rng: np.random.Generator,
    null: bool = False,
) -> dict[str, object]:
    """Give the cities employees and industries that have what the systems say; returns what cities
    miss of it.

    Parameters
    ----------
    history : has_railway_1933 and population_density_1984, (n,) for the first n cities
    natural : (n, years, industries) the nation's course and what cities are known for, as drawn
    """
    blank = incomplete_cities()["industries"]
    sample = np.array([city.city_code not in blank for city in economy.cities])
    if sample.sum() < FEWEST:
        share_out_employees(economy, natural)
        return {}
    targets = _targets(economy, history, sample, rng, null)
    shape = (len(sample), PERIOD.stop - PERIOD.start - 1)
    yearly = rng.normal(0.0, YEARLY_RESILIENCE, shape)
    _settle_numbers(economy, targets.resilience, yearly, sample)
    mix = _settle_mixes(economy, targets, natural, sample, rng)
    # A few cities cannot have the mix of the systems: resilience answers to what they have.
    answered = targets.resilience + _answer(economy, mix.missed_specialisation, sample, null)
    constant = _settle_numbers(economy, answered, yearly, sample)
    share_out_employees(economy, mix.share)
    missed = np.abs(np.stack([mix.missed_specialisation, mix.missed_diversity]))[:, sample]
    return {
        "resilience_constant": round(constant, 9),
        "cities_n": int(sample.sum()),
        "cities_off_target_n": int((missed.max(axis=0) > 0.01).sum()),
    }


def _targets(
    economy: Economy,
    history: Mapping[str, Array],
    sample: NDArray[np.bool_],
    rng: np.random.Generator,
    null: bool,
) -> Targets:
    """Of the sample what the systems say, of other cities draws of the same size."""
    yearly = city_controls(economy.indicators)
    controls = {name: values[:, PERIOD].mean(axis=1)[sample] for name, values in yearly.items()}
    for name, values in history.items():
        controls[name] = values[sample[: len(values)]]
    solved = solve(controls, contiguity(_chosen(economy, sample)), rng, null)
    others = _errors(len(sample), rng)
    centres = (0.0, MEANS["specialisation"], MEANS["diversity"])
    columns = [centre + 2 * others[:, at] for at, centre in enumerate(centres)]
    towns = rng.random(len(sample)) < TOWN_OF_ONE_INDUSTRY
    columns[1] = np.maximum(columns[1], LEAST_SPECIALISATION) * np.where(towns, 4.5, 1.0)
    columns[2] = columns[2] - np.where(towns, 0.5, 0.0)
    for column, values in zip(
        columns, (solved.resilience, solved.specialisation, solved.diversity), strict=True
    ):
        column[sample] = values
    return Targets(*columns)


def _answer(economy: Economy, missed: Array, sample: NDArray[np.bool_], null: bool) -> Array:
    """What resilience changes by when specialisation is `missed` more than the systems say."""
    weights = contiguity(_chosen(economy, sample))
    eye, change = np.eye(len(weights)), np.zeros(len(sample))
    mix = (eye - LAGS["w_specialisation"] * weights) @ missed[sample]
    moved = (0.0 if null else SPECIALISATION) * mix
    change[sample] = np.linalg.solve(eye - LAGS["w_resilience"] * weights, moved)
    return change


def _chosen(economy: Economy, sample: NDArray[np.bool_]) -> list[City]:
    return [city for city, is_in in zip(economy.cities, sample, strict=True) if is_in]


def _settle_numbers(
    economy: Economy, resilience: Array, yearly: Array, sample: NDArray[np.bool_]
) -> float:
    """Employees from 2009 on; those of before stay. Returns the constant of resilience."""
    x = economy.indicators
    before = x["employees_n"]
    nation = before[sample].sum(axis=0)
    growth = np.maximum(nation[1:] / nation[:-1] - 1, LEAST_GROWTH)[PERIOD.start : PERIOD.stop - 1]
    total, constant = grow(before[:, PERIOD.start], resilience, growth, yearly, sample)
    after = before.copy()
    after[:, PERIOD] = total
    last = PERIOD.stop - 1
    after[:, PERIOD.stop :] = before[:, PERIOD.stop :] * (total[:, -1] / before[:, last])[:, None]
    ratio = after / before
    for name in (
        "employees_n",
        "tertiary_employees_n",
        "it_employees_n",
        "registered_unemployed_n",
    ):
        economy.replace(name, x[name] * ratio)
    return constant


def _settle_mixes(
    economy: Economy,
    targets: Targets,
    natural: Array,
    sample: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Mix:
    """Industries' shares in every year; the nation is that of the sample."""
    x = economy.indicators
    total = x["employees_n"]
    tertiary, it = x["tertiary_employees_n"] / total, x["it_employees_n"] / total
    of = [2 if name == "it_employees_n" else int(name in TERTIARY) for name in INDUSTRIES]
    sectors = Sectors(np.array(of), np.stack([1 - tertiary, tertiary - it, it], axis=-1))
    course = np.exp(np.log(natural).mean(axis=0))
    course = course / course.sum(axis=1, keepdims=True)
    shape = (len(total), total.shape[1])
    known = np.stack([persistent(rng, shape, KNOWN_FOR_YEARLY) for _ in of], axis=-1)
    known = known + np.clip(rng.normal(size=(len(total), 1, len(of))), -2.0, 0.8)
    return compose(
        (targets.specialisation, targets.diversity),
        np.where(sample[:, None], total, 0.0),
        course,
        known,
        sectors,
        PERIOD,
    )
