"""Log-likelihoods of probit, Tobit and Heckman's model with analytic derivatives, and the maximiser
for them.

Each likelihood is a function of a few indices per row (x'b, z'g, ln sigma, atanh rho). It returns
the terms (n,), the derivatives (n, m) by index and the second derivatives (n, m, m); designs turn
these into the score and Hessian of the coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, special

LOG_ROOT_2PI = 0.5 * np.log(2 * np.pi)
Terms = tuple[np.ndarray, np.ndarray, np.ndarray]
# The largest derivative of the mean log-likelihood, by coefficients of orthonormal columns, that
# counts as zero.
GRADIENT_ZERO = 1e-9
POLISHING_STEPS = 30


@dataclass(frozen=True, eq=False)
class Maximum:
    """A maximised likelihood.

    Attributes
    ----------
    theta : (k,) coefficients, in the order of the designs' columns
    log_likelihood : its value
    inverse : (k, k) of minus the Hessian
    influence : (n, k) derivatives of each row's term times that inverse: what the row moves the
        estimate by
    gradient : largest derivative of the mean log-likelihood by a coefficient of an orthonormal
        column
    """

    theta: np.ndarray
    log_likelihood: float
    inverse: np.ndarray
    influence: np.ndarray
    gradient: float

    def in_unit(self, unit: float, slopes: slice, log_sigma: int, seen: int) -> Maximum:
        """The maximum for an outcome `unit` times as large.

        Parameters
        ----------
        unit : what the outcome is to be multiplied by
        slopes, log_sigma : where the outcome's coefficients and the log of its spread stand
        seen : rows that enter with a density, not a probability
        """
        factor = np.ones(len(self.theta))
        factor[slopes] = unit
        theta = self.theta * factor
        theta[log_sigma] += np.log(unit)
        return Maximum(
            theta=theta,
            log_likelihood=self.log_likelihood - seen * float(np.log(unit)),
            inverse=self.inverse * np.outer(factor, factor),
            influence=self.influence * factor,
            gradient=self.gradient,
        )


def inverse_mills(x: np.ndarray) -> np.ndarray:
    """phi(x) / Phi(x), right in both tails."""
    return np.asarray(np.exp(-0.5 * x * x - LOG_ROOT_2PI - special.log_ndtr(x)))


def _log_cdf(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln Phi(x) with its first and second derivative."""
    mills = inverse_mills(x)
    return special.log_ndtr(x), mills, -mills * (mills + x)


def _through_argument(
    x: np.ndarray, first: Sequence[np.ndarray], second: Sequence[Sequence[np.ndarray]]
) -> Terms:
    """ln Phi(x) as a function of the indices, from the first and second derivatives of x
    by them.
    """
    value, slope, curve = _log_cdf(x)
    by = np.stack([np.broadcast_to(part, x.shape) for part in first], axis=1)
    twice = np.stack(
        [np.stack([np.broadcast_to(part, x.shape) for part in row], axis=1) for row in second],
        axis=1,
    )
    return (
        value,
        slope[:, None] * by,
        curve[:, None, None] * by[:, :, None] * by[:, None, :] + slope[:, None, None] * twice,
    )


def probit_terms(chosen: np.ndarray) -> Callable[[np.ndarray], Terms]:
    """Probit of chosen (n,) in 0, 1; one index z'g."""
    sign = np.where(chosen > 0, 1.0, -1.0)

    def terms(index: np.ndarray) -> Terms:
        value, slope, curve = _log_cdf(sign * index[:, 0])
        return value, (sign * slope)[:, None], curve[:, None, None]

    return terms


