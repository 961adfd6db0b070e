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
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import pandas as pd
from scipy import linalg, stats

from analysis.estimators.core.algebra import independent_columns, least_squares
from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.columns import check_columns, numbers, rows, usable_rows
from analysis.estimators.core.effects import Effects
from analysis.estimators.core.groups import numbered
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import CovarianceOption, Where, columns_of, covariance_of
from analysis.estimators.core.result import Report, Test, glance_frame, tidy_frame
from analysis.estimators.core.sample import rows_asked
from analysis.estimators.core.sums import sums_by


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
        equal = tidy_frame("equal slopes", list(self.by_term.index), gap, nothing, level=level,
                           statistic=self.by_term["chi2"].to_numpy(),
                           p_value=self.by_term["p"].to_numpy())  # fmt: skip
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
        left_out = (
            "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items())
            or "no rows"
        )
        failed = f", {self.failed_draws:,} more could not be estimated" if self.failed_draws else ""
        drawn = (
            f"; {len(self.differences):,} permutations with seed {self.seed}{failed}"
            if len(self.differences)
            else ""
        )
        sizes = ", ".join(f"{name}: {count:,}" for name, count in self.n.items())
        return (
            f"{self.outcome} on {', '.join(self.regressors)} by {self.group} ({sizes}); standard"
            f" errors {self.convention}{drawn}; left out: {left_out}."
        )


@dataclass(frozen=True)
class _Data:
    y: np.ndarray
    x: np.ndarray  # (n, k) without the constant
    codes: np.ndarray  # (n,) group
    effects: list[np.ndarray]  # each (n,)
    clusters: np.ndarray | None
    blocks: np.ndarray  # (n,) what a permutation moves whole


@dataclass(frozen=True)
class _GroupFit:
    coefficients: np.ndarray  # constant first, where there are no effects
    influence: np.ndarray  # (n, k) (X'X)^-1 x_i e_i
    rss: float
    df: int


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
    labels = list(
        dict.fromkeys(
            [
                group,
                *effects,
                *([cluster] if cluster else []),
                *([permute_by] if permute_by else []),
            ]
        )
    )
    check_columns(frame, [outcome, *given, *labels])
    values = numbers(frame, [outcome, *given])
    keep, dropped = usable_rows(frame[labels], values)
    data, names = _arrays(
        values[keep], frame.loc[keep, labels], group, effects, cluster, permute_by
    )
    _check_groups(group, len(names), permutations)
    fits = [
        _fit(data, data.codes == g, (CONSTANT, *given) if not effects else tuple(given), str(name))
        for g, name in enumerate(names)
    ]
    joint = _joint_covariance(data, fits)
    tests, by_term = _tests(data, fits, joint, given, bool(effects))
    draws, failed = _permute(data, given, permutations, seed)
    if len(names) == 2:
        by_term = _with_difference(by_term, fits, draws)
    index = [*([] if effects else [CONSTANT]), *given]
    k = len(index)
    errors = np.sqrt(np.diag(joint)).reshape(len(fits), k)
    g = None if data.clusters is None else len(np.unique(data.clusters))
    return GroupComparison(
        outcome=outcome,
        regressors=tuple(given),
        group=group,
        coefficients=pd.DataFrame(
            {name: fit.coefficients for name, fit in zip(names, fits, strict=True)}, index=index
        ),
        standard_errors=pd.DataFrame(
            {name: errors[i] for i, name in enumerate(names)}, index=index
        ),
        n=pd.Series(np.bincount(data.codes), index=names, name="n"),
        tests=tests,
        by_term=by_term,
        differences=(
            pd.DataFrame(draws, columns=given) if len(draws) else pd.DataFrame(columns=given)
        ),
        failed_draws=failed,
        seed=seed if permutations else None,
        convention=(
            "robust over all groups (factor N/(N-1))"
            if g is None
            else f"clustered by {cluster} over all groups ({g:,} clusters, factor G/(G-1))"
        ),
        dropped=outside | dropped,
        seconds=perf_counter() - began,
        warnings=() if g is None else few_clusters(g),
    )


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
) -> tuple[_Data, pd.Index]:
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
        _Data(
            matrix[:, 0],
            matrix[:, 1:],
            codes,
            [coded[name][order] for name in effects],
            clusters,
            blocks,
        ),
        names,
    )


