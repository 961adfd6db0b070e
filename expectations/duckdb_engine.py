"""Great Expectations on DuckDB: a datasource whose engine keeps each result after its connection is
closed.

The stock SQL engine returns a cursor from a connection that is already closed; DuckDB's driver has
no rows then. Importing this module takes seconds, since it imports Great Expectations; only
functions that run checks do it.
"""

from __future__ import annotations

from typing import Any, Literal, Type  # noqa: UP035

from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Runs a query and fetches its rows within one connection."""

    def execute_query(self, query: Any) -> Any:
        with self.get_connection() as connection:
            return connection.execute(query).freeze()()


class DuckDBDatasource(SQLDatasource):
    """Registers itself with Great Expectations by being defined:
    `context.data_sources.add_duckdb(...)`.
    """

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]

    @property
    def execution_engine_type(
        self,
    ) -> Type[SqlAlchemyExecutionEngine]:  # noqa: UP006 (`type` is this class's own field)
        return DuckDBExecutionEngine
