"""What all difference-in-differences estimators share: one checked sample, and the joint test of the pre-trends.

A unit's cohort is the first period in which it is treated, and treatment stays. Never treated is written 0 or infinity; a cohort
after the last period of the sample is never treated inside it. A missing cohort says nothing about treatment: such rows are dropped
and counted, unless `missing_cohort="never"` says that missing means never treated (as Stata's did_imputation reads it).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, rows, usable_rows
from analysis.estimators.core.options import MissingCohort
from analysis.estimators.core.result import Test

# Eigenvalues of a tested covariance below this share of the largest are taken for zero: the restriction is then implied by the others.
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True)
class DidSample:
    """Complete rows in the order of unit, then time; `labels` are in the order of the frame given."""

    y: np.ndarray  # (n,)
    x: np.ndarray  # (n, k) covariates, without a constant
    unit: np.ndarray  # (n,) unit numbers 0..units-1
    time: np.ndarray  # (n,) periods as given, float
    cohort: np.ndarray  # (n,) first treated period, infinity for never
    weight: np.ndarray  # (n,)
    cluster: np.ndarray  # (n,) cluster numbers
    row: np.ndarray  # (n,) position of each row in the frame given
    labels: pd.Index
    unit_names: np.ndarray  # (units,)
    dropped: dict[str, int]

    @property
    def treated(self) -> np.ndarray:
        """(n,) rows at or after their unit's first treated period."""
        return np.asarray(self.time >= self.cohort)

    def keep(self, mask: np.ndarray, reason: str) -> DidSample:
        """The sample with the rows of the mask only; the others are counted under the reason."""
        lost = int((~mask).sum())
        if not lost:
            return self
        if not mask.any():
            raise ValueError(f"no row is left once rows are dropped for: {reason}.")
        units, unit = np.unique(self.unit[mask], return_inverse=True)
        parts = {name: getattr(self, name)[mask] for name in ("y", "x", "time", "cohort", "weight", "row")}
        kept = np.zeros(len(mask), dtype=bool)
        kept[np.argsort(np.argsort(self.row))[mask]] = True
        labels = self.labels[kept]
        cluster = np.unique(self.cluster[mask], return_inverse=True)[1]
        dropped = {**self.dropped, reason: self.dropped.get(reason, 0) + lost}
        return replace(self, **parts, unit=unit, cluster=cluster, unit_names=self.unit_names[units], labels=labels, dropped=dropped)

    def with_cohort(self, cohort: np.ndarray) -> DidSample:
        return replace(self, cohort=cohort)


