"""A file that no layout recognises, as tables of cells, and what its columns look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from warehouse.dictionary.places import city_name, city_names, clean_name, province_prefixes
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.values import numbers_by_text
from warehouse.sources.yearbook.across import UNIT_HEADS, is_head_of_years, years_in
from warehouse.sources.yearbook.cells import Row, is_blank, to_number
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.key_heads import CITY_HEADS, YEAR_HEADS, plain_name
from warehouse.sources.yearbook.tables import Table, tables_of

HEAD_WITHIN = 10
SAMPLE = 3_000  # rows looked at
EXPLAINED = 500  # of a sheet that explains heads
CITY_AND_YEAR = re.compile(r"(.*[^\d_\s-])[_\s-]*(?:19|20)\d{2}年?|(?:19|20)\d{2}年?[_\s-]*(\D.*)")
MOSTLY, HARDLY = 0.6, 0.3
FIRST_YEAR, LAST_YEAR = 1949, 2100
CODE = re.compile(r"[1-6][0-9]{3}(?:[0-9]{2})?")


@dataclass(frozen=True)
class Look:
    """What one column looks like, each share of its cells that are not blank.

    filled : share of the rows that have something in it
    label : what a Stata file or a sheet that explains the heads says of it
    cities_with_years : share of cells that hold a city and a year in one (杭州市2010)
    """

    index: int
    head: str
    filled: float
    cities: float = 0.0
    provinces: float = 0.0
    years: float = 0.0
    codes: float = 0.0
    units: float = 0.0
    numbers: float = 0.0
    least: float = float("nan")
    most: float = float("nan")
    examples: tuple[str, ...] = ()
    distinct_n: int = 0
    label: str = ""
    cities_with_years: float = 0.0

    @property
    def said(self) -> str:
        """What is known to say what the column counts: its label, or its head."""
        return self.label or self.head

    @property
    def range_text(self) -> str:
        """The least and the largest number."""
        return " to ".join(
            f"{number:,.0f}" if abs(number) >= 1e5 or number == int(number) else f"{number:,.5g}"
            for number in (self.least, self.most)
        )


@dataclass(frozen=True)
class Seen:
    """A table with its likely row of heads (0-based) and a look at each column.

    names_n : distinct names of cities in its column of cities
    """

    table: Table
    head_at: int
    looks: tuple[Look, ...]
    has_years_across: bool

    @property
    def city(self) -> Look | None:
        """The column that names the cities, or gives their codes."""
        return self.best("cities") or self.best("codes")

    def best(self, what: str) -> Look | None:
        """The column that most looks like a city, a year, a code … and does so for the most part;
        of equals, the one whose head says so, then the first.
        """
        heads = {"cities": CITY_HEADS, "years": YEAR_HEADS, "units": UNIT_HEADS}.get(what, ())
        likely = [look for look in self.looks if getattr(look, what) >= MOSTLY]
        return max(
            likely,
            key=lambda look: (plain_name(look.head) in heads, getattr(look, what), -look.index),
            default=None,
        )


def seen_tables(raw: RawFile) -> list[Seen]:
    """
    Raises
    ------
    SourceError : a file that cannot be read as a table.
    """
    tables = tables_of(raw)
    found = [seen for table in tables if (seen := _seen(table)) is not None]
    explained = labels_in(found)
    return [
        replace(
            seen,
            looks=tuple(
                replace(look, label={**explained, **seen.table.labels}.get(look.head, ""))
                for look in seen.looks
            ),
        )
        for seen in found
    ]


def labels_in(seen: Sequence[Seen]) -> dict[str, str]:
    """Heads -> what they mean, with the unit, from sheets of texts that explain them: a row with
    the head, its meaning, and perhaps its unit.
    """
    found: dict[str, str] = {}
    explaining = [
        one.table
        for one in seen
        if one.best("cities") is None and all(look.numbers < MOSTLY for look in one.looks)
    ]
    for table in explaining if len(seen) > 1 else []:
        for row in table.rows[:EXPLAINED]:
            texts = [clean_name(cell) for cell in row if isinstance(cell, str) and clean_name(cell)]
            if len(texts) < 2:
                continue
            head, label, *more = texts
            unit = next((text for text in more if text in UNITS), "")
            found.setdefault(head, f"{label}({unit})" if unit else label)
    return found


def _seen(table: Table) -> Seen | None:
    rows = table.rows
    filled = [at for at, row in enumerate(rows[:SAMPLE]) if any(not is_blank(c) for c in row)]
    if not filled:
        return None
    across = next((at for at in filled[:HEAD_WITHIN] if is_head_of_years(rows[at])), None)
    head_at = across if across is not None else _head_at(rows, filled[:HEAD_WITHIN])
    body = [row for row in rows[head_at + 1 : head_at + 1 + SAMPLE] if any(map(_is_filled, row))]
    heads = ["" if is_blank(cell) else _text(cell) for cell in rows[head_at]]
    looks = tuple(_look(at, head, body) for at, head in enumerate(heads) if head or body)
    return Seen(table, head_at, looks, across is not None)


def _is_filled(cell: object) -> bool:
    return not is_blank(cell)


def _head_at(rows: Sequence[Row], candidates: list[int]) -> int:
    """The row with the most texts that are no numbers and no cities, the first of equals."""

    def texts_n(at: int) -> int:
        return sum(
            isinstance(cell, str)
            and _is_filled(cell)
            and to_number(cell) != to_number(cell)
            and city_name(cell) not in city_names()
            for cell in rows[at]
        )

    return max(candidates, key=lambda at: (texts_n(at), -at))


def _look(index: int, head: str, body: Sequence[Row]) -> Look:
    cells = [row[index] for row in body if index < len(row) and _is_filled(row[index])]
    if not cells:
        return Look(index, head, 0.0)
    texts = [clean_name(str(cell)) for cell in cells]
    spoken = numbers_by_text(text for text in texts if "," in text or "，" in text)
    numbers = [spoken.get(text, to_number(cell)) for text, cell in zip(texts, cells, strict=True)]
    good = [number for number in numbers if number == number]
    share = len(cells)

    def part(found: int) -> float:
        return found / share

    known, provinces = city_names(), province_prefixes()
    wholes = [text.removesuffix(".0") for text in texts]
    return Look(
        index=index,
        head=head,
        filled=len(cells) / len(body),
        cities=part(sum(city_name(text) in known for text in texts if not text.isdecimal())),
        cities_with_years=part(sum(_is_city_and_year(text) for text in texts)),
        provinces=part(sum(text in provinces for text in texts)),
        years=part(sum(_is_year(text) for text in wholes)),
        codes=part(
            sum(
                bool(CODE.fullmatch(text)) and text[:2] in set(provinces.values())
                for text in wholes
            )
        ),
        units=part(sum(text in UNITS for text in texts)),
        numbers=part(len(good)),
        least=min(good, default=float("nan")),
        most=max(good, default=float("nan")),
        examples=tuple(dict.fromkeys(wholes))[:3],
        distinct_n=len(set(texts)),
    )


def _is_city_and_year(text: str) -> bool:
    match = CITY_AND_YEAR.fullmatch(text)
    return match is not None and city_name(match[1] or match[2]) in city_names()


def _is_year(text: str) -> bool:
    plain = text.removesuffix("年")
    return plain.isdecimal() and len(plain) == 4 and FIRST_YEAR <= int(plain) <= LAST_YEAR


def years_of(seen: Seen) -> tuple[int, int] | None:
    """First and last year, in the column of years or across."""
    if seen.has_years_across:
        heads = ["" if is_blank(cell) else str(cell) for cell in seen.table.rows[seen.head_at]]
        years = sorted(years_in(heads).values())
        return (years[0], years[-1]) if years else None
    column = seen.best("years")
    return None if column is None else (int(column.least), int(column.most))


def _text(cell: object) -> str:
    """A head as a person reads it: 2009, where a spreadsheet has 2009.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
