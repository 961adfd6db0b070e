"""Comparison of groups: tests against dummies, brute force over permutations, and input that could
mislead.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.estimators import dynamic_gmm
from analysis.estimators.linear.comparison import compare_groups
from analysis.estimators.linear.panel import panel_regression
from analysis.estimators.linear.panel_tests import hausman_random
from tests.estimators.linear_cases import by_city, world


@pytest.fixture
def made_up() -> pd.DataFrame:
    return world()


def test_chow_and_slopes_are_f_tests_of_dummies(made_up: pd.DataFrame) -> None:
    frame = made_up.assign(y=made_up.y + 0.2 * made_up.coast * made_up.x)
    result = compare_groups(frame, "y", ["x", "m"], "coast")
    base = np.column_stack([np.ones(480), frame[["x", "m"]]])
    c = frame["coast"].to_numpy()[:, None]
    y = frame["y"].to_numpy()

    def rss(x: np.ndarray) -> float:
        return float(((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).sum())

    full = rss(np.hstack([base, base * c]))
    for name, common, d in (("chow", base, 3), ("slopes", np.hstack([base, c]), 2)):
        test = result.tests[name]
        assert test.statistic == pytest.approx((rss(common) - full) / d / (full / 474), rel=1e-10)
        assert (test.df, test.df2) == (d, 474)
        assert test.p == pytest.approx(stats.f.sf(test.statistic, d, 474), rel=1e-10)


def test_suest_is_the_interacted_regression(made_up: pd.DataFrame) -> None:
    """Wald tests of the interactions, clustered, with the factor G/(G-1) in place of the usual one;
    clusters may lie in both groups.
    """
    frame = made_up.assign(late=(made_up.year > 2013).astype(int))
    result = compare_groups(frame, "y", ["x", "m"], "late", covariance={"cluster": ["city_code"]})
    late = frame["late"].to_numpy()
    x = np.column_stack([np.ones(480), frame[["x", "m"]]])
    x = sm.OLS(frame["y"], np.hstack([x, x * late[:, None]])).fit(
        cov_type="cluster",
        cov_kwds={"groups": frame["city_code"].astype(int), "use_correction": False},
    )
    b, v = x.params.to_numpy()[4:], np.asarray(x.cov_params())[4:, 4:] * 60 / 59
    assert result.tests["suest"].statistic == pytest.approx(
        float(b @ np.linalg.solve(v, b)), rel=1e-9
    )
    np.testing.assert_allclose(result.by_term["chi2"], b**2 / np.diag(v), rtol=1e-9)
    np.testing.assert_allclose(result.by_term["difference"], -b, rtol=1e-9)
    independent = compare_groups(frame, "y", ["x"], "coast")
    gap = (
        independent.by_term.loc["x", "difference"] ** 2
        / (independent.standard_errors.loc["x"] ** 2).sum()
    )
    assert independent.by_term.loc["x", "chi2"] == pytest.approx(gap, rel=1e-10)


def test_group_regressions_take_out_their_own_effects(made_up: pd.DataFrame) -> None:
    result = compare_groups(
        made_up,
        "y",
        ["x", "m"],
        "coast",
        effects=["city_code", "year"],
        covariance={"cluster": ["city_code"]},
    )
    for group, part in made_up.groupby("coast"):
        np.testing.assert_allclose(
            result.coefficients[group],
            by_city(part, "y", ["x", "m"]).coefficients[["x", "m"]],
            rtol=1e-10,
        )
    assert "chow" not in result.tests
    # slopes equal, with effects of each group's own, against all apart: by dummies
    dummies = (
        pd.get_dummies(made_up["city_code"], dtype=float).to_numpy(),
        pd.get_dummies(
            made_up["year"].astype(str) + made_up["coast"].astype(str), dtype=float
        ).to_numpy(),
    )
    y, x = made_up["y"].to_numpy(), made_up[["x", "m"]].to_numpy()
    rss = []
    for columns in (x, np.hstack([x, x * made_up["coast"].to_numpy()[:, None]])):
        design = np.hstack([columns, *dummies])
        rss.append(float(((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2).sum()))
    df = 480 - 4 - 60 - 2 * 7
    assert result.tests["slopes"].df2 == df
    assert result.tests["slopes"].statistic == pytest.approx(
        (rss[0] - rss[1]) / 2 / (rss[1] / df), rel=1e-9
    )


def test_permutation_p_is_exact_in_a_tiny_sample() -> None:
    from itertools import combinations

    draw = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"x": draw.normal(size=10), "y": draw.normal(size=10), "g": [0] * 4 + [1] * 6}
    )
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()

    def gap(first: list[int]) -> float:
        rest = [i for i in range(10) if i not in first]
        return float(np.polyfit(x[first], y[first], 1)[0] - np.polyfit(x[rest], y[rest], 1)[0])

    observed = gap([0, 1, 2, 3])
    every = np.array([gap(list(first)) for first in combinations(range(10), 4)])
    result = compare_groups(frame, "y", ["x"], "g", permutations=4000, seed=1)
    assert result.by_term.loc["x", "difference"] == pytest.approx(observed, rel=1e-10)
    assert result.by_term.loc["x", "p_permutation"] == pytest.approx(
        (np.abs(every) >= abs(observed) - 1e-12).mean(), abs=0.03
    )
    assert result.by_term.loc["x", "share_above"] == pytest.approx(
        (every > observed + 1e-12).mean(), abs=0.03
    )


def test_permutations_repeat_and_keep_cities_whole(made_up: pd.DataFrame) -> None:
    for options in (
        {},
        {"permute_by": "city_code"},
        {"permute_by": "city_code", "effects": ["city_code"]},
        {"permute_by": "city_code", "effects": ["city_code", "year"]},
    ):
        call = {"permutations": 30, "seed": 4, **options}
        base = compare_groups(made_up, "y", ["x", "m"], "coast", **call)
        again = compare_groups(
            made_up.sample(frac=1, random_state=8).astype({"city_code": "category"}),
            "y",
            ["x", "m"],
            "coast",
            **call,
        )
        assert base.differences.to_numpy().tolist() == again.differences.to_numpy().tolist()
        assert base.coefficients.to_numpy().tolist() == again.coefficients.to_numpy().tolist()
    with pytest.raises(ValueError, match="coast changes inside year"):
        compare_groups(made_up, "y", ["x"], "coast", permutations=5, permute_by="year")


@pytest.mark.parametrize(
    ("frame_of", "options", "message"),
    [
        (lambda f: f.assign(coast=1), {}, "coast has 1 group among"),
        (
            lambda f: f,
            {"group": "region", "permutations": 10},
            "has 3 groups: the permutation test compares two",
        ),
        (
            lambda f: f.assign(m=f.m * f.coast),
            {},
            "group 0 cannot carry the regression: m is a combination",
        ),
        (
            lambda f: pd.concat([f[f.coast == 1], f[f.coast == 0].head(2)]),
            {},
            "group 0 cannot carry",
        ),
        (lambda f: f, {"group": "shore"}, "'shore' is not in the frame"),
    ],
)
def test_errors_say_what_and_where(
    made_up: pd.DataFrame, frame_of: object, options: dict, message: str
) -> None:
    call = {"group": "coast", **options}
    with pytest.raises(ValueError, match=message):
        compare_groups(frame_of(made_up), "y", ["x", "m"], call.pop("group"), **call)


def test_three_groups(made_up: pd.DataFrame) -> None:
    result = compare_groups(made_up, "y", ["x", "m"], "region")
    assert (
        result.tests["chow"].df == 6
        and result.tests["suest"].df == 4
        and "difference" not in result.by_term
    )
    assert result.n.sum() == 480 and "east: 160" in result.note()


def test_an_outcome_without_variation_inside_units_is_refused(made_up: pd.DataFrame) -> None:
    flat = made_up.assign(y=made_up.groupby("city_code")["x"].transform("mean"))
    with pytest.raises(ValueError, match="does not vary in group .* once the effects are taken"):
        compare_groups(flat, "y", ["x"], "coast", effects=["city_code"])
    for call in (panel_regression, hausman_random):
        with pytest.raises(ValueError, match="does not vary inside units"):
            call(flat, "y", ["x"])
    with pytest.raises(ValueError, match="y does not change inside units"):
        dynamic_gmm(flat, "y", ["L.y"], gmm={"variables": "y", "lags": [2, 3]})
