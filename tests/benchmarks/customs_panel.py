"""Customs records to the city-year panel, four ways and the limit, side by side in one run.

    .venv/bin/python -m tests.benchmarks.customs_panel [--records 2000000 10000000] [--runs 3]

Every contender starts from the same simulated Parquet in the lake and the same small reference
tables, in a process of its own, one after the other and again (A B C A B C). Their rows must equal
each other and the simulated truth to the cent, or the program ends with 1 and says which city-year
differs; time decides nothing. Seconds count from after the imports to the rows in hand, so neither
Python's start nor dbt's is in them; the memory is the process's highest.

This module imports the standard library only: the system counts what a parent held at the moment of
a start as a child's memory, so the parent stays small.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PANEL = "int_trade__city_year"
CONTENDERS = {
    "limit": "the limit: a scan of the needed columns",
    "citytrade": "citytrade, as dbt runs it: the fact table kept",
    "citytrade_view": "citytrade, the fact table as a view",
    "polars": "polars, lazy",
    "pandas": "pandas, year by year",
}
MEASURES = (
    "value_cents",
    "hs6_n",
    "destination_n",
    "exporters_n",
    "filled_postcode_cents",
)  # after city_code and year
THREADS = {
    "POLARS_MAX_THREADS": "2",
    "OMP_NUM_THREADS": "2",
}  # DuckDB and pyarrow are told in contenders.py
SHOWN = 5
MEGABYTE = 1_000_000

Key = tuple[str, int]  # city_code, year
Rows = dict[Key, tuple[int, ...]]


@dataclass(frozen=True)
class Run:
    """One contender's run. Seconds of the work alone; megabytes (10^6 bytes) of the whole process
    at its highest.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    measured, pages = {}, []
    for records_n in given.records:
        folder = given.folder.resolve() / str(records_n)
        say(f"{records_n:,} simulated records in {folder}")
        whole_seconds = prepare(folder, records_n)
        runs, wrong = compete(folder, given.runs)
        if wrong:
            print("\n".join(["The results are not equal:", *wrong]), file=sys.stderr)
            return 1
        pages.append(table(records_n, runs, whole_seconds))
        measured[records_n] = {
            "dbt_build_seconds": whole_seconds,
            "runs": {name: [asdict(run) for run in done] for name, done in runs.items()},
        }
    report = {"machine": _machine(), "runs_n": given.runs, "records": measured}
    (given.folder / "results.json").write_text(
        json.dumps(report, indent=1) + "\n", encoding="utf-8"
    )
    print(
        f"\n{_machine()}; medians of {given.runs} interleaved runs;"
        f" {given.folder / 'results.json'}\n\n" + "\n".join(pages)
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.customs_panel",
        description="The customs path beside pandas and polars.",
    )
    parser.add_argument(
        "--records",
        type=int,
        nargs="+",
        default=[2_000_000, 10_000_000],
        metavar="N",
        help="sizes (default: 2000000 10000000)",
    )
    parser.add_argument(
        "--runs", type=int, default=3, metavar="N", help="runs of every contender (default: 3)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=PROJECT / "data" / "benchmark",
        help="where records are kept between runs (default: data/benchmark)",
    )
    return parser


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def prepare(folder: Path, records_n: int) -> float:
    """Records, lake and reference tables, ready to be measured; returns the seconds of one whole
    `dbt build` up to the panel.
    """
    _child("tests.benchmarks.preparation", "records", folder, records_n)
    shutil.rmtree(folder / "dbt", ignore_errors=True)
    (folder / "dbt").mkdir()
    say(f"dbt build --select +{PANEL}")
    started = time.perf_counter()
    _dbt_build(folder)
    seconds = time.perf_counter() - started
    _child("tests.benchmarks.preparation", "reference", folder)
    return seconds


def _dbt_build(folder: Path) -> None:
    project, target = str(PROJECT / "dbt_project"), str(folder / "dbt" / "target")
    process = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "build",
        "--select", f"+{PANEL}", "--indirect-selection", "cautious",
         "--no-version-check",
         "--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path",
         target],
        cwd=project,
        env={**os.environ, "CITYTRADE_LAKE": str(folder / "lake" / "active"),
        "CITYTRADE_DB": str(folder / "dbt" / "warehouse.duckdb"), "DO_NOT_TRACK": "1"},
    )  # fmt: skip
    if process.returncode != 0:
        raise SystemExit(
            f"dbt build failed (exit code {process.returncode}); its messages stand above, its log"
            f" in {target}."
        )


