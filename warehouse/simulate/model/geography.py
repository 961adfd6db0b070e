"""The real places of the simulated world: cities, the names they bore, and districts and counties
with their postcodes.

Everything is read from the project's own tables (`warehouse/reference`,
`dbt_project/seeds/geography`). What the world needs to know - whether a district was one in a given
year, what a city was called then - is looked up in the code lists themselves and never by postcode,
so that the truth does not depend on the rule that the pipeline uses.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from warehouse import project
from warehouse.project import PROJECT

REFERENCE = PROJECT / "warehouse" / "reference"
SEEDS = project.SEEDS / "geography"
CORRECTIONS = project.SEEDS / "corrections"

FIRST_YEAR, LAST_YEAR = 2000, 2021
YEARS = tuple(range(FIRST_YEAR, LAST_YEAR + 1))
SPINE_UNTIL = 2012
MUNICIPALITIES = ("11", "12", "31", "50")
# Small worlds hold these cities whatever their size: each shows something that the pipeline must
# get right.
NOTABLE = ("3301", "3306", "4206", "3701", "3100", "1100", "4403", "3401", "5205", "5206")
SMALL_CITIES_N = 60
OUTSIDE_PREFECTURES = ("3414", "2224", "4228", "4331", "5329", "6523")


@dataclass(frozen=True)
class City:
    """A prefecture-level city of the spine, or (with an empty `city_code`) a prefecture that is not
    one.
    """

    city_code: str
    name_zh: str
    name_en: str
    province_code: str
    province_zh: str
    longitude: float
    latitude: float
    region: str
    tier: str
    since: int
    places: dict[int, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def short_name(self) -> str:
        return self.name_zh.removesuffix("市")


@dataclass(frozen=True)
class Unit:
    """A district or county: its postcode digits that are its own (4, 5 or all 6), and its class
    year by year.
    """

    name: str
    city_code: str
    home: str
    postcode: str
    own_digits: int
    is_district: tuple[bool, ...]

    def intervals(self) -> list[list[int | bool]]:
        """Runs of years of one class: [first year, last year, is a municipal district]."""
        runs: list[list[int | bool]] = []
        for year, flag in zip(YEARS, self.is_district, strict=True):
            if runs and runs[-1][2] == flag:
                runs[-1][1] = year
            else:
                runs.append([year, year, flag])
        return runs


def read_reference(path: Path) -> list[dict[str, str]]:
    """Rows of one of the project's own tables."""
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@cache
def city_name_rows() -> list[dict[str, str]]:
    return read_reference(SEEDS / "city_names.csv")


def vintage_of(year: int, vintages: list[str]) -> str:
    """The code list in force at the end of a year; before the first and after the last,
    that one.
    """
    known = [vintage for vintage in vintages if vintage <= f"{year}12"]
    return known[-1] if known else vintages[0]


