"""Run suites on DuckDB with Great Expectations, and turn what it says into plain results."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.checks import Check, CheckResult, Suite
from expectations.deliveries import SUITES
from expectations.panels import panel_suite
from warehouse.dictionary.entries import ColumnEntry
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.sources import lake_tables

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations import Expectation

ROWS_SHOWN = 5
SET_ASIDE_WARNING_SHARE = 0.2
LENGTH_PREFIX = "length_"


def check_deliveries(loads: Sequence[LoadReport], lake: Path) -> list[CheckResult]:
    """Check all files of each lake table together, before models may read them.

    A batch a table, not a file: two million customs records take about a second.
    """
    files: dict[str, list[Path]] = {}
    for load in loads:
        for table in load.tables:
            files.setdefault(table, []).append(
                load_folder(lake, load.source, load.load_id) / f"{table}.parquet"
            )
    suites = [SUITES[table] for table in sorted(files) if table in SUITES]
    results = [_set_aside_share(load) for load in loads]
    with tempfile.TemporaryDirectory(prefix="citytrade-checks-") as folder:
        database = Path(folder) / "deliveries.duckdb"
        with duckdb.connect(str(database)) as connection:
            for suite in suites:
                connection.execute(_delivery_view(suite, files[suite.table]))
        results += _run(database, suites, "delivery")
    return results


def check_panels(
    database: Path,
    grains: Mapping[str, Iterable[str]],
    dictionary: Mapping[str, ColumnEntry],
    years: tuple[int, int],
    is_complete: bool = True,
) -> list[CheckResult]:
    """Check every panel of a built warehouse file.

    Parameters
    ----------
    grains : panel -> the columns that name a row
    years : the first and last year that panels may hold
    is_complete : whether every source has rows of these years; only then must `city_year` have any
    """
    with duckdb.connect(str(database), read_only=True) as connection:
        suites = []
        for panel, grain in grains.items():
            columns = {
                row[0]: row[1] for row in connection.execute(f'describe main."{panel}"').fetchall()
            }
            suites.append(panel_suite(panel, grain, columns, dictionary, years, is_complete))
    return [_told_empty(result, years) for result in _run(database, suites, "panel")]


def _told_empty(result: CheckResult, years: tuple[int, int]) -> CheckResult:
    """A panel without rows says what that means."""
    if result.success or result.is_error or result.column_name:
        return result
    return replace(
        result,
        observed=f"between {years[0]} and {years[1]} no row has all the data that it is made from",
    )


def _delivery_view(suite: Suite, files: list[Path]) -> str:
    """A view over a table's files; `length_x` is added where a check wants the length of x."""
    listed = ", ".join(sql_text(file) for file in files)
    wanted = {
        name
        for check in suite.checks
        for name in check.columns
        if name.startswith(LENGTH_PREFIX) and name not in lake_tables()[suite.table]
    }
    lengths = "".join(
        f", length({name.removeprefix(LENGTH_PREFIX)}) as {name}" for name in sorted(wanted)
    )
    return f"create view {suite.table} as select *{lengths} from read_parquet([{listed}])"


def _set_aside_share(load: LoadReport) -> CheckResult:
    share = load.set_aside_n / load.read_n if load.read_n else 0.0
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in load.set_aside.items())
    return CheckResult(
        stage="delivery",
        suite=f"deliveries.{load.source}",
        table_name=load.source,
        column_name="",
        check_name=f"at most {SET_ASIDE_WARNING_SHARE:.0%} set aside",
        severity="warning",
        success=share <= SET_ASIDE_WARNING_SHARE,
        is_error=False,
        unexpected_n=load.set_aside_n,
        observed=f"{load.file_name}: {share:.1%} of {load.read_n:,} rows"
        + (f" ({reasons})" if reasons else ""),
        failing_rows="",
    )


