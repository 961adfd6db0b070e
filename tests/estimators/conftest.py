"""Where the numbers of other programs are found, and panels of which the truth is known."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder that CITYTRADE_GOLDEN names; tests that need it skip where it is not set."""
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder)


@pytest.fixture
def city_panel() -> pd.DataFrame:
    """40 cities over 8 years: y = 2 treated - 0.5 x + city + year + noise, with gaps."""
    draw = np.random.default_rng(3)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(40), np.arange(2010, 2018), indexing="ij")
    )
    frame = pd.DataFrame({"city_code": [f"{1100 + c}" for c in city], "year": year})
    frame["treated"] = ((city < 15) & (year >= 2012 + city % 4)).astype(int)
    frame["x"] = draw.normal(size=len(frame)) + 0.1 * city
    frame["y"] = (
        2.0 * frame["treated"]
        - 0.5 * frame["x"]
        + 0.3 * city
        + 0.2 * (year - 2010)
        + 0.1 * draw.normal(size=len(frame))
    )
    return frame.drop(index=frame.index[[5, 77, 200]])


@pytest.fixture
def three(city_panel: pd.DataFrame) -> pd.DataFrame:
    """The same panel with a third effect that crosses cities and years, provinces around cities,
    and weights.
    """
    city = city_panel["city_code"].astype(int) - 1100
    industry = (city * 3 + city_panel["year"] * 7 + (city * city_panel["year"]) % 11) % 6
    return city_panel.assign(
        industry=industry, province=city // 8, weight=1 + (city * 7 + city_panel["year"]) % 5
    )
