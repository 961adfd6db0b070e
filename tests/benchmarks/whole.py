"""Customs records from csv to the published panel, by whole refreshes, and one month on top.

    python -m tests.benchmarks.whole --records 2000000 10000000 30000000 100000000 --memory 2g

The records are simulated and written as a publisher ships them, a csv a year; the other sources are
those of the simulated paper-scale world. `citytrade refresh` takes everything but the last month,
then the last month too. What is published must equal the simulated truth to the cent and the count,
or the program ends with 1 and says which city-year differs; time decides nothing.

A csv takes 130 bytes a record, and a home about as much again: the files of a size go before the
next is begun, unless they are to be kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks.customs_panel import MEGABYTE, PROJECT, Rows, differences, say, true_rows
from tests.benchmarks.pieces import HEADS
from tests.benchmarks.preparation import SEED
from tests.benchmarks.watching import Cost, Look, disk_of, watched

YEARS = range(2000, 2022)
BASE = 20_000  # records of the refresh that says what all other sources cost
SETTLED = YEARS[:-1]  # years of which the first refresh has every month
HELD = f"{YEARS[-1]}-12.csv"
# The first words of a line that a refresh prints, and the stage that begins with it.
STAGES = {
    "": "start",
    "Reading": "read",
    "Checking deliveries": "check deliveries",
    "Building models": "build",
    "Checking panels": "check and publish",
}
# Below this a machine begins to swap, or its other programs fail: the refresh is ended first.
LEAST_MEMORY, LEAST_DISK = 1_000_000_000, 4_000_000_000
PATIENCE = 1.0  # seconds between two looks at what the machine has left


@dataclass(frozen=True)
class Stage:
    """A part of a refresh: seconds by the clock and of all processors, and MB at its highest."""

    seconds: float
    cpu: float
    memory_mb: float


@dataclass(frozen=True)
class Refresh:
    """What one refresh cost. MB are 10^6 bytes; `process` is the largest process and `largest` what
    it ran; `disk` is the home at its highest and `home` at the end.
    """

    seconds: float
    cpu: float
    memory_mb: float
    process_mb: float
    largest: str
    disk_mb: float
    home_mb: float
    stages: dict[str, Stage] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """A size: its records, those of the last month, bytes of csv, the refresh of all months but the
    last, and the refresh of the last on top.
    """

    records_n: int
    month_n: int
    csv_mb: float
    whole: Refresh
    month: Refresh


class WrongError(Exception):
    """What was published is not the truth; its lines say where."""


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        found = [_size(folder, n, given) for n in sorted({BASE, *given.records})]
    except WrongError as wrong:
        print(f"The results are not equal:\n{wrong}", file=sys.stderr)
        return 1
    base, sizes = found[0], [one for one in found if one.records_n in given.records]
    print(f"\n{machine(given.memory)}\n\n{page(sizes, base)}", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.whole",
        description="Customs records from csv to the published panel, by whole refreshes.",
    )
    parser.add_argument(
        "--records", type=int, nargs="+", default=[2_000_000], metavar="N", help="sizes"
    )
    parser.add_argument("--memory", default="2g", help="[warehouse] memory (default: 2g)")
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / "data" / "benchmark" / "whole",
        help="for csv, homes and results (default: data/benchmark/whole)",
    )
    parser.add_argument("--keep", action="store_true", help="keep csv and homes")
    parser.add_argument(
        "--kept", action="store_true", help="print sizes that were measured before as they were"
    )
    return parser


def _size(folder: Path, records_n: int, given: argparse.Namespace) -> Measured:
    """A size as it was measured before, if that is wanted, or now."""
    result = folder / f"{records_n}.json"
    if given.kept and result.is_file():
        return measured_of(json.loads(result.read_text(encoding="utf-8")))
    say(f"{records_n:,} simulated records in {folder / str(records_n)}")
    found = measure(folder, records_n, given.memory)
    result.write_text(json.dumps(asdict(found), indent=1) + "\n", encoding="utf-8")
    if not given.keep:
        shutil.rmtree(folder / str(records_n))
    return found


def measured_of(said: dict[str, Any]) -> Measured:
    """What was written as JSON."""
    refreshes = {
        name: Refresh(
            **{**said[name], "stages": {s: Stage(**c) for s, c in said[name]["stages"].items()}}
        )
        for name in ("whole", "month")
    }
    return Measured(**{**said, **refreshes})


def measure(folder: Path, records_n: int, memory: str) -> Measured:
    """Both refreshes of a size, in a home of its own.

    Raises
    ------
    WrongError : what one of them published is not the truth.
    """
    size = folder / str(records_n)
    prepare_world(folder / "world")
    rows = prepare_csv(size, records_n)
    truth = true_rows(size / "records" / "truth.json")
    shutil.rmtree(size / "home", ignore_errors=True)
    config = write_config(size / "citytrade.toml", folder / "world", memory)
    csv_mb = disk_of(size / "csv") / MEGABYTE
    try:
        whole = refreshed(config, size / "whole.log")
        refuse_wrong(config, {key: row for key, row in truth.items() if key[1] in SETTLED}, SETTLED)
        (size / "held" / HELD).rename(size / "csv" / HELD)
        month = refreshed(config, size / "month.log")
        refuse_wrong(config, truth, YEARS)
    finally:
        if (size / "csv" / HELD).exists():
            (size / "csv" / HELD).rename(size / "held" / HELD)
    say(f"{records_n:,} records: published as the truth has it, {len(truth):,} city-years")
    return Measured(sum(rows.values()), rows[HELD], csv_mb, whole, month)


def prepare_world(world: Path) -> None:
    """The other sources, unless this simulator wrote them before."""
    from warehouse.simulate import simulate, world_is_current

    if not world_is_current(world, "paper", SEED):
        say("simulating the other sources (once)")
        simulate(world, "paper", SEED)


def prepare_csv(size: Path, records_n: int) -> dict[str, int]:
    """The records as csv, unless they were written before; returns the rows of each file.

    A year's Parquet goes when its csv is there: both at once would take a third more of the disk.
    """
    from warehouse.simulate import simulator_version

    marker = size / "MADE.json"
    made_by = {
        "records_n": records_n,
        "seed": SEED,
        "simulator_version": simulator_version(),
        "heads": HEADS,
    }
    made = json.loads(marker.read_text(encoding="utf-8")) if marker.is_file() else {}
    rows: dict[str, int] = made.get("rows", {})
    if {**made, "rows": 0} != {**made_by, "rows": 0}:
        shutil.rmtree(size / "csv", ignore_errors=True)
        rows = {}
        _child("tests.benchmarks.preparation", "simulated", size / "records", records_n)
    for name in ("csv", "held"):
        (size / name).mkdir(exist_ok=True)
    for year in YEARS:
        records = size / "records" / "customs__records" / f"{year}.parquet"
        if year == YEARS[-1]:
            parts = {size / "csv" / f"{year}.csv": "month < 12", size / "held" / HELD: "month = 12"}
        else:
            parts = {size / "csv" / f"{year}.csv": "true"}
        for file, which in parts.items():
            if file.name not in rows:
                say(f"writing {file.name}")
                rows[file.name] = write_csv(records, which, file)
                marker.write_text(json.dumps({**made_by, "rows": rows}), encoding="utf-8")
        records.unlink(missing_ok=True)
    if sum(rows.values()) != records_n:
        raise SystemExit(f"{size}: {sum(rows.values()):,} records were written of {records_n:,}.")
    return rows


def write_csv(records: Path, which: str, file: Path) -> int:
    """Records of a year as a csv; returns how many."""
    import duckdb

    columns = ", ".join(f'{sql} as "{head}"' for head, sql in HEADS.items())
    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
        connection.execute("set enable_progress_bar = false")
        row = connection.execute(
            f"copy (select {columns} from read_parquet('{records}') where {which}) to '{file}'"
            " (format csv, header)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def write_config(file: Path, world: Path, memory: str) -> Path:
    """A configuration beside its home: the csv of customs, and all else from the world."""
    from warehouse.sources import SOURCES

    parts = [
        f'[warehouse]\nhome = "home"\nfirst_year = {YEARS[0]}\nlast_year = {YEARS[-1]}\n'
        f'memory = "{memory}"\n',
        '[sources.customs]\nfiles = ["csv/*.csv"]\n',
        *(
            f'[sources.{name}]\nfiles = ["{world}/{name}/*"]\n'
            for name in SOURCES
            if name != "customs"
        ),
    ]
    file.write_text("\n".join(parts), encoding="utf-8")
    return file


def refreshed(config: Path, log: Path) -> Refresh:
    """Refresh in a process of its own; what it prints goes to `log`, with the second of each line.

    Raises
    ------
    SystemExit : it did not end well, or was ended because the machine had nothing left.
    """
    home = config.parent / "home"
    home.mkdir(exist_ok=True)
    begun: list[tuple[float, str]] = [(0.0, STAGES[""])]
    before = _reaped()
    say(f"citytrade refresh --config {config}")
    with log.open("w", encoding="utf-8") as told, watched(home) as cost:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli", "refresh", "--config", str(config)],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        with guarded(process, home) as ended:
            assert process.stdout is not None
            for line in process.stdout:
                at = time.perf_counter() - start
                told.write(f"{at:8.1f} {line}")
                told.flush()
                stage = stage_of(line)
                if stage:
                    begun.append((at, stage))
                    say(f"  {stage}: begun after {at:,.0f} s, {cost.cpu:,.0f} CPU s")
            code = process.wait()
    if code or ended:
        why = f"ended, {ended[0]}," if ended else f"ended with {code}"
        lines = log.read_text(encoding="utf-8").splitlines()[-20:]
        raise SystemExit("\n".join([f"The refresh {why} in stage {begun[-1][1]}: {log}", *lines]))
    # Processes that lived between two looks are in what the system counted of those that ended.
    cost.cpu = max(cost.cpu, _reaped() - before)
    return refresh_of(cost, begun, disk_of(home))


def stage_of(line: str) -> str:
    """The stage that begins with a line; "" with most."""
    return next((stage for words, stage in STAGES.items() if words and line.startswith(words)), "")


def refresh_of(cost: Cost, begun: Sequence[tuple[float, str]], home: int) -> Refresh:
    """The cost as it is written down, by stages that began at some seconds."""
    last = max(cost.looks, key=lambda look: look.process)
    ends = [at for at, _ in begun[1:]] + [math.inf]
    stages = {stage: _stage(cost, at, end) for (at, stage), end in zip(begun, ends, strict=True)}
    return Refresh(
        cost.seconds,
        cost.cpu,
        cost.memory / MEGABYTE,
        cost.process / MEGABYTE,
        last.command,
        max(cost.disk, home) / MEGABYTE,
        home / MEGABYTE,
        stages,
    )


def _stage(cost: Cost, start: float, end: float) -> Stage:
    until = [look.cpu for look in cost.looks if look.at < end]
    before = [look.cpu for look in cost.looks if look.at < start]
    within: list[Look] = [look for look in cost.looks if start <= look.at < end]
    cpu = (cost.cpu if end == math.inf else max(until, default=0.0)) - max(before, default=0.0)
    memory = max((look.memory for look in within), default=0)
    return Stage(min(end, cost.seconds) - start, cpu, memory / MEGABYTE)


class guarded:  # noqa: N801 (a context manager is named like a function)
    """End a process and all that it started before the machine has no memory or no disk left; what
    is given says why, if so.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._over = process, folder, threading.Event()
        self._why: list[str] = []
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> list[str]:
        self._thread.start()
        return self._why

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _watch(self) -> None:
        while not self._over.wait(PATIENCE):
            memory, disk = _memory_left(), shutil.disk_usage(self._folder).free
            if memory < LEAST_MEMORY or disk < LEAST_DISK:
                what = f"{memory / 1e9:.1f} GB of memory and {disk / 1e9:.1f} GB of disk were left"
                self._why.append(what)
                os.killpg(self._process.pid, signal.SIGKILL)
                return


