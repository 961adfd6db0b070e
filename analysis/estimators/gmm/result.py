"""What a dynamic panel estimate says: its table, its tests by group of instruments, and its
note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.options import GmmSmall, GmmSteps, GmmSystem, GmmWeighting, Transform
from analysis.estimators.core.result import Result, Test, glance_frame
from analysis.estimators.gmm.instruments import Column


@dataclass(frozen=True, eq=False, kw_only=True)
class DynamicGMMResult(Result):
    """A difference or system GMM estimate.

    Attributes
    ----------
    equations : "system" or "difference"; transform : "difference" or "orthogonal"; steps : 1 or 2;
        weighting : 1, 2 or 3
    robust : errors clustered by unit; small : as asked for
    instruments_n : instruments, collinear ones not counted
    instrument_columns, instrument_used : what each instrument is, and whether it is counted (False:
        collinear); see `instruments`
    groups_tested : group of instruments -> the overidentification test without it, and its own; see
        `difference_tests`
    transformed_n, level_n : rows of each equation
    rows_per_unit : smallest, mean and largest number of rows of a unit
    first_period, last_period : of the rows used
    sigma2 : variance of the level errors
    first_stage : conditional first-stage F by regressor that is not an instrument itself; see
        gmm.strength
    dropped_terms : regressor -> why it was left out
    residuals : of the reported equation, indexed like sample
    """

    equations: GmmSystem
    transform: Transform
    steps: GmmSteps
    weighting: GmmWeighting
    robust: bool
    small: GmmSmall
    collapsed: bool
    instruments_n: int
    instrument_columns: tuple[Column, ...]
    instrument_used: np.ndarray
    groups_tested: Mapping[str, tuple[Test, Test]]
    transformed_n: int
    level_n: int
    rows_per_unit: tuple[int, float, int]
    first_period: int
    last_period: int
    sigma2: float
    first_stage: pd.Series
    dropped_terms: Mapping[str, str]
    residuals: pd.Series

    @property
    def instruments(self) -> pd.DataFrame:
        """One row an instrument: group, equation, period (missing: all), variable, lag, used."""
        described = [
            (c.group, c.equation, c.period, c.variable, c.lag) for c in self.instrument_columns
        ]
        table = pd.DataFrame(described, columns=["group", "equation", "period", "variable", "lag"])
        table[["period", "lag"]] = table[["period", "lag"]].astype("Int64")
        return table.assign(used=self.instrument_used)

    @property
    def difference_tests(self) -> pd.DataFrame:
        """One row a group of instruments: the test without it (excluding, excluding_df,
        excluding_p), and its own (difference, df, p)."""
        names = ["excluding", "excluding_df", "excluding_p", "difference", "df", "p"]
        rows_of = [
            (a.statistic, int(a.df or 0), a.p, b.statistic, int(b.df or 0), b.p)
            for a, b in self.groups_tested.values()
        ]
        return pd.DataFrame(
            rows_of,
            columns=names,
            index=pd.Index(list(self.groups_tested), name="group", dtype=object),
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, outcome, rows, instruments, and tests other than those of groups of
        instruments."""
        whole = {
            name: test
            for name, test in self.tests.items()
            if not name.startswith(("difference ", "excluding "))
        }
        df = {} if self.df_t is None else {"df": self.df_t}
        head = {"method": self.method, "outcome": self.outcome, "nobs": self.n}
        return glance_frame(head | df | self._fit(), self.groups, whole)

    def _fit(self) -> dict[str, Any]:
        weakest = self.first_stage.min() if len(self.first_stage) else float("nan")
        rows_of = {"transformed_n": self.transformed_n, "level_n": self.level_n}
        return (
            {"instruments": self.instruments_n}
            | rows_of
            | {"sigma2": self.sigma2, "first_stage_f": weakest}
        )

    def note(self) -> str:
        """One sentence: method, errors, instruments, units, periods, and what was left out."""
        unit, groups = next(iter(self.groups.items()))
        collapsed = " collapsed" if self.collapsed else ""
        span = f"{self.first_period}-{self.last_period}"
        terms = "".join(f"; {term} dropped: it {why}" for term, why in self.dropped_terms.items())
        return (
            f"{self.method} of {self.outcome}, {self.convention}, {self.instruments_n}"
            f" instruments{collapsed}, {groups:,} {unit}, {span}, {rows(self.n)}; left out:"
            f" {left_out(self.dropped)}{terms}."
        )
