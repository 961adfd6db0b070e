"""Systems of linear equations: OLS, WLS, SUR, 2SLS, W2SLS and 3SLS.

Conventions and defaults are those of R's systemfit (Henningsen and Hamann 2007, J. Stat. Software
23(4)), so that a system estimated there comes out the same here; Stata's reg3 is
`residual_covariance="none", inference="normal"`, and its option dfk is "geomean".

Source: Zellner (1962) for SUR; Zellner and Theil (1962) for 3SLS; Schmidt (1990, Review of
Economics and Statistics 72) for the formulas of 3SLS with different instruments by equation; Greene
(2003), chapters 14 and 15.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analysis.estimators.core.options import (
    HausmanDf,
    ResidualCovariance,
    SystemFormula,
    SystemInference,
    SystemMethod,
    Where,
    checked,
)
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.system.algebra import (
    WITH_INSTRUMENTS,
    Blocks,
    Options,
    build_blocks,
    estimate,
)
from analysis.estimators.system.parts import (
    Equation,
    SystemSample,
    check_identified,
    check_parts,
    equation_of,
    instruments_of,
    restrictions_of,
    sides_of,
    system_sample,
)
from analysis.estimators.system.result import Described, SystemResult, result_fields


def equation_system(
    frame: pd.DataFrame,
    equations: Mapping[str, Equation | tuple[str, Sequence[str]] | Mapping[str, Any]],
    method: SystemMethod = "3SLS",
    instruments: Sequence[str] | None = None,
    *,
    keys: Sequence[str] = (),
    where: Where | None = None,
    residual_covariance: ResidualCovariance = "geomean",
    formula: SystemFormula = "GLS",
    iterations: int = 1,
    tolerance: float = 1e-5,
    restrictions: Sequence[tuple[Mapping[str, float], float]] = (),
    pooled_variance: bool | None = None,
    weighted_first: bool = False,
    centre: bool = False,
    inference: SystemInference | None = None,
) -> SystemResult:
    """Estimate a system of linear equations on the rows that are complete in all of them.

    Parameters
    ----------
    frame : one row an observation, in any order; nothing in it is modified
    equations : name -> Equation, a mapping of its fields, or (outcome, regressors); numeric columns
    method : "OLS", "WLS", "SUR", "2SLS", "W2SLS" or "3SLS"
    instruments : exogenous columns shared by all equations (the constant is added to them); an
        equation may name its own instead
    keys : columns that identify a row; two rows with the same are refused
    where : rows to estimate on, a column or a mask
    residual_covariance : divisor of the residual covariance: "none" (n), "geomean", "max" or
        "theil"; see system.algebra.residual_covariance
    formula : of 3SLS: "GLS", "IV", "Schmidt", "GMM" or "EViews"; they differ only where instruments
        differ by equation
    iterations : rounds of feasible GLS at most; more than one iterates until the relative change of
        the coefficients is within `tolerance`
    restrictions : pairs ({term: weight, ...}, value), each saying that the weighted sum of
        coefficients equals the value
    pooled_variance : one residual variance for all equations under OLS and 2SLS; default only with
        restrictions
    weighted_first : residuals of the first step come from WLS or W2SLS rather than OLS or 2SLS
    centre : take the mean off residuals before their covariance
    inference : "equation" (t, n - k_i), "system" (t, G n - k) or "normal"; default "equation", with
        restrictions "system"

    Raises
    ------
    ValueError : unknown or non-numeric columns, duplicate keys, collinear regressors, fewer
        instruments than regressors, a restriction on an unknown term, or too few rows; the message
        names them.
    """
    began = perf_counter()
    parts = {name: equation_of(Equation, name, given) for name, given in equations.items()}
    check_methods(method, residual_covariance, formula, inference)
    check_parts(parts, method, instruments, iterations)
    chosen = _instruments_by_equation(parts, method, instruments)
    sample = system_sample(frame, _needed(parts, chosen), keys, where)
    built = _built(sample, parts, chosen, method, restrictions)
    pooled = bool(restrictions) if pooled_variance is None else pooled_variance
    rounds = iterations, tolerance, pooled, weighted_first, centre
    options = Options(method, residual_covariance, formula, *rounds, built.counted)
    inferred = inference or ("system" if restrictions else "equation")
    described = _described(parts, built, inferred, began)
    fit = estimate(built.blocks, options)
    return SystemResult(**result_fields(fit, built.blocks, options, sample, described))


def _needed(parts: Mapping[str, Equation], chosen: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Columns of all equations and their instruments, each once."""
    needed: dict[str, None] = {}
    for name, part in parts.items():
        needed |= dict.fromkeys((part.outcome, *part.regressors, *chosen[name]))
    return list(needed)


