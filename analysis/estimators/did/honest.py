"""How large a violation of parallel trends an event study can bear.

Rambachan and Roth (2023, Review of Economic Studies 90): with estimates beta = delta + tau (delta
the difference in trends, zero in the base period; tau zero before treatment), intervals for theta =
sum of weights * tau hold for every delta allowed by

    relative_magnitude   after treatment, |delta_t+1 - delta_t| <= M * the largest
                         |delta_s+1 - delta_s| before treatment
    smoothness           |(delta_t+1 - delta_t) - (delta_t - delta_t-1)| <= M in all periods; M = 0
                         is a straight line
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.options import Restriction, checked, level_of
from analysis.estimators.core.result import Report, glance_frame, tidy_frame
from analysis.estimators.did.aggregate import AggregateEffects
from analysis.estimators.did.relative import relative_magnitude
from analysis.estimators.did.smoothness import fixed_length
from analysis.estimators.did.sun_abraham import SunAbrahamResult
from analysis.estimators.did.twoway import EventStudyResult
from analysis.estimators.did.violations import Problem

Study = EventStudyResult | SunAbrahamResult | AggregateEffects
Target = float | Mapping[float, float] | Mapping[str, float] | None
_ALLOWED = {
    "relative_magnitude": "changes up to M times the largest before treatment",
    "smoothness": "changes of slope up to M",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class HonestBounds(Report):
    """Intervals by how much violation is allowed.

    Attributes
    ----------
    intervals : one row a value of M: m, lower, upper; the first row, m missing, is the usual
        interval under parallel trends
    breakdown : largest of the values given up to which the intervals leave out zero; missing if
        none does
    target : which event times theta averages, with their weights
    restriction, level, seed : as asked
    problem : the estimates that the intervals are made of
    outcome, n, groups : of the study
    """

    intervals: pd.DataFrame
    breakdown: float
    target: dict[float, float]
    restriction: Restriction
    level: float
    seed: int
    problem: Problem
    outcome: str
    n: int
    groups: Mapping[str, int]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a value of M, after that of parallel trends; another level is worked out anew."""
        table = self.intervals
        if level_of(level) != self.level:
            problem = replace(self.problem, alpha=1 - level)
            table = _intervals(problem, self.restriction, list(table["m"].iloc[1:]), self.seed)
        theta, error = _usual(self.problem)
        rest = np.full(len(table) - 1, np.nan)
        terms = ["parallel trends", *(f"{m:g}" for m in table["m"].iloc[1:])]
        bounds = table["lower"].to_numpy(), table["upper"].to_numpy()
        b, errors = np.append(theta, rest), np.append(error, rest)
        return tidy_frame(self.restriction, terms, b, errors, level=level, interval=bounds)

    def glance(self) -> pd.DataFrame:
        """One row: the restriction, the level, the M that the finding bears, and bounds by M."""
        row: dict[str, object] = {
            "method": f"honest bounds ({self.restriction})",
            "outcome": self.outcome,
        }
        row |= {"nobs": self.n, "level": self.level, "breakdown": self.breakdown}
        for m, low, high in self.intervals.iloc[1:].itertuples(index=False):
            row |= {f"lower_{m:g}": low, f"upper_{m:g}": high}
        return glance_frame(row, self.groups, {})

    def note(self) -> str:
        """One sentence: what was allowed, and how much of it the finding bears."""
        bears = "no value given" if np.isnan(self.breakdown) else f"M = {self.breakdown:g}"
        return (
            f"{self.level:.0%} intervals that allow {_ALLOWED[self.restriction]} (Rambachan and"
            f" Roth 2023); zero is left out up to: {bears}."
        )


