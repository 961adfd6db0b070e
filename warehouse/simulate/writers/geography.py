"""Writes neighbours of cities and seaports: the project's own lists, whose content is real."""

from __future__ import annotations

from pathlib import Path

from warehouse.simulate.formats.csvs import write_csv
from warehouse.simulate.model.geography import MUNICIPALITIES, REFERENCE, SEEDS, read_reference


def write_geography(folder: Path) -> None:
    names = {row["city_code"]: row["city_name_zh"] for row in read_reference(SEEDS / "cities.csv")}
    pairs = [
        (row["city_code"], row["neighbour_code"])
        for row in read_reference(REFERENCE / "city_adjacency.csv")
    ]
    rows = [(_adcode(a), _adcode(b), names[a], names[b]) for a, b in pairs if a < b]
    write_csv(
        folder / "SIMULATED_city_adjacency.csv",
        ["adcode_left", "adcode_right", "city_left", "city_right"],
        rows,
    )
    ports = read_reference(REFERENCE / "ports.csv")
    header = ["port_name_zh", "port_name_en", "longitude", "latitude"]
    write_csv(
        folder / "SIMULATED_ports.csv", header, [[row[name] for name in header] for row in ports]
    )


def _adcode(city_code: str) -> str:
    """The six-digit code that boundary files give a city: 330100, and 110100 for a municipality."""
    return f"{city_code[:2]}0100" if city_code[:2] in MUNICIPALITIES else f"{city_code}00"
