"""Which enterprise of the simulated surveys is which exporter of the simulated customs, and what
the surveys state that tells it: names, telephones, postcodes, and the year of opening.

Enterprises that export are makers that customs know, one each in their city, larger ones larger;
they opened no later than customs first saw them. Most bear the customs name. Some write it
otherwise, some bore another up to a year, some bear another throughout and are known by telephone
and postcode alone, and a few by nothing. As in the files themselves, a name may be borne by two
enterprises, and a telephone be a neighbour's. Customs' own side stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.firms import Firms, Ints, telephone
from warehouse.simulate.model.industry import SURVEY_YEARS, Industry

# How a survey shows who an enterprise is, and how often.
SHOWN = {
    "name": 0.70,
    "name_written_otherwise": 0.11,
    "name_since_a_year": 0.06,
    "telephone": 0.08,
    "nothing": 0.03,
    "name_shared": 0.02,
}
NEIGHBOUR_SHARE = 0.01  # of the other enterprises: those that state an exporter's telephone
NO_TELEPHONE_SHARE = 0.08
OWN_TELEPHONES = 8_000_000  # positions from here on are of enterprises that customs do not know


@dataclass(frozen=True)
class Identities:
    """One entry an enterprise of the survey.

    firm : the exporter of customs that it is, -1 where it is none
    shown : key of SHOWN; "" where it is no exporter of customs
    name, former_name, named_since : its name from a year on, and the one before; both are one
        where it never changed
    """

    firm: Ints
    shown: list[str]
    name: list[str]
    former_name: list[str]
    named_since: Ints
    postcode: list[str]
    telephone: list[str]
    opening: Ints

    def names_in(self, year: int, there: Ints) -> list[str]:
        """Names that the enterprises print in a year."""
        return [
            self.name[i] if year >= self.named_since[i] else self.former_name[i]
            for i in there.tolist()
        ]

    def matches(
        self, economy: Economy, industry: Industry, firms: Firms, codes: list[str]
    ) -> list[dict[str, object]]:
        """Who is who, as truth.json has it. codes : of the enterprises in the survey."""
        return [
            {
                "survey_code": codes[i],
                "customs_code": firms.codes[self.firm[i]],
                "city_code": economy.cities[industry.city[i]].city_code,
                "shown_by": self.shown[i],
            }
            for i in np.flatnonzero(self.firm >= 0).tolist()
        ]


def build_identities(
    economy: Economy,
    industry: Industry,
    own_names: list[str],
    firms: Firms,
    rng: np.random.Generator,
) -> Identities:
    """Decide who is who. own_names : names of the enterprises where they do not bear customs'."""
    firm = _exporters(economy, industry, firms)
    known = np.flatnonzero(firm >= 0)
    shown = [""] * industry.count
    drawn = rng.choice(list(SHOWN), len(known), p=list(SHOWN.values())).tolist()
    since = np.full(industry.count, SURVEY_YEARS[0])
    for i, kind in zip(known.tolist(), drawn, strict=True):
        shown[i] = kind
        years = np.flatnonzero(industry.present[i])
        if kind == "name_since_a_year" and len(years):
            since[i] += int(years[len(years) // 2])
    entry = np.where(firm >= 0, firms.entry[firm], industry.opening)
    return Identities(
        firm=firm,
        shown=shown,
        name=_names(industry, own_names, firms, firm, shown),
        former_name=own_names,
        named_since=since,
        **_contacts(industry, firms, firm, shown, rng),
        opening=np.minimum(industry.opening, entry),
    )


def _exporters(economy: Economy, industry: Industry, firms: Firms) -> Ints:
    """The exporter that each enterprise is, -1 where none: of the makers of its city whose name is
    theirs alone those that are in customs for longest, then the largest; paired by size.
    """
    names, counts = np.unique(firms.names, return_counts=True)
    unique = counts[np.searchsorted(names, firms.names)] == 1
    lasts = np.minimum(firms.leave, SURVEY_YEARS[-1]) - np.maximum(firms.entry, SURVEY_YEARS[0])
    exports = industry.export_share[:, 0] > 0
    workers = np.log(industry.workers).mean(axis=1)
    firm = np.full(industry.count, -1)
    for c in range(len(economy.cities)):
        mine = np.flatnonzero((industry.city == c) & exports)
        theirs = np.flatnonzero((firms.place == c) & ~firms.is_intermediary & unique & (lasts >= 0))
        best = theirs[np.lexsort((theirs, -firms.ln_size[theirs], -lasts[theirs]))][: len(mine)]
        largest = mine[np.argsort(-workers[mine], kind="stable")][: len(best)]
        firm[largest] = best[np.argsort(-firms.ln_size[best], kind="stable")]
    return firm


def _names(
    industry: Industry, own_names: list[str], firms: Firms, firm: Ints, shown: list[str]
) -> list[str]:
    names, others = list(own_names), firm < 0
    for i in np.flatnonzero(firm >= 0).tolist():
        name = firms.names[firm[i]]
        if shown[i].startswith("name"):
            names[i] = _otherwise(name, i) if shown[i] == "name_written_otherwise" else name
        elif i % 2:
            names[i] = f"{name[:2]}市{name[2:]}"  # a word more, and no cleaning finds it
        if shown[i] == "name_shared":
            there = np.flatnonzero((industry.city == industry.city[i]) & others)
            together = (industry.present[there] & industry.present[i]).sum(axis=1)
            if together.max(initial=0) > 0:
                second = there[np.argmax(together)]
                names[second], others[second] = name, False
    return names


def _otherwise(name: str, at: int) -> str:
    """A name as another clerk writes it: brackets, blanks, points, and the form of the company in
    full.
    """
    place, rest = name[:2], name[2:]
    return (
        f"（{place}）{rest}",
        f"({place}){rest}",
        f"{place}·{rest}",
        f"{place} {rest}。",
        f"{place}{rest.removesuffix('有限公司')}有限责任公司",
    )[at % 5]


def _contacts(
    industry: Industry,
    firms: Firms,
    firm: Ints,
    shown: list[str],
    rng: np.random.Generator,
) -> dict[str, list[str]]:
    """Postcode and telephone of each enterprise. Those that customs do not know have a postcode of
    their city, and a few a neighbour's telephone with it.
    """
    neighbour = rng.random(industry.count) < NEIGHBOUR_SHARE
    silent = rng.random(industry.count) < NO_TELEPHONE_SHARE
    draws = rng.random(industry.count).tolist()
    others = (firms.postcode >= 0) & ~np.isin(np.arange(firms.count), firm)
    beside = [np.flatnonzero((firms.place == c) & others) for c in range(industry.city.max() + 1)]
    postcodes, telephones = [], []
    for i, c in enumerate(industry.city.tolist()):
        around = beside[c]
        chosen = int(firm[i])
        if chosen < 0 and len(around):
            chosen = int(around[int(draws[i] * len(around))])
        code = int(firms.postcode[chosen]) if chosen >= 0 else -1
        states = firm[i] >= 0 or (neighbour[i] and chosen >= 0)
        hidden = shown[i] == "nothing" or (silent[i] and shown[i] != "telephone")
        postcodes.append(f"{code:06d}" if code >= 0 else "")
        telephones.append("" if hidden else telephone(chosen if states else OWN_TELEPHONES + i))
    return {"postcode": postcodes, "telephone": telephones}
