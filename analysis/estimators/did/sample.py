"""What all difference-in-differences estimators share: what a call names, and one checked sample.

A unit's cohort is the first period in which it is treated, and treatment stays. Never treated is
written 0 or infinity; a cohort after the last period of the sample is never treated inside it.

A missing cohort says nothing about treatment: it may be unknown, or mean never. Where others are
written as never treated (0 or infinity), `missing_cohort="ask"`, the default, leaves such rows out
with a warning ("lost_cohorts") that counts rows and units: who is of unknown treatment must not
become a control. Where nobody is written as never treated, an empty cell most likely means just
that, and leaving it out would take away all controls: "ask" then refuses and asks. "drop" leaves
them out, "never" reads empty as never (as Stata's did_imputation does).

Parameters that mean the same in every estimator of this family
----------
frame : one row a unit and period in any order; nothing in it is modified
outcome : numeric column
unit, time : columns of the unit and of the period (a number); no unit has two rows in a period
cohort : column with the first treated period, constant inside a unit
controls : numeric columns, regressors of the outcome
covariance : {"cluster": [column]}; None clusters by the unit. Clusters hold whole units
small : small-sample convention of the regression, as in `fixed_effects`
weights : column of weights, zero or more
where : rows to estimate on, a column or a mask; cohorts count as treated inside these rows only
missing_cohort : see above
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.columns import check_columns, numbers
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.options import (
    Covariance,
    CovarianceKind,
    CovarianceOption,
    MissingCohort,
    Where,
    checked,
    columns_of,
    covariance_of,
    row_mask,
)
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sample import OUTSIDE, Sample, Taking, read_sample
from analysis.estimators.did.cautions import lost_cohorts, refuse_no_never

ALL_KINDS: tuple[CovarianceKind, ...] = ("iid", "robust", "cluster")
# Outcomes that keep no more than this share of their squares hold nothing but the effects.
NO_VARIATION = 1e-18
CLUSTERED: tuple[CovarianceKind, ...] = ("cluster",)


@dataclass(frozen=True)
class Call:
    """The columns that a call names, and what it assumes of the errors.

    Attributes
    ----------
    cohort : None where treatment is given by another column
    errors : never without a kind; clustered by the unit unless something else was asked for
    """

    outcome: str
    unit: str
    time: str
    cohort: str | None
    controls: tuple[str, ...]
    errors: Covariance
    weights: str | None

    @property
    def cluster(self) -> str:
        """The column that units' errors are summed in; the unit itself unless clustered."""
        return self.errors.cluster or self.unit

    @property
    def covariance(self) -> CovarianceOption:
        """The option that `fixed_effects` is given."""
        if self.errors.kind == "cluster":
            return {"cluster": list(self.errors.clusters)}
        return "robust" if self.errors.kind == "robust" else "iid"

    @property
    def with_controls(self) -> str:
        """'; with x, z' for a note, nothing without controls."""
        return f"; with {', '.join(self.controls)}" if self.controls else ""


def read_call(
    names: tuple[str, str, str, str | None],
    controls: Sequence[str],
    covariance: CovarianceOption | None,
    weights: str | None,
    *,
    kinds: Sequence[CovarianceKind] = ALL_KINDS,
    most: int = 1,
) -> Call:
    """Check the options that every estimator has; names are outcome, unit, time and cohort.

    Raises
    ------
    ValueError : no list of controls, or a covariance that the estimator has no formula for.
    """
    outcome, unit, time, cohort = names
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    asked: CovarianceOption = {"cluster": [unit]} if covariance is None else covariance
    errors = covariance_of(asked, most=most, kinds=kinds)
    return Call(outcome, unit, time, cohort, tuple(listed), errors, weights)


@dataclass(frozen=True)
class DidSample:
    """Complete rows in the order of unit, then time; `labels` are in the order of the frame."""

    call: Call
    y: np.ndarray  # (n,)
    x: np.ndarray  # (n, k) controls, without a constant
    unit: np.ndarray  # (n,) unit numbers 0..units-1
    time: np.ndarray  # (n,) periods as given, float
    cohort: np.ndarray  # (n,) first treated period, infinity for never
    weight: np.ndarray  # (n,)
    cluster: np.ndarray  # (n,) cluster numbers
    row: np.ndarray  # (n,) position of each row in the frame given
    labels: pd.Index
    unit_names: np.ndarray  # (units,)
    dropped: dict[str, int]
    lost: tuple[Caution, ...]  # rows without a cohort

    @property
    def treated(self) -> np.ndarray:
        """(n,) rows at or after their unit's first treated period."""
        return np.asarray(self.time >= self.cohort)

    def keep(self, mask: np.ndarray, reason: str) -> DidSample:
        """The sample with the rows of the mask only; the others are counted under the reason."""
        count = int((~mask).sum())
        if not count:
            return self
        if not mask.any():
            raise ValueError(f"no row is left once rows are dropped for: {reason}.")
        units, unit = np.unique(self.unit[mask], return_inverse=True)
        names = ("y", "x", "time", "cohort", "weight", "row")
        parts = {name: getattr(self, name)[mask] for name in names}
        kept = np.zeros(len(mask), dtype=bool)
        kept[np.argsort(np.argsort(self.row))[mask]] = True
        return replace(
            self,
            **parts,
            unit=unit,
            cluster=np.unique(self.cluster[mask], return_inverse=True)[1],
            unit_names=self.unit_names[units],
            labels=self.labels[kept],
            dropped={**self.dropped, reason: self.dropped.get(reason, 0) + count},
        )

    def with_cohort(self, cohort: np.ndarray) -> DidSample:
        return replace(self, cohort=cohort)

    def refuse_flat_outcome(self, *, panel: bool = True) -> None:
        """Refuse an outcome that unit and period effects explain whole, as `fixed_effects` does.

        Every estimate would be rounding, and so would its standard error. Without a panel only
        periods are taken out.
        """
        period = numbered(np.unique(self.time, return_inverse=True)[1])
        effects = [numbered(self.unit), period] if panel else [period]
        left = Absorber(effects, None).residualise(self.y[:, None].copy())[:, 0]
        if left @ left <= NO_VARIATION * (self.y @ self.y):
            named = f"{self.call.unit} and {self.call.time}" if panel else self.call.time
            raise ValueError(
                f"{self.call.outcome} does not vary once the {named} effects are taken out."
            )

    def counts(self) -> dict[str, int]:
        """Levels of units, periods and clusters, for a result's `groups`."""
        call = self.call
        found = {call.unit: len(self.unit_names), call.time: len(np.unique(self.time))}
        if call.cluster not in found:
            found[call.cluster] = len(np.unique(self.cluster))
        return found

    def working_frame(self) -> pd.DataFrame:
        """The rows as a frame, in sorted order, with numbers for units and clusters."""
        call = self.call
        columns = {call.unit: self.unit, call.time: self.time, call.outcome: self.y}
        columns |= {name: self.x[:, i] for i, name in enumerate(call.controls)}
        columns.setdefault(call.cluster, self.cluster)
        if call.weights:
            columns.setdefault(call.weights, self.weight)
        return pd.DataFrame(columns)


