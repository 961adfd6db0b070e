"""The data tests that compare sums: they find what is altered in the release's own tables, and
nothing before; and staging keeps to the bounds that deliveries are checked by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from expectations.deliveries import SUITES
from flows.refresh.dbt import PROJECT
from warehouse.lake.loads import sql_text
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config

REF = re.compile(r"\{\{ ref\('(\w+)'\) \}\}")
ADD_UP, AGGLOMERATION = "assert_panels_add_up", "assert_agglomeration_adds_up"


@pytest.fixture
def tables(small_release: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """The release's tables behind a database in memory that may have altered copies of them."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {sql_text(small_release.current / DATABASE)} as r (read_only)")
        connection.execute("set search_path = 'memory.main,r.main,r.intermediate,r.indices'")
        yield connection


def found(connection: duckdb.DuckDBPyConnection, test: str) -> list[tuple[object, ...]]:
    query = (PROJECT / "tests" / f"{test}.sql").read_text(encoding="utf-8")
    return connection.execute(REF.sub(r"\1", query)).fetchall()


@pytest.mark.parametrize(
    ("test", "table", "change", "rows_n"),
    [
        (ADD_UP, "city_hs6_year", "delete from {} where year = 2010", 1),
        (ADD_UP, "int_trade__reconciliation", "delete from {} where year = 2012", 3),
        (ADD_UP, "city_year", "update {} set export_value_usd = export_value_usd + 0.01"
         " where year = 2011 and city_code = '3301'", 1),
        (AGGLOMERATION, "idx_employment_resilience",
         "update {} set counterfactual_change_n = null where year = 2010", 1),
        (AGGLOMERATION, "idx_employment_resilience",
         "update {} set employment_change_n = null where year = 2010 and city_code = '3301'", 1),
        (AGGLOMERATION, "int_agglomeration_resilience__industry",
         "update {} set industry_share = null where year = 2011 and city_code = '3301'", 1),
    ],
)  # fmt: skip
def test_what_does_not_add_up_or_is_missing_is_found(
    tables: duckdb.DuckDBPyConnection, test: str, table: str, change: str, rows_n: int
) -> None:
    assert found(tables, test) == []
    tables.execute(f"create table memory.main.{table} as from {table}")
    tables.execute(change.format(f"memory.main.{table}"))
    assert len(found(tables, test)) == rows_n


def test_staging_keeps_to_the_bounds_of_the_deliveries_checks() -> None:
    """A value outside them is missing in the models, and counted and shown by the check."""
    calls = []
    for model in sorted((PROJECT / "models" / "staging").rglob("stg_*.sql")):
        table = model.stem.removeprefix("stg_")
        for column, low, high in re.findall(
            r"within\('(\w+)', ([^,)]+), ([^,)]+)\)", model.read_text(encoding="utf-8")
        ):
            calls.append((table, column))
            bounds = [
                (check.minimum, check.maximum)
                for check in SUITES[table].checks
                if check.kind == "between" and check.columns == (column,)
            ]
            assert bounds == [(float(low), float(high))], (table, column)
    assert len(calls) > 10
