"""Callaway-Sant'Anna on a panel of which the truth is known: cases by hand, who is a control, gaps,
and what is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.inference import Bootstrap, multiplier_bootstrap


@pytest.fixture
def made_up() -> pd.DataFrame:
    """60 units, 2010-2016, cohorts 2012, 2014 and never: effect 1 + 0.5 e, unit and period effects,
    small noise.
    """
    draw = np.random.default_rng(5)
    unit, year = (
        axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(2010, 2017), indexing="ij")
    )
    cohort = np.array([0, 2012, 2014])[unit % 3]
    event = np.where(cohort > 0, year - cohort, -99)
    y = (
        np.where(event >= 0, 1 + 0.5 * event, 0.0)
        + 0.1 * unit
        + 0.3 * (year - 2010)
        + 0.01 * draw.normal(size=len(unit))
    )
    return pd.DataFrame(
        {
            "city": [f"c{u:02d}" for u in unit],
            "year": year,
            "cohort": cohort,
            "y": y,
            "x": draw.normal(size=len(unit)),
        }
    )


def test_without_covariates_an_effect_is_a_difference_of_means(made_up: pd.DataFrame) -> None:
    effects = callaway_santanna(made_up, "y", "city", "year", "cohort")
    wide = made_up.pivot(index="city", columns="year", values="y")
    cohort = made_up.groupby("city")["cohort"].first()
    change = wide[2014] - wide[2011]
    by_hand = change[cohort == 2012].mean() - change[cohort == 0].mean()
    assert effects.coefficients["ATT(2012,2014)"] == pytest.approx(by_hand, abs=1e-12)
    # its variance: sum of squared deviations over n^2 in each group
    spread = sum(
        ((change[cohort == g] - change[cohort == g].mean()) ** 2).sum() / (cohort == g).sum() ** 2
        for g in (0, 2012)
    )
    assert effects.standard_errors["ATT(2012,2014)"] == pytest.approx(np.sqrt(spread), rel=1e-12)


def test_known_effects_are_recovered(made_up: pd.DataFrame) -> None:
    for method in ("dr", "reg", "ipw"):
        for control in ("nevertreated", "notyettreated"):
            effects = callaway_santanna(
                made_up, "y", "city", "year", "cohort", ["x"], method=method, control=control
            )
            dynamic = aggregate_effects(effects, "dynamic")
            for event in range(5):
                assert dynamic.coefficients[f"e={event}"] == pytest.approx(
                    1 + 0.5 * event, abs=0.02
                )
            assert dynamic.tests["pre_trends_dynamic"].p > 0.001


def test_pre_trends_are_found_and_counted(made_up: pd.DataFrame) -> None:
    quiet = callaway_santanna(made_up, "y", "city", "year", "cohort").tests["pre_trends"]
    assert quiet.df == 1 + 3  # 2012: 2011; 2014: 2011, 2012, 2013
    assert quiet.p > 0.001
    sloped = made_up.assign(
        y=made_up["y"] + 0.2 * (made_up["cohort"] > 0) * (made_up["year"] - 2010)
    )
    assert callaway_santanna(sloped, "y", "city", "year", "cohort").tests["pre_trends"].p < 1e-6


def test_multipliers_have_mean_zero_and_variance_one() -> None:
    estimates = pd.Series([0.0, 0.0], index=["a", "b"])
    influence = np.random.default_rng(0).normal(size=(400, 2))
    bands = multiplier_bootstrap(estimates, influence, np.arange(400), Bootstrap(20_000, 3, 0.95))
    np.testing.assert_allclose(
        bands.standard_errors, np.sqrt((influence**2).sum(axis=0)) / 400, rtol=0.03
    )


def test_later_than_the_sample_is_never_and_treated_at_the_start_is_left_out(
    made_up: pd.DataFrame,
) -> None:
    plain = callaway_santanna(made_up, "y", "city", "year", "cohort")
    late = callaway_santanna(made_up.replace({"cohort": {0: 2050}}), "y", "city", "year", "cohort")
    infinite = callaway_santanna(
        made_up.astype({"cohort": float}).replace({"cohort": {0.0: np.inf}}),
        "y",
        "city",
        "year",
        "cohort",
    )
    for other in (late, infinite):
        pd.testing.assert_series_equal(other.coefficients, plain.coefficients, check_exact=True)
    early = made_up.assign(cohort=made_up["cohort"].where(made_up["city"] != "c00", 2010))
    result = callaway_santanna(early, "y", "city", "year", "cohort")
    assert result.dropped == {"unit already treated in the first period": 7}
    assert "7 rows (unit already treated in the first period)" in result.note()


def test_a_cohort_that_already_anticipates_is_no_control(made_up: pd.DataFrame) -> None:
    control = np.sort(made_up.loc[made_up["cohort"] == 0, "city"].unique())[::2]
    soon = made_up["city"].isin(control)
    frame = made_up.assign(cohort=made_up["cohort"].mask(soon, 2017))
    acts = (frame["cohort"] > 0) & (frame["year"] >= frame["cohort"] - 1)
    frame["y"] = 0.1 * frame["x"] + 0.3 * (frame["year"] - 2010) + acts
    names = ("y", "city", "year", "cohort")
    alone = callaway_santanna(frame[~soon], *names, anticipation=1).coefficients
    for choice in ("nevertreated", "notyettreated"):
        found = callaway_santanna(frame, *names, anticipation=1, control=choice)
        assert found.coefficients["ATT(2017,2016)"] == pytest.approx(1, abs=0.2)
        assert found.coefficients["ATT(2014,2016)"] == pytest.approx(alone["ATT(2014,2016)"])
        assert found.coefficients["ATT(2014,2016)"] == pytest.approx(1, abs=0.2)
    # One period further they act after the sample only, and are controls like any other.
    later = callaway_santanna(frame.replace({"cohort": {2017: 2018}}), *names, anticipation=1)
    assert set(later.cells["group"]) == {2012, 2014}


def test_without_never_treated_the_last_cohort_is_the_control(made_up: pd.DataFrame) -> None:
    treated = made_up[made_up["cohort"] > 0]
    with pytest.raises(ValueError, match="no unit is never treated. Use control='notyettreated'"):
        callaway_santanna(treated, "y", "city", "year", "cohort")
    result = callaway_santanna(treated, "y", "city", "year", "cohort", control="notyettreated")
    assert result.cells["group"].unique().tolist() == [2012.0]
    assert result.cells["time"].max() == 2013
    assert result.dropped == {"period without untreated units (2014 and later)": 40 * 3}


def test_missing_cohorts_are_dropped_unless_they_mean_never(made_up: pd.DataFrame) -> None:
    missing = made_up.assign(cohort=made_up["cohort"].astype(float).mask(made_up["cohort"] == 0))
    with pytest.raises(ValueError, match="nobody is written as never treated"):
        callaway_santanna(missing, "y", "city", "year", "cohort")
    with pytest.raises(ValueError, match="no unit is never treated"):
        callaway_santanna(missing, "y", "city", "year", "cohort", missing_cohort="drop")
    told = callaway_santanna(missing, "y", "city", "year", "cohort", missing_cohort="never")
    pd.testing.assert_series_equal(
        told.coefficients,
        callaway_santanna(made_up, "y", "city", "year", "cohort").coefficients,
        check_exact=True,
    )
    one = made_up.assign(cohort=made_up["cohort"].astype(float).mask(made_up["city"] == "c03"))
    assert callaway_santanna(one, "y", "city", "year", "cohort").dropped == {"cohort missing": 7}


def test_gaps_drop_the_unit_or_are_used(made_up: pd.DataFrame) -> None:
    gaps = made_up.drop(index=made_up.index[[3, 100]])
    balanced = callaway_santanna(gaps, "y", "city", "year", "cohort")
    assert balanced.dropped == {"unit not seen in every period": 12}
    without = made_up[~made_up["city"].isin(["c00", "c14"])]
    pd.testing.assert_series_equal(
        balanced.coefficients,
        callaway_santanna(without, "y", "city", "year", "cohort").coefficients,
        check_exact=True,
    )
    kept = callaway_santanna(gaps, "y", "city", "year", "cohort", sampling="unbalanced_panel")
    assert kept.n == len(gaps)
    # without covariates and gaps, the rows of two periods say what the differences say
    whole = callaway_santanna(
        made_up, "y", "city", "year", "cohort", sampling="unbalanced_panel", method="reg"
    )
    panel = callaway_santanna(made_up, "y", "city", "year", "cohort", method="reg")
    np.testing.assert_allclose(whole.coefficients, panel.coefficients, atol=1e-12)
    np.testing.assert_allclose(whole.standard_errors, panel.standard_errors, rtol=1e-9)


def test_effects_that_cannot_be_estimated_say_why(made_up: pd.DataFrame) -> None:
    apart = made_up.assign(x=(made_up["cohort"] == 2014) * 5.0 + 0.001 * made_up["x"])
    effects = callaway_santanna(apart, "y", "city", "year", "cohort", ["x"], method="ipw")
    failed = effects.cells[effects.cells["att"].isna()]
    assert set(failed["group"]) == {2014.0}
    assert failed["reason"].str.startswith("no overlap").all()
    with pytest.raises(
        ValueError, match=r"6 effect\(s\) could not be estimated \(ATT\(2014,2011\): no overlap"
    ):
        aggregate_effects(effects)
    assert np.isfinite(aggregate_effects(effects, skip_missing=True).coefficients["overall"])


def test_a_constant_covariate_and_wrong_options_are_refused(made_up: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="no effect can be estimated: collinear covariates"):
        callaway_santanna(made_up.assign(flat=1.0), "y", "city", "year", "cohort", ["x", "flat"])
    for options, message in (
        ({"method": "ols"}, "method = 'ols' is not known. There are dr, reg, ipw"),
        ({"control": "all"}, "control = 'all'"),
        ({"base": "first"}, "base = 'first'"),
        ({"sampling": "rows"}, "sampling = 'rows'"),
        ({"anticipation": -1}, "anticipation"),
        ({"missing_cohort": "zero"}, "missing_cohort"),
    ):
        with pytest.raises(ValueError, match=message):
            callaway_santanna(made_up, "y", "city", "year", "cohort", **options)
    effects = callaway_santanna(made_up, "y", "city", "year", "cohort")
    for options, message in (
        ({"kind": "mean"}, "kind = 'mean'"),
        ({"kind": "simple", "balance_e": 1}, "balance_e belongs to kind='dynamic'"),
        ({"kind": "calendar", "max_e": 1}, "do not belong to kind='calendar'"),
        ({"kind": "dynamic", "min_e": 20}, "no event time after treatment is left"),
        ({"kind": "group", "min_e": 20}, "no effect after treatment"),
        ({"kind": "group", "share_error": "old"}, "share_error"),
    ):
        with pytest.raises(ValueError, match=message):
            aggregate_effects(effects, **options)


def test_a_unit_with_two_cohorts_is_named(made_up: pd.DataFrame) -> None:
    changed = made_up.copy()
    changed.loc[changed["city"].eq("c04") & changed["year"].eq(2013), "cohort"] = 2014
    with pytest.raises(
        ValueError, match=r"first treated period differs inside a unit \(city c04\)"
    ):
        callaway_santanna(changed, "y", "city", "year", "cohort")