def did_sample(
    frame: pd.DataFrame,
    call: Call,
    where: Where | None = None,
    *,
    missing_cohort: MissingCohort = "ask",
    panel: bool = True,
    ahead: float = 0,
) -> DidSample:
    """Check the columns, drop and count unusable rows, and sort.

    ahead : periods before treatment in which it may already act: a cohort no further than that
        after the last period acts inside the sample, and is kept

    Raises
    ------
    ValueError : unknown or non-numeric columns, two rows of a unit in one period, a unit with two
        cohorts or two clusters, negative weights, or no complete row; the message names them.
    """
    checked("missing_cohort", missing_cohort, MissingCohort)
    cohort = str(call.cohort)
    names = list(dict.fromkeys([*_measured(call), call.unit, call.cluster]))
    check_columns(frame, [*names, cohort])
    mask = row_mask(frame, where)
    at = np.arange(len(frame)) if mask is None else np.flatnonzero(mask)
    asked = frame if mask is None else frame.loc[mask]
    first = numbers(asked, [cohort])[cohort]
    first = first.mask(first == 0, np.inf)
    first = first.fillna(np.inf) if missing_cohort == "never" else first
    if missing_cohort == "ask":
        refuse_no_never(cohort, call.unit, asked[call.unit], first)
    sample = read_sample(
        asked[names].assign(**{cohort: first}),
        _measured(call),
        [call.unit],
        [call.cluster, call.time, cohort],
        keys=[call.unit, call.time] if panel else [],
        how=Taking(levels=[call.unit, cohort], sort_by=[call.unit, call.time]),
    )
    lost = lost_cohorts(cohort, call.unit, asked.loc[first.isna().to_numpy(), call.unit])
    outside = {OUTSIDE: len(frame) - len(asked)} if len(asked) < len(frame) else {}
    found = _assembled(sample, call, at, lost, outside)
    found = found.keep(found.weight > 0, f"{call.weights} zero")
    if panel:
        _constant_in_unit(found, found.cohort, "first treated period")
        _constant_in_unit(found, found.cluster, f"{call.cluster} (the cluster)")
    last = found.time.max() + ahead
    return found.with_cohort(np.where(found.cohort > last, np.inf, found.cohort))


def _measured(call: Call) -> list[str]:
    weights = [call.weights] if call.weights else []
    return list(dict.fromkeys([call.outcome, *weights, *call.controls, call.time]))


def _assembled(
    sample: Sample, call: Call, at: np.ndarray, lost: tuple[Caution, ...], outside: dict[str, int]
) -> DidSample:
    """The sample in the family's terms; `at` are the positions of the rows asked for."""
    columns = dict(zip(_measured(call), sample.columns.T, strict=True))
    weight = columns[call.weights] if call.weights else np.ones(sample.n)
    if (weight < 0).any() or weight.sum() <= 0:
        raise ValueError(
            f"column {call.weights!r}: weights are zero or positive, and not all zero."
        )
    x = [columns[name] for name in call.controls]
    row = at if sample.keep is None else at[sample.keep]
    cohort = str(call.cohort)
    return DidSample(
        call=call,
        y=np.ascontiguousarray(columns[call.outcome]),
        x=np.column_stack(x) if x else np.empty((sample.n, 0)),
        unit=sample.groups[call.unit][0],
        time=np.ascontiguousarray(columns[call.time]),
        cohort=np.asarray(sample.levels[cohort], dtype=float)[sample.groups[cohort][0]],
        weight=np.ascontiguousarray(weight),
        cluster=sample.groups[call.cluster][0],
        row=row if sample.order is None else row[sample.order],
        labels=sample.labels,
        unit_names=np.asarray(sample.levels[call.unit]),
        dropped=outside | sample.dropped,
        lost=lost,
    )


def _constant_in_unit(sample: DidSample, values: np.ndarray, what: str) -> None:
    codes, levels = sample.unit, sample.unit_names
    first = np.full(len(levels), -1)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    wrong = np.flatnonzero(values != values[first[codes]])
    if len(wrong):
        names = ", ".join(str(levels[i]) for i in np.unique(codes[wrong])[:3])
        raise ValueError(
            f"{what} differs inside a unit ({sample.call.unit} {names}). Each unit has one."
        )


def period_text(value: float) -> str:
    """'2015' rather than '2015.0'."""
    return f"{value:g}" if value != int(value) else str(int(value))
