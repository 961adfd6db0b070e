"""Which SQL statements only read a release; every other is refused with a sentence."""

from __future__ import annotations

import re

import duckdb

from warehouse.errors import CitytradeError

READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
READING_WORDS = "SELECT, WITH, FROM, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
REFUSED = {
    duckdb.StatementType.ATTACH: (
        "It cannot attach another database: only this release can be read here."
    ),
    duckdb.StatementType.DETACH: "It cannot detach a database: only this release can be read here.",
    duckdb.StatementType.LOAD: "It cannot install or load extensions.",
    duckdb.StatementType.COPY: (
        "It cannot copy from or to files: `citytrade panel NAME -o FILE` saves a panel, --format"
        " csv prints a query's rows."
    ),
    duckdb.StatementType.EXPORT: (
        "It cannot write files: `citytrade export-all DIR` saves every panel."
    ),
    duckdb.StatementType.SET: "It cannot change settings: --seconds and --memory set the limits.",
}
GAP = r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|--[^\n]*(?:\n|$))"
# Functions that are called as if they were tables and change how the connection works: a reading
# statement is none that calls these.
ACTING = re.compile(
    r"\b(enable_logging|disable_logging|enable_profil\w+|disable_profil\w+"
    r"|truncate_duckdb_logs|write_log|json_execute_serialized_sql|query_table)\b"
    rf'|\bquery"?{GAP}*\(',
    re.IGNORECASE | re.DOTALL,
)
# What DuckDB tells of itself: only these tell nothing of the machine, such as where its files lie.
TELLING = re.compile(
    r"\b(?:(?:duckdb|pragma)_\w+|pg_settings|current_setting|getenv)\b", re.IGNORECASE
)
ABOUT_TABLES = {
    "duckdb_columns", "duckdb_constraints", "duckdb_functions", "duckdb_indexes", "duckdb_keywords",
    "duckdb_schemas", "duckdb_sequences",
    "duckdb_tables", "duckdb_types", "duckdb_views", "pragma_show", "pragma_table_info",
    "pragma_version",
}  # fmt: skip
EXPLAIN = re.compile(
    rf"{GAP}*explain\b{GAP}*(?:analyze\b|\({GAP}*(?:analyze|format)\b[^)]*\))?",
    re.IGNORECASE | re.DOTALL,
)


def reading_statement(text: str) -> duckdb.Statement:
    """The one statement of a text, if it only reads.

    Raises
    ------
    CitytradeError : no statement or several, one that does not read, or one that would tell where
        files lie.
    """
    try:
        statements = duckdb.extract_statements(text)
    except duckdb.Error as error:
        raise CitytradeError(str(error)) from error
    if len(statements) == 2 and text.strip().lower().startswith("pivot"):
        raise CitytradeError(
            "PIVOT needs its values here: write PIVOT … ON column IN (value, …) USING …."
        )
    if len(statements) != 1:
        raise CitytradeError(
            f"{len(statements)} statements given, one expected. Run them one by one."
        )
    if statements[0].type not in READS or _first_word(text) == "pragma":
        why = REFUSED.get(statements[0].type, "")
        raise CitytradeError(
            "The published release is read-only: the statement must begin with"
            f" {READING_WORDS}.{' ' if why else ''}{why}"
        )
    _refuse_functions(text)
    if statements[0].type == duckdb.StatementType.EXPLAIN:
        _refuse_explained(text)
    return statements[0]


def _refuse_functions(text: str) -> None:
    acting = ACTING.search(text)
    if acting is not None:
        name = acting.group().split("(")[0].strip(' "')
        raise CitytradeError(
            f"{name} is no function for reading: it changes what the connection does, or runs a"
            " text that nobody has looked at."
        )
    for told in TELLING.finditer(text):
        if told.group().lower() not in ABOUT_TABLES:
            raise CitytradeError(
                f"{told.group()} tells of this machine rather than of the release. Of tables tell"
                " duckdb_tables() and DESCRIBE."
            )


def _refuse_explained(text: str) -> None:
    """EXPLAIN ANALYZE carries out what it explains, so only what reads may be explained."""
    opening = EXPLAIN.match(text)
    if (
        opening is None
        or reading_statement(text[opening.end() :]).type != duckdb.StatementType.SELECT
    ):
        raise CitytradeError(
            "EXPLAIN explains here what reads: write EXPLAIN SELECT … or EXPLAIN ANALYZE SELECT …"
        )


def _first_word(text: str) -> str:
    """The first word after comments and brackets, in small letters."""
    bare = re.sub(r"/\*.*?\*/|--[^\n]*", " ", text, flags=re.DOTALL)
    words = bare.replace("(", " ").replace(";", " ").split()
    return words[0].lower() if words else ""
