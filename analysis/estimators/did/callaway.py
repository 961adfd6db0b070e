"""Group-time average treatment effects on the treated (Callaway and Sant'Anna 2021, Journal of Econometrics 225).

ATT(g, t) compares, for units first treated in g, the change of the outcome from a base period to t with that of controls:

    control = "nevertreated"    units that are never treated
    control = "notyettreated"   also units that are treated only after both periods (and after the anticipation periods)
    base = "varying"            before treatment the period before t; from treatment (less anticipation) on, the last period before it
    base = "universal"          that last period for all t; ATT is zero there by construction and has no standard error

Covariates and weights of a comparison are those of its earlier period. Standard errors come from influence functions: the variance
is sum over clusters of (sum of influence)^2 / n^2, without small-sample factor; default cluster is the unit. What equals what: with
`sampling="panel"` R's did::att_gt with a balanced panel (units with a gap are dropped and counted), with "unbalanced_panel" its
allow_unbalanced_panel = TRUE, with "cross_sections" its panel = FALSE. Within the anticipation periods a varying base is the last
period before them (did from 2.2 on; did 2.1.2 took the adjacent period).
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.options import DidBase, DidControl, DidMethod, MissingCohort, Sampling
from analysis.estimators.core.result import Result, Test
from analysis.estimators.did.inference import Bands, cluster_sums, multiplier_bootstrap
from analysis.estimators.did.sample import DidSample, did_sample, period_text, unit_groups, wald
from analysis.estimators.did.two_by_two import NoComparison, panel_comparison, section_comparison


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupTimeEffects(Result):
    """ATT(g, t) by cohort and period; `aggregate_effects` averages them.

    Attributes beyond `Result`
    ----------
    cells : one row an effect: group, time, base (the other period), att, standard_error, treated (is t at or after g), reason (why it
        could not be estimated, empty where it was)
    influence : (units, cells) influence functions, in the order of `cells`; a unit is a row for cross-sections
    cohort, weight, cluster : (units,) first treated period (infinity for never), weight, cluster number
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


@dataclass(frozen=True)
class _Design:
    """Options of one call, and the sample in both shapes."""

    sample: DidSample
    times: np.ndarray
    groups: np.ndarray
    cohort: np.ndarray  # (units,)
    weight: np.ndarray  # (units,)
    wide: tuple[np.ndarray, np.ndarray, np.ndarray] | None  # outcome (units, T), covariates (units, T, k), weights (units, T)
    method: DidMethod
    control: DidControl
    base: DidBase
    anticipation: int


def callaway_santanna(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    covariates: Sequence[str] = (),
    *,
    method: DidMethod = "dr",
    control: DidControl = "nevertreated",
    base: DidBase = "varying",
    anticipation: int = 0,
    sampling: Sampling = "panel",
    cluster: str | None = None,
    weights: str | None = None,
    bootstrap: int = 0,
    seed: int = 20210101,
    level: float = 0.95,
    missing_cohort: MissingCohort = "drop",
) -> GroupTimeEffects:
    """Estimate ATT(g, t) for every cohort and period.

    Parameters
    ----------
    frame : one row a unit and period (any order); one row an observation for cross-sections
    outcome, covariates : numeric columns; a constant is added to the covariates
    unit, time, cohort : the unit, the period (a number), and the first treated period of the unit (0 or infinity for never)
    method : "dr" doubly robust, "reg" outcome regression, "ipw" inverse probability weights
    control, base, anticipation, sampling : see the module's text; for cross-sections `unit` is the default cluster
    weights : column of sampling weights
    bootstrap : draws of the multiplier bootstrap for simultaneous bands (0 for none), from the seed
    level : coverage of the bands

    Raises
    ------
    ValueError : unusable columns or keys, no cohort with an untreated period, no controls; the message says which.
    """
    started = clock.perf_counter()
    _check_options(method, control, base, anticipation, sampling, bootstrap, level)
    sample = did_sample(frame, outcome, unit, time, cohort, covariates, cluster, weights, missing_cohort=missing_cohort, panel=sampling != "cross_sections")
    sample = _usable(sample, control, anticipation)
    if sampling == "panel":
        sample = _balanced(sample, control, anticipation)
    design = _design(sample, method, control, base, anticipation, sampling)
    cells, influence = _all_cells(design, sampling)
    clusters = sample.cluster if sampling == "cross_sections" else _first_of_unit(sample, sample.cluster)
    covariance = _covariance(influence, clusters, cells["reason"].ne("") | cells["base"].eq(cells["time"]))
    cells["standard_error"] = np.sqrt(np.diag(covariance))
    terms = [f"ATT({period_text(g)},{period_text(t)})" for g, t in zip(cells["group"], cells["time"], strict=True)]
    coefficients = pd.Series(cells["att"].to_numpy(), index=terms, name="coefficient")
    n_clusters = len(np.unique(clusters))
    return GroupTimeEffects(
        method=_title(method, control, base, anticipation, sampling, covariates),
        outcome=outcome,
        coefficients=coefficients,
        covariance=pd.DataFrame(covariance, index=terms, columns=terms),
        convention=f"from influence functions, clustered by {cluster or unit} ({n_clusters:,} clusters, no small-sample factor), normal",
        df_t=None,
        n=len(sample.y),
        groups=unit_groups(sample, unit, time, cluster),
        dropped=sample.dropped,
        sample=sample.labels,
        tests={"pre_trends": _pre_test(cells, covariance, anticipation)},
        seconds=clock.perf_counter() - started,
        cells=cells,
        influence=influence,
        cohort=design.cohort,
        weight=design.weight,
        cluster=clusters,
        anticipation=anticipation,
        bands=multiplier_bootstrap(coefficients, influence, clusters, bootstrap, seed, level) if bootstrap else None,
    )


