"""Two-way fixed effects, Sun-Abraham, imputation and sensitivity against the numbers of other
programs.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.did.aggregate import aggregate_effects
from analysis.estimators.did.callaway import callaway_santanna
from analysis.estimators.did.honest import honest_bounds
from analysis.estimators.did.imputation import imputation
from analysis.estimators.did.sun_abraham import sun_abraham
from analysis.estimators.did.twoway import difference_in_differences


@pytest.fixture(scope="module")
def fixest(golden: Path) -> dict:
    return json.loads((golden / "did_fixest" / "r_fixest.json").read_text())


@pytest.fixture(scope="module")
def staggered(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "did_fixest" / "base_stagg.csv")


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
