"""Writes the simulated historical instruments: two tables as compilers hand them on, one workbook
and one csv.
"""

from __future__ import annotations

import csv
from pathlib import Path

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.gaps import incomplete_cities
from warehouse.simulate.model.shocks import Array

HEADS_1984: list[Cell] = [
    "省份",
    "城市",
    "1984年邮局数量（个）",
    "1984年固定电话数（万部）",
    "1984年人口密度（人/平方公里）",
]
HEADS_1933: list[Cell] = ["城市", "1933年是否通铁路", "市辖区土地面积（平方公里）"]


def write_history(
    folder: Path, economy: Economy, history: dict[str, Array]
) -> list[dict[str, object]]:
    """Write both tables of `mediators.history_of`; returns every city's values in base units.

    A few cities are missing from each, of those whose industries no yearbook prints, so that the
    sample of agglomeration_resilience has its instruments whole.
    """
    blank = incomplete_cities()["industries"]
    offices, telephones = history["post_offices_1984_n"], history["telephones_1984"]
    density, area = history["population_density_1984"], history["district_land_area_km2"]
    railway = history["has_railway_1933"] > 0
    first, second = [HEADS_1984], [HEADS_1933]
    truth: list[dict[str, object]] = []
    for i, city in enumerate(economy.cities):
        fact: dict[str, object] = {"city_code": city.city_code}
        if city.city_code not in blank[::4]:
            numbers: list[Cell] = [int(offices[i]), float(telephones[i]), float(density[i])]
            first.append([city.province_zh, city.name_zh, *numbers])
            fact |= {
                "post_offices_1984_n": int(offices[i]),
                "telephones_1984_n": round(float(telephones[i]) * 10_000),
                "population_density_1984": float(density[i]),
            }
        if city.city_code not in blank[1::5]:
            second.append([city.short_name, "是" if railway[i] else "否", float(area[i])])
            fact |= {"has_railway_1933": bool(railway[i]), "district_land_area_km2": float(area[i])}
        truth.append(fact)
    write_workbook(folder / "SIMULATED_city_history_1984.xlsx", {"1984": first})
    with (folder / "SIMULATED_railway_1933.csv").open("w", encoding="gb18030", newline="") as sink:
        csv.writer(sink, lineterminator="\r\n").writerows(second)
    return truth
