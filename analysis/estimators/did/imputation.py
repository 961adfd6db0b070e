"""Imputation estimator (Borusyak, Jaravel and Spiess 2024, Review of Economic Studies 91).

Unit effects, period effects and covariates are estimated on untreated rows only. Each treated row's effect is its outcome less what
they predict; reported effects are weighted means of these. Standard errors are the authors' conservative ones (their proposition 6):
with tau = sum v_it Y_it,

    variance = sum over clusters of (sum of v_it e_it)^2

where e_it is the residual of untreated rows, and for treated rows the effect less its average over the rows of the same cohort and
period (`averaged_over`), the average weighted by v as in their equation 8. `leave_one_out` keeps a cluster's own effects out of the
average that it is compared with (their appendix A.6). There is no small-sample factor; inference is normal.

The test of pre-trends uses untreated rows only: dummies for the last `leads` periods before treatment beside the effects, clustered
as in `fixed_effects`.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg, sparse

from analysis.estimators.core.groups import numbered
from analysis.estimators.core.options import AveragedOver, EffectKind, MissingCohort
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sums import crossed_sums, sums_by
from analysis.estimators.did.sample import DidSample, did_sample, period_text, unit_groups, wald
from analysis.estimators.did.twoway import regress, with_covariates, working_frame

OVERALL = "overall"
# A direction of the regressors counts as unseen on untreated rows when less than this share of its size is.
UNSEEN = 1e-9


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


def imputation(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    covariates: Sequence[str] = (),
    *,
    kind: EffectKind = "dynamic",
    leads: int | None = None,
    averaged_over: AveragedOver = "cohort_period",
    leave_one_out: bool = False,
    cluster: str | None = None,
    weights: str | None = None,
    missing_cohort: MissingCohort = "drop",
) -> ImputationResult:
    """Effects on the treated by imputing what their outcome would have been.

    Parameters
    ----------
    frame : one row a unit and period, any order, gaps allowed
    cohort : first treated period (0 or infinity for never)
    kind : what the effects are averaged by besides overall: event time, cohort, or period ("simple": overall alone)
    leads : periods before treatment whose dummies the pre-trend test has; None: up to three, fewer where the data go less far back;
        0: no test
    averaged_over, leave_one_out : see the module's text
    cluster : default the unit
    weights : column of weights

    Treated rows whose unit or period has no untreated row, or is not linked to the others by untreated rows, cannot be imputed: they
    are dropped and counted.

    Raises
    ------
    ValueError : nobody treated, no treated row that can be imputed, a cohort of one cluster with leave_one_out.
    """
    started = clock.perf_counter()
    _check_options(kind, averaged_over, leads)
    data = did_sample(frame, outcome, unit, time, cohort, covariates, cluster, weights, missing_cohort=missing_cohort)
    data = _with_effects(data)
    model = _Model(data)
    targets, values = _targets(data, kind)
    effect = model.effects()
    estimate = targets.T @ effect
    covariance = _covariance(data, model, effect, targets, averaged_over, leave_one_out)
    terms = [OVERALL, *(f"{_PREFIX[kind]}{period_text(value)}" for value in values)]
    lead_table, test = _lead_test(data, outcome, unit, time, covariates, cluster, weights, leads)
    chosen = [int((column != 0).sum()) for column in targets.T]
    return ImputationResult(
        method=f"imputation estimator by {kind} effects{with_covariates(covariates)}",
        outcome=outcome,
        coefficients=pd.Series(estimate, index=terms, name="coefficient"),
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        convention=f"conservative, clustered by {cluster or unit}, effects averaged over {_AVERAGED[averaged_over]}"
        f"{', leaving out the own cluster' if leave_one_out else ''}, no small-sample factor, normal",
        df_t=None,
        n=len(data.y),
        groups=unit_groups(data, unit, time, cluster),
        dropped=data.dropped,
        sample=data.labels,
        tests={} if test is None else {"pre_trends": test},
        seconds=clock.perf_counter() - started,
        kind=kind,
        estimates=pd.DataFrame({"value": values, "att": estimate[1:], "standard_error": np.sqrt(np.diag(covariance))[1:], "rows": chosen[1:]}),
        effects=_effect_table(frame, data, effect, unit),
        leads=lead_table,
    )


_AVERAGED = {"cohort_period": "cohort and period", "event_time": "event time", "cohort": "cohort"}
_PREFIX = {"dynamic": "e=", "group": "g=", "calendar": "t=", "simple": ""}


def _check_options(kind: str, averaged_over: str, leads: int | None) -> None:
    if kind not in _PREFIX:
        raise ValueError(f"kind = {kind!r}: it is one of {', '.join(_PREFIX)}.")
    if averaged_over not in _AVERAGED:
        raise ValueError(f"averaged_over = {averaged_over!r}: it is one of {', '.join(_AVERAGED)}.")
    if leads is not None and leads < 0:
        raise ValueError(f"leads = {leads}: it is zero or more.")


class _Model:
    """Least squares on untreated rows: unit effects by their means, period effects and covariates by the normal equations."""

    def __init__(self, data: DidSample) -> None:
        self.data = data
        self.control = ~data.treated
        period = np.unique(data.time, return_inverse=True)[1]
        design = np.column_stack([np.eye(int(period.max()) + 1)[period], data.x])
        used = data.weight * self.control
        self.unit_weight = np.bincount(data.unit, used, minlength=len(data.unit_names))
        self.within = self._less_unit_means(design, used)
        scale = np.sqrt((used[:, None] * self.within**2).sum(axis=0))
        self.scale = np.where(scale > UNSEEN * np.sqrt((used[:, None] * design**2).sum(axis=0)), scale, 1.0)
        scaled = self.within / self.scale
        values, vectors = linalg.eigh(scaled.T @ (scaled * used[:, None]))
        real = values > UNSEEN * values.max()
        self.scaled, self.used = scaled, used
        self.inverse = (vectors[:, real] / values[real]) @ vectors[:, real].T
        self.unseen = vectors[:, ~real]
        self.outcome = self._less_unit_means(data.y[:, None], used)[:, 0]
        self.beta = self.inverse @ (scaled.T @ (used * self.outcome))

    def _less_unit_means(self, columns: np.ndarray, used: np.ndarray) -> np.ndarray:
        """Columns less their unit's mean over untreated rows; units without any stay missing."""
        sums = sums_by((self.data.unit, len(self.unit_weight)), columns, used)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = sums / self.unit_weight[:, None]
        return np.asarray(np.where(self.unit_weight[self.data.unit][:, None] > 0, columns - means[self.data.unit], 0.0))

    def effects(self) -> np.ndarray:
        """(n,) outcome less prediction: effects of treated rows, residuals of untreated ones."""
        return np.asarray(self.outcome - self.scaled @ self.beta)

    def predictable(self) -> np.ndarray:
        """(n,) rows whose unit has untreated rows and whose regressors the untreated rows span."""
        known = self.unit_weight[self.data.unit] > 0
        left = np.abs(self.scaled @ self.unseen).max(axis=1) if self.unseen.shape[1] else np.zeros(len(known))
        return np.asarray(known & (left <= 1e-6 * (1 + np.abs(self.scaled).max(axis=1))))

    def weights(self, targets: np.ndarray) -> np.ndarray:
        """(n, q) weights v with estimate = sum of v * outcome, from the targets' weights on treated rows (n, q)."""
        unit = self.data.unit
        by_unit = sums_by((unit, len(self.unit_weight)), targets)
        share = self.used / np.where(self.unit_weight > 0, self.unit_weight, 1.0)[unit]
        slopes = self.inverse @ (self.scaled.T @ targets)
        return np.asarray(targets - share[:, None] * by_unit[unit] - self.used[:, None] * (self.scaled @ slopes))


