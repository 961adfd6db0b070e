"""What the simulated yearbooks print: numbers rounded to the decimals of their unit, under their
heads, with their gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.formats.workbooks import Cell
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.gaps import blank_cells
from warehouse.simulate.model.geography import YEARS, City, former_city
from warehouse.simulate.model.industries import INDUSTRIES
from warehouse.sources.yearbook.headers import HEADERS, Header, sheet_head

SHEET_YEARS = range(2000, 2014)
PANEL_YEARS = range(2008, 2022)
LAIWU_SHARE = 0.08  # of 济南 as it is now; printed by itself up to 2018
CHAOHU_SHARE = 0.3  # of 合肥; printed up to 2010
INDUSTRIES_SINCE = 2003  # the yearbooks' first year with the industries of GB/T 4754-2002
PANEL_ONLY = ("population_resident_n",)
SHEETS_ONLY = ("population_nonagricultural_n",)
NOT_SHARED_OUT = (
    "gdp_index_pct",
    "urban_disposable_income_cny",
    "urbanisation_share",
    "road_area_per_head_m2",
    "average_wage_cny",
)
DECIMALS = {"万人": 2, "%": 2, "上年=100": 1, "万户": 2, "平方米": 2, "万个": 2}
INDUSTRY_SHEET = "行业从业"
OTHERS = "其他"  # what no theme names
THEMES = {
    "人口土地": ("population_registered_n", "population_resident_n", "population_nonagricultural_n",
    "area_km2", "urbanisation_share"),
    "国民经济": ("gdp_cny", "gdp_primary_cny", "gdp_secondary_cny", "gdp_tertiary_cny",
    "gdp_index_pct"),
    "外经贸易": ("fdi_usd", "imports_cny", "exports_cny", "retail_sales_cny",
    "fixed_investment_cny"),
    "财政金融": (
        "fiscal_revenue_cny", "fiscal_expenditure_cny", "science_expenditure_cny",
        "education_expenditure_cny",
        "deposits_cny", "loans_cny", "household_savings_cny",
    ),
    "劳动工资": ("employees_n", "tertiary_employees_n", "it_employees_n", "registered_unemployed_n",
    "urban_disposable_income_cny"),
    INDUSTRY_SHEET: ("secondary_employees_n",
    *(name for name in INDUSTRIES if name != "it_employees_n")),
    "创新发展": (
        "invention_patent_applications_n", "invention_patents_in_force_n",
        "internet_patents_granted_n", "rd_expenditure_cny",
        "technology_contracts_n", "internet_ports_n", "average_wage_cny",
        "industrial_fixed_assets_cny", "highway_km",
        "industrial_so2_t", "industrial_wastewater_t", "pollution_investment_cny",
    ),
    "教育卫生": ("university_students_n", "hospital_beds_n", "patents_granted_n"),
    "邮电环境": ("telecom_revenue_cny", "broadband_users_n", "mobile_users_n", "internet_users_n",
    "industrial_dust_t", "road_area_per_head_m2"),
}  # fmt: skip


@dataclass(frozen=True)
class Printed:
    """What yearbooks print of one indicator and scope: numbers in the head's unit, nan where the
    cell is empty.
    """

    header: Header
    scope: str
    numbers: NDArray[np.float64]


AllPrinted = dict[tuple[str, str], Printed]  # by indicator and scope


def print_all(economy: Economy, rng: np.random.Generator) -> AllPrinted:
    """Round every series to the decimals of its unit and blank out what is not printed."""
    printed = {}
    for header in _usual_headers():
        for scope, values in (("city", economy.indicators), ("district", economy.district)):
            if header.indicator not in values:
                continue
            numbers = np.round(
                values[header.indicator] / header.factor, DECIMALS.get(header.unit, 0)
            )
            blank = blank_cells(economy.cities, header.indicator, scope, rng)
            printed[header.indicator, scope] = Printed(
                header, scope, np.where(blank, np.nan, numbers)
            )
    return printed


def _usual_headers() -> list[Header]:
    """The first, usual head of each indicator."""
    usual: dict[str, Header] = {}
    for header in HEADERS:
        usual.setdefault(header.indicator, header)
    return list(usual.values())


def printed_cell(column: Printed, city: int, t: int, share: float) -> Cell:
    """A number as it is printed; missing ones are blank, some of them a comma."""
    number = float(column.numbers[city, t])
    if np.isnan(number):
        return "," if (city + t) % 4 == 0 else None
    if share != 1 and column.header.indicator not in NOT_SHARED_OUT:
        number = round(number * share, DECIMALS.get(column.header.unit, 0))
    return int(number) if number.is_integer() else number


def sheets_of(
    economy: Economy,
    printed: AllPrinted,
    year: int,
    rng: np.random.Generator,
    covered: Callable[[Printed, City, int], bool] | None = None,
) -> dict[str, list[list[Cell]]]:
    """One yearbook: a sheet a theme, its cities under their provinces, 全市 and 市辖区 side by
    side.

    covered : says which cells are filled in, and lets cities in that became cities later; None for
        what yearbooks print
    """
    t = year - YEARS[0]
    rows = _city_rows(economy.cities, year, later_too=covered is not None and year in PANEL_YEARS)
    sheets = {}
    named = {name for indicators in THEMES.values() for name in indicators}
    others = tuple(dict.fromkeys(name for name, _ in printed if name not in named))
    for theme, indicators in (THEMES | ({OTHERS: others} if others else {})).items():
        names = [name for name in indicators if covered is not None or name not in PANEL_ONLY]
        if theme == INDUSTRY_SHEET and year < INDUSTRIES_SINCE:
            continue
        columns = [
            printed[key]
            for name in names
            for key in ((name, "city"), (name, "district"))
            if key in printed
        ]
        body: list[list[Cell]] = []
        for name, english, city, share in rows:
            if city < 0:
                body.append([name, english, *[None] * len(columns)])
                continue
            blank = "　" if rng.random() < 0.1 else "  " if rng.random() < 0.3 else ""
            shown = [
                covered is None or covered(column, economy.cities[city], year) for column in columns
            ]
            cells = [
                printed_cell(column, city, t, share) if is_shown else None
                for column, is_shown in zip(columns, shown, strict=True)
            ]
            body.append([blank + name, english, *cells])
        sheets[theme] = [*_heads(columns, year), *body]
    return sheets


def _heads(columns: list[Printed], year: int) -> list[list[Cell]]:
    """A sheet's title, the heads of its columns, and whether they are of the city or districts."""
    return [
        [f"中国城市统计年鉴 {year + 1}（模拟）", *[None] * (1 + len(columns))],
        [
            None,
            None,
            *(sheet_head(column.header) if column.scope == "city" else None for column in columns),
        ],
        [
            "城市",
            "City",
            *("全市" if column.scope == "city" else "市辖区" for column in columns),
        ],
    ]


