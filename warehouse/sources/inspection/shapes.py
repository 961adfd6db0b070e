"""The shape of a table that holds cities: what its keys are called or where they stand, and which
heads may be quantities.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.sources.inspection.meanings import meaning
from warehouse.sources.inspection.tables import HEAD_WITHIN, MOSTLY, Look, Seen
from warehouse.sources.yearbook.key_heads import CITY_HEADS, plain_name
from warehouse.sources.yearbook.own import YEAR_ALONE
from warehouse.sources.yearbook.own_matrix import is_head_of_cities, titles_of
from warehouse.sources.yearbook.parsing import find_header, split_head
from warehouse.sources.yearbook.year_groups import Group, groups_at, stems_of

MOST_INDICATORS = 60  # of a column of indicators


@dataclass(frozen=True)
class HeadSeen:
    """A head that may be a quantity, and what says so: its label, or itself."""

    text: str
    said: str
    look: Look | None = None


@dataclass(frozen=True)
class Shape:
    """The keys of a block of the configuration, and its heads.

    sheets : those to be read, where others hold something else
    is_titled : the one head is a sheet's name or a title, which says little
    has_units : rows state their units
    lacks_year : nothing says the years
    has_groups : indicators are crossed with years in two rows of heads
    """

    keys: tuple[tuple[str, str], ...]
    heads: tuple[HeadSeen, ...]
    sheets: tuple[str, ...] = ()
    is_titled: bool = False
    has_units: bool = False
    lacks_year: bool = False
    has_groups: bool = False


def shape_of(seen: Sequence[Seen], path: Path) -> Shape | None:
    """The shape of the first table that holds cities, in a column or as heads."""
    tables = [one for one in seen if one.city is not None]
    if not tables:
        return next((found for one in seen if (found := _matrix(one)) is not None), None)
    first = tables[0]
    sheets = () if len(seen) == 1 or _are_alike(tables) else (first.table.name,)
    crossed = _crossed(first, sheets)
    if first.has_years_across and (crossed is None or not crossed.has_groups):
        return _across(first, sheets)
    if first.best("years") is not None:
        return _panel(first, (("year", _name(first.best("years"))),), sheets)
    if crossed is not None:
        return crossed
    if len(tables) > 1 and all(len(set(YEAR_ALONE.findall(one.table.name))) == 1 for one in tables):
        return _panel(first, (("years", "sheets"),), ())
    if len(set(YEAR_ALONE.findall(path.stem))) == 1:
        return _panel(first, (("years", "name"),), sheets)
    return _panel(first, (("year", "?"),), sheets, lacks_year=True)


def _name(look: Look | None) -> str:
    return "?" if look is None else look.head


def _are_alike(tables: Sequence[Seen]) -> bool:
    """Whether all sheets with cities have the first one's heads."""
    heads = [[look.head for look in one.looks] for one in tables]
    return all(other == heads[0] for other in heads) or all(one.has_years_across for one in tables)


def _across(seen: Seen, sheets: tuple[str, ...]) -> Shape:
    city, indicator, unit = seen.best("cities") or seen.city, _indicator(seen), seen.best("units")
    keys = [("years", "heads")]
    keys += [("city", city.head)] if city is not None and city.head else []
    if indicator is None:
        title = next(iter(_titles(seen)), "")
        named = [HeadSeen(title, title)] if title else []
        return Shape(tuple(keys), tuple(named), sheets, is_titled=True)
    keys.append(("indicator", indicator.head))
    heads = tuple(HeadSeen(text, text) for text in distinct(seen, indicator))
    return Shape(tuple(keys), heads, sheets, has_units=unit is not None)


def _titles(seen: Seen) -> list[str]:
    """What a table with years as heads and one indicator is known by: the text in its corner, or
    its sheet's name; a csv has nothing but the head of its cities.
    """
    row = seen.table.rows[seen.head_at]
    corner = str(row[0]).strip() if row and row[0] is not None else ""
    texts = [text for text in (corner, seen.table.name) if text]
    return [text for text in texts if plain_name(text) not in CITY_HEADS] or texts