def _with_effects(data: DidSample) -> DidSample:
    """The sample without treated rows that cannot be predicted."""
    if not data.treated.any():
        raise ValueError("no row is treated.")
    data = data.keep(_imputable(data), "treated row that untreated rows cannot predict")
    if not data.treated.any():
        raise ValueError("no treated row can be predicted from untreated rows: units or periods have none.")
    return data


def _imputable(data: DidSample) -> np.ndarray:
    """Untreated rows, and treated rows linked to them: unit and period lie in one connected part of the untreated rows."""
    control = ~data.treated & (data.weight > 0)
    if not control.any():
        raise ValueError("no row is untreated: there is nothing to predict from.")
    period = np.unique(data.time, return_inverse=True)[1]
    units, periods = len(data.unit_names), int(period.max()) + 1
    links = sparse.coo_matrix((np.ones(int(control.sum())), (data.unit[control], units + period[control])), shape=(units + periods, units + periods))
    part = sparse.csgraph.connected_components(links, directed=False)[1]
    linked = part[data.unit] == part[units + period]
    if not data.x.shape[1]:
        return np.asarray(~data.treated | linked)
    return np.asarray(~data.treated | (linked & _Model(data).predictable()))


def _targets(data: DidSample, kind: EffectKind) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, q) that add up to one over treated rows, overall first, and the values of the others."""
    treated = data.treated & (data.weight > 0)
    by = {"dynamic": data.time - data.cohort, "group": data.cohort, "calendar": data.time, "simple": data.time}[kind]
    values = np.unique(by[treated]) if kind != "simple" else np.array([])
    columns = [treated, *(treated & (by == value) for value in values)]
    weights = np.column_stack([data.weight * column for column in columns])
    return weights / weights.sum(axis=0), values


def _covariance(data: DidSample, model: _Model, effect: np.ndarray, targets: np.ndarray, averaged_over: AveragedOver, leave_one_out: bool) -> np.ndarray:
    v = model.weights(targets)
    keys = {"cohort_period": [data.cohort, data.time], "event_time": [data.time - data.cohort], "cohort": [data.cohort]}[averaged_over]
    treated = data.treated
    groups = np.zeros(len(data.y), dtype=int)
    groups[treated] = np.unique(np.column_stack([key[treated] for key in keys]), axis=0, return_inverse=True)[1].ravel()
    scores = []
    for j in range(targets.shape[1]):
        residual = np.where(treated, 0.0, effect)
        residual[treated] = effect[treated] - _averages(targets[treated, j], effect[treated], groups[treated], data.cluster[treated], leave_one_out)
        scores.append(v[:, j] * residual)
    return crossed_sums(numbered(data.cluster), np.column_stack(scores))


def _averages(weight: np.ndarray, effect: np.ndarray, groups: np.ndarray, cluster: np.ndarray, leave_one_out: bool) -> np.ndarray:
    """The average effect that each treated row is compared with (equation 8): weights are row weight * cluster's weight in the group."""
    pairs = np.unique(np.column_stack([groups, cluster]), axis=0, return_inverse=True)[1].ravel()
    smart = np.bincount(pairs, weight)[pairs] * weight
    total, mean = np.bincount(groups, smart)[groups], np.bincount(groups, smart * effect)[groups]
    if leave_one_out:
        others = total - np.bincount(pairs, smart)[pairs]
        total = np.where(others > 1e-12 * total, others, 0.0)
        mean = mean - np.bincount(pairs, smart * effect)[pairs]
        if ((total <= 0) & (weight != 0)).any():
            raise ValueError("leave_one_out: a cohort and period has one cluster only. Average over event_time or cohort, or keep the own cluster in.")
    return np.asarray(np.divide(mean, total, out=np.zeros_like(mean), where=total > 0))


