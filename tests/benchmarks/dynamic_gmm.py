"""Two-step system GMM with full instruments and Windmeijer's correction: our time beside gretl's,
pydynpd's and StatsPAI's, and the limit.

    python -m tests.benchmarks.dynamic_gmm [--large] [--peer-python /path/to/python]

All programs estimate y on L.y, x1, x2 and x3 from the same file, in one run, taking turns;
instruments are lags 2 and longer of y and 1 and longer of each x, in full. Their coefficients and
standard errors must be ours, or the run fails. Times are of the estimation alone (each program
reads the data before its clock starts), every program on one thread: the median, and the least,
which a busy machine moves less (gretl's threads wait for each other: 0.05 s on an idle machine were
3 s on a busy one). The limit is the product of a dense N 2T x L matrix with itself, as most
programs do it. A peer that is not installed is named as absent. pydynpd fails on numpy 2.4 and
later: give an interpreter that has an older one. Results go to data/benchmark/dynamic_gmm.json;
--large adds N = 10,000, T = 10 (peers once, some minutes).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.gmm import GMM, dynamic_gmm

RESULTS = Path("data/benchmark/dynamic_gmm.json")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
SAME = 1e-5  # relative; programs differ in how they round nearly singular matrices
Outcome = dict[str, Any]

GRETL = """set verbose off
open {file} --quiet
setobs id year --panel-vars
set stopwatch
dpanel 1 ; y x1 x2 x3 const ; GMM(y,2,99) GMM(x1,1,99) GMM(x2,1,99) GMM(x3,1,99) \\
  GMMlevel(y,1,1) GMMlevel(x1,0,0) GMMlevel(x2,0,0) GMMlevel(x3,0,0) {options}
printf "RESULT %.15g %.15g %.15g %.15g\\n", $stopwatch, $coeff[1], $coeff[2], $stderr[1]
"""
PYDYNPD = """import contextlib, io, sys, time
import pandas as pd
from pydynpd import regression
frame = pd.read_csv(sys.argv[1])
started = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    moments = "gmm(y, 2:99) gmm(x1, 1:99) gmm(x2, 1:99) gmm(x3, 1:99)"
    fit = regression.abond(f"y L1.y x1 x2 x3 | {moments}", frame, ["id", "year"])
seconds = time.perf_counter() - started
table = fit.models[0].regression_table
first, second = table["coefficient"].iloc[0], table["coefficient"].iloc[1]
print("RESULT", seconds, first, second, table["std_err"].iloc[0])
"""
STATSPAI = """import sys, time
import pandas as pd, statspai
frame = pd.read_csv(sys.argv[1])
started = time.perf_counter()
given = {"lags": 1, "gmm_lags": (2, None), "method": "system", "twostep": True}
given["predetermined"] = ["x1", "x2", "x3"]
fit = statspai.xtabond(frame, y="y", id="id", time="year", **given)
seconds = time.perf_counter() - started
table = fit.detail.set_index("variable")
own, other = table.loc["L1.y", "coefficient"], table.loc["x1", "coefficient"]
print("RESULT", seconds, own, other, table.loc["L1.y", "se"])
"""


def world(units: int, periods: int) -> pd.DataFrame:
    """y = 0.5 L.y + 0.4 x1 + 0.2 x2 - 0.3 x3 + effect + noise, each x answering last year's y; 20
    years burnt in; seed fixed.
    """
    draw = np.random.default_rng(286)
    effect = draw.normal(size=units)
    y, x = effect, np.tile(effect, (3, 1))
    years = []
    for year in range(-20, periods):
        x = 0.6 * x + 0.3 * effect + 0.2 * y + draw.normal(size=(3, units))
        y = 0.5 * y + 0.4 * x[0] + 0.2 * x[1] - 0.3 * x[2] + effect + draw.normal(size=units)
        years.append(
            pd.DataFrame(
                {
                    "id": np.arange(1, units + 1),
                    "year": 2004 + year,
                    "y": y,
                    "x1": x[0],
                    "x2": x[1],
                    "x3": x[2],
                }
            )
        )
    return pd.concat(years[20:]).sort_values(["id", "year"], ignore_index=True)


def ours(frame: pd.DataFrame) -> Outcome:
    started = time.perf_counter()
    result = dynamic_gmm(
        frame, "y", ["L.y", "x1", "x2", "x3"], GMM("L.y x1 x2 x3"), unit="id", time="year"
    )
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "numbers": [*result.coefficients[["L1.y", "x1"]], result.standard_errors["L1.y"]],
        "instruments": result.instruments_n,
    }


def limit(units: int, periods: int, instruments: int) -> Outcome:
    """The product of a dense matrix with itself that a program without block structure needs."""
    z = np.random.default_rng(0).normal(size=(units * 2 * (periods - 1), instruments))
    started = time.perf_counter()
    z.T @ z
    return {"seconds": time.perf_counter() - started}


def run(command: list[str], timeout: float) -> Outcome:
    """A peer's seconds and numbers, or why there are none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return {"absent": f"stopped after {timeout:.0f} s"}
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    if line is None:
        last = (done.stderr or done.stdout).strip().splitlines()
        return {"absent": f"no result: {last[-1] if last else 'no output'}"}
    seconds, *numbers = map(float, line.split()[1:])
    return {"seconds": seconds, "numbers": numbers}


