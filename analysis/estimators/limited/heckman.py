"""Heckman's selection model, in two steps or by maximum likelihood.

Standard errors of the likelihood estimates come from the observed information; robust and clustered
ones from the sandwich with factor N/(N-1) or G/(G-1), as Stata's, unless small is "none" (as R's
sandwich). Those of the two-step estimate are Heckman's (1979) corrected ones in the form of Greene
(1981), as R's sampleSelection and Stata print, or the sandwich of both steps' equations. Inference
is normal.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.options import (
    CovarianceOption,
    HeckmanEstimator,
    LimitedSmall,
    Where,
    checked,
    columns_of,
)
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.limited.likelihoods import Maximum
from analysis.estimators.limited.results import (
    OF_ERRORS,
    SELECTION,
    LimitedResult,
    common_fields,
    derived_parameters,
    terms_of,
)
from analysis.estimators.limited.sample import Rows, design, request_of, selection_rows
from analysis.estimators.limited.selection import (
    SelectionProblem,
    derived_from_likelihood,
    full_likelihood,
    two_steps,
)

MILLS = "inverse_mills_ratio"


@dataclass(frozen=True, eq=False, kw_only=True)
class HeckmanResult(LimitedResult):
    """A selection model: terms of the selection equation begin with "selection: ", then those of
    the outcome.

    Two-step: the coefficient of inverse_mills_ratio is rho sigma. ML: the last coefficients are
    ln_sigma and atanh_rho.

    Attributes
    ----------
    derived : coefficient and standard_error of sigma, rho and lambda = rho sigma; the two-step
        sigma and rho have no standard error
    selected : rows selected
    log_likelihood : of the model (ML) or of the selection probit (two-step)
    gradient : largest derivative of the mean log-likelihood left at the maximum
    """

    derived: pd.DataFrame
    selected: int
    log_likelihood: float
    gradient: float

    def _ancillary(self) -> pd.DataFrame:
        return self.derived

    def _fit(self) -> dict[str, Any]:
        return {"log_likelihood": self.log_likelihood, "selected": self.selected}


def heckman(
    frame: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    selection_regressors: Sequence[str],
    *,
    covariance: CovarianceOption = "iid",
    small: LimitedSmall = "stata",
    keys: Sequence[str] = (),
    where: Where | None = None,
    selected: str | None = None,
    estimator: HeckmanEstimator = "two_step",
    constant: bool = True,
) -> HeckmanResult:
    """Heckman's selection model: y = x'b + e is seen where z'g + v > 0.

    (e, v) are normal with correlation rho.

    Parameters
    ----------
    frame : one row an observation, in any order; other columns are ignored and nothing in it is
        modified
    outcome, regressors : numeric columns, needed in selected rows only
    selection_regressors : numeric columns, needed in all rows
    covariance, small, keys, where : as in `tobit`; the two-step covariance is then the sandwich of
        probit and least squares together
    selected : column of 0 and 1 (or False and True); None where a missing outcome says that a row
        is not selected
    estimator : "two_step" or "ml"
    constant : whether both equations have one

    Raises
    ------
    ValueError : a column that is missing or not numeric, a selection column with other values than
        0 and 1, too few rows of either kind, columns that are combinations of each other, or a
        likelihood without maximum; the message names them.
    """
    started = time.perf_counter()
    given = columns_of("regressors", regressors, outcome=outcome)
    chosen_by = columns_of("selection_regressors", selection_regressors, outcome=outcome)
    request = request_of(covariance, small, keys, where)
    checked("estimator", estimator, HeckmanEstimator)
    rows, chosen = selection_rows(frame, outcome, given, chosen_by, selected, request)
    problem = _selection_problem(rows, chosen, outcome, given, chosen_by, constant)
    names = [*(f"{SELECTION}{name}" for name in problem.z_names), *terms_of(given, constant)]
    estimated = (_two_step if estimator == "two_step" else _full)(problem, rows)
    names += estimated.more
    fields = common_fields(rows, outcome, names, estimated.theta, estimated.spread, given)
    warned = rows.warnings() + _nothing_apart(given, chosen_by) + estimated.warnings
    return HeckmanResult(
        **fields | {"tests": fields["tests"] | estimated.tests},
        method=f"Heckman selection model ({estimated.said}, {int(chosen.sum()):,} selected)",
        convention=rows.convention(estimated.plain),
        warnings=warned,
        seconds=time.perf_counter() - started,
        derived=estimated.derived,
        selected=int(chosen.sum()),
        log_likelihood=estimated.best.log_likelihood,
        gradient=estimated.best.gradient,
    )


@dataclass(frozen=True, eq=False)
class _Estimated:
    """One of the two estimates of a selection model, in words and numbers."""

    said: str
    plain: str
    more: tuple[str, ...]
    theta: np.ndarray
    spread: np.ndarray
    best: Maximum
    derived: pd.DataFrame
    tests: dict[str, Test]
    warnings: tuple[Caution, ...]


def _two_step(problem: SelectionProblem, rows: Rows) -> _Estimated:
    steps = two_steps(problem, rows)
    theta, spread = steps.theta, steps.covariance
    parts = {"sigma": steps.sigma, "rho": steps.rho, "lambda": theta[-1]}
    derived = derived_parameters(parts, [np.nan, np.nan, np.sqrt(spread[-1, -1])])
    plain = "sandwich of both steps" if rows.sandwich else "two-step correction"
    warned: tuple[Caution, ...] = ()
    if abs(steps.rho) > 1:
        text = f"The correlation of the two equations comes out as {steps.rho:.3f}, beyond 1."
        remedy = "Give selection a regressor of its own, or compare with estimator = 'ml'."
        warned = (Caution("boundary", text, remedy),)
    return _Estimated("two-step", plain, (MILLS,), theta, spread, steps.probit, derived, {}, warned)


def _full(problem: SelectionProblem, rows: Rows) -> _Estimated:
    steps = two_steps(problem, rows)
    best, warned = full_likelihood(problem, steps)
    spread = rows.covariance(best)
    gain = 2 * (best.log_likelihood - steps.independent)
    p = float(stats.chi2.sf(gain, 1))
    test = Test("LR of independent equations", gain, 1, p, null="rho is zero")
    return _Estimated(
        said="maximum likelihood",
        plain="observed information",
        more=OF_ERRORS,
        theta=best.theta,
        spread=spread,
        best=best,
        derived=derived_from_likelihood(best.theta, spread),
        tests={"independence": test},
        warnings=warned,
    )


def _nothing_apart(regressors: Sequence[str], chosen_by: Sequence[str]) -> tuple[Caution, ...]:
    if set(chosen_by) - set(regressors):
        return ()
    text = "Selection has no regressor of its own: only normality tells it from the outcome."
    remedy = "Name one in selection_regressors that the outcome does not depend on."
    return (Caution("no_exclusion", text, remedy),)


def _selection_problem(
    rows: Rows,
    chosen: np.ndarray,
    outcome: str,
    regressors: Sequence[str],
    chosen_by: Sequence[str],
    constant: bool,
) -> SelectionProblem:
    kept = chosen > 0
    x = np.zeros((len(chosen), len(regressors) + int(constant)))
    x[kept] = design(rows.values[kept], regressors, constant, "regressors in the selected rows")
    z = design(rows.values, chosen_by, constant, "selection regressors")
    y = np.where(kept, rows.values[outcome].to_numpy(), 0.0)
    return SelectionProblem(y, x, z, terms_of(chosen_by, constant), chosen)
