"""Interaction-weighted event study (Sun and Abraham 2021, Journal of Econometrics 225).

One regression with unit and period effects has a dummy for every cohort and event time but the base; cohorts that are never treated
have none. The effect at event time e is the average of the cohorts' coefficients, weighted by their rows (or weights) at e. The
shares count as known, as in R's fixest::sunab, so the standard errors are those of linear combinations of the regression's
coefficients. Without never-treated units the last cohort is the control, and periods from its treatment on are left out.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import EffectsSmall, MissingCohort
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.sample import DidSample, did_sample, period_text, wald
from analysis.estimators.did.twoway import CONVENTION, estimates_table, regress, shared_fields, with_covariates, working_frame
from analysis.estimators.linear.fixed_effects import FixedEffectsResult

OVERALL = "overall"


@dataclass(frozen=True, eq=False, kw_only=True)
class SunAbrahamResult(Result):
    """Terms: `overall` (all rows at or after treatment), one an event time, and the covariates.

    Attributes beyond `Result`
    ----------
    estimates : as in `EventStudyResult`
    cells : one row a cohort and event time: cohort, event_time, att, standard_error, rows
    cohorts : one row a cohort: cohort, att (all its rows at or after treatment), standard_error, rows
    base : event times left out
    regression : the regression with all interactions
    """

    estimates: pd.DataFrame
    cells: pd.DataFrame
    cohorts: pd.DataFrame
    base: tuple[float, ...]
    regression: FixedEffectsResult


def sun_abraham(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    covariates: Sequence[str] = (),
    *,
    base: float | Sequence[float] = -1,
    cluster: str | None = None,
    weights: str | None = None,
    convention: EffectsSmall = CONVENTION,
    missing_cohort: MissingCohort = "drop",
) -> SunAbrahamResult:
    """Estimate effects by event time that no other cohort's effects contaminate.

    Parameters
    ----------
    frame : one row a unit and period, any order
    cohort : first treated period (0 or infinity for never); units treated in the first period or before are dropped and counted
    base : event time(s) left out
    cluster : default the unit
    convention : of the standard errors, as in `fixed_effects`

    tests["pre_trends"] : F test that the averaged effects before treatment are zero; tests["pre_trends_cells"]: that every cohort's are.

    Raises
    ------
    ValueError : no cohort treated inside the sample, a cohort that is not seen at any base; whatever `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    bases = tuple(float(value) for value in (base if isinstance(base, Sequence) else [base]))
    data = _controls(did_sample(frame, outcome, unit, time, cohort, covariates, cluster, weights, missing_cohort=missing_cohort))
    cells, dummies = _interactions(data, bases)
    work = working_frame(data, outcome, covariates, unit, time, cluster, weights)
    fit = regress(pd.concat([work, pd.DataFrame(dummies)], axis=1), outcome, [*dummies, *covariates], unit, time, cluster or unit, weights, convention)
    raw = shared_fields(fit, outcome, [*dummies, *covariates], data.dropped, data.labels)
    fields, terms = _averaged(raw, cells, list(covariates))
    counts = {float(event): int(cells.loc[cells["event_time"] == event, "rows"].sum()) for event in np.unique(cells["event_time"])}
    errors = Result(method="", **raw).standard_errors
    cells = cells.assign(att=raw["coefficients"][cells["term"]].to_numpy(), standard_error=errors[cells["term"]].to_numpy())
    return SunAbrahamResult(
        method=f"Sun-Abraham event study (base {', '.join(period_text(b) for b in bases)}{with_covariates(covariates)})",
        **fields,
        tests=_tests(fields, terms, raw, cells),
        seconds=clock.perf_counter() - started,
        estimates=estimates_table(fields, terms, counts, bases),
        cells=cells[["cohort", "event_time", "att", "standard_error", "rows"]],
        cohorts=_by_cohort(raw, cells),
        base=bases,
        regression=fit,
    )


def _controls(data: DidSample) -> DidSample:
    if not np.isfinite(data.cohort).any():
        raise ValueError("no unit is treated inside the sample.")
    if np.isfinite(data.cohort).all():
        last = data.cohort.max()
        data = data.keep(data.time < last, f"period without untreated units ({period_text(last)} and later)")
        data = data.with_cohort(np.where(data.cohort == last, np.inf, data.cohort))
    data = data.keep(data.cohort > data.time.min(), "unit already treated in the first period")
    if not np.isfinite(data.cohort).any():
        raise ValueError("no cohort with a period before treatment and a control is left.")
    return data


def _interactions(data: DidSample, bases: tuple[float, ...]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Cells (cohort, event_time, term, rows, share) and their dummies (n,)."""
    found, dummies = [], {}
    for group in np.unique(data.cohort[np.isfinite(data.cohort)]):
        member = data.cohort == group
        events = np.unique(data.time[member] - group)
        if not np.isin(events, bases).any():
            raise ValueError(f"cohort {period_text(group)} is not seen at event time {', '.join(period_text(b) for b in bases)}: choose another base.")
        for event in events[~np.isin(events, bases)]:
            term = f"e={period_text(event)} x {period_text(group)}"
            inside = member & (data.time - group == event)
            dummies[term] = inside.astype(float)
            found.append({"cohort": group, "event_time": event, "term": term, "rows": int(inside.sum()), "share": float(data.weight[inside].sum())})
    return pd.DataFrame(found), dummies


def _averaged(raw: dict[str, Any], cells: pd.DataFrame, covariates: list[str]) -> tuple[dict[str, Any], dict[float, str]]:
    """The fields of the result: overall, event times, covariates, as combinations of the interactions."""
    coefficients, covariance = raw["coefficients"], raw["covariance"]
    events = np.sort(cells["event_time"].unique())
    names = {float(event): f"e={period_text(event)}" for event in events}
    rows = [_weights(cells, cells["event_time"] >= 0), *(_weights(cells, cells["event_time"] == event) for event in events)]
    k = len(covariates)
    combine = np.block([[np.array(rows), np.zeros((len(rows), k))], [np.zeros((k, len(cells))), np.eye(k)]])
    terms = [OVERALL, *names.values(), *covariates]
    order = [*cells["term"], *covariates]
    estimate = combine @ coefficients[order].to_numpy()
    spread = combine @ covariance.loc[order, order].to_numpy() @ combine.T
    fields = {**raw, "coefficients": pd.Series(estimate, index=terms, name="coefficient"), "covariance": pd.DataFrame(spread, index=terms, columns=terms)}
    return fields, names


def _weights(cells: pd.DataFrame, chosen: pd.Series) -> np.ndarray:
    share = np.where(chosen, cells["share"], 0.0)
    if share.sum() <= 0:
        raise ValueError("no treated row has weight at or after treatment.")
    return np.asarray(share / share.sum())


def _by_cohort(raw: dict[str, Any], cells: pd.DataFrame) -> pd.DataFrame:
    covariance = raw["covariance"]
    spread = covariance.loc[list(cells["term"]), list(cells["term"])].to_numpy()
    found = []
    for group in np.unique(cells["cohort"]):
        chosen = (cells["cohort"] == group) & (cells["event_time"] >= 0)
        if not chosen.any():
            continue
        weights = _weights(cells, chosen)
        error = float(np.sqrt(weights @ spread @ weights))
        found.append({"cohort": group, "att": float(weights @ cells["att"]), "standard_error": error, "rows": int(cells["rows"][chosen].sum())})
    return pd.DataFrame(found)


def _tests(fields: dict[str, Any], terms: dict[float, str], raw: dict[str, Any], cells: pd.DataFrame) -> dict[str, Test]:
    tests = {}
    before = [term for event, term in terms.items() if event < 0]
    each = list(cells["term"][cells["event_time"] < 0])
    for key, source, chosen, what in (("pre_trends", fields, before, "averaged"), ("pre_trends_cells", raw, each, "every cohort's")):
        coefficients, covariance, df = source["coefficients"], source["covariance"], source["df_t"]
        null = f"{what} effects before treatment are zero"
        if chosen:
            tests[key] = wald("pre-trends F", coefficients[chosen].to_numpy(), covariance.loc[chosen, chosen].to_numpy(), df, null)
    return tests
