"""What a head may mean: by the yearbooks' vocabulary, by English words for units, by likeness."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

from warehouse.dictionary.entries import read_dictionary
from warehouse.sources.inspection.english_units import WORDS, english_unit, kind_of_indicator
from warehouse.sources.yearbook.headers import HEADERS, UNITS
from warehouse.sources.yearbook.parsing import (
    Quantity,
    find_header,
    quantity_or_reason,
    split_glued,
    split_head,
)

NEAR = 0.55  # of difflib: likelier a name that is like another than not
MOST_NEAR = 3
SHORT_HEAD = 5  # letters, of which likeness says nothing: did is not fdi
# What makes another quantity of a level.
LOGARITHM = re.compile(r"^(?:ln|log)(?=[_ (]|[a-z]{2}|[\u4e00-\u9fff])", re.IGNORECASE)
REAL = re.compile("(?<![a-z])(real|constant)(?![a-z])|不变价|可比价|平减")
RATIO = re.compile(
    "(?<![a-z])(share|rate|ratio|growth|pct|percent|per|index|density)(?![a-z])"
    "|(?<![a-z])avg|(?<![a-z])average|人均|每|比重|占比|比例|增长|增速|率|指数|密度"
)
SHORT = {
    "loan": "loans", "deposit": "deposits", "balance": "", "avg": "average", "invest": "investment",
    "urbanization": "urbanisation", "export": "exports", "import": "imports", "hukou": "registered",
    "fai": "fixed investment", "pop": "population", "exp": "exports", "rev": "revenue",
    "inv": "investment",
}  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """What a head was taken for: an indicator and a unit where both are sure, else why not and the
    nearest names.
    """

    indicator: str | None
    unit: str | None
    scope: str | None
    reason: str
    near: tuple[str, ...] = ()


def meaning(head: str) -> Meaning:
    """What the yearbooks' vocabulary makes of a head."""
    split = split_glued(head) or split_head(head)
    found = quantity_or_reason(split, head)
    if isinstance(found, Quantity):
        return Meaning(found.indicator, split.unit, found.scope, "")
    if LOGARITHM.search(head):
        return Meaning(None, None, split.scope, "looks like a logarithm, which is no quantity")
    if REAL.search(head.lower()):
        return Meaning(None, None, split.scope, "looks like a value at other years' prices")
    header = find_header(split.key)
    near = (header.indicator,) if header is not None else nearest_indicators(head)
    unit = split.unit or (english_unit(head, near[0]) if near else None)
    if unit is not None and split.unit is None and _are_called(_plain(head)) == {near[0]}:
        return Meaning(near[0], unit, split.scope, "")
    return Meaning(None, unit, split.scope, found, near)


def _are_called(plain: str) -> set[str]:
    """The indicators that go by exactly this name."""
    return {indicator for name, indicator in _names() if name == plain}


def nearest_indicators(head: str) -> tuple[str, ...]:
    """The indicators whose names, labels or known heads are most like a head; of a ratio or a rate
    only those that are one.
    """
    plain = _plain(head)
    if len(plain) < 2:
        return ()
    is_ratio = RATIO.search(head.lower()) is not None
    names = [pair for pair in _names() if not is_ratio or RATIO.search(pair[1])]
    scored: dict[str, float] = {}
    for name, indicator in names:
        if plain.isascii() and len(plain) <= SHORT_HEAD:
            score = 1.0 if name == plain else 0.6 if name.split()[:1] == [plain] else 0.0
        elif name and (name in plain or plain in name) and min(len(name), len(plain)) >= 3:
            score = 0.6 + 0.4 * min(len(name), len(plain)) / max(len(name), len(plain))
        else:
            score = difflib.SequenceMatcher(None, plain, name).ratio()
        if score >= NEAR:
            scored[indicator] = max(score, scored.get(indicator, 0.0))
    return tuple(sorted(scored, key=lambda name: (-scored[name], name))[:MOST_NEAR])


def _plain(head: str) -> str:
    """A head in small letters, without unit words and with short words written out."""
    spelt = head if head.isascii() else split_head(head).key
    words = re.split(r"[^\w]+|_+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", spelt))
    words = [word.lower() for word in words if word and word.lower() not in WORDS]
    return " ".join(written for word in words if (written := SHORT.get(word, word)))


@cache
def _names() -> tuple[tuple[str, str], ...]:
    """Every name that an indicator goes by, and the indicator."""
    pairs = [
        (name, entry.column_name)
        for entry in read_dictionary().values()
        if entry.kind == "indicator" and not entry.column_name.startswith("district_")
        for name in (_without_unit(entry.column_name), entry.label_en.lower(), entry.label_zh)
    ]
    known = {indicator for _, indicator in pairs}
    pairs += [
        (header.stem.replace("_", "").lower(), header.indicator)
        for header in HEADERS
        if header.indicator in known
    ]
    return tuple(dict.fromkeys(pairs))


def _without_unit(name: str) -> str:
    return re.sub(r"_(cny|usd|n|km2|km|t|share|pct|m2)$", "", name).replace("_", " ")


def fitting_units(indicator: str) -> list[str]:
    """The units that an indicator can have."""
    kind = kind_of_indicator(indicator)
    return [name for name, (counts, _) in UNITS.items() if counts == kind]