def short_province(name: str) -> str:
    for suffix in ("维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "省", "市"):
        if name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


@cache
def cities(scale: str) -> tuple[City, ...]:
    """Cities of the simulated world, by code: all that were cities by 2012, or sixty of them."""
    rows = [
        row
        for row in read_reference(SEEDS / "cities.csv")
        if int(row["prefecture_city_since"]) <= SPINE_UNTIL
    ]
    if scale == "small":
        kept = {*NOTABLE, *(row["city_code"] for row in rows if row["tier"] != "other")}
        others = [row["city_code"] for row in rows if row["city_code"] not in kept]
        step = len(others) / (SMALL_CITIES_N - len(kept))
        kept.update(others[int(i * step)] for i in range(SMALL_CITIES_N - len(kept)))
        rows = [row for row in rows if row["city_code"] in kept]
    return tuple(_city(row) for row in sorted(rows, key=lambda row: row["city_code"]))


@cache
def late_cities(scale: str) -> tuple[City, ...]:
    """Cities of the spine that became cities after SPINE_UNTIL, by code; a small world has none of
    them.
    """
    rows = [
        row
        for row in read_reference(SEEDS / "cities.csv")
        if int(row["prefecture_city_since"]) > SPINE_UNTIL
    ]
    return (
        tuple(_city(row) for row in sorted(rows, key=lambda row: row["city_code"]))
        if scale == "paper"
        else ()
    )


def _city(row: dict[str, str]) -> City:
    city = City(
        row["city_code"], row["city_name_zh"], row["city_name_en"], row["province_code"],
        row["province_name_zh"],
        float(row["longitude"]), float(row["latitude"]), row["region"], row["tier"],
        int(row["prefecture_city_since"]),
    )  # fmt: skip
    _name(
        city,
        [
            name
            for name in city_name_rows()
            if name["city_code"] == city.city_code
            and name["relation"] in ("current", "renamed", "recoded")
        ],
    )
    return city


def _name(city: City, names: list[dict[str, str]]) -> None:
    """Fill in how customs write a city in each year, from its rows of city_names.csv."""
    for year in YEARS:
        in_force = [
            name["name_zh"]
            for name in names
            if int(name["first_year"]) <= year <= int(name["last_year"])
        ]
        city.places[year] = _place_forms(in_force, city.province_zh)


@cache
def former_city(code: str) -> City:
    """A prefecture outside the spine (an autonomous prefecture, or 巢湖 up to 2011), or 莱芜, which
    is in 济南 now.
    """
    names = [
        name
        for name in city_name_rows()
        if name["division_code"] == code and name["relation"] in ("outside", "split", "merged")
    ]
    province = next(
        row for row in read_reference(SEEDS / "cities.csv") if row["province_code"] == code[:2]
    )
    full = max((name["name_zh"] for name in names), key=len)
    city = City(
        names[0]["city_code"],
        full,
        "",
        code[:2],
        province["province_name_zh"],
        0.0,
        0.0,
        province["region"],
        "other",
        FIRST_YEAR,
    )
    _name(city, names)
    return city


def _place_forms(names: list[str], province: str) -> tuple[str, ...]:
    """How customs write a place in a year: nothing if it had no name then; commoner forms stand
    more than once.
    """
    names = [name for name in names if "(" not in name and "（" not in name]
    fulls = [name for name in names if name.endswith(("市", "地区", "盟", "自治州"))]
    if not fulls:
        return ()
    full = sorted(fulls, key=lambda name: (name.endswith("市"), len(name)))[-1]
    forms = [full] * 4
    if province != full:
        forms += [province + full, short_province(province) + full]
    short = next((name for name in names if full.startswith(name) and name != full), None)
    if short and (short != short_province(province) or province == full):
        forms += [short, f"{short}其他", f"{short}经济技术开发区" if full.endswith("市") else short]
    return tuple(forms)


@cache
def _vintages() -> tuple[list[str], dict[str, dict[str, str]]]:
    """All vintages, and the names of each: vintage -> division code -> name."""
    rows = read_reference(REFERENCE / "divisions.csv")
    known = sorted({row["first_vintage"] for row in rows} | {row["last_vintage"] for row in rows})
    lists: dict[str, dict[str, str]] = {vintage: {} for vintage in known}
    for row in rows:
        for vintage in known:
            if row["first_vintage"] <= vintage <= row["last_vintage"]:
                lists[vintage][row["division_code"]] = row["name_zh"]
    return known, lists


def expanded_vintages() -> dict[str, dict[str, str]]:
    """Every vintage of the division codes, as its publisher ships it: vintage -> code -> name."""
    return _vintages()[1]


def stem(name: str) -> str:
    """A district's or county's name without its kind, so that 富阳市 and 富阳区 are one place."""
    if len(name) > 2:
        for kind in ("自治县", "自治旗", "县", "市", "区", "旗"):
            if name.endswith(kind):
                return name.removesuffix(kind)
    return name


def _homes() -> dict[str, str]:
    """Four-digit prefecture code, of any time -> the city it belongs to now ("" and its own code
    outside the spine).
    """
    homes = {}
    for row in city_name_rows():
        if row["division_code"] != "4690":
            homes[row["division_code"]] = row["city_code"] or row["division_code"]
    return homes


@cache
def _classes() -> dict[tuple[str, str], dict[str, str]]:
    """(home, stem) -> vintage -> six-digit code; only stems that name one unit of their city in
    that vintage.
    """
    homes = _homes()
    found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for vintage, names in _vintages()[1].items():
        for code, name in names.items():
            prefecture = f"{code[:2]}00" if code[:2] in MUNICIPALITIES else code[:4]
            if not code.endswith("00") and prefecture in homes and name not in ("市辖区", "县"):
                found[homes[prefecture], stem(name)][vintage].append(code)
    return {
        key: {vintage: codes[0] for vintage, codes in by_vintage.items() if len(codes) == 1}
        for key, by_vintage in found.items()
    }


@cache
def units() -> tuple[Unit, ...]:
    """Districts and counties that firms can live in: those that every code list knows and whose
    postcode tells them apart.

    A unit that was a district throughout may share its postcode with others; any other must hold at
    least its six digits alone. The row of a city itself is its seat: it counts among the sharers,
    but no firm has it as its unit.
    """
    rows = _postcode_rows()
    shared = Counter(row["postcode"][:digits] for row in rows for digits in (4, 5, 6))
    provinces = {
        names: code[:2] for code, names in _vintages()[1]["201607"].items() if code.endswith("0000")
    }
    homes = {
        (row["province_code"], row["name_zh"]): row["city_code"] or row["division_code"]
        for row in city_name_rows()
        if row["division_code"] != "4690"
    }
    stems = Counter(
        (row["province_name_zh"], row["city_name_zh"], stem(row["county_name_zh"]))
        for row in rows
        if row["county_name_zh"] != row["city_name_zh"]
    )
    kept = []
    for row in rows:
        home = homes.get((provinces.get(row["province_name_zh"], ""), row["city_name_zh"]))
        name = stem(row["county_name_zh"])
        classes = _class_by_year(home, name) if home else None
        is_alone = stems[row["province_name_zh"], row["city_name_zh"], name] == 1
        if row["county_name_zh"] == row["city_name_zh"] or classes is None or not is_alone:
            continue
        own = next(
            (digits for digits in (4, 5, 6) if shared[row["postcode"][:digits]] == 1),
            6 if all(classes) else 0,
        )
        if own:
            spine = home if home in _spine() else ""
            known = row["county_name_zh"], spine or "", home or "", row["postcode"], own, classes
            kept.append(Unit(*known))
    return tuple(sorted(kept, key=lambda unit: (unit.home, unit.postcode, unit.name)))


def _postcode_rows() -> list[dict[str, str]]:
    """Districts and counties with postcodes of six digits, known misprints put right."""
    rows = read_reference(REFERENCE / "district_postcodes.csv")
    right = {
        (row["city_name"], row["county_name"]): row["postcode"]
        for row in read_reference(CORRECTIONS / "postcodes.csv")
    }
    rows = [
        {
            **row,
            "postcode": right.get((row["city_name_zh"], row["county_name_zh"]), row["postcode"]),
        }
        for row in rows
    ]
    return [row for row in rows if len(row["postcode"]) == 6 and row["postcode"].isdigit()]


@cache
def _spine() -> frozenset[str]:
    return frozenset(row["city_code"] for row in read_reference(SEEDS / "cities.csv"))


def _class_by_year(home: str, name: str) -> tuple[bool, ...] | None:
    """Whether a unit was a municipal district in each year, or None if a code list of those years
    lacks it.
    """
    known, _ = _vintages()
    by_vintage = {
        **_classes().get((home, _successors().get((home, name), "")), {}),
        **_classes().get((home, name), {}),
    }
    needed = known if home not in OUTSIDE_PREFECTURES else [known[0]]
    if any(vintage not in by_vintage for vintage in needed):
        return None
    codes = [by_vintage.get(vintage_of(year, known), by_vintage[known[0]]) for year in YEARS]
    return tuple(1 <= int(code[4:]) <= 20 for code in codes)


@cache
def _successors() -> dict[tuple[str, str], str]:
    """(home, stem) -> stem of the name that a unit took later."""
    homes = {row["name_zh"]: row["city_code"] or row["division_code"] for row in city_name_rows()}
    rows = read_reference(CORRECTIONS / "division_successors.csv")
    return {
        (homes[row["city_name"]], stem(row["county_name"])): stem(row["successor_name"])
        for row in rows
    }
