"""What 3SLS and its kin do with rows, masks, mistakes and weak instruments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS

from analysis.estimators import SystemResult, equation_system, hausman_systems
from tests.estimators.system_cases import MADE_UP


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
