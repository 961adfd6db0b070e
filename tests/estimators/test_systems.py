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
from linearmodels.iv import IV2SLS
from linearmodels.system import IV3SLS, SUR

from analysis.estimators import Equation, SystemResult, equation_system, hausman_systems

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


@pytest.fixture
def made_up() -> pd.DataFrame:
    draw = np.random.default_rng(4)
    n = 80
    frame = pd.DataFrame(draw.normal(size=(n, 4)), columns=["a", "b", "c", "d"])
    e, f = draw.multivariate_normal([0, 0], [[1, 0.6], [0.6, 2]], size=n).T
    # y1 = 1 + 0.5 y2 + a + b + e, y2 = 2 - 0.4 y1 + c - d + f, solved for both
    frame["y1"] = (1 + frame.a + frame.b + e + 0.5 * (2 + frame.c - frame.d + f)) / 1.2
    frame["y2"] = 2 - 0.4 * frame.y1 + frame.c - frame.d + f
    return frame.assign(city=[f"{c:04d}" for c in range(n)])


MADE_UP = {"one": ("y1", ["y2", "a", "b"]), "two": ("y2", ["y1", "c", "d"])}


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


def _same(left: SystemResult, right: SystemResult) -> None:
    assert left.coefficients.tolist() == right.coefficients.tolist()
    assert left.covariance.to_numpy().tolist() == right.covariance.to_numpy().tolist()


def test_order_index_and_extra_columns_do_not_matter(made_up: pd.DataFrame) -> None:
    before = made_up.copy()
    for keys in ((), ("city",)):
        base = equation_system(made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"], keys=keys)
        shuffled = (
            made_up.sample(frac=1, random_state=9)
            .set_index(pd.Index([f"r{i}" for i in range(len(made_up))]))
            .assign(other="x")
        )
        again = equation_system(
            shuffled.astype({"city": "category"}), MADE_UP, "3SLS", ["a", "b", "c", "d"], keys=keys
        )
        _same(base, again)
        assert again.residuals.index.equals(shuffled.index)
        assert (
            again.residuals["one"].iloc[0]
            == base.residuals.loc[made_up.sample(frac=1, random_state=9).index[0], "one"]
        )
    pd.testing.assert_frame_equal(made_up, before)


def test_float32_is_computed_in_double(made_up: pd.DataFrame) -> None:
    columns = ["a", "b", "c", "d", "y1", "y2"]
    single = made_up.astype(dict.fromkeys(columns, "float32"))
    _same(
        equation_system(single, MADE_UP, "3SLS", ["a", "b", "c", "d"]),
        equation_system(
            single.astype(dict.fromkeys(columns, "float64")), MADE_UP, "3SLS", ["a", "b", "c", "d"]
        ),
    )


def test_missing_rows_are_counted_by_reason(made_up: pd.DataFrame) -> None:
    holes = made_up.copy()
    holes.loc[3, "a"], holes.loc[5, "y2"], holes.loc[6, "d"] = np.nan, np.nan, np.inf
    result = equation_system(holes, MADE_UP, "3SLS", ["a", "b", "c", "d"])
    assert result.dropped == {"y2 missing": 1, "a missing": 1, "d infinite": 1}
    assert result.n == 77 and len(result.sample) == 77
    _same(
        result,
        equation_system(made_up.drop(index=[3, 5, 6]), MADE_UP, "3SLS", ["a", "b", "c", "d"]),
    )
    assert "1 row (a missing)" in result.note() and "three-stage least squares" in result.note()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {
                "frame": lambda f: f.assign(k=1.0),
                "equations": {"one": ("y1", ["y2", "k"]), "two": MADE_UP["two"]},
            },
            "equation one: k is a combination",
        ),
        (
            {
                "frame": lambda f: f.assign(e=f.a + f.b),
                "equations": {"one": ("y1", ["a", "b", "e"]), "two": MADE_UP["two"]},
                "instruments": ["a", "b", "c", "d"],
            },
            "equation one: e is a combination",
        ),
        ({"instruments": ["a", "b"]}, "not identified: 3 independent instruments for 4"),
        ({"equations": {"one": ("y9", ["a"])}}, "'y9' is not in the frame"),
        ({"keys": ["city"], "frame": lambda f: pd.concat([f, f.tail(1)])}, "city 0079"),
        ({"restrictions": [({"one_z": 1.0}, 0.0)]}, "restriction 1 names one_z"),
        ({"restrictions": [({"one_a": 1.0}, 0.0), ({"one_a": 2.0}, 0.0)]}, "repeat or contradict"),
        ({"method": "4SLS"}, "method = '4SLS'"),
        ({"instruments": None}, "3SLS needs instruments"),
        ({"frame": lambda f: f.head(3)}, "cannot carry"),
        ({"frame": lambda f: f.assign(a=f.a.astype(str))}, "'a' holds"),
    ],
)
def test_errors_say_what_and_where(made_up: pd.DataFrame, change: dict, message: str) -> None:
    call = {"equations": MADE_UP, "method": "3SLS", "instruments": ["a", "b", "c", "d"]} | {
        k: v for k, v in change.items() if k != "frame"
    }
    with pytest.raises(ValueError, match=message):
        equation_system(
            change.get("frame", lambda f: f)(made_up),
            call.pop("equations"),
            call.pop("method"),
            call.pop("instruments"),
            **call,
        )


