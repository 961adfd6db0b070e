"""Fixed effects against the numbers that Stata, plm, fixest, pyfixest and linearmodels give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators import fixed_effects

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


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (
            {"covariance": {"cluster": ["Year"]}},
            "Sales~Price+fe(State) cluster Year (areg=reghdfe)",
        ),
        ({"covariance": {"cluster": ["State"]}}, "Sales~Price+fe(State) cluster State (reghdfe)"),
        ({"covariance": "robust"}, "Sales~Price+fe(State) robust (areg)"),
        ({}, "Sales~Price+fe(State) iid (areg)"),
    ],
)
def test_standard_errors_equal_stata(golden: Path, options: dict, key: str) -> None:
    frame = pd.read_csv(golden / "cigar_fkp" / "Cigar.csv")
    expected = json.loads((golden / "cigar_fkp" / "fixedeffectmodels_jl.json").read_text())["se"][
        key
    ]
    result = fixed_effects(frame, "Sales", ["Price"], ["State"], **options)
    assert result.standard_errors["Price"] == pytest.approx(
        expected, abs=5.1e-8
    )  # printed with seven decimals


def test_one_and_two_effects_equal_plm(golden: Path) -> None:
    frame = pd.read_csv(golden / "panel_grunfeld" / "grunfeld.csv")
    expected = json.loads((golden / "panel_grunfeld" / "r_plm.json").read_text())
    for effects, name in ((["firm"], "fe"), (["firm", "year"], "twoway")):
        result = fixed_effects(frame, "inv", ["value", "capital"], effects)
        for term in ("value", "capital"):
            assert result.coefficients[term] == pytest.approx(
                expected[name]["coef"][term], rel=1e-10
            )
            assert result.standard_errors[term] == pytest.approx(
                expected[name]["se"][term], rel=1e-10
            )
    clustered = fixed_effects(
        frame, "inv", ["value", "capital"], ["firm"], covariance={"cluster": ["firm"]}
    )
    n, k = len(frame), 2
    # plm's "sss" counts the regressors alone in (N-1)/(N-K); Stata and this program count the
    # constant as well
    for term in ("value", "capital"):
        assert clustered.standard_errors[term] == pytest.approx(
            expected["fe"]["se_cl_sss"][term] * np.sqrt((n - k) / (n - k - 1)), rel=1e-10
        )


def test_staggered_difference_in_differences_equals_fixest(golden: Path) -> None:
    frame = pd.read_csv(golden / "did_mpdta" / "mpdta.csv")
    frame["treatedpost"] = (frame["first.treat"] > 0) & (frame["year"] >= frame["first.treat"])
    expected = json.loads((golden / "did_fixest" / "r_fixest.json").read_text())["mpdta_twfe"]
    clustered = fixed_effects(
        frame,
        "lemp",
        ["treatedpost"],
        ["countyreal", "year"],
        covariance={"cluster": ["countyreal"]},
    )
    plain = fixed_effects(frame, "lemp", ["treatedpost"], ["countyreal", "year"])
    assert clustered.coefficients["treatedpost"] == pytest.approx(
        expected["coef"]["treatedpost"], rel=1e-9
    )
    assert clustered.standard_errors["treatedpost"] == pytest.approx(
        expected["se_cluster"]["treatedpost"], rel=1e-9
    )
    assert plain.standard_errors["treatedpost"] == pytest.approx(
        expected["se_iid"]["treatedpost"], rel=1e-9
    )
    assert clustered.r2 == pytest.approx(expected["r2"], rel=1e-9)
    assert clustered.r2_within == pytest.approx(expected["wr2"], rel=1e-9)


@pytest.mark.parametrize(("errors", "weights"), list(PYFIXEST))
def test_three_effects_equal_pyfixest(
    three: pd.DataFrame, errors: str, weights: str | None
) -> None:
    result = fixed_effects(
        three, "y", TREATED, THREE, weights=weights, small="fixest_full", **ERRORS[errors]
    )
    found = [*result.coefficients[TREATED], *result.standard_errors[TREATED]]
    np.testing.assert_allclose(found, PYFIXEST[errors, weights], rtol=1e-11)


def test_equal_to_pyfixest_run_here(three: pd.DataFrame) -> None:
    pyfixest = pytest.importorskip(
        "pyfixest", reason="pyfixest is not installed: its printed numbers are checked above"
    )
    by = {
        "iid": "iid",
        "robust": "hetero",
        "one way": {"CRV1": "city_code"},
        "two ways": {"CRV1": "city_code+industry"},
    }
    for effects in (["city_code"], ["city_code", "year"], THREE):
        for errors, vcov in by.items():
            ssc = pyfixest.ssc(k_fixef="full")
            peer = pyfixest.feols(
                f"y ~ treated + x | {' + '.join(effects)}",
                three,
                vcov=vcov,
                ssc=ssc,
                weights="weight",
                fixef_tol=1e-13,
                fixef_rm="none",
            )
            ours = fixed_effects(
                three,
                "y",
                TREATED,
                effects,
                weights="weight",
                small="fixest_full",
                **ERRORS[errors],
            )
            np.testing.assert_allclose(ours.coefficients[TREATED], peer.coef(), rtol=1e-10)
            np.testing.assert_allclose(ours.standard_errors[TREATED], peer.se(), rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "key", "digits"),
    [
        ({}, "se_iid", 1e-11),
        ({"covariance": "robust"}, "se_het", 1e-8),
        ({"covariance": {"cluster": ["Origin"]}}, "se_cl_Origin", 3e-7),
        ({"covariance": {"cluster": ["Origin#Destination"]}}, "se_cl_OD", 3e-7),
        ({"covariance": {"cluster": ["Origin", "Destination"]}}, "se_2way", 3e-7),
        (
            {"covariance": {"cluster": ["Origin"]}, "small": "fixest_full"},
            "se_cl_Origin_Kfull",
            3e-7,
        ),
    ],
)
def test_four_effects_equal_fixest(golden: Path, options: dict, key: str, digits: float) -> None:
    """R fixest demeans to a tolerance of 1e-6, which its scores show; effects here are absorbed
    exactly.
    """
    frame = pd.read_csv(golden / "did_fixest" / "trade12k.csv")
    frame["le"], frame["ld"] = np.log(frame["Euros"]), np.log(frame["dist_km"])
    expected = json.loads((golden / "did_fixest" / "r_fixest.json").read_text())["trade_4fe"]
    result = fixed_effects(
        frame,
        "le",
        ["ld"],
        ["Origin", "Destination", "Product", "Year"],
        **({"small": "fixest_nested"} | options),
    )
    assert result.n == expected["nobs"]
    assert result.coefficients["ld"] == pytest.approx(expected["coef"]["ld"], rel=1e-11)
    assert result.standard_errors["ld"] == pytest.approx(expected[key]["ld"], rel=digits)
    for ours, theirs in (("r2", "r2"), ("r2_adjusted", "ar2"), ("r2_within", "wr2")):
        assert getattr(result, ours) == pytest.approx(expected[theirs], rel=1e-11)


# An unmended covariance may have a negative variance, of which both take the root.
@pytest.mark.filterwarnings("ignore:invalid value encountered in sqrt")
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("effects", [["city_code"], ["city_code", "year"]])
@pytest.mark.parametrize(
    "cluster",
    [
        None,
        "robust",
        ["city_code"],
        ["province"],
        ["industry"],
        ["city_code", "year"],
        ["province", "industry"],
    ],
)
def test_equal_to_linearmodels(
    three: pd.DataFrame, effects: list[str], cluster: list[str] | str | None, weights: str | None
) -> None:
    from linearmodels.panel import PanelOLS

    panel = three.assign(one=1.0, city=three["city_code"].astype(int)).set_index(
        ["city", "year"], drop=False
    )
    model = PanelOLS(
        panel[["y"]],
        panel[[*TREATED, "one"]],
        weights=panel[["weight"]] if weights else None,
        entity_effects=True,
        time_effects="year" in effects,
    )
    if isinstance(cluster, list):
        options = {"covariance": {"cluster": cluster}}
        codes = pd.DataFrame(
            {name: pd.factorize(panel[name])[0] for name in cluster}, index=panel.index
        )
        fitted = model.fit(cov_type="clustered", clusters=codes)
    else:
        options = {"covariance": cluster or "iid"}
        fitted = model.fit(cov_type="robust" if cluster else "unadjusted")
    result = fixed_effects(
        three, "y", TREATED, effects, weights=weights, small="linearmodels", **options
    )
    np.testing.assert_allclose(result.coefficients, fitted.params, rtol=1e-9)
    np.testing.assert_allclose(result.covariance, fitted.cov, rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(result.p_values, fitted.pvalues, atol=1e-10)
