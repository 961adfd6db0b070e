"""What changed from one release to another: panels, columns, rows and values, by city and year."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from warehouse.database import connect
from warehouse.lake.loads import sql_text
from warehouse.releases.publish import DATABASE

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "panel",
    "change",
    "column_name",
    "city_code",
    "year",
    "cells_n",
    "old_value",
    "new_value",
    "largest_relative_change",
)


@dataclass(frozen=True)
class _Panel:
    """A panel that both releases have: its keys, and the other columns that both have, with their
    types there.
    """

    name: str
    keys: tuple[str, ...]
    shared: dict[str, tuple[str, str]]

    @property
    def places(self) -> str:
        """city_code and year as the panel has them, null where it has none."""
        return ", ".join(
            f'"{key}"::{kind}' if key in self.keys else f"null::{kind}"
            for key, kind in (("city_code", "varchar"), ("year", "smallint"))
        )


def compare(old: Path, new: Path) -> pd.DataFrame:
    """Every difference between the panels of two release folders.

    Returns
    -------
    DataFrame : panel, change, column_name, city_code, year, cells_n, old_value, new_value,
        largest_relative_change; one row a
        panel, change, column, city and year. change is panel_added, panel_removed, grain_changed
        (other keys, or a key of another type: rows and values are not compared then), column_added,
        column_removed, type_changed, row_added, row_removed or value_changed. cells_n counts rows
        or values; old_value and new_value are texts, given where one value or a type changed;
        largest_relative_change is |new - old| / |old| of numbers.
    """
    with connect() as connection:
        connection.execute(f"attach {sql_text(old / DATABASE)} as old_release (read_only)")
        connection.execute(f"attach {sql_text(new / DATABASE)} as new_release (read_only)")
        shape = (
            "panel varchar, change varchar, column_name varchar, city_code varchar, "
            "year smallint, cells_n bigint"
        )
        connection.execute(
            f"create temp table found ({shape}, old_value varchar, new_value varchar,"
            " largest_relative_change double)"
        )
        grains = [
            dict(connection.execute(f"select panel, grain from {side}.meta.panels").fetchall())
            for side in ("old_release", "new_release")
        ]
        for name in sorted({*grains[0], *grains[1]}):
            _compare_panel(connection, name, grains[0].get(name), grains[1].get(name))
        return connection.execute(
            "from found order by panel, change, column_name nulls first, "
            "city_code nulls first, year nulls first"
        ).df()


def _compare_panel(
    connection: duckdb.DuckDBPyConnection, name: str, old_grain: str | None, new_grain: str | None
) -> None:
    if old_grain is None or new_grain is None:
        side, change = (
            ("new_release", "panel_added")
            if old_grain is None
            else ("old_release", "panel_removed")
        )
        _note(connection, name, change, f'(select count(*) from {side}.main."{name}")')
        return
    keys, kinds = tuple(new_grain.split(", ")), _kinds(connection, name)
    counted = f'(select count(*) from new_release.main."{name}")'
    if {*keys} != {*old_grain.split(", ")}:
        _note(connection, name, "grain_changed", counted)
        return
    # A key that is no longer the same kind of value names other rows.
    retyped = [key for key in keys if not _are_alike(kinds[0][key], kinds[1][key])]
    for key in retyped:
        _note(connection, name, "grain_changed", counted, key, kinds[0][key], kinds[1][key])
    if retyped:
        return
    _compare_columns(connection, name, kinds)
    shared = {
        column: (kinds[0][column], kind)
        for column, kind in kinds[1].items()
        if column in kinds[0] and column not in keys
    }
    panel = _Panel(name, keys, shared)
    _compare_rows(connection, panel)
    _compare_values(connection, panel)


def _kinds(connection: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, str]]:
    """column -> type of a panel, in the old release and in the new one."""
    return [
        dict(
            connection.execute(
                f'select column_name, column_type from (describe {side}.main."{name}")'
            ).fetchall()
        )
        for side in ("old_release", "new_release")
    ]


def _compare_columns(
    connection: duckdb.DuckDBPyConnection, name: str, kinds: list[dict[str, str]]
) -> None:
    for column in dict.fromkeys((*kinds[0], *kinds[1])):
        if (column in kinds[0]) != (column in kinds[1]):
            side, change = (
                ("new_release", "column_added")
                if column in kinds[1]
                else ("old_release", "column_removed")
            )
            _note(
                connection,
                name,
                change,
                f'(select count("{column}") from {side}.main."{name}")',
                column,
            )
        elif kinds[0][column] != kinds[1][column]:
            count = f'(select count("{column}") from new_release.main."{name}")'
            _note(
                connection, name, "type_changed", count, column, kinds[0][column], kinds[1][column]
            )


def _note(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    change: str,
    count: str,
    column: str | None = None,
    old: str | None = None,
    new: str | None = None,
) -> None:
    connection.execute(
        f"insert into found select ?, ?, ?, null, null, {count}, ?, ?, null",
        [name, change, column, old, new],
    )


def _compare_rows(connection: duckdb.DuckDBPyConnection, panel: _Panel) -> None:
    listed = ", ".join(f'"{key}"' for key in panel.keys)
    for change, here, there in (
        ("row_added", "new_release", "old_release"),
        ("row_removed", "old_release", "new_release"),
    ):
        connection.execute(
            f"insert into found select ?, ?, null, {panel.places}, count(*), null, null, null from"
            f' {here}.main."{panel.name}" anti join {there}.main."{panel.name}" using ({listed})'
            " group by all having count(*) > 0",
            [panel.name, change],
        )


def _compare_values(connection: duckdb.DuckDBPyConnection, panel: _Panel) -> None:
    if not panel.shared:
        return
    listed = ", ".join(f'"{key}"' for key in panel.keys)
    sides = {column: _sides(column, kinds) for column, kinds in panel.shared.items()}
    differ = " or ".join(f"{old} is distinct from {new}" for old, new in sides.values())
    pairs = ", ".join(
        f'{old} as "old.{column}", {new} as "new.{column}"' for column, (old, new) in sides.items()
    )
    connection.execute(
        f"create or replace temp table pairs as select {listed}, {pairs} from"
        f' old_release.main."{panel.name}" as o join new_release.main."{panel.name}" as n using'
        f" ({listed}) where {differ}"
    )
    for column, kinds in panel.shared.items():
        old, new = f'"old.{column}"', f'"new.{column}"'
        relative = (
            f"max(abs({new}::double - {old}::double) / nullif(abs({old}::double), 0))"
            if all(_is_number(kind) for kind in kinds)
            else "null"
        )
        connection.execute(
            f"insert into found select ?, 'value_changed', ?, {panel.places}, count(*), case when"
            f" count(*) = 1 then any_value({old}::varchar) end, case when count(*) = 1 then"
            f" any_value({new}::varchar) end, {relative} from pairs where {old} is distinct from"
            f" {new} group by all having count(*) > 0",
            [panel.name, column],
        )


def _sides(column: str, kinds: tuple[str, str]) -> tuple[str, str]:
    """The column on both sides; of different types it is compared as text."""
    cast = "" if _are_alike(*kinds) else "::varchar"
    return f'o."{column}"{cast}', f'n."{column}"{cast}'


def _are_alike(old: str, new: str) -> bool:
    """Whether values of two types can be compared as they are."""
    return old == new or (_is_number(old) and _is_number(new))


def _is_number(kind: str) -> bool:
    return kind.startswith("DECIMAL") or kind in {
        f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG", "HUGE")
    } | {
        "INTEGER",
        "UINTEGER",
        "FLOAT",
        "DOUBLE",
    }
