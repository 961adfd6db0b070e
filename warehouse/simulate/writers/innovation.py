"""Writes the simulated innovation index of cities: the years up to 2016 as a long sheet, later ones
as the report's wide annex.

The smallest values round to zero.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.shocks import Array
from warehouse.simulate.model.zones import INNOVATION

FIRST_YEAR = 2001
LONG_UNTIL = 2016


def write_innovation(
    folder: Path, economy: Economy, values: Array, progress: Callable[[str], None]
) -> dict[str, object]:
    """Write both workbooks of `mediators.innovation_index`; returns what the truth says of them."""
    index, years = np.round(values, 4), np.array(YEARS)
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
    return {"zone_effect_log": INNOVATION, "first_year": FIRST_YEAR}
