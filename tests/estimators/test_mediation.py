"""Mediation, moderation and quadratics, and least squares under them: closed forms, and the
cautions and seeds that the comparison of groups shares with them.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.estimators.core.outliers import percentile
from analysis.estimators.linear.comparison import compare_groups
from analysis.estimators.linear.curvature import moderation, quadratic
from analysis.estimators.linear.mediation import mediation
from analysis.estimators.linear.ols import linear_regression
from analysis.estimators.linear.panel_tests import hausman_random
from tests.estimators.linear_cases import BY_CITY, by_city, world

WITH_FEW_CLUSTERS = {
    "linear_regression": lambda f, o: linear_regression(f, "y", ["x"], **o),
    "compare_groups": lambda f, o: compare_groups(f, "y", ["x"], "coast", **o),
    "hausman_random": lambda f, o: hausman_random(f, "y", ["x"], method="regression", **o),
    "mediation": lambda f, o: mediation(f, "y", "x", "m", options=o),
    "moderation": lambda f, o: moderation(f, "y", "x", "m", options=o),
    "quadratic": lambda f, o: quadratic(f, "y", "x", options=o),
}


@pytest.fixture
def made_up() -> pd.DataFrame:
    return world()


@pytest.mark.parametrize("name", WITH_FEW_CLUSTERS)
def test_few_clusters_are_warned_of_once(made_up: pd.DataFrame, name: str) -> None:
    run = WITH_FEW_CLUSTERS[name]
    frame = made_up.assign(twelve=made_up["city_code"].astype(int) % 12)
    (caution,) = run(frame, {"covariance": {"cluster": ["twelve"]}}).warnings
    assert caution.kind == "few_clusters" and "12 clusters are few" in caution.sentence
    assert run(frame, {"covariance": {"cluster": ["city_code"]}}).warnings == ()


def test_ols_equals_statsmodels(made_up: pd.DataFrame) -> None:
    x = sm.add_constant(made_up[["x", "m"]])
    for ours, theirs in (
        ({}, {}),
        ({"covariance": "robust"}, {"cov_type": "HC1", "use_t": True}),
        (
            {"covariance": {"cluster": ["city_code"]}},
            {
                "cov_type": "cluster",
                "cov_kwds": {"groups": made_up["city_code"].astype(int)},
                "use_t": True,
            },
        ),
    ):
        result, peer = (
            linear_regression(made_up, "y", ["x", "m"], **ours),
            sm.OLS(made_up["y"], x).fit(**theirs),
        )
        np.testing.assert_allclose(result.coefficients, peer.params, rtol=1e-11)
        np.testing.assert_allclose(result.standard_errors, peer.bse, rtol=1e-11)
        np.testing.assert_allclose(result.p_values, peer.pvalues, rtol=1e-8, atol=1e-290)
    with pytest.raises(ValueError, match="k is a combination"):
        linear_regression(made_up.assign(k=1.0), "y", ["x", "k"])


def test_mediation_is_its_three_equations(made_up: pd.DataFrame) -> None:
    result = mediation(made_up, "y", "x", "m", ["z"])
    total, first, direct = (
        linear_regression(made_up, "y", ["x", "z"]),
        linear_regression(made_up, "m", ["x", "z"]),
        linear_regression(made_up, "y", ["x", "m", "z"]),
    )
    a, b = first.coefficients["x"], direct.coefficients["m"]
    s_a, s_b = first.standard_errors["x"], direct.standard_errors["m"]
    assert result.effects.loc["indirect", "effect"] == a * b
    # least squares splits the total effect exactly
    assert total.coefficients["x"] == pytest.approx(direct.coefficients["x"] + a * b, rel=1e-12)
    assert result.share_mediated == pytest.approx(a * b / total.coefficients["x"], rel=1e-12)
    for name, extra in (("sobel", 0), ("aroian", 1), ("goodman_i", 1), ("goodman_ii", -1)):
        z = a * b / np.sqrt(b**2 * s_a**2 + a**2 * s_b**2 + extra * s_a**2 * s_b**2)
        assert result.tests[name].statistic == pytest.approx(z, rel=1e-12)
        assert result.tests[name].p == pytest.approx(2 * stats.norm.sf(z), rel=1e-10)


def test_mediation_with_fixed_effects_and_whole_cities(made_up: pd.DataFrame) -> None:
    call = {
        "estimator": "fixed_effects",
        "options": BY_CITY,
        "bootstrap": 40,
        "resample": "city_code",
        "seed": 3,
    }
    result = mediation(made_up, "y", "x", "m", ["z"], **call)
    assert result.effects.loc["a", "effect"] == by_city(made_up, "m", ["x", "z"]).coefficients["x"]
    assert result.effects.loc["indirect", "effect"] == pytest.approx(0.2, abs=0.1)
    assert (
        result.intervals.loc["percentile", "lower"]
        < 0.2
        < result.intervals.loc["percentile", "upper"]
    )
    shuffled = (
        made_up.sample(frac=1, random_state=2)
        .reset_index(drop=True)
        .astype({"city_code": "category"})
    )
    np.testing.assert_array_equal(
        mediation(shuffled, "y", "x", "m", ["z"], **call).draws, result.draws
    )
    assert "40 bootstrap draws of whole city_code with seed 3" in result.note()


def test_bootstrap_spread_is_sobels_in_a_large_sample() -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=2000)})
    frame["m"] = 0.5 * frame.x + draw.normal(size=2000)
    frame["y"] = 0.4 * frame.m + draw.normal(size=2000)
    result = mediation(frame, "y", "x", "m", bootstrap=300, seed=1)
    assert result.draws.std() == pytest.approx(
        result.effects.loc["indirect", "standard_error"], rel=0.12
    )
    assert (
        result.draws.tolist()
        == mediation(frame.iloc[::-1], "y", "x", "m", bootstrap=300, seed=1).draws.tolist()
    )


def test_mediation_uses_the_same_rows_in_all_equations(made_up: pd.DataFrame) -> None:
    holes = made_up.copy()
    holes.loc[[1, 2], "m"], holes.loc[7, "y"] = np.nan, np.nan
    result = mediation(holes, "y", "x", "m", ["z"])
    assert {fit.n for fit in result.equations.values()} == {477}
    assert (
        result.dropped == {"y missing": 1, "m missing": 2} and "2 rows (m missing)" in result.note()
    )
    with pytest.raises(ValueError, match="different columns"):
        mediation(made_up, "y", "x", "x")


def test_moderation_effects_are_slopes_at_their_points(made_up: pd.DataFrame) -> None:
    frame = made_up.assign(y=made_up.y + 0.25 * made_up.x * made_up.m)
    centred, plain = (
        moderation(
            frame, "y", "x", "m", ["z"], centre=centre, estimator="fixed_effects", options=BY_CITY
        )
        for centre in (True, False)
    )
    np.testing.assert_allclose(centred.marginal["effect"], plain.marginal["effect"], rtol=1e-8)
    np.testing.assert_allclose(
        centred.marginal["standard_error"], plain.marginal["standard_error"], rtol=1e-8
    )
    assert centred.fit.coefficients[centred.interaction] == pytest.approx(
        plain.fit.coefficients["x_x_m"], rel=1e-9
    )
    # the effect at m = v, with its error, is the coefficient of x once v is taken off m
    v = centred.marginal.loc[75, "moderator"]
    assert v == percentile(frame["m"].to_numpy(), 75)
    moved = frame.assign(m=frame.m - v, product=frame.x * (frame.m - v))
    at = by_city(moved, "y", ["x", "m", "product", "z"])
    assert centred.marginal.loc[75, "effect"] == pytest.approx(at.coefficients["x"], rel=1e-9)
    assert centred.marginal.loc[75, "standard_error"] == pytest.approx(
        at.standard_errors["x"], rel=1e-9
    )
    assert centred.marginal.loc[75, "p"] == pytest.approx(at.p_values["x"], rel=1e-7)


def test_quadratic_turning_point_and_u_test(made_up: pd.DataFrame) -> None:
    draw = np.random.default_rng(9)
    frame = made_up.assign(y=-((made_up.x - 1.0) ** 2) + draw.normal(size=len(made_up)))
    result = quadratic(frame, "y", "x", ["z"])
    assert result.shape == "inverse U" and result.turning_point == pytest.approx(1.0, abs=0.1)
    # the delta-method error by numerical differentiation
    b = result.fit.coefficients[["x", "x_squared"]].to_numpy()
    v = result.fit.covariance.loc[["x", "x_squared"], ["x", "x_squared"]].to_numpy()
    step = 1e-6
    gradient = np.array(
        [
            (-(b[0] + d0) / (2 * (b[1] + d1)) + (b[0] - d0) / (2 * (b[1] - d1))) / (2 * step)
            for d0, d1 in ((step, 0), (0, step))
        ]
    )
    assert result.turning_point_se == pytest.approx(np.sqrt(gradient @ v @ gradient), rel=1e-6)
    # slopes at the ends are coefficients of x after the end is taken off it
    for end in ("minimum", "maximum"):
        moved = frame.assign(x=frame.x - result.slopes.loc[end, "x"], square=lambda f: f.x**2)
        at = linear_regression(moved, "y", ["x", "square", "z"])
        assert result.slopes.loc[end, "slope"] == pytest.approx(at.coefficients["x"], rel=1e-9)
        assert result.slopes.loc[end, "standard_error"] == pytest.approx(
            at.standard_errors["x"], rel=1e-9
        )
    t = np.abs(result.slopes["t"])
    assert result.u_test.statistic == pytest.approx(t.min())
    assert result.u_test.p == pytest.approx(stats.t.sf(t.min(), result.fit.df_t))
    # Fieller's bounds are where the slope is just significant
    for bound in result.fieller_interval:
        slope, variance = (
            b[0] + 2 * b[1] * bound,
            v[0, 0] + 4 * bound * v[0, 1] + 4 * bound**2 * v[1, 1],
        )
        assert abs(slope) / np.sqrt(variance) == pytest.approx(
            stats.t.ppf(0.975, result.fit.df_t), rel=1e-9
        )
    assert result.fieller_interval[0] < result.turning_point < result.fieller_interval[1]


def test_a_monotone_curve_is_no_u(made_up: pd.DataFrame) -> None:
    frame = made_up.assign(y=np.exp(made_up.x / 2))
    result = quadratic(frame, "y", "x", bounds=(0.0, 3.0))
    assert result.shape == "U" and result.turning_point < 0 and result.u_test.p > 0.5
    flat = quadratic(made_up, "y", "x", ["z", "m"])
    assert flat.fieller_interval == (float("-inf"), float("inf"))
    with pytest.raises(ValueError, match="none called x_squared"):
        quadratic(made_up.assign(x_squared=1.0), "y", "x", ["x_squared"])


def test_hash_seed_changes_no_number() -> None:
    code = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators.linear.comparison import"
        " compare_groups\nfrom analysis.estimators.linear.mediation import mediation\nfrom"
        " analysis.estimators.spatial.system import spatial_three_stage\nfrom"
        " analysis.estimators.spatial.weights import spatial_weights\nd ="
        " np.random.default_rng(0)\nf = pd.DataFrame(d.normal(size=(40, 5)),"
        " columns=list('abcde'))\nf = f.assign(city_code=[f'c{i % 20}' for i in range(40)], year=[i"
        " // 20 for i in range(40)])\np = pd.DataFrame({'city_code': [f'c{i}' for i in range(20)],"
        " 'neighbour_code': [f'c{(i + 1) % 20}' for i in range(20)]})\ns = spatial_three_stage(f,"
        " {'one': ('a', ['c']), 'two': ('b', ['d', 'e'])}, spatial_weights(p, symmetric=True),"
        " time='year')\nm = mediation(f, 'a', 'b', 'c', bootstrap=20, resample='city_code',"
        " seed=1)\ng = compare_groups(f, 'a', ['b'], 'year', permutations=20,"
        " seed=1)\nprint(s.coefficients.tolist(), m.draws.tolist(),"
        " g.differences.to_numpy().tolist())\n"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ".", "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "12345")
    }
    assert len(printed) == 1 and "nan" not in printed.pop()
