"""The same regression in several groups, and tests that its coefficients are equal.

chow         F of all coefficients, the constant among them, under one residual variance (Chow
             1960); without effects
slopes       F of the slopes, each group keeping its own constant (or effects), under one residual
             variance
suest        chi2 from the joint robust or clustered covariance of all groups (Weesie 1999; Stata's
             suest): scores are summed within clusters over the groups, so that a cluster may lie in
             several; factor N/(N-1), or G/(G-1) with clusters
permutation  Fisher's test of two groups: labels are shuffled over rows, or over whole units, and
             the difference of coefficients is compared with those of the shuffles (Efron and
             Tibshirani 1993; Cleary 1999)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.columns import check_columns, left_out, numbers, usable_rows
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import CovarianceOption, Where, columns_of, covariance_of
from analysis.estimators.core.result import Report, Test, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked
from analysis.estimators.linear.group_fits import (
    GroupData,
    GroupFit,
    group_fit,
    joint_covariance,
    permuted,
    with_difference,
)


@dataclass(frozen=True, eq=False, kw_only=True)
class GroupComparison(Report):
    """Group regressions and their comparison.

    Attributes
    ----------
    coefficients, standard_errors : terms by groups; errors robust, or clustered where a cluster is
        given, as the suest covariance has them
    n : rows by group
    tests : "chow" (without effects), "slopes", "suest" (all slopes)
    by_term : a row a slope: suest chi2, df and p; with two groups also difference, and with
        permutations p_permutation (two-sided),
        share_above (of shuffled differences above the true one, what bdiff prints)
    differences : (draws, k) of the shuffles, by slope; empty without
    failed_draws : shuffles in which a group could not carry the regression
    """

    outcome: str
    regressors: tuple[str, ...]
    group: str
    coefficients: pd.DataFrame
    standard_errors: pd.DataFrame
    n: pd.Series
    tests: Mapping[str, Test]
    by_term: pd.DataFrame
    differences: pd.DataFrame
    failed_draws: int
    seed: int | None
    convention: str
    dropped: Mapping[str, int]
    seconds: float

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """A row a group and term, then a row a slope that is compared: its difference where there
        are two groups, chi2 and p.
        """
        groups = []
        for name in self.coefficients.columns:
            b, error = self.coefficients[name].to_numpy(), self.standard_errors[name].to_numpy()
            groups.append(
                tidy_frame(
                    f"{self.group} = {name}", list(self.coefficients.index), b, error, level=level
                )
            )
        nothing = np.full(len(self.by_term), np.nan)
        gap = self.by_term["difference"].to_numpy() if "difference" in self.by_term else nothing
        tested = self.by_term["chi2"].to_numpy(), self.by_term["p"].to_numpy()
        terms = list(self.by_term.index)
        equal = tidy_frame("equal slopes", terms, gap, nothing, level=level, tested=tested)
        return pd.concat([*groups, equal], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row: rows in all and by group, draws, tests."""
        values = {
            "method": "comparison of groups",
            "outcome": self.outcome,
            "nobs": int(self.n.sum()),
            "draws": len(self.differences),
        }
        return glance_frame(
            values, {str(name): int(count) for name, count in self.n.items()}, self.tests
        )

    def _below(self) -> list[str]:
        return [str(test) for test in self.tests.values()]

    def note(self) -> str:
        """One sentence: what was compared, on which rows, how, and what was left out."""
        failed = f", {self.failed_draws:,} more could not be estimated" if self.failed_draws else ""
        drawn = (
            f"; {len(self.differences):,} permutations with seed {self.seed}{failed}"
            if len(self.differences)
            else ""
        )
        sizes = ", ".join(f"{name}: {count:,}" for name, count in self.n.items())
        return (
            f"{self.outcome} on {', '.join(self.regressors)} by {self.group} ({sizes}); standard"
            f" errors {self.convention}{drawn}; left out: {left_out(self.dropped)}."
        )


