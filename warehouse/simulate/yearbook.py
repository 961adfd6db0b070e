"""Writes the simulated city yearbooks: official sheets, a processed panel, and a panel of real GDP.

Official sheets are one workbook a yearbook (yearbook N prints year N-1); the processed panel continues them from 2012, and
where both print a number they print the same. The panel of real GDP has no gaps.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.economy import Economy
from warehouse.simulate.geography import YEARS, City, former_city
from warehouse.simulate.workbooks import Cell, write_workbook
from warehouse.sources.yearbook.headers import HEADERS, Header, panel_head, sheet_head

SHEET_YEARS = range(2000, 2014)
PANEL_YEARS = range(2012, 2022)
LAIWU_SHARE = 0.08  # of 济南 as it is now; printed by itself up to 2018
CHAOHU_SHARE = 0.3  # of 合肥; printed up to 2010
MISSING_SHARE = 0.02
# Ends of the ten years that paper D studies; a gap there cannot be filled between two known years.
MISSING_SHARE_AT_ENDS = 0.003
ENDS = (2012, 2021)
PANEL_ONLY = ("population_resident_n",)
SHEETS_ONLY = ("population_nonagricultural_n",)
NOT_SHARED_OUT = ("gdp_index_pct", "urban_disposable_income_cny", "urbanisation_share", "road_area_per_head_m2")
DECIMALS = {"万人": 2, "%": 2, "上年=100": 1, "万户": 2, "平方米": 2}
THEMES = {
    "人口土地": ("population_registered_n", "population_nonagricultural_n", "area_km2", "urbanisation_share"),
    "国民经济": ("gdp_cny", "gdp_primary_cny", "gdp_secondary_cny", "gdp_tertiary_cny", "gdp_index_pct"),
    "外经贸易": ("fdi_usd", "imports_cny", "exports_cny", "retail_sales_cny", "fixed_investment_cny"),
    "财政金融": (
        "fiscal_revenue_cny", "fiscal_expenditure_cny", "science_expenditure_cny", "education_expenditure_cny",
        "deposits_cny", "loans_cny", "household_savings_cny",
    ),
    "劳动工资": ("employees_n", "tertiary_employees_n", "it_employees_n", "registered_unemployed_n", "urban_disposable_income_cny"),
    "教育卫生": ("university_students_n", "hospital_beds_n", "patents_granted_n"),
    "邮电环境": ("telecom_revenue_cny", "broadband_users_n", "mobile_users_n", "internet_users_n", "industrial_dust_t", "road_area_per_head_m2"),
}  # fmt: skip
TRUTH_CITIES = ("3301", "3100", "4206", "5205", "4403")
TRUTH_YEARS = (2003, 2010, 2012, 2021)


@dataclass(frozen=True)
class Printed:
    """What yearbooks print of one indicator and scope: numbers in the head's unit, nan where the cell is empty."""

    header: Header
    scope: str
    numbers: NDArray[np.float64]


def write_yearbooks(folder: Path, economy: Economy, rng: np.random.Generator, progress: Callable[[str], None]) -> list[dict[str, object]]:
    """Write all yearbook files; returns what a faultless pipeline must find for a handful of cities and years."""
    printed = print_all(economy, rng)
    for year in SHEET_YEARS:
        write_workbook(folder / f"SIMULATED_city_yearbook_{year + 1}.xlsx", _sheets(economy, printed, year, rng))
    progress("yearbooks 2001-2014")
    _write_panel(folder / "SIMULATED_city_panel_2012_2021.csv", economy, printed)
    _write_real_gdp(folder / "SIMULATED_real_gdp_2000_2021.xlsx", economy)
    progress("city panels")
    return yearbook_truth(economy, printed)


def print_all(economy: Economy, rng: np.random.Generator) -> dict[tuple[str, str], Printed]:
    """Round every series to the decimals of its unit and blank out a few cells."""
    printed = {}
    for header in _usual_headers():
        for scope, values in (("city", economy.indicators), ("district", economy.district)):
            if header.indicator not in values:
                continue
            numbers = np.round(values[header.indicator] / header.factor, DECIMALS.get(header.unit, 0))
            chance = np.where(np.isin(YEARS, ENDS), MISSING_SHARE_AT_ENDS, MISSING_SHARE)[None, :]
            missing = rng.random(numbers.shape) < chance
            if header.indicator in ("gdp_cny", "area_km2"):
                missing &= ~np.isin(YEARS, range(2012, 2022))[None, :]
            printed[header.indicator, scope] = Printed(header, scope, np.where(missing, np.nan, numbers))
    return printed


def _usual_headers() -> list[Header]:
    """The first, usual head of each indicator."""
    usual: dict[str, Header] = {}
    for header in HEADERS:
        usual.setdefault(header.indicator, header)
    return list(usual.values())


def _sheets(economy: Economy, printed: dict[tuple[str, str], Printed], year: int, rng: np.random.Generator) -> dict[str, list[list[Cell]]]:
    """One yearbook: a sheet a theme, its cities under their provinces, 全市 and 市辖区 side by side."""
    t = year - YEARS[0]
    rows = _city_rows(economy.cities, year)
    sheets = {}
    for theme, indicators in THEMES.items():
        columns = [printed[key] for name in indicators for key in ((name, "city"), (name, "district")) if key in printed]
        width = 2 + len(columns)
        title: list[Cell] = [f"中国城市统计年鉴 {year + 1}（模拟）", *[None] * (width - 1)]
        heads: list[Cell] = [None, None, *(sheet_head(column.header) if column.scope == "city" else None for column in columns)]
        scopes: list[Cell] = ["城市", "City", *("全市" if column.scope == "city" else "市辖区" for column in columns)]
        body: list[list[Cell]] = []
        for name, english, city, share in rows:
            if city < 0:
                body.append([name, english, *[None] * len(columns)])
                continue
            blank = "　" if rng.random() < 0.1 else "  " if rng.random() < 0.3 else ""
            body.append([blank + name, english, *(_cell(column, city, t, share) for column in columns)])
        sheets[theme] = [title, heads, scopes, *body]
    return sheets


