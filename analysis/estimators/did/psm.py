"""PSM-DID: match units first, then estimate the difference in differences on the matched rows.

Who is matched, on the score of belonging to the treated group:

    pooled        all rows together, years mixed (one logit)
    yearly        year by year, each with its own logit; matched rows of all years are put together
    base_period   units in one period; their weights hold for all their rows

What the regression then uses:

    rows          rows with a weight, each counted once (Stata: `if _weight != .`)
    weights       the same rows, weighted
    support       rows on support, controls without a weight included (Stata: `if _support == 1`)

The regression and its standard errors are those of `fixed_effects`; that matching was estimated is not in them.
"""

from __future__ import annotations

import time as clock
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates, usable_rows
from analysis.estimators.core.options import EffectsSmall, Link, MatchHow, MatchUse
from analysis.estimators.core.result import Result
from analysis.estimators.did.sample import level_codes, period_text
from analysis.estimators.did.twoway import CONVENTION, regress, shared_fields
from analysis.estimators.linear.fixed_effects import FixedEffectsResult
from analysis.estimators.matching.model import Matching, MatchOptions, match


@dataclass(frozen=True, eq=False, kw_only=True)
class PsmDidResult(Result):
    """The regression on matched rows.

    Attributes beyond `Result`
    ----------
    treatment : the term that is the effect
    matchings : the matching, by "pooled", or by period
    weights : weight of each complete row, by index label of the frame given (zero where not matched)
    balance : balance tables one below the other, with the period in front
    regression : the regression behind it
    """

    treatment: str
    matchings: dict[str, Matching]
    weights: pd.Series
    balance: pd.DataFrame
    regression: FixedEffectsResult


def psm_did(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    unit: str,
    time: str,
    covariates: Sequence[str],
    *,
    controls: Sequence[str] | None = None,
    group: str | None = None,
    how: MatchHow = "pooled",
    base_period: float | None = None,
    use: MatchUse = "rows",
    link: Link = "logit",
    cluster: str | None = None,
    convention: EffectsSmall = CONVENTION,
    options: MatchOptions | None = None,
    **changes: Any,
) -> PsmDidResult:
    """Match, then regress the outcome on treatment and controls with unit and period effects.

    Parameters
    ----------
    frame : one row a unit and period, any order
    treatment : column of the regression, one while a unit is treated
    covariates : of the score; the regression has `controls` (None: the same)
    group : column that is one for rows to be matched as treated; None: units that are ever treated
    how, use : see the module's text; base_period for how="base_period"
    cluster : default the unit
    convention : of the standard errors, as in `fixed_effects`
    options, changes : a `MatchOptions`, or its fields by name. Ties are ordered by unit and period where ties="first".

    Raises
    ------
    ValueError : a period without treated or control rows or whose score cannot be estimated (named); what `match` and
        `fixed_effects` refuse.
    """
    started = clock.perf_counter()
    _check(how, use, base_period)
    regressors = list(covariates if controls is None else controls)
    complete, dropped = _complete_rows(frame, outcome, treatment, unit, time, list(covariates), regressors, group, cluster)
    member = _member(complete, treatment, unit, group)
    chosen = options if options is not None and not changes else MatchOptions(**changes) if options is None else None
    if chosen is None:
        raise ValueError("give options or single fields, not both.")
    found = _matchings(complete, member, unit, time, list(covariates), how, base_period, link, chosen)
    weights, support = _row_weights(complete, found, unit, how)
    matchings = {name: matching for name, (_, matching) in found.items()}
    used = (weights > 0) if use != "support" else support
    work = complete[used].assign(**{_WEIGHT: weights[used]})
    fit = regress(work, outcome, [treatment, *regressors], unit, time, cluster or unit, _WEIGHT if use == "weights" else None, convention)
    unmatched = int((~used).sum())
    return PsmDidResult(
        method=f"PSM-DID ({how.replace('_', ' ')} {link} matching, {chosen.describe()}; regression on {_USES[use]})",
        **shared_fields(fit, outcome, [treatment, *regressors], {**dropped, **({"not matched": unmatched} if unmatched else {})}, work.index),
        seconds=clock.perf_counter() - started,
        treatment=treatment,
        matchings=matchings,
        weights=pd.Series(weights, index=complete.index, name="weight"),
        balance=pd.concat({name: matching.balance for name, matching in matchings.items()}, names=["sample", "covariate"]),
        regression=fit,
    )


