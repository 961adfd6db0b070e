"""Random effects, within, between, pooled, and the tests between them: R plm's and Stata's numbers,
linearmodels, traps.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.panel import BetweenOLS, RandomEffects

from analysis.estimators.linear.panel import panel_regression
from analysis.estimators.linear.panel_tests import breusch_pagan, effects_f_test, hausman_random

KEYS = {"unit": "firm", "time": "year"}
X = ["value", "capital"]


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder) / "panel_grunfeld"


@pytest.fixture(scope="module")
def grunfeld(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "grunfeld.csv")


@pytest.fixture(scope="module")
def expected(golden: Path) -> dict:
    return json.loads((golden / "r_plm.json").read_text())


@pytest.fixture
def made_up() -> pd.DataFrame:
    """50 cities over 3 to 8 years; y = 1 + 2 x - z + effect + noise, w constant inside cities."""
    draw = np.random.default_rng(6)
    rows = []
    for city in range(50):
        effect, w = draw.normal(), draw.normal()
        for year in range(2010, 2013 + city % 6):
            x, z = draw.normal(), draw.normal()
            rows.append(
                (f"{1100 + city}", year, 1 + 2 * x - z + 0.5 * w + effect + draw.normal(), x, z, w)
            )
    return pd.DataFrame(rows, columns=["city_code", "year", "y", "x", "z", "w"])


def test_within_equals_plm(grunfeld: pd.DataFrame, expected: dict) -> None:
    result = panel_regression(grunfeld, "inv", X, "within", **KEYS)
    for term in X:
        assert result.coefficients[term] == pytest.approx(expected["fe"]["coef"][term], rel=1e-12)
        assert result.standard_errors[term] == pytest.approx(expected["fe"]["se"][term], rel=1e-12)
        for small, name in (("HC1", "se_cl_HC1"), ("sss", "se_cl_sss")):
            clustered = panel_regression(
                grunfeld,
                "inv",
                X,
                "within",
                covariance={"cluster": [KEYS["unit"]]},
                small=small,
                **KEYS,
            )
            assert clustered.standard_errors[term] == pytest.approx(
                expected["fe"][name][term], rel=1e-12
            )


def test_random_effects_equal_plm(grunfeld: pd.DataFrame, expected: dict) -> None:
    result = panel_regression(grunfeld, "inv", X, "random", **KEYS)
    for theirs, value in expected["re"]["coef"].items():
        term = theirs.replace("(Intercept)", "constant")
        assert result.coefficients[term] == pytest.approx(value, rel=1e-11)
        assert result.standard_errors[term] == pytest.approx(
            expected["re"]["se"][theirs], rel=1e-11
        )
    assert result.theta.to_numpy() == pytest.approx(expected["re"]["theta"], rel=1e-12)
    assert result.sigma_u**2 == pytest.approx(expected["re"]["sigma2"]["id"], rel=1e-11)
    assert result.sigma_e**2 == pytest.approx(expected["re"]["sigma2"]["idios"], rel=1e-12)


def test_hausman_equals_plm(grunfeld: pd.DataFrame, expected: dict) -> None:
    test = hausman_random(grunfeld, "inv", X, **KEYS)
    assert test.statistic == pytest.approx(expected["hausman"]["chisq"], rel=1e-10)
    assert test.p == pytest.approx(expected["hausman"]["p"], rel=1e-10)
    assert test.df == 2


def test_what_stata_prints_for_grunfeld(grunfeld: pd.DataFrame) -> None:
    # xtreg, fe and xtreg, re on Grunfeld's data ([XT] xtreg), pFtest and plmtest of plm's vignette,
    # as printed; Stata holds the columns in float
    fixed, random = (
        panel_regression(grunfeld, "inv", X, model, **KEYS) for model in ("within", "random")
    )
    assert fixed.coefficients["constant"] == pytest.approx(-58.74393, abs=1e-5)
    assert fixed.standard_errors["constant"] == pytest.approx(12.45369, abs=1e-5)
    assert fixed.sigma_u == pytest.approx(85.732501, abs=5e-6) and fixed.sigma_e == pytest.approx(
        52.767964, abs=5e-6
    )
    assert random.r2.round(4).tolist() == [0.7668, 0.8196, 0.8061]
    assert effects_f_test(grunfeld, "inv", X, **KEYS).statistic == pytest.approx(49.18, abs=0.005)
    assert breusch_pagan(grunfeld, "inv", X, **KEYS).statistic == pytest.approx(798.16, abs=0.005)


def test_unbalanced_random_effects_are_gls(made_up: pd.DataFrame) -> None:
    """Given the variances, random effects are generalised least squares with s2_u in every pair of
    one city's rows.
    """
    data = made_up.sort_values(["city_code", "year"])
    result = panel_regression(made_up, "y", ["x", "z", "w"], "random")
    same = data["city_code"].to_numpy()[:, None] == data["city_code"].to_numpy()
    omega = np.linalg.inv(result.sigma_e**2 * np.eye(len(data)) + result.sigma_u**2 * same)
    x = np.column_stack([np.ones(len(data)), data[["x", "z", "w"]]])
    b = np.linalg.solve(x.T @ omega @ x, x.T @ omega @ data["y"].to_numpy())
    np.testing.assert_allclose(result.coefficients, b, rtol=1e-10)
    assert 0.6 < result.sigma_u < 1.4 and 0.85 < result.sigma_e < 1.15


def test_unbalanced_random_effects_equal_linearmodels(made_up: pd.DataFrame) -> None:
    columns = ["constant", "x", "z", "w"]
    indexed = made_up.assign(constant=1.0).set_index(["city_code", "year"])
    peer = RandomEffects(indexed["y"], indexed[columns])
    theirs = peer.fit(cov_type="unadjusted", debiased=True, small_sample=False)
    ours = panel_regression(made_up, "y", columns[1:], "random")
    np.testing.assert_allclose(ours.coefficients, theirs.params[columns], rtol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.std_errors[columns], rtol=1e-9)


def test_no_variance_of_effects_and_few_clusters_are_warned_of(made_up: pd.DataFrame) -> None:
    draw = np.random.default_rng(1)
    alternating = made_up.groupby("city_code").cumcount() % 2 * 2.0 - 1
    none = made_up.assign(y=made_up["x"] + 5 * alternating + 0.1 * draw.normal(size=len(made_up)))
    none = none[none.groupby("city_code").cumcount() < 2]
    result = panel_regression(none, "y", ["x"], "random")
    assert result.sigma_u == 0 and [w.kind for w in result.warnings] == ["boundary"]
    pooled = panel_regression(none, "y", ["x"], "pooled")
    np.testing.assert_allclose(result.coefficients, pooled.coefficients, rtol=1e-12)
    some = made_up[made_up["city_code"] < "1120"]
    few = panel_regression(some, "y", ["x"], covariance={"cluster": ["city_code"]})
    assert [w.kind for w in few.warnings] == ["few_clusters"] and "20 clusters" in str(few)
    assert panel_regression(made_up, "y", ["x"]).warnings == ()


def test_equals_linearmodels(made_up: pd.DataFrame) -> None:
    indexed = made_up.assign(constant=1.0).set_index(["city_code", "year"])
    balanced = indexed[indexed.groupby(level=0).cumcount() < 3]
    columns = ["constant", "x", "z", "w"]
    theirs = RandomEffects(balanced["y"], balanced[columns]).fit(
        cov_type="unadjusted", debiased=True
    )
    ours = panel_regression(balanced.reset_index(), "y", columns[1:], "random")
    np.testing.assert_allclose(ours.coefficients, theirs.params[columns], rtol=1e-9)
    np.testing.assert_allclose(ours.standard_errors, theirs.std_errors[columns], rtol=1e-9)
    between = BetweenOLS(indexed["y"], indexed[columns]).fit(cov_type="unadjusted", debiased=True)
    ours = panel_regression(made_up, "y", columns[1:], "between")
    np.testing.assert_allclose(ours.coefficients, between.params[columns], rtol=1e-10)
    np.testing.assert_allclose(ours.standard_errors, between.std_errors[columns], rtol=1e-10)


def test_regression_hausman_is_mundlaks(made_up: pd.DataFrame) -> None:
    """In a balanced panel the regression form tests the unit means, whichever of deviations and
    means is added.
    """
    balanced = made_up[made_up.groupby("city_code").cumcount() < 3]
    test = hausman_random(balanced, "y", ["x", "z"], method="regression")
    means = balanced.assign(
        **{f"{c}_mean": balanced.groupby("city_code")[c].transform("mean") for c in ("x", "z")}
    )
    base = panel_regression(balanced, "y", ["x", "z"], "random")
    t = base.theta.iloc[0]
    columns = ["x", "z", "x_mean", "z_mean"]
    moved = means[["y", *columns]] - t * means.groupby("city_code")[["y", *columns]].transform(
        "mean"
    )
    x = np.column_stack([np.full(len(moved), 1 - t), moved[columns]])
    b, rss = np.linalg.lstsq(x, moved["y"], rcond=None)[:2]
    v = rss[0] / (len(x) - 5) * np.linalg.inv(x.T @ x)
    assert test.statistic == pytest.approx(
        float(b[3:] @ np.linalg.solve(v[3:, 3:], b[3:])), rel=1e-9
    )
    assert test.df == 2


def test_hausman_finds_correlated_effects(made_up: pd.DataFrame) -> None:
    effect = made_up.groupby("city_code")["y"].transform("mean")
    related = made_up.assign(x=made_up.x + effect)
    for options in (
        {},
        {"variances": "random"},
        {"method": "regression"},
        {"method": "regression", "covariance": {"cluster": ["city_code"]}, "small": "sss"},
    ):
        assert hausman_random(related, "y", ["x", "z"], **options).p < 1e-6
        assert hausman_random(made_up, "y", ["x", "z"], **options).p > 0.01


def test_hausman_warns_where_it_has_no_distribution(made_up: pd.DataFrame) -> None:
    """Effects that the regressors follow make the variance of random effects' residuals the larger
    one, and V_w - V_r indefinite.
    """
    related = made_up.assign(x=made_up.x + made_up.groupby("city_code")["y"].transform("mean"))
    test = hausman_random(related, "y", ["x", "z"])
    assert test.warnings[0].kind == "no_distribution" and "not positive definite" in str(test)
    assert hausman_random(related, "y", ["x", "z"], variances="random").warnings == ()


def test_a_negative_hausman_statistic_has_no_p(made_up: pd.DataFrame) -> None:
    found = [
        hausman_random(made_up[made_up["city_code"].isin(some)], "y", ["x", "z"])
        for some in np.split(made_up["city_code"].unique(), 5)
    ]
    negative = [test for test in found if test.statistic < 0]
    assert negative and all(np.isnan(test.p) and test.warnings for test in negative)
    assert all(0 <= test.p <= 1 for test in found if test.statistic >= 0)


def test_f_test_of_both_effects_is_that_of_dummies(made_up: pd.DataFrame) -> None:
    y = made_up["y"].to_numpy()
    pooled = np.column_stack([np.ones(len(y)), made_up[["x", "z"]]])
    full = np.column_stack(
        [
            pooled,
            pd.get_dummies(made_up["city_code"], drop_first=True, dtype=float),
            pd.get_dummies(made_up["year"], drop_first=True, dtype=float),
        ]
    )
    rss = [
        float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum()) for x in (pooled, full)
    ]
    d, df = full.shape[1] - pooled.shape[1], len(y) - full.shape[1]
    test = effects_f_test(made_up, "y", ["x", "z"], effect="both")
    assert (test.df, test.df2) == (d, df)
    assert test.statistic == pytest.approx((rss[0] - rss[1]) / d / (rss[1] / df), rel=1e-10)


def test_breusch_pagan_balanced_formula_and_side(made_up: pd.DataFrame) -> None:
    balanced = made_up[made_up.groupby("city_code").cumcount() < 3]
    e = panel_regression(balanced, "y", ["x", "z"], "pooled").residuals
    sums = e.groupby(balanced["city_code"]).sum()
    lm = 150 / (2 * 2) * (float((sums**2).sum()) / float((e**2).sum()) - 1) ** 2
    both = breusch_pagan(balanced, "y", ["x", "z"])
    assert both.statistic == pytest.approx(lm, rel=1e-12)
    assert breusch_pagan(balanced, "y", ["x", "z"], one_sided=True).p == pytest.approx(both.p / 2)


def test_period_dummies(made_up: pd.DataFrame) -> None:
    dummies = {
        f"d{year}": (made_up.year == year).astype(float)
        for year in sorted(made_up.year.unique())[1:]
    }
    by_hand = panel_regression(made_up.assign(**dummies), "y", ["x", "z", *dummies], "within")
    ours = panel_regression(made_up, "y", ["x", "z"], "within", period_dummies=True)
    np.testing.assert_allclose(ours.coefficients, by_hand.coefficients, rtol=1e-12)
    assert ours.coefficients.index[3] == "year=2011"
    assert (
        hausman_random(made_up, "y", ["x", "z"], period_dummies=True, method="regression").p > 0.001
    )


@pytest.mark.parametrize("model", ["pooled", "within", "between", "random"])
def test_order_ids_index_and_precision_do_not_matter(made_up: pd.DataFrame, model: str) -> None:
    before = made_up.copy()
    base = panel_regression(made_up, "y", ["x", "z"], model)
    for other in (
        made_up.sample(frac=1, random_state=3)
        .set_index(pd.Index([f"i{i}" for i in range(len(made_up))]))
        .assign(extra="a"),
        made_up.astype({"city_code": "category"}),
        made_up.assign(city_code=made_up.city_code.astype(int)),
    ):
        again = panel_regression(other, "y", ["x", "z"], model)
        assert again.coefficients.tolist() == base.coefficients.tolist()
        assert again.covariance.to_numpy().tolist() == base.covariance.to_numpy().tolist()
    single = made_up.astype(dict.fromkeys(["x", "y", "z"], "float32"))
    double = single.astype(dict.fromkeys(["x", "y", "z"], "float64"))
    assert (
        panel_regression(single, "y", ["x", "z"], model).coefficients.tolist()
        == panel_regression(double, "y", ["x", "z"], model).coefficients.tolist()
    )
    pd.testing.assert_frame_equal(made_up, before)


def test_a_city_with_one_year_and_missing_values(made_up: pd.DataFrame) -> None:
    holes = made_up[(made_up.city_code != "1100") | (made_up.year == 2010)].copy()
    holes.loc[holes.index[10], "x"] = np.nan
    result = panel_regression(holes, "y", ["x", "z", "w"], "random")
    assert result.dropped == {"x missing": 1} and result.groups["city_code"] == 50
    assert 0 < result.theta["1100"] < result.theta["1105"] < 1
    assert (
        "random-effects regression of y" in result.note() and "1 row (x missing)" in result.note()
    )


@pytest.mark.parametrize(
    ("frame_of", "options", "message"),
    [
        (lambda f: pd.concat([f, f.head(1)]), {}, "city_code 1100, year 2010"),
        (
            lambda f: f,
            {"regressors": ["x", "w"], "model": "within"},
            "w does not vary inside units",
        ),
        (
            lambda f: f.assign(k=3.0),
            {"regressors": ["x", "k"], "model": "pooled"},
            "k is a combination",
        ),
        (
            lambda f: f.assign(k=f.x * 2),
            {"regressors": ["x", "k"], "model": "within"},
            "k is a combination of the other regressors once the effects",
        ),
        (lambda f: f, {"regressors": ["q"]}, "'q' is not in the frame"),
        (
            lambda f: f.head(5),
            {"regressors": ["x", "z"]},
            "random effects need more units than regressors",
        ),
        (
            lambda f: f.assign(region=f.year),
            {"covariance": {"cluster": ["region"]}},
            "a unit lies in more than one cluster",
        ),
        (lambda f: f, {"model": "mixed"}, "model = 'mixed'"),
    ],
)
def test_errors_say_what_and_where(
    made_up: pd.DataFrame, frame_of: object, options: dict, message: str
) -> None:
    call = {"regressors": ["x"], **options}
    with pytest.raises(ValueError, match=message):
        panel_regression(
            frame_of(made_up), "y", call.pop("regressors"), call.pop("model", "random"), **call
        )
