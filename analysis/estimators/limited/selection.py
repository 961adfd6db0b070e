"""Heckman's selection model: both steps with their covariance, the full likelihood, and what follows from its coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.limited.likelihoods import Maximum, heckman_terms, inverse_mills, maximise, orthonormal, probit_terms
from analysis.estimators.limited.sample import cross_product, refuse_dependent, slopes_of

SEPARATED = "some regressors predict perfectly who is selected. Leave out the one that does."


@dataclass(frozen=True, eq=False)
class SelectionProblem:
    """Outcome y (n,) and its regressors x (n, k), zero where not selected; selection regressors z (n, m); chosen (n,) in 0, 1."""

    y: np.ndarray
    x: np.ndarray
    z: np.ndarray
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


def two_steps(problem: SelectionProblem, clusters: np.ndarray | None, robust: bool, small: bool) -> Steps:
    """Probit of selection, then least squares of the selected outcomes on x and the inverse Mills ratio.

    sigma^2 = mean(e^2) + b_mills^2 mean(delta), delta = mills (mills + z'g). With W = [x mills], D = diag(delta) and V the probit's covariance,
    the second step has covariance sigma^2 (W'W)^-1 [W'(I - rho^2 D)W + rho^2 W'DZ V Z'DW] (W'W)^-1 (Greene 1981).
    """
    kept = problem.chosen > 0
    # On orthonormal columns, so that no unit and no mean far from zero costs digits.
    (z, z_map), (x, x_map) = orthonormal(problem.z), orthonormal(problem.x[kept])
    back = linalg.block_diag(z_map, x_map, 1.0)
    probit = maximise(probit_terms(problem.chosen), [z], slopes_of(z, 2.0 * problem.chosen - 1), SEPARATED)
    index, y = z[kept] @ probit.theta, problem.y[kept]
    mills = inverse_mills(index)
    delta = mills * (mills + index)
    w = np.column_stack([x, mills])
    refuse_dependent(w, None, "the regressors and the inverse Mills ratio. Give the selection equation a regressor of its own")
    slope = slopes_of(w, y)
    residual = y - w @ slope
    sigma2 = float((residual**2).mean() + slope[-1] ** 2 * delta.mean())
    inner, first = np.linalg.inv(w.T @ w), probit.inverse
    link = w.T @ (delta[:, None] * z[kept])
    if clusters is None and not robust:
        middle = sigma2 * (w.T @ w) - slope[-1] ** 2 * (w.T @ (delta[:, None] * w) - link @ first @ link.T)
        cross = slope[-1] * inner @ link @ first
        covariance = np.block([[first, cross.T], [cross, inner @ middle @ inner]])
    else:
        scores = np.zeros((len(kept), w.shape[1]))
        scores[kept] = w * residual[:, None]
        slopes = np.block([[np.eye(len(first)), np.zeros((len(first), len(inner)))], [slope[-1] * inner @ link, inner]])
        covariance = slopes @ cross_product(np.hstack([probit.influence, scores]), clusters, small) @ slopes.T
    theta, covariance = back @ np.concatenate([probit.theta, slope]), back @ covariance @ back.T
    sigma, independent = float(np.sqrt(sigma2)), probit.log_likelihood + _normal_log_likelihood(y, x)
    return Steps(theta, (covariance + covariance.T) / 2, sigma, float(slope[-1]) / sigma, probit, independent)


def _normal_log_likelihood(y: np.ndarray, x: np.ndarray) -> float:
    """Log-likelihood of y (n,) on x (n, k) at its maximum."""
    slope = slopes_of(x, y)
    return float(-0.5 * len(y) * (np.log(2 * np.pi * ((y - x @ slope) ** 2).mean()) + 1))


def full_likelihood(problem: SelectionProblem, steps: Steps) -> Maximum:
    """Maximum likelihood, started from the two-step estimate.

    The likelihood may have several maxima. The two-step estimate is consistent, so the maximum that
    is reached from it is taken; that reached from independent equations only where the former is
    none, or lies below the likelihood of independent equations.
    """
    ones, unit = np.ones((len(problem.y), 1)), steps.sigma
    m, k = problem.z.shape[1], problem.x.shape[1]
    terms = heckman_terms(problem.y / unit, problem.chosen)
    slopes = np.concatenate([steps.theta[:m], steps.theta[m:-1] / unit])
    hint = "the correlation of the two equations may be at its limit, or a regressor predicts selection perfectly. Use the two-step estimate."
    found, failures = [], []
    for rho in (float(np.clip(steps.rho, -0.9, 0.9)), 0.0):
        start = np.concatenate([slopes, [0.0, np.arctanh(rho)]])
        try:
            best = maximise(terms, [problem.z, problem.x, ones, ones], start, hint)
        except ValueError as failure:
            failures.append(failure)
            continue
        found.append(best.in_unit(unit, slice(m, m + k), m + k, int(problem.chosen.sum())))
        if found[-1].log_likelihood >= steps.independent:
            break
    if not found:
        raise failures[0]
    return max(found, key=lambda best: best.log_likelihood)


def derived_from_likelihood(theta: np.ndarray, covariance: np.ndarray) -> pd.DataFrame:
    """sigma, rho and lambda with standard errors by the delta method."""
    sigma, rho = float(np.exp(theta[-2])), float(np.tanh(theta[-1]))
    slopes = np.array([[sigma, 0.0], [0.0, 1 - rho**2], [rho * sigma, sigma * (1 - rho**2)]])
    variances = np.einsum("ij,jk,ik->i", slopes, covariance[-2:, -2:], slopes)
    return derived_parameters([sigma, rho, rho * sigma], list(np.sqrt(variances)))


def derived_parameters(values: Sequence[float], errors: Sequence[float]) -> pd.DataFrame:
    return pd.DataFrame({"coefficient": values, "standard_error": errors}, index=pd.Index(["sigma", "rho", "lambda"], name="term"))