_WEIGHT = "matching weight"
_USES = {"rows": "matched rows", "weights": "matched rows with their weights", "support": "rows on support"}


def _check(how: str, use: str, base_period: float | None) -> None:
    if how not in ("pooled", "yearly", "base_period") or use not in _USES:
        raise ValueError(f"how = {how!r} is one of pooled, yearly, base_period; use = {use!r} is one of {', '.join(_USES)}.")
    if (how == "base_period") != (base_period is not None):
        raise ValueError("base_period belongs to how='base_period', and is needed there.")


def _complete_rows(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    unit: str,
    time: str,
    covariates: list[str],
    regressors: list[str],
    group: str | None,
    cluster: str | None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows that both the matching and the regression can use."""
    names = list(dict.fromkeys([outcome, treatment, time, *regressors, *covariates, *([group] if group else []), unit, *([cluster] if cluster else [])]))
    check_columns(frame, names)
    present = frame[[unit, time]]
    refuse_duplicates(present[present.notna().all(axis=1)], [unit, time])
    text = [name for name in covariates if not pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name])]
    labels = list(dict.fromkeys([unit, *([cluster] if cluster else []), *text]))
    values = numbers(frame, [name for name in names if name not in labels])
    keep, dropped = usable_rows(frame[labels], values)
    return frame.loc[keep, names], dropped


def _member(frame: pd.DataFrame, treatment: str, unit: str, group: str | None) -> np.ndarray:
    if group is not None:
        return np.asarray(numbers(frame, [group])[group].to_numpy())
    ever = numbers(frame, [treatment])[treatment].groupby(frame[unit].to_numpy()).transform("max")
    return (ever.to_numpy() > 0).astype(float)


_MEMBER = "treated group"
Found = dict[str, tuple[np.ndarray, Matching]]


def _matchings(
    frame: pd.DataFrame,
    member: np.ndarray,
    unit: str,
    time: str,
    covariates: list[str],
    how: MatchHow,
    base_period: float | None,
    link: Link,
    options: MatchOptions,
) -> Found:
    """By sample: the positions of its rows in the frame, and their matching."""
    work = frame.assign(**{_MEMBER: member})
    if how == "pooled":
        return {"pooled": (np.arange(len(work)), match(work, _MEMBER, covariates, link=link, keys=[unit, time], options=options))}
    when = numbers(frame, [time])[time].to_numpy()
    found: Found = {}
    for period in np.unique(when) if base_period is None else [base_period]:
        name, positions = period_text(float(period)), np.flatnonzero(when == period)
        try:
            found[name] = (positions, match(work.iloc[positions], _MEMBER, covariates, link=link, keys=[unit, time], options=options))
        except ValueError as error:
            raise ValueError(f"{time} {name}: {error}") from error
    return found


def _row_weights(frame: pd.DataFrame, found: Found, unit: str, how: MatchHow) -> tuple[np.ndarray, np.ndarray]:
    """(n,) weights, and whether the row is on support; a unit's weight in the base period holds for all its rows."""
    weights, support = np.zeros(len(frame)), np.zeros(len(frame), dtype=bool)
    for positions, matching in found.values():
        weights[positions[matching.rows]] = matching.weights
        support[positions[matching.rows]] = matching.support
    if how != "base_period":
        return weights, support
    codes = level_codes(frame[unit])[0]
    by_unit, seen = np.bincount(codes, weights), np.bincount(codes, support)
    return by_unit[codes], seen[codes] > 0
