"""Difference in differences and event studies by two-way fixed effects.

    difference_in_differences   outcome on a treatment dummy, unit and period effects
    event_study                 outcome on dummies of the time since treatment, a base left out
    treated_by_period           outcome on (treated group) x (period) dummies, a base left out

The regressions and their standard errors are those of `fixed_effects`. Where treatment starts at
different times and effects differ, the first averages comparisons with already treated units (see
`bacon_decomposition`), and the second mixes effects of other event times into each coefficient;
`callaway_santanna`, `sun_abraham` and `imputation` do not.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers
from analysis.estimators.core.options import (
    CovarianceOption,
    EffectsSmall,
    EventEnds,
    MissingCohort,
    Where,
    checked,
)
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sample import rows_asked
from analysis.estimators.did import cautions
from analysis.estimators.did.regression import (
    EFFECTS_SMALL,
    Regressed,
    bases_of,
    effect_names,
    estimates_table,
    joint_test,
    regress,
)
from analysis.estimators.did.sample import Call, DidSample, did_sample, period_text, read_call
from analysis.estimators.linear.fixed_effects import FixedEffectsResult


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

    def _fit(self) -> dict[str, Any]:
        return self.regression._fit()


@dataclass(frozen=True, eq=False, kw_only=True)
class EventStudyResult(Result):
    """Effects by time since treatment, or by period.

    Attributes beyond `Result`
    ----------
    by : "event time" or "period"; the equation of these rows in `tidy`, whose term is the time
    estimates : one row an event time (or period), the base among them: event_time, term, att,
        standard_error (missing for the base), lower, upper (95 %), rows (of treated units)
    base : the event times (or periods) left out
    regression : the regression behind it
    """

    by: str
    estimates: pd.DataFrame
    base: tuple[float, ...]
    regression: FixedEffectsResult

    def _fit(self) -> dict[str, Any]:
        return self.regression._fit()

    def _names(self) -> tuple[list[str], list[str]]:
        return effect_names(self, self.by, set(self.estimates["term"]))


def difference_in_differences(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    controls: Sequence[str] = (),
    *,
    treatment: str | None = None,
    cohort: str | None = None,
    covariance: CovarianceOption | None = None,
    small: EffectsSmall = EFFECTS_SMALL,
    weights: str | None = None,
    where: Where | None = None,
    missing_cohort: MissingCohort = "ask",
) -> DidResult:
    """The coefficient of a treatment dummy in a regression with unit and period effects.

    Parameters
    ----------
    treatment : column that is one while treated (a dose is allowed); or
    cohort : the first treated period, from which the dummy `treated` is made
    covariance : any of `fixed_effects`; None clusters by the unit. With treatment clusters may be
        two columns
    others : see analysis.estimators.did.sample

    Raises
    ------
    ValueError : neither or both of treatment and cohort, two clusters with cohort; whatever
        `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    if (treatment is None) == (cohort is None):
        raise ValueError(
            "give treatment (a column of zeros and ones) or cohort (the first treated period),"
            " not both."
        )
    most = 1 if treatment is None else 2
    call = read_call((outcome, unit, time, cohort), controls, covariance, weights, most=most)
    term = treatment or "treated"
    if treatment is None:
        data = did_sample(frame, call, where, missing_cohort=missing_cohort)
        work = data.working_frame().assign(**{term: data.treated.astype(float)})
        fit = regress(work, call, [term, *call.controls], small, data)
    else:
        fit = _on_dummy(frame, call, treatment, small, where)
    return DidResult(
        method=f"two-way fixed-effects difference in differences ({term}{call.with_controls})",
        **fit.fields,
        seconds=clock.perf_counter() - started,
        treatment=term,
        regression=fit.regression,
    )


def _on_dummy(
    frame: pd.DataFrame, call: Call, treatment: str, small: EffectsSmall, where: Where | None
) -> Regressed:
    """The regression on a column of treatment, with what is to be said of few treated units."""
    fit = regress(frame, call, [treatment, *call.controls], small, where=where)
    used = frame[[call.unit, treatment]].iloc[fit.rows]
    treated = used.loc[used[treatment] != 0, call.unit].nunique()
    return fit.with_warnings(cautions.few_treated(treatment, treated))


def event_study(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    controls: Sequence[str] = (),
    *,
    covariance: CovarianceOption | None = None,
    small: EffectsSmall = EFFECTS_SMALL,
    weights: str | None = None,
    where: Where | None = None,
    base: float | Sequence[float] = -1,
    first: float | None = None,
    last: float | None = None,
    ends: EventEnds = "bin",
    missing_cohort: MissingCohort = "ask",
) -> EventStudyResult:
    """Dummies of e = period - first treated period, in a regression with unit and period effects.

    Parameters
    ----------
    base : event time(s) left out. Without never-treated units two are needed, or a binned end.
    first, last : shortest and longest event time with its own dummy (None: as far as data go)
    ends : what happens outside: "bin" puts e <= first and e >= last into the end dummies; "drop"
        leaves those rows out (counted); "reference" leaves them without a dummy, together with the
        base (a habit of some papers: the base is then a mixture)
    others : see analysis.estimators.did.sample

    tests["pre_trends"] : F test that all coefficients before the base's successor, e < 0, are zero.

    Raises
    ------
    ValueError : no unit treated inside the sample, a base outside the window, unknown options;
        whatever `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    checked("ends", ends, EventEnds)
    call = read_call((outcome, unit, time, cohort), controls, covariance, weights)
    data = did_sample(frame, call, where, missing_cohort=missing_cohort)
    window = _Window.over(data, base, (first, last), ends)
    if ends == "drop":
        data = data.keep(window.inside(data), "event time outside the window")
    terms, dummies, counts = window.dummies(data)
    work = data.working_frame().assign(**dummies)
    fit = regress(work, call, [*dummies, *call.controls], small, data)
    before = [term for level, term in terms.items() if level < 0]
    return EventStudyResult(
        method=f"two-way fixed-effects event study ({window.text()}{call.with_controls})",
        **fit.fields,
        tests={"pre_trends": joint_test(fit.fields, before, "all coefficients")},
        seconds=clock.perf_counter() - started,
        by="event time",
        estimates=estimates_table(fit.fields, terms, counts, window.bases),
        base=window.bases,
        regression=fit.regression,
    )