def _memory_left() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/meminfo does not say what memory is available.")


def _reaped() -> float:
    """Processor seconds of all children that ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _child(module: str, *arguments: object) -> None:
    """One of our modules to its end, in a process that gives its memory back."""
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=PROJECT)
    if done.returncode:
        raise SystemExit(f"{module} {arguments[0]} ended with {done.returncode}.")


def refuse_wrong(config: Path, truth: Rows, years: Sequence[int]) -> None:
    """
    Raises
    ------
    WrongError : what is published of these years is not the truth.
    """
    wrong = differences("the published city_year", published(config, years), truth, "the truth")
    if wrong:
        raise WrongError("\n".join(wrong))


def published(config: Path, years: Sequence[int]) -> Rows:
    """(city_code, year) -> exports in cents, products, destinations, as a reader sees them."""
    from warehouse.store import connect

    with connect(config) as connection:
        rows = connection.execute(
            "select city_code, year, (export_value_usd * 100)::bigint, hs6_n, destination_n"
            " from city_year where export_value_usd is not null and year between ? and ?",
            [years[0], years[-1]],
        ).fetchall()
    return {(city, year): tuple(measures) for city, year, *measures in rows}


def exponent(costs: Mapping[int, float]) -> float:
    """The slope of ln cost on ln records, by least squares: 1 if twice the records cost twice.

    Raises
    ------
    ValueError : fewer than two sizes, or a cost that is not above nothing.
    """
    if len(costs) < 2:
        raise ValueError("an exponent needs two sizes")
    x, y = [math.log(n) for n in costs], [math.log(cost) for cost in costs.values()]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    along = sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))
    return along / sum((a - x_mean) ** 2 for a in x)


def page(sizes: Sequence[Measured], base: Measured) -> str:
    """Tables in markdown: what the refreshes cost, by stage, and how it grows."""
    lines = [
        "| records | refresh of | s | CPU s | memory MB | of one process | disk MB | home MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in sizes:
        for name, what in (
            (f"all but {one.month_n:,}", one.whole),
            (f"these {one.month_n:,} on top", one.month),
        ):
            numbers = (what.seconds, what.cpu, what.memory_mb, what.process_mb, what.disk_mb)
            lines.append(
                f"| {one.records_n:,} | {name} |"
                f" {' | '.join(f'{number:,.0f}' for number in (*numbers, what.home_mb))} |"
            )
    names = list(sizes[0].whole.stages)
    lines += ["", f"| records | CPU s: {' | '.join(names)} | csv MB | month : whole, CPU | s |"]
    lines += ["|---" * (len(names) + 4) + "|"]
    for one in sizes:
        stages = [f"{one.whole.stages[name].cpu:,.0f}" for name in names]
        ratios = (one.month.cpu / one.whole.cpu, one.month.seconds / one.whole.seconds)
        lines.append(
            f"| {one.records_n:,} | {' | '.join(stages)} | {one.csv_mb:,.0f} |"
            f" {' | '.join(f'1/{1 / ratio:.1f}' for ratio in ratios)} |"
        )
    return "\n".join([*lines, "", *growth(sizes, base)])


def growth(sizes: Sequence[Measured], base: Measured) -> list[str]:
    """Lines on how processor seconds grow, of the whole and of what the records cost: what is over
    a refresh of the fewest.
    """
    costs = {one.records_n: one.whole.cpu for one in sizes}
    of_records = {n: cpu - base.whole.cpu for n, cpu in costs.items() if n > base.records_n}
    lines = [f"{base.records_n:,} records and all other sources: {base.whole.cpu:,.0f} CPU s."]
    if of_records and min(of_records.values()) > 0:
        each = ", ".join(f"{cpu / n * 1e6:.1f}" for n, cpu in of_records.items())
        lines.append(f"CPU s over that a million records, by size: {each}.")
        if len(of_records) > 1:
            lines.append(
                f"Exponent of CPU s: {exponent(costs):.2f} of the whole,"
                f" {exponent(of_records):.2f} of what is over that."
            )
    return lines


def machine(memory: str) -> str:
    """On what it was measured."""
    import platform
    from importlib.metadata import version

    return (
        f"Python {platform.python_version()}, duckdb {version('duckdb')}; {os.cpu_count()} cores;"
        f" load {os.getloadavg()[0]:.1f}; [warehouse] memory = {memory}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
