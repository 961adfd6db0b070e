"""Averages of group-time effects: over everything, by time since treatment, by cohort, by period.

Weights are the cohorts' shares among the units (Callaway and Sant'Anna 2021, section 3 and table 1); that they are estimated enters
the standard errors through their own influence function (their corollary 2).

    simple     all effects with t >= g, weighted by cohort share
    dynamic    by e = t - g, weighted by cohort share; overall: plain mean over e >= 0
    group      plain mean over t >= g for each cohort; overall: weighted by cohort share
    calendar   by period over the cohorts treated by then, weighted by cohort share; overall: plain mean over the periods

One number differs from R's did up to 2.1.2: the standard error of the overall "group" average. That program looks the cohorts' shares
up in the list of effects instead of the list of cohorts, so the part for estimated weights belongs to the wrong cohorts (0.01242
where the formula gives 0.01245 on its own example; csdid 0.4.3 has the formula). `share_error="did_2_1"` reproduces it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.options import EffectKind, ShareError
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.callaway import GroupTimeEffects
from analysis.estimators.did.inference import Bands, cluster_sums, multiplier_bootstrap
from analysis.estimators.did.sample import period_text, wald

OVERALL = "overall"


@dataclass(frozen=True, eq=False, kw_only=True)
class AggregateEffects(Result):
    """Averaged effects; the first term is `overall`.

    Attributes beyond `Result`
    ----------
    kind : which average
    estimates : one row an event time, cohort or period (none for "simple"): value, att, standard_error
    influence : (units, terms) influence functions, `overall` first
    bands : simultaneous bands over `estimates`, None without bootstrap
    """

    kind: EffectKind
    estimates: pd.DataFrame
    influence: np.ndarray
    bands: Bands | None


@dataclass(frozen=True)
class _Cells:
    """The usable effects (k,), and what their weights depend on."""

    group: np.ndarray
    time: np.ndarray
    att: np.ndarray
    influence: np.ndarray  # (units, k)
    share: np.ndarray  # (k,) mean over units of weight * member of the cell's cohort
    member: np.ndarray  # (units, k) weight * member of the cell's cohort

    @property
    def event(self) -> np.ndarray:
        return np.asarray(self.time - self.group)

    def average(self, chosen: np.ndarray) -> tuple[float, np.ndarray]:
        """Share-weighted mean of the chosen cells, and its influence function with that of the weights."""
        share = self.share[chosen]
        total = share.sum()
        weights = share / total
        value = float(weights @ self.att[chosen])
        deviation = self.member[:, chosen] - share
        # d(weight_j) = (d share_j - weight_j * sum_i d share_i) / total
        moved = (deviation @ self.att[chosen] - deviation.sum(axis=1) * value) / total
        return value, self.influence[:, chosen] @ weights + moved


def aggregate_effects(
    effects: GroupTimeEffects,
    kind: EffectKind = "simple",
    *,
    balance_e: float | None = None,
    min_e: float = -np.inf,
    max_e: float = np.inf,
    skip_missing: bool = False,
    share_error: ShareError = "exact",
    bootstrap: int = 0,
    seed: int = 20210101,
    level: float = 0.95,
) -> AggregateEffects:
    """Average ATT(g, t).

    Parameters
    ----------
    effects : from `callaway_santanna`
    kind : see the module's text
    balance_e : "dynamic" only: keep cohorts that are seen for at least this long after treatment, and the event times all of them have
    min_e, max_e : shortest and longest time since treatment that enters ("calendar" takes all)
    skip_missing : leave out effects that could not be estimated; otherwise they are an error
    share_error : "group" only, see the module's text
    bootstrap, seed, level : simultaneous bands over event times, cohorts or periods, and their coverage

    Raises
    ------
    ValueError : an unknown kind, options that do not belong to it, missing effects, or nothing left to average.
    """
    if kind not in ("simple", "dynamic", "group", "calendar"):
        raise ValueError(f"kind = {kind!r}: it is one of simple, dynamic, group, calendar.")
    if share_error not in ("exact", "did_2_1"):
        raise ValueError(f"share_error = {share_error!r}: it is 'exact' or 'did_2_1'.")
    if balance_e is not None and kind != "dynamic":
        raise ValueError(f"balance_e belongs to kind='dynamic', not {kind!r}.")
    if kind == "calendar" and (np.isfinite(min_e) or np.isfinite(max_e)):
        raise ValueError("min_e and max_e do not belong to kind='calendar', which takes every effect of a period.")
    cells = _usable(effects, skip_missing)
    first = min(effects.cells["base"].min(), effects.cells["time"].min())
    last = effects.cells["time"].max()
    window = (cells.event >= min_e) & (cells.event <= max_e)
    values, parts, overall = _averages(cells, kind, window, balance_e, float(first), float(last), share_error)
    return _result(effects, kind, values, parts, overall, bootstrap, seed, level, _window_text(balance_e, min_e, max_e))


def _usable(effects: GroupTimeEffects, skip_missing: bool) -> _Cells:
    table = effects.cells
    missing = table["att"].isna()
    if missing.any() and not skip_missing:
        named = "; ".join(f"ATT({row.group:g},{row.time:g}): {row.reason}" for row in table[missing].head(3).itertuples())
        raise ValueError(f"{int(missing.sum())} effect(s) could not be estimated ({named}). Pass skip_missing=True to average the others.")
    keep = (~missing).to_numpy()
    group = table["group"].to_numpy(dtype=float)[keep]
    member = effects.weight[:, None] * (effects.cohort[:, None] == group)
    return _Cells(group, table["time"].to_numpy(dtype=float)[keep], table["att"].to_numpy()[keep], effects.influence[:, keep], member.mean(axis=0), member)


Average = tuple[float, np.ndarray]


def _averages(
    cells: _Cells, kind: EffectKind, window: np.ndarray, balance_e: float | None, first: float, last: float, share_error: ShareError
) -> tuple[np.ndarray, list[Average], Average]:
    """Event times, cohorts or periods; the average of each; the overall average."""
    after = (cells.event >= 0) & window
    if kind != "dynamic" and not after.any():
        raise ValueError("no effect after treatment lies between min_e and max_e.")
    if kind == "simple":
        return np.array([]), [], cells.average(after)
    if kind == "dynamic":
        return _dynamic(cells, window, balance_e, first, last)
    if kind == "group":
        groups = np.unique(cells.group[after])
        parts = [_plain_mean(cells, after & (cells.group == group)) for group in groups]
        return groups, parts, _overall_group(cells, after, groups, parts, share_error)
    times = np.unique(cells.time[after])
    parts = [cells.average(after & (cells.time == now)) for now in times]
    return times, parts, _mean_of(parts)


def _dynamic(cells: _Cells, window: np.ndarray, balance_e: float | None, first: float, last: float) -> tuple[np.ndarray, list[Average], Average]:
    chosen = window.copy()
    if balance_e is not None:
        chosen &= (last - cells.group >= balance_e) & (cells.event <= balance_e) & (cells.event >= balance_e - last + first)
    events = np.unique(cells.event[chosen])
    if not (events >= 0).any():
        raise ValueError("no event time after treatment is left. Widen min_e and max_e, or lower balance_e.")
    parts = [cells.average(chosen & (cells.event == event)) for event in events]
    return events, parts, _mean_of([part for part, event in zip(parts, events, strict=True) if event >= 0])


def _plain_mean(cells: _Cells, chosen: np.ndarray) -> Average:
    return float(cells.att[chosen].mean()), cells.influence[:, chosen].mean(axis=1)


def _mean_of(parts: list[Average]) -> Average:
    return float(np.mean([value for value, _ in parts])), np.mean([influence for _, influence in parts], axis=0)


def _overall_group(cells: _Cells, after: np.ndarray, groups: np.ndarray, parts: list[Average], share_error: ShareError) -> Average:
    """Share-weighted mean of the cohorts' own means."""
    one_each = np.array([np.flatnonzero(after & (cells.group == group))[0] for group in groups])
    looked_up = one_each if share_error == "exact" else np.arange(len(groups))
    values = np.array([value for value, _ in parts])
    influence = np.column_stack([part for _, part in parts])
    by_group = _Cells(groups, groups, values, influence, cells.share[one_each], cells.member[:, looked_up])
    return by_group.average(np.ones(len(groups), dtype=bool))


