"""Indicators that an index cannot use: told by the refresh, kept in the release, and never an
infinite number.
"""

from __future__ import annotations

import duckdb

from flows.refresh.finish import problem_rows
from flows.refresh.summary import problem_lines
from warehouse import connect
from warehouse.releases.publish import DATABASE, current_release
from warehouse.settings.config import Config


def test_one_line_an_index_and_problem() -> None:
    rows = [
        {"index_name": "idx_b", "indicator": "fdi_cny", "problem": "not_positive", "rows_n": 1200},
        {"index_name": "idx_a", "indicator": "y", "problem": "all_equal", "rows_n": 10},
        {"index_name": "idx_a", "indicator": "x", "problem": "all_equal", "rows_n": 10},
    ]
    assert problem_lines(rows) == [
        "index idx_a: x (10 rows), y (10 rows): one value in all rows, so it has no weight",
        "index idx_b: fdi_cny (1,200 rows): zero or negative where a log is taken, so null there",
    ]
    assert problem_lines([]) == []


def test_the_release_keeps_what_its_models_found(small_release: Config) -> None:
    release = current_release(small_release.home)
    assert release is not None
    found = problem_rows(small_release.builds / release / DATABASE)
    with connect(small_release) as connection:
        kept = connection.execute(
            "select index_name, indicator, problem, rows_n from meta.problems order by all"
        ).fetchall()
    assert kept == [tuple(row.values()) for row in found]


def test_no_number_of_the_release_is_infinite(small_release: Config) -> None:
    query = (
        "select table_schema, table_name, column_name from information_schema.columns where "
        "data_type in ('DOUBLE', 'FLOAT') and table_schema <> 'meta'"
    )
    with connect(small_release) as connection:
        columns = connection.execute(query).fetchall()
        assert len(columns) > 300
        bad = [where for where in columns if _infinite(connection, *where)]
    assert bad == []


def _infinite(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> int:
    row = connection.execute(
        f'select count(*) from "{schema}"."{table}" where isinf("{column}") or isnan("{column}")'
    ).fetchone()
    assert row is not None
    return int(row[0])
