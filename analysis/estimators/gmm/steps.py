"""The steps of linear panel GMM, for one set of stacked equations and instruments.

    one step    A1 = (sum_i Z_i' H Z_i)^-1,  b1 = (X'Z A1 Z'X)^-1 X'Z A1 Z'y
    two step    A2 = (sum_i Z_i' e1_i e1_i' Z_i)^-1, and b2 likewise

Sources: Arellano and Bond (1991), Blundell and Bond (1998), Windmeijer (2005), in the form of Roodman (2009), Stata Journal 9(1), section 2.
A weighting matrix that is singular is inverted after leaving out instruments, the one with the largest remaining pivot kept first, with
zeros in the rows and columns of the others, or by Moore and Penrose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack, solve_triangular

from analysis.estimators.core.options import GmmInverse
from analysis.estimators.gmm.instruments import Instruments

# A pivot of a scaled weighting matrix (L, L) below this, or below L times the machine's precision, is rounding: the instrument says
# nothing that others do not. Pivots of 1e-14 to 1e-13 are met where instruments are as many as units, and are real.
SMALLEST_PIVOT = 1e-14
# The same for regressors, which are fewer and may come from single precision.
SMALLEST_REGRESSOR_PIVOT = 1e-11
PRECISION = float(np.finfo(float).eps) / 2


@dataclass(frozen=True, eq=False)
class Equations:
    """Stacked equations: R rows (periods of the transformed, then of the level equation), N units, K regressors, L instruments.

    Attributes
    ----------
    y : (R, N), x : (K, R, N), both 0 in unused rows
    h : (R, R) covariance of one unit's errors, up to a factor, that the first step assumes
    error_rows : the rows whose residuals estimate the variance
    error_factor : variance of those residuals over that of the level errors
    error_count : rows that their sum of squares is divided by
    """

    y: np.ndarray
    x: np.ndarray
    z: Instruments
    h: np.ndarray
    error_rows: slice
    error_factor: float
    error_count: int
    inverse: GmmInverse


@dataclass(frozen=True, eq=False)
class Step:
    """One step's estimate with weights A (L, L), which are never formed themselves.

    Attributes
    ----------
    b : (K,) coefficients; errors : (R, N) residuals; ze : (L,) Z'e
    bread : (K, K) inverse of X'Z A Z'X
    a_zx, a_ze : (L, K) A Z'X, and (L,) A Z'e
    kept : (L,) instruments that are not combinations of others
    """

    b: np.ndarray
    errors: np.ndarray
    ze: np.ndarray
    bread: np.ndarray
    a_zx: np.ndarray
    a_ze: np.ndarray
    kept: np.ndarray

    @property
    def statistic(self) -> float:
        """Z'e A Z'e."""
        return float(self.ze @ self.a_ze)


@dataclass(frozen=True, eq=False)
class Estimate:
    """All that the tests need.

    Attributes
    ----------
    final : the step that is reported
    covariance : (K, K) of its coefficients, without small-sample factors
    sigma2 : variance of the level errors, from the final step's residuals; sigma2_first: from the first step's
    s_first : (L, L) sum of Z_i' H Z_i
    s : (L, L) the moments' covariance that difference-in-Hansen (or Sargan) tests use
    second : the two-step estimate, also where one step is reported with robust errors; None otherwise
    zx, zy : (L, K), (L,)
    """

    equations: Equations
    first: Step
    second: Step | None
    final: Step
    covariance: np.ndarray
    sigma2: float
    sigma2_first: float
    s_first: np.ndarray
    s: np.ndarray
    zx: np.ndarray
    zy: np.ndarray


def inverse_times(matrix: np.ndarray, right: np.ndarray, how: GmmInverse = "drop") -> tuple[np.ndarray, np.ndarray]:
    """The inverse of a symmetric positive semidefinite matrix (L, L) times (L, M), and which rows (L,) it keeps.

    One pivoted factorisation finds the rank and solves; the inverse itself is never formed. Moore and Penrose's inverse is the other one
    between two projections that take out the null space, which the factor gives whatever the units of the instruments are.
    """
    scaled, scale = _scaled(matrix)
    factor, order, found = _factorise(scaled)
    kept = np.zeros(len(matrix), dtype=bool)
    kept[order[:found]] = True
    project = how == "moore_penrose" and found < len(matrix)
    null = _null_space(factor, order, found, scale) if project else np.zeros((len(matrix), 0))
    wanted = right - null @ (null.T @ right)
    solved, _ = lapack.dpotrs(np.asfortranarray(factor[:found, :found]), (wanted.T / scale).T[order[:found]], lower=1)
    out = np.zeros_like(right)
    out[order[:found]] = (solved.T / scale[order[:found]]).T
    return out - null @ (null.T @ out), kept


def _null_space(factor: np.ndarray, order: np.ndarray, found: int, scale: np.ndarray) -> np.ndarray:
    """(L, L - found) orthonormal columns that the matrix sends to zero."""
    combination = solve_triangular(factor[:found, :found], factor[found:, :found].T, lower=True, trans="T")
    vectors = np.zeros((len(factor), len(factor) - found))
    vectors[order] = np.concatenate([-combination, np.eye(len(factor) - found)])
    return np.asarray(np.linalg.qr((vectors.T / scale).T)[0])


def rank(matrix: np.ndarray) -> int:
    """Rank of a symmetric positive semidefinite matrix."""
    return _factorise(_scaled(matrix)[0])[2]


def _factorise(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Lower triangular factor, largest pivot first; the number of the row that stands in each of its rows; and the rank."""
    lower, pivots, found, _ = lapack.dpstrf(scaled, tol=max(SMALLEST_PIVOT, len(scaled) * PRECISION), lower=1)
    return lower, pivots - 1, int(found)