def treated_by_period(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    group: str,
    controls: Sequence[str] = (),
    *,
    base: float,
    covariance: CovarianceOption | None = None,
    small: EffectsSmall = EFFECTS_SMALL,
    weights: str | None = None,
    where: Where | None = None,
    start: float | None = None,
) -> EventStudyResult:
    """Dummies of (treated group) x (period), one period left out: for treatments of one start.

    Parameters
    ----------
    group : column that is one for units that are treated at some time
    base : the period left out
    start : first treated period, for the test that all earlier coefficients are zero; None: none
    others : see analysis.estimators.did.sample; clusters may be two columns

    Raises
    ------
    ValueError : a group other than 0 and 1, a base that no row has; whatever `fixed_effects`
        refuses.
    """
    started = clock.perf_counter()
    call = read_call((outcome, unit, time, None), controls, covariance, weights, most=2)
    check_columns(frame, [time, group])
    asked, outside = rows_asked(frame, where)
    columns = numbers(asked, [time, group])
    by_period = _GroupByPeriod(group, columns[group].to_numpy(), columns[time].to_numpy(), base)
    dummies = by_period.dummies()
    work = asked.assign(**dummies)
    fit = regress(work, call, [*dummies, *call.controls], small, outside=outside)
    treated = asked.loc[by_period.treated(fit.rows), unit].nunique()
    fit = fit.with_warnings(cautions.few_treated(group, treated))
    named = f"two-way fixed effects, base {period_text(base)}{call.with_controls}"
    return EventStudyResult(
        method=f"effects of {group} by {time} ({named})",
        **fit.fields,
        tests=by_period.tests(fit, start),
        seconds=clock.perf_counter() - started,
        by="period",
        estimates=by_period.estimates(fit),
        base=(base,),
        regression=fit.regression,
    )


