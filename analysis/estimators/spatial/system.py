"""Spatial simultaneous equations, on a cross-section or a panel.

Equation i explains y_i by the other outcomes, by the spatial lags W y_1 .. W y_G of all outcomes, and by its exogenous regressors X_i.
Two estimators:

spatial_three_stage  3SLS with y and Wy endogenous and the instruments X, WX, W2X (X: exogenous regressors of all equations). This is what
    Stata's user-written command gs3sls runs. It allows no spatial error.
generalised_spatial_three_stage  Kelejian and Prucha (2004, Journal of Econometrics 118, 27-50): u_i = rho_i W u_i + e_i. 2SLS by equation;
    rho_i by generalised moments; 2SLS on data transformed by I - rho_i W; 3SLS on them with S = E'E/n.

In a panel W is applied year by year. Effects are taken out of outcomes, regressors, lags and instruments after the lags are formed, and in
the second estimator again after the transformation, which is the same as having their dummies among regressors and instruments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import independent_columns
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.options import ResidualCovariance, SystemFormula, SystemInference, SystemMethod
from analysis.estimators.spatial.moments import ErrorMoments, error_moments
from analysis.estimators.spatial.sample import SpatialSample, spatial_sample, weights_phrase
from analysis.estimators.spatial.weights import SpatialWeights
from analysis.estimators.system.algebra import Estimate, Options, build_blocks, estimate
from analysis.estimators.system.model import CONSTANT, WITH_INSTRUMENTS, Equation, SystemResult, SystemSample, assemble, check_identified, convention_of

LAG = "w_"


@dataclass(frozen=True)
class SpatialEquation:
    """One equation; by default all other outcomes and the lags of all outcomes are in it."""

    outcome: str
    regressors: Sequence[str]
    endogenous: Sequence[str] | None = None
    lagged: Sequence[str] | None = None
    constant: bool = True


@dataclass(frozen=True, eq=False, kw_only=True)
class SpatialSystemResult(SystemResult):
    """A spatial system; the lag of outcome y is the term w_y.

    Attributes
    ----------
    islands : rows without a neighbour in their period
    spatial_error : rho by equation; empty where the model has none
    error_variance : s2 of the moments, by equation; empty likewise
    steps : earlier steps' coefficients in columns ("2SLS", "GS2SLS"); empty likewise
    """

    islands: int
    spatial_error: pd.Series
    error_variance: pd.Series
    steps: pd.DataFrame


@dataclass(frozen=True)
class _Model:
    """Raw columns of the system, before effects are taken out."""

    parts: Mapping[str, SpatialEquation]
    sample: SpatialSample
    effects: Effects
    terms: dict[str, tuple[str, ...]]
    y: list[np.ndarray]
    x: list[np.ndarray]
    z: np.ndarray
    instruments: tuple[str, ...]
    left_out: tuple[str, ...]


def spatial_three_stage(
    frame: pd.DataFrame,
    equations: Mapping[str, SpatialEquation | tuple[str, Sequence[str]]],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    orders: int = 2,
    auxiliary: Sequence[str] = (),
    effects: Sequence[str] = (),
    method: SystemMethod = "3SLS",
    residual_covariance: ResidualCovariance = "none",
    formula: SystemFormula = "GLS",
    iterations: int = 1,
    tolerance: float = 1e-5,
    inference: SystemInference = "normal",
) -> SpatialSystemResult:
    """3SLS with spatial lags of all outcomes, as Stata's gs3sls.

    Parameters
    ----------
    frame : one row a unit (and period); nothing in it is modified
    equations : name -> SpatialEquation, or (outcome, exogenous regressors)
    weights : of spatial_weights(); applied period by period
    unit, time : key columns; no time for a cross-section
    orders : powers of W in the instruments (2: WX and W2X)
    auxiliary : exogenous columns of every equation that are not lagged (dummies), gs3sls's aux()
    effects : the unit or the time column, or both, to be taken out
    method, residual_covariance, formula, iterations, tolerance, inference : as in system.equation_system; the defaults are reg3's, and
        "geomean" its option dfk

    Raises
    ------
    ValueError : unknown columns or units, duplicate keys, collinear regressors, too few instruments; the message names them.
    """
    began = perf_counter()
    model = _model(frame, equations, weights, unit, time, orders, auxiliary, effects)
    y, x, z = model.effects.out, None, model.effects.out(model.z)
    outcomes, x = [y(column) for column in model.y], [y(block) for block in model.x]
    projected = [z] * len(x) if method in WITH_INSTRUMENTS else None
    _check(model, x, projected)
    options = Options(method, residual_covariance, formula, iterations, tolerance, False, False, False, _counted(model))
    blocks = build_blocks(outcomes, x, projected)
    fit = estimate(blocks, options)
    result = _result(model, fit, blocks, options, inference, began, weights, effects, unit, time)
    return replace(result, method=f"{result.method} with spatial lags of the outcomes ({_settings(model, weights, effects, orders)})")


def generalised_spatial_three_stage(
    frame: pd.DataFrame,
    equations: Mapping[str, SpatialEquation | tuple[str, Sequence[str]]],
    weights: SpatialWeights,
    *,
    unit: str = "city_code",
    time: str | None = None,
    orders: int = 2,
    auxiliary: Sequence[str] = (),
    effects: Sequence[str] = (),
    residual_covariance: ResidualCovariance = "none",
    inference: SystemInference = "normal",
) -> SpatialSystemResult:
    """GS3SLS of Kelejian and Prucha (2004); parameters and errors as in spatial_three_stage.

    The rho_i are nuisance parameters: they have no standard error, and those of the coefficients do not depend on their being estimated
    (Kelejian and Prucha 2004, theorem 3). A panel is stacked by period, with one rho_i for all.
    """
    began = perf_counter()
    model = _model(frame, equations, weights, unit, time, orders, auxiliary, effects)
    out, w = model.effects.out, model.sample.w
    z = out(model.z)
    first, _ = _two_stage([out(y) for y in model.y], [out(x) for x in model.x], z, model)
    moments = [error_moments(out(y - x @ b), w) for y, x, b in zip(model.y, model.x, first, strict=True)]
    y = [out(column - m.rho * (w @ column)) for column, m in zip(model.y, moments, strict=True)]
    x = [out(block - m.rho * (w @ block)) for block, m in zip(model.x, moments, strict=True)]
    second, blocks = _two_stage(y, x, z, model)
    options = Options("3SLS", residual_covariance, "GLS", 1, 0.0, False, False, False, _counted(model))
    fit = estimate(blocks, options)
    result = _result(model, fit, blocks, options, inference, began, weights, effects, unit, time)
    return replace(
        _with_steps(result, moments, first, second),
        method=f"generalised spatial three-stage least squares ({_settings(model, weights, effects, orders)})",
    )


def _model(
    frame: pd.DataFrame,
    equations: Mapping[str, SpatialEquation | tuple[str, Sequence[str]]],
    weights: SpatialWeights,
    unit: str,
    time: str | None,
    orders: int,
    auxiliary: Sequence[str],
    effects: Sequence[str],
) -> _Model:
    parts = {name: part if isinstance(part, SpatialEquation) else SpatialEquation(part[0], part[1]) for name, part in equations.items()}
    exogenous = _check_parts(parts, auxiliary, orders)
    outcomes = list(dict.fromkeys(part.outcome for part in parts.values()))
    sample = spatial_sample(frame, [*outcomes, *exogenous, *auxiliary], weights, unit, time)
    taken = sample.effects(effects, unit, time)
    data = sample.values
    lags = dict(zip((LAG + name for name in outcomes), sample.lag(data[outcomes].to_numpy()).T, strict=True))
    constant = np.ones(len(data))
    terms: dict[str, tuple[str, ...]] = {}
    x = []
    for name, part in parts.items():
        others = [other for other in outcomes if other != part.outcome] if part.endogenous is None else list(part.endogenous)
        lagged = [LAG + other for other in ([part.outcome, *(other for other in outcomes if other != part.outcome)] if part.lagged is None else part.lagged)]
        front = [CONSTANT] if part.constant and not effects else []
        columns = [*front, *lagged, *others, *part.regressors, *auxiliary]
        terms[name] = tuple(f"{name}_{column}" for column in columns)
        x.append(np.column_stack([constant if c == CONSTANT else lags[c] if c in lagged else data[c].to_numpy() for c in columns]))
    z, names = _instruments(sample, exogenous, auxiliary, orders)
    free = independent_columns(taken.out(z))
    kept = tuple(name for name, keep in zip(names, free, strict=True) if keep)
    gone = tuple(name for name, keep in zip(names, free, strict=True) if not keep and not (effects and name == CONSTANT))
    return _Model(parts, sample, taken, terms, [data[part.outcome].to_numpy() for part in parts.values()], x, z[:, free], kept, gone)


def _check_parts(parts: Mapping[str, SpatialEquation], auxiliary: Sequence[str], orders: int) -> list[str]:
    """The exogenous regressors of all equations, after the equations have been checked against each other."""
    outcomes = [part.outcome for part in parts.values()]
    if not parts or len(set(outcomes)) < len(outcomes) or orders < 1:
        raise ValueError(f"a spatial system has equations with different outcomes ({outcomes}) and at least one power of W ({orders}).")
    exogenous = list(dict.fromkeys(column for part in parts.values() for column in part.regressors))
    for name, part in parts.items():
        if isinstance(part.regressors, str) or len(set(part.regressors)) < len(part.regressors):
            raise ValueError(f"equation {name}: regressors are a list of different columns.")
        unknown = [other for other in (*(part.endogenous or ()), *(part.lagged or ())) if other not in outcomes]
        if unknown or part.outcome in (part.endogenous or ()):
            raise ValueError(
                f"equation {name}: endogenous and lagged name other outcomes of the system ({', '.join(outcomes)}); given {unknown or part.outcome}."
            )
    given = [*outcomes, *exogenous]
    both = (set(outcomes) & set(exogenous)) | (set(auxiliary) & set(given)) | ({LAG + name for name in outcomes} & {*given, *auxiliary})
    if both:
        raise ValueError(f"{', '.join(sorted(both))} is named twice (an outcome, its lag, an exogenous regressor, an auxiliary column): choose one.")
    return exogenous


def _instruments(sample: SpatialSample, exogenous: list[str], auxiliary: Sequence[str], orders: int) -> tuple[np.ndarray, list[str]]:
    """Constant, X, auxiliary columns, WX, W2X, ... with names."""
    powers = [sample.values[exogenous].to_numpy()]
    names = [CONSTANT, *exogenous, *auxiliary]
    for order in range(1, orders + 1):
        powers.append(sample.lag(powers[-1]))
        names += [f"w{order if order > 1 else ''}_{column}" for column in exogenous]
    one = np.ones((len(sample.values), 1))
    return np.hstack([one, powers[0], sample.values[list(auxiliary)].to_numpy(), *powers[1:]]), names


def _check(model: _Model, x: list[np.ndarray], z: list[np.ndarray] | None) -> None:
    as_equations = {name: Equation(part.outcome, part.regressors) for name, part in model.parts.items()}
    check_identified(x, z, as_equations, len(model.sample.values) - model.effects.rank, model.terms)


def _counted(model: _Model) -> np.ndarray:
    return np.array([block.shape[1] + model.effects.rank for block in model.x])


def _two_stage(y: list[np.ndarray], x: list[np.ndarray], z: np.ndarray, model: _Model) -> tuple[list[np.ndarray], Any]:
    """2SLS coefficients by equation, and the blocks they came from."""
    _check(model, x, [z] * len(x))
    blocks = build_blocks(y, x, [z] * len(x))
    options = Options("2SLS", "none", "GLS", 1, 0.0, False, False, False, _counted(model))
    return blocks.split(estimate(blocks, options).coefficients), blocks


def _settings(model: _Model, weights: SpatialWeights, effects: Sequence[str], orders: int) -> str:
    taken = f"; {' and '.join(effects)} effects taken out" if effects else ""
    lags = ", ".join("WX" if order == 1 else f"W{order}X" for order in range(1, orders + 1))
    return f"{len(model.instruments)} instruments from X, {lags}; {weights_phrase(weights, model.sample)}{taken}"


def _result(
    model: _Model, fit: Estimate, blocks: Any, options: Options, inference: SystemInference, began: float, weights: SpatialWeights,
    effects: Sequence[str], unit: str, time: str | None,
) -> SpatialSystemResult:  # fmt: skip
    sample = SystemSample(model.sample.values, model.sample.dropped, model.sample.labels, model.sample.order)
    used = model.instruments if options.method in WITH_INSTRUMENTS else ()
    described = {
        "kept": dict.fromkeys(model.terms, used),
        "left_out": model.left_out if used else (),
        "began": began,
        "formula": options.formula if options.method == "3SLS" else None,
    }
    outcomes = {name: part.outcome for name, part in model.parts.items()}
    base = assemble(
        fit, blocks, options, model.terms, outcomes, sample, inference, described,
        convention=convention_of(options, inference), extra_counted=model.effects.rank,
    )  # fmt: skip
    nothing = pd.Series(dtype=float)
    values = {field.name: getattr(base, field.name) for field in fields(base)} | {"groups": {**model.sample.groups(unit, time), "equations": len(model.parts)}}
    return SpatialSystemResult(**values, islands=model.sample.islands, spatial_error=nothing, error_variance=nothing, steps=pd.DataFrame())


def _with_steps(result: SpatialSystemResult, moments: list[ErrorMoments], first: list[np.ndarray], second: list[np.ndarray]) -> SpatialSystemResult:
    names = list(result.equations)
    return replace(
        result,
        spatial_error=pd.Series([m.rho for m in moments], index=names, name="rho"),
        error_variance=pd.Series([m.variance for m in moments], index=names, name="s2"),
        steps=pd.DataFrame({"2SLS": np.concatenate(first), "GS2SLS": np.concatenate(second)}, index=result.coefficients.index),
    )