def _result(
    effects: GroupTimeEffects,
    kind: EffectKind,
    values: np.ndarray,
    parts: list[Average],
    overall: Average,
    bootstrap: int,
    seed: int,
    level: float,
    window: str,
) -> AggregateEffects:
    prefix = {"simple": "", "dynamic": "e=", "group": "g=", "calendar": "t="}[kind]
    terms = [OVERALL, *(f"{prefix}{period_text(value)}" for value in values)]
    coefficients = pd.Series([overall[0], *(value for value, _ in parts)], index=terms, name="coefficient")
    influence = np.column_stack([overall[1], *(part for _, part in parts)])
    sums = cluster_sums(influence, effects.cluster)
    covariance = sums.T @ sums / len(influence) ** 2
    # A reference period is zero by construction: it has no error rather than an error of zero.
    fixed = ~influence.any(axis=0)
    covariance[fixed, :] = np.nan
    covariance[:, fixed] = np.nan
    errors = np.sqrt(np.diag(covariance))
    bands = None
    if bootstrap:
        each = slice(1, None) if parts else slice(None)
        bands = multiplier_bootstrap(coefficients.iloc[each], influence[:, each], effects.cluster, bootstrap, seed, level)
    return AggregateEffects(
        method=f"{effects.method}, {kind} average{window}",
        outcome=effects.outcome,
        coefficients=coefficients,
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        convention=effects.convention,
        df_t=None,
        n=effects.n,
        groups=effects.groups,
        dropped=effects.dropped,
        sample=effects.sample,
        tests=_tests(kind, values, coefficients.to_numpy()[1:], covariance[1:, 1:], effects),
        seconds=effects.seconds,
        kind=kind,
        estimates=pd.DataFrame({"value": values, "att": coefficients.to_numpy()[1:], "standard_error": errors[1:]}),
        influence=influence,
        bands=bands,
    )


def _tests(kind: EffectKind, values: np.ndarray, att: np.ndarray, covariance: np.ndarray, effects: GroupTimeEffects) -> dict[str, Test]:
    if kind != "dynamic":
        return dict(effects.tests)
    before = (values < -effects.anticipation) & np.isfinite(np.diag(covariance))
    tests = dict(effects.tests)
    if before.any():
        tests["pre_trends_dynamic"] = wald(
            "pre-trends by event time chi2", att[before], covariance[np.ix_(before, before)], None, "averaged effects before treatment are zero"
        )
    return tests


def _window_text(balance_e: float | None, min_e: float, max_e: float) -> str:
    parts = []
    if balance_e is not None:
        parts.append(f"cohorts seen for {balance_e:g} periods after treatment")
    if np.isfinite(min_e) or np.isfinite(max_e):
        parts.append(f"event times {min_e:g} to {max_e:g}")
    return f" ({', '.join(parts)})" if parts else ""
