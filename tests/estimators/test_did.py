"""Two-way fixed effects, event studies, Bacon, Sun-Abraham, imputation, sensitivity: cases by hand,
definitions, known truths.
"""

from __future__ import annotations

from collections.abc import Callable

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
from tests.estimators.did_cases import COLUMNS, world


@pytest.fixture
def made_up() -> pd.DataFrame:
    return world()


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
