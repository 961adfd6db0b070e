"""Dynamic panel GMM on the Arellano-Bond firms: every number of gretl, StatsPAI and xtabond2's
print.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.gmm import GMM, IV, DynamicGMMResult, dynamic_gmm

KEYS: dict[str, Any] = {"unit": "firm", "time": "year"}
YEARS = [f"yr{year}" for year in range(1976, 1985)]
NINE = ["L(1/2).n", "L(0/1).w", "L(0/2).(k ys)"]
FIVE = ["L.n", "L(0/1).(w k)"]
EXOGENOUS = IV("L(0/1).w L(0/2).(k ys)")
BOTH: dict[str, Any] = {"gmm": GMM("L.(n w k)"), "time_effects": True}
DIFFERENCED: dict[str, Any] = {
    "gmm": GMM("L.n"),
    "iv": EXOGENOUS,
    "equations": "difference",
    "time_effects": True,
}


@pytest.fixture(scope="module")
def folder() -> Path:
    golden = os.environ.get("CITYTRADE_GOLDEN")
    if not golden:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(golden) / "abdata"


def firms(folder: Path, *, single: bool = False) -> pd.DataFrame:
    """The Arellano-Bond panel; `single` rounds inputs and logs as the Stata file has them."""
    raw = pd.read_csv(folder / "empluk.csv")
    frame = raw[["firm", "year"]].copy()
    for name, column in (("n", "emp"), ("w", "wage"), ("k", "capital"), ("ys", "output")):
        stored = raw[column].astype("float32").astype("float64") if single else raw[column]
        frame[name] = np.log(stored).astype("float32" if single else "float64")
    return frame.assign(**{name: (frame["year"] == int(name[2:])).astype(float) for name in YEARS})


@pytest.fixture(scope="module")
def panel(folder: Path) -> pd.DataFrame:
    return firms(folder)


@pytest.fixture(scope="module")
def gapped(panel: pd.DataFrame) -> pd.DataFrame:
    return panel[~((panel["year"] == 1980) & (panel["firm"] % 3 == 0))].copy()


def term_of(label: str) -> str:
    """gretl's label of a time dummy or constant in our words."""
    return (
        "constant"
        if label == "const"
        else f"year={1975 + int(label[1:])}"
        if label[0] == "T"
        else label
    )


@pytest.mark.parametrize(
    "case", ["a1_onestep_robust", "a2_twostep_windmeijer", "a2_twostep_asymptotic"]
)
def test_difference_gmm_equals_gretl(folder: Path, panel: pd.DataFrame, case: str) -> None:
    expected = json.loads((folder / "gretl_dpanel.json").read_text())[f"ab91_{case}"]
    result = dynamic_gmm(
        panel,
        "n",
        NINE,
        **DIFFERENCED,
        steps=int(expected["step"]),
        covariance="iid" if "asymptotic" in case else "robust",
        **KEYS,
    )
    check_gretl(result, expected)


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("onestep_h3", {}),
        ("twostep_h3_windmeijer", {}),
        ("twostep_h3_asymptotic", {"covariance": "iid"}),
        ("onestep_h2_dpdstyle", {"weighting": 2, "conventions": "dpd"}),
    ],
)
def test_system_gmm_equals_gretl(
    folder: Path, panel: pd.DataFrame, case: str, options: dict[str, Any]
) -> None:
    expected = json.loads((folder / "gretl_dpanel.json").read_text())[f"bb98_system_{case}"]
    check_gretl(
        dynamic_gmm(panel, "n", FIVE, **BOTH, steps=int(expected["step"]), **options, **KEYS),
        expected,
    )


def check_gretl(result: DynamicGMMResult, expected: dict[str, Any]) -> None:
    for label, value in expected["coef"].items():
        assert result.coefficients[term_of(label)] == pytest.approx(value, rel=1e-8)
        assert result.standard_errors[term_of(label)] == pytest.approx(
            expected["se"][label], rel=1e-9
        )
    assert (result.n, result.instruments_n) == (expected["T"], expected["ninst"])
    for name, key in (
        ("ar1", "AR1"),
        ("ar2", "AR2"),
        ("sargan", "sargan"),
        ("hansen", "hansen"),
        ("wald_regressors", "wald"),
    ):
        if key in expected:
            assert result.tests[name].statistic == pytest.approx(expected[key], rel=1e-8)
            assert result.tests[name].df == expected.get(f"{key}_df")
    differences = (
        2 if result.weighting == 2 else 1
    )  # with --dpdstyle gretl prints the standard deviation of differences
    assert np.sqrt(result.sigma2 * differences) == pytest.approx(expected["sigma"], rel=1e-8)