def _check_options(method: str, control: str, base: str, anticipation: int, sampling: str, bootstrap: int, level: float) -> None:
    for name, value, known in (
        ("method", method, ("dr", "reg", "ipw")),
        ("control", control, ("nevertreated", "notyettreated")),
        ("base", base, ("varying", "universal")),
        ("sampling", sampling, ("panel", "unbalanced_panel", "cross_sections")),
    ):
        if value not in known:
            raise ValueError(f"{name} = {value!r}: it is one of {', '.join(known)}.")
    if anticipation < 0 or bootstrap < 0 or not 0 < level < 1:
        raise ValueError(f"anticipation ({anticipation}) and bootstrap ({bootstrap}) are zero or more, level ({level}) lies between 0 and 1.")


def _usable(sample: DidSample, control: DidControl, anticipation: int) -> DidSample:
    """Without units treated from the start, and, where nobody is never treated, without the periods that have no control."""
    last = sample.time.max() + anticipation
    sample = sample.with_cohort(np.where(sample.cohort > last, np.inf, sample.cohort))
    sample = _with_controls(sample, control, anticipation)
    early = sample.cohort <= sample.time.min() + anticipation
    return sample.keep(~early, "unit already treated in the first period")


def _with_controls(sample: DidSample, control: DidControl, anticipation: int) -> DidSample:
    if np.isinf(sample.cohort).any():
        return sample
    if control == "nevertreated":
        raise ValueError("no unit is never treated. Use control='notyettreated', which compares with units treated later.")
    last = sample.cohort.max()
    sample = sample.keep(sample.time < last - anticipation, f"period without untreated units ({period_text(last - anticipation)} and later)")
    return sample.with_cohort(np.where(sample.cohort == last, np.inf, sample.cohort))


def _balanced(sample: DidSample, control: DidControl, anticipation: int) -> DidSample:
    """Units seen in every period."""
    seen = np.bincount(sample.unit)
    whole = seen == len(np.unique(sample.time))
    if not whole.any():
        raise ValueError("no unit is seen in every period. Use sampling='unbalanced_panel'.")
    return _with_controls(sample.keep(whole[sample.unit], "unit not seen in every period"), control, anticipation)


def _first_of_unit(sample: DidSample, values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.unique(sample.unit, return_index=True)[1]])


def _design(sample: DidSample, method: DidMethod, control: DidControl, base: DidBase, anticipation: int, sampling: Sampling) -> _Design:
    times = np.unique(sample.time)
    sections = sampling == "cross_sections"
    cohort = sample.cohort if sections else _first_of_unit(sample, sample.cohort)
    groups = np.unique(cohort[np.isfinite(cohort)])
    if len(times) < 2 or not len(groups):
        raise ValueError(f"{len(times)} period(s) and {len(groups)} cohort(s) treated inside them: at least two and one are needed.")
    wide = None
    if sampling == "panel":
        shape = (len(cohort), len(times))
        wide = (sample.y.reshape(shape), sample.x.reshape(*shape, -1), sample.weight.reshape(shape))
        weight = wide[2][:, 0]
    elif sections:
        weight = sample.weight
    else:
        weight = np.bincount(sample.unit, sample.weight) / np.bincount(sample.unit)
    return _Design(sample, times, groups, cohort, weight, wide, method, control, base, anticipation)


def _all_cells(design: _Design, sampling: Sampling) -> tuple[pd.DataFrame, np.ndarray]:
    found: list[dict[str, object]] = []
    columns: list[np.ndarray] = []
    for group in design.groups:
        for now, base in _periods(design, float(group)):
            cell = {"group": group, "time": design.times[now], "base": design.times[base], "treated": bool(design.times[now] >= group)}
            try:
                att, influence = _cell(design, sampling, float(group), now, base)
                found.append({**cell, "att": att, "reason": ""})
            except NoComparison as error:
                influence = np.full(len(design.cohort), np.nan)
                found.append({**cell, "att": np.nan, "reason": str(error)})
            columns.append(influence)
    cells = pd.DataFrame(found)
    if cells["att"].isna().all():
        raise ValueError(f"no effect can be estimated: {cells['reason'].iloc[0]} (cohort {period_text(float(cells['group'].iloc[0]))}).")
    return cells, np.column_stack(columns)


