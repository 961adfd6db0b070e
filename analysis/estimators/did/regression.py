"""The regression with unit and period effects that estimators of this family run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import EffectsSmall, Where, row_mask
from analysis.estimators.core.result import Caution, Result, Test
from analysis.estimators.did import cautions
from analysis.estimators.did.sample import Call, DidSample
from analysis.estimators.did.wald import wald
from analysis.estimators.linear.fixed_effects import FixedEffectsResult, fixed_effects

EFFECTS_SMALL: EffectsSmall = "reghdfe_nested"


@dataclass(frozen=True, eq=False)
class Regressed:
    """A regression, and the part of `Result` that it hands on.

    Attributes
    ----------
    fields : arguments of `Result`, without method, tests and seconds; terms without the constant
    rows : positions of the rows used in the frame that was given
    """

    regression: FixedEffectsResult
    fields: dict[str, Any]
    rows: np.ndarray

    def with_warnings(self, more: tuple[Caution, ...]) -> Regressed:
        fields = {**self.fields, "warnings": (*more, *self.fields["warnings"])}
        return replace(self, fields=fields)


def regress(
    frame: pd.DataFrame,
    call: Call,
    terms: Sequence[str],
    small: EffectsSmall = EFFECTS_SMALL,
    data: DidSample | None = None,
    *,
    where: Where | None = None,
    outside: Mapping[str, int] | None = None,
) -> Regressed:
    """`fixed_effects` on terms, with unit and period effects.

    Parameters
    ----------
    data : the checked sample that the frame was made of: its labels and dropped rows are handed on
    outside : rows that were left out before, by reason
    """
    chosen = list(terms)
    # Labels may repeat: rows are followed by their positions.
    fit = fixed_effects(
        frame.set_axis(pd.RangeIndex(len(frame))),
        call.outcome,
        chosen,
        [call.unit, call.time],
        covariance=call.covariance,
        small=small,
        weights=call.weights,
        where=row_mask(frame, where),
    )
    used = fit.sample.to_numpy()
    fit = replace(fit, sample=frame.index[used])
    found = () if data is None else cautions.of_sample(data)
    fields = {
        "outcome": call.outcome,
        "coefficients": fit.coefficients.loc[chosen],
        "covariance": fit.covariance.loc[chosen, chosen],
        "convention": fit.convention,
        "df_t": fit.df_t,
        "n": fit.n,
        "groups": dict(fit.groups),
        "dropped": dict(outside or {}) | dict(fit.dropped) if data is None else data.dropped,
        "sample": fit.sample if data is None else data.labels,
        "warnings": (*found, *fit.warnings),
    }
    return Regressed(fit, fields, used)


def bases_of(base: float | Sequence[float]) -> tuple[float, ...]:
    """The event times that are left out, one or several."""
    return tuple(float(value) for value in (base if isinstance(base, Sequence) else [base]))


def estimates_table(
    fields: Mapping[str, Any],
    terms: Mapping[float, str],
    counts: Mapping[float, int],
    bases: Sequence[float],
) -> pd.DataFrame:
    """Event times in order, the base with zero and no standard error."""
    plain = Result(method="", **fields)
    errors, intervals = plain.standard_errors, plain.confidence_intervals()
    found = []
    for level in sorted({*terms, *bases}):
        term = terms.get(level, "")
        row = {"event_time": level, "term": term, "att": 0.0, "standard_error": np.nan}
        row |= {"lower": np.nan, "upper": np.nan}
        if term:
            row |= {"att": fields["coefficients"][term], "standard_error": errors[term]}
            row |= dict(intervals.loc[term, ["lower", "upper"]])
        found.append(row | {"rows": counts.get(level, 0)})
    return pd.DataFrame(found)


def joint_test(fields: Mapping[str, Any], terms: list[str], what: str) -> Test:
    """F test that the terms are zero, as of effects before treatment."""
    covariance = fields["covariance"].loc[terms, terms].to_numpy()
    null = f"{what} before treatment are zero"
    estimate = fields["coefficients"][terms].to_numpy()
    return wald("pre-trends F", estimate, covariance, fields["df_t"], null)


def effect_names(result: Result, by: str, effects: Collection[str]) -> tuple[list[str], list[str]]:
    """Equations and terms of `tidy`: effects under what they are by, with the time as their term.

    'e=-2' is -2 of "event time", 'e>=4' is >=4, 'zone x 2015' is 2015 of "period".
    """
    equations, terms = [], []
    for name in (str(term) for term in result.coefficients.index):
        own = name in effects
        equations.append(by if own else result.outcome)
        terms.append(_time_of(name) if own else name)
    return equations, terms


def _time_of(term: str) -> str:
    if " x " in term:
        return term.rsplit(" x ", 1)[1]
    return term[2:] if term[1] == "=" else term[1:]
