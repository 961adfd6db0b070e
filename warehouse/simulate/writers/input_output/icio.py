"""Writes one simulated world economy as an inter-country table of every edition, each in its own
industries and labels.

The table is computed in the 45 industries of the edition of 2021. Coarser editions add industries
up; the finer one splits an industry into parts of the same technology. So the editions agree on
every coefficient whose industries they share.
"""

from __future__ import annotations

import csv
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.project import SEEDS
from warehouse.simulate.model.geography import read_reference

Array = NDArray[np.float64]
INDUSTRIES = SEEDS / "judgments" / "io_industries.csv"
NAMES = {
    "2016": "SIMULATED_ICIO2016_{year}.csv",
    "2018": "SIMULATED_ICIO2018_{year}.CSV",
    "2023": "SIMULATED_{year}_SML.csv",
    "2025": "SIMULATED_2025ed_{year}_SML.csv",
}
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
FINAL_CODES = {
    "2016": ("HFCE", "NPS", "GGFC", "GFCF", "INV", "DIRP"),
    "2018": ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "P33"),
}


@dataclass(frozen=True)
class WorldTable:
    """A year's table in the industries of 2021, million USD.

    countries : those with numbers of their own (CN1 and CN2, not CHN)
    listed : all that the table prints, in its order
    use : (m * 45, m * 45); final : (m * 45, buyers * 6); output, taxes : (m * 45)
    """

    year: int
    countries: list[str]
    listed: tuple[str, ...]
    buyers: tuple[str, ...]
    use: Array
    final: Array
    output: Array
    taxes: Array


@cache
def grouping(edition: str) -> tuple[list[str], Array]:
    """An edition's industry codes, and the share of each industry of 2021 that belongs to each:
    (industries, 45).
    """
    divisions: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in read_reference(INDUSTRIES):
        if row["source_table"] == "icio":
            divisions[row["edition"]][row["industry_code"]].append(row["isic4_code"])
    old, new = divisions["2021"], divisions[edition]
    parts: dict[str, int] = defaultdict(int)
    for held in new.values():
        for division in held:
            parts[division] += 1
    shares = np.array(
        [
            [sum(1 / parts[d] for d in held if d in own) / len(own) for own in old.values()]
            for held in new.values()
        ]
    )
    return list(new), shares


def regrouped(table: WorldTable, edition: str) -> WorldTable:
    """The same world in another edition's industries."""
    _, shares = grouping(edition)
    wide = np.kron(np.eye(len(table.countries)), shares)
    return WorldTable(
        table.year,
        table.countries,
        table.listed,
        table.buyers,
        wide @ table.use @ wide.T,
        wide @ table.final,
        wide @ table.output,
        wide @ table.taxes,
    )


def write_edition(folder: Path, table: WorldTable, edition: str, is_zipped: bool = False) -> Path:
    """Write a world table as an edition prints it; returns the file."""
    name = NAMES[edition].format(year=table.year)
    path = folder / name
    rows = _rows(regrouped(table, edition), edition)
    with path.open("w", encoding="utf-8", newline="") as sink:
        # The edition of 2016 puts its labels in quotes, and numbers in none.
        writer = csv.writer(
            sink,
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC if edition == "2016" else csv.QUOTE_MINIMAL,
        )
        writer.writerows(rows)
    if not is_zipped:
        return path
    packed = path.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, path.read_bytes())
    path.unlink()
    return packed


def _layout(table: WorldTable, edition: str) -> tuple[list[str], list[str]]:
    """Countries in their order, and labels of final demand."""
    # From 2023 on the small table prints China and Mexico whole.
    countries = [
        c for c in table.listed if edition not in ("2023", "2025") or c[:2] not in ("CN", "MX")
    ]
    final = FINAL_CODES.get(edition, ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR"))
    if edition == "2016":
        return countries, [f"{code}_{buyer}" for code in final for buyer in table.buyers]
    return countries, [f"{buyer}_{code}" for buyer in table.buyers for code in final]


def _rows(table: WorldTable, edition: str) -> list[list[object]]:
    codes, _ = grouping(edition)
    n = len(codes)
    countries, final_labels = _layout(table, edition)
    labels = [f"{country}_{code}" for country in countries for code in codes]
    home = (
        {"CN1": "CHN", "CN2": "CHN", "MX1": "MEX", "MX2": "MEX"}
        if edition in ("2023", "2025")
        else {}
    )
    place = np.zeros((len(labels), len(table.countries) * n))
    for at, country in enumerate(table.countries):
        row = countries.index(home.get(country, country)) * n
        place[row : row + n, at * n : (at + 1) * n] = np.eye(n)
    use, final = place @ table.use @ place.T, place @ table.final
    if edition == "2016":
        final = (
            final.reshape(len(labels), len(table.buyers), -1)
            .transpose(0, 2, 1)
            .reshape(len(labels), -1)
        )
    output, taxes = place @ table.output, place @ table.taxes
    last = "OUT" if edition in ("2023", "2025") else "DISC" if edition == "2016" else "TOTAL"
    head: list[object] = ["V1" if edition in ("2023", "2025") else "", *labels, *final_labels, last]
    body = [
        _numbers(label, [*row, 0.0 if edition == "2016" else float(row.sum())])
        for label, row in zip(labels, np.hstack([use, final]), strict=True)
    ]
    return [head, *body, *_tail(edition, countries, labels, use, taxes, output, len(final_labels))]


def _tail(
    edition: str,
    countries: list[str],
    labels: list[str],
    use: Array,
    taxes: Array,
    output: Array,
    final_n: int,
) -> list[list[object]]:
    """Taxes, value added and output, as the edition names them."""
    none = [0.0] * (final_n + 1)
    added = output - use.sum(axis=0) - taxes
    if edition == "2016":
        return [_numbers("VA+TAXSUB", [*(added + taxes), *none]), _numbers("OUT", [*output, *none])]
    if edition in ("2023", "2025"):
        return [
            _numbers("TLS", [*taxes, *none]),
            _numbers("VA", [*added, *none]),
            _numbers("OUT", [*output, *none]),
        ]
    rows = []
    for country in countries:
        own = np.array([label.startswith(f"{country}_") for label in labels])
        rows.append(_numbers(f"{country}_TAXSUB", [*np.where(own, taxes, 0.0), *none]))
    return [*rows, _numbers("VALU", [*added, *none]), _numbers("OUTPUT", [*output, *none])]


def _numbers(label: str, numbers: list[float]) -> list[object]:
    return [label, *(round(float(number), 6) if number else 0 for number in numbers)]