def _periods(design: _Design, group: float) -> list[tuple[int, int]]:
    """Positions of (t, base period) for one cohort."""
    before = int(np.flatnonzero(design.times + design.anticipation < group)[-1])
    if design.base == "universal":
        return [(now, before) for now in range(len(design.times))]
    reached = group - design.anticipation
    return [(now, before if design.times[now] >= reached else now - 1) for now in range(1, len(design.times))]


def _cell(design: _Design, sampling: Sampling, group: float, now: int, base: int) -> tuple[float, np.ndarray]:
    if now == base:
        return 0.0, np.zeros(len(design.cohort))
    if sampling == "panel":
        return _panel_cell(design, group, now, base)
    return _section_cell(design, group, now, base, sampling)


def _members(design: _Design, cohort: np.ndarray, group: float, now: int, base: int) -> np.ndarray:
    """Rows of the cohort and of its controls."""
    controls = np.isinf(cohort)
    if design.control == "notyettreated":
        controls = controls | (cohort > design.times[max(now, base)] + design.anticipation)
    if not (controls & (cohort != group)).any():
        raise NoComparison("no controls")
    return np.asarray((cohort == group) | controls)


def _panel_cell(design: _Design, group: float, now: int, base: int) -> tuple[float, np.ndarray]:
    assert design.wide is not None  # the panel's design always has it
    y, x, w = design.wide
    inside = _members(design, design.cohort, group, now, base)
    earlier = min(now, base)
    covariates = np.column_stack([np.ones(int(inside.sum())), x[inside, earlier]])
    treated = (design.cohort[inside] == group).astype(float)
    att, part = panel_comparison(design.method, y[inside, now] - y[inside, base], treated, covariates, w[inside, earlier])
    influence = np.zeros(len(design.cohort))
    influence[inside] = part * (len(inside) / inside.sum())
    return att, influence


def _section_cell(design: _Design, group: float, now: int, base: int, sampling: Sampling) -> tuple[float, np.ndarray]:
    sample = design.sample
    inside = _members(design, sample.cohort, group, now, base) & np.isin(sample.time, design.times[[now, base]])
    d = (sample.cohort[inside] == group).astype(float)
    post = (sample.time[inside] == design.times[now]).astype(float)
    for name, present in (("treated", d), ("control", 1 - d)):
        for when, period in ((now, post), (base, 1 - post)):
            if not (present * period).any():
                raise NoComparison(f"no {name} rows in {period_text(float(design.times[when]))}")
    covariates = np.column_stack([np.ones(len(d)), sample.x[inside]])
    att, part = section_comparison(design.method, sample.y[inside], post, d, covariates, sample.weight[inside])
    owner = np.flatnonzero(inside) if sampling == "cross_sections" else sample.unit[inside]
    size = len(design.cohort)
    return att, np.bincount(owner, part * (size / len(d)), minlength=size)


def _covariance(influence: np.ndarray, clusters: np.ndarray, undefined: pd.Series) -> np.ndarray:
    sums = cluster_sums(influence, clusters)
    covariance = sums.T @ sums / len(influence) ** 2
    covariance[undefined.to_numpy(), :] = np.nan
    covariance[:, undefined.to_numpy()] = np.nan
    return np.asarray(covariance)


def _pre_test(cells: pd.DataFrame, covariance: np.ndarray, anticipation: int) -> Test:
    before = (cells["time"] < cells["group"] - anticipation).to_numpy() & np.isfinite(np.diag(covariance))
    null = "all effects before treatment are zero"
    if not before.any():
        return Test("pre-trends chi2", float("nan"), 0.0, float("nan"), None, null)
    return wald("pre-trends chi2", cells["att"].to_numpy()[before], covariance[np.ix_(before, before)], None, null)


def _title(method: str, control: str, base: str, anticipation: int, sampling: str, covariates: Sequence[str]) -> str:
    names = {"dr": "doubly robust", "reg": "outcome regression", "ipw": "inverse probability weights"}
    parts = [names[method], f"{'never' if control == 'nevertreated' else 'not-yet'}-treated controls", f"{base} base period"]
    if covariates:
        parts.append(f"covariates {', '.join(covariates)}")
    if anticipation:
        parts.append(f"{anticipation} anticipation period(s)")
    if sampling != "panel":
        parts.append(sampling.replace("_", " "))
    return f"Callaway-Sant'Anna group-time effects ({', '.join(parts)})"
