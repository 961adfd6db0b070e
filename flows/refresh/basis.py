"""The former release's file as the beginning of the next: copied only where it is as it was sealed,
and left with the tables that a plan keeps.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.refresh.reach import Plan
from flows.refresh.record import Record, record_of
from warehouse.database import connect
from warehouse.releases.publish import DATABASE, MANIFEST, Manifest
from warehouse.releases.seal import unlike_sealed
from warehouse.settings.config import Config

DBT_MANIFEST = "dbt/manifest.json"
EMPTY_SHARE = 0.5  # of the file's blocks: from then on it is worth writing it anew


@dataclass(frozen=True)
class Basis:
    """What the next release may begin with.

    former : the published release, if there is one
    folder : where it lies
    why_not : why everything is built all the same
    """

    former: Manifest | None = None
    folder: Path | None = None
    why_not: str = ""

    @property
    def record(self) -> Record | None:
        return record_of(self.former.built_from) if self.former is not None else None

    def refusal(self) -> str:
        """Why nothing of the former release can be used, or nothing."""
        if self.why_not:
            return self.why_not
        if self.former is None or self.folder is None:
            return "there is no former release"
        if self.former.engine != "duckdb":
            return f"release {self.former.release} was built with {self.former.engine}"
        if self.record is None:
            return f"release {self.former.release} does not say what its tables were built from"
        return ""


def held_before(config: Config, former: Manifest | None) -> dict[str, Any]:
    """The suites of checks that held in the former release, if its manifest is as it was sealed."""
    if former is None:
        return {}
    folder = config.builds / former.release
    if unlike_sealed(folder, {MANIFEST: folder / MANIFEST}):
        return {}
    held = former.built_from.get("held", {})
    return dict(held) if isinstance(held, dict) else {}


def copy(basis: Basis, folder: Path) -> str:
    """Copy the former release's file and dbt's manifest into a release folder; returns why that
    cannot be, with nothing left behind.
    """
    assert basis.folder is not None and basis.former is not None
    pairs = {
        DATABASE: folder / DATABASE,
        DBT_MANIFEST: folder / DBT_MANIFEST,
        # Not copied: what it says is what the copy is judged by.
        MANIFEST: basis.folder / MANIFEST,
    }
    try:
        for name, target in pairs.items():
            if target.parent != basis.folder:
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(basis.folder / name, target)
        wrong = unlike_sealed(basis.folder, pairs) or _mostly_empty(folder / DATABASE)
    except (OSError, duckdb.Error) as error:
        wrong = f"it cannot be copied ({' '.join(str(error).split())})"
    if wrong:
        remove(folder)
        return f"release {basis.former.release} is no basis: {wrong}"
    return ""


def remove(folder: Path) -> None:
    """Remove the copy, so that a build begins with nothing."""
    for name in (DATABASE, f"{DATABASE}.wal", DBT_MANIFEST):
        (folder / name).unlink(missing_ok=True)


def prepare(database: Path, record: Record, plan: Plan) -> str:
    """Drop from a copy all but the tables that a plan keeps; returns what is not there that should
    be, or nothing.
    """
    wanted = {record.nodes[name].relation for name in plan.kept}
    try:
        there = _left(database, wanted)
    except duckdb.Error as error:
        return f"the former file cannot be worked with ({' '.join(str(error).split())})"
    missing = sorted(wanted - there)
    return f"the former file has no table {', '.join(missing[:3])}" if missing else ""


def _left(database: Path, wanted: set[str]) -> set[str]:
    """Drop all views, and the tables that are not wanted; returns all tables that were there."""
    with connect(database) as connection:
        views = "select schema_name, view_name from duckdb_views() where not internal"
        for schema, name in connection.execute(views).fetchall():
            connection.execute(f"drop view {_quoted(schema)}.{_quoted(name)}")
        tables = "select schema_name, table_name from duckdb_tables() where not internal"
        there = {f"{schema}.{name}": (schema, name) for schema, name in _rows(connection, tables)}
        for relation, (schema, name) in there.items():
            if relation not in wanted:
                connection.execute(f"drop table {_quoted(schema)}.{_quoted(name)}")
        connection.execute("checkpoint")
    return set(there)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(query).fetchall()]


def _mostly_empty(database: Path) -> str:
    """Whether what was dropped from a file in former builds has left it mostly empty."""
    with connect(database, read_only=True) as connection:
        row = connection.execute(
            "select total_blocks, free_blocks from pragma_database_size()"
        ).fetchone()
    assert row is not None
    return "its file is mostly empty" if row[1] > EMPTY_SHARE * row[0] else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
