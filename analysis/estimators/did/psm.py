"""PSM-DID: match units first, then estimate the difference in differences on the matched rows.

Who is matched, on the score of belonging to the treated group:

    pooled        all rows together, years mixed (one logit)
    yearly        year by year, each with its own logit; matched rows of all years are put together
    base_period   units in one period; their weights hold for all their rows

What the regression then uses:

    rows          rows with a weight, each counted once (Stata: `if _weight != .`)
    weights       the same rows, weighted
    support       rows on support, controls without a weight included (Stata: `if _support == 1`)

The regression and its standard errors are those of `fixed_effects`; that matching was estimated is
not in them.
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
from analysis.estimators.core.groups import group_codes
from analysis.estimators.core.options import (
    CovarianceOption,
    EffectsSmall,
    Link,
    MatchHow,
    MatchUse,
    Where,
    checked,
    columns_of,
    row_mask,
)
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sample import OUTSIDE
from analysis.estimators.did import cautions
from analysis.estimators.did.regression import EFFECTS_SMALL, regress
from analysis.estimators.did.sample import Call, period_text, read_call
from analysis.estimators.linear.fixed_effects import FixedEffectsResult
from analysis.estimators.matching.model import match
from analysis.estimators.matching.options import MatchOptions, match_options
from analysis.estimators.matching.result import Matching

_WEIGHT = "matching weight"
_MEMBER = "treated group"
_USES = {
    "rows": "matched rows",
    "weights": "matched rows with their weights",
    "support": "rows on support",
}
Found = dict[str, tuple[np.ndarray, Matching]]


@dataclass(frozen=True, eq=False, kw_only=True)
class PsmDidResult(Result):
    """The regression on matched rows.

    Attributes beyond `Result`
    ----------
    treatment : the term that is the effect
    matchings : the matching, by "pooled", or by period
    weights : weight of each complete row, by index label of the frame given (zero where not
        matched)
    balance : balance tables one below the other, with the period in front
    regression : the regression behind it
    """

    treatment: str
    matchings: dict[str, Matching]
    weights: pd.Series
    balance: pd.DataFrame
    regression: FixedEffectsResult

    def _fit(self) -> dict[str, Any]:
        return self.regression._fit()


def psm_did(
    frame: pd.DataFrame,
    outcome: str,
    treatment: str,
    unit: str,
    time: str,
    covariates: Sequence[str],
    *,
    covariance: CovarianceOption | None = None,
    small: EffectsSmall = EFFECTS_SMALL,
    where: Where | None = None,
    controls: Sequence[str] | None = None,
    group: str | None = None,
    how: MatchHow = "pooled",
    base_period: float | None = None,
    use: MatchUse = "rows",
    link: Link = "logit",
    options: MatchOptions | Mapping[str, Any] | None = None,
) -> PsmDidResult:
    """Match, then regress the outcome on treatment and controls with unit and period effects.

    Parameters
    ----------
    treatment : column of the regression, one while a unit is treated
    covariates : of the score; the regression has `controls` (None: the same)
    covariance : None clusters by the unit; any of `fixed_effects` with one column of clusters
    where : rows to match and to estimate on, a column or a mask; whether a unit is ever treated is
        looked up in all rows
    group : column that is one for rows to be matched as treated; None: units that are ever treated
    how, use : see the module's text; base_period for how="base_period"
    options : a `MatchOptions`, or its fields by name. Ties are ordered by unit and period where
        ties="first".
    others : see analysis.estimators.did.sample

    Raises
    ------
    ValueError : a period without treated or control rows or whose score cannot be estimated
        (named); what `match` and `fixed_effects` refuse.
    """
    started = clock.perf_counter()
    _check_use(how, use, base_period)
    chosen = match_options(options)
    listed = columns_of("covariates", covariates, outcome=outcome)
    regressors = listed if controls is None else controls
    call = read_call((outcome, unit, time, None), regressors, covariance, None)
    asked = np.ones(len(frame), dtype=bool) if where is None else row_mask(frame, where)
    named = [treatment, *listed, *([group] if group else [])]
    complete, member, dropped = _complete_rows(frame, np.asarray(asked), call, named, group)
    matcher = _Matcher(complete, member, call, listed, link, chosen)
    matched = _Matched(matcher, matcher.found(how, base_period), how, use)
    fields = matched.regressed(treatment, small, dropped)
    return PsmDidResult(**fields, seconds=clock.perf_counter() - started)


def _check_use(how: MatchHow, use: MatchUse, base_period: float | None) -> None:
    checked("how", how, MatchHow)
    checked("use", use, MatchUse)
    if (how == "base_period") != (base_period is not None):
        raise ValueError("base_period belongs to how='base_period', and is needed there.")


def _warnings(
    complete: pd.DataFrame, member: np.ndarray, used: np.ndarray, call: Call, treatment: str
) -> tuple[Caution, ...]:
    units = complete.loc[used & (complete[treatment].to_numpy() != 0), call.unit].nunique()
    few = cautions.few_treated(treatment, units)
    own = member == 1
    lost = int((own & ~used).sum())
    if not lost:
        return few
    text = (
        f"{lost:,} of {rows(int(own.sum()))} of the treated group have no match and were left out."
    )
    remedy = "The effect is that on the others; widen the caliper, or loosen the support."
    return (*few, Caution("unmatched", text, remedy))


def _complete_rows(
    frame: pd.DataFrame, asked: np.ndarray, call: Call, named: Sequence[str], group: str | None
) -> tuple[pd.DataFrame, np.ndarray, dict[str, int]]:
    """Rows that both the matching and the regression can use, and who is in the treated group.

    `named` are the treatment, the covariates and the group. Whether a unit is ever treated is read
    off all rows that hold unit and treatment: a treated unit is no control for lack of a covariate.
    """
    treatment, *others = named
    clusters = [call.unit, *call.errors.clusters]
    names = [call.outcome, treatment, call.time, *call.controls, *others, *clusters]
    names = list(dict.fromkeys(names))
    check_columns(frame, names)
    present = frame.loc[asked, [call.unit, call.time]]
    refuse_duplicates(present[present.notna().all(axis=1)], [call.unit, call.time])
    text = [name for name in others if is_text(frame[name])]
    labels = list(dict.fromkeys([*clusters, *text]))
    values = numbers(frame, [name for name in names if name not in labels])
    inside, dropped = usable_rows(frame.loc[asked, labels], values.loc[asked])
    if group is None:
        known = numbers(frame, [treatment])[treatment].replace(np.inf, np.nan)
        on = known.groupby(frame[call.unit].to_numpy()).transform("max") > 0
        member = on.to_numpy().astype(float)
    else:
        member = numbers(frame, [group])[group].to_numpy()
    outside = {OUTSIDE: int((~asked).sum())} if not asked.all() else {}
    return frame.loc[asked, names][inside], member[asked][inside], outside | dropped


@dataclass(frozen=True)
class _Matcher:
    """What all matchings of one call share."""

    frame: pd.DataFrame
    member: np.ndarray
    call: Call
    covariates: list[str]
    link: Link
    options: MatchOptions

    def found(self, how: MatchHow, base_period: float | None) -> Found:
        """The matchings of the call, by name."""
        return self.pooled() if how == "pooled" else self.by_period(base_period)

    def pooled(self) -> Found:
        """The positions of the rows in the frame, and their matching."""
        return {"pooled": self._matched(np.arange(len(self.frame)))}

    def by_period(self, only: float | None) -> Found:
        """The same by period, or for one."""
        time = self.call.time
        when = numbers(self.frame, [time])[time].to_numpy()
        found: Found = {}
        for period in np.unique(when) if only is None else [only]:
            name = period_text(float(period))
            try:
                found[name] = self._matched(np.flatnonzero(when == period))
            except ValueError as error:
                raise ValueError(f"{time} {name}: {error}") from error
        return found

    def _matched(self, at: np.ndarray) -> tuple[np.ndarray, Matching]:
        rows = self.frame.iloc[at].assign(**{_MEMBER: self.member[at]})
        keys = [self.call.unit, self.call.time]
        found = match(
            rows,
            _MEMBER,
            self.covariates,
            link=self.link,
            keys=keys,
            options=self.options,
        )
        return at, found


@dataclass(frozen=True)
class _Matched:
    """Matched rows, and what the regression uses of them."""

    matcher: _Matcher
    found: Found
    how: MatchHow
    use: MatchUse

    def regressed(
        self, treatment: str, small: EffectsSmall, dropped: dict[str, int]
    ) -> dict[str, Any]:
        """The fields of the result."""
        complete, call = self.matcher.frame, self.matcher.call
        weights, support = _row_weights(complete, self.found, call.unit, self.how)
        used = support if self.use == "support" else weights > 0
        work = complete[used].assign(**{_WEIGHT: weights[used]})
        weighted = replace(call, weights=_WEIGHT if self.use == "weights" else None)
        unmatched = {"not matched": int((~used).sum())} if not used.all() else {}
        terms = [treatment, *call.controls]
        fit = regress(work, weighted, terms, small, outside=dropped | unmatched)
        fit = fit.with_warnings(_warnings(complete, self.matcher.member, used, call, treatment))
        matchings = {name: matching for name, (_, matching) in self.found.items()}
        tables = {name: matching.balance for name, matching in matchings.items()}
        return fit.fields | {
            "method": self._title(),
            "treatment": treatment,
            "matchings": matchings,
            "weights": pd.Series(weights, index=complete.index, name="weight"),
            "balance": pd.concat(tables, names=["sample", "covariate"]),
            "regression": fit.regression,
        }

    def _title(self) -> str:
        link, options = self.matcher.link, self.matcher.options
        matched = f"{self.how.replace('_', ' ')} {link} matching, {options.describe()}"
        return f"PSM-DID ({matched}; regression on {_USES[self.use]})"


def _row_weights(
    frame: pd.DataFrame, found: Found, unit: str, how: MatchHow
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) weights, and whether the row is on support.

    A unit's weight in the base period holds for all its rows.
    """
    weights, support = np.zeros(len(frame)), np.zeros(len(frame), dtype=bool)
    for positions, matching in found.values():
        weights[positions[matching.rows]] = matching.weights
        support[positions[matching.rows]] = matching.support
    if how != "base_period":
        return weights, support
    codes = group_codes(frame, unit)[0]
    by_unit, seen = np.bincount(codes, weights), np.bincount(codes, support)
    return by_unit[codes], seen[codes] > 0
