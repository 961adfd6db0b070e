"""Simulated sources of virtual agglomeration: the economic census, trade over the internet, consumer prices, work reports.

The list of industries is the project's own; every number and every report's text is invented.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from warehouse.simulate.economy import Economy
from warehouse.simulate.geography import PROJECT, REFERENCE, YEARS, City, city_name_rows, expanded_vintages, read_reference
from warehouse.simulate.workbooks import Cell, write_workbook

CENSUS_YEAR = 2004
CENSUS_VINTAGE = "200412"
CROSSWALK = REFERENCE / "gbt4754_2002_isic4.csv"
WORDS = PROJECT / "dbt_project" / "seeds" / "judgments" / "virtual_agglomeration_words.csv"
UNITS_N = 3  # counties and districts of a city that the census table lists
BAD_ROWS = (("330102", "45X", "1000"), ("330102", "610", "-3"), ("33O102", "1310", "7"), ("330102", "2710", ""))
SPLIT_YEARS = (2004, 2008, 2013, 2018)
TRADE = {"批发业": ((110000, 180000, 420000, 560000), (0.004, 0.010, 0.031, 0.062)), "零售业": ((42000, 61000, 120000, 160000), (0.001, 0.006, 0.034, 0.098))}
PRICES_YEARS = {"2001-2015": range(2001, 2016), "2016-2021": range(2016, 2022)}
CATEGORIES = {
    "2001-2015": ("食品", "烟酒及用品", "衣着", "家庭设备用品及维修服务", "医疗保健和个人用品", "交通和通信", "娱乐教育文化用品及服务", "居住"),
    "2016-2021": ("食品烟酒", "衣着", "居住", "生活用品及服务", "交通和通信", "教育文化和娱乐", "医疗保健", "其他用品和服务"),
}
REPORT_YEARS = range(2005, 2017)
LOOSE_YEAR, LOOSE_N = 2016, 5
SENTENCES = (
    "一年来，全市上下齐心协力，经济运行总体平稳，各项工作取得新的进展。",
    "财政收入稳步增长，民生支出占比继续提高。",
    "农业生产保持稳定，粮食产量再获丰收。",
    "基础设施不断完善，城市面貌持续改善。",
    "教育、卫生、文化事业协调发展，群众生活水平进一步提高。",
    "同时也要看到，发展中还有不少困难，结构调整任务仍然艰巨。",
    "新的一年，要坚持稳中求进，扎实做好各项工作。",
    "要加强生态环境保护，推进污染防治。",
)
FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def write_virtual(folder: Path, economy: Economy, rng: np.random.Generator, progress: Callable[[str], None]) -> dict[str, object]:
    """Write census, reports, the crosswalk (concordance) and consumer prices (prices); returns their truth."""
    for name in ("census", "reports", "concordance", "prices"):
        (folder / name).mkdir(exist_ok=True)
    _write_crosswalk(folder / "concordance")
    output = _write_census(folder / "census", economy, rng)
    _write_trade_split(folder / "census")
    _write_investment(folder / "census")
    _write_prices(folder / "prices", economy, rng)
    words = _write_reports(folder / "reports", economy.cities, rng)
    progress("census, consumer prices, work reports")
    return {"census_output_cny": output, "report_words": words, "census_bad_rows": len(BAD_ROWS)}


def _write_crosswalk(folder: Path) -> None:
    """As it is passed around: ISIC in a cell merged over its rows, codes as numbers that lost their leading zeros."""
    rows: list[list[Cell]] = [["国民经济行业分类（GB/T 4754-2002）与ISIC Rev.4对照表（模拟文件）"], ["ISIC Rev.4", "门类", "大类", "中类", "小类", "类别名称"]]
    last = ""
    for row in sorted(read_reference(CROSSWALK), key=lambda row: (row["isic4_code"], row["gbt2002_code"])):
        isic: Cell = int(row["isic4_code"]) if row["isic4_code"] != last else None
        last = row["isic4_code"]
        code = int(row["gbt2002_code"])
        levels: list[Cell] = [code if row["level"] == level else None for level in ("division", "group", "class")]
        rows.append([isic, row["section"], *levels, row["name_zh"]])
    write_workbook(folder / "SIMULATED_GBT4754-2002_ISIC4.xlsx", {"对照表": rows})


def industry_classes() -> list[str]:
    """Four-digit industries of mining, manufacturing and utilities that the census knows: some real codes, others made up."""
    codes = set()
    for row in read_reference(CROSSWALK):
        code = row["gbt2002_code"]
        if "06" <= code[:2] <= "46":
            codes.update({code.ljust(4, "0")} if len(code) > 2 else {f"{code}10", f"{code}90"})
    return sorted(codes)


def _census_units(city: City) -> list[str]:
    """Codes, as of the census, of the first counties and districts of a city; those of 莱芜 come with 济南."""
    homes = {
        row["division_code"]
        for row in city_name_rows()
        if row["city_code"] == city.city_code and int(row["first_year"]) <= CENSUS_YEAR <= int(row["last_year"]) and row["division_code"] != "4690"
    }
    found: list[str] = []
    for home in sorted(homes):
        prefix = home[:2] if home.endswith("00") else home
        names = expanded_vintages()[CENSUS_VINTAGE]
        codes = [code for code, name in sorted(names.items()) if code.startswith(prefix) and not code.endswith("00") and name not in ("市辖区", "县")]
        found += codes[:UNITS_N]
    return found


def _write_census(folder: Path, economy: Economy, rng: np.random.Generator) -> list[dict[str, object]]:
    """Output in thousand CNY by county and industry, GB18030, codes without their leading zero; returns each city's output."""
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
        thousands = np.floor(np.outer(shares, rng.dirichlet(np.full(len(units), 4.0))) * 3.0 * value / 1000).astype(np.int64)
        rows += [(unit, int(code), int(n // 40_000) + 1, int(n)) for i, code in enumerate(classes) for unit, n in zip(units, thousands[i], strict=True) if n]
        truth.append({"city_code": city.city_code, "output_cny": int(thousands.sum()) * 1000})
    rows += [("341401", 1310, 12, 5_000_000), ("222401", 2010, 3, 800_000)]  # 巢湖 and 延边: outside the spine
    rows += [(place, code, 1, number) for place, code, number in BAD_ROWS]
    with (folder / "SIMULATED_economic_census_2004.csv").open("w", encoding="gb18030", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(["行政区划代码", "行业代码", "企业单位数", "工业总产值(当年价格)(千元)"])
        writer.writerows(rows)
    return truth


def _write_trade_split(folder: Path) -> None:
    rows: list[list[Cell]] = [["中国经济普查年鉴（模拟文件）"], ["年份", "行业", "主营业务收入（亿元）", "其中：互联网（亿元）"]]
    for at, year in enumerate(SPLIT_YEARS):
        rows += [[year, trade, revenue[at], round(revenue[at] * share[at], 1)] for trade, (revenue, share) in TRADE.items()]
    write_workbook(folder / "SIMULATED_internet_trade.xlsx", {"Sheet1": rows})


def _write_investment(folder: Path) -> None:
    rows: list[list[Cell]] = [["年份", "信息传输、软件和信息技术服务业固定资产投资（亿元）"]]
    rows += [[year, round(900 * float(np.exp(0.11 * (year - YEARS[0]) + 0.06 * np.sin(year))), 1)] for year in YEARS]
    write_workbook(folder / "SIMULATED_internet_investment.xlsx", {"Sheet1": rows})


def _write_prices(folder: Path, economy: Economy, rng: np.random.Generator) -> None:
    """Previous year = 100, to one decimal; cities' prices come together over the years, and 2016 brings other categories."""
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
                table.append([year, city.name_zh, round(float(overall[i, at]), 1), *(round(float(x), 1) for x in index)])
        write_workbook(folder / f"SIMULATED_consumer_prices_{span}.xlsx", {"Sheet1": table})


def _write_reports(folder: Path, cities: tuple[City, ...], rng: np.random.Generator) -> list[dict[str, object]]:
    """A zip archive a year, and in the last year some loose files in GB18030; returns how many listed words each report holds."""
    words = [row["word"] for row in read_reference(WORDS)]
    truth: list[dict[str, object]] = []
    for year in REPORT_YEARS:
        packed: dict[str, str] = {}
        for i, city in enumerate(cities):
            text, count = _report(words, year, rng)
            name = f"{city.name_zh}{year}年政府工作报告.txt"
            truth.append({"city_code": city.city_code, "year": year, "words_n": count})
            if year == LOOSE_YEAR and i < LOOSE_N:
                (folder / f"SIMULATED_{name}").write_bytes(text.encode("gb18030"))
            else:
                packed[name] = text
        _write_archive(folder / f"SIMULATED_政府工作报告_{year}.zip", packed)
    return truth


def _report(words: list[str], year: int, rng: np.random.Generator) -> tuple[str, int]:
    count = int(rng.poisson(3.0 * np.exp(0.12 * (year - REPORT_YEARS[0]))))
    chosen = [words[k] for k in rng.integers(0, len(words), count)]
    sentences = [SENTENCES[k] for k in rng.permutation(len(SENTENCES))[:5]]
    named = [f"着力推进{'、'.join(chosen[k : k + 4])}。" for k in range(0, count, 4)]
    return "\n".join(["政府工作报告（模拟文本，并非真实报告）", "各位代表：", *sentences, *named, ""]), count


def _write_archive(path: Path, texts: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(name, date_time=FIXED_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text.encode("utf-8"), compresslevel=1)
