"""Rows of which the matches are known, and every way to match them, for the tests of matching."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimators.did.psm import psm_did
from analysis.estimators.matching.model import matching_att

LALONDE = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


def panel() -> pd.DataFrame:
    """200 cities, 2011-2018; larger cities are treated more often from 2015 on and grow faster:
    effect 1.
    """
    draw = np.random.default_rng(4)
    size = draw.normal(size=200)
    zone = draw.random(200) < 1 / (1 + np.exp(1 - 1.2 * size))
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(200), np.arange(2011, 2019), indexing="ij")
    )
    x = size[city] + 0.3 * draw.normal(size=len(city))
    did = (zone[city] & (year >= 2015)).astype(int)
    y = did + 0.4 * size[city] * (year - 2011) + 0.3 * draw.normal(size=len(city))
    columns = {
        "city": [f"{1000 + c}" for c in city],
        "year": year,
        "did": did,
        "zone": zone[city].astype(int),
        "x": x,
        "y": y,
    }
    return pd.DataFrame(columns).assign(
        z=draw.normal(size=len(city)), region=np.array(["east", "west"])[city % 2]
    )


def small() -> pd.DataFrame:
    """Three treated, five controls, scores by hand; two controls tie at .30."""
    return pd.DataFrame(
        {
            "d": [1, 1, 1, 0, 0, 0, 0, 0],
            "p": [0.30, 0.52, 0.95, 0.30, 0.30, 0.50, 0.55, 0.60],
            "y": [5.0, 8, 9, 1, 3, 4, 6, 10],
            "id": list("stuvwxyz"),
        }
    )


def att(**options) -> float:
    return float(
        matching_att(small(), "y", "d", score="p", keys=["id"], options=options).coefficients["ATT"]
    )


RUNS = {
    "neighbours": lambda f: matching_att(
        f,
        "y",
        "zone",
        ["x", "z", "region"],
        keys=["city", "year"],
        options={"neighbours": 2, "support": "common"},
    ),
    "first": lambda f: matching_att(
        f, "y", "zone", ["k", "region"], keys=["city", "year"], options={"ties": "first"}
    ),
    "kernel": lambda f: matching_att(
        f, "y", "zone", ["x", "z"], options={"method": "kernel"}, link="probit"
    ),
    "no replacement": lambda f: matching_att(
        f,
        "y",
        "zone",
        ["k"],
        keys=["city", "year"],
        options={"ties": "first", "replacement": False, "caliper": 0.2},
    ),
    "tied, no keys": lambda f: matching_att(
        f, "y", "zone", ["k"], options={"neighbours": 3}, standard_error="abadie_imbens"
    ),
    "yearly": lambda f: psm_did(
        f,
        "y",
        "did",
        "city",
        "year",
        ["x", "z"],
        how="yearly",
        use="weights",
        options={"ties": "first"},
    ),
}


def coarse() -> pd.DataFrame:
    return panel().assign(k=lambda f: f["x"].round(1))


def numbers_of(result) -> np.ndarray:
    return np.concatenate([result.coefficients.to_numpy(), result.standard_errors.to_numpy()])
