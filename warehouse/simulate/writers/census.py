"""Writes the simulated economic census of 2004, trade over the internet, and investment in internet
services.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.technology import SPLIT_YEARS, TRADE, Census

BAD_ROWS = (
    ("330102", "45X", "1000"),
    ("330102", "610", "-3"),
    ("33O102", "1310", "7"),
    ("330102", "2710", ""),
)


def write_census(folder: Path, economy: Economy, census: Census) -> list[dict[str, object]]:
    """Output in thousand CNY by county and industry, GB18030, codes without their leading zero;
    returns each city's output.
    """
    rows: list[tuple[object, ...]] = []
    truth: list[dict[str, object]] = []
    for city, units, thousands in zip(economy.cities, census.units, census.thousands, strict=True):
        if not units:
            continue
        rows += [
            (unit, int(code), int(n // 40_000) + 1, int(n))
            for i, code in enumerate(census.classes)
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
