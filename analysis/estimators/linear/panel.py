"""Panel regressions with one set of effects: pooled, within, between and random effects.

With T_i rows of unit i, N rows and n units:

    pooled    y on X and a constant
    within    y - y_i. on X - X_i.; the constant is that of Stata's xtreg, fe (mean outcome less
              mean regressors times coefficients)
    between   y_i. on X_i. and a constant, one row a unit, unweighted
    random    y - t_i y_i. on X - t_i X_i. and 1 - t_i, with t_i = 1 - sqrt(s2_e / (T_i s2_u +
              s2_e)) and s2_e = within RSS / (N - n - k)

The variance s2_u of random effects comes from the between regression: max(0, RSS_b/(n-K) -
s2_e/Tbar), Tbar the harmonic mean of T_i (Swamy and Arora 1972; Stata xtreg, re; R plm's "swar" in
a balanced panel). Coefficients of random effects equal plm's and Stata's; standard errors are those
of the transformed regression, s2 = RSS/(N-k).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.groups import nested
from analysis.estimators.core.inference import Design, inference_cautions
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Covariance,
    CovarianceOption,
    Inference,
    PanelModel,
    PanelSmall,
    Where,
    checked,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sums import each_alone
from analysis.estimators.linear.panel_fits import (
    Fit,
    PanelData,
    between_fit,
    clustered_covariance,
    panel_data,
    pooled_fit,
    random_fit,
    random_weights,
    within_fit,
)

METHODS = {
    "pooled": "pooled regression",
    "within": "within regression",
    "between": "between regression",
    "random": "random-effects regression",
}


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
    period_dummies : a dummy for each period but the first among the regressors, named
        <time>=<period>
    covariance : "iid", "robust" (White) or {"cluster": [column]}, the unit or something that units
        do not leave
    small : factor of robust and clustered covariance: "none", "HC1" N/(N-k), or "sss"
        G/(G-1)(N-1)/(N-k) (k regressors, the constant
        among them except within; R plm's names)
    where : rows to estimate on, a column or a mask
    inference : default "t" (N-k degrees of freedom; within N-n-k), for random effects "normal"

    Raises
    ------
    ValueError : unknown or non-numeric columns, duplicate keys, no variation inside units (within),
        collinear regressors, too few rows or
        units; the message names them.
    """
    began = perf_counter()
    errors = covariance_of(covariance, most=1)
    if inference is not None:
        checked("inference", inference, Inference)
    chosen = _Chosen(checked("model", model, PanelModel), errors, small, inference)
    if model == "between" and (errors.clusters or period_dummies):
        raise ValueError(
            "a between regression has one row a unit: no clusters inside, "
            "and no dummies of periods."
        )
    given: dict[str, Any] = {"clusters": errors.clusters, "period_dummies": period_dummies}
    data = panel_data(frame, outcome, regressors, unit, time, **given, where=where)
    groups = {unit: len(data.units), time: len(data.periods)}
    return _estimated(data, outcome, groups, chosen, began)


@dataclass(frozen=True)
class _Chosen:
    """The model, and what is assumed of its errors."""

    model: PanelModel
    errors: Covariance
    small: PanelSmall
    inference: Inference | None

    def __post_init__(self) -> None:
        checked("small", self.small, PanelSmall)

    @property
    def normal(self) -> bool:
        usual = "normal" if self.model == "random" else "t"
        return (self.inference or usual) == "normal"


