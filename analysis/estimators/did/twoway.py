"""Difference in differences and event studies by two-way fixed effects.

    difference_in_differences   outcome on a treatment dummy, unit and period effects
    event_study                 outcome on dummies of the time since treatment, a base period left out
    treated_by_period           outcome on (treated group) x (period) dummies, a base period left out

The regressions and their standard errors are those of `fixed_effects`. Where treatment starts at different times and effects
differ, the first averages comparisons with already treated units (see `bacon_decomposition`), and the second mixes effects of other
event times into each coefficient; `callaway_santanna`, `sun_abraham` and `imputation` do not.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers
from analysis.estimators.core.options import EffectsSmall, EventEnds, MissingCohort
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.sample import DidSample, did_sample, period_text, wald
from analysis.estimators.linear.fixed_effects import FixedEffectsResult, fixed_effects

CONVENTION: EffectsSmall = "reghdfe_nested"


@dataclass(frozen=True, eq=False, kw_only=True)
class DidResult(Result):
    """A two-way fixed-effects difference in differences.

    Attributes beyond `Result`
    ----------
    treatment : the term that is the effect
    regression : the regression behind it, with its constant and R-squared
    """

    treatment: str
    regression: FixedEffectsResult


@dataclass(frozen=True, eq=False, kw_only=True)
class EventStudyResult(Result):
    """Effects by time since treatment, or by period.

    Attributes beyond `Result`
    ----------
    estimates : one row an event time (or period), the base among them: event_time, term, att, standard_error (missing for the base),
        lower, upper (95 %), rows (treated units' rows behind it)
    base : the event times (or periods) left out
    regression : the regression behind it
    """

    estimates: pd.DataFrame
    base: tuple[float, ...]
    regression: FixedEffectsResult


def difference_in_differences(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    *,
    treatment: str | None = None,
    cohort: str | None = None,
    covariates: Sequence[str] = (),
    cluster: str | Sequence[str] | None = None,
    weights: str | None = None,
    convention: EffectsSmall = CONVENTION,
    missing_cohort: MissingCohort = "drop",
) -> DidResult:
    """The coefficient of a treatment dummy in a regression with unit and period effects.

    Parameters
    ----------
    frame : one row a unit and period, any order
    treatment : column that is one while treated (a dose is allowed); or
    cohort : column with the first treated period (0 or infinity for never), from which the dummy `treated` is made
    cluster : default the unit; with treatment, one or two columns
    weights : column of weights
    convention : of the standard errors, as in `fixed_effects`

    Raises
    ------
    ValueError : neither or both of treatment and cohort, two clusters with cohort; whatever `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    if (treatment is None) == (cohort is None):
        raise ValueError("give treatment (a column of zeros and ones) or cohort (the first treated period), not both.")
    if treatment is not None:
        term, fit = treatment, regress(frame, outcome, [treatment, *covariates], unit, time, cluster or unit, weights, convention)
        dropped, sample = dict(fit.dropped), fit.sample
    else:
        if cluster is not None and not isinstance(cluster, str):
            raise ValueError("with cohort one cluster column can be given; make the dummy and pass treatment for two.")
        data = did_sample(frame, outcome, unit, time, str(cohort), covariates, cluster, weights, missing_cohort=missing_cohort)
        term = "treated"
        work = working_frame(data, outcome, covariates, unit, time, cluster, weights).assign(**{term: data.treated.astype(float)})
        fit = regress(work, outcome, [term, *covariates], unit, time, cluster or unit, weights, convention)
        dropped, sample = data.dropped, data.labels
    return DidResult(
        method=f"two-way fixed-effects difference in differences ({term}{with_covariates(covariates)})",
        **shared_fields(fit, outcome, [term, *covariates], dropped, sample),
        seconds=clock.perf_counter() - started,
        treatment=term,
        regression=fit,
    )


def event_study(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    covariates: Sequence[str] = (),
    *,
    base: float | Sequence[float] = -1,
    first: float | None = None,
    last: float | None = None,
    ends: EventEnds = "bin",
    cluster: str | None = None,
    weights: str | None = None,
    convention: EffectsSmall = CONVENTION,
    missing_cohort: MissingCohort = "drop",
) -> EventStudyResult:
    """Dummies of e = period - first treated period, in a regression with unit and period effects.

    Parameters
    ----------
    base : event time(s) left out. Without never-treated units two are needed, or a binned end.
    first, last : shortest and longest event time with its own dummy (None: as far as the data go)
    ends : what happens outside: "bin" puts e <= first and e >= last into the end dummies; "drop" leaves those rows out (counted);
        "reference" leaves them without a dummy, together with the base (a habit of some papers: the base is then a mixture)
    cluster : default the unit
    convention : of the standard errors, as in `fixed_effects`

    tests["pre_trends"] : F test that all coefficients before the base's successor, e < 0, are zero.

    Raises
    ------
    ValueError : no unit treated inside the sample, a base outside the window, unknown options; whatever `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    data = did_sample(frame, outcome, unit, time, cohort, covariates, cluster, weights, missing_cohort=missing_cohort)
    event = data.time - data.cohort
    reached = event[np.isfinite(event)]
    if not len(reached):
        raise ValueError(f"no unit is treated inside the sample: {cohort!r} is never a period of it.")
    low, high = (reached.min() if first is None else first), (reached.max() if last is None else last)
    bases = _bases(base, low, high, ends)
    if ends == "drop":
        data = data.keep(~np.isfinite(event) | ((event >= low) & (event <= high)), "event time outside the window")
        event = data.time - data.cohort
    event = _windowed(event, low, high, ends)
    levels = np.unique(event[np.isfinite(event)])
    terms = {level: _term(level, low, high, first, last, ends, reached) for level in levels if level not in bases}
    dummies = {term: (event == level).astype(float) for level, term in terms.items()}
    work = working_frame(data, outcome, covariates, unit, time, cluster, weights).assign(**dummies)
    fit = regress(work, outcome, [*dummies, *covariates], unit, time, cluster or unit, weights, convention)
    fields = shared_fields(fit, outcome, [*dummies, *covariates], data.dropped, data.labels)
    counts = {level: int((event == level).sum()) for level in levels}
    shown = f"event times {period_text(low)} to {period_text(high)}, base {', '.join(period_text(b) for b in bases)}, ends: {ends}"
    return EventStudyResult(
        method=f"two-way fixed-effects event study ({shown}{with_covariates(covariates)})",
        **fields,
        tests={"pre_trends": _pre_test(fields, [term for level, term in terms.items() if level < 0])},
        seconds=clock.perf_counter() - started,
        estimates=estimates_table(fields, terms, counts, bases),
        base=bases,
        regression=fit,
    )


def treated_by_period(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    group: str,
    covariates: Sequence[str] = (),
    *,
    base: float,
    start: float | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    convention: EffectsSmall = CONVENTION,
) -> EventStudyResult:
    """Dummies of (treated group) x (period), one period left out: for a treatment that starts for all at once.

    Parameters
    ----------
    group : column that is one for units that are treated at some time
    base : the period left out
    start : first treated period, for the test that all earlier coefficients are zero; None: no such test
    """
    started = clock.perf_counter()
    check_columns(frame, [time, group])
    columns = numbers(frame, [time, group])
    member, when = columns[group].to_numpy(), columns[time].to_numpy()
    if not np.isin(member[~np.isnan(member)], (0.0, 1.0)).all():
        raise ValueError(f"column {group!r} holds values other than 0 and 1.")
    levels = np.unique(when[~np.isnan(when)])
    if base not in levels:
        raise ValueError(f"base = {base:g} is not a period of the sample ({', '.join(period_text(level) for level in levels)}).")
    terms = {level: f"{group} x {period_text(level)}" for level in levels if level != base}
    dummies = {term: np.where(np.isnan(member), np.nan, member * (when == level)) for level, term in terms.items()}
    fit = regress(frame.assign(**dummies), outcome, [*dummies, *covariates], unit, time, cluster or unit, weights, convention)
    fields = shared_fields(fit, outcome, [*dummies, *covariates], dict(fit.dropped), fit.sample)
    inside = np.isin(frame.index, fit.sample) if frame.index.is_unique else np.ones(len(frame), dtype=bool)
    counts = {level: int(((when == level) & (member == 1) & inside).sum()) for level in levels}
    before = [term for level, term in terms.items() if start is not None and level < start]
    return EventStudyResult(
        method=f"effects of {group} by {time} (two-way fixed effects, base {period_text(base)}{with_covariates(covariates)})",
        **fields,
        tests={"pre_trends": _pre_test(fields, before)} if start is not None else {},
        seconds=clock.perf_counter() - started,
        estimates=estimates_table(fields, terms, counts, (base,)),
        base=(base,),
        regression=fit,
    )


def regress(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    unit: str,
    time: str,
    cluster: str | Sequence[str],
    weights: str | None,
    convention: EffectsSmall = CONVENTION,
) -> FixedEffectsResult:
    """`fixed_effects` with unit and period effects."""
    clusters = [cluster] if isinstance(cluster, str) else list(cluster)
    return fixed_effects(frame, outcome, list(regressors), [unit, time], covariance={"cluster": clusters}, small=convention, weights=weights)


def working_frame(sample: DidSample, outcome: str, covariates: Sequence[str], unit: str, time: str, cluster: str | None, weights: str | None) -> pd.DataFrame:
    """The checked rows as a frame, in sorted order, with numbers for units and clusters."""
    columns: dict[str, np.ndarray] = {unit: sample.unit, time: sample.time, outcome: sample.y}
    columns |= {name: sample.x[:, i] for i, name in enumerate(covariates)}
    if cluster and cluster not in columns:
        columns[cluster] = sample.cluster
    if weights and weights not in columns:
        columns[weights] = sample.weight
    return pd.DataFrame(columns)


def shared_fields(fit: FixedEffectsResult, outcome: str, terms: Sequence[str], dropped: dict[str, int], sample: pd.Index) -> dict[str, Any]:
    """The part of `Result` that a regression hands on; `terms` without its constant."""
    chosen = list(terms)
    return {
        "outcome": outcome,
        "coefficients": fit.coefficients.loc[chosen],
        "covariance": fit.covariance.loc[chosen, chosen],
        "convention": fit.convention,
        "df_t": fit.df_t,
        "n": fit.n,
        "groups": dict(fit.groups),
        "dropped": dropped,
        "sample": sample,
    }


def estimates_table(fields: dict[str, Any], terms: dict[float, str], counts: dict[float, int], bases: Sequence[float]) -> pd.DataFrame:
    """Event times in order, the base with zero and no standard error."""
    plain = Result(method="", **fields)
    errors, intervals = plain.standard_errors, plain.confidence_intervals()
    found = []
    for level in sorted({*terms, *bases}):
        row: dict[str, object] = {"event_time": level, "term": terms.get(level, ""), "rows": counts.get(level, 0)}
        if level in terms:
            term = terms[level]
            row |= {"att": fields["coefficients"][term], "standard_error": errors[term]}
            row |= {"lower": intervals.loc[term, "lower"], "upper": intervals.loc[term, "upper"]}
        else:
            row |= {"att": 0.0, "standard_error": np.nan, "lower": np.nan, "upper": np.nan}
        found.append(row)
    return pd.DataFrame(found)[["event_time", "term", "att", "standard_error", "lower", "upper", "rows"]]


def with_covariates(covariates: Sequence[str]) -> str:
    """'; with x, z' for a note, nothing without covariates."""
    return f"; with {', '.join(covariates)}" if covariates else ""


def _pre_test(fields: dict[str, Any], terms: list[str]) -> Test:
    null = "all coefficients before treatment are zero"
    if not terms:
        return Test("pre-trends F", float("nan"), 0.0, float("nan"), fields["df_t"], null)
    covariance = fields["covariance"].loc[terms, terms].to_numpy()
    return wald("pre-trends F", fields["coefficients"][terms].to_numpy(), covariance, fields["df_t"], null)


def _bases(base: float | Sequence[float], low: float, high: float, ends: EventEnds) -> tuple[float, ...]:
    if ends not in ("bin", "drop", "reference"):
        raise ValueError(f"ends = {ends!r}: it is 'bin', 'drop' or 'reference'.")
    bases = tuple(float(value) for value in (base if isinstance(base, Sequence) else [base]))
    outside = [value for value in bases if not low <= value <= high]
    if outside or not bases:
        raise ValueError(f"base {list(bases)} lies outside the event times {low:g} to {high:g}.")
    return bases


def _windowed(event: np.ndarray, low: float, high: float, ends: EventEnds) -> np.ndarray:
    never = np.isinf(event)
    if ends == "bin":
        return np.where(never, -np.inf, np.clip(event, low, high))
    outside = (event < low) | (event > high)
    return np.where(never | outside, -np.inf, event)


def _term(level: float, low: float, high: float, first: float | None, last: float | None, ends: EventEnds, reached: np.ndarray) -> str:
    if ends == "bin" and first is not None and level == low and reached.min() < low:
        return f"e<={period_text(level)}"
    if ends == "bin" and last is not None and level == high and reached.max() > high:
        return f"e>={period_text(level)}"
    return f"e={period_text(level)}"
