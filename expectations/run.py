"""Check what is delivered before models read it, and what is built before it is published."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from expectations.checks import CheckResult, Suite
from expectations.deliveries import SUITES
from expectations.judging import judge
from expectations.ledger import Ledger
from expectations.panels import panel_suite
from warehouse.database import connect, spill_folder
from warehouse.dictionary.entries import ColumnEntry
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.sources import lake_tables

SET_ASIDE_WARNING_SHARE = 0.2
LENGTH_PREFIX = "length_"


def check_deliveries(
    loads: Sequence[LoadReport], lake: Path, ledger: Ledger | None = None
) -> list[CheckResult]:
    """Check all files of each lake table together, before models may read them.

    A batch a table, not a file: two million customs records take about a second.

    Parameters
    ----------
    ledger : suites that held before: one is not asked again of the same loads
    """
    files: dict[str, list[Path]] = {}
    made_from: dict[str, str] = {}
    for load in sorted(loads, key=lambda load: (load.source, load.load_id)):
        for table in load.tables:
            made_from[table] = f"{made_from.get(table, '')} {load.load_id}"
            files.setdefault(table, []).append(
                load_folder(lake, load.source, load.load_id) / f"{table}.parquet"
            )
    suites = [SUITES[table] for table in sorted(files) if table in SUITES]
    results = [_set_aside_share(load) for load in loads]
    with tempfile.TemporaryDirectory(prefix="checks-", dir=spill_folder()) as folder:
        database = Path(folder) / "deliveries.duckdb"
        with connect(database) as connection:
            for suite in suites:
                connection.execute(_delivery_view(suite, files[suite.table]))
        results += judge(database, suites, "delivery", ledger, made_from)
    return results


def check_panels(
    database: Path,
    grains: Mapping[str, Iterable[str]],
    dictionary: Mapping[str, ColumnEntry],
    years: tuple[int, int],
    is_complete: bool = True,
    ledger: Ledger | None = None,
    made_from: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Check every panel of a built warehouse file.

    Parameters
    ----------
    grains : panel -> the columns that name a row
    years : the first and last year that panels may hold
    is_complete : whether every source has rows of these years; only then must `city_year` have any
    ledger : suites that held before: one is not asked again of the same panel
    made_from : panel -> what says what it was made from
    """
    with connect(database, read_only=True) as connection:
        suites = []
        for panel, grain in grains.items():
            columns = {
                row[0]: row[1] for row in connection.execute(f'describe main."{panel}"').fetchall()
            }
            suites.append(panel_suite(panel, grain, columns, dictionary, years, is_complete))
    results = judge(database, suites, "panel", ledger, made_from)
    return [_told_empty(result, years) for result in results]


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
