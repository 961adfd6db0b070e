"""Fixed effects: a case by hand, a known truth, the options, and input that could mislead."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects
from analysis.estimators.core.sandwich import mended

TREATED = ["treated", "x"]
THREE = ["city_code", "year", "industry"]
# Coefficients and standard errors of treated and x that pyfixest 0.60.0 prints for the panel
# `three` below (ssc(k_fixef="full")).
PYFIXEST = {
    ("iid", None): (2.02625813771, -0.493669756127, 0.0223144972136, 0.00601418146337),
    ("iid", "weight"): (2.01545121844, -0.492378363235, 0.0212793890923, 0.00594313942913),
    ("robust", None): (2.02625813771, -0.493669756127, 0.021266511185, 0.00610841686002),
    ("robust", "weight"): (2.01545121844, -0.492378363235, 0.0216826595027, 0.00603778952058),
    ("one way", None): (2.02625813771, -0.493669756127, 0.0203111440323, 0.00706228889188),
    ("one way", "weight"): (2.01545121844, -0.492378363235, 0.0229622200503, 0.00641672399193),
    ("two ways", None): (2.02625813771, -0.493669756127, 0.026965605923, 0.00659569645271),
    ("two ways", "weight"): (2.01545121844, -0.492378363235, 0.0224979202344, 0.00594054612931),
}
ERRORS = {
    "iid": {},
    "robust": {"covariance": "robust"},
    "one way": {"covariance": {"cluster": ["city_code"]}},
    "two ways": {"covariance": {"cluster": ["city_code", "industry"]}},
}


def test_a_case_by_hand() -> None:
    """Two cities, three years each, one effect. Within x: -1 0 1 | -1 0 1, within y: -2 1 1 | -3 0
    3.

    b = (2 + 0 + 1 + 3 + 0 + 3) / 4 = 9/4; residuals .25 1 -1.25 | -.75 0 .75, RSS = 3.75; WSS = 24;
    mean y 6.5, mean x 4.5.
    """
    frame = pd.DataFrame(
        {"city": ["a"] * 3 + ["b"] * 3, "x": [1.0, 2, 3, 6, 7, 8], "y": [1.0, 4, 4, 7, 10, 13]}
    )
    result = fixed_effects(frame, "y", ["x"], ["city"])
    assert result.coefficients["x"] == pytest.approx(9 / 4)
    assert result.coefficients["constant"] == pytest.approx(6.5 - 4.5 * 9 / 4)
    assert result.standard_errors["x"] == pytest.approx(np.sqrt(3.75 / (6 - 3) / 4))
    assert result.r2_within == pytest.approx(1 - 3.75 / 24)
    assert result.r2_first_within_adjusted == pytest.approx(1 - 3.75 / 24 * 5 / 3)
    assert result.r2 == pytest.approx(1 - 3.75 / 97.5)
    assert result.r2_adjusted == pytest.approx(1 - 3.75 / 97.5 * 5 / 3)
    # scores by city: -.25 - 1.25 = -1.5 and .75 + .75 = 1.5; the city effects are nested, so K = x
    # and the constant
    clustered = fixed_effects(frame, "y", ["x"], ["city"], covariance={"cluster": ["city"]})
    assert clustered.standard_errors["x"] == pytest.approx(
        np.sqrt((1.5**2 + 1.5**2) / 16 * 2 * 5 / 4)
    )
    assert clustered.df_t == 1


def test_a_known_effect_is_recovered(city_panel: pd.DataFrame) -> None:
    result = fixed_effects(city_panel, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    for term, truth in (("treated", 2.0), ("x", -0.5)):
        assert abs(result.coefficients[term] - truth) < 3 * result.standard_errors[term] < 0.2
    assert result.groups == {"city_code": 40, "year": 8}
    assert result.n_clusters == 40
    assert result.df_t == 39
    assert (
        "317 rows (40 city_code, 8 year); standard errors clustered by city_code" in result.note()
    )


def test_equal_to_least_squares_on_dummies(city_panel: pd.DataFrame) -> None:
    """Both constants, every R-squared and the clustered covariance, on an unbalanced panel, from
    the definition.
    """
    city = pd.get_dummies(city_panel["city_code"], dtype=float).to_numpy()
    year = pd.get_dummies(city_panel["year"], dtype=float).to_numpy()[:, 1:]
    x, y = city_panel[["treated", "x"]].to_numpy(dtype=float), city_panel["y"].to_numpy()
    full = np.hstack([x, city, year])
    b, rss = (lambda fit: (fit[0], float(fit[1][0])))(np.linalg.lstsq(full, y, rcond=None))
    n, k = len(y), 2 + 8
    residuals, bread = y - full @ b, np.linalg.inv(full.T @ full)
    scores = (
        pd.DataFrame(full * residuals[:, None])
        .groupby(city_panel["city_code"].to_numpy())
        .sum()
        .to_numpy()
    )
    covariance = (bread @ scores.T @ scores @ bread)[:2, :2] * 40 / 39 * (n - 1) / (n - k)

    mean_form = fixed_effects(
        city_panel, "y", ["treated", "x"], covariance={"cluster": ["city_code"]}
    )
    year_form = fixed_effects(
        city_panel,
        "y",
        ["treated", "x"],
        covariance={"cluster": ["city_code"]},
        constant="first_period",
    )
    for result in (mean_form, year_form):
        np.testing.assert_allclose(result.coefficients[["treated", "x"]], b[:2], rtol=1e-9)
        np.testing.assert_allclose(
            result.covariance.loc[["treated", "x"], ["treated", "x"]], covariance, rtol=1e-8
        )
        assert result.r2_adjusted == pytest.approx(1 - rss / (n - 2 - 47) / (y.var(ddof=1)))
        within_city = y - city @ (city.T @ y / city.sum(axis=0))
        assert result.r2_first_within == pytest.approx(1 - rss / (within_city @ within_city))
    assert mean_form.coefficients["constant"] == pytest.approx(y.mean() - x.mean(axis=0) @ b[:2])
    # with the first year as base, the constant is the mean of the city effects over rows
    assert year_form.coefficients["constant"] == pytest.approx((city @ b[2:42]).mean())
    assert year_form.coefficients["constant"] != pytest.approx(
        mean_form.coefficients["constant"], abs=0.1
    )


def test_order_extra_columns_and_types_change_nothing(city_panel: pd.DataFrame) -> None:
    plain = fixed_effects(city_panel, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    other = city_panel.sample(frac=1, random_state=1).assign(
        note="text", treated=lambda f: f["treated"].astype("boolean"), spare=np.nan
    )
    before = other.copy(deep=True)
    shuffled = fixed_effects(other, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    pd.testing.assert_frame_equal(shuffled.tidy(), plain.tidy(), check_exact=True)
    pd.testing.assert_frame_equal(shuffled.covariance, plain.covariance, check_exact=True)
    pd.testing.assert_frame_equal(other, before)
    assert list(shuffled.sample) == list(other.index)


def test_rows_left_out_are_counted_with_their_reason(city_panel: pd.DataFrame) -> None:
    spoiled = city_panel.astype({"treated": "Int64"}).reset_index(drop=True)
    spoiled.loc[0, "x"], spoiled.loc[1, "x"] = np.nan, -np.inf
    spoiled.loc[2, "treated"], spoiled.loc[3, "city_code"] = pd.NA, None
    result = fixed_effects(spoiled, "y", ["treated", "x"], covariance={"cluster": ["city_code"]})
    assert result.dropped == {
        "city_code missing": 1,
        "treated missing": 1,
        "x missing": 1,
        "x infinite": 1,
    }
    assert result.n == len(city_panel) - 4 == len(result.sample)
    clean = fixed_effects(
        city_panel.reset_index(drop=True).drop(index=[0, 1, 2, 3]),
        "y",
        ["treated", "x"],
        covariance={"cluster": ["city_code"]},
    )
    pd.testing.assert_frame_equal(result.tidy(), clean.tidy(), check_exact=True)
    assert "1 row (x infinite)" in result.note()


def test_duplicate_keys_are_named(city_panel: pd.DataFrame) -> None:
    doubled = pd.concat([city_panel, city_panel.iloc[[10]]])
    with pytest.raises(
        ValueError,
        match=r"1 row with the city_code and year of an earlier row \(city_code 1101, year 2013\)",
    ):
        fixed_effects(doubled, "y", ["x"])
    with pytest.raises(ValueError, match="with the city_code and year of an earlier row"):
        fixed_effects(doubled, "y", ["x"], ["city_code"], keys=["city_code", "year"])
    assert fixed_effects(doubled, "y", ["x"], ["city_code"]).n == len(doubled)


def test_singletons_stay_and_are_said(city_panel: pd.DataFrame) -> None:
    alone = pd.concat(
        [
            city_panel,
            pd.DataFrame(
                {"city_code": ["9999"], "year": [2010], "treated": [0], "x": [1.0], "y": [1.0]}
            ),
        ]
    )
    result = fixed_effects(alone, "y", ["treated", "x"])
    assert result.singletons == 1
    assert "kept although alone in a level of an effect: 1 row" in result.note()


@pytest.mark.parametrize(
    ("changes", "regressors", "message"),
    [
        (
            {"flat": 1.0},
            ["x", "flat"],
            "flat does not vary once the city_code and year effects are taken out",
        ),
        ({"trend": lambda f: f["year"] * 1.0}, ["x", "trend"], "trend does not vary"),
        ({"twice": lambda f: 2 * f["x"] + f["year"]}, ["x", "twice"], "is a combination of"),
        ({"y": lambda f: f["year"] * 1.0}, ["x"], "y does not vary"),
        ({"x": "text"}, ["x"], "column 'x' holds .* not numbers"),
        ({"x": np.nan}, ["x"], r"no row of 317 is complete \(left out: x missing: 317\)"),
        ({}, ["treatd"], "column 'treatd' is not in the frame. Nearest: treated"),
        ({}, ["x", "x"], "regressors must be different columns"),
        ({}, [], "at least one"),
    ],
)
def test_what_cannot_be_estimated_is_named(
    city_panel: pd.DataFrame, changes: dict, regressors: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fixed_effects(city_panel.assign(**changes), "y", regressors)


def test_too_few_rows_and_one_cluster(city_panel: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="4 complete rows cannot carry 2 regressors"):
        fixed_effects(city_panel.head(4), "y", ["treated", "x"])
    with pytest.raises(ValueError, match="one cluster only"):
        fixed_effects(
            city_panel.assign(country="CN"), "y", ["x"], covariance={"cluster": ["country"]}
        )


def test_parameters_counted_in_each_convention(three: pd.DataFrame) -> None:
    """40 cities, 8 years, 6 industries; cities lie in 5 provinces, so clustering by either nests
    the cities.
    """

    def counted(convention: str, effects: list[str], **options: object) -> tuple[int, float]:
        result = fixed_effects(three, "y", TREATED, effects, small=convention, **options)  # type: ignore[arg-type]
        return result.counted, result.df_t

    n = len(three)
    for convention in ("reghdfe_nested", "fixest_nested", "fixest_full", "linearmodels"):
        assert counted(convention, THREE) == (2 + 40 + 7 + 5, n - 54)
    assert counted("reghdfe_nested", THREE, covariance={"cluster": ["city_code"]}) == (
        2 + 8 + 5,
        39,
    )
    assert counted("fixest_nested", THREE, covariance={"cluster": ["city_code"]}) == (2 + 8 + 5, 39)
    assert counted("fixest_full", THREE, covariance={"cluster": ["city_code"]}) == (54, 39)
    assert counted("linearmodels", THREE, covariance={"cluster": ["city_code"]}) == (54, n - 54)
    assert counted("reghdfe_nested", ["city_code"], covariance={"cluster": ["province"]}) == (3, 4)
    assert counted("linearmodels", ["city_code"], covariance={"cluster": ["province"]}) == (
        3,
        n - 42,
    )
    assert counted(
        "reghdfe_nested", [*THREE, "province"], covariance={"cluster": ["year", "industry"]}
    ) == (2 + 1 + 39, 5)
    # a province is a sum of its cities: five levels that are redundant, of which fixest knows one
    assert counted("fixest_full", [*THREE, "province"]) == (54 + 4, n - 58)
    assert counted("reghdfe_nested", [*THREE, "province"]) == (54, n - 54)


def test_levels_of_three_effects_counted_exactly_on_request() -> None:
    """Four groups ab hold a, b and c: two pairs of levels of ab are redundant with each of them,
    which counts once by pairs; exactly, ab is all.
    """
    rows = [(a, b, (a + b) % 2) for a in range(2) for b in range(2)] * 4
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).assign(
        ab=[f"{a}{b}" for a, b, _ in rows], copy=np.repeat(range(4), 4)
    )
    frame["x"], frame["y"] = np.random.default_rng(1).normal(size=(2, 16))
    for effects, pairwise, exact in (
        (["a", "b", "c"], 4, 4),
        (["a", "b", "c", "ab"], 6, 4),
        (["copy", "ab", "c"], 7, 7),
    ):
        found = [
            fixed_effects(frame, "y", ["x"], effects, effect_count=count).counted - 1
            for count in ("pairwise", "exact")
        ]
        assert found == [pairwise, exact]
        assert exact == np.linalg.matrix_rank(
            np.hstack([pd.get_dummies(frame[name], dtype=float) for name in effects])
        )


def test_two_way_clusters_from_the_definition_and_mended(three: pd.DataFrame) -> None:
    """By one, plus by the other, less by both; a matrix with a negative eigenvalue loses it, the
    slopes' block by itself.
    """
    result = fixed_effects(
        three, "y", TREATED, ["city_code"], covariance={"cluster": ["province", "industry"]}
    )
    parts = [
        fixed_effects(three, "y", TREATED, ["city_code"], covariance={"cluster": [cluster]})
        for cluster in ("province", "industry", "province#industry")
    ]
    n, few = result.n, 5
    raw = np.zeros((3, 3))
    for sign, part in zip((1, 1, -1), parts, strict=True):
        g = part.n_clusters or 0
        raw += (
            sign
            * part.covariance.to_numpy()
            / (g / (g - 1) * (n - 1) / (n - part.counted))
            * few
            / (few - 1)
            * (n - 1)
            / (n - result.counted)
        )
    values, vectors = np.linalg.eigh(raw[:2, :2])
    assert values[0] < -1e-4
    np.testing.assert_allclose(
        result.covariance.to_numpy()[:2, :2],
        (vectors * np.maximum(values, 0)) @ vectors.T,
        rtol=1e-9,
    )
    assert result.mended == "slopes"
    assert "negative eigenvalues set to zero" in result.note()
    unmended = fixed_effects(
        three,
        "y",
        TREATED,
        ["city_code"],
        covariance={"cluster": ["province", "industry"]},
        small="linearmodels",
    )
    assert np.linalg.eigvalsh(unmended.covariance.iloc[:2, :2])[0] < 0
    assert unmended.mended == "nothing"
    assert result.clusters == {"province": 5, "industry": 6}
    assert (result.n_clusters, result.df_t) == (5, 4)
    only_constant = fixed_effects(three, "y", TREATED, covariance={"cluster": ["province", "year"]})
    assert only_constant.mended == "constant"
    np.testing.assert_array_equal(mended(np.diag([2.0, 1.0, 3.0]))[0], np.diag([2.0, 1.0, 3.0]))


def test_weights_mean_repeated_means(three: pd.DataFrame) -> None:
    """A row of weight w is the mean of w rows: coefficients equal those of the repeated rows, and
    only ratios of weights matter.
    """
    repeated = three.loc[three.index.repeat(three["weight"])]
    weighted = fixed_effects(
        three, "y", TREATED, THREE, covariance={"cluster": ["city_code"]}, weights="weight"
    )
    plain = fixed_effects(repeated, "y", TREATED, THREE, covariance={"cluster": ["city_code"]})
    np.testing.assert_allclose(weighted.coefficients, plain.coefficients, rtol=1e-11)
    factors = [(fit.n - 1) / (fit.n - fit.counted) for fit in (weighted, plain)]
    np.testing.assert_allclose(
        weighted.covariance / factors[0], plain.covariance / factors[1], rtol=1e-9
    )
    assert weighted.r2 == pytest.approx(plain.r2)
    assert weighted.r2_first_within == pytest.approx(plain.r2_first_within)
    assert "weighted by weight" in weighted.note()
    scaled = fixed_effects(
        three.assign(weight=three["weight"] / 7),
        "y",
        TREATED,
        THREE,
        covariance={"cluster": ["city_code"]},
        weights="weight",
    )
    np.testing.assert_allclose(scaled.covariance, weighted.covariance, rtol=1e-12)
    first = [
        fixed_effects(three, "y", TREATED, weights=w, constant="first_period")
        for w in ("weight", None)
    ]
    assert first[0].coefficients["constant"] != pytest.approx(
        first[1].coefficients["constant"], rel=1e-6
    )


def test_weights_of_zero_are_left_out_and_negative_ones_refused(three: pd.DataFrame) -> None:
    zero = three["weight"].where(three["industry"] != 2, 0)
    result = fixed_effects(three.assign(weight=zero), "y", TREATED, THREE, weights="weight")
    assert result.dropped == {"weight zero": int((three["industry"] == 2).sum())}
    pd.testing.assert_frame_equal(
        result.tidy(),
        fixed_effects(three[three["industry"] != 2], "y", TREATED, THREE, weights="weight").tidy(),
    )
    with pytest.raises(
        ValueError, match="weight 'weight' is negative in 1 rows .the first: index 3."
    ):
        fixed_effects(
            three.assign(weight=three["weight"].where(three.index != 3, -1)),
            "y",
            TREATED,
            THREE,
            weights="weight",
        )
    with pytest.raises(ValueError, match="zero in every complete row"):
        fixed_effects(three.assign(weight=0), "y", TREATED, THREE, weights="weight")


def test_singletons_dropped_again_and_again(city_panel: pd.DataFrame) -> None:
    """9999 has one year; then 2030, which only 9999 and 1101 have, is 1101's alone. What is left is
    the panel without them.
    """
    extra = pd.DataFrame(
        {
            "city_code": ["9999", "1101"],
            "year": [2030, 2030],
            "treated": [0, 1],
            "x": [1.0, 2.0],
            "y": [1.0, 0.0],
        }
    )
    padded = pd.concat([city_panel, extra])
    kept, dropped = (
        fixed_effects(padded, "y", TREATED, covariance={"cluster": ["city_code"]}, singletons=how)
        for how in ("keep", "drop")
    )
    assert (kept.n, kept.singletons) == (len(city_panel) + 2, 1)
    assert (dropped.n, dropped.singletons) == (len(city_panel), 0)
    assert dropped.dropped == {"alone in a level of an effect": 2}
    pd.testing.assert_frame_equal(
        dropped.tidy(),
        fixed_effects(city_panel, "y", TREATED, covariance={"cluster": ["city_code"]}).tidy(),
        check_exact=True,
    )
    np.testing.assert_allclose(
        kept.coefficients[TREATED],
        fixed_effects(padded[padded["city_code"] != "9999"], "y", TREATED).coefficients[TREATED],
    )
    with pytest.raises(
        ValueError, match="alone in a level of an effect, at once or once others are left out"
    ):
        fixed_effects(
            city_panel.drop_duplicates("city_code"), "y", TREATED, ["city_code"], singletons="drop"
        )


def test_collinear_regressors_dropped_on_request(three: pd.DataFrame) -> None:
    frame = three.assign(
        flat=3.0,
        city_size=three["province"] * 1e6,
        twice=2 * three["x"] + three["year"],
        sum=three["treated"] - three["x"],
    )
    result = fixed_effects(
        frame,
        "y",
        ["flat", "x", "city_size", "twice", "treated", "sum"],
        THREE,
        covariance={"cluster": ["city_code"]},
        collinear="drop",
    )
    assert result.regressors == ("x", "treated")
    assert list(result.omitted) == ["flat", "city_size", "twice", "sum"]
    assert result.omitted["twice"] == "a combination of x, treated"
    assert (
        "regressors left out: flat (does not vary once the city_code and year and industry effects"
        " are taken out)" in result.note()
    )
    plain = fixed_effects(
        three, "y", ["x", "treated"], THREE, covariance={"cluster": ["city_code"]}
    )
    np.testing.assert_allclose(result.covariance, plain.covariance, rtol=1e-10)
    first = fixed_effects(frame, "y", ["flat", "x"], collinear="drop", constant="first_period")
    np.testing.assert_allclose(
        first.coefficients,
        fixed_effects(three, "y", ["x"], constant="first_period").coefficients,
        rtol=1e-10,
    )
    with pytest.raises(ValueError, match="no regressor is left: flat does not vary"):
        fixed_effects(frame, "y", ["flat", "city_size"], THREE, collinear="drop")
    with pytest.raises(ValueError, match="y does not vary"):
        fixed_effects(frame.assign(y=frame["year"] * 1.0), "y", ["x"], THREE, collinear="drop")
    almost = frame.assign(near=frame["x"] + 1e-5 * three["y"])  # hardly its own, but its own
    assert fixed_effects(almost, "y", ["x", "near"], THREE).regressors == ("x", "near")


def test_units_of_the_columns_do_not_matter(three: pd.DataFrame) -> None:
    plain = fixed_effects(three, "y", TREATED, THREE, covariance={"cluster": ["city_code"]})
    scaled = fixed_effects(
        three.assign(x=three["x"] * 1e9 + 1e12, treated=three["treated"] * 1e-9),
        "y",
        TREATED,
        THREE,
        covariance={"cluster": ["city_code"]},
    )
    np.testing.assert_allclose(scaled.t_statistics[TREATED], plain.t_statistics[TREATED], rtol=1e-9)


def test_without_effects_it_is_least_squares(three: pd.DataFrame) -> None:
    x = np.column_stack([three[TREATED], np.ones(len(three))])
    b, rss = np.linalg.lstsq(x, three["y"], rcond=None)[:2]
    result = fixed_effects(three, "y", TREATED, [])
    np.testing.assert_allclose(result.coefficients, b, rtol=1e-12)
    np.testing.assert_allclose(
        result.covariance, np.linalg.inv(x.T @ x) * rss / (len(three) - 3), rtol=1e-11
    )
    assert result.r2 == pytest.approx(result.r2_within)
    assert "y on treated, x, 317 rows;" in result.note()


def test_columns_joined_to_one_effect(three: pd.DataFrame) -> None:
    joined = fixed_effects(
        three,
        "y",
        ["x"],
        ["city_code", "province#year"],
        covariance={"cluster": ["province#year"]},
        keys=[],
    )
    by_hand = fixed_effects(
        three.assign(py=three["province"].astype(str) + "-" + three["year"].astype(str)),
        "y",
        ["x"],
        ["city_code", "py"],
        covariance={"cluster": ["py"]},
        keys=[],
    )
    np.testing.assert_allclose(joined.covariance, by_hand.covariance, rtol=1e-12)
    assert joined.groups["province#year"] == 40


@pytest.mark.parametrize("cast", [str, "category", "Int64", "float64", object])
def test_labels_of_any_type_give_the_same_numbers(three: pd.DataFrame, cast: object) -> None:
    plain = fixed_effects(
        three.assign(city_code=three["city_code"].astype(int)),
        "y",
        TREATED,
        THREE,
        covariance={"cluster": ["city_code", "industry"]},
    )
    other = three.assign(**{name: three[name].astype(int).astype(cast) for name in THREE})
    result = fixed_effects(
        other, "y", TREATED, THREE, covariance={"cluster": ["city_code", "industry"]}
    )
    pd.testing.assert_frame_equal(result.covariance, plain.covariance, check_exact=True)


def test_float32_input_is_worked_on_in_float64(three: pd.DataFrame) -> None:
    narrow = three.astype({"x": "float32", "y": "float32"})
    wide = narrow.astype({"x": "float64", "y": "float64"})
    pd.testing.assert_frame_equal(
        fixed_effects(narrow, "y", TREATED, THREE).covariance,
        fixed_effects(wide, "y", TREATED, THREE).covariance,
        check_exact=True,
    )


def test_rows_that_share_all_levels_may_come_in_any_order(three: pd.DataFrame) -> None:
    plain = fixed_effects(
        three, "y", TREATED, ["province"], weights="weight", covariance={"cluster": ["industry"]}
    )
    for seed in range(3):
        shuffled = three.sample(frac=1, random_state=seed).set_index("year", drop=False)
        result = fixed_effects(
            shuffled,
            "y",
            TREATED,
            ["province"],
            weights="weight",
            covariance={"cluster": ["industry"]},
        )
        pd.testing.assert_frame_equal(result.covariance, plain.covariance, check_exact=True)
        assert list(result.sample) == list(shuffled.index)


def test_the_same_number_in_every_process() -> None:
    program = (
        "import numpy as np, pandas as pd\nfrom analysis.estimators import fixed_effects\ndraw ="
        " np.random.default_rng(0)\nf = pd.DataFrame({'a': draw.integers(0, 20, 300).astype(str),"
        " 'b': draw.integers(0, 9, 300).astype(str), 'c': draw.integers(0, 5,"
        " 300).astype(str)})\nf['x'], f['y'] = draw.normal(size=(2, 300))\nprint([v.hex() for v in"
        " fixed_effects(f, 'y', ['x'], ['a', 'b', 'c'], covariance={'cluster': ['a', 'c']},"
        " small='fixest_nested').standard_errors])\n"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"small": "stata"}, "small = 'stata' is not known"),
        ({"singletons": "maybe"}, "singletons = 'maybe'"),
        ({"collinear": "ignore"}, "collinear = 'ignore'"),
        ({"effect_count": "none"}, "effect_count = 'none'"),
        (
            {"covariance": {"cluster": ["city_code", "year", "industry"]}},
            "by one column or two different ones",
        ),
        ({"covariance": "cluster"}, "covariance = 'cluster' is not known"),
        ({"covariance": {"clusters": ["city_code"]}}, "Nearest: cluster"),
        ({"effects": ["year", "year"]}, "effects must be different columns"),
        (
            {"effects": THREE, "constant": "first_period"},
            "'first_period' is for two effects; there are 3",
        ),
        (
            {"effects": ["city_code#yaer", "year"]},
            "column 'yaer' is not in the frame. Nearest: year",
        ),
        ({"weights": "city_code"}, "column 'city_code' holds .* not numbers"),
        ({"keys": ["year"]}, "with the year of an earlier row"),
    ],
)
def test_calls_that_cannot_be_meant_are_refused(
    three: pd.DataFrame, options: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fixed_effects(three, "y", TREATED, **options)


def test_years_that_are_not_comparable_have_no_first_one() -> None:
    """Two groups of cities without a common year: levels of the second effect can be compared
    inside a group only.
    """
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "city_code": np.repeat(range(10), 4),
            "year": [*np.tile(range(4), 5), *np.tile(range(4, 8), 5)],
        }
    )
    frame["x"], frame["y"] = draw.normal(size=(2, 40))
    assert fixed_effects(frame, "y", ["x"]).counted == 1 + 10 + 8 - 2
    with pytest.raises(ValueError, match="the first level of year is not comparable"):
        fixed_effects(frame, "y", ["x"], constant="first_period")
