"""Spatial simultaneous equations, on a cross-section or a panel.

Equation i explains y_i by the other outcomes, by the spatial lags W y_1 .. W y_G of all outcomes,
and by its exogenous regressors X_i. Two estimators:

spatial_three_stage  3SLS with y and Wy endogenous and the instruments X, WX, W2X (X: exogenous
    regressors of all equations). This is what Stata's user-written command gs3sls runs. It allows
    no spatial error.
generalised_spatial_three_stage  Kelejian and Prucha (2004, Journal of Econometrics 118, 27-50):
    u_i = rho_i W u_i + e_i. 2SLS by equation; rho_i by generalised moments; 2SLS on data
    transformed by I - rho_i W; 3SLS on them with S = E'E/n.

In a panel W is applied year by year. Effects are taken out of outcomes, regressors, lags and
instruments after the lags are formed, and in the second estimator again after the transformation,
which is the same as having their dummies among regressors and instruments.

Instruments made of WX and W2X are weak as soon as X varies smoothly over the map: each equation
has the first-stage F of its endogenous regressors and Sargan's test among its tests, and a warning
where an F is below ten or Sargan's test rejects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import (
    ResidualCovariance,
    SystemFormula,
    SystemInference,
    SystemMethod,
    Where,
)
from analysis.estimators.core.result import Caution
from analysis.estimators.spatial.equations import Model, Request, SpatialEquation, model_of
from analysis.estimators.spatial.moments import ErrorMoments, error_moments
from analysis.estimators.spatial.weights import SpatialWeights
from analysis.estimators.system.algebra import (
    WITH_INSTRUMENTS,
    Blocks,
    Options,
    build_blocks,
    estimate,
)
from analysis.estimators.system.model import check_methods
from analysis.estimators.system.parts import SystemSample
from analysis.estimators.system.result import Described, SystemResult, result_fields


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

    def _fit(self) -> dict[str, Any]:
        rho = {f"rho_{name}": float(value) for name, value in self.spatial_error.items()}
        return super()._fit() | rho | {"islands": self.islands}


def spatial_three_stage(
    frame: pd.DataFrame,
    equations: Mapping[str, SpatialEquation | tuple[str, Sequence[str]] | Mapping[str, Any]],
    weights: SpatialWeights,
    *,
    effects: Sequence[str] = (),
    unit: str = "city_code",
    time: str | None = None,
    where: Where | None = None,
    orders: int = 2,
    auxiliary: Sequence[str] = (),
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
    equations : name -> SpatialEquation, a mapping of its fields, or (outcome, exogenous regressors)
    weights : of spatial_weights(); applied period by period
    effects : the unit or the time column, or both, to be taken out
    unit, time : key columns; no time for a cross-section
    where : rows to estimate on, a column or a mask; lags are formed before, from all complete rows
    orders : powers of W in the instruments (2: WX and W2X)
    auxiliary : exogenous columns of every equation that are not lagged (dummies), gs3sls's aux()
    method, residual_covariance, formula, iterations, tolerance, inference : as in
        system.equation_system; the defaults are reg3's, and "geomean" its option dfk

    Raises
    ------
    ValueError : unknown columns or units, duplicate keys, collinear regressors, too few
        instruments; the message names them.
    """
    began = perf_counter()
    check_methods(method, residual_covariance, formula, inference)
    asked = Request(weights, effects, unit, time, where, auxiliary, orders)
    model = model_of(frame, equations, asked)
    y, x = [model.out(column) for column in model.y], [model.out(block) for block in model.x]
    z = [model.effects.out(model.z)] * len(x) if method in WITH_INSTRUMENTS else None
    model.check(x, z)
    plain = _plain_options(model, method, residual_covariance)
    options = replace(plain, formula=formula, iterations=iterations, tolerance=tolerance)
    values = _fields(model, build_blocks(y, x, z), options, inference, began)
    said = f"{values['method']} with spatial lags of the outcomes ({model.settings()})"
    return SpatialSystemResult(**values | {"method": said})


