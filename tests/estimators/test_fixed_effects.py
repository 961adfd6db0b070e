"""Fixed effects: against other programs' printed numbers, a case by hand, a known truth, and input that could mislead."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder)


@pytest.fixture
def made_up() -> pd.DataFrame:
    """40 cities over 8 years: y = 2 treated - 0.5 x + city + year + noise, with gaps."""
    draw = np.random.default_rng(3)
    city, year = (axis.ravel() for axis in np.meshgrid(np.arange(40), np.arange(2010, 2018), indexing="ij"))
    frame = pd.DataFrame({"city_code": [f"{1100 + c}" for c in city], "year": year})
    frame["treated"] = ((city < 15) & (year >= 2012 + city % 4)).astype(int)
    frame["x"] = draw.normal(size=len(frame)) + 0.1 * city
    frame["y"] = 2.0 * frame["treated"] - 0.5 * frame["x"] + 0.3 * city + 0.2 * (year - 2010) + 0.1 * draw.normal(size=len(frame))
    return frame.drop(index=frame.index[[5, 77, 200]])


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"cluster": "Year"}, "Sales~Price+fe(State) cluster Year (areg=reghdfe)"),
        ({"cluster": "State"}, "Sales~Price+fe(State) cluster State (reghdfe)"),
        ({"robust": True}, "Sales~Price+fe(State) robust (areg)"),
        ({}, "Sales~Price+fe(State) iid (areg)"),
    ],
)
def test_standard_errors_equal_stata(golden: Path, options: dict, key: str) -> None:
    frame = pd.read_csv(golden / "cigar_fkp" / "Cigar.csv")
    expected = json.loads((golden / "cigar_fkp" / "fixedeffectmodels_jl.json").read_text())["se"][key]
    result = fixed_effects(frame, "Sales", ["Price"], ["State"], **options)
    assert result.standard_errors["Price"] == pytest.approx(expected, abs=5.1e-8)  # printed with seven decimals


def test_one_and_two_effects_equal_plm(golden: Path) -> None:
    frame = pd.read_csv(golden / "panel_grunfeld" / "grunfeld.csv")
    expected = json.loads((golden / "panel_grunfeld" / "r_plm.json").read_text())
    for effects, name in ((["firm"], "fe"), (["firm", "year"], "twoway")):
        result = fixed_effects(frame, "inv", ["value", "capital"], effects)
        for term in ("value", "capital"):
            assert result.coefficients[term] == pytest.approx(expected[name]["coef"][term], rel=1e-10)
            assert result.standard_errors[term] == pytest.approx(expected[name]["se"][term], rel=1e-10)
    clustered = fixed_effects(frame, "inv", ["value", "capital"], ["firm"], "firm")
    n, k = len(frame), 2
    # plm's "sss" counts the regressors alone in (N-1)/(N-K); Stata and this program count the constant as well
    for term in ("value", "capital"):
        assert clustered.standard_errors[term] == pytest.approx(expected["fe"]["se_cl_sss"][term] * np.sqrt((n - k) / (n - k - 1)), rel=1e-10)


def test_staggered_difference_in_differences_equals_fixest(golden: Path) -> None:
    frame = pd.read_csv(golden / "did_mpdta" / "mpdta.csv")
    frame["treatedpost"] = (frame["first.treat"] > 0) & (frame["year"] >= frame["first.treat"])
    expected = json.loads((golden / "did_fixest" / "r_fixest.json").read_text())["mpdta_twfe"]
    clustered = fixed_effects(frame, "lemp", ["treatedpost"], ["countyreal", "year"], "countyreal")
    plain = fixed_effects(frame, "lemp", ["treatedpost"], ["countyreal", "year"])
    assert clustered.coefficients["treatedpost"] == pytest.approx(expected["coef"]["treatedpost"], rel=1e-9)
    assert clustered.standard_errors["treatedpost"] == pytest.approx(expected["se_cluster"]["treatedpost"], rel=1e-9)
    assert plain.standard_errors["treatedpost"] == pytest.approx(expected["se_iid"]["treatedpost"], rel=1e-9)
    assert clustered.r2 == pytest.approx(expected["r2"], rel=1e-9)
    assert clustered.r2_within == pytest.approx(expected["wr2"], rel=1e-9)


def test_a_case_by_hand() -> None:
    """Two cities, three years each, one effect. Within x: -1 0 1 | -1 0 1, within y: -2 1 1 | -3 0 3.

    b = (2 + 0 + 1 + 3 + 0 + 3) / 4 = 9/4; residuals .25 1 -1.25 | -.75 0 .75, RSS = 3.75; WSS = 24; mean y 6.5, mean x 4.5.
    """
    frame = pd.DataFrame({"city": ["a"] * 3 + ["b"] * 3, "x": [1.0, 2, 3, 6, 7, 8], "y": [1.0, 4, 4, 7, 10, 13]})
    result = fixed_effects(frame, "y", ["x"], ["city"])
    assert result.coefficients["x"] == pytest.approx(9 / 4)
    assert result.coefficients["constant"] == pytest.approx(6.5 - 4.5 * 9 / 4)
    assert result.standard_errors["x"] == pytest.approx(np.sqrt(3.75 / (6 - 3) / 4))
    assert result.r2_within == pytest.approx(1 - 3.75 / 24)
    assert result.r2_first_within_adjusted == pytest.approx(1 - 3.75 / 24 * 5 / 3)
    assert result.r2 == pytest.approx(1 - 3.75 / 97.5)
    assert result.r2_adjusted == pytest.approx(1 - 3.75 / 97.5 * 5 / 3)
    # scores by city: -.25 - 1.25 = -1.5 and .75 + .75 = 1.5; the city effects are nested, so K = x and the constant
    clustered = fixed_effects(frame, "y", ["x"], ["city"], "city")
    assert clustered.standard_errors["x"] == pytest.approx(np.sqrt((1.5**2 + 1.5**2) / 16 * 2 * 5 / 4))
    assert clustered.df_t == 1


def test_a_known_effect_is_recovered(made_up: pd.DataFrame) -> None:
    result = fixed_effects(made_up, "y", ["treated", "x"], cluster="city_code")
    for term, truth in (("treated", 2.0), ("x", -0.5)):
        assert abs(result.coefficients[term] - truth) < 3 * result.standard_errors[term] < 0.2
    assert result.groups == {"city_code": 40, "year": 8}
    assert result.n_clusters == 40
    assert result.df_t == 39
    assert "317 rows (40 city_code, 8 year); standard errors clustered by city_code" in result.note()


def test_equal_to_least_squares_on_dummies(made_up: pd.DataFrame) -> None:
    """Both constants, every R-squared and the clustered covariance, on an unbalanced panel, from the definition."""
    city = pd.get_dummies(made_up["city_code"], dtype=float).to_numpy()
    year = pd.get_dummies(made_up["year"], dtype=float).to_numpy()[:, 1:]
    x, y = made_up[["treated", "x"]].to_numpy(dtype=float), made_up["y"].to_numpy()
    full = np.hstack([x, city, year])
    b, rss = (lambda fit: (fit[0], float(fit[1][0])))(np.linalg.lstsq(full, y, rcond=None))
    n, k = len(y), 2 + 8
    residuals, bread = y - full @ b, np.linalg.inv(full.T @ full)
    scores = pd.DataFrame(full * residuals[:, None]).groupby(made_up["city_code"].to_numpy()).sum().to_numpy()
    covariance = (bread @ scores.T @ scores @ bread)[:2, :2] * 40 / 39 * (n - 1) / (n - k)

    mean_form = fixed_effects(made_up, "y", ["treated", "x"], cluster="city_code")
    year_form = fixed_effects(made_up, "y", ["treated", "x"], cluster="city_code", constant="first_period")
    for result in (mean_form, year_form):
        np.testing.assert_allclose(result.coefficients[["treated", "x"]], b[:2], rtol=1e-9)
        np.testing.assert_allclose(result.covariance.loc[["treated", "x"], ["treated", "x"]], covariance, rtol=1e-8)
        assert result.r2_adjusted == pytest.approx(1 - rss / (n - 2 - 47) / (y.var(ddof=1)))
        within_city = y - city @ (city.T @ y / city.sum(axis=0))
        assert result.r2_first_within == pytest.approx(1 - rss / (within_city @ within_city))
    assert mean_form.coefficients["constant"] == pytest.approx(y.mean() - x.mean(axis=0) @ b[:2])
    # with the first year as base, the constant is the mean of the city effects over rows
    assert year_form.coefficients["constant"] == pytest.approx((city @ b[2:42]).mean())
    assert year_form.coefficients["constant"] != pytest.approx(mean_form.coefficients["constant"], abs=0.1)


def test_order_extra_columns_and_types_change_nothing(made_up: pd.DataFrame) -> None:
    plain = fixed_effects(made_up, "y", ["treated", "x"], cluster="city_code")
    other = made_up.sample(frac=1, random_state=1).assign(note="text", treated=lambda f: f["treated"].astype("boolean"), spare=np.nan)
    before = other.copy(deep=True)
    shuffled = fixed_effects(other, "y", ["treated", "x"], cluster="city_code")
    pd.testing.assert_frame_equal(shuffled.to_frame(), plain.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(shuffled.covariance, plain.covariance, check_exact=True)
    pd.testing.assert_frame_equal(other, before)
    assert list(shuffled.sample) == list(other.index)


def test_rows_left_out_are_counted_with_their_reason(made_up: pd.DataFrame) -> None:
    spoiled = made_up.astype({"treated": "Int64"}).reset_index(drop=True)
    spoiled.loc[0, "x"], spoiled.loc[1, "x"] = np.nan, -np.inf
    spoiled.loc[2, "treated"], spoiled.loc[3, "city_code"] = pd.NA, None
    result = fixed_effects(spoiled, "y", ["treated", "x"], cluster="city_code")
    assert result.dropped == {"city_code missing": 1, "treated missing": 1, "x missing": 1, "x infinite": 1}
    assert result.n == len(made_up) - 4 == len(result.sample)
    clean = fixed_effects(made_up.reset_index(drop=True).drop(index=[0, 1, 2, 3]), "y", ["treated", "x"], cluster="city_code")
    pd.testing.assert_frame_equal(result.to_frame(), clean.to_frame(), check_exact=True)
    assert "1 row (x infinite)" in result.note()


def test_duplicate_keys_are_named(made_up: pd.DataFrame) -> None:
    doubled = pd.concat([made_up, made_up.iloc[[10]]])
    with pytest.raises(ValueError, match=r"1 row with the city_code and year of an earlier row \(city_code 1101, year 2013\)"):
        fixed_effects(doubled, "y", ["x"])
    with pytest.raises(ValueError, match="with the city_code and year of an earlier row"):
        fixed_effects(doubled, "y", ["x"], ["city_code"], keys=["city_code", "year"])
    assert fixed_effects(doubled, "y", ["x"], ["city_code"]).n == len(doubled)


def test_singletons_stay_and_are_said(made_up: pd.DataFrame) -> None:
    alone = pd.concat([made_up, pd.DataFrame({"city_code": ["9999"], "year": [2010], "treated": [0], "x": [1.0], "y": [1.0]})])
    result = fixed_effects(alone, "y", ["treated", "x"])
    assert result.singletons == 1
    assert "kept although alone in a level of an effect: 1 row" in result.note()


@pytest.mark.parametrize(
    ("changes", "regressors", "message"),
    [
        ({"flat": 1.0}, ["x", "flat"], "flat does not vary once the city_code and year effects are taken out"),
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
def test_what_cannot_be_estimated_is_named(made_up: pd.DataFrame, changes: dict, regressors: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixed_effects(made_up.assign(**changes), "y", regressors)


def test_too_few_rows_and_one_cluster(made_up: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="4 complete rows cannot carry 2 regressors"):
        fixed_effects(made_up.head(4), "y", ["treated", "x"])
    with pytest.raises(ValueError, match="one cluster only"):
        fixed_effects(made_up.assign(country="CN"), "y", ["x"], cluster="country")
