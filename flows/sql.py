"""`citytrade sql`: one reading statement on the published release."""

from __future__ import annotations

import sys
from typing import TextIO

import duckdb

from flows.printing import in_chunks, table, write_csv, write_json
from warehouse.config import Config
from warehouse.errors import CitytradeError
from warehouse.store import connect

READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
READING_WORDS = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"


def run_sql(config: Config, text: str, form: str, limit: int, sink: TextIO | None = None) -> None:
    """Print what one reading statement gives, as table (at most `limit` rows), csv or json.

    Raises
    ------
    CitytradeError : more than one statement, one that does not read, or one that DuckDB refuses (with its message).
    """
    out = sink or sys.stdout
    statement = reading_statement(text)
    with connect(config) as connection:
        try:
            cursor = connection.execute(statement)
            print_rows(cursor, form, limit, out)
        except duckdb.Error as error:
            raise CitytradeError(f"{error}\n`citytrade panels` lists the panels, `citytrade describe NAME` a panel's columns.") from error


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
        raise CitytradeError(f"The published release is read-only: the statement must begin with {READING_WORDS}.")
    return statements[0]


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
    words = [line for line in (part.split("--")[0].strip() for part in text.splitlines()) if line]
    return words[0].split()[0].lower().strip("(;") if words else ""