def _fit(data: _Data, here: np.ndarray, terms: tuple[str, ...], name: str) -> _GroupFit:
    """Least squares on some rows, effects taken out inside them."""
    taken = Effects(
        [numbered(np.unique(codes[here], return_inverse=True)[1]) for codes in data.effects]
    )
    x = data.x[here] if data.effects else np.column_stack([np.ones(int(here.sum())), data.x[here]])
    x, y = taken.out(x), taken.out(data.y[here])
    df = len(y) - x.shape[1] - taken.rank
    size = np.linalg.norm(data.x[here], axis=0)
    flat = np.linalg.norm(x[:, -data.x.shape[1] :], axis=0) <= 1e-9 * size
    free = independent_columns(x)
    free[len(free) - len(flat) :] &= ~flat
    if df < 1 or not free.all():
        what = (
            f"{', '.join(term for term, keep in zip(terms, free, strict=True) if not keep)} is a"
            " combination of the rest"
            if df >= 1
            else f"{rows(len(y))} are too few"
        )
        raise ValueError(f"group {name} cannot carry the regression: {what}.")
    b, e, inverse = least_squares(y, x)
    return _GroupFit(b, (x * e[:, None]) @ inverse, float(e @ e), df)


def _joint_covariance(data: _Data, fits: list[_GroupFit]) -> np.ndarray:
    """(G k, G k) covariance of all groups' coefficients."""
    k = len(fits[0].coefficients)
    scores = np.zeros((len(data.y), k * len(fits)))
    for g, fit in enumerate(fits):
        scores[data.codes == g, g * k : (g + 1) * k] = fit.influence
    if data.clusters is not None:
        scores = sums_by(numbered(data.clusters), scores)
    count = len(scores)
    if count < 2:
        raise ValueError(
            "the sample has one cluster only: clustered standard errors need at least two."
        )
    return scores.T @ scores * count / (count - 1)


def _tests(
    data: _Data, fits: list[_GroupFit], covariance: np.ndarray, terms: list[str], absorbed: bool
) -> tuple[dict[str, Test], pd.DataFrame]:
    g, k = len(fits), len(fits[0].coefficients)
    rss, df = sum(fit.rss for fit in fits), sum(fit.df for fit in fits)
    everything = np.ones(len(data.y), dtype=bool)
    tests = {}
    if not absorbed:
        tests["chow"] = _f_test(
            "chow",
            _fit(data, everything, (CONSTANT, *terms), "pooled").rss,
            rss,
            (g - 1) * k,
            df,
            "all coefficients equal",
        )
    own = (
        [data.codes]
        if not absorbed
        else [np.unique(codes * g + data.codes, return_inverse=True)[1] for codes in data.effects]
    )
    common = _fit(
        _Data(data.y, data.x, data.codes, own, data.clusters, data.blocks),
        everything,
        tuple(terms),
        "pooled",
    )
    tests["slopes"] = _f_test("slopes", common.rss, rss, (g - 1) * len(terms), df, "slopes equal")
    b = np.concatenate([fit.coefficients for fit in fits])
    first = k - len(terms)

    def wald(which: list[int], name: str) -> Test:
        weights = np.zeros(((g - 1) * len(which), g * k))
        for row, (other, term) in enumerate((o, t) for o in range(1, g) for t in which):
            weights[row, first + term], weights[row, other * k + first + term] = 1.0, -1.0
        gap = weights @ b
        statistic = float(gap @ linalg.pinvh(weights @ covariance @ weights.T) @ gap)
        return Test(
            name,
            statistic,
            len(gap),
            float(stats.chi2.sf(statistic, len(gap))),
            null="slopes equal",
        )

    tests["suest"] = wald(list(range(len(terms))), "suest")
    single = [wald([i], term) for i, term in enumerate(terms)]
    return tests, pd.DataFrame(
        {
            "chi2": [t.statistic for t in single],
            "df": [t.df for t in single],
            "p": [t.p for t in single],
        },
        index=terms,
    )