# cmd in the json -> our call; the years are regressors, so that collinear ones must be dropped as
# xtabond2 drops them.
PRINTED: dict[str, dict[str, Any]] = {
    "diff_onestep_robust_AB91a1": {
        "regressors": [*NINE, *YEARS],
        "gmm": GMM("L.n"),
        "iv": IV(["L(0/1).w", "L(0/2).(k ys)", *YEARS], name="iv"),
        "equations": "difference",
    },
    "diff_onestep_robust_small_gmm_nwk": {
        "regressors": [*NINE, *YEARS],
        "gmm": GMM("L.(n w k)"),
        "iv": IV(["L(0/2).ys", *YEARS], name="iv"),
        "equations": "difference",
        "small": "xtabond2",
    },
    "system_onestep_robust_small": {
        "regressors": [*FIVE, *YEARS],
        "gmm": GMM("L.(n w k)"),
        "iv": IV(YEARS, equation="level", name="iv"),
        "small": "xtabond2",
    },
}


@pytest.mark.parametrize("case", PRINTED)
def test_every_printed_digit_of_xtabond2(folder: Path, case: str) -> None:
    expected = json.loads((folder / "roodman2009_xtabond2.json").read_text())[case]
    result = dynamic_gmm(firms(folder, single=True), "n", **PRINTED[case], steps=1, **KEYS)
    for label, value in expected["coef"].items():
        term = "constant" if label == "_cons" else label
        assert result.coefficients[term] == pytest.approx(value, abs=5.1e-8)
        assert result.standard_errors[term] == pytest.approx(expected["se"][label], abs=5.1e-8)
    assert (result.n, result.groups["firm"], result.instruments_n) == (
        expected["N"],
        expected["groups"],
        expected["ninst"],
    )
    for name, key in (
        ("ar1", "AR1_z"),
        ("ar2", "AR2_z"),
        ("sargan", "sargan"),
        ("hansen", "hansen"),
    ):
        assert result.tests[name].statistic == pytest.approx(expected[key], abs=5.1e-3)
    for label, key in (
        ("iv", "diff_hansen_iv"),
        ("GMM instruments for levels", "diff_hansen_gmm_levels"),
    ):
        if key in expected:
            row = result.difference_tests.loc[label]
            assert [row["excluding"], row["difference"]] == pytest.approx(
                [expected[key]["excl"], expected[key]["diff"]], abs=5.1e-3
            )
            assert (row["excluding_df"], row["df"]) == (
                expected[key]["excl_df"],
                expected[key]["diff_df"],
            )
    joint = next(key for key in expected if key.startswith(("F_", "wald_chi2_")))
    assert result.tests["wald"].statistic == pytest.approx(expected[joint], abs=5.1e-3)
    assert [float(part) for part in joint.split("_") if part.isdigit()] == [
        x for x in (result.tests["wald"].df, result.tests["wald"].df2) if x
    ]


def test_collapsed_and_mixed_instruments_equal_gretl(panel: pd.DataFrame) -> None:
    # gretl 2022c: dpanel 1 ; n w w(-1) k k(-1) const ; GMM(n,2,99) GMM(w,2,99) GMM(k,2,99)
    # GMMlevel(..,1,1) --system --two-step --time-dummies --collapse
    result = dynamic_gmm(
        panel, "n", FIVE, GMM("L.(n w k)", collapse=True), time_effects=True, **KEYS
    )
    assert result.coefficients["w"] == pytest.approx(-0.840773579079596, rel=1e-8)
    assert result.standard_errors["w"] == pytest.approx(0.28156376961716, rel=1e-8)
    assert (result.tests["hansen"].statistic, result.instruments_n) == (
        pytest.approx(19.1160324413048, rel=1e-8),
        32,
    )
    # the same with ; GMM(n,2,4) GMM(w,1,3) k k(-1) GMMlevel(n,1,2) GMMlevel(w,0,0)
    blocks = [
        GMM("n", (2, 4), "difference"),
        GMM("w", "1 3", "difference"),
        GMM("n", (1, 2), "level"),
        GMM("w", 0, "level"),
    ]
    result = dynamic_gmm(panel, "n", FIVE, blocks, IV("k L.k"), time_effects=True, **KEYS)
    assert result.coefficients["constant"] == pytest.approx(0.768950180171938, rel=1e-8)
    assert result.standard_errors["L1.n"] == pytest.approx(0.0362709963301218, rel=1e-8)
    assert (result.tests["hansen"].statistic, result.instruments_n) == (
        pytest.approx(85.2910045119466, rel=1e-8),
        67,
    )


