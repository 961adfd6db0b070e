"""The Prefect flow `refresh`: raw files to a published release, in small tasks; reading is tried
again.

Prefect reads its settings when it is imported, so only `flows.refresh.start` imports this module,
after it has set them.
"""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.events.worker import EventsWorker
from prefect.futures import PrefectFuture
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Failed, State
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from expectations import CheckResult, Ledger, check_deliveries
from flows.processes.prefect_server import Server
from flows.refresh import dbt, engine
from flows.refresh.basis import Basis, held_before
from flows.refresh.control import control, tell_stale
from flows.refresh.fates import customs_fates, fate_lines, left_out_lines
from flows.refresh.finish import checked_panels, finish_database, problem_rows
from flows.refresh.inputs import Inputs, find_inputs
from flows.refresh.leftovers import prune_lake_to_releases
from flows.refresh.manifest import manifest_of
from flows.refresh.outcomes import (
    SourceOutcome,
    all_sources,
    hold_back,
    refuse_empty,
    refuse_failures,
    stopped,
    tell_gone,
)
from flows.refresh.reading import Reader
from flows.refresh.spark_readers import read_on_spark
from flows.telling.lines import Say
from flows.telling.log import event
from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, activate
from warehouse.releases.contents import table_contents
from warehouse.releases.publish import DATABASE, Manifest, begin_release, next_release_id, publish
from warehouse.settings.config import Config
from warehouse.settings.controls import Controls
from warehouse.sources import lake_tables

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES_AT_ONCE = 2
DRAIN_SECONDS = 10  # for what Prefect has still to tell its server
RUNNER: TaskRunner[PrefectFuture[Any]] = ThreadPoolTaskRunner(max_workers=SOURCES_AT_ONCE)  # type: ignore[assignment]


@dataclass(frozen=True)
class Refreshed:
    """What a refresh that published has done."""

    manifest: Manifest
    outcomes: tuple[SourceOutcome, ...]
    models_n: int
    tests_n: int
    checks: tuple[CheckResult, ...]
    problems: tuple[dict[str, Any], ...] = ()
    fates: tuple[str, ...] = ()
    told: str = ""

    @property
    def exit_code(self) -> int:
        """3 if a source failed or is held, else 0."""
        return 3 if any(outcome.is_trouble for outcome in self.outcomes) else 0


def _may_pass(task: object, run: object, state: State[Any]) -> bool:
    """Whether what failed may work in a moment: a fault of the disk or the network, not one of the
    file.
    """
    return isinstance(state.result(raise_on_failure=False), OSError)


@task(
    retries=2,
    retry_delay_seconds=[2, 10],
    retry_condition_fn=_may_pass,
    cache_policy=NO_CACHE,
    task_run_name="read {source}",
)
def read_source(
    source: str, files: tuple[Path, ...], options: dict[str, str], reader: Reader
) -> tuple[LoadReport, ...]:
    """Read one source. A fault of its files fails this task and stops no other; a passing fault of
    the disk is tried again.
    """
    try:
        loads = reader.read(source, files, options)
    except Exception as error:
        get_run_logger().error("%s", error)
        event("source failed", logging.ERROR, source=source, problem=str(error))
        raise
    accepted, aside = (
        sum(load.accepted_n for load in loads),
        sum(load.set_aside_n for load in loads),
    )
    get_run_logger().info("%s files, %s rows accepted, %s set aside", len(loads), accepted, aside)
    event("source read", source=source, files=len(loads), accepted=accepted, set_aside=aside)
    return loads


@task(cache_policy=NO_CACHE)
def simulate_world(config: Config, say: Say) -> None:
    """Write the simulated world's raw files, unless they are already there."""
    from warehouse.simulate import simulate, world_is_current

    settings = config.simulate
    if settings is not None and not world_is_current(
        settings.directory, settings.scale, settings.seed
    ):
        say(
            f"Simulating a world ({settings.scale} scale, seed {settings.seed}) in"
            f" {settings.directory}"
        )
        simulate(settings.directory, settings.scale, settings.seed, lambda text: say(f"  {text}"))


@task(cache_policy=NO_CACHE)
def validate_deliveries(
    config: Config, outcomes: list[SourceOutcome], ledger: Ledger
) -> list[CheckResult]:
    loads = [load for outcome in outcomes for load in outcome.loads]
    return check_deliveries(loads, config.lake, ledger)


@task(cache_policy=NO_CACHE)
def activate_loads(config: Config, loads: list[LoadReport]) -> str:
    return activate(config.lake, loads, lake_tables())


