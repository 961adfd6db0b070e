"""Read raw files on Spark, each in a task; a large csv in parts, each part in a task.

Runs in a process of its own, which prints a line of JSON for each file and for how far it is:

    {"source", "file", "read_n", "set_aside_n", "seconds", "problem"}     problem: "" where read
    {"done", "total"}
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from flows.processes.spark_session import PROPERTIES, SECRET, begin
from flows.refresh.reading import read_one
from warehouse.errors import CitytradeError

JOB = "reading.json"
OUTCOMES = "id long, outcome binary"
LOOK_EVERY_SECONDS = 1.0

Job = TypeVar("Job")
Done = TypeVar("Done")


class OnSpark:
    """Does each of some jobs in a task of its own (`warehouse.sources.reading.parts.Spread`)."""

    def __init__(self, session: Any, part_bytes: int) -> None:
        self._session, self.part_bytes = session, part_bytes

    def __call__(self, work: Callable[[Job], Done], jobs: Sequence[Job]) -> list[Done]:
        tasks = self._session.range(0, len(jobs), 1, len(jobs))
        with _told(self._session, len(jobs)):
            rows = tasks.mapInPandas(partial(_worked, work, list(jobs)), OUTCOMES).collect()
        done = {row["id"]: pickle.loads(bytes(row["outcome"])) for row in rows}
        for outcome in done.values():
            if isinstance(outcome, CitytradeError):
                raise outcome
        return [done[at] for at in range(len(jobs))]


def _worked(
    work: Callable[[Job], Done], jobs: Sequence[Job], frames: Iterable[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """On a machine of the cluster: what the work gave, or what it refused."""
    for frame in frames:
        for at in frame["id"]:
            try:
                outcome: object = work(jobs[at])
            except CitytradeError as error:
                outcome = error
            yield pd.DataFrame({"id": [at], "outcome": [pickle.dumps(outcome)]})


@contextmanager
def _told(session: Any, total: int) -> Iterator[None]:
    """Print how many of the running tasks are done, for as long as it takes."""
    over, tracker = threading.Event(), session.sparkContext.statusTracker()

    def tell() -> None:
        while not over.wait(LOOK_EVERY_SECONDS):
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            done = sum(stage.numCompletedTasks for stage in stages if stage is not None)
            _print({"done": done, "total": total})

    thread = threading.Thread(target=tell, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def read(lake: Path, spread: OnSpark | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Read one file into the lake, as a whole or in parts; returns what is printed of it."""
    start, told = time.perf_counter(), {"source": given["source"], "file": given["file"]}
    try:
        report, _, _ = read_one(
            given["source"], Path(given["file"]), lake, given["options"], spread
        )
    except (CitytradeError, OSError) as error:
        return {**told, "problem": str(error)}
    counts = {"read_n": report.read_n, "set_aside_n": report.set_aside_n}
    return {**told, **counts, "seconds": time.perf_counter() - start, "problem": ""}


def _print(told: Mapping[str, Any]) -> None:
    print(json.dumps(told, ensure_ascii=False), flush=True)


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    lake, part_bytes = Path(job["lake"]), job["part_bytes"]
    session = begin(json.loads(os.environ[PROPERTIES]), os.environ.pop(SECRET, ""))
    on_spark = OnSpark(session, part_bytes)
    try:
        large = [one for one in job["files"] if os.path.getsize(one["file"]) >= 2 * part_bytes]
        whole = [one for one in job["files"] if one not in large]
        if whole:
            for told in on_spark(partial(read, lake, None), whole):
                _print(told)
        for given in large:
            _print(read(lake, on_spark, given))
    finally:
        session.stop()
