"""Linear regression with any number of fixed effects, absorbed exactly
(analysis.estimators.core.absorb).

Standard errors are homoskedastic, robust, or clustered one or two ways, in the convention of the
program that a table is compared with (analysis.estimators.core.sandwich states each formula);
Stata's areg and reghdfe are the default.

The constant is only defined by a convention, and programs differ; both conventions are offered:

    grand_mean     effects average zero over the sample: mean outcome less mean regressors times
                   coefficients (areg, reghdfe)
    first_period   the second effect is zero in its first level: what a regression with its dummies
                   prints (xtreg, fe with i.year)

So do the R-squared: `r2` and `r2_adjusted` count the effects as regressors (areg, reghdfe);
`r2_within` is what the regressors explain once all effects are taken out; `r2_first_within` is what
they and the other effects explain once the first is taken out (xtreg, fe with i.year), and
`r2_first_within_adjusted` is 1 - (1 - r2_first_within) * (N-1)/(N-K) with the K of the standard
errors.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pandas as pd

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.collinear import independent_columns
from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.inference import Design, inference_cautions
from analysis.estimators.core.kernels import lags_of
from analysis.estimators.core.names import CONSTANT, listed
from analysis.estimators.core.options import (
    Collinear,
    ConstantForm,
    Covariance,
    CovarianceKind,
    CovarianceOption,
    EffectCount,
    EffectsSmall,
    Singletons,
    Where,
    checked,
    columns_of,
    covariance_of,
)
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sample import Sample, Taking, read_sample
from analysis.estimators.core.sandwich import (
    LevelCount,
    Mended,
    SmallSample,
    small_sample,
)
from analysis.estimators.core.tall import cross
from analysis.estimators.linear.effects_fit import r_squared, regression, spread


@dataclass(frozen=True, eq=False, kw_only=True)
class FixedEffectsResult(Result):
    """One estimated column of a table. Coefficients by term, the constant last; what every result
    has is in `Result`.

    Attributes
    ----------
    regressors : those estimated
    effects : columns whose levels were taken out
    groups : levels of each effect
    clusters : cluster column -> number of clusters
    n_clusters : clusters, the fewer of two ways; None without clustering
    singletons : rows that are alone in a level of an effect and stay in
    omitted : regressor left out as collinear -> why
    counted : K, the parameters that the standard errors count
    mended : where negative eigenvalues of a two-way covariance were set to zero: "nothing", only
        with the "constant", or among the "slopes"
    r2, ... : see the module's text; weighted where the regression is
    """

    regressors: tuple[str, ...]
    effects: tuple[str, ...]
    clusters: Mapping[str, int]
    n_clusters: int | None
    r2: float
    r2_adjusted: float
    r2_within: float
    r2_first_within: float
    r2_first_within_adjusted: float
    singletons: int
    omitted: Mapping[str, str] = field(default_factory=dict)
    constant_form: ConstantForm
    counted: int
    weights: str | None = None
    mended: Mended = "nothing"

    def _fit(self) -> dict[str, Any]:
        shares = {
            name: getattr(self, name)
            for name in (
                "r2",
                "r2_adjusted",
                "r2_within",
                "r2_first_within",
                "r2_first_within_adjusted",
            )
        }
        few = {} if self.n_clusters is None else {"n_clusters": self.n_clusters}
        return shares | few | {"singletons": self.singletons}

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was
        left out.
        """
        effects = f" with {listed(self.effects)} effects" if self.effects else ""
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        weighted = f", weighted by {self.weights}" if self.weights else ""
        mended_note = {
            "nothing": "",
            "constant": ", the constant's negative eigenvalue set to zero",
            "slopes": ", negative eigenvalues set to zero",
        }[self.mended]
        gone = (
            "; regressors left out:"
            f" {'; '.join(f'{name} ({why})' for name, why in self.omitted.items())}"
            if self.omitted
            else ""
        )
        alone = (
            f"; kept although alone in a level of an effect: {rows(self.singletons)}"
            if self.singletons
            else ""
        )
        return (
            f"{self.outcome} on {', '.join(self.regressors)}{effects}{weighted},"
            f" {rows(self.n)}{f' ({levels})' if levels else ''}; standard errors"
            f" {self.convention}{mended_note}; left out: {left_out(self.dropped)}{gone}{alone}."
        )


