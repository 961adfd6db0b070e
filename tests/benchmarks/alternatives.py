"""Estimators beside the library that would be the alternative: the largest relative difference of
coefficients and standard errors, and the time of both, in one run.

python -m tests.benchmarks.alternatives
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import statsmodels.api as sm
from linearmodels.iv import IV2SLS, IVLIML
from linearmodels.panel import PanelOLS, RandomEffects
from linearmodels.system import IV3SLS, SUR

from analysis.estimators import (
    binary_choice,
    equation_system,
    instrumental_variables,
    panel_regression,
)

Fit = Callable[[], object]
ROUNDS = 5
X = ["x", "w"]


def made_up(cities: int = 289, years: int = 16) -> pd.DataFrame:
    """A balanced panel of the papers' size: e is endogenous, z1 and z2 are its instruments."""
    draw, n = np.random.default_rng(4), cities * years
    city = np.repeat(np.arange(cities), years)
    frame = pd.DataFrame(draw.normal(size=(n, 4)), columns=["x", "w", "z1", "z2"])
    shock = draw.normal(size=n)
    frame["e"] = frame["z1"] + 0.5 * frame["z2"] + shock
    frame["y"] = frame[["x", "e"]].sum(axis=1) + shock + draw.normal(size=cities)[city]
    frame["v"] = frame["w"] - 0.5 * frame["y"] + draw.normal(size=n)
    frame["one"], frame["d"] = 1.0, (frame["y"] + draw.logistic(size=n) > 0).astype(float)
    return frame.assign(city_code=city, year=np.tile(np.arange(2004, 2004 + years), cities))


def pairs(frame: pd.DataFrame) -> dict[str, tuple[Fit, Fit]]:
    """Name -> ours and theirs."""
    keyed = frame.set_index(["city_code", "year"])
    equations = {"a": ("y", X), "b": ("v", ["w", "z1"])}
    endogenous = {"a": ("y", ["x", "e"]), "b": ("v", ["w", "y"])}
    instruments = ["x", "w", "z1", "z2"]
    theirs = {
        name: {"dependent": frame[y], "exog": frame[["one", *x]]}
        for name, (y, x) in equations.items()
    }
    both = {
        name: {
            "dependent": frame[y],
            "exog": frame[["one", *[c for c in x if c in instruments]]],
            "endog": frame[[c for c in x if c not in instruments]],
            "instruments": frame[[c for c in instruments if c not in x]],
        }
        for name, (y, x) in endogenous.items()
    }
    iv = (frame["y"], frame[["one", "x"]], frame["e"], frame[["z1", "z2"]])
    ours_iv = partial(instrumental_variables, frame, "y", ["e"], ["z1", "z2"], ["x"])
    ours_system = partial(equation_system, frame, inference="normal", residual_covariance="none")
    return {
        "panel_regression, within": (
            lambda: panel_regression(frame, "y", X, "within"),
            lambda: PanelOLS(keyed["y"], keyed[X], entity_effects=True).fit(),
        ),
        "panel_regression, random": (
            lambda: panel_regression(frame, "y", X, "random"),
            lambda: RandomEffects(keyed["y"], keyed[["one", *X]]).fit(),
        ),
        "instrumental_variables, 2sls": (ours_iv, lambda: IV2SLS(*iv).fit()),
        "instrumental_variables, liml": (
            partial(ours_iv, estimator="liml"),
            lambda: IVLIML(*iv).fit(),
        ),
        "equation_system, SUR": (
            partial(ours_system, equations, "SUR"),
            lambda: SUR(theirs).fit(cov_type="unadjusted"),
        ),
        "equation_system, 3SLS": (
            partial(ours_system, endogenous, "3SLS", instruments),
            lambda: IV3SLS(both).fit(cov_type="unadjusted"),
        ),
        "binary_choice, logit": (
            lambda: binary_choice(frame, "d", X),
            lambda: sm.Logit(frame["d"], frame[["one", *X]]).fit(disp=0, tol=1e-12),
        ),
    }


def seconds(run: Fit) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def difference(ours: object, theirs: object) -> float:
    """The largest relative difference of slopes; terms are matched by their values' order."""
    mine = ours.coefficients  # type: ignore[attr-defined]
    other = theirs.params  # type: ignore[attr-defined]
    own = np.sort([value for term, value in mine.items() if "constant" not in str(term)])
    their = np.sort([value for term, value in other.items() if "one" not in str(term)])
    return float(np.max(np.abs(own - their) / np.abs(their)))


def main() -> None:
    frame = made_up()
    print(f"{len(frame):,} rows, least of {ROUNDS} runs")
    print("| estimator | largest difference of slopes | ours, ms | theirs, ms | ours / theirs |")
    print("|---|---|---|---|---|")
    for name, (ours, theirs) in pairs(frame).items():
        gap, mine, other = difference(ours(), theirs()), seconds(ours), seconds(theirs)
        print(f"| {name} | {gap:.0e} | {mine * 1e3:.1f} | {other * 1e3:.1f} | {mine / other:.2f} |")


if __name__ == "__main__":
    main()
