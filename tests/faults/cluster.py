"""Lose workers of a Spark cluster, and the driver, at random moments: raw files that are read there
give the loads of the published release; each build ends in its tables, or is gone and the next one
ends in them.

python -m tests.faults.cluster --config FILE             10 workers lost, one driver
python -m tests.faults.cluster --config FILE --losses 3

FILE names a home with a published release of this code, whose raw files are read and whose lake is
built from again; nothing there is written. It needs Java 17 and citytrade[spark].
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from flows.processes import supervised
from flows.refresh import engine, spark_readers
from flows.refresh.inputs import find_inputs
from tests.faults.spark_cluster import Cluster
from tests.flows.same_tables import differing, published_set
from warehouse.releases.publish import DATABASE
from warehouse.releases.seal import remove_tree
from warehouse.settings.config import Config, load_config
from warehouse.settings.spark import SparkSettings

WORKERS = 2
BACK_AFTER_SECONDS = 5.0
BETWEEN_SECONDS = (10.0, 40.0)  # from one loss to the next
READING_SECONDS = (15.0, 25.0)
PART_BYTES = 4 * 1024 * 1024
READER_LOSSES = 3
MOMENT = 0.2
TABLES = (1, 16)  # of some 24 that are finished when the driver is killed


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


@contextmanager
def losing(
    cluster: Cluster,
    losses: int,
    chance: random.Random,
    between: tuple[float, float] = BETWEEN_SECONDS,
) -> Iterator[list[int]]:
    """Lose a random worker again and again while the block runs, at most `losses` times."""
    over, lost = threading.Event(), []

    def run() -> None:
        while len(lost) < losses and not over.wait(chance.uniform(*between)):
            number = chance.randrange(WORKERS)
            cluster.lose(number)
            lost.append(number)
            _say(f"  worker {number} is lost ({len(lost)})")
            over.wait(BACK_AFTER_SECONDS)
            cluster.replace(number)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield lost
    finally:
        over.set()
        thread.join()


def build(config: Config, lake_set: Path, work: Path) -> list[str]:
    """What differs from the published release after a build on Spark; empty where nothing does."""
    remove_tree(work)
    tables = engine.build_on_spark(config, lake_set, work, lambda text: None)
    wrong = differing(config.current / DATABASE, tables)
    _say(f"  {len(tables)} tables, {len(wrong)} differences")
    return wrong


def lose_workers(
    config: Config, lake_set: Path, cluster: Cluster, folder: Path, losses: int, seed: int
) -> list[str]:
    """Builds until as many workers were lost as asked for."""
    chance, lost_n, wrong = random.Random(seed), 0, []
    while lost_n < losses:
        _say(f"A build that loses workers ({lost_n} of {losses} lost so far)")
        with losing(cluster, losses - lost_n, chance) as lost:
            wrong += build(config, lake_set, folder / "workers")
        if not lost:
            return [*wrong, "the build was over before a worker was lost: raise the scale"]
        lost_n += len(lost)
    return wrong


def lose_readers(
    config: Config, cluster: Cluster, folder: Path, losses: int, seed: int
) -> list[str]:
    """Big files read into an empty lake, large ones in parts, while workers are lost."""
    _say("Raw files read while workers are lost")
    spark_readers.PART_BYTES = PART_BYTES
    empty, chance = replace(config, home=folder / "readers"), random.Random(seed)
    with losing(cluster, losses, chance, READING_SECONDS) as lost:
        spark_readers.read_on_spark(empty, find_inputs(config), lambda text: None)
    loads = sorted((empty.lake / "loads").glob("*/[!.]*"))
    wrong = [line for load in loads for line in _differing_load(config.lake, load)]
    left = sorted((empty.lake / "loads").glob("*/.*"))
    _say(f"  {len(loads)} loads, {len(lost)} workers lost, {len(wrong)} differences")
    if not loads or not lost:
        wrong.append("nothing was read, or no worker was lost meanwhile: raise the scale")
    # What a lost machine left half written goes with the lake's next pruning.
    _say(f"  {len(left)} loads were left half written by machines that were lost")
    return wrong


def _differing_load(lake: Path, load: Path) -> list[str]:
    """What differs between a load and the one of its name in another lake: report, rows, order."""
    other = lake / "loads" / load.parent.name / load.name
    names = sorted(path.name for path in load.iterdir())
    if not other.is_dir() or sorted(path.name for path in other.iterdir()) != names:
        return [f"{load.parent.name}/{load.name}: the release has no such load"]
    wrong = []
    for name in names:
        if name == "report.json":
            is_same = (load / name).read_bytes() == (other / name).read_bytes()
        else:
            is_same = pq.read_table(load / name).equals(pq.read_table(other / name))
        wrong += [] if is_same else [f"{load.parent.name}/{load.name}/{name} differs"]
    return wrong


def kill_driver(config: Config, lake_set: Path, folder: Path, seed: int) -> list[str]:
    """A driver killed amid its models; then the next build, beside what it left."""
    wanted = random.Random(seed).randint(*TABLES)
    _say(f"A build whose driver is killed after {wanted} tables")
    command = [sys.executable, "-m", "tests.faults.cluster", "--build", str(folder / "killed")]
    command += ["--config", str(config.path), "--master", config.spark.master]
    driver = subprocess.Popen(command, env=supervised.environment(), start_new_session=True)
    while driver.poll() is None and _finished(folder / "killed") < wanted:
        time.sleep(MOMENT)
    if driver.poll() is not None:
        return ["the build was over before its driver was killed: raise the scale"]
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    _say(f"  killed with {_finished(folder / 'killed')} tables finished; the next build")
    return build(config, lake_set, folder / "next")


def _finished(work: Path) -> int:
    return len(list((work / engine.WAREHOUSE).glob("*.db/*/_SUCCESS")))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--losses", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)  # what is killed
    parser.add_argument("--master", help=argparse.SUPPRESS)
    given = parser.parse_args()
    config = load_config(given.config)
    lake_set = published_set(config)
    settings = SparkSettings(memory="1g", executor_memory="1g")
    if given.build:
        build(replace(config, spark=replace(settings, master=given.master)), lake_set, given.build)
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="citytrade cluster ") as name,
        Cluster(Path(name) / "cluster", WORKERS) as cluster,
    ):
        os.environ[engine.SECRET] = cluster.secret
        config = replace(config, spark=replace(settings, master=cluster.address))
        folder = Path(name)
        _say("An undisturbed build")
        wrong = build(config, lake_set, folder / "undisturbed")
        told = sorted(cluster.listening())
        _say(f"  the cluster listens on {', '.join(told)}")
        wrong += [f"open to others: {one}" for one in told if "127.0.0.1" not in one]
        wrong += lose_readers(config, cluster, folder, min(given.losses, READER_LOSSES), given.seed)
        wrong += lose_workers(config, lake_set, cluster, folder, given.losses, given.seed)
        wrong += kill_driver(config, lake_set, folder, given.seed)
    for line in wrong:
        _say(line)
    _say(f"{given.losses} builders and one driver lost: {len(wrong)} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
