"""Units said in English in a head: (100 million yuan), RMB mn, _10k."""

from __future__ import annotations

import re

from warehouse.sources.yearbook.headers import HEADERS, UNITS

AMOUNTS = (
    ("100[ _]?millions?|hundred millions?|100m(?![a-z])|(?<![a-z])yi(?![a-z])", 1e8),
    ("billions?|(?<![a-z])bn(?![a-z])", 1e9),
    ("10[ ,_]?000|10k(?![a-z])|ten[ _]thousands?|(?<![a-z])wan(?![a-z])", 1e4),
    ("millions?|(?<![a-z])mn(?![a-z])", 1e6),
    ("1[ ,]?000|thousands?", 1e3),
)
NOUNS = (
    ("yuan|rmb|cny|renminbi", "cny"),
    ("usd|us[ _]?dollars?|us\\$|dollars?", "usd"),
    ("persons?|people|inhabitants", "persons"),
    ("households|users|subscribers", "users"),
    ("tonnes?|tons?", "mass"),
    ("sq[. _]?km|km2|km\\^2|square kilomet", "area"),
    ("%|(?<![a-z])pct(?![a-z])|per ?cent", "share"),
)
# Words that belong to a unit and not to the quantity.
WORDS = frozenset(
    {
        "10", "100", "1000", "000", "10k", "100m", "m", "k", "wan", "yi", "million", "millions",
        "hundred", "thousand", "thousands", "ten", "billion", "bn", "mn", "yuan", "rmb", "cny",
        "renminbi", "usd", "us", "dollar", "dollars", "person", "persons", "people", "tonne",
        "tonnes", "ton", "tons", "km2", "km", "sq", "pct", "percent", "in", "of", "unit",
    }
)  # fmt: skip


def kind_of_indicator(indicator: str) -> str | None:
    """What the indicator's units count: cny, usd, persons ….; None for one without known heads."""
    unit = next((header.unit for header in HEADERS if header.indicator == indicator), None)
    return None if unit is None else UNITS[unit][0]


def english_unit(head: str, indicator: str) -> str | None:
    """The unit that a head says in English, if it is one that the indicator can have."""
    text, kind = head.lower(), kind_of_indicator(indicator)
    amount = next((factor for words, factor in AMOUNTS if re.search(words, text)), None)
    noun = next((counts for words, counts in NOUNS if re.search(words, text)), None)
    if kind is None or (noun is not None and noun != kind) or (amount is None and noun is None):
        return None
    wanted = 0.01 if kind == "share" else (1.0 if amount is None else amount)
    return next((unit for unit, said in UNITS.items() if said == (kind, wanted)), None)
