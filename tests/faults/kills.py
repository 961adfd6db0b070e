"""Kill refreshes at random moments: readers always get a whole release, and the refresh after each
kill gives what an undisturbed one gives and leaves nothing behind.

python -m tests.faults.kills --kills 50                   prints when each was killed, where that
                                                          was, and what the next refresh gave
python -m tests.faults.kills --kills 50 --folder FOLDER   goes on from the kills that FOLDER has
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from flows.processes import lock, prefect_server
from flows.refresh.leftovers import leftovers
from tests.conftest import write_config
from tests.faults.refreshing import Refreshing, refreshing
from warehouse import connect
from warehouse.releases.contents import table_contents
from warehouse.releases.publish import (
    DATABASE,
    KEPT,
    MANIFEST,
    current_release,
    read_manifest,
    release_names,
)
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config, load_config

Tables = dict[str, list[object]]
PHASES = ("Reading", "Checking deliveries", "Building models", "Checking panels")
MODELS, PANELS = PHASES[2:]
# Of ten kills: half while dbt builds, and more in the short time of publication than chance gives.
STAGES = (*["models"] * 5, *["publication"] * 2, "pruning", *["anywhere"] * 2)
OFTEN, AT_TIMES = 0.003, 0.05  # seconds between two looks
MOMENT = 0.05


@dataclass(frozen=True)
class Times:
    """Seconds from the start of a refresh to the steps of it that kills aim at."""

    models: float
    panels: float
    writing: float
    switched: float
    pruned: float
    over: float

    def lasts(self, stage: str) -> float:
        """How long a stage takes."""
        return {
            "anywhere": self.over,
            "models": self.panels - self.models,
            "publication": self.switched - self.writing,
            "pruning": self.pruned - self.switched + MOMENT,
        }[stage]


@dataclass(frozen=True)
class Kill:
    """One refresh that was killed: aimed at which stage, after how many seconds, where that was,
    the release that readers got then, and the seconds that the complete refresh after it took.
    """

    number: int
    stage: str
    seconds: float
    place: str
    release: str
    next_seconds: float


def undisturbed(config: Config, settings: Mapping[str, str] = {}) -> Times:
    """A refresh that nobody disturbs, and how long its steps take.

    Raises
    ------
    AssertionError : it did not publish.
    """
    before = current_release(config.home)
    with refreshing(config, "--full", settings=settings) as running:
        moments = [
            _moment(running, lambda: running.has_said(MODELS), AT_TIMES),
            _moment(running, lambda: running.has_said(PANELS), AT_TIMES),
            _moment(running, lambda: _is_writing(config), OFTEN),
            _moment(running, lambda: current_release(config.home) != before, OFTEN),
            _moment(running, lambda: _is_pruned(config), OFTEN),
        ]
        assert running.finish() == 0, running.said
        assert current_release(config.home) != before, running.said
        return Times(*moments, over=time.monotonic() - running.start)


def _moment(running: Refreshing, holds: Callable[[], bool], every: float) -> float:
    running.wait_until(holds, every)
    return time.monotonic() - running.start


def _is_writing(config: Config) -> bool:
    """Whether a built release is given its `meta`, or is being sealed."""
    return any(
        (folder / name).exists()
        for folder in config.builds.glob(".*.tmp")
        for name in (f"{DATABASE}.wal", MANIFEST)
    )


def _is_pruned(config: Config) -> bool:
    return len(release_names(config.home)) <= KEPT and not [*config.builds.glob(".*.tmp")]


def kill_one(config: Config, number: int, stage: str, seconds: float) -> Kill:
    """Start a refresh, kill it so many seconds after a stage began, and look at what is left.

    Raises
    ------
    AssertionError : readers get something else than a whole release, the lock is held, or a process
        of the refresh lives on.
    """
    before = current_release(config.home)
    assert before is not None
    with refreshing(config, "--full") as running:
        if stage in ("models", "publication"):
            running.wait_until(lambda: running.has_said(MODELS), AT_TIMES)
        if stage == "publication":
            running.wait_until(lambda: running.has_said(PANELS), AT_TIMES)
            running.wait_until(lambda: _is_writing(config), OFTEN)
        if stage == "pruning":
            running.wait_until(lambda: current_release(config.home) != before, OFTEN)
        began = time.monotonic()
        running.wait_until(lambda: time.monotonic() > began + seconds, OFTEN)
        ended = running.is_over
        running.kill()
        killed_after = time.monotonic() - running.start
        place = "after its end" if ended else _place(config, running, before)
        assert running.leaves_no_process(), running.supervised
    assert lock.state(config.home) is None
    release = _release_of_readers(config)
    assert release == before or place in ("after its end", "pruning"), f"killed in {place}"
    return Kill(number, stage, round(killed_after, 2), place, release, 0.0)


def _litter(config: Config, number: int) -> None:
    """Leave in the lake what refreshes that failed leave there, for the pruning to remove; now and
    then nothing at all, so that the next refresh reads every file.
    """
    loads = sorted((config.lake / "loads").glob("*/*"))
    if number % 5 == 0:
        shutil.rmtree(config.lake / "loads")
        return
    one = loads[number % len(loads)]
    shutil.copytree(one, one.with_name(f"{number:012x}"))
    (config.lake / "sets" / f"{number:012x}").mkdir(exist_ok=True)


def _place(config: Config, running: Refreshing, before: str) -> str:
    """Where a refresh was when it was killed, by what it had said and what lies on the disk."""
    current = current_release(config.home)
    if current != before:
        return "pruning"
    if max(name.name for name in config.builds.glob("2*")) > before:
        return "publication (in its place)"
    if running.has_said(PANELS) and _is_writing(config):
        sealed = any(config.builds.glob(f".*.tmp/{MANIFEST}"))
        return f"publication ({'sealing' if sealed else 'writing meta'})"
    return next((phase for phase in reversed(PHASES) if running.has_said(phase)), "starting")


def _release_of_readers(config: Config) -> str:
    """The release that a reader gets, opened and read through: all of what its manifest says."""
    with connect(config) as connection:
        row = connection.execute("select release from meta.releases where is_this").fetchone()
    assert row is not None
    release = str(row[0])
    assert release == current_release(config.home)
    tables = read_manifest(config.home, release).tables
    assert table_contents(config.builds / release / DATABASE) == tables
    return release


def published_tables(config: Config) -> Tables:
    """The tables of the release that readers get, counted and hashed anew."""
    return table_contents(config.builds / _release_of_readers(config) / DATABASE)


def look_for_remains(config: Config) -> None:
    """See that a home holds its releases, what they were made from, and nothing else.

    Raises
    ------
    AssertionError : what is there and should not be.
    """
    left = [path for path in leftovers(config) if path.is_relative_to(config.home)]
    assert left == [], left
    names = release_names(config.home)
    assert [name for name in names if broken_seals(config.builds / name)] == []
    assert {path.name for path in config.builds.iterdir()} == {*names}
    manifests = [read_manifest(config.home, name) for name in names]
    needed = {(load["source"], load["load_id"]) for one in manifests for load in one.loads}
    loads = (config.lake / "loads").glob("*/*")
    assert {(load.parent.name, load.name) for load in loads} == needed
    sets = {path.name for path in (config.lake / "sets").iterdir()}
    assert sets == {manifest.set_id for manifest in manifests}
    assert not (config.home / lock.LOCK_NAME).exists()


def kill_many(
    config: Config,
    stages: Mapping[int, str],
    seed: int,
    times: Times,
    settings: Mapping[str, str] = {},
) -> Iterator[Kill]:
    """Kill a refresh at a random moment of each of these stages, by number; each time a complete
    refresh follows and is compared with the release that was published before the first.

    Raises
    ------
    AssertionError : readers got no whole release, the next refresh gives other tables, or something
        is left behind.
    """
    expected = published_tables(config)
    for number, stage in stages.items():
        share = random.Random(f"{seed}/{number}").random()
        _litter(config, number)
        kill = kill_one(config, number, stage, share * times.lasts(stage))
        times = undisturbed(config, settings)
        assert published_tables(config) == expected, f"{kill}: the next refresh differs"
        look_for_remains(config)
        yield Kill(**{**asdict(kill), "next_seconds": round(times.over, 1)})


def report(kills: list[Kill], tables_n: int) -> str:
    """How many were killed where, and what came of it."""
    places = Counter(kill.place for kill in kills)
    return "\n".join(
        [
            *(f"{count:4d} killed in {place}" for place, count in places.most_common()),
            f"{len(kills)} kills: readers got a whole release each time, and each next refresh gave"
            f" the same {tables_n} tables and left nothing behind",
        ]
    )


@contextmanager
def one_server(folder: Path) -> Iterator[dict[str, str]]:
    """A Prefect server for all complete refreshes; those that are killed start their own."""
    (folder / "prefect").mkdir(parents=True, exist_ok=True)
    with prefect_server.server(folder) as server:
        server.wait()
        yield server.environment


def run(folder: Path, kills_n: int, seed: int, say: Callable[[str], None]) -> None:
    """Kill so many refreshes in a folder's home, going on from those that its record has."""
    file, record = folder / "citytrade.toml", folder / "kills.jsonl"
    config = load_config(write_config(file, folder / "world"))
    lines = record.read_text(encoding="utf-8").splitlines() if record.is_file() else []
    kills = [Kill(**json.loads(line)) for line in lines]
    stages = {
        number: STAGES[(number - 1) % len(STAGES)] for number in range(len(kills) + 1, kills_n + 1)
    }
    with one_server(folder / "server") as settings:
        times = undisturbed(config, settings)
        say(f"an undisturbed refresh takes {times.over:.0f} s, {times.lasts('models'):.0f} in dbt")
        tables_n = len(published_tables(config))
        for kill in kill_many(config, stages, seed, times, settings):
            kills.append(kill)
            with record.open("a", encoding="utf-8") as sink:
                sink.write(f"{json.dumps(asdict(kill))}\n")
            say(
                f"{kill.number:3d}: killed after {kill.seconds:6.2f} s in {kill.place}; readers get"
                f" whole release {kill.release}; the next refresh ({kill.next_seconds:.0f} s) gives"
                f" the same {tables_n} tables"
            )
    say(report(kills, tables_n))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep the home here, and go on from what is")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="citytrade-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        run(folder.resolve(), given.kills, given.seed, lambda text: print(text, flush=True))
    finally:
        if given.folder is None:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
