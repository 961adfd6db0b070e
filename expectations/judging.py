"""Checks judged by Great Expectations, which is imported in functions and not before: that takes
seconds.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from expectations.checks import Check, CheckResult, Suite
from expectations.ledger import Ledger
from expectations.tally import Count, repeated_rows, tally
from warehouse.database import connect, settings

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations import Expectation

ROWS_SHOWN = 5


def judge(
    database: Path,
    suites: Sequence[Suite],
    stage: str,
    ledger: Ledger | None = None,
    made_from: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """The results of all checks of `suites` on the tables and views of `database`, in their order.

    Parameters
    ----------
    ledger : suites that held before; one that held on the same table is not asked again
    made_from : table -> what says which table it is
    """
    ledger, said = ledger or Ledger(), made_from or {}
    held = {
        suite.name: rows
        for suite in suites
        if (rows := ledger.rows(stage, suite, said.get(suite.table, ""))) is not None
    }
    asked = iter(_judged(database, [s for s in suites if s.name not in held], stage))
    results: list[CheckResult] = []
    for suite in suites:
        if suite.name in held:
            count = Count(held[suite.name], None, None)
            found = [_holding(stage, suite, check, count) for check in suite.checks]
        else:
            found = [next(asked) for _ in suite.checks]
        ledger.note(stage, suite, said.get(suite.table, ""), _rows_of(suite, found), found)
        results += found
    return results


def _rows_of(suite: Suite, results: Sequence[CheckResult]) -> int:
    """The rows of a suite's table, where one of its checks counts them."""
    for check, result in zip(suite.checks, results, strict=True):
        if check.kind == "rows" and result.success:
            return int(result.observed.split()[0])
    return 0


def _judged(database: Path, suites: Sequence[Suite], stage: str) -> list[CheckResult]:
    """The results of checks that are asked.

    Great Expectations judges the counts of one query a table; it asks a table itself only for what
    fails there, to show the rows, and where the query breaks, to say which check broke.
    """
    if not suites:
        return []
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    counted = _tallies(database, suites)
    context = _context()
    failing = _failing(context, counted)
    asked = [
        replace(
            suite,
            checks=tuple(
                check
                for at, check in enumerate(suite.checks)
                if counts is None or (suite.name, at) in failing
            ),
        )
        for suite, counts in counted
    ]
    told = iter(validate(context, database, [suite for suite in asked if suite.checks], stage))
    results: list[CheckResult] = []
    for suite, counts in counted:
        for at, check in enumerate(suite.checks):
            if counts is None:
                results.append(next(told))
            elif (suite.name, at) in failing:
                results.append(_confirmed(database, suite, check, next(told), counts[at]))
            else:
                results.append(_holding(stage, suite, check, counts[at]))
    return results


def _tallies(database: Path, suites: Sequence[Suite]) -> list[tuple[Suite, list[Count] | None]]:
    """Each suite with its counts, or with None where its query broke."""
    counted: list[tuple[Suite, list[Count] | None]] = []
    with connect(database, read_only=True) as connection:
        for suite in suites:
            try:
                counted.append((suite, tally(connection, suite)))
            except duckdb.Error:
                counted.append((suite, None))
    return counted


def _failing(
    context: Any, counted: Sequence[tuple[Suite, list[Count] | None]]
) -> set[tuple[str, int]]:
    """(suite, place of the check) of all counts out of their bounds, as Great Expectations says."""
    import pandas as pd

    rows = [
        (suite.name, at, count.found, count.lowest, count.highest)
        for suite, counts in counted
        for at, count in enumerate(counts or ())
    ]
    if not rows:
        return set()
    counts = pd.DataFrame(rows, columns=["suite", "at", "found", "lowest", "highest"])
    outcomes = _within_bounds(context, counts)
    failing: set[tuple[str, int]] = set()
    for outcome in outcomes:
        message = _error_message(outcome.exception_info or {})
        if message is not None:
            raise RuntimeError(f"The counts of the checks could not be judged: {message}")
        listed = outcome.result.get("unexpected_index_list") or []
        failing |= {(row["suite"], int(row["at"])) for row in listed}
    return failing


