"""The parts of the page that `make bench` prints. Each gives tables of what contenders cost, after
it has seen that they found the same; no time decides anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from tests.benchmarks import customs_panel, dynamic_gmm, fixed_effects, placebo
from tests.benchmarks.customs_panel import MEGABYTE, PROJECT, say
from tests.benchmarks.firm_panel import Outcome, in_process
from tests.benchmarks.panels import MODELS

PIECES, PANELS = "tests.benchmarks.pieces", "tests.benchmarks.panels"
TIMEOUT = 3600.0
SAME = 1e-6
CHANGED = ("policies", "yearbook", "customs")  # sources of which a csv loses its last row
FORMS = {"csv": "polars", "dta": "pandas", "parquet": "pyarrow", "xlsx": "pandas, openpyxl"}


@dataclass(frozen=True)
class Cost:
    """Medians: seconds by the clock and of all processors; what memory was at its highest, or grew
    by, in MB (10^6 bytes). None where it was not measured.
    """

    seconds: float
    cpu_seconds: float | None = None
    mb: float | None = None


@dataclass(frozen=True)
class Table:
    """Contenders on the same work. `base` is the one that the ratios are to; `absent` says why a
    peer is not there.
    """

    title: str
    base: str
    costs: dict[str, Cost]
    notes: tuple[str, ...] = ()
    absent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a page is asked for: sizes, runs, and the folder of all files."""

    records: tuple[int, ...]
    rows: int
    runs: int
    folder: Path


def customs(asked: Asked) -> list[Table]:
    """From the lake to the city-year panel; then from one csv of the same records."""
    tables = []
    for records_n in asked.records:
        folder = asked.folder / str(records_n)
        # In a process that stays small: a parent's memory counts as its children's.
        command = ["--records", str(records_n), "--runs", str(asked.runs), "--folder"]
        subprocess.run(
            [sys.executable, "-m", customs_panel.__name__, *command, str(asked.folder)],
            cwd=PROJECT,
            check=True,
        )
        report = json.loads((asked.folder / "results.json").read_text(encoding="utf-8"))
        measured = report["records"][str(records_n)]
        costs = {
            customs_panel.CONTENDERS[name]: Cost(
                *(median(run[kind] for run in runs) for kind in customs_panel.Run.__annotations__)
            )
            for name, runs in measured["runs"].items()
        }
        seconds = measured["dbt_build_seconds"]
        once = f"the whole `dbt build`, with its start and tests, once: {seconds:.0f} s"
        base = customs_panel.CONTENDERS["limit"]
        tables.append(
            Table(f"Lake to city-year panel, {records_n:,} records", base, costs, (once,))
        )
        tables += _panels(folder, asked.runs)
        tables.append(_csv(folder, records_n, asked.runs, costs))
    return tables


def _panels(folder: Path, runs: int) -> list[Table]:
    """The panels that are counted from the kept fact."""
    _piece(PANELS, "fact", folder)
    tables = []
    names = {
        "limit": "the limit: a scan of the fact",
        "plain": "count(distinct …) in one query",
        "ours": "citytrade",
    }
    for model in MODELS:
        contenders = {told: (PANELS, name, model, folder) for name, told in names.items()}
        found = interleaved(contenders, runs)
        rows = [{tuple(one["found"]) for one in found[names[name]]} for name in ("plain", "ours")]
        if rows[0] != rows[1]:
            raise SystemExit(f"{model}: {rows} differ, so times of them cannot be compared.")
        costs = {name: _cost(done) for name, done in found.items()}
        tables.append(Table(f"{model} from the kept fact", names["ours"], costs))
    return tables


def _csv(folder: Path, records_n: int, runs: int, from_lake: Mapping[str, Cost]) -> Table:
    file, lake = folder / "records.csv", folder / "csv_lake"
    if not file.is_file():
        _piece(PIECES, "write_csv", folder / "customs__records", file)
    limit, ours = "the limit: parse the needed columns", "read into the lake"
    found = interleaved({limit: (PIECES, "parse", file), ours: (PIECES, "read", file, lake)}, runs)
    read_n = {one["rows"] + one["aside"] for one in found[ours]}
    if read_n != {records_n}:
        raise SystemExit(f"{file}: {read_n} rows were read of {records_n:,}")
    costs = {name: _cost(runs) for name, runs in found.items()}
    panel = from_lake[customs_panel.CONTENDERS["citytrade"]]
    assert costs[ours].cpu_seconds is not None and panel.cpu_seconds is not None
    costs["csv to panel: read, then the lake to the panel"] = Cost(
        costs[ours].seconds + panel.seconds, costs[ours].cpu_seconds + panel.cpu_seconds
    )
    note = "the last line is a sum of two measured ones; one thread reads and parses"
    return Table(f"One csv of {records_n:,} records", limit, costs, (note,))


