"""Data envelopment and the Malmquist index as reports: see analysis.measures for the programs.

Efficiencies are computed, not estimated: means by period have no standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.options import Where, level_of
from analysis.estimators.core.result import Caution, Report, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked
from analysis.measures import envelopment as dea
from analysis.measures import malmquist as index
from analysis.measures.envelopment import Slacks
from analysis.measures.envelopment_programs import Orientation, Returns

ALL = "all"  # the term of a mean over all rows


@dataclass(frozen=True, eq=False, kw_only=True)
class EnvelopmentReport(Report):
    """Efficiencies against an enveloping frontier.

    Attributes
    ----------
    measure : the table a row, with slacks, targets and peers; it has a row for each row of `where`
    means : of the efficiencies by period, and over all rows
    dropped : reason -> rows
    """

    measure: dea.EnvelopmentResult
    means: pd.DataFrame
    dropped: Mapping[str, int]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a kind of efficiency and period: the mean; nothing is estimated, so no error."""
        level_of(level)
        return _means(self.means)

    def glance(self) -> pd.DataFrame:
        """One row: rows, mean efficiency and rows on the frontier."""
        efficiency = self.measure.table["efficiency"]
        values = {"method": self.measure.method, "nobs": self.measure.n}
        best = {"mean_efficiency": efficiency.mean(), "efficient": int((efficiency == 1).sum())}
        return glance_frame(values | best, {}, {})

    def note(self) -> str:
        """One sentence: what was computed, on which rows, and what was left out."""
        mean = self.measure.table["efficiency"].mean()
        head = f"{self.measure.method}, {rows(self.measure.n)}, mean efficiency {mean:.4f}"
        return f"{head}; left out: {left_out(self.dropped)}."


@dataclass(frozen=True, eq=False, kw_only=True)
class MalmquistReport(Report):
    """Change of total factor productivity between neighbouring periods.

    Attributes
    ----------
    measure : changes and distances of every unit, geometric means by period
    units : name of the column of units
    dropped : reason -> rows
    """

    measure: index.MalmquistResult
    units: str
    dropped: Mapping[str, int]

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a part of the index and period: the geometric mean over units; no error."""
        level_of(level)
        return _means(self.measure.means)

    def glance(self) -> pd.DataFrame:
        """One row: changes and units."""
        method = f"{self.measure.orientation}-oriented Malmquist index"
        changes = self.measure.changes
        groups = {self.units: int(changes[self.units].nunique())}
        return glance_frame({"method": method, "nobs": len(changes)}, groups, {})

    def note(self) -> str:
        """One sentence: what was computed, on which units, and what was left out."""
        changes = self.measure.changes
        return (
            f"{self.measure.orientation}-oriented Malmquist index, {len(changes):,} changes of"
            f" {changes[self.units].nunique():,} {self.units}; left out:"
            f" {left_out(self.dropped)}."
        )


def envelopment(
    frame: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    unit: str,
    time: str | None = None,
    where: Where | None = None,
    returns: Returns = "crs",
    orientation: Orientation = "input",
    slacks: Slacks = "multi_stage",
    super_efficiency: bool = False,
) -> EnvelopmentReport:
    """Efficiency of every row against the frontier of all rows, or of the rows of its period.

    Parameters
    ----------
    time : a frontier of its own for each period; None for one frontier
    returns, orientation, slacks, super_efficiency : as in analysis.measures.envelopment

    Raises
    ------
    ValueError : what the measure refuses.
    """
    asked, outside = rows_asked(frame, where)
    found = dea.envelopment(
        asked,
        inputs,
        outputs,
        unit=unit,
        period=time,
        returns=returns,
        orientation=orientation,
        slacks=slacks,
        super_efficiency=super_efficiency,
    )
    shares = [name for name in found.table.columns if "efficiency" in name and ":" not in name]
    means = found.table[shares].mean().to_frame(ALL).T
    if time is not None:
        means = pd.concat([found.table[shares].groupby(asked[time]).mean(), means])
    return EnvelopmentReport(
        measure=found,
        means=means,
        dropped=outside | dict(found.dropped),
        warnings=_few_units(found, len(inputs), len(outputs), max(1, len(means) - 1)),
    )


def malmquist(
    frame: pd.DataFrame,
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    unit: str,
    time: str,
    where: Where | None = None,
    orientation: Orientation = "output",
) -> MalmquistReport:
    """The Malmquist index of Färe, Grosskopf, Norris and Zhang (1994), in its parts.

    Parameters
    ----------
    orientation : which distances are computed, as in analysis.measures.malmquist

    Raises
    ------
    ValueError : what the measure refuses.
    """
    asked, outside = rows_asked(frame, where)
    found = index.malmquist(asked, inputs, outputs, unit=unit, period=time, orientation=orientation)
    return MalmquistReport(measure=found, units=unit, dropped=outside | dict(found.dropped))


def _means(means: pd.DataFrame) -> pd.DataFrame:
    """A row a column and period of a table of means, as `tidy` has them."""
    terms = [f"{label:g}" if isinstance(label, float) else str(label) for label in means.index]
    nothing = np.full(len(means), np.nan)
    parts = [
        tidy_frame(str(name), terms, means[name].to_numpy(dtype=float), nothing)
        for name in means.columns
    ]
    return pd.concat(parts, ignore_index=True)


def _few_units(
    found: dea.EnvelopmentResult, inputs: int, outputs: int, frontiers: int
) -> tuple[Caution, ...]:
    """With fewer units than this most are efficient by default (Cooper, Seiford and Tone 2007)."""
    needed = max(inputs * outputs, 3 * (inputs + outputs))
    if found.n >= needed * frontiers:
        return ()
    text = (
        f"{found.n / frontiers:.0f} units a frontier are few for {inputs} inputs and {outputs}"
        f" outputs: below {needed} most are efficient whatever they do."
    )
    return (Caution("few_units", text, "Use fewer columns, or one frontier for all periods."),)
