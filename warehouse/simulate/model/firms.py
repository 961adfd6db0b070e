"""Simulated firms: where they are registered, where they produce, when they live, and what they are
good at.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.geography import (
    OUTSIDE_PREFECTURES,
    YEARS,
    City,
    Unit,
    former_city,
    units,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SHARES = {
    "in_districts": 0.70,
    "registered_elsewhere": 0.08,
    "outside_spine": 0.012,
    "never_a_postcode": 0.015,
    "unknown_postcode": 0.005,
}
FLOOR = 3
FEWEST = 8  # firms of each rare kind, so that small worlds hold it too
PORTFOLIO_PRODUCTS, PORTFOLIO_PARTNERS = 6, 8
SYLLABLES = "华兴盛达通源荣昌泰瑞丰隆和顺安康宏信诚益嘉美德利佳欣恒新东方金海天蓝星光"
TRADES = (
    "进出口贸易", "进出口", "贸易", "商贸", "外贸", "实业", "纺织", "电子", "机械", "化工", "服装",
    "五金制品", "塑料制品", "家具", "食品",
    "电器", "科技", "玩具", "鞋业", "工艺品",
)  # fmt: skip
INTERMEDIARY_WORDS = TRADES[:5]
NATURES = ("国有企业", "私营企业", "外商独资企业", "中外合资企业", "集体企业")
SILENT = 16  # every so many firms one states no telephone
UNKNOWN_PREFIXES = ("0099", "1999", "7799", "8888")


@dataclass
class Firms:
    """One entry a firm. `place` indexes `places` (cities of the world, then 莱芜, then prefectures
    outside the spine).
    """

    places: tuple[City, ...]
    units: tuple[Unit, ...]
    place: Ints
    unit: Ints
    entry: Ints
    leave: Ints
    ln_size: Floats
    quality: Floats
    postcode: Ints  # as a number of six digits; -1 for a firm that never states one
    postcode_known: NDArray[np.bool_]
    products: Ints
    partners: Ints
    codes: list[str]
    names: list[str]
    telephones: list[str]  # with the code of an invented area; "" for a firm that states none
    nature: Ints
    is_intermediary: NDArray[np.bool_]
    district: NDArray[np.bool_]  # firm by year

    @property
    def count(self) -> int:
        return len(self.codes)

    def spine_code(self) -> list[str]:
        """The spine code of the city where each firm produces; "" outside the spine."""
        return [self.places[p].city_code for p in self.place]


def area_code(place: int) -> str:
    """An invented one of the place."""
    return f"0{510 + place % 400}"


def telephone(at: int) -> str:
    """A number of eight figures; the last seven are of one position below ten million alone."""
    return f"{2 + at % 7}{(at * 7_368_787 + 1_234_567) % 10_000_000:07d}"


def partner_weights(codes: list[str]) -> Floats:
    """Relative demand of each partner (customs code): a few large markets, then a long tail."""
    large = {
        "502": 21.0, "110": 13.0, "116": 11.0, "133": 5.0, "304": 4.5, "309": 3.4, "303": 3.2,
        "111": 2.6, "132": 2.4, "122": 2.2, "143": 2.2,
        "344": 2.4, "307": 2.0, "141": 2.0, "601": 2.0, "305": 1.9, "501": 1.7, "112": 1.7,
        "138": 1.7, "136": 1.6, "410": 1.6, "429": 1.5,
        "312": 1.4, "129": 1.1, "327": 0.9, "301": 0.9, "137": 0.9, "131": 0.9, "244": 0.8,
        "412": 0.8, "127": 0.6, "103": 0.6, "236": 0.6,
        "215": 0.6, "331": 0.4, "330": 0.5, "145": 0.6, "352": 0.5, "402": 0.4, "347": 0.5,
        "609": 0.3, "435": 0.1,
    }  # fmt: skip
    return np.array([large.get(code, 0.04) for code in codes])


def build_firms(
    economy: Economy,
    firms_n: int,
    rng: np.random.Generator,
    product_weights: Floats,
    partners: Floats,
) -> Firms:
    """Draw the firms of a world.

    Parameters
    ----------
    product_weights, partners : relative demand of products and partner countries
    """
    places = (*economy.cities, *map(former_city, ("3712", *OUTSIDE_PREFECTURES)))
    all_units = units()
    place = _places(economy, firms_n, rng)
    cities_n = len(economy.cities)
    unit = _units(places, place, all_units, cities_n, rng)
    place = np.where(_in_laiwu(places, place, all_units, unit), cities_n, place)
    entry, leave = _lives(firms_n, FLOOR * cities_n, rng)
    postcode, known = _postcodes(all_units, unit, cities_n, rng)
    trade = rng.integers(0, len(TRADES), firms_n)
    syllables = rng.integers(0, len(SYLLABLES), (firms_n, 3))
    product_edges, partner_edges = np.cumsum(product_weights), np.cumsum(partners)
    return Firms(
        places=places,
        units=all_units,
        place=place,
        unit=unit,
        entry=entry,
        leave=leave,
        ln_size=rng.normal(0.0, 1.1, firms_n),
        quality=rng.normal(0.0, 0.5, firms_n),
        postcode=postcode,
        postcode_known=known,
        products=_neighbouring(rng, product_edges, firms_n),
        partners=np.searchsorted(
            partner_edges, rng.random((firms_n, PORTFOLIO_PARTNERS)) * partner_edges[-1]
        ),
        codes=[f"{all_units[u].home}{i + 1:06d}" for i, u in enumerate(unit)],
        names=_names(places, place, syllables, trade),
        telephones=_telephones(place),
        nature=rng.choice(len(NATURES), firms_n, p=[0.12, 0.45, 0.2, 0.15, 0.08]),
        is_intermediary=trade < len(INTERMEDIARY_WORDS),
        district=np.array([all_units[u].is_district for u in unit], dtype=bool),
    )


def _lives(firms_n: int, permanent_n: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """First and last year of each firm; the first ones are there throughout."""
    permanent = np.arange(firms_n) < permanent_n
    early = permanent | (rng.random(firms_n) < 0.4)
    entry = np.where(early, YEARS[0], rng.integers(YEARS[0], YEARS[-1] + 1, firms_n))
    lasting = permanent | (rng.random(firms_n) < 0.35)
    age = np.where(lasting, 30, rng.geometric(0.12, firms_n))
    return entry, np.minimum(YEARS[-1], entry + age)


def _in_laiwu(
    places: tuple[City, ...], place: Ints, all_units: tuple[Unit, ...], unit: Ints
) -> NDArray[np.bool_]:
    """Firms of 济南 whose district was 莱芜's: they produce in 莱芜 as long as it exists."""
    return np.array(
        [
            places[p].city_code == "3701" and all_units[u].name in ("莱城区", "钢城区")
            for p, u in zip(place, unit, strict=True)
        ]
    )


