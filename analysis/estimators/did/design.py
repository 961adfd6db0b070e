"""Who is compared with whom in group-time effects, and the rows that can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.options import (
    DidBase,
    DidControl,
    DidMethod,
    Sampling,
    checked,
)
from analysis.estimators.did.sample import DidSample, period_text


@dataclass(frozen=True)
class Comparing:
    """The options of one call that say who is compared with whom, and how."""

    method: DidMethod
    control: DidControl
    base: DidBase
    anticipation: int
    sampling: Sampling

    def __post_init__(self) -> None:
        checked("method", self.method, DidMethod)
        checked("control", self.control, DidControl)
        checked("base", self.base, DidBase)
        checked("sampling", self.sampling, Sampling)
        if self.anticipation < 0:
            raise ValueError(f"anticipation = {self.anticipation}: it is zero or more.")

    @property
    def panel(self) -> bool:
        """Whether a unit is followed; otherwise every row is one of its own."""
        return self.sampling != "cross_sections"

    def title(self, controls: Sequence[str]) -> str:
        names = {"dr": "doubly robust", "reg": "outcome regression"}
        names |= {"ipw": "inverse probability weights"}
        whom = "never" if self.control == "nevertreated" else "not-yet"
        parts = [names[self.method], f"{whom}-treated controls", f"{self.base} base period"]
        if controls:
            parts.append(f"covariates {', '.join(controls)}")
        if self.anticipation:
            parts.append(f"{self.anticipation} anticipation period(s)")
        if self.sampling != "panel":
            parts.append(self.sampling.replace("_", " "))
        return f"Callaway-Sant'Anna group-time effects ({', '.join(parts)})"


@dataclass(frozen=True)
class Design:
    """The sample in both shapes, and what is compared in it.

    Attributes
    ----------
    cohort, weight : (units,)
    wide : of a balanced panel, outcome (units, T), controls (units, T, k), weights (units, T)
    """

    how: Comparing
    sample: DidSample
    times: np.ndarray
    groups: np.ndarray
    cohort: np.ndarray
    weight: np.ndarray
    wide: tuple[np.ndarray, np.ndarray, np.ndarray] | None


def usable(sample: DidSample, how: Comparing) -> DidSample:
    """Without units treated from the start, and periods without controls; balanced for a panel."""
    sample = _with_controls(sample, how)
    early = sample.cohort <= sample.time.min() + how.anticipation
    sample = sample.keep(~early, "unit already treated in the first period")
    return _balanced(sample, how) if how.sampling == "panel" else sample


def _with_controls(sample: DidSample, how: Comparing) -> DidSample:
    if np.isinf(sample.cohort).any():
        return sample
    if how.control == "nevertreated":
        raise ValueError(
            "no unit is never treated. Use control='notyettreated', "
            "which compares with units treated later."
        )
    last = sample.cohort.max()
    end = last - how.anticipation
    reason = f"period without untreated units ({period_text(end)} and later)"
    sample = sample.keep(sample.time < end, reason)
    return sample.with_cohort(np.where(sample.cohort == last, np.inf, sample.cohort))


def _balanced(sample: DidSample, how: Comparing) -> DidSample:
    """Units seen in every period."""
    whole = np.bincount(sample.unit) == len(np.unique(sample.time))
    if not whole.any():
        raise ValueError("no unit is seen in every period. Use sampling='unbalanced_panel'.")
    return _with_controls(sample.keep(whole[sample.unit], "unit not seen in every period"), how)


def first_of_unit(sample: DidSample, values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.unique(sample.unit, return_index=True)[1]])


def design_of(sample: DidSample, how: Comparing) -> Design:
    times = np.unique(sample.time)
    cohort = first_of_unit(sample, sample.cohort) if how.panel else sample.cohort
    groups = np.unique(cohort[np.isfinite(cohort)])
    if len(times) < 2 or not len(groups):
        raise ValueError(
            f"{len(times)} period(s) and {len(groups)} cohort(s) treated inside them: at least two"
            " and one are needed."
        )
    wide = None
    if how.sampling == "panel":
        shape = (len(cohort), len(times))
        x = sample.x.reshape(*shape, sample.x.shape[1])
        wide = (sample.y.reshape(shape), x, sample.weight.reshape(shape))
        weight = wide[2][:, 0]
    elif how.panel:
        weight = np.bincount(sample.unit, sample.weight) / np.bincount(sample.unit)
    else:
        weight = sample.weight
    return Design(how, sample, times, groups, cohort, weight, wide)