def test_repeated_instruments_are_told(made_up: pd.DataFrame) -> None:
    doubled = made_up.assign(again=2 * made_up.a)
    result = equation_system(doubled, MADE_UP, "3SLS", ["a", "b", "c", "d", "again"])
    assert result.instruments_left_out == ("again",)
    np.testing.assert_allclose(
        result.coefficients,
        equation_system(made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"]).coefficients,
        rtol=1e-12,
    )


def test_table_of_one_equation(made_up: pd.DataFrame) -> None:
    result = equation_system(made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"])
    assert result.equation("two").index.tolist() == ["constant", "y1", "c", "d"]
    with pytest.raises(ValueError, match="there are one, two"):
        result.equation("three")


def test_rows_outside_the_mask_do_not_matter(made_up: pd.DataFrame) -> None:
    few = made_up["city"] < "0060"
    spoiled = made_up.assign(a=made_up["a"].where(few, np.inf))
    instruments = ["a", "b", "c", "d"]
    here = equation_system(spoiled, MADE_UP, "3SLS", instruments, where=few)
    _same(here, equation_system(made_up[few], MADE_UP, "3SLS", instruments))
    assert here.dropped == {"outside where": 20} and here.n == 60


def test_rounds_that_do_not_converge_are_warned_of(made_up: pd.DataFrame) -> None:
    call = (made_up, MADE_UP, "3SLS", ["a", "b", "c", "d"])
    stopped = equation_system(*call, iterations=2, tolerance=1e-14)
    assert [w.kind for w in stopped.warnings] == ["no_convergence"] and "2 rounds" in str(stopped)
    for settled in (equation_system(*call, iterations=200), equation_system(*call)):
        assert settled.warnings == ()


def test_weak_instruments_are_warned_of(made_up: pd.DataFrame) -> None:
    draw = np.random.default_rng(8)
    noise = made_up.assign(c=draw.normal(size=80), d=draw.normal(size=80))
    result = equation_system(noise, {"one": MADE_UP["one"]}, "2SLS", ["a", "b", "c", "d"])
    assert result.warnings[0].kind == "weak_instruments" and "y2 (F " in str(result)
    one = made_up.assign(constant=1.0)
    peer = IV2SLS(one["y1"], one[["constant", "a", "b"]], one["y2"], one[["c", "d"]])
    fit = peer.fit(cov_type="unadjusted")
    ours = equation_system(made_up, {"one": MADE_UP["one"]}, "2SLS", ["a", "b", "c", "d"])
    assert ours.tests["sargan_one"].statistic == pytest.approx(fit.sargan.stat, rel=1e-9)
    theirs = fit.first_stage.diagnostics["f.stat"].item()  # over n, not over n less instruments
    first = ours.tests["first_stage_one_y2"]
    assert first.statistic == pytest.approx(theirs * 75 / 80, rel=1e-9)
    assert (first.df, first.df2) == (2, 75)


def test_hausman_without_a_distribution_has_no_p(made_up: pd.DataFrame) -> None:
    call = (made_up, MADE_UP)
    two, three = (equation_system(*call, m, ["a", "b", "c", "d"]) for m in ("2SLS", "3SLS"))
    turned = hausman_systems(three, two)
    assert turned.statistic < 0 and np.isnan(turned.p)
    assert turned.warnings[0].kind == "no_distribution"
    right = hausman_systems(two, three)
    assert right.statistic == pytest.approx(-turned.statistic, rel=1e-6)
    assert right.warnings == () and 0 <= right.p <= 1
    with pytest.raises(ValueError, match="df = 'ranks' is not known. Nearest: rank"):
        hausman_systems(two, three, df="ranks")


def test_left_out_instruments_are_warned_of(made_up: pd.DataFrame) -> None:
    doubled = made_up.assign(again=2 * made_up.a)
    result = equation_system(doubled, MADE_UP, "3SLS", ["a", "b", "c", "d", "again"])
    assert result.warnings[0].kind == "omitted" and "again was left out" in str(result)
    row = result.glance().iloc[0]
    assert row["r2_one"] == result.r2["one"] and row["mcelroy_r2"] == result.mcelroy_r2
