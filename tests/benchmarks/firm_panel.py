"""A made-up panel of exporting firms, and contenders that run one after the other, each in a
process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

CITIES, YEARS = 286, 11
EFFECTS = ["firm", "city_code", "year"]
REGRESSORS = ["zone", *(f"x{i}" for i in range(2, 11))]
DESIGNS = {
    "linked": "each firm's city drawn anew every year",
    "movers": "one firm in twenty moves once",
}
Outcome = dict[str, Any]


def firm_panel(rows: int, design: str) -> pd.DataFrame:
    """Firms with spells of 3.4 years on average in 286 cities and 11 years, sorted by firm and
    year; seed fixed.

    y = 0.1 zone + sum of 0.1 i x_i + firm, city and year effects + shocks by city and year + noise
    """
    draw = np.random.Generator(np.random.PCG64(616))
    start = draw.integers(0, YEARS, rows)
    length = np.minimum(draw.geometric(1 / 6, rows), YEARS - start)
    firms = int(np.searchsorted(np.cumsum(length), rows)) + 1
    start, length = start[:firms], length[:firms]
    length[-1] -= length.sum() - rows
    firm, begin = np.repeat(np.arange(firms), length), np.repeat(np.cumsum(length) - length, length)
    place = np.arange(rows) - begin
    year = place + np.repeat(start, length)
    home = draw.choice(CITIES, firms, p=draw.dirichlet(np.full(CITIES, 0.5)))
    away, moves = draw.integers(0, CITIES, firms), draw.random(firms) < 0.05
    city = np.where(moves[firm] & (place > np.repeat(length // 2, length)), away[firm], home[firm])
    if design == "linked":
        city = draw.integers(0, CITIES, rows)
    opened = np.where(draw.random(CITIES) < 0.4, draw.integers(3, YEARS, CITIES), YEARS)
    frame = pd.DataFrame(
        {
            "firm": firm,
            "city_code": city,
            "year": 2004 + year,
            "zone": (year >= opened[city]).astype(float),
        }
    )
    effect = draw.normal(size=firms)[firm] + draw.normal(size=CITIES)[city] + 0.1 * year
    frame["y"] = (
        0.1 * frame["zone"]
        + effect
        + 0.2 * draw.normal(size=(CITIES, YEARS))[city, year]
        + draw.normal(size=rows)
    )
    for at, name in enumerate(REGRESSORS[1:], start=1):
        frame[name] = draw.normal(size=rows) + 0.5 * effect
        frame["y"] += 0.1 * at * frame[name]
    return frame


def timed(work: Callable[[], Outcome]) -> Outcome:
    """What the work returns, with its seconds, the processors' seconds of all its threads, and what
    memory grew by at its highest, in MB.
    """
    before = _highest_mb()
    started, used = time.perf_counter(), time.process_time()
    outcome = work()
    spent = {
        "seconds": time.perf_counter() - started,
        "processor_seconds": time.process_time() - used,
    }
    return outcome | spent | {"grew_mb": _highest_mb() - before}


def _highest_mb() -> float:
    """This process's own: what getrusage tells begins with what its parent held."""
    try:
        status = Path("/proc/self/status").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_process(module: str, arguments: list[str], timeout: float) -> Outcome:
    """Run `python -m module arguments`, which prints its outcome as json on its last line; or why
    there is none.
    """
    # Linear algebra on one thread, as its threads wait for each other on shared processors;
    # pyfixest's own demeaning uses every processor.
    environment = os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {"absent": f"stopped after {timeout:.0f} s"}
    if done.returncode:
        return {"absent": (done.stderr or done.stdout).strip().splitlines()[-1]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def summary(outcomes: dict[str, list[Outcome]], also_ours: tuple[str, ...] = ()) -> Outcome:
    """Medians of a few rounds, the least seconds, memory, and ours over each peer: by the clock,
    and by processor time, which is steadier.
    """
    runs = {name: found for name, found in outcomes.items() if found}
    medians, processor = (
        {name: median(one[kind] for one in found) for name, found in runs.items()}
        for kind in ("seconds", "processor_seconds")
    )
    return {
        "rounds": {name: len(found) for name, found in runs.items()},
        "median_seconds": medians,
        "least_seconds": {
            name: min(one["seconds"] for one in found) for name, found in runs.items()
        },
        "median_processor_seconds": processor,
        "grew_mb": {name: max(one["grew_mb"] for one in found) for name, found in runs.items()},
        "ours_over": {
            name: medians["ours"] / value
            for name, value in medians.items()
            if name not in ("ours", *also_ours)
        },
        "ours_over_by_processor": {
            name: processor["ours"] / value
            for name, value in processor.items()
            if name not in ("ours", *also_ours)
        },
    }


def write(file: Path, runs: list[Outcome]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    stack = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pandas": pd.__version__,
        "processors": os.cpu_count(),
    }
    file.write_text(json.dumps(stack | {"runs": runs}, indent=2) + "\n", encoding="utf-8")


def show(title: str, run: Outcome) -> None:
    print(title)
    for name, seconds in run["median_seconds"].items():
        ratio = (
            f"; ours / {name} = {run['ours_over'][name]:.3f}, by processor time"
            f" {run['ours_over_by_processor'][name]:.3f}"
            if name in run["ours_over"]
            else ""
        )
        least, used, grew = (
            run["least_seconds"][name],
            run["median_processor_seconds"][name],
            run["grew_mb"][name],
        )
        print(
            f"  {name:12s} median {seconds:8.2f} s, least {least:8.2f} s of {run['rounds'][name]},"
            f" processor {used:8.2f} s, memory +{grew:,.0f} MB{ratio}"
        )
    for name, why in run["absent"].items():
        print(f"  {name:12s} absent: {why}")
