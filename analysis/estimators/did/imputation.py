"""Imputation estimator (Borusyak, Jaravel and Spiess 2024, Review of Economic Studies 91).

Unit effects, period effects and controls are estimated on untreated rows only. Each treated row's
effect is its outcome less what they predict; reported effects are weighted means of these. Standard
errors are the authors' conservative ones (their proposition 6): with tau = sum v_it Y_it,

    variance = sum over clusters of (sum of v_it e_it)^2

where e_it is the residual of untreated rows, and for treated rows the effect less its average over
the rows of the same cohort and period (`averaged_over`), the average weighted by v as in their
equation 8. `leave_one_out` keeps a cluster's own effects out of the average that it is compared
with (their appendix A.6). There is no small-sample factor; inference is normal.

The test of pre-trends uses untreated rows only: dummies for the last `leads` periods before
treatment beside the effects, clustered as in `fixed_effects`.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.options import (
    AveragedOver,
    CovarianceOption,
    EffectKind,
    MissingCohort,
    Where,
    checked,
)
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sums import crossed_sums
from analysis.estimators.did import cautions
from analysis.estimators.did.regression import effect_names, regress
from analysis.estimators.did.sample import (
    CLUSTERED,
    DidSample,
    did_sample,
    period_text,
    read_call,
)
from analysis.estimators.did.untreated import UntreatedModel, imputable
from analysis.estimators.did.wald import wald

OVERALL = "overall"
_AVERAGED = {
    "cohort_period": "cohort and period",
    "event_time": "event time",
    "cohort": "cohort",
}
PREFIX: dict[EffectKind, str] = {"simple": "", "dynamic": "e=", "group": "g=", "calendar": "t="}
EQUATION: dict[EffectKind, str] = {
    "simple": "",
    "dynamic": "event time",
    "group": "cohort",
    "calendar": "period",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class ImputationResult(Result):
    """Terms: `overall` (all treated rows), then one an event time, cohort or period.

    Attributes beyond `Result`
    ----------
    kind : what the terms after the first are
    estimates : one row a term after the first: value, att, standard_error, rows
    effects : one row a treated row, by index label of the frame given: unit, time, cohort, effect
    leads : one row a lead: event_time, coefficient, standard_error (from untreated rows only)
    """

    kind: EffectKind
    estimates: pd.DataFrame
    effects: pd.DataFrame
    leads: pd.DataFrame

    def _names(self) -> tuple[list[str], list[str]]:
        return effect_names(self, EQUATION[self.kind], set(self.coefficients.index[1:]))


@dataclass(frozen=True)
class _How:
    """Which averages of effects are asked for, and what their errors are taken around."""

    kind: EffectKind
    averaged_over: AveragedOver
    leave_one_out: bool
    leads: int | None

    def __post_init__(self) -> None:
        checked("kind", self.kind, EffectKind)
        checked("averaged_over", self.averaged_over, AveragedOver)
        if self.leads is not None and self.leads < 0:
            raise ValueError(f"leads = {self.leads}: it is zero or more.")

    def convention(self, cluster: str) -> str:
        own = ", leaving out the own cluster" if self.leave_one_out else ""
        return (
            f"conservative, clustered by {cluster}, effects averaged over"
            f" {_AVERAGED[self.averaged_over]}{own}, no small-sample factor, normal"
        )


def imputation(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    controls: Sequence[str] = (),
    *,
    covariance: CovarianceOption | None = None,
    weights: str | None = None,
    where: Where | None = None,
    kind: EffectKind = "dynamic",
    leads: int | None = None,
    averaged_over: AveragedOver = "cohort_period",
    leave_one_out: bool = False,
    missing_cohort: MissingCohort = "ask",
) -> ImputationResult:
    """Effects on the treated by imputing what their outcome would have been.

    Parameters
    ----------
    frame : gaps are allowed
    kind : what the effects are averaged by besides overall: event time ("dynamic"), cohort
        ("group"), or period ("calendar"); "simple": overall alone
    leads : periods before treatment whose dummies the pre-trend test has; None: up to three, fewer
        where the data go less far back; 0: no test
    averaged_over, leave_one_out : see the module's text
    others : see analysis.estimators.did.sample; errors are always clustered

    Treated rows whose unit or period has no untreated row, or is not linked to the others by
    untreated rows, cannot be imputed: they are dropped and counted.

    Raises
    ------
    ValueError : nobody treated, no treated row that can be imputed, a cohort of one cluster with
        leave_one_out.
    """
    started = clock.perf_counter()
    how = _How(kind, averaged_over, leave_one_out, leads)
    names = outcome, unit, time, cohort
    call = read_call(names, controls, covariance, weights, kinds=CLUSTERED)
    data = _with_effects(did_sample(frame, call, where, missing_cohort=missing_cohort))
    data.refuse_flat_outcome()
    fields = _fields(frame, data, how)
    return ImputationResult(**fields, seconds=clock.perf_counter() - started)


def _fields(frame: pd.DataFrame, data: DidSample, how: _How) -> dict[str, Any]:
    """What the result holds, but for the time that it took."""
    model = UntreatedModel(data)
    targets, values = _targets(data, how.kind)
    effect = model.effects()
    estimate = targets.T @ effect
    scores = model.weights(targets) * _residuals(data, effect, targets, how)
    spread = crossed_sums(numbered(data.cluster), scores)
    terms = [OVERALL, *(f"{PREFIX[how.kind]}{period_text(value)}" for value in values)]
    leads, tests = _lead_test(data, how.leads)
    table = {"value": values, "att": estimate[1:]}
    table |= {"standard_error": np.sqrt(np.diag(spread))[1:]}
    table |= {"rows": [int((column != 0).sum()) for column in targets.T][1:]}
    clusters = len(np.unique(data.cluster))
    return {
        "method": f"imputation estimator by {how.kind} effects{data.call.with_controls}",
        "outcome": data.call.outcome,
        "coefficients": pd.Series(estimate, index=terms, name="coefficient"),
        "covariance": pd.DataFrame(spread, index=terms, columns=terms),
        "convention": how.convention(data.call.cluster),
        "df_t": None,
        "n": len(data.y),
        "groups": data.counts(),
        "dropped": data.dropped,
        "sample": data.labels,
        "tests": tests,
        "warnings": (*cautions.of_sample(data), *few_clusters(clusters)),
        "kind": how.kind,
        "estimates": pd.DataFrame(table),
        "effects": _effect_table(frame, data, effect),
        "leads": leads,
    }


def _with_effects(data: DidSample) -> DidSample:
    """The sample without treated rows that cannot be predicted."""
    if not data.treated.any():
        raise ValueError("no row is treated.")
    data = data.keep(imputable(data), "treated row that untreated rows cannot predict")
    if not data.treated.any():
        raise ValueError(
            "no treated row can be predicted from untreated rows: units or periods have none."
        )
    return data


def _targets(data: DidSample, kind: EffectKind) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, q) that add up to one over treated rows, overall first, and others' values."""
    treated = data.treated & (data.weight > 0)
    by = {
        "dynamic": data.time - data.cohort,
        "group": data.cohort,
        "calendar": data.time,
        "simple": data.time,
    }[kind]
    values = np.unique(by[treated]) if kind != "simple" else np.array([])
    columns = [treated, *(treated & (by == value) for value in values)]
    weights = np.column_stack([data.weight * column for column in columns])
    return weights / weights.sum(axis=0), values