@dataclass(frozen=True)
class _GroupByPeriod:
    """Dummies of a group in each period but the base: who is in it (n,), and when (n,)."""

    group: str
    member: np.ndarray
    when: np.ndarray
    base: float

    @cached_property
    def levels(self) -> np.ndarray:
        return _periods(self.group, self.member, self.when, self.base)

    @property
    def terms(self) -> dict[float, str]:
        """The term of each period but the base."""
        others = [level for level in self.levels if level != self.base]
        return {level: f"{self.group} x {period_text(level)}" for level in others}

    def dummies(self) -> dict[str, np.ndarray]:
        """(n,) by term; missing where the group is."""
        unknown = np.isnan(self.member)
        return {
            term: np.where(unknown, np.nan, self.member * (self.when == level))
            for level, term in self.terms.items()
        }

    def treated(self, rows: np.ndarray) -> np.ndarray:
        """Rows (n,) of the group among those that were used."""
        return np.asarray((self.member == 1) & np.isin(np.arange(len(self.member)), rows))

    def estimates(self, fit: Regressed) -> pd.DataFrame:
        inside = self.treated(fit.rows)
        counts = {level: int(((self.when == level) & inside).sum()) for level in self.levels}
        return estimates_table(fit.fields, self.terms, counts, (self.base,))

    def tests(self, fit: Regressed, start: float | None) -> dict[str, Test]:
        """That the periods before the start are zero; nothing where no start is given."""
        if start is None:
            return {}
        before = [term for level, term in self.terms.items() if level < start]
        return {"pre_trends": joint_test(fit.fields, before, "all coefficients")}


def _periods(group: str, member: np.ndarray, when: np.ndarray, base: float) -> np.ndarray:
    if not np.isin(member[~np.isnan(member)], (0.0, 1.0)).all():
        raise ValueError(f"column {group!r} holds values other than 0 and 1.")
    levels = np.unique(when[~np.isnan(when)])
    if base not in levels:
        known = ", ".join(period_text(level) for level in levels)
        raise ValueError(f"base = {base:g} is not a period of the sample ({known}).")
    return levels


@dataclass(frozen=True)
class _Window:
    """Which event times have a dummy of their own.

    first, last : as asked; low, high : as they are; reached : shortest and longest in the sample
    """

    bases: tuple[float, ...]
    first: float | None
    last: float | None
    low: float
    high: float
    reached: tuple[float, float]
    ends: EventEnds

    @staticmethod
    def over(
        data: DidSample,
        base: float | Sequence[float],
        asked: tuple[float | None, float | None],
        ends: EventEnds,
    ) -> _Window:
        event = data.time - data.cohort
        event = event[np.isfinite(event)]
        if not len(event):
            name = data.call.cohort
            raise ValueError(
                f"no unit is treated inside the sample: {name!r} is never a period of it."
            )
        reached = float(event.min()), float(event.max())
        low, high = (r if a is None else a for a, r in zip(asked, reached, strict=True))
        bases = bases_of(base)
        if not bases or any(not low <= value <= high for value in bases):
            raise ValueError(
                f"base {list(bases)} lies outside the event times {low:g} to {high:g}."
            )
        return _Window(bases, *asked, low, high, reached, ends)

    def inside(self, data: DidSample) -> np.ndarray:
        """Rows (n,) of never-treated units, and those whose event time lies in the window."""
        event = data.time - data.cohort
        return np.asarray(~np.isfinite(event) | ((event >= self.low) & (event <= self.high)))

    def event_times(self, data: DidSample) -> np.ndarray:
        """Event time of each row (n,), minus infinity for those without a dummy."""
        event = data.time - data.cohort
        if self.ends == "bin":
            return np.where(np.isinf(event), -np.inf, np.clip(event, self.low, self.high))
        outside = (event < self.low) | (event > self.high)
        return np.where(np.isinf(event) | outside, -np.inf, event)

    def dummies(
        self, data: DidSample
    ) -> tuple[dict[float, str], dict[str, np.ndarray], dict[float, int]]:
        """The term of each event time but the bases, the dummies (n,) by term, and the rows of each
        event time.
        """
        event = self.event_times(data)
        levels = np.unique(event[np.isfinite(event)])
        terms = {level: self.term(level) for level in levels if level not in self.bases}
        dummies = {term: (event == level).astype(float) for level, term in terms.items()}
        return terms, dummies, {level: int((event == level).sum()) for level in levels}

    def term(self, level: float) -> str:
        """'e=-2', 'e>=4' where longer ones are in it."""
        sign = "="
        if self.ends == "bin" and self.first is not None and self.reached[0] < self.low == level:
            sign = "<="
        elif self.ends == "bin" and self.last is not None and self.reached[1] > self.high == level:
            sign = ">="
        return f"e{sign}{period_text(level)}"

    def text(self) -> str:
        bases = ", ".join(period_text(base) for base in self.bases)
        return (
            f"event times {period_text(self.low)} to {period_text(self.high)}, base {bases}, ends:"
            f" {self.ends}"
        )
