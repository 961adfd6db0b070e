"""Anderson-Rubin sets and tabulated critical values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.estimators.iv import instrumental_variables
from analysis.estimators.iv.strength import stock_yogo


def _weak(
    strength: float,
    seed: int,
    error: Callable[[np.ndarray], np.ndarray] = lambda z: np.ones(len(z)),
    invalid: float = 0.0,
) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    z, u = draw.normal(size=(150, 3)), draw.normal(size=150)
    x = strength * z.sum(axis=1) + 0.8 * u + 0.6 * draw.normal(size=150)
    y = x + u * error(z) + invalid * (z[:, 0] - z[:, 1])
    return pd.DataFrame({"y": y, "x": x, "z1": z[:, 0], "z2": z[:, 1], "z3": z[:, 2]})


@pytest.mark.parametrize("covariance", ["iid", "robust"])
@pytest.mark.parametrize(
    ("frame", "form"),
    [
        (_weak(0.6, 1), "interval"),
        (_weak(0.05, 8), "whole line"),
        (_weak(0.12, 4), "two rays"),
        (_weak(0.6, 1, invalid=1.0), "empty"),
    ],
)
def test_the_anderson_rubin_set_is_where_the_test_does_not_reject(
    frame: pd.DataFrame, form: str, covariance: str
) -> None:
    result = instrumental_variables(frame, "y", ["x"], ["z1", "z2", "z3"], covariance=covariance)
    found = result.confidence_set
    assert found is not None
    assert found.form == form
    for value in np.concatenate([np.linspace(-8, 8, 321), [-1e6, 1e6]]):
        assert (value in found) == (
            result.anderson_rubin.tests(value)["anderson_rubin_f"].p >= 0.05
        )
    for end in np.array(found.pieces).ravel():
        assert np.isinf(end) or result.anderson_rubin.tests(end)[
            "anderson_rubin_f"
        ].p == pytest.approx(0.05, abs=1e-10)


def test_a_robust_set_can_have_several_pieces() -> None:
    result = instrumental_variables(
        _weak(0.08, 84, lambda z: np.exp(z[:, 0]), 0.3),
        "y",
        ["x"],
        ["z1", "z2", "z3"],
        covariance="robust",
    )
    found = result.confidence_set
    assert found is not None
    assert found.form == "union"
    for value in np.linspace(-5, 5, 401):
        assert (value in found) == (
            result.anderson_rubin.tests(value)["anderson_rubin_f"].p >= 0.05
        )
    assert str(found).startswith("union [-1.1588, 1.00902] and [3.15821")


def test_the_set_of_one_instrument_closes_on_its_estimate() -> None:
    result = instrumental_variables(_weak(0.6, 1), "y", ["x"], ["z1"], ["z2"], covariance="robust")
    lower, upper = result.anderson_rubin.confidence_set(0.9).pieces[0]
    assert lower < result.coefficients["x"] < upper
    # the just-identified estimate leaves nothing for the instrument
    assert result.anderson_rubin.chi2(result.coefficients["x"]) == pytest.approx(0, abs=1e-12)
    assert result.anderson_rubin.tests(lower)["anderson_rubin_f"].p == pytest.approx(0.1, abs=1e-10)


def test_two_endogenous_regressors_have_a_joint_test_and_no_set() -> None:
    frame = _weak(0.6, 1)
    result = instrumental_variables(
        frame.assign(x2=frame["z3"] + frame["x"] ** 2), "y", ["x", "x2"], ["z1", "z2", "z3"]
    )
    assert result.confidence_set is None
    with pytest.raises(ValueError, match="a confidence set is given for one endogenous regressor"):
        result.anderson_rubin.confidence_set()
    with pytest.raises(ValueError, match="the null has 1 values for 2 endogenous regressors"):
        result.anderson_rubin.chi2(0.0)


def test_levels_lie_between_zero_and_one() -> None:
    with pytest.raises(ValueError, match="level = 95"):
        instrumental_variables(_weak(0.6, 1), "y", ["x"], ["z1"]).anderson_rubin.confidence_set(95)


def test_stock_yogo_values() -> None:
    """Corners of the tables in Stock and Yogo (2005)."""
    assert stock_yogo(1, 1).to_dict() == {
        "iv_size_10": 16.38, "iv_size_15": 8.96, "iv_size_20": 6.66, "iv_size_25": 5.53,
        "liml_size_10": 16.38, "liml_size_15": 8.96, "liml_size_20": 6.66, "liml_size_25": 5.53,
    }  # fmt: skip
    assert stock_yogo(1, 3, "iv")["iv_bias_10"] == 9.08
    assert stock_yogo(2, 4, "iv")["iv_bias_05"] == 11.04
    assert stock_yogo(3, 30)["iv_bias_30"] == 4.17
    assert stock_yogo(4, 9).empty
