"""Panel regressions with one set of effects: pooled, within, between and random effects.

With T_i rows of unit i, N rows and n units:

    pooled    y on X and a constant
    within    y - y_i. on X - X_i.; the constant is that of Stata's xtreg, fe (mean outcome less mean regressors times coefficients)
    between   y_i. on X_i. and a constant, one row a unit, unweighted
    random    y - t_i y_i. on X - t_i X_i. and 1 - t_i, with t_i = 1 - sqrt(s2_e / (T_i s2_u + s2_e)) and s2_e = within RSS / (N - n - k)

The variance s2_u of random effects comes from the between regression: max(0, RSS_b/(n-K) - s2_e/Tbar),
Tbar the harmonic mean of T_i (Swamy and Arora 1972; Stata xtreg, re; R plm's "swar" in a balanced
panel). Coefficients of random effects equal plm's and Stata's; standard errors are those of the
transformed regression, s2 = RSS/(N-k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.algebra import clustered, independent_columns, least_squares
from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import Group, nested
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Covariance,
    CovarianceOption,
    Inference,
    PanelModel,
    PanelSmall,
    Where,
    checked,
    columns_of,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sample import Sample, read_sample
from analysis.estimators.core.sums import each_alone, means_by
from analysis.estimators.linear.clusters import few_clusters

METHODS = {"pooled": "pooled regression", "within": "within regression", "between": "between regression", "random": "random-effects regression"}


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelResult(Result):
    """A panel regression.

    Attributes
    ----------
    model : "pooled", "within", "between" or "random"
    variance : residual variance of the regression that was run
    sigma_u, sigma_e : standard deviations of effect and residual (within and random), else NaN
    theta : t_i by unit (random), else empty
    r2 : "within", "between" and "overall", squared correlations as Stata's xtreg prints them
    residuals : y less the fitted regressors, by row; of the between regression by unit
    """

    model: PanelModel
    variance: float
    sigma_u: float
    sigma_e: float
    theta: pd.Series
    r2: pd.Series
    residuals: pd.Series

    def _fit(self) -> dict[str, Any]:
        shares = {f"r2_{name}": value for name, value in self.r2.items()}
        return shares | {"sigma_u": self.sigma_u, "sigma_e": self.sigma_e}


@dataclass(frozen=True, eq=False)
class PanelData:
    """What a panel regression computes from: outcome and regressors of the sample's rows, and who they belong to."""

    sample: Sample
    y: np.ndarray  # (N,)
    x: np.ndarray  # (N, k) without the constant
    terms: tuple[str, ...]
    unit: Group
    time: Group
    units: pd.Index
    periods: pd.Index

    @property
    def counts(self) -> np.ndarray:
        """Rows by unit."""
        return np.bincount(self.unit[0])

    def within(self, columns: np.ndarray) -> np.ndarray:
        """Columns less the means of their unit."""
        return Effects([self.unit]).out(columns)

    def means(self, columns: np.ndarray) -> np.ndarray:
        """Means (units, m) of columns (N, m)."""
        return means_by(self.unit, columns)


@dataclass(frozen=True)
class Fit:
    """A least-squares fit on transformed data, with the design it came from."""

    coefficients: np.ndarray
    inverse: np.ndarray
    residuals: np.ndarray
    x: np.ndarray
    df: int

    @property
    def variance(self) -> float:
        return float(self.residuals @ self.residuals) / self.df


def panel_regression(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    model: PanelModel = "random",
    *,
    unit: str = "city_code",
    time: str = "year",
    period_dummies: bool = False,
    covariance: CovarianceOption = "iid",
    small: PanelSmall = "none",
    where: Where | None = None,
    inference: Inference | None = None,
) -> PanelResult:
    """Estimate a panel regression; the formulas stand in the module's text.

    Parameters
    ----------
    frame : one row a unit and period, in any order; nothing in it is modified
    period_dummies : a dummy for each period but the first among the regressors, named <time>=<period>
    covariance : "iid", "robust" (White) or {"cluster": [column]}, the unit or something that units do not leave
    small : factor of robust and clustered covariance: "none", "HC1" N/(N-k), or "sss" G/(G-1)(N-1)/(N-k) (k regressors, the constant
        among them except within; R plm's names)
    where : rows to estimate on, a column or a mask
    inference : default "t" (N-k degrees of freedom; within N-n-k), for random effects "normal"

    Raises
    ------
    ValueError : unknown or non-numeric columns, duplicate keys, no variation inside units (within), collinear regressors, too few rows or
        units; the message names them.
    """
    began = perf_counter()
    errors = covariance_of(covariance, most=1)
    checked("model", model, PanelModel)
    checked("small", small, PanelSmall)
    if inference is not None:
        checked("inference", inference, Inference)
    if model == "between" and (errors.clusters or period_dummies):
        raise ValueError("a between regression has one row a unit: no clusters inside, and no dummies of periods.")
    data = panel_data(frame, outcome, regressors, unit, time, clusters=errors.clusters, period_dummies=period_dummies, where=where)
    sigma_u, sigma_e, theta = float("nan"), float("nan"), pd.Series(dtype=float)
    if model == "random":
        sigma_u, sigma_e = variance_components(data)
        theta = pd.Series(1 - sigma_e / np.sqrt(data.counts * sigma_u**2 + sigma_e**2), index=data.units, name="theta")
        fit = random_fit(data, theta.to_numpy())
    else:
        fit = {"pooled": pooled_fit, "within": within_fit, "between": between_fit}[model](data)
    b, spread = fit.coefficients, _covariance(fit, data, errors, small)
    if model == "within":
        b, spread, sigma_u, sigma_e = _with_constant(fit, spread, data)
    normal = (inference or ("normal" if model == "random" else "t")) == "normal"
    index = [CONSTANT, *data.terms]
    return PanelResult(
        method=METHODS[model],
        outcome=outcome,
        coefficients=pd.Series(b, index=index, name="coefficient"),
        covariance=pd.DataFrame(spread, index=index, columns=index),
        convention=_convention(fit, data, errors, small, normal),
        df_t=None if normal else float(fit.df),
        n=len(data.y),
        groups={unit: len(data.units), time: len(data.periods)},
        dropped=data.sample.dropped,
        sample=data.sample.labels,
        model=model,
        variance=fit.variance,
        sigma_u=sigma_u,
        sigma_e=sigma_e,
        theta=theta,
        r2=_r_squared(data, b[1:]),
        residuals=_residuals(data, fit, model, b),
        warnings=_warnings(data, errors, sigma_u if model == "random" else None),
        seconds=perf_counter() - began,
    )


