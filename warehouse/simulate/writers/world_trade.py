"""Writes simulated world trade: BACI flows, its list of countries, the World Bank's GDP per head.

Richer countries export more of the products that are called sophisticated here, so that a product's
complexity, the mean income of its exporters, has an order that can be found again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from warehouse.simulate.formats.csvs import write_csv
from warehouse.simulate.model.nomenclature import nomenclature
from warehouse.simulate.model.shocks import Array

# CEPII's numbers are the United Nations', but for France, India, Norway, Switzerland, the United
# States and the rest of Asia.
EXPORTERS = {
    "ARG": 32, "AUS": 36, "AUT": 40, "BGD": 50, "BEL": 56, "BRA": 76, "CAN": 124, "CHL": 152,
    "CHN": 156, "COL": 170, "CZE": 203, "DNK": 208, "FIN": 246,
    "FRA": 251, "DEU": 276, "HUN": 348, "IDN": 360, "ISR": 376, "ITA": 380, "JPN": 392, "KAZ": 398,
    "KOR": 410, "MYS": 458, "MEX": 484, "S19": 490, "NLD": 528,
    "NGA": 566, "NOR": 579, "PAK": 586, "PER": 604, "PHL": 608, "POL": 616, "RUS": 643, "SAU": 682,
    "IND": 699, "VNM": 704, "ZAF": 710, "ESP": 724,
    "SWE": 752, "CHE": 757, "THA": 764, "TUR": 792, "UKR": 804, "EGY": 818, "GBR": 826, "USA": 842,
}  # fmt: skip
NO_INCOME = ("S19",)  # the World Bank prints no row for it
TRADE_YEARS = range(2011, 2022)


def write_world_trade(folder: Path, rng: np.random.Generator) -> dict[str, float]:
    """Flows of each year, the list of countries, GDP per head; returns how sophisticated each
    product was made.
    """
    goods = nomenclature().codes
    income = np.exp(rng.normal(9.3, 1.0, len(EXPORTERS)))
    rank = (np.log(income) - np.log(income).mean()) / np.log(income).std()
    level = rng.normal(0.0, 1.0, len(goods))
    makes = rng.random((len(EXPORTERS), len(goods))) < 1 / (
        1 + np.exp(-(rank[:, None] * level[None, :]))
    )
    numbers, codes = np.array(list(EXPORTERS.values())), np.array(goods)
    for year in TRADE_YEARS:
        frame = _flows(year, numbers, codes, makes, rank, level, rng)
        if year < 2015:
            frame["k"] = frame["k"].astype(
                int
            )  # older copies hold the code as a number, without its leading zero
        frame.to_csv(
            folder / f"SIMULATED_BACI_HS02_Y{year}_V202301.csv", index=False, lineterminator="\n"
        )
    heads = ["country_code", "country_name", "country_iso2", "country_iso3"]
    write_csv(
        folder / "SIMULATED_country_codes_V202301.csv",
        heads,
        [[str(code), f"Country {iso3}", iso3[:2], iso3] for iso3, code in EXPORTERS.items()],
    )
    _write_income(folder / "SIMULATED_API_NY.GDP.PCAP.KD_DS2_en_csv_v2.csv", income, rng)
    return {str(code): round(float(value), 4) for code, value in zip(goods, level, strict=True)}


def _flows(
    year: int,
    numbers: Array,
    codes: Array,
    makes: Array,
    rank: Array,
    level: Array,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """A year's flows: each exporter sells what it makes to one or two others."""
    country, product = np.nonzero(makes)
    times = rng.integers(1, 3, len(country))
    country, product, second = (
        np.repeat(country, times),
        np.repeat(product, times),
        np.concatenate([np.arange(n) for n in times]),
    )
    partner = (country + 1 + (product + 7 * second) % (len(numbers) - 1)) % len(numbers)
    value = np.exp(
        rng.normal(6.0, 1.0, len(country))
        + 0.5 * rank[country] * level[product]
        + 0.03 * (year - TRADE_YEARS[0])
    )
    tons = np.where(rng.random(len(country)) < 0.03, "NA", np.char.mod("%.3f", value / 3))
    columns = {
        "t": year,
        "i": numbers[country],
        "j": numbers[partner],
        "k": codes[product],
        "v": np.char.mod("%.3f", value),
        "q": tons,
    }
    return pd.DataFrame(columns).sort_values(["i", "j", "k"], kind="stable", ignore_index=True)


def _write_income(path: Path, income: Array, rng: np.random.Generator) -> None:
    """The World Bank's csv: quoted, four lines above the heads, years from 1960, a comma at the end
    of each line; an aggregate among countries.
    """
    years = range(1960, TRADE_YEARS[-1] + 1)
    growth = rng.normal(0.02, 0.01, len(income))
    kept = [(iso3, at) for at, iso3 in enumerate(EXPORTERS) if iso3 not in NO_INCOME]
    lines = [
        '"Data Source","World Development Indicators (SIMULATED)",',
        "",
        '"Last Updated Date","2023-01-01",',
        "",
    ]
    lines.append(
        "".join(
            f'"{head}",'
            for head in ("Country Name", "Country Code", "Indicator Name", "Indicator Code", *years)
        )
    )
    for iso3, at in (*kept, ("WLD", None)):
        values = [
            (
                income[at] * np.exp(growth[at] * (year - 2011))
                if at is not None
                else float(income.mean())
            )
            for year in years
        ]
        cells = [f"Country {iso3}", iso3, "GDP per capita (constant 2015 US$)", "NY.GDP.PCAP.KD"]
        cells += [
            f"{value:.4f}" if year >= 2000 else ""
            for year, value in zip(years, values, strict=True)
        ]
        lines.append("".join(f'"{cell}",' for cell in cells))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