def _names(places: tuple[City, ...], place: Ints, syllables: Ints, trade: Ints) -> list[str]:
    rows = zip(place.tolist(), syllables.tolist(), trade.tolist(), strict=True)
    return [
        f"{places[p].name_zh[:2]}{SYLLABLES[a]}{SYLLABLES[b]}{SYLLABLES[c]}{TRADES[t]}有限公司"
        for p, (a, b, c), t in rows
    ]


def _telephones(place: Ints) -> list[str]:
    return [area_code(p) + telephone(i) if i % SILENT else "" for i, p in enumerate(place.tolist())]


def _places(economy: Economy, firms_n: int, rng: np.random.Generator) -> Ints:
    """Production place of each firm: first FLOOR firms for every city, then more the more it
    trades; a few are outside the spine.
    """
    cities_n = len(economy.cities)
    weight = np.exp(0.75 * economy.ln_trade.mean(axis=1))
    outside_n = max(len(OUTSIDE_PREFECTURES), round(firms_n * SHARES["outside_spine"]))
    floor = np.tile(np.arange(cities_n), FLOOR)
    rest = rng.choice(cities_n, firms_n - outside_n - len(floor), p=weight / weight.sum())
    outside = cities_n + 1 + np.arange(outside_n) % len(OUTSIDE_PREFECTURES)
    return np.concatenate([floor, rng.permutation(np.concatenate([rest, outside]))])


