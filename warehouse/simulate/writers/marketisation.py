"""Writes the simulated marketisation index of provinces, as two reports print it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.geography import SEEDS, read_reference, short_province

MARKET_YEARS = range(1997, 2020)


def write_marketisation(folder: Path, rng: np.random.Generator) -> None:
    """Two reports' tables: short names of provinces, averages of regions among them, a title above
    and a note below.
    """
    provinces = list(
        dict.fromkeys(
            (row["province_name_zh"], row["region"]) for row in read_reference(SEEDS / "cities.csv")
        )
    )
    start = np.array(
        [
            {"east": 5.0, "central": 3.9, "west": 3.0, "northeast": 3.8}[region]
            for _, region in provinces
        ]
    ) + rng.normal(0.0, 0.5, len(provinces))
    pace = rng.normal(0.14, 0.03, len(provinces))
    time = np.arange(len(MARKET_YEARS))
    values = np.round(
        start[:, None]
        + pace[:, None] * time[None, :]
        + rng.normal(0.0, 0.08, (len(provinces), len(time))),
        2,
    )
    years = list(MARKET_YEARS)
    for first, last in ((1997, 2009), (2010, 2019)):
        at = [t for t, year in enumerate(years) if first <= year <= last]
        rows: list[list[Cell]] = [
            ["各省份市场化指数总得分（模拟数据）"],
            ["地区", *(f"{years[t]}年" for t in at)],
        ]
        rows.append(["全国", *(float(round(values[:, t].mean(), 2)) for t in at)])
        rows += [
            [short_province(name), *(float(values[i, t]) for t in at)]
            for i, (name, _) in enumerate(provinces)
        ]
        rows.append(["注：模拟数据，非正式发布。"])
        write_workbook(
            folder / f"SIMULATED_marketisation_{first}_{last}.xlsx", {"市场化指数": rows}
        )
