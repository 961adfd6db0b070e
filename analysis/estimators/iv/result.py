"""What an instrumented equation reports: the result with its first stages, and how a note describes
it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import rows
from analysis.estimators.core.options import IvEstimator
from analysis.estimators.core.result import Result, tidy_frame
from analysis.estimators.core.sample import Sample
from analysis.estimators.iv.equation import Model
from analysis.estimators.iv.fit import Fit
from analysis.estimators.iv.sample import Request
from analysis.estimators.iv.strength import FirstStage
from analysis.estimators.iv.weak import AndersonRubin, ConfidenceSet

NAMES: Mapping[IvEstimator, str] = {
    "2sls": "2SLS",
    "liml": "LIML",
    "fuller": "Fuller's modified LIML",
    "k_class": "k-class",
    "gmm": "two-step efficient GMM",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class InstrumentalResult(Result):
    """An instrumented equation.

    `tests` holds, where they exist for the errors and the number of instruments: model_f;
    anderson_lm, cragg_donald_wald, cragg_donald_f (iid) or kleibergen_paap_lm,
    kleibergen_paap_wald, kleibergen_paap_f and cragg_donald_f; sargan and basmann (iid) or
    hansen_j; anderson_rubin_lr and anderson_rubin_lr_linear (LIML); endogeneity and wu_hausman_f;
    exogeneity (the C statistic asked for); anderson_rubin_f, anderson_rubin_chi2 and
    stock_wright_s, of the null that the endogenous regressors have no effect. A statistic that the
    sample cannot give (fewer clusters than instruments) is NaN, and a caution names it.

    Attributes
    ----------
    endogenous, instruments : names
    estimator : as asked for
    kappa : k of the k-class, 1 for 2SLS; None for GMM
    first_equations : endogenous regressor -> its regression on all instruments, part of `tidy()`
    first_stage : statistics (rows) by endogenous regressor (columns)
    critical_values : Stock and Yogo's values for cragg_donald_f, empty where none are tabulated
    anderson_rubin : the Anderson-Rubin test, for other nulls and levels
    confidence_set : its 95 % set for the coefficient of a single endogenous regressor, None with
        several
    sigma, r2, r2_adjusted, r2_uncentred : root of the error variance; shares of the variation
        (within, with effects) explained
    rss : weighted sum of squared residuals
    df_residual : N - K
    singletons : rows kept although alone in a level of an effect
    """

    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    estimator: IvEstimator
    kappa: float | None
    first_equations: Mapping[str, FirstStage]
    first_stage: pd.DataFrame
    critical_values: pd.Series
    anderson_rubin: AndersonRubin
    confidence_set: ConfidenceSet | None
    sigma: float
    rss: float
    r2: float
    r2_adjusted: float
    r2_uncentred: float
    df_residual: float
    singletons: int

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a term: of the outcome's equation, then of "first stage of <regressor>" for each
        endogenous one."""
        tables = [super().tidy(level)]
        for name, stage in self.first_equations.items():
            terms = [str(term) for term in stage.coefficients.index]
            errors = np.sqrt(np.diag(stage.covariance))
            b = stage.coefficients.to_numpy()
            tables.append(
                tidy_frame(f"first stage of {name}", terms, b, errors, df=stage.df_t, level=level)
            )
        return pd.concat(tables, ignore_index=True)

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was
        left out or kept."""
        if not self.singletons:
            return super().note()
        return (
            f"{super().note()[:-1]}; kept although alone in a level of an effect:"
            f" {rows(self.singletons)}."
        )

    def _fit(self) -> dict[str, Any]:
        names = ("sigma", "rss", "r2", "r2_adjusted", "r2_uncentred", "df_residual", "singletons")
        found = {name: getattr(self, name) for name in names}
        found["first_stage_f"] = self.first_stage.loc["sw_f"].min()
        if self.confidence_set is not None and self.confidence_set.pieces:
            ends = self.confidence_set.pieces[0][0], self.confidence_set.pieces[-1][1]
            found |= dict(zip(("anderson_rubin_low", "anderson_rubin_high"), ends, strict=True))
        return found

    def _below(self) -> list[str]:
        lines = super()._below()
        if self.confidence_set is not None:
            level = self.confidence_set.level
            lines.append(
                f"{self.endogenous[0]}, {level:.0%} set by inverting Anderson-Rubin:"
                f" {self.confidence_set}"
            )
        known = ", ".join(f"{name} {value:g}" for name, value in self.critical_values.items())
        return (
            [*lines, f"Stock-Yogo critical values of the Cragg-Donald F: {known}"]
            if known
            else lines
        )


def method(request: Request, fit: Fit) -> str:
    """'2SLS (x instrumented by z1, z2, city_code effects absorbed)'."""
    name = NAMES[request.estimator]
    if request.estimator in ("k_class", "fuller"):
        name += f" (k = {fit.kappa:.6g})"
    absorbed = f", {' and '.join(request.effects)} effects absorbed" if request.effects else ""
    weighed = f", {request.weight_kind} weights {request.weights}" if request.weights else ""
    return (
        f"{name} ({', '.join(request.endogenous)} instrumented by"
        f" {', '.join(request.instruments)}{absorbed}{weighed})"
    )


def convention(request: Request, model: Model, sample: Sample) -> str:
    """How the standard errors were computed."""
    small, kind = request.small == "sss", model.errors.kind
    inference = (
        f"t with {model.f_df2(model.df_regressors):,.0f} degrees of freedom" if small else "normal"
    )
    if kind == "cluster":
        clusters = request.covariance.clusters
        counts = " and ".join(f"{sample.groups[name][1]:,} {name}" for name in clusters)
        factor = "factor G/(G-1)·(N-1)/(N-K)" if small else "no small-sample factor"
        return f"clustered by {' and '.join(clusters)} ({counts} clusters, {factor}, {inference})"
    if kind == "robust":
        factor = "HC1, factor N/(N-K)" if small else "HC0, no small-sample factor"
        return f"robust to heteroskedasticity ({factor}, {inference})"
    return f"homoskedastic ({'RSS/(N-K)' if small else 'RSS/N'}, {inference})"
