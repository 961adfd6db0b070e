"""Fixed effects: a case by hand, a known truth, and every number from its definition: parameters
counted, two-way clusters, weights, joined columns.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects
from analysis.estimators.core.sandwich import mended

TREATED = ["treated", "x"]
THREE = ["city_code", "year", "industry"]


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
