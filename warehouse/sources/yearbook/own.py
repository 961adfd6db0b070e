"""Tables of a user's own: which head counts what in which unit stands in the configuration
(warehouse.settings.tables).

Their keys say the shape: a row a city and year, a row a value, or years as heads. What the
configuration names and the file does not hold is an error; what the file holds and the
configuration does not name is named as unread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.sheets import WHOLE_SHEET
from warehouse.sources.yearbook.across import (
    Found,
)
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    count_cells,
    is_blank,
    is_note,
    melt,
    to_number,
)
from warehouse.sources.yearbook.judging import TABLE, deliver, to_year
from warehouse.sources.yearbook.own_across import cells_as_told, read_across
from warehouse.sources.yearbook.own_heads import NOT_NAMED, head_row, same_head
from warehouse.sources.yearbook.own_matrix import read_matrix
from warehouse.sources.yearbook.panel_rows import without_counties
from warehouse.sources.yearbook.parsing import normal_head
from warehouse.sources.yearbook.tables import Table, tables_of

Shape = Callable[[RawFile, Delivery, Table, dict[str, Any]], list[pd.DataFrame]]
YEAR_ALONE = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
NAMES_BELOW = 2  # rows of labels and units that may stand below the heads


def _told(raw: RawFile) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(raw.options.get("table", "{}"))
    return told


def recognise(raw: RawFile) -> bool:
    return "columns" in _told(raw)


def read(raw: RawFile, delivery: Delivery) -> None:
    told = _told(raw)
    tables = _wanted(raw, tables_of(raw), told)
    read_one = _shape(told["keys"])
    parts: list[pd.DataFrame] = []
    missing: list[SourceError] = []
    for table in tables:
        try:
            parts.extend(read_one(raw, delivery, table, told))
        except SourceError as error:
            if len(tables) == 1 or "sheets" in told:
                raise
            missing.append(error)
            delivery.column(
                table.name, WHOLE_SHEET, None, "lacks the heads that the configuration names"
            )
    if not parts:
        raise (
            missing[0]
            if missing
            else SourceError(
                raw.name,
                "",
                "has no values under the heads named",
                "Check the configuration's columns",
            )
        )
    cells = _of_wanted_years(delivery, pd.concat(parts, ignore_index=True), told.get("years"))
    deliver(delivery, cells, told["edition"])


def _shape(keys: dict[str, str]) -> Shape:
    if keys.get("years") == "heads":
        return read_across
    if "cities" in keys:
        return read_matrix
    return _long if "value" in keys else _wide


def _year_of(raw: RawFile, table: Table, keys: dict[str, str]) -> int | None:
    """The year in the sheet's or the file's name, where the configuration says that it stands
    there; None where a column says it.

    Raises
    ------
    SourceError : no year stands there, or several.
    """
    if "years" not in keys:
        return None
    is_sheets = keys["years"] == "sheets"
    name = table.name if is_sheets else raw.path.stem
    years = {int(match) for match in YEAR_ALONE.findall(name)}
    if len(years) != 1:
        said = "the sheet's" if is_sheets else "the file's"
        problem = f"has {len(years) or 'no'} years in {said} name, where the configuration says it"
        raise SourceError(raw.name, table.place(1), problem, f"Put one year into {said} name")
    return years.pop()


def _of_wanted_years(
    delivery: Delivery, cells: pd.DataFrame, years: list[int] | None
) -> pd.DataFrame:
    """The cells of the years that the configuration wants; the others are set aside, so that counts
    add up.
    """
    if years is None:
        return cells
    number = pd.Series([to_year(cell) for cell in cells["year"]], index=cells.index, dtype=float)
    left_out = (number < years[0]) | (number > years[1])
    aside = cells.loc[left_out, ["line"]].assign(
        reason="year_left_out",
        detail=f"the configuration reads {years[0]} to {years[1]}",
        year=number[left_out].astype("Int64"),
    )
    delivery.put_aside(TABLE, aside)
    return cells[~left_out].reset_index(drop=True)


def _wanted(raw: RawFile, tables: list[Table], told: dict[str, Any]) -> list[Table]:
    """The sheets that the configuration names, or all but the one that translates names."""
    names = told.get("sheets")
    if names is None:
        listed = told.get("city_names", {}).get("sheet")
        return [table for table in tables if table.name != listed or not listed]
    there = {table.name.strip(): table for table in tables}
    absent = next((name for name in names if name.strip() not in there), None)
    if absent is not None:
        problem = f"has no sheet {absent!r}; its sheets: {', '.join(there)}"
        raise SourceError(
            raw.name, "", problem, "Name one of them under sheets in the configuration"
        )
    return [there[name.strip()] for name in names]


def _wide(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    flags = told["interpolated"]
    flag_heads = list(flags.values()) if isinstance(flags, dict) else []
    at, heads = _only_heads(raw, table, told, flag_heads)
    where = {head: index for index, head in enumerate(heads) if head}
    columns = _columns(told, where)
    keys = told["keys"]
    places = Keys(
        where[same_head(keys["city"])],
        where[same_head(keys["year"])] if "year" in keys else None,
        fixed_year=_year_of(raw, table, keys),
        code=where[same_head(keys["code"])] if "code" in keys else None,
    )
    rows = _without_labels(
        [(number + 1, table.rows[number]) for number in range(at + 1, len(table.rows))],
        places,
        columns,
    )
    rows = [(line, row) for line, row in rows if not is_note(row, places, columns)]
    delivery.read_n += count_cells(rows, columns)
    rows = without_counties(delivery, table.rows[at], rows, places, columns)
    flags_at = dict.fromkeys((where[same_head(head)] for head in flag_heads), "is_interpolated")
    _tell(
        delivery,
        table,
        at,
        {column.index: column.indicator for column in columns} | _key_names(places) | flags_at,
    )
    return [melt(rows, columns, places, f"sheet {table.name}" if table.name else "")]


def _only_heads(
    raw: RawFile, table: Table, told: dict[str, Any], flag_heads: list[str]
) -> tuple[int, list[str]]:
    """The row of the heads that the configuration names, each there once, and all its heads as
    compared.
    """
    keys = told["keys"]
    wanted = [
        keys["city"],
        *([keys["year"]] if "year" in keys else []),
        *([keys["code"]] if "code" in keys else []),
        *(column["head"] for column in told["columns"].values()),
        *flag_heads,
    ]
    at, heads = head_row(raw, table, wanted)
    twice = next((head for head in wanted if heads.count(same_head(head)) > 1), None)
    if twice is not None:
        raise SourceError(
            raw.name,
            table.place(at + 1),
            f"has the head {twice!r} twice",
            "Delete or rename one of the two columns",
        )
    return at, heads


def _columns(told: dict[str, Any], where: dict[str, int]) -> list[Column]:
    flags = told["interpolated"]
    return [
        Column(
            index=where[same_head(column["head"])],
            header=normal_head(column["head"]),
            indicator=column["indicator"],
            scope=column["scope"],
            factor=column["factor"],
            flag_index=(
                where[same_head(flags[name])] if isinstance(flags, dict) and name in flags else None
            ),
            is_estimated=flags is True,
        )
        for name, column in told["columns"].items()
    ]


def _key_names(keys: Keys) -> dict[int, str]:
    named = {keys.city: "city_name", keys.year: "year", keys.code: "city_code_published"}
    return {index: name for index, name in named.items() if index is not None}


def _without_labels(
    rows: list[NumberedRow], keys: Keys, columns: list[Column]
) -> list[NumberedRow]:
    """Rows without those of labels and units that stand right below the heads: no year, and no
    number at all.
    """
    first = 0
    while first < min(NAMES_BELOW, len(rows)):
        row = rows[first][1]
        cells = [
            row[index]
            for index in [keys.year, *(column.index for column in columns)]
            if index is not None and index < len(row)
        ]
        if any(to_number(cell) == to_number(cell) for cell in cells) or all(
            is_blank(cell) for cell in cells
        ):
            break
        first += 1
    return rows[first:]


def _tell(delivery: Delivery, table: Table, at: int, taken: dict[int, str]) -> None:
    for index, cell in enumerate(table.rows[at]):
        if not is_blank(cell):
            delivery.column(
                table.name, str(cell), taken.get(index), "" if index in taken else NOT_NAMED
            )


def _long(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    keys = told["keys"]
    columns = {name: head for name, head in keys.items() if name != "years"}
    at, heads = head_row(raw, table, list(columns.values()))
    where = {name: heads.index(same_head(head)) for name, head in columns.items()}
    found = Found(
        table,
        "tidy_long",
        at,
        where["city"],
        where.get("code"),
        {},
        where["indicator"],
        where.get("unit"),
        where.get("year"),
        where["value"],
        fixed_year=_year_of(raw, table, keys),
    )
    return [cells_as_told(delivery, found, told)]


LAYOUT = Layout("own_table", recognise, read)