def _within_bounds(context: Any, counts: pd.DataFrame) -> list[ExpectationValidationResult]:
    """Whether each count lies between its bounds, as Great Expectations says of a table of them."""
    import great_expectations as gx
    import great_expectations.expectations as gxe

    pairs = (("found", "lowest"), ("highest", "found"))
    batch = (
        context.data_sources.add_pandas("counts")
        .add_dataframe_asset("counts")
        .add_batch_definition_whole_dataframe("all")
        .get_batch({"dataframe": counts})
    )
    expected = gx.ExpectationSuite(
        "counts",
        expectations=[
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=larger,
                column_B=smaller,
                or_equal=True,
                ignore_row_if="either_value_is_missing",
            )
            for larger, smaller in pairs
        ],
    )
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": ["suite", "at"]}
    return list(batch.validate(expected, result_format=shown).results)


def _confirmed(
    database: Path, suite: Suite, check: Check, result: CheckResult, count: Count
) -> CheckResult:
    """A failure with its rows. One that the table itself does not show is no knowledge of the data:
    the check broke. Keys with a null in them are not shown there, where rows are joined by key.
    """
    if check.kind == "unique" and not result.is_error and result.unexpected_n != count.found:
        rows = repeated_rows(database, suite.table, check.columns, suite.keys, ROWS_SHOWN)
        return replace(
            result, success=False, unexpected_n=count.found, failing_rows="; ".join(rows)
        )
    if not result.success:
        return result
    return replace(
        result,
        success=False,
        is_error=True,
        observed=f"one query counts {count.found:,}, which the table does not confirm",
    )


def _holding(stage: str, suite: Suite, check: Check, count: Count) -> CheckResult:
    is_number = check.kind == "rows"
    return _told(
        stage,
        suite,
        check,
        success=True,
        is_error=False,
        unexpected_n=None if is_number else 0,
        observed=f"{count.found} found" if is_number else "",
        failing_rows="",
    )


def _told(stage: str, suite: Suite, check: Check, **found: Any) -> CheckResult:
    """The result of a check: what was asked, and what was found."""
    return CheckResult(
        stage=stage,
        suite=suite.name,
        table_name=suite.table,
        column_name=", ".join(check.columns),
        check_name=_check_name(check),
        severity=check.severity,
        **found,
    )


def validate(
    context: Any, database: Path, suites: Sequence[Suite], stage: str
) -> list[CheckResult]:
    """Every check of `suites` by Great Expectations on the tables themselves, with failing rows."""
    if not suites:
        return []
    import expectations.duckdb_engine  # noqa: F401  (defining the datasource registers it)

    source = context.data_sources.add_duckdb(
        "warehouse",
        connection_string=f"duckdb:///{database}",
        kwargs={"connect_args": {"read_only": True, "config": settings()}},
    )
    try:
        return [result for suite in suites for result in _validated(source, suite, stage)]
    finally:
        # Both hold connections, and while one is open nobody can write to the file.
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _validated(source: Any, suite: Suite, stage: str) -> list[CheckResult]:
    """One suite in one batch."""
    import great_expectations as gx

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
    return [_result(stage, suite, check, found[at]) for at, check in enumerate(suite.checks)]


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
    return _told(
        stage,
        suite,
        check,
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
    if check.kind == "rows" and check.maximum is None:
        return f"rows at least {check.minimum:g}"
    if check.kind == "rows" and check.minimum is None:
        return f"rows at most {check.maximum:g}"
    if check.kind == "rows":
        return f"rows in [{check.minimum:g}, {check.maximum:g}]"
    if check.kind == "between":
        low = "-inf" if check.minimum is None else f"{check.minimum:.15g}"
        high = "inf" if check.maximum is None else f"{check.maximum:.15g}"
        return f"between {low} and {high}"
    if check.kind == "in_set":
        return f"one of {', '.join(map(str, check.values))}"
    return check.kind


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
