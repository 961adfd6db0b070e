"""What a reader of a difference in differences must not overlook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import FEW_TREATED
from analysis.estimators.core.columns import rows
from analysis.estimators.core.result import Caution

if TYPE_CHECKING:
    from analysis.estimators.did.sample import DidSample


def lost_cohorts(cohort: str, unit: str, lost: pd.Series) -> tuple[Caution, ...]:
    """Rows without a cohort; `lost` holds their units, one entry a row."""
    if lost.empty:
        return ()
    units = f"{lost.nunique():,} unit{'' if lost.nunique() == 1 else 's'} ({unit})"
    text = f"{rows(len(lost))} of {units} have no {cohort} and were left out."
    remedy = "If an empty cell means never treated, pass missing_cohort='never'."
    return (Caution("lost_cohorts", text, remedy),)


def refuse_no_never(cohort: str, unit: str, units: pd.Series, first: pd.Series) -> None:
    """Ask what an empty cohort means where nobody is written as never treated.

    Raises
    ------
    ValueError : counting the rows and units without a cohort.
    """
    missing = first.isna().to_numpy()
    if not missing.any() or missing.all() or np.isinf(first.to_numpy()).any():
        return
    some = units[missing].nunique()
    raise ValueError(
        f"{rows(int(missing.sum()))} of {some:,} unit{'' if some == 1 else 's'} ({unit}) have no"
        f" {cohort}, and nobody is written as never treated (0 or infinity). Pass"
        " missing_cohort='never' if an empty cell means never treated, 'drop' to leave them out."
    )


def small_cohorts(sample: DidSample) -> tuple[Caution, ...]:
    """Cohorts first treated inside the sample, and never-treated controls, of few units."""
    unit, at = np.unique(sample.unit, return_index=True)
    cohort = sample.cohort[at]
    values, counts = np.unique(cohort[cohort > sample.time.min()], return_counts=True)
    least = FEW_TREATED + len(sample.call.controls)
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
    if units >= FEW_TREATED:
        return ()
    text = (
        f"{units} unit{' is' if units == 1 else 's are'} treated ({treatment}): with so few a "
        "clustered standard error is far too small (Conley and Taber 2011)."
    )
    return (Caution("small_cohort", text, "Look at a permutation (placebo)."),)


def of_sample(sample: DidSample) -> tuple[Caution, ...]:
    """What the rows used give cause for."""
    return (*sample.lost, *small_cohorts(sample))
