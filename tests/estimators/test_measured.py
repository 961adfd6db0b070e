"""Measures by their doors: the numbers of the measure, in the one grammar and the one result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import (
    EnvelopmentReport,
    FrontierReport,
    MalmquistReport,
    ProductionReport,
    WeightsReport,
    estimate,
)
from analysis.estimators.core.result import TIDY
from analysis.measures import envelopment, frontier, malmquist, productivity, weights

PRODUCTION = {"free": ["l"], "state": ["k"], "proxy": ["m"], "unit": "firm"}


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    """40 firms, 5 years: y = 1 + 0.6 l + 0.4 k + w - u + noise, m rises with w and k."""
    draw = np.random.default_rng(8)
    frame = pd.DataFrame({"firm": np.repeat(range(40), 5), "year": np.tile(range(2001, 2006), 40)})
    w = np.zeros((40, 5))
    for t in range(5):
        w[:, t] = 0.7 * (w[:, t - 1] if t else draw.normal(0, 0.3, 40)) + draw.normal(0, 0.2, 40)
    frame["k"] = np.repeat(draw.normal(3, 1, 40), 5) + draw.normal(0, 0.2, 200)
    frame["l"] = 0.5 * frame["k"] + w.ravel() + draw.normal(0, 0.3, 200)
    frame["m"] = w.ravel() + 0.3 * frame["k"]
    slack = np.abs(draw.normal(0, 0.6, 200))
    frame["y"] = 1 + 0.6 * frame["l"] + 0.4 * frame["k"] + w.ravel() + draw.normal(0, 0.1, 200)
    frame["seen"] = frame["y"] - slack
    frame[["labour", "capital", "output"]] = np.exp(frame[["l", "k", "seen"]])
    return frame.assign(late=frame["year"] > 2002)


def test_a_frontier_has_the_measures_numbers_and_the_one_result(firms: pd.DataFrame) -> None:
    asked = {"outcome": "seen", "inputs": ["l", "k"], "where": "late"}
    found = estimate("stochastic_frontier", firms, asked)
    alone = frontier.stochastic_frontier(firms[firms["late"]], "seen", ["l", "k"])
    assert isinstance(found, FrontierReport) and list(found.tidy().columns) == list(TIDY)
    pd.testing.assert_series_equal(found.coefficients, alone.coefficients, check_exact=True)
    np.testing.assert_array_equal(found.standard_errors, alone.standard_errors)
    assert found.tests["no_inefficiency"].p == alone.lr_p and found.n == 120
    assert found.dropped == {"outside where": 80} and "80 rows (outside where)" in found.note()
    assert found.glance()["mean_efficiency"][0] == alone.mean_efficiency and not found.warnings
    assert list(found.sample) == list(firms.index[firms["late"]])


def test_a_frontier_without_inefficiency_says_so(firms: pd.DataFrame) -> None:
    turned = firms.assign(seen=2 * firms["y"] - firms["seen"])
    found = estimate("stochastic_frontier", turned, {"outcome": "seen", "inputs": ["l", "k"]})
    assert [warning.kind for warning in found.warnings] == ["no_inefficiency"]
    bound = {"distribution": "truncated_normal", "mu_bound": 0.01}
    held = estimate(
        "stochastic_frontier", firms, {"outcome": "seen", "inputs": ["l", "k"], **bound}
    )
    assert [warning.kind for warning in held.warnings] == ["parameter_at_bound"]
    assert held.tidy().set_index("term")["std_error"].isna()["mu"]


def test_a_production_function_is_an_estimate(firms: pd.DataFrame) -> None:
    options = {"outcome": "y", **PRODUCTION, "time": "year", "method": "lp", "bootstrap": 5}
    found = estimate("production_function", firms, options)
    alone = productivity.production_function(
        firms, "y", **PRODUCTION, period="year", method="lp", repetitions=5
    )
    assert isinstance(found, ProductionReport)
    pd.testing.assert_series_equal(found.coefficients, alone.coefficients, check_exact=True)
    np.testing.assert_allclose(found.standard_errors, alone.standard_errors, rtol=1e-13)
    assert found.groups == {"firm": 40} and "from 5 draws of units" in found.note()
    bare = estimate("production_function", firms, options | {"bootstrap": 0})
    assert bare.standard_errors.isna().all() and "not estimated" in bare.note()


def test_envelopment_by_period_has_means_and_no_errors(firms: pd.DataFrame) -> None:
    columns = {"inputs": ["labour", "capital"], "outputs": ["output"]}
    asked = {**columns, "unit": "firm", "time": "year", "slacks": "none"}
    found = estimate("envelopment", firms, asked)
    alone = envelopment.envelopment(
        firms, *columns.values(), unit="firm", period="year", slacks="none"
    )
    assert isinstance(found, EnvelopmentReport)
    table = found.tidy().set_index("term")
    year = alone.table["efficiency"][firms["year"] == 2003].mean()
    assert table.loc["2003", "estimate"] == pytest.approx(year, rel=1e-14)
    assert table.loc["all", "estimate"] == alone.table["efficiency"].mean()
    assert table["std_error"].isna().all() and not found.warnings
    few = estimate("envelopment", firms[firms["year"] == 2001].head(5), asked | {"time": None})
    assert [warning.kind for warning in few.warnings] == ["few_units"]
    assert "5 units a frontier are few for 2 inputs and 1 outputs: below 9" in str(few)


def test_malmquist_reports_the_parts_by_period(firms: pd.DataFrame) -> None:
    asked = {"inputs": ["labour", "capital"], "outputs": ["output"], "unit": "firm", "time": "year"}
    found = estimate("malmquist", firms, asked | {"where": "late"})
    alone = malmquist.malmquist(
        firms[firms["late"]], ["labour", "capital"], ["output"], unit="firm", period="year"
    )
    assert isinstance(found, MalmquistReport)
    table = found.tidy().set_index(["equation", "term"])["estimate"]
    assert table["malmquist", "2004"] == alone.means.loc[2004, "malmquist"]
    parts = table.unstack("equation")
    product = parts["efficiency_change"] * parts["technical_change"]
    np.testing.assert_allclose(product, parts["malmquist"], rtol=1e-12)
    assert found.dropped["outside where"] == 80 and "80 changes of 40 firm" in found.note()


def test_weights_of_an_index_are_a_table_of_indicators(firms: pd.DataFrame) -> None:
    frame = firms.assign(flat=1.0)
    asked = {"positive": ["labour", "output", "flat"], "negative": ["capital"], "where": "late"}
    found = estimate("entropy_weights", frame, asked)
    alone = weights.entropy_weights(frame[frame["late"]], asked["positive"], ["capital"])
    assert isinstance(found, WeightsReport)
    by_name = found.tidy().set_index(["equation", "term"])["estimate"]["weight"]
    assert by_name.to_dict() == alone.weights.to_dict() and by_name["flat"] == 0
    assert [str(warning) for warning in found.warnings] == [
        "flat has no weight: all equal. Leave it out, or mend the column."
    ]
    assert "80 rows outside where" in found.note()
    turned = estimate("principal_components", frame, asked | {"keep": 2})
    loadings = weights.principal_components(
        frame[frame["late"]], asked["positive"], ["capital"], keep=2
    ).loadings
    pc1 = turned.tidy().set_index(["equation", "term"])["estimate"]["pc1"]
    assert pc1.to_dict() == loadings["pc1"].to_dict() and turned.glance()["components"][0] == 2
