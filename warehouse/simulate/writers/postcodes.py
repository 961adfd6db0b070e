"""Writes the postcodes of districts and counties: the project's own list, whose content is real."""

from __future__ import annotations

from pathlib import Path

from warehouse.simulate.formats.csvs import write_csv
from warehouse.simulate.model.geography import REFERENCE, read_reference


def write_postcodes(folder: Path) -> None:
    rows = [
        (
            row["province_name_zh"],
            row["city_name_zh"],
            row["county_name_zh"],
            row["longitude"],
            row["latitude"],
            row["postcode"],
        )
        for row in read_reference(REFERENCE / "district_postcodes.csv")
    ]
    write_csv(
        folder / "SIMULATED_postcodes_by_district.csv",
        ["province", "city", "county", "longitude", "latitude", "zipCode"],
        rows,
    )
