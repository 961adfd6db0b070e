"""The columns of two papers' panels straight from the simulator's arrays, without files, lake or
models: what worlds by the dozen are estimated on.

`tests/papers/test_structural_truth.py` holds them against the panels of a release, which differ by
what yearbooks round and by the gaps that models fill.
"""

from __future__ import annotations

import numpy as np

from warehouse.simulate.model import employment, zones
from warehouse.simulate.model.gaps import incomplete_cities
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.industries import INDUSTRIES
from warehouse.simulate.model.measured import (
    city_controls,
    contiguity,
    diversity,
    ecommerce_controls,
    national_shares,
    period_resilience,
    shares,
    specialisation,
)
from warehouse.simulate.model.shocks import Array
from warehouse.simulate.model.whole import Whole

Columns = dict[str, np.ndarray]


def agglomeration_resilience(whole: Whole) -> tuple[Columns, Array]:
    """One row a city of the sample, and the weights among them."""
    economy, blank = whole.economy, incomplete_cities()["industries"]
    sample = np.array([city.city_code not in blank for city in economy.cities])
    x = economy.indicators
    jobs = np.stack([x[name][sample] for name in INDUSTRIES], axis=-1)[:, employment.PERIOD]
    share = shares(jobs)
    chosen = [city for city, is_in in zip(economy.cities, sample, strict=True) if is_in]
    columns: Columns = {
        "city_code": np.array([city.city_code for city in chosen]),
        "common_rate_resilience_index": period_resilience(jobs.sum(axis=-1)),
        "industry_specialisation_index": specialisation(share, national_shares(jobs)).mean(axis=1),
        "industry_diversity_index": diversity(share).mean(axis=1),
    }
    for name, values in city_controls(x).items():
        columns[name] = values[sample, employment.PERIOD].mean(axis=1)
    for name in ("has_railway_1933", "population_density_1984"):
        columns[name] = whole.measured.history[name][sample[: whole.trading_n]]
    return columns, contiguity(chosen)


def ecommerce_resilience(whole: Whole) -> Columns:
    """One row a city of the sample and year, 2012-2021."""
    economy = whole.economy
    sample = zones.ecommerce_sample(economy)
    part = economy.at(sample, zones.PERIOD)
    years = np.array(YEARS)[zones.PERIOD]
    zone_year = economy.zone_year[sample]
    codes = [c.city_code for c, is_in in zip(economy.cities, sample, strict=True) if is_in]
    columns: Columns = {
        "city_code": np.repeat(codes, len(years)),
        "year": np.tile(years, len(codes)),
        "ecommerce_zone_cohort": np.repeat(np.where(zone_year <= 2020, zone_year, 0), len(years)),
    }
    grids = {
        "zone_did": zones.in_force(zone_year),
        "effect": zones.effects(zone_year),
        "resilience_index": whole.measured.resilience,
        "digital_level_scaled_index": whole.measured.digital,
        "ln_innovation_index": np.log(whole.measured.innovation)[sample, zones.PERIOD],
        "tertiary_employment_share": zones.tertiary_share(economy, sample),
        **ecommerce_controls(part),
    }
    return columns | {name: values.ravel() for name, values in grids.items()}
