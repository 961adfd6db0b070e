"""Callaway-Sant'Anna: every number that R did prints for its example, options against csdid, and
cases by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.inference import Bootstrap, multiplier_bootstrap

KINDS = ("simple", "dynamic", "group", "calendar")


@pytest.fixture(scope="module")
def mpdta(golden: Path) -> pd.DataFrame:
    """The example of R did, with a covariate that moves, weights and clusters made up from the
    keys.
    """
    frame = pd.read_csv(golden / "did_mpdta" / "mpdta.csv")
    frame["x"] = frame["lpop"] + np.sin(frame["countyreal"] + 3.0 * frame["year"])
    frame["w"] = 1 + frame["countyreal"] % 5
    frame["cl"] = frame["countyreal"] % 37
    return frame


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


def _expected(golden: Path) -> dict:
    cases = json.loads((golden / "did_mpdta" / "r_did_2.1.2.json").read_text())
    return {name: case for name, case in cases.items() if name != "provenance"}


def _run(mpdta: pd.DataFrame, name: str):
    control, method, covariates, base = name.split("|")
    x = [] if covariates == "x=1" else [covariates.removeprefix("x=")]
    return callaway_santanna(
        mpdta,
        "lemp",
        "countyreal",
        "year",
        "first.treat",
        x,
        method=method,
        control=control,
        base=base,
    )


def _floats(values: list) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def test_every_group_time_effect_of_r_did(golden: Path, mpdta: pd.DataFrame) -> None:
    cases = _expected(golden)
    assert len(cases) >= 18
    for name, case in cases.items():
        cells = _run(mpdta, name).cells
        assert cells["group"].tolist() == case["group"], name
        assert cells["time"].tolist() == case["t"], name
        np.testing.assert_allclose(cells["att"], case["att"], rtol=0, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(
            cells["standard_error"], _floats(case["se"]), rtol=0, atol=1e-12, err_msg=name
        )


def test_every_average_of_r_did(golden: Path, mpdta: pd.DataFrame) -> None:
    for name, case in _expected(golden).items():
        effects = _run(mpdta, name)
        for kind in KINDS:
            result, expected = (
                aggregate_effects(effects, kind, share_error="did_2_1"),
                case[f"agg_{kind}"],
            )
            assert result.coefficients["overall"] == pytest.approx(
                expected["overall.att"], abs=1e-12
            ), (name, kind)
            assert result.standard_errors["overall"] == pytest.approx(
                expected["overall.se"], abs=1e-12
            ), (name, kind)
            if kind != "simple":
                assert result.estimates["value"].tolist() == expected["egt"], (name, kind)
                np.testing.assert_allclose(
                    result.estimates["att"], expected["att.egt"], rtol=0, atol=1e-12, err_msg=name
                )
                np.testing.assert_allclose(
                    result.estimates["standard_error"],
                    _floats(expected["se.egt"]),
                    rtol=0,
                    atol=1e-12,
                    err_msg=name,
                )


def test_the_one_number_that_r_did_has_wrong(golden: Path, mpdta: pd.DataFrame) -> None:
    effects = _run(mpdta, "nevertreated|dr|x=1|varying")
    printed = _expected(golden)["nevertreated|dr|x=1|varying"]["agg_group"]["overall.se"]
    exact = aggregate_effects(effects, "group")
    assert exact.standard_errors["overall"] == pytest.approx(
        0.012446059320997904, rel=1e-12
    )  # csdid 0.4.3
    assert abs(exact.standard_errors["overall"] - printed) > 2e-5
    # The formula again, by replacing shares with shares + step: the influence of a share is the
    # derivative of the mean.
    att, cohorts = exact.estimates["att"].to_numpy(), exact.estimates["value"].to_numpy()
    share = np.array([(effects.cohort == cohort).mean() for cohort in cohorts])
    member = (effects.cohort[:, None] == cohorts) - share
    step = 1e-6
    mean = att @ share / share.sum()
    slope = np.array(
        [
            (att @ (moved := share + step * np.eye(len(share))[j]) / moved.sum() - mean) / step
            for j in range(len(share))
        ]
    )
    influence = exact.influence[:, 1:] @ share / share.sum() + member @ slope
    assert np.sqrt((influence**2).sum()) / len(influence) == pytest.approx(
        exact.standard_errors["overall"], rel=1e-5
    )


# First and last effect, then simple, dynamic, group, calendar, and dynamic with balance_e=1 and
# min_e=-2; estimate and standard error.
CSDID = {
    ("unbalanced_panel", "dr"): [
        *(
            -0.11211454322584889,
            0.2959368084336127,
            -0.19573191721159755,
            0.1430939766324378,
            -0.05158819573754801,
            0.08504317035161289,
        ),
        *(
            -0.0746262838440245,
            0.10181529295689083,
            -0.09654565474282208,
            0.1023947298279125,
            -0.007908417832073154,
            0.1134047872387025,
        ),
        *(0.13017678743747402, 0.0917312424487381),
    ],
    ("unbalanced_panel", "reg"): [
        *(
            0.2413406779133708,
            0.2424129651256106,
            -0.06860873325344514,
            0.09635938507520707,
            0.02642919136943749,
            0.0626415830471485,
        ),
        *(
            -0.03581504641597189,
            0.1050797243042256,
            -0.0013649970705674795,
            0.06719547857519961,
            0.08956517470526139,
            0.09637763006700524,
        ),
        *(0.18474944798536694, 0.09715568552308496),
    ],
    ("cross_sections", "dr"): [
        *(
            -0.20631964001676728,
            0.23605871593421276,
            -0.19659982098842693,
            0.13416984244530314,
            -0.07526701436291286,
            0.08966984909329859,
        ),
        *(
            -0.1017579418546227,
            0.11347077099014868,
            -0.11166353199108521,
            0.10298084200839479,
            -0.04271292853764003,
            0.10729716997943334,
        ),
        *(0.10004002710633961, 0.12142323754173277),
    ],
    ("cross_sections", "ipw"): [
        *(
            0.11356755676768326,
            0.5360840793071595,
            0.03594666404482094,
            0.23773356442043617,
            0.06459628648392475,
            0.18085029703630848,
        ),
        *(
            -0.00650316189888709,
            0.28162689492006215,
            0.06480636513057213,
            0.18511999368364035,
            0.06677705557534219,
            0.28118444062169307,
        ),
        *(0.16184800420990814, 0.2444017286762582),
    ],
    ("cross_sections", "reg"): [
        *(
            0.2052513216778249,
            0.5250998517117225,
            -0.13326105414764372,
            0.20743540936387345,
            0.00953887344035608,
            0.16450489742790256,
        ),
        *(
            -0.0029070586501537127,
            0.2707742907009323,
            -0.04119022851370999,
            0.16143923232925445,
            0.08944111029248032,
            0.2742683442104688,
        ),
        *(0.2014332887008728, 0.2312171479211574),
    ],
    ("panel", "dr"): [
        *(
            -0.002266060484365182,
            0.027431516600688474,
            -0.05991079026609987,
            0.021774760569723457,
            -0.04178658004067331,
            0.017294967487923144,
        ),
        *(
            -0.03606116387969382,
            0.018399215640843503,
            -0.04857001268790743,
            0.01830556666090929,
            -0.027318239013348147,
            0.017277439993443656,
        ),
        *(-0.014809390205134536, 0.022820626032030777),
    ],
    ("panel", "ipw"): [
        *(
            -0.00207989134777755,
            0.027494671304279593,
            -0.05993769233689541,
            0.021759041943617368,
            -0.04180584839972832,
            0.017298527804477694,
        ),
        *(
            -0.03610256855518616,
            0.018421173497102143,
            -0.04859213815184018,
            0.0183011750498816,
            -0.02730686567452208,
            0.017284190388359474,
        ),
        *(-0.01481729607786807, 0.022838633237578575),
    ],
}


@pytest.mark.parametrize(("sampling", "method"), CSDID)
def test_options_equal_csdid(mpdta: pd.DataFrame, sampling: str, method: str) -> None:
    """csdid 0.4.3: gaps, cross-sections, time-varying covariate, weights, clusters, anticipation,
    universal base, balance_e, min_e.
    """
    gaps = mpdta[(mpdta["countyreal"] + mpdta["year"]) % 11 != 0].reset_index(names="row")
    if sampling == "panel":
        options = {
            "weights": "w",
            "covariance": {"cluster": ["cl"]},
            "anticipation": 1,
            "base": "universal",
        }
        effects = callaway_santanna(
            mpdta, "lemp", "countyreal", "year", "first.treat", ["x"], method=method, **options
        )
    else:
        unit, weights = ("row", None) if sampling == "cross_sections" else ("countyreal", "w")
        options = {"control": "notyettreated", "sampling": sampling, "weights": weights}
        effects = callaway_santanna(
            gaps, "lemp", unit, "year", "first.treat", ["x"], method=method, **options
        )
    got = [
        effects.cells["att"].iloc[0],
        effects.cells["standard_error"].iloc[0],
        effects.cells["att"].iloc[-1],
        effects.cells["standard_error"].iloc[-1],
    ]
    for kind in KINDS:
        result = aggregate_effects(effects, kind)
        got += [result.coefficients["overall"], result.standard_errors["overall"]]
    result = aggregate_effects(effects, "dynamic", balance_e=1, min_e=-2)
    got += [result.coefficients["overall"], result.standard_errors["overall"]]
    np.testing.assert_allclose(got, CSDID[sampling, method], rtol=1e-9)


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


def test_bands_hold_all_at_once_and_do_not_move(mpdta: pd.DataFrame) -> None:
    effects = _run(mpdta, "nevertreated|dr|x=1|varying")
    first = aggregate_effects(effects, "dynamic", bootstrap=4000)
    again = aggregate_effects(effects, "dynamic", bootstrap=4000)
    other = aggregate_effects(effects, "dynamic", bootstrap=4000, seed=1)
    pd.testing.assert_frame_equal(first.bands.intervals, again.bands.intervals, check_exact=True)
    assert first.bands.critical_value != other.bands.critical_value
    np.testing.assert_allclose(
        first.bands.standard_errors, first.estimates["standard_error"], rtol=0.06
    )
    assert (
        2.2 < first.bands.critical_value < 2.9
    )  # between one normal and seven independent ones (2.69)
    assert (first.bands.intervals["upper"] > first.confidence_intervals()["upper"].iloc[1:]).all()


def test_multipliers_have_mean_zero_and_variance_one() -> None:
    estimates = pd.Series([0.0, 0.0], index=["a", "b"])
    influence = np.random.default_rng(0).normal(size=(400, 2))
    bands = multiplier_bootstrap(estimates, influence, np.arange(400), Bootstrap(20_000, 3, 0.95))
    np.testing.assert_allclose(
        bands.standard_errors, np.sqrt((influence**2).sum(axis=0)) / 400, rtol=0.03
    )


def test_clusters_of_one_unit_change_nothing_and_larger_ones_do(mpdta: pd.DataFrame) -> None:
    plain = _run(mpdta, "nevertreated|dr|x=1|varying")
    same = callaway_santanna(
        mpdta.assign(own=mpdta["countyreal"].astype(str)),
        "lemp",
        "countyreal",
        "year",
        "first.treat",
        covariance={"cluster": ["own"]},
    )
    np.testing.assert_allclose(same.standard_errors, plain.standard_errors, rtol=1e-12)
    grouped = callaway_santanna(
        mpdta, "lemp", "countyreal", "year", "first.treat", covariance={"cluster": ["cl"]}
    )
    sums = np.array([plain.influence[grouped.cluster == c].sum(axis=0) for c in range(37)])
    np.testing.assert_allclose(
        grouped.standard_errors, np.sqrt((sums**2).sum(axis=0)) / 500, rtol=1e-10
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
    with pytest.raises(ValueError, match="no unit is never treated"):
        callaway_santanna(missing, "y", "city", "year", "cohort")
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
