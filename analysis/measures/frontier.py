"""Stochastic frontiers: how far each row lies below the best practice, noise taken out.

Distributions: half-normal (Aigner, Lovell and Schmidt 1977), truncated normal (Stevenson 1980),
exponential (Meeusen and van den Broeck 1977); cross-section, panel with inefficiency that stays
(Battese and Coelli 1988) or decays (1992), and inefficiency explained by columns (1995).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analysis.measures import plain, samples
from analysis.measures.frontier_fit import (
    FrontierError,
    LeastSquares,
    Likelihood,
    Optimum,
    grid_start,
    least_squares,
    maximise,
    orthonormal,
    shifted_start,
    with_columns,
)
from analysis.measures.frontier_likelihood import (
    ExponentialFrontier,
    NormalFrontier,
    expected_exponential,
    expected_inefficiency,
)
from analysis.measures.frontier_sample import (
    CONSTANT,
    Base,
    Distribution,
    FrontierModel,
    Kind,
    check_options,
    prepare,
)

__all__ = ["FrontierError", "FrontierResult", "stochastic_frontier"]


@dataclass(frozen=True, eq=False, kw_only=True)
class FrontierResult:
    """A stochastic frontier.

    Attributes
    ----------
    method : what was estimated, as a note would say it
    outcome : column that is explained
    coefficients : by term: constant and inputs, then "inefficiency: ..." (effects), sigma_squared,
        gamma, mu, eta as the model has them.
        sigma_squared = sigma_u^2 + sigma_v^2 in squared units of the outcome, gamma = sigma_u^2 /
        sigma_squared
    covariance : by the same terms, the inverse of the negative matrix of second derivatives; NaN
        for a parameter held at a bound
    log_likelihood, log_likelihood_ols : with inefficiency; of the normal regression without it
    ols, start : least squares (with sigma_squared, n - k below) and the best point of the grid, as
        FRONTIER 4.1 prints them
    lr_statistic, lr_restrictions, lr_p : test of no inefficiency against its mixed chi-squared
        distribution (Coelli 1995; Kodde and Palm 1986)
    efficiencies : one row for every row of the frame given, NaN where a row was left out:
        inefficiency E(u | residuals); jlms exp(-E(u | residuals)); battese_coelli E(exp(-u) |
        residuals), both in (0, 1]; for a cost frontier also cost_ratio E(exp(u) | residuals), at
        least 1, which FRONTIER 4.1 prints
    has_inefficiency : False where the likelihood is highest without any (residuals skewed the wrong
        way): all efficiencies are 1, gamma is 0
    gradient_norm : largest absolute derivative at the maximum, the outcome in units of its spread,
        regressors orthonormal, ln sigma_squared and logit gamma
    steps, seconds : of the climb that led to the maximum
    n, units, dropped : rows used; groups that share one draw of inefficiency; reason -> rows left
        out
    """

    method: str
    outcome: str
    coefficients: pd.Series
    covariance: pd.DataFrame
    log_likelihood: float
    log_likelihood_ols: float
    ols: pd.Series
    start: pd.Series
    lr_statistic: float
    lr_restrictions: int
    lr_p: float
    efficiencies: pd.DataFrame
    has_inefficiency: bool
    gradient_norm: float
    steps: int
    n: int
    units: int
    dropped: Mapping[str, int]
    seconds: float

    @property
    def standard_errors(self) -> pd.Series:
        return pd.Series(
            np.sqrt(np.diag(self.covariance)), index=self.coefficients.index, name="standard_error"
        )

    @property
    def mean_efficiency(self) -> float:
        """Mean of battese_coelli over the rows used."""
        return float(self.efficiencies["battese_coelli"].mean())

    def to_frame(self) -> pd.DataFrame:
        """Terms in rows; coefficient, standard_error, z and p in columns."""
        z = self.coefficients / self.standard_errors
        columns = {"coefficient": self.coefficients, "standard_error": self.standard_errors, "z": z}
        return pd.DataFrame({**columns, "p": 2 * stats.norm.sf(np.abs(z))}).rename_axis("term")

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, and what was left out."""
        left_out = (
            "; ".join(f"{samples.rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        found = (
            f"mean efficiency {self.mean_efficiency:.4f}"
            if self.has_inefficiency
            else "no inefficiency found: the residuals are skewed the other way"
        )
        return (
            f"{self.method} of {self.outcome}, {samples.rows(self.n)}, {self.units:,} draws of"
            f" inefficiency; standard errors from second derivatives; {found}; left out:"
            f" {left_out}."
        )

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=lambda value: f"{value: .6g}")
        test = (
            f"no inefficiency: LR = {self.lr_statistic:.4f}, mixed"
            f" chi-squared({self.lr_restrictions}), p = {self.lr_p:.4f}"
        )
        return "\n".join([table, f"log-likelihood {self.log_likelihood:.6f}", test, self.note()])