def compare_groups(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    group: str,
    *,
    effects: Sequence[str] = (),
    covariance: CovarianceOption = "robust",
    where: Where | None = None,
    permutations: int = 0,
    permute_by: str | None = None,
    seed: int = 0,
) -> GroupComparison:
    """Regress the outcome on the regressors in each group and test that the coefficients are equal.

    Parameters
    ----------
    frame : in any order; nothing in it is modified
    group : column of the groups, two or more
    effects : columns whose effects are taken out, separately in each group
    covariance : "robust" or {"cluster": [column]}
    where : rows to estimate on, a column or a mask
    permutations : shuffles for Fisher's test, two groups only; permute_by : column whose members
        keep one label (city_code); needs the group
        to be constant within it

    Raises
    ------
    ValueError : unknown or non-numeric columns, one group only, a group that cannot carry the
        regression, permutations of other than two
        groups, a group that varies within `permute_by`.
    """
    began = perf_counter()
    given = columns_of("regressors", regressors, outcome=outcome)
    columns_of("effects", effects, empty=True)
    cluster = covariance_of(covariance, most=1, kinds=("robust", "cluster")).cluster
    frame, outside = rows_asked(frame, where)
    others = [name for name in (cluster, permute_by) if name]
    labels = list(dict.fromkeys([group, *effects, *others]))
    check_columns(frame, [outcome, *given, *labels])
    values = numbers(frame, [outcome, *given])
    keep, dropped = usable_rows(frame[labels], values)
    by = group, effects, cluster, permute_by
    data, names = _arrays(values[keep], frame.loc[keep, labels], *by)
    _check_groups(group, len(names), permutations)
    compared = _Compared.of(data, given, names)
    fields = compared.fields(cluster, permutations, seed)
    named: dict[str, Any] = {"outcome": outcome, "regressors": tuple(given), "group": group}
    lost, seconds = outside | dropped, perf_counter() - began
    return GroupComparison(**named, **fields, dropped=lost, seconds=seconds)


@dataclass(frozen=True)
class _Compared:
    """The groups' fits, and the covariance of all their coefficients together."""

    data: GroupData
    terms: list[str]
    names: pd.Index
    fits: list[GroupFit]
    covariance: np.ndarray

    @staticmethod
    def of(data: GroupData, terms: list[str], names: pd.Index) -> _Compared:
        listed = tuple(terms) if data.effects else (CONSTANT, *terms)
        fits = [group_fit(data, data.codes == g, listed, str(name)) for g, name in enumerate(names)]
        return _Compared(data, terms, names, fits, joint_covariance(data, fits))

    def fields(self, cluster: str | None, permutations: int, seed: int) -> dict[str, Any]:
        """What the result holds, but for the names of the columns and the rows left out."""
        data, terms, names, fits = self.data, self.terms, self.names, self.fits
        draws, failed = permuted(data, terms, permutations, seed)
        by_term = self._by_term()
        index = terms if data.effects else [CONSTANT, *terms]
        errors = np.sqrt(np.diag(self.covariance)).reshape(len(fits), len(index))
        g = None if data.clusters is None else len(np.unique(data.clusters))
        found = {name: fit.coefficients for name, fit in zip(names, fits, strict=True)}
        return {
            "coefficients": pd.DataFrame(found, index=index),
            "standard_errors": pd.DataFrame(dict(zip(names, errors, strict=True)), index=index),
            "n": pd.Series(np.bincount(data.codes), index=names, name="n"),
            "tests": self._joint_tests(),
            "by_term": with_difference(by_term, fits, draws) if len(names) == 2 else by_term,
            "differences": pd.DataFrame(draws if len(draws) else None, columns=terms),
            "failed_draws": failed,
            "seed": seed if permutations else None,
            "convention": (
                "robust over all groups (factor N/(N-1))"
                if g is None
                else f"clustered by {cluster} over all groups ({g:,} clusters, factor G/(G-1))"
            ),
            "warnings": () if g is None else few_clusters(g),
        }

    def _joint_tests(self) -> dict[str, Test]:
        rss, df = sum(fit.rss for fit in self.fits), sum(fit.df for fit in self.fits)
        data, more, terms = self.data, len(self.fits) - 1, tuple(self.terms)
        everything, tests = np.ones(len(data.y), dtype=bool), {}
        if not data.effects:
            pooled = group_fit(data, everything, (CONSTANT, *terms), "pooled").rss
            k = len(self.fits[0].coefficients)
            tests["chow"] = _f_test("chow", pooled, rss, more * k, df, "all coefficients equal")
        own = replace(data, effects=self._own_effects())
        common = group_fit(own, everything, terms, "pooled").rss
        tests["slopes"] = _f_test("slopes", common, rss, more * len(terms), df, "slopes equal")
        return tests | {"suest": self._wald(list(range(len(terms))), "suest")}

    def _own_effects(self) -> list[np.ndarray]:
        """Each group's constant, or its own levels of the effects: each (n,)."""
        codes, g = self.data.codes, len(self.fits)
        if not self.data.effects:
            return [codes]
        return [np.unique(own * g + codes, return_inverse=True)[1] for own in self.data.effects]

    def _by_term(self) -> pd.DataFrame:
        tests = [self._wald([at], term) for at, term in enumerate(self.terms)]
        columns = {"chi2": [t.statistic for t in tests], "df": [t.df for t in tests]}
        return pd.DataFrame(columns | {"p": [t.p for t in tests]}, index=self.terms)

    def _wald(self, which: list[int], name: str) -> Test:
        """That some slopes are the same in all groups."""
        g, k = len(self.fits), len(self.fits[0].coefficients)
        first = k - len(self.terms)
        weights = np.zeros(((g - 1) * len(which), g * k))
        for row, (other, term) in enumerate((o, t) for o in range(1, g) for t in which):
            weights[row, first + term], weights[row, other * k + first + term] = 1.0, -1.0
        gap = weights @ np.concatenate([fit.coefficients for fit in self.fits])
        statistic = float(gap @ linalg.pinvh(weights @ self.covariance @ weights.T) @ gap)
        p = float(stats.chi2.sf(statistic, len(gap)))
        return Test(name, statistic, len(gap), p, null="slopes equal")


