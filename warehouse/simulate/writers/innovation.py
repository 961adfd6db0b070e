"""Writes the simulated innovation index of cities: the years up to 2016 as a long sheet, later ones
as the report's wide annex.

A city effect, growth that all share, a persistent shock, and a step of ZONE_EFFECT log points when
the city becomes a cross-border e-commerce zone. The mean of all cities is 100 in the last year, and
the smallest values round to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Array, Economy, persistent
from warehouse.simulate.model.geography import YEARS

FIRST_YEAR = 2001
LONG_UNTIL = 2016
ZONE_EFFECT = 0.13


def write_innovation(
    folder: Path, economy: Economy, rng: np.random.Generator, progress: Callable[[str], None]
) -> dict[str, object]:
    """Write both workbooks; returns what the truth says of them."""
    index, years = np.round(innovation_index(economy, rng), 4), np.array(YEARS)
    names = [city.name_zh for city in economy.cities]
    kept = [t for t, year in enumerate(YEARS) if year >= FIRST_YEAR]
    old, new = (
        [t for t in kept if years[t] <= LONG_UNTIL],
        [t for t in kept if years[t] > LONG_UNTIL],
    )
    rows: list[list[Cell]] = [["城市", "年份", "创新指数"]]
    rows += [[name, YEARS[t], float(index[i, t])] for i, name in enumerate(names) for t in old]
    write_workbook(
        folder / f"SIMULATED_city_innovation_index_{FIRST_YEAR}_{LONG_UNTIL}.xlsx", {"Sheet1": rows}
    )
    wide: list[list[Cell]] = [
        ["城市创新指数（模拟数据）"],
        ["序号", "城市", *(f"{years[t]}年" for t in new)],
    ]
    wide += [[i + 1, name, *(float(index[i, t]) for t in new)] for i, name in enumerate(names)]
    write_workbook(
        folder / f"SIMULATED_city_innovation_index_{LONG_UNTIL + 1}_{YEARS[-1]}.xlsx",
        {"附表": wide},
    )
    progress("innovation index")
    return {"zone_effect_log": ZONE_EFFECT, "first_year": FIRST_YEAR}


def innovation_index(economy: Economy, rng: np.random.Generator) -> Array:
    """The index of each city and year, 2000 on, its mean over cities 100 in the last year."""
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
        + ZONE_EFFECT * economy.has_zone
    )
    values = np.exp(logs)
    return np.asarray(100.0 * values / values[:, -1].mean())
