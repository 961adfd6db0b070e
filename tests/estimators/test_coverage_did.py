"""How often 95 % intervals of the difference-in-differences estimators hold the truth, in 1,000
panels with fixed seeds.

`python -m tests.estimators.test_coverage_did` prints the shares that docs/estimators/did.md quotes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.core.result import Result
from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.imputation import imputation
from analysis.estimators.did.sun_abraham import sun_abraham
from tests.estimators.shares import TEST_DRAWS, as_said

DRAWS = 1000
CITIES = 280
YEARS = np.arange(2012, 2020)
COHORTS = np.array([0, 2014, 2016, 2017])
COLUMNS = ("y", "city_code", "year", "cohort")
# Trends depend on x, and so does treatment, so x has to be conditioned on. The mean effect at e is
# 1 + 0.5 e.
TRUTH = {f"e={event}": 1 + 0.5 * event for event in range(3)}


def world(seed: int) -> pd.DataFrame:
    """280 cities, eight years; errors follow each other within a city, and treated cities' effects
    differ.
    """
    draw = np.random.default_rng([2028, seed])
    x = draw.normal(size=CITIES)
    cohort = COHORTS[np.clip(np.floor(draw.normal(1.2 + 0.4 * x, 1.0, CITIES)), 0, 3).astype(int)]
    noise = draw.normal(size=(CITIES, len(YEARS)))
    error = noise.copy()
    for t in range(1, len(YEARS)):
        error[:, t] = 0.5 * error[:, t - 1] + noise[:, t]
    event = np.where(cohort[:, None] > 0, YEARS - cohort[:, None], -99)
    effect = np.where(event >= 0, 1 + 0.5 * event + 0.5 * draw.normal(size=(CITIES, 1)), 0.0)
    y = (
        effect
        + error
        + draw.normal(size=(CITIES, 1))
        + 0.2 * x[:, None] * (YEARS - 2012)
        + 0.1 * (YEARS - 2012)
    )
    keys = {"city_code": np.repeat(np.arange(CITIES), len(YEARS)), "year": np.tile(YEARS, CITIES)}
    flat = {"cohort": np.repeat(cohort, len(YEARS)), "x": np.repeat(x, len(YEARS)), "y": y.ravel()}
    frame = pd.DataFrame({**keys, **flat})
    return frame.assign(x_trend=frame["x"] * (frame["year"] - 2012))


def estimates(name: str, frame: pd.DataFrame) -> Result:
    if name.startswith("Callaway"):
        control = "notyettreated" if name.endswith("not yet") else "nevertreated"
        return aggregate_effects(
            callaway_santanna(frame, *COLUMNS, ["x"], control=control), "dynamic"
        )
    if name == "Sun-Abraham":
        return sun_abraham(frame, *COLUMNS, ["x_trend"])
    return imputation(frame, *COLUMNS, ["x_trend"], leads=0)


NAMES = ("Callaway-Sant'Anna", "Callaway-Sant'Anna, not yet", "Sun-Abraham", "imputation")


def coverage(name: str, draws: int = DRAWS) -> pd.Series:
    """Share of panels in which each interval holds its truth."""
    held = np.zeros((draws, len(TRUTH)))
    for seed in range(draws):
        intervals = estimates(name, world(seed)).confidence_intervals().loc[list(TRUTH)]
        held[seed] = [
            row.lower <= truth <= row.upper
            for row, truth in zip(intervals.itertuples(), TRUTH.values(), strict=True)
        ]
    return pd.Series(held.mean(axis=0), index=list(TRUTH), name=name)


def band_coverage(draws: int = DRAWS) -> float:
    """Share of panels in which the simultaneous bands hold all event times, those before treatment
    (zero) included.
    """
    held = 0
    for seed in range(draws):
        result = aggregate_effects(
            callaway_santanna(world(seed), *COLUMNS, ["x"]),
            "dynamic",
            bootstrap=499,
            min_e=-3,
            max_e=2,
        )
        truth = (
            result.estimates["value"]
            .map(lambda event: 1 + 0.5 * event if event >= 0 else 0.0)
            .to_numpy()
        )
        inside = (result.bands.intervals["lower"].to_numpy() <= truth) & (
            truth <= result.bands.intervals["upper"].to_numpy()
        )
        held += bool(inside.all())
    return held / draws


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str) -> None:
    shares = coverage(name, TEST_DRAWS)
    assert as_said(shares, TEST_DRAWS), shares.to_string()


@pytest.mark.slow
def test_bands_hold_all_effects_at_once() -> None:
    assert as_said(pd.Series([band_coverage(TEST_DRAWS // 2)]), TEST_DRAWS // 2)


if __name__ == "__main__":
    print(pd.concat([coverage(name) for name in NAMES], axis=1).T.to_string(float_format="%.3f"))
    print(f"simultaneous bands: {band_coverage():.3f}")
