"""Heckman and Tobit: against the printed numbers of R, against definitions, and known truths."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.estimators import HeckmanResult, heckman, tobit
from analysis.estimators.limited.likelihoods import (
    heckman_terms,
    inverse_mills,
    probit_terms,
    tobit_terms,
)

AFFAIRS = ["age", "yearsmarried", "religiousness", "occupation", "rating"]
GREENE = (["exper", "exper2", "educ", "city"], ["age", "age2", "faminc", "kids", "educ"])
WOOLDRIDGE = (
    ["educ", "exper", "exper2"],
    ["nwifeinc", "educ", "exper", "exper2", "age", "kids5", "kids618"],
)


@pytest.fixture(scope="module")
def mroz(golden: Path) -> pd.DataFrame:
    frame = pd.read_csv(golden / "heckman_mroz" / "mroz87.csv")
    working = frame["lfp"] == 1
    return frame.assign(
        age2=frame["age"] ** 2,
        exper2=frame["exper"] ** 2,
        lwage=np.log(frame["wage"].where(working)),
    )


def _check(
    result: HeckmanResult,
    expected: dict,
    equations: tuple[list[str], list[str]],
    coef_digits: float,
    se_digits: float,
) -> None:
    """R names no equation: it lists selection, then outcome, each with its constant first."""
    regressors, selection = equations
    terms = [f"selection: {name}" for name in ["constant", *selection]] + ["constant", *regressors]
    terms += ["inverse_mills_ratio"] if "invMillsRatio" in expected["coef"] else []
    for term, value, error in zip(
        terms, expected["coef"].values(), expected["se"].values(), strict=False
    ):
        assert result.coefficients[term] == pytest.approx(value, rel=coef_digits), term
        assert result.standard_errors[term] == pytest.approx(error, rel=se_digits), term
    for term in ("sigma", "rho"):
        assert result.derived.loc[term, "coefficient"] == pytest.approx(
            expected["coef"][term], rel=coef_digits
        )
        if expected["se"][term] is not None:
            assert result.derived.loc[term, "standard_error"] == pytest.approx(
                expected["se"][term], rel=se_digits
            )
    assert len(result.coefficients) == len(terms) + (0 if "inverse_mills_ratio" in terms else 2)


def test_heckman_equals_sample_selection(golden: Path, mroz: pd.DataFrame) -> None:
    expected = json.loads((golden / "heckman_mroz" / "r_sampleSelection.json").read_text())
    _check(
        heckman(mroz, "wage", *GREENE, selected="lfp"),
        expected["greene_twostep"],
        GREENE,
        1e-10,
        1e-10,
    )
    # R's optimisers stop at relative changes of 1e-8: the reference is good for seven digits
    _check(
        heckman(mroz, "lwage", *WOOLDRIDGE, selected="lfp"),
        expected["wooldridge_twostep"],
        WOOLDRIDGE,
        1e-7,
        1e-7,
    )
    ml = heckman(mroz, "wage", *GREENE, selected="lfp", estimator="ml")
    _check(ml, expected["greene_ml"], GREENE, 1e-7, 1e-7)
    assert ml.log_likelihood == pytest.approx(expected["greene_ml"]["logLik"], rel=1e-12)
    assert ml.gradient < 1e-10
    assert ml.n == 753
    assert ml.selected == 428


@pytest.mark.parametrize(("key", "right"), [("left0", None), ("left0_right4", 4.0)])
def test_tobit_equals_aer(golden: Path, key: str, right: float | None) -> None:
    frame = pd.read_csv(golden / "tobit_affairs" / "affairs.csv")
    expected = json.loads((golden / "tobit_affairs" / "r_aer_tobit.json").read_text())[key]
    result = tobit(frame, "affairs", AFFAIRS, right=right)
    for name, value in expected["coef"].items():
        term = "constant" if name == "(Intercept)" else name
        assert result.coefficients[term] == pytest.approx(value, rel=1e-9)
        assert result.standard_errors[term] == pytest.approx(expected["se"][name], rel=1e-9)
    assert result.standard_errors["ln_sigma"] == pytest.approx(
        expected["se"]["Log(scale)"], rel=1e-9
    )
    assert result.sigma == pytest.approx(expected["scale"], rel=1e-9)
    assert result.sigma_error == pytest.approx(
        expected["scale"] * expected["se"]["Log(scale)"], rel=1e-9
    )
    assert result.log_likelihood == pytest.approx(expected["logLik"], abs=1e-9)
    assert result.gradient < 1e-10
    assert result.censored_left == int((frame["affairs"] <= 0).sum())
    assert result.censored_right == (0 if right is None else int((frame["affairs"] >= right).sum()))


def test_derivatives_are_those_of_the_likelihood() -> None:
    """Central differences of the terms and of their first derivatives, in every index, on both
    sides of every limit.
    """
    draw = np.random.default_rng(1)
    y = np.concatenate([draw.normal(size=9) * 2, [0.0, 3.0]]).clip(0, 3)
    chosen = (np.arange(11) % 3 > 0).astype(float)
    for terms, width in (
        (probit_terms(chosen), 1),
        (tobit_terms(y, 0.0, 3.0), 2),
        (heckman_terms(y, chosen), 4),
    ):
        index = draw.normal(size=(11, width)) * 0.7
        _, slope, curve = terms(index)
        for j in range(width):
            step = np.zeros_like(index)
            step[:, j] = 1e-6
            above, below = terms(index + step), terms(index - step)
            np.testing.assert_allclose(
                (above[0] - below[0]) / 2e-6, slope[:, j], atol=2e-8, rtol=1e-7
            )
            np.testing.assert_allclose(
                (above[1] - below[1]) / 2e-6, curve[:, j], atol=2e-8, rtol=1e-7
            )


def test_far_tails_stay_finite() -> None:
    x = np.array([-1e4, -40.0, 0.0, 40.0])
    np.testing.assert_allclose(inverse_mills(x)[:2], [1e4, 40.02494], rtol=1e-6)
    value, slope, curve = heckman_terms(np.array([0.0, 50.0]), np.array([0.0, 1.0]))(
        np.array([[60.0, 0, 0, 0], [-60.0, 0, 0, 0]])
    )
    assert np.isfinite(value).all()
    assert np.isfinite(slope).all()
    assert np.isfinite(curve).all()


def test_without_limits_tobit_is_least_squares(cities: pd.DataFrame) -> None:
    result = tobit(cities, "cut", ["x", "z"], left=None, right=None)
    x = np.column_stack([cities[["x", "z"]], np.ones(len(cities))])
    slope, rss, *_ = np.linalg.lstsq(x, cities["cut"], rcond=None)
    np.testing.assert_allclose(result.coefficients[["x", "z", "constant"]], slope, rtol=1e-10)
    assert result.sigma == pytest.approx(np.sqrt(rss[0] / len(x)), rel=1e-12)
    np.testing.assert_allclose(
        result.covariance.iloc[:3, :3],
        result.sigma**2 * np.linalg.inv(x.T @ x),
        rtol=1e-9,
        atol=1e-15,
    )
    assert "Tobit with no limit" in result.note()


def test_tobit_covariances_by_definition(cities: pd.DataFrame) -> None:
    """Scores and information by hand; clusters summed, with the factor G/(G-1) or without."""
    plain = tobit(cities, "cut", ["x"], right=4)
    x, y = np.column_stack([cities["x"], np.ones(len(cities))]), cities["cut"].to_numpy()
    _, slopes, _ = tobit_terms(y, 0.0, 4.0)(
        np.column_stack(
            [x @ plain.coefficients.iloc[:2], np.full(len(y), plain.coefficients.iloc[2])]
        )
    )
    scores = np.column_stack([slopes[:, [0]] * x, slopes[:, 1]])
    bread = plain.covariance.to_numpy()
    sums = pd.DataFrame(scores).groupby(cities["city_code"].to_numpy()).sum().to_numpy()
    clustered = tobit(cities, "cut", ["x"], right=4, covariance={"cluster": ["city_code"]})
    np.testing.assert_allclose(
        clustered.covariance, bread @ (sums.T @ sums) @ bread * 80 / 79, rtol=1e-8, atol=1e-14
    )
    robust = tobit(cities, "cut", ["x"], right=4, covariance="robust", small="none")
    np.testing.assert_allclose(
        robust.covariance, bread @ (scores.T @ scores) @ bread, rtol=1e-8, atol=1e-14
    )
    np.testing.assert_allclose(clustered.coefficients, plain.coefficients, rtol=1e-12)
    assert clustered.groups == {"city_code": 80}
    assert (
        "clustered by city_code (80 clusters, sandwich, factor G/(G-1), normal)" in clustered.note()
    )


def test_known_truths_are_recovered(cities: pd.DataFrame) -> None:
    cut = tobit(cities, "cut", ["x"], left=0, right=4, covariance={"cluster": ["city_code"]})
    assert abs(cut.coefficients["x"] - 0.7) < 3 * cut.standard_errors["x"] < 0.4
    assert abs(cut.sigma - 1.5) < 3 * cut.sigma_error
    for estimator in ("two_step", "ml"):
        result = heckman(cities, "wage", ["x"], ["x", "z"], estimator=estimator)
        for term, truth in (
            ("x", 0.7),
            ("constant", 1.0),
            ("selection: z", 1.0),
            ("selection: x", 0.5),
        ):
            assert (
                abs(result.coefficients[term] - truth) < 3 * result.standard_errors[term] < 0.6
            ), (estimator, term)
        assert abs(result.derived.loc["rho", "coefficient"] - 0.6) < 0.25
        assert result.derived.loc["lambda", "coefficient"] == pytest.approx(
            np.prod(result.derived["coefficient"].iloc[:2])
        )
    independence = result.tests["independence"]
    assert independence.p == pytest.approx(stats.chi2.sf(independence.statistic, 1))
    assert independence.p < 0.01


def test_the_two_step_sandwich_is_near_the_correction_where_both_hold() -> None:
    draw = np.random.default_rng(9)
    n = 40_000
    frame = pd.DataFrame(
        {"x": draw.normal(size=n), "z": draw.normal(size=n), "row": np.arange(n) // 2}
    )
    v = draw.normal(size=n)
    frame["seen"] = 0.5 * frame["x"] + frame["z"] + v > 0
    frame["y"] = frame["x"] + 0.9 * v + 0.5 * draw.normal(size=n)
    plain = heckman(frame, "y", ["x"], ["x", "z"], selected="seen")
    for covariance in ("robust", {"cluster": ["row"]}):
        other = heckman(frame, "y", ["x"], ["x", "z"], selected="seen", covariance=covariance)
        np.testing.assert_allclose(other.standard_errors / plain.standard_errors, 1, atol=0.03)
        correlation = [
            r.covariance.loc["x", "selection: x"]
            / (r.standard_errors["x"] * r.standard_errors["selection: x"])
            for r in (plain, other)
        ]
        assert correlation[0] == pytest.approx(correlation[1], abs=0.03)


def test_a_table_has_its_equations_and_what_follows_from_them(cities: pd.DataFrame) -> None:
    result = heckman(cities, "wage", ["x"], ["x", "z"], estimator="ml")
    table = result.tidy().set_index(["equation", "term"])
    assert table.loc[("selection", "z"), "estimate"] == result.coefficients["selection: z"]
    assert table.loc[("wage", "x"), "estimate"] == result.coefficients["x"]
    assert list(table.loc["ancillary"].index) == ["ln_sigma", "atanh_rho", "sigma", "rho", "lambda"]
    rho = table.loc[("ancillary", "rho")]
    assert (rho["estimate"], rho["std_error"]) == tuple(result.derived.loc["rho"])
    assert np.isnan(rho["p_value"]) and result.glance()["selected"].item() == result.selected
    cut = tobit(cities, "cut", ["x"]).tidy().set_index(["equation", "term"])
    assert list(cut.loc["ancillary"].index) == ["ln_sigma", "sigma"]
