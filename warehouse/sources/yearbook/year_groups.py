"""Tables that cross indicators with years in two rows of heads.

    城市 | 地区生产总值(亿元) |      | 年末总人口(万人) |
         | 2019               | 2020 | 2019             | 2020

    城市 | 2019               |                  | 2020               |
         | 地区生产总值(亿元) | 年末总人口(万人) | 地区生产总值(亿元) | 年末总人口(万人)

and tables whose heads hold the year themselves: gdp2019, gdp2020, pop2019 ….
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from warehouse.dictionary.places import clean_name
from warehouse.sources.yearbook.cells import Row, is_blank, to_number
from warehouse.sources.yearbook.key_heads import CITY_HEADS, index_of
from warehouse.sources.yearbook.parsing import YEAR, normal_head

YEAR_HEAD = re.compile(rf"({YEAR})(?:\.0)?年?")
STEM = r"(?P<stem>.*[^\d_.\s-])[_.\s-]*", r"(?P<stem>.*[^_.\s-])[_.\s-]+"
AFTER = [re.compile(rf"{stem}(?P<year>{YEAR})年?(?P<unit>\(.*\))?") for stem in STEM]
BEFORE = re.compile(rf"(?P<year>{YEAR})年?[_.\s-]*(?P<stem>[^\d_.\s-].*)")
FEWEST_YEARS = 2


@dataclass(frozen=True)
class Group:
    """One indicator's columns.

    head_at, title_at : rows (0-based) of the lower heads and of the indicators'
    years : column -> year
    city : the column of cities
    """

    title: str
    head_at: int
    title_at: int
    years: dict[int, int]
    city: int


def stem_and_year(head: object) -> tuple[str, int] | None:
    """A head without its year, and the year: gdp2019, GDP_2019(亿元), 2019年GDP(亿元)."""
    plain = normal_head(head).lstrip("_")  # which Stata puts before a name that begins with 2
    ways = (pattern.fullmatch(plain) for pattern in (*AFTER, BEFORE))
    match = next((found for found in ways if found), None)
    if match is None:
        return None
    unit = match.groupdict().get("unit") or ""
    return match["stem"] + unit, int(match["year"])


def stems_of(heads: Sequence[str]) -> dict[str, dict[int, int]]:
    """Stems that stand with several years -> column -> year."""
    found: dict[str, dict[int, int]] = {}
    for at, head in enumerate(heads):
        split = stem_and_year(head) if head else None
        if split is not None:
            found.setdefault(split[0], {})[at] = split[1]
    return {
        stem: years
        for stem, years in found.items()
        if len(years) >= FEWEST_YEARS and len(set(years.values())) == len(years)
    }


def groups_at(rows: Sequence[Row], at: int) -> list[Group]:
    """The groups of which a row has the years, below their indicators or above them."""
    if at + 1 >= len(rows):
        return []
    years = {
        index: int(match[1])
        for index, text in enumerate(texts_of(rows[at]))
        if (match := YEAR_HEAD.fullmatch(text))
    }
    if len(set(years.values())) < FEWEST_YEARS:
        return []
    return _below(rows, at, years) or _above(rows, at, years)


def texts_of(row: Row) -> list[str]:
    return ["" if is_blank(cell) else clean_name(str(cell)) for cell in row]


def _below(rows: Sequence[Row], at: int, years: dict[int, int]) -> list[Group]:
    """Years that begin anew under each indicator."""
    if at == 0 or len(set(years.values())) == len(years):
        return []
    over = ["" if is_blank(cell) else str(cell) for cell in rows[at - 1]]
    starts = [index for index in years if index < len(over) and over[index]]
    groups = []
    for start, end in zip(starts, [*starts[1:], max(years) + 1], strict=True):
        own = {index: year for index, year in years.items() if start <= index < end}
        groups.append(Group(over[start], at, at - 1, own, _city(rows, at, at - 1)))
    covered = sum(len(group.years) for group in groups)
    is_whole = covered == len(years) and len(groups) >= 2
    return groups if is_whole and all(_are_apart(group) for group in groups) else []


def _are_apart(group: Group) -> bool:
    return len(set(group.years.values())) == len(group.years) >= FEWEST_YEARS


def _above(rows: Sequence[Row], at: int, years: dict[int, int]) -> list[Group]:
    """Years merged over the same indicators each."""
    starts = sorted(years)
    widths = {right - left for left, right in pairwise(starts)}
    if len(widths) != 1 or len(set(years.values())) < len(years):
        return []
    width = widths.pop()
    heads = ["" if is_blank(cell) else str(cell) for cell in rows[at + 1]]
    blocks = [heads[start : start + width] for start in starts]
    first = blocks[0]
    is_named = all(head and to_number(head) != to_number(head) for head in first)
    if width < 2 or not is_named or any(block != first for block in blocks):
        return []
    return [
        Group(
            title,
            at + 1,
            at + 1,
            {start + offset: years[start] for start in starts},
            _city(rows, at, at + 1),
        )
        for offset, title in enumerate(first)
    ]


def _city(rows: Sequence[Row], *at: int) -> int:
    """The column under a head for cities in one of the two rows, or the first."""
    found = (index_of([str(cell or "") for cell in rows[row]], CITY_HEADS) for row in at)
    return next((index for index in found if index is not None), 0)
