"""Pooled Tobit: an outcome that is seen only between limits (Tobin 1958)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import CovarianceOption, LimitedSmall, Where, columns_of
from analysis.estimators.core.result import Caution
from analysis.estimators.limited.likelihoods import Maximum, maximise, tobit_terms
from analysis.estimators.limited.results import (
    LimitedResult,
    common_fields,
    derived_parameters,
    terms_of,
)
from analysis.estimators.limited.sample import complete_rows, design, request_of, slopes_of


@dataclass(frozen=True, eq=False, kw_only=True)
class TobitResult(LimitedResult):
    """A Tobit estimate; the last coefficient is ln_sigma.

    Attributes
    ----------
    sigma, sigma_error : standard deviation of the latent error, and its standard error
    left, right : limits, infinite where there is none
    censored_left, censored_right : rows at a limit
    log_likelihood : at the maximum
    gradient : largest derivative of the mean log-likelihood left there
    """

    sigma: float
    sigma_error: float
    left: float
    right: float
    censored_left: int
    censored_right: int
    log_likelihood: float
    gradient: float

    def _ancillary(self) -> pd.DataFrame:
        return derived_parameters({"sigma": self.sigma}, [self.sigma_error])

    def _fit(self) -> dict[str, Any]:
        censored = {"censored_left": self.censored_left, "censored_right": self.censored_right}
        return {"log_likelihood": self.log_likelihood, "sigma": self.sigma} | censored


def tobit(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    covariance: CovarianceOption = "iid",
    small: LimitedSmall = "stata",
    keys: Sequence[str] = (),
    where: Where | None = None,
    left: float | None = 0.0,
    right: float | None = None,
    constant: bool = True,
) -> TobitResult:
    """Pooled Tobit: y = x'b + e, e normal with one variance, seen between the limits (Tobin 1958).

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is
        modified
    outcome, regressors : numeric columns; an outcome at or beyond a limit counts as censored there
    covariance : "iid" (observed information), "robust" or {"cluster": [column]} (sandwich)
    small : factor of sandwiches: "stata", N/(N-1) or G/(G-1), or "none"
    keys : columns that identify a row, repeated ones are refused
    where : rows to estimate on, a column or a mask
    left, right : limits in the outcome's unit, None for none

    Raises
    ------
    ValueError : a column that is missing or not numeric, repeated keys, limits that leave nothing
        uncensored, regressors that are combinations of each other, or a likelihood without maximum;
        the message names them.
    """
    started = time.perf_counter()
    given = columns_of("regressors", regressors, outcome=outcome)
    request = request_of(covariance, small, keys, where)
    low, high = _limits(left, right)
    rows = complete_rows(frame, [outcome, *given], request)
    y, x = rows.values[outcome].to_numpy(), design(rows.values, given, constant, "regressors")
    best = _tobit_maximum(y, x, low, high)
    spread = rows.covariance(best)
    sigma = float(np.exp(best.theta[-1]))
    censored = int((y <= low).sum()), int((y >= high).sum())
    names = [*terms_of(given, constant), "ln_sigma"]
    return TobitResult(
        **common_fields(rows, outcome, names, best.theta, spread, given),
        method=f"Tobit with {_limits_said(low, high)} (maximum likelihood)",
        convention=rows.convention("observed information"),
        warnings=rows.warnings() + _uncensored(censored, low, high),
        seconds=time.perf_counter() - started,
        sigma=sigma,
        sigma_error=sigma * float(np.sqrt(spread[-1, -1])),
        left=low,
        right=high,
        censored_left=censored[0],
        censored_right=censored[1],
        log_likelihood=best.log_likelihood,
        gradient=best.gradient,
    )


def _limits(left: float | None, right: float | None) -> tuple[float, float]:
    low, high = -np.inf if left is None else float(left), np.inf if right is None else float(right)
    if not low < high:
        given = f"left = {left} and right = {right}"
        raise ValueError(f"{given}: the left limit lies below the right one, and None is no limit.")
    return low, high


def _limits_said(low: float, high: float) -> str:
    limits = {"left": low, "right": high}
    said = [f"{side} limit {at:g}" for side, at in limits.items() if np.isfinite(at)]
    return " and ".join(said) or "no limit"


def _uncensored(censored: tuple[int, int], low: float, high: float) -> tuple[Caution, ...]:
    if any(censored) or not (np.isfinite(low) or np.isfinite(high)):
        return ()
    text = f"No outcome lies at a limit ({_limits_said(low, high)}): this is least squares."
    return (Caution("no_censoring", text, "Check the limits and the outcome's unit."),)


def _tobit_maximum(y: np.ndarray, x: np.ndarray, low: float, high: float) -> Maximum:
    inside = int(((y > low) & (y < high)).sum())
    if inside <= x.shape[1]:
        few = f"{inside} rows lie between the limits, too few for {x.shape[1]} coefficients"
        raise ValueError(f"{few}. Check left and right.")
    seen = np.clip(y, low, high)
    slope = slopes_of(x, seen)
    spread = float(np.std(seen - x @ slope))
    if spread <= 1e-10 * float(np.abs(seen).max()):
        exact = "the regressors explain the outcome without error: sigma is zero"
        raise ValueError(f"{exact}. Leave out the one that repeats the outcome.")
    hint = "a regressor may be zero wherever the outcome lies between the limits. Leave it out."
    # In units of its spread every outcome is the same problem, in CNY or in 100 million CNY.
    designs, start = [x, np.ones((len(y), 1))], np.append(slope / spread, 0.0)
    best = maximise(tobit_terms(y, low, high, spread), designs, start, hint)
    return best.in_unit(spread, slice(0, x.shape[1]), x.shape[1], inside)