def _city_rows(
    cities: tuple[City, ...], year: int, later_too: bool
) -> list[tuple[str, str, int, float]]:
    """Rows of a sheet: (name, English name, index of the city or -1 for a province, share of the
    city's numbers).
    """
    rows: list[tuple[str, str, int, float]] = []
    province = ""
    for index, city in enumerate(cities):
        if (city.since > year or not city.places[year]) and not later_too:
            continue
        if city.province_zh != province and city.tier != "municipality":
            rows.append((city.province_zh, "Province", -1, 1.0))
        province = city.province_zh
        name = city.places[year][0] if city.places[year] else city.name_zh
        if city.city_code == "3701" and year <= 2018:
            rows += [
                (name, city.name_en, index, 1 - LAIWU_SHARE),
                (former_city("3712").name_zh, "Laiwu", index, LAIWU_SHARE),
            ]
        elif city.city_code == "3401" and year <= 2010:
            rows += [
                (name, city.name_en, index, 1.0),
                (former_city("3414").name_zh, "Chaohu", index, CHAOHU_SHARE),
            ]
        else:
            rows.append((name, city.name_en, index, 1.0))
    return rows


def division_code(city: City) -> str:
    """The six-digit code that panels print: 330100, and 110000 for a municipality."""
    return f"{city.city_code}00"


def own_share(city: City, year: int) -> float:
    """What is left of 济南's numbers as long as 莱芜 was printed by itself."""
    return 1 - LAIWU_SHARE if city.city_code == "3701" and year <= 2018 else 1.0