def panel_data(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    unit: str,
    time: str,
    *,
    clusters: Sequence[str] = (),
    period_dummies: bool = False,
    where: Where | None = None,
) -> PanelData:
    """Check, drop incomplete rows, sort by unit and time.

    Raises
    ------
    ValueError : see panel_regression.
    """
    given = columns_of("regressors", regressors, outcome=outcome)
    sample = read_sample(frame, [outcome, *given], (unit, time), clusters, keys=(unit, time), where=where, levels=(unit, time))
    x, terms, periods = sample.columns[:, 1:], tuple(given), sample.levels[time]
    if period_dummies:
        x = np.column_stack([x, np.eye(len(periods))[sample.groups[time][0]][:, 1:]])
        terms += tuple(f"{time}={period}" for period in periods[1:])
    return PanelData(sample, sample.column(0), x, terms, sample.groups[unit], sample.groups[time], sample.levels[unit], periods)


def pooled_fit(data: PanelData) -> Fit:
    return fit_on(data.y, np.column_stack([np.ones(len(data.y)), data.x]), (CONSTANT, *data.terms), "")


def within_fit(data: PanelData) -> Fit:
    """Without the constant; its degrees of freedom count the units."""
    moved = data.within(np.column_stack([data.y, data.x]))
    still = np.linalg.norm(moved[:, 1:], axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)
    if still.any():
        named = ", ".join(term for term, flat in zip(data.terms, still, strict=True) if flat)
        raise ValueError(f"{named} does not vary inside units, whose effects take it out. Leave it out, or estimate random effects.")
    return fit_on(moved[:, 0], moved[:, 1:], data.terms, " once the effects of units are taken out", len(data.units))


def between_fit(data: PanelData) -> Fit:
    means = data.means(np.column_stack([data.y, data.x]))
    return fit_on(means[:, 0], np.column_stack([np.ones(len(means)), means[:, 1:]]), (CONSTANT, *data.terms), " in the means of units")


def random_fit(data: PanelData, theta: np.ndarray) -> Fit:
    x = np.column_stack([np.ones(len(data.y)), data.x])
    means = data.means(np.column_stack([data.y, x]))[data.unit[0]]
    t = theta[data.unit[0]][:, None]
    moved = np.column_stack([data.y, x]) - t * means
    return fit_on(moved[:, 0], moved[:, 1:], (CONSTANT, *data.terms), " once quasi-demeaned")


def fit_on(y: np.ndarray, x: np.ndarray, terms: Sequence[str], where: str, extra: int = 0) -> Fit:
    """Least squares, after refusing what the rows cannot carry."""
    free = independent_columns(x)
    if not free.all():
        named = ", ".join(term for term, keep in zip(terms, free, strict=True) if not keep)
        raise ValueError(f"{named} is a combination of the other regressors{where}. Leave one of them out.")
    df = len(y) - x.shape[1] - extra
    if df < 1:
        raise ValueError(f"{rows(len(y))}{where} cannot carry {x.shape[1]} coefficients{f' and {extra} effects' if extra else ''}.")
    b, e, inverse = least_squares(y, x)
    return Fit(b, inverse, e, x, df)


def varying(data: PanelData) -> np.ndarray:
    """Which regressors vary inside units and are not combinations of others there: boolean (k,)."""
    moved = data.within(data.x)
    moved[:, np.linalg.norm(moved, axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)] = 0.0
    return independent_columns(moved)


def select(data: PanelData, which: np.ndarray) -> PanelData:
    """The same rows with some of the regressors."""
    return replace(data, x=data.x[:, which], terms=tuple(term for term, keep in zip(data.terms, which, strict=True) if keep))


