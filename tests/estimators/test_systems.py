"""Systems of equations: R systemfit's numbers, Klein's model as Greene prints it, linearmodels, and
input that could mislead.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.system import IV3SLS, SUR

from analysis.estimators import Equation, equation_system, hausman_systems
from tests.estimators.system_cases import MADE_UP

MARKET = {
    "demand": ("consump", ["price", "income"]),
    "supply": ("consump", ["price", "farmPrice", "trend"]),
}

EXOGENOUS = ["income", "farmPrice", "trend"]

SHARED = ({"demand_income": 1.0, "supply_trend": -1.0}, 0.0)

APART = ({"demand_price": -1.0, "supply_price": 1.0}, 0.5)

OWN = {
    "demand": Equation("consump", ["price", "income"], instruments=["income", "farmPrice"]),
    "supply": Equation("consump", ["price", "farmPrice", "trend"], instruments=EXOGENOUS),
}


@pytest.fixture(scope="module")
def golden() -> Path:
    folder = os.environ.get("CITYTRADE_GOLDEN")
    if not folder:
        pytest.skip("CITYTRADE_GOLDEN is not set: the numbers of other programs are not here")
    return Path(folder) / "threesls"


@pytest.fixture(scope="module")
def kmenta(golden: Path) -> pd.DataFrame:
    return pd.read_csv(golden / "kmenta.csv")


@pytest.mark.parametrize("name", ["OLS", "2SLS", "SUR", "3SLS", "3SLS_noDfCor"])
def test_kmenta_equals_systemfit(golden: Path, kmenta: pd.DataFrame, name: str) -> None:
    expected = json.loads((golden / "r_systemfit.json").read_text())[name]
    result = equation_system(
        kmenta,
        MARKET,
        name.split("_")[0],
        EXOGENOUS,
        residual_covariance="none" if "noDf" in name else "geomean",
    )
    for term in result.coefficients.index:
        theirs = term.replace("constant", "(Intercept)")
        assert result.coefficients[term] == pytest.approx(expected["coef"][theirs], rel=1e-10)
        assert result.standard_errors[term] == pytest.approx(expected["se"][theirs], rel=1e-10)
    np.testing.assert_allclose(
        result.residual_covariance.to_numpy().ravel(), expected["residCov"], rtol=1e-10
    )


# What R systemfit's own test output prints for Kmenta's data (package systemfit,
# tests/test_3sls.Rout.save), to its six decimals.
PRINTED = [
    (
        {"residual_covariance": "theil"},
        MARKET,
        [94.633304, -0.243557, 0.313992, 52.286917, 0.228202, 0.227234, 0.364782],
        [7.920838, 0.096484, 0.046944, 11.885309, 0.099655, 0.043762, 0.070687],
    ),
    (
        {"restrictions": [SHARED], "iterations": 100, "formula": "GMM"},
        MARKET,
        [92.074210, -0.106424, 0.199604, 68.855115, 0.183298, 0.120196, 0.199604],
        [9.630322, 0.102285, 0.029661, 12.483937, 0.118878, 0.025956, 0.029661],
    ),
    (
        {"restrictions": [SHARED], "weighted_first": True},
        MARKET,
        [94.182257, -0.219387, 0.293831, 56.254127, 0.218444, 0.203988, 0.293831],
        None,
    ),
    (
        {"restrictions": [SHARED, APART]},
        MARKET,
        [93.906991, -0.245690, 0.323627, 49.904921, 0.254310, 0.229334, 0.323627],
        [7.923414, 0.089125, 0.023259, 8.179689, 0.089125, None, 0.023259],
    ),
    (
        {"restrictions": [SHARED, APART], "residual_covariance": "none", "iterations": 100},
        MARKET,
        [91.39012, -0.216847, 0.319854, 47.57870, 0.283153, 0.223962, 0.319854],
        None,
    ),
    (
        {"weighted_first": True, "formula": "IV"},
        OWN,
        [106.789358, -0.411599, 0.361681, 57.295339, 0.137281, 0.266016, 0.396991],
        [11.143545, 0.144845, 0.056406, 11.707756, 0.097862, 0.048288, 0.067224],
    ),
    (
        {"weighted_first": True, "formula": "Schmidt"},
        OWN,
        [None, None, None, 49.532442, 0.240076, 0.255606, 0.252924],
        [None, None, None, 12.010526, 0.099934, 0.047250, 0.099655],
    ),
    (
        {"restrictions": [SHARED], "residual_covariance": "none", "formula": "EViews"},
        OWN,
        [109.108517, -0.442188, 0.369271, 57.267872, 0.137465, 0.269121, 0.369271],
        [5.842829, 0.073710, 0.043237, 10.056370, 0.070540, 0.040262, 0.043237],
    ),
    (
        {"restrictions": [SHARED], "residual_covariance": "none", "formula": "GLS"},
        OWN,
        [None, None, None, 40.817735, 0.356868, 0.219495, 0.302686],
        [None, None, None, 10.056370, 0.070540, 0.040262, 0.043237],
    ),
    (
        {"restrictions": [SHARED], "weighted_first": True, "formula": "GMM"},
        OWN,
        [100.173537, -0.324910, 0.340615, 49.742529, 0.236666, 0.247432, 0.340615],
        None,
    ),
]


@pytest.mark.parametrize(("options", "equations", "coefficients", "errors"), PRINTED)
def test_options_equal_what_systemfit_prints(
    kmenta: pd.DataFrame, options: dict, equations: dict, coefficients: list, errors: list | None
) -> None:
    result = equation_system(
        kmenta, equations, "3SLS", None if equations is OWN else EXOGENOUS, **options
    )
    slack = (
        6e-6 if options.get("iterations") else 6e-7
    )  # iterations stop at a tolerance, not at the solution
    for ours, theirs in (
        (result.coefficients, coefficients),
        (result.standard_errors, errors or []),
    ):
        for value, printed in zip(ours, theirs, strict=False):
            assert printed is None or value == pytest.approx(printed, abs=slack)


def test_degrees_of_freedom_equal_systemfit(kmenta: pd.DataFrame) -> None:
    by_equation = equation_system(kmenta, MARKET, "3SLS", EXOGENOUS, residual_covariance="theil")
    assert by_equation.p_values["demand_price"] == pytest.approx(0.021832, abs=5e-7)
    assert by_equation.p_values["supply_price"] == pytest.approx(0.035951, abs=5e-7)
    assert by_equation.df_t is None and set(by_equation.df_by_term) == {16.0, 17.0}
    of_system = equation_system(
        kmenta, MARKET, "3SLS", EXOGENOUS, restrictions=[SHARED], iterations=100
    )
    assert of_system.df_t == 34
    assert of_system.p_values["demand_price"] == pytest.approx(0.305469, abs=5e-6)


def test_mcelroy_and_hausman_equal_systemfit(kmenta: pd.DataFrame) -> None:
    # tests/test_3sls.Rout.save and tests/test_hausman.Rout.save of the package
    expected = {"geomean": (0.786468, 2.5357), "none": (0.747911, 2.9831)}
    for divisor, (r2, hausman) in expected.items():
        two, three = (
            equation_system(kmenta, MARKET, method, EXOGENOUS, residual_covariance=divisor)
            for method in ("2SLS", "3SLS")
        )
        assert three.mcelroy_r2 == pytest.approx(r2, abs=6e-7)
        test = hausman_systems(two, three, df="coefficients")
        assert test.statistic == pytest.approx(hausman, abs=6e-5)
        assert test.df == 7


def test_klein_as_greene_prints_it(golden: Path) -> None:
    klein = pd.read_csv(golden / "kleinI.csv")
    model = {
        "c": ("consump", ["corpProf", "corpProfLag", "wages"]),
        "i": ("invest", ["corpProf", "corpProfLag", "capitalLag"]),
        "w": ("privWage", ["gnp", "gnpLag", "trend"]),
    }
    exogenous = ["govExp", "taxes", "govWage", "trend", "capitalLag", "corpProfLag", "gnpLag"]
    three = equation_system(klein, model, "3SLS", exogenous, residual_covariance="none")
    # Greene (2003, Econometric Analysis, chapter 15), three-stage least squares of Klein's model I
    assert three.coefficients.round(3).tolist() == [
        16.441,
        0.125,
        0.163,
        0.790,
        28.178,
        -0.013,
        0.756,
        -0.195,
        1.797,
        0.400,
        0.181,
        0.150,
    ]
    assert three.standard_errors.round(3).tolist() == [
        1.305,
        0.108,
        0.100,
        0.038,
        6.794,
        0.162,
        0.153,
        0.033,
        1.116,
        0.032,
        0.034,
        0.028,
    ]
    assert three.n == 21 and three.dropped == {"corpProfLag missing": 1}


def test_equals_linearmodels(made_up: pd.DataFrame) -> None:
    exogenous = ["a", "b", "c", "d"]
    ours = equation_system(made_up, MADE_UP, "3SLS", exogenous, residual_covariance="none")
    one = made_up.assign(constant=1.0)
    parts = {
        "one": {
            "dependent": one[["y1"]],
            "exog": one[["constant", "a", "b"]],
            "endog": one[["y2"]],
            "instruments": one[["c", "d"]],
        },
        "two": {
            "dependent": one[["y2"]],
            "exog": one[["constant", "c", "d"]],
            "endog": one[["y1"]],
            "instruments": one[["a", "b"]],
        },
    }
    theirs = IV3SLS(parts).fit(cov_type="unadjusted")
    for term, value in ours.coefficients.items():
        assert theirs.params[term] == pytest.approx(value, rel=1e-9)
        assert theirs.std_errors[term] == pytest.approx(ours.standard_errors[term], rel=1e-9)
    sur = {"one": ("y1", ["a", "b"]), "two": ("y2", ["c", "d"])}
    for rounds in (1, 200):
        ours = equation_system(
            made_up, sur, "SUR", residual_covariance="none", iterations=rounds, tolerance=1e-12
        )
        peer = SUR(
            {
                name: {"dependent": one[[y]], "exog": one[["constant", *x]]}
                for name, (y, x) in sur.items()
            }
        )
        theirs = peer.fit(
            method="gls", iterate=rounds > 1, iter_limit=200, tol=1e-12, cov_type="unadjusted"
        )
        np.testing.assert_allclose(
            ours.coefficients, theirs.params[ours.coefficients.index], rtol=1e-8
        )


def test_formulas_agree_with_shared_instruments(made_up: pd.DataFrame) -> None:
    results = [
        equation_system(made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"], formula=formula)
        for formula in ("GLS", "IV", "Schmidt", "GMM", "EViews")
    ]
    for other in results[1:]:
        np.testing.assert_allclose(other.coefficients, results[0].coefficients, rtol=1e-10)
        np.testing.assert_allclose(other.covariance, results[0].covariance, rtol=1e-9)


def test_one_equation_is_two_stage(made_up: pd.DataFrame) -> None:
    alone = {"one": MADE_UP["one"]}
    three = equation_system(made_up, alone, "3SLS", ["a", "b", "c", "d"])
    two = equation_system(made_up, alone, "2SLS", ["a", "b", "c", "d"])
    np.testing.assert_allclose(three.coefficients, two.coefficients, rtol=1e-12)
    np.testing.assert_allclose(three.standard_errors, two.standard_errors, rtol=1e-12)


def test_units_of_columns_do_not_cost_digits(made_up: pd.DataFrame) -> None:
    base = equation_system(made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"])
    large = equation_system(
        made_up.assign(a=made_up.a * 1e11, d=made_up.d * 1e-9),
        MADE_UP,
        "3SLS",
        ["a", "b", "c", "d"],
    )
    assert large.coefficients["one_a"] * 1e11 == pytest.approx(
        base.coefficients["one_a"], rel=1e-11
    )
    assert large.coefficients["two_d"] * 1e-9 == pytest.approx(
        base.coefficients["two_d"], rel=1e-11
    )
    np.testing.assert_allclose(large.t_statistics, base.t_statistics, rtol=1e-11)
