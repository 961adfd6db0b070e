"""Where the numbers of other programs are found, and panels of which the truth is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.estimators.spatial_cases import rook


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


@pytest.fixture
def made_up() -> pd.DataFrame:
    draw = np.random.default_rng(4)
    n = 80
    frame = pd.DataFrame(draw.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    e, f = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 2]], size=n).T
    # y1 = 1 + 0.5 y2 + a + b + e, y2 = 2 - 0.4 y1 + c - d + f, solved for both
    frame["y1"] = (1 + frame.a + frame.b + e + 0.5 * (2 + frame.c - frame.d + f)) / 1.2
    frame["y2"] = 2 - 0.4 * frame.y1 + frame.c - frame.d + f
    return frame.assign(city=[f"{c:04d}" for c in range(n)])


@pytest.fixture
def spatial_panel() -> tuple[pd.DataFrame, pd.DataFrame]:
    """36 cities over 4 years, two outcomes with spatial lags, and the pairs of neighbours."""
    draw = np.random.default_rng(11)
    matrix = rook(6)
    w = matrix / matrix.sum(axis=1, keepdims=True)
    n = len(w)
    frames = []
    for year in range(2012, 2016):
        x = draw.normal(size=(n, 3))
        e = draw.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=n)
        u = np.linalg.solve(np.eye(n) - 0.4 * w, e)
        # y1 = 0.3 W y1 + 0.4 y2 + x1 + u1 and y2 = 0.2 W y2 - 0.3 y1 + x2 - x3 + u2, solved
        # together
        system = np.block(
            [[np.eye(n) - 0.3 * w, -0.4 * np.eye(n)], [0.3 * np.eye(n), np.eye(n) - 0.2 * w]]
        )
        y = np.linalg.solve(
            system, np.concatenate([1 + x[:, 0] + u[:, 0], x[:, 1] - x[:, 2] + u[:, 1]])
        )
        frames.append(
            pd.DataFrame(
                {
                    "city_code": [f"{1100 + i}" for i in range(n)],
                    "year": year,
                    "y1": y[:n],
                    "y2": y[n:],
                    "x1": x[:, 0],
                    "x2": x[:, 1],
                    "x3": x[:, 2],
                }
            )
        )
    first, second = np.nonzero(matrix)
    pairs = pd.DataFrame(
        {
            "city_code": [f"{1100 + i}" for i in first],
            "neighbour_code": [f"{1100 + i}" for i in second],
        }
    )
    return pd.concat(frames, ignore_index=True), pairs
