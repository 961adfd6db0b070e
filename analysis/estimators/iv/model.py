"""Linear equations with endogenous regressors: 2SLS, LIML, k-class and two-step GMM, with effects,
weights and clusters.

All conventions are those of Stata's ivreg2 (Baum, Schaffer and Stillman 2007), with absorbed
effects those of ivreghdfe:

    errors      small = "none"                   small = "sss"
    iid         e'e / N                          e'e / (N - K)
    robust      no factor (HC0)                  N / (N - K) (HC1)
    clusters    no factor                        G/(G-1) (N-1)/(N-K); of two cluster columns, G is
                the smaller number

and inference is normal, or t with N - K or G - 1 degrees of freedom. K counts the regressors, the
constant and the independent levels of the effects; effects nested in a cluster cost one together. F
statistics carry the small-sample factor always, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.inference import Design, inference_cautions
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    CovarianceOption,
    IvEstimator,
    IvSmall,
    Singletons,
    WeightKind,
    Where,
    checked,
    columns_of,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.core.sample import Sample
from analysis.estimators.iv.cautions import cautions
from analysis.estimators.iv.equation import Model
from analysis.estimators.iv.fit import Fit, k_class, two_step_gmm
from analysis.estimators.iv.result import InstrumentalResult, convention, method
from analysis.estimators.iv.sample import Request, read_equation
from analysis.estimators.iv.strength import first_equations, first_stages, rank_tests, stock_yogo
from analysis.estimators.iv.tests import (
    endogeneity,
    exogeneity_of_instruments,
    model_f,
    overidentification,
)
from analysis.estimators.iv.weak import AndersonRubin, ConfidenceSet, anderson_rubin, stock_wright

# Which of Stock and Yogo's tables speak of the estimator; those for Fuller's are not in the file.
CRITERIA = {"2sls": "iv", "gmm": "iv", "liml": "liml", "fuller": "fuller", "k_class": "k_class"}


def instrumental_variables(
    frame: pd.DataFrame,
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    controls: Sequence[str] = (),
    effects: Sequence[str] = (),
    *,
    covariance: CovarianceOption = "iid",
    small: IvSmall | None = None,
    weights: str | None = None,
    weight_kind: WeightKind = "analytic",
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    estimator: IvEstimator = "2sls",
    constant: bool = True,
    kappa: float | None = None,
    fuller: float = 1.0,
    test_exogeneity: Sequence[str] = (),
    test_endogeneity: Sequence[str] | None = None,
    singletons: Singletons = "keep",
) -> InstrumentalResult:
    """Estimate the effect of endogenous regressors on the outcome with excluded instruments.

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is
        modified
    outcome, endogenous, instruments, controls : numeric columns; instruments are the excluded ones,
        at least as many as endogenous; controls are exogenous regressors, and instruments of
        themselves
    effects : columns whose levels are absorbed, any number; the constant is then among them
    covariance : "iid", "robust" to heteroskedasticity, or {"cluster": [...]} with one or two
        columns of clusters
    small : "none", or "sss" for small-sample factors and t instead of normal; default as in Stata:
        without effects "none" (ivreg2), with effects "sss" (ivreghdfe)
    weights : column of weights. analytic: scaled to sum to the rows; frequency: whole numbers, each
        row stands for so many
    keys : columns that identify a row; default the effects where there are two, none otherwise; []
        allows any repetition
    where : rows to estimate on, a column or a mask
    estimator : "2sls", "liml", "fuller" (with its constant `fuller`), "k_class" (with its `kappa`)
        or "gmm", whose weights follow the errors
    constant : whether there is one, without effects
    test_exogeneity : instruments or controls for the C statistic
    test_endogeneity : endogenous regressors to test together, all by default, none with []
    singletons : "keep" rows that are alone in a level of an effect, or "drop" them, as ivreghdfe
        does

    Raises
    ------
    ValueError : names that are missing, not numeric or used twice, options that do not fit,
        repeated keys, too few rows, a column without variation of its own once the effects are out,
        or instruments that do not identify; the message names them.
    """
    started = perf_counter()
    checked("estimator", estimator, IvEstimator)
    if small is not None:
        checked("small", small, IvSmall)
    _check_columns(outcome, endogenous, instruments, controls, effects, weights)
    _check_weights(weights, checked("weight_kind", weight_kind, WeightKind))
    _check_estimator(estimator, kappa, fuller)
    given: dict[str, Any] = {"outcome": outcome, "weights": weights, "where": where}
    given |= {"endogenous": tuple(endogenous), "instruments": tuple(instruments)}
    given |= {"controls": tuple(controls), "effects": tuple(effects), "estimator": estimator}
    given |= {"small": small, "weight_kind": weight_kind, "keys": keys, "constant": constant}
    given |= {"covariance": covariance_of(covariance), "singletons": singletons}
    request = _request(given)
    model, sample = read_equation(frame, request)
    fit = _fit(model, estimator, kappa, fuller)
    tested = model.names_x1 if test_endogeneity is None else test_endogeneity
    return _result(request, model, sample, fit, (tested, test_exogeneity), started)


def _request(given: dict[str, Any]) -> Request:
    """What is asked for, where nothing was said filled in."""
    keys = given["keys"]
    return Request(
        **given
        | {
            "small": given["small"] or ("sss" if given["effects"] else "none"),
            "keys": None if keys is None else tuple(columns_of("keys", keys, empty=True)),
            "constant": checked("constant", given["constant"], (True, False)),
            "singletons": checked("singletons", given["singletons"], Singletons),
        }
    )


def _tests(
    model: Model,
    fit: Fit,
    regressors_tested: Sequence[str],
    instruments_tested: Sequence[str],
    weak: AndersonRubin,
) -> dict[str, Test]:
    tests = model_f(model, fit) | rank_tests(model) | overidentification(model, fit)
    if regressors_tested:
        tests |= endogeneity(model, regressors_tested)
    if instruments_tested:
        tests["exogeneity"] = exogeneity_of_instruments(model, instruments_tested)
    return tests | weak.tests([0.0] * len(model.names_x1)) | {"stock_wright_s": stock_wright(model)}


def _result(
    request: Request,
    model: Model,
    sample: Sample,
    fit: Fit,
    tested: tuple[Sequence[str], Sequence[str]],
    started: float,
) -> InstrumentalResult:
    small, terms, df = request.small == "sss", pd.Index(model.terms), model.df_regressors
    weak = anderson_rubin(model)
    tests = _tests(model, fit, *tested, weak)
    spread = pd.DataFrame(
        fit.covariance * (model.small_factor(df) if small else 1.0), index=terms, columns=terms
    )
    critical = stock_yogo(len(model.names_x1), model.l1, CRITERIA[request.estimator])
    first_stage = first_stages(model)
    warned = cautions(model, spread, tests, first_stage, critical)
    return InstrumentalResult(
        method=method(request, fit),
        outcome=request.outcome,
        coefficients=pd.Series(fit.beta, index=terms, name="coefficient"),
        covariance=spread,
        convention=convention(request, model, sample),
        df_t=model.f_df2(df) if small else None,
        **_of_sample(sample, {*request.effects, *request.covariance.clusters}),
        tests=tests,
        endogenous=model.names_x1,
        instruments=model.names_z1,
        estimator=request.estimator,
        kappa=fit.kappa,
        first_equations=first_equations(model, small=small),
        first_stage=first_stage,
        critical_values=critical,
        anderson_rubin=weak,
        confidence_set=_confidence_set(weak),
        **_fit_of(model, fit, small=small),
        df_residual=df,
        warnings=warned + _of_rows(request, model, sample),
        seconds=perf_counter() - started,
    )


def _of_rows(request: Request, model: Model, sample: Sample) -> tuple[Caution, ...]:
    """What the rows give cause for, whatever the instruments."""
    regressors = (*request.endogenous, *request.controls)
    controls = model.x2[:, : len(request.controls)]
    return inference_cautions(
        Design(
            outcome=request.outcome,
            regressors=regressors,
            raw=sample.columns[:, : 1 + len(regressors)],
            within=np.column_stack([model.y, model.x1, controls]),
            groups=sample.groups,
            effects=request.effects,
            clusters=request.covariance.clusters,
        )
    )


def _of_sample(sample: Sample, named: set[str]) -> dict[str, Any]:
    """Rows used and left out, and the levels of the named groupings."""
    return {
        "n": sample.n,
        "groups": {name: size for name, (_, size) in sample.groups.items() if name in named},
        "dropped": sample.dropped,
        "sample": sample.labels,
        "singletons": sample.singletons,
    }


def _fit_of(model: Model, fit: Fit, *, small: bool) -> dict[str, Any]:
    """What is left unexplained, and what is not."""
    rss, df = float(fit.residual @ fit.residual), model.df_regressors
    r2, r2_adjusted = _shares(model, rss)
    return {
        "sigma": float(np.sqrt(rss / (df if small else model.n))),
        "rss": rss,
        "r2": r2,
        "r2_adjusted": r2_adjusted,
        "r2_uncentred": 1 - rss / model.total_raw,
    }


def _shares(model: Model, rss: float) -> tuple[float, float]:
    """R2 and adjusted R2, about the mean where there is a constant or effects, about zero
    otherwise."""
    centred = CONSTANT in model.names_x2 or model.absorbed > 0
    left = rss / (model.total_centred if centred else model.total_raw)
    return 1 - left, 1 - left * (model.n - (1 if centred else 0)) / model.df_regressors


def _check_columns(
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    controls: Sequence[str],
    effects: Sequence[str],
    weights: str | None,
) -> None:
    """Refuse lists that are none, a column used twice, and fewer instruments than endogenous
    regressors."""
    columns_of("effects", effects, empty=True)
    lists = {"endogenous": endogenous, "instruments": instruments, "controls": controls}
    used = [
        outcome,
        *(
            name
            for key, given in lists.items()
            for name in columns_of(key, given, empty=key != "endogenous")
        ),
    ]
    twice = sorted({name for name in used if used.count(name) > 1})
    if twice:
        raise ValueError(
            f"{', '.join(twice)} is used twice: outcome, endogenous, instruments and controls are"
            " different columns."
        )
    if len(instruments) < len(endogenous):
        raise ValueError(
            f"{len(endogenous)} endogenous regressors and {len(instruments)} excluded instruments:"
            " no fewer instruments are needed. Name more instruments, or move a regressor to the"
            " controls if it is exogenous."
        )
    if weights is not None and weights in used:
        raise ValueError(f"weights {weights!r} cannot be a variable of the equation too.")


def _check_weights(weights: str | None, kind: WeightKind) -> None:
    if kind == "frequency" and weights is None:
        raise ValueError(
            "weight_kind = 'frequency' says what weights are, "
            "and none are given. Name the column in weights."
        )


def _check_estimator(estimator: IvEstimator, kappa: float | None, fuller: float) -> None:
    if (estimator == "k_class") != (kappa is not None):
        raise ValueError("kappa is given for estimator 'k_class', and only for it.")
    if fuller <= 0:
        raise ValueError(f"fuller = {fuller}: Fuller's constant is positive, mostly 1 or 4.")


def _fit(model: Model, estimator: IvEstimator, kappa: float | None, fuller: float) -> Fit:
    if estimator == "gmm":
        return two_step_gmm(model)
    if estimator == "2sls":
        return k_class(model, 1.0)
    if estimator == "k_class":
        return k_class(model, kappa)
    return k_class(model, fuller=fuller if estimator == "fuller" else None)


def _confidence_set(weak: AndersonRubin) -> ConfidenceSet | None:
    """The set for a single endogenous regressor; None also where the test has no value at all."""
    if weak.slopes.shape[1] != 2 or not np.isfinite(weak.chi2(0.0)):
        return None
    return weak.confidence_set()