def tobit_terms(
    outcome: np.ndarray, left: float, right: float, unit: float = 1.0
) -> Callable[[np.ndarray], Terms]:
    """Tobit of outcome (n,) with limits, rows at or beyond a limit being censored there.

    Its indices are x'b and ln sigma, both of the outcome divided by the unit. Which rows are
    censored is settled before the division could round them onto a limit.
    """
    scaled, censored = (
        outcome / unit,
        ((outcome <= left, left / unit, -1.0), (outcome >= right, right / unit, 1.0)),
    )

    def terms(index: np.ndarray) -> Terms:
        mean, log_sigma = index[:, 0], index[:, 1]
        inverse = np.exp(-log_sigma)
        u = (scaled - mean) * inverse
        value = -0.5 * u * u - log_sigma - LOG_ROOT_2PI
        slope = np.stack([u * inverse, u * u - 1], axis=1)
        mixed = -2 * u * inverse
        curve = np.stack(
            [np.stack([-inverse * inverse, mixed], axis=1), np.stack([mixed, -2 * u * u], axis=1)],
            axis=1,
        )
        for rows, limit, sign in censored:
            if rows.any():
                x, by = sign * (mean - limit)[rows] * inverse[rows], sign * inverse[rows]
                value[rows], slope[rows], curve[rows] = _through_argument(
                    x, [by, -x], [[np.zeros_like(x), -by], [-by, x]]
                )
        return value, slope, curve

    return terms


def heckman_terms(outcome: np.ndarray, chosen: np.ndarray) -> Callable[[np.ndarray], Terms]:
    """Heckman's selection model (n,); indices z'g (selection), x'b (outcome), ln sigma and atanh
    rho.

    Row not selected: ln Phi(-z'g). Row selected: ln Phi(z'g cosh t + u sinh t) - u^2/2 - ln sigma -
    ln sqrt(2 pi), with u = (y - x'b) / sigma and t = atanh rho (Amemiya 1985, equation 10.7.3).
    """
    inside = chosen > 0

    def terms(index: np.ndarray) -> Terms:
        n = len(index)
        value, slope, curve = np.empty(n), np.zeros((n, 4)), np.zeros((n, 4, 4))
        out = ~inside
        value[out], by, twice = _log_cdf(-index[out, 0])
        slope[out, 0], curve[out, 0, 0] = -by, twice
        value[inside], slope[inside], curve[inside] = _selected(outcome[inside], index[inside])
        return value, slope, curve

    return terms


def _selected(outcome: np.ndarray, index: np.ndarray) -> Terms:
    a, mean, log_sigma, t = index.T
    inverse, c, s = np.exp(-log_sigma), np.cosh(t), np.sinh(t)
    u = (outcome - mean) * inverse
    x = a * c + u * s
    none = np.zeros_like(u)
    first = [c, -s * inverse, -u * s, a * s + u * c]
    second = [
        [none, none, none, s],
        [none, none, s * inverse, -c * inverse],
        [none, s * inverse, u * s, -u * c],
        [s, -c * inverse, -u * c, x],
    ]
    value, slope, curve = _through_argument(x, first, second)
    value = value - 0.5 * u * u - log_sigma - LOG_ROOT_2PI
    slope = slope + np.stack([none, u * inverse, u * u - 1, none], axis=1)
    curve[:, 1, 1] -= inverse * inverse
    curve[:, 2, 2] -= 2 * u * u
    curve[:, 1, 2] -= 2 * u * inverse
    curve[:, 2, 1] -= 2 * u * inverse
    return value, slope, curve


