"""Warnings on what errors and coefficients do not say: each fires on rows that give cause for it,
and none on rows that do not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import (
    difference_in_differences,
    dynamic_gmm,
    equation_system,
    fixed_effects,
    instrumental_variables,
    linear_regression,
    panel_regression,
)
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.inference import effective_clusters, heavy_tails
from analysis.estimators.core.result import Report

KINDS = {
    "coarse_regressor", "repeated_rows", "lopsided_clusters", "little_variation", "heavy_tails",
    "bad_control",
}  # fmt: skip
BY_CITY = {"cluster": ["city"]}
BY_PAIR = {"cluster": ["pair"]}


@pytest.fixture(scope="module")
def panel() -> pd.DataFrame:
    """40 cities, 10 years, 6 products: a clean regressor x, one of city-years, a policy that 20
    cities get in different years, a control that it moves and one that it does not.
    """
    draw = np.random.default_rng(11)
    grid = np.meshgrid(np.arange(40), np.arange(2001, 2011), np.arange(6), indexing="ij")
    city, year, product = (axis.ravel() for axis in grid)
    cell = city * 10 + year - 2001
    policy = ((city < 20) & (year >= 2003 + city % 5)).astype(float)
    n = len(city)
    return pd.DataFrame(
        {
            "city": city,
            "year": year,
            "product": product,
            "pair": city * 6 + product,
            "x": draw.normal(size=n),
            "coarse": draw.normal(size=400)[cell],
            "policy": policy,
            "moved": policy + draw.normal(size=400)[cell],
            "unmoved": draw.normal(size=n),
            "y": draw.normal(size=n),
            "y_coarse": draw.normal(size=400)[cell],
        }
    )


def kinds(result: Report) -> set[str]:
    return {warning.kind for warning in result.warnings} & KINDS


def sentence(result: Report, kind: str) -> str:
    [found] = [str(warning) for warning in result.warnings if warning.kind == kind]
    return found


def fit(frame: pd.DataFrame, *regressors: str, outcome: str = "y", covariance=BY_CITY) -> Report:
    keys = ["city", "year", "product"]
    return fixed_effects(
        frame, outcome, regressors, ["city", "year"], keys=keys, covariance=covariance
    )


def test_nothing_is_said_of_clean_rows(panel: pd.DataFrame) -> None:
    assert kinds(fit(panel, "x", "unmoved")) == set()
    assert kinds(fit(panel, "policy", "unmoved")) == set()
    assert kinds(linear_regression(panel, "y", ["x"], covariance="robust")) == set()
    endogenous = panel.assign(z=panel["x"] + panel["unmoved"])
    found = instrumental_variables(endogenous, "y", ["z"], ["x"], covariance=BY_CITY)
    assert kinds(found) == set()


def test_a_regressor_of_city_years_in_rows_of_products(panel: pd.DataFrame) -> None:
    """Clusters of city and product cut city-years apart; clusters of cities do not."""
    found = fit(panel, "coarse", "x", covariance=BY_PAIR)
    text = sentence(found, "coarse_regressor")
    assert "coarse varies by city#year only: 400 values in 2,400 rows" in text
    assert "clustered by pair" in text and "Cluster by city" in text
    assert "without clusters" in sentence(
        fit(panel, "coarse", covariance="iid"), "coarse_regressor"
    )
    assert kinds(fit(panel, "coarse", "x")) == set()
    assert kinds(fit(panel, "coarse", covariance={"cluster": ["pair", "city"]})) == set()


def test_repeated_rows_are_told_from_coarse_regressors(panel: pd.DataFrame) -> None:
    found = fit(panel, "coarse", outcome="y_coarse", covariance=BY_PAIR)
    assert "Take one row a city#year" in sentence(found, "repeated_rows")
    assert kinds(found) == {"repeated_rows"}


def test_every_regression_looks_at_its_rows(panel: pd.DataFrame) -> None:
    keys = ["city", "year", "product"]
    instrumented = panel.assign(z=panel["coarse"] + panel["unmoved"])
    options = {"effects": ["product"], "keys": keys, "covariance": BY_PAIR}
    found = instrumental_variables(instrumented, "y", ["z"], ["x"], ["coarse"], **options)
    assert "coarse varies by city#year" in sentence(found, "coarse_regressor")
    yearly = panel[panel["product"] == 0].assign(national=lambda rows: rows["year"] % 7)
    found = panel_regression(yearly, "y", ["national", "x"], "within", unit="city", time="year")
    assert "national varies by year only" in sentence(found, "coarse_regressor")
    assert kinds(panel_regression(yearly, "y", ["x"], "within", unit="city", time="year")) == set()
    extreme = yearly.assign(y=np.where(yearly["city"] == 7, 1e4, yearly["y"]) * yearly["x"])
    assert kinds(linear_regression(extreme, "y", ["unmoved"])) == {"heavy_tails"}
    system = equation_system(extreme, {"one": ("y", ["x"]), "two": ("x", ["unmoved"])}, "OLS")
    assert kinds(system) == {"heavy_tails"}
    gmm = dynamic_gmm(
        extreme, "y", ["L.y", "x"], unit="city", time="year",
        gmm=[{"variables": "L.y", "lags": [1, 2], "collapse": True}], iv=[{"variables": ["x"]}],
    )  # fmt: skip
    assert "heavy_tails" in kinds(gmm)


def test_clusters_of_which_a_few_decide(panel: pd.DataFrame) -> None:
    """By hand: shares of 1/3 and 2/3 are worth 1 / (1/9 + 4/9) = 9/5 clusters."""
    within = np.array([[1.0], [-1.0], [1.0], [-1.0], [1.0], [-1.0]])
    group = numbered(np.array([0, 0, 1, 1, 1, 1]))
    assert effective_clusters(within, group) == pytest.approx([9 / 5])
    lopsided = panel.assign(x=np.where(panel["city"] < 3, 30.0, 1.0) * panel["x"])
    text = sentence(fit(lopsided, "x", "unmoved"), "lopsided_clusters")
    assert "Few of the 40 clusters (city) decide" in text and "unmoved" not in text
    assert kinds(fit(lopsided, "x", covariance="robust")) == set()


def test_what_effects_leave_nothing_of(panel: pd.DataFrame) -> None:
    still = panel.assign(still=panel["city"] + 0.1 * panel["unmoved"])
    assert "of still 0.0" in sentence(fit(still, "still"), "little_variation")
    assert "of still 0.0" in sentence(fit(still, "x", outcome="still"), "little_variation")
    assert kinds(linear_regression(still, "y", ["still"])) == set()


def test_an_outcome_of_which_a_few_rows_decide() -> None:
    """One row in a hundred holds 10,000 of 10,099 parts of the squares; a normal's 9 %."""
    values = np.append(np.tile([1.0, -1.0], 99), [100.0, -100.0])
    [found] = heavy_tails("y", values)
    assert "y has heavy tails: 2 of 200 rows hold 99 %" in str(found)
    draw = np.random.default_rng(1)
    assert not list(heavy_tails("y", draw.normal(size=5000)))
    assert not list(heavy_tails("y", draw.standard_t(3, size=5000)))
    assert not list(heavy_tails("y", values[:50])) and not list(heavy_tails("y", np.ones(200)))


def test_a_control_that_the_policy_moves(panel: pd.DataFrame) -> None:
    found = fit(panel, "policy", "moved", "unmoved")
    text = sentence(found, "bad_control")
    assert "policy goes with moved (t = " in text and "unmoved" not in text
    yearly = panel[panel["product"] == 0]
    did = difference_in_differences(yearly, "y", "city", "year", ["moved"], treatment="policy")
    assert "bad_control" in kinds(did)
    dose = panel.assign(policy=panel["policy"] * panel["x"])
    assert kinds(fit(dose, "policy", "moved")) == set()  # a dose is no policy switched on
    back = panel.assign(policy=np.where(panel["year"] == 2010, 0.0, panel["policy"]))
    assert kinds(fit(back, "policy", "moved")) == set()
    second = panel.assign(moved=panel["policy"] * (panel["city"] < 12))
    assert kinds(fit(second, "policy", "moved")) == set()  # another policy is a dummy as well
