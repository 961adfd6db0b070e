"""Group-time average treatment effects on the treated.

Callaway and Sant'Anna (2021, Journal of Econometrics 225): ATT(g, t) compares, for units first
treated in g, the change of the outcome from a base period to t with that of controls:

    control = "nevertreated"    units that are never treated
    control = "notyettreated"   also units that are treated only after both periods (and after the
                                anticipation periods)
    base = "varying"            before treatment the period before t; from treatment (less
                                anticipation) on, the last period before it
    base = "universal"          that last period for all t; ATT is zero there by construction and
                                has no standard error

Controls and weights of a comparison are those of its earlier period. Standard errors come from
influence functions: the variance is sum over clusters of (sum of influence)^2 / n^2, without
small-sample factor; default cluster is the unit. What equals what: with `sampling="panel"` R's
did::att_gt with a balanced panel (units with a gap are dropped and counted), with
"unbalanced_panel" its allow_unbalanced_panel = TRUE, with "cross_sections" its panel = FALSE.
Within the anticipation periods a varying base is the last period before them (did from 2.2 on; did
2.1.2 took the adjacent period).
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.options import (
    CovarianceOption,
    DidBase,
    DidControl,
    DidMethod,
    MissingCohort,
    Sampling,
    Where,
    level_of,
)
from analysis.estimators.core.result import Caution, Result, Test
from analysis.estimators.did import cautions
from analysis.estimators.did.design import Comparing, Design, design_of, first_of_unit, usable
from analysis.estimators.did.inference import Bands, Bootstrap, covariance_of_sums
from analysis.estimators.did.sample import (
    CLUSTERED,
    did_sample,
    period_text,
    read_call,
)
from analysis.estimators.did.two_by_two import NoComparison, panel_comparison, section_comparison
from analysis.estimators.did.wald import wald


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupTimeEffects(Result):
    """ATT(g, t) by cohort and period; `aggregate_effects` averages them.

    Attributes beyond `Result`
    ----------
    cells : one row an effect: group, time, base (the other period), att, standard_error, treated
        (is t at or after g), reason (why it could not be estimated, empty where it was)
    influence : (units, cells) influence functions, in the order of `cells`; a unit is a row for
        cross-sections
    cohort, weight, cluster : (units,) first treated period (infinity for never), weight, number
    anticipation : periods before treatment in which it may already have an effect
    bands : simultaneous bands and bootstrap standard errors, None without bootstrap
    """

    cells: pd.DataFrame
    influence: np.ndarray
    cohort: np.ndarray
    weight: np.ndarray
    cluster: np.ndarray
    anticipation: int
    bands: Bands | None


def callaway_santanna(
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
    method: DidMethod = "dr",
    control: DidControl = "nevertreated",
    base: DidBase = "varying",
    anticipation: int = 0,
    sampling: Sampling = "panel",
    missing_cohort: MissingCohort = "ask",
    level: float = 0.95,
    bootstrap: int = 0,
    seed: int = 20210101,
) -> GroupTimeEffects:
    """Estimate ATT(g, t) for every cohort and period.

    Parameters
    ----------
    frame : one row a unit and period; one row an observation for cross-sections
    controls : a constant is added to them
    weights : column of sampling weights
    method : "dr" doubly robust, "reg" outcome regression, "ipw" inverse probability weights
    control, base, anticipation, sampling : see the module's text; for cross-sections `unit` is the
        default cluster
    level : coverage of the bands
    bootstrap : draws of the multiplier bootstrap for simultaneous bands (0 for none), from the seed
    others : see analysis.estimators.did.sample; errors are always clustered

    Raises
    ------
    ValueError : unusable columns or keys, no cohort with an untreated period, no controls; the
        message says which.
    """
    started = clock.perf_counter()
    how = Comparing(method, control, base, anticipation, sampling)
    asked = Bootstrap(bootstrap, seed, level_of(level))
    names = outcome, unit, time, cohort
    call = read_call(names, controls, covariance, weights, kinds=CLUSTERED)
    sample = did_sample(
        frame, call, where, missing_cohort=missing_cohort, panel=how.panel, ahead=anticipation
    )
    design = design_of(usable(sample, how), how)
    design.sample.refuse_flat_outcome(panel=how.panel)
    return _group_time_effects(design, asked, started)


def _group_time_effects(design: Design, asked: Bootstrap, started: float) -> GroupTimeEffects:
    sample, how, call = design.sample, design.how, design.sample.call
    cells, influence = _all_cells(design)
    clusters = first_of_unit(sample, sample.cluster) if how.panel else sample.cluster
    spread = _spread(cells, influence, clusters)
    cells["standard_error"] = np.sqrt(np.diag(spread))
    pairs = zip(cells["group"], cells["time"], strict=True)
    terms = [f"ATT({period_text(g)},{period_text(t)})" for g, t in pairs]
    coefficients = pd.Series(cells["att"].to_numpy(), index=terms, name="coefficient")
    number = len(np.unique(clusters))
    said = (*cautions.of_sample(sample), *few_clusters(number), *_not_estimated(cells))
    return GroupTimeEffects(
        method=how.title(call.controls),
        outcome=call.outcome,
        coefficients=coefficients,
        covariance=pd.DataFrame(spread, index=terms, columns=terms),
        convention=(
            f"from influence functions, clustered by {call.cluster} ({number:,} clusters, no"
            " small-sample factor), normal"
        ),
        df_t=None,
        n=len(sample.y),
        groups=sample.counts(),
        dropped=sample.dropped,
        sample=sample.labels,
        tests={"pre_trends": _pre_test(cells, spread, how.anticipation)},
        seconds=clock.perf_counter() - started,
        warnings=said,
        cells=cells,
        influence=influence,
        cohort=design.cohort,
        weight=design.weight,
        cluster=clusters,
        anticipation=how.anticipation,
        bands=asked.bands(coefficients, influence, clusters),
    )


def _spread(cells: pd.DataFrame, influence: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Covariance of the effects; missing for those without an estimate, and the base."""
    spread = covariance_of_sums(influence, clusters)
    undefined = (cells["reason"].ne("") | cells["base"].eq(cells["time"])).to_numpy()
    spread[undefined, :] = np.nan
    spread[:, undefined] = np.nan
    return spread


