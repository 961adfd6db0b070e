"""Writes the simulated historical instruments: two tables as compilers hand them on, one workbook
and one csv.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy


def write_history(
    folder: Path, economy: Economy, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Write both tables into `folder`; returns every city's values in base units. A few cities are
    missing from each.
    """
    cities_n = len(economy.cities)
    people = economy.indicators["population_registered_n"][:, 0]
    density = np.round(
        people / economy.indicators["area_km2"][:, 0] * np.exp(rng.normal(-0.15, 0.2, cities_n)), 1
    )
    offices = np.round(people / 22_000 * np.exp(rng.normal(0.0, 0.3, cities_n)))
    telephones = np.round(people / 10_000 * 0.003 * np.exp(rng.normal(0.0, 0.5, cities_n)), 2)
    railway = rng.random(cities_n) < 0.35
    area = np.round(economy.district["area_km2"][:, -1] * 0.8, 1)
    first: list[list[Cell]] = [
        [
            "省份",
            "城市",
            "1984年邮局数量（个）",
            "1984年固定电话数（万部）",
            "1984年人口密度（人/平方公里）",
        ]
    ]
    second: list[list[object]] = [["城市", "1933年是否通铁路", "市辖区土地面积（平方公里）"]]
    truth: list[dict[str, object]] = []
    for i, city in enumerate(economy.cities):
        fact: dict[str, object] = {"city_code": city.city_code}
        if i % 23 != 11:
            first.append(
                [
                    city.province_zh,
                    city.name_zh,
                    int(offices[i]),
                    float(telephones[i]),
                    float(density[i]),
                ]
            )
            fact |= {
                "post_offices_1984_n": int(offices[i]),
                "telephones_1984_n": round(float(telephones[i]) * 10_000),
                "population_density_1984": float(density[i]),
            }
        if i % 31 != 17:
            second.append([city.short_name, "是" if railway[i] else "否", float(area[i])])
            fact |= {"has_railway_1933": bool(railway[i]), "district_land_area_km2": float(area[i])}
        truth.append(fact)
    write_workbook(folder / "SIMULATED_city_history_1984.xlsx", {"1984": first})
    with (folder / "SIMULATED_railway_1933.csv").open("w", encoding="gb18030", newline="") as sink:
        csv.writer(sink, lineterminator="\r\n").writerows(second)
    return truth
