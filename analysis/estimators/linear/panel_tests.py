"""Which panel regression: Hausman's test of random against fixed effects, the F test of effects,
the Breusch-Pagan test of random effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import Group
from analysis.estimators.core.options import (
    Covariance,
    CovarianceKind,
    CovarianceOption,
    HausmanMethod,
    HausmanVariances,
    PanelEffect,
    PanelSmall,
    Where,
    checked,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.linear.panel_fits import (
    PanelData,
    clustered_covariance,
    fit_on,
    panel_data,
    pooled_fit,
    random_fit,
    random_weights,
    select,
    varying,
    within_fit,
)

_NO_DISTRIBUTION = Caution(
    "no_distribution",
    "The difference of the two covariances is not positive definite, so that the classic Hausman"
    " statistic has no known distribution.",
    "Use method = 'regression', or variances = 'random' (one variance for both).",
)


def hausman_random(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    unit: str = "city_code",
    time: str = "year",
    period_dummies: bool = False,
    method: HausmanMethod = "classic",
    variances: HausmanVariances = "own",
    covariance: CovarianceOption = "iid",
    small: PanelSmall = "none",
    where: Where | None = None,
) -> Test:
    """Hausman's test that the effects are independent of the regressors.

    Parameters
    ----------
    method : "classic", (b_w - b_r)'(V_w - V_r)^-1 (b_w - b_r) over the regressors that vary inside
        units (not the period dummies); or
        "regression", a Wald test of X - X_i. added to the random-effects regression (Mundlak 1978;
        Wooldridge 2010, section 10.7.3), the one to use with clustered errors
    variances : of the classic form: each regression's own residual variance (R phtest, Stata
        hausman), or one for both, that of "random"
        (Stata's sigmamore) or "within" (sigmaless)
    covariance : of the regression form: "iid" or {"cluster": [column]}; the classic form knows
        "iid" only
    small : factor of the clustered covariance, as in panel_regression

    Raises
    ------
    ValueError : as panel_regression. Where V_w - V_r is not positive definite the classic form has
        no known distribution: the test then carries a
        warning, and a negative statistic no p.
    """
    checked("method", method, HausmanMethod)
    checked("variances", variances, HausmanVariances)
    checked("small", small, PanelSmall)
    kinds: tuple[CovarianceKind, ...] = ("iid", "cluster") if method == "regression" else ("iid",)
    errors = covariance_of(covariance, most=1, kinds=kinds)
    given: dict[str, Any] = {"clusters": errors.clusters, "period_dummies": period_dummies}
    data = panel_data(frame, outcome, regressors, unit, time, **given, where=where)
    inside = varying(data)
    # Period dummies are the same for all units: they say nothing of the units' effects, and V_w -
    # V_r is zero for them in a balanced panel.
    compared = inside & (np.arange(len(inside)) < len(list(regressors)))
    if not compared.any():
        raise ValueError("no regressor varies inside units: there is nothing to compare.")
    theta = random_weights(data)[2]
    if method == "regression":
        return _by_regression(data, compared, theta, errors, small)
    return _classic(data, inside, compared, theta, variances)


def _classic(
    data: PanelData,
    inside: np.ndarray,
    compared: np.ndarray,
    theta: np.ndarray,
    variances: HausmanVariances,
) -> Test:
    """q'(V_w - V_r)^-1 q, of the regressors compared (K,) among those that vary inside units."""
    fixed, random = within_fit(select(data, inside)), random_fit(data, theta)
    named, where = np.flatnonzero(compared[inside]), 1 + np.flatnonzero(compared)
    s2 = {
        "own": (fixed.variance, random.variance),
        "random": (random.variance,) * 2,
        "within": (fixed.variance,) * 2,
    }[variances]
    q = fixed.coefficients[named] - random.coefficients[where]
    spread = (
        s2[0] * fixed.inverse[np.ix_(named, named)] - s2[1] * random.inverse[np.ix_(where, where)]
    )
    scale = np.sqrt(s2[0] * np.diag(fixed.inverse)[named])
    positive = np.linalg.eigvalsh(spread / np.outer(scale, scale)).min() > 1e-12
    statistic = float(q @ np.linalg.solve(spread, q))
    return Test(
        "Hausman within against random",
        statistic,
        len(q),
        float(stats.chi2.sf(statistic, len(q))) if statistic >= 0 else float("nan"),
        null="effects independent of the regressors",
        warnings=() if positive else (_NO_DISTRIBUTION,),
    )


def effects_f_test(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    unit: str = "city_code",
    time: str = "year",
    where: Where | None = None,
    effect: PanelEffect = "unit",
) -> Test:
    """F test that the effects of units, of periods, or of both are all equal: ((RSS_p - RSS_w)/d) /
    (RSS_w/df), R plm's pFtest.
    """
    data = panel_data(frame, outcome, regressors, unit, time, where=where)
    taken = Effects(_groupings(data, effect))
    full = fit_on(
        taken.out(data.y),
        taken.out(data.x),
        data.terms,
        " once the effects are taken out",
        taken.rank,
    )
    pooled = pooled_fit(data)
    rss, rss_pooled = (float(fit.residuals @ fit.residuals) for fit in (full, pooled))
    d = pooled.df - full.df
    statistic = (rss_pooled - rss) / d / (rss / full.df)
    return Test(
        "F of effects",
        statistic,
        d,
        float(stats.f.sf(statistic, d, full.df)),
        df2=full.df,
        null="no effects",
    )


def breusch_pagan(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    unit: str = "city_code",
    time: str = "year",
    where: Where | None = None,
    effect: PanelEffect = "unit",
    one_sided: bool = False,
) -> Test:
    """Lagrange multiplier test that the variance of the effects is zero, from residuals e of the
    pooled regression.

    With N rows and T_i rows of group i, LM = N^2/2 A^2 / (sum T_i^2 - N), A = sum_i (sum_t e_it)^2
    / e'e - 1 (Breusch and Pagan 1980; Baltagi and Li 1990 for unbalanced panels); for both effects
    the sum of two. `one_sided` gives p of the 50:50 mixture of zero and chi2(1), as Stata's xttest0
    (one effect only), with LM zero where A is negative.
    """
    data = panel_data(frame, outcome, regressors, unit, time, where=where)
    if one_sided and effect == "both":
        raise ValueError("one_sided: the one-sided form is for one effect, 'unit' or 'time'.")
    e = pooled_fit(data).residuals
    total, n = float(e @ e), len(e)
    statistic = 0.0
    for codes, _ in _groupings(data, effect):
        a = float((np.bincount(codes, e) ** 2).sum()) / total - 1
        squares = float((np.bincount(codes).astype(float) ** 2).sum())
        statistic += 0.0 if one_sided and a < 0 else n**2 / 2 * a**2 / (squares - n)
    df = 2 if effect == "both" else 1
    p = float(stats.chi2.sf(statistic, df)) / (2 if one_sided and statistic > 0 else 1)
    return Test("Breusch-Pagan LM", statistic, df, p, null="no variance of effects")


def _groupings(data: PanelData, effect: PanelEffect) -> list[Group]:
    return {"unit": [data.unit], "time": [data.time], "both": [data.unit, data.time]}[
        checked("effect", effect, PanelEffect)
    ]


def _by_regression(
    data: PanelData, compared: np.ndarray, theta: np.ndarray, errors: Covariance, small: PanelSmall
) -> Test:
    x = np.column_stack([np.ones(len(data.y)), data.x])
    means = data.means(np.column_stack([data.y, x]))[data.unit[0]]
    moved = np.column_stack([data.y, x]) - theta[data.unit[0]][:, None] * means
    added = data.within(data.x[:, compared])
    base = moved.shape[1] - 1
    terms = [
        "constant",
        *data.terms,
        *(f"{t} less its mean" for t, keep in zip(data.terms, compared, strict=True) if keep),
    ]
    fit = fit_on(moved[:, 0], np.column_stack([moved[:, 1:], added]), terms, " once quasi-demeaned")
    spread = (
        clustered_covariance(fit, data.sample.groups[errors.cluster], small)
        if errors.cluster
        else fit.variance * fit.inverse
    )
    b, v = fit.coefficients[base:], spread[base:, base:]
    statistic = float(b @ np.linalg.solve(v, b))
    return Test(
        "Hausman by regression",
        statistic,
        len(b),
        float(stats.chi2.sf(statistic, len(b))),
        null="effects independent of the regressors",
        warnings=few_clusters(data.sample.groups[errors.cluster][1]) if errors.cluster else (),
    )
