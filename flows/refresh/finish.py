"""The last step before publication: schema `meta`, in which a release says what it is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from expectations import CheckResult, Ledger, check_panels
from flows.refresh.dbt import Built, PanelModel
from flows.refresh.fates import customs_fates
from flows.refresh.outcomes import SourceOutcome, has_every_source, tell_empty
from warehouse.database import connect
from warehouse.dictionary.entries import read_dictionary
from warehouse.lake.loads import load_folder
from warehouse.releases.meta import META, drop_staging, former_releases, write_meta, write_set_aside
from warehouse.releases.publish import DATABASE, Manifest
from warehouse.settings.config import Config
from warehouse.sources import get_source

PROBLEMS = "int_report__problem"


def problem_rows(database: Path) -> tuple[dict[str, Any], ...]:
    """Indicators that an index could not use, as the built file's models found them: index_name,
    indicator, problem, rows_n.
    """
    with connect(database, read_only=True) as connection:
        cursor = connection.execute(
            f"select {', '.join(META['problems'])} from intermediate.{PROBLEMS} order by all"
        )
        names = [column[0] for column in cursor.description or []]
        return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def checked_panels(
    config: Config,
    database: Path,
    built: Built,
    outcomes: Sequence[SourceOutcome],
    ledger: Ledger | None = None,
) -> list[CheckResult]:
    """The checks of every panel; of one without rows it is said what it lacks.

    Parameters
    ----------
    ledger : suites that held before: one is not asked again of the same panel
    """
    years = (config.first_year, config.last_year)
    grains = {panel.name: panel.grain for panel in built.panels}
    checks = check_panels(
        database,
        grains,
        read_dictionary(),
        years,
        has_every_source(outcomes, years),
        ledger,
        built.recipes,
    )
    return tell_empty(
        checks, {panel.name: panel.sources for panel in built.panels}, outcomes, years
    )


def finish_database(
    config: Config,
    folder: Path,
    manifest: Manifest,
    outcomes: Sequence[SourceOutcome],
    built: Built,
    checks: Sequence[CheckResult],
) -> None:
    """Write schema `meta` into the built file and drop what only the build needed."""
    database = folder / DATABASE
    loads = [load for outcome in outcomes for load in outcome.loads]
    problems, fates = problem_rows(database), customs_fates(database)
    aside = [
        load_folder(config.lake, load.source, load.load_id) / "set_aside.parquet" for load in loads
    ]
    with connect(database) as connection:
        drop_staging(connection)
        write_set_aside(connection, [file for file in aside if file.is_file()])
        write_meta(
            connection,
            {
                "releases": _release_rows(config, manifest),
                "sources": [source_row(outcome) for outcome in outcomes],
                "loads": [
                    {
                        **asdict(load),
                        "set_aside_n": load.set_aside_n,
                        "tables": ", ".join(f"{t} {n}" for t, n in load.tables.items()),
                    }
                    for load in loads
                ],
                "files": [row for load in loads for row in load.file_rows],
                "columns": [row for load in loads for row in load.column_rows],
                "checks": [asdict(check) for check in checks] + _dbt_rows(built),
                "problems": problems,
                "customs_fates": fates.rows,
                "dictionary": [asdict(entry) for entry in read_dictionary().values()],
                "panels": [panel_row(connection, panel) for panel in built.panels],
            },
        )
        connection.execute("checkpoint")


def source_row(outcome: SourceOutcome) -> dict[str, Any]:
    """A source's row of meta.sources; counts are those of the loads in use."""
    source = get_source(outcome.source)
    firsts = [load.first_year for load in outcome.loads if load.first_year is not None]
    lasts = [load.last_year for load in outcome.loads if load.last_year is not None]
    return {
        "source": source.name,
        "title": source.title,
        "publisher": source.publisher,
        "licence": source.licence,
        "citation": source.citation,
        "status": outcome.status,
        "is_simulated": outcome.is_simulated,
        "files_n": len(outcome.loads),
        "read_n": sum(load.read_n for load in outcome.loads),
        "accepted_n": sum(load.accepted_n for load in outcome.loads),
        "set_aside_n": sum(load.set_aside_n for load in outcome.loads),
        "first_year": min(firsts, default=None),
        "last_year": max(lasts, default=None),
        "message": outcome.message,
    }


def panel_row(connection: duckdb.DuckDBPyConnection, panel: PanelModel) -> dict[str, Any]:
    """A panel's row of meta.panels; its description is the first sentence of the model's."""
    names = {row[0] for row in connection.execute(f'describe main."{panel.name}"').fetchall()}
    years = "min(year), max(year)" if "year" in names else "null, null"
    row = connection.execute(f'select count(*), {years} from main."{panel.name}"').fetchone()
    assert row is not None
    return {
        "panel": panel.name,
        "grain": ", ".join(panel.grain),
        "description": first_sentence(panel.description),
        "rows_n": row[0],
        "first_year": row[1],
        "last_year": row[2],
        "sources": ", ".join(panel.sources),
    }


def first_sentence(text: str) -> str:
    """What stands before the first full stop that a blank or the end follows; "" if nothing
    does.
    """
    return text.split(". ")[0].rstrip(".") + "." if text else ""


def _release_rows(config: Config, manifest: Manifest) -> list[dict[str, Any]]:
    former = config.builds / manifest.previous / DATABASE if manifest.previous is not None else None
    rows = former_releases(former) if former is not None and former.is_file() else []
    return [*rows, {**asdict(manifest), "is_this": True}]


def _dbt_rows(built: Built) -> list[dict[str, Any]]:
    """dbt's tests as rows of meta.checks; a test that failed as an error never gets this far."""
    rows = []
    for result in built.results:
        kind, _, name = result["unique_id"].split(".")[:3]
        if kind in ("test", "unit_test"):
            passed = result["status"] in ("pass", "success")
            message = "" if passed else str(result["message"])
            rows.append(
                {
                    "stage": "model",
                    "suite": kind,
                    "table_name": name,
                    "check_name": name,
                    "severity": "critical" if passed else "warning",
                    "success": passed,
                    "is_error": False,
                    "unexpected_n": result["failures"],
                    "observed": message,
                }
            )
    return rows
