"""The rows of a spatial estimate: complete, ordered by period and unit, with the weights of every period in one block-diagonal matrix."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, rows, usable_rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import numbered
from analysis.estimators.spatial.weights import SpatialWeights


@dataclass(frozen=True)
class SpatialSample:
    """Rows sorted by period, then unit.

    Attributes
    ----------
    values : (n, m) numeric columns
    w : (n, n) weights, block diagonal by period, normalised within each period
    codes : "unit" and "time" -> (n,) level numbers; without a time column all rows share one period
    levels : "unit" and "time" -> ids in the order of their codes
    islands : rows without a neighbour in their period
    dropped, labels, order : as in system.model.SystemSample
    """

    values: pd.DataFrame
    w: sparse.csr_array
    codes: dict[str, np.ndarray]
    levels: dict[str, pd.Index]
    islands: int
    dropped: dict[str, int]
    labels: pd.Index
    order: np.ndarray

    def lag(self, columns: np.ndarray) -> np.ndarray:
        """W x, period by period."""
        return np.asarray(self.w @ columns)

    def periods(self) -> list[slice]:
        """The rows of each period."""
        ends = np.flatnonzero(np.diff(self.codes["time"])) + 1
        bounds = [0, *ends.tolist(), len(self.values)]
        return [slice(a, b) for a, b in itertools.pairwise(bounds)]

    def effects(self, names: Sequence[str], unit: str, time: str | None) -> Effects:
        """The effects of the named columns, which are the unit or the time column."""
        known = {unit: "unit", **({time: "time"} if time else {})}
        wrong = [name for name in names if name not in known]
        if wrong or isinstance(names, str):
            raise ValueError(f"effects = {names!r}: a list of columns out of {', '.join(known)}.")
        return Effects([numbered(self.codes[known[name]]) for name in names])

    def groups(self, unit: str, time: str | None) -> dict[str, int]:
        return {unit: len(self.levels["unit"]), **({time: len(self.levels["time"])} if time else {})}


def spatial_sample(frame: pd.DataFrame, columns: Sequence[str], weights: SpatialWeights, unit: str, time: str | None) -> SpatialSample:
    """Check the frame, drop incomplete rows (and islands, if the weights say so), sort, and lay out W.

    Raises
    ------
    ValueError : unknown columns, two rows with one unit (and period), units that the weights lack, no complete row.
    """
    keys = [unit, *([time] if time else [])]
    check_columns(frame, [*columns, *keys])
    labels = frame[keys]
    refuse_duplicates(labels[labels.notna().all(axis=1)], keys)
    values = numbers(frame, list(columns))
    keep, dropped = usable_rows(labels, values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    place = np.full(len(frame), -1)
    place[keep] = weights.positions(labels.loc[keep, unit])
    period, when = pd.factorize(labels.loc[keep, time], sort=True) if time else (np.zeros(int(keep.sum()), dtype=int), pd.Index(["all"]))
    place, period = place[keep], np.asarray(period)
    if weights.islands == "drop":
        alone = _alone(place, period, weights)
        dropped |= {"no neighbour in its period": int(alone.sum())} if alone.any() else {}
        keep[np.flatnonzero(keep)[alone]] = False
        place, period = place[~alone], period[~alone]
    order = np.lexsort([place, period])
    place, period = place[order], period[order]
    blocks = [weights.among(place[period == p]) for p in np.unique(period)]
    w = sparse.csr_array(sparse.block_diag(blocks, format="csr"))
    unit_codes, present = pd.factorize(place, sort=True)
    time_codes, periods = pd.factorize(period, sort=True)
    return SpatialSample(
        values=values[keep].iloc[order],
        w=w,
        codes={"unit": unit_codes, "time": time_codes},
        levels={"unit": weights.units[present], "time": pd.Index(when)[periods]},
        islands=int((np.diff(w.indptr) == 0).sum()),
        dropped=dropped,
        labels=frame.index[keep],
        order=order,
    )


def _alone(place: np.ndarray, period: np.ndarray, weights: SpatialWeights) -> np.ndarray:
    """Rows whose unit has no neighbour among the units of its period."""
    alone = np.zeros(len(place), dtype=bool)
    for p in np.unique(period):
        here = np.flatnonzero(period == p)
        alone[here] = np.diff(weights.among(place[here]).indptr) == 0
    return alone


def weights_phrase(weights: SpatialWeights, sample: SpatialSample) -> str:
    """How the weights were used, for a note."""
    how = {"row": "rows sum to one", "spectral": "largest eigenvalue one", "max": "divided by the largest sum", "none": "as given"}[weights.normalise]
    alone = f", {rows(sample.islands)} without a neighbour with a lag of zero" if sample.islands else ""
    return f"weights {how}{alone}"
