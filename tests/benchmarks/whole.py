"""Customs records from csv to the published panel, by whole refreshes, and one month on top.

    python -m tests.benchmarks.whole --records 2000000 10000000 30000000 100000000 --memory 2g

The records are simulated and written as a publisher ships them, a csv a year; the other sources are
those of the simulated paper-scale world. `citytrade refresh` takes everything but the last month,
then the last month too. What is published then must equal the simulated truth to the cent and the
count, or the program ends with 1 and says which city-year differs; time decides nothing.

A csv takes 130 bytes a record, and a home about as much again: the files of a size go before the
next is begun, unless they are to be kept.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.customs_panel import MEGABYTE, PROJECT, Rows, differences, say, true_rows
from tests.benchmarks.pieces import HEADS
from tests.benchmarks.preparation import SEED
from tests.benchmarks.watching import disk_of, guarded, watched
from tests.benchmarks.whole_page import Measured, Refresh, measured_of, page, refresh_of

YEARS = range(2000, 2022)
BASE = 20_000  # records of the refresh that says what all other sources cost
HELD = f"{YEARS[-1]}-12.csv"
# The first words of a line that a refresh prints, and the stage that begins with it.
STAGES = {
    "": "start",
    "Reading": "read",
    "Checking deliveries": "check deliveries",
    "Building models": "build",
    "Checking panels": "check and publish",
}


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


def measure(folder: Path, records_n: int, memory: str) -> Measured:
    """Both refreshes of a size, in a home of its own.

    Only what the second publishes has a truth: a firm that states its postcode in the last month
    alone is without one until then, in all years.

    Raises
    ------
    WrongError : what is published in the end is not the truth.
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
        (size / "held" / HELD).rename(size / "csv" / HELD)
        month = refreshed(config, size / "month.log")
        refuse_wrong(config, truth)
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
    """Refresh in a process of its own; what it prints goes to `log`, with what it had cost by then.

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
                memory = cost.looks[-1].memory if cost.looks else 0
                told.write(f"{at:8.1f} s {cost.cpu:8.1f} CPU s {memory / MEGABYTE:6,.0f} MB {line}")
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


def _reaped() -> float:
    """Processor seconds of all children that ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _child(module: str, *arguments: object) -> None:
    """One of our modules to its end, in a process that gives its memory back."""
    done = subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=PROJECT)
    if done.returncode:
        raise SystemExit(f"{module} {arguments[0]} ended with {done.returncode}.")


def refuse_wrong(config: Path, truth: Rows) -> None:
    """
    Raises
    ------
    WrongError : what is published is not the truth.
    """
    wrong = differences("the published city_year", published(config), truth, "the truth")
    if wrong:
        raise WrongError("\n".join(wrong))


def published(config: Path) -> Rows:
    """(city_code, year) -> exports in cents, products, destinations, as a reader sees them."""
    from warehouse.store import connect

    with connect(config) as connection:
        rows = connection.execute(
            "select city_code, year, (export_value_usd * 100)::bigint, hs6_n, destination_n"
            " from city_year where export_value_usd is not null"
        ).fetchall()
    return {(city, year): tuple(measures) for city, year, *measures in rows}


def machine(memory: str) -> str:
    """On what it was measured."""
    import platform
    from importlib.metadata import version

    return (
        f"Python {platform.python_version()}, duckdb {version('duckdb')}; {os.cpu_count()} cores;"
        f" [warehouse] memory = {memory}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