def _check_groups(group: str, count: int, permutations: int) -> None:
    if count < 2:
        raise ValueError(
            f"{group} has {count} group{'' if count == 1 else 's'} among complete rows: two are"
            " needed for a comparison."
        )
    if permutations and count != 2:
        raise ValueError(
            f"{group} has {count} groups: the permutation test compares two. Choose two, or leave"
            " permutations out."
        )


def _arrays(
    values: pd.DataFrame,
    labels: pd.DataFrame,
    group: str,
    effects: Sequence[str],
    cluster: str | None,
    block: str | None,
) -> tuple[GroupData, pd.Index]:
    """Arrays in an order that does not depend on the frame's."""
    coded = {name: np.asarray(pd.factorize(labels[name], sort=True)[0]) for name in labels.columns}
    names = pd.Index(pd.factorize(labels[group], sort=True)[1])
    order = np.lexsort(
        [*values.to_numpy().T[::-1], *[coded[name] for name in reversed(list(labels.columns))]]
    )
    matrix = values.to_numpy()[order]
    blocks = coded[block][order] if block else np.arange(len(matrix))
    codes = coded[group][order]
    if block and any(len(np.unique(codes[blocks == b])) > 1 for b in range(int(blocks.max()) + 1)):
        raise ValueError(
            f"{group} changes inside {block}: its members cannot keep one label. Permute rows, or a"
            " column inside which the group is constant."
        )
    clusters = coded[cluster][order] if cluster else None
    return (
        GroupData(
            matrix[:, 0],
            matrix[:, 1:],
            codes,
            [coded[name][order] for name in effects],
            clusters,
            blocks,
        ),
        names,
    )


def _f_test(name: str, rss_common: float, rss: float, d: int, df: int, null: str) -> Test:
    f = (rss_common - rss) / d / (rss / df)
    return Test(name, f, d, float(stats.f.sf(f, d, df)), df2=df, null=null)
