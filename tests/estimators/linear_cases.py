"""A panel of cities in which one variable works through another, and fixed effects by city."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from analysis.estimators.linear.fixed_effects import fixed_effects

BY_CITY = {"effects": ["city_code", "year"], "covariance": {"cluster": ["city_code"]}}
by_city = partial(fixed_effects, **BY_CITY)


def world() -> pd.DataFrame:
    """60 cities over 8 years; x moves y directly (0.3) and through m (0.5 times 0.4)."""
    draw = np.random.default_rng(5)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2018), indexing="ij")
    )
    frame = pd.DataFrame(
        {
            "city_code": [f"{1100 + c}" for c in city],
            "year": year,
            "z": draw.normal(size=480),
            "x": draw.normal(size=480) + 0.02 * city,
        }
    )
    frame["m"] = 0.5 * frame.x + 0.02 * city + draw.normal(size=480)
    frame["y"] = (
        0.3 * frame.x + 0.4 * frame.m - 0.2 * frame.z + 0.05 * (year - 2010) + draw.normal(size=480)
    )
    return frame.assign(
        coast=(city < 25).astype(int), region=np.array(["east", "middle", "west"])[city % 3]
    )
