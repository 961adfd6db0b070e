"""Writes the simulated economic census of 2004, trade over the internet, and investment in internet
services.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import (
    YEARS,
    City,
    city_name_rows,
    expanded_vintages,
    read_reference,
)
from warehouse.simulate.writers.concordance import CROSSWALK

CENSUS_YEAR = 2004
CENSUS_VINTAGE = "200412"
UNITS_N = 3  # counties and districts of a city that the census table lists
BAD_ROWS = (
    ("330102", "45X", "1000"),
    ("330102", "610", "-3"),
    ("33O102", "1310", "7"),
    ("330102", "2710", ""),
)
SPLIT_YEARS = (2004, 2008, 2013, 2018)
TRADE = {
    "批发业": ((110000, 180000, 420000, 560000), (0.004, 0.010, 0.031, 0.062)),
    "零售业": ((42000, 61000, 120000, 160000), (0.001, 0.006, 0.034, 0.098)),
}


def industry_classes() -> list[str]:
    """Four-digit industries of mining, manufacturing and utilities that the census knows: some real
    codes, others made up.
    """
    codes = set()
    for row in read_reference(CROSSWALK):
        code = row["gbt2002_code"]
        if "06" <= code[:2] <= "46":
            codes.update({code.ljust(4, "0")} if len(code) > 2 else {f"{code}10", f"{code}90"})
    return sorted(codes)


def _census_units(city: City) -> list[str]:
    """Codes, as of the census, of the first counties and districts of a city; those of 莱芜 come
    with 济南.
    """
    homes = {
        row["division_code"]
        for row in city_name_rows()
        if row["city_code"] == city.city_code
        and int(row["first_year"]) <= CENSUS_YEAR <= int(row["last_year"])
        and row["division_code"] != "4690"
    }
    found: list[str] = []
    for home in sorted(homes):
        prefix = home[:2] if home.endswith("00") else home
        names = expanded_vintages()[CENSUS_VINTAGE]
        codes = [
            code
            for code, name in sorted(names.items())
            if code.startswith(prefix) and not code.endswith("00") and name not in ("市辖区", "县")
        ]
        found += codes[:UNITS_N]
    return found


def write_census(
    folder: Path, economy: Economy, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Output in thousand CNY by county and industry, GB18030, codes without their leading zero;
    returns each city's output.
    """
    classes = industry_classes()
    base = rng.gamma(0.6, 1.0, len(classes))
    rows: list[tuple[object, ...]] = []
    truth: list[dict[str, object]] = []
    secondary = economy.indicators["gdp_secondary_cny"][:, YEARS.index(CENSUS_YEAR)]
    for city, value in zip(economy.cities, secondary, strict=True):
        units = _census_units(city)
        if not units:
            continue
        shares = base * rng.gamma(0.7, 1.0, len(classes)) * (rng.random(len(classes)) < 0.7)
        shares /= shares.sum()
        thousands = np.floor(
            np.outer(shares, rng.dirichlet(np.full(len(units), 4.0))) * 3.0 * value / 1000
        ).astype(np.int64)
        rows += [
            (unit, int(code), int(n // 40_000) + 1, int(n))
            for i, code in enumerate(classes)
            for unit, n in zip(units, thousands[i], strict=True)
            if n
        ]
        truth.append({"city_code": city.city_code, "output_cny": int(thousands.sum()) * 1000})
    rows += [
        ("341401", 1310, 12, 5_000_000),
        ("222401", 2010, 3, 800_000),
    ]  # 巢湖 and 延边: outside the spine
    rows += [(place, code, 1, number) for place, code, number in BAD_ROWS]
    with (folder / "SIMULATED_economic_census_2004.csv").open(
        "w", encoding="gb18030", newline=""
    ) as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(["行政区划代码", "行业代码", "企业单位数", "工业总产值(当年价格)(千元)"])
        writer.writerows(rows)
    return truth


def write_trade_split(folder: Path) -> None:
    rows: list[list[Cell]] = [
        ["中国经济普查年鉴（模拟文件）"],
        ["年份", "行业", "主营业务收入（亿元）", "其中：互联网（亿元）"],
    ]
    for at, year in enumerate(SPLIT_YEARS):
        rows += [
            [year, trade, revenue[at], round(revenue[at] * share[at], 1)]
            for trade, (revenue, share) in TRADE.items()
        ]
    write_workbook(folder / "SIMULATED_internet_trade.xlsx", {"Sheet1": rows})


def write_investment(folder: Path) -> None:
    rows: list[list[Cell]] = [["年份", "信息传输、软件和信息技术服务业固定资产投资（亿元）"]]
    rows += [
        [year, round(900 * float(np.exp(0.11 * (year - YEARS[0]) + 0.06 * np.sin(year))), 1)]
        for year in YEARS
    ]
    write_workbook(folder / "SIMULATED_internet_investment.xlsx", {"Sheet1": rows})
