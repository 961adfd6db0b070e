"""Whether tables that Spark wrote are those of a DuckDB file: exactly but for doubles, which may
differ by what the order of a sum explains; and the same models built in DuckDB.
"""

from __future__ import annotations

import glob
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from flows.processes import supervised
from flows.refresh import dbt, engine
from warehouse.releases.publish import DATABASE, current_release, read_manifest
from warehouse.settings.config import Config

RELATIVE, ABSOLUTE = 1e-9, 1e-12
FLOATS = {"DOUBLE", "FLOAT"}


def published_set(config: Config) -> Path:
    """The lake's set that the published release was built from; ends the program without one."""
    release = current_release(config.home)
    if release is None:
        sys.exit(f"{config.home} has no release yet: run `citytrade refresh` first.")
    return config.lake / "sets" / read_manifest(config.home, release).set_id


def build_on_duckdb(config: Config, lake_set: Path, folder: Path) -> Path:
    """Build what selectors.yml names for Spark in DuckDB, into a file of the folder."""
    command = supervised.command(
        "dbt.cli.main:cli", "build", "--selector", engine.SELECTOR,
        "--resource-type", "model", "--resource-type", "seed",
        *dbt.common_arguments(config, folder / "dbt"),
    )  # fmt: skip
    environment = {
        **supervised.environment(),
        "CITYTRADE_LAKE": glob.escape(str(lake_set)).replace("'", "''"),
        "CITYTRADE_DB": str(folder / DATABASE),
        "DO_NOT_TRACK": "1",
    }
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, cwd=dbt.PROJECT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    return folder / DATABASE


def differing(database: Path, tables: Mapping[str, str]) -> list[str]:
    """A line for each way in which a table differs.

    Parameters
    ----------
    tables : model -> Parquet files of its table, as `flows.refresh.engine` finds them
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        schemas = dict(
            connection.execute(
                "select table_name, table_schema from information_schema.tables where"
                " table_type = 'BASE TABLE'"
            ).fetchall()
        )
        return [
            line
            for model, files in sorted(tables.items())
            for line in _differing(connection, f'"{schemas[model]}"."{model}"', files)
        ]


def _differing(connection: duckdb.DuckDBPyConnection, table: str, files: str) -> list[str]:
    """The columns in which a table of DuckDB and one of Spark differ: rows, then values, those of
    doubles beyond what the order of a sum explains.
    """
    columns = connection.execute(f"describe {table}").fetchall()
    exact = [name for name, kind, *_ in columns if kind not in FLOATS]
    floats = [name for name, kind, *_ in columns if kind in FLOATS]
    casts = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind, *_ in columns)
    listed = ", ".join(f'"{name}"' for name in exact + floats)
    ours, theirs = f"select {listed} from {table}", f"from read_parquet('{files}')"
    connection.execute(f"create or replace temp table ours as {ours}")
    connection.execute(
        f"create or replace temp table theirs as select {listed} from (select {casts} {theirs})"
    )
    wrong = []
    for one, other in (("ours", "theirs"), ("theirs", "ours")):
        names = ", ".join(f'"{name}"' for name in exact)
        row = connection.execute(
            f"select count(*) from (select {names} from {one} except all select {names} from"
            f" {other})"
        ).fetchone()
        assert row is not None
        if row[0]:
            wrong.append(f"{table}: {row[0]} rows of {one} are not in {other}")
    # Sorted by all that must be equal and then by value, doubles that are near stand beside each
    # other.
    pair = " positional join ".join(
        f"(select * from {one} order by all) as {one}" for one in ("ours", "theirs")
    )
    for name in floats:
        a, b = f'ours."{name}"', f'theirs."{name}"'
        near = (
            f"{a} is not distinct from {b} or abs({a} - {b}) <="
            f" {RELATIVE} * greatest(abs({a}), abs({b})) + {ABSOLUTE}"
        )
        row = connection.execute(
            f"select count(*) from {pair} where not coalesce({near}, false)"
        ).fetchone()
        assert row is not None
        if row[0]:
            wrong.append(f"{table}.{name}: {row[0]} values differ")
    return wrong
