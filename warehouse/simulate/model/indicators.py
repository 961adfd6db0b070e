"""The yearbooks' indicators of a simulated city, from its output, people and rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from warehouse.simulate.model.nation import CNY_PER_USD
from warehouse.simulate.model.shocks import Array, noisy, persistent

if TYPE_CHECKING:
    from warehouse.simulate.model.economy import Economy

SLOWDOWN, TURN = 0.06, 12
SLOWED = (
    "patents_granted_n",
    "household_savings_cny",
    "retail_sales_cny",
    "science_expenditure_cny",
    "fixed_investment_cny",
    "hospital_beds_n",
    "education_expenditure_cny",
    "fiscal_expenditure_cny",
    "fiscal_revenue_cny",
)


def fill(
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
    for name in SLOWED:
        x[name] = x[name] * slow
    _fill_districts(economy, urban, rng)


def _fill_output(economy: Economy, rank: Array, rng: np.random.Generator) -> None:
    """Sectors, then the rest of output."""
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
    _fill_abroad(economy, rng)


def _fill_abroad(economy: Economy, rng: np.random.Generator) -> None:
    """Growth, land, and trade with abroad."""
    x, gdp = economy.indicators, economy.indicators["gdp_cny"]
    shape = gdp.shape
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
        * np.minimum(0.08, 0.018 * noisy(rng, shape, 0.7, 0.15))
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
    x["exports_cny"] = gdp * trade * noisy(rng, shape, 0.2, 0.06)
    x["imports_cny"] = x["exports_cny"] * 0.7 * noisy(rng, shape, 0.5, 0.1)


def _fill_money(x: dict[str, Array], rank: Array, rng: np.random.Generator) -> None:
    """Banks, households, shops, investment and the public purse."""
    gdp = x["gdp_cny"]
    shape, time = gdp.shape, np.arange(gdp.shape[1])[None, :]
    pc_2000 = (gdp / x["population_registered_n"])[:, :1] / 7200
    x["deposits_cny"] = (
        gdp * (1.0 + 0.5 * rank[:, None] + 0.02 * time) * noisy(rng, shape, 0.15, 0.03)
    )
    x["loans_cny"] = (
        x["deposits_cny"] * np.clip(0.62 + 0.005 * time, 0.4, 0.9) * noisy(rng, shape, 0.12, 0.03)
    )
    x["household_savings_cny"] = gdp * 0.62 * noisy(rng, shape, 0.12, 0.02)
    x["urban_disposable_income_cny"] = (
        6300 * np.exp(0.1 * time - 0.0007 * time**2) * pc_2000**0.25 * noisy(rng, shape, 0.05, 0.01)
    )
    x["retail_sales_cny"] = gdp * 0.36 * noisy(rng, shape, 0.1, 0.02)
    x["fixed_investment_cny"] = (
        gdp * np.clip(0.32 + 0.022 * time, 0, 0.75) * noisy(rng, shape, 0.15, 0.05)
    )
    x["fiscal_revenue_cny"] = (
        gdp * (0.05 + 0.0018 * time) * np.exp(0.2 * rank[:, None]) * noisy(rng, shape, 0.2, 0.03)
    )
    x["fiscal_expenditure_cny"] = np.maximum(
        x["fiscal_revenue_cny"] * 1.02, gdp * (0.09 + 0.004 * time) * noisy(rng, shape, 0.2, 0.03)
    )
    x["science_expenditure_cny"] = x["fiscal_expenditure_cny"] * np.minimum(
        0.09, 0.013 * np.exp(0.4 * rank[:, None]) * noisy(rng, shape, 0.5, 0.08)
    )
    x["education_expenditure_cny"] = x["fiscal_expenditure_cny"] * np.clip(
        0.18 + rng.normal(0, 0.02, (shape[0], 1)), 0.1, 0.3
    )
    x["telecom_revenue_cny"] = gdp * 0.021 * noisy(rng, shape, 0.2, 0.05)


def _fill_people(x: dict[str, Array], rank: Array, rng: np.random.Generator) -> None:
    """Residents, work and health, then the rest of people."""
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
        * noisy(rng, shape, 0.15, 0.03)
    )
    x["tertiary_employees_n"] = x["employees_n"] * np.clip(
        0.46 + 0.004 * time + rng.normal(0, 0.06, (shape[0], 1)), 0.2, 0.85
    )
    x["it_employees_n"] = (
        x["employees_n"]
        * 0.012
        * np.exp(0.4 * rank[:, None] + 0.02 * time)
        * noisy(rng, shape, 0.3, 0.06)
    )
    x["registered_unemployed_n"] = population * 0.0085 * noisy(rng, shape, 0.25, 0.06)
    x["hospital_beds_n"] = (
        population * 0.0028 * np.exp(0.032 * time) * noisy(rng, shape, 0.15, 0.02)
    )
    _fill_networks(x, rank, pc, rng)


def _fill_networks(x: dict[str, Array], rank: Array, pc: Array, rng: np.random.Generator) -> None:
    """Dust, inventions, students, and what connects people."""
    population = x["population_registered_n"]
    shape, time = population.shape, np.arange(population.shape[1])[None, :]
    x["industrial_dust_t"] = 52000 * np.exp(-0.06 * time) * noisy(rng, shape, 0.6, 0.15)
    inventive = np.exp(0.17 * time - 0.003 * time**2 + 0.45 * rank[:, None]) * pc[:, :1] ** 0.5
    x["patents_granted_n"] = population * 4e-5 * inventive * noisy(rng, shape, 0.5, 0.08)
    x["university_students_n"] = (
        population
        * 0.006
        * np.exp(1.1 * rank[:, None] + np.log1p(time) * 0.35)
        * noisy(rng, shape, 0.4, 0.04)
    )
    x["mobile_users_n"] = (
        population * np.clip(0.1 + 0.05 * time, 0, 1.2) * noisy(rng, shape, 0.15, 0.03)
    )
    x["broadband_users_n"] = (
        population * 0.33 / (1 + np.exp(-(time - 12) / 3.5)) * noisy(rng, shape, 0.2, 0.04)
    )
    x["internet_users_n"] = (
        population * 0.30 / (1 + np.exp(-(time - 11) / 3.5)) * noisy(rng, shape, 0.25, 0.05)
    )
    x["road_area_per_head_m2"] = (6.5 + 0.42 * time) * noisy(rng, shape, 0.25, 0.03)


def _fill_districts(economy: Economy, urban: Array, rng: np.random.Generator) -> None:
    """The same indicators for the municipal districts alone: a share of the city that rises with
    urbanisation.
    """
    shape = urban.shape
    share = np.clip(urban * 0.75 * noisy(rng, shape, 0.15, 0.01), 0.08, 0.97)
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