def _residuals(
    data: DidSample,
    effect: np.ndarray,
    targets: np.ndarray,
    how: _How,
) -> np.ndarray:
    """(n, q) e of the module's text, one column a target."""
    treated = data.treated
    keys = {
        "cohort_period": [data.cohort, data.time],
        "event_time": [data.time - data.cohort],
        "cohort": [data.cohort],
    }[how.averaged_over]
    key = np.column_stack([part[treated] for part in keys])
    groups = np.unique(key, axis=0, return_inverse=True)[1].ravel()
    own, cluster = effect[treated], data.cluster[treated]
    residuals = np.repeat(effect[:, None], targets.shape[1], axis=1)
    for j, weight in enumerate(targets[treated].T):
        residuals[treated, j] = own - _averages(weight, own, groups, cluster, how.leave_one_out)
    return residuals


def _averages(
    weight: np.ndarray,
    effect: np.ndarray,
    groups: np.ndarray,
    cluster: np.ndarray,
    leave_one_out: bool,
) -> np.ndarray:
    """The average effect that each treated row is compared with (equation 8).

    Weights are those of the row times those of its cluster in the group.
    """
    pairs = np.unique(np.column_stack([groups, cluster]), axis=0, return_inverse=True)[1].ravel()
    smart = np.bincount(pairs, weight)[pairs] * weight
    total = np.bincount(groups, smart)[groups]
    mean = np.bincount(groups, smart * effect)[groups]
    if leave_one_out:
        others = total - np.bincount(pairs, smart)[pairs]
        total = np.where(others > 1e-12 * total, others, 0.0)
        mean = mean - np.bincount(pairs, smart * effect)[pairs]
        if ((total <= 0) & (weight != 0)).any():
            raise ValueError(
                "leave_one_out: a cohort and period has one cluster only. Average over "
                "event_time or cohort, or keep the own cluster in."
            )
    return np.asarray(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))


def _lead_test(data: DidSample, leads: int | None) -> tuple[pd.DataFrame, dict[str, Test]]:
    control = ~data.treated
    event = np.where(control, data.time - data.cohort, np.nan)
    reached = np.unique(event[control & np.isfinite(event)])
    # One period before treatment has to stay without a dummy where nobody is never treated;
    # earlier ones are the reference.
    most = max(len(reached) - 1, 0)
    chosen = reached[::-1][: min(3, most) if leads is None else leads]
    if not len(chosen):
        nothing: dict[str, list[float]] = {
            "event_time": [],
            "coefficient": [],
            "standard_error": [],
        }
        return pd.DataFrame(nothing), {}
    work = data.working_frame()[control]
    dummies = {
        f"lead {period_text(-value)}": (event[control] == value).astype(float) for value in chosen
    }
    names = list(dummies)
    fit = regress(work.assign(**dummies), data.call, [*names, *data.call.controls]).regression
    coefficients, errors = fit.coefficients[names], fit.standard_errors[names]
    columns = {"event_time": chosen, "coefficient": coefficients.to_numpy()}
    table = pd.DataFrame(columns | {"standard_error": errors.to_numpy()})
    spread = fit.covariance.loc[names, names].to_numpy()
    null = "all leads are zero among untreated rows"
    test = wald("pre-trends F", coefficients.to_numpy(), spread, fit.df_t, null)
    return table, {"pre_trends": test}


def _effect_table(frame: pd.DataFrame, data: DidSample, effect: np.ndarray) -> pd.DataFrame:
    """Effects of treated rows in the order of the frame given."""
    order = np.argsort(data.row)
    order = order[data.treated[order]]
    columns = {data.call.unit: data.unit_names[data.unit[order]], "time": data.time[order]}
    columns |= {"cohort": data.cohort[order], "effect": effect[order]}
    return pd.DataFrame(columns, index=frame.index[data.row[order]])