def _f_test(name: str, rss_common: float, rss: float, d: int, df: int, null: str) -> Test:
    f = (rss_common - rss) / d / (rss / df)
    return Test(name, f, d, float(stats.f.sf(f, d, df)), df2=df, null=null)


def _permute(data: _Data, terms: list[str], count: int, seed: int) -> tuple[np.ndarray, int]:
    """Differences of slopes (draws, k), first group less second, under shuffled labels."""
    if not count:
        return np.empty((0, len(terms))), 0
    draw = np.random.default_rng(seed)
    labels = data.codes[np.unique(data.blocks, return_index=True)[1]]
    moved = all(
        len(np.unique(data.blocks[codes == level])) == 1
        for codes in data.effects
        for level in range(int(codes.max()) + 1)
    )
    shuffle = _together if moved else _one_by_one
    found, failed = shuffle(data, terms, [draw.permutation(labels) == 0 for _ in range(count)])
    if len(found) < count / 2:
        raise ValueError(
            f"{failed} of {count} permutations leave a group that cannot carry the regression: the"
            " groups are too small."
        )
    return found, failed


def _one_by_one(data: _Data, terms: list[str], firsts: list[np.ndarray]) -> tuple[np.ndarray, int]:
    """Effects that cut across the shuffled blocks must be taken out of every shuffle anew."""
    found = []
    for first in firsts:
        here = first[data.blocks]
        try:
            pair = [
                _fit(data, side, tuple(terms), "shuffled").coefficients[-len(terms) :]
                for side in (here, ~here)
            ]
        except ValueError:
            continue
        found.append(pair[0] - pair[1])
    return np.array(found).reshape(-1, len(terms)), len(firsts) - len(found)


def _together(data: _Data, terms: list[str], firsts: list[np.ndarray]) -> tuple[np.ndarray, int]:
    """Without effects, or with effects that move along with the blocks, moments of a group are sums
    over its blocks: all shuffles at once.
    """
    taken = Effects([numbered(codes) for codes in data.effects])
    x = taken.out(data.x) if data.effects else np.column_stack([np.ones(len(data.y)), data.x])
    q, r = linalg.qr(x, mode="economic")
    k = q.shape[1]
    products = np.hstack(
        [(q[:, :, None] * q[:, None, :]).reshape(len(q), -1), q * taken.out(data.y)[:, None]]
    )
    sums = sums_by(numbered(data.blocks), products)
    first = np.array(firsts, dtype=float) @ sums
    found = []
    carried = np.ones(len(firsts), dtype=bool)
    for side in (first, sums.sum(axis=0) - first):
        moments = side[:, : k * k].reshape(-1, k, k)
        roots = np.linalg.eigvalsh(moments)
        carried &= roots[:, 0] > 1e-12 * roots[:, -1]
        found.append((moments, side[:, k * k :, None]))
    b = [np.linalg.solve(moments[carried], right[carried])[:, :, 0] for moments, right in found]
    back = linalg.solve_triangular(r, (b[0] - b[1]).T).T
    return back[:, -len(terms) :], int((~carried).sum())


def _with_difference(
    by_term: pd.DataFrame, fits: list[_GroupFit], draws: np.ndarray
) -> pd.DataFrame:
    """The table with the difference of slopes in front and, after shuffles, their p behind."""
    k = len(by_term)
    observed = fits[0].coefficients[-k:] - fits[1].coefficients[-k:]
    table = pd.concat(
        [pd.Series(observed, index=by_term.index, name="difference"), by_term], axis=1
    )
    return table.assign(**_permutation_p(observed, draws)) if len(draws) else table


def _permutation_p(observed: np.ndarray, draws: np.ndarray) -> dict[str, np.ndarray]:
    slack = 1e-12 * np.abs(observed)
    two_sided = (1 + (np.abs(draws) >= np.abs(observed) - slack).sum(axis=0)) / (1 + len(draws))
    return {"p_permutation": two_sided, "share_above": (draws > observed).mean(axis=0)}