def _run(database: Path, suites: Sequence[Suite], stage: str) -> list[CheckResult]:
    """Validate each suite's table in one batch; Great Expectations is imported here and not
    before.
    """
    if not suites:
        return []
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    import expectations.duckdb_engine  # noqa: F401  (defining the datasource registers it)

    context = _context()
    add = context.data_sources.add_duckdb
    source = add(
        "warehouse",
        connection_string=f"duckdb:///{database}",
        kwargs={"connect_args": {"read_only": True}},
    )
    results: list[CheckResult] = []
    try:
        for suite in suites:
            batch = (
                source.add_table_asset(suite.name, table_name=suite.table)
                .add_batch_definition_whole_table("all")
                .get_batch()
            )
            expected = gx.ExpectationSuite(
                suite.name,
                expectations=[_expectation(check, at) for at, check in enumerate(suite.checks)],
            )
            shown = {
                "result_format": "SUMMARY",
                "unexpected_index_column_names": list(suite.keys),
                "partial_unexpected_count": ROWS_SHOWN,
            }
            found = {
                outcome.expectation_config.meta["at"]: outcome
                for outcome in batch.validate(expected, result_format=shown).results
            }
            results += [
                _result(stage, suite, check, found[at]) for at, check in enumerate(suite.checks)
            ]
    finally:
        # Both hold connections, and while one is open nobody can write to the file.
        source.get_execution_engine().close()
        source.get_engine().dispose()
    return results


def _context() -> Any:
    """A context in memory: no files, no pages, no progress bars, no log lines."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
    )

    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    settings = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=settings)
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return context


def _expectation(check: Check, at: int) -> Expectation:
    import great_expectations.expectations as gxe

    common: dict[str, Any] = {"severity": check.severity, "meta": {"at": at}}
    if check.kind == "rows":
        return gxe.ExpectTableRowCountToBeBetween(
            min_value=_whole(check.minimum), max_value=_whole(check.maximum), **common
        )
    if check.kind == "unique" and len(check.columns) > 1:
        return gxe.ExpectCompoundColumnsToBeUnique(
            column_list=list(check.columns), ignore_row_if="never", **common
        )
    column = check.columns[0]
    if check.kind == "unique":
        return gxe.ExpectColumnValuesToBeUnique(column=column, **common)
    if check.kind == "not_null":
        return gxe.ExpectColumnValuesToNotBeNull(column=column, **common)
    if check.kind == "in_set":
        return gxe.ExpectColumnValuesToBeInSet(
            column=column, value_set=list(check.values), **common
        )
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=check.minimum, max_value=check.maximum, **common
    )


def _result(
    stage: str, suite: Suite, check: Check, outcome: ExpectationValidationResult
) -> CheckResult:
    message = _error_message(outcome.exception_info or {})
    result = outcome.result or {}
    observed = "" if message is None else message
    if message is None and "observed_value" in result:
        observed = f"{result['observed_value']} found"
    rows = (
        result.get("partial_unexpected_index_list") or result.get("partial_unexpected_list") or []
    )
    return CheckResult(
        stage=stage,
        suite=suite.name,
        table_name=suite.table,
        column_name=", ".join(check.columns),
        check_name=_check_name(check),
        severity=check.severity,
        success=bool(outcome.success),
        is_error=message is not None,
        unexpected_n=result.get("unexpected_count"),
        observed=observed,
        failing_rows="; ".join(
            json.dumps(row, ensure_ascii=False, default=str) for row in rows[:ROWS_SHOWN]
        ),
    )


def _error_message(info: Mapping[str, Any]) -> str | None:
    """The message of a check that broke, else None; Great Expectations reports one error, or one a
    metric.
    """
    reports = (
        [info]
        if "raised_exception" in info
        else [part for part in info.values() if isinstance(part, Mapping)]
    )
    for report in reports:
        if report.get("raised_exception"):
            return str(report.get("exception_message") or "no message").strip().splitlines()[0]
    return None


def _check_name(check: Check) -> str:
    if check.kind == "rows":
        return (
            f"rows at least {check.minimum:g}"
            if check.maximum is None
            else f"rows in [{check.minimum:g}, {check.maximum:g}]"
        )
    if check.kind == "between":
        low = "-inf" if check.minimum is None else f"{check.minimum:.15g}"
        high = "inf" if check.maximum is None else f"{check.maximum:.15g}"
        return f"between {low} and {high}"
    if check.kind == "in_set":
        return f"one of {', '.join(map(str, check.values))}"
    return check.kind


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
