"""The steps of a refresh between reading and publishing, as plain functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import duckdb

from expectations.checks import CheckResult
from flows.refresh.dbt import Built, PanelModel
from flows.refresh.inputs import Inputs, code_version
from flows.refresh.reading import SourceOutcome
from warehouse.dictionary.entries import read_dictionary
from warehouse.errors import ReleaseError
from warehouse.lake.loads import LoadReport, load_folder, prune_lake
from warehouse.releases.meta import META, drop_staging, former_releases, write_meta, write_set_aside
from warehouse.releases.publish import DATABASE, Manifest, read_manifest, release_names
from warehouse.settings.config import Config
from warehouse.sources import SOURCES, get_source

GONE_SHOWN = 5
PROBLEMS = "int_report__problem"


def former_loads(manifest: Manifest | None, source: str, lake: Path) -> tuple[LoadReport, ...]:
    """The loads of a source that the published release was made from, as far as the lake still holds them."""
    if manifest is None:
        return ()
    reports = (LoadReport(**fields) for fields in manifest.loads if fields["source"] == source)
    return tuple(report for report in reports if load_folder(lake, source, report.load_id).is_dir())


def stopped(status: str, source: str, message: str, manifest: Manifest | None, lake: Path, is_simulated: bool) -> SourceOutcome:
    """The outcome of a source that cannot be used as it is: its former loads stay in use, or it is left empty."""
    loads = former_loads(manifest, source, lake)
    stays = f"its former {len(loads)} files stay in use" if loads else "its columns are null"
    return SourceOutcome(source, status, loads, f"{message} ({stays})", is_simulated)


def tell_gone(outcomes: Sequence[SourceOutcome], manifest: Manifest | None) -> list[SourceOutcome]:
    """Say of every loaded source which files of the former release are gone; a file renamed or replaced is not gone."""
    told = []
    for outcome in outcomes:
        names = _gone(outcome, manifest) if manifest is not None and outcome.status == "loaded" else []
        if names:
            count = "1 file of the former release is gone" if len(names) == 1 else f"{len(names)} files of the former release are gone"
            more = f" and {len(names) - GONE_SHOWN} more" if len(names) > GONE_SHOWN else ""
            outcome = replace(outcome, message=f"{count}: {', '.join(names[:GONE_SHOWN])}{more}")
        told.append(outcome)
    return told


def _gone(outcome: SourceOutcome, manifest: Manifest) -> list[str]:
    """Names of the former files whose bytes are in no file now, and whose name no file of other bytes has taken."""
    former = [LoadReport(**fields) for fields in manifest.loads if fields["source"] == outcome.source]
    before, now = {load.fingerprint for load in former}, {load.fingerprint for load in outcome.loads}
    left = Counter(load.file_name for load in former if load.fingerprint not in now)
    left.subtract(Counter(load.file_name for load in outcome.loads if load.fingerprint not in before))
    return sorted((+left).elements())


def hold_back(outcomes: Sequence[SourceOutcome], checks: Sequence[CheckResult], manifest: Manifest | None, lake: Path) -> list[SourceOutcome]:
    """Hold every source whose delivery fails a critical check; its loads are not used."""
    kept = []
    for outcome in outcomes:
        failures = [check for check in checks if check.stops and check.table_name.split("__")[0] == outcome.source]
        if failures and outcome.status == "loaded":
            kept.append(stopped("held", outcome.source, str(failures[0]), manifest, lake, outcome.is_simulated))
        else:
            kept.append(outcome)
    return kept


def refuse_empty(config: Config, outcomes: Sequence[SourceOutcome]) -> None:
    """
    Raises
    ------
    ReleaseError : no source is configured, or none could be read.
    """
    if not config.sources:
        raise ReleaseError(f"{config.path} names no source, so there is nothing to refresh. Add e.g. [sources.customs] with files = [...].")
    if not any(outcome.status == "loaded" for outcome in outcomes):
        troubles = "\n".join(f"  {outcome.source}: {outcome.message}" for outcome in outcomes if outcome.is_trouble)
        raise ReleaseError(f"No source could be read, so nothing is published and any former release stays.\n{troubles}")


def refuse_failures(checks: Sequence[CheckResult]) -> None:
    """
    Raises
    ------
    ReleaseError : a critical check of a panel failed, or could not be run (each is named with its failing rows), or every panel is empty.
    """
    counted = [check for check in checks if not check.column_name]
    if not any(check.success for check in counted):
        raise ReleaseError("Every panel is empty, so nothing is published and any former release stays. Check which sources and years are configured.")
    failures = [check for check in checks if check.stops]
    if failures:
        listed = "\n".join(f"  {failure}" for failure in failures)
        raise ReleaseError(f"{len(failures)} critical checks of panels failed, so nothing is published and the former release stays.\n{listed}")


def problem_rows(database: Path) -> tuple[dict[str, Any], ...]:
    """Indicators that an index could not use, as the built file's models found them: index_name, indicator, problem, rows_n."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(f"select {', '.join(META['problems'])} from intermediate.{PROBLEMS} order by all")
        names = [column[0] for column in cursor.description or []]
        return tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def finish_database(config: Config, folder: Path, manifest: Manifest, outcomes: Sequence[SourceOutcome], built: Built, checks: Sequence[CheckResult]) -> None:
    """Write schema `meta` into the built file and drop what only the build needed."""
    database = folder / DATABASE
    loads = [load for outcome in outcomes for load in outcome.loads]
    problems = problem_rows(database)
    aside = [load_folder(config.lake, load.source, load.load_id) / "set_aside.parquet" for load in loads]
    with duckdb.connect(str(database)) as connection:
        drop_staging(connection)
        write_set_aside(connection, [file for file in aside if file.is_file()])
        write_meta(
            connection,
            {
                "releases": _release_rows(config, manifest),
                "sources": [source_row(outcome) for outcome in outcomes],
                "loads": [{**asdict(load), "set_aside_n": load.set_aside_n, "tables": ", ".join(f"{t} {n}" for t, n in load.tables.items())} for load in loads],
                "files": [row for load in loads for row in load.file_rows],
                "columns": [row for load in loads for row in load.column_rows],
                "checks": [asdict(check) for check in checks] + _dbt_rows(built),
                "problems": problems,
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
    first_sentence = panel.description.split(". ")[0].rstrip(".") + "." if panel.description else ""
    return {
        "panel": panel.name,
        "grain": ", ".join(panel.grain),
        "description": first_sentence,
        "rows_n": row[0],
        "first_year": row[1],
        "last_year": row[2],
    }


def all_sources(outcomes: Mapping[str, SourceOutcome]) -> list[SourceOutcome]:
    """Every known source's outcome, in the order of the list of sources; the rest is not configured."""
    return [outcomes.get(name) or SourceOutcome(name, "not_configured") for name in SOURCES]


def manifest_of(
    config: Config, release: str, inputs: Inputs, previous: Manifest | None, created_at: str, set_id: str, outcomes: Sequence[SourceOutcome]
) -> Manifest:
    return Manifest(
        release=release,
        previous=previous.release if previous is not None else None,
        created_at=created_at,
        config=config.path.name,
        is_simulated=any(outcome.is_simulated for outcome in outcomes),
        input_fingerprint=inputs.fingerprint,
        code_fingerprint=inputs.code,
        set_id=set_id,
        packages=dict(inputs.packages),
        sources=[
            {"source": outcome.source, "status": outcome.status, "message": outcome.message, "is_simulated": outcome.is_simulated} for outcome in outcomes
        ],
        loads=[asdict(load) for outcome in outcomes for load in outcome.loads],
        code_version=code_version(),
        years=[config.first_year, config.last_year],
    )


def prune_lake_to_releases(config: Config) -> str:
    """Remove from the lake what no release on disk was made from; returns why nothing was removed, if a manifest does not say what its release needs."""
    try:
        manifests = [read_manifest(config.home, name) for name in release_names(config.home)]
    except ReleaseError as error:
        return f"warning: nothing was removed from the lake: {error}"
    loads = {(load["source"], load["load_id"]) for manifest in manifests for load in manifest.loads}
    prune_lake(config.lake, loads, {manifest.set_id for manifest in manifests})
    return ""


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
