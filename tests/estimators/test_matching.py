"""Logit and probit, propensity-score matching, PSM-DID: closed forms, cases by hand, known truths,
traps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.psm import psm_did
from analysis.estimators.limited.binary import SeparationError, binary_choice
from analysis.estimators.linear.fixed_effects import fixed_effects
from analysis.estimators.matching.model import match, matching_att
from analysis.estimators.matching.options import MatchOptions
from analysis.estimators.matching.weights import TieError, kernel_weights, nearest, nearest_once

LALONDE = ["age", "educ", "race", "married", "nodegree", "re74", "re75"]


@pytest.fixture(scope="module")
def lalonde(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "psm_lalonde" / "lalonde.csv").reset_index(names="row")


@pytest.fixture(scope="module")
def expected(golden: Path) -> dict:
    return json.loads((golden / "psm_lalonde" / "closed_form.json").read_text())


def panel() -> pd.DataFrame:
    """200 cities, 2011-2018; larger cities are treated more often from 2015 on and grow faster:
    effect 1.
    """
    draw = np.random.default_rng(4)
    size = draw.normal(size=200)
    zone = draw.random(200) < 1 / (1 + np.exp(1 - 1.2 * size))
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(200), np.arange(2011, 2019), indexing="ij")
    )
    x = size[city] + 0.3 * draw.normal(size=len(city))
    did = (zone[city] & (year >= 2015)).astype(int)
    y = did + 0.4 * size[city] * (year - 2011) + 0.3 * draw.normal(size=len(city))
    columns = {
        "city": [f"{1000 + c}" for c in city],
        "year": year,
        "did": did,
        "zone": zone[city].astype(int),
        "x": x,
        "y": y,
    }
    return pd.DataFrame(columns).assign(
        z=draw.normal(size=len(city)), region=np.array(["east", "west"])[city % 2]
    )


# --- logit and probit
# --------------------------------------------------------------------------------------------------


def test_logit_equals_r_glm(lalonde: pd.DataFrame, expected: dict) -> None:
    result = binary_choice(lalonde, "treat", LALONDE, keys=["row"])
    np.testing.assert_allclose(
        result.coefficients, list(expected["logit_coef"].values()), rtol=1e-12
    )
    # glm takes its covariance one step before the last: equal to the digits that step is worth
    np.testing.assert_allclose(
        result.standard_errors, list(expected["logit_se"].values()), rtol=1e-7
    )
    assert result.log_likelihood == pytest.approx(expected["logLik"], rel=1e-13)
    assert list(result.coefficients.index) == [
        "constant",
        "age",
        "educ",
        "race=hispan",
        "race=white",
        "married",
        "nodegree",
        "re74",
        "re75",
    ]


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_binary_choice_with_one_dummy_by_hand(link: str) -> None:
    """3 of 4 ones where x = 0, 1 of 5 where x = 1: probabilities are the shares, the rest
    follows.
    """
    from scipy import stats

    frame = pd.DataFrame({"y": [1, 1, 1, 0, 1, 0, 0, 0, 0], "x": [0] * 4 + [1] * 5})
    result = binary_choice(frame, "y", ["x"], link)
    quantile = stats.norm.ppf if link == "probit" else lambda p: np.log(p / (1 - p))
    assert result.coefficients["constant"] == pytest.approx(quantile(0.75), abs=1e-12)
    assert result.coefficients["x"] == pytest.approx(quantile(0.2) - quantile(0.75), abs=1e-12)
    likelihood = 3 * np.log(0.75) + np.log(0.25) + np.log(0.2) + 4 * np.log(0.8)
    null = 4 * np.log(4 / 9) + 5 * np.log(5 / 9)
    assert result.log_likelihood == pytest.approx(likelihood, abs=1e-12)
    assert result.pseudo_r2 == pytest.approx(1 - likelihood / null, abs=1e-12)
    assert result.tests["likelihood_ratio"].statistic == pytest.approx(
        2 * (likelihood - null), abs=1e-11
    )
    density = {
        "logit": lambda p: p * (1 - p),
        "probit": lambda p: stats.norm.pdf(stats.norm.ppf(p)),
    }[link]
    information = {p: n * density(p) ** 2 / (p * (1 - p)) for p, n in ((0.75, 4), (0.2, 5))}
    assert result.standard_errors["x"] == pytest.approx(
        np.sqrt(sum(1 / part for part in information.values())), rel=1e-10
    )


def test_weights_are_frequencies(lalonde: pd.DataFrame) -> None:
    numeric = ["age", "educ", "married"]
    times = lalonde.assign(w=1 + lalonde["row"] % 3)
    repeated = lalonde.loc[lalonde.index.repeat(times["w"])]
    weighted, plain = (
        binary_choice(times, "treat", numeric, "probit", weights="w"),
        binary_choice(repeated, "treat", numeric, "probit"),
    )
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, rtol=1e-12)
    np.testing.assert_allclose(weighted.standard_errors, plain.standard_errors, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "regressors", "error", "message"),
    [
        (
            {"z": lambda f: (f["x"] > 0) * 1.0, "y": lambda f: (f["x"] > 0) * 1},
            ["z"],
            SeparationError,
            "runs to infinity",
        ),
        (
            {"y": lambda f: ((f["x"] > 0) & (f["k"] > 3)) * 1, "z": lambda f: (f["x"] > 0) * 1.0},
            ["z", "k"],
            SeparationError,
            "perfectly",
        ),
        (
            {"z": lambda f: 2 * f["x"] + 1},
            ["x", "z"],
            ValueError,
            "combination of the other regressors",
        ),
        (
            {"z": 3.0},
            ["x", "z"],
            ValueError,
            "combination of the other regressors and the constant",
        ),
        ({"y": 1}, ["x"], ValueError, "is 1 in every complete row"),
        ({"y": 2.5}, ["x"], ValueError, "values other than 0 and 1"),
        ({}, [], ValueError, "at least one"),
        ({}, ["q"], ValueError, "column 'q' is not in the frame"),
    ],
)
def test_what_has_no_estimate_is_said(
    changes: dict, regressors: list, error: type, message: str
) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": draw.normal(size=60), "k": np.arange(60) % 7, "y": draw.integers(0, 2, 60)}
    ).assign(**changes)
    with pytest.raises(error, match=message):
        binary_choice(frame, "y", regressors)


def test_far_values_are_not_taken_for_separation() -> None:
    """One row far out has probability one to rounding; the estimate is finite all the same."""
    draw = np.random.default_rng(2)
    x = np.append(draw.normal(size=300), 80.0)
    y = np.append(draw.random(300) < 1 / (1 + np.exp(-x[:300])), True).astype(int)
    result = binary_choice(pd.DataFrame({"x": x, "y": y}), "y", ["x"])
    assert result.coefficients["x"] == pytest.approx(1.0, abs=0.6)
    assert result.probability.iloc[-1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_neither_units_nor_means_far_from_zero_are_taken_for_separation(link: str) -> None:
    """Units of 1e9 and 1e-12, and means a thousand or ten million spreads from zero (years,
    money).
    """
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=900), "z": draw.normal(size=900)})
    frame["y"] = (frame["x"] + frame["z"] + draw.logistic(size=900) > 0).astype(int)
    plain = binary_choice(frame, "y", ["x", "z"], link)
    for unit, mean, digits in (
        (1e9, 0.0, 1e-13),
        (1e-12, 0.0, 1e-13),
        (1.0, 1e3, 1e-12),
        (1.0, 1e7, 1e-8),
    ):
        moved = binary_choice(frame.assign(x=frame["x"] * unit + mean), "y", ["x", "z"], link)
        assert moved.coefficients["x"] * unit == pytest.approx(plain.coefficients["x"], rel=digits)
        assert moved.standard_errors["x"] * unit == pytest.approx(
            plain.standard_errors["x"], rel=digits
        )


# --- matching
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("nn1_noties", {"ties": "first"}),
        ("nn4_noties", {"neighbours": 4, "ties": "first"}),
        ("nn1_ties_averaged", {}),
        ("nn4_ties_averaged", {"neighbours": 4}),
        ("radius_0.05_att", {"method": "radius", "caliper": 0.05}),
        ("radius_0.01_att", {"method": "radius", "caliper": 0.01}),
        ("kernel_epan_0.06_att", {"method": "kernel"}),
    ],
)
def test_effects_equal_the_closed_form(
    lalonde: pd.DataFrame, expected: dict, key: str, options: dict
) -> None:
    result = matching_att(lalonde, "re78", "treat", LALONDE, keys=["row"], options=options)
    assert result.coefficients["ATT"] == pytest.approx(expected[key], rel=1e-12)
    if key.startswith("kernel"):
        assert result.matching.counts()["treated_matched"] == expected["kernel_epan_n"]


def small() -> pd.DataFrame:
    """Three treated, five controls, scores by hand; two controls tie at .30."""
    return pd.DataFrame(
        {
            "d": [1, 1, 1, 0, 0, 0, 0, 0],
            "p": [0.30, 0.52, 0.95, 0.30, 0.30, 0.50, 0.55, 0.60],
            "y": [5.0, 8, 9, 1, 3, 4, 6, 10],
            "id": list("stuvwxyz"),
        }
    )


def att(**options) -> float:
    return float(
        matching_att(small(), "y", "d", score="p", keys=["id"], options=options).coefficients["ATT"]
    )


def test_every_method_by_hand() -> None:
    mean = np.mean([5.0, 8, 9])
    assert att() == pytest.approx(
        mean - np.mean([2, 4, 10])
    )  # .30 averages 1 and 3; .52 takes .50; .95 takes .60
    assert att(ties="first") == pytest.approx(mean - np.mean([1, 4, 10]))  # v before w
    assert att(neighbours=2) == pytest.approx(mean - np.mean([2, 5, 8]))
    assert att(caliper=0.1) == pytest.approx(np.mean([5, 8]) - np.mean([2, 4]))
    assert att(neighbours=3, caliper=0.05) == pytest.approx(np.mean([5, 8]) - np.mean([2, 5]))
    assert att(method="radius", caliper=0.35) == pytest.approx(
        mean - np.mean([np.mean([1, 3, 4, 6, 10]), np.mean([1, 3, 4, 6, 10]), 10])
    )
    u = np.array([0.02, 0.03]) / 0.06
    weight = 1 - u**2
    assert att(method="kernel") == pytest.approx(
        np.mean([5, 8]) - np.mean([2, weight @ [4, 6] / weight.sum()])
    )
    gaussian = [
        np.exp(-(((np.array([0.3, 0.3, 0.5, 0.55, 0.6]) - p) / 0.1) ** 2) / 2)
        for p in (0.3, 0.52, 0.95)
    ]
    assert att(method="kernel", kernel="gaussian", bandwidth=0.1) == pytest.approx(
        mean - np.mean([g @ [1, 3, 4, 6, 10] / g.sum() for g in gaussian])
    )
    # without replacement, largest score first: .95 takes .60, .52 takes .50, .30 takes v
    assert att(ties="first", replacement=False) == pytest.approx(mean - np.mean([10, 4, 1]))
    # two rounds: .95 then takes .55, .52 takes w (.30; .60 and .55 are gone), .30 has none left
    assert att(ties="first", replacement=False, neighbours=2) == pytest.approx(
        mean - np.mean([8, 3.5, 1])
    )


@pytest.mark.parametrize(
    ("kernel", "shape"),
    [
        ("biweight", lambda u: (1 - u**2) ** 2),
        ("tricube", lambda u: (1 - u**3) ** 3),
        ("uniform", np.ones_like),
    ],
)
def test_other_kernels(kernel: str, shape) -> None:
    weight = shape(np.array([0.02, 0.03]) / 0.06)
    got = kernel_weights(np.array([0.52]), np.array([0.3, 0.5, 0.55, 0.6]), kernel, 0.06).toarray()[
        0
    ]
    np.testing.assert_allclose(got, [0, *(weight / weight.sum()), 0], atol=1e-15)


def test_support_rules() -> None:
    frame = small()
    supported = {
        rule: match(frame, "d", score="p", options={"support": rule, "trim": 0.4}).support.tolist()
        for rule in ("none", "common", "overlap", "trim")
    }
    assert supported["none"] == [True] * 8
    assert supported["common"] == [True, True, False] + [True] * 5
    assert supported["overlap"] == [True, True, False] + [True] * 5
    assert supported["trim"] == [p >= 0.4 and p <= 0.6 for p in frame["p"]]


def test_weights_pairs_and_standard_error_by_hand() -> None:
    result = matching_att(small(), "y", "d", score="p", keys=["id"], options={"neighbours": 2})
    assert result.matching.weights.tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 1.0, 0.5]
    np.testing.assert_allclose(result.matching.pairs.sum(axis=1), 1)
    own, other = np.var([5, 8, 9], ddof=1), np.var([1, 3, 4, 6, 10], ddof=1)
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt(own / 3 + other * (4 * 0.25 + 1) / 9)
    )
    assert result.unmatched_difference == pytest.approx(22 / 3 - 24 / 5)
    assert result.n == 8
    assert result.groups == {
        "treated": 3,
        "treated_matched": 3,
        "controls": 5,
        "controls_matched": 5,
    }


def test_abadie_imbens_by_hand() -> None:
    """One neighbour, scores without ties. Nearest controls of controls: .2-.3 each other, .5 to
    .55, .55 to .5, .7 to .55.
    """
    frame = pd.DataFrame(
        {
            "d": [1, 1, 1, 0, 0, 0, 0, 0],
            "p": [0.21, 0.53, 0.9, 0.2, 0.3, 0.5, 0.55, 0.7],
            "y": [5.0, 8, 9, 1, 3, 4, 6, 10],
        }
    )
    result = matching_att(frame, "y", "d", score="p", standard_error="abadie_imbens")
    gap = np.array([5 - 1, 8 - 6, 9 - 10]) - np.mean([4, 2, -1])
    variance = 0.5 * np.array(
        [(1 - 3) ** 2, (6 - 4) ** 2, (10 - 6) ** 2]
    )  # of the controls that serve: .2, .55, .7
    served = np.ones(3)  # each serves one row: K^2 - K' = 0
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt((gap**2).sum() + ((served**2 - 1) * variance).sum()) / 3
    )
    twice = frame.assign(p=[0.21, 0.22, 0.9, 0.2, 0.3, 0.5, 0.55, 0.7])
    gap = np.array([5 - 1, 8 - 1, 9 - 10]) - np.mean([4, 7, -1])
    result = matching_att(twice, "y", "d", score="p", standard_error="abadie_imbens")
    assert result.standard_errors["ATT"] == pytest.approx(
        np.sqrt((gap**2).sum() + (2**2 - 2) * 0.5 * (1 - 3) ** 2) / 3
    )
    with pytest.raises(ValueError, match="nearest neighbours with replacement"):
        matching_att(
            twice, "y", "d", score="p", standard_error="abadie_imbens", options={"method": "kernel"}
        )


def test_balance_by_hand() -> None:
    frame = small().assign(x=[2.0, 4, 6, 1, 2, 3, 4, 10])
    matching = match(frame, "d", ["x"], score="p", keys=["id"], options={"neighbours": 2})
    row, w = matching.balance.loc["x"], np.array([0.5, 0.5, 0.5, 1.0, 0.5])
    x1, x0 = frame["x"].to_numpy()[:3], frame["x"].to_numpy()[3:]
    spread = np.sqrt((x1.var(ddof=1) + x0.var(ddof=1)) / 2)
    after = w @ x0 / w.sum()
    assert row["bias_pct_before"] == pytest.approx(100 * (4 - 4) / spread)
    assert row["bias_pct_after"] == pytest.approx(100 * (4 - after) / spread)
    assert row["variance_ratio_before"] == pytest.approx(x1.var(ddof=1) / x0.var(ddof=1))
    assert row["variance_ratio_after"] == pytest.approx(
        x1.var(ddof=1) / (w @ (x0 - after) ** 2 / (w.sum() - 1))
    )
    pooled = (2 * x1.var(ddof=1) + w @ (x0 - after) ** 2) / (3 + 3 - 2)
    assert row["t_after"] == pytest.approx((4 - after) / np.sqrt(pooled * (1 / 3 + 1 / 3)))


def test_matching_balances_and_says_so(lalonde: pd.DataFrame) -> None:
    matching = match(lalonde, "treat", LALONDE, options={"method": "kernel"})
    before, after = matching.summary.loc["before"], matching.summary.loc["after"]
    assert before["pseudo_r2"] == pytest.approx(matching.model.pseudo_r2, rel=1e-10)
    assert after["pseudo_r2"] < 0.01 < before["pseudo_r2"]
    assert after["rubin_b"] < 25 < before["rubin_b"]
    assert after["mean_bias_pct"] < 5 < before["mean_bias_pct"]
    assert list(matching.balance.index)[2:4] == ["race=hispan", "race=white"]
    assert (
        "184 of 185 treated rows matched with 429 of 429 controls (epanechnikov kernel, "
        "bandwidth 0.06" in matching.note()
    )


def test_index_and_scaled_caliper(lalonde: pd.DataFrame) -> None:
    wide = match(
        lalonde, "treat", LALONDE, options={"on_index": True, "caliper": 0.2, "caliper_in_sd": True}
    )
    index = wide.model.index
    same = match(
        lalonde.assign(s=index),
        "treat",
        LALONDE,
        score="s",
        options={"caliper": 0.2 * float(index.std())},
    )
    pd.testing.assert_series_equal(wide.weights, same.weights)
    assert not wide.weights.equals(match(lalonde, "treat", LALONDE).weights)


def test_nearest_against_a_plain_search() -> None:
    draw = np.random.default_rng(7)
    treated, controls = np.round(draw.random(50), 2), np.round(draw.random(80), 2)
    distance = np.abs(treated[:, None] - controls)
    for k in (1, 3, 90):
        reach = np.sort(distance, axis=1)[:, min(k, 80) - 1]
        chosen = (distance <= reach[:, None]) & (distance <= 0.03)
        plain = chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
        np.testing.assert_allclose(
            nearest(treated, controls, k, 0.03, "average", None).toarray(), plain, atol=1e-15
        )
        first = nearest(treated, controls, k, 0.03, "first", np.arange(80)).toarray()
        for i in range(50):
            order = [
                j for j in np.lexsort([np.arange(80), distance[i]])[:k] if distance[i, j] <= 0.03
            ]
            assert np.flatnonzero(first[i]).tolist() == sorted(order)
    once = nearest_once(treated, controls, 1, None, True, (np.arange(50), np.arange(80))).toarray()
    assert (once.sum(axis=0) <= 1).all()
    assert (once.sum(axis=1) == 1).all()


def test_ties_that_matter_need_keys() -> None:
    with pytest.raises(TieError, match="pass keys"):
        matching_att(small(), "y", "d", score="p", options={"ties": "first"})
    with pytest.raises(TieError, match="order of rows matters"):
        matching_att(small(), "y", "d", score="p", options={"ties": "first", "replacement": False})
    assert (
        att(neighbours=2, ties="first")
        == matching_att(
            small(), "y", "d", score="p", options={"ties": "first", "neighbours": 2}
        ).coefficients["ATT"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "exact"}, "method = 'exact'"),
        ({"method": "radius"}, "radius matching needs a caliper"),
        ({"method": "kernel", "caliper": 0.1}, "a bandwidth, not a caliper"),
        ({"neighbours": 0}, "one or more"),
        ({"replacement": False}, "ties='first'"),
        ({"bandwith": 0.1}, "options has no 'bandwith'. Nearest: bandwidth"),
        ({"caliper": 1e-9, "support": "trim"}, "no treated row has a control near enough"),
        ({"support": "trim", "trim": 0.49}, "leaves 0 treated rows"),
    ],
)
def test_options_that_make_no_sense(options: dict, message: str) -> None:
    frame = small().assign(p=lambda f: f["p"] + f["d"] * 0.001)
    with pytest.raises(ValueError, match=message):
        match(frame, "d", score="p", keys=["id"], options=options)


# --- PSM-DID
# --------------------------------------------------------------------------------------------------


def test_matching_first_takes_the_bias_out() -> None:
    frame = panel()
    naive = fixed_effects(frame, "y", ["did"], ["city", "year"], covariance={"cluster": ["city"]})
    assert naive.coefficients["did"] > 1.5
    for how, extra in (("base_period", {"base_period": 2014}), ("yearly", {}), ("pooled", {})):
        result = psm_did(
            frame,
            "y",
            "did",
            "city",
            "year",
            ["x"],
            controls=[],
            how=how,
            use="weights",
            options={"method": "kernel"},
            **extra,
        )
        assert abs(result.coefficients["did"] - 1) < 0.6 * (naive.coefficients["did"] - 1), how
        assert result.n + result.dropped.get("not matched", 0) == len(frame)
    assert (
        result.balance.loc[("pooled", "x"), "bias_pct_after"]
        < 10
        < result.balance.loc[("pooled", "x"), "bias_pct_before"]
    )


def test_psm_did_is_matching_then_regression() -> None:
    frame = panel()
    covariates = ["x", "z", "region"]
    pooled = psm_did(
        frame,
        "y",
        "did",
        "city",
        "year",
        covariates,
        controls=["z"],
        options={"neighbours": 3, "caliper": 0.05},
    )
    weights = match(
        frame, "zone", covariates, keys=["city", "year"], options={"neighbours": 3, "caliper": 0.05}
    ).weights
    for use, rows, weight in (
        ("rows", weights > 0, None),
        ("weights", weights > 0, "w"),
        ("support", pooled.matchings["pooled"].support, None),
    ):
        result = psm_did(
            frame,
            "y",
            "did",
            "city",
            "year",
            covariates,
            controls=["z"],
            options={"neighbours": 3, "caliper": 0.05},
            use=use,
        )
        again = fixed_effects(
            frame.assign(w=weights)[rows],
            "y",
            ["did", "z"],
            ["city", "year"],
            covariance={"cluster": ["city"]},
            weights=weight,
        )
        np.testing.assert_allclose(result.coefficients, again.coefficients.iloc[:2], rtol=1e-10)
        np.testing.assert_allclose(
            result.standard_errors, again.standard_errors.iloc[:2], rtol=1e-10
        )
    yearly = psm_did(frame, "y", "did", "city", "year", covariates, controls=["z"], how="yearly")
    assert list(yearly.matchings) == [str(year) for year in range(2011, 2019)]
    for year, matching in yearly.matchings.items():
        alone = match(frame[frame["year"] == int(year)], "zone", covariates, keys=["city", "year"])
        pd.testing.assert_series_equal(matching.weights, alone.weights)
        pd.testing.assert_series_equal(
            yearly.weights[matching.weights.index], matching.weights, check_names=False
        )
    based = psm_did(
        frame,
        "y",
        "did",
        "city",
        "year",
        covariates,
        controls=["z"],
        how="base_period",
        base_period=2014,
    )
    assert based.weights.groupby(frame["city"]).nunique().max() == 1


def test_psm_did_says_what_is_wrong() -> None:
    frame = panel()
    with pytest.raises(ValueError, match="year 2013: x predicts the outcome perfectly"):
        psm_did(
            frame.assign(
                x=np.where(
                    frame["year"] == 2013, frame["zone"] * 9.0 + frame["x"] / 100, frame["x"]
                )
            ),
            "y",
            "did",
            "city",
            "year",
            ["x"],
            how="yearly",
        )
    with pytest.raises(ValueError, match="region does not vary|holds .* not numbers"):
        psm_did(frame, "y", "did", "city", "year", ["x", "region"])
    with pytest.raises(ValueError, match="base_period belongs to"):
        psm_did(frame, "y", "did", "city", "year", ["x"], how="base_period")
    with pytest.raises(ValueError, match="how = 'monthly'"):
        psm_did(frame, "y", "did", "city", "year", ["x"], how="monthly")


# --- traps
# --------------------------------------------------------------------------------------------------

RUNS = {
    "neighbours": lambda f: matching_att(
        f,
        "y",
        "zone",
        ["x", "z", "region"],
        keys=["city", "year"],
        options={"neighbours": 2, "support": "common"},
    ),
    "first": lambda f: matching_att(
        f, "y", "zone", ["k", "region"], keys=["city", "year"], options={"ties": "first"}
    ),
    "kernel": lambda f: matching_att(
        f, "y", "zone", ["x", "z"], options={"method": "kernel"}, link="probit"
    ),
    "no replacement": lambda f: matching_att(
        f,
        "y",
        "zone",
        ["k"],
        keys=["city", "year"],
        options={"ties": "first", "replacement": False, "caliper": 0.2},
    ),
    "tied, no keys": lambda f: matching_att(
        f, "y", "zone", ["k"], options={"neighbours": 3}, standard_error="abadie_imbens"
    ),
    "yearly": lambda f: psm_did(
        f,
        "y",
        "did",
        "city",
        "year",
        ["x", "z"],
        how="yearly",
        use="weights",
        options={"ties": "first"},
    ),
}


def coarse() -> pd.DataFrame:
    return panel().assign(k=lambda f: f["x"].round(1))


def numbers_of(result) -> np.ndarray:
    return np.concatenate([result.coefficients.to_numpy(), result.standard_errors.to_numpy()])


@pytest.mark.parametrize("name", RUNS)
def test_rows_columns_index_and_ids_change_nothing(name: str) -> None:
    frame = coarse()
    expected = numbers_of(RUNS[name](frame))
    assert np.isfinite(expected).all()
    variants = {
        "shuffled": frame.sample(frac=1, random_state=np.random.default_rng(1)),
        "extra column, dates as index": (
            frame.assign(extra="q").set_index(pd.date_range("2020", periods=len(frame)))
        ),
        "repeated labels": frame.set_axis([0] * len(frame)),
        "categories": frame.astype({"city": "category", "region": "category"}),
        "integers": frame.astype({"city": int}),
    }
    for what, variant in variants.items():
        before = variant.copy(deep=True)
        np.testing.assert_array_equal(numbers_of(RUNS[name](variant)), expected, err_msg=what)
        pd.testing.assert_frame_equal(variant, before)


@pytest.mark.parametrize("name", RUNS)
def test_float32_is_computed_in_double(name: str) -> None:
    single = coarse().astype({"y": "float32", "x": "float32", "k": "float32"})
    double = single.astype({"y": "float64", "x": "float64", "k": "float64"})
    np.testing.assert_array_equal(numbers_of(RUNS[name](single)), numbers_of(RUNS[name](double)))


def test_missing_values_and_duplicates() -> None:
    frame = coarse()
    frame.loc[[3, 9], "x"] = np.nan
    frame.loc[12, "y"] = np.nan
    frame.loc[20, "region"] = None
    result = RUNS["neighbours"](frame)
    assert result.dropped == {"y missing": 1, "region missing": 1, "x missing": 2}
    complete = frame.dropna()
    np.testing.assert_array_equal(numbers_of(result), numbers_of(RUNS["neighbours"](complete)))
    doubled = pd.concat([frame, frame.iloc[[30]]])
    for name in ("neighbours", "yearly"):
        with pytest.raises(ValueError, match="1 row with the city and year of an earlier row"):
            RUNS[name](doubled)
    with pytest.raises(ValueError, match="same in every complete row"):
        match(frame[frame["zone"] == 1], "zone", score="z")


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from test_matching import RUNS, coarse, numbers_of
print([numbers_of(run(coarse())).tobytes().hex() for run in RUNS.values()])
"""


