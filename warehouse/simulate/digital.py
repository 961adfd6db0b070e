"""Writes what paper C sets cities against: geopolitical risk, world trade with incomes, marketisation, Belt-and-Road countries.

Names and numbers of countries, provinces and series are real; every value is invented. Richer countries export more of the
products that are called sophisticated here, so that a product's complexity, the mean income of its exporters, has an order
that can be found again.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.simulate.economy import Array, Economy
from warehouse.simulate.geography import REFERENCE, SEEDS, YEARS, read_reference, short_province
from warehouse.simulate.nomenclature import nomenclature
from warehouse.simulate.workbooks import Cell, write_workbook

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
# CEPII's numbers are the United Nations', but for France, India, Norway, Switzerland, the United States and the rest of Asia.
EXPORTERS = {
    "ARG": 32, "AUS": 36, "AUT": 40, "BGD": 50, "BEL": 56, "BRA": 76, "CAN": 124, "CHL": 152, "CHN": 156, "COL": 170, "CZE": 203, "DNK": 208, "FIN": 246,
    "FRA": 251, "DEU": 276, "HUN": 348, "IDN": 360, "ISR": 376, "ITA": 380, "JPN": 392, "KAZ": 398, "KOR": 410, "MYS": 458, "MEX": 484, "S19": 490, "NLD": 528,
    "NGA": 566, "NOR": 579, "PAK": 586, "PER": 604, "PHL": 608, "POL": 616, "RUS": 643, "SAU": 682, "IND": 699, "VNM": 704, "ZAF": 710, "ESP": 724,
    "SWE": 752, "CHE": 757, "THA": 764, "TUR": 792, "UKR": 804, "EGY": 818, "GBR": 826, "USA": 842,
}  # fmt: skip
NO_INCOME = ("S19",)  # the World Bank prints no row for it
TRADE_YEARS = range(2011, 2022)
MARKET_YEARS = range(1997, 2020)
DAY_ZERO = datetime.date(1899, 12, 30)
INEFFICIENCY_DEVIATION = 1.0  # of the normal whose size is what a city falls short of the innovation frontier, in logs


def fall_short(economy: Economy, rng: np.random.Generator) -> dict[str, object]:
    """Lower both outputs of innovation by one half-normal shortfall a city and year; returns what the truth says of it."""
    x = economy.indicators
    shortfall = np.abs(rng.normal(0.0, INEFFICIENCY_DEVIATION, x["technology_contracts_n"].shape))
    for name in ("technology_contracts_n", "invention_patents_in_force_n"):
        x[name] = x[name] * np.exp(-shortfall)
    return {"deviation": INEFFICIENCY_DEVIATION, "mean_efficiency_2011_2021": round(float(np.exp(-shortfall[:, 11:]).mean()), 6)}


def write_digital(folder: Path, rng: np.random.Generator, progress: Callable[[str], None]) -> dict[str, object]:
    """Write the folders risk, marketisation and world_trade, and the list of countries into policies; returns what the truth says of them."""
    for name in ("risk", "marketisation", "world_trade"):
        (folder / name).mkdir()
    _write_risk(folder / "risk", rng)
    _write_marketisation(folder / "marketisation", rng)
    order = _write_world_trade(folder / "world_trade", rng)
    rows = read_reference(REFERENCE / "belt_and_road.csv")
    _write_csv(folder / "policies" / "SIMULATED_belt_and_road.csv", [list(rows[0]), *(list(row.values()) for row in rows)])
    progress("geopolitical risk, marketisation, world trade")
    return {"sophistication_by_product": order}


def _write_csv(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as sink:
        csv.writer(sink, lineterminator="\n").writerows(rows)


def _write_risk(folder: Path, rng: np.random.Generator) -> None:
    """The authors' sheet: a row a month (a spreadsheet's day number), world series, one series a country, and their labels at the right."""
    months = [datetime.date(year, month, 1) for year in YEARS for month in range(1, 13)]
    level = np.exp(rng.normal(-1.8, 0.9, len(RISK_COUNTRIES)))
    wave = np.exp(0.25 * np.sin(np.arange(len(months)) / 9.0))
    values = np.round(level[None, :] * wave[:, None] * np.exp(rng.normal(0.0, 0.35, (len(months), len(RISK_COUNTRIES)))), 6)
    heads: list[Cell] = ["month", "GPR", "GPRT", "GPRA", *(f"GPRC_{iso3}" for iso3 in RISK_COUNTRIES), "var_name", "var_label"]
    rows: list[list[Cell]] = [heads]
    for at, month in enumerate(months):
        world: list[Cell] = [round(float(100 * wave[at]), 4)] * 3
        label: list[Cell] = [heads[at], "Simulated series"] if at < len(heads) - 2 else [None, None]
        rows.append([(month - DAY_ZERO).days, *world, *(float(value) for value in values[at]), *label])
    write_workbook(folder / "SIMULATED_data_gpr_export.xlsx", {"Sheet1": rows})


def _write_marketisation(folder: Path, rng: np.random.Generator) -> None:
    """Two reports' tables: short names of provinces, averages of regions among them, a title above and a note below."""
    provinces = list(dict.fromkeys((row["province_name_zh"], row["region"]) for row in read_reference(SEEDS / "cities.csv")))
    start = np.array([{"east": 5.0, "central": 3.9, "west": 3.0, "northeast": 3.8}[region] for _, region in provinces]) + rng.normal(0.0, 0.5, len(provinces))
    pace = rng.normal(0.14, 0.03, len(provinces))
    time = np.arange(len(MARKET_YEARS))
    values = np.round(start[:, None] + pace[:, None] * time[None, :] + rng.normal(0.0, 0.08, (len(provinces), len(time))), 2)
    years = list(MARKET_YEARS)
    for first, last in ((1997, 2009), (2010, 2019)):
        at = [t for t, year in enumerate(years) if first <= year <= last]
        rows: list[list[Cell]] = [["各省份市场化指数总得分（模拟数据）"], ["地区", *(f"{years[t]}年" for t in at)]]
        rows.append(["全国", *(float(round(values[:, t].mean(), 2)) for t in at)])
        rows += [[short_province(name), *(float(values[i, t]) for t in at)] for i, (name, _) in enumerate(provinces)]
        rows.append(["注：模拟数据，非正式发布。"])
        write_workbook(folder / f"SIMULATED_marketisation_{first}_{last}.xlsx", {"市场化指数": rows})


