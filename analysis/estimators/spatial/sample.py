"""The rows of a spatial estimate: complete, ordered by period and unit, with the weights of every
period in one block-diagonal matrix.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.options import Where, row_mask
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sample import OUTSIDE, Sample, Taking, read_sample
from analysis.estimators.spatial.weights import SpatialWeights


@dataclass(frozen=True)
class SpatialSample:
    """Rows sorted by period, then unit.

    Attributes
    ----------
    values : (n, m) numeric columns
    w : (n, n) weights, block diagonal by period, normalised within each period
    codes : "unit" and "time" -> (n,) level numbers; without a time column all share one period
    levels : "unit" and "time" -> ids in the order of their codes
    islands : rows without a neighbour in their period
    dropped, labels, order : as in system.parts.SystemSample
    at : (n,) position of each row in the frame
    """

    values: pd.DataFrame
    w: sparse.csr_array
    codes: dict[str, np.ndarray]
    levels: dict[str, pd.Index]
    islands: int
    dropped: dict[str, int]
    labels: pd.Index
    order: np.ndarray
    at: np.ndarray

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
        """Levels of unit and time."""
        periods = {time: len(self.levels["time"])} if time else {}
        return {unit: len(self.levels["unit"]), **periods}

    def fields(self) -> dict[str, Any]:
        """What a result says of its rows."""
        return {
            "dropped": self.dropped,
            "sample": self.labels,
            "islands": self.islands,
            "warnings": self.warnings(),
        }

    def warnings(self) -> tuple[Caution, ...]:
        """Rows without a neighbour."""
        if not self.islands:
            return ()
        text = f"{rows(self.islands)} without a neighbour in their period: a lag of zero each."
        remedy = "Give them neighbours, or leave them out by weights with islands = 'drop'."
        return (Caution("islands", text, remedy),)

    def asked(self, frame: pd.DataFrame, where: Where | None) -> tuple[SpatialSample, np.ndarray]:
        """The rows asked for, and their positions (m,) among all.

        What was lagged with all rows is right for them; the weights left are those among them, as
        they were, not normalised again.

        Raises
        ------
        ValueError : a mask that says nothing, or leaves no row.
        """
        mask = row_mask(frame, where)
        here = np.arange(len(self.at)) if mask is None else np.flatnonzero(mask[self.at])
        if len(here) == len(self.at):
            return self, here
        if not len(here):
            raise ValueError("where leaves no complete row.")
        w = sparse.csr_array(self.w[here][:, here])
        used = np.sort(self.order[here])
        codes, levels = self._renumbered(here)
        cut = SpatialSample(
            values=self.values.iloc[here],
            w=w,
            codes=codes,
            levels=levels,
            islands=int((np.diff(self.w.indptr)[here] == 0).sum()),
            dropped={OUTSIDE: len(self.at) - len(here), **self.dropped},
            labels=self.labels[used],
            order=np.searchsorted(used, self.order[here]),
            at=self.at[here],
        )
        return cut, here

    def _renumbered(self, here: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, pd.Index]]:
        found = {name: pd.factorize(c[here], sort=True) for name, c in self.codes.items()}
        codes = {name: numbers for name, (numbers, _) in found.items()}
        return codes, {name: self.levels[name][there] for name, (_, there) in found.items()}


def spatial_sample(
    frame: pd.DataFrame,
    columns: Sequence[str],
    weights: SpatialWeights,
    unit: str,
    time: str | None,
    where: Where | None = None,
) -> SpatialSample:
    """Check the frame, drop incomplete rows (and islands, if the weights say so), sort, lay out W.

    Parameters
    ----------
    where : rows that neighbours are looked for among; for rows whose neighbours may lie outside,
        see `SpatialSample.asked`

    Raises
    ------
    ValueError : unknown columns, two rows with one unit (and period), units that the weights lack,
        no complete row.
    """
    keys = [unit, *([time] if time else [])]
    how = Taking(levels=keys, sort_by=keys)
    sample = read_sample(frame, columns, (), keys=keys, where=where, how=how)
    place = weights.positions(pd.Series(sample.levels[unit]))[sample.groups[unit][0]]
    period = sample.groups[time][0] if time else np.zeros(sample.n, dtype=int)
    when = sample.levels[time] if time else pd.Index(["all"])
    inside, dropped = np.ones(sample.n, dtype=bool), dict(sample.dropped)
    if weights.islands == "drop":
        alone = _alone(place, period, weights)
        dropped |= {"no neighbour in its period": int(alone.sum())} if alone.any() else {}
        inside = ~alone
    if not inside.any():
        raise ValueError("no row has a neighbour in its period: nothing is left of the sample.")
    order = np.flatnonzero(inside)[np.lexsort([place[inside], period[inside]])]
    place, period = place[order], period[order]
    w = _block_diagonal(place, period, weights)
    unit_codes, present = pd.factorize(place, sort=True)
    time_codes, periods = pd.factorize(period, sort=True)
    labelled = _positions(sample)[order]
    used = np.sort(labelled)
    whole = np.arange(len(frame)) if sample.keep is None else np.flatnonzero(sample.keep)
    return SpatialSample(
        values=pd.DataFrame(sample.columns[order], columns=list(columns)),
        w=w,
        codes={"unit": unit_codes, "time": time_codes},
        levels={"unit": weights.units[present], "time": when[periods]},
        islands=int((np.diff(w.indptr) == 0).sum()),
        dropped=dropped,
        labels=sample.labels[used],
        order=np.searchsorted(used, labelled),
        at=whole[labelled],
    )


def _positions(sample: Sample) -> np.ndarray:
    """Position among the labels of each row (n,)."""
    return np.arange(sample.n) if sample.order is None else sample.order


def _block_diagonal(
    place: np.ndarray,
    period: np.ndarray,
    weights: SpatialWeights,
) -> sparse.csr_array:
    blocks = [weights.among(place[period == p]) for p in np.unique(period)]
    return sparse.csr_array(sparse.block_diag(blocks, format="csr"))


def _alone(place: np.ndarray, period: np.ndarray, weights: SpatialWeights) -> np.ndarray:
    """Rows whose unit has no neighbour among the units of its period."""
    alone = np.zeros(len(place), dtype=bool)
    for p in np.unique(period):
        here = np.flatnonzero(period == p)
        alone[here] = np.diff(weights.among(place[here]).indptr) == 0
    return alone


def weights_phrase(weights: SpatialWeights, sample: SpatialSample) -> str:
    """How the weights were used, for a note."""
    phrases = {
        "row": "rows sum to one",
        "spectral": "largest eigenvalue one",
        "max": "divided by the largest sum",
        "none": "as given",
    }
    kept = f", {rows(sample.islands)} without a neighbour with a lag of zero"
    return f"weights {phrases[weights.normalise]}{kept if sample.islands else ''}"