def level_codes(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the levels of a column, in the order of the levels themselves, and the levels; categories count as their values."""
    values = column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column
    codes, levels = pd.factorize(values, sort=True)
    return codes, np.asarray(levels)


def did_sample(
    frame: pd.DataFrame,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    covariates: Sequence[str] = (),
    cluster: str | None = None,
    weights: str | None = None,
    *,
    missing_cohort: MissingCohort = "drop",
    panel: bool = True,
) -> DidSample:
    """Check the columns, drop and count unusable rows, and sort.

    Raises
    ------
    ValueError : unknown or non-numeric columns, two rows of a unit in one period, a unit with two cohorts or two clusters,
        negative weights, or no complete row; the message names the unit or column.
    """
    if isinstance(covariates, str):
        raise ValueError(f"covariates is a list of column names, such as [{covariates!r}].")
    if missing_cohort not in ("drop", "never"):
        raise ValueError(f"missing_cohort = {missing_cohort!r}: it is 'drop' or 'never'.")
    names = [unit, *([cluster] if cluster else [])]
    measured = list(dict.fromkeys([outcome, time, *covariates, *([weights] if weights else [])]))
    check_columns(frame, [*measured, cohort, *names])
    if panel:
        present = frame[[unit, time]]
        refuse_duplicates(present[present.notna().all(axis=1)], [unit, time])

    values = numbers(frame, [*measured, cohort])
    first = _cohorts(values.pop(cohort), missing_cohort)
    labels = frame[list(dict.fromkeys(names))].assign(**{cohort: first.where(first.notna())})
    keep, dropped = usable_rows(labels, values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    return _sorted(frame[keep], values[keep], first[keep], np.flatnonzero(keep), outcome, unit, time, covariates, cluster, weights, dropped, panel)


def _cohorts(first: pd.Series, missing: MissingCohort) -> pd.Series:
    first = first.mask(first == 0, np.inf)
    return first.fillna(np.inf) if missing == "never" else first


def _sorted(
    frame: pd.DataFrame,
    values: pd.DataFrame,
    first: pd.Series,
    row: np.ndarray,
    outcome: str,
    unit: str,
    time: str,
    covariates: Sequence[str],
    cluster: str | None,
    weights: str | None,
    dropped: dict[str, int],
    panel: bool,
) -> DidSample:
    codes, levels = level_codes(frame[unit])
    groups = level_codes(frame[cluster])[0] if cluster else codes
    weight = values[weights].to_numpy() if weights else np.ones(len(values))
    if (weight < 0).any() or weight.sum() <= 0:
        raise ValueError(f"column {weights!r}: weights are zero or positive, and not all zero.")
    cohort = first.to_numpy(dtype="float64")
    if panel:
        _constant_in_unit(codes, cohort, levels, unit, "first treated period")
        _constant_in_unit(codes, groups, levels, unit, f"{cluster} (the cluster)")
    times = values[time].to_numpy()
    cohort = np.where(cohort > times.max(), np.inf, cohort)
    x = values[list(covariates)].to_numpy()
    y = values[outcome].to_numpy()
    # Rows of a repeated cross-section that share unit and period are told apart by their values: any fixed order will do.
    order = np.lexsort([*x.T[::-1], weight, y, times, codes])
    return DidSample(y[order], x[order], codes[order], times[order], cohort[order], weight[order], groups[order], row[order], frame.index, levels, dropped)


def _constant_in_unit(codes: np.ndarray, values: np.ndarray, levels: np.ndarray, unit: str, what: str) -> None:
    first = np.full(len(levels), -1)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    wrong = np.flatnonzero(values != values[first[codes]])
    if len(wrong):
        names = ", ".join(str(levels[i]) for i in np.unique(codes[wrong])[:3])
        raise ValueError(f"{what} differs inside a unit ({unit} {names}). Each unit has one.")


def wald(name: str, estimate: np.ndarray, covariance: np.ndarray, df2: float | None, null: str) -> Test:
    """Joint test that all estimates are zero: chi-squared with df = rank, or F = chi-squared / rank where df2 is given.

    Restrictions that are implied by others (a singular covariance) are not counted.
    """
    values, vectors = linalg.eigh(covariance)
    used = values > RANK_TOLERANCE * max(values.max(), 0.0)
    q = int(used.sum())
    if not q:
        return Test(name, float("nan"), 0.0, float("nan"), df2, null)
    projected = vectors[:, used].T @ estimate
    statistic = float((projected**2 / values[used]).sum())
    if df2 is None:
        return Test(name, statistic, float(q), float(stats.chi2.sf(statistic, q)), None, null)
    return Test(name, statistic / q, float(q), float(stats.f.sf(statistic / q, q, df2)), df2, null)


def unit_groups(sample: DidSample, unit: str, time: str, cluster: str | None) -> dict[str, int]:
    """Counts for a result's `groups`."""
    counts = {unit: len(sample.unit_names), time: len(np.unique(sample.time))}
    if cluster and cluster not in counts:
        counts[cluster] = len(np.unique(sample.cluster))
    return counts


def period_text(value: float) -> str:
    """'2015' rather than '2015.0'."""
    return f"{value:g}" if value != int(value) else str(int(value))


def describe_loss(dropped: dict[str, int]) -> str:
    return "; ".join(f"{rows(count)} ({reason})" for reason, count in dropped.items()) or "none"
