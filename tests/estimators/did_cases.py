"""Staggered treatment with a known truth, and every estimator run on it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.imputation import imputation
from analysis.estimators.did.sun_abraham import sun_abraham
from analysis.estimators.did.twoway import difference_in_differences, event_study

COLUMNS = ("y", "city", "year", "cohort")


def world(noise: float = 0.01, slope: float = 0.5) -> pd.DataFrame:
    """60 cities, 2010-2017; cohorts never, 2012, 2014, 2015; effect 1 + slope * e; a covariate with
    coefficient 0.7.
    """
    draw = np.random.default_rng(8)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2018), indexing="ij")
    )
    cohort = np.array([0, 2012, 2014, 2015])[city % 4]
    event = np.where(cohort > 0, year - cohort, -99)
    x = draw.normal(size=len(city)) + 0.02 * city
    y = (
        np.where(event >= 0, 1 + slope * event, 0.0)
        + 0.7 * x
        + 0.1 * city
        + 0.3 * (year - 2010)
        + noise * draw.normal(size=len(city))
    )
    frame = pd.DataFrame(
        {
            "city": [f"{1100 + c}" for c in city],
            "year": year,
            "cohort": cohort,
            "y": y,
            "x": x,
            "w": 1.0 + city % 3,
        }
    )
    return frame.assign(treated=(event >= 0).astype(int), province=[f"p{c % 12:02d}" for c in city])


ALL = {
    "difference_in_differences": lambda f: difference_in_differences(
        f, "y", "city", "year", cohort="cohort", controls=["x"], weights="w"
    ),
    "event_study": lambda f: event_study(f, *COLUMNS, ["x"], first=-3, last=3, weights="w"),
    "sun_abraham": lambda f: sun_abraham(f, *COLUMNS, ["x"], weights="w"),
    "imputation": lambda f: imputation(f, *COLUMNS, ["x"], weights="w"),
    "callaway_santanna": lambda f: callaway_santanna(
        f, *COLUMNS, ["x"], weights="w", sampling="unbalanced_panel"
    ),
    "callaway_santanna panel": lambda f: aggregate_effects(
        callaway_santanna(f, *COLUMNS, ["x"], weights="w", covariance={"cluster": ["province"]}),
        "dynamic",
    ),
}


def numbers_of(result) -> np.ndarray:
    return np.concatenate([result.coefficients.to_numpy(), result.standard_errors.to_numpy()])