def fixed_effects(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    effects: Sequence[str] = ("city_code", "year"),
    *,
    covariance: CovarianceOption = "iid",
    small: EffectsSmall = "reghdfe_nested",
    weights: str | None = None,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    constant: ConstantForm = "grand_mean",
    singletons: Singletons = "keep",
    collinear: Collinear = "error",
    effect_count: EffectCount = "pairwise",
) -> FixedEffectsResult:
    """Regress the outcome on the regressors and any number of effects, by (weighted) least squares.

    Parameters
    ----------
    frame : in any order; other columns are ignored and nothing in it is modified
    outcome, regressors : numeric columns, in the units that the coefficients are wanted in
    effects : columns whose levels are taken out, none to many; "province#year" stands for the
        levels of the two columns together
    covariance : "iid", "robust", {"cluster": [...]} with one or two columns (or joined ones)
        whose groups may be correlated inside, {"driscoll_kraay": "year", "lags": 2} or {"conley":
        ["latitude", "longitude"], "km": 300} (analysis.estimators.core.kernels)
    small : small-sample convention: "reghdfe_nested", "fixest_nested", "fixest_full" or
        "linearmodels" (analysis.estimators.core.sandwich)
    weights : column of analytic weights (inverse to the variance of a row's error); only their
        ratios matter
    keys : columns that identify a row; default the effects where there are two, none otherwise; []
        allows any repetition
    where : rows to estimate on, a column or a mask
    constant : see the module's text
    singletons : "keep" rows that are alone in a level of an effect (areg), or "drop" them, again
        and again until none is (reghdfe)
    collinear : "error" where a regressor is absorbed by the effects or is a combination of others,
        or "drop" it: of a combination the
        first in the order given stay, and the result names what went
    effect_count : how levels of three or more effects are counted: "pairwise" (reghdfe) or "exact",
        the rank of the dummies

    Raises
    ------
    ValueError : an unknown or non-numeric column, two rows with one key, a negative weight, too few
        rows or clusters, a regressor that does
        not vary once the effects are taken out, or regressors that are combinations of each other;
        the message names them.
    """
    begun = time.perf_counter()
    errors = covariance_of(covariance, kinds=get_args(CovarianceKind))
    _check_call(outcome, regressors, effects, constant)
    alone = checked("singletons", singletons, Singletons)
    left_out = checked("collinear", collinear, Collinear)
    near = (*errors.place, *([errors.time] if errors.time else []))
    sample = read_sample(
        frame,
        [outcome, *regressors],
        effects,
        (*errors.clusters, *near),
        weights=weights,
        keys=keys,
        where=where,
        how=Taking(levels=near, drop_singletons=alone == "drop"),
    )
    named = outcome, tuple(regressors), tuple(effects), weights
    asked = _Asked(*named, errors, small, constant, left_out == "drop", effect_count)
    return _estimated(sample, asked, begun)


@dataclass(frozen=True)
class _Asked:
    """What one call asks for, but for the rows."""

    outcome: str
    regressors: tuple[str, ...]
    effects: tuple[str, ...]
    weights: str | None
    errors: Covariance
    small: EffectsSmall
    constant: ConstantForm
    drop: bool
    effect_count: EffectCount

    def __post_init__(self) -> None:
        checked("small", self.small, EffectsSmall)
        checked("effect_count", self.effect_count, EffectCount)

    @property
    def method(self) -> str:
        return "least squares" + (f" with {listed(self.effects)} effects" if self.effects else "")


def _levels(sample: Sample, asked: _Asked) -> LevelCount:
    """The effects' levels; fewer, with the regressors, than rows."""
    count = LevelCount(sample.of(asked.effects), asked.effect_count)
    levels, k = count.of_all(), len(asked.regressors)
    if sample.n <= k + levels:
        lost = ", ".join(f"{reason}: {rows}" for reason, rows in sample.dropped.items()) or "none"
        raise ValueError(
            f"{sample.n} complete rows cannot carry {k} regressors and {levels} effects (rows left"
            f" out: {lost})."
        )
    return count