def test_more_instruments_than_units_equals_gretl_and_is_said(panel: pd.DataFrame) -> None:
    # gretl 2022c, as above with ys among the regressors and GMM-style instruments: it inverts by
    # Moore and Penrose
    result = dynamic_gmm(panel, "n", [*FIVE, "ys"], GMM("L.(n w k ys)"), time_effects=True, **KEYS)
    assert result.coefficients["w"] == pytest.approx(-0.467188144016098, rel=1e-6)
    assert result.standard_errors["w"] == pytest.approx(0.155008698580186, rel=1e-6)
    assert result.tests["hansen"].statistic == pytest.approx(128.627273614523, rel=1e-6)
    assert (
        "148 instruments outnumber 140 firm" in str(result)
        and result.warnings[0].kind == "many_instruments"
    )
    assert "many_instruments" not in {
        caution.kind for caution in dynamic_gmm(panel, "n", FIVE, **BOTH, **KEYS).warnings
    }


def test_dpd_conventions_equal_gretl(panel: pd.DataFrame) -> None:
    # gretl 2022c: dpanel 2 ; n w w(-1) k k(-1) k(-2) ys ys(-1) ys(-2) [const] --time-dummies
    # --dpdstyle [--asymptotic]
    dpd = DIFFERENCED | {"time_effects": "undifferenced", "conventions": "dpd", "steps": 1}
    result = dynamic_gmm(panel, "n", NINE, **dpd, covariance="iid", **KEYS)
    assert result.standard_errors["L1.n"] == pytest.approx(0.148616243215749, rel=1e-9)
    assert result.coefficients["year=1984"] == pytest.approx(0.0136171522207876, rel=1e-8)
    assert [result.tests[name].statistic for name in ("sargan", "ar1")] == pytest.approx(
        [65.8180533310722, -3.93941255328654], rel=1e-9
    )
    trend = dynamic_gmm(panel, "n", NINE, **dpd, constant=True, **KEYS)
    assert trend.coefficients[["constant", "year=1980"]].tolist() == pytest.approx(
        [0.00955443668445948, 0.00290614312389697], rel=1e-8
    )
    # small divides the same sum of squares by n - k
    ours = dynamic_gmm(
        panel, "n", NINE, **DIFFERENCED, steps=1, covariance="iid", small="xtabond2", **KEYS
    )
    assert ours.standard_errors["L1.n"] == pytest.approx(0.148616243215749, rel=1e-9)
    assert ours.df_t == 611 - 16


def test_orthogonal_deviations_with_gaps_equal_statspai(gapped: pd.DataFrame) -> None:
    # StatsPAI 1.40.2: xtabond(lags=1, gmm_lags=(2, None), endogenous=["w"], twostep, collapse,
    # orthogonal), years 1980 of every third firm removed
    lags = [GMM("L.n", collapse=True), GMM("L.w", collapse=True)]
    expected: dict[str, tuple[list[float], list[float], list[float], int]] = {
        "system": (
            [0.6728360247536074, -0.7922576519045492],
            [0.11962718176175395, 0.2149855597584761],
            [-1.742695892700891, 18.770871884802546],
            799,
        ),
        "difference": (
            [0.40389570628292104, -1.2735448408065686],
            [0.12166806240829936, 0.31528958023546305],
            [0.058901434374884584, 8.769487177070475],
            659,
        ),
    }
    for equations, (coefficients, errors, tests, n) in expected.items():
        result = dynamic_gmm(
            gapped,
            "n",
            ["L.n", "ys", "w"],
            lags,
            IV("ys"),
            equations=equations,
            transform="orthogonal",
            **KEYS,
        )
        assert result.coefficients[["L1.n", "w"]].tolist() == pytest.approx(coefficients, rel=1e-7)
        assert result.standard_errors[["L1.n", "w"]].tolist() == pytest.approx(errors, rel=1e-7)
        assert [result.tests[name].statistic for name in ("ar1", "hansen")] == pytest.approx(
            tests, rel=1e-7
        )
        assert result.n == n