def test_the_same_numbers_in_every_process() -> None:
    here = Path(__file__).parent
    text = PROGRAM.format(path=[str(here), str(here.parents[1])])
    printed = []
    for seed in ("1", "77"):
        done = subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert len(printed[0]) > 200


def test_notes_read_as_one_sentence() -> None:
    note = psm_did(
        panel(), "y", "did", "city", "year", ["x"], options=MatchOptions(neighbours=3)
    ).note()
    assert (
        "PSM-DID (pooled logit matching, 3 nearest neighbour(s) with replacement, ties: average"
        in note
    )


def test_treated_rows_without_a_match_are_warned_of() -> None:
    matching = match(small(), "d", score="p", keys=["id"], options={"caliper": 0.1})
    (caution,) = matching.warnings
    assert caution.kind == "unmatched" and caution.sentence.startswith("1 of 3 treated rows")
    assert f"Warning: {caution}" in str(matching) and match(small(), "d", score="p").warnings == ()


def test_errors_that_take_years_of_a_city_for_independent_are_warned_of() -> None:
    options = {"outcome": "y", "treatment": "zone", "covariates": ["x"]}
    result = matching_att(panel(), **options, keys=["city", "year"])
    assert [caution.kind for caution in result.warnings] == ["clusters_unused"]
    one = panel().loc[lambda f: f["year"] == 2014]
    assert matching_att(one, **options, keys=["city", "year"]).warnings == ()


