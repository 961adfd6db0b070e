"""Coefficients of an instrumented equation: k-class (2SLS, LIML, Fuller) and two-step GMM, from an
orthonormal basis of the instruments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis.estimators.core.tall import decomposed
from analysis.estimators.iv.equation import Model, residual_maker


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted equation; the covariance is in large-sample form.

    Attributes
    ----------
    beta : (k,) coefficients, the endogenous first
    covariance : (k, k)
    residual : (n,) weighted residual
    kappa : the k of a k-class estimator, 1 for 2SLS; None for GMM
    smallest_root : smallest root of the LIML equation, None for 2SLS and GMM
    """

    beta: np.ndarray
    covariance: np.ndarray
    residual: np.ndarray
    kappa: float | None
    smallest_root: float | None


def symmetric_inverse(matrix: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric matrix, scaled to a unit diagonal first."""
    scale = 1 / np.sqrt(np.abs(np.diag(matrix)))
    inverse = np.linalg.inv(matrix * np.outer(scale, scale))
    return np.asarray((inverse + inverse.T) / 2 * np.outer(scale, scale))


def is_singular(matrix: np.ndarray) -> bool:
    """A covariance that cannot be inverted: fewer clusters than columns, or columns that cancel."""
    diagonal = np.diag(matrix)
    if not np.isfinite(matrix).all() or (diagonal <= 0).any():
        return True
    scale = 1 / np.sqrt(diagonal)
    values = np.linalg.eigvalsh(matrix * np.outer(scale, scale))
    return bool(np.abs(values).min() <= 1e-11 * np.abs(values).max())


def two_stage(model: Model, q: np.ndarray) -> np.ndarray:
    """(k,) 2SLS coefficients, with the instruments given by an orthonormal basis q (n, l).

    Raises
    ------
    ValueError : when the instruments do not identify all coefficients.
    """
    size = model.x_size
    projected = model.x_on(q) / size
    if np.linalg.matrix_rank(projected, tol=1e-10) < model.k:
        raise ValueError(
            f"the instruments {', '.join(model.names_z1)} do not identify the coefficients of"
            f" {', '.join(model.names_x1)}: what they predict of these columns is a combination of"
            " the other regressors. Use other instruments."
        )
    solved, *_ = np.linalg.lstsq(projected, q.T @ model.y, rcond=None)
    return np.asarray(solved / size)


def k_class(model: Model, kappa: float | None = None, fuller: float | None = None) -> Fit:
    """k-class estimate: (X'(I - k M_Z)X)^-1 X'(I - k M_Z)y, Davidson and MacKinnon (1993), section
    18.5.

    kappa 1 is 2SLS. kappa None is LIML: the smallest root of det([y X1]'(M_X2 - k M_Z)[y X1]) = 0;
    fuller a then takes a / (N - L) off the root (Fuller 1977). Robust covariances put X2, and what
    the instruments predict of X1, on both sides of the inverse of X'(I - k M_Z)X, as ivreg2 does.
    """
    q = model.q
    root = None
    if kappa is None:
        root = liml_root(model)
        kappa = root - (fuller / model.df_instruments if fuller is not None else 0.0)
    x, y, size = model.x, model.y, model.x_size
    beta = two_stage(model, q)
    projected = model.x_on(q) / size
    inner = projected.T @ projected
    if kappa != 1.0:
        left_x, left_y = residual_maker(x / size, q), residual_maker(y[:, None], q)[:, 0]
        inner = inner + (1 - kappa) * (left_x.T @ left_x)
        beta = (
            np.linalg.solve(inner, projected.T @ (q.T @ y) + (1 - kappa) * (left_x.T @ left_y))
            / size
        )
    bread = symmetric_inverse(inner) / np.outer(size, size)
    residual = y - x @ beta
    if model.errors.kind == "iid":
        covariance = float(residual @ residual) / model.n * bread
    else:
        half = bread @ (projected * size).T
        covariance = half @ model.errors.moment_covariance(q, residual, model.n) @ half.T
    return Fit(beta, (covariance + covariance.T) / 2, residual, kappa, root)


def liml_root(model: Model) -> float:
    """Smallest root k of det(W'M_X2 W - k W'M_Z W) = 0 with W = [y X1]; 1 or more, and 1 when just
    identified."""
    if model.l1 == model.x1.shape[1]:
        return 1.0
    w = np.column_stack([model.y, model.x1])
    w = residual_maker(w, model.q_exogenous)
    outer = w / np.linalg.norm(w, axis=0)
    inner = residual_maker(outer, model.q)
    # The roots are the inverse squares of the cosines between what is left before and after the
    # instruments.
    upper = decomposed(outer)[1]
    rotated = linalg.solve_triangular(upper, inner.T @ inner, trans="T")
    shares = np.linalg.eigvalsh(linalg.solve_triangular(upper, rotated.T, trans="T"))
    return float(1 / shares.max())


def two_step_gmm(model: Model) -> Fit:
    """Efficient two-step GMM: 2SLS, the covariance S of its moments, then the coefficients that
    minimise g'S^-1 g (Hansen 1982).

    Raises
    ------
    ValueError : S cannot be inverted, which fewer clusters than instruments make certain.
    """
    q = model.q
    first = model.y - model.x @ two_stage(model, q)
    weight = model.errors.moment_covariance(q, first, model.n)
    if is_singular(weight):
        raise ValueError(
            f"two-step GMM cannot weigh {q.shape[1]} instruments: the covariance of their moments"
            " has no inverse. Use more clusters than instruments, fewer instruments, or estimator"
            " '2sls'."
        )
    beta, inverse = _weighted(model, q, weight)
    return Fit(beta, inverse, model.y - model.x @ beta, None, None)


def _weighted(model: Model, q: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (k,) that minimise (q'e)'W^-1(q'e), and the inverse (k, k) of X'q W^-1 q'X."""
    size = model.x_size
    slope = model.x_on(q) / size
    solved = np.linalg.solve(weight, slope)
    inverse = symmetric_inverse(slope.T @ solved)
    beta = inverse @ (solved.T @ (q.T @ model.y)) / size
    return beta, inverse / np.outer(size, size)


def smallest_distance(model: Model, q: np.ndarray, residual: np.ndarray) -> float:
    """Hansen's J of the equation with the instruments of an orthonormal basis q (n, l): the minimum
    of g'S^-1 g with S from the residual given (n,).

    NaN when S has no inverse.
    """
    weight = model.errors.moment_covariance(q, residual, model.n)
    if is_singular(weight):
        return float("nan")
    beta, _ = _weighted(model, q, weight)
    moments = q.T @ (model.y - model.x @ beta)
    return float(moments @ np.linalg.solve(weight, moments))
