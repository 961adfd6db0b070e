"""A connection to one release that can only read it, whoever else has it open and with which
limits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from warehouse.errors import ReleaseError
from warehouse.lake.loads import sql_text
from warehouse.query.statements import reading_statement
from warehouse.releases.publish import DATABASE

if TYPE_CHECKING:
    from types import TracebackType

CATALOG = "warehouse"
ESTIMATES, KEPT = "estimates", "kept"  # a schema (and the folder of its files), its catalog
SEARCH_PATH = ("main", "indices", "intermediate", "seeds", "meta")
# What a connection gives back; whatever would write, register or create is not among it.
RESULTS = frozenset((
    "arrow", "close", "description", "df", "fetch_arrow_table", "fetch_df", "fetch_df_chunk",
    "fetch_record_batch", "fetchall", "fetchdf", "fetchmany",
    "fetchnumpy", "fetchone", "interrupt", "pl", "query_progress", "rowcount", "to_arrow_reader",
    "to_arrow_table",
))  # fmt: skip
SETTINGS = {
    "temp_directory": "",  # a query over its memory fails instead of filling the disk
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


def estimates_file(home: Path, release: str) -> Path:
    """Where the estimates of papers on a release are kept, beside the releases."""
    return home / ESTIMATES / f"{release}.duckdb"


def open_release(
    folder: Path, memory: str | None = None, *, estimates: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a release's file in a database of its own, without files, network or settings that a
    statement can change.

    The file is attached rather than opened, so that connections with other limits, or of other
    programs of this process, do not stand in its way.

    Parameters
    ----------
    memory : what the connection's queries may take together, such as "2GB"
    estimates : a file of estimates, to be read as estimates.estimates; none if it is not there

    Raises
    ------
    ReleaseError : a file that DuckDB cannot open.
    """
    connection = duckdb.connect(
        ":memory:", config={**SETTINGS, **({"memory_limit": memory} if memory is not None else {})}
    )
    try:
        connection.execute(f"attach {sql_text(folder / DATABASE)} as {CATALOG} (read_only)")
    except duckdb.Error as error:
        connection.close()
        raise _unopened(folder, error) from error
    there = {
        row[0]
        for row in connection.execute(
            "select schema_name from duckdb_schemas() where database_name = ?", [CATALOG]
        ).fetchall()
    }
    path = [f"{CATALOG}.{schema}" for schema in SEARCH_PATH if schema in there]
    if estimates is not None and estimates.is_file():
        connection.execute(f"attach {sql_text(estimates)} as {KEPT} (read_only)")
        path.append(f"{KEPT}.{ESTIMATES}")
    connection.execute(f"set search_path = '{','.join(path)}'")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


def _unopened(folder: Path, error: duckdb.Error) -> ReleaseError:
    told = str(error).splitlines()[0]
    if "lock" in told.lower():
        remedy = "Another program has it open for writing: close it there, and open it read-only."
    else:
        remedy = "`citytrade doctor` says what to mend."
    return ReleaseError(f"Release {folder.name} cannot be opened ({told}). {remedy}")


class ReadingConnection:
    """A DuckDB connection that runs reading statements only; results come as from DuckDB's own:
    fetchall(), df(), arrow().

    Raises
    ------
    CitytradeError : from `execute` and `sql`, for a statement that does not read.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, query: str, parameters: object = None) -> ReadingConnection:
        """Run one reading statement; `parameters` fill its ? or $name."""
        statement = reading_statement(query)
        if parameters is None:
            self._connection.execute(statement)
        else:
            self._connection.execute(statement, parameters)
        return self

    sql = query = execute

    def cursor(self) -> ReadingConnection:
        """Another connection to the same release, for use beside this one."""
        return ReadingConnection(self._connection.cursor())

    def __getattr__(self, name: str) -> Any:
        if name in RESULTS:
            return getattr(self._connection, name)
        raise AttributeError(
            f"a connection to a release has no {name}: it only reads. It has execute, sql, cursor,"
            f" {', '.join(sorted(RESULTS))}."
        )

    def __enter__(self) -> ReadingConnection:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()
