"""What a cross-border e-commerce zone does to a city, set on the variables as the panel of
ecommerce_resilience measures them.

In the panel's cities and years, with D = 1 from the year of approval,

    Dig_it = city + year + DIGITAL D_it + e1_it        first component, scaled to 0-1
    Inn_it = city + year + INNOVATION D_it + e2_it     ln of the index (`innovation`)
    Lab_it = city + year + EMPLOYMENT D_it + e3_it     tertiary share of employees
    R_it = city + year + (T(g, s) - sum a b) D_it + controls gamma + sum b_m M_it + e_it

T(g, s) is the whole effect in cohort g (its year of approval), s years after it; a are the three
effects on mediators and b theirs on resilience, so that a b of it goes by way of each. The errors
are first-order autoregressive and know nothing of zones: trends are parallel given the controls.
Zones move no control; science spending in particular is what it would be without them.

All indicators are drawn first, and give each city and year its level. Then household savings,
retail sales, investment, beds, patents and incomes of a city-year are moved together until the
index, with its bounds and entropy weights, which move too, has the rest of the last line; mobile
telephones are moved until Dig has its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.gaps import incomplete_cities
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.measured import (
    at_years,
    digital_indicators,
    ecommerce_controls,
    entropy_scale,
    first_component,
    resilience_indicators,
    within,
)
from warehouse.simulate.model.shocks import Array

PERIOD = at_years(2012, 2021)
DIGITAL, INNOVATION, EMPLOYMENT = 0.012, 0.13, 0.025
ON_RESILIENCE = {"digital": 0.20, "innovation": 0.012, "employment": 0.05}
FIRST_EFFECT, LATER_EFFECT, GROWS_UNTIL = 0.011, 0.003, 3
COHORTS = {2015: 1.2, 2016: 1.15, 2018: 1.0, 2019: 0.95, 2020: 0.9}
CONTROLS = {
    "agglomeration": 0.064,
    "openness_share": -0.004,
    "fdi_share": -0.230,
    "science_share": 0.264,
    "ln_fdi": 0.002,
}
DEVIATIONS = {"digital": 0.006, "employment": 0.012, "resilience": 0.0035}
PERSISTENCE = 0.5
LARGE_CITY, LARGE_SHARE, MOST_NONAGRICULTURAL = 1e6, 93 / 248, 0.98
MOVED = {
    "household_savings_cny": 1.0,
    "retail_sales_cny": 1.0,
    "fixed_investment_cny": 1.0,
    "hospital_beds_n": 1.0,
    "patents_granted_n": 1.0,
    "urban_disposable_income_cny": 0.5,
}
ROUNDS = 40
FEWEST = 20  # cities; below, an index over them says nothing


def ecommerce_sample(economy: Economy) -> NDArray[np.bool_]:
    """(n,) the cities of ecommerce_resilience: those whose savings and dust are printed."""
    blank = incomplete_cities()["savings_and_dust"]
    return np.array([city.city_code not in blank for city in economy.cities])


def size_districts(economy: Economy, sample: NDArray[np.bool_]) -> None:
    """Bring the people of districts down until the paper's share of its cities is large (93 of 248
    have a million residents in their districts), as far as the non-agricultural people who live
    there up to the panel's first year allow; later ones are held to the registered.
    """
    district = economy.district
    registered = district["population_registered_n"]
    least = district["population_nonagricultural_n"] / MOST_NONAGRICULTURAL / registered
    least[:, PERIOD] = least[:, [PERIOD.start - 1]]
    wanted = round(LARGE_SHARE * sample.sum())
    low, high = 0.05, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        residents = district["population_resident_n"] * np.maximum(middle, least)
        residents = residents[sample, PERIOD].mean(axis=1)
        low, high = (low, middle) if (residents >= LARGE_CITY).sum() > wanted else (middle, high)
    ratio = np.maximum(low, least)
    for name in ("population_registered_n", "population_resident_n"):
        district[name] = district[name] * ratio
    district["population_nonagricultural_n"] = np.minimum(
        district["population_nonagricultural_n"],
        MOST_NONAGRICULTURAL * district["population_registered_n"],
    )


def tertiary_share(economy: Economy, sample: NDArray[np.bool_]) -> Array:
    """Lab of the sample, (n of the sample, years of the panel)."""
    part = economy.at(sample, PERIOD)
    return np.asarray(part["tertiary_employees_n"] / part["employees_n"])


def effects(zone_year: NDArray[np.int64], null: bool = False) -> Array:
    """(n, years of the panel) T(g, s) of each city-year; 0 before approval and without a zone."""
    years = np.array(YEARS)[PERIOD]
    since = years[None, :] - zone_year[:, None]
    cohort = np.array([COHORTS.get(int(year), 0.0) for year in zone_year])[:, None]
    size = FIRST_EFFECT + LATER_EFFECT * np.clip(since, 0, GROWS_UNTIL)
    return np.asarray(np.where(since >= 0, 0.0 if null else size * cohort, 0.0))


def in_force(zone_year: NDArray[np.int64]) -> Array:
    """(n, years of the panel) 1 where a zone is approved."""
    return (np.array(YEARS)[PERIOD][None, :] >= zone_year[:, None]).astype(float)


def autoregressive(rng: np.random.Generator, shape: tuple[int, int], deviation: float) -> Array:
    """First-order autoregressive errors with this standard deviation."""
    errors = rng.normal(0.0, deviation, shape)
    for t in range(1, shape[1]):
        errors[:, t] = PERSISTENCE * errors[:, t - 1] + np.sqrt(1 - PERSISTENCE**2) * errors[:, t]
    return errors


def settle(
    economy: Economy,
    finance: Array,
    innovation: Array,
    rng: np.random.Generator,
    null: bool = False,
) -> tuple[Array, Array]:
    """Set all equations of this module; returns the digital and the resilience index, each (n of
    the sample, years of the panel).

    Parameters
    ----------
    finance : (n or more, years of the panel); innovation : (n, all years)
    null : zones do nothing, and mediators neither
    """
    sample = ecommerce_sample(economy)
    set_employment(economy, rng, null)
    if sample.sum() < FEWEST:
        return np.empty((0, PERIOD.stop - PERIOD.start)), np.empty((0, PERIOD.stop - PERIOD.start))
    size_districts(economy, sample)
    digital = set_digital(economy, finance[: len(sample)], sample, rng, null)
    mediators = {
        "digital": digital,
        "innovation": np.log(np.maximum(innovation, 1e-4))[sample, PERIOD],
        "employment": tertiary_share(economy, sample),
    }
    return digital, set_resilience(economy, mediators, sample, rng, null)


def set_employment(economy: Economy, rng: np.random.Generator, null: bool = False) -> None:
    """Give tertiary employment its course: a level of the city's, the years', and the zone's."""
    x = economy.indicators
    share = x["tertiary_employees_n"] / x["employees_n"]
    smooth = share - within(share)
    centre = smooth.mean(axis=0, keepdims=True)
    smooth = centre + 0.4 * (smooth - centre)
    errors = autoregressive(rng, share.shape, DEVIATIONS["employment"])
    effect = 0.0 if null else EMPLOYMENT
    economy.replace(
        "tertiary_employees_n",
        x["employees_n"] * np.clip(smooth + errors + effect * economy.has_zone, 0.2, 0.85),
    )


