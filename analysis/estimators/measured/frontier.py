"""Stochastic frontiers as an estimate: see analysis.measures.frontier for the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import Where
from analysis.estimators.core.result import Caution, Result, Test
from analysis.estimators.core.sample import rows_asked
from analysis.measures import frontier as measure
from analysis.measures.frontier_sample import Base, Distribution, Kind


@dataclass(frozen=True, eq=False, kw_only=True)
class FrontierReport(Result):
    """A stochastic frontier: coefficients in the order of the measure, and a row's efficiencies.

    Attributes
    ----------
    measure : what was computed, with starts, gradient and log-likelihoods; its efficiencies have a
        row for each row of `where`
    """

    measure: measure.FrontierResult

    def _fit(self) -> dict[str, Any]:
        found = self.measure
        mean = found.mean_efficiency
        return {"log_likelihood": found.log_likelihood, "mean_efficiency": mean}


def stochastic_frontier(
    frame: pd.DataFrame,
    outcome: str,
    inputs: Sequence[str],
    *,
    unit: str | None = None,
    time: str | None = None,
    where: Where | None = None,
    distribution: Distribution = "half_normal",
    kind: Kind = "production",
    decay: bool = False,
    explained_by: Sequence[str] | None = None,
    explained_constant: bool = True,
    mu_bound: float | None = None,
    base: Base = "panel",
) -> FrontierReport:
    """Estimate outcome = constant + inputs b + v - u (+ u for a cost), v normal, u >= 0, by maximum
    likelihood.

    Parameters
    ----------
    unit : rows of a unit share one draw of u; None for a draw a row
    explained_by : columns in which the mean of u is linear (Battese and Coelli 1995), the `effects`
        of analysis.measures.frontier; explained_constant gives them a constant
    distribution, kind, decay, mu_bound, base : as in analysis.measures.frontier

    Raises
    ------
    ValueError : what the measure refuses; FrontierError where the likelihood has no maximum.
    """
    asked, outside = rows_asked(frame, where)
    model: dict[str, Any] = {"distribution": distribution, "kind": kind, "decay": decay}
    model |= {"effects": explained_by, "effects_constant": explained_constant}
    model |= {"unit": unit, "period": time, "mu_bound": mu_bound, "base": base}
    found = measure.stochastic_frontier(asked, outcome, inputs, **model)
    return _report(found, asked.index, outside)


def _report(
    found: measure.FrontierResult, index: pd.Index, outside: dict[str, int]
) -> FrontierReport:
    used = found.efficiencies["battese_coelli"].notna()
    return FrontierReport(
        method=found.method,
        outcome=found.outcome,
        coefficients=found.coefficients,
        covariance=found.covariance,
        convention="from second derivatives",
        df_t=None,
        n=found.n,
        groups={"draws of inefficiency": found.units},
        dropped=outside | dict(found.dropped),
        sample=index[used.to_numpy()],
        tests={"no_inefficiency": _no_inefficiency(found)},
        seconds=found.seconds,
        warnings=_cautions(found),
        measure=found,
    )


def _no_inefficiency(found: measure.FrontierResult) -> Test:
    return Test(
        name="LR of no inefficiency, mixed chi-squared",
        statistic=found.lr_statistic,
        df=found.lr_restrictions,
        p=found.lr_p,
        null="no inefficiency",
    )


def _cautions(found: measure.FrontierResult) -> tuple[Caution, ...]:
    if not found.has_inefficiency:
        text = (
            "the residuals are skewed the other way: the likelihood is highest without inefficiency"
            " and every efficiency is 1."
        )
        return (Caution("no_inefficiency", text, "Look at the outcome and the inputs first."),)
    held = found.coefficients.index[np.isnan(np.diag(found.covariance))]
    if len(held):
        text = f"{', '.join(held)} lies on the bound that was set and has no standard error."
        return (Caution("parameter_at_bound", text, "Say the bound beside the estimate."),)
    return ()