def _panel(
    seen: Seen,
    year: tuple[tuple[str, str], ...],
    sheets: tuple[str, ...],
    lacks_year: bool = False,
) -> Shape:
    """A row a city and year, or a row a value."""
    city, indicator, value = seen.city, _indicator(seen), value_columns(seen)
    keys = (("city", _name(city)), *year)
    if indicator is None or len(value) != 1:
        heads = tuple(HeadSeen(look.head, look.said, look) for look in value)
        return Shape(keys, heads, sheets, lacks_year=lacks_year)
    keys = (*keys, ("indicator", indicator.head), ("value", value[0].head))
    unit = seen.best("units")
    keys = (*keys, ("unit", unit.head)) if unit is not None else keys
    heads = tuple(HeadSeen(text, text) for text in distinct(seen, indicator))
    return Shape(keys, heads, sheets, has_units=unit is not None, lacks_year=lacks_year)


def _crossed(seen: Seen, sheets: tuple[str, ...]) -> Shape | None:
    """Indicators crossed with years, in two rows of heads or in the heads themselves."""
    groups: list[Group] = []
    for at in range(min(HEAD_WITHIN, len(seen.table.rows))):
        groups = groups or groups_at(seen.table.rows, at)
    stems = stems_of([look.head for look in seen.looks])
    titles = [group.title for group in groups] or list(stems)
    if not titles:
        return None
    keys = (("years", "heads"), ("city", _name(seen.city)))
    heads = tuple(HeadSeen(title, title) for title in titles)
    return Shape(keys, heads, sheets, has_groups=bool(groups))


def _matrix(seen: Seen) -> Shape | None:
    """A year in each row, and cities as heads."""
    year = seen.best("years")
    row = seen.table.rows[seen.head_at]
    if year is None or not is_head_of_cities(row):
        return None
    titles = titles_of(seen.table, seen.head_at, year.head)
    known = [text for text in titles if meaning(text).indicator is not None]
    title = (known or titles)[0]
    keys = (("year", year.head), ("cities", "heads"))
    return Shape(keys, (HeadSeen(title, title),), is_titled=True)


def _indicator(seen: Seen) -> Look | None:
    """A column of texts that are known as heads, in a table of one value a row or of years
    across.
    """
    for look in seen.looks:
        if look == seen.best("cities") or not look.head or look.numbers > 1 - MOSTLY:
            continue
        cells = distinct(seen, look)
        known = sum(_is_known(cell) for cell in cells)
        is_short = 2 * len(cells) < len(seen.table.rows)
        is_named = plain_name(look.head) in INDICATOR_NAMES and is_short
        if cells and (known >= len(cells) / 2 or is_named):
            return look
    return None


INDICATOR_NAMES = {"指标", "指标名称", "变量", "变量名", "项目", "indicator", "variable", "item"}


def distinct(seen: Seen, look: Look, most: int | None = MOST_INDICATORS) -> list[str]:
    """The different texts of a column, in their order."""
    rows = seen.table.rows[seen.head_at + 1 :]
    cells = (str(row[look.index]).strip() for row in rows if look.index < len(row))
    return [cell for cell in dict.fromkeys(cells) if cell and cell != "None"][:most]


def _is_known(text: str) -> bool:
    return find_header(split_head(text).key) is not None or meaning(text).indicator is not None


def value_columns(seen: Seen) -> list[Look]:
    """The columns of numbers under a head that are no key."""
    keys = {
        look.index for what in ("cities", "years", "codes") if (look := seen.best(what)) is not None
    }
    return [
        look
        for look in seen.looks
        if look.head
        and look.index not in keys
        and look.numbers >= MOSTLY
        and not re.fullmatch(r"id|no\.?|序号|编号|unnamed: ?\d+|index", look.head.lower())
    ]