def variance_components(data: PanelData) -> tuple[float, float]:
    """sigma_u and sigma_e of random effects; regressors that are constant inside units count in the between regression only."""
    n, counts = len(data.units), data.counts
    inside = varying(data)
    if not inside.any():
        moved = data.within(data.y)
        s2_e = float(moved @ moved) / (len(data.y) - n)
    else:
        s2_e = within_fit(select(data, inside)).variance
    means = data.means(np.column_stack([data.y, data.x]))
    x = np.column_stack([np.ones(n), means[:, 1:]])
    # Period dummies repeat the constant in the means of a balanced panel: the between regression keeps what is independent.
    x = x[:, independent_columns(x)]
    k = x.shape[1]
    if n <= k:
        raise ValueError(f"{n} units cannot carry a between regression of {k} coefficients: random effects need more units than regressors.")
    _, e, _ = least_squares(means[:, 0], x)
    s2_u = float(e @ e) / (n - k) - s2_e * float((1 / counts).mean())
    return max(0.0, s2_u) ** 0.5, s2_e**0.5


def _warnings(data: PanelData, errors: Covariance, sigma_u: float | None) -> tuple[Caution, ...]:
    """Few clusters, and a variance of random effects that came out as zero."""
    found = []
    if errors.cluster:
        found += few_clusters(data.sample.groups[errors.cluster][1])
    if sigma_u == 0:
        text = "The variance of the effects is estimated as zero: this is the pooled regression."
        remedy = "Use the pooled or the within regression; breusch_pagan tests the variance."
        found.append(Caution("boundary", text, remedy))
    return tuple(found)


def _covariance(fit: Fit, data: PanelData, errors: Covariance, small: PanelSmall) -> np.ndarray:
    if errors.kind == "iid":
        return fit.variance * fit.inverse
    n = len(fit.x)
    group = data.sample.groups[errors.cluster] if errors.cluster else each_alone(n)
    if errors.cluster and not nested(data.unit, group):
        raise ValueError("a unit lies in more than one cluster: cluster by the unit, or by something that units do not leave.")
    return clustered_covariance(fit, group, small)


def clustered_covariance(fit: Fit, group: Group, small: PanelSmall) -> np.ndarray:
    """Sandwich of a fit with its small-sample factor.

    Raises
    ------
    ValueError : one cluster only.
    """
    (n, k), g = fit.x.shape, group[1]
    if g < 2:
        raise ValueError("the sample has one cluster only: clustered standard errors need at least two.")
    factor = {"none": 1.0, "HC1": n / (n - k), "sss": g / (g - 1) * (n - 1) / (n - k)}[small]
    return factor * clustered(fit.x, fit.residuals, fit.inverse, group)


def _with_constant(fit: Fit, spread: np.ndarray, data: PanelData) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Constant in front: mean(y) - mean(x)'b, with variance s2/N + mean(x)'V mean(x); sigma_u as xtreg reports it, the spread of the effects."""
    mean = data.x.mean(axis=0)
    constant = data.y.mean() - mean @ fit.coefficients
    cross = -(spread @ mean)
    whole = np.block([[np.array([[fit.variance / len(data.y) + mean @ spread @ mean]]), cross[None, :]], [cross[:, None], spread]])
    effects = data.means((data.y - data.x @ fit.coefficients)[:, None])[:, 0]
    sigma_u = float(effects.std(ddof=1)) if len(effects) > 1 else 0.0
    return np.concatenate([[constant], fit.coefficients]), whole, sigma_u, fit.variance**0.5


def _r_squared(data: PanelData, slopes: np.ndarray) -> pd.Series:
    """Squared correlations of y and X b: deviations from unit means, unit means, all rows."""
    pair = np.column_stack([data.y, data.x @ slopes])
    sides = {"within": data.within(pair), "between": data.means(pair), "overall": pair}
    return pd.Series({name: _squared_correlation(both) for name, both in sides.items()}, name="r2")


def _squared_correlation(pair: np.ndarray) -> float:
    off = pair - pair.mean(axis=0)
    size = float((off[:, 0] ** 2).sum() * (off[:, 1] ** 2).sum())
    return float(off[:, 0] @ off[:, 1]) ** 2 / size if size > 0 else float("nan")


def _residuals(data: PanelData, fit: Fit, model: PanelModel, b: np.ndarray) -> pd.Series:
    if model == "between":
        return pd.Series(fit.residuals, index=data.units, name="residual")
    return pd.Series(data.sample.in_frame_order(data.y - b[0] - data.x @ b[1:]), index=data.sample.labels, name="residual")


def _convention(fit: Fit, data: PanelData, errors: Covariance, small: PanelSmall, normal: bool) -> str:
    if errors.cluster:
        what = f"clustered by {errors.cluster} ({data.sample.groups[errors.cluster][1]:,} clusters, factor {small}"
    else:
        what = f"robust to heteroskedasticity (factor {small}" if errors.kind == "robust" else f"homoskedastic (RSS/{fit.df:,}"
    return f"{what}, {'normal' if normal else 't'})"
