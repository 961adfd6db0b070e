"""The steps of linear panel GMM, for one set of stacked equations and instruments.

    one step    A1 = (sum_i Z_i' H Z_i)^-1,  b1 = (X'Z A1 Z'X)^-1 X'Z A1 Z'y
    two step    A2 = (sum_i Z_i' e1_i e1_i' Z_i)^-1, and b2 likewise

Sources: Arellano and Bond (1991), Blundell and Bond (1998), Windmeijer (2005), in the form of
Roodman (2009), Stata Journal 9(1), section 2. A weighting matrix that is singular is inverted as
gmm.inverse says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.options import GmmInverse
from analysis.estimators.gmm.instruments import Instruments
from analysis.estimators.gmm.inverse import inverse_times


@dataclass(frozen=True, eq=False)
class Equations:
    """Stacked equations: R rows (periods of the transformed, then of the level equation), N units,
    K regressors, L instruments.

    Attributes
    ----------
    y : (R, N), x : (K, R, N), both 0 in unused rows
    used : (R, N) rows in the estimate
    h : (R, R) covariance of one unit's errors, up to a factor, that the first step assumes
    error_rows : the rows whose residuals estimate the variance
    error_factor : variance of those residuals over that of the level errors
    error_count : rows that their sum of squares is divided by
    """

    y: np.ndarray
    x: np.ndarray
    used: np.ndarray
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
    sigma2 : variance of the level errors, from the final step's residuals; sigma2_first: from the
        first step's
    s_first : (L, L) sum of Z_i' H Z_i
    s : (L, L) the moments' covariance that difference-in-Hansen (or Sargan) tests use
    second : the two-step estimate, also where one step is reported with robust errors; None
        otherwise
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


def estimate(equations: Equations, steps: int, robust: bool, names: Sequence[str]) -> Estimate:
    """One- or two-step GMM; `robust` chooses the sandwich after one step and Windmeijer's
    correction after two."""
    z = equations.z
    both = z.cross(np.concatenate([equations.y[None], equations.x]))
    zy, zx = both[:, 0], both[:, 1:]
    s_first = z.weighting(equations.h)
    first = solve(equations, s_first, zx, zy, names)
    sigma2_first = _sigma2(equations, first.errors)
    second, final = None, first
    s, covariance = s_first * sigma2_first, first.bread * sigma2_first
    if steps == 2 or robust:
        moments = z.moments(first.errors)
        s = moments @ moments.T
        second = solve(equations, s, zx, zy, names)
        projection = first.bread @ first.a_zx.T
        covariance = projection @ s @ projection.T
    if second is not None and steps == 2:
        final = second
        covariance = _windmeijer(equations, second, moments, covariance) if robust else second.bread
    return Estimate(
        equations=equations,
        first=first,
        second=second,
        final=final,
        covariance=covariance,
        sigma2=_sigma2(equations, final.errors),
        sigma2_first=sigma2_first,
        s_first=s_first,
        s=s,
        zx=zx,
        zy=zy,
    )


def solve(
    equations: Equations, s: np.ndarray, zx: np.ndarray, zy: np.ndarray, names: Sequence[str]
) -> Step:
    """Coefficients that minimise Z'e weighted with the inverse of S (L, L)."""
    found = minimise(s, zx, zy, equations.inverse)
    if not found.identified.all():
        lost = ", ".join(
            name for name, identified in zip(names, found.identified, strict=True) if not identified
        )
        raise ValueError(
            f"the instruments do not identify {lost}: they say nothing about it beyond the other"
            " terms. Add instruments for it, or leave it out."
        )
    errors = equations.y - np.tensordot(found.b, equations.x, axes=1)
    return Step(found.b, errors, found.ze, found.bread, found.a_zx, found.a_ze, found.kept)


@dataclass(frozen=True, eq=False)
class Minimum:
    """What minimises Z'e weighted with the inverse of S: see Step; `identified` (K,) says which
    coefficients it determines."""

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


def _windmeijer(
    equations: Equations, second: Step, moments: np.ndarray, sandwich: np.ndarray
) -> np.ndarray:
    """Covariance after two steps, corrected for the first step's errors in A2 (Windmeijer 2005,
    equation 2.18; Roodman 2009, 2.4)."""
    by_unit = second.a_ze @ moments
    predicted = np.einsum("krn,rn->kn", equations.x, equations.z.combined(second.a_ze))
    change = equations.z.cross(equations.x * by_unit) + moments @ predicted.T
    d = second.bread @ second.a_zx.T @ change
    covariance = second.bread + d @ sandwich @ d.T + 2 * d @ second.bread
    return (covariance + covariance.T) / 2
