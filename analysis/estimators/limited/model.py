"""Outcomes seen for some rows only or up to a limit: Heckman's selection model and Tobit.

Standard errors of the likelihood estimates come from the observed information; robust and clustered ones from the sandwich with
factor N/(N-1) or G/(G-1), as Stata's, unless small is False (as R's sandwich). Those of the two-step estimate are Heckman's (1979) corrected
ones in the form of Greene (1981), as R's sampleSelection and Stata print, or the sandwich of both steps' equations.
Inference is normal.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.result import Result, Test
from analysis.estimators.limited.likelihoods import Maximum, maximise, tobit_terms
from analysis.estimators.limited.sample import Rows, check_names, complete_rows, design, likelihood_covariance, selection_rows, slopes_of
from analysis.estimators.limited.selection import SelectionProblem, derived_from_likelihood, derived_parameters, full_likelihood, two_steps

MILLS = "inverse_mills_ratio"
SELECTION = "selection: "


@dataclass(frozen=True, eq=False, kw_only=True)
class TobitResult(Result):
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


@dataclass(frozen=True, eq=False, kw_only=True)
class HeckmanResult(Result):
    """A selection model: terms of the selection equation begin with "selection: ", then those of the outcome.

    Two-step: the coefficient of inverse_mills_ratio is rho sigma. ML: the last coefficients are ln_sigma and atanh_rho.

    Attributes
    ----------
    derived : coefficient and standard_error of sigma, rho and lambda = rho sigma; the two-step sigma and rho have no standard error
    selected : rows selected
    log_likelihood : of the model (ML) or of the selection probit (two-step)
    gradient : largest derivative of the mean log-likelihood left at the maximum
    """

    derived: pd.DataFrame
    selected: int
    log_likelihood: float
    gradient: float


def tobit(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    cluster: str | None = None,
    *,
    left: float | None = 0.0,
    right: float | None = None,
    robust: bool = False,
    small: bool = True,
    constant: bool = True,
    keys: Sequence[str] = (),
) -> TobitResult:
    """Pooled Tobit: y = x'b + e, e normal with one variance, seen only between the limits (Tobin 1958).

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is modified
    outcome, regressors : numeric columns; an outcome at or beyond a limit counts as censored there
    cluster : column inside whose groups errors may be correlated
    left, right : limits in the outcome's unit, None for none
    robust : sandwich covariance where there is no cluster
    small : factor N/(N-1) or G/(G-1) on sandwich covariances
    keys : columns that identify a row, repeated ones are refused

    Raises
    ------
    ValueError : a column that is missing or not numeric, repeated keys, limits that leave nothing uncensored, regressors that are
        combinations of each other, or a likelihood without maximum; the message names them.
    """
    started = time.perf_counter()
    check_names({"regressors": regressors}, outcome, cluster, robust)
    low, high = -np.inf if left is None else float(left), np.inf if right is None else float(right)
    if not low < high:
        raise ValueError(f"left = {left} and right = {right}: the left limit lies below the right one, and None means no limit.")
    rows = complete_rows(frame, [outcome, *regressors], cluster, keys)
    y, x = rows.values[outcome].to_numpy(), design(rows.values, regressors, constant, "regressors")
    best = _tobit_maximum(y, x, low, high)
    covariance = likelihood_covariance(best, rows.clusters, robust, small)
    limits = " and ".join(f"{side} limit {limit:g}" for side, limit in (("left", low), ("right", high)) if np.isfinite(limit)) or "no limit"
    sigma = float(np.exp(best.theta[-1]))
    return TobitResult(
        **_common(rows, outcome, [*_terms(regressors, constant), "ln_sigma"], best.theta, covariance, regressors),
        method=f"Tobit with {limits} (maximum likelihood)",
        convention=_convention("observed information", rows, cluster, robust, small),
        seconds=time.perf_counter() - started,
        sigma=sigma,
        sigma_error=sigma * float(np.sqrt(covariance[-1, -1])),
        left=low,
        right=high,
        censored_left=int((y <= low).sum()),
        censored_right=int((y >= high).sum()),
        log_likelihood=best.log_likelihood,
        gradient=best.gradient,
    )


def _tobit_maximum(y: np.ndarray, x: np.ndarray, low: float, high: float) -> Maximum:
    inside = int(((y > low) & (y < high)).sum())
    if inside <= x.shape[1]:
        raise ValueError(f"{inside} rows lie between the limits, too few for {x.shape[1]} coefficients. Check left and right.")
    seen = np.clip(y, low, high)
    slope = slopes_of(x, seen)
    spread = float(np.std(seen - x @ slope))
    if spread <= 1e-10 * float(np.abs(seen).max()):
        raise ValueError("the regressors explain the outcome without error: sigma is zero. Leave out the one that repeats the outcome.")
    hint = "a regressor may be zero wherever the outcome lies between the limits. Leave it out."
    # In units of its spread every outcome is the same problem, in CNY or in 100 million CNY.
    designs, start = [x, np.ones((len(y), 1))], np.append(slope / spread, 0.0)
    best = maximise(tobit_terms(y, low, high, spread), designs, start, hint)
    return best.in_unit(spread, slice(0, x.shape[1]), x.shape[1], inside)


def heckman(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    selection_regressors: Sequence[str],
    selected: str | None = None,
    cluster: str | None = None,
    *,
    estimator: Literal["two_step", "ml"] = "two_step",
    robust: bool = False,
    small: bool = True,
    constant: bool = True,
    keys: Sequence[str] = (),
) -> HeckmanResult:
    """Heckman's selection model: y = x'b + e is seen where z'g + v > 0, (e, v) normal with correlation rho.

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is modified
    outcome, regressors : numeric columns, needed in selected rows only
    selection_regressors : numeric columns, needed in all rows
    selected : column of 0 and 1 (or False and True); None where a missing outcome says that a row is not selected
    cluster, robust, small : as in `tobit`; the two-step covariance is then the sandwich of probit and least squares together
    estimator : "two_step" or "ml"
    constant : whether both equations have one
    keys : columns that identify a row, repeated ones are refused

    Raises
    ------
    ValueError : a column that is missing or not numeric, a selection column with other values than 0 and 1, too few rows of either kind,
        columns that are combinations of each other, or a likelihood without maximum; the message names them.
    """
    started = time.perf_counter()
    check_names({"regressors": regressors, "selection_regressors": selection_regressors}, outcome, cluster, robust)
    if estimator not in ("two_step", "ml"):
        raise ValueError(f"estimator = {estimator!r}: it is 'two_step' or 'ml'.")
    rows, chosen = selection_rows(frame, outcome, regressors, selection_regressors, selected, cluster, keys)
    problem = _selection_problem(rows, chosen, outcome, regressors, selection_regressors, constant)
    steps = two_steps(problem, rows.clusters, robust, small)
    names = [f"{SELECTION}{name}" for name in _terms(selection_regressors, constant)] + _terms(regressors, constant)
    if estimator == "two_step":
        names, theta, covariance, best = [*names, MILLS], steps.theta, steps.covariance, steps.probit
        said = "two-step correction" if rows.clusters is None and not robust else "sandwich of both steps"
        derived = derived_parameters([steps.sigma, steps.rho, theta[-1]], [np.nan, np.nan, np.sqrt(covariance[-1, -1])])
    else:
        best, said = full_likelihood(problem, steps), "observed information"
        names, theta = [*names, "ln_sigma", "atanh_rho"], best.theta
        covariance = likelihood_covariance(best, rows.clusters, robust, small)
        derived = derived_from_likelihood(theta, covariance)
    common = _common(rows, outcome, names, theta, covariance, regressors)
    if estimator == "ml":
        gain = 2 * (best.log_likelihood - steps.independent)
        common["tests"]["independence"] = Test("LR of independent equations", gain, 1, float(stats.chi2.sf(gain, 1)), null="rho is zero")
    return HeckmanResult(
        **common,
        method=f"Heckman selection model ({'two-step' if estimator == 'two_step' else 'maximum likelihood'}, {int(chosen.sum()):,} selected)",
        convention=_convention(said, rows, cluster, robust, small),
        seconds=time.perf_counter() - started,
        derived=derived,
        selected=int(chosen.sum()),
        log_likelihood=best.log_likelihood,
        gradient=best.gradient,
    )


def _selection_problem(
    rows: Rows, chosen: np.ndarray, outcome: str, regressors: Sequence[str], selection_regressors: Sequence[str], constant: bool
) -> SelectionProblem:
    kept = chosen > 0
    x = np.zeros((len(chosen), len(regressors) + int(constant)))
    x[kept] = design(rows.values[kept], regressors, constant, "regressors in the selected rows")
    z = design(rows.values, selection_regressors, constant, "selection regressors")
    return SelectionProblem(np.where(kept, rows.values[outcome].to_numpy(), 0.0), x, z, chosen)


def _terms(names: Sequence[str], constant: bool) -> list[str]:
    return [*names, *([CONSTANT] if constant else [])]


def _common(rows: Rows, outcome: str, names: list[str], theta: np.ndarray, covariance: np.ndarray, regressors: Sequence[str]) -> dict[str, Any]:
    """The fields that every result has, with the Wald test that no regressor of the outcome matters."""
    where = [names.index(name) for name in regressors]
    slopes, inner = theta[where], covariance[np.ix_(where, where)]
    # In standard errors, so that units do not decide what counts as singular.
    errors = np.sqrt(np.diag(inner))
    t, correlation = slopes / errors, inner / np.outer(errors, errors)
    full = np.linalg.matrix_rank(correlation, hermitian=True) == len(where)
    wald = float(t @ np.linalg.solve(correlation, t)) if full else float("nan")
    return {
        "outcome": outcome,
        "coefficients": pd.Series(theta, index=names, name="coefficient"),
        "covariance": pd.DataFrame(covariance, index=names, columns=names),
        "df_t": None,
        "n": len(rows.values),
        "groups": rows.groups,
        "dropped": rows.dropped,
        "sample": rows.labels,
        "tests": {"wald": Test("Wald", wald, len(where), float(stats.chi2.sf(wald, len(where))), null="all regressors have no effect")},
    }


def _convention(plain: str, rows: Rows, cluster: str | None, robust: bool, small: bool) -> str:
    if rows.clusters is None:
        factor = "factor N/(N-1)" if small else "no small-sample factor"
        return f"robust to heteroskedasticity (sandwich, {factor}, normal)" if robust else f"from the {plain} (normal)"
    factor = "factor G/(G-1)" if small else "no small-sample factor"
    return f"clustered by {cluster} ({rows.groups[str(cluster)]:,} clusters, sandwich, {factor}, normal)"
