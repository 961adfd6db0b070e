"""More of the simulated economy: employees by industry, innovation, wages, roads and industrial
waste.

It is drawn from a stream of its own after the rest of the economy, so that trade and firms do not
depend on it. The 19 industries of a city add up, to the person, to the employees that the yearbook
prints, and so do their three sectors.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy, build_economy
from warehouse.simulate.model.geography import City
from warehouse.simulate.model.nation import REAL_GROWTH
from warehouse.simulate.model.shocks import Array, noisy, persistent

# Share of an industry among the nation's urban employees about 2003, its growth relative to all in
# log points a year, how
# far it swings with the growth of output, and how far cities differ (standard deviation of the
# log).
INDUSTRIES: dict[str, tuple[float, float, float, float]] = {
    "employees_agriculture_n": (0.044, -0.050, 0.0, 1.3),
    "employees_mining_n": (0.045, -0.020, 0.5, 2.0),
    "employees_manufacturing_n": (0.272, 0.006, 1.5, 0.5),
    "employees_utilities_n": (0.027, -0.002, 0.0, 0.3),
    "employees_construction_n": (0.076, 0.035, 1.2, 0.65),
    "employees_transport_n": (0.058, 0.000, 0.6, 0.4),
    "it_employees_n": (0.011, 0.050, 0.4, 0.3),
    "employees_wholesale_retail_n": (0.057, -0.005, 0.9, 0.35),
    "employees_hotels_catering_n": (0.016, 0.005, 1.0, 0.6),
    "employees_finance_n": (0.032, 0.020, 0.3, 0.25),
    "employees_real_estate_n": (0.011, 0.060, 1.6, 0.6),
    "employees_business_services_n": (0.017, 0.050, 1.0, 0.6),
    "employees_science_n": (0.020, 0.030, 0.2, 0.6),
    "employees_water_environment_n": (0.016, 0.005, 0.0, 0.35),
    "employees_resident_services_n": (0.005, 0.010, 0.8, 0.7),
    "employees_education_n": (0.132, -0.005, -0.5, 0.2),
    "employees_health_n": (0.045, 0.025, -0.4, 0.2),
    "employees_culture_n": (0.012, -0.005, 0.2, 0.4),
    "employees_public_administration_n": (0.106, 0.005, -0.6, 0.25),
}
SECONDARY = (
    "employees_mining_n",
    "employees_manufacturing_n",
    "employees_utilities_n",
    "employees_construction_n",
)
TERTIARY = tuple(name for name in INDUSTRIES if name not in (*SECONDARY, "employees_agriculture_n"))
TOWN_OF_ONE_INDUSTRY, ONE_INDUSTRY_LOG = (
    0.15,
    2.3,
)  # share of cities that live off one industry, and by how much it stands out
PRINTED_HUNDREDS = 100  # employees and sectors are printed in 万人 with two decimals


def complete_economy(economy: Economy, rng: np.random.Generator) -> None:
    """Add the indicators of this module to an economy in which no equation is set."""
    share_out_employees(economy, natural_mix(economy, rng))
    fill_innovation(economy, rng)
    fill_surroundings(economy, rng)


def widen(economy: Economy, late: tuple[City, ...], rng: np.random.Generator) -> Economy:
    """The same economy with further cities behind its own: those that became cities too late to
    trade in the simulated customs.
    """
    if not late:
        return economy
    more = build_economy(late, rng)

    def both(first: Array, second: Array) -> Array:
        return np.concatenate([first, second])

    return Economy(
        (*economy.cities, *late),
        np.concatenate([economy.zone_year, more.zone_year]),
        both(economy.real_index, more.real_index),
        both(economy.deflator, more.deflator),
        both(economy.ln_trade, more.ln_trade),
        {name: both(values, more.indicators[name]) for name, values in economy.indicators.items()},
        {name: both(values, more.district[name]) for name, values in economy.district.items()},
    )


def natural_mix(economy: Economy, rng: np.random.Generator) -> Array:
    """(n, years, industries) relative sizes of industries, as INDUSTRIES says."""
    weights = _weights(economy.indicators["employees_n"].shape, rng)
    return np.stack([weights[name] for name in INDUSTRIES], axis=-1)


def share_out_employees(economy: Economy, mix: Array) -> None:
    """Whole persons by industry, from relative sizes (n, years, industries), so that the 19 add up
    to the employees and the tertiary ones to theirs, and IT is what it was.
    """
    x = economy.indicators
    weights = {name: mix[..., at] for at, name in enumerate(INDUSTRIES)}
    total = _hundreds(x["employees_n"])
    tertiary = np.minimum(_hundreds(x["tertiary_employees_n"]), total - 10 * PRINTED_HUNDREDS)
    x["it_employees_n"] = np.minimum(np.round(x["it_employees_n"]), np.floor(0.5 * tertiary))
    services = tuple(name for name in TERTIARY if name != "it_employees_n")
    farms = weights["employees_agriculture_n"]
    farms = farms / (farms + sum(weights[name] for name in SECONDARY))
    x["employees_agriculture_n"] = _hundreds((total - tertiary) * farms)
    x["secondary_employees_n"] = total - tertiary - x["employees_agriculture_n"]
    _share_out(x, x["secondary_employees_n"], SECONDARY, weights)
    _share_out(x, tertiary - x["it_employees_n"], services, weights)
    x["employees_n"], x["tertiary_employees_n"] = total, tertiary


def _weights(shape: tuple[int, int], rng: np.random.Generator) -> dict[str, Array]:
    """Relative size of each industry by city and year: its national course times what the city is
    known for.
    """
    growth = np.array([REAL_GROWTH[0], *REAL_GROWTH]) / 100
    boom, time = np.cumsum(growth - growth.mean()), np.arange(shape[1])
    chosen = np.where(
        rng.random(shape[0]) < TOWN_OF_ONE_INDUSTRY, rng.integers(0, len(INDUSTRIES), shape[0]), -1
    )
    weights = {}
    for at, (name, (share, trend, swing, between)) in enumerate(INDUSTRIES.items()):
        common = trend * (time - 3) + swing * boom + persistent(rng, (1, shape[1]), 0.015)[0]
        own = (
            rng.normal(0.0, between, (shape[0], 1))
            - between**2 / 2
            + np.where(chosen == at, ONE_INDUSTRY_LOG, 0.0)[:, None]
        )
        weights[name] = share * np.exp(common[None, :] + own + persistent(rng, shape, 0.04))
    return weights


def _hundreds(values: Array) -> Array:
    return np.asarray(np.round(values / PRINTED_HUNDREDS) * PRINTED_HUNDREDS)


def _share_out(
    x: dict[str, Array], total: Array, names: tuple[str, ...], weights: dict[str, Array]
) -> None:
    """Whole persons by industry in proportion to their weights, the largest remainders rounded up,
    so that they add up.
    """
    weight = np.stack([weights[name] for name in names], axis=-1)
    exact = total[..., None] * weight / weight.sum(axis=-1, keepdims=True)
    whole = np.floor(exact)
    left: NDArray[np.int64] = np.round(total - whole.sum(axis=-1)).astype(np.int64)
    rank = np.argsort(np.argsort(whole - exact, axis=-1, kind="stable"), axis=-1, kind="stable")
    whole += rank < left[..., None]
    for at, name in enumerate(names):
        x[name] = whole[..., at]


def fill_innovation(economy: Economy, rng: np.random.Generator) -> None:
    """Patents, research and contracts follow the patents granted and the output of the city."""
    x = economy.indicators
    granted, gdp = x["patents_granted_n"], x["gdp_cny"]
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    x["invention_patent_applications_n"] = (
        granted * (0.35 + 0.01 * time) * noisy(rng, shape, 0.25, 0.05)
    )
    in_force = np.zeros(shape[0])
    stock = np.empty(shape)
    for t in range(shape[1]):
        in_force = 0.88 * in_force + 0.14 * granted[:, t]
        stock[:, t] = in_force
    x["invention_patents_in_force_n"] = stock * noisy(rng, shape, 0.2, 0.02)
    x["internet_patents_granted_n"] = granted * (0.01 + 0.004 * time) * noisy(rng, shape, 0.4, 0.08)
    x["rd_expenditure_cny"] = gdp * np.minimum(
        0.06, (0.004 + 0.0006 * time) * noisy(rng, shape, 0.5, 0.05)
    )
    x["technology_contracts_n"] = 40 + granted * 0.08 * noisy(rng, shape, 0.5, 0.1)
    x["internet_ports_n"] = (
        x["broadband_users_n"] * (1.35 + 0.03 * time) * noisy(rng, shape, 0.1, 0.03)
    )


def fill_surroundings(economy: Economy, rng: np.random.Generator) -> None:
    """Wages, plant, roads, and what industry emits."""
    x = economy.indicators
    gdp, output = x["gdp_cny"], x["gdp_secondary_cny"]
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    x["average_wage_cny"] = 1.3 * x["urban_disposable_income_cny"] * noisy(rng, shape, 0.06, 0.015)
    x["industrial_fixed_assets_cny"] = output * (1.1 - 0.01 * time) * noisy(rng, shape, 0.25, 0.03)
    roads = x["area_km2"][:, :1] ** 0.6 * 22 * np.exp(0.055 * time - 0.0009 * time**2)
    x["highway_km"] = np.minimum(roads * np.exp(rng.normal(0.0, 0.3, (shape[0], 1))), 180_000)
    abated = np.exp(-0.085 * np.clip(time - 6, 0, None) + 0.04 * np.clip(time, 0, 6))
    per_output = output[:, :1] / output[:, :1].mean()
    x["industrial_so2_t"] = 62000 * per_output**0.5 * abated * noisy(rng, shape, 0.5, 0.1)
    x["industrial_wastewater_t"] = (
        6.5e7 * per_output**0.7 * abated**0.5 * noisy(rng, shape, 0.5, 0.08)
    )
    x["pollution_investment_cny"] = (
        gdp * 0.0016 * np.exp(-0.03 * time) * noisy(rng, shape, 0.7, 0.2)
    )
    x["staff_n"] = x["employees_n"] * np.minimum(0.93 * noisy(rng, shape, 0.02, 0.01), 1.0)
    x["private_employees_n"] = x["employees_n"] * (0.6 + 0.04 * time) * noisy(rng, shape, 0.3, 0.1)
    traffic = np.exp(0.12 * (time - 10))  # volume at constant prices passes revenue as prices fall
    volume = x["telecom_revenue_cny"] * traffic * noisy(rng, shape, 0.1, 0.05)
    x["telecom_volume_cny_constant"] = volume
