"""Errors that go together by how near rows are: by the double sums that they stand for, by clusters
where they come to the same, and by linearmodels.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import PanelOLS

from analysis.estimators import FixedEffectsResult, fixed_effects, linear_regression
from analysis.estimators.core.kernels import bartlett, distances, lags_of

PLACE = ["latitude", "longitude"]


@pytest.fixture
def placed(city_panel: pd.DataFrame) -> pd.DataFrame:
    """Cities on a line along a meridian, a degree (111.2 km) apart; three rows are missing."""
    city = city_panel["city_code"].astype(int) - 1100
    return city_panel.assign(latitude=city.astype(float), longitude=100.0)


def estimated(frame: pd.DataFrame, covariance, **options) -> FixedEffectsResult:
    return fixed_effects(frame, "y", ["treated", "x"], covariance=covariance, **options)


def slopes(result: FixedEffectsResult) -> np.ndarray:
    return result.covariance.loc[["treated", "x"], ["treated", "x"]].to_numpy()


def by_hand(frame: pd.DataFrame, near) -> np.ndarray:
    """A^-1 (sum_ij near_ij s_i s_j') A^-1 with dummies for all effects."""
    dummies = pd.get_dummies(frame[["city_code", "year"]].astype(str), dtype=float).to_numpy()
    columns = frame[["y", "treated", "x"]].to_numpy(dtype=float)
    left = columns - dummies @ np.linalg.lstsq(dummies, columns, rcond=None)[0]
    x = left[:, 1:]
    b = np.linalg.solve(x.T @ x, x.T @ left[:, 0])
    scores = x * (left[:, 0] - x @ b)[:, None]
    middle = sum(
        near(one, other) * np.outer(scores[i], scores[j])
        for i, one in enumerate(frame.to_dict("records"))
        for j, other in enumerate(frame.to_dict("records"))
        if near(one, other)
    )
    inverse = np.linalg.inv(x.T @ x)
    return inverse @ middle @ inverse


def test_driscoll_kraay_is_its_double_sum(placed: pd.DataFrame) -> None:
    frame = placed[placed["latitude"] < 18]
    found = estimated(frame, {"driscoll_kraay": "year", "lags": 2})
    n, periods = found.n, 8
    factor = periods / (periods - 1) * (n - 1) / (n - found.counted)
    expected = by_hand(frame, lambda a, b: max(0.0, 1 - abs(a["year"] - b["year"]) / 3))
    assert slopes(found) == pytest.approx(factor * expected, rel=1e-9)
    assert found.df_t == periods - 1
    assert "of Driscoll and Kraay by year (8 periods, 2 lags" in found.note()
    assert "few_clusters" in [warning.kind for warning in found.warnings]


def test_driscoll_kraay_without_lags_is_clusters_by_year(placed: pd.DataFrame) -> None:
    none = estimated(placed, {"driscoll_kraay": "year", "lags": 0})
    assert slopes(none) == pytest.approx(
        slopes(estimated(placed, {"cluster": ["year"]})), rel=1e-12
    )
    assert lags_of(None, 10) == 2 and lags_of(None, 100) == 4 and lags_of(7, 10) == 7
    assert bartlett(np.array([2001.0, 2003.0]), 2).tolist() == [[1, pytest.approx(1 / 3)]] * 1 + [
        [pytest.approx(1 / 3), 1]
    ]


def test_driscoll_kraay_by_linearmodels(placed: pd.DataFrame) -> None:
    found = estimated(placed, {"driscoll_kraay": "year", "lags": 2}, small="linearmodels")
    indexed = placed.set_index(["city_code", "year"])
    model = PanelOLS(
        indexed["y"], indexed[["treated", "x"]].astype(float), entity_effects=True,
        time_effects=True,
    )  # fmt: skip
    theirs = model.fit(cov_type="kernel", kernel="bartlett", bandwidth=2, debiased=True)
    assert slopes(found) == pytest.approx(theirs.cov.to_numpy(), rel=1e-9)


def test_conley_is_its_double_sum(placed: pd.DataFrame) -> None:
    """250 km hold two degrees of a meridian, 150 km one."""
    frame = placed[placed["latitude"] < 18]
    found = estimated(frame, {"conley": PLACE, "km": 250, "kernel": "triangular"})
    degree = 6371 * np.pi / 180
    expected = by_hand(frame, lambda a, b: max(0.0, 1 - degree / 250 * apart(a, b)))
    assert slopes(found) == pytest.approx(found.n / (found.n - found.counted) * expected, rel=1e-9)
    assert "of Conley up to 250 km (triangular" in found.note()
    found = estimated(frame, {"conley": PLACE, "km": 150})
    expected = by_hand(frame, lambda a, b: float(apart(a, b) <= 1))
    assert slopes(found) == pytest.approx(found.n / (found.n - found.counted) * expected, rel=1e-9)


def test_conley_that_is_not_semidefinite_is_mended(placed: pd.DataFrame) -> None:
    found = estimated(placed[placed["latitude"] < 18], {"conley": PLACE, "km": 250})
    assert np.linalg.eigvalsh(slopes(found))[0] >= -1e-15
    assert "mended_covariance" in [warning.kind for warning in found.warnings]


def apart(one: dict, other: dict) -> float:
    return abs(one["latitude"] - other["latitude"])


def test_conley_without_neighbours_is_clusters_by_place(placed: pd.DataFrame) -> None:
    alone = estimated(placed, {"conley": PLACE, "km": 50})
    clusters = estimated(placed, {"cluster": ["city_code"]}, small="fixest_full")
    ours = slopes(alone) / (alone.n / (alone.n - alone.counted))
    theirs = slopes(clusters) / (40 / 39 * (clusters.n - 1) / (clusters.n - clusters.counted))
    assert ours == pytest.approx(theirs, rel=1e-12)


def test_distances_of_cities() -> None:
    """A degree of a meridian; Beijing and Shanghai, 1,067 km by any map."""
    assert distances(np.array([30.0, 31.0]), np.array([120.0, 120.0]))[0, 1] == pytest.approx(
        6371 * np.pi / 180
    )
    apart = distances(np.array([39.9042, 31.2304]), np.array([116.4074, 121.4737]))
    assert apart[0, 1] == pytest.approx(1067, abs=1)


def test_what_is_no_nearness_is_refused(placed: pd.DataFrame) -> None:
    for given, message in (
        ({"driscoll_kraay": ["year"]}, "driscoll_kraay is the column of periods"),
        ({"driscoll_kraay": "year", "lags": -1}, "lags = -1: a whole number"),
        ({"driscoll_kraay": "year", "km": 2}, "covariance = 'km' is not known"),
        ({"conley": ["latitude"], "km": 2}, "conley is [latitude, longitude]"),
        ({"conley": PLACE}, "km = None: the distance"),
        ({"conley": PLACE, "km": 9, "kernel": "uniforme"}, "kernel = 'uniforme' is not known"),
        ({"conley": ["x", "year"], "km": 9}, "is a latitude in degrees"),
        ({"driscoll_kraay": "city_code", "cluster": "year"}, "'driscoll_kraay' is not known"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            estimated(placed, given)
    with pytest.raises(ValueError, match="is not known"):
        linear_regression(placed, "y", ["x"], covariance={"driscoll_kraay": "year"})
    one = placed.assign(latitude=1.0)
    with pytest.raises(ValueError, match="one latitude and longitude only"):
        estimated(one, {"conley": PLACE, "km": 9})
