"""Writes the smaller sources of the simulated world, in their publishers' layouts.

Places, neighbours, ports, code lists and policy lists are the project's own tables written back as published, so their
content is real; product tables, exchange rates and the digital finance index are invented.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from warehouse.simulate.digital_finance import write_digital_finance
from warehouse.simulate.economy import CNY_PER_USD, Economy
from warehouse.simulate.geography import MUNICIPALITIES, REFERENCE, SEEDS, YEARS, expanded_vintages, read_reference
from warehouse.simulate.nomenclature import bec_code, nomenclature
from warehouse.simulate.workbooks import Cell, write_workbook


def write_tables(folder: Path, economy: Economy, rng: np.random.Generator, progress: Callable[[str], None]) -> None:
    """Write concordance, divisions, postcodes, geography, prices, policies and digital finance, a folder each."""
    for name, write in {
        "concordance": _write_concordance,
        "divisions": _write_divisions,
        "postcodes": _write_postcodes,
        "geography": _write_geography,
        "prices": _write_prices,
        "policies": _write_policies,
    }.items():
        (folder / name).mkdir()
        write(folder / name)
    (folder / "digital_finance").mkdir()
    write_digital_finance(folder / "digital_finance", economy, rng)
    progress("product tables, geography, prices, policies, digital finance")


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as sink:
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _write_concordance(folder: Path) -> None:
    """The four pairs of revisions, each workbook in the layout that UNSD gave that pair, and HS 2002 to BEC."""
    goods = nomenclature()
    new = goods.revisions[2017]
    write_workbook(
        folder / "SIMULATED_HS2017toHS2002ConversionAndCorrelationTables.xlsx",
        {
            "Conversion HS17-HS02": [["From HS 2017", "To HS 2002"], *([code, old] for code, old in sorted(new.converted.items()))],
            "Correlation HS17-HS02": [
                ["Between", "", ""],
                ["HS 2017", "HS 2002", "Relationship"],
                *([code, old, kind] for code, old, kind in new.correlation()),
            ],
        },
    )
    mid = goods.revisions[2012]
    preamble: list[list[Cell]] = [[None, "Simulated table HS 2012 to HS 2002"], [], [None, "not an official table"], [], []]
    write_workbook(
        folder / "SIMULATED_HS 2012 to HS 2002 Correlation and conversion tables.xlsx",
        {
            "Correlation HS2012-HS2002": [
                *preamble,
                [None, None, "HS 2012", "HS 2002", "Relationship"],
                *([None, None, code, old, kind.replace(":", " to ")] for code, old, kind in mid.correlation()),
            ],
            "Conversion HS 2012-HS 2002": [*preamble, [None, None, "HS 2012", "HS 2002"], *([None, None, *pair] for pair in sorted(mid.converted.items()))],
        },
    )
    _write_pair(folder / "SIMULATED_HS 2007 to HS 2002 Correlation and conversion tables.xlsx", "HS 2007", "HS 2002", goods.revisions[2007].correlation(),
                sorted(goods.revisions[2007].converted.items()), "")  # fmt: skip
    backward = {"1:1": "1:1", "n:1": "1:n", "1:n": "n:1", "n:n": "n:n"}
    pairs = sorted((new_code, old_code, backward[kind]) for old_code, new_code, kind in goods.revisions[1996].correlation())
    targets = {code: [old for new_code, old, _ in pairs if new_code == code] for code in goods.codes}
    converted = [(code, code if code in olds else min(olds)) for code, olds in targets.items()]
    _write_pair(folder / "SIMULATED_HS2002 to HS1996 - Correlation and conversion tables.xlsx", "HS 2002", "HS 1996", pairs, converted, "'")
    rows = [(code, bec_code(code), "n to 1") for code in goods.codes]
    _write_csv(folder / "SIMULATED_HS2002 to BEC Conversion and Correlation Tables.csv", ["HS02", "BEC", "Relationship"], rows, "utf-8-sig")


def _write_pair(path: Path, new: str, old: str, correlation: list[tuple[str, str, str]], conversion: list[tuple[str, str]], mark: str) -> None:
    """The layout of the pairs of 2007 and before: "ex" marks a code of which only a part is meant."""
    write_workbook(
        path,
        {
            "Correlation Tables": [
                ["Between"],
                [new, "ex.", old, "Relationship"],
                *([code, "ex" if kind in ("1:n", "n:n") else None, other, mark + kind] for code, other, kind in correlation),
            ],
            "Conversion Tables": [["From", "To"], [new, old], *([code, other] for code, other in conversion)],
        },
    )


def _write_divisions(folder: Path) -> None:
    for vintage, names in expanded_vintages().items():
        text = json.dumps(dict(sorted(names.items())), ensure_ascii=False, indent=2)
        (folder / f"SIMULATED_{vintage}.json").write_text(text + "\n", encoding="utf-8")


def _write_postcodes(folder: Path) -> None:
    rows = [
        (row["province_name_zh"], row["city_name_zh"], row["county_name_zh"], row["longitude"], row["latitude"], row["postcode"])
        for row in read_reference(REFERENCE / "district_postcodes.csv")
    ]
    _write_csv(folder / "SIMULATED_postcodes_by_district.csv", ["province", "city", "county", "longitude", "latitude", "zipCode"], rows)


def _write_geography(folder: Path) -> None:
    names = {row["city_code"]: row["city_name_zh"] for row in read_reference(SEEDS / "cities.csv")}
    pairs = [(row["city_code"], row["neighbour_code"]) for row in read_reference(REFERENCE / "city_adjacency.csv")]
    rows = [(_adcode(a), _adcode(b), names[a], names[b]) for a, b in pairs if a < b]
    _write_csv(folder / "SIMULATED_city_adjacency.csv", ["adcode_left", "adcode_right", "city_left", "city_right"], rows)
    ports = read_reference(REFERENCE / "ports.csv")
    header = ["port_name_zh", "port_name_en", "longitude", "latitude"]
    _write_csv(folder / "SIMULATED_ports.csv", header, [[row[name] for name in header] for row in ports])


def _adcode(city_code: str) -> str:
    """The six-digit code that boundary files give a city: 330100, and 110100 for a municipality."""
    return f"{city_code[:2]}0100" if city_code[:2] in MUNICIPALITIES else f"{city_code}00"


def _write_prices(folder: Path) -> None:
    rows: list[list[Cell]] = [["年份", "1美元兑人民币（元）"]]
    rows += [[year, rate] for year, rate in zip(YEARS, CNY_PER_USD, strict=True)]
    write_workbook(folder / "SIMULATED_exchange_rates.xlsx", {"Sheet1": rows})


def _write_policies(folder: Path) -> None:
    for name in ("policy_zones", "resource_cities", "city_lists"):
        rows = read_reference(REFERENCE / f"{name}.csv")
        _write_csv(folder / f"SIMULATED_{name}.csv", list(rows[0]), [list(row.values()) for row in rows])
