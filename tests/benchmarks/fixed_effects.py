"""Firm, city and year effects, ten regressors, errors clustered by city: our time beside pyfixest's
and linearmodels' AbsorbingLS.

    python -m tests.benchmarks.fixed_effects [--quick] [--rounds 3]

Contenders take turns, each in a process of its own, on the same panel; the clock runs from the
frame to the standard errors, after a small regression that loads everything. Coefficients and
standard errors must agree (fixest's convention with all effects counted; AbsorbingLS has another
convention, so its coefficients), or the run fails. Two designs: in "linked" every firm changes
cities all the time, which iterating programs like best; in "movers" one firm in twenty moves once,
as in real panels, where they need many rounds (they run once). A peer that is not installed is
named as absent. Results go to data/benchmark/fixed_effects.json; --quick is one small panel for the
test suite, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.firm_panel import (
    DESIGNS,
    EFFECTS,
    REGRESSORS,
    Outcome,
    firm_panel,
    in_process,
    show,
    summary,
    timed,
    write,
)

RESULTS = Path("data/benchmark/fixed_effects.json")
MODULE = "tests.benchmarks.fixed_effects"
SIZES = (616_591, 1_455_971)
SAME = 1e-5  # relative: peers iterate to a tolerance
TIMEOUT = 1200.0


def ours(frame: pd.DataFrame) -> Outcome:
    from analysis.estimators.linear.fixed_effects import fixed_effects

    result = fixed_effects(
        frame, "y", REGRESSORS, EFFECTS, covariance={"cluster": ["city_code"]}, small="fixest_full"
    )
    return {
        "coefficients": list(result.coefficients[REGRESSORS]),
        "standard_errors": list(result.standard_errors[REGRESSORS]),
    }


def pyfixest(frame: pd.DataFrame) -> Outcome:
    import pyfixest

    formula = f"y ~ {' + '.join(REGRESSORS)} | {' + '.join(EFFECTS)}"
    fit = pyfixest.feols(
        formula,
        frame,
        vcov={"CRV1": "city_code"},
        ssc=pyfixest.ssc(k_fixef="full"),
        fixef_rm="none",
    )
    return {"coefficients": list(fit.coef()), "standard_errors": list(fit.se())}


def absorbing_ls(frame: pd.DataFrame) -> Outcome:
    from linearmodels.iv.absorbing import AbsorbingLS

    absorbed = pd.DataFrame({name: pd.Categorical(frame[name]) for name in EFFECTS})
    fit = AbsorbingLS(frame["y"], frame[REGRESSORS], absorb=absorbed).fit(
        cov_type="clustered", clusters=frame["city_code"]
    )
    return {"coefficients": list(fit.params), "absorbing_errors": list(fit.std_errors)}


CONTENDERS = {"ours": ours, "pyfixest": pyfixest, "AbsorbingLS": absorbing_ls}


def contend(name: str, rows: int, design: str) -> Outcome:
    """One contender's outcome, in this process."""
    frame = firm_panel(rows, design)
    CONTENDERS[name](firm_panel(3_000, "linked"))
    return timed(lambda: CONTENDERS[name](frame))


def compare(rows: int, design: str, rounds: dict[str, int], timeout: float = TIMEOUT) -> Outcome:
    """Medians, ratios and differences for one panel.

    Raises
    ------
    ValueError : a contender whose numbers are not ours.
    """
    outcomes: dict[str, list[Outcome]] = {name: [] for name in rounds}
    absent: dict[str, str] = {}
    for turn in range(max(rounds.values())):
        for name in [name for name, times in rounds.items() if turn < times and name not in absent]:
            outcome = in_process(
                MODULE, ["--contender", name, "--rows", str(rows), "--design", design], timeout
            )
            if "absent" in outcome:
                absent[name] = outcome["absent"]
            else:
                outcomes[name].append(outcome)
    if not outcomes["ours"]:
        raise ValueError(f"our own run failed: {absent['ours']}")
    return {
        "rows": rows,
        "design": design,
        **summary(outcomes),
        "largest_difference": _differences(outcomes),
        "absent": absent,
    }


def _differences(outcomes: dict[str, list[Outcome]]) -> dict[str, float]:
    """Largest relative difference of each peer's coefficients and standard errors from ours."""
    mine, found = outcomes["ours"][0], {}
    for name, runs in outcomes.items():
        for outcome in runs:
            shared = [kind for kind in ("coefficients", "standard_errors") if kind in outcome]
            found[name] = max(
                float(np.max(np.abs(np.array(outcome[kind]) / np.array(mine[kind]) - 1)))
                for kind in shared
            )
            if found[name] > SAME:
                raise ValueError(
                    f"{name} differs from ours by {found[name]:.1e}: not the same model, so the"
                    " times cannot be compared"
                )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="20,000 rows, once")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--design", choices=list(DESIGNS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(contend(given.contender, given.rows, given.design)))
        return
    plans = [(rows, design) for rows in SIZES for design in DESIGNS]
    runs = []
    for rows, design in [(20_000, "linked")] if given.quick else plans:
        rounds = {"ours": given.rounds, "pyfixest": given.rounds if design == "linked" else 1}
        if design == "linked":
            rounds["AbsorbingLS"] = 1
        runs.append(compare(rows, design, dict.fromkeys(rounds, 1) if given.quick else rounds))
        show(f"{rows:,} rows, {design}: {DESIGNS[design]}", runs[-1])
        differences = runs[-1]["largest_difference"].items()
        told = ", ".join(f"{name} {value:.1e}" for name, value in differences)
        print(f"  largest relative difference from ours: {told}")
    if not given.quick:
        write(RESULTS, runs)


if __name__ == "__main__":
    main()
