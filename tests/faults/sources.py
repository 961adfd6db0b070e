"""Whatever sources and years there are, a release comes of it: with nulls and a sentence, never
with a stop.

python -m tests.faults.sources                      every case: each source alone, the sets that
                                                    documents name, windows of years
python -m tests.faults.sources --cases policies     those whose name holds the word
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from flows.refresh import dbt
from flows.refresh.finish import checked_panels, finish_database
from flows.refresh.inputs import Inputs, find_inputs
from flows.refresh.manifest import manifest_of
from flows.refresh.outcomes import SourceOutcome, all_sources, refuse_empty, refuse_failures
from flows.refresh.reading import Reader
from flows.refresh.summary import empty_lines
from tests.conftest import write_config
from warehouse.errors import CitytradeError
from warehouse.lake.loads import LoadReport, make_set
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config, load_config
from warehouse.simulate import simulate
from warehouse.sources import SOURCES, lake_tables

ALL_YEARS = (2000, 2021)
CUSTOMS = ("customs", "concordance", "divisions", "postcodes")
Loads = Mapping[str, tuple[LoadReport, ...]]


@dataclass(frozen=True)
class Case:
    """Which sources are configured, and for which years."""

    sources: tuple[str, ...]
    years: tuple[int, int] = ALL_YEARS

    def __str__(self) -> str:
        named = "all sources" if len(self.sources) == len(SOURCES) else "+".join(self.sources)
        return named if self.years == ALL_YEARS else f"{named} {self.years[0]}-{self.years[1]}"


SETS = (
    CUSTOMS,
    ("customs", "concordance"),
    (*CUSTOMS, "yearbook"),
    ("yearbook", "digital_finance"),
    ("yearbook", "prices"),
    ("yearbook", "policies"),
    ("firms", "divisions"),
    ("geography", "risk"),
)
WINDOWS = ((2000, 2003), (2003, 2011), (2016, 2021), (2007, 2007), (1995, 1998))
CASES = (
    *(Case((source,)) for source in SOURCES),
    *(Case(sources) for sources in SETS),
    *(Case(tuple(SOURCES), years) for years in WINDOWS),
    *(Case((*CUSTOMS, "yearbook"), years) for years in WINDOWS[:3]),
)


@dataclass(frozen=True)
class Published:
    """What came of a case: each panel's rows, what the summary says of the empty ones, and the
    seconds it took.
    """

    rows: dict[str, int]
    empty: list[str]
    seconds: float


@contextmanager
def small_world() -> Iterator[tuple[Config, Loads]]:
    """The small simulated world, read into a lake: a configuration, and each source's loads."""
    folder = Path(tempfile.mkdtemp(prefix="citytrade-sources-"))
    try:
        config = load_config(write_config(folder / "citytrade.toml", folder / "world"))
        assert config.simulate is not None
        simulate(
            config.simulate.directory, config.simulate.scale, config.simulate.seed, lambda _: None
        )
        inputs = find_inputs(config)
        with Reader(config.lake, lambda _: None) as reader:
            yield (
                config,
                {
                    name: reader.read(name, files, config.sources[name].options)
                    for name, files in inputs.files.items()
                },
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish_case(config: Config, loads: Loads, case: Case, folder: Path) -> Published:
    """Build a case's models into a folder, check its panels, and write what a release says of
    itself: all that follows reading.

    Raises
    ------
    ReleaseError : a refresh of these sources and years would not publish.
    """
    start = time.monotonic()
    config = replace(config, first_year=case.years[0], last_year=case.years[1])
    outcomes = all_sources(
        {
            name: SourceOutcome(name, "loaded", loads[name], is_simulated=True)
            for name in case.sources
        }
    )
    refuse_empty(config, outcomes)
    set_id = make_set(
        config.lake, [load for outcome in outcomes for load in outcome.loads], lake_tables()
    )
    folder.mkdir(parents=True)
    built = dbt.build(config, config.lake / "sets" / set_id, folder, lambda _: None)
    checks = checked_panels(config, folder / DATABASE, built, outcomes)
    refuse_failures(checks)
    inputs = Inputs({}, {}, frozenset(), "0" * 64, "0" * 64, {})
    manifest = manifest_of(
        config, folder.name, inputs, None, "2026-01-01T00:00:00", set_id, outcomes
    )
    finish_database(config, folder, manifest, outcomes, built, checks)
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        rows = dict(
            connection.execute("select panel, rows_n from meta.panels order by panel").fetchall()
        )
    return Published(rows, empty_lines(checks), time.monotonic() - start)


def run_cases(
    config: Config, loads: Loads, cases: Sequence[Case], say: Callable[[str], None]
) -> list[Case]:
    """Publish each case, one after the other, and say what came of it; those that would not publish
    are returned.
    """
    stopped = []
    for at, case in enumerate(cases, 1):
        folder = config.home / "cases" / str(at)
        try:
            done = publish_case(config, loads, case, folder)
        except CitytradeError as error:
            stopped.append(case)
            say(f"{at:3d}. {case}: STOPPED: {error}")
        else:
            filled = (
                ", ".join(f"{panel} {rows:,}" for panel, rows in done.rows.items() if rows)
                or "no panel has rows"
            )
            say(f"{at:3d}. {case}: published in {done.seconds:.1f} s: {filled}")
            for line in done.empty:
                say(f"       {line}")
        shutil.rmtree(folder, ignore_errors=True)
    return stopped


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", default="", help="only those whose name holds this")
    given = parser.parse_args()
    cases = [case for case in CASES if given.cases in str(case)]
    with small_world() as (config, loads):
        stopped = run_cases(config, loads, cases, lambda text: print(text, flush=True))
    print(f"{len(cases) - len(stopped)} of {len(cases)} cases publish")
    return 1 if stopped or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
