"""Schema `meta` of a warehouse file: where the release came from, what was read, set aside and
checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from warehouse.database import connect
from warehouse.errors import ReleaseError
from warehouse.lake.loads import sql_text
from warehouse.lake.schema import SET_ASIDE

SET_ASIDE_ROWS_PER_SOURCE = 10_000
# What a source's message says of data that end before their publisher's do.
STALE = "its publisher has released {through} and the data end in {last}: fetch the newer files"

# Names of SQL's own words (table, column, check) are avoided, so that nobody has to quote them.
META: dict[str, dict[str, str]] = {
    "releases": {
        "release": "varchar", "previous": "varchar", "created_at": "timestamp", "config": "varchar",
        "is_simulated": "boolean", "is_this": "boolean",
        "input_fingerprint": "varchar", "code_fingerprint": "varchar", "set_id": "varchar",
    },
    "sources": {
        "source": "varchar", "title": "varchar", "publisher": "varchar", "licence": "varchar",
        "citation": "varchar", "status": "varchar",
        "is_simulated": "boolean", "files_n": "integer", "read_n": "bigint", "accepted_n": "bigint",
        "set_aside_n": "bigint",
        "first_year": "smallint", "last_year": "smallint", "message": "varchar",
    },
    "loads": {
        "source": "varchar", "load_id": "varchar", "file_name": "varchar", "fingerprint": "varchar",
        "bytes_n": "bigint", "layout": "varchar",
        "read_n": "bigint", "accepted_n": "bigint", "set_aside_n": "bigint", "tables": "varchar",
        "first_year": "smallint", "last_year": "smallint",
    },
    "files": {"file_id": "varchar", "source": "varchar", "load_id": "varchar",
    "file_name": "varchar", "fingerprint": "varchar", "bytes_n": "bigint"},
    "columns": {
        "source": "varchar", "load_id": "varchar", "file_name": "varchar", "sheet": "varchar",
        "head": "varchar", "indicator": "varchar", "reason": "varchar",
    },
    "checks": {
        "stage": "varchar", "suite": "varchar", "table_name": "varchar", "column_name": "varchar",
        "check_name": "varchar", "severity": "varchar",
        "success": "boolean", "is_error": "boolean", "unexpected_n": "bigint",
        "observed": "varchar", "failing_rows": "varchar",
    },
    "dictionary": {
        "column_name": "varchar", "data_type": "varchar", "kind": "varchar",
        "unit": "varchar", "label_en": "varchar", "label_zh": "varchar",
        "definition": "varchar", "definition_zh": "varchar", "source": "varchar",
        "minimum": "double", "maximum": "double", "bound_reason": "varchar",
    },
    "problems": {"index_name": "varchar", "indicator": "varchar", "problem": "varchar",
    "rows_n": "bigint"},
    "customs_fates": {"year": "smallint", "fate": "varchar", "records_n": "bigint",
    "value_usd": "double"},
    "panels": {"panel": "varchar", "grain": "varchar", "description": "varchar", "rows_n": "bigint",
    "first_year": "smallint", "last_year": "smallint", "sources": "varchar"},
}  # fmt: skip


def is_stale(message: str) -> bool:
    """Whether a source's message, as meta.sources has it, says STALE."""
    return STALE.partition("{")[0] in message


def write_meta(
    connection: duckdb.DuckDBPyConnection, rows: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    """Write the tables of META from mappings; a table that is not given is left empty."""
    connection.execute("create schema if not exists meta")
    for table, columns in META.items():
        shape = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create or replace table meta.{table} ({shape})")
        given = rows.get(table, ())
        if given:
            # One insert from a frame: row by row takes about a millisecond each.
            frame = pd.DataFrame(
                {
                    name: pd.Series([row.get(name) for row in given], dtype="object")
                    for name in columns
                }
            )
            connection.register("given", frame)
            casts = ", ".join(f"{name}::{kind}" for name, kind in columns.items())
            connection.execute(f"insert into meta.{table} select {casts} from given")
            connection.unregister("given")


def write_set_aside(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[Path],
    limit: int = SET_ASIDE_ROWS_PER_SOURCE,
) -> None:
    """Write meta.set_aside_counts over all rows set aside, and meta.set_aside with the first rows
    of each source.

    meta.set_aside_counts says beside each count how many of its rows are listed, so that a cut list
    is told.
    """
    columns = ", ".join(SET_ASIDE)
    empty = ", ".join(f"null::{kind} as {name}" for name, kind in SET_ASIDE.items())
    listed = "[" + ", ".join(sql_text(file) for file in files) + "]"
    everything = (
        f"select {columns} from read_parquet({listed})" if files else f"select {empty} limit 0"
    )
    connection.execute("create schema if not exists meta")
    connection.execute(
        f"create or replace table meta.set_aside as select {columns} from ({everything}) qualify"
        f" row_number() over (partition by source order by reason, file_id, line) <= {limit} order"
        " by source, table_name, reason, file_id, line"
    )
    connection.execute(
        "create or replace table meta.set_aside_counts as with counted as (select source,"
        f" table_name, reason, count(*) as rows_n from ({everything}) group by all), shown as"
        " (select source, table_name, reason, count(*) as listed_n from meta.set_aside group by"
        " all) select source, table_name, reason, rows_n, coalesce(listed_n, 0) as listed_n from"
        " counted left join shown using (source, table_name, reason) order by source, table_name,"
        " rows_n desc, reason"
    )


def former_releases(database: Path) -> list[dict[str, Any]]:
    """The rows of meta.releases in the release before this one, so that pruned releases stay on
    record.
    """
    with connect(database, read_only=True) as connection:
        cursor = connection.execute("select * from meta.releases order by release")
        names = [column[0] for column in cursor.description or []]
        return [
            {**dict(zip(names, row, strict=True)), "is_this": False} for row in cursor.fetchall()
        ]


def drop_staging(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop what only the build needed: schema staging, and the views in schema intermediate.

    A view there reads the lake, or names its tables with this file's own name and fails where the
    file is attached.

    Raises
    ------
    ReleaseError : any other view that needs them; it would fail in every reader's hands.
    """
    connection.execute("drop schema if exists staging cascade")
    views = "select view_name from duckdb_views() where schema_name = 'intermediate'"
    for (view,) in connection.execute(views).fetchall():
        connection.execute(f'drop view intermediate."{view}"')
    for schema, view, problem in _broken_views(connection):
        raise ReleaseError(
            f"{schema}.{view} is a view over the lake ({problem}). Materialise it as a table in"
            " dbt_project."
        )


def _broken_views(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Views that cannot be read: schema, name, DuckDB's first line about it; a view that reads
    files counts as broken.
    """
    broken = []
    for schema, view, sql in connection.execute(
        "select schema_name, view_name, sql from duckdb_views() where not internal"
    ).fetchall():
        try:
            connection.execute(f'select * from "{schema}"."{view}" limit 0')
        except duckdb.Error as error:
            broken.append((schema, view, str(error).splitlines()[0]))
        else:
            if "read_parquet(" in sql:
                broken.append((schema, view, "it reads Parquet files"))
    return broken
