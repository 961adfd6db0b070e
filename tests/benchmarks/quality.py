"""Export quality of millions of customs records: the cells, the regression and its residuals, with
seconds and memory.

    .venv/bin/python -m tests.benchmarks.quality [--records 10000000] [--folder data/benchmark]

Three steps, each in a process of its own, so that its highest memory is its own: `dbt run` from the
simulated records to int_virtual_agglomeration_quality__cells; quality of the cells, as
int_virtual_agglomeration_quality__firm_product computes it; and, if pyfixest is installed, the same
regression by pyfixest, whose residuals must equal ours, or the program ends with 1. The ratio
printed is pyfixest's regression to ours.

This module imports the standard library only: the system counts what a parent held at the moment of
a start as a child's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.customs_panel import PROJECT, say

MEGABYTE = 1_000_000
CELLS = "int_virtual_agglomeration_quality__cells"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.quality",
        description="Export quality at the size of real customs data.",
    )
    parser.add_argument(
        "--records",
        type=int,
        default=10_000_000,
        metavar="N",
        help="customs records (default: 10000000)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / "data" / "benchmark",
        help="where records are kept between runs (default: data/benchmark)",
    )
    given = parser.parse_args(arguments)
    folder = given.folder.resolve() / str(given.records)
    say(f"{given.records:,} simulated records in {folder}")
    run(["-m", "tests.benchmarks.preparation", "records", str(folder), str(given.records)])
    work = folder / "quality"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    steps = {"dbt run, records to cells": run(dbt_run(work), dbt_environment(folder, work))}
    steps["quality of the cells"] = run(
        ["-m", "tests.benchmarks.quality_steps", "citytrade", str(work)]
    )
    if find_spec("pyfixest"):
        steps["the regression by pyfixest"] = run(
            ["-m", "tests.benchmarks.quality_steps", "pyfixest", str(work)], {"PYTHONHASHSEED": "0"}
        )
    print(f"\n| {given.records:,} records | wall s of the process | peak MB |\n|---|---|---|")
    for label, (seconds, peak) in steps.items():
        print(f"| {label} | {seconds:.1f} | {peak:.0f} |")
    return compare(work)


def dbt_run(work: Path) -> list[str]:
    project = str(PROJECT / "dbt_project")
    options = [
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(work / "target"),
        "--log-path",
        str(work / "target"),
    ]
    call = [
        "build",
        "--select",
        f"+{CELLS}",
        "--exclude-resource-type",
        "test",
        "unit_test",
        "--no-version-check",
        *options,
    ]
    return ["-c", "from dbt.cli.main import cli; cli()", "--quiet", *call]


def dbt_environment(folder: Path, work: Path) -> dict[str, str]:
    return {
        "CITYTRADE_LAKE": str(folder / "lake" / "active"),
        "CITYTRADE_DB": str(work / "warehouse.duckdb"),
        "DO_NOT_TRACK": "1",
    }


def run(arguments: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds and highest megabytes of a Python process, start and imports included."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env={**os.environ, "OMP_NUM_THREADS": "2", **(environment or {})},
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(arguments[:3])} failed; its messages stand above.")
    return (
        time.perf_counter() - started,
        usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE,
    )


def compare(work: Path) -> int:
    """Print what each regression found; 1 if they differ."""
    found = {
        file.stem: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(work.glob("*.json"))
    }
    ours, theirs = found["citytrade"], found.get("pyfixest")
    print(
        f"\n{ours['cells']:,} cells, {ours['with_quality']:,} with a quality; coefficient of home"
        f" market {ours['coefficient']:.10f}"
    )
    print(
        f"regression alone: citytrade {ours['seconds']:.1f} s"
        + (f", pyfixest {theirs['seconds']:.1f} s" if theirs else "; pyfixest is not installed")
    )
    if theirs is None:
        return 0
    print(f"pyfixest / citytrade: {theirs['seconds'] / ours['seconds']:.1f}")
    if (
        abs(ours["coefficient"] - theirs["coefficient"]) > 1e-6
        or abs(ours["squares"] / theirs["squares"] - 1) > 1e-6
    ):
        print(f"the two differ: {ours} {theirs}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
