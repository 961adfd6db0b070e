"""Where the numbers of other programs are found, and panels of which the truth is known."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="module")
def mpdta(golden: Path) -> pd.DataFrame:
    """The example of R did, with a covariate that moves, weights and clusters made up from the
    keys.
    """
    frame = pd.read_csv(golden / "did_mpdta" / "mpdta.csv")
    frame["x"] = frame["lpop"] + np.sin(frame["countyreal"] + 3.0 * frame["year"])
    frame["w"] = 1 + frame["countyreal"] % 5
    frame["cl"] = frame["countyreal"] % 37
    return frame


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


@pytest.fixture(scope="module")
def lalonde(golden: Path) -> pd.DataFrame:
    """Lalonde's trainees, each with the number of its row."""
    return pd.read_csv(golden / "psm_lalonde" / "lalonde.csv").reset_index(names="row")


@pytest.fixture(scope="module")
def expected(golden: Path) -> dict:
    """What other programs give for `lalonde`."""
    return json.loads((golden / "psm_lalonde" / "closed_form.json").read_text())


@pytest.fixture
def cities() -> pd.DataFrame:
    """80 cities over 9 years; an outcome cut at 0 and 4, and one seen only where selection is
    positive, rho = 0.6, sigma = 1.5.
    """
    draw = np.random.default_rng(5)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(80), np.arange(2008, 2017), indexing="ij")
    )
    n = len(city)
    frame = pd.DataFrame(
        {
            "city_code": [f"{1100 + c}" for c in city],
            "year": year,
            "x": draw.normal(size=n),
            "z": draw.normal(size=n),
        }
    )
    v = draw.normal(size=n)
    e = 1.5 * (0.6 * v + 0.8 * draw.normal(size=n))
    frame["chosen"] = (0.3 + 0.5 * frame["x"] + frame["z"] + v > 0).astype(int)
    latent = 1.0 + 0.7 * frame["x"] + e
    frame["wage"] = latent.where(frame["chosen"] == 1)
    frame["cut"] = latent.clip(0, 4)
    return frame


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    """Firms by year: some move between cities, cities adopt at different dates or never, errors
    share a city's shocks.
    """
    n_cities, years = 20, range(2010, 2018)
    draw = np.random.default_rng(7)
    n, n_firms = 1500, 220
    frame = pd.DataFrame(
        {"firm": draw.integers(0, n_firms, n), "year": draw.integers(years[0], years[-1] + 1, n)}
    )
    home = draw.integers(0, n_cities, n_firms)
    frame["city_code"] = np.where(
        draw.random(n) < 0.9, home[frame["firm"]], draw.integers(0, n_cities, n)
    )
    frame["province"], frame["sector"] = frame["city_code"] % 5, draw.integers(0, 9, n)
    frame["weight"] = draw.uniform(0.1, 2, n)
    start = np.where(draw.random(n_cities) < 0.5, draw.integers(2011, 2018, n_cities), 9999)
    frame["zone"] = (frame["year"] >= start[frame["city_code"]]).astype(int)
    frame["x"], frame["z"] = draw.normal(size=n) + 0.2 * frame["zone"], draw.normal(size=n)
    shocks = draw.normal(size=(n_cities, len(years)))
    frame["y"] = (
        0.3 * frame["zone"]
        + 0.5 * frame["x"]
        + draw.normal(size=n_firms)[frame["firm"]]
        + 0.3 * shocks[frame["city_code"], frame["year"] - 2010]
    )
    frame["y"] += draw.normal(size=n)
    return frame


@pytest.fixture
def panel(firms: pd.DataFrame) -> pd.DataFrame:
    """The means of `firms` by city and year."""
    return firms.groupby(["city_code", "year"], as_index=False)[["y", "x", "zone"]].mean()
