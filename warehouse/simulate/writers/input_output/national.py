"""Writes simulated input-output tables in the OECD's layouts: national tables of China, and a small
ICIO in each of its editions.

Every table balances to its last printed digit: a row's sales add up to its output, and so do a
column's purchases, taxes and value added. Million USD.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.technology import INDUSTRIES, NATIONAL_YEARS, Technology
from warehouse.simulate.writers.input_output.icio import WorldTable, write_edition

Array = NDArray[np.float64]

ICIO_YEARS = (2010, 2015)
OTHER_EDITIONS = ("2016", "2018", "2023", "2025")  # of the first of these years
FINAL_DEMAND = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "CONS_ABR", "CONS_NONRES", "EXPO", "IMPO")
FINAL_SHARES = {
    "HFCE": 0.40,
    "NPISH": 0.004,
    "GGFC": 0.14,
    "GFCF": 0.38,
    "CONS_ABR": 0.005,
    "CONS_NONRES": 0.005,
    "EXPO": 0.22,
}
# The world of the small ICIO: printed without numbers of their own are CHN and MEX, which stand as
# CN1 + CN2 and MX1 + MX2.
ICIO_COUNTRIES = ("CHN", "DEU", "JPN", "KOR", "MEX", "ROW", "USA", "CN1", "CN2", "MX1", "MX2")
ICIO_SIZES = {
    "DEU": 0.055,
    "JPN": 0.085,
    "KOR": 0.025,
    "ROW": 0.44,
    "USA": 0.24,
    "CN1": 0.1,
    "CN2": 0.035,
    "MX1": 0.014,
    "MX2": 0.006,
}
ICIO_FINAL_COUNTRIES = ("CHN", "DEU", "JPN", "KOR", "MEX", "ROW", "USA")
ICIO_FINAL_DEMAND = {
    "HFCE": 0.58,
    "NPISH": 0.01,
    "GGFC": 0.16,
    "GFCF": 0.22,
    "INVNT": 0.01,
    "DPABR": 0.02,
}
HOME_SHARE = 0.85


def write_input_output(
    folder: Path,
    technology: Technology,
    rng: np.random.Generator,
    progress: Callable[[str], None],
) -> None:
    """Write all tables into `folder`."""
    demand = technology.demand
    for year in NATIONAL_YEARS:
        level = 2.4e6 * np.exp(
            0.15 * (year - NATIONAL_YEARS[0]) - 0.0015 * (year - NATIONAL_YEARS[0]) ** 2
        )
        _write_national(
            folder / f"SIMULATED_oecd_national_io_2021ed_CHN_{year}.csv",
            technology.of(year),
            demand,
            level,
        )
    for year in ICIO_YEARS:
        level = 6.5e7 if year == ICIO_YEARS[0] else 7.4e7
        world = _world_table(year, technology.of(year), demand, level, rng)
        _write_icio(folder / f"SIMULATED_ICIO2021_{year}.csv", world)
        for edition in OTHER_EDITIONS if year == ICIO_YEARS[0] else ():
            write_edition(folder, world, edition, is_zipped=edition in ("2018", "2025"))
    progress("input-output tables")


def _write_national(path: Path, coefficients: Array, demand: Array, level: float) -> None:
    """45 rows and columns of industries 01-45, then final demand, taxes, value added and output."""
    n = len(INDUSTRIES)
    final = {
        name: np.round(level * share * demand * (1 + 0.3 * np.cos(np.arange(n) + k)), 1)
        for k, (name, share) in enumerate(FINAL_SHARES.items())
    }
    supply = np.linalg.solve(np.eye(n) - coefficients, np.asarray(sum(final.values())))
    imports = np.round(-0.07 * supply * (1 + 0.5 * np.sin(np.arange(n))), 1)
    imports[-1] = 0.0
    output = np.round(supply + imports, 1)
    use = np.round(coefficients * output, 1)
    fixed: Array = np.asarray(sum(final.values())) + imports + use.sum(axis=1)
    final = {**final, "IMPO": imports, "INVNT": np.round(output - fixed, 1)}
    taxes = np.round(0.02 * output, 1)
    total = np.round(use.sum(axis=0) + taxes, 1)
    taxes_on_final = {
        name: round(0.03 * float(final[name].sum()), 1) if name in ("HFCE", "GFCF") else 0.0
        for name in FINAL_DEMAND
    }
    numbers = {
        **{f"{i + 1:02d}": [*use[i], *(final[name][i] for name in FINAL_DEMAND)] for i in range(n)},
        "TXS_IMP_FNL": [0.0] * (n + len(FINAL_DEMAND)),
        "TXS_INT_FNL": [*taxes, *taxes_on_final.values()],
        "TTL_INT_FNL": [
            *total,
            *(float(final[name].sum()) + taxes_on_final[name] for name in FINAL_DEMAND),
        ],
        "VALU": [*(output - total), *[0.0] * len(FINAL_DEMAND)],
        "OUTPUT": [*output, *[0.0] * len(FINAL_DEMAND)],
    }
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["Code", "Description", *(f"{i + 1:02d}" for i in range(n)), *FINAL_DEMAND])
        for code, row in numbers.items():
            label = (
                f"Simulated industry {INDUSTRIES[int(code) - 1]}"
                if code.isdigit()
                else f"Simulated row {code}"
            )
            writer.writerow([code, label, *(f"{number + 0.0:.1f}" for number in row)])


def _icio_technology(coefficients: Array, rng: np.random.Generator) -> tuple[list[str], Array]:
    """World input coefficients: each industry buys most at home, the rest from all countries by
    their size.
    """
    real = [country for country in ICIO_COUNTRIES if country in ICIO_SIZES]
    n, m = len(INDUSTRIES), len(real)
    sizes = np.array([ICIO_SIZES[country] for country in real])
    world = np.zeros((m * n, m * n))
    for user in range(m):
        taste = np.exp(rng.normal(0.0, 0.15, (n, n)))
        total = coefficients * taste
        total *= np.divide(
            coefficients.sum(axis=0),
            total.sum(axis=0),
            out=np.zeros(n),
            where=total.sum(axis=0) > 0,
        )
        for seller in range(m):
            share = (1 - HOME_SHARE) * sizes[seller] + (HOME_SHARE if seller == user else 0.0)
            world[seller * n : (seller + 1) * n, user * n : (user + 1) * n] = total * share
    return real, world


def _icio_demand(real: list[str], demand: Array, level: float) -> Array:
    """Final demand, sellers' industries by buyers' components; China's and Mexico's buyers are not
    split.
    """
    n = len(INDUSTRIES)
    parts = {"CHN": ("CN1", "CN2"), "MEX": ("MX1", "MX2")}
    columns = []
    for buyer in ICIO_FINAL_COUNTRIES:
        own = parts.get(buyer, (buyer,))
        size = sum(ICIO_SIZES[country] for country in own)
        sold = np.concatenate(
            [
                demand
                * (
                    (1 - HOME_SHARE) * ICIO_SIZES[c]
                    + (HOME_SHARE * ICIO_SIZES[c] / size if c in own else 0.0)
                )
                for c in real
            ]
        )
        columns += [sold * level * size * share for share in ICIO_FINAL_DEMAND.values()]
    return np.stack(columns, axis=1).reshape(len(real) * n, -1)


def _world_table(
    year: int, coefficients: Array, demand: Array, level: float, rng: np.random.Generator
) -> WorldTable:
    """A year's world economy, balanced to its last printed digit."""
    real, technology = _icio_technology(coefficients, rng)
    final = np.round(_icio_demand(real, demand, level), 3)
    rough = np.linalg.solve(np.eye(len(technology)) - technology, final.sum(axis=1))
    use = np.round(technology * rough, 3)
    output = np.round(use.sum(axis=1) + final.sum(axis=1), 3)
    return WorldTable(
        year,
        real,
        ICIO_COUNTRIES,
        ICIO_FINAL_COUNTRIES,
        use,
        final,
        output,
        np.round(0.015 * output, 3),
    )


