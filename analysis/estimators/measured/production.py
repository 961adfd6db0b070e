"""Production functions as an estimate: see analysis.measures.productivity for the methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimators.core.options import Where
from analysis.estimators.core.result import Caution, Result
from analysis.estimators.core.sample import rows_asked
from analysis.measures import productivity as measure
from analysis.measures.productivity_stages import Method

CLOSE = 0.05  # a second minimum whose criterion is within this share of the lowest


@dataclass(frozen=True, eq=False, kw_only=True)
class ProductionReport(Result):
    """A production function: elasticities, and log productivity a row.

    Attributes
    ----------
    measure : what was computed, with draws, minima and productivity; its series have a row for each
        row of `where`
    """

    measure: measure.ProductivityResult

    def _fit(self) -> dict[str, Any]:
        found = self.measure
        return {"criterion": found.criterion, "nobs_second": found.n_second}


def production_function(
    frame: pd.DataFrame,
    outcome: str,
    *,
    free: Sequence[str],
    state: Sequence[str],
    proxy: Sequence[str],
    controls: Sequence[str] = (),
    unit: str,
    time: str,
    where: Where | None = None,
    method: Method = "acf",
    order: int = 3,
    transition_order: int = 3,
    gross_output: bool = False,
    attrition: bool = False,
    joint: bool = False,
    start: Sequence[float] | None = None,
    starts: int = 12,
    bootstrap: int = 50,
    seed: int = 0,
) -> ProductionReport:
    """Estimate outcome = b_f free + b_s state [+ b_m proxy] + c controls + w + e, w first-order
    Markov and seen by the firm.

    Parameters
    ----------
    outcome : log of value added, or of gross output with gross_output; all columns are logs
    free, state, proxy, controls, order ... starts : as in analysis.measures.productivity
    bootstrap : draws of firms for the standard errors; 0 for none

    Raises
    ------
    ValueError : what the measure refuses.
    """
    asked, outside = rows_asked(frame, where)
    given: dict[str, Any] = {"unit": unit, "period": time, "controls": controls}
    given |= {"free": free, "state": state, "proxy": proxy, "method": method, "order": order}
    given |= {"transition_order": transition_order, "gross_output": gross_output}
    given |= {"attrition": attrition, "joint": joint, "start": start, "starts": starts}
    given |= {"repetitions": bootstrap, "seed": seed}
    found = measure.production_function(asked, outcome, **given)
    return _report(found, asked.index, outside, unit, _cautions(found, bootstrap))


def _report(
    found: measure.ProductivityResult,
    index: pd.Index,
    outside: dict[str, int],
    unit: str,
    said: tuple[Caution, ...],
) -> ProductionReport:
    return ProductionReport(
        method=found.method,
        outcome=found.output,
        coefficients=found.coefficients,
        covariance=_covariance(found),
        convention=_convention(found),
        df_t=None,
        n=found.n,
        groups={unit: found.firms},
        dropped=outside | dict(found.dropped),
        sample=index[found.log_tfp.notna().to_numpy()],
        seconds=found.seconds,
        warnings=said,
        measure=found,
    )


def _covariance(found: measure.ProductivityResult) -> pd.DataFrame:
    """Of the bootstrap's draws; missing where there are none."""
    names = found.coefficients.index
    if len(found.draws) < 2:
        return pd.DataFrame(np.nan, index=names, columns=names)
    return found.draws.cov().loc[names, names]


def _convention(found: measure.ProductivityResult) -> str:
    return f"from {len(found.draws)} draws of units" if len(found.draws) else "not estimated"


def _cautions(found: measure.ProductivityResult, asked: int) -> tuple[Caution, ...]:
    said = []
    if len(found.draws) < asked:
        text = f"{asked - len(found.draws)} of {asked} draws of firms could not be estimated."
        remedy = "The standard errors are of those that could: try a lower order."
        said.append(Caution("draws_failed", text, remedy))
    second = found.minima["criterion"].to_numpy()[1:]
    if len(second) and second[0] <= found.criterion * (1 + CLOSE) + 1e-12:
        text = (
            f"{int((second <= found.criterion * (1 + CLOSE) + 1e-12).sum()) + 1} sets of"
            " elasticities fit about equally well."
        )
        said.append(Caution("several_minima", text, "Look at `measure.minima` before using one."))
    return tuple(said)
