"""What the warehouse measures, computed from the simulator's own arrays: the same formulas as the
models', so that structural equations can be set on the variables as the panels have them.

Arrays are city by year, by industry last where there are industries. Nothing here draws anything.
`tests/papers/test_structural_truth.py` holds each of these against a release.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.geography import REFERENCE, YEARS, City, read_reference
from warehouse.simulate.model.nation import CNY_PER_USD
from warehouse.simulate.model.shocks import Array

Mask = NDArray[np.bool_]


def at_years(first: int, last: int) -> slice:
    """The columns of the years first to last."""
    return slice(first - YEARS[0], last + 1 - YEARS[0])


def contiguity(cities: Sequence[City]) -> Array:
    """(n, n) weights among these cities, 1 over the number of bordering ones; a row of zeros where
    none borders (int_spatial__contiguity, cut to a sample and divided again).
    """
    at = {city.city_code: i for i, city in enumerate(cities)}
    weights = np.zeros((len(cities), len(cities)))
    for row in read_reference(REFERENCE / "city_adjacency.csv"):
        if row["city_code"] in at and row["neighbour_code"] in at:
            weights[at[row["city_code"]], at[row["neighbour_code"]]] = 1.0
    count = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, count, out=np.zeros_like(weights), where=count > 0)


def shares(jobs: Array) -> Array:
    """Each industry's share of its city-year."""
    return np.asarray(jobs / jobs.sum(axis=-1, keepdims=True))


def national_shares(jobs: Array) -> Array:
    """(years, industries): each industry's share of all these cities' employees."""
    nation = jobs.sum(axis=0)
    return np.asarray(nation / nation.sum(axis=-1, keepdims=True))


def specialisation(share: Array, nation: Array) -> Array:
    """The largest location quotient of a city-year (idx_industry_agglomeration)."""
    return np.asarray((share / nation).max(axis=-1))


def diversity(share: Array) -> Array:
    """The entropy of a city-year's shares (idx_industry_agglomeration)."""
    logs = np.log(np.where(share > 0, share, 1.0))
    return np.asarray(-(share * logs).sum(axis=-1))


def period_resilience(total: Array) -> Array:
    """ER over a period with one national rate a year: (sum A - sum C) / |sum C|, A_t = N_t -
    N_t-1, C_t = g_t N_t-1 (idx_employment_resilience, int_agglomeration_resilience__period_
    resilience).

    total : (n, years + 1) employees, the year of reference first
    """
    before = total[:, :-1]
    growth = total[:, 1:].sum(axis=0) / before.sum(axis=0) - 1
    expected = (before * growth).sum(axis=1)
    return np.asarray((total[:, -1] - total[:, 0] - expected) / np.abs(expected))


def city_controls(x: dict[str, Array]) -> dict[str, Array]:
    """The nine controls of agglomeration_resilience by city and year
    (int_agglomeration_resilience__variable).
    """
    people, rate = x["population_registered_n"], np.array(CNY_PER_USD)[None, :]
    return {
        "fiscal_expenditure_share": x["fiscal_expenditure_cny"] / x["gdp_cny"],
        "ln_gdp_per_head": np.log(x["gdp_cny"] / x["population_resident_n"]),
        "fdi_share": x["fdi_usd"] * rate / x["gdp_cny"],
        "ln_population_density": np.log(people / x["area_km2"]),
        "ln_retail_sales": np.log(x["retail_sales_cny"] / 1e4),
        "ln_students_per_10000": np.log(x["university_students_n"] / people * 1e4),
        "ln_road_area_per_head": np.log(x["road_area_per_head_m2"]),
        "ln_invention_applications_per_10000": np.log(
            x["invention_patent_applications_n"] / people * 1e4
        ),
        "fixed_investment_share": x["fixed_investment_cny"] / x["gdp_cny"],
    }


