"""Averages of group-time effects: over everything, by time since treatment, cohort or period.

Weights are the cohorts' shares among the units (Callaway and Sant'Anna 2021, section 3 and table
1); that they are estimated enters the standard errors through their own influence function (their
corollary 2).

    simple     all effects with t >= g, weighted by cohort share
    dynamic    by e = t - g, weighted by cohort share; overall: plain mean over e >= 0
    group      plain mean over t >= g for each cohort; overall: weighted by cohort share
    calendar   by period over the cohorts treated by then, weighted by cohort share; overall: plain
               mean over the periods

One number differs from R's did up to 2.1.2: the standard error of the overall "group" average. That
program looks the cohorts' shares up in the list of effects instead of the list of cohorts, so the
part for estimated weights belongs to the wrong cohorts (0.01242 where the formula gives 0.01245 on
its own example; csdid 0.4.3 has the formula). `share_error="did_2_1"` reproduces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.options import EffectKind, ShareError, checked, level_of
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.callaway import GroupTimeEffects
from analysis.estimators.did.imputation import EQUATION, OVERALL, PREFIX
from analysis.estimators.did.inference import Bands, Bootstrap, covariance_of_sums
from analysis.estimators.did.regression import effect_names
from analysis.estimators.did.sample import period_text
from analysis.estimators.did.wald import wald

Average = tuple[float, np.ndarray]


@dataclass(frozen=True, eq=False, kw_only=True)
class AggregateEffects(Result):
    """Averaged effects; the first term is `overall`.

    Attributes beyond `Result`
    ----------
    kind : which average
    estimates : one row an event time, cohort or period (none for "simple"): value, att,
        standard_error
    influence : (units, terms) influence functions, `overall` first
    bands : simultaneous bands over `estimates`, None without bootstrap
    """

    kind: EffectKind
    estimates: pd.DataFrame
    influence: np.ndarray
    bands: Bands | None

    def _names(self) -> tuple[list[str], list[str]]:
        return effect_names(self, EQUATION[self.kind], set(self.coefficients.index[1:]))


@dataclass(frozen=True)
class _Cells:
    """The usable effects (k,), and what their weights depend on."""

    group: np.ndarray
    time: np.ndarray
    att: np.ndarray
    influence: np.ndarray  # (units, k)
    share: np.ndarray  # (k,) mean of member over units
    member: np.ndarray  # (units, k) weight * is in the cell's cohort

    @property
    def event(self) -> np.ndarray:
        return np.asarray(self.time - self.group)

    def average(self, chosen: np.ndarray) -> tuple[float, np.ndarray]:
        """Share-weighted mean of the chosen cells, and its influence with that of the weights."""
        share = self.share[chosen]
        total = share.sum()
        weights = share / total
        value = float(weights @ self.att[chosen])
        deviation = self.member[:, chosen] - share
        # d(weight_j) = (d share_j - weight_j * sum_i d share_i) / total
        moved = (deviation @ self.att[chosen] - deviation.sum(axis=1) * value) / total
        return value, self.influence[:, chosen] @ weights + moved


@dataclass(frozen=True)
class _Span:
    """Which times since treatment enter, and for how long a cohort has to be seen."""

    balance_e: float | None
    min_e: float
    max_e: float

    def inside(self, cells: _Cells) -> np.ndarray:
        return np.asarray((cells.event >= self.min_e) & (cells.event <= self.max_e))

    def text(self) -> str:
        parts = []
        if self.balance_e is not None:
            parts.append(f"cohorts seen for {self.balance_e:g} periods after treatment")
        if np.isfinite(self.min_e) or np.isfinite(self.max_e):
            parts.append(f"event times {self.min_e:g} to {self.max_e:g}")
        return f" ({', '.join(parts)})" if parts else ""


def aggregate_effects(
    effects: GroupTimeEffects,
    kind: EffectKind = "simple",
    *,
    balance_e: float | None = None,
    min_e: float = -np.inf,
    max_e: float = np.inf,
    skip_missing: bool = False,
    share_error: ShareError = "exact",
    level: float = 0.95,
    bootstrap: int = 0,
    seed: int = 20210101,
) -> AggregateEffects:
    """Average ATT(g, t).

    Parameters
    ----------
    effects : from `callaway_santanna`
    kind : see the module's text
    balance_e : "dynamic" only: keep cohorts that are seen for at least this long after treatment,
        and the event times all of them have
    min_e, max_e : shortest and longest time since treatment that enters ("calendar" takes all)
    skip_missing : leave out effects that could not be estimated; otherwise they are an error
    share_error : "group" only, see the module's text
    level, bootstrap, seed : simultaneous bands over event times, cohorts or periods

    Raises
    ------
    ValueError : an unknown kind, options that do not belong to it, missing effects, or nothing left
        to average.
    """
    checked("kind", kind, EffectKind)
    checked("share_error", share_error, ShareError)
    if balance_e is not None and kind != "dynamic":
        raise ValueError(f"balance_e belongs to kind='dynamic', not {kind!r}.")
    if kind == "calendar" and (np.isfinite(min_e) or np.isfinite(max_e)):
        raise ValueError(
            "min_e and max_e do not belong to kind='calendar', "
            "which takes every effect of a period."
        )
    cells = _usable(effects, skip_missing)
    span = _Span(balance_e, min_e, max_e)
    table = effects.cells
    seen = float(min(table["base"].min(), table["time"].min())), float(table["time"].max())
    dynamic = kind == "dynamic"
    inside = span.inside(cells)
    averages = _dynamic(cells, span, *seen) if dynamic else _after(cells, kind, inside, share_error)
    return _result(effects, kind, averages, Bootstrap(bootstrap, seed, level_of(level)), span)


def _usable(effects: GroupTimeEffects, skip_missing: bool) -> _Cells:
    table = effects.cells
    missing = table["att"].isna()
    if missing.any() and not skip_missing:
        named = "; ".join(
            f"ATT({row.group:g},{row.time:g}): {row.reason}"
            for row in table[missing].head(3).itertuples()
        )
        raise ValueError(
            f"{int(missing.sum())} effect(s) could not be estimated ({named}). Pass"
            " skip_missing=True to average the others."
        )
    keep = (~missing).to_numpy()
    group, when = (table[name].to_numpy(dtype=float)[keep] for name in ("group", "time"))
    member = effects.weight[:, None] * (effects.cohort[:, None] == group)
    att, influence = table["att"].to_numpy()[keep], effects.influence[:, keep]
    return _Cells(group, when, att, influence, member.mean(axis=0), member)


@dataclass(frozen=True)
class _Averages:
    """Event times, cohorts or periods (k,), the average of each, and the overall average."""

    values: np.ndarray
    parts: Sequence[Average]
    overall: Average


def _after(
    cells: _Cells, kind: EffectKind, window: np.ndarray, share_error: ShareError
) -> _Averages:
    after = (cells.event >= 0) & window
    if not after.any():
        raise ValueError("no effect after treatment lies between min_e and max_e.")
    if kind == "simple":
        return _Averages(np.array([]), [], cells.average(after))
    if kind == "group":
        groups = np.unique(cells.group[after])
        parts = [_plain_mean(cells, after & (cells.group == group)) for group in groups]
        return _Averages(groups, parts, _overall_group(cells, after, groups, parts, share_error))
    times = np.unique(cells.time[after])
    parts = [cells.average(after & (cells.time == now)) for now in times]
    return _Averages(times, parts, _mean_of(parts))


def _dynamic(cells: _Cells, span: _Span, first: float, last: float) -> _Averages:
    chosen = span.inside(cells)
    if span.balance_e is not None:
        long = span.balance_e
        chosen &= (last - cells.group >= long) & (cells.event <= long)
        chosen &= cells.event >= long - last + first
    events = np.unique(cells.event[chosen])
    if not (events >= 0).any():
        raise ValueError(
            "no event time after treatment is left. Widen min_e and max_e, or lower balance_e."
        )
    parts = [cells.average(chosen & (cells.event == event)) for event in events]
    after = [part for part, event in zip(parts, events, strict=True) if event >= 0]
    return _Averages(events, parts, _mean_of(after))


def _plain_mean(cells: _Cells, chosen: np.ndarray) -> Average:
    return float(cells.att[chosen].mean()), cells.influence[:, chosen].mean(axis=1)


def _mean_of(parts: Sequence[Average]) -> Average:
    values, influences = zip(*parts, strict=True)
    return float(np.mean(values)), np.mean(influences, axis=0)


def _overall_group(
    cells: _Cells,
    after: np.ndarray,
    groups: np.ndarray,
    parts: Sequence[Average],
    share_error: ShareError,
) -> Average:
    """Share-weighted mean of the cohorts' own means."""
    one_each = np.array([np.flatnonzero(after & (cells.group == group))[0] for group in groups])
    looked_up = one_each if share_error == "exact" else np.arange(len(groups))
    values = np.array([value for value, _ in parts])
    influence = np.column_stack([part for _, part in parts])
    share, member = cells.share[one_each], cells.member[:, looked_up]
    by_group = _Cells(groups, groups, values, influence, share, member)
    return by_group.average(np.ones(len(groups), dtype=bool))


