"""Wild cluster bootstrap against refitting every drawn outcome; minimum detectable effects by
hand.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.estimators import (
    estimate,
    fixed_effects,
    linear_regression,
    minimum_detectable_effects,
    wild_bootstrap,
)

REGION = {"cluster": ["region"]}


@pytest.fixture
def panel(three: pd.DataFrame) -> pd.DataFrame:
    return three.assign(region=three["province"])  # five regions of eight cities


@pytest.mark.parametrize("weights", [None, "weight"])
def test_every_sign_vector_equals_refitting(panel: pd.DataFrame, weights: str | None) -> None:
    given = {"effects": ["city_code", "year"], "weights": weights}
    found = wild_bootstrap(panel, "y", "x", ["treated"], covariance=REGION, **given)
    restricted = fixed_effects(panel, "y", ["treated"], **given)
    both = panel.assign(free=panel["y"] - restricted.coefficients["treated"] * panel["treated"])
    # Residuals of the restricted regression: what is left of y once effects are taken out as well.
    residual = _residual(both, "free", weights)
    codes, t = pd.factorize(panel["region"], sort=True)[0], []
    for signs in product([1.0, -1.0], repeat=5):
        again = panel.assign(drawn=panel["y"] - residual + residual * np.array(signs)[codes])
        fit = fixed_effects(again, "drawn", ["x", "treated"], covariance=REGION, **given)
        t.append(fit.t_statistics["x"])
    assert found.exact and len(found.draws) == 32 and found.groups == {"region": 5}
    factor = t[0] / found.t  # the small-sample factor, the same in all draws
    np.testing.assert_allclose(np.sort(found.draws) * factor, np.sort(t), rtol=1e-6)
    own = np.mean(np.abs(t) >= abs(t[0]) * (1 - 1e-9))
    assert found.p == own == found.tidy()["p_value"][0] and found.p >= 1 / 16


def _residual(frame: pd.DataFrame, column: str, weights: str | None) -> np.ndarray:
    """What is left of a column once city and year are taken out, by dummies."""
    keys = frame[["city_code", "year"]].astype(str)
    x = pd.get_dummies(keys, dtype=float).to_numpy()
    root = np.ones(len(frame)) if weights is None else np.sqrt(frame[weights].to_numpy())
    y = frame[column].to_numpy()
    return y - x @ np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]


def test_few_clusters_say_how_small_a_p_can_be(panel: pd.DataFrame) -> None:
    found = wild_bootstrap(panel, "y", "x", covariance=REGION)
    (caution,) = found.warnings
    assert caution.kind == "few_clusters" and "allow no p below 0.0625" in caution.sentence
    assert "all 32 sign vectors of 5 region" in found.note()
    many = wild_bootstrap(panel, "y", "x", covariance={"cluster": ["city_code"]}, draws=99)
    assert not many.warnings and not many.exact and many.p == 0.01 and many.seed == 20080101
    assert "seed 20080101, 99 sign vectors of 40 city_code" in many.note()


def test_true_nulls_are_rejected_as_often_as_asked() -> None:
    """8 clusters with shocks in common: clustered t rejects a true null in more than 15 % of
    samples, the bootstrap in 5 % give or take three standard errors.
    """
    draw, clustered, wild, samples = np.random.default_rng(3), 0, 0, 200
    for _ in range(samples):
        shock, move = (np.repeat(draw.normal(size=8), 10) for _ in range(2))
        frame = pd.DataFrame({"g": np.repeat(range(8), 10)})
        frame["x"] = move + 0.5 * draw.normal(size=80)
        frame["y"] = shock + 0.5 * draw.normal(size=80)
        found = wild_bootstrap(frame, "y", "x", effects=(), covariance={"cluster": ["g"]})
        wild += found.p <= 0.05
        clustered += abs(found.t) > 1.96
    assert 0.05 - 0.046 < wild / samples < 0.05 + 0.046
    assert clustered / samples > 0.15


def test_the_same_seed_draws_the_same_and_order_changes_nothing(panel: pd.DataFrame) -> None:
    asked = {"outcome": "y", "regressor": "x", "covariance": {"cluster": ["city_code"]}}
    one = estimate("wild_bootstrap", panel, asked | {"draws": 50})
    other = estimate("wild_bootstrap", panel.sample(frac=1, random_state=1), asked | {"draws": 50})
    np.testing.assert_array_equal(one.draws, other.draws)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariance": "robust"}, "this estimator has cluster errors only"),
        ({"covariance": REGION, "draws": 0}, "at least one is needed"),
        ({"covariance": REGION, "controls": ["x"]}, "is the outcome or among the controls"),
        ({"covariance": {"cluster": ["same"]}}, "one level of same only"),
        ({"covariance": REGION, "regressor": "same"}, "does not vary once"),
    ],
)
def test_what_cannot_be_bootstrapped_is_refused(
    panel: pd.DataFrame, options: dict, message: str
) -> None:
    asked = {"outcome": "y", "regressor": "x"} | options
    with pytest.raises(ValueError, match=message):
        wild_bootstrap(panel.assign(same=1.0), **asked)


def test_minimum_detectable_effects_by_hand(panel: pd.DataFrame) -> None:
    fit = linear_regression(panel, "y", ["x", "treated"])
    found = minimum_detectable_effects(fit, ["x"])
    error = fit.standard_errors["x"]
    t = stats.t.ppf(0.975, fit.df_t) + stats.t.ppf(0.8, fit.df_t)
    assert found.loc["x", "minimum"] == pytest.approx(t * error, rel=1e-12)
    assert found.loc["x", "share"] == pytest.approx(abs(fit.coefficients["x"]) / (t * error))
    assert 2.80 < t < 2.83  # 2.8 standard errors with many degrees of freedom
    stricter = minimum_detectable_effects(fit, power=0.9, level=0.99)
    assert (stricter["minimum"] > minimum_detectable_effects(fit)["minimum"]).all()
    for wrong, message in (
        ({"terms": ["xx"]}, "no term 'xx'"),
        ({"power": 80}, "power = 80"),
        ({"level": 95}, "level = 95"),
    ):
        with pytest.raises(ValueError, match=message):
            minimum_detectable_effects(fit, **wrong)
