"""`citytrade sql`: one reading statement on the published release, within limits of time and memory."""

from __future__ import annotations

import re
import sys
from typing import TextIO

import duckdb

from flows.telling.printing import in_chunks, table, write_csv, write_json
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import Config
from warehouse.store import connect

READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
READING_WORDS = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
REFUSED = {
    duckdb.StatementType.ATTACH: "It cannot attach another database: only this release can be read here.",
    duckdb.StatementType.DETACH: "It cannot detach a database: only this release can be read here.",
    duckdb.StatementType.LOAD: "It cannot install or load extensions.",
    duckdb.StatementType.COPY: "It cannot copy from or to files: `citytrade panel NAME -o FILE` saves a panel, --format csv prints a query's rows.",
    duckdb.StatementType.EXPORT: "It cannot write files: `citytrade export-all DIR` saves every panel.",
    duckdb.StatementType.SET: "It cannot change settings: --seconds and --memory set the limits.",
}
GAP = r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*(?:\n|$))"
# Functions that are called as if they were tables and change how the connection works: a reading statement is none that calls these.
ACTING = re.compile(
    r"\b(enable_logging|disable_logging|enable_profil\w+|disable_profil\w+|truncate_duckdb_logs|write_log|json_execute_serialized_sql)\b"
    rf'|\bquery"?{GAP}*\(',
    re.IGNORECASE | re.DOTALL,
)
EXPLAIN = re.compile(rf"{GAP}*explain\b{GAP}*(?:analyze\b|\({GAP}*(?:analyze|format)\b[^)]*\))?", re.IGNORECASE | re.DOTALL)
HELP = "`citytrade panels` lists the panels, `citytrade describe NAME` a panel's columns."


def run_sql(config: Config, text: str, form: str, limit: int, limits: Limits | None = None, sink: TextIO | None = None) -> None:
    """Print what one reading statement gives, as table (at most `limit` rows), csv or json.

    Raises
    ------
    CitytradeError : more than one statement, one that does not read, one that DuckDB refuses (with its message), or one over its limits.
    """
    limits = limits or Limits()
    with connect(config, memory=limits.memory) as connection:
        run_statement(connection, text, form, limit, limits, sink or sys.stdout)


def run_statement(connection: duckdb.DuckDBPyConnection, text: str, form: str, limit: int, limits: Limits, out: TextIO) -> None:
    """Run one reading statement on an open connection and print its rows."""
    statement = reading_statement(text)
    try:
        limits.run(connection, lambda: print_rows(connection.execute(statement), form, limit, out))
    except duckdb.PermissionException as error:
        raise CitytradeError(
            "The statement reads a file or the network, and only the published release can be read here. Load raw files with `citytrade refresh`."
        ) from error
    except duckdb.Error as error:
        raise CitytradeError(f"{error}\n{HELP}") from error


def reading_statement(text: str) -> duckdb.Statement:
    """The one statement of a text, if it only reads."""
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise CitytradeError(str(error)) from error
    if len(statements) == 2 and text.strip().lower().startswith("pivot"):
        raise CitytradeError("PIVOT needs its values here: write PIVOT … ON column IN (value, …) USING ….")
    if len(statements) != 1:
        raise CitytradeError(f"{len(statements)} statements given, one expected. Run them one by one.")
    if statements[0].type not in READS or _first_word(text) == "pragma":
        why = REFUSED.get(statements[0].type, "")
        raise CitytradeError(f"The published release is read-only: the statement must begin with {READING_WORDS}.{' ' if why else ''}{why}")
    acting = ACTING.search(text)
    if acting is not None:
        name = acting.group().split("(")[0].strip(' "')
        raise CitytradeError(f"{name} is no function for reading: it changes what the connection does, or runs a text that nobody has looked at.")
    if statements[0].type == duckdb.StatementType.EXPLAIN:
        _refuse_explained(text)
    return statements[0]


def _refuse_explained(text: str) -> None:
    """EXPLAIN ANALYZE carries out what it explains, so only what reads may be explained."""
    opening = EXPLAIN.match(text)
    if opening is None or reading_statement(text[opening.end() :]).type != duckdb.StatementType.SELECT:
        raise CitytradeError("EXPLAIN explains here what reads: write EXPLAIN SELECT … or EXPLAIN ANALYZE SELECT …")


def print_rows(cursor: duckdb.DuckDBPyConnection, form: str, limit: int, out: TextIO) -> None:
    names = [column[0] for column in cursor.description or []]
    if form == "csv":
        write_csv(names, in_chunks(cursor), out)
    elif form == "json":
        write_json(names, in_chunks(cursor), out)
    else:
        rows = cursor.fetchmany(limit)
        more = sum(1 for _ in in_chunks(cursor))
        if names == ["explain_key", "explain_value"]:
            out.write("\n".join(str(row[1]) for row in rows) + "\n")
            return
        out.write(table(names, rows) + "\n")
        if more:
            out.write(f"{more:,} more rows of {more + len(rows):,}; --format csv or json gives all, --limit N more.\n")


def _first_word(text: str) -> str:
    """The first word after comments and brackets, in small letters."""
    bare = re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.DOTALL)
    words = bare.replace("(", " ").replace(";", " ").split()
    return words[0].lower() if words else ""
