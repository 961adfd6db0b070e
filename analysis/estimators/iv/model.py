"""Linear equations with endogenous regressors: 2SLS, LIML, k-class and two-step GMM, with effects, weights and clusters.

All conventions are those of Stata's ivreg2 (Baum, Schaffer and Stillman 2007), with absorbed effects those of ivreghdfe:

    errors      small = False                    small = True
    iid         e'e / N                          e'e / (N - K)
    robust      no factor (HC0)                  N / (N - K) (HC1)
    clusters    no factor                        G/(G-1) (N-1)/(N-K); of two cluster columns, G is the smaller number

and inference is normal, or t with N - K or G - 1 degrees of freedom. K counts the regressors, the constant and the independent levels of the
effects; effects nested in a cluster cost one together. F statistics carry the small-sample factor always, as there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import IvEstimator, WeightKind
from analysis.estimators.core.result import Result, Test
from analysis.estimators.iv.fit import Fit, k_class, two_step_gmm
from analysis.estimators.iv.sample import Model, Request, Sample, build_sample
from analysis.estimators.iv.strength import first_stages, rank_tests, stock_yogo
from analysis.estimators.iv.tests import endogeneity, exogeneity_of_instruments, model_f, overidentification
from analysis.estimators.iv.weak import AndersonRubin, ConfidenceSet, anderson_rubin, stock_wright

NAMES = {"2sls": "2SLS", "liml": "LIML", "fuller": "Fuller's modified LIML", "k_class": "k-class", "gmm": "two-step efficient GMM"}
# Which of Stock and Yogo's tables speak of the estimator; those for Fuller's are not in the file.
CRITERIA = {"2sls": "iv", "gmm": "iv", "liml": "liml", "fuller": "fuller", "k_class": "k_class"}


@dataclass(frozen=True, eq=False, kw_only=True)
class InstrumentalResult(Result):
    """An instrumented equation.

    `tests` holds, where they exist for the errors and the number of instruments: model_f; anderson_lm, cragg_donald_wald, cragg_donald_f
    (iid) or kleibergen_paap_lm, kleibergen_paap_wald, kleibergen_paap_f and cragg_donald_f; sargan and basmann (iid) or hansen_j;
    anderson_rubin_lr and anderson_rubin_lr_linear (LIML); endogeneity and wu_hausman_f; exogeneity (the C statistic asked for);
    anderson_rubin_f, anderson_rubin_chi2 and stock_wright_s, of the null that the endogenous regressors have no effect.
    A statistic that the sample cannot give (fewer clusters than instruments) is NaN.

    Attributes
    ----------
    endogenous, instruments : names
    estimator : as asked for
    kappa : k of the k-class, 1 for 2SLS; None for GMM
    first_stage : statistics (rows) by endogenous regressor (columns)
    critical_values : Stock and Yogo's values for cragg_donald_f, empty where none are tabulated
    anderson_rubin : the Anderson-Rubin test, for other nulls and levels
    confidence_set : its 95 % set for the coefficient of a single endogenous regressor, None with several
    sigma, r2, r2_adjusted, r2_uncentred : root of the error variance; shares of the variation (within, with effects) that are explained
    rss : weighted sum of squared residuals
    df_residual : N - K
    """

    endogenous: tuple[str, ...]
    instruments: tuple[str, ...]
    estimator: IvEstimator
    kappa: float | None
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

    def __str__(self) -> str:
        known = ", ".join(f"{name} {value:g}" for name, value in self.critical_values.items())
        parts = [super().__str__()]
        if self.confidence_set is not None:
            parts.append(f"{self.endogenous[0]}, {self.confidence_set.level:.0%} set by inverting Anderson-Rubin: {self.confidence_set}")
        return "\n".join([*parts, *([f"Stock-Yogo critical values of the Cragg-Donald F: {known}"] if known else [])])


def instrumental_variables(
    frame: pd.DataFrame,
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    exogenous: Sequence[str] = (),
    effects: Sequence[str] = (),
    cluster: str | Sequence[str] | None = None,
    *,
    estimator: IvEstimator = "2sls",
    robust: bool = False,
    small: bool | None = None,
    weights: str | None = None,
    weight_kind: WeightKind = "analytic",
    constant: bool = True,
    kappa: float | None = None,
    fuller: float = 1.0,
    test_exogeneity: Sequence[str] = (),
    test_endogeneity: Sequence[str] | None = None,
    keys: Sequence[str] | None = None,
    drop_singletons: bool = False,
) -> InstrumentalResult:
    """Estimate the effect of endogenous regressors on the outcome with excluded instruments.

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is modified
    outcome, endogenous, instruments, exogenous : numeric columns; instruments are the excluded ones, at least as many as endogenous
    effects : columns whose levels are absorbed, any number; the constant is then among them
    cluster : one or two columns inside whose groups errors may be correlated
    estimator : "2sls", "liml", "fuller" (with its constant `fuller`), "k_class" (with its `kappa`) or "gmm", whose weights follow the errors
    robust : errors robust to heteroskedasticity, where there is no cluster
    small : small-sample factors and t instead of normal; default as in Stata: without effects no (ivreg2), with effects yes (ivreghdfe)
    weights : column of weights. analytic: scaled to sum to the rows; frequency: whole numbers, each row stands for so many
    constant : whether there is one, without effects
    test_exogeneity : instruments or exogenous regressors for the C statistic
    test_endogeneity : endogenous regressors to test together, all by default, none with []
    keys : columns that identify a row, repeated ones are refused; default the two effects if there are two, else none
    drop_singletons : leave out rows alone in a level of an effect, as ivreghdfe does

    Raises
    ------
    ValueError : names that are missing, not numeric or used twice, options that do not fit, repeated keys, too few rows, a column without variation
        of its own once the effects are out, or instruments that do not identify; the message names them.
    """
    started = time.perf_counter()
    if keys is None:
        keys = effects if len(effects) == 2 and not isinstance(effects, str) else ()
    clusters = (cluster,) if isinstance(cluster, str) else tuple(cluster or ())
    _check_lists(outcome, endogenous, instruments, exogenous, effects, clusters, weights)
    _check_options(estimator, kappa, fuller, robust, clusters, weight_kind, weights)
    request = Request(
        outcome=outcome,
        endogenous=tuple(endogenous),
        instruments=tuple(instruments),
        exogenous=tuple(exogenous),
        effects=tuple(effects),
        clusters=clusters,
        weights=weights,
        weight_kind=weight_kind,
        robust=robust,
        constant=constant,
        keys=tuple(keys),
        drop_singletons=drop_singletons,
    )
    sample = build_sample(frame, request)
    fit = _fit(sample.model, estimator, kappa, fuller)
    tests = _tests(sample.model, fit, tuple(endogenous) if test_endogeneity is None else test_endogeneity, test_exogeneity)
    corrected = bool(effects) if small is None else small
    return _result(request, sample, fit, estimator, tests, corrected, started)


def _tests(model: Model, fit: Fit, regressors_tested: Sequence[str], instruments_tested: Sequence[str]) -> dict[str, Test]:
    tests = model_f(model, fit) | rank_tests(model) | overidentification(model, fit)
    if regressors_tested:
        tests |= endogeneity(model, regressors_tested)
    if instruments_tested:
        tests["exogeneity"] = exogeneity_of_instruments(model, instruments_tested)
    return tests | anderson_rubin(model).tests([0.0] * len(model.names_x1)) | {"stock_wright_s": stock_wright(model)}


def _result(request: Request, sample: Sample, fit: Fit, estimator: IvEstimator, tests: dict[str, Test], small: bool, started: float) -> InstrumentalResult:
    model, weak = sample.model, anderson_rubin(sample.model)
    terms = pd.Index(model.terms)
    return InstrumentalResult(
        method=_method(estimator, fit, request),
        outcome=request.outcome,
        coefficients=pd.Series(fit.beta, index=terms, name="coefficient"),
        covariance=pd.DataFrame(fit.covariance * _factor(model, small), index=terms, columns=terms),
        convention=_convention(request, sample, small),
        df_t=model.f_df2(model.df_regressors) if small else None,
        n=sample.rows,
        groups=sample.groups,
        dropped=sample.dropped,
        sample=sample.labels,
        tests=tests,
        endogenous=model.names_x1,
        instruments=model.names_z1,
        estimator=estimator,
        kappa=fit.kappa,
        first_stage=first_stages(model),
        critical_values=stock_yogo(len(model.names_x1), model.l1, CRITERIA[estimator]),
        anderson_rubin=weak,
        confidence_set=_confidence_set(weak),
        **_fit_statistics(model, fit, small),  # type: ignore[arg-type]
        seconds=time.perf_counter() - started,
    )


def _check_lists(
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    exogenous: Sequence[str],
    effects: Sequence[str],
    clusters: Sequence[str],
    weights: str | None,
) -> None:
    lists = {"endogenous": endogenous, "instruments": instruments, "exogenous": exogenous, "effects": effects}
    for name, given in lists.items():
        if isinstance(given, str):
            raise ValueError(f"{name} is a list of column names, such as [{given!r}].")
    used = [outcome, *endogenous, *instruments, *exogenous]
    twice = sorted({name for name in used if used.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is used twice: outcome, endogenous, instruments and exogenous are different columns.")
    if CONSTANT in used:
        raise ValueError(f"a column cannot be called {CONSTANT!r}: the result has a term of that name. Rename it.")
    if not endogenous or len(instruments) < len(endogenous):
        raise ValueError(
            f"{len(endogenous)} endogenous regressors and {len(instruments)} excluded instruments: at least one regressor is needed, and no fewer instruments."
        )
    if len(set(effects)) < len(effects) or len(set(clusters)) < len(clusters) or len(clusters) > 2:
        raise ValueError(f"effects are different columns, and one or two different columns can be clusters; given: {list(effects)}, {list(clusters)}.")
    if weights is not None and weights in used:
        raise ValueError(f"weights {weights!r} cannot be a variable of the equation too.")


def _check_options(estimator: str, kappa: float | None, fuller: float, robust: bool, clusters: Sequence[str], weight_kind: str, weights: str | None) -> None:
    if estimator not in NAMES:
        raise ValueError(f"estimator = {estimator!r}: it is one of {', '.join(NAMES)}.")
    if (estimator == "k_class") != (kappa is not None):
        raise ValueError("kappa is given for estimator 'k_class', and only for it.")
    if fuller <= 0:
        raise ValueError(f"fuller = {fuller}: Fuller's constant is positive, mostly 1 or 4.")
    if clusters and robust:
        raise ValueError("clustered errors are robust already: give cluster or robust, not both.")
    if weight_kind not in ("analytic", "frequency") or (weight_kind == "frequency" and weights is None):
        raise ValueError(f"weight_kind = {weight_kind!r}: it is 'analytic' or 'frequency', and needs weights.")


def _fit(model: Model, estimator: IvEstimator, kappa: float | None, fuller: float) -> Fit:
    if estimator == "gmm":
        return two_step_gmm(model)
    if estimator == "2sls":
        return k_class(model, 1.0)
    if estimator == "k_class":
        return k_class(model, kappa)
    return k_class(model, fuller=fuller if estimator == "fuller" else None)


def _factor(model: Model, small: bool) -> float:
    """What the large-sample covariance is multiplied by."""
    if not small:
        return 1.0
    if model.errors.kind == "cluster":
        g = model.errors.clusters
        return g / (g - 1) * (model.n - 1) / model.df_regressors
    return model.n / model.df_regressors


def _fit_statistics(model: Model, fit: Fit, small: bool) -> dict[str, float]:
    rss = float(fit.residual @ fit.residual)
    centred = CONSTANT in model.names_x2 or model.absorbed > 0
    r2 = 1 - rss / (model.total_centred if centred else model.total_raw)
    return {
        "sigma": float(np.sqrt(rss / (model.df_regressors if small else model.n))),
        "rss": rss,
        "r2": r2,
        "r2_adjusted": 1 - (1 - r2) * (model.n - (1 if centred else 0)) / model.df_regressors,
        "r2_uncentred": 1 - rss / model.total_raw,
        "df_residual": model.df_regressors,
    }


def _confidence_set(weak: AndersonRubin) -> ConfidenceSet | None:
    """The set for a single endogenous regressor; None also where the test has no value at all."""
    if weak.slopes.shape[1] != 2 or not np.isfinite(weak.chi2(0.0)):
        return None
    return weak.confidence_set()


def _method(estimator: IvEstimator, fit: Fit, request: Request) -> str:
    name = NAMES[estimator]
    if estimator in ("k_class", "fuller"):
        name += f" (k = {fit.kappa:.6g})"
    absorbed = f", {' and '.join(request.effects)} effects absorbed" if request.effects else ""
    weighed = f", {request.weight_kind} weights {request.weights}" if request.weights else ""
    return f"{name} ({', '.join(request.endogenous)} instrumented by {', '.join(request.instruments)}{absorbed}{weighed})"


def _convention(request: Request, sample: Sample, small: bool) -> str:
    model, kind = sample.model, sample.model.errors.kind
    inference = f"t with {model.f_df2(model.df_regressors):,.0f} degrees of freedom" if small else "normal"
    if kind == "cluster":
        counts = " and ".join(f"{sample.groups[name]:,} {name}" for name in request.clusters)
        factor = "factor G/(G-1)·(N-1)/(N-K)" if small else "no small-sample factor"
        return f"clustered by {' and '.join(request.clusters)} ({counts} clusters, {factor}, {inference})"
    if kind == "robust":
        return f"robust to heteroskedasticity ({'HC1, factor N/(N-K)' if small else 'HC0, no small-sample factor'}, {inference})"
    return f"homoskedastic ({'RSS/(N-K)' if small else 'RSS/N'}, {inference})"
