"""City names as they occur in files since 2000, from the one list that the models use too."""

from __future__ import annotations

import csv
import difflib
import re
from functools import cache

from warehouse.project import SEEDS

CITY_NAMES, CITIES = SEEDS / "geography" / "city_names.csv", SEEDS / "geography" / "cities.csv"


def clean_name(name: str) -> str:
    """A name without the blanks (also full-width ones) that sheets put before, after and inside it."""
    return re.sub(r"[\s\u3000\ufeff\u200b\u200c\u200d]+", "", name)


@cache
def city_names() -> frozenset[str]:
    """Every name, full or short, under which a prefecture-level division has been published since 2000."""
    with CITY_NAMES.open(encoding="utf-8", newline="") as handle:
        return frozenset(row["name_zh"] for row in csv.DictReader(handle))


@cache
def province_names() -> dict[str, str]:
    """Full names of the 31 provinces and municipalities -> two-digit codes."""
    with CITIES.open(encoding="utf-8", newline="") as handle:
        return {row["province_name_zh"]: row["province_code"] for row in csv.DictReader(handle)}


@cache
def nearest_names(name: str) -> tuple[str, ...]:
    """Up to three known names that look most like one that matches nothing; of equals, those with the same characters in the same places."""
    wanted = clean_name(name)

    def likeness(known: str) -> tuple[float, int]:
        return difflib.SequenceMatcher(None, known, wanted).ratio(), sum(a == b for a, b in zip(known, wanted, strict=False))

    close = difflib.get_close_matches(wanted, sorted(city_names()), n=30, cutoff=0.3)
    return tuple(sorted(close, key=likeness, reverse=True)[:3])


@cache
def unknown_name_detail(name: str) -> str:
    """What a row set aside as `unknown_city` says."""
    near = nearest_names(name)
    return f"{name} (nearest names: {', '.join(near)})" if near else name
