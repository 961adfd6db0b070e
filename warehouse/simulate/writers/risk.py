"""Writes the simulated geopolitical risk index, in the authors' sheet. Names of countries and
series are real; every value is invented.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.geography import YEARS

RISK_COUNTRIES = [
    "ARG",
    "AUS",
    "BEL",
    "BRA",
    "CAN",
    "CHE",
    "CHL",
    "CHN",
    "COL",
    "DEU",
    "DNK",
    "EGY",
    "ESP",
    "FIN",
    "FRA",
    "GBR",
    "HKG",
    "HUN",
    "IDN",
    "IND",
    "ISR",
    "ITA",
    "JPN",
    "KOR",
    "MEX",
    "MYS",
    "NLD",
    "NOR",
    "PER",
    "PHL",
    "POL",
    "PRT",
    "RUS",
    "SAU",
    "SWE",
    "THA",
    "TUN",
    "TUR",
    "TWN",
    "UKR",
    "USA",
    "VEN",
    "VNM",
    "ZAF",
]
DAY_ZERO = datetime.date(1899, 12, 30)


def write_risk(folder: Path, rng: np.random.Generator) -> None:
    """The authors' sheet: a row a month (a spreadsheet's day number), world series, one series a
    country, and their labels at the right.
    """
    months = [datetime.date(year, month, 1) for year in YEARS for month in range(1, 13)]
    level = np.exp(rng.normal(-1.8, 0.9, len(RISK_COUNTRIES)))
    wave = np.exp(0.25 * np.sin(np.arange(len(months)) / 9.0))
    values = np.round(
        level[None, :]
        * wave[:, None]
        * np.exp(rng.normal(0.0, 0.35, (len(months), len(RISK_COUNTRIES)))),
        6,
    )
    heads: list[Cell] = [
        "month",
        "GPR",
        "GPRT",
        "GPRA",
        *(f"GPRC_{iso3}" for iso3 in RISK_COUNTRIES),
        "var_name",
        "var_label",
    ]
    rows: list[list[Cell]] = [heads]
    for at, month in enumerate(months):
        world: list[Cell] = [round(float(100 * wave[at]), 4)] * 3
        label: list[Cell] = [heads[at], "Simulated series"] if at < len(heads) - 2 else [None, None]
        rows.append(
            [(month - DAY_ZERO).days, *world, *(float(value) for value in values[at]), *label]
        )
    write_workbook(folder / "SIMULATED_data_gpr_export.xlsx", {"Sheet1": rows})
