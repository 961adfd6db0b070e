"""Does a regression without space leave spatial structure behind? Moran's I of its residuals, and
the Lagrange multiplier tests.

With e the OLS residuals, s2 = e'e/n, T = tr(W'W + W^2), J = ((WXb)'M(WXb) + T s2) / s2,
d_e = e'We/s2 and d_l = e'Wy/s2 (Anselin 1988; Anselin, Bera, Florax and Yoon 1996, Regional Science
and Urban Economics 26):

    lm_error          d_e^2 / T
    lm_lag            d_l^2 / J
    robust_lm_error   (d_e - T/J d_l)^2 / (T (1 - T/J))
    robust_lm_lag     (d_l - d_e)^2 / (J - T)
    sarma             robust_lm_lag + lm_error, two degrees of freedom
    moran             I = n/S0 e'We/e'e, less its expectation, over its standard deviation (Cliff
                      and Ord 1981, chapter 8)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse, stats

from analysis.estimators.core.algebra import least_squares, refuse_dependent
from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Where, columns_of
from analysis.estimators.core.result import Report, Test, glance_frame, tidy_frame
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights

NULLS = {
    "lm_error": "no spatial error",
    "lm_lag": "no spatial lag",
    "robust_lm_error": "no spatial error, a lag allowed",
    "robust_lm_lag": "no spatial lag, an error allowed",
    "sarma": "neither",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Tests(Report):
    """Several tests of one regression, by name: tests["lm_lag"].

    Attributes
    ----------
    tests : by name
    outcome, n, groups : of the regression
    sentence : what was tested, on which rows
    """

    tests: Mapping[str, Test]
    outcome: str
    n: int
    groups: Mapping[str, int]
    sentence: str

    def __getitem__(self, name: str) -> Test:
        return self.tests[name]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a test, its name as the term."""
        return pd.concat([test.tidy(level) for test in self.tests.values()], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row: rows, and each test's statistic, degrees of freedom and p."""
        whole = {"method": "tests of spatial dependence", "outcome": self.outcome, "nobs": self.n}
        return glance_frame(whole, self.groups, self.tests)

    def note(self) -> str:
        """One sentence: what was tested, on which rows, and what was left out."""
        return self.sentence


@dataclass(frozen=True, eq=False, kw_only=True)
class ResidualMoran(Report):
    """Moran's I of residuals, with its expectation and variance under no autocorrelation."""

    moran_i: float
    expected_i: float
    variance: float
    outcome: str
    n: int
    groups: Mapping[str, int]
    sentence: str

    @property
    def z(self) -> float:
        """I less its expectation, in standard deviations."""
        return (self.moran_i - self.expected_i) / self.variance**0.5

    @property
    def p(self) -> float:
        """Two-sided."""
        return float(2 * stats.norm.sf(abs(self.z)))

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """One row: I with its error under no autocorrelation, and therefore no interval."""
        nothing = np.array([np.nan])
        return tidy_frame(
            "residuals",
            ["moran_i"],
            np.array([self.moran_i]),
            np.array([self.variance**0.5]),
            level=level,
            tested=(np.array([self.z]), np.array([self.p])),
            interval=(nothing, nothing),
        )

    def glance(self) -> pd.DataFrame:
        """One row: rows, I, its expectation, z and p."""
        whole = {"method": "Moran's I of residuals", "outcome": self.outcome, "nobs": self.n}
        parts = {"moran_i": self.moran_i, "expected_i": self.expected_i, "z": self.z}
        return glance_frame(whole | parts | {"p_value": self.p}, self.groups, {})

    def note(self) -> str:
        """One sentence: what was computed, on which rows, and what was left out."""
        return self.sentence


class _Regression(NamedTuple):
    """Least squares with effects taken out, and what it rests on."""

    sample: SpatialSample
    effects: Effects
    y: np.ndarray  # (n,) as given
    x: np.ndarray  # (n, k), effects taken out
    residuals: np.ndarray
    inverse: np.ndarray
    sentence: str
    groups: dict[str, int]

    def moran(self) -> tuple[float, float, float]:
        """I of the residuals with expectation and variance."""
        w, s0 = self.sample.w.toarray(), float(self.sample.w.sum())
        return _residual_moran(self.residuals, self.x, self.inverse, w, self.effects, s0)


def spatial_dependence_tests(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    *,
    effects: Sequence[str] = (),
    unit: str = "city_code",
    time: str | None = None,
    where: Where | None = None,
) -> Tests:
    """The tests of the module's text, after OLS on the regressors and a constant (or effects).

    Parameters
    ----------
    frame : one row a unit (and period); nothing in it is modified
    weights : of spatial_weights(); applied period by period
    effects : the unit or the time column, or both, to be taken out
    where : rows to test on, a column or a mask; neighbours are those among them

    The p of Moran's I is two-sided; with effects taken out its expectation and variance take the
    effects' dummies for regressors, as they should.

    Raises
    ------
    ValueError : unknown columns or units, duplicate keys, collinear regressors.
    """
    fit = _regression(frame, outcome, regressors, weights, effects, unit, time, where)
    tests = _multipliers(fit, fit.sample.w)
    i, expected, variance = fit.moran()
    z = (i - expected) / variance**0.5
    null = f"no spatial autocorrelation (I = {i:.4f}, expected {expected:.4f})"
    moran = Test("moran", z, None, float(2 * stats.norm.sf(abs(z))), null=null)
    return Tests(
        tests=tests | {"moran": moran},
        outcome=outcome,
        n=len(fit.y),
        groups=fit.groups,
        sentence=f"Tests of spatial dependence after {fit.sentence}",
        warnings=fit.sample.warnings(),
    )


def residual_moran(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    where: Where | None = None,
) -> ResidualMoran:
    """Moran's I of OLS residuals. Parameters and errors as in spatial_dependence_tests."""
    fit = _regression(frame, outcome, regressors, weights, (), unit, time, where)
    i, expected, variance = fit.moran()
    return ResidualMoran(
        moran_i=i,
        expected_i=expected,
        variance=variance,
        outcome=outcome,
        n=len(fit.y),
        groups=fit.groups,
        sentence=f"Moran's I of the residuals of {fit.sentence}",
        warnings=fit.sample.warnings(),
    )


def _regression(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    effects: Sequence[str],
    unit: str,
    time: str | None,
    where: Where | None,
) -> _Regression:
    given = columns_of("regressors", regressors, outcome=outcome, empty=True)
    sample = spatial_sample(frame, [outcome, *given], weights, unit, time, where)
    taken = sample.effects(effects, unit, time)
    x, terms = sample.values[given].to_numpy(), given
    if not effects:
        x, terms = np.column_stack([np.ones(len(x)), x]), [CONSTANT, *given]
    x = taken.out(x)
    refuse_dependent(x, terms, " or of the effects")
    y = sample.values[outcome].to_numpy()
    _, e, inverse = least_squares(taken.out(y), x)
    on = f"least squares of {outcome}, {rows(len(y))}, {weights_phrase(weights, sample)}"
    sentence = f"{on}; left out: {left_out(sample.dropped)}."
    return _Regression(sample, taken, y, x, e, inverse, sentence, sample.groups(unit, time))


def _multipliers(fit: _Regression, w: sparse.csr_array) -> dict[str, Test]:
    """The Lagrange multiplier tests."""
    e, y, x = fit.residuals, fit.y, fit.x
    s2 = float(e @ e) / len(e)
    t = float((w.data**2).sum()) + float((w * w.T).sum())
    wxb = fit.effects.out(w @ (y - e))  # the fitted values, effects among them
    spread = wxb - x @ (fit.inverse @ (x.T @ wxb))
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
    found = {}
    for name, (value, df) in values.items():
        found[name] = Test(name, value, df, float(stats.chi2.sf(value, df)), null=NULLS[name])
    return found


def _residual_moran(
    e: np.ndarray, x: np.ndarray, inverse: np.ndarray, w: np.ndarray, taken: Effects, s0: float
) -> tuple[float, float, float]:
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
