"""What the nation's industries use of one another, what each city makes, and so how much of digital
services a city's industries use: virtual agglomeration (virtual_agglomeration_quality, eq. 22).

Telecommunications, software and trade are used in the proportions that OECD's tables print of
China's manufacturing in 2005 (0.40, 0.57 and 4.37 % of output); of the first two, half as much some
years later, as there. How much an industry uses of them walks about from year to year, which moves
cities apart by what they make.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse import project
from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import (
    REFERENCE,
    YEARS,
    City,
    city_name_rows,
    expanded_vintages,
    read_reference,
)
from warehouse.simulate.model.shocks import Array

CROSSWALK = REFERENCE / "gbt4754_2002_isic4.csv"
IO_INDUSTRIES = project.SEEDS / "judgments" / "io_industries.csv"
NATIONAL_YEARS = range(2000, 2019)
INDUSTRIES = (
    "01T02", "03", "05T06", "07T08", "09", "10T12", "13T15", "16", "17T18", "19", "20", "21", "22",
    "23", "24", "25", "26", "27", "28", "29",
    "30", "31T33", "35", "36T39", "41T43", "45T47", "49", "50", "51", "52", "53", "55T56", "58T60",
    "61", "62T63", "64T66", "68", "69T75",
    "77T82", "84", "85", "86T88", "90T93", "94T96", "97T98",
)  # fmt: skip
# Seller -> share of the user's output in 2005.
DIGITAL = {"61": 0.0040, "62T63": 0.0057, "45T47": 0.0437}
LATER, FALL = 0.36, 2.0  # of telecommunications and software once they have fallen; years it takes
BETWEEN, WALK = 0.35, 0.16  # how users differ, and how far each walks in a year (logs)
CENSUS_YEAR, CENSUS_VINTAGE = 2004, "200412"
UNITS_N = 3  # counties and districts of a city that the census table lists
SPLIT_YEARS = (2004, 2008, 2013, 2018)
TRADE = {
    "批发业": ((110000, 180000, 420000, 560000), (0.004, 0.010, 0.031, 0.062)),
    "零售业": ((42000, 61000, 120000, 160000), (0.001, 0.006, 0.034, 0.098)),
}


@dataclass(frozen=True)
class Technology:
    """coefficients : input of the row's industry per unit of output of the column's, of INDUSTRIES
    (the last, households, neither uses nor sells): (years of NATIONAL_YEARS, 45, 45)
    demand : shares of final demand: (45,)
    """

    coefficients: Array
    demand: Array

    def of(self, year: int) -> Array:
        return np.asarray(self.coefficients[NATIONAL_YEARS.index(year)])


@dataclass(frozen=True)
class Census:
    """The census of 2004: units of each city, and the output of each city's classes of industry in
    its units, thousand CNY: one array (classes, units) a city.
    """

    classes: list[str]
    units: list[list[str]]
    thousands: list[NDArray[np.int64]]


def draw_technology(rng: np.random.Generator) -> Technology:
    n = len(INDUSTRIES)
    pull = np.exp(rng.normal(0.0, 1.0, (n, 1)))
    raw = pull * np.exp(rng.normal(0.0, 1.2, (n, n))) + np.diag(np.full(n, 6.0))
    raw[-1, :] = raw[:, -1] = 0.0
    totals = raw.sum(axis=0)
    shares = np.clip(rng.normal(0.6, 0.08, n), 0.35, 0.75)
    coefficients = np.divide(raw * shares, totals, out=np.zeros_like(raw), where=totals > 0)
    demand = np.exp(rng.normal(0.0, 0.8, n))
    years = np.array(NATIONAL_YEARS)
    drift = np.exp(0.004 * (years - years[0])[:, None] * np.sin(np.arange(n))[None, :])
    series = coefficients[None] * drift[:, :, None]
    fallen = LATER + (1 - LATER) * np.exp(-np.clip(years - 2005, 0, None) / FALL)
    for seller, share in DIGITAL.items():
        walk = np.cumsum(rng.normal(0.0, WALK, (len(years), n)), axis=0)
        own = np.exp(
            rng.normal(0.0, BETWEEN, n)[None, :] + walk - walk[[NATIONAL_YEARS.index(2005)]]
        )
        course = np.ones(len(years)) if seller == "45T47" else fallen
        used = share * course[:, None] * own / own.mean(axis=1, keepdims=True)
        used[:, -1] = 0.0
        series[:, INDUSTRIES.index(seller), :] = used
    return Technology(series, demand / demand.sum())


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
    with 济南. A city that has neither (东莞, 中山) stands with its own code, which ends in 00.
    """
    homes = {
        row["division_code"]
        for row in city_name_rows()
        if row["city_code"] == city.city_code
        and int(row["first_year"]) <= CENSUS_YEAR <= int(row["last_year"])
        and row["division_code"] != "4690"
    }
    names = expanded_vintages()[CENSUS_VINTAGE]
    found: list[str] = []
    for home in sorted(homes):
        prefix = home[:2] if home.endswith("00") else home
        codes = [
            code
            for code, name in sorted(names.items())
            if code.startswith(prefix) and not code.endswith("00") and name not in ("市辖区", "县")
        ]
        whole = [f"{home}00"] if f"{home}00" in names else []
        found += codes[:UNITS_N] or whole
    return found


