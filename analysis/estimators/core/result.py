"""What every estimate has in common: one table of its terms, one row about the whole, one sentence,
and what a reader must be warned of.

    tidy() a row a term: equation, term, estimate, std_error, statistic, p_value, conf_low,
        conf_high
    glance() one row: method, outcome, nobs, n_<grouping> for each grouping, df, measures of fit,
        <test>_statistic, _df, _df2, _p_value
    note() one sentence: what was estimated, on which rows, with which standard errors, and what was
        left out
    warnings   what must not be overlooked: kind, sentence and remedy

The names are those of R's broom and of linearmodels. A result is frozen: what it says is what was
estimated.
"""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.options import level_of

TIDY = (
    "equation",
    "term",
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
)


@dataclass(frozen=True)
class Caution:
    """Something that a reader must not overlook.

    Attributes
    ----------
    kind : a word for programs, such as "few_clusters"; the same cause has the same word in every
        estimator
    sentence : what is the matter, with its numbers
    remedy : what to do about it, empty where there is nothing to do
    """

    kind: str
    sentence: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}".strip()


@dataclass(frozen=True, eq=False, kw_only=True)
class Report(ABC):
    """What can be asked of every result, and how it is shown.

    Attributes
    ----------
    warnings : what a reader must not overlook; empty where there is nothing
    """

    warnings: tuple[Caution, ...] = ()

    @abstractmethod
    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a term; the columns are TIDY, with intervals at the given level (0-1)."""

    @abstractmethod
    def glance(self) -> pd.DataFrame:
        """One row about the estimate as a whole."""

    @abstractmethod
    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was
        left out.
        """

    def _below(self) -> list[str]:
        """Lines under the table, between it and the note: tests, intervals."""
        return []

    def __str__(self) -> str:
        lines = [self.tidy().to_string(index=False, float_format=_shown, na_rep=""), *self._below()]
        return "\n".join(
            [*lines, *(f"Warning: {warning}" for warning in self.warnings), self.note()]
        )

    def _repr_html_(self) -> str:
        """The same for a notebook; names of columns and levels are text, whatever they hold."""
        table = self.tidy().to_html(index=False, float_format=_shown, na_rep="", border=0)
        lines = [*self._below(), *(f"Warning: {warning}" for warning in self.warnings), self.note()]
        return table + "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def _shown(value: float) -> str:
    return f"{value:.6g}"


def tidy_frame(
    equation: str | list[str],
    terms: list[str],
    estimate: np.ndarray,
    std_error: np.ndarray,
    *,
    df: float | np.ndarray | None = None,
    level: float = 0.95,
    tested: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
    interval: tuple[np.ndarray, np.ndarray] | None = None,
) -> pd.DataFrame:
    """The table of `tidy()` from estimates and standard errors.

    Parameters
    ----------
    df : degrees of freedom of t, one or one a term; None for the normal
    tested, interval : statistic and p, lower and upper bound, where they are not what estimate and
        error give (bootstrap, permutation)
    """
    tail = (1 + level_of(level)) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = estimate / std_error
    size = np.abs(ratio)
    p = 2 * (stats.norm.sf(size) if df is None else stats.t.sf(size, df))
    half = (stats.norm.ppf(tail) if df is None else stats.t.ppf(tail, df)) * std_error
    low, high = (estimate - half, estimate + half) if interval is None else interval
    columns = {
        "equation": equation,
        "term": terms,
        "estimate": estimate,
        "std_error": std_error,
        "statistic": ratio if tested[0] is None else tested[0],
        "p_value": p if tested[1] is None else tested[1],
        "conf_low": low,
        "conf_high": high,
    }
    return pd.DataFrame(columns, columns=list(TIDY))


def glance_frame(
    values: Mapping[str, Any], groups: Mapping[str, int], tests: Mapping[str, Test]
) -> pd.DataFrame:
    """The row of `glance()`: values as they are, a count a grouping, and each test's statistic,
    degrees of freedom and p.
    """
    row: dict[str, Any] = dict(values)
    row |= {f"n_{name}": count for name, count in groups.items()}
    for name, test in tests.items():
        parts = {"statistic": test.statistic, "df": test.df, "df2": test.df2, "p_value": test.p}
        row |= {f"{name}_{part}": value for part, value in parts.items() if value is not None}
    return pd.DataFrame([row])


