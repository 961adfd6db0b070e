"""Kill refreshes at random moments: readers always get a whole release, and the next refresh gives
what an undisturbed one gives.

python -m tests.faults.kills --kills 30      prints when each was killed, and what was found after
                                             it
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flows.refresh.leftovers import leftovers
from tests.conftest import PROJECT, citytrade, environment, write_config
from warehouse import connect
from warehouse.releases.contents import table_contents
from warehouse.releases.publish import DATABASE, current_release, read_manifest, release_names
from warehouse.releases.seal import broken_seals
from warehouse.settings.config import Config, load_config

PHASES = ("Reading", "Checking deliveries", "Building models", "Checking panels")


@dataclass(frozen=True)
class Kill:
    """One refresh that was killed: after how many seconds, in which phase, and the release that
    readers got then.
    """

    seconds: float
    phase: str
    release: str


def kill_one(config: Config, seconds: float, release: str) -> Kill:
    """Start a refresh that reads everything again, kill it after so many seconds, and look at what
    readers get.

    Raises
    ------
    AssertionError : readers get something else than the whole former release, or a process of the
        refresh lives on.
    """
    shutil.rmtree(config.lake / "loads", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "refresh",
        "--force",
        "--config",
        str(config.path),
    ]
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    ended = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    said = process.communicate()[0]
    phase = (
        "published"
        if ended
        else next(
            (
                phase
                for phase in reversed(PHASES)
                if any(line.startswith(phase) for line in said.splitlines())
            ),
            "starting",
        )
    )
    found = look(config)
    new = current_release(config.home)
    assert new is not None
    # A refresh that was killed after the switch has published: what it published must then be
    # whole.
    assert found == release_contents(config, new)
    assert ended or new == release or phase == PHASES[-1], (
        f"killed in {phase}, yet readers get {new}"
    )
    return Kill(seconds, phase, new)


def look(config: Config) -> dict[str, list[object]]:
    """What a reader gets: the tables of the current release, opened and read through."""
    with connect(config) as connection:
        row = connection.execute("select release from meta.releases where is_this").fetchone()
        assert row is not None
        assert row[0] == current_release(config.home)
    return table_contents(config.builds / row[0] / DATABASE)


def release_contents(config: Config, release: str) -> dict[str, list[object]]:
    """What a release's manifest says of its tables."""
    return read_manifest(config.home, release).tables


def kill_many(config: Config, kills_n: int, seed: int, say: Callable[[str], None]) -> list[Kill]:
    """Kill so many refreshes at random moments between their start and their end, then let one pass
    and compare it.
    """
    for _ in range(2):  # the first one also writes the simulated world
        shutil.rmtree(config.lake / "loads", ignore_errors=True)
        start = time.monotonic()
        done = citytrade("refresh", "--force", "--config", str(config.path))
        assert done.returncode == 0, done.stdout + done.stderr
        whole = time.monotonic() - start
    release = current_release(config.home)
    assert release is not None
    undisturbed = look(config)
    say(f"an undisturbed refresh takes {whole:.1f} s and gives {len(undisturbed)} tables")
    rng = random.Random(seed)
    kills = []
    for at in range(kills_n):
        kill = kill_one(config, rng.uniform(0.0, whole), release)
        release = kill.release
        kills.append(kill)
        say(
            f"{at + 1:3d}: killed after {kill.seconds:5.1f} s ({kill.phase}); readers get whole"
            f" release {kill.release}"
        )
    done = citytrade("refresh", "--force", "--config", str(config.path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert look(config) == undisturbed, "the refresh after the kills gives other tables"
    left = [path for path in leftovers(config) if path.is_relative_to(config.home)]
    assert left == [], left
    assert [name for name in release_names(config.home) if broken_seals(config.builds / name)] == []
    say(
        f"the next refresh gives the same {len(undisturbed)} tables, and nothing is left of the"
        f" {kills_n} killed ones"
    )
    return kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="citytrade-kills-"))
    try:
        config = load_config(write_config(folder / "citytrade.toml", folder / "world"))
        kill_many(config, given.kills, given.seed, lambda text: print(text, flush=True))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
