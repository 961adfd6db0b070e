"""Interaction-weighted event study (Sun and Abraham 2021, Journal of Econometrics 225).

One regression with unit and period effects has a dummy for every cohort and event time but the
base; cohorts that are never treated have none. The effect at event time e is the average of the
cohorts' coefficients, weighted by their rows (or weights) at e. The shares count as known, as in
R's fixest::sunab, so the standard errors are those of linear combinations of the regression's
coefficients. Without never-treated units the last cohort is the control, and periods from its
treatment on are left out.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import (
    CovarianceOption,
    EffectsSmall,
    MissingCohort,
    Where,
)
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.regression import (
    EFFECTS_SMALL,
    bases_of,
    effect_names,
    estimates_table,
    joint_test,
    regress,
)
from analysis.estimators.did.sample import DidSample, did_sample, period_text, read_call
from analysis.estimators.linear.fixed_effects import FixedEffectsResult

OVERALL = "overall"


@dataclass(frozen=True, eq=False, kw_only=True)
class SunAbrahamResult(Result):
    """Terms: `overall` (all rows at or after treatment), one an event time, and the controls.

    Attributes beyond `Result`
    ----------
    estimates : as in `EventStudyResult`
    cells : one row a cohort and event time: cohort, event_time, att, standard_error, rows
    cohorts : one row a cohort: cohort, att (rows at or after treatment), standard_error, rows
    base : event times left out
    regression : the regression with all interactions
    """

    estimates: pd.DataFrame
    cells: pd.DataFrame
    cohorts: pd.DataFrame
    base: tuple[float, ...]
    regression: FixedEffectsResult

    def _fit(self) -> dict[str, Any]:
        return self.regression._fit()

    def _names(self) -> tuple[list[str], list[str]]:
        return effect_names(self, "event time", set(self.estimates["term"]))


def sun_abraham(
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
    missing_cohort: MissingCohort = "ask",
) -> SunAbrahamResult:
    """Estimate effects by event time that no other cohort's effects contaminate.

    Parameters
    ----------
    cohort : units treated in the first period or before are dropped and counted
    base : event time(s) left out
    others : see analysis.estimators.did.sample

    tests["pre_trends"] : F test that the averaged effects before treatment are zero;
    tests["pre_trends_cells"]: that every cohort's are.

    Raises
    ------
    ValueError : no cohort treated inside the sample, a cohort that is not seen at any base;
        whatever `fixed_effects` refuses.
    """
    started = clock.perf_counter()
    bases = bases_of(base)
    call = read_call((outcome, unit, time, cohort), controls, covariance, weights)
    data = _controls(did_sample(frame, call, where, missing_cohort=missing_cohort))
    cells, dummies = _interactions(data, bases)
    work = pd.concat([data.working_frame(), pd.DataFrame(dummies)], axis=1)
    fit = regress(work, call, [*dummies, *call.controls], small, data)
    fields, terms = _averaged(fit.fields, cells, list(call.controls))
    cells, counts = _with_effects(fit.fields, cells), _rows_by_event(cells)
    named = ", ".join(period_text(value) for value in bases)
    return SunAbrahamResult(
        method=f"Sun-Abraham event study (base {named}{call.with_controls})",
        **fields,
        tests=_tests(fields, terms, fit.fields, cells),
        seconds=clock.perf_counter() - started,
        estimates=estimates_table(fields, terms, counts, bases),
        cells=cells[["cohort", "event_time", "att", "standard_error", "rows"]],
        cohorts=_by_cohort(fit.fields, cells),
        base=bases,
        regression=fit.regression,
    )


def _with_effects(raw: dict[str, Any], cells: pd.DataFrame) -> pd.DataFrame:
    """Cells with their coefficient and its standard error."""
    errors = Result(method="", **raw).standard_errors
    effects = raw["coefficients"][cells["term"]].to_numpy()
    return cells.assign(att=effects, standard_error=errors[cells["term"]].to_numpy())


def _rows_by_event(cells: pd.DataFrame) -> dict[float, int]:
    rows = cells.groupby("event_time")["rows"].sum()
    return dict(zip(rows.index.astype(float), rows.astype(int), strict=True))


def _controls(data: DidSample) -> DidSample:
    if not np.isfinite(data.cohort).any():
        raise ValueError("no unit is treated inside the sample.")
    if np.isfinite(data.cohort).all():
        last = data.cohort.max()
        reason = f"period without untreated units ({period_text(last)} and later)"
        data = data.keep(data.time < last, reason)
        data = data.with_cohort(np.where(data.cohort == last, np.inf, data.cohort))
    data = data.keep(data.cohort > data.time.min(), "unit already treated in the first period")
    if not np.isfinite(data.cohort).any():
        raise ValueError("no cohort with a period before treatment and a control is left.")
    return data


def _interactions(
    data: DidSample, bases: tuple[float, ...]
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Cells (cohort, event_time, term, rows, share) and their dummies (n,)."""
    found, dummies = [], {}
    for group in np.unique(data.cohort[np.isfinite(data.cohort)]):
        member = data.cohort == group
        events = np.unique(data.time[member] - group)
        if not np.isin(events, bases).any():
            named = ", ".join(period_text(value) for value in bases)
            raise ValueError(
                f"cohort {period_text(group)} is not seen at event time {named}: choose another"
                " base."
            )
        for event in events[~np.isin(events, bases)]:
            term = f"e={period_text(event)} x {period_text(group)}"
            inside = member & (data.time - group == event)
            dummies[term] = inside.astype(float)
            cell = {"cohort": group, "event_time": event, "term": term}
            weight = float(data.weight[inside].sum())
            found.append(cell | {"rows": int(inside.sum()), "share": weight})
    return pd.DataFrame(found), dummies


def _averaged(
    raw: dict[str, Any], cells: pd.DataFrame, controls: list[str]
) -> tuple[dict[str, Any], dict[float, str]]:
    """The fields of the result: overall, event times, controls, of the interactions."""
    events = np.sort(cells["event_time"].unique())
    names = {float(event): f"e={period_text(event)}" for event in events}
    averages = [_weights(cells, cells["event_time"] >= 0)]
    averages += [_weights(cells, cells["event_time"] == event) for event in events]
    k, q = len(controls), len(averages)
    upper = [np.array(averages), np.zeros((q, k))]
    combine = np.block([upper, [np.zeros((k, len(cells))), np.eye(k)]])
    terms = [OVERALL, *names.values(), *controls]
    order = [*cells["term"], *controls]
    estimate = combine @ raw["coefficients"][order].to_numpy()
    spread = combine @ raw["covariance"].loc[order, order].to_numpy() @ combine.T
    fields = {
        **raw,
        "coefficients": pd.Series(estimate, index=terms, name="coefficient"),
        "covariance": pd.DataFrame(spread, index=terms, columns=terms),
    }
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
        cohort = {"cohort": group, "att": float(weights @ cells["att"])}
        cohort |= {"standard_error": float(np.sqrt(weights @ spread @ weights))}
        found.append(cohort | {"rows": int(cells["rows"][chosen].sum())})
    return pd.DataFrame(found)


def _tests(
    fields: dict[str, Any], terms: dict[float, str], raw: dict[str, Any], cells: pd.DataFrame
) -> dict[str, Test]:
    before = [term for event, term in terms.items() if event < 0]
    each = list(cells["term"][cells["event_time"] < 0])
    if not before:
        return {}
    return {
        "pre_trends": joint_test(fields, before, "averaged effects"),
        "pre_trends_cells": joint_test(raw, each, "every cohort's effects"),
    }
