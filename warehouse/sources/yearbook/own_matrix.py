"""A user's own tables with cities as heads, and with heads that hold the year (gdp2019)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from warehouse.dictionary.places import city_name, city_names
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.yearbook.across import CELL_COLUMNS, YEARS_ACROSS, Found
from warehouse.sources.yearbook.cells import Row, is_blank, to_number
from warehouse.sources.yearbook.key_heads import plain_name
from warehouse.sources.yearbook.own_heads import HEAD_WITHIN, NOT_NAMED, head_row, same_head
from warehouse.sources.yearbook.tables import Table
from warehouse.sources.yearbook.year_groups import groups_at, stems_of

FEWEST_CITIES = 2
Tell = Callable[[Delivery, Found, dict[str, Any]], pd.DataFrame]


def founds_with_years_in_heads(raw: RawFile, table: Table, told: dict[str, Any]) -> list[Found]:
    """The indicators of a table whose years stand in two rows of heads or in the heads themselves.

    A table without such heads has none.
    """
    for at in range(min(HEAD_WITHIN, len(table.rows))):
        groups = groups_at(table.rows, at)
        if groups:
            return [
                Found(
                    table,
                    YEARS_ACROSS,
                    group.head_at,
                    _named_city(table, told, group.head_at, group.title_at, group.city),
                    None,
                    group.years,
                    title=group.title,
                )
                for group in groups
            ]
    if "city" not in told["keys"]:
        return []
    at, heads = head_row(raw, table, [told["keys"]["city"]])
    city = heads.index(same_head(told["keys"]["city"]))
    stems = stems_of(["" if is_blank(cell) else str(cell) for cell in table.rows[at]])
    return [
        Found(table, YEARS_ACROSS, at, city, None, years, title=stem)
        for stem, years in stems.items()
    ]


def _named_city(table: Table, told: dict[str, Any], head_at: int, title_at: int, found: int) -> int:
    """The column of cities by the name that the configuration gives it, in either row of heads."""
    wanted = same_head(told["keys"].get("city", ""))
    for at in {head_at, title_at, max(head_at - 1, 0)}:
        heads = ["" if is_blank(cell) else same_head(cell) for cell in table.rows[at]]
        if wanted and wanted in heads:
            return heads.index(wanted)
    return found


def cities_in(row: Row) -> dict[int, str]:
    """Where names of cities stand as heads."""
    named = {at: city_name(str(cell)) for at, cell in enumerate(row) if isinstance(cell, str)}
    return {at: name for at, name in named.items() if name in city_names()}


def is_head_of_cities(row: Row) -> bool:
    """Whether cities are heads: several, and most of the row, whose other cells are no numbers."""
    cities = cities_in(row)
    filled = [cell for cell in row if not is_blank(cell)]
    has_numbers = any(to_number(cell) == to_number(cell) for cell in filled)
    return len(cities) >= FEWEST_CITIES and 2 * len(cities) >= len(filled) and not has_numbers


def titles_of(table: Table, head_at: int, corner: str) -> list[str]:
    """The texts that may say what a table with cities or years as heads counts: its sheet's name,
    those above its heads, and that of its corner.
    """
    above = [
        str(cell) for row in table.rows[:head_at] for cell in row if isinstance(cell, str) and cell
    ]
    return [text for text in [table.name, *above, corner] if text]


def read_matrix(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    """A table with a year in each row and cities as heads."""
    year_head = told["keys"]["year"]
    at = next(
        (at for at, row in enumerate(table.rows[:HEAD_WITHIN]) if is_head_of_cities(row)), None
    )
    heads = [] if at is None else [plain_name(cell) for cell in table.rows[at]]
    if at is None or plain_name(year_head) not in heads:
        problem = f"has no row with {year_head!r} and names of cities as heads"
        remedy = "Write the head of the years as it stands in the file"
        raise SourceError(raw.name, table.place(1), problem, remedy)
    year = heads.index(plain_name(year_head))
    titles = titles_of(table, at, str(table.rows[at][year]))
    column = next((found for text in titles if (found := _of_title(text, told))), None)
    if column is None:
        delivery.column(table.name, titles[0], None, NOT_NAMED)
        return []
    cells = _cells(table, at, year, column)
    delivery.read_n += len(cells)
    delivery.column(table.name, column["head"], column["indicator"], "")
    place = f"sheet {table.name}" if table.name else ""
    return [cells.assign(place=place, is_interpolated=told["interpolated"] is True)]


def _of_title(text: str, told: dict[str, Any]) -> dict[str, Any] | None:
    columns = told["columns"].values()
    return next((one for one in columns if same_head(one["head"]) == same_head(text)), None)


def _cells(table: Table, at: int, year: int, column: dict[str, Any]) -> pd.DataFrame:
    cities = [
        (index, city_name(str(cell)))
        for index, cell in enumerate(table.rows[at])
        if index != year and not is_blank(cell)
    ]
    cells: list[Sequence[object]] = []
    for line, row in enumerate(table.rows[at + 1 :], at + 2):
        said = row[year] if year < len(row) else None
        cells += [
            (line, name, None, column["scope"], column["indicator"], said, row[index],
             column["factor"], column["head"])
            for index, name in cities
            if index < len(row) and not is_blank(row[index]) and not is_blank(said)
        ]  # fmt: skip
    return pd.DataFrame(cells, columns=CELL_COLUMNS).astype(
        {"year": object, "cell": object, "city_code_published": object}
    )