def honest_bounds(
    study: Study,
    restriction: Restriction = "relative_magnitude",
    values: Sequence[float] = (0.0, 0.5, 1.0, 1.5, 2.0),
    *,
    target: Target = None,
    level: float = 0.95,
    seed: int = 20230101,
) -> HonestBounds:
    """Intervals for an effect that hold under bounded violations of parallel trends.

    Parameters
    ----------
    study : an event study with one base period, -1, and consecutive event times on both sides of
        it; Callaway-Sant'Anna's dynamic average needs base="universal"
    values : of M; for smoothness in units of the outcome
    target : an event time, or weights by event time; None: the first one, 0
    seed : of the simulated first-stage critical value

    Raises
    ------
    ValueError : event times with gaps, another base, no period before the base, negative M, a
        target that was not estimated.
    """
    checked("restriction", restriction, Restriction)
    if not len(values) or min(values) < 0:
        raise ValueError(f"values = {list(values)}: they are zero or more, at least one.")
    events, beta, sigma = _event_times(study)
    p = int((events < -1).sum())
    weights, named = _target(events[p:], target)
    problem = Problem(beta, sigma, p, weights, 1 - level_of(level))
    table = _intervals(problem, restriction, values, seed)
    return HonestBounds(
        intervals=table,
        breakdown=_breakdown(table),
        target=named,
        restriction=restriction,
        level=level,
        seed=seed,
        problem=problem,
        outcome=study.outcome,
        n=study.n,
        groups=study.groups,
        warnings=study.warnings,
    )


def _usual(problem: Problem) -> tuple[float, float]:
    """Theta and its standard error under parallel trends."""
    weights, p = problem.weights, problem.p
    variance = weights @ problem.sigma[p:, p:] @ weights
    return float(weights @ problem.beta[p:]), float(np.sqrt(variance))


def _intervals(
    problem: Problem, restriction: Restriction, values: Sequence[float], seed: int
) -> pd.DataFrame:
    theta, error = _usual(problem)
    half = stats.norm.ppf(1 - problem.alpha / 2) * error
    found = [{"m": np.nan, "lower": theta - half, "upper": theta + half}]
    for m in map(float, values):
        if restriction == "smoothness":
            lower, upper = fixed_length(problem, m)
        else:
            lower, upper = relative_magnitude(problem, m, seed)
        found.append({"m": m, "lower": lower, "upper": upper})
    return pd.DataFrame(found)


def _event_times(study: Study) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Event times but the base (K,), their estimates (K,) and covariance (K, K)."""
    if isinstance(study, AggregateEffects):
        if study.kind != "dynamic":
            raise ValueError(f"kind = {study.kind!r}: the dynamic average is needed.")
        events = study.estimates["value"].to_numpy(dtype=float)
        terms = list(study.coefficients.index[1:])
        base = events[study.estimates["standard_error"].isna().to_numpy()]
        hint = " Estimate the group-time effects with base='universal'."
    else:
        events = study.estimates["event_time"].to_numpy(dtype=float)
        terms = list(study.estimates["term"])
        base, hint = np.array(study.base), ""
    if list(base) != [-1.0]:
        raise ValueError(
            f"the base has to be event time -1, and no other; it is {list(base)}.{hint}"
        )
    whole = np.array_equal(events, np.arange(events[0], events[-1] + 1))
    if not whole or events[0] > -2 or events[-1] < 0:
        raise ValueError(
            "event times have to be consecutive, with one before -1 and one from 0 on; they are"
            f" {events.tolist()}."
        )
    kept = [term for term, event in zip(terms, events, strict=True) if event != -1]
    beta, sigma = study.coefficients[kept].to_numpy(), study.covariance.loc[kept, kept].to_numpy()
    return events[events != -1], beta, sigma


def _target(events: np.ndarray, target: Target) -> tuple[np.ndarray, dict[float, float]]:
    """Weights (q,) of the event times after treatment, and the same by event time."""
    given = target if isinstance(target, Mapping) else {0.0 if target is None else target: 1.0}
    # A table of a paper has its keys as text.
    wanted = {float(event): float(weight) for event, weight in given.items()}
    strangers = [event for event in wanted if event not in events]
    if strangers or not any(wanted.values()):
        raise ValueError(
            f"target {strangers or wanted} is not among the event times from 0 on"
            f" ({events.tolist()})."
        )
    return np.array([wanted.get(float(event), 0.0) for event in events]), wanted


def _breakdown(table: pd.DataFrame) -> float:
    ordered = table.iloc[1:].sort_values("m")
    holds = ((ordered["lower"] > 0) | (ordered["upper"] < 0)).to_numpy()
    first_failure = int(np.argmin(holds)) if not holds.all() else len(holds)
    return float(ordered["m"].iloc[first_failure - 1]) if first_failure else float("nan")