def stochastic_frontier(
    frame: pd.DataFrame,
    outcome: str,
    inputs: Sequence[str],
    *,
    distribution: Distribution = "half_normal",
    kind: Kind = "production",
    unit: str | None = None,
    period: str | None = None,
    decay: bool = False,
    effects: Sequence[str] | None = None,
    effects_constant: bool = True,
    mu_bound: float | None = None,
    base: Base = "panel",
) -> FrontierResult:
    """Estimate y = constant + x b + v - u (production) or y = constant + x b + v + u (cost), v
    normal, u >= 0, by maximum likelihood.

    Parameters
    ----------
    frame : one row a unit, or a unit and period
    outcome, inputs : columns as they enter the frontier: take logs before, if efficiencies are to
        be shares
    distribution : of u. With `effects` the truncated normal is meant whatever is given
    unit : rows of a unit share one draw of u; left out, every row has its own
    period : whole numbers (years); needed for `decay`, and with it unit and period must be a key
    decay : u_it = exp(-eta (t - T)) u_i (Battese and Coelli 1992)
    effects : u of each row is truncated normal with a mean that is linear in these columns (Battese
        and Coelli 1995); an empty list with
        `effects_constant` is the truncated normal. Unit and period are then only checked as keys
    mu_bound : hold |mu| to at most this many sigma_u (FRONTIER 4.1 holds it to 2); truncated normal
        only
    base : T of the decay: the last period of the panel (FRONTIER 4.1) or the last of each unit
        (Stata's xtfrontier)

    Returns
    -------
    FrontierResult : coefficients with standard errors from second derivatives, efficiencies by row,
        LR test of no inefficiency

    Raises
    ------
    ValueError : columns missing, not numeric or collinear; duplicate keys; options that exclude
        each other; too few rows
    FrontierError : the likelihood has no maximum inside (noise vanishes, or mu runs off)
    """
    started = time.perf_counter()
    columns = outcome, tuple(inputs), distribution, kind, unit, period, decay
    wanted = None if effects is None else tuple(effects)
    model = FrontierModel(*columns, wanted, effects_constant, mu_bound, base)
    check_options(model)
    data, order, dropped = prepare(frame, model)
    x, back_x = orthonormal(data.x, [CONSTANT, *model.inputs])
    w, back_w = orthonormal(data.w, model.w_names)
    spread = float(np.sqrt(least_squares(with_columns(data, data.y, x, w)).variance))
    unit_of_y = spread if spread > 0 else 1.0
    scaled = with_columns(data, data.y / unit_of_y, x, w)
    exponential = distribution == "exponential"
    likelihood: Likelihood = (ExponentialFrontier if exponential else NormalFrontier)(scaled)
    ols = least_squares(scaled)
    start = grid_start(likelihood, ols)
    optimum = _optimum(likelihood, ols, start, mu_bound)
    back = _back(back_x, back_w, unit_of_y, decay)
    climbed = _Climbed(model, likelihood, ols, start, optimum, back, unit_of_y)
    return FrontierResult(
        **climbed.fields(),
        efficiencies=_efficiencies(frame, likelihood, optimum, order, kind, unit_of_y),
        dropped=dropped,
        seconds=time.perf_counter() - started,
    )


@dataclass(frozen=True)
class _Climbed:
    """A likelihood of scaled columns at its maximum; `back` takes parameters to the frame's units,
    `unit` is the outcome's.
    """

    model: FrontierModel
    likelihood: Likelihood
    ols: LeastSquares
    start: np.ndarray
    optimum: Optimum | None
    back: np.ndarray
    unit: float

    def fields(self) -> dict[str, Any]:
        """What the result holds, but for the rows."""
        model, ols, optimum, data = self.model, self.ols, self.optimum, self.likelihood.data
        coefficients, covariance = _in_own_units(self.likelihood, optimum, ols, self.back, model)
        top = ols.log_likelihood if optimum is None else optimum.log_likelihood
        # of the scaled outcome, in logs, less that of the outcome
        density = len(data.y) * float(np.log(self.unit))
        statistic = max(0.0, 2 * (top - ols.log_likelihood))
        restrictions = 1 + data.w.shape[1] + model.decay
        return {
            "method": model.describe(),
            "outcome": model.outcome,
            "coefficients": coefficients,
            "covariance": covariance,
            "log_likelihood": top - density,
            "log_likelihood_ols": ols.log_likelihood - density,
            "ols": self._ols(),
            "start": self._start(),
            "lr_statistic": statistic,
            "lr_restrictions": restrictions,
            "lr_p": _mixed_p(statistic, restrictions),
            "has_inefficiency": optimum is not None,
            "gradient_norm": 0.0 if optimum is None else optimum.gradient_norm,
            "steps": 0 if optimum is None else optimum.steps,
            "n": len(data.y),
            "units": len(data.first),
        }

    def _ols(self) -> pd.Series:
        k = len(self.ols.beta)
        own = plain.times(self.back[:k, :k], self.ols.beta)
        index = [CONSTANT, *self.model.inputs, "sigma_squared"]
        return pd.Series([*own, self.ols.variance * self.unit**2], index=index, name="ols")

    def _start(self) -> pd.Series:
        own = plain.times(self.back, self.start)[self.model.printed]
        return pd.Series(own, index=self.model.terms, name="start")


