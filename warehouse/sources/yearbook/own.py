"""Tables of a user's own: which head counts what in which unit stands in the configuration
(warehouse.settings.tables).

Their keys say the shape: a row a city and year, a row a value, or years as heads. What the
configuration names and the file does not hold is an error; what the file holds and the
configuration does not name is named as unread.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.reading.sheets import WHOLE_SHEET
from warehouse.sources.yearbook.across import (
    INDICATOR_ROWS,
    YEARS_ACROSS,
    Found,
    cells_of,
    is_head_of_years,
    years_in,
)
from warehouse.sources.yearbook.cells import (
    Column,
    Keys,
    NumberedRow,
    Row,
    count_cells,
    is_blank,
    is_note,
    melt,
    to_number,
)
from warehouse.sources.yearbook.headers import UNITS
from warehouse.sources.yearbook.judging import TABLE, deliver, to_year
from warehouse.sources.yearbook.parsing import Quantity, normal_head
from warehouse.sources.yearbook.tables import Table, tables_of

HEAD_WITHIN = 10
NAMES_BELOW = 2  # rows of labels and units that may stand below the heads
NOT_NAMED = "the configuration does not name it"


def _told(raw: RawFile) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(raw.options.get("table", "{}"))
    return told


def recognise(raw: RawFile) -> bool:
    return "columns" in _told(raw)


def read(raw: RawFile, delivery: Delivery) -> None:
    told = _told(raw)
    tables = _wanted(raw, tables_of(raw), told)
    keys = told["keys"]
    read_one = _across if "years" in keys else _long if "value" in keys else _wide
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


def _same(head: object) -> str:
    return normal_head(head).lower()


def _head_row(raw: RawFile, table: Table, wanted: Sequence[str]) -> tuple[int, list[str]]:
    """The first row that has all the heads wanted, with its heads as compared.

    Raises
    ------
    SourceError : no row has them; the heads missing from the likeliest row are named, with those
        like them.
    """
    best: tuple[int, list[str]] = (0, [])
    for at, row in enumerate(table.rows[:HEAD_WITHIN]):
        heads = ["" if is_blank(cell) else _same(cell) for cell in row]
        if all(_same(head) in heads for head in wanted):
            return at, heads
        if sum(_same(head) in heads for head in wanted) >= sum(
            _same(head) in best[1] for head in wanted
        ) and any(heads):
            best = (
                at,
                heads if len([head for head in heads if head]) > 1 or not best[1] else best[1],
            )
    absent = [head for head in wanted if _same(head) not in best[1]]
    near = {
        match
        for head in absent
        for match in difflib.get_close_matches(_same(head), best[1], n=2, cutoff=0.5)
    }
    hint = f"; like it: {', '.join(sorted(near))}" if near else ""
    found = ", ".join(head for head in best[1][:12] if head) or "none"
    problem = (
        f"column {', '.join(absent)} is missing, which the configuration names; columns found:"
        f" {found}{hint}"
    )
    raise SourceError(
        raw.name,
        table.place(best[0] + 1),
        problem,
        "Write the heads in the configuration as they stand in the file",
    )


def _wide(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    keys, said, flags = told["keys"], told["columns"], told["interpolated"]
    flag_heads = list(flags.values()) if isinstance(flags, dict) else []
    wanted = [
        keys["city"],
        keys["year"],
        *([keys["code"]] if "code" in keys else []),
        *(column["head"] for column in said.values()),
        *flag_heads,
    ]
    at, heads = _head_row(raw, table, wanted)
    twice = next((head for head in wanted if heads.count(_same(head)) > 1), None)
    if twice is not None:
        raise SourceError(
            raw.name,
            table.place(at + 1),
            f"has the head {twice!r} twice",
            "Delete or rename one of the two columns",
        )
    where = {head: index for index, head in enumerate(heads) if head}
    columns = [
        Column(
            index=where[_same(column["head"])],
            header=normal_head(column["head"]),
            indicator=column["indicator"],
            scope=column["scope"],
            factor=column["factor"],
            flag_index=(
                where[_same(flags[name])] if isinstance(flags, dict) and name in flags else None
            ),
            is_estimated=flags is True,
        )
        for name, column in said.items()
    ]
    places = Keys(
        where[_same(keys["city"])],
        where[_same(keys["year"])],
        code=where[_same(keys["code"])] if "code" in keys else None,
    )
    rows = _without_labels(
        [(number + 1, table.rows[number]) for number in range(at + 1, len(table.rows))],
        places,
        columns,
    )
    rows = [(line, row) for line, row in rows if not is_note(row, places, columns)]
    delivery.read_n += count_cells(rows, columns)
    flags_at = dict.fromkeys((where[_same(head)] for head in flag_heads), "is_interpolated")
    _tell(
        delivery,
        table,
        at,
        {column.index: column.indicator for column in columns} | _key_names(places) | flags_at,
    )
    return [melt(rows, columns, places, f"sheet {table.name}" if table.name else "")]


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
    at, heads = _head_row(raw, table, list(keys.values()))
    where = {name: heads.index(_same(head)) for name, head in keys.items()}
    found = Found(
        table,
        "tidy_long",
        at,
        where["city"],
        where.get("code"),
        {},
        where["indicator"],
        where.get("unit"),
        where["year"],
        where["value"],
    )
    return [_cells(delivery, found, told)]


def _across(
    raw: RawFile, delivery: Delivery, table: Table, told: dict[str, Any]
) -> list[pd.DataFrame]:
    """Every table of years in a sheet; one without a column of indicators is known by the sheet's
    name or its corner.
    """
    keys = told["keys"]
    starts = [at for at, row in enumerate(table.rows) if is_head_of_years(row)]
    parts = []
    for number, at in enumerate(starts):
        heads = ["" if is_blank(cell) else str(cell) for cell in table.rows[at]]
        same = [_same(head) for head in heads]
        absent = [
            head for name, head in keys.items() if name != "years" and _same(head) not in same
        ]
        if absent:
            raise SourceError(
                raw.name,
                table.place(at + 1),
                f"column {absent[0]} is missing beside the years",
                "Write the head as it stands in the file",
            )
        where = {name: same.index(_same(head)) for name, head in keys.items() if name != "years"}
        titles = [heads[0], *([table.name] if number == 0 else [])]
        title = next((text for text in titles if _of_title(text, told) is not None), "")
        layout = INDICATOR_ROWS if "indicator" in where else YEARS_ACROSS
        if layout == YEARS_ACROSS and not title:
            delivery.column(table.name, heads[0] or f"(table in line {at + 1})", None, NOT_NAMED)
            continue
        translated = _translated(
            raw,
            table,
            told,
            at,
            starts[number + 1] if number + 1 < len(starts) else len(table.rows),
            where.get("city", 0),
        )
        found = Found(
            translated,
            layout,
            at,
            where.get("city", 0),
            where.get("code"),
            years_in(heads),
            where.get("indicator"),
            where.get("unit"),
            title=title,
        )
        parts.append(_cells(delivery, found, told))
    if not starts:
        delivery.column(table.name, WHOLE_SHEET, None, "no row with years as heads in it")
    return parts


def _of_title(text: str, told: dict[str, Any]) -> dict[str, Any] | None:
    return next(
        (column for column in told["columns"].values() if _same(column["head"]) == _same(text)),
        None,
    )


def _cells(delivery: Delivery, found: Found, told: dict[str, Any]) -> pd.DataFrame:
    def meaning(head: str, unit: str, over: str | None) -> Quantity | str:
        column = _of_title(head, told)
        if column is None:
            return NOT_NAMED
        factor = (
            column["factor"]
            if column["factor"] is not None
            else UNITS.get(unit, ("", float("nan")))[1]
        )
        return Quantity(column["indicator"], column["scope"], factor)

    cells, unread = cells_of(found, meaning)
    delivery.read_n += len(cells)
    for head, indicator in dict(zip(cells["header"], cells["indicator"], strict=True)).items():
        delivery.column(found.table.name, head, indicator, "")
    for head, reason in unread.items():
        delivery.column(found.table.name, head, None, reason)
    return cells.assign(is_interpolated=told["interpolated"] is True)


def _translated(
    raw: RawFile, table: Table, told: dict[str, Any], start: int, end: int, city: int
) -> Table:
    """The table with the names of its cities from a sheet that lists them in both writings.

    Where the list has the table's names in the same order, the order decides between two cities of
    one name (Suzhou); elsewhere a name that stands for several cities stays as it is, and is set
    aside as unknown.
    """
    names = told.get("city_names")
    if names is None:
        return table
    listed = next(
        (other for other in tables_of(raw) if other.name.strip() == names["sheet"].strip()), None
    )
    if listed is None:
        raise SourceError(
            raw.name,
            "",
            f"has no sheet {names['sheet']!r}, which city_names names",
            "Name the sheet as it is called",
        )
    at, heads = _head_row(raw, listed, [names["from"], names["to"]])
    left, right = heads.index(_same(names["from"])), heads.index(_same(names["to"]))
    pairs = [
        (_plain(row, left), _plain(row, right))
        for row in listed.rows[at + 1 :]
        if _plain(row, left)
    ]
    body = [_plain(row, city) for row in table.rows[start + 1 : end]]
    in_order = [name for name in body if name] == [name for name, _ in pairs]
    counts = Counter(name for name, _ in pairs)
    unique = {name: meant for name, meant in pairs if counts[name] == 1}
    order = iter(pairs)
    meant = [next(order)[1] if in_order and name else unique.get(name, name) for name in body]
    rows: list[Row] = list(table.rows)
    for offset, name in enumerate(meant):
        row = rows[start + 1 + offset]
        if city < len(row):
            rows[start + 1 + offset] = [*row[:city], name, *row[city + 1 :]]
    return replace(table, rows=rows)


def _plain(row: Row, index: int) -> str:
    cell = row[index] if index < len(row) else None
    return "" if is_blank(cell) else clean_name(str(cell))


LAYOUT = Layout("own_table", recognise, read)