def _estimated(
    data: PanelData, outcome: str, groups: dict[str, int], chosen: _Chosen, began: float
) -> PanelResult:
    model, errors, small = chosen.model, chosen.errors, chosen.small
    sigma_u, sigma_e, theta = float("nan"), float("nan"), pd.Series(dtype=float)
    if model == "random":
        sigma_u, sigma_e, shares = random_weights(data)
        theta = pd.Series(shares, index=data.units, name="theta")
        fit = random_fit(data, shares)
    else:
        fit = {"pooled": pooled_fit, "within": within_fit, "between": between_fit}[model](data)
    b, spread = fit.coefficients, _covariance(fit, data, errors, small)
    if model == "within":
        b, spread, sigma_u, sigma_e = _with_constant(fit, spread, data)
    index = [CONSTANT, *data.terms]
    return PanelResult(
        method=METHODS[model],
        outcome=outcome,
        coefficients=pd.Series(b, index=index, name="coefficient"),
        covariance=pd.DataFrame(spread, index=index, columns=index),
        convention=_convention(fit, data, errors, small, chosen.normal),
        df_t=None if chosen.normal else float(fit.df),
        n=len(data.y),
        groups=groups,
        dropped=data.sample.dropped,
        sample=data.sample.labels,
        model=model,
        variance=fit.variance,
        sigma_u=sigma_u,
        sigma_e=sigma_e,
        theta=theta,
        r2=_r_squared(data, b[1:]),
        residuals=_residuals(data, fit, model, b),
        warnings=_warnings(data, outcome, chosen, sigma_u),
        seconds=perf_counter() - began,
    )


def _warnings(
    data: PanelData, outcome: str, chosen: _Chosen, sigma_u: float
) -> tuple[Caution, ...]:
    """Few clusters, a variance of random effects that came out as zero, and what rows show."""
    found: list[Caution] = []
    errors = chosen.errors
    if errors.cluster:
        found += few_clusters(data.sample.groups[errors.cluster][1])
    if sigma_u == 0 and chosen.model == "random":
        text = "The variance of the effects is estimated as zero: this is the pooled regression."
        remedy = "Use the pooled or the within regression; breusch_pagan tests the variance."
        found.append(Caution("boundary", text, remedy))
    return (*found, *_of_rows(data, outcome, chosen))


def _of_rows(data: PanelData, outcome: str, chosen: _Chosen) -> tuple[Caution, ...]:
    """What the rows give cause for, where they enter as they are or less their units' means."""
    if chosen.model not in ("pooled", "within"):
        return ()
    raw, groups = data.sample.columns, data.sample.groups
    moved = data.within(raw) if chosen.model == "within" else raw - raw.mean(axis=0)
    return inference_cautions(
        Design(
            outcome=outcome,
            regressors=data.terms[: raw.shape[1] - 1],
            raw=raw,
            within=moved,
            groups=groups,
            effects=tuple(groups)[:1] if chosen.model == "within" else (),
            clusters=chosen.errors.clusters,
        )
    )


def _covariance(fit: Fit, data: PanelData, errors: Covariance, small: PanelSmall) -> np.ndarray:
    if errors.kind == "iid":
        return fit.variance * fit.inverse
    n = len(fit.x)
    group = data.sample.groups[errors.cluster] if errors.cluster else each_alone(n)
    if errors.cluster and not nested(data.unit, group):
        raise ValueError(
            "a unit lies in more than one cluster: cluster by the unit, "
            "or by something that units do not leave."
        )
    return clustered_covariance(fit, group, small)


def _with_constant(
    fit: Fit, spread: np.ndarray, data: PanelData
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Constant in front: mean(y) - mean(x)'b, with variance s2/N + mean(x)'V mean(x); sigma_u as
    xtreg reports it, the spread of the effects.
    """
    mean = data.x.mean(axis=0)
    constant = data.y.mean() - mean @ fit.coefficients
    cross = -(spread @ mean)
    whole = np.block(
        [
            [np.array([[fit.variance / len(data.y) + mean @ spread @ mean]]), cross[None, :]],
            [cross[:, None], spread],
        ]
    )
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
    return pd.Series(
        data.sample.in_frame_order(data.y - b[0] - data.x @ b[1:]),
        index=data.sample.labels,
        name="residual",
    )


def _convention(
    fit: Fit, data: PanelData, errors: Covariance, small: PanelSmall, normal: bool
) -> str:
    if errors.cluster:
        what = (
            f"clustered by {errors.cluster} ({data.sample.groups[errors.cluster][1]:,} clusters,"
            f" factor {small}"
        )
    else:
        what = (
            f"robust to heteroskedasticity (factor {small}"
            if errors.kind == "robust"
            else f"homoskedastic (RSS/{fit.df:,}"
        )
    return f"{what}, {'normal' if normal else 't'})"
