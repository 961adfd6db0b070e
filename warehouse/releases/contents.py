"""What the tables of a warehouse file hold, in a form that two files can be compared by.

The file itself is no such form: DuckDB leaves whatever was in memory under missing values, so two
files with the same tables differ in a few bytes. Rows and values do not, and neither does any
export of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import connect

HISTORY = "meta"  # what happened, and when: not what the data are


def table_contents(
    database: Path, known: Mapping[str, list[Any]] | None = None
) -> dict[str, list[Any]]:
    """schema.table -> [rows, hash], for every table outside schema `meta`; the hash is the sum of
    all rows' hashes, in hex.

    Parameters
    ----------
    known : the contents of tables that need not be looked at again
    """
    with connect(database, read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables where table_type ="
            " 'BASE TABLE' and table_catalog = current_database() and table_schema <> ? order"
            " by all",
            [HISTORY],
        ).fetchall()
        known = known or {}
        return {
            f"{schema}.{name}": known.get(f"{schema}.{name}") or _content(connection, schema, name)
            for schema, name in names
        }


def _content(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> list[Any]:
    columns = [row[0] for row in connection.execute(f'describe "{schema}"."{name}"').fetchall()]
    listed = ", ".join(f'"{column}"' for column in columns)
    # A row's hash takes each value in its column's place; summing makes the order of rows
    # indifferent.
    row = connection.execute(
        f'select count(*), coalesce(sum(hash({listed})::hugeint), 0) from "{schema}"."{name}"'
    ).fetchone()
    assert row is not None
    return [row[0], f"{row[1]:x}"]
