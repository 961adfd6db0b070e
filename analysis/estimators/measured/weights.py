"""Weights of composite indices as reports: see analysis.measures.weights for the formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.options import Where, level_of
from analysis.estimators.core.result import Caution, Report, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked
from analysis.measures import weights as measure


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightsReport(Report):
    """What each indicator counts in an index.

    Attributes
    ----------
    table : indicators in rows; a column each of what was computed of them (weight and entropy, or
        the loadings of the components)
    measure : what was computed, with the index of each row of `where`
    dropped : reason -> rows
    """

    method: str
    table: pd.DataFrame
    measure: measure.EntropyWeights | measure.PrincipalComponents
    dropped: Mapping[str, int]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a column of the table and indicator; nothing is estimated, so no error."""
        level_of(level)
        nothing = np.full(len(self.table), np.nan)
        terms = [str(name) for name in self.table.index]
        parts = [
            tidy_frame(str(name), terms, self.table[name].to_numpy(dtype=float), nothing)
            for name in self.table.columns
        ]
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row: rows, indicators with a weight, and the share of the variance that is kept."""
        counts: dict[str, float] = {"nobs": self.measure.n, "indicators": len(self.table)}
        if isinstance(self.measure, measure.PrincipalComponents):
            kept = self.measure.shares.iloc[: self.measure.kept].sum()
            counts |= {"components": self.measure.kept, "share": float(kept)}
        return glance_frame({"method": self.method} | counts, {}, {})

    def note(self) -> str:
        """One sentence: over which rows, and what was left out."""
        outside = self.dropped.get("outside where", 0)
        said = self.measure.note()
        return f"{said.rstrip('.')}; {outside:,} rows outside where." if outside else said


def entropy_weights(
    frame: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str] = (),
    *,
    where: Where | None = None,
    shift: float = 0.0,
) -> WeightsReport:
    """Weight indicators by how unequally they are spread over the rows.

    Parameters
    ----------
    positive, negative : indicators of which more is better, or less
    shift : added to scaled values, as in analysis.measures.weights

    Raises
    ------
    ValueError : what the measure refuses.
    """
    asked, outside = rows_asked(frame, where)
    found = measure.entropy_weights(asked, positive, negative, shift=shift)
    table = pd.DataFrame({"weight": found.weights, "entropy": found.entropy})
    return _report("entropy weights", table, found, outside)


def principal_components(
    frame: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str] = (),
    *,
    where: Where | None = None,
    keep: int | float = 1,
    standardise: bool = True,
) -> WeightsReport:
    """Principal components of indicators, their loadings turned so that they add up to a positive
    number.

    Parameters
    ----------
    positive, negative : indicators of which more is better, or less
    keep, standardise : as in analysis.measures.weights

    Raises
    ------
    ValueError : what the measure refuses.
    """
    asked, outside = rows_asked(frame, where)
    found = measure.principal_components(
        asked, positive, negative, keep=keep, standardise=standardise
    )
    return _report("principal components", found.loadings, found, outside)


def _report(
    method: str,
    table: pd.DataFrame,
    found: measure.EntropyWeights | measure.PrincipalComponents,
    outside: Mapping[str, int],
) -> WeightsReport:
    said = tuple(
        Caution("no_weight", f"{name} has no weight: {why}.", "Leave it out, or mend the column.")
        for name, why in found.problems.items()
    )
    dropped = dict(outside) | dict(found.dropped)
    return WeightsReport(method=method, table=table, measure=found, dropped=dropped, warnings=said)
