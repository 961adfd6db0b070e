"""The decomposition of a two-way estimate into comparisons of two groups and two spans.

Goodman-Bacon (2021, Journal of Econometrics 225): in a balanced panel with treatment that stays,
the coefficient of the treatment dummy is exactly the sum of weight * estimate over

    treated vs never treated
    earlier vs later treated     before the later group is treated (a clean comparison)
    later vs earlier treated     after the earlier group is treated (its effect, if still changing,
                                 enters with the wrong sign)
    later vs always treated      the controls are treated in every period

Weights follow his theorem 1 (equations 7 to 10): they depend on group sizes and on the share of
periods under treatment only. Controls and weights are outside the theorem and not offered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import rows
from analysis.estimators.core.options import MissingCohort, Where
from analysis.estimators.core.result import Report, glance_frame, tidy_frame
from analysis.estimators.did import cautions
from analysis.estimators.did.sample import DidSample, did_sample, period_text, read_call

NEVER = "treated vs never treated"
EARLIER, LATER = "earlier vs later treated", "later vs earlier treated"
ALWAYS = "later vs always treated"


@dataclass(frozen=True, eq=False, kw_only=True)
class BaconDecomposition(Report):
    """Weights and estimates that add up to the coefficient.

    Attributes
    ----------
    comparisons : one row a comparison: kind, treated (cohort), control (cohort, "never" or
        "always"), weight, estimate
    kinds : by kind: weight (their sum), estimate (weighted mean)
    coefficient : the two-way fixed-effects estimate, computed apart
    difference : sum of weight * estimate less the coefficient
    n : rows; groups : units and periods by their columns
    dropped : reason -> rows left out
    """

    outcome: str
    comparisons: pd.DataFrame
    kinds: pd.DataFrame
    coefficient: float
    difference: float
    n: int
    groups: Mapping[str, int]
    dropped: Mapping[str, int]

    @property
    def late_weight(self) -> float:
        """Share of the weight that compares with already treated units."""
        return float(self.kinds["weight"].reindex([LATER, ALWAYS]).fillna(0).sum())

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a kind of comparison: the weighted mean of its estimates, without an error."""
        nothing = np.full(len(self.kinds), np.nan)
        estimate = self.kinds["estimate"].to_numpy()
        return tidy_frame(self.outcome, list(self.kinds.index), estimate, nothing, level=level)

    def glance(self) -> pd.DataFrame:
        """One row: rows, the coefficient, what the parts miss of it, weights by kind."""
        row: dict[str, object] = {
            "method": "Goodman-Bacon decomposition",
            "outcome": self.outcome,
            "nobs": self.n,
        }
        row |= {"estimate": self.coefficient, "difference": self.difference}
        row |= {
            f"weight_{str(kind).replace(' ', '_')}": w for kind, w in self.kinds["weight"].items()
        }
        return glance_frame(row, self.groups, {})

    def _below(self) -> list[str]:
        return [f"weight of {kind}: {weight:.4f}" for kind, weight in self.kinds["weight"].items()]

    def note(self) -> str:
        """One sentence: what was decomposed, and how much compares with treated units."""
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        left_out = "; ".join(f"{rows(n)} ({reason})" for reason, n in self.dropped.items())
        return (
            f"Goodman-Bacon decomposition of the two-way fixed-effects effect on {self.outcome} "
            f"({self.coefficient:.6g}), {rows(self.n)} ({levels}): {self.late_weight:.1%} of the "
            f"weight compares with already treated units; left out: {left_out or 'no rows'}."
        )