@dataclass(frozen=True)
class Test:
    """A test statistic with its reference distribution; `df2` is the denominator's, for F
    statistics.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    name: str
    statistic: float
    df: float | None
    p: float
    df2: float | None = None
    null: str = ""
    warnings: tuple[Caution, ...] = ()

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """One row: a test has a statistic and its p, no estimate; the level is that of other
        results and changes nothing.
        """
        level_of(level)
        nothing = np.array([np.nan])
        return tidy_frame(
            "test",
            [self.name],
            nothing,
            nothing,
            tested=(np.array([self.statistic]), np.array([self.p])),
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, null, statistic, df, df2 and p_value."""
        return pd.DataFrame(
            [
                {
                    "method": self.name,
                    "null": self.null,
                    "statistic": self.statistic,
                    "df": self.df,
                    "df2": self.df2,
                    "p_value": self.p,
                }
            ]
        )

    def note(self) -> str:
        """One sentence: the statistic and what it tests."""
        return f"{self._line()}; the null is {self.null}." if self.null else f"{self._line()}."

    def _line(self) -> str:
        numbers = ", ".join(f"{value:g}" for value in (self.df, self.df2) if value is not None)
        shown = (
            f"{self.name}({numbers}) = {self.statistic:.4f}"
            if numbers
            else f"{self.name} = {self.statistic:.4f}"
        )
        return shown if np.isnan(self.p) else f"{shown}, p = {self.p:.4f}"

    def __str__(self) -> str:
        return "\n".join([self._line(), *(f"Warning: {warning}" for warning in self.warnings)])

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{html.escape(line)}</p>"
            for line in [self.note(), *(f"Warning: {warning}" for warning in self.warnings)]
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Report):
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

    def __post_init__(self) -> None:
        """Say which variances came out below zero, unless the estimator has said it."""
        below = self.coefficients.index[np.diag(self.covariance) < 0]
        said = {warning.kind for warning in self.warnings}
        if len(below) and "not_semidefinite" not in said:
            text = f"The variance of {', '.join(map(str, below))} is below zero: no standard error."
            caution = Caution("not_semidefinite", text, "Cluster by one column, or by units.")
            object.__setattr__(self, "warnings", (*self.warnings, caution))

    @property
    def standard_errors(self) -> pd.Series:
        """Roots of the variances; missing where one is below zero."""
        variances = np.diag(self.covariance).astype(float)
        errors = np.sqrt(np.where(variances < 0, np.nan, variances))
        return pd.Series(errors, index=self.coefficients.index, name="standard_error")

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

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a term; equation is the outcome, and intervals are at the given level (0-1)."""
        bounds = self.confidence_intervals(level_of(level))
        interval = bounds["lower"].to_numpy(), bounds["upper"].to_numpy()
        t, p = self.t_statistics.to_numpy(), self.p_values.to_numpy()
        equations, terms = self._names()
        b, errors = (
            self.coefficients.to_numpy(dtype=float),
            self.standard_errors.to_numpy(dtype=float),
        )
        return tidy_frame(equations, terms, b, errors, tested=(t, p), interval=interval)

    def glance(self) -> pd.DataFrame:
        """One row: method, outcome, rows, what `_fit` gives, levels of groupings, tests."""
        df = {} if self.df_t is None else {"df": self.df_t}
        return glance_frame(
            {"method": self.method, "outcome": self.outcome, "nobs": self.n} | df | self._fit(),
            self.groups,
            self.tests,
        )

    def _names(self) -> tuple[list[str], list[str]]:
        """Equation and term of each coefficient; a system overrides this."""
        terms = [str(term) for term in self.coefficients.index]
        return [self.outcome] * len(terms), terms

    def _fit(self) -> dict[str, Any]:
        """Measures of fit and other figures of the estimate as a whole, for `glance`."""
        return {}

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was
        left out.
        """
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        return (
            f"{self.method} of {self.outcome}, {rows(self.n)}{f' ({levels})' if levels else ''};"
            f" standard errors {self.convention}; left out: {left_out(self.dropped)}."
        )

    def _below(self) -> list[str]:
        return [str(test) for test in self.tests.values()]
