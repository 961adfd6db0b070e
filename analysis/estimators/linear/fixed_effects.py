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
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.collinear import independent_columns
from analysis.estimators.core.columns import rows
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import (
    Collinear,
    ConstantForm,
    Covariance,
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
from analysis.estimators.core.sample import Sample, read_sample
from analysis.estimators.core.sandwich import (
    LevelCount,
    Mended,
    SmallSample,
    bread,
    meat,
    mended,
    small_sample,
)
from analysis.estimators.core.tall import cross, inner, times


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
        effects = f" with {_listed(self.effects)} effects" if self.effects else ""
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        weighted = f", weighted by {self.weights}" if self.weights else ""
        mended_note = {
            "nothing": "",
            "constant": ", the constant's negative eigenvalue set to zero",
            "slopes": ", negative eigenvalues set to zero",
        }[self.mended]
        left_out = (
            "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
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
            f" {self.convention}{mended_note}; left out: {left_out}{gone}{alone}."
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
    covariance : "iid", "robust", or {"cluster": [...]} with one or two columns (or joined ones)
        whose groups may be correlated inside
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
    errors = covariance_of(covariance)
    _check_call(outcome, regressors, effects, constant)
    asked = (
        ("small", small, EffectsSmall),
        ("singletons", singletons, Singletons),
        ("collinear", collinear, Collinear),
        ("effect_count", effect_count, EffectCount),
    )
    for name, value, choices in asked:
        checked(name, value, choices)
    sample = read_sample(
        frame,
        [outcome, *regressors],
        effects,
        errors.clusters,
        weights=weights,
        keys=keys,
        where=where,
        drop_singletons=singletons == "drop",
    )
    count = LevelCount(sample.of(effects), effect_count)
    levels = count.of_all()
    if sample.n <= len(regressors) + levels:
        left_out = (
            ", ".join(f"{reason}: {count}" for reason, count in sample.dropped.items()) or "none"
        )
        raise ValueError(
            f"{sample.n} complete rows cannot carry {len(regressors)} regressors and {levels}"
            f" effects (rows left out: {left_out})."
        )
    within = Absorber(sample.of(effects), sample.weights).residualise(sample.columns)
    moments = cross(within, within if sample.weights is None else within * sample.weights[:, None])
    kept, omitted = independent_columns(
        within, moments, sample, (outcome, *regressors), tuple(effects), drop=collinear == "drop"
    )
    regression = _regression(sample, within, moments, kept, tuple(effects), constant)
    paid = small_sample(
        small, sample.n, len(kept), count, [sample.groups[name] for name in errors.clusters]
    )
    spread, changed = _covariance(sample, regression, errors, paid, small)
    terms = [*(regressors[at] for at in kept), CONSTANT]
    shares = _r_squared(sample, within, regression.residuals, effects, paid, len(kept))
    few = min((sample.groups[name][1] for name in errors.clusters), default=None)
    return FixedEffectsResult(
        method="least squares" + (f" with {_listed(effects)} effects" if effects else ""),
        outcome=outcome,
        regressors=tuple(terms[:-1]),
        effects=tuple(effects),
        coefficients=pd.Series(
            np.append(regression.slopes[: len(kept)], regression.constant),
            index=terms,
            name="coefficient",
        ),
        covariance=pd.DataFrame(spread, index=terms, columns=terms),
        convention=_convention(errors, sample, paid, small),
        df_t=paid.df_t,
        n=sample.n,
        groups={name: sample.groups[name][1] for name in effects},
        clusters={name: sample.groups[name][1] for name in errors.clusters},
        n_clusters=few,
        r2=shares["r2"],
        r2_adjusted=shares["r2_adjusted"],
        r2_within=shares["r2_within"],
        r2_first_within=shares["r2_first_within"],
        r2_first_within_adjusted=shares["r2_first_within_adjusted"],
        singletons=sample.singletons,
        dropped=sample.dropped,
        omitted=omitted,
        sample=sample.labels,
        constant_form=constant,
        counted=paid.counted,
        weights=weights,
        mended=changed,
        warnings=_warnings(changed, omitted, few),
        seconds=time.perf_counter() - begun,
    )


def _warnings(
    changed: Mended, omitted: Mapping[str, str], clusters: int | None
) -> tuple[Caution, ...]:
    found = [Caution("omitted", f"{name} was left out: {why}.") for name, why in omitted.items()]
    if changed == "slopes":
        text = (
            "The two-way covariance was not positive semidefinite: its negative eigenvalues were "
            "set to zero."
        )
        found.append(
            Caution("mended_covariance", text, "Compare with clusters by either column alone.")
        )
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


@dataclass(frozen=True, eq=False)
class _Regression:
    """Least squares on residualised regressors; with 'first_period' the second effect's dummies
    come after the `own` regressors.
    """

    own: int
    slopes: np.ndarray  # (k,)
    constant: float
    columns: np.ndarray  # (n, 1 + k) outcome and regressors, residualised
    means: np.ndarray  # (k,)
    gram: np.ndarray  # (k, k)
    residuals: np.ndarray  # (n,)


def _regression(
    sample: Sample,
    within: np.ndarray,
    moments: np.ndarray,
    kept: list[int],
    effects: tuple[str, ...],
    constant: ConstantForm,
) -> _Regression:
    columns = [0, *(at + 1 for at in kept)]
    means = sample.means[columns]
    if constant == "first_period":
        within, shares = _with_dummies(sample, columns, effects)
        means = np.append(means, shares)
        moments = cross(
            within, within if sample.weights is None else within * sample.weights[:, None]
        )
    elif len(columns) < within.shape[1]:
        within, moments = (
            np.ascontiguousarray(within[:, columns]),
            moments[np.ix_(columns, columns)],
        )
    gram = moments[1:, 1:]
    scale = 1 / np.sqrt(np.diag(gram))
    scaled = gram * np.outer(scale, scale)
    if constant == "first_period" and np.linalg.eigvalsh(scaled)[0] < 1e-10:
        raise ValueError(
            f"the first level of {effects[1]} is not comparable in every connected part of the"
            " panel: use constant = 'grand_mean'."
        )
    slopes = scale * np.linalg.solve(scaled, scale * moments[1:, 0])
    return _Regression(
        len(kept),
        slopes,
        float(means[0] - means[1:] @ slopes),
        within,
        means[1:],
        gram,
        times(within, np.append(1.0, -slopes)[:, None])[:, 0],
    )


def _with_dummies(
    sample: Sample, columns: list[int], effects: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The columns and the second effect's dummies but the first with the first effect taken out,
    and the dummies' means.
    """
    codes, size = sample.groups[effects[1]]
    dummies = (codes[:, None] == np.arange(1, size)).astype(float)
    shares = (
        dummies.mean(axis=0)
        if sample.weights is None
        else cross(sample.weights[:, None], dummies)[0] / sample.n
    )
    together = np.column_stack([sample.columns[:, columns], dummies])
    return (
        Absorber(sample.of(effects[:1]), sample.weights).residualise(together, overwrite=True),
        shares,
    )


def _covariance(
    sample: Sample, fit: _Regression, errors: Covariance, paid: SmallSample, small: EffectsSmall
) -> tuple[np.ndarray, Mended]:
    """(terms, terms), the constant last, and what had to be mended."""
    half = bread(fit.gram, fit.means, float(sample.n))[[*range(fit.own), -1]]
    middle = meat(
        errors.kind,
        fit.columns,
        fit.residuals,
        sample.weights,
        [sample.groups[name] for name in errors.clusters],
    )[1:, 1:]
    covariance = paid.factor * half @ middle @ half.T
    covariance = (covariance + covariance.T) / 2
    return (
        mended(covariance)
        if len(errors.clusters) == 2 and small != "linearmodels"
        else (covariance, "nothing")
    )


def _r_squared(
    sample: Sample,
    within: np.ndarray,
    residuals: np.ndarray,
    effects: Sequence[str],
    paid: SmallSample,
    k: int,
) -> dict[str, float]:
    """The R-squared of the module's text; the residuals are the same in all of them, what they are
    compared with differs.
    """
    n, y = sample.n, sample.columns[:, :1]
    rss = _squares(sample, residuals)
    share = 1 - rss / _squares(sample, y[:, 0] - sample.means[0])
    first = (
        within[:, 0]
        if len(effects) < 2
        else Absorber(sample.of(effects[:1]), sample.weights).residualise(y)[:, 0]
    )
    first_within = 1 - rss / _squares(sample, first)
    return {
        "r2": share,
        "r2_adjusted": 1 - (1 - share) * (n - 1) / (n - k - paid.levels),
        "r2_within": 1 - rss / _squares(sample, within[:, 0]),
        "r2_first_within": first_within,
        "r2_first_within_adjusted": 1 - (1 - first_within) * (n - 1) / (n - paid.counted),
    }


def _squares(sample: Sample, column: np.ndarray) -> float:
    return inner(column, column if sample.weights is None else column * sample.weights)


def _convention(errors: Covariance, sample: Sample, paid: SmallSample, small: EffectsSmall) -> str:
    like = "" if small == "reghdfe_nested" else f", K as {small.replace('_', ' ')}"
    if clusters := errors.clusters:
        counts = " and ".join(f"{sample.groups[name][1]:,}" for name in clusters)
        factor = "N/(N-K)" if small == "linearmodels" else "G/(G-1)·(N-1)/(N-K)"
        return (
            f"clustered by {' and '.join(clusters)} ({counts} clusters, factor {factor}{like}, t"
            f" with {paid.df_t:,} degrees of freedom)"
        )
    text = (
        "robust to heteroskedasticity (factor N/(N-K)"
        if errors.kind == "robust"
        else "homoskedastic (RSS/(N-K)"
    )
    return f"{text}{like}, t with {paid.df_t:,} degrees of freedom)"


def _listed(names: Sequence[str]) -> str:
    """'city_code', 'city_code and year', 'firm, city_code and year'."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
