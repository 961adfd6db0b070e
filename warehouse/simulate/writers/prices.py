"""Writes simulated exchange rates, and consumer prices of cities by category."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from warehouse.simulate.formats.workbooks import Cell, write_workbook
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.nation import CNY_PER_USD

PRICES_YEARS = {"2001-2015": range(2001, 2016), "2016-2021": range(2016, 2022)}
CATEGORIES = {
    "2001-2015": (
        "食品",
        "烟酒及用品",
        "衣着",
        "家庭设备用品及维修服务",
        "医疗保健和个人用品",
        "交通和通信",
        "娱乐教育文化用品及服务",
        "居住",
    ),
    "2016-2021": (
        "食品烟酒",
        "衣着",
        "居住",
        "生活用品及服务",
        "交通和通信",
        "教育文化和娱乐",
        "医疗保健",
        "其他用品和服务",
    ),
}


def write_exchange_rates(folder: Path) -> None:
    rows: list[list[Cell]] = [["年份", "1美元兑人民币（元）"]]
    rows += [[year, rate] for year, rate in zip(YEARS, CNY_PER_USD, strict=True)]
    write_workbook(folder / "SIMULATED_exchange_rates.xlsx", {"Sheet1": rows})


def write_consumer_prices(folder: Path, economy: Economy, rng: np.random.Generator) -> None:
    """Previous year = 100, to one decimal; cities' prices come together over the years, and 2016
    brings other categories.
    """
    growth = 100 * economy.deflator[:, 1:] / economy.deflator[:, :-1]
    overall = 100 + 0.5 * (growth - 100) + rng.normal(0.0, 0.3, growth.shape)
    for span, years in PRICES_YEARS.items():
        names = CATEGORIES[span]
        table: list[list[Cell]] = [["年份", "城市", "居民消费价格指数(上年=100)", *names]]
        common = rng.normal(0.0, 1.5, (len(names), len(years)))
        for i, city in enumerate(economy.cities):
            for t, year in enumerate(years):
                at = YEARS.index(year) - 1
                spread = 1.6 * np.exp(-0.04 * at)
                index = overall[i, at] + common[:, t] + rng.normal(0.0, spread, len(names))
                table.append(
                    [
                        year,
                        city.name_zh,
                        round(float(overall[i, at]), 1),
                        *(round(float(x), 1) for x in index),
                    ]
                )
        write_workbook(folder / f"SIMULATED_consumer_prices_{span}.xlsx", {"Sheet1": table})