def generalised_spatial_three_stage(
    frame: pd.DataFrame,
    equations: Mapping[str, SpatialEquation | tuple[str, Sequence[str]] | Mapping[str, Any]],
    weights: SpatialWeights,
    *,
    effects: Sequence[str] = (),
    unit: str = "city_code",
    time: str | None = None,
    where: Where | None = None,
    orders: int = 2,
    auxiliary: Sequence[str] = (),
    residual_covariance: ResidualCovariance = "none",
    inference: SystemInference = "normal",
) -> SpatialSystemResult:
    """GS3SLS of Kelejian and Prucha (2004); parameters and errors as in spatial_three_stage.

    The rho_i are nuisance parameters: they have no standard error, and those of the coefficients do
    not depend on their being estimated (Kelejian and Prucha 2004, theorem 3). A panel is stacked by
    period, with one rho_i for all; they rest on the residuals of the rows asked for and the weights
    among these.
    """
    began = perf_counter()
    check_methods("3SLS", residual_covariance, "GLS", inference)
    asked = Request(weights, effects, unit, time, where, auxiliary, orders)
    model = model_of(frame, equations, asked)
    plain = [model.out(y) for y in model.y], [model.out(x) for x in model.x]
    first, _ = _two_stage(*plain, model)
    residuals = [y - x @ b for y, x, b in zip(*plain, first, strict=True)]
    moments = [error_moments(u, model.sample.w) for u in residuals]
    y, x = _transformed(model, model.y, moments), _transformed(model, model.x, moments)
    second, blocks = _two_stage(y, x, model)
    options = _plain_options(model, "3SLS", residual_covariance)
    values = _fields(model, blocks, options, inference, began)
    said = f"generalised spatial three-stage least squares ({model.settings()})"
    own = _of_errors(model, moments, first, second, list(values["coefficients"].index))
    warned = values["warnings"] + _beyond_one(model, moments)
    return SpatialSystemResult(**values | own | {"method": said, "warnings": warned})


def _transformed(
    model: Model,
    columns: Sequence[np.ndarray],
    moments: Sequence[ErrorMoments],
) -> list[np.ndarray]:
    """(I - rho_i W) of each equation's columns."""
    both = zip(columns, moments, strict=True)
    return [model.out(column - m.rho * model.lag(column)) for column, m in both]


def _plain_options(
    model: Model,
    method: SystemMethod,
    residual_covariance: ResidualCovariance,
) -> Options:
    return Options(
        method=method,
        residual_covariance=residual_covariance,
        formula="GLS",
        iterations=1,
        tolerance=0.0,
        pooled_variance=False,
        weighted_first=False,
        centre=False,
        counted=model.counted,
    )


def _two_stage(
    y: list[np.ndarray],
    x: list[np.ndarray],
    model: Model,
) -> tuple[list[np.ndarray], Blocks]:
    """2SLS coefficients by equation, and the blocks they came from."""
    z = [model.effects.out(model.z)] * len(x)
    model.check(x, z)
    blocks = build_blocks(y, x, z)
    fit = estimate(blocks, _plain_options(model, "2SLS", "none"))
    return blocks.split(fit.coefficients), blocks


def _fields(
    model: Model,
    blocks: Blocks,
    options: Options,
    inference: SystemInference,
    began: float,
) -> dict[str, Any]:
    """The fields of the result; those of the spatial error are empty."""
    sample, asked = model.sample, model.request
    rows = SystemSample(sample.values, sample.dropped, sample.labels, sample.order)
    used = options.method in WITH_INSTRUMENTS
    described = Described(
        terms=model.terms,
        outcomes={name: part.outcome for name, part in model.parts.items()},
        inference=inference,
        kept=dict.fromkeys(model.terms, model.instruments if used else ()),
        left_out=model.left_out if used else (),
        groups=sample.groups(asked.unit, asked.time),
        began=began,
        taken=model.effects.rank,
    )
    values = result_fields(estimate(blocks, options), blocks, options, rows, described)
    nothing = pd.Series(dtype=float)
    own = {"spatial_error": nothing, "error_variance": nothing, "steps": pd.DataFrame()}
    warned = values["warnings"] + sample.warnings()
    return values | own | {"islands": sample.islands, "warnings": warned}


def _of_errors(
    model: Model,
    moments: Sequence[ErrorMoments],
    first: list[np.ndarray],
    second: list[np.ndarray],
    terms: list[str],
) -> dict[str, Any]:
    names = list(model.terms)
    steps = {"2SLS": np.concatenate(first), "GS2SLS": np.concatenate(second)}
    return {
        "spatial_error": pd.Series([m.rho for m in moments], index=names, name="rho"),
        "error_variance": pd.Series([m.variance for m in moments], index=names, name="s2"),
        "steps": pd.DataFrame(steps, index=terms),
    }


def _beyond_one(model: Model, moments: Sequence[ErrorMoments]) -> tuple[Caution, ...]:
    found = {name: m.rho for name, m in zip(model.terms, moments, strict=True)}
    found = {name: rho for name, rho in found.items() if not abs(rho) < 1}
    if not found:
        return ()
    shown = ", ".join(f"{name} ({rho:.3f})" for name, rho in found.items())
    text = f"The spatial error's rho is no smaller than one in {shown}."
    remedy = "The moments have no minimum inside: look at the lags, the effects and the weights."
    return (Caution("boundary", text, remedy),)
