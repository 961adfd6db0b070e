"""How often 95 % intervals of two-step GMM with Windmeijer's correction hold the truth, in 1,000
worlds with fixed seeds.

`python -m tests.estimators.test_coverage_dynamic_gmm` prints the shares that
docs/estimators/dynamic_gmm.md quotes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.gmm import GMM, dynamic_gmm

TRUTH = {"L1.y": 0.5, "x": 0.4}
UNITS, PERIODS, DRAWS = 286, 9, 1000
COLLAPSED = [GMM("L.y", lags=(1, 3), collapse=True), GMM("L.x", lags=(1, 3), collapse=True)]
CALLS: dict[str, dict[str, Any]] = {
    "system": {"equations": "system"},
    "system, orthogonal deviations": {"equations": "system", "transform": "orthogonal"},
    "system, without the correction": {"equations": "system", "covariance": "iid"},
}


def world(seed: int) -> pd.DataFrame:
    """y = 0.5 L.y + 0.4 x + effect + heteroskedastic noise; x answers the same shock (endogenous)
    and the effect; 25 burnt-in years.
    """
    draw = np.random.default_rng([2026, seed])
    effect = draw.normal(size=UNITS)
    scale = np.exp(0.4 * draw.normal(size=UNITS))
    y, x = 2 * effect, effect
    kept = []
    for year in range(-25, PERIODS):
        shock = scale * draw.normal(size=UNITS)
        x = 0.5 * x + 0.3 * effect + 0.3 * shock + draw.normal(size=UNITS)
        y = TRUTH["L1.y"] * y + TRUTH["x"] * x + effect + shock
        if year >= 0:
            kept.append(
                pd.DataFrame({"city_code": np.arange(UNITS), "year": 2004 + year, "y": y, "x": x})
            )
    return pd.concat(kept, ignore_index=True)


def coverage(draws: int, **options: Any) -> pd.DataFrame:
    """By term: share of 95 % intervals that hold the truth, mean estimate, mean standard error over
    the standard deviation.
    """
    results = [
        dynamic_gmm(world(seed), "y", ["L.y", "x"], COLLAPSED, **options) for seed in range(draws)
    ]
    rows = {}
    for term, truth in TRUTH.items():
        bounds = np.array([result.confidence_intervals().loc[term] for result in results])
        estimates = np.array([result.coefficients[term] for result in results])
        errors = np.array([result.standard_errors[term] for result in results])
        inside = ((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])).mean()
        rows[term] = {
            "coverage": inside,
            "mean": estimates.mean(),
            "se_over_sd": errors.mean() / estimates.std(ddof=1),
        }
    return pd.DataFrame(rows).T


@pytest.mark.slow
def test_windmeijer_intervals_of_system_gmm_cover() -> None:
    table = coverage(DRAWS, **CALLS["system"])
    assert table["coverage"].between(0.93, 0.97).all(), table
    assert table["mean"].to_numpy() == pytest.approx(list(TRUTH.values()), abs=0.02)


if __name__ == "__main__":
    for name, options in CALLS.items():
        print(
            f"{name}, {DRAWS} draws of {UNITS} units and {PERIODS}"
            f" years\n{coverage(DRAWS, **options).round(3).to_string()}\n"
        )