def draw_census(economy: Economy, rng: np.random.Generator) -> Census:
    """What each city makes, in proportion to its secondary sector."""
    classes = industry_classes()
    base = rng.gamma(0.6, 1.0, len(classes))
    all_units, outputs = [], []
    secondary = economy.indicators["gdp_secondary_cny"][:, YEARS.index(CENSUS_YEAR)]
    for city, value in zip(economy.cities, secondary, strict=True):
        units = _census_units(city)
        shares = base * rng.gamma(0.7, 1.0, len(classes)) * (rng.random(len(classes)) < 0.7)
        split = rng.dirichlet(np.full(max(1, len(units)), 4.0))[: len(units)]
        exact = np.outer(shares / shares.sum(), split) * 3.0 * value / 1000
        all_units.append(units)
        outputs.append(np.floor(exact).astype(np.int64))
    return Census(classes, all_units, outputs)


def internet_share() -> Array:
    """The internet's part of all trade, (years of YEARS,): as the censuses print it, interpolated
    between them, NaN before the first and after the last.
    """
    known = [
        sum(round(sold[at] * share[at], 1) for sold, share in TRADE.values())
        / sum(sold[at] for sold, _ in TRADE.values())
        for at in range(len(SPLIT_YEARS))
    ]
    return np.interp(YEARS, SPLIT_YEARS, known, left=np.nan, right=np.nan)


def virtual_agglomeration(technology: Technology, census: Census) -> Array:
    """Digital services per 100 units of output of each city of the census, (cities, years of
    YEARS): NaN where the city has no output or the year no table or no internet share.
    """
    industry_of = {
        row["isic4_code"]: int(row["industry_code"]) - 1
        for row in read_reference(IO_INDUSTRIES)
        if row["source_table"] == "national"
    }
    division = {row["gbt2002_code"]: row["isic4_code"] for row in read_reference(CROSSWALK)}
    places = []
    for code in census.classes:
        known = next(code[:n] for n in (4, 3, 2) if code[:n] in division)
        places.append(industry_of[division[known]])
    output = np.zeros((len(census.units), len(INDUSTRIES)))
    for city, thousands in enumerate(census.thousands):
        np.add.at(output[city], places, thousands.sum(axis=1).astype(float))
    total = output.sum(axis=1, keepdims=True)
    share = np.divide(output, total, out=np.full_like(output, np.nan), where=total > 0)
    found = np.full((len(output), len(YEARS)), np.nan)
    internet = internet_share()
    telecom, software, trade = (INDUSTRIES.index(name) for name in DIGITAL)
    for at, year in enumerate(YEARS):
        if year in NATIONAL_YEARS:
            used = technology.of(year)
            found[:, at] = (
                100 * share @ (used[telecom] + used[software] + internet[at] * used[trade])
            )
    return found
