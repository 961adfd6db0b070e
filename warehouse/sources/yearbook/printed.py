"""What is known of the yearbooks as printed: units that are missing, units that are wrong, names
that are misprinted.

Each rule has its editions and its reason. A column in whose unit nobody could believe, and for
which there is no rule, is set aside as `doubtful_unit`: no city has 27 unemployed.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from warehouse.dictionary.places import city_names
from warehouse.project import SEEDS
from warehouse.sources.yearbook.cells import to_number
from warehouse.sources.yearbook.headers import HEADERS, UNITS
from warehouse.sources.yearbook.parsing import find_header

INDUSTRIES = frozenset(
    header.indicator for header in HEADERS if header.indicator.startswith(("employees_", "it_"))
) - {"employees_n"}
# The sheets of labour print industries, and in some editions their totals too, without a unit: all
# are in 万人, for
# the industries then add up to the employees that the same sheet prints in 万人. Areas are in
# 平方公里.
WITHOUT_UNIT = {
    **dict.fromkeys(
        INDUSTRIES | {"employees_n", "registered_unemployed_n", "private_employees_n"}, "万人"
    ),
    "area_km2": "平方公里",
}
# Industries stand without the word employees in sheets of labour, under their sector or a number.
LABOUR_NAMES = {
    "交通运输仓储": "交通运输仓储和邮政业",  # yearbook 2009 lost the second line of the head
    # yearbooks 2013-2017: 房屋 for 业; the English says entertainment
    "文化体育娱乐用房屋": "文化体育和娱乐业",
}
LABOUR_LEAST = 8  # so many industries make a sheet one of labour


@dataclass(frozen=True)
class Misprint:
    """A unit that editions print over numbers in another one.

    first, last : the yearbooks' own years
    below : the rule holds where the median number is smaller than this
    """

    indicator: str
    first: int
    last: int
    printed: str
    meant: str
    below: float
    reason: str


MISPRINTS = (
    Misprint(
        "registered_unemployed_n",
        2011,
        2015,
        "人",
        "万人",
        500,
        "the numbers go on from those in 万人 of the editions before and after: Shanghai "
        "27.63, not 276,300",
    ),
    Misprint(
        "private_employees_n",
        2011,
        2015,
        "人",
        "万人",
        500,
        "the same: Beijing has 430.36 in yearbook 2011 under (人), and 269.91 in the next",
    ),
)
# Chinese and English name as printed -> the city meant: 宜城 is a county-level city, and stands in
# 宣城's place.
NAME_MISPRINTS = {("宜城市", "yicheng"): "宣城市"}

# Between which bounds the median of many cities lies, in base units, for the whole city or its
# districts: wide enough
# for every true edition, and too narrow for persons printed over numbers in 万人, or the other way
# round. Only what
# editions have printed in a wrong unit is held to bounds.
# A share is so because spreadsheets show 0.68 as 68 %, and hold 0.68 under a head that says %.
MEDIANS = {
    "registered_unemployed_n": (1e2, 1e6),
    "employees_n": (1e3, 1e8),
    "urbanisation_share": (0.05, 1.0),
}
MOST_INDUSTRIES = 15  # of 19: with so many the sum is nearly the whole
TENFOLD = 0.1  # how near to a power of ten, in decimal logarithms
MANY = 30  # cities; of fewer a median says little


def labour_head(key: str) -> str | None:
    """The head that a bare industry stands for in a sheet of labour: 制造业 is 制造业从业人员数."""
    bare = key.removeprefix("第一产业").removeprefix("第二产业").removeprefix("第三产业")
    name = LABOUR_NAMES.get(bare, bare)
    header = find_header(f"{name}从业人员数")
    return f"{name}从业人员数" if header is not None and header.indicator in INDUSTRIES else None


def names_as_meant(names: list[tuple[str, object]]) -> list[str]:
    """The Chinese names of a list of cities, misprinted ones mended.

    A name that no city has is a misprint of the one city that differs from it in one character and
    has the English name beside it (洒泉市 Jiuquan is 酒泉市), unless that city stands in the list
    by its own name.
    """
    printed = {name for name, _ in names}
    meant = []
    for name, english in names:
        plain = str(english).strip().lower()
        found = NAME_MISPRINTS.get((name, plain)) or _mended(name, plain)
        meant.append(name if found is None or found in printed else found)
    return meant


@cache
def english_names() -> dict[str, str]:
    """Full Chinese name -> English name, of the cities of today."""
    with (SEEDS / "geography" / "cities.csv").open(encoding="utf-8", newline="") as handle:
        return {row["city_name_zh"]: row["city_name_en"] for row in csv.DictReader(handle)}


def _mended(name: str, english: str) -> str | None:
    if name in city_names() or not english:
        return None
    alike = [known for known, known_en in english_names().items() if known_en.lower() == english]
    near = [known for known in alike if len(known) == len(name) and _differing(known, name) == 1]
    return near[0] if len(near) == 1 else None


def _differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def judged(cells: pd.DataFrame, is_edition: bool) -> pd.DataFrame:
    """Melted cells in the units that their numbers are in, and with `doubt` where no rule knows
    better.

    The unit of a column is judged by the median of its cities in each year. A corrected one says so
    in its head.

    is_edition : whether the table is one edition's; in compilations a rule asks for `MANY` cities
        to be sure
    """
    numbers = pd.Series([to_number(cell) for cell in cells["cell"]], index=cells.index, dtype=float)
    years = pd.Series([to_number(year) for year in cells["year"]], index=cells.index, dtype=float)
    keys = [cells["indicator"], cells["scope"], cells["header"], cells["factor"], years]
    groups = numbers.where(numbers > 0).groupby(keys, dropna=False)
    medians, counts = groups.transform("median"), groups.transform("count")
    cells = cells.assign(doubt="")
    for rule in MISPRINTS:
        wrong = (
            (cells["indicator"] == rule.indicator)
            & (cells["factor"] == UNITS[rule.printed][1])
            & years.between(rule.first - 1, rule.last - 1)
            & (medians < rule.below)
            & (is_edition | (counts >= MANY))
        )
        note = f" [printed in {rule.printed}, read in {rule.meant}]"
        cells.loc[wrong, "factor"] = UNITS[rule.meant][1]
        cells.loc[wrong, "header"] = cells.loc[wrong, "header"] + note
    for indicator, (least, most) in MEDIANS.items():
        values = medians * cells["factor"]
        wild = (
            (cells["indicator"] == indicator)
            & (counts >= MANY)
            & ~values.between(least, most)
            & values.notna()
        )
        said = f"expected {least:,.0f} to {most:,.0f}: is the unit right?"
        cells.loc[wild, "doubt"] = [
            f"the median of the year is {value:,.4g}, {said}" for value in values[wild]
        ]
    return _against_industries(cells, numbers * cells["factor"], years) if is_edition else cells


def _against_industries(cells: pd.DataFrame, values: pd.Series, years: pd.Series) -> pd.DataFrame:
    """Doubts employees that are off by a power of ten against the industries of the same city,
    scope and sheet.
    """
    keys = [cells["city_name"], cells["scope"], years]
    groups = values.where(cells["indicator"].isin(INDUSTRIES)).groupby(keys, dropna=False)
    sums, counts = groups.transform("sum"), groups.transform("count")
    total = (
        (cells["indicator"] == "employees_n")
        & (counts >= MOST_INDUSTRIES)
        & (sums > 0)
        & (values > 0)
    )
    powers = pd.Series(np.log10((values / sums).where(total, 1.0)), index=cells.index)
    off = total & (powers.round() != 0) & ((powers - powers.round()).abs() < TENFOLD)
    pairs = zip(values[off], sums[off], strict=True)
    cells.loc[off, "doubt"] = [
        f"{value:,.0f} against {whole:,.0f} that its industries add up to" for value, whole in pairs
    ]
    return cells