def _scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The matrix with a diagonal of ones, and what its rows and columns were divided by."""
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale = np.where(size > 0, size, 1.0)
    return np.asfortranarray(matrix / np.outer(scale, scale)), scale


def independent(x: np.ndarray, constant: np.ndarray | None) -> np.ndarray:
    """Which of K columns (K, n) are not combinations of the constant (n,) and of columns before them."""
    if constant is not None:
        level = constant != 0
        x = x.copy()
        x[:, level] -= x[:, level].mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("kn,kn->k", x, x))
    gram = (x @ x.T) / np.outer(np.where(size > 0, size, 1.0), np.where(size > 0, size, 1.0))
    kept = np.zeros(len(x), dtype=bool)
    for k in range(len(x)):
        if size[k] == 0 or gram[k, k] <= SMALLEST_REGRESSOR_PIVOT:
            continue
        kept[k] = True
        gram[k + 1 :] -= np.outer(gram[k + 1 :, k] / gram[k, k], gram[k])
    return kept


def estimate(equations: Equations, steps: int, robust: bool, names: Sequence[str]) -> Estimate:
    """One- or two-step GMM; `robust` chooses the sandwich after one step and Windmeijer's correction after two."""
    z = equations.z
    both = z.cross(np.concatenate([equations.y[None], equations.x]))
    zy, zx = both[:, 0], both[:, 1:]
    s_first = z.weighting(equations.h)
    first = solve(equations, s_first, zx, zy, names)
    sigma2_first = _sigma2(equations, first.errors)
    if steps == 1 and not robust:
        covariance = first.bread * sigma2_first
        return Estimate(equations, first, None, first, covariance, sigma2_first, sigma2_first, s_first, s_first * sigma2_first, zx, zy)
    moments = z.moments(first.errors)
    s = moments @ moments.T
    second = solve(equations, s, zx, zy, names)
    projection = first.bread @ first.a_zx.T
    sandwich = projection @ s @ projection.T
    if steps == 1:
        return Estimate(equations, first, second, first, sandwich, sigma2_first, sigma2_first, s_first, s, zx, zy)
    covariance = _windmeijer(equations, second, moments, sandwich) if robust else second.bread
    return Estimate(equations, first, second, second, covariance, _sigma2(equations, second.errors), sigma2_first, s_first, s, zx, zy)


def solve(equations: Equations, s: np.ndarray, zx: np.ndarray, zy: np.ndarray, names: Sequence[str]) -> Step:
    """Coefficients that minimise Z'e weighted with the inverse of S (L, L)."""
    found = minimise(s, zx, zy, equations.inverse)
    if not found.identified.all():
        lost = ", ".join(name for name, identified in zip(names, found.identified, strict=True) if not identified)
        raise ValueError(f"the instruments do not identify {lost}: they say nothing about it beyond the other terms. Add instruments for it, or leave it out.")
    errors = equations.y - np.tensordot(found.b, equations.x, axes=1)
    return Step(found.b, errors, found.ze, found.bread, found.a_zx, found.a_ze, found.kept)


@dataclass(frozen=True, eq=False)
class Minimum:
    """What minimises Z'e weighted with the inverse of S: see Step; `identified` (K,) says which coefficients it determines."""

    b: np.ndarray
    ze: np.ndarray
    bread: np.ndarray
    a_zx: np.ndarray
    a_ze: np.ndarray
    kept: np.ndarray
    identified: np.ndarray


def minimise(s: np.ndarray, zx: np.ndarray, zy: np.ndarray, inverse: GmmInverse) -> Minimum:
    """The weighted minimum from moments alone: S (L, L), Z'X (L, K), Z'y (L,)."""
    weighed, kept = inverse_times(s, np.column_stack([zx, zy]), inverse)
    a_zx, a_zy = weighed[:, :-1], weighed[:, -1]
    information = zx.T @ a_zx
    bread, identified = inverse_times((information + information.T) / 2, np.eye(zx.shape[1]))
    b = bread @ (zx.T @ a_zy)
    return Minimum(b, zy - zx @ b, bread, a_zx, a_zy - a_zx @ b, kept, identified)


def _sigma2(equations: Equations, errors: np.ndarray) -> float:
    part = errors[equations.error_rows]
    return float(np.vdot(part, part)) / equations.error_factor / equations.error_count


def _windmeijer(equations: Equations, second: Step, moments: np.ndarray, sandwich: np.ndarray) -> np.ndarray:
    """Covariance after two steps, corrected for the first step's errors in A2 (Windmeijer 2005, equation 2.18; Roodman 2009, 2.4)."""
    by_unit = second.a_ze @ moments
    predicted = np.einsum("krn,rn->kn", equations.x, equations.z.combined(second.a_ze))
    change = equations.z.cross(equations.x * by_unit) + moments @ predicted.T
    d = second.bread @ second.a_zx.T @ change
    covariance = second.bread + d @ sandwich @ d.T + 2 * d @ second.bread
    return (covariance + covariance.T) / 2
