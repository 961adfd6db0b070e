"""The simulated world's own customs nomenclature: some 1,200 six-digit codes of HS 2002 and its
other revisions.

The codes look like the Harmonized System's and are not its list. Between revisions, codes are
split, merged, regrouped, renumbered, and two now and then change places, so that equal digits do
not always mean equal goods. Which HS 2002 code a code belongs to is decided here, when the revision
is made, and is the truth that a conversion must find again. The list is the same for every seed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

REVISION_YEARS = {
    1996: (1988, 2001),
    2002: (2002, 2006),
    2007: (2007, 2011),
    2012: (2012, 2016),
    2017: (2017, 2100),
}
CHANGE_SHARE = 0.06
BEC_BY_CHAPTER = (
    (5, ("111", "112")), (14, ("111", "112", "21")), (24, ("121", "122")), (26, ("21",)), (27,
    ("31", "322")), (38, ("22",)),
    (40, ("22", "53")), (60, ("22",)), (67, ("62",)), (83, ("22", "61")), (85, ("41", "42", "61")),
    (89, ("51", "521", "53")), (97, ("41", "61", "62", "63")),
)  # fmt: skip


@dataclass
class Revision:
    """Codes of one revision: what each draws on in HS 2002, and the one code of HS 2002 that it is
    converted to.
    """

    year: int
    sources: dict[str, frozenset[str]] = field(default_factory=dict)
    converted: dict[str, str] = field(default_factory=dict)

    def correlation(self) -> list[tuple[str, str, str]]:
        """(code, HS 2002 code, relationship as UNSD writes it: 1:1, n:1, 1:n or n:n), sorted."""
        users: dict[str, list[str]] = {}
        for code, olds in self.sources.items():
            for old in olds:
                users.setdefault(old, []).append(code)
        rows = []
        for code, olds in self.sources.items():
            shared = any(len(users[old]) > 1 for old in olds)
            tangled = shared and any(
                len(self.sources[user]) > 1 for old in olds for user in users[old]
            )
            kind = "n:n" if tangled else "n:1" if shared else "1:n" if len(olds) > 1 else "1:1"
            rows += [(code, old, kind) for old in olds]
        return sorted(rows)


@dataclass(frozen=True)
class Nomenclature:
    """HS 2002 codes in order, and every revision's relation to them."""

    codes: tuple[str, ...]
    revisions: dict[int, Revision]

    def revision_of(self, year: int) -> Revision:
        return next(
            self.revisions[r]
            for r, (first, last) in REVISION_YEARS.items()
            if first <= year <= last
        )

    def line_codes(self, year: int) -> list[list[str]]:
        """For each HS 2002 code, the codes under which those goods are declared in a year."""
        declared: dict[str, list[str]] = {code: [] for code in self.codes}
        for code, olds in sorted(self.revision_of(year).sources.items()):
            for old in olds:
                declared[old].append(code)
        return [declared[code] for code in self.codes]


@cache
def nomenclature() -> Nomenclature:
    """The world's nomenclature (always the same)."""
    rng = np.random.Generator(np.random.PCG64(20020101))
    codes = _base_codes(rng)
    base = Revision(
        2002, {code: frozenset([code]) for code in codes}, {code: code for code in codes}
    )
    later, revisions = base, {2002: base}
    for year in (2007, 2012, 2017):
        later = _next_revision(rng, later, year)
        revisions[year] = later
    revisions[1996] = _earlier_revision(rng, codes)
    return Nomenclature(tuple(codes), dict(sorted(revisions.items())))


def unknown_codes() -> tuple[str, ...]:
    """Codes with proper digits that no revision has."""
    known = {code for revision in nomenclature().revisions.values() for code in revision.sources}
    return tuple(
        code
        for code in ("019970", "399971", "619970", "849971", "859970", "949971")
        if code not in known
    )


def bec_code(code: str) -> str:
    """The broad economic category of an HS 2002 code (made up, plausible by chapter)."""
    kinds = next(kinds for last, kinds in BEC_BY_CHAPTER if int(code[:2]) <= last)
    return kinds[int(code[2:4]) % len(kinds)]


def _base_codes(rng: np.random.Generator) -> list[str]:
    codes = []
    for chapter in range(1, 98):
        if chapter == 77:
            continue
        headings_n = int(rng.integers(3, 7 if chapter not in (84, 85) else 25))
        for heading in range(1, headings_n + 1):
            endings = [
                ["00"],
                ["10", "90"],
                ["10", "20", "90"],
                ["11", "19", "20", "90"],
                ["10", "20", "30", "40", "90"],
            ][int(rng.integers(0, 5))]
            codes += [f"{chapter:02d}{heading:02d}{ending}" for ending in endings]
    return codes


def _fresh(code: str, taken: set[str]) -> str:
    """A free number in the same heading, then in the chapter's later headings."""
    for heading in range(int(code[2:4]), 99):
        for ending in ("12", "21", "29", "31", "39", "41", "49", "50", "60", "70", "80", "13"):
            fresh = f"{code[:2]}{heading:02d}{ending}"
            if fresh not in taken:
                taken.add(fresh)
                return fresh
    raise AssertionError(f"chapter {code[:2]} is full")


def _next_revision(rng: np.random.Generator, old: Revision, year: int) -> Revision:
    """The following revision: a few per cent of the codes change, in all ways in which codes do
    change.
    """
    new = Revision(year, dict(old.sources), dict(old.converted))
    taken = set(new.sources)
    order = sorted(new.sources)
    at = iter(
        rng.choice(len(order) - 1, size=int(len(order) * CHANGE_SHARE), replace=False).tolist()
    )
    touched: set[str] = set()
    for number, index in enumerate(at):
        first, second = order[index], order[index + 1]
        if {first, second} & touched:
            continue
        touched |= {first, second}
        _change(
            new,
            taken,
            ("split", "merge", "split", "regroup", "renumber", "swap")[number % 6],
            first,
            second,
        )
    return new


def _change(new: Revision, taken: set[str], kind: str, first: str, second: str) -> None:
    sources, converted = new.sources, new.converted
    if kind == "split":
        fresh = _fresh(first, taken)
        sources[fresh], converted[fresh] = sources[first], converted[first]
    elif kind == "merge":
        gone = sources.pop(second)
        converted.pop(second)
        sources[first] = sources[first] | gone
    elif kind == "regroup":
        sources[first] = sources[first] | sources[second]
    elif kind == "renumber":
        fresh = _fresh(first, taken)
        sources[fresh], converted[fresh] = sources.pop(first), converted.pop(first)
    else:
        sources[first], sources[second] = sources[second], sources[first]
        converted[first], converted[second] = converted[second], converted[first]


def _earlier_revision(rng: np.random.Generator, codes: list[str]) -> Revision:
    """HS 1996, seen from HS 2002: a code that was split since then goes to the part that kept its
    number, else to the first.
    """
    old = Revision(
        1996, {code: frozenset([code]) for code in codes}, {code: code for code in codes}
    )
    taken = set(codes)
    touched: set[str] = set()
    for number, index in enumerate(
        rng.choice(len(codes) - 1, size=int(len(codes) * CHANGE_SHARE), replace=False).tolist()
    ):
        first, second = codes[index], codes[index + 1]
        if {first, second} & touched:
            continue
        touched |= {first, second}
        _change(
            old,
            taken,
            (
                ("merge", "split", "renumber", "merge_renumber")[number % 4]
                if number % 4 < 3
                else "merge"
            ),
            first,
            second,
        )
        if number % 4 == 3:
            _change(old, taken, "renumber", first, second)
    return old