def _described(
    parts: Mapping[str, Equation], built: _Built, inference: SystemInference, began: float
) -> Described:
    return Described(
        terms=built.terms,
        outcomes={name: part.outcome for name, part in parts.items()},
        inference=inference,
        kept=built.kept,
        left_out=built.left_out,
        groups={},
        began=began,
    )


class _Built(NamedTuple):
    """The blocks of a system, its terms, and its instruments kept and left out."""

    blocks: Blocks
    terms: dict[str, tuple[str, ...]]
    kept: dict[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    counted: np.ndarray  # (G,) coefficients that degrees of freedom count


def _built(
    sample: SystemSample,
    parts: Mapping[str, Equation],
    chosen: Mapping[str, tuple[str, ...]],
    method: SystemMethod,
    restrictions: Sequence[tuple[Mapping[str, float], float]],
) -> _Built:
    y, x, terms = sides_of(sample, parts)
    z: list[np.ndarray] | None = None
    kept, left_out = dict(chosen), tuple[str, ...]()
    if method in WITH_INSTRUMENTS:
        z, kept, left_out = instruments_of(sample, chosen)
    restricted, values, own = restrictions_of(restrictions, terms)
    check_identified(x, z, len(sample.values), terms)
    counted = np.array([block.shape[1] for block in x]) - own
    return _Built(build_blocks(y, x, z, restricted, values), terms, kept, left_out, counted)


def check_methods(method: str, divisor: str, formula: str, inference: str | None) -> None:
    """Refuse a choice that a system does not have."""
    checked("method", method, SystemMethod)
    checked("residual_covariance", divisor, ResidualCovariance)
    checked("formula", formula, SystemFormula)
    if inference is not None:
        checked("inference", inference, SystemInference)


def _instruments_by_equation(
    parts: Mapping[str, Equation],
    method: SystemMethod,
    instruments: Sequence[str] | None,
) -> dict[str, tuple[str, ...]]:
    if method not in WITH_INSTRUMENTS:
        return dict.fromkeys(parts, ())
    shared = tuple(instruments or ())
    own = {name: part.instruments for name, part in parts.items()}
    return {name: shared if given is None else tuple(given) for name, given in own.items()}


def hausman_systems(
    consistent: SystemResult,
    efficient: SystemResult,
    *,
    df: HausmanDf = "rank",
) -> Test:
    """Hausman's test of 3SLS against 2SLS: q'(V2 - V3)^- q, with q the difference of coefficients.

    An equation that the others cannot help leaves rows of zeros in V2 - V3, so a generalised
    inverse is taken; `df` is its rank (Hausman and Taylor 1981), or the number of coefficients as
    R's systemfit prints. A negative statistic means that V2 - V3 is not positive: it has no known
    distribution, the test then carries a warning and no p.

    Raises
    ------
    ValueError : systems with different terms, or an unknown df.
    """
    checked("df", df, HausmanDf)
    if list(consistent.coefficients.index) != list(efficient.coefficients.index):
        what = "the two systems have different terms"
        raise ValueError(f"{what}: estimate the same equations by both methods.")
    q = (consistent.coefficients - efficient.coefficients).to_numpy()
    spread = (consistent.covariance - efficient.covariance).to_numpy()
    # In units of the consistent standard errors: "zero" means the same for all coefficients.
    scale = consistent.standard_errors.to_numpy()
    roots, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    real = np.abs(roots) > 1e-8
    along = vectors[:, real].T @ (q / scale)
    statistic = float((along**2 / roots[real]).sum())
    count = int(real.sum()) if df == "rank" else len(q)
    p = float(stats.chi2.sf(statistic, count)) if statistic >= 0 else float("nan")
    warned: tuple[Caution, ...] = ()
    if not statistic >= 0:
        text = "The difference of the covariances is not positive: the statistic is below zero."
        remedy = "Use one residual covariance for both systems, or judge by 2SLS alone."
        warned = (Caution("no_distribution", text, remedy),)
    name = "Hausman 2SLS against 3SLS"
    return Test(name, statistic, count, p, null="3SLS is consistent", warnings=warned)
