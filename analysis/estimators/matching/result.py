"""Matched rows with their balance, and the effect on the treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import rows
from analysis.estimators.core.result import Report, Result, glance_frame, tidy_frame
from analysis.estimators.limited.binary import BinaryChoiceResult
from analysis.estimators.matching.options import MatchOptions


@dataclass(frozen=True, eq=False, kw_only=True)
class Matching(Report):
    """Matched rows; series are by index label of the frame given, in its order, for complete rows.

    Attributes
    ----------
    treated : is the row treated
    score : what was matched on (probability, index, or the column given)
    support : is the row on support
    weights : see the module's text; zero for rows that are not used
    rows : positions of the complete rows in the frame given
    pairs : (treated, controls) shares, each row summing to one or zero; `treated_positions` and
        `control_positions` (into the series) say which rows they are
    balance : by covariate, before and after: means, standardised bias in per cent, t, p, variances
    summary : before and after: pseudo R-squared and LR test of the score model, mean and median
        absolute bias, Rubin's B and R
    model : the logit or probit, None where a score was given
    dropped : reason -> rows left out
    """

    treatment: str
    treated: pd.Series
    score: pd.Series
    support: pd.Series
    weights: pd.Series
    rows: np.ndarray
    pairs: sparse.csr_array
    treated_positions: np.ndarray
    control_positions: np.ndarray
    balance: pd.DataFrame
    summary: pd.DataFrame
    model: BinaryChoiceResult | None
    options: MatchOptions
    dropped: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """Rows by role."""
        used = self.weights > 0
        return {
            "treated": int(self.treated.sum()),
            "treated_matched": int((used & self.treated).sum()),
            "controls": int((~self.treated).sum()),
            "controls_matched": int((used & ~self.treated).sum()),
        }

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a covariate: its standardised difference after matching, without an error."""
        after = self.balance.get("bias_pct_after", pd.Series(dtype=float)).to_numpy(dtype=float)
        terms = [str(name) for name in self.balance.index] if len(after) else []
        nothing = np.full(len(after), np.nan)
        return tidy_frame("standardised difference", terms, after / 100, nothing, level=level)

    def glance(self) -> pd.DataFrame:
        """One row: rows used, their roles, and the balance before and after."""
        row: dict[str, Any] = {"method": "matching", "outcome": self.treatment}
        row |= {"nobs": int((self.weights > 0).sum())}
        for when in self.summary.index:
            part = self.summary.loc[when, ["mean_bias_pct", "pseudo_r2", "rubin_b", "rubin_r"]]
            row |= {f"{name}_{when}": value for name, value in part.items()}
        return glance_frame(row, self.counts(), {})

    def note(self) -> str:
        """One sentence: how many were matched, and how."""
        count = self.counts()
        left_out = "; ".join(f"{rows(n)} ({reason})" for reason, n in self.dropped.items())
        return (
            f"{count['treated_matched']:,} of {count['treated']:,} treated rows matched with "
            f"{count['controls_matched']:,} of {count['controls']:,} controls "
            f"({self.options.describe()}); left out: {left_out or 'no rows'}."
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class MatchingResult(Result):
    """The effect on the treated.

    Attributes beyond `Result`
    ----------
    matching : weights, balance and pairs
    unmatched_difference : mean of the treated less mean of the controls, all complete rows
    treated_mean, control_mean : over treated rows on support; weighted over their controls
    """

    matching: Matching
    unmatched_difference: float
    treated_mean: float
    control_mean: float

    def _fit(self) -> dict[str, Any]:
        means = ("treated_mean", "control_mean", "unmatched_difference")
        return {name: getattr(self, name) for name in means}