def compete(folder: Path, runs_n: int) -> tuple[dict[str, list[Run]], list[str]]:
    """Every contender's runs, and what is wrong with their rows (nothing, if all is well)."""
    truth = true_rows(folder / "truth.json")
    runs: dict[str, list[Run]] = {name: [] for name in CONTENDERS}
    _contend("limit", folder)  # fills the system's file cache for everybody
    wrong: list[str] = []
    for number in range(1, runs_n + 1):
        expected: Rows = {}
        for name in CONTENDERS:
            run, rows = _contend(name, folder)
            runs[name].append(run)
            say(f"run {number} of {runs_n}: {name} {run.seconds:.2f} s, {run.peak_mb:.0f} MB")
            if name != "limit":
                expected = expected or rows
                wrong += differences(name, rows, truth, "the truth") or differences(
                    name, rows, expected, "citytrade"
                )
    return runs, wrong


def _contend(name: str, folder: Path) -> tuple[Run, Rows]:
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copy(folder / "reference" / "warehouse.duckdb", work)
    peak = _child("tests.benchmarks.contenders", name, folder, work)
    told = json.loads((work / "result.json").read_text(encoding="utf-8"))
    rows = {(city, year): tuple(measures) for city, year, *measures in told["rows"]}
    return Run(told["seconds"], told["cpu_seconds"], peak / MEGABYTE), rows


def _child(module: str, *arguments: object) -> int:
    """Run one of our modules to its end; returns the bytes of memory that it held at its
    highest.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, **THREADS},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(
            f"{module} {arguments[0]} failed (exit code {process.returncode}; -9: the system ran"
            " out of memory)."
        )
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def true_rows(file: Path) -> Rows:
    """(city_code, year) -> value in cents, products, destinations: the measures that the simulator
    knows.
    """
    truth = json.loads(file.read_text(encoding="utf-8"))["city_year"]
    return {
        (row["city_code"], row["year"]): (
            row["export_value_cents"],
            row["hs6_n"],
            row["destination_n"],
        )
        for row in truth
    }


def differences(
    name: str,
    rows: Mapping[Key, tuple[int, ...]],
    expected: Mapping[Key, tuple[int, ...]],
    against: str,
) -> list[str]:
    """The first city-years in which a contender's rows are not those expected; as many measures
    count as `expected` has.
    """
    lines = []
    for key in sorted(rows.keys() | expected.keys()):
        got, right = rows.get(key), expected.get(key)
        if got is None or right is None:
            lines.append(
                f"  {name}: city {key[0]}, year {key[1]} is"
                f" {'missing' if got is None else 'too much'} (against {against})"
            )
        elif got[: len(right)] != right:
            parts = [
                f"{measure} {a} instead of {b}"
                for measure, a, b in zip(MEASURES, got, right, strict=False)
                if a != b
            ]
            lines.append(
                f"  {name}: city {key[0]}, year {key[1]}: {', '.join(parts)} (against {against})"
            )
    return lines[:SHOWN] + (
        [f"  {name}: and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    )


def table(records_n: int, runs: dict[str, list[Run]], whole_seconds: float) -> str:
    """A markdown table of medians, with the ratio of seconds to citytrade's and to the limit's."""

    def median(name: str, of: Callable[[Run], float]) -> float:
        return statistics.median(of(run) for run in runs[name])

    def row(label: str, seconds: float, others: Iterable[str]) -> str:
        ratios = (
            seconds / median(name, lambda run: run.seconds) for name in ("citytrade", "limit")
        )
        return (
            f"| {label} | {seconds:.2f} |"
            f" {' | '.join([*others, *(f'{ratio:.2f}' for ratio in ratios)])} |"
        )

    lines = [
        (
            f"| {records_n:,} records, Parquet | wall s | CPU s | peak MB | wall, citytrade = 1 |"
            " wall, limit = 1 |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for name, label in CONTENDERS.items():
        others = (
            f"{median(name, lambda run: run.cpu_seconds):.2f}",
            f"{median(name, lambda run: run.peak_mb):.0f}",
        )
        lines.append(row(label, median(name, lambda run: run.seconds), others))
    lines.append(row("once: whole `dbt build`, with its start and tests", whole_seconds, ("", "")))
    return "\n".join([*lines, ""])


def _machine() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in ("duckdb", "polars", "pandas"))
    return (
        f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores, 2 threads each;"
        f" load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