def _estimated(sample: Sample, asked: _Asked, begun: float) -> FixedEffectsResult:
    effects, errors, count = asked.effects, asked.errors, _levels(sample, asked)
    within = Absorber(sample.of(effects), sample.weights).residualise(sample.columns)
    moments = cross(within, within if sample.weights is None else within * sample.weights[:, None])
    names = (asked.outcome, *asked.regressors)
    kept, omitted = independent_columns(within, moments, sample, names, effects, drop=asked.drop)
    fit = regression(sample, within, moments, kept, effects, asked.constant)
    clusters = {name: sample.groups[name] for name in errors.clusters}
    alike = [sample.groups[errors.time]] if errors.time else list(clusters.values())
    paid = small_sample(asked.small, sample.n, len(kept), count, alike)
    covariance, changed = spread(sample, fit, errors, paid, asked.small)
    terms = [*(asked.regressors[at] for at in kept), CONSTANT]
    b = np.append(fit.slopes[: len(kept)], fit.constant)
    few = min((size for _, size in alike), default=None)
    return FixedEffectsResult(
        method=asked.method,
        outcome=asked.outcome,
        regressors=tuple(terms[:-1]),
        effects=effects,
        coefficients=pd.Series(b, index=terms, name="coefficient"),
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        convention=_convention(errors, sample, paid, asked.small),
        df_t=paid.df_t,
        groups={name: sample.groups[name][1] for name in effects},
        clusters={name: size for name, (_, size) in clusters.items()},
        n_clusters=few,
        **r_squared(sample, within, fit.residuals, effects, paid, len(kept)),
        **_of_sample(sample),
        omitted=omitted,
        constant_form=asked.constant,
        counted=paid.counted,
        weights=asked.weights,
        mended=changed,
        warnings=_warnings(changed, omitted, few) + _of_inference(sample, within, asked, kept),
        seconds=time.perf_counter() - begun,
    )


def _of_sample(sample: Sample) -> dict[str, Any]:
    return {
        "n": sample.n,
        "singletons": sample.singletons,
        "dropped": sample.dropped,
        "sample": sample.labels,
    }


def _of_inference(
    sample: Sample, within: np.ndarray, asked: _Asked, kept: Sequence[int]
) -> tuple[Caution, ...]:
    """What the rows of this regression give cause for."""
    columns = [0, *(at + 1 for at in kept)]
    root = None if sample.weights is None else np.sqrt(sample.weights)[:, None]
    return inference_cautions(
        Design(
            outcome=asked.outcome,
            regressors=tuple(asked.regressors[at] for at in kept),
            raw=sample.columns[:, columns],
            within=within[:, columns] if root is None else within[:, columns] * root,
            groups={n: g for n, g in sample.groups.items() if n not in asked.errors.place},
            effects=asked.effects,
            clusters=asked.errors.clusters,
        )
    )


def _warnings(
    changed: Mended, omitted: Mapping[str, str], clusters: int | None
) -> tuple[Caution, ...]:
    found = [Caution("omitted", f"{name} was left out: {why}.") for name, why in omitted.items()]
    if changed == "slopes":
        text = "The covariance was not positive semidefinite: eigenvalues below zero were cut."
        remedy = "Compare with clusters by one column, or with a triangular kernel."
        found.append(Caution("mended_covariance", text, remedy))
    if clusters is not None:
        found += few_clusters(clusters)
    return tuple(found)


def _check_call(
    outcome: str, regressors: Sequence[str], effects: Sequence[str], constant: str
) -> None:
    columns_of("regressors", regressors, outcome=outcome)
    columns_of("effects", effects, empty=True)
    checked("constant", constant, ConstantForm)
    if constant == "first_period" and len(effects) != 2:
        raise ValueError(f"constant = 'first_period' is for two effects; there are {len(effects)}.")


def _convention(errors: Covariance, sample: Sample, paid: SmallSample, small: EffectsSmall) -> str:
    like = "" if small == "reghdfe_nested" else f", K as {small.replace('_', ' ')}"
    if clusters := errors.clusters:
        counts = " and ".join(f"{sample.groups[name][1]:,}" for name in clusters)
        factor = "N/(N-K)" if small == "linearmodels" else "G/(G-1)·(N-1)/(N-K)"
        return (
            f"clustered by {' and '.join(clusters)} ({counts} clusters, factor {factor}{like}, t"
            f" with {paid.df_t:,} degrees of freedom)"
        )
    if errors.kind in NEAR:
        return NEAR[errors.kind](errors, sample, f"{like}, t with {paid.df_t:,} degrees of freedom")
    text = (
        "robust to heteroskedasticity (factor N/(N-K)"
        if errors.kind == "robust"
        else "homoskedastic (RSS/(N-K)"
    )
    return f"{text}{like}, t with {paid.df_t:,} degrees of freedom)"


def _by_period(errors: Covariance, sample: Sample, counted: str) -> str:
    periods = sample.groups[errors.time][1]
    lags = lags_of(errors.lags, periods)
    return (
        f"of Driscoll and Kraay by {errors.time} ({periods} periods, {lags} lags, factor"
        f" T/(T-1)·(N-1)/(N-K){counted})"
    )


def _by_place(errors: Covariance, sample: Sample, counted: str) -> str:
    return f"of Conley up to {errors.km:g} km ({errors.kernel}, factor N/(N-K){counted})"


NEAR = {"driscoll_kraay": _by_period, "conley": _by_place}