@task(cache_policy=NO_CACHE)
def build_models(run: Refresh, set_id: str, folder: Path) -> dbt.Built:
    config, former = run.config, run.former
    basis = Basis(
        former,
        config.builds / former.release if former is not None else None,
        "asked for by --full" if run.full else "",
    )
    lake_set = config.lake / "sets" / set_id
    built = engine.build(config, lake_set, folder, run.engine, run.say, basis)
    event("models built", models=built.models_n, tests=built.tests_n, told=built.told)
    return built


@task(cache_policy=NO_CACHE)
def validate_panels(
    config: Config,
    folder: Path,
    built: dbt.Built,
    outcomes: list[SourceOutcome],
    ledger: Ledger,
) -> list[CheckResult]:
    return checked_panels(config, folder / DATABASE, built, outcomes, ledger)


@task(cache_policy=NO_CACHE)
def publish_release(
    config: Config,
    folder: Path,
    manifest: Manifest,
    outcomes: list[SourceOutcome],
    built: dbt.Built,
    checks: list[CheckResult],
    run: Refresh,
) -> Manifest:
    finish_database(config, folder, manifest, outcomes, built, checks)
    manifest = replace(
        manifest,
        tables=table_contents(folder / DATABASE, _kept_contents(built, run.former)),
        built_from={**built.built_from, "held": run.ledger.now},
    )
    publish(config.home, folder, manifest)
    event(
        "release published",
        release=manifest.release,
        tables=len(manifest.tables),
        simulated=manifest.is_simulated,
    )
    return manifest


def _kept_contents(built: dbt.Built, former: Manifest | None) -> dict[str, list[Any]]:
    """What the former release's manifest says of the tables that are its own."""
    tables = former.tables if former is not None else {}
    return {name: tables[name] for name in built.kept if name in tables}


@flow(name="refresh", task_runner=RUNNER, validate_parameters=False, log_prints=False)
def refresh(run: Refresh) -> State[None]:
    """One release, from raw files to publication; what stops it leaves the published release as it
    is.

    What it did is in `run.done`. A source in trouble fails the run, although the rest is published.
    """
    run.done = _refreshed(run)
    troubles = [
        f"{outcome.source} {outcome.status}: {outcome.message}"
        for outcome in run.done.outcomes
        if outcome.is_trouble
    ]
    for trouble in troubles:
        get_run_logger().error("%s", trouble)
    said = f"Published release {run.done.manifest.release}"
    return (
        Failed(message=f"{said} without: {'; '.join(troubles)}")
        if troubles
        else Completed(message=f"{said}.")
    )


def _refreshed(run: Refresh) -> Refreshed:
    """The steps of a refresh, in their order."""
    config, say = run.config, run.say
    if config.simulate is not None:
        simulate_world(config, say)
    inputs = find_inputs(config)
    outcomes = _read(run, inputs)
    refuse_empty(config, outcomes)
    say("Checking deliveries")
    outcomes, checks = _judged(run, outcomes)
    set_id = activate_loads(config, [load for outcome in outcomes for load in outcome.loads])

    now = datetime.now(UTC)
    release = next_release_id(config.home, now, inputs.fingerprint)
    folder = begin_release(config.home, release)
    say("Building models")
    built = build_models(run, set_id, folder)
    say(f"  {built.told}")
    say("Checking panels")
    checks += validate_panels(config, folder, built, outcomes, run.ledger)
    refuse_failures([check for check in checks if check.stage == "panel"])

    created = now.isoformat(timespec="seconds").removesuffix("+00:00")
    manifest = manifest_of(config, release, inputs, run.former, created, set_id, outcomes)
    manifest = replace(manifest, engine=run.engine)
    problems, fates = problem_rows(folder / DATABASE), _fates(config, folder / DATABASE, outcomes)
    manifest = publish_release(config, folder, manifest, outcomes, built, checks, run)
    unpruned = prune_lake_to_releases(config)
    if unpruned:
        say(unpruned)
    return Refreshed(
        manifest,
        tuple(outcomes),
        built.models_n,
        built.tests_n,
        tuple(checks),
        problems,
        tuple(fates),
        built.told,
    )


def _read(run: Refresh, inputs: Inputs) -> list[SourceOutcome]:
    """What was read of every source; Spark puts big files into the lake before."""
    if run.engine == "spark":
        read_on_spark(run.config, inputs, run.say)
    run.say(f"Reading {inputs.files_n} raw files of {len(inputs.files)} sources")
    return read_sources(run.config, inputs, run.former, run.say)