def refreshes(asked: Asked) -> list[Table]:
    """Refreshes of a small simulated world by kind of change: whole processes, their starts and
    Prefect's server among it.
    """
    from tests.conftest import write_config
    from warehouse.simulate import simulate, world_is_current

    folder = asked.folder / "refreshes"
    world, config = folder / "world", folder / "citytrade.toml"
    folder.mkdir(parents=True, exist_ok=True)
    if not world_is_current(world, "small", 7):
        simulate(world, "small", 7)
    write_config(config, world, simulate=False)
    costs = {"first, or --full": _command("refresh", "--full", "--config", str(config))}
    costs["nothing changed"] = _command("refresh", "--config", str(config))
    kept: dict[Path, bytes] = {}
    try:
        for source in CHANGED:
            file = max(world.glob(f"{source}/*.csv"), key=lambda one: one.stat().st_size)
            kept[file] = file.read_bytes()
            file.write_bytes(b"".join(kept[file].splitlines(keepends=True)[:-1]))
            costs[f"a csv of {source} lost a row"] = _command("refresh", "--config", str(config))
    finally:
        for file, content in kept.items():
            file.write_bytes(content)
    costs["all checks of the release"] = _cost([_piece(PIECES, "checks", config)])
    note = "one run each; the small world: 60 cities, 20,000 customs records"
    return [Table("Refreshes, by what changed", "first, or --full", costs, (note,))]


def estimators(asked: Asked) -> list[Table]:
    """Ours beside the programs that people take, with the same numbers."""
    runs, rows = asked.runs, asked.rows
    tables = []
    for title, run in (
        ("Three effects, ten regressors", fixed_effects.compare(
            rows, "linked", {"ours": runs, "pyfixest": runs, "AbsorbingLS": 1})),
        ("1,000 placebo draws (pyfixest from three calls)", placebo.compare(rows, 1000, 3, 1)),
    ):  # fmt: skip
        costs = {
            name: Cost(run["median_seconds"][name], used, run["grew_mb"][name])
            for name, used in run["median_processor_seconds"].items()
        }
        tables.append(Table(f"{title}, {rows:,} rows", "ours", costs, absent=run["absent"]))
    found = interleaved(
        {name: (PIECES, "iv", name, rows) for name in ("ours", "pyfixest")},
        runs,
    )
    absent = {
        name: one["absent"] for name, done in found.items() for one in done if "absent" in one
    }
    costs = {name: _cost(done) for name, done in found.items() if name not in absent}
    tables.append(Table(f"2SLS, two effects, {rows:,} rows", "ours", costs, absent=absent))
    gmm = dynamic_gmm.compare(286, 9, [sys.executable], runs, TIMEOUT)
    costs = {name: Cost(seconds) for name, seconds in gmm["median_seconds"].items()}
    title = f"System GMM, N = 286, T = 9, {gmm['instruments']} instruments"
    return [*tables, Table(title, "ours", costs, absent=gmm["absent"])]


def exports(asked: Asked) -> list[Table]:
    """A panel of 50 columns into each format."""
    folder, rows = asked.folder / "exports", min(asked.rows, 100_000)
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for form, peer in FORMS.items():
        contenders = {
            name: (PIECES, "export", form, name, rows, folder) for name in ("ours", "theirs")
        }
        found = interleaved(contenders, asked.runs)
        costs = {"ours": _cost(found["ours"]), peer: _cost(found["theirs"])}
        tables.append(Table(f"{rows:,} x 50 to {form}", "ours", costs))
    return tables


PARTS: dict[str, Callable[[Asked], list[Table]]] = {
    part.__name__: part for part in (customs, refreshes, estimators, exports)
}


def interleaved(
    contenders: Mapping[str, tuple[object, ...]], runs: int
) -> dict[str, list[Outcome]]:
    """Each contender's outcomes, taken in turns (A B A B).

    Parameters
    ----------
    contenders : name -> a module that prints an outcome, and its arguments

    Raises
    ------
    SystemExit : contenders whose coefficients differ from the first's.
    """
    found: dict[str, list[Outcome]] = {name: [] for name in contenders}
    for turn in range(runs):
        for name, arguments in contenders.items():
            if any("absent" in one for one in found[name]):
                continue
            found[name].append(_piece(*arguments, may_be_absent=turn == 0))
            say(f"run {turn + 1} of {runs}: {name}")
    numbers = [done[0]["coefficients"] for done in found.values() if "coefficients" in done[0]]
    if numbers and not np.allclose(numbers, numbers[0], rtol=SAME):
        raise SystemExit(f"{', '.join(found)} found {numbers}: times of them cannot be compared.")
    return found


def _piece(module: object, *arguments: object, may_be_absent: bool = False) -> Outcome:
    outcome = in_process(str(module), [str(argument) for argument in arguments], TIMEOUT)
    if "absent" in outcome and not (may_be_absent and "No module named" in outcome["absent"]):
        raise SystemExit(f"{' '.join(map(str, arguments))}: {outcome['absent']}")
    return outcome


def _cost(outcomes: list[Outcome]) -> Cost:
    seconds, cpu, grew = (
        median(one[kind] for one in outcomes)
        for kind in ("seconds", "processor_seconds", "grew_mb")
    )
    return Cost(seconds, cpu, grew)


def _command(*arguments: str) -> Cost:
    """What a command of citytrade costs with all processes that it starts.

    Raises
    ------
    SystemExit : it did not end well.
    """
    say(f"citytrade {arguments[0]}")
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *arguments], cwd=PROJECT, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"citytrade {' '.join(arguments)} ended with {process.returncode}.")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak)
