"""Many readers in a loop through many refreshes: no error, and each answer from one whole release.

python -m tests.faults.readers --readers 16 --refreshes 10      prints how many answers they got,
                                                                and how long these took
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path

from tests.conftest import citytrade, write_config
from warehouse import connect, panel
from warehouse.releases.publish import current_release
from warehouse.settings.config import Config, load_config

PAUSE_SECONDS = 2.0  # 16 readers without a pause would take both cores from the refresh


@dataclass(frozen=True)
class Answers:
    """What one reader got: answers by release, the longest wait in seconds, and the first error."""

    by_release: Counter[str]
    longest: float
    error: str


def read_in_a_loop(config: Path, stop: Event, sink: Connection) -> None:
    """Ask the published release the same questions until told to stop; each answer must come from
    one release.
    """
    counts: Counter[str] = Counter()
    longest, error = 0.0, ""
    while not stop.is_set() and not error:
        start = time.perf_counter()
        try:
            counts[_ask(config)] += 1
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        longest = max(longest, time.perf_counter() - start)
        time.sleep(PAUSE_SECONDS)
    sink.send(Answers(counts, longest, error))
    sink.close()


def _ask(config: Path) -> str:
    with connect(config) as connection:
        release = connection.execute("select release from meta.releases where is_this").fetchone()
        listed = connection.execute("select panel, rows_n from meta.panels order by 1").fetchall()
        counted = [
            (name, connection.execute(f'select count(*) from main."{name}"').fetchone()[0])
            for name, _ in listed
        ]  # type: ignore[index]
        again = connection.execute("select release from meta.releases where is_this").fetchone()
    assert release == again
    assert counted == listed
    frame = panel("city_year", years=2010, columns=["export_value_usd"], config=config)
    assert len(frame) > 0
    assert release is not None
    return str(release[0])


def read_through(
    config: Config, readers_n: int, refreshes_n: int, say: Callable[[str], None]
) -> list[Answers]:
    """Let readers ask while refreshes follow each other; returns what each reader got.

    Raises
    ------
    AssertionError : a refresh failed.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pipes, processes = [], []
    for _ in range(readers_n):
        here, there = context.Pipe(duplex=False)
        process = context.Process(
            target=read_in_a_loop, args=(config.path, stop, there), daemon=True
        )
        process.start()
        there.close()
        pipes.append(here)
        processes.append(process)
    try:
        for at in range(refreshes_n):
            done = citytrade("refresh", "--full", "--config", str(config.path))
            assert done.returncode == 0, done.stdout + done.stderr
            say(f"refresh {at + 1} of {refreshes_n} published {current_release(config.home)}")
    finally:
        stop.set()
    answers = [pipe.recv() for pipe in pipes]
    for process in processes:
        process.join(timeout=60)
    return answers


def report(answers: list[Answers]) -> str:
    """The figures of all readers, in a few lines."""
    total: Counter[str] = sum((answer.by_release for answer in answers), Counter())
    errors = [answer.error for answer in answers if answer.error]
    longest = max(answer.longest for answer in answers)
    lines = [
        f"{len(answers)} readers got {total.total():,} whole answers from {len(total)} releases;"
        f" the longest took {longest:.2f} s; {len(errors)} errors"
    ]
    return "\n".join(
        [
            *lines,
            *(f"  {release}: {count:,} answers" for release, count in sorted(total.items())),
            *(f"  error: {error}" for error in errors),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--refreshes", type=int, default=10)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="citytrade-readers-"))
    try:
        config = load_config(write_config(folder / "citytrade.toml", folder / "world"))
        first = citytrade("refresh", "--config", str(config.path))
        assert first.returncode == 0, first.stdout + first.stderr
        answers = read_through(
            config, given.readers, given.refreshes, lambda text: print(text, flush=True)
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(answers))
    return int(any(answer.error for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
