"""Propensity-score matching: the average effect on the treated, and weights for regressions on matched rows.

The score is a logit or probit of treatment on the covariates (or a column of the frame). Methods, as Stata's psmatch2 defines them:

    neighbours   the k nearest controls, equally weighted, inside an optional caliper
    radius       all controls inside the caliper, equally weighted
    kernel       all controls, weighted by a kernel of distance / bandwidth

Ties: "average" (default) takes every control as near as the k-th (psmatch2's option `ties`, and Abadie-Imbens); "first" takes exactly
k, in the order of `keys` (psmatch2 without the option takes them in the order in which the data happen to lie). Rows with the same
covariates have exactly the same score, so ties do not depend on rounding.

Support: "none"; "common" drops treated rows whose score is above the largest or below the smallest of the controls (psmatch2's
`common`); "overlap" drops rows of both groups outside the range that both cover; "trim" keeps scores in [trim, 1 - trim] (Crump et
al. 2009). Treated rows without any control near enough are off support as well.

Weights: 1 for treated rows on support; for a control the sum of its shares over all treated rows that it serves.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, rows, usable_rows
from analysis.estimators.core.options import AttError, Link
from analysis.estimators.core.result import Result
from analysis.estimators.limited.binary import BinaryChoiceResult, binary_choice
from analysis.estimators.matching.balance import balance_summary, balance_table
from analysis.estimators.matching.options import MatchOptions
from analysis.estimators.matching.weights import kernel_weights, nearest, nearest_once


@dataclass(frozen=True, eq=False)
class Matching:
    """Matched rows; series are by index label of the frame given, in its order, for the complete rows.

    Attributes
    ----------
    treated : is the row treated
    score : what was matched on (probability, index, or the column given)
    support : is the row on support
    weights : see the module's text; zero for rows that are not used
    rows : positions of the complete rows in the frame given
    pairs : (treated, controls) shares, each row summing to one or zero; `treated_positions` and `control_positions` (into the series)
        say which rows they are
    balance : by covariate, before and after: means, standardised bias in per cent, t, p, variance ratio
    summary : before and after: pseudo R-squared and LR test of the score model, mean and median absolute bias, Rubin's B and R
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
    dropped: dict[str, int]

    def counts(self) -> dict[str, int]:
        """Rows by role."""
        used = self.weights > 0
        return {
            "treated": int(self.treated.sum()),
            "treated_matched": int((used & self.treated).sum()),
            "controls": int((~self.treated).sum()),
            "controls_matched": int((used & ~self.treated).sum()),
        }

    def note(self) -> str:
        """One sentence: how many were matched, and how."""
        count = self.counts()
        left_out = "; ".join(f"{rows(n)} ({reason})" for reason, n in self.dropped.items()) or "no rows"
        return (
            f"{count['treated_matched']:,} of {count['treated']:,} treated rows matched with {count['controls_matched']:,} of {count['controls']:,} "
            f"controls ({self.options.describe()}); left out: {left_out}."
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


def match(
    frame: pd.DataFrame,
    treatment: str,
    covariates: Sequence[str] = (),
    *,
    score: str | None = None,
    link: Link = "logit",
    keys: Sequence[str] | None = None,
    options: MatchOptions | None = None,
    _sort_also: Sequence[str] = (),
    **changes: Any,
) -> Matching:
    """Match treated rows with controls.

    Parameters
    ----------
    frame : any order of rows; nothing in it is modified
    treatment : column of zeros and ones
    covariates : numeric columns, or text and categories (as dummies); of the score model and of the balance table
    score : a column to match on instead of the model's
    keys : columns that identify a row: duplicates are refused, and their order decides ties where ties="first"
    options, changes : a `MatchOptions`, or its fields by name

    Raises
    ------
    ValueError : unknown columns, no treated rows or no controls, no treated row with a match; what `binary_choice` refuses
    TieError : a tie that matters, ties="first", and no keys
    """
    chosen = _options(options, changes)
    if not covariates and score is None:
        raise ValueError("give covariates for the score, or score, a column of the frame.")
    if keys:
        check_columns(frame, list(keys))
        refuse_duplicates(frame[list(keys)], keys)
    keep, dropped, values, model = _scores(frame, treatment, list(covariates), score, link, chosen)
    treated = numbers(frame, [treatment])[treatment].to_numpy()[keep] == 1
    if treated.all() or not treated.any():
        raise ValueError(f"column {treatment!r} is the same in every complete row: there is nobody to compare.")
    # Work in an order that the rows themselves decide, so that sums cannot depend on how the frame is sorted.
    key = _key(frame[keep], keys)
    order = _own_order(frame[keep], treated, values, key, [*covariates, *_sort_also])
    inside, treated, values = frame[keep].iloc[order], treated[order], values[order]
    one, zero, pairs, supported, weights = _matched(values, treated, None if key is None else key[order], chosen)
    balance = balance_table(inside, covariates, treated, weights)
    series = {"treated": treated, "score": values, "support": supported, "weights": weights}
    back = np.argsort(order)
    return Matching(
        treatment=treatment,
        **{name: pd.Series(column[back], index=frame.index[keep], name=name) for name, column in series.items()},
        rows=np.flatnonzero(keep),
        pairs=pairs,
        treated_positions=order[one],
        control_positions=order[zero],
        balance=balance,
        summary=balance_summary(inside, treatment, covariates, treated, weights, balance, link),
        model=model,
        options=chosen,
        dropped=dropped,
    )


def matching_att(
    frame: pd.DataFrame,
    treatment: str,
    outcome: str,
    covariates: Sequence[str] = (),
    *,
    score: str | None = None,
    link: Link = "logit",
    keys: Sequence[str] | None = None,
    standard_error: AttError = "psmatch2",
    variance_neighbours: int = 1,
    options: MatchOptions | None = None,
    **changes: Any,
) -> MatchingResult:
    """The average effect on the treated: their mean outcome less the weighted mean of their controls.

    standard_error : "psmatch2" (Lechner 2001): var(treated)/N1 + var(matched controls) * sum(weights^2)/N1^2, which takes the weights
        and the score as given; "abadie_imbens": their 2006 estimator for the population (equation 14) for nearest neighbours with
        replacement, with the conditional variance from `variance_neighbours` rows of the same group. Neither accounts for the
        score being estimated.
    Other parameters and errors: as `match`. Rows without outcome are dropped and counted.
    """
    started = clock.perf_counter()
    check_columns(frame, [outcome])
    measured = numbers(frame, [outcome])
    keep, missing = usable_rows(frame[[]], measured)
    matching = match(frame[keep], treatment, covariates, score=score, link=link, keys=keys, options=options, _sort_also=[outcome], **changes)
    y = measured[outcome].to_numpy()[keep][matching.rows]
    matched = np.diff(matching.pairs.indptr) > 0
    one = matching.treated_positions[matched]
    counterfactual = (matching.pairs @ y[matching.control_positions])[matched]
    treated_mean, control_mean = float(y[one].mean()), float(counterfactual.mean())
    att = treated_mean - control_mean
    error = _standard_error(matching, y, y[one] - counterfactual - att, standard_error, variance_neighbours)
    all_treated = matching.treated.to_numpy()
    return MatchingResult(
        method=f"effect of {treatment} on the treated by matching ({matching.options.describe()})",
        outcome=outcome,
        coefficients=pd.Series([att], index=["ATT"], name="coefficient"),
        covariance=pd.DataFrame([[error**2]], index=["ATT"], columns=["ATT"]),
        convention=_CONVENTIONS[standard_error],
        df_t=None,
        n=int((matching.weights > 0).sum()),
        groups=matching.counts(),
        dropped={**missing, **matching.dropped},
        sample=matching.weights.index,
        seconds=clock.perf_counter() - started,
        matching=matching,
        unmatched_difference=float(y[all_treated].mean() - y[~all_treated].mean()),
        treated_mean=treated_mean,
        control_mean=control_mean,
    )


_CONVENTIONS = {
    "psmatch2": "with weights and score as given (var(treated)/N1 + var(controls)·sum(w²)/N1²), normal",
    "abadie_imbens": "Abadie-Imbens (2006, equation 14) with the score as given, normal",
}


def _options(options: MatchOptions | None, changes: dict[str, Any]) -> MatchOptions:
    if options is not None and changes:
        raise ValueError("give options or single fields, not both.")
    unknown = set(changes) - set(MatchOptions.__dataclass_fields__)
    if unknown:
        raise ValueError(f"unknown option {', '.join(sorted(unknown))}. Known: {', '.join(MatchOptions.__dataclass_fields__)}.")
    return options if options is not None else MatchOptions(**changes)


def _scores(
    frame: pd.DataFrame, treatment: str, covariates: list[str], score: str | None, link: Link, options: MatchOptions
) -> tuple[np.ndarray, dict[str, int], np.ndarray, BinaryChoiceResult | None]:
    """Complete rows, what was dropped, the score of the complete rows, and the model."""
    check_columns(frame, [treatment, *covariates, *([score] if score else [])])
    values = numbers(frame, [treatment, *([score] if score else [])])
    labels = [name for name in covariates if _is_text(frame[name])]
    measured = numbers(frame, [name for name in covariates if name not in labels])
    keep, dropped = usable_rows(frame[labels], pd.concat([values, measured], axis=1))
    if score is not None:
        column = values[score].to_numpy()[keep]
        if not np.isin(values[treatment].to_numpy()[keep], (0.0, 1.0)).all():
            raise ValueError(f"column {treatment!r} holds values other than 0 and 1.")
        return keep, dropped, column, None
    model = binary_choice(frame[keep], treatment, covariates, link)
    return keep, dropped, (model.index if options.on_index else model.probability).to_numpy(), model


def _supported(score: np.ndarray, treated: np.ndarray, options: MatchOptions) -> np.ndarray:
    low, high = score[~treated].min(), score[~treated].max()
    if options.support == "common":
        return np.asarray(~treated | ((score >= low) & (score <= high)))
    if options.support == "overlap":
        return np.asarray((score >= max(low, score[treated].min())) & (score <= min(high, score[treated].max())))
    if options.support == "trim":
        return np.asarray((score >= options.trim) & (score <= 1 - options.trim))
    return np.ones(len(score), dtype=bool)


def _key(frame: pd.DataFrame, keys: Sequence[str] | None) -> np.ndarray | None:
    """(n,) rank of each row in the order of its keys."""
    if not keys:
        return None
    codes = [pd.factorize(frame[name].astype(frame[name].cat.categories.dtype) if hasattr(frame[name], "cat") else frame[name], sort=True)[0] for name in keys]
    rank = np.empty(len(frame), dtype=int)
    rank[np.lexsort(codes[::-1])] = np.arange(len(frame))
    return rank


def _matched(
    score: np.ndarray, treated: np.ndarray, key: np.ndarray | None, options: MatchOptions
) -> tuple[np.ndarray, np.ndarray, sparse.csr_array, np.ndarray, np.ndarray]:
    """Positions of treated rows and controls, their pairs, support (n,) and weights (n,)."""
    supported = _supported(score, treated, options)
    one, zero = np.flatnonzero(treated & supported), np.flatnonzero(~treated & supported)
    if not len(one) or not len(zero):
        raise ValueError(f"support={options.support!r} leaves {len(one)} treated rows and {len(zero)} controls.")
    pairs = _pairs(score, one, zero, key, options)
    matched = np.diff(pairs.indptr) > 0
    if not matched.any():
        raise ValueError("no treated row has a control near enough. Widen the caliper or the bandwidth.")
    supported[one[~matched]] = False
    weights = np.zeros(len(score))
    weights[one[matched]] = 1.0
    weights[zero] = np.asarray(pairs.sum(axis=0)).ravel()
    return one, zero, pairs, supported, weights


def _own_order(frame: pd.DataFrame, treated: np.ndarray, score: np.ndarray, key: np.ndarray | None, names: Sequence[str]) -> np.ndarray:
    """Positions sorted by treatment, score, key and values."""
    columns = [np.unique(frame[name].astype(str), return_inverse=True)[1] if _is_text(frame[name]) else numbers(frame, [name])[name] for name in names]
    return np.lexsort([*(np.asarray(column) for column in columns), *([] if key is None else [key]), score, treated])


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _pairs(score: np.ndarray, one: np.ndarray, zero: np.ndarray, key: np.ndarray | None, options: MatchOptions) -> sparse.csr_array:
    treated, controls = score[one], score[zero]
    caliper = options.caliper
    if caliper is not None and options.caliper_in_sd:
        caliper *= float(score.std(ddof=1))
    if options.method == "kernel":
        return kernel_weights(treated, controls, options.kernel, options.bandwidth)
    if options.method == "radius":
        return kernel_weights(treated, controls, "uniform", float(caliper or 0.0))
    if options.replacement:
        return nearest(treated, controls, options.neighbours, caliper, options.ties, None if key is None else key[zero])
    return nearest_once(treated, controls, options.neighbours, caliper, options.descending, None if key is None else (key[one], key[zero]))


def _standard_error(matching: Matching, y: np.ndarray, gap: np.ndarray, kind: AttError, variance_neighbours: int) -> float:
    weights = matching.weights.to_numpy()
    one, zero = matching.treated_positions, matching.control_positions
    n1 = len(gap)
    if kind == "psmatch2":
        own, served = y[one[weights[one] > 0]], zero[weights[zero] > 0]
        if min(len(own), len(served)) < 2:
            return float("nan")
        return float(np.sqrt(own.var(ddof=1) / n1 + y[served].var(ddof=1) * (weights[served] ** 2).sum() / n1**2))
    if kind != "abadie_imbens":
        raise ValueError(f"standard_error = {kind!r}: it is 'psmatch2' or 'abadie_imbens'.")
    if matching.options.method != "neighbours" or not matching.options.replacement:
        raise ValueError("Abadie-Imbens errors are for nearest neighbours with replacement.")
    score = matching.score.to_numpy()[zero]
    near = nearest(score, score, variance_neighbours, None, "average", None, skip=np.arange(len(zero)))
    m = np.diff(near.indptr)
    variance = np.where(m > 0, m / (m + 1.0) * (y[zero] - near @ y[zero]) ** 2, 0.0)
    total = np.asarray(matching.pairs.sum(axis=0)).ravel()
    squares = np.asarray(matching.pairs.multiply(matching.pairs).sum(axis=0)).ravel()
    return float(np.sqrt((gap**2).sum() + ((total**2 - squares) * variance).sum()) / n1)
