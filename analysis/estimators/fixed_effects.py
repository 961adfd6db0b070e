"""Linear regression with one or two fixed effects.

The coefficients come from linearmodels' PanelOLS. Its small-sample factors are replaced by those of Stata's areg and reghdfe,
so that a published table can be compared digit by digit:

    clustered    G/(G-1) * (N-1)/(N-K), t with G-1 degrees of freedom
    robust       N/(N-K),               t with N-K degrees of freedom
    homoskedastic   s2 = RSS/(N-K),     t with N-K degrees of freedom

N rows, G clusters. K counts the regressors, the constant and the levels of each effect; an effect whose levels each lie inside one
cluster is not counted (it costs nothing that the clusters do not already pay). Levels seen once (singletons) stay in the sample, as
areg keeps them.

The constant is only defined by a convention, and programs differ; both conventions are offered:

    grand_mean     effects average zero over the sample: mean outcome less mean regressors times coefficients (areg, reghdfe)
    first_period   the second effect is zero in its first level: what a regression with its dummies prints (xtreg, fe with i.year)

So do the R-squared: `r2` and `r2_adjusted` count the effects as regressors (areg, reghdfe); `r2_within` is what the regressors explain
once all effects are taken out; `r2_first_within` is what they and the second effect explain once the first is taken out (xtreg, fe
with i.year), and `r2_first_within_adjusted` is 1 - (1 - r2_first_within) * (N-1)/(N-K) with the K above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from linearmodels.panel import PanelOLS
from linearmodels.panel.data import PanelData
from scipy import linalg, sparse, stats

from analysis.estimators.samples import check_columns, numbers, refuse_duplicates, rows, usable_rows

ConstantForm = Literal["grand_mean", "first_period"]
CONSTANT = "constant"
# A regressor counts as absorbed, or as a combination of others, when less than this share of its variation is left.
NOTHING_LEFT = 1e-8


@dataclass(frozen=True, eq=False)
class FixedEffectsResult:
    """One estimated column of a table.

    Attributes
    ----------
    coefficients, standard_errors, t_statistics, p_values : (k+1,) by term, the constant last
    covariance : (k+1, k+1) of the coefficients, in the stated convention
    n : rows used
    groups : levels of each effect
    n_clusters : clusters, None without clustering
    df_t : degrees of freedom of the t distribution
    singletons : rows that are alone in a level of an effect; they stay in
    dropped : reason -> rows left out
    sample : index labels of the rows used, in the order of the frame given
    convention : one phrase that says how the standard errors were computed
    """

    outcome: str
    regressors: tuple[str, ...]
    effects: tuple[str, ...]
    coefficients: pd.Series
    standard_errors: pd.Series
    t_statistics: pd.Series
    p_values: pd.Series
    covariance: pd.DataFrame
    n: int
    groups: dict[str, int]
    n_clusters: int | None
    df_t: int
    r2: float
    r2_adjusted: float
    r2_within: float
    r2_first_within: float
    r2_first_within_adjusted: float
    singletons: int
    dropped: dict[str, int]
    sample: pd.Index
    constant_form: ConstantForm
    convention: str

    def to_frame(self) -> pd.DataFrame:
        """Terms in rows; coefficient, standard_error, t and p in columns."""
        columns = {"coefficient": self.coefficients, "standard_error": self.standard_errors, "t": self.t_statistics, "p": self.p_values}
        return pd.DataFrame(columns).rename_axis("term")

    def note(self) -> str:
        """One sentence: what was estimated, on which rows, with which standard errors, and what was left out."""
        levels = ", ".join(f"{count:,} {name}" for name, count in self.groups.items())
        left_out = "; ".join(f"{rows(count)} ({reason})" for reason, count in self.dropped.items()) or "no rows"
        alone = f"; kept although alone in a level of an effect: {rows(self.singletons)}" if self.singletons else ""
        return (
            f"{self.outcome} on {', '.join(self.regressors)} with {' and '.join(self.effects)} effects, {rows(self.n)} ({levels}); "
            f"standard errors {self.convention}; left out: {left_out}{alone}."
        )


@dataclass(frozen=True)
class _Sample:
    """Complete rows, sorted by their effects, so that the order of the input cannot move a digit."""

    y: pd.DataFrame  # (n, 1)
    x: pd.DataFrame  # (n, k)
    codes: np.ndarray  # (n, effects) level numbers
    clusters: np.ndarray | None  # (n,)
    dropped: dict[str, int]
    labels: pd.Index


def fixed_effects(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    effects: Sequence[str] = ("city_code", "year"),
    cluster: str | None = None,
    *,
    robust: bool = False,
    keys: Sequence[str] | None = None,
    constant: ConstantForm = "grand_mean",
) -> FixedEffectsResult:
    """Regress the outcome on the regressors and one or two sets of effects.

    Parameters
    ----------
    frame : one row a key, in any order; other columns are ignored and nothing in it is modified
    outcome, regressors : numeric columns, in the units that the coefficients are wanted in
    effects : one or two columns; two effects are also the panel's keys
    cluster : column whose groups may be correlated inside; None for no clustering
    robust : heteroskedasticity-robust errors where there is no cluster
    keys : columns that identify a row; default the two effects, none for a single effect
    constant : see the module's text

    Raises
    ------
    ValueError : an unknown or non-numeric column, two rows with one key, too few rows, a regressor that does not vary
        once the effects are taken out, or regressors that are combinations of each other; the message names them.
    """
    _check_call(outcome, regressors, effects, cluster, robust, constant)
    sample = _sample(frame, outcome, tuple(regressors), tuple(effects), cluster, tuple(keys) if keys is not None else None)
    all_levels = _effect_rank(sample.codes)
    if len(sample.y) <= len(regressors) + all_levels:
        left_out = ", ".join(f"{reason}: {count}" for reason, count in sample.dropped.items()) or "none"
        raise ValueError(f"{len(sample.y)} complete rows cannot carry {len(regressors)} regressors and {all_levels} effects (rows left out: {left_out}).")
    _check_rank(sample, tuple(effects))

    fitted, terms = _fit(sample, tuple(effects), robust, constant)
    factor, df_t, n_clusters, counted = _small_sample(sample, len(regressors), robust)
    coefficients = pd.Series(fitted.params.loc[terms].to_numpy(), index=terms, name="coefficient")
    covariance = pd.DataFrame(fitted.cov.loc[terms, terms].to_numpy() * factor, index=terms, columns=terms)
    errors = pd.Series(np.sqrt(np.diag(covariance)), index=terms, name="standard_error")
    t = pd.Series(coefficients.to_numpy() / errors.to_numpy(), index=terms, name="t")
    return FixedEffectsResult(
        outcome=outcome,
        regressors=tuple(regressors),
        effects=tuple(effects),
        coefficients=coefficients,
        standard_errors=errors,
        t_statistics=t,
        p_values=pd.Series(2 * stats.t.sf(np.abs(t), df_t), index=terms, name="p"),
        covariance=covariance,
        n=len(sample.y),
        groups={name: len(np.unique(sample.codes[:, i])) for i, name in enumerate(effects)},
        n_clusters=n_clusters,
        df_t=df_t,
        **_r_squared(sample, float(fitted.resid_ss), len(regressors) + all_levels, counted),
        singletons=_singletons(sample.codes),
        dropped=sample.dropped,
        sample=sample.labels,
        constant_form=constant,
        convention=_convention(cluster, robust, n_clusters, df_t),
    )


def _check_call(outcome: str, regressors: Sequence[str], effects: Sequence[str], cluster: str | None, robust: bool, constant: str) -> None:
    if isinstance(regressors, str) or isinstance(effects, str):
        raise ValueError("regressors and effects are lists of column names, such as ['zone_did'].")
    if not regressors or len(set(regressors)) < len(regressors) or outcome in regressors:
        raise ValueError(f"regressors must be different columns, at least one, and not the outcome {outcome!r}; given: {list(regressors)}.")
    if CONSTANT in regressors:
        raise ValueError(f"a regressor cannot be called {CONSTANT!r}: the result has a term of that name. Rename the column.")
    if len(effects) not in (1, 2) or len(set(effects)) < len(effects):
        raise ValueError(f"one or two different effects can be taken out; given: {list(effects)}.")
    if constant not in ("grand_mean", "first_period") or (constant == "first_period" and len(effects) < 2):
        raise ValueError(f"constant = {constant!r}: it is 'grand_mean', or 'first_period' where there are two effects.")
    if cluster is not None and robust:
        raise ValueError("clustered errors are robust already: give cluster or robust, not both.")


def _sample(
    frame: pd.DataFrame, outcome: str, regressors: tuple[str, ...], effects: tuple[str, ...], cluster: str | None, keys: tuple[str, ...] | None
) -> _Sample:
    if keys is None:
        keys = effects if len(effects) == 2 else ()
    names = list(dict.fromkeys([*effects, *([cluster] if cluster else []), *keys]))
    check_columns(frame, [outcome, *regressors, *names])
    labels = frame[names]
    for needed in (keys, effects if len(effects) == 2 else ()):
        if needed:
            refuse_duplicates(labels[labels[list(needed)].notna().all(axis=1)], needed)

    values = numbers(frame, [outcome, *regressors])
    keep, dropped = usable_rows(labels, values)
    if not keep.any():
        left_out = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
        raise ValueError(f"no row of {len(frame):,} is complete (left out: {left_out or 'the frame is empty'}).")
    labels, values = labels[keep], values[keep]
    codes = np.column_stack([pd.factorize(labels[name], sort=True)[0] for name in effects])
    groups = pd.factorize(labels[cluster], sort=True)[0] if cluster else None
    # Rows that share a level of a single effect are told apart by their values: any fixed order will do.
    order = np.lexsort([*values.to_numpy().T[::-1], *codes.T[::-1]])
    values, codes = values.iloc[order].reset_index(drop=True), codes[order]
    return _Sample(values[[outcome]], values[list(regressors)], codes, None if groups is None else groups[order], dropped, frame.index[keep])


def _indexed(sample: _Sample, columns: pd.DataFrame) -> pd.DataFrame:
    """Columns under the two-level index that linearmodels wants; a single effect gets a running number inside."""
    first = sample.codes[:, 0]
    second = sample.codes[:, 1] if sample.codes.shape[1] == 2 else pd.Series(first).groupby(first).cumcount().to_numpy()
    return columns.set_axis(pd.MultiIndex.from_arrays([first, second], names=["entity", "time"]))


def _within(sample: _Sample, columns: pd.DataFrame, first_only: bool = False) -> np.ndarray:
    """Columns (n, m) with the effects, or the first alone, taken out."""
    both = sample.codes.shape[1] == 2 and not first_only
    return np.asarray(PanelData(_indexed(sample, columns)).demean("both" if both else "entity").values2d)


def _check_rank(sample: _Sample, effects: tuple[str, ...]) -> None:
    columns = pd.concat([sample.x, sample.y], axis=1)
    within = _within(sample, columns)
    left = np.linalg.norm(within, axis=0)
    size = np.linalg.norm(columns.to_numpy(), axis=0)
    absorbed = [str(name) for name, a, b in zip(columns.columns, left, size, strict=True) if a <= NOTHING_LEFT * b]
    taken_out = " and ".join(effects)
    if absorbed:
        raise ValueError(f"{', '.join(absorbed)} does not vary once the {taken_out} effects are taken out. Leave it out, or take out fewer effects.")
    names = list(sample.x.columns)
    _, r, pivots = linalg.qr(within[:, :-1] / left[:-1], mode="economic", pivoting=True)
    dependent = [names[pivots[i]] for i, size_left in enumerate(np.abs(np.diag(r))) if size_left <= NOTHING_LEFT]
    if dependent:
        others = [name for name in names if name not in dependent]
        raise ValueError(f"{', '.join(dependent)} is a combination of {', '.join(others)} once the {taken_out} effects are taken out. Leave one of them out.")


def _fit(sample: _Sample, effects: tuple[str, ...], robust: bool, constant: ConstantForm) -> tuple[Any, list[str]]:
    """The fit without any small-sample factor, and the terms to report: the regressors, then the constant."""
    x = sample.x.assign(**{CONSTANT: 1.0})
    terms = [*sample.x.columns, CONSTANT]
    if constant == "first_period":
        levels = np.unique(sample.codes[:, 1])[1:]
        dummies = {f"{effects[1]}={level}": (sample.codes[:, 1] == level).astype(float) for level in levels}
        x = pd.concat([x, pd.DataFrame(dummies)], axis=1)
    by_time = len(effects) == 2 and constant == "grand_mean"
    model = PanelOLS(_indexed(sample, sample.y), _indexed(sample, x), entity_effects=True, time_effects=by_time)
    options: dict[str, Any] = {"debiased": False, "auto_df": False, "count_effects": False}
    if sample.clusters is not None:
        clusters = _indexed(sample, pd.DataFrame({"cluster": sample.clusters}))
        options |= {"cov_type": "clustered", "clusters": clusters, "group_debias": False}
    else:
        options |= {"cov_type": "robust" if robust else "unadjusted"}
    return model.fit(**options), terms


def _small_sample(sample: _Sample, k: int, robust: bool) -> tuple[float, int, int | None, int]:
    """The variance factor, the degrees of freedom of t, the number of clusters, and K."""
    n = len(sample.y)
    if sample.clusters is None:
        counted = k + _effect_rank(sample.codes)
        return n / (n - counted), n - counted, None, counted
    free = [i for i in range(sample.codes.shape[1]) if not _nested(sample.codes[:, i], sample.clusters)]
    counted = k + (_effect_rank(sample.codes[:, free]) if free else 1)
    g = len(np.unique(sample.clusters))
    if g < 2:
        raise ValueError("the sample has one cluster only: clustered standard errors need at least two.")
    return g / (g - 1) * (n - 1) / (n - counted), g - 1, g, counted


def _effect_rank(codes: np.ndarray) -> int:
    """Independent dummies of the effects, the constant among them; two effects share one for each connected part of the panel."""
    levels = [len(np.unique(column)) for column in codes.T]
    if len(levels) == 1:
        return levels[0]
    first, second = (np.unique(column, return_inverse=True)[1] for column in codes.T)
    links = sparse.coo_matrix((np.ones(len(codes)), (first, levels[0] + second)), shape=(sum(levels), sum(levels)))
    return sum(levels) - int(sparse.csgraph.connected_components(links, directed=False)[0])


def _nested(codes: np.ndarray, clusters: np.ndarray) -> bool:
    return bool(pd.Series(clusters).groupby(codes).nunique().max() == 1)


def _singletons(codes: np.ndarray) -> int:
    alone = [np.bincount(column)[column] == 1 for column in codes.T]
    return int(np.logical_or.reduce(alone).sum())


def _r_squared(sample: _Sample, rss: float, all_counted: int, counted: int) -> dict[str, float]:
    """The R-squared of the module's text; rss is the same in all of them, what it is compared with differs."""
    n = len(sample.y)
    y = sample.y.to_numpy()
    share = 1 - rss / float(((y - y.mean()) ** 2).sum())
    first_within = 1 - rss / float((_within(sample, sample.y, first_only=True) ** 2).sum())
    return {
        "r2": share,
        "r2_adjusted": 1 - (1 - share) * (n - 1) / (n - all_counted),
        "r2_within": 1 - rss / float((_within(sample, sample.y) ** 2).sum()),
        "r2_first_within": first_within,
        "r2_first_within_adjusted": 1 - (1 - first_within) * (n - 1) / (n - counted),
    }


def _convention(cluster: str | None, robust: bool, n_clusters: int | None, df_t: int) -> str:
    if cluster is not None:
        return f"clustered by {cluster} ({n_clusters:,} clusters, factor G/(G-1)·(N-1)/(N-K), t with {df_t:,} degrees of freedom)"
    kind = "robust to heteroskedasticity (factor N/(N-K)" if robust else "homoskedastic (RSS/(N-K)"
    return f"{kind}, t with {df_t:,} degrees of freedom)"
