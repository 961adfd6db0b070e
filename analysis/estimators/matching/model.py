"""Propensity-score matching: the effect on the treated, and weights for regressions.

The score is a logit or probit of treatment on the covariates (or a column of the frame). Methods,
as Stata's psmatch2 defines them:

    neighbours   the k nearest controls, equally weighted, inside an optional caliper
    radius       all controls inside the caliper, equally weighted
    kernel       all controls, weighted by a kernel of distance / bandwidth

Ties: "average" (default) takes every control as near as the k-th (psmatch2's option `ties`, and
Abadie-Imbens); "first" takes exactly k, in the order of `keys` (psmatch2 without the option takes
them in the order in which the data happen to lie). Rows with the same covariates have exactly the
same score, so ties do not depend on rounding.

Support: "none"; "common" drops treated rows whose score is above the largest or below the smallest
of the controls (psmatch2's `common`); "overlap" drops rows of both groups outside the range that
both cover; "trim" keeps scores in [trim, 1 - trim] (Crump et al. 2009). Treated rows without any
control near enough are off support as well.

Weights: 1 for treated rows on support; for a control the sum of its shares over all treated rows
that it serves.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import (
    check_columns,
    is_text,
    numbers,
    refuse_duplicates,
    rows,
    usable_rows,
)
from analysis.estimators.core.options import AttError, Link, Where, checked, columns_of, row_mask
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sample import OUTSIDE
from analysis.estimators.limited.binary import BinaryChoiceResult, binary_choice
from analysis.estimators.matching.balance import balance_summary, balance_table
from analysis.estimators.matching.errors import CONVENTIONS
from analysis.estimators.matching.errors import standard_error as att_error
from analysis.estimators.matching.options import MatchOptions, match_options
from analysis.estimators.matching.pairs import key_ranks, matched_pairs, own_order
from analysis.estimators.matching.result import Matching, MatchingResult


def match(
    frame: pd.DataFrame,
    treatment: str,
    covariates: Sequence[str] = (),
    *,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    score: str | None = None,
    link: Link = "logit",
    options: MatchOptions | Mapping[str, Any] | None = None,
) -> Matching:
    """Match treated rows with controls.

    Parameters
    ----------
    frame : any order of rows; nothing in it is modified
    treatment : column of zeros and ones
    covariates : numeric columns, or text and categories (as dummies); of the score model and of the
        balance table
    keys : columns that identify a row: duplicates are refused, and their order decides ties where
        ties="first"
    where : rows to match, a column or a mask; the score model sees no others
    score : a column to match on instead of the model's
    options : a `MatchOptions`, or its fields by name

    Raises
    ------
    ValueError : unknown columns, no treated rows or no controls, no treated row with a match; what
        `binary_choice` refuses
    TieError : a tie that matters, ties="first", and no keys
    """
    call = _Call(treatment, columns_of("covariates", covariates, empty=True), score, link, keys)
    mask = row_mask(frame, where)
    inside = np.arange(len(frame)) if mask is None else np.flatnonzero(mask)
    matching = _match(frame.iloc[inside], call, match_options(options))
    outside = {OUTSIDE: len(frame) - len(inside)} if len(inside) < len(frame) else {}
    dropped = outside | dict(matching.dropped)
    return replace(matching, rows=inside[matching.rows], dropped=dropped)


def matching_att(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    covariates: Sequence[str] = (),
    *,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    score: str | None = None,
    link: Link = "logit",
    standard_error: AttError = "psmatch2",
    variance_neighbours: int = 1,
    options: MatchOptions | Mapping[str, Any] | None = None,
) -> MatchingResult:
    """The average effect on the treated: their mean outcome less that of their controls.

    standard_error : "psmatch2" (Lechner 2001): var(treated)/N1 + var(matched controls) *
        sum(weights^2)/N1^2, which takes the weights and the score as given; "abadie_imbens": their
        2006 estimator for the population (equation 14) for nearest neighbours with replacement,
        with the conditional variance from `variance_neighbours` rows of the same group. Neither
        accounts for the score being estimated, nor for rows of one unit that go together: where
        the first of several keys repeats, the result warns ("clusters_unused").
    Other parameters and errors: as `match`. Rows without outcome are dropped and counted.
    """
    started = clock.perf_counter()
    checked("standard_error", standard_error, AttError)
    listed = columns_of("covariates", covariates, outcome=outcome, empty=True)
    call = _Call(treatment, listed, score, link, keys, outcome)
    matching, y = _match_with_outcome(frame, call, where, match_options(options))
    effect = _effect(matching, y, standard_error, variance_neighbours)
    repeated = _repeated(frame.iloc[matching.rows], keys)
    return MatchingResult(
        method=f"effect of {treatment} on the treated by matching ({matching.options.describe()})",
        outcome=outcome,
        convention=CONVENTIONS[standard_error],
        df_t=None,
        n=int((matching.weights > 0).sum()),
        groups=matching.counts(),
        dropped=matching.dropped,
        sample=matching.weights.index,
        seconds=clock.perf_counter() - started,
        warnings=(*matching.warnings, *repeated),
        matching=matching,
        **effect,
    )


def _match_with_outcome(
    frame: pd.DataFrame, call: _Call, where: Where | None, options: MatchOptions
) -> tuple[Matching, np.ndarray]:
    """The matching of rows with an outcome, its positions those of the frame, and their outcome."""
    outcome = str(call.outcome)
    check_columns(frame, [outcome])
    mask = row_mask(frame, where)
    inside = np.arange(len(frame)) if mask is None else np.flatnonzero(mask)
    outside = {OUTSIDE: len(frame) - len(inside)} if len(inside) < len(frame) else {}
    measured = numbers(frame.iloc[inside], [outcome])
    keep, missing = usable_rows(measured[[]], measured)
    inside = inside[keep]
    matching = _match(frame.iloc[inside], call, options)
    y = measured[outcome].to_numpy()[keep][matching.rows]
    dropped = outside | missing | dict(matching.dropped)
    return replace(matching, rows=inside[matching.rows], dropped=dropped), y


def _effect(
    matching: Matching, y: np.ndarray, kind: AttError, variance_neighbours: int
) -> dict[str, Any]:
    """The effect with its variance, and the means behind it, as a result's fields."""
    matched = np.diff(matching.pairs.indptr) > 0
    one = matching.treated_positions[matched]
    counterfactual = (matching.pairs @ y[matching.control_positions])[matched]
    treated_mean, control_mean = float(y[one].mean()), float(counterfactual.mean())
    att = treated_mean - control_mean
    gap = y[one] - counterfactual - att
    error = att_error(matching, y, gap, kind, variance_neighbours)
    own = matching.treated.to_numpy()
    return {
        "coefficients": pd.Series([att], index=["ATT"], name="coefficient"),
        "covariance": pd.DataFrame([[error**2]], index=["ATT"], columns=["ATT"]),
        "unmatched_difference": float(y[own].mean() - y[~own].mean()),
        "treated_mean": treated_mean,
        "control_mean": control_mean,
    }


