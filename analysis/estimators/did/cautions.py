"""What a reader of a difference in differences must not overlook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import rows
from analysis.estimators.core.result import Caution

if TYPE_CHECKING:
    from analysis.estimators.did.sample import DidSample

# R's did warns of groups with fewer units than this and one more for each control.
SMALL_COHORT = 5


def lost_cohorts(cohort: str, unit: str, lost: pd.Series) -> tuple[Caution, ...]:
    """Rows without a cohort; `lost` holds their units, one entry a row."""
    if lost.empty:
        return ()
    units = f"{lost.nunique():,} unit{'' if lost.nunique() == 1 else 's'} ({unit})"
    text = f"{rows(len(lost))} of {units} have no {cohort} and were left out."
    remedy = "If an empty cell means never treated, pass missing_cohort='never'."
    return (Caution("lost_cohorts", text, remedy),)


def small_cohorts(sample: DidSample) -> tuple[Caution, ...]:
    """Cohorts first treated inside the sample, and never-treated controls, of few units."""
    unit, at = np.unique(sample.unit, return_index=True)
    cohort = sample.cohort[at]
    values, counts = np.unique(cohort[cohort > sample.time.min()], return_counts=True)
    least = SMALL_COHORT + len(sample.call.controls)
    few = [(v, n) for v, n in zip(values, counts, strict=True) if n < least]
    if not few:
        return ()
    named = [f"{'never treated' if np.isinf(v) else f'{v:g}'} ({n})" for v, n in few[:5]]
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    text = (
        f"Cohorts of fewer than {least} units: {', '.join(named)}{more}, of {len(unit):,} units. "
        "With so few units a standard error says little: that of a single unit can be near zero."
    )
    return (Caution("small_cohort", text, "Join cohorts, or look at a permutation (placebo)."),)


def few_treated(treatment: str, units: int) -> tuple[Caution, ...]:
    """Units that are treated at some time, where they are few."""
    if units >= SMALL_COHORT:
        return ()
    text = (
        f"{units} unit{' is' if units == 1 else 's are'} treated ({treatment}): with so few a "
        "clustered standard error is far too small (Conley and Taber 2011)."
    )
    return (Caution("small_cohort", text, "Look at a permutation (placebo)."),)


def of_sample(sample: DidSample) -> tuple[Caution, ...]:
    """What the rows used give cause for."""
    return (*sample.lost, *small_cohorts(sample))
