"""Callaway-Sant'Anna on the example of R did: every number that it prints, options against csdid,
clusters and simultaneous bands.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna

KINDS = ("simple", "dynamic", "group", "calendar")


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
