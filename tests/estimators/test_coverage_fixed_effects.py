"""How often 95 % intervals of clustered fixed effects hold the truth, in 2,000 worlds with fixed
seeds.

`python -m tests.estimators.test_coverage_fixed_effects` prints the shares that
docs/estimators/fixed_effects.md quotes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.linear.fixed_effects import fixed_effects
from tests.estimators.shares import TEST_DRAWS, as_said

DRAWS = 2000
CITIES, YEARS = 100, 8
TRUTH = {"zone": 0.5, "x": 1.0}
DESIGNS: dict[str, dict[str, object]] = {
    "clustered by city": {"covariance": {"cluster": ["city_code"]}},
    "clustered by city, weighted": {"covariance": {"cluster": ["city_code"]}, "weights": "weight"},
    "clustered by city, three effects": {
        "covariance": {"cluster": ["city_code"]},
        "effects": ["city_code", "year", "sector"],
    },
    "clustered by city, fixest nested": {
        "covariance": {"cluster": ["city_code"]},
        "small": "fixest_nested",
    },
    "robust, not clustered": {"covariance": "robust"},
}


def world(seed: int) -> pd.DataFrame:
    """A staggered dummy and a persistent regressor; errors that a city carries on from year to
    year, larger in some cities; one row in ten lacks.
    """
    draw = np.random.default_rng([2028, seed])
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(CITIES), np.arange(YEARS), indexing="ij")
    )
    start = np.where(draw.random(CITIES) < 0.5, draw.integers(2, YEARS, CITIES), YEARS)
    x, u = np.zeros((2, CITIES, YEARS))
    x[:, 0], u[:, 0] = draw.normal(size=(2, CITIES))
    for t in range(1, YEARS):
        x[:, t], u[:, t] = (
            0.6 * x[:, t - 1] + 0.8 * draw.normal(size=CITIES),
            0.6 * u[:, t - 1] + 0.8 * draw.normal(size=CITIES),
        )
    u *= draw.uniform(0.5, 1.5, size=(CITIES, 1))
    frame = pd.DataFrame(
        {
            "city_code": city,
            "year": year,
            "sector": draw.integers(0, 6, CITIES * YEARS),
            "weight": draw.uniform(0.5, 1.5, CITIES * YEARS),
        }
    )
    frame["zone"], frame["x"] = (
        (year >= start[city]).astype(float),
        (x + draw.normal(size=(CITIES, 1))).ravel(),
    )
    frame["y"] = (
        0.5 * frame["zone"]
        + frame["x"]
        + draw.normal(size=CITIES)[city]
        + draw.normal(size=YEARS)[year]
        + u.ravel()
        + 0.1 * frame["sector"]
    )
    return frame[draw.random(CITIES * YEARS) > 0.1]


def coverage(design: str, draws: int = DRAWS) -> pd.Series:
    """Share of worlds in which each coefficient's interval holds its truth."""
    truth = pd.Series(TRUTH)
    held = pd.Series(0, index=truth.index)
    for seed in range(draws):
        bounds = (
            fixed_effects(world(seed), "y", list(TRUTH), **DESIGNS[design])
            .confidence_intervals()
            .loc[truth.index]
        )  # type: ignore[arg-type]
        held += (bounds["lower"] <= truth) & (truth <= bounds["upper"])
    return held / draws


@pytest.mark.slow
@pytest.mark.parametrize("design", [name for name in DESIGNS if name.startswith("clustered")])
def test_intervals_hold_the_truth_as_often_as_they_say(design: str) -> None:
    shares = coverage(design, TEST_DRAWS)
    assert as_said(shares, TEST_DRAWS), shares.to_string()


@pytest.mark.slow
def test_errors_that_ignore_the_clusters_fall_short() -> None:
    """The worlds are such that clustering matters: without it intervals are too short."""
    assert coverage("robust, not clustered", TEST_DRAWS).max() < 0.92


if __name__ == "__main__":
    for name in DESIGNS:
        shares = "  ".join(f"{term} {share:.3f}" for term, share in coverage(name).items())
        print(f"{name:36s}{shares}")
