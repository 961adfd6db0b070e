"""Logit and probit: R's glm, one dummy by hand, weights, and what has no estimate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.limited.binary import binary_choice
from analysis.estimators.limited.binary_fit import SeparationError
from tests.estimators.matching_cases import LALONDE


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
