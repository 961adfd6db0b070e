"""Heckman's selection model: both steps with their covariance, the full likelihood, and what
follows from its coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.result import Caution
from analysis.estimators.limited.binary_fit import SeparationError, fit_binary
from analysis.estimators.limited.likelihoods import (
    Maximum,
    heckman_terms,
    inverse_mills,
    maximise,
    orthonormal,
    probit_terms,
)
from analysis.estimators.limited.results import derived_parameters
from analysis.estimators.limited.sample import Rows, refuse_dependent, slopes_of

SEPARATED = "some regressors predict perfectly who is selected. Leave out the one that does."
NO_MAXIMUM = "the correlation may be at its limit, or a regressor predicts selection perfectly."
AT_THE_EDGE = 0.999  # a correlation beyond this has run to its limit


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """The data of both equations.

    Attributes
    ----------
    y, x : outcome (n,) and its regressors (n, k), zero where not selected
    z, z_names : selection regressors (n, m)
    chosen : (n,) in 0, 1
    """

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
    z_names: Sequence[str]
    chosen: np.ndarray


@dataclass(frozen=True, eq=False)
class Steps:
    """The two-step estimate.

    Attributes
    ----------
    theta : (m + k + 1,) selection, outcome and inverse Mills coefficients
    covariance : (m + k + 1, m + k + 1)
    sigma, rho : implied by the inverse Mills coefficient, rho not held within -1 and 1
    probit : the first step, in coordinates of its own: for its likelihood only
    independent : log-likelihood with rho zero
    """

    theta: np.ndarray
    covariance: np.ndarray
    sigma: float
    rho: float
    probit: Maximum
    independent: float


def two_steps(problem: SelectionProblem, rows: Rows) -> Steps:
    """Probit of selection, then least squares of the selected outcomes on x and the inverse Mills
    ratio.

    sigma^2 = mean(e^2) + b_mills^2 mean(delta), delta = mills (mills + z'g). With W = [x mills],
    D = diag(delta) and V the probit's covariance, the second step has covariance
    sigma^2 (W'W)^-1 [W'(I - rho^2 D)W + rho^2 W'DZ V Z'DW] (W'W)^-1 (Greene 1981).
    """
    kept = problem.chosen > 0
    # On orthonormal columns, so that no unit and no mean far from zero costs digits.
    (z, z_map), (x, x_map) = orthonormal(problem.z), orthonormal(problem.x[kept])
    back = linalg.block_diag(z_map, x_map, 1.0)
    probit = _first_step(problem, z)
    index, y = z[kept] @ probit.theta, problem.y[kept]
    mills = inverse_mills(index)
    delta = mills * (mills + index)
    w = np.column_stack([x, mills])
    what = "the regressors and the inverse Mills ratio"
    refuse_dependent(w, None, f"{what}. Give the selection equation a regressor of its own")
    slope = slopes_of(w, y)
    residual = y - w @ slope
    sigma2 = float((residual**2).mean() + slope[-1] ** 2 * delta.mean())
    inner, first = np.linalg.inv(w.T @ w), probit.inverse
    link = w.T @ (delta[:, None] * z[kept])
    if not rows.sandwich:
        lost = w.T @ (delta[:, None] * w) - link @ first @ link.T
        middle = sigma2 * (w.T @ w) - slope[-1] ** 2 * lost
        cross = slope[-1] * inner @ link @ first
        covariance = np.block([[first, cross.T], [cross, inner @ middle @ inner]])
    else:
        scores = np.zeros((len(kept), w.shape[1]))
        scores[kept] = w * residual[:, None]
        upper = [np.eye(len(first)), np.zeros((len(first), len(inner)))]
        slopes = np.block([upper, [slope[-1] * inner @ link, inner]])
        covariance = slopes @ rows.cross_product(np.hstack([probit.influence, scores])) @ slopes.T
    theta, covariance = back @ np.concatenate([probit.theta, slope]), back @ covariance @ back.T
    sigma, covariance = float(np.sqrt(sigma2)), (covariance + covariance.T) / 2
    independent = probit.log_likelihood + _normal_log_likelihood(y, x)
    return Steps(theta, covariance, sigma, float(slope[-1]) / sigma, probit, independent)


def _first_step(problem: SelectionProblem, z: np.ndarray) -> Maximum:
    """The probit of selection on the basis z (n, m).

    Raises
    ------
    ValueError : no maximum; the regressors that predict selection perfectly are named.
    """
    chosen = problem.chosen
    try:
        return maximise(probit_terms(chosen), [z], slopes_of(z, 2.0 * chosen - 1), SEPARATED)
    except ValueError as failure:
        try:
            fit_binary(chosen, problem.z, np.ones(len(chosen)), "probit", problem.z_names)
        except SeparationError as named:
            raise SeparationError(f"selection equation: {named}") from failure
        raise


def _normal_log_likelihood(y: np.ndarray, x: np.ndarray) -> float:
    """Log-likelihood of y (n,) on x (n, k) at its maximum."""
    slope = slopes_of(x, y)
    return float(-0.5 * len(y) * (np.log(2 * np.pi * ((y - x @ slope) ** 2).mean()) + 1))


def full_likelihood(
    problem: SelectionProblem,
    steps: Steps,
) -> tuple[Maximum, tuple[Caution, ...]]:
    """Maximum likelihood, started from the two-step estimate, and what a reader must know of it.

    The likelihood may have several maxima. The two-step estimate is consistent, so the maximum that
    is reached from it is taken; that reached from independent equations only where the former is
    none, or lies below the likelihood of independent equations.
    """
    ones, unit = np.ones((len(problem.y), 1)), steps.sigma
    designs = [problem.z, problem.x, ones, ones]
    m, k = problem.z.shape[1], problem.x.shape[1]
    terms = heckman_terms(problem.y / unit, problem.chosen)
    slopes = np.concatenate([steps.theta[:m], steps.theta[m:-1] / unit])
    found, failures = [], []
    for rho in (float(np.clip(steps.rho, -0.9, 0.9)), 0.0):
        start = np.concatenate([slopes, [0.0, np.arctanh(rho)]])
        try:
            best = maximise(terms, designs, start, f"{NO_MAXIMUM} Use the two-step estimate.")
        except ValueError as failure:
            failures.append(failure)
            continue
        found.append(best.in_unit(unit, slice(m, m + k), m + k, int(problem.chosen.sum())))
        if found[-1].log_likelihood >= steps.independent:
            break
    if not found:
        raise failures[0]
    best = max(found, key=lambda maximum: maximum.log_likelihood)
    return best, (() if not failures and best is found[0] else (_elsewhere(),)) + at_the_edge(best)


def _elsewhere() -> Caution:
    text = "The maximum reported was not reached from the two-step estimate."
    return Caution("several_maxima", text, "Compare with the two-step estimate.")


def at_the_edge(best: Maximum) -> tuple[Caution, ...]:
    rho = float(np.tanh(best.theta[-1]))
    if abs(rho) < AT_THE_EDGE:
        return ()
    what = f"The correlation of the two equations, {rho:.5f}, is at its limit"
    text = f"{what}: no standard error of it holds."
    remedy = "Use the two-step estimate, and ask whether the selection equation is right."
    return (Caution("boundary", text, remedy),)


def derived_from_likelihood(theta: np.ndarray, covariance: np.ndarray) -> pd.DataFrame:
    """sigma, rho and lambda with standard errors by the delta method."""
    sigma, rho = float(np.exp(theta[-2])), float(np.tanh(theta[-1]))
    slopes = np.array([[sigma, 0.0], [0.0, 1 - rho**2], [rho * sigma, sigma * (1 - rho**2)]])
    variances = np.einsum("ij,jk,ik->i", slopes, covariance[-2:, -2:], slopes)
    values = {"sigma": sigma, "rho": rho, "lambda": rho * sigma}
    return derived_parameters(values, list(np.sqrt(variances)))