def _back(back_x: np.ndarray, back_w: np.ndarray, unit: float, decay: bool) -> np.ndarray:
    """The matrix that takes b, d, sigma^2, gamma[, eta] of the scaled columns to those of the
    frame's.
    """
    own = [
        plain.solve_upper(triangle, np.eye(len(triangle))) * unit for triangle in (back_x, back_w)
    ]
    return linalg.block_diag(*own, np.diag([unit**2, 1.0, *([1.0] if decay else [])]))


def _optimum(
    likelihood: Likelihood, ols: LeastSquares, start: np.ndarray, mu_bound: float | None
) -> Optimum | None:
    _, _, _, m = likelihood.data.sizes
    decays = likelihood.data.decays
    starts = [start]
    for mu in (0.0, 1.0, -1.0, -3.0) if m else (0.0,):
        for eta in (0.0, 0.05, -0.05) if decays else (0.0,):
            tries = [
                shifted_start(likelihood, ols, gamma, mu, eta)
                for gamma in (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
            ]
            starts.append(max(tries, key=likelihood.value))
    if mu_bound is None:
        return maximise(likelihood, starts)
    _, _, k, _ = likelihood.data.sizes
    try:
        inside = maximise(likelihood, starts)
    except FrontierError:
        inside = None
    if inside is not None and abs(inside.theta[k]) <= mu_bound * np.sqrt(
        inside.theta[k + 1] * inside.theta[k + 2]
    ):
        return inside
    edges = [
        edge
        for edge in (maximise(likelihood, starts, ratio) for ratio in (mu_bound, -mu_bound))
        if edge is not None
    ]
    return max(edges, key=lambda edge: edge.log_likelihood, default=None)


def _in_own_units(
    likelihood: Likelihood,
    optimum: Optimum | None,
    ols: LeastSquares,
    back: np.ndarray,
    model: FrontierModel,
) -> tuple[pd.Series, pd.DataFrame]:
    """Coefficients and covariance in the units of the frame's columns, as they are printed."""
    n, _, k, m = likelihood.data.sizes
    size = len(back)
    theta, covariance = np.full(size, np.nan), np.full((size, size), np.nan)
    if optimum is None:
        # Without inefficiency: least squares, its maximum-likelihood variance, gamma 0; mu, eta and
        # effects mean nothing.
        variance = ols.variance * (n - k) / n
        theta[:k], theta[k + m], theta[k + m + 1] = ols.beta, variance, 0.0
        covariance[:k, :k] = variance * np.eye(k) / n
        covariance[k + m, k + m] = 2 * variance**2 / n
    else:
        theta = optimum.theta
        free = np.setdiff1d(np.arange(size), optimum.held)
        covariance[np.ix_(free, free)] = optimum.free
    unknown = np.isnan(np.diag(covariance))
    turned, spread = (
        plain.times(back, np.nan_to_num(theta)),
        plain.times(plain.times(back, np.nan_to_num(covariance)), back.T),
    )
    turned[np.isnan(theta)] = np.nan
    spread[unknown, :] = spread[:, unknown] = np.nan
    order = model.printed
    frame = pd.DataFrame(spread[np.ix_(order, order)], index=model.terms, columns=model.terms)
    return pd.Series(turned[order], index=model.terms, name="coefficient"), frame


def _mixed_p(statistic: float, restrictions: int) -> float:
    """Half chi-squared with one restriction fewer, half with all: one of the parameters lies on its
    bound under the null.
    """
    below = (
        stats.chi2.sf(statistic, restrictions - 1) if restrictions > 1 else float(statistic <= 0)
    )
    return float((below + stats.chi2.sf(statistic, restrictions)) / 2)


def _efficiencies(
    frame: pd.DataFrame,
    likelihood: Likelihood,
    optimum: Optimum | None,
    rows: np.ndarray,
    kind: str,
    unit: float,
) -> pd.DataFrame:
    names = ["inefficiency", "jlms", "battese_coelli", *(["cost_ratio"] if kind == "cost" else [])]
    out = np.full((len(frame), len(names)), np.nan)
    if optimum is None:
        out[rows] = [0.0, 1.0, 1.0, 1.0][: len(names)]
    else:
        mean, spread, scale = likelihood.posterior(optimum.theta)
        mean, spread = mean * unit, spread * unit
        expected = expected_inefficiency(mean, spread, scale)
        powers = [-1.0, 1.0] if kind == "cost" else [-1.0]
        shares = [expected_exponential(mean, spread, scale, power) for power in powers]
        out[rows] = np.column_stack([expected, np.exp(-expected), *shares])
    return pd.DataFrame(out, index=frame.index, columns=names)
