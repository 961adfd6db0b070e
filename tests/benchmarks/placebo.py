"""A thousand placebo draws with clustered t on 616,591 rows: ours beside a thousand pyfixest calls.

    python -m tests.benchmarks.placebo [--quick] [--calls 3]

Firm, city and year effects, nine controls, errors clustered by city. Ours are timed whole, from the
frame to the table of draws: values shuffled over rows, and treated cities drawn at random
(collapsed to cells of city and year), in the panel where one firm in twenty moves and in the one
where every firm does ("linked", on which draws by row and pyfixest are timed: see
tests.benchmarks.fixed_effects). A thousand pyfixest calls are extrapolated: a few are timed and
their median is multiplied. Coefficient and t of the calls that were made must be those of our first
draws, or the run fails. Results go to data/benchmark/placebo.json; --quick is a small panel for the
test suite, and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from tests.benchmarks.firm_panel import (
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

RESULTS = Path("data/benchmark/placebo.json")
MODULE = "tests.benchmarks.placebo"
ROWS, DRAWS, SEED = 616_591, 1000, 20200101
SAME = 1e-5
TIMEOUT = 1800.0
CONTENDERS = ("row", "unit, movers", "unit", "pyfixest")


def ours(frame: pd.DataFrame, level: str, draws: int) -> Outcome:
    from analysis.estimators.placebo.model import placebo

    errors = {"cluster": ["city_code"]}
    options = {
        "covariance": errors,
        "small": "fixest_full",
        "draw_by": level,
        "draws": draws,
        "seed": SEED,
    }
    result = placebo(frame, "y", "zone", REGRESSORS[1:], EFFECTS, **options)  # type: ignore[arg-type]
    return {
        "coefficients": list(result.draws["coefficient"][:5]),
        "t": list(result.draws["t"][:5]),
        "collapsed": result.collapsed,
    }


def pyfixest_calls(frame: pd.DataFrame, calls: int) -> Outcome:
    """Our first draws by row, each estimated by pyfixest; the panel is in the estimator's own order
    already.
    """
    import pyfixest

    from analysis.estimators.placebo.draws import shuffled

    formula = f"y ~ {' + '.join(REGRESSORS)} | {' + '.join(EFFECTS)}"
    found: Outcome = {"coefficients": [], "t": [], "call_seconds": [], "call_processor_seconds": []}
    for drawn in shuffled(
        frame["zone"].to_numpy(), calls, np.random.Generator(np.random.PCG64(SEED))
    ):
        renewed = frame.assign(zone=drawn)
        started, used = time.perf_counter(), time.process_time()
        fit = pyfixest.feols(
            formula,
            renewed,
            vcov={"CRV1": "city_code"},
            ssc=pyfixest.ssc(k_fixef="full"),
            fixef_rm="none",
        )
        found["coefficients"].append(float(fit.coef()["zone"]))
        found["t"].append(float(fit.tstat()["zone"]))
        found["call_seconds"].append(time.perf_counter() - started)
        found["call_processor_seconds"].append(time.process_time() - used)
    return found


def contend(name: str, rows: int, draws: int) -> Outcome:
    """Draws by "row" or "unit", or pyfixest's calls, in this process; "unit, movers" is on that
    panel.
    """
    name, _, design = name.partition(", ")
    frame, small = firm_panel(rows, design or "linked"), firm_panel(3_000, "linked")
    if name == "pyfixest":
        pyfixest_calls(small, 1)
        return timed(lambda: pyfixest_calls(frame, draws))
    ours(small, name, 2)
    return timed(lambda: ours(frame, name, draws))


def compare(rows: int, draws: int, calls: int, rounds: int) -> Outcome:
    """Seconds of the draws by row and by city, of as many pyfixest calls (extrapolated), and their
    ratios.

    Raises
    ------
    ValueError : a run of ours that failed, or pyfixest calls whose numbers are not those of our
        draws.
    """
    outcomes: dict[str, list[Outcome]] = {name: [] for name in CONTENDERS}
    absent: dict[str, str] = {}
    for turn in range(rounds):
        for name in CONTENDERS:
            if name == "pyfixest" and turn:
                continue
            outcome = in_process(
                MODULE,
                [
                    "--contender",
                    name,
                    "--rows",
                    str(rows),
                    "--draws",
                    str(calls if name == "pyfixest" else draws),
                ],
                TIMEOUT,
            )
            if "absent" not in outcome:
                outcomes[name].append(outcome)
            elif name == "pyfixest":
                absent[name] = outcome["absent"]
            else:
                raise ValueError(f"our own draws by {name} failed: {outcome['absent']}")
    if outcomes["pyfixest"]:
        calls_made = outcomes["pyfixest"][0]
        _check(calls_made, outcomes["row"][0])
        each = {
            "seconds": median(calls_made["call_seconds"]),
            "processor_seconds": median(calls_made["call_processor_seconds"]),
        }
        outcomes["pyfixest"] = [
            {
                "grew_mb": calls_made["grew_mb"],
                "calls": len(calls_made["t"]),
                **{kind: draws * value for kind, value in each.items()},
            }
        ]
    return {
        "rows": rows,
        "draws": draws,
        "pyfixest_calls_made": outcomes["pyfixest"][0]["calls"] if outcomes["pyfixest"] else 0,
        **summary(
            {
                "ours": outcomes["row"],
                "by city": outcomes["unit, movers"],
                "by city, all": outcomes["unit"],
                "pyfixest": outcomes["pyfixest"],
            },
            ("by city", "by city, all"),
        ),
        "collapsed": outcomes["unit"][0]["collapsed"] and outcomes["unit, movers"][0]["collapsed"],
        "absent": absent,
    }


def _check(calls: Outcome, mine: Outcome) -> None:
    made = min(len(calls["t"]), len(mine["t"]))
    for kind in ("coefficients", "t"):
        if not np.allclose(calls[kind][:made], mine[kind][:made], rtol=SAME):
            raise ValueError(
                f"pyfixest's {kind} are {calls[kind]}, ours {mine[kind][:made]}: not the same"
                " draws, so the times cannot be compared"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="20,000 rows, 20 draws")
    parser.add_argument("--calls", type=int, default=3, help="pyfixest calls to time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--draws", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        print(json.dumps(contend(given.contender, given.rows, given.draws)))
        return
    run = (
        compare(20_000, 20, 1, 1)
        if given.quick
        else compare(ROWS, DRAWS, given.calls, given.rounds)
    )
    show(
        f"{run['draws']:,} draws on {run['rows']:,} rows, by row and by city; pyfixest extrapolated"
        f" from {run['pyfixest_calls_made']} calls",
        run,
    )
    if not given.quick:
        write(RESULTS, [run])


if __name__ == "__main__":
    main()