def maximise(
    terms: Callable[[np.ndarray], Terms],
    designs: Sequence[np.ndarray],
    start: np.ndarray,
    hint: str,
) -> Maximum:
    """Maximise a likelihood whose indices are designs (n, k_j) times coefficients, from start (k,).

    The search runs on orthonormal columns, so neither the units of the regressors nor columns that
    are nearly combinations of each other slow it down. A trust-region Newton method of scipy comes
    near the maximum; plain Newton steps then go on until the gradient is no larger than the
    rounding of the sums that it consists of.

    Raises
    ------
    ValueError : no maximum inside (the message ends with the hint on what that means for this
        model).
    """
    bases, maps = zip(*(orthonormal(design) for design in designs), strict=True)
    back = linalg.block_diag(*maps)
    problem = _Problem(terms, bases)
    found = optimize.minimize(
        problem.value,
        linalg.solve_triangular(back, start),
        jac=problem.gradient,
        hess=problem.hessian,
        method="trust-exact",
        options={"gtol": 1e-7},
    )
    at = _polished(problem, found.x, hint)
    largest = float(np.abs(problem.gradient(at)).max())
    if not largest <= GRADIENT_ZERO:
        raise ValueError(
            f"the likelihood's derivative stays at {largest:.1e}, no maximum was reached: {hint}"
        )
    value, slopes, _ = problem.terms_at(at)
    scores = np.hstack([slopes[:, [j]] * basis for j, basis in enumerate(bases)])
    inverse = np.linalg.inv(problem.hessian(at) * len(value))
    covariance = back @ inverse @ back.T
    return Maximum(
        theta=back @ at,
        log_likelihood=float(value.sum()),
        inverse=(covariance + covariance.T) / 2,
        influence=scores @ inverse @ back.T,
        gradient=largest,
    )


def orthonormal(design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A basis (n, k) of the design's columns with unit mean squares, and the triangle (k, k) that
    makes it: basis = design triangle.
    """
    root = np.sqrt(len(design))
    size = np.sqrt((design**2).mean(axis=0))
    q, r = np.linalg.qr(design / size)
    return q * root, linalg.solve_triangular(r, np.eye(len(r))) * root / size[:, None]


def _polished(problem: _Problem, theta: np.ndarray, hint: str) -> np.ndarray:
    """Newton steps, the last one taken where the gradient is all rounding."""
    for _ in range(POLISHING_STEPS):
        gradient, hessian = problem.gradient(theta), problem.hessian(theta)
        if not np.isfinite(gradient).all() or np.linalg.eigvalsh(hessian)[0] <= 1e-12:
            raise ValueError(f"the likelihood has no maximum to find: {hint}")
        settled = (np.abs(gradient) <= problem.rounding(theta)).all()
        theta = theta - np.linalg.solve(hessian, gradient)
        if settled:
            break
    return theta


class _Problem:
    """Minus the mean log-likelihood and its derivatives by the coefficients of the scaled designs,
    computed once a point.
    """

    def __init__(self, terms: Callable[[np.ndarray], Terms], designs: Sequence[np.ndarray]) -> None:
        self._terms = terms
        self._designs = list(designs)
        self._ends = np.cumsum([design.shape[1] for design in designs])[:-1]
        self._point = np.empty(0)
        self._held: Terms | None = None

    def terms_at(self, theta: np.ndarray) -> Terms:
        if self._held is None or not np.array_equal(theta, self._point):
            parts = np.split(theta, self._ends)
            with np.errstate(over="ignore", invalid="ignore"):
                self._held = self._terms(
                    np.stack(
                        [design @ part for design, part in zip(self._designs, parts, strict=True)],
                        axis=1,
                    )
                )
            self._point = theta.copy()
        return self._held

    def value(self, theta: np.ndarray) -> float:
        mean = -float(self.terms_at(theta)[0].mean())
        return mean if np.isfinite(mean) else 1e300

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        _, slopes, _ = self.terms_at(theta)
        return -np.concatenate(
            [design.T @ slopes[:, j] for j, design in enumerate(self._designs)]
        ) / len(slopes)

    def rounding(self, theta: np.ndarray) -> np.ndarray:
        """How far from zero rounding alone leaves each element of the gradient: a unit in the last
        place of the sum of the sizes of its terms.
        """
        _, slopes, _ = self.terms_at(theta)
        sizes = [
            np.abs(design * slopes[:, [j]]).mean(axis=0) for j, design in enumerate(self._designs)
        ]
        return np.finfo(float).eps * np.concatenate(sizes)

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        _, _, curves = self.terms_at(theta)
        blocks = [
            [left.T @ (curves[:, i, j, None] * right) for j, right in enumerate(self._designs)]
            for i, left in enumerate(self._designs)
        ]
        return -np.block(blocks) / len(curves)
