"""Logit and probit by Newton's method, run until the score is zero to rounding."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special, stats

from analysis.estimators.core.columns import (
    check_columns,
    is_text,
    no_row,
    numbers,
    refuse_duplicates,
    usable_rows,
)
from analysis.estimators.core.names import CONSTANT
from analysis.estimators.core.options import Link, Where, checked, columns_of
from analysis.estimators.core.result import Result, Test
from analysis.estimators.core.sample import rows_asked
from analysis.estimators.limited.binary_fit import BinaryFit, fit_binary


@dataclass(frozen=True, eq=False, kw_only=True)
class BinaryChoiceResult(Result):
    """A logit or probit.

    Attributes beyond `Result`
    ----------
    link : "logit" or "probit"
    probability, index : (n,) fitted probability, and what F is taken of, by index label of the
        frame given
    log_likelihood, log_likelihood_null : with all regressors; with the constant alone
    pseudo_r2 : 1 - log_likelihood / log_likelihood_null (McFadden)
    """

    link: Link
    probability: pd.Series
    index: pd.Series
    log_likelihood: float
    log_likelihood_null: float
    pseudo_r2: float

    def _fit(self) -> dict[str, Any]:
        return {"log_likelihood": self.log_likelihood, "pseudo_r2": self.pseudo_r2}


def binary_choice(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    link: Link = "logit",
    *,
    weights: str | None = None,
    keys: Sequence[str] = (),
    where: Where | None = None,
) -> BinaryChoiceResult:
    """P(outcome = 1) = F(constant + regressors' coefficients), F logistic or normal, by maximum
    likelihood.

    Parameters
    ----------
    frame : any order of rows; nothing in it is modified
    outcome : column of zeros and ones (or booleans)
    regressors : numeric columns; text and categorical columns become dummies, the first level (in
        sorted order) left out
    weights : column of frequency weights; rows of weight zero are left out
    keys : columns that identify a row; two rows with one key are refused
    where : rows to estimate on, a column or a mask

    Source: Greene, Econometric Analysis, ch. 17. Covariance: inverse of the expected information
    (what R's glm and Stata's logit print; for the probit Stata prints the observed information,
    which differs).

    Raises
    ------
    ValueError : unknown columns, an outcome that is not 0/1 or does not vary, regressors that are
        combinations of others
    SeparationError : rows predicted perfectly, by which regressors
    """
    started = time.perf_counter()
    checked("link", link, Link)
    columns_of("regressors", regressors, outcome=outcome)
    seen = _seen(frame, outcome, regressors, weights, keys, where)
    fit = _fit_in_own_order(seen, link)
    # Row by row, so that rows with the same regressors have exactly the same score wherever they
    # stand.
    index = (seen.design * fit.beta).sum(axis=1)
    share = (special.expit if link == "logit" else special.ndtr)(index)
    null, test = _against_constant(seen, fit)
    return BinaryChoiceResult(
        method=link,
        outcome=outcome,
        coefficients=pd.Series(fit.beta, index=seen.names, name="coefficient"),
        covariance=pd.DataFrame(fit.covariance, index=seen.names, columns=seen.names),
        convention="from the expected information, normal",
        df_t=None,
        n=len(index),
        groups={},
        dropped=seen.dropped,
        sample=seen.labels,
        tests={"likelihood_ratio": test},
        seconds=time.perf_counter() - started,
        link=link,
        probability=pd.Series(share, index=seen.labels, name="probability"),
        index=pd.Series(index, index=seen.labels, name="index"),
        log_likelihood=fit.log_likelihood,
        log_likelihood_null=null,
        pseudo_r2=1 - fit.log_likelihood / null,
    )


def _fit_in_own_order(seen: _Seen, link: Link) -> BinaryFit:
    """The fit on rows sorted by their content, so that the frame's order moves no digit."""
    y, x, w = seen.y, seen.design, seen.weights
    order = np.lexsort([w, y, *x.T[::-1]])
    return fit_binary(y[order], x[order], w[order], link, seen.names)


def _against_constant(seen: _Seen, fit: BinaryFit) -> tuple[float, Test]:
    """The log-likelihood of the constant alone, and the ratio test against it."""
    w = seen.weights
    share = float(w @ seen.y / w.sum())
    null = float(w.sum() * (share * np.log(share) + (1 - share) * np.log(1 - share)))
    ratio, k = 2 * (fit.log_likelihood - null), len(seen.names) - 1
    p = float(stats.chi2.sf(ratio, k))
    return null, Test("LR chi2", ratio, float(k), p, None, "no regressor matters")


def design_matrix(
    frame: pd.DataFrame, outcome: str, regressors: Sequence[str], weights: str | None = None
) -> tuple[np.ndarray, list[str], np.ndarray, dict[str, int]]:
    """The constant, the numeric regressors and the dummies of the others: (n, k), names, rows kept,
    rows dropped by reason.
    """
    if (
        isinstance(regressors, str)
        or not regressors
        or len(set(regressors)) < len(regressors)
        or outcome in regressors
    ):
        raise ValueError(
            "regressors is a list of different columns, at least one, and not the outcome"
            f" {outcome!r}; given: {regressors!r}."
        )
    labelled = [name for name in regressors if is_text(frame[name])]
    numeric = [name for name in regressors if name not in labelled]
    values = numbers(
        frame, list(dict.fromkeys([outcome, *numeric, *([weights] if weights else [])]))
    )
    keep, dropped = usable_rows(frame[labelled], values)
    if not keep.any():
        raise ValueError(no_row(len(frame), dropped))
    columns, names = [np.ones(int(keep.sum()))], [CONSTANT]
    for name in regressors:
        if name in numeric:
            columns.append(values[name].to_numpy()[keep])
            names.append(name)
            continue
        text = frame[name][keep].astype(str).to_numpy()
        for level in np.unique(text)[1:]:
            columns.append((text == level).astype(float))
            names.append(f"{name}={level}")
    return np.column_stack(columns), names, keep, dropped


class _Seen(NamedTuple):
    """The rows of a fit, in the order of the frame."""

    y: np.ndarray  # (n,)
    design: np.ndarray  # (n, k), the constant first
    weights: np.ndarray  # (n,), ones where there are none
    names: list[str]
    labels: pd.Index
    dropped: dict[str, int]


def _seen(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    weights: str | None,
    keys: Sequence[str],
    where: Where | None,
) -> _Seen:
    check_columns(frame, [outcome, *regressors, *([weights] if weights else []), *keys])
    frame, outside = rows_asked(frame, where)
    if keys:
        refuse_duplicates(frame[list(keys)], keys)
    weighted, unweighted = _without_zero_weight(frame, weights)
    design, names, keep, missing = design_matrix(weighted, outcome, regressors, weights)
    y = numbers(weighted, [outcome])[outcome].to_numpy()[keep]
    _check_outcome(y, outcome)
    w = numbers(weighted, [weights])[weights].to_numpy()[keep] if weights else np.ones(len(y))
    return _Seen(y, design, w, names, weighted.index[keep], outside | unweighted | missing)


def _without_zero_weight(
    frame: pd.DataFrame,
    name: str | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows whose weight is not zero, and how many others there are."""
    if name is None:
        return frame, {}
    given = numbers(frame, [name])[name].to_numpy()
    if (given < 0).any():
        raise ValueError(f"column {name!r}: weights are zero or positive.")
    zero = given == 0
    return (frame[~zero], {f"{name} zero": int(zero.sum())}) if zero.any() else (frame, {})


def _check_outcome(y: np.ndarray, outcome: str) -> None:
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError(
            f"column {outcome!r} holds values other than 0 and 1:"
            f" {np.unique(y[~np.isin(y, (0.0, 1.0))])[:3].tolist()}."
        )
    if len(np.unique(y)) < 2:
        raise ValueError(
            f"column {outcome!r} is {y[0]:g} in every complete row: there is nothing to explain."
        )