def _not_estimated(cells: pd.DataFrame) -> tuple[Caution, ...]:
    """Effects without an estimate, with the first reason."""
    lost = cells[cells["reason"].ne("")]
    if lost.empty:
        return ()
    first = lost.iloc[0]
    term = f"ATT({period_text(first['group'])},{period_text(first['time'])})"
    text = (
        f"{len(lost)} of {len(cells)} effects could not be estimated ({term}: {first['reason']})."
    )
    return (Caution("not_estimated", text, "Their reasons stand in `cells`."),)


def _all_cells(design: Design) -> tuple[pd.DataFrame, np.ndarray]:
    found: list[dict[str, object]] = []
    columns: list[np.ndarray] = []
    for group in design.groups:
        for now, base in _periods(design, float(group)):
            when = design.times[now]
            cell = {"group": group, "time": when, "base": design.times[base]}
            cell |= {"treated": bool(when >= group)}
            try:
                att, influence = _cell(design, float(group), now, base)
                found.append({**cell, "att": att, "reason": ""})
            except NoComparison as error:
                influence = np.full(len(design.cohort), np.nan)
                found.append({**cell, "att": np.nan, "reason": str(error)})
            columns.append(influence)
    cells = pd.DataFrame(found)
    if cells["att"].isna().all():
        cohort = period_text(float(cells["group"].iloc[0]))
        raise ValueError(
            f"no effect can be estimated: {cells['reason'].iloc[0]} (cohort {cohort})."
        )
    return cells, np.column_stack(columns)


def _periods(design: Design, group: float) -> list[tuple[int, int]]:
    """Positions of (t, base period) for one cohort."""
    times, anticipation = design.times, design.how.anticipation
    before = int(np.flatnonzero(times + anticipation < group)[-1])
    if design.how.base == "universal":
        return [(now, before) for now in range(len(times))]
    reached = group - anticipation
    return [(now, before if times[now] >= reached else now - 1) for now in range(1, len(times))]


def _cell(design: Design, group: float, now: int, base: int) -> tuple[float, np.ndarray]:
    if now == base:
        return 0.0, np.zeros(len(design.cohort))
    if design.wide is not None:
        return _panel_cell(design, design.wide, group, now, base)
    return _section_cell(design, group, now, base)


def _members(design: Design, cohort: np.ndarray, group: float, now: int, base: int) -> np.ndarray:
    """Rows of the cohort and of its controls."""
    controls = np.isinf(cohort)
    if design.how.control == "notyettreated":
        later = design.times[max(now, base)] + design.how.anticipation
        controls = controls | (cohort > later)
    if not (controls & (cohort != group)).any():
        raise NoComparison("no controls")
    return np.asarray((cohort == group) | controls)


def _panel_cell(
    design: Design,
    wide: tuple[np.ndarray, np.ndarray, np.ndarray],
    group: float,
    now: int,
    base: int,
) -> tuple[float, np.ndarray]:
    y, x, w = wide
    inside = _members(design, design.cohort, group, now, base)
    earlier = min(now, base)
    controls = np.column_stack([np.ones(int(inside.sum())), x[inside, earlier]])
    treated = (design.cohort[inside] == group).astype(float)
    change, weight = y[inside, now] - y[inside, base], w[inside, earlier]
    att, part = panel_comparison(design.how.method, change, treated, controls, weight)
    influence = np.zeros(len(design.cohort))
    influence[inside] = part * (len(inside) / inside.sum())
    return att, influence


def _section_cell(design: Design, group: float, now: int, base: int) -> tuple[float, np.ndarray]:
    sample, times = design.sample, design.times
    inside = _members(design, sample.cohort, group, now, base)
    inside = inside & np.isin(sample.time, times[[now, base]])
    d = (sample.cohort[inside] == group).astype(float)
    post = (sample.time[inside] == times[now]).astype(float)
    for name, present in (("treated", d), ("control", 1 - d)):
        for when, period in ((now, post), (base, 1 - post)):
            if not (present * period).any():
                raise NoComparison(f"no {name} rows in {period_text(float(times[when]))}")
    controls = np.column_stack([np.ones(len(d)), sample.x[inside]])
    y, weight = sample.y[inside], sample.weight[inside]
    att, part = section_comparison(design.how.method, y, post, d, controls, weight)
    owner = sample.unit[inside] if design.how.panel else np.flatnonzero(inside)
    size = len(design.cohort)
    return att, np.bincount(owner, part * (size / len(d)), minlength=size)


def _pre_test(cells: pd.DataFrame, covariance: np.ndarray, anticipation: int) -> Test:
    before = (cells["time"] < cells["group"] - anticipation).to_numpy()
    before = before & np.isfinite(np.diag(covariance))
    spread = covariance[np.ix_(before, before)]
    null = "all effects before treatment are zero"
    return wald("pre-trends chi2", cells["att"].to_numpy()[before], spread, None, null)