def set_digital(
    economy: Economy,
    finance: Array,
    sample: NDArray[np.bool_],
    rng: np.random.Generator,
    null: bool = False,
) -> Array:
    """Move mobile telephones until the digital index of the sample is the equation's; returns it,
    (n of the sample, years of the panel), scaled to 0-1.
    """
    part = economy.at(sample, PERIOD)
    zone = in_force(economy.zone_year[sample])
    errors = autoregressive(rng, zone.shape, DEVIATIONS["digital"])
    people = part["population_registered_n"]
    wanted = within((0.0 if null else DIGITAL) * zone + errors)
    for _ in range(ROUNDS):
        score, loading = first_component(digital_indicators(part, finance[sample]))
        low, spread = score.min(), score.max() - score.min()
        found = (score - low) / spread
        gap = (wanted - within(found)) * spread / loading[1] / 100
        part["mobile_users_n"] = np.maximum(part["mobile_users_n"] + gap * people, 0.02 * people)
    economy.set_at("mobile_users_n", sample, PERIOD, part["mobile_users_n"])
    return found


def set_resilience(
    economy: Economy,
    mediators: dict[str, Array],
    sample: NDArray[np.bool_],
    rng: np.random.Generator,
    null: bool = False,
) -> Array:
    """Move the indicators of MOVED until the index is the equation's; returns it (n of the sample,
    years of the panel).
    """
    part = economy.at(sample, PERIOD)
    before = {name: part[name] for name in MOVED}
    wanted = _wanted(part, mediators, economy.zone_year[sample], rng, null)
    factor = np.zeros_like(wanted)
    for _ in range(ROUNDS):
        indicators = resilience_indicators(part)
        scale = entropy_scale(indicators)
        found = scale.index(indicators)
        slope = sum(
            scale.weight[name] * power * part[name] / (scale.high[name] - scale.low[name])
            for name, power in MOVED.items()
        )
        factor = factor + np.clip((wanted - within(found)) / slope, -0.3, 0.3)
        factor = np.clip(factor, -2.0, 2.0)
        for name, power in MOVED.items():
            part[name] = before[name] * np.exp(power * factor)
    for name in MOVED:
        economy.set_at(name, sample, PERIOD, part[name])
    indicators = resilience_indicators(part)
    return entropy_scale(indicators).index(indicators)


def _wanted(
    part: dict[str, Array],
    mediators: dict[str, Array],
    zone_year: NDArray[np.int64],
    rng: np.random.Generator,
    null: bool,
) -> Array:
    """The right-hand side of the last equation without the means of cities and years."""
    controls = ecommerce_controls(part)
    pull = sum(CONTROLS[name] * within(values) for name, values in controls.items())
    by_way = {"digital": DIGITAL, "innovation": INNOVATION, "employment": EMPLOYMENT}
    zone, total = in_force(zone_year), effects(zone_year, null)
    direct = total
    for name, values in mediators.items():
        through = 0.0 if null else ON_RESILIENCE[name]
        pull = pull + through * within(values)
        direct = direct - (0.0 if null else through * by_way[name]) * zone
    errors = autoregressive(rng, zone.shape, DEVIATIONS["resilience"])
    return within(np.asarray(pull + direct + errors))