def bacon_decomposition(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    *,
    where: Where | None = None,
    missing_cohort: MissingCohort = "ask",
) -> BaconDecomposition:
    """Decompose the coefficient of `period >= cohort` in a regression with two-way effects.

    Parameters
    ----------
    frame : every unit in every period
    others : see analysis.estimators.did.sample

    Raises
    ------
    ValueError : a unit that misses a period (named), or no variation of treatment.
    """
    call = read_call((outcome, unit, time, cohort), (), None, None)
    sample = did_sample(frame, call, where, missing_cohort=missing_cohort)
    sample.refuse_flat_outcome()
    times = np.unique(sample.time)
    _refuse_gaps(sample, len(times))
    y = sample.y.reshape(-1, len(times))
    first = sample.cohort.reshape(-1, len(times))[:, 0]
    first = np.where(first <= times[0], -np.inf, first)
    groups = np.unique(first)
    if len(groups) < 2:
        raise ValueError(
            "treatment does not vary: one cohort only, or nobody treated inside the sample."
        )
    means = np.vstack([y[first == group].mean(axis=0) for group in groups])
    sizes = np.array([(first == group).mean() for group in groups])
    coefficient, variance = _coefficient(sample, first, times)
    comparisons = pd.DataFrame(_comparisons(groups, means, sizes, times, variance))
    total = float((comparisons["weight"] * comparisons["estimate"]).sum())
    return BaconDecomposition(
        outcome=outcome,
        comparisons=comparisons,
        kinds=_kinds(comparisons),
        coefficient=coefficient,
        difference=total - coefficient,
        n=len(sample.y),
        groups=sample.counts(),
        dropped=sample.dropped,
        warnings=cautions.of_sample(sample),
    )


def _refuse_gaps(sample: DidSample, periods: int) -> None:
    gaps = np.flatnonzero(np.bincount(sample.unit) < periods)
    if len(gaps):
        named = ", ".join(str(sample.unit_names[i]) for i in gaps[:3])
        raise ValueError(
            f"{len(gaps)} units miss a period ({sample.call.unit} {named}). The decomposition holds"
            " for balanced panels: keep the units seen in all."
        )


def _coefficient(sample: DidSample, first: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """The estimate, and the variance of treatment with unit and period means taken out."""
    y = sample.y.reshape(len(first), -1)
    d = (times >= first[:, None]).astype(float)
    d = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
    return float((d * (y - y.mean())).sum() / (d * d).sum()), float((d * d).mean())


def _comparisons(
    groups: np.ndarray, means: np.ndarray, sizes: np.ndarray, times: np.ndarray, variance: float
) -> list[dict[str, object]]:
    share = np.array([(times >= group).mean() for group in groups])  # of periods treated
    found = []
    for i, early in enumerate(groups):
        for j in range(i + 1, len(groups)):
            late = groups[j]
            both = sizes[i] + sizes[j]
            mix = sizes[i] / both * (1 - sizes[i] / both)
            before, middle, after = times < early, (times >= early) & (times < late), times >= late
            if np.isfinite(early):
                gap = means[i] - means[j]
                kind = EARLIER if np.isfinite(late) else NEVER
                weight = both**2 * mix * (share[i] - share[j]) * (1 - share[i]) / variance
                change = gap[middle].mean() - gap[before].mean()
                found.append(_row(kind, early, late, weight, change))
            if np.isfinite(late):
                gap = means[j] - means[i]
                kind = LATER if np.isfinite(early) else ALWAYS
                weight = both**2 * mix * share[j] * (share[i] - share[j]) / variance
                change = gap[after].mean() - gap[middle].mean()
                found.append(_row(kind, late, early, weight, change))
    return found


def _row(
    kind: str, treated: float, control: float, weight: float, estimate: float
) -> dict[str, object]:
    named = {-np.inf: "always", np.inf: "never"}
    control_name = named.get(control) or period_text(control)
    row = {"kind": kind, "treated": period_text(treated), "control": control_name}
    return row | {"weight": float(weight), "estimate": float(estimate)}


def _kinds(comparisons: pd.DataFrame) -> pd.DataFrame:
    part = comparisons.assign(part=comparisons["weight"] * comparisons["estimate"])
    sums = part.groupby("kind", sort=True)[["weight", "part"]].sum()
    return pd.DataFrame({"weight": sums["weight"], "estimate": sums["part"] / sums["weight"]})
