"""Two-way fixed effects, event studies, Bacon, Sun-Abraham, imputation, sensitivity: other
programs, cases by hand, known truths, traps.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.bacon import bacon_decomposition
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.honest import honest_bounds
from analysis.estimators.did.imputation import imputation
from analysis.estimators.did.sun_abraham import sun_abraham
from analysis.estimators.did.twoway import difference_in_differences, event_study, treated_by_period
from analysis.estimators.linear.fixed_effects import fixed_effects

COLUMNS = ("y", "city", "year", "cohort")


@pytest.fixture(scope="module")
def fixest(golden: Path) -> dict:
    return json.loads((golden / "did_fixest" / "r_fixest.json").read_text())


@pytest.fixture(scope="module")
def mpdta(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "did_mpdta" / "mpdta.csv")


@pytest.fixture(scope="module")
def staggered(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "did_fixest" / "base_stagg.csv")


def world(noise: float = 0.01, slope: float = 0.5) -> pd.DataFrame:
    """60 cities, 2010-2017; cohorts never, 2012, 2014, 2015; effect 1 + slope * e; a covariate with
    coefficient 0.7.
    """
    draw = np.random.default_rng(8)
    city, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2018), indexing="ij")
    )
    cohort = np.array([0, 2012, 2014, 2015])[city % 4]
    event = np.where(cohort > 0, year - cohort, -99)
    x = draw.normal(size=len(city)) + 0.02 * city
    y = (
        np.where(event >= 0, 1 + slope * event, 0.0)
        + 0.7 * x
        + 0.1 * city
        + 0.3 * (year - 2010)
        + noise * draw.normal(size=len(city))
    )
    frame = pd.DataFrame(
        {
            "city": [f"{1100 + c}" for c in city],
            "year": year,
            "cohort": cohort,
            "y": y,
            "x": x,
            "w": 1.0 + city % 3,
        }
    )
    return frame.assign(treated=(event >= 0).astype(int), province=[f"p{c % 12:02d}" for c in city])


@pytest.fixture
def made_up() -> pd.DataFrame:
    return world()


# --- other programs
# --------------------------------------------------------------------------------------------------


def test_two_way_fixed_effects_equal_fixest(fixest: dict, mpdta: pd.DataFrame) -> None:
    expected = fixest["mpdta_twfe"]
    result = difference_in_differences(mpdta, "lemp", "countyreal", "year", cohort="first.treat")
    assert result.coefficients["treated"] == pytest.approx(
        expected["coef"]["treatedpost"], rel=1e-11
    )
    assert result.standard_errors["treated"] == pytest.approx(
        expected["se_cluster"]["treatedpost"], rel=1e-11
    )
    assert result.regression.r2 == pytest.approx(expected["r2"], rel=1e-11)


@pytest.mark.parametrize("name", ["mpdta_sunab", "base_stagg_sunab"])
def test_sun_abraham_equals_fixest(
    fixest: dict, mpdta: pd.DataFrame, staggered: pd.DataFrame, name: str
) -> None:
    if name == "mpdta_sunab":
        result = sun_abraham(mpdta, "lemp", "countyreal", "year", "first.treat")
    else:
        result = sun_abraham(staggered, "y", "id", "year", "year_treated", ["x1"])
    got, errors = result.coefficients, result.standard_errors
    by_event, total = fixest[f"{name}_es"], fixest[f"{name}_att"]
    assert len(by_event["coef"]) + 1 == len(got)
    for printed, value in by_event["coef"].items():
        term = printed.replace("year::", "e=")
        assert got[term] == pytest.approx(value, abs=1e-11), printed
        assert errors[term] == pytest.approx(by_event["se"][printed], abs=1e-11), printed
    assert got["overall"] == pytest.approx(total["coef"]["ATT"], abs=1e-11)
    assert errors["overall"] == pytest.approx(total["se"]["ATT"], abs=1e-11)


def test_sun_abraham_cells_equal_fixest(fixest: dict, mpdta: pd.DataFrame) -> None:
    cells = sun_abraham(mpdta, "lemp", "countyreal", "year", "first.treat").cells.set_index(
        ["event_time", "cohort"]
    )
    expected = fixest["mpdta_sunab_cohort"]
    assert len(cells) == len(expected["coef"])
    for printed, value in expected["coef"].items():
        event, cohort = printed.removeprefix("year::").split(":cohort::")
        assert cells.loc[(int(event), int(cohort)), "att"] == pytest.approx(value, abs=1e-12)
        assert cells.loc[(int(event), int(cohort)), "standard_error"] == pytest.approx(
            expected["se"][printed], abs=1e-12
        )


# diff-diff 3.13 on the example with rows left out and a covariate; overall, then e = 0 to 3:
# estimate, standard error.
IMPUTATION = {
    ("cohort_period", False): [
        -0.04793371012067652,
        0.013891931647618035,
        0.01499902804528685,
        0.022037004869674512,
        0.027978198278718218,
    ],
    ("cohort_period", True): [
        -0.04793371012067652,
        0.01417845939317753,
        0.01513451048899078,
        0.02287650535584004,
        0.029546586878866396,
    ],
    ("event_time", False): [
        -0.04793371012067652,
        0.013963304943432963,
        0.015076022454025102,
        0.022136407530553286,
        0.027978198278718218,
    ],
    ("event_time", True): [
        -0.04793371012067652,
        0.014125845643840344,
        0.015138858901336235,
        0.02253468495831319,
        0.029546586878866396,
    ],
}
IMPUTATION_EFFECTS = [
    -0.033404906433637804,
    -0.05255755856613196,
    -0.10735492980763792,
    -0.14266728110620633,
]


@pytest.mark.parametrize(("averaged_over", "leave_one_out"), IMPUTATION)
def test_imputation_equals_another_program(
    mpdta: pd.DataFrame, averaged_over: str, leave_one_out: bool
) -> None:
    frame = mpdta[(mpdta["countyreal"] + mpdta["year"]) % 11 != 0]
    frame = frame.assign(x=frame["lpop"] + np.sin(frame["countyreal"] + 3.0 * frame["year"]))
    options = {"averaged_over": averaged_over, "leave_one_out": leave_one_out}
    result = imputation(frame, "lemp", "countyreal", "year", "first.treat", ["x"], **options)
    overall, *errors = IMPUTATION[averaged_over, leave_one_out]
    assert result.coefficients["overall"] == pytest.approx(overall, rel=1e-9)
    np.testing.assert_allclose(result.standard_errors.iloc[:4], errors, rtol=1e-9)
    np.testing.assert_allclose(result.coefficients.iloc[1:], IMPUTATION_EFFECTS, rtol=1e-9)


def test_sensitivity_equals_another_program(mpdta: pd.DataFrame) -> None:
    """honestdid 0.1.1 (a port of R HonestDiD): its grid has steps of a tenth of a standard error,
    its critical values are simulated.
    """
    effects = callaway_santanna(
        mpdta, "lemp", "countyreal", "year", "first.treat", base="universal"
    )
    study = aggregate_effects(effects, "dynamic")
    error = study.standard_errors["e=0"]
    relative = (
        honest_bounds(study, "relative_magnitude", [0.5, 1, 2]).intervals.iloc[1:, 1:].to_numpy()
    )
    np.testing.assert_allclose(
        relative,
        [[-0.055130, 0.018377], [-0.072914, 0.037346], [-0.117967, 0.082399]],
        atol=0.12 * error,
    )
    smooth = (
        honest_bounds(study, "smoothness", [0, 0.01, 0.05, 0.2]).intervals.iloc[1:, 1:].to_numpy()
    )
    printed = [
        [-0.051289, 0.006485],
        [-0.045631, 0.036816],
        [-0.078757, 0.087811],
        [-0.228757, 0.237811],
    ]
    np.testing.assert_allclose(smooth, printed, atol=0.006 * error)


# --- by hand and by definition
# --------------------------------------------------------------------------------------------------


def test_two_groups_two_periods_by_hand() -> None:
    """Treated 1 -> 6 and 2 -> 5, controls 4 -> 5 and 0 -> 2: (4 - 1.5) effect by means: (5.5 - 1.5)
    - (3.5 - 2) = 2.5.
    """
    frame = pd.DataFrame(
        {
            "city": list("aabbccdd"),
            "year": [0, 1] * 4,
            "y": [1.0, 6, 2, 5, 4, 5, 0, 2],
            "cohort": [1, 1, 1, 1, 0, 0, 0, 0],
        }
    )
    frame["year"] += 2000
    frame["cohort"] = frame["cohort"] * 2001
    for estimate in (
        difference_in_differences(frame, "y", "city", "year", cohort="cohort").coefficients[
            "treated"
        ],
        event_study(frame, *COLUMNS).coefficients["e=0"],
        sun_abraham(frame, *COLUMNS).coefficients["overall"],
        imputation(frame, *COLUMNS).coefficients["overall"],
        callaway_santanna(frame, *COLUMNS).coefficients["ATT(2001,2001)"],
        bacon_decomposition(frame, *COLUMNS).coefficient,
    ):
        assert estimate == pytest.approx(2.5, abs=1e-12)


def test_the_decomposition_adds_up(mpdta: pd.DataFrame, made_up: pd.DataFrame) -> None:
    always = made_up.assign(cohort=made_up["cohort"].replace({2012: 2010}))
    for frame, columns in (
        (mpdta, ("lemp", "countyreal", "year", "first.treat")),
        (made_up, COLUMNS),
        (always, COLUMNS),
        (made_up[made_up["cohort"] > 0], COLUMNS),
    ):
        result = bacon_decomposition(frame, *columns)
        regression = difference_in_differences(
            frame, columns[0], columns[1], columns[2], cohort=columns[3]
        )
        assert abs(result.difference) < 1e-12
        assert result.comparisons["weight"].sum() == pytest.approx(1, abs=1e-12)
        assert (result.comparisons["weight"] > 0).all()
        assert result.coefficient == pytest.approx(regression.coefficients["treated"], abs=1e-12)
    assert "later vs always treated" in bacon_decomposition(always, *COLUMNS).kinds.index


def test_a_comparison_is_the_regression_on_its_rows(made_up: pd.DataFrame) -> None:
    table = bacon_decomposition(made_up, *COLUMNS).comparisons
    early = made_up[made_up["cohort"].isin([2012, 2014])]
    for kind, rows in (
        ("earlier vs later treated", early[early["year"] < 2014]),
        ("later vs earlier treated", early[early["year"] >= 2012]),
    ):
        pair = table[
            (table["kind"] == kind)
            & table["treated"].isin(["2012", "2014"])
            & table["control"].isin(["2012", "2014"])
        ]
        alone = difference_in_differences(rows, "y", "city", "year", treatment="treated")
        assert pair["estimate"].item() == pytest.approx(alone.coefficients["treated"], abs=1e-12)


def test_imputation_equals_dummies_on_untreated_rows(made_up: pd.DataFrame) -> None:
    frame = made_up.drop(index=made_up.index[[4, 77, 300]])
    design = np.column_stack(
        [pd.get_dummies(frame[["city", "year"]].astype(str)).to_numpy(dtype=float), frame["x"]]
    )
    treated, weight = frame["treated"].to_numpy() == 1, np.sqrt(frame["w"].to_numpy())
    beta = np.linalg.lstsq(
        (design * weight[:, None])[~treated], (frame["y"].to_numpy() * weight)[~treated], rcond=None
    )[0]
    effect = (frame["y"] - design @ beta)[treated]
    result = imputation(frame, *COLUMNS, ["x"], weights="w")
    pd.testing.assert_series_equal(
        result.effects["effect"], effect.rename("effect"), atol=1e-9, rtol=0
    )
    assert result.coefficients["overall"] == pytest.approx(
        np.average(effect, weights=frame["w"][treated]), abs=1e-10
    )


def test_imputation_drops_what_cannot_be_predicted(made_up: pd.DataFrame) -> None:
    first_only = made_up[
        (made_up["city"] != "1101") | (made_up["year"] >= 2012)
    ]  # treated in all its rows
    result = imputation(first_only, *COLUMNS)
    assert result.dropped == {"treated row that untreated rows cannot predict": 6}
    no_controls_late = made_up[(made_up["cohort"] > 0)]
    late = imputation(no_controls_late, *COLUMNS, ["x"])
    assert late.dropped == {
        "treated row that untreated rows cannot predict": 45 * 3
    }  # from 2015 on everybody is treated
    assert late.coefficients["e=0"] == pytest.approx(1.0, abs=0.02)


def test_event_study_windows(made_up: pd.DataFrame) -> None:
    whole = event_study(made_up, *COLUMNS, ["x"])
    assert list(whole.estimates["event_time"]) == list(range(-5, 6))
    binned = event_study(made_up, *COLUMNS, ["x"], first=-3, last=2)
    assert list(binned.coefficients.index) == ["e<=-3", "e=-2", "e=0", "e=1", "e>=2", "x"]
    event = made_up["year"] - made_up["cohort"].where(made_up["cohort"] > 0)
    by_hand = made_up.assign(
        low=event.le(-3), m2=event.eq(-2), z=event.eq(0), o=event.eq(1), high=event.ge(2)
    )
    again = fixed_effects(
        by_hand,
        "y",
        ["low", "m2", "z", "o", "high", "x"],
        ["city", "year"],
        covariance={"cluster": ["city"]},
    )
    np.testing.assert_allclose(binned.coefficients, again.coefficients.iloc[:-1], atol=1e-10)
    np.testing.assert_allclose(binned.standard_errors, again.standard_errors.iloc[:-1], rtol=1e-9)
    cut = event_study(made_up, *COLUMNS, ["x"], first=-3, last=2, ends="drop")
    assert cut.dropped == {"event time outside the window": int(((event < -3) | (event > 2)).sum())}
    assert cut.n == len(made_up) - cut.dropped["event time outside the window"]
    mixed = event_study(made_up, *COLUMNS, ["x"], first=-3, last=2, ends="reference")
    assert mixed.n == len(made_up)
    assert list(mixed.coefficients.index) == ["e=-3", "e=-2", "e=0", "e=1", "e=2", "x"]
    assert (
        event_study(made_up, *COLUMNS, ["x"], base=-2)
        .estimates.set_index("event_time")
        .loc[-2, "att"]
        == 0
    )


def test_without_never_treated_two_bases_are_needed(made_up: pd.DataFrame) -> None:
    treated = made_up[made_up["cohort"] > 0]
    with pytest.raises(ValueError, match="combination of"):
        event_study(treated, *COLUMNS)
    result = event_study(treated, *COLUMNS, base=[-1, -5])
    assert result.base == (-1.0, -5.0)
    assert result.estimates["standard_error"].isna().sum() == 2


def test_effects_by_period_of_a_common_start(made_up: pd.DataFrame) -> None:
    common = made_up[made_up["cohort"].isin([0, 2014])].assign(
        group=lambda f: (f["cohort"] > 0).astype(int)
    )
    by_period = treated_by_period(
        common, "y", "city", "year", "group", ["x"], base=2013, start=2014
    )
    by_event = event_study(common, *COLUMNS, ["x"])
    np.testing.assert_allclose(by_period.estimates["att"], by_event.estimates["att"], atol=1e-12)
    assert by_period.tests["pre_trends"].statistic == pytest.approx(
        by_event.tests["pre_trends"].statistic, rel=1e-8
    )
    with pytest.raises(ValueError, match="base = 1999 is not a period"):
        treated_by_period(common, "y", "city", "year", "group", base=1999)


def test_only_the_fixed_effects_regression_is_misled_by_growing_effects() -> None:
    frame = world(noise=0.05, slope=1.0)
    truth = {event: 1.0 + event for event in range(5)}
    robust = (
        aggregate_effects(callaway_santanna(frame, *COLUMNS, ["x"]), "dynamic"),
        sun_abraham(frame, *COLUMNS, ["x"]),
        imputation(frame, *COLUMNS, ["x"]),
    )
    for result in robust[1:]:
        for event, value in truth.items():
            assert (
                abs(result.coefficients[f"e={event}"] - value)
                < 4 * result.standard_errors[f"e={event}"]
                < 0.3
            )
    # x is left to its value before treatment here, so its later noise stays in: only the size is
    # checked
    assert robust[0].coefficients["e=0"] == pytest.approx(
        1.0, abs=6 * robust[0].standard_errors["e=0"]
    )
    treated = frame[frame["treated"] == 1]
    mean = (1 + (treated["year"] - treated["cohort"])).mean()
    static = difference_in_differences(
        frame, "y", "city", "year", treatment="treated", controls=["x"]
    )
    assert static.coefficients["treated"] < mean - 5 * static.standard_errors["treated"]
    assert robust[2].coefficients["overall"] == pytest.approx(mean, abs=0.05)


@pytest.mark.parametrize("run", [event_study, sun_abraham, imputation])
def test_pre_trends(made_up: pd.DataFrame, run: Callable) -> None:
    quiet = run(made_up, *COLUMNS, ["x"]).tests["pre_trends"]
    assert quiet.p > 0.001
    assert quiet.df2 == 59
    steep = made_up.assign(
        y=made_up["y"] + 0.05 * (made_up["cohort"] > 0) * (made_up["year"] - 2010) ** 2
    )
    assert run(steep, *COLUMNS, ["x"]).tests["pre_trends"].p < 1e-8


def test_imputation_by_cohort_and_period(made_up: pd.DataFrame) -> None:
    for kind, key in (("group", "cohort"), ("calendar", "time")):
        result = imputation(made_up, *COLUMNS, ["x"], kind=kind)
        expected = result.effects.groupby(key)["effect"].mean()
        np.testing.assert_allclose(result.estimates["att"], expected, atol=1e-12)
    assert list(imputation(made_up, *COLUMNS, kind="simple").coefficients.index) == ["overall"]
    assert len(imputation(made_up, *COLUMNS, leads=2).leads) == 2
    assert imputation(made_up, *COLUMNS, leads=0).tests == {}


def test_sensitivity_widens_and_breaks_down() -> None:
    study = event_study(world(noise=0.3), *COLUMNS, ["x"])
    for restriction, values in (
        ("relative_magnitude", [0, 0.5, 1, 3]),
        ("smoothness", [0, 0.05, 0.1, 0.5]),
    ):
        bounds = honest_bounds(study, restriction, values)
        width = (bounds.intervals["upper"] - bounds.intervals["lower"]).to_numpy()[1:]
        assert (np.diff(width) > 0).all()
        assert honest_bounds(study, restriction, values).intervals.equals(bounds.intervals)
        assert "zero is left out up to: M = " in bounds.note()
    usual = bounds.intervals.iloc[0]
    intervals = study.confidence_intervals()
    assert usual["lower"] > intervals.loc["e=0", "lower"]  # normal instead of t with 59
    average = honest_bounds(study, "smoothness", [0.0], target={0.0: 0.5, 1.0: 0.5})
    assert average.intervals["lower"].iloc[1] > bounds.intervals["lower"].iloc[1]


def test_a_straight_line_is_taken_out_by_smoothness_with_m_zero(made_up: pd.DataFrame) -> None:
    leaning = made_up.assign(
        y=made_up["y"] + 0.2 * (made_up["cohort"] > 0) * (made_up["year"] - made_up["cohort"])
    )
    for frame in (made_up, leaning):
        interval = honest_bounds(
            event_study(frame, *COLUMNS, ["x"]), "smoothness", [0.0]
        ).intervals.iloc[1]
        assert interval["lower"] < 1.0 < interval["upper"]
    assert event_study(leaning, *COLUMNS, ["x"]).confidence_intervals().loc["e=0", "lower"] > 1.1


def test_sensitivity_says_what_it_needs(made_up: pd.DataFrame) -> None:
    varying = aggregate_effects(callaway_santanna(made_up, *COLUMNS), "dynamic")
    with pytest.raises(ValueError, match="base='universal'"):
        honest_bounds(varying)
    study = event_study(made_up, *COLUMNS)
    for options, message in (
        ({"restriction": "none"}, "restriction = 'none'"),
        ({"values": [-1.0]}, "zero or more"),
        ({"target": -3.0}, "not among the event times"),
    ):
        with pytest.raises(ValueError, match=message):
            honest_bounds(study, **options)
    with pytest.raises(ValueError, match="base has to be event time -1"):
        honest_bounds(event_study(made_up, *COLUMNS, base=-2))


# --- traps
# --------------------------------------------------------------------------------------------------

ALL = {
    "difference_in_differences": lambda f: difference_in_differences(
        f, "y", "city", "year", cohort="cohort", controls=["x"], weights="w"
    ),
    "event_study": lambda f: event_study(f, *COLUMNS, ["x"], first=-3, last=3, weights="w"),
    "sun_abraham": lambda f: sun_abraham(f, *COLUMNS, ["x"], weights="w"),
    "imputation": lambda f: imputation(f, *COLUMNS, ["x"], weights="w"),
    "callaway_santanna": lambda f: callaway_santanna(
        f, *COLUMNS, ["x"], weights="w", sampling="unbalanced_panel"
    ),
    "callaway_santanna panel": lambda f: aggregate_effects(
        callaway_santanna(f, *COLUMNS, ["x"], weights="w", covariance={"cluster": ["province"]}),
        "dynamic",
    ),
}


def numbers_of(result) -> np.ndarray:
    return np.concatenate([result.coefficients.to_numpy(), result.standard_errors.to_numpy()])


@pytest.mark.parametrize("name", ALL)
def test_rows_columns_index_and_ids_change_nothing(made_up: pd.DataFrame, name: str) -> None:
    expected = numbers_of(ALL[name](made_up))
    assert np.isfinite(expected[~np.isnan(expected)]).all()
    draw = np.random.default_rng(1)
    variants = {
        "shuffled": made_up.sample(frac=1, random_state=draw),
        "extra column, dates as index": (
            made_up.assign(extra="z").set_index(pd.date_range("2020", periods=len(made_up)))
        ),
        "repeated labels": made_up.set_axis([0] * len(made_up)),
        "categories": made_up.astype({"city": "category", "province": "category"}),
        "integers": made_up.astype({"city": int}),
        "cohort as float": made_up.astype({"cohort": float}),
    }
    for what, frame in variants.items():
        before = frame.copy(deep=True)
        np.testing.assert_array_equal(numbers_of(ALL[name](frame)), expected, err_msg=what)
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", ALL)
def test_float32_is_computed_in_double(made_up: pd.DataFrame, name: str) -> None:
    single = made_up.astype({"y": "float32", "x": "float32"})
    np.testing.assert_array_equal(
        numbers_of(ALL[name](single)),
        numbers_of(ALL[name](single.astype({"y": "float64", "x": "float64"}))),
    )


@pytest.mark.parametrize("name", ALL)
def test_missing_values_and_duplicates(made_up: pd.DataFrame, name: str) -> None:
    holes = made_up.copy()
    holes.loc[[3, 4], "y"] = np.nan
    holes.loc[10, "x"] = np.inf
    result = ALL[name](holes)
    assert {key: result.dropped[key] for key in ("y missing", "x infinite")} == {
        "y missing": 2,
        "x infinite": 1,
    }
    assert len(result.sample) == result.n
    doubled = pd.concat([made_up, made_up.iloc[[9]]])
    with pytest.raises(
        ValueError, match=r"1 row with the city and year of an earlier row \(city 1101, year 2011\)"
    ):
        ALL[name](doubled)
    with pytest.raises(ValueError, match="column 'cohort' is not in the frame"):
        ALL[name](made_up.drop(columns="cohort"))


@pytest.mark.parametrize("name", [name for name in ALL if name != "callaway_santanna panel"])
def test_gaps_and_a_city_with_one_year(made_up: pd.DataFrame, name: str) -> None:
    lone = pd.DataFrame(
        {
            "city": ["9999"],
            "year": [2013],
            "cohort": [0],
            "y": [1.0],
            "x": [0.0],
            "w": [1.0],
            "treated": [0],
            "province": ["p00"],
        }
    )
    frame = pd.concat([made_up.drop(index=made_up.index[[20, 21, 200]]), lone], ignore_index=True)
    result = ALL[name](frame)
    assert result.n == len(frame)
    without = ALL[name](frame.iloc[:-1])
    if (
        name != "callaway_santanna"
    ):  # cross-section comparisons use the row; effects absorb it elsewhere
        np.testing.assert_allclose(result.coefficients, without.coefficients, atol=1e-10)


@pytest.mark.parametrize("name", ["difference_in_differences", "event_study", "sun_abraham"])
def test_absorbed_and_constant_regressors_are_named(made_up: pd.DataFrame, name: str) -> None:
    for column, values in (("x", made_up["city"].astype(float)), ("x", 1.0)):
        with pytest.raises(
            ValueError, match=f"{column} does not vary once the city and year effects are taken out"
        ):
            ALL[name](made_up.assign(**{column: values}))


def test_what_cannot_be_estimated_is_said(made_up: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="not both"):
        difference_in_differences(made_up, "y", "city", "year")
    nobody = made_up.assign(cohort=0)
    for run in (event_study, sun_abraham, imputation):
        with pytest.raises(ValueError, match=r"no unit is treated|no row is treated"):
            run(nobody, *COLUMNS)
    with pytest.raises(ValueError, match="treatment does not vary"):
        bacon_decomposition(nobody, *COLUMNS)
    with pytest.raises(ValueError, match=r"1 units miss a period \(city 1100\)"):
        bacon_decomposition(made_up.iloc[1:], *COLUMNS)
    with pytest.raises(ValueError, match="base .* lies outside the event times"):
        event_study(made_up, *COLUMNS, base=-9)
    with pytest.raises(ValueError, match="ends = 'cut'"):
        event_study(made_up, *COLUMNS, ends="cut")
    with pytest.raises(ValueError, match="cohort 2012 is not seen at event time -4"):
        sun_abraham(made_up, *COLUMNS, base=-4)
    with pytest.raises(ValueError, match="leave_one_out: a cohort and period has one cluster only"):
        imputation(
            made_up[~made_up["cohort"].eq(2012) | made_up["city"].eq("1101")],
            *COLUMNS,
            leave_one_out=True,
        )
    with pytest.raises(ValueError, match="cluster.* differs inside a unit"):
        event_study(
            made_up.assign(moving=made_up["year"] % 2), *COLUMNS, covariance={"cluster": ["moving"]}
        )


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from test_did import ALL, numbers_of, world
print([numbers_of(run(world())).tobytes().hex() for run in ALL.values()])
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
    assert len(printed[0]) > 1000


def test_notes_read_as_one_sentence(made_up: pd.DataFrame) -> None:
    note = sun_abraham(made_up, *COLUMNS, ["x"], covariance={"cluster": ["province"]}).note()
    assert note.startswith(
        "Sun-Abraham event study (base -1; with x) of y, 480 rows (60 city, 8 year"
    )
    assert "clustered by province (12 clusters" in note
    assert (
        "conservative, clustered by city, effects averaged over cohort and period"
        in imputation(made_up, *COLUMNS).note()
    )
    assert "Goodman-Bacon decomposition" in str(bacon_decomposition(made_up, *COLUMNS))