def _cell(column: Printed, city: int, t: int, share: float) -> Cell:
    """A number as it is printed; missing ones are blank, some of them a comma."""
    number = float(column.numbers[city, t])
    if np.isnan(number):
        return "," if (city + t) % 4 == 0 else None
    if share != 1 and column.header.indicator not in NOT_SHARED_OUT:
        number = round(number * share, DECIMALS.get(column.header.unit, 0))
    return int(number) if number.is_integer() else number


def _city_rows(cities: tuple[City, ...], year: int) -> list[tuple[str, str, int, float]]:
    """Rows of a sheet: (name, English name, index of the city or -1 for a province, share of the city's numbers)."""
    rows: list[tuple[str, str, int, float]] = []
    province = ""
    for index, city in enumerate(cities):
        if city.since > year or not city.places[year]:
            continue
        if city.province_zh != province and city.tier != "municipality":
            rows.append((city.province_zh, "Province", -1, 1.0))
        province = city.province_zh
        name = city.places[year][0]
        if city.city_code == "3701" and year <= 2018:
            rows += [(name, city.name_en, index, 1 - LAIWU_SHARE), (former_city("3712").name_zh, "Laiwu", index, LAIWU_SHARE)]
        elif city.city_code == "3401" and year <= 2010:
            rows += [(name, city.name_en, index, 1.0), (former_city("3414").name_zh, "Chaohu", index, CHAOHU_SHARE)]
        else:
            rows.append((name, city.name_en, index, 1.0))
    return rows


def division_code(city: City) -> str:
    """The six-digit code that panels print: 330100, and 110000 for a municipality."""
    return f"{city.city_code}00"


def _write_panel(path: Path, economy: Economy, printed: dict[tuple[str, str], Printed]) -> None:
    columns = [column for (name, _), column in printed.items() if name not in SHEETS_ONLY]
    with path.open("w", encoding="gb18030", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(["行政区划代码", "年份", "城市", *(panel_head(column.header, column.scope) for column in columns)])
        for index, city in enumerate(economy.cities):
            for year in PANEL_YEARS:
                cells = [_cell(column, index, year - YEARS[0], _own_share(city, year)) for column in columns]
                writer.writerow([division_code(city), year, city.name_zh, *("" if cell in (None, ",") else cell for cell in cells)])
                if city.city_code == "3701" and year <= 2018:
                    cells = [_cell(column, index, year - YEARS[0], LAIWU_SHARE) for column in columns]
                    writer.writerow(["371200", year, "莱芜市", *("" if cell in (None, ",") else cell for cell in cells)])


def _own_share(city: City, year: int) -> float:
    return 1 - LAIWU_SHARE if city.city_code == "3701" and year <= 2018 else 1.0


def _write_real_gdp(path: Path, economy: Economy) -> None:
    """Nominal and real GDP in 亿元, the index of growth and the deflator, in the layout in which such panels circulate."""
    rows: list[list[Cell]] = [["省份", "城市", "年份", "名义GDP", "GDP指数", "实际GDP", "GDP平减指数"]]
    nominal = nominal_gdp(economy)
    for index, city in enumerate(economy.cities):
        for t, year in enumerate(YEARS):
            value = float(nominal[index, t])
            deflator = round(float(economy.deflator[index, t]), 7)
            growth = round(float(economy.indicators["gdp_index_pct"][index, t]), 1)
            rows.append([city.province_zh, city.name_zh, year, value, growth, round(value / deflator, 4), deflator])
    write_workbook(path, {"Sheet1": rows})


def nominal_gdp(economy: Economy) -> NDArray[np.float64]:
    """Nominal GDP as the GDP panel prints it: 亿元 with two decimals."""
    return np.round(economy.indicators["gdp_cny"] / 1e8, 2)


def yearbook_truth(economy: Economy, printed: dict[tuple[str, str], Printed]) -> list[dict[str, object]]:
    """Values in base units for TRUTH_CITIES and TRUTH_YEARS: nominal GDP from the GDP panel, the rest from the yearbooks."""
    facts: list[dict[str, object]] = []
    for index, city in enumerate(economy.cities):
        if city.city_code not in TRUTH_CITIES:
            continue
        for year in TRUTH_YEARS:
            t = year - YEARS[0]
            key = {"city_code": city.city_code, "year": year}
            facts.append({**key, "indicator": "gdp_cny", "scope": "city", "value": float(nominal_gdp(economy)[index, t]) * 1e8})
            for (indicator, scope), column in printed.items():
                wanted = indicator not in (SHEETS_ONLY if year not in SHEET_YEARS else PANEL_ONLY if year not in PANEL_YEARS else ("",))
                in_print = year in PANEL_YEARS or city.since <= year
                number = float(column.numbers[index, t])
                if (indicator, scope) != ("gdp_cny", "city") and indicator != "gdp_index_pct" and wanted and in_print and not np.isnan(number):
                    facts.append({**key, "indicator": indicator, "scope": scope, "value": number * column.header.factor})
    return facts
