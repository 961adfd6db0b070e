"""Panel regressions with one set of effects: pooled, within, between and random effects.

With T_i rows of unit i, N rows and n units:

    pooled    y on X and a constant
    within    y - y_i. on X - X_i.; the constant is that of Stata's xtreg, fe (mean outcome less mean regressors times coefficients)
    between   y_i. on X_i. and a constant, one row a unit, unweighted
    random    y - t_i y_i. on X - t_i X_i. and 1 - t_i, with t_i = 1 - sqrt(s2_e / (T_i s2_u + s2_e)) and s2_e = within RSS / (N - n - k)

The variance s2_u of random effects comes from the between regression:

    swamy_arora    max(0, RSS_b/(n-K) - s2_e/Tbar), Tbar the harmonic mean of T_i (Swamy and Arora 1972; Stata xtreg, re)
    baltagi_chang  (RSS_w - (n-K) s2_e) / (N - tr), RSS_w of the between regression weighted by T_i and
                   tr = trace((X'PX)^-1 X'ZZ'X) (Baltagi and Chang 1994; Stata xtreg, re sa)

They are the same number in a balanced panel, where both are R plm's "swar". Coefficients of random effects equal plm's and Stata's; standard
errors are those of the transformed regression, s2 = RSS/(N-k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, get_args

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, rows, usable_rows
from analysis.estimators.core.result import Result
from analysis.estimators.core.within import clustered, demean, group_means, in_given_order, least_squares
from analysis.estimators.system.algebra import independent_columns

CONSTANT = "constant"
PanelModel = Literal["pooled", "within", "between", "random"]
Covariance = Literal["homoskedastic", "robust", "cluster"]
Small = Literal["none", "HC1", "sss"]
Components = Literal["swamy_arora", "baltagi_chang"]


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


@dataclass(frozen=True)
class PanelData:
    """Complete rows sorted by unit and time."""

    y: np.ndarray  # (N,)
    x: np.ndarray  # (N, k) without the constant
    terms: tuple[str, ...]
    unit: np.ndarray  # (N,) codes
    time: np.ndarray
    clusters: np.ndarray
    units: pd.Index
    periods: pd.Index
    dropped: dict[str, int]
    labels: pd.Index
    order: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        return np.bincount(self.unit)


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
    covariance: Covariance = "homoskedastic",
    cluster: str | None = None,
    small: Small = "none",
    components: Components = "swamy_arora",
    inference: Literal["t", "normal"] | None = None,
) -> PanelResult:
    """Estimate a panel regression; the formulas stand in the module's text.

    Parameters
    ----------
    frame : one row a unit and period, in any order; nothing in it is modified
    period_dummies : a dummy for each period but the first among the regressors, named <time>=<period>
    covariance : "homoskedastic", "robust" (White) or "cluster"
    cluster : column of the clusters, default the unit; under "within" and "random" each unit must lie in one cluster
    small : factor of robust and clustered covariance: "none", "HC1" N/(N-k), or "sss" G/(G-1)(N-1)/(N-k) (k regressors, the constant
        among them except within; R plm's names)
    components : of random effects
    inference : default "t" (N-k degrees of freedom; within N-n-k), for random effects "normal"

    Raises
    ------
    ValueError : unknown or non-numeric columns, duplicate keys, no variation inside units (within), collinear regressors, too few rows or
        units; the message names them.
    """
    began = perf_counter()
    for value, allowed, what in ((model, get_args(PanelModel), "model"), (covariance, get_args(Covariance), "covariance"),
                                 (small, get_args(Small), "small"), (components, get_args(Components), "components")):  # fmt: skip
        if value not in allowed:
            raise ValueError(f"{what} = {value!r}: it is one of {', '.join(allowed)}.")
    if model == "between" and (covariance == "cluster" or period_dummies):
        raise ValueError("a between regression has one row a unit: no clusters inside, and no dummies of periods.")
    data = panel_data(frame, outcome, regressors, unit, time, cluster, period_dummies)
    sigma_u, sigma_e, theta = float("nan"), float("nan"), pd.Series(dtype=float)
    if model == "random":
        sigma_u, sigma_e = variance_components(data, components)
        theta = pd.Series(1 - sigma_e / np.sqrt(data.counts * sigma_u**2 + sigma_e**2), index=data.units, name="theta")
        fit, terms = random_fit(data, theta.to_numpy()), (CONSTANT, *data.terms)
    else:
        fit, terms = {"pooled": pooled_fit, "within": within_fit, "between": between_fit}[model](data), (CONSTANT, *data.terms)
    spread = _covariance(fit, data, covariance, small)
    b = fit.coefficients
    if model == "within":
        b, spread, sigma_u, sigma_e = _with_constant(fit, spread, data)
    default = "normal" if model == "random" else "t"
    return _assemble(data, fit, model, terms, b, spread, (sigma_u, sigma_e, theta), outcome, (unit, time, cluster or unit),
                     (covariance, small), inference or default, began)  # fmt: skip


def panel_data(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], unit: str, time: str, cluster: str | None = None, period_dummies: bool = False
) -> PanelData:
    """Check, drop incomplete rows, sort by unit and time.

    Raises
    ------
    ValueError : see panel_regression.
    """
    given = list(regressors)
    if isinstance(regressors, str) or len(set(given)) < len(given) or outcome in given or CONSTANT in given or not given:
        raise ValueError(
            f"regressors are a list of different columns, at least one, without the outcome {outcome!r} and none called constant; given: {regressors!r}."
        )
    keys = list(dict.fromkeys([unit, time, *([cluster] if cluster else [])]))
    check_columns(frame, [outcome, *given, *keys])
    labels = frame[keys]
    refuse_duplicates(labels[labels[[unit, time]].notna().all(axis=1)], [unit, time])
    values = numbers(frame, [outcome, *given])
    keep, dropped = usable_rows(labels, values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    labels, values = labels[keep], values[keep]
    unit_codes, units = pd.factorize(labels[unit], sort=True)
    time_codes, periods = pd.factorize(labels[time], sort=True)
    clusters = pd.factorize(labels[cluster], sort=True)[0] if cluster else unit_codes
    order = np.lexsort([time_codes, unit_codes])
    x, terms = values[given].to_numpy()[order], tuple(given)
    if period_dummies:
        x = np.column_stack([x, np.eye(len(periods))[time_codes[order]][:, 1:]])
        terms += tuple(f"{time}={period}" for period in periods[1:])
    return PanelData(values[outcome].to_numpy()[order], x, terms, unit_codes[order], time_codes[order], np.asarray(clusters)[order],
                     pd.Index(units), pd.Index(periods), dropped, frame.index[keep], order)  # fmt: skip


def pooled_fit(data: PanelData) -> Fit:
    return fit_on(data.y, np.column_stack([np.ones(len(data.y)), data.x]), (CONSTANT, *data.terms), "")


def within_fit(data: PanelData) -> Fit:
    """Without the constant; its degrees of freedom count the units."""
    moved = demean(np.column_stack([data.y, data.x]), data.unit)
    still = np.linalg.norm(moved[:, 1:], axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)
    if still.any():
        named = ", ".join(term for term, flat in zip(data.terms, still, strict=True) if flat)
        raise ValueError(f"{named} does not vary inside units, whose effects take it out. Leave it out, or estimate random effects.")
    return fit_on(moved[:, 0], moved[:, 1:], data.terms, " once the effects of units are taken out", len(data.units))


def between_fit(data: PanelData) -> Fit:
    means = group_means(np.column_stack([data.y, data.x]), data.unit)
    return fit_on(means[:, 0], np.column_stack([np.ones(len(means)), means[:, 1:]]), (CONSTANT, *data.terms), " in the means of units")


def random_fit(data: PanelData, theta: np.ndarray) -> Fit:
    x = np.column_stack([np.ones(len(data.y)), data.x])
    means = group_means(np.column_stack([data.y, x]), data.unit)[data.unit]
    t = theta[data.unit][:, None]
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
    moved = demean(data.x, data.unit)
    moved[:, np.linalg.norm(moved, axis=0) <= 1e-9 * np.linalg.norm(data.x, axis=0)] = 0.0
    return independent_columns(moved)


def select(data: PanelData, which: np.ndarray) -> PanelData:
    """The same rows with some of the regressors."""
    values = {name: getattr(data, name) for name in data.__dataclass_fields__}
    return PanelData(**{**values, "x": data.x[:, which], "terms": tuple(t for t, keep in zip(data.terms, which, strict=True) if keep)})


def variance_components(data: PanelData, how: Components) -> tuple[float, float]:
    """sigma_u and sigma_e of random effects; regressors that are constant inside units count in the between regression only."""
    n, counts = len(data.units), data.counts
    inside = varying(data)
    if not inside.any():
        moved = demean(data.y[:, None], data.unit)[:, 0]
        s2_e = float(moved @ moved) / (len(data.y) - n)
    else:
        s2_e = within_fit(select(data, inside)).variance
    means = group_means(np.column_stack([data.y, data.x]), data.unit)
    x = np.column_stack([np.ones(n), means[:, 1:]])
    # Period dummies repeat the constant in the means of a balanced panel: the between regression keeps what is independent.
    x = x[:, independent_columns(x)]
    k = x.shape[1]
    if n <= k:
        raise ValueError(f"{n} units cannot carry a between regression of {k} coefficients: random effects need more units than regressors.")
    if how == "swamy_arora":
        _, e, _ = least_squares(means[:, 0], x)
        s2_u = float(e @ e) / (n - k) - s2_e * float((1 / counts).mean())
    else:
        weight = np.sqrt(counts)
        _, e, inverse = least_squares(means[:, 0] * weight, x * weight[:, None])
        trace = float(np.trace(inverse @ ((x * (counts**2)[:, None]).T @ x)))
        s2_u = (float(e @ e) - (n - k) * s2_e) / (len(data.y) - trace)
    return max(0.0, s2_u) ** 0.5, s2_e**0.5


def _covariance(fit: Fit, data: PanelData, covariance: Covariance, small: Small) -> np.ndarray:
    if covariance == "homoskedastic":
        return fit.variance * fit.inverse
    n, k = fit.x.shape
    groups = np.arange(n) if covariance == "robust" else data.clusters
    if covariance == "cluster" and any(len(np.unique(data.clusters[data.unit == u])) > 1 for u in range(len(data.units))):
        raise ValueError("a unit lies in more than one cluster: cluster by the unit, or by something that units do not leave.")
    g = len(np.unique(groups))
    if g < 2:
        raise ValueError("the sample has one cluster only: clustered standard errors need at least two.")
    factor = {"none": 1.0, "HC1": n / (n - k), "sss": g / (g - 1) * (n - 1) / (n - k)}[small]
    return factor * clustered(fit.x, fit.residuals, fit.inverse, groups)


def _with_constant(fit: Fit, spread: np.ndarray, data: PanelData) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Constant in front: mean(y) - mean(x)'b, with variance s2/N + mean(x)'V mean(x); sigma_u as xtreg reports it, the spread of the effects."""
    mean = data.x.mean(axis=0)
    constant = data.y.mean() - mean @ fit.coefficients
    cross = -(spread @ mean)
    whole = np.block([[np.array([[fit.variance / len(data.y) + mean @ spread @ mean]]), cross[None, :]], [cross[:, None], spread]])
    effects = group_means((data.y - data.x @ fit.coefficients)[:, None], data.unit)[:, 0]
    sigma_u = float(effects.std(ddof=1)) if len(effects) > 1 else 0.0
    return np.concatenate([[constant], fit.coefficients]), whole, sigma_u, fit.variance**0.5


def _r_squared(data: PanelData, slopes: np.ndarray) -> pd.Series:
    """Squared correlations of y and X b: deviations from unit means, unit means, all rows."""
    pair = np.column_stack([data.y, data.x @ slopes])
    sides = {"within": demean(pair, data.unit), "between": group_means(pair, data.unit), "overall": pair}
    return pd.Series({name: _squared_correlation(both) for name, both in sides.items()}, name="r2")


def _squared_correlation(pair: np.ndarray) -> float:
    off = pair - pair.mean(axis=0)
    size = float((off[:, 0] ** 2).sum() * (off[:, 1] ** 2).sum())
    return float(off[:, 0] @ off[:, 1]) ** 2 / size if size > 0 else float("nan")


def _assemble(
    data: PanelData, fit: Fit, model: PanelModel, terms: tuple[str, ...], b: np.ndarray, spread: np.ndarray, parts: tuple[float, float, pd.Series],
    outcome: str, keys: tuple[str, str, str], covariance: tuple[Covariance, Small], inference: str, began: float,
) -> PanelResult:  # fmt: skip
    unit, time, cluster = keys
    index = list(terms)
    if model == "between":
        residuals = pd.Series(fit.residuals, index=data.units, name="residual")
    else:
        residuals = pd.Series(in_given_order(data.y - b[0] - data.x @ b[1:], data.order), index=data.labels, name="residual")
    g = len(np.unique(data.clusters))
    kinds = {
        "homoskedastic": f"homoskedastic (RSS/{fit.df:,}",
        "robust": f"robust to heteroskedasticity (factor {covariance[1]}",
        "cluster": f"clustered by {cluster} ({g:,} clusters, factor {covariance[1]}",
    }
    names = {"pooled": "pooled regression", "within": "within regression", "between": "between regression", "random": "random-effects regression"}
    return PanelResult(
        method=names[model],
        outcome=outcome,
        coefficients=pd.Series(b, index=index, name="coefficient"),
        covariance=pd.DataFrame(spread, index=index, columns=index),
        convention=f"{kinds[covariance[0]]}, {'normal' if inference == 'normal' else 't'})",
        df_t=None if inference == "normal" else float(fit.df),
        n=len(data.y),
        groups={unit: len(data.units), time: len(data.periods)},
        dropped=data.dropped,
        sample=data.labels,
        seconds=perf_counter() - began,
        model=model,
        variance=fit.variance,
        sigma_u=parts[0],
        sigma_e=parts[1],
        theta=parts[2],
        r2=_r_squared(data, b[1:]),
        residuals=residuals,
    )
