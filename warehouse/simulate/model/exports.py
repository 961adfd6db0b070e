"""How much each city's districts export, of how many products and to how many destinations: the
equation of agglomeration_exports in the simulated world, fixed before any estimate.

    y_ct = lag y_c,t-1 + b1 A_ct + b2 R_ct + b3 P_ct + b4 A_ct R_ct + b5 A_ct P_ct
           + controls_ct' g + d_t + h_c + e_ct

y is the log of export value, products (HS 2002) or destinations; A the log of the districts'
non-agricultural population, R = g(t) - g(2008) the log of resilience, P the mean log productivity
of the city's surveyed firms: A, R and P less the centres of CENTRES. h_c is a city's own effect,
d_t what brings the mean of y to the nation's course, e a shock without memory. People move to
where exports did well: A_ct holds FEEDBACK (e_ct + DECAY e_c,t-1 + DECAY^2 e_c,t-2 ...). So least
squares finds the lag too high, within-city estimates find it too low and agglomeration too high.

Regressors are drawn first and measured as the panel measures them, from the numbers that the
yearbooks and the surveys print; the outcomes follow from the equation, and customs records are
drawn so that they add up to them (`warehouse.simulate.model.trade`). What differs from the panel:
cells that a yearbook leaves blank, which the panel interpolates, and the elasticities behind
productivity, which the panel estimates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import (
    REFERENCE,
    YEARS,
    City,
    city_name_rows,
    read_reference,
)
from warehouse.simulate.model.industry import Industry, surveyed_productivity
from warehouse.simulate.model.nation import CNY_PER_USD
from warehouse.simulate.model.shocks import Array

Ints = NDArray[np.int64]
OUTCOMES = ("ln_export_value", "ln_hs6", "ln_destination")
CENTRES = {"ln_agglomeration": 13.0, "ln_growth_resilience": 0.0, "ln_productivity": 7.9}
CORE = (
    "ln_agglomeration",
    "ln_growth_resilience",
    "ln_productivity",
    "agglomeration_growth_resilience",
    "agglomeration_productivity",
)
COEFFICIENTS: dict[str, dict[str, float]] = {
    "ln_export_value": dict(zip(("lag", *CORE), (0.35, 0.45, 2.0, 0.50, 4.0, 0.40), strict=True)),
    "ln_hs6": dict(zip(("lag", *CORE), (0.30, 0.25, 1.2, 0.30, 2.5, 0.25), strict=True)),
    "ln_destination": dict(zip(("lag", *CORE), (0.25, 0.20, 0.8, 0.25, 2.0, 0.20), strict=True)),
}
CONTROLS = {
    "ln_1p_students": 0.06,
    "ln_1p_science_expenditure": 0.05,
    "ln_1p_port_distance": -0.10,
    "ln_1p_fdi": 0.05,
    "ln_1p_road_area": 0.06,
    "development_zone_did": 0.05,
}
COUNTS_SHARE = 0.5  # of these in the equations of products and destinations
# Standard deviations of city effects and shocks, and how those of the counts follow the value's.
CITY_EFFECT, SHOCK = 0.60, 0.15
COUNTS_FOLLOW = {"ln_hs6": (0.5, 0.20, 0.10), "ln_destination": (0.3, 0.15, 0.09)}
FEEDBACK, DECAY = 0.20, 0.5
# Mean of ln value in USD, and products and destinations, for each clean record of a mean city.
LN_VALUE_PER_RECORD, PER_RECORD = 9.85, {"ln_hs6": 0.30, "ln_destination": 0.15}
MOST = {"ln_hs6": 900, "ln_destination": 150}  # of what there is to sell, and of buyers
MOST_RECORDS = 400.0  # counts do not rise with the number of records beyond this many a city-year
NATION_BILLION_USD = np.array(
    [249, 266, 326, 438, 593, 762, 969, 1220, 1431, 1202, 1578, 1898, 2049, 2209, 2342, 2274, 2098,
     2263, 2487, 2499, 2591, 3364.0]
)  # fmt: skip


def parameters() -> dict[str, object]:
    """What was set, not drawn."""
    return {
        "coefficients": COEFFICIENTS,
        "controls": CONTROLS,
        "controls_share_in_counts": COUNTS_SHARE,
        "centres": CENTRES,
        "city_effect_deviation": CITY_EFFECT,
        "shock_deviation": SHOCK,
        "feedback": FEEDBACK,
        "feedback_decay": DECAY,
    }


@dataclass(frozen=True)
class Exports:
    """City-by-year arrays, cities as in the market and years as YEARS: the outcomes of the
    equation, and its regressors as the panel measures them (NaN where it cannot).
    """

    outcomes: dict[str, Array]
    regressors: dict[str, Array]
    shocks: Array

    @property
    def value_cents(self) -> Ints:
        return np.rint(100 * np.exp(self.outcomes["ln_export_value"])).astype(np.int64)

    def count(self, outcome: str) -> Ints:
        return np.rint(np.exp(self.outcomes[outcome])).astype(np.int64)


def draw_shocks(cities_n: int, rng: np.random.Generator) -> Array:
    """Shocks to the log of export value, without memory: (cities, years)."""
    return rng.normal(0.0, SHOCK, (cities_n, len(YEARS)))


def people_follow(economy: Economy, shocks: Array) -> None:
    """Let the districts' non-agricultural population answer to this and former years' shocks."""
    answer = np.zeros_like(shocks)
    for t in range(shocks.shape[1]):
        answer[:, t] = DECAY * (answer[:, t - 1] if t else 0.0) + shocks[:, t]
    name = "population_nonagricultural_n"
    economy.district[name][: len(shocks)] *= np.exp(FEEDBACK * answer)


def draw_exports(
    economy: Economy,
    industry: Industry,
    shocks: Array,
    records_n: list[float],
    rng: np.random.Generator,
    null: bool = False,
) -> Exports:
    """Solve the equation for every city and year.

    Parameters
    ----------
    shocks : of `draw_shocks`, to which the population already answered
    records_n : clean records of the mean city, by year
    null : all coefficients of CORE and the lag are zero
    """
    regressors = measure(economy, industry)
    n = len(economy.cities)
    effect = rng.normal(0.0, 1.0, n)
    outcomes: dict[str, Array] = {}
    for name in OUTCOMES:
        coefficients = dict.fromkeys(COEFFICIENTS[name], 0.0) if null else COEFFICIENTS[name]
        own, shock, spread = CITY_EFFECT * effect, shocks, 1.0
        size = np.log(np.mean(records_n[3:12])) + LN_VALUE_PER_RECORD
        mean = size + np.log(NATION_BILLION_USD / NATION_BILLION_USD[3:12].mean())
        if name != "ln_export_value":
            follow, apart, noise = COUNTS_FOLLOW[name]
            own = follow * own + rng.normal(0.0, apart, n)
            shock = follow * shocks + rng.normal(0.0, noise, shocks.shape)
            mean = np.log(PER_RECORD[name] * np.minimum(records_n, MOST_RECORDS))
            spread = COUNTS_SHARE
        fixed = spread * _weighted(regressors, CONTROLS) + _weighted(regressors, coefficients)
        outcomes[name] = _solve(fixed, own[:, None] + shock, coefficients["lag"], mean, name)
    return Exports(outcomes, regressors, shocks)


def _solve(fixed: Array, rest: Array, lag: float, mean: Array, name: str) -> Array:
    """The equation year by year from its stationary mean, the year's effect such that its mean
    over cities is `mean`; counts are whole numbers, and the next year's lag is what was counted.
    """
    outcome = np.empty_like(fixed)
    for t in range(fixed.shape[1]):
        now = fixed[:, t] + rest[:, t]
        if t == 0:
            now = (fixed[:, 0] + rest.mean(axis=1)) / (1 - lag)
        else:
            now = now + lag * outcome[:, t - 1]
        now = now - now.mean() + mean[t]
        if name in MOST:
            now = np.log(np.clip(np.rint(np.exp(now)), 1, MOST[name]))
        outcome[:, t] = now
    return outcome


def _weighted(regressors: dict[str, Array], coefficients: dict[str, float]) -> Array:
    """Sum of regressors times coefficients; what is not measured in a year is as in the last year
    that is.
    """
    return np.asarray(
        sum(
            coefficient * _carried(regressors[name])
            for name, coefficient in coefficients.items()
            if name != "lag"
        )
    )


def _carried(values: Array) -> Array:
    known = np.where(np.isnan(values), 0, np.arange(values.shape[1])[None, :])
    return np.take_along_axis(values, np.maximum.accumulate(known, axis=1), axis=1)


def measure(economy: Economy, industry: Industry) -> dict[str, Array]:
    """The regressors of agglomeration_exports, named as in its panel, less their CENTRES; the two
    interactions are products of their centred parts.
    """
    x, inside = economy.indicators, economy.district
    growth = np.round(x["gdp_index_pct"], 1) / 100 - 1
    productivity = np.full(growth.shape, np.nan)
    found = surveyed_productivity(economy, industry)
    productivity[: len(found), : found.shape[1]] = found
    values = {
        "ln_agglomeration": np.log(inside["population_nonagricultural_n"]),
        "ln_growth_resilience": growth - growth[:, [YEARS.index(2008)]],
        "ln_productivity": productivity,
    }
    measured = {name: values[name] - centre for name, centre in CENTRES.items()}
    agglomeration = measured["ln_agglomeration"]
    measured["agglomeration_growth_resilience"] = agglomeration * measured["ln_growth_resilience"]
    measured["agglomeration_productivity"] = agglomeration * measured["ln_productivity"]
    people = inside["population_registered_n"]
    zone = np.asarray(YEARS)[None, :] >= development_zone_years(economy.cities)[:, None]
    return {
        **measured,
        "ln_1p_students": np.log1p(inside["university_students_n"] / people * 10_000),
        "ln_1p_science_expenditure": np.log1p(inside["science_expenditure_cny"] / 10_000),
        "ln_1p_port_distance": np.log1p(port_distances(economy.cities))[:, None]
        * np.ones(len(YEARS)),
        "ln_1p_fdi": np.log1p(inside["fdi_usd"] * np.array(CNY_PER_USD) / 10_000),
        "ln_1p_road_area": np.log1p(x["road_area_per_head_m2"]),
        "development_zone_did": zone.astype(float),
    }


def port_distances(cities: tuple[City, ...]) -> Array:
    """Great-circle distance of each city from its nearest sea port, km."""
    ports = read_reference(REFERENCE / "ports.csv")
    at = np.radians([[city.longitude, city.latitude] for city in cities])
    to = np.radians([[float(port["longitude"]), float(port["latitude"])] for port in ports])
    half = (at[:, None, :] - to[None, :, :]) / 2
    chord = (
        np.sin(half[..., 1]) ** 2
        + np.cos(at[:, None, 1]) * np.cos(to[None, :, 1]) * np.sin(half[..., 0]) ** 2
    )
    return np.asarray(2 * 6371.0 * np.arcsin(np.sqrt(chord)).min(axis=1))


def development_zone_years(cities: tuple[City, ...]) -> Ints:
    """First year of a national development zone in each city; 9999 if never."""
    codes = {row["name_zh"]: row["city_code"] for row in city_name_rows()}
    first: dict[str, int] = {}
    for row in read_reference(REFERENCE / "city_lists.csv"):
        if row["policy"] == "development_zone" and row["name_zh"] in codes:
            code = codes[row["name_zh"]]
            first[code] = min(first.get(code, 9999), int(row["year"]))
    return np.array([first.get(city.city_code, 9999) for city in cities], dtype=np.int64)