def _result(
    effects: GroupTimeEffects,
    kind: EffectKind,
    averages: _Averages,
    asked: Bootstrap,
    span: _Span,
) -> AggregateEffects:
    values = averages.values
    terms = [OVERALL, *(f"{PREFIX[kind]}{period_text(value)}" for value in values)]
    att, influences = zip(averages.overall, *averages.parts, strict=True)
    coefficients = pd.Series(list(att), index=terms, name="coefficient")
    influence = np.column_stack(influences)
    covariance = covariance_of_sums(influence, effects.cluster)
    # A reference period is zero by construction: it has no error rather than an error of zero.
    fixed = ~influence.any(axis=0)
    covariance[fixed, :] = np.nan
    covariance[:, fixed] = np.nan
    table = {"value": values, "att": coefficients.to_numpy()[1:]}
    table |= {"standard_error": np.sqrt(np.diag(covariance))[1:]}
    each = slice(1, None) if averages.parts else slice(None)
    return AggregateEffects(
        method=f"{effects.method}, {kind} average{span.text()}",
        outcome=effects.outcome,
        coefficients=coefficients,
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        convention=effects.convention,
        df_t=None,
        n=effects.n,
        groups=effects.groups,
        dropped=effects.dropped,
        sample=effects.sample,
        tests=_tests(kind, pd.DataFrame(table), covariance[1:, 1:], effects),
        seconds=effects.seconds,
        warnings=effects.warnings,
        kind=kind,
        estimates=pd.DataFrame(table),
        influence=influence,
        bands=asked.bands(coefficients.iloc[each], influence[:, each], effects.cluster),
    )


def _tests(
    kind: EffectKind, table: pd.DataFrame, covariance: np.ndarray, effects: GroupTimeEffects
) -> dict[str, Test]:
    tests = dict(effects.tests)
    if kind != "dynamic":
        return tests
    early = (table["value"] < -effects.anticipation) & table["standard_error"].notna()
    before = early.to_numpy()
    if before.any():
        spread = covariance[np.ix_(before, before)]
        estimate = table["att"].to_numpy()[before]
        null = "averaged effects before treatment are zero"
        name = "pre-trends by event time chi2"
        tests["pre_trends_dynamic"] = wald(name, estimate, spread, None, null)
    return tests
