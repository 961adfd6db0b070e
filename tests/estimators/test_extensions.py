"""Mediation, moderation, quadratics, winsorising, comparison of groups: closed forms, brute force,
and input that could mislead.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.estimators.core.outliers import percentile, trim, winsorise
from analysis.estimators.linear.comparison import compare_groups
from analysis.estimators.linear.curvature import moderation, quadratic
from analysis.estimators.linear.fixed_effects import fixed_effects
from analysis.estimators.linear.mediation import mediation
from analysis.estimators.linear.ols import linear_regression
from analysis.estimators.linear.panel_tests import hausman_random


@pytest.fixture
def made_up() -> pd.DataFrame:
    """60 cities over 8 years; x moves y directly (0.3) and through m (0.5 times 0.4)."""
    draw = np.random.default_rng(5)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2018), indexing="ij")
    )
    frame = pd.DataFrame(
        {
            "city_code": [f"{1100 + c}" for c in city],
            "year": year,
            "z": draw.normal(size=480),
            "x": draw.normal(size=480) + 0.02 * city,
        }
    )
    frame["m"] = 0.5 * frame.x + 0.02 * city + draw.normal(size=480)
    frame["y"] = (
        0.3 * frame.x + 0.4 * frame.m - 0.2 * frame.z + 0.05 * (year - 2010) + draw.normal(size=480)
    )
    return frame.assign(
        coast=(city < 25).astype(int), region=np.array(["east", "middle", "west"])[city % 3]
    )


BY_CITY = {"effects": ["city_code", "year"], "covariance": {"cluster": ["city_code"]}}
by_city = partial(fixed_effects, **BY_CITY)
WITH_FEW_CLUSTERS = {
    "linear_regression": lambda f, o: linear_regression(f, "y", ["x"], **o),
    "compare_groups": lambda f, o: compare_groups(f, "y", ["x"], "coast", **o),
    "hausman_random": lambda f, o: hausman_random(f, "y", ["x"], method="regression", **o),
    "mediation": lambda f, o: mediation(f, "y", "x", "m", options=o),
    "moderation": lambda f, o: moderation(f, "y", "x", "m", options=o),
    "quadratic": lambda f, o: quadratic(f, "y", "x", options=o),
}


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


@pytest.mark.parametrize(
    ("definition", "method"),
    [("stata", "averaged_inverted_cdf"), ("altdef", "weibull"), ("linear", "linear")],
)
def test_percentiles_equal_numpys_methods(definition: str, method: str) -> None:
    draw = np.random.default_rng(0)
    for n in (1, 2, 7, 40, 100, 250):
        values = draw.normal(size=n)
        for p in (0, 1, 2.5, 25, 50, 75, 97.5, 99, 100):
            assert percentile(values, p, definition) == pytest.approx(
                np.percentile(values, p, method=method), abs=1e-14
            )


def test_stata_percentile_by_hand() -> None:
    values = np.arange(1.0, 201.0)
    assert (
        percentile(values, 1) == 2.5
    )  # 200 times 1 % is whole: the mean of the second and the third
    assert percentile(values[:150], 1) == 2.0
    assert percentile(np.arange(1.0, 701.0), 7) == 49.5  # 700 * 0.07 is not 49 in floating point


def test_winsorise_and_trim() -> None:
    frame = pd.DataFrame(
        {
            "v": np.arange(1.0, 201.0),
            "w": np.arange(200.0)[::-1],
            "g": np.repeat(["a", "b"], 100),
            "i": range(200),
        }
    )
    frame.loc[10, "v"] = np.nan
    before = frame.copy()
    clipped = winsorise(frame, ["v", "w"], 1, 99)
    assert clipped.frame["v"].min() == clipped.limits.loc[("v", "all"), "lower"] == 2
    assert clipped.limits.loc[("v", "all"), "n"] == 199 and np.isnan(clipped.frame.loc[10, "v"])
    assert clipped.limits.loc[("w", "all"), ["below", "above"]].tolist() == [2, 2]
    cut = trim(frame, ["w"], 1, 99, suffix="_t")
    assert cut.frame["w_t"].isna().sum() == 4 and cut.frame["w"].equals(frame["w"])
    grouped = winsorise(frame, ["i"], 10, 90, by=["g"])
    assert (
        grouped.limits.loc[("i", "a"), "upper"] == 89.5
        and grouped.limits.loc[("i", "b"), "lower"] == 109.5
    )
    shuffled = winsorise(frame.sample(frac=1, random_state=1), ["v", "w"], 1, 99)
    pd.testing.assert_frame_equal(shuffled.frame.sort_index(), clipped.frame)
    pd.testing.assert_frame_equal(frame, before)
    with pytest.raises(ValueError, match="lower one lies below"):
        winsorise(frame, ["v"], 99, 1)
    with pytest.raises(ValueError, match="'g' holds"):
        winsorise(frame, ["g"])
    with pytest.raises(ValueError, match="v_w exists"):
        winsorise(frame.assign(v_w=1), ["v"], suffix="_w")


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