def _write_world_trade(folder: Path, rng: np.random.Generator) -> dict[str, float]:
    """Flows of each year, the list of countries, GDP per head; returns how sophisticated each product was made."""
    goods = nomenclature().codes
    income = np.exp(rng.normal(9.3, 1.0, len(EXPORTERS)))
    rank = (np.log(income) - np.log(income).mean()) / np.log(income).std()
    level = rng.normal(0.0, 1.0, len(goods))
    makes = rng.random((len(EXPORTERS), len(goods))) < 1 / (1 + np.exp(-(rank[:, None] * level[None, :])))
    numbers, codes = np.array(list(EXPORTERS.values())), np.array(goods)
    for year in TRADE_YEARS:
        frame = _flows(year, numbers, codes, makes, rank, level, rng)
        if year < 2015:
            frame["k"] = frame["k"].astype(int)  # older copies hold the code as a number, without its leading zero
        frame.to_csv(folder / f"SIMULATED_BACI_HS02_Y{year}_V202301.csv", index=False, lineterminator="\n")
    heads = [["country_code", "country_name", "country_iso2", "country_iso3"]]
    _write_csv(folder / "SIMULATED_country_codes_V202301.csv", heads + [[str(code), f"Country {iso3}", iso3[:2], iso3] for iso3, code in EXPORTERS.items()])
    _write_income(folder / "SIMULATED_API_NY.GDP.PCAP.KD_DS2_en_csv_v2.csv", income, rng)
    return {str(code): round(float(value), 4) for code, value in zip(goods, level, strict=True)}


def _flows(year: int, numbers: Array, codes: Array, makes: Array, rank: Array, level: Array, rng: np.random.Generator) -> pd.DataFrame:
    """A year's flows: each exporter sells what it makes to one or two others."""
    country, product = np.nonzero(makes)
    times = rng.integers(1, 3, len(country))
    country, product, second = np.repeat(country, times), np.repeat(product, times), np.concatenate([np.arange(n) for n in times])
    partner = (country + 1 + (product + 7 * second) % (len(numbers) - 1)) % len(numbers)
    value = np.exp(rng.normal(6.0, 1.0, len(country)) + 0.5 * rank[country] * level[product] + 0.03 * (year - TRADE_YEARS[0]))
    tons = np.where(rng.random(len(country)) < 0.03, "NA", np.char.mod("%.3f", value / 3))
    columns = {"t": year, "i": numbers[country], "j": numbers[partner], "k": codes[product], "v": np.char.mod("%.3f", value), "q": tons}
    return pd.DataFrame(columns).sort_values(["i", "j", "k"], kind="stable", ignore_index=True)


def _write_income(path: Path, income: Array, rng: np.random.Generator) -> None:
    """The World Bank's csv: quoted, four lines above the heads, years from 1960, a comma at the end of each line; an aggregate among countries."""
    years = range(1960, TRADE_YEARS[-1] + 1)
    growth = rng.normal(0.02, 0.01, len(income))
    kept = [(iso3, at) for at, iso3 in enumerate(EXPORTERS) if iso3 not in NO_INCOME]
    lines = ['"Data Source","World Development Indicators (SIMULATED)",', "", '"Last Updated Date","2023-01-01",', ""]
    lines.append("".join(f'"{head}",' for head in ("Country Name", "Country Code", "Indicator Name", "Indicator Code", *years)))
    for iso3, at in (*kept, ("WLD", None)):
        values = [income[at] * np.exp(growth[at] * (year - 2011)) if at is not None else float(income.mean()) for year in years]
        cells = [f"Country {iso3}", iso3, "GDP per capita (constant 2015 US$)", "NY.GDP.PCAP.KD"]
        cells += [f"{value:.4f}" if year >= 2000 else "" for year, value in zip(years, values, strict=True)]
        lines.append("".join(f'"{cell}",' for cell in cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