def _write_icio(path: Path, world: WorldTable) -> None:
    """Rows and columns <country>_<industry>; then final demand and TOTAL, taxes less subsidies,
    VALU and OUTPUT.
    """
    n = len(INDUSTRIES)
    use, final, output = world.use, world.final, world.output
    labels = [f"{country}_{industry}" for country in ICIO_COUNTRIES for industry in INDUSTRIES]
    place = np.array(
        [ICIO_COUNTRIES.index(country) * n + i for country in world.countries for i in range(n)]
    )
    table = np.zeros((len(labels), len(labels) + final.shape[1]))
    table[np.ix_(place, place)] = use
    table[place, len(labels) :] = final
    wide_output = np.zeros(len(labels))
    wide_output[place] = output
    taxes = np.round(0.015 * wide_output, 3)
    final_labels = [
        f"{country}_{code}" for country in ICIO_FINAL_COUNTRIES for code in ICIO_FINAL_DEMAND
    ]
    none = np.zeros(final.shape[1])
    tail: dict[str, Array] = {}
    for country in ICIO_COUNTRIES:
        own = np.array([label.startswith(f"{country}_") for label in labels])
        tail[f"{country}_TAXSUB"] = np.concatenate([np.where(own, taxes, 0.0), none])
    tail["VALU"] = np.concatenate([wide_output - table[:, : len(labels)].sum(axis=0) - taxes, none])
    tail["OUTPUT"] = np.concatenate([wide_output, none])
    with path.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(["V1", *labels, *final_labels, "TOTAL"])
        for label, row in [*zip(labels, table, strict=True), *tail.items()]:
            writer.writerow(
                [
                    label,
                    *(
                        f"{number:.3f}" if number else "0"
                        for number in [*row.tolist(), float(row.sum())]
                    ),
                ]
            )
