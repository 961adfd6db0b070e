"""Which cells the simulated yearbooks leave blank: short gaps anywhere, and cities that a theme
leaves out for years.

Short gaps lie between years that are printed, so that linear interpolation fills them. The long
ones are what makes the papers drop cities: with all 297 cities of the spine, and cities dropped
that lack a needed series,

    agglomeration_exports, 2003-2011       285   all that were cities by 2010; the 286th is 莱芜,
                                                 which is in 济南 now
    agglomeration_resilience               241   56 cities have no employees by industry
    digital_export_resilience, 2011-2021   289   without the six cities of 西藏, 儋州 and 固原
    ecommerce_resilience, 2012-2021        248   49 cities have neither household savings nor
                                                 industrial dust: those above, 三沙, most of 新疆,
                                                 海东 and others
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.geography import NOTABLE, SEEDS, YEARS, City, read_reference
from warehouse.simulate.model.industries import INDUSTRIES

SHORT_GAP = 0.02
# First and last years of the papers' spans, their neighbours and their years of reference: nothing
# is missing by chance there.
KNOWN_YEARS = (2000, 2003, 2008, 2009, 2010, 2011, 2012, 2019, 2020, 2021)
NEVER_MISSING = ("gdp_cny", "area_km2", "population_registered_n")  # of the whole city
BARELY_COVERED = (
    "5402",
    "5403",
    "5404",
    "5405",
    "5406",
    "4604",
)  # 西藏 without its capital, and 儋州
COVERED_UNTIL = {"5401": 2010, "6404": 2010}  # 拉萨, 固原
LATE_OR_REMOTE = (
    "4603",
    "6302",
    "6502",
    "6504",
    "6505",
)  # 三沙, 海东, and 新疆 without its capital
WITHOUT_INDUSTRIES_N, OFTEN_MISSING_N = 56, 49
OFTEN_MISSING = ("household_savings_cny", "industrial_dust_t")
INDUSTRY_TABLE = (
    *(name for name in INDUSTRIES if name not in ("it_employees_n", "employees_science_n")),
    "secondary_employees_n",
)


@cache
def incomplete_cities() -> dict[str, tuple[str, ...]]:
    """City codes by what is not printed of them: everything, industries (any year), savings and
    dust (from 2012 on).
    """
    always = (*BARELY_COVERED, *COVERED_UNTIL, *LATE_OR_REMOTE)
    small = [
        row["city_code"]
        for row in read_reference(SEEDS / "cities.csv")
        if row["tier"] == "other"
        and row["region"] != "east"
        and row["city_code"] not in (*always, *NOTABLE)
    ]
    return {
        "everything": (*BARELY_COVERED, *COVERED_UNTIL),
        "industries": tuple(
            sorted((*always, *_spread(small, WITHOUT_INDUSTRIES_N - len(always), 0)))
        ),
        "savings_and_dust": tuple(
            sorted((*always, *_spread(small, OFTEN_MISSING_N - len(always), 2)))
        ),
    }


def _spread(codes: list[str], count: int, start: int) -> list[str]:
    step = (len(codes) - start) / count
    return [codes[start + int(at * step)] for at in range(count)]


def blank_cells(
    cities: tuple[City, ...], indicator: str, scope: str, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """City by year: whether the yearbooks print nothing of this indicator and scope."""
    codes, years = np.array([city.city_code for city in cities]), np.array(YEARS)
    kept = indicator in NEVER_MISSING and scope == "city"
    chance = np.where(np.isin(years, KNOWN_YEARS) | kept, 0.0, SHORT_GAP)
    blank = rng.random((len(cities), len(YEARS))) < chance[None, :]
    if not kept:
        blank |= np.isin(codes, BARELY_COVERED)[:, None]
        for code, last in COVERED_UNTIL.items():
            blank |= (codes == code)[:, None] & (years > last)[None, :]
    if indicator in INDUSTRY_TABLE:
        blank |= np.isin(codes, incomplete_cities()["industries"])[:, None]
    if indicator in OFTEN_MISSING:
        blank |= (
            np.isin(codes, incomplete_cities()["savings_and_dust"])[:, None]
            & (years >= 2012)[None, :]
        )
    return blank