@dataclass(frozen=True)
class _Call:
    """What a call names in the frame; an outcome only decides the order of equal rows."""

    treatment: str
    covariates: list[str]
    score: str | None
    link: Link
    keys: Sequence[str] | None
    outcome: str | None = None


def _match(frame: pd.DataFrame, call: _Call, options: MatchOptions) -> Matching:
    if not call.covariates and call.score is None:
        raise ValueError("give covariates for the score, or score, a column of the frame.")
    if call.keys:
        check_columns(frame, list(call.keys))
        refuse_duplicates(frame[list(call.keys)], call.keys)
    keep, dropped, values, model = _scores(frame, call, options)
    complete = frame[keep]
    treated = _treated(complete, call.treatment)
    # Work in an order that the rows themselves decide, so that sums cannot depend on how the frame
    # is sorted.
    key = key_ranks(complete, call.keys)
    names = [*call.covariates, *([call.outcome] if call.outcome else [])]
    order = own_order(complete, treated, values, key, names)
    inside, treated, values = complete.iloc[order], treated[order], values[order]
    ranked = None if key is None else key[order]
    one, zero, pairs, supported, weights = matched_pairs(values, treated, ranked, options)
    balance = balance_table(inside, call.covariates, treated, weights)
    series = {"treated": treated, "score": values, "support": supported, "weights": weights}
    back, index = np.argsort(order), complete.index
    found = {name: pd.Series(v[back], index=index, name=name) for name, v in series.items()}
    summary = balance_summary(
        inside, call.treatment, call.covariates, treated, weights, balance, call.link
    )
    return Matching(
        treatment=call.treatment,
        **found,
        rows=np.flatnonzero(keep),
        pairs=pairs,
        treated_positions=order[one],
        control_positions=order[zero],
        balance=balance,
        summary=summary,
        model=model,
        options=options,
        dropped=dropped,
        warnings=_unmatched(treated, weights),
    )


def _treated(complete: pd.DataFrame, treatment: str) -> np.ndarray:
    """(n,) who is treated; somebody is, and somebody is not."""
    treated = numbers(complete, [treatment])[treatment].to_numpy() == 1
    if treated.all() or not treated.any():
        raise ValueError(
            f"column {treatment!r} is the same in every complete row: there is nobody to compare."
        )
    return np.asarray(treated)


def _unmatched(treated: np.ndarray, weights: np.ndarray) -> tuple[Caution, ...]:
    lost, every = int((treated & (weights == 0)).sum()), int(treated.sum())
    if not lost:
        return ()
    text = f"{lost:,} of {every:,} treated rows have no match: the effect is that on the others."
    return (Caution("unmatched", text, "Widen the caliper, or loosen the support."),)


def _repeated(frame: pd.DataFrame, keys: Sequence[str] | None) -> tuple[Caution, ...]:
    """Rows of one unit in several periods, which the standard errors take for independent."""
    if not keys or len(keys) < 2:
        return ()
    units = frame[keys[0]].nunique()
    if units == len(frame):
        return ()
    text = (
        f"{rows(len(frame))} of {units:,} {keys[0]}: the standard error takes rows of one for"
        " independent, and is then too small."
    )
    remedy = "Use psm_did, whose errors are clustered, or match in one period."
    return (Caution("clusters_unused", text, remedy),)


def _scores(
    frame: pd.DataFrame, call: _Call, options: MatchOptions
) -> tuple[np.ndarray, dict[str, int], np.ndarray, BinaryChoiceResult | None]:
    """Complete rows, what was dropped, the score of the complete rows, and the model."""
    treatment, covariates, score = call.treatment, call.covariates, call.score
    own = [treatment, *([score] if score else [])]
    check_columns(frame, [*own, *covariates])
    values = numbers(frame, own)
    labels = [name for name in covariates if is_text(frame[name])]
    measured = numbers(frame, [name for name in covariates if name not in labels])
    keep, dropped = usable_rows(frame[labels], pd.concat([values, measured], axis=1))
    if score is not None:
        if not np.isin(values[treatment].to_numpy()[keep], (0.0, 1.0)).all():
            raise ValueError(f"column {treatment!r} holds values other than 0 and 1.")
        return keep, dropped, values[score].to_numpy()[keep], None
    model = binary_choice(frame[keep], treatment, covariates, call.link)
    found = model.index if options.on_index else model.probability
    return keep, dropped, found.to_numpy(), model