def _units(
    places: tuple[City, ...],
    place: Ints,
    all_units: tuple[Unit, ...],
    cities_n: int,
    rng: np.random.Generator,
) -> Ints:
    """Unit of each firm's address: usually of its own city, more often a district; some firms are
    registered in another city. The first firm of each city is in what was a district throughout,
    so that every city can export from its districts in every year; its second is in a county where
    there is one, and never states a postcode elsewhere (`_postcodes`), so that each also exports
    what counts for the whole city alone.
    """
    by_home, by_province = _pools(all_units)
    everywhere = [index for indices in by_province.values() for index in indices]
    draws = rng.random((len(place), 3)).tolist()
    chosen = []
    for at, (p, (elsewhere, district, pick)) in enumerate(zip(place.tolist(), draws, strict=True)):
        home = _home(places, p)
        options = {flag: by_home.get((home, flag), []) for flag in (True, False)}
        inside = home not in OUTSIDE_PREFECTURES
        moved = inside and (
            elsewhere < SHARES["registered_elsewhere"]
            or (not options[True] and elsewhere < 0.85)
            or not any(options.values())
        )
        if at < cities_n:
            pools = (options[True], by_province[home[:2]], everywhere)
            kept = ([u for u in pool if all(all_units[u].is_district)] for pool in pools)
            pool = next(found for found in kept if found)
        elif at < 2 * cities_n:
            pool = options[False] or options[True] or everywhere
        elif moved:
            pool = by_province[home[:2]] if not options[True] else everywhere
        else:
            pool = options[district < SHARES["in_districts"]] or options[True] or options[False]
        chosen.append(pool[int(pick * len(pool))])
    return np.array(chosen, dtype=np.int64)


def _pools(
    all_units: tuple[Unit, ...],
) -> tuple[dict[tuple[str, bool], list[int]], dict[str, list[int]]]:
    """Units by home and first class, and districts of the spine by province."""
    by_home: dict[tuple[str, bool], list[int]] = defaultdict(list)
    by_province: dict[str, list[int]] = defaultdict(list)
    for index, unit in enumerate(all_units):
        by_home[unit.home, unit.is_district[0]].append(index)
        if unit.is_district[0] and unit.city_code:
            by_province[unit.home[:2]].append(index)
    return by_home, by_province


def _home(places: tuple[City, ...], place: int) -> str:
    return (
        places[place].city_code
        or OUTSIDE_PREFECTURES[place - (len(places) - len(OUTSIDE_PREFECTURES))]
    )


def _postcodes(
    all_units: tuple[Unit, ...], unit: Ints, cities_n: int, rng: np.random.Generator
) -> tuple[Ints, NDArray[np.bool_]]:
    """Each firm's postcode: its unit's own digits and then its street's; and whether that postcode
    is in any list. Those of each city's first firm always are; of its second, none in a district is
    ever stated.
    """
    firms_n = len(unit)
    base = np.array([int(u.postcode) for u in all_units])[unit]
    free = 10 ** (6 - np.array([u.own_digits for u in all_units])[unit])
    postcode = base - base % free + rng.integers(0, 100, firms_n) % free
    never_n, unknown_n = (
        max(FEWEST, round(firms_n * SHARES[kind]))
        for kind in ("never_a_postcode", "unknown_postcode")
    )
    order = cities_n + rng.permutation(firms_n - cities_n)
    never = np.isin(np.arange(firms_n), order[:never_n])
    unknown = np.isin(np.arange(firms_n), order[never_n : never_n + unknown_n])
    strange = np.array([int(prefix) * 100 for prefix in UNKNOWN_PREFIXES])[
        rng.integers(0, len(UNKNOWN_PREFIXES), firms_n)
    ] + rng.integers(1, 100, firms_n)
    second = np.arange(firms_n) // cities_n == 1
    never |= second & np.array([any(all_units[u].is_district) for u in unit], dtype=bool)
    return np.where(never, -1, np.where(unknown, strange, postcode)), ~unknown


def _neighbouring(rng: np.random.Generator, edges: Floats, firms_n: int) -> Ints:
    """Products of each firm: one main product, the others mostly near it in the nomenclature."""
    main = np.searchsorted(edges, rng.random((firms_n, 1)) * edges[-1])
    near = np.clip(
        main + np.rint(rng.normal(0.0, 6.0, (firms_n, PORTFOLIO_PRODUCTS))).astype(np.int64),
        0,
        len(edges) - 1,
    )
    far = np.searchsorted(edges, rng.random((firms_n, PORTFOLIO_PRODUCTS)) * edges[-1])
    products = np.where(rng.random((firms_n, PORTFOLIO_PRODUCTS)) < 0.8, near, far)
    products[:, :1] = main
    return products