def peers(file: Path, python: str) -> dict[str, list[str] | str]:
    """Command of each peer, or the reason why it is absent."""
    script = file.with_suffix(".inp")
    script.write_text(GRETL.format(file=file, options="--system --two-step --quiet"))
    found: dict[str, list[str] | str] = {
        "gretl": (
            ["gretlcli", "-b", str(script)]
            if shutil.which("gretlcli")
            else "gretlcli is not installed"
        )
    }
    for name, module, code in (("pydynpd", "pydynpd", PYDYNPD), ("statspai", "statspai", STATSPAI)):
        present = (
            subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
        )
        found[name] = (
            [python, "-c", code, str(file)]
            if present
            else f"{module} cannot be imported by {python}"
        )
    return found


def compare(units: int, periods: int, pythons: list[str], rounds: int, timeout: float) -> Outcome:
    """Medians and ratios for one size; raises if a peer's numbers are not ours."""
    frame = world(units, periods)
    times: dict[str, list[float]] = {}
    absent: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "panel.csv"
        frame.to_csv(file, index=False)
        commands: dict[str, list[str] | str] = {}
        for python in pythons:
            commands |= {
                name: command
                for name, command in peers(file, python).items()
                if not isinstance(commands.get(name), list)
            }
        mine = ours(frame)
        for _ in range(rounds):
            times.setdefault("ours", []).extend(ours(frame)["seconds"] for _ in range(3))
            times.setdefault("limit", []).append(
                limit(units, periods, mine["instruments"])["seconds"]
            )
            for name, command in commands.items():
                outcome = {"absent": command} if isinstance(command, str) else run(command, timeout)
                if "absent" in outcome:
                    absent[name] = outcome["absent"]
                    continue
                times.setdefault(name, []).append(outcome["seconds"])
                if not np.allclose(outcome["numbers"], mine["numbers"], rtol=SAME):
                    raise ValueError(
                        f"{name} has {outcome['numbers']}, ours are {mine['numbers']}: not the same"
                        " model, so the times cannot be compared"
                    )
    medians = {name: median(values) for name, values in times.items()}
    return {
        "units": units,
        "periods": periods,
        "instruments": mine["instruments"],
        "median_seconds": medians,
        "least_seconds": {name: min(values) for name, values in times.items()},
        "ours_over": {
            name: medians["ours"] / value for name, value in medians.items() if name != "ours"
        },
        "ours_over_by_least": {
            name: min(times["ours"]) / min(values)
            for name, values in times.items()
            if name != "ours"
        },
        "absent": absent,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--large", action="store_true", help="also N = 10,000, T = 10")
    parser.add_argument(
        "--peer-python",
        action="append",
        default=[],
        help="interpreter that has pydynpd or statspai; may be repeated",
    )
    given = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        # Numerical libraries read these when they are loaded, so the run starts again with them.
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.benchmarks.dynamic_gmm", *sys.argv[1:]],
            os.environ | dict.fromkeys(ONE_THREAD, "1"),
        )
    pythons = [*given.peer_python, sys.executable]
    sizes = [(286, 9, 7, 120.0)] + ([(10_000, 10, 1, 600.0)] if given.large else [])
    runs = [
        compare(units, periods, pythons, rounds, timeout)
        for units, periods, rounds, timeout in sizes
    ]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {"python": platform.python_version(), "numpy": np.__version__, "runs": runs}, indent=2
        )
        + "\n"
    )
    for one in runs:
        print(
            f"N = {one['units']:,}, T = {one['periods']}, {one['instruments']} instruments; peak"
            f" {one['peak_mb']:.0f} MB"
        )
        for name, seconds in one["median_seconds"].items():
            ratio = (
                ""
                if name == "ours"
                else (
                    f"   ours / {name} = {one['ours_over'][name]:.3f}, by least times"
                    f" {one['ours_over_by_least'][name]:.3f}"
                )
            )
            print(
                f"  {name:9s} median {seconds:8.3f} s, least {one['least_seconds'][name]:8.3f}"
                f" s{ratio}"
            )
        for name, why in one["absent"].items():
            print(f"  {name:9s} absent: {why}")


if __name__ == "__main__":
    main()
