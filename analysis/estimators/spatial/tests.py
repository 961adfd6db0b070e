"""Does a regression without space leave spatial structure behind? Moran's I of its residuals and the Lagrange multiplier tests.

With e the OLS residuals, s2 = e'e/n, T = tr(W'W + W^2), J = ((WXb)'M(WXb) + T s2) / s2, d_e = e'We/s2 and d_l = e'Wy/s2 (Anselin 1988;
Anselin, Bera, Florax and Yoon 1996, Regional Science and Urban Economics 26):

    lm_error          d_e^2 / T
    lm_lag            d_l^2 / J
    robust_lm_error   (d_e - T/J d_l)^2 / (T (1 - T/J))
    robust_lm_lag     (d_l - d_e)^2 / (J - T)
    sarma             robust_lm_lag + lm_error, two degrees of freedom
    moran             I = n/S0 e'We/e'e, less its expectation, over its standard deviation (Cliff and Ord 1981, chapter 8)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.algebra import independent_columns, least_squares
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.result import Test
from analysis.estimators.spatial.sample import spatial_sample
from analysis.estimators.spatial.weights import SpatialWeights


def spatial_dependence_tests(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    effects: Sequence[str] = (),
) -> dict[str, Test]:
    """The tests of the module's text by name, after OLS of the outcome on the regressors and a constant (or effects).

    Parameters are as in spatial_regression.spatial_two_stage. The p of Moran's I is two-sided; with effects taken out its expectation and
    variance take the effects' dummies for regressors, as they should.

    Raises
    ------
    ValueError : unknown columns or units, duplicate keys, collinear regressors.
    """
    given = list(regressors)
    sample = spatial_sample(frame, [outcome, *given], weights, unit, time)
    taken = sample.effects(effects, unit, time)
    x = sample.values[given].to_numpy() if effects else np.column_stack([np.ones(len(sample.values)), sample.values[given].to_numpy()])
    x = taken.out(x)
    if not independent_columns(x).all():
        raise ValueError("a regressor is a combination of the others or of the effects. Leave one of them out.")
    y, w, n = sample.values[outcome].to_numpy(), sample.w, len(sample.values)
    _, e, inverse = least_squares(taken.out(y), x)
    s2 = float(e @ e) / n
    t = float((w.data**2).sum()) + float((w * w.T).sum())
    wxb = taken.out(w @ (y - e))  # the fitted values, effects among them
    spread = wxb - x @ (inverse @ (x.T @ wxb))
    j = (float(spread @ spread) + t * s2) / s2
    error, lag = float(e @ (w @ e)) / s2, float(e @ (w @ y)) / s2
    robust_lag = (lag - error) ** 2 / (j - t)
    values = {
        "lm_error": (error**2 / t, 1),
        "lm_lag": (lag**2 / j, 1),
        "robust_lm_error": ((error - t / j * lag) ** 2 / (t * (1 - t / j)), 1),
        "robust_lm_lag": (robust_lag, 1),
        "sarma": (robust_lag + error**2 / t, 2),
    }
    nulls = {"lm_error": "no spatial error", "lm_lag": "no spatial lag", "robust_lm_error": "no spatial error, a lag allowed",
             "robust_lm_lag": "no spatial lag, an error allowed", "sarma": "neither"}  # fmt: skip
    tests = {name: Test(name, value, df, float(stats.chi2.sf(value, df)), null=nulls[name]) for name, (value, df) in values.items()}
    i, expected, variance = _residual_moran(e, x, inverse, w.toarray(), taken, float(w.sum()))
    z = (i - expected) / variance**0.5
    return tests | {
        "moran": Test("moran", z, None, float(2 * stats.norm.sf(abs(z))), null=f"no spatial autocorrelation (I = {i:.4f}, expected {expected:.4f})")
    }


def residual_moran(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], weights: SpatialWeights, *, unit: str = "city_code", time: str | None = None
) -> dict[str, float]:
    """Moran's I of OLS residuals with its parts: moran_i, expected_i, variance, z. Parameters and errors as above."""
    sample = spatial_sample(frame, [outcome, *regressors], weights, unit, time)
    x = np.column_stack([np.ones(len(sample.values)), sample.values[list(regressors)].to_numpy()])
    if not independent_columns(x).all():
        raise ValueError("a regressor is a combination of the others. Leave one of them out.")
    _, e, inverse = least_squares(sample.values[outcome].to_numpy(), x)
    i, expected, variance = _residual_moran(e, x, inverse, sample.w.toarray(), sample.effects((), unit, time), float(sample.w.sum()))
    return {"moran_i": i, "expected_i": expected, "variance": variance, "z": (i - expected) / variance**0.5}


def _residual_moran(e: np.ndarray, x: np.ndarray, inverse: np.ndarray, w: np.ndarray, taken: Effects, s0: float) -> tuple[float, float, float]:
    """I with expectation and variance; M projects off regressors and effects."""
    n = len(e)
    mw = taken.out(w) - x @ (inverse @ (x.T @ taken.out(w)))
    mwt = taken.out(w.T.copy()) - x @ (inverse @ (x.T @ taken.out(w.T.copy())))
    df = n - x.shape[1] - taken.rank
    scale = n / s0
    trace = float(np.trace(mw))
    expected = scale * trace / df
    squares = float((mw * mwt.T).sum()) + float((mw * mw.T).sum())
    variance = scale**2 * (squares + trace**2) / (df * (df + 2)) - expected**2
    return scale * float(e @ (w @ e)) / float(e @ e), expected, variance