def _judged(
    run: Refresh, outcomes: list[SourceOutcome]
) -> tuple[list[SourceOutcome], list[CheckResult]]:
    """What may be used of what was read: deliveries that fail are held back, and so are changes of
    size that nobody confirmed; and the checks of deliveries.
    """
    config = run.config
    loaded = [outcome for outcome in outcomes if outcome.status == "loaded"]
    checks = validate_deliveries(config, loaded, run.ledger)
    outcomes = hold_back(outcomes, checks, run.former, config.lake)
    outcomes = control(config, outcomes, run.former, run.confirmed)
    refuse_empty(config, outcomes)
    return tell_stale(config, tell_gone(outcomes, run.former)), checks


def _fates(config: Config, database: Path, outcomes: list[SourceOutcome]) -> list[str]:
    """What became of customs records, and what the panels left out, in lines for a person."""
    filled = {outcome.source for outcome in outcomes if outcome.loads}
    controls = config.sources["customs"].controls if "customs" in config.sources else Controls
    years = (config.first_year, config.last_year)
    lines = fate_lines(customs_fates(database), filled, years, controls.warn_left_share)
    return lines + left_out_lines(database)


class Refresh:
    """What the flow is given; it never leaves this process.

    Prefect stores, shows and limits in size what it can turn into JSON, as it can any dataclass.
    This holds the secret of the alerts and a manifest of any size, so it is a class with slots,
    which Prefect keeps as its name alone.
    """

    __slots__ = (
        "config", "confirmed", "done", "engine", "former", "full", "ledger", "say",
    )  # fmt: skip

    def __init__(
        self,
        config: Config,
        former: Manifest | None,
        say: Say,
        confirmed: frozenset[str] = frozenset(),
        engine: str = "duckdb",
        full: bool = False,
    ) -> None:
        self.config, self.former, self.say, self.confirmed = config, former, say, confirmed
        self.engine = engine
        self.full, self.ledger = full, Ledger({} if full else held_before(config, former))
        self.done: Refreshed | None = None


def read_sources(
    config: Config, inputs: Inputs, former: Manifest | None, say: Say
) -> list[SourceOutcome]:
    """Read all configured sources, some at once; those that cannot be read keep their
    former loads.
    """
    found: dict[str, SourceOutcome] = {}
    with Reader(config.lake, say, inputs.files_n) as reader:
        futures = {
            name: read_source.submit(name, files, config.sources[name].options, reader)
            for name, files in inputs.files.items()
            if name not in inputs.problems
        }
        for name, future in futures.items():
            found[name] = _settled(
                name, future.result(raise_on_failure=False), name in inputs.simulated
            )
    for name, problem in inputs.problems.items():
        found[name] = SourceOutcome(
            name, "failed", message=problem, is_simulated=name in inputs.simulated
        )
    for name, outcome in found.items():
        if outcome.status == "failed":
            say(f"  {name}: FAILED: {outcome.message}")
            found[name] = stopped(
                "failed", name, outcome.message, former, config.lake, outcome.is_simulated
            )
    return all_sources(found)


def _settled(
    source: str, result: tuple[LoadReport, ...] | BaseException, is_simulated: bool
) -> SourceOutcome:
    """The outcome of a task that read a source, or failed to."""
    if isinstance(result, SourceError):
        return SourceOutcome(source, "failed", message=str(result), is_simulated=is_simulated)
    if isinstance(result, OSError):
        where = result.filename or "a file"
        message = (
            f"{where}: {result.strerror or result}, three times. Check the disk or the network,"
            " then refresh again."
        )
        return SourceOutcome(source, "failed", message=message, is_simulated=is_simulated)
    if isinstance(result, BaseException):
        raise result
    return SourceOutcome(source, "loaded", result, is_simulated=is_simulated)


@contextmanager
def at(server: Server) -> Iterator[None]:
    """Prefect talks to this server, whatever was set when it was imported, and has told it all
    before the server may go.
    """
    secret = {PREFECT_API_AUTH_STRING: server.secret} if server.secret else {}
    with temporary_settings(updates={PREFECT_API_URL: server.api, **secret}):
        try:
            yield
        finally:
            for worker in (APILogWorker, EventsWorker):
                worker.drain_all(timeout=DRAIN_SECONDS)


def check_counts(checks: tuple[CheckResult, ...]) -> Counter[str]:
    """passed, warning, critical, error."""
    return Counter(
        "passed" if check.success else "error" if check.is_error else check.severity
        for check in checks
    )


__all__: list[Any] = ["Refresh", "Refreshed", "at", "check_counts", "refresh"]