def resilience_indicators(x: dict[str, Array]) -> dict[str, Array]:
    """The indicators of ecommerce_resilience's table 1, as they are scaled: a negative one with its
    sign turned (int_ecommerce_resilience__measured, seeds/judgments/resilience_indicators.csv).
    """
    output = x["gdp_cny"]
    out_of_work = x["registered_unemployed_n"]
    return {
        "gdp_per_head_cny": output / x["population_resident_n"],
        "urban_disposable_income_cny": x["urban_disposable_income_cny"],
        "household_savings_cny": x["household_savings_cny"],
        "unemployment_share": -out_of_work / (out_of_work + x["employees_n"]),
        "openness_share": -(x["imports_cny"] + x["exports_cny"]) / output,
        "fiscal_self_sufficiency_share": x["fiscal_revenue_cny"] / x["fiscal_expenditure_cny"],
        "retail_sales_cny": x["retail_sales_cny"],
        "tertiary_share": x["gdp_tertiary_cny"] / output,
        "loan_deposit_share": x["loans_cny"] / x["deposits_cny"],
        "fixed_investment_cny": x["fixed_investment_cny"],
        "hospital_beds_n": x["hospital_beds_n"],
        "industrial_dust_t": -x["industrial_dust_t"],
        "patents_granted_n": x["patents_granted_n"],
        "science_expenditure_cny": x["science_expenditure_cny"],
        "education_expenditure_cny": x["education_expenditure_cny"],
        "structure_ratio": x["gdp_tertiary_cny"] / x["gdp_secondary_cny"],
        "urbanisation_share": x["urbanisation_share"],
    }


@dataclass(frozen=True)
class Scale:
    """Bounds and weights of an entropy-weighted index, by indicator."""

    low: dict[str, float]
    high: dict[str, float]
    weight: dict[str, float]

    def index(self, indicators: dict[str, Array]) -> Array:
        """sum_j w_j (x_j - low_j) / (high_j - low_j)."""
        return np.asarray(
            sum(
                weight * (indicators[name] - self.low[name]) / (self.high[name] - self.low[name])
                for name, weight in self.weight.items()
            )
        )


def entropy_scale(indicators: dict[str, Array]) -> Scale:
    """Bounds and entropy weights over all rows (macro entropy_weights)."""
    low = {name: float(values.min()) for name, values in indicators.items()}
    high = {name: float(values.max()) for name, values in indicators.items()}
    divergence = {}
    for name, values in indicators.items():
        p = (values - low[name]) / (values - low[name]).sum()
        entropy = -(p * np.log(np.where(p > 0, p, 1.0))).sum() / np.log(p.size)
        divergence[name] = 1 - entropy
    total = sum(divergence.values())
    return Scale(low, high, {name: float(d / total) for name, d in divergence.items()})


def digital_indicators(x: dict[str, Array], finance: Array) -> dict[str, Array]:
    """The five indicators of ecommerce_resilience's table 2 (idx_digital_level)."""
    people = x["population_registered_n"]
    return {
        "digital_finance_index": finance,
        "mobile_users_per_100": 100 * x["mobile_users_n"] / people,
        "internet_users_per_100": 100 * x["internet_users_n"] / people,
        "telecom_revenue_per_head_cny": x["telecom_revenue_cny"] / people,
        "it_employment_share": x["it_employees_n"] / x["employees_n"],
    }


def first_component(indicators: dict[str, Array]) -> tuple[Array, Array]:
    """Scores on the first principal component of the standardised indicators, and its loadings in
    units of each indicator: the score is their sum less a constant
    (analysis.measures.components.principal_component_index).
    """
    columns = np.stack([values.ravel() for values in indicators.values()], axis=1)
    centre, spread = columns.mean(axis=0), columns.std(axis=0, ddof=1)
    _, vectors = np.linalg.eigh(np.corrcoef(columns, rowvar=False))
    vector = vectors[:, -1] * np.sign(vectors[:, -1].sum())
    score = (columns - centre) @ (vector / spread)
    shape = next(iter(indicators.values())).shape
    return score.reshape(shape), vector / spread


def ecommerce_controls(x: dict[str, Array]) -> dict[str, Array]:
    """The controls of ecommerce_resilience (panel_ecommerce_resilience), of the last years."""
    output = x["gdp_cny"]
    rate = np.array(CNY_PER_USD)[None, -output.shape[1] :]
    return {
        "agglomeration": output / 1e8 / x["area_km2"],
        "openness_share": (x["imports_cny"] + x["exports_cny"]) / output,
        "fdi_share": x["fdi_usd"] * rate / output,
        "science_share": x["science_expenditure_cny"] / x["fiscal_expenditure_cny"],
        "ln_fdi": np.log(x["fdi_usd"] * rate / 1e4),
    }


def within(values: Array) -> Array:
    """What is left of (n, years) when cities' and years' means are taken out."""
    return np.asarray(
        values
        - values.mean(axis=1, keepdims=True)
        - values.mean(axis=0, keepdims=True)
        + values.mean()
    )