def _lead_test(
    data: DidSample, outcome: str, unit: str, time: str, covariates: Sequence[str], cluster: str | None, weights: str | None, leads: int | None
) -> tuple[pd.DataFrame, Test | None]:
    empty = pd.DataFrame({"event_time": [], "coefficient": [], "standard_error": []})
    control = ~data.treated
    event = np.where(control, data.time - data.cohort, np.nan)
    reached = np.unique(event[control & np.isfinite(event)])
    # One period before treatment has to stay without a dummy where nobody is never treated; earlier ones are the reference.
    most = max(len(reached) - 1, 0)
    chosen = reached[::-1][: min(3, most) if leads is None else leads]
    if not len(chosen):
        return empty, None
    work = working_frame(data, outcome, covariates, unit, time, cluster, weights)[control]
    dummies = {f"lead {period_text(-value)}": (event[control] == value).astype(float) for value in chosen}
    fit = regress(work.assign(**dummies), outcome, [*dummies, *covariates], unit, time, cluster or unit, weights)
    names = list(dummies)
    table = pd.DataFrame({"event_time": chosen, "coefficient": fit.coefficients[names].to_numpy(), "standard_error": fit.standard_errors[names].to_numpy()})
    covariance = fit.covariance.loc[names, names].to_numpy()
    return table, wald("pre-trends F", table["coefficient"].to_numpy(), covariance, fit.df_t, "all leads are zero among untreated rows")


def _effect_table(frame: pd.DataFrame, data: DidSample, effect: np.ndarray, unit: str) -> pd.DataFrame:
    """Effects of treated rows in the order of the frame given."""
    order = np.argsort(data.row)
    order = order[data.treated[order]]
    columns = {unit: data.unit_names[data.unit[order]], "time": data.time[order], "cohort": data.cohort[order], "effect": effect[order]}
    return pd.DataFrame(columns, index=frame.index[data.row[order]])
