"""What every estimate has in common: coefficients with their covariance, what was tested, which rows were used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.columns import rows


@dataclass(frozen=True)
class Test:
    """A test statistic with its reference distribution; `df2` is the denominator's, for F statistics."""

    __test__ = False  # not a test case, whatever pytest thinks of the name

    name: str
    statistic: float
    df: float | None
    p: float
    df2: float | None = None
    null: str = ""

    def __str__(self) -> str:
        numbers = ", ".join(f"{value:g}" for value in (self.df, self.df2) if value is not None)
        shown = f"{self.name}({numbers}) = {self.statistic:.4f}" if numbers else f"{self.name} = {self.statistic:.4f}"
        return shown if np.isnan(self.p) else f"{shown}, p = {self.p:.4f}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Result:
    """One estimate. Estimators add their own fields in a subclass.

    Attributes
    ----------
    method : what was estimated, as a note would say it ("two-step system GMM")
    outcome : column that is explained
    coefficients : (k,) by term
    covariance : (k, k) of the coefficients, in the stated convention
    convention : one phrase that says how the standard errors were computed
    df_t : degrees of freedom of the t distribution; None where inference is normal
    n : rows used
    groups : name of a grouping (effect, cluster, panel unit) -> its number of levels
    dropped : reason -> rows left out
    sample : index labels of the rows used, in the order of the frame given
    tests : test statistics by name
    seconds : time spent estimating
    """

    method: str
    outcome: str
    coefficients: pd.Series
    covariance: pd.DataFrame
    convention: str
    df_t: float | None
    n: int
    groups: Mapping[str, int]
    dropped: Mapping[str, int]
    sample: pd.Index
    tests: Mapping[str, Test] = field(default_factory=dict)
    seconds: float = float("nan")

    @property
    def standard_errors(self) -> pd.Series:
        return pd.Series(np.sqrt(np.diag(self.covariance)), index=self.coefficients.index, name="standard_error")

    @property
    def t_statistics(self) -> pd.Series:
        return (self.coefficients / self.standard_errors).rename("t")

    @property
    def p_values(self) -> pd.Series:
        size = np.abs(self.t_statistics.to_numpy())
        p = 2 * (stats.norm.sf(size) if self.df_t is None else stats.t.sf(size, self.df_t))
        return pd.Series(p, index=self.coefficients.index, name="p")

    def confidence_intervals(self, level: float = 0.95) -> pd.DataFrame:
        """Lower and upper bounds by term at the given level (0-1)."""
        tail = (1 + level) / 2
        width = stats.norm.ppf(tail) if self.df_t is None else stats.t.ppf(tail, self.df_t)
        half = width * self.standard_errors
        return pd.DataFrame({"lower": self.coefficients - half, "upper": self.coefficients + half})

    def to_frame(self) -> pd.DataFrame:
        """Terms in rows; coefficient, standard_error, t and p in columns."""
        columns = {"coefficient": self.coefficients, "standard_error": self.standard_errors, "t": self.t_statistics, "p": self.p_values}
        return pd.DataFrame(columns).rename_axis("term")

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was left out."""
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        left_out = "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items()) or "no rows"
        return f"{self.method} of {self.outcome}, {rows(self.n)}{f' ({levels})' if levels else ''}; standard errors {self.convention}; left out: {left_out}."

    def __str__(self) -> str:
        table = self.to_frame().to_string(float_format=lambda value: f"{value: .6g}")
        tests = "\n".join(str(test) for test in self.tests.values())
        return "\n".join(part for part in (table, tests, self.note()) if part)
