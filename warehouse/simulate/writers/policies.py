"""Writes lists of cities and countries that policies name: the project's own lists, whose content
is real.
"""

from __future__ import annotations

from pathlib import Path

from warehouse.simulate.formats.csvs import write_csv
from warehouse.simulate.model.geography import REFERENCE, read_reference


def write_policies(folder: Path) -> None:
    for name in ("policy_zones", "resource_cities", "city_lists", "belt_and_road"):
        rows = read_reference(REFERENCE / f"{name}.csv")
        write_csv(
            folder / f"SIMULATED_{name}.csv", list(rows[0]), [list(row.values()) for row in rows]
        )
