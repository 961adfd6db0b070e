"""Single spatial equations: spatial 2SLS, generalised spatial 2SLS, the spatial error model by generalised moments, and both by ML.

spatial_two_stage  y = rho W y + X b + u, instruments X, WX (and W2X); R spatialreg's stsls
spatial_generalised_two_stage  the same with u = lambda W u + e (Kelejian and Prucha 1998, J. Real Estate Finance and Economics 17); gstsls
spatial_error_moments  y = X b + u, u = lambda W u + e (Kelejian and Prucha 1999, International Economic Review 40); GMerrorsar
spatial_maximum_likelihood  the lag or the error model by ML (Ord 1975; Anselin 1988); lagsarlm, errorsarlm

In a panel W is applied period by period, with one parameter for all periods. Effects are taken out as in spatial_systems.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import in_given_order, independent_columns, least_squares
from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.result import Result
from analysis.estimators.spatial.likelihood import fit_likelihood
from analysis.estimators.spatial.moments import error_moments, error_moments_variance
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights

LAG = "w_"
Robust = Literal["none", "HC0", "HC1"]


@dataclass(frozen=True, eq=False, kw_only=True)
class SpatialResult(Result):
    """A single spatial equation. The lag of outcome y is the term w_y; a parameter of the error has the term `lambda` only under ML.

    Attributes
    ----------
    error_parameter, error_parameter_se : lambda where the model has a spatial error, else NaN
    variance : residual variance
    log_likelihood : of ML, else NaN
    residuals : by row
    islands : rows without a neighbour in their period
    instruments, instruments_left_out : of the two-stage estimators
    """

    error_parameter: float
    error_parameter_se: float
    variance: float
    log_likelihood: float
    residuals: pd.Series
    islands: int
    instruments: tuple[str, ...]
    instruments_left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Data:
    sample: SpatialSample
    effects: Effects
    y: np.ndarray  # (n,) before effects are taken out, as is x
    x: np.ndarray  # (n, k)
    terms: tuple[str, ...]
    constant: bool


@dataclass(frozen=True)
class _Fit:
    coefficients: np.ndarray
    covariance: np.ndarray
    residuals: np.ndarray
    variance: float


def spatial_two_stage(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    second_order: bool = True,
    robust: Robust = "none",
    effects: Sequence[str] = (),
) -> SpatialResult:
    """Spatial 2SLS of y on Wy and X.

    Parameters
    ----------
    frame, unit, time, weights, effects : as in spatial_systems.spatial_three_stage
    second_order : W2X among the instruments beside WX; with weights whose rows do not sum to one the lags of the constant are among them too
    robust : "none" (s2 = e'e/(n-k)), "HC0" or "HC1" (times n/(n-k))

    Raises
    ------
    ValueError : as in spatial_systems.spatial_three_stage.
    """
    began = perf_counter()
    data = _data(frame, outcome, regressors, weights, unit, time, effects)
    if robust not in ("none", "HC0", "HC1"):
        raise ValueError(f"robust = {robust!r}: it is 'none', 'HC0' or 'HC1'.")
    z, kept, gone = _instruments(data, regressors, second_order, lag_constant=weights.normalise != "row")
    out = data.effects.out
    fit = _two_stage(out(data.y), out(np.column_stack([data.sample.lag(data.y), data.x])), out(z), data.effects.rank, robust)
    kind = "homoskedastic (s2 = e'e/(n-k)" if robust == "none" else f"robust to heteroskedasticity ({robust}"
    return _result(data, weights, fit, (LAG + outcome, *data.terms), "spatial two-stage least squares", outcome, f"{kind}, normal)", began,
                   unit, time, instruments=kept, instruments_left_out=gone)  # fmt: skip


def spatial_generalised_two_stage(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    error_weights: SpatialWeights | None = None,
    *,
    unit: str = "city_code",
    time: str | None = None,
    robust: Robust = "none",
    effects: Sequence[str] = (),
) -> SpatialResult:
    """GS2SLS: spatial 2SLS, lambda by moments of its residuals, and 2SLS again on data transformed by I - lambda W.

    `error_weights` are those of the error where they differ from the lag's; other parameters as in spatial_two_stage.
    """
    began = perf_counter()
    data = _data(frame, outcome, regressors, weights, unit, time, effects)
    m = data.sample.w if error_weights is None else spatial_sample(frame, [outcome, *regressors], error_weights, unit, time).w
    if m.shape != data.sample.w.shape:
        raise ValueError("the error's weights leave out rows that the lag's keep: treat islands alike in both.")
    z, kept, gone = _instruments(data, regressors, True, lag_constant=False)
    out = data.effects.out
    right = np.column_stack([data.sample.lag(data.y), data.x])
    first = _two_stage(out(data.y), out(right), out(z), data.effects.rank, "none")
    moments = error_moments(first.residuals, m)
    fit = _two_stage(out(data.y - moments.rho * (m @ data.y)), out(right - moments.rho * (m @ right)), out(z), data.effects.rank, robust)
    kind = "homoskedastic (s2 = e'e/(n-k)" if robust == "none" else f"robust to heteroskedasticity ({robust}"
    return _result(data, weights, fit, (LAG + outcome, *data.terms), "generalised spatial two-stage least squares", outcome, f"{kind}, normal)",
                   began, unit, time, error_parameter=moments.rho, instruments=kept, instruments_left_out=gone)  # fmt: skip


def spatial_error_moments(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    effects: Sequence[str] = (),
) -> SpatialResult:
    """The spatial error model: lambda by moments of OLS residuals, then least squares on data transformed by I - lambda W.

    The variance is that of the transformed OLS residuals over n, as R's GMerrorsar takes it. Parameters as in spatial_two_stage.
    """
    began = perf_counter()
    data = _data(frame, outcome, regressors, weights, unit, time, effects)
    out, w = data.effects.out, data.sample.w
    _, u, _ = least_squares(out(data.y), out(data.x))
    lam = error_moments(u, w).rho
    b, e, inverse = least_squares(out(data.y - lam * (w @ data.y)), out(data.x - lam * (w @ data.x)))
    moved = u - lam * (w @ u)
    variance = float(moved @ moved) / len(u)
    fit = _Fit(b, variance * inverse, e, variance)
    return _result(data, weights, fit, data.terms, "spatial error model by generalised moments", outcome, "homoskedastic (s2 = e'e/n, normal)", began,
                   unit, time, error_parameter=lam, error_parameter_se=error_moments_variance(u, w, lam, variance) ** 0.5)  # fmt: skip


def spatial_maximum_likelihood(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: SpatialWeights,
    model: Literal["lag", "error"] = "lag",
    *,
    unit: str = "city_code",
    time: str | None = None,
    effects: Sequence[str] = (),
) -> SpatialResult:
    """The spatial lag or the spatial error model by maximum likelihood; s2 = e'e/n, covariance from the information matrix.

    The term of the spatial parameter is w_<outcome> in the lag model and `lambda` in the error model. With effects taken out this is the
    direct approach of Elhorst (2003), whose s2 is too small by (T-1)/T where T periods are few. Parameters as in spatial_two_stage.
    """
    began = perf_counter()
    if model not in ("lag", "error"):
        raise ValueError(f"model = {model!r}: it is 'lag' or 'error'.")
    data = _data(frame, outcome, regressors, weights, unit, time, effects)
    out, w = data.effects.out, data.sample.w
    wy, wx = w @ data.y, w @ data.x
    fit = fit_likelihood(out(data.y), out(wy), out(data.x), out(wx), w, data.sample.periods(), model)
    spatial = LAG + outcome if model == "lag" else "lambda"
    return _result(
        data, weights, _Fit(fit.coefficients, fit.covariance, fit.residuals, fit.variance), (spatial, *data.terms),
        f"spatial {model} model by maximum likelihood", outcome, "from the information matrix (s2 = e'e/n, normal)", began, unit, time,
        error_parameter=float(fit.coefficients[0]) if model == "error" else float("nan"),
        error_parameter_se=float(fit.covariance[0, 0] ** 0.5) if model == "error" else float("nan"),
        log_likelihood=fit.log_likelihood,
    )  # fmt: skip


def _data(frame: pd.DataFrame, outcome: str, regressors: Sequence[str], weights: SpatialWeights, unit: str, time: str | None, effects: Sequence[str]) -> _Data:
    given = list(regressors)
    if isinstance(regressors, str) or len(set(given)) < len(given) or outcome in given or {CONSTANT, LAG + outcome, "lambda"} & set(given):
        raise ValueError(
            f"regressors are a list of different columns, without the outcome {outcome!r}, its lag, a constant or 'lambda'; given: {regressors!r}."
        )
    sample = spatial_sample(frame, [outcome, *given], weights, unit, time)
    taken = sample.effects(effects, unit, time)
    x, terms = sample.values[given].to_numpy(), tuple(given)
    if not effects:
        x, terms = np.column_stack([np.ones(len(x)), x]), (CONSTANT, *terms)
    free = independent_columns(taken.out(x))
    if not free.all():
        dependent = ", ".join(term for term, keep in zip(terms, free, strict=True) if not keep)
        raise ValueError(f"{dependent} is a combination of the other regressors or effects. Leave one of them out.")
    if len(x) <= x.shape[1] + taken.rank + 1:
        raise ValueError(f"{rows(len(x))} cannot carry {x.shape[1] + 1} coefficients and {taken.rank} effects.")
    return _Data(sample, taken, sample.values[outcome].to_numpy(), x, terms, not effects)


def _instruments(data: _Data, regressors: Sequence[str], second_order: bool, lag_constant: bool) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """X and its lags with names, without combinations of earlier columns."""
    x, names = data.x, list(data.terms)
    lagged = x if lag_constant or not data.constant else x[:, 1:]
    labels = list(data.terms) if lag_constant or not data.constant else list(regressors)
    first = data.sample.lag(lagged)
    z = [x, first, *([data.sample.lag(first)] if second_order else [])]
    names += [f"w_{label}" for label in labels] + ([f"w2_{label}" for label in labels] if second_order else [])
    matrix = np.hstack(z)
    free = independent_columns(data.effects.out(matrix))
    kept = tuple(name for name, keep in zip(names, free, strict=True) if keep)
    if len(kept) < x.shape[1] + 1:
        raise ValueError("the lag of the outcome has no instrument: the lags of the regressors are combinations of the regressors.")
    return matrix[:, free], kept, tuple(name for name in names if name not in kept)


def _two_stage(y: np.ndarray, x: np.ndarray, z: np.ndarray, extra: int, robust: Robust) -> _Fit:
    q = np.linalg.qr(z)[0]
    hat = q @ (q.T @ x)
    b, _, inverse = least_squares(y, hat)
    e = y - x @ b
    df = len(y) - x.shape[1] - extra
    variance = float(e @ e) / df
    if robust == "none":
        return _Fit(b, variance * inverse, e, variance)
    scores = hat * e[:, None]
    meat = scores.T @ scores * (len(y) / df if robust == "HC1" else 1.0)
    return _Fit(b, inverse @ meat @ inverse, e, variance)


def _result(
    data: _Data, weights: SpatialWeights, fit: _Fit, terms: tuple[str, ...], method: str, outcome: str, convention: str, began: float, unit: str,
    time: str | None, *, error_parameter: float = float("nan"), error_parameter_se: float = float("nan"), log_likelihood: float = float("nan"),
    instruments: tuple[str, ...] = (), instruments_left_out: tuple[str, ...] = (),
) -> SpatialResult:  # fmt: skip
    index = list(terms)
    residuals = pd.Series(in_given_order(fit.residuals, data.sample.order), index=data.sample.labels, name="residual")
    return SpatialResult(
        method=f"{method} ({weights_phrase(weights, data.sample)})",
        outcome=outcome,
        coefficients=pd.Series(fit.coefficients, index=index, name="coefficient"),
        covariance=pd.DataFrame(fit.covariance, index=index, columns=index),
        convention=convention,
        df_t=None,
        n=len(data.y),
        groups=data.sample.groups(unit, time),
        dropped=data.sample.dropped,
        sample=data.sample.labels,
        seconds=perf_counter() - began,
        error_parameter=error_parameter,
        error_parameter_se=error_parameter_se,
        variance=fit.variance,
        log_likelihood=log_likelihood,
        residuals=residuals,
        islands=data.sample.islands,
        instruments=instruments,
        instruments_left_out=instruments_left_out,
    )
