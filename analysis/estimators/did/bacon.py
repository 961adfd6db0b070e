"""The decomposition of a two-way fixed-effects estimate into comparisons of two groups and two spans (Goodman-Bacon 2021, J. Econometrics 225).

In a balanced panel with treatment that stays, the coefficient of the treatment dummy is exactly the sum of weight * estimate over

    treated vs never treated
    earlier vs later treated     before the later group is treated (a clean comparison)
    later vs earlier treated     after the earlier group is treated (its effect, if still changing, enters with the wrong sign)
    later vs always treated      the controls are treated in every period

Weights follow his theorem 1 (equations 7 to 10): they depend on group sizes and on the share of periods under treatment only.
Covariates and weights are outside the theorem and not offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import rows
from analysis.estimators.core.options import MissingCohort
from analysis.estimators.did.sample import DidSample, did_sample, period_text

NEVER, EARLIER, LATER, ALWAYS = "treated vs never treated", "earlier vs later treated", "later vs earlier treated", "later vs always treated"


@dataclass(frozen=True, eq=False)
class BaconDecomposition:
    """Weights and estimates that add up to the coefficient.

    Attributes
    ----------
    comparisons : one row a comparison: kind, treated (cohort), control (cohort; infinity for never), weight, estimate
    kinds : by kind: weight (their sum), estimate (weighted mean)
    coefficient : the two-way fixed-effects estimate, computed apart
    difference : sum of weight * estimate less the coefficient
    n, units, periods : size of the panel
    dropped : reason -> rows left out
    """

    outcome: str
    comparisons: pd.DataFrame
    kinds: pd.DataFrame
    coefficient: float
    difference: float
    n: int
    units: int
    periods: int
    dropped: dict[str, int]

    def to_frame(self) -> pd.DataFrame:
        return self.comparisons

    def note(self) -> str:
        """One sentence: what was decomposed, and how much of it compares with already treated units."""
        late = float(self.kinds["weight"].reindex([LATER, ALWAYS]).fillna(0).sum())
        return (
            f"Goodman-Bacon decomposition of the two-way fixed-effects effect on {self.outcome} ({self.coefficient:.6g}), {rows(self.n)} "
            f"({self.units:,} units, {self.periods} periods): {late:.1%} of the weight compares with already treated units."
        )

    def __str__(self) -> str:
        return f"{self.kinds.to_string(float_format=lambda value: f'{value: .6g}')}\n{self.note()}"


def bacon_decomposition(frame: pd.DataFrame, outcome: str, unit: str, time: str, cohort: str, *, missing_cohort: MissingCohort = "drop") -> BaconDecomposition:
    """Decompose the coefficient of `period >= cohort` in a regression with unit and period effects.

    Parameters
    ----------
    frame : one row a unit and period, any order, every unit in every period
    cohort : first treated period (0 or infinity for never)

    Raises
    ------
    ValueError : a unit that misses a period (named), or no variation of treatment.
    """
    sample = did_sample(frame, outcome, unit, time, cohort, missing_cohort=missing_cohort)
    times = np.unique(sample.time)
    seen = np.bincount(sample.unit)
    if (seen < len(times)).any():
        gaps = np.flatnonzero(seen < len(times))
        named = ", ".join(str(sample.unit_names[i]) for i in gaps[:3])
        raise ValueError(f"{len(gaps)} units miss a period ({unit} {named}). The decomposition holds for balanced panels: keep the units seen in all.")
    y = sample.y.reshape(-1, len(times))
    first = sample.cohort.reshape(-1, len(times))[:, 0]
    first = np.where(first <= times[0], -np.inf, first)
    groups = np.unique(first)
    if len(groups) < 2:
        raise ValueError("treatment does not vary: one cohort only, or nobody treated inside the sample.")
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
        units=len(first),
        periods=len(times),
        dropped=sample.dropped,
    )


def _coefficient(sample: DidSample, first: np.ndarray, times: np.ndarray) -> tuple[float, float]:
    """The fixed-effects estimate, and the variance of the treatment with unit and period means taken out."""
    y = sample.y.reshape(len(first), -1)
    d = (times >= first[:, None]).astype(float)
    d = d - d.mean(axis=1, keepdims=True) - d.mean(axis=0) + d.mean()
    return float((d * (y - y.mean())).sum() / (d * d).sum()), float((d * d).mean())


def _comparisons(groups: np.ndarray, means: np.ndarray, sizes: np.ndarray, times: np.ndarray, variance: float) -> list[dict[str, object]]:
    share = np.array([(times >= group).mean() for group in groups])  # of periods under treatment
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
                found.append(_row(kind, early, late, weight, gap[middle].mean() - gap[before].mean()))
            if np.isfinite(late):
                gap = means[j] - means[i]
                kind = LATER if np.isfinite(early) else ALWAYS
                weight = both**2 * mix * share[j] * (share[i] - share[j]) / variance
                found.append(_row(kind, late, early, weight, gap[after].mean() - gap[middle].mean()))
    return found


def _row(kind: str, treated: float, control: float, weight: float, estimate: float) -> dict[str, object]:
    name = "always" if control == -np.inf else "never" if control == np.inf else period_text(control)
    return {"kind": kind, "treated": period_text(treated), "control": name, "weight": float(weight), "estimate": float(estimate)}


def _kinds(comparisons: pd.DataFrame) -> pd.DataFrame:
    weighted = comparisons.assign(part=comparisons["weight"] * comparisons["estimate"]).groupby("kind", sort=True)[["weight", "part"]].sum()
    return pd.DataFrame({"weight": weighted["weight"], "estimate": weighted["part"] / weighted["weight"]})