def test_only_the_rows_asked_for_are_matched() -> None:
    frame = panel()
    asked = frame["year"] >= 2014
    spoiled = frame.assign(x=frame["x"].where(asked), y=frame["y"].where(asked, np.inf), here=asked)
    options = {"keys": ["city", "year"], "options": {"neighbours": 2}}
    here, alone = (
        match(spoiled, "zone", ["x"], where="here", **options),
        match(frame[asked], "zone", ["x"], **options),
    )
    pd.testing.assert_series_equal(here.weights, alone.weights)
    assert here.dropped == {"outside where": int((~asked).sum())}
    np.testing.assert_array_equal(here.rows, np.flatnonzero(asked))
    effect = matching_att(spoiled, "y", "zone", ["x"], where="here", **options)
    assert effect.coefficients.equals(
        matching_att(frame[asked], "y", "zone", ["x"], **options).coefficients
    )
    np.testing.assert_array_equal(effect.matching.rows, np.flatnonzero(asked))


def test_a_matching_is_a_table_of_its_balance() -> None:
    matching = match(panel(), "zone", ["x", "region"], options={"neighbours": 3})
    table, row = matching.tidy(), matching.glance().iloc[0]
    np.testing.assert_allclose(table["estimate"], matching.balance["bias_pct_after"] / 100)
    assert list(table["term"]) == list(matching.balance.index) and table["std_error"].isna().all()
    assert row["n_treated_matched"] == matching.counts()["treated_matched"]
    assert row["mean_bias_pct_after"] == matching.summary.loc["after", "mean_bias_pct"]
    assert match(small(), "d", score="p").tidy().empty
