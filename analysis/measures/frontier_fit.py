"""Maximum likelihood for stochastic frontiers: starts as FRONTIER 4.1 makes them, Newton from
several to a gradient that is all rounding.

The outcome counts in its spread and regressors are orthonormal, so that units decide nothing; sums,
factorisations and the search itself use `plain`, so that the processor decides nothing either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from analysis.measures import plain
from analysis.measures.frontier_likelihood import ExponentialFrontier, FrontierData, NormalFrontier

STEP = 1e-30
GRADIENT_GOAL = 1e-8
NEWTON_STEPS = 120
NOTHING_LEFT = 1e-9
# Inefficiency of less than a millionth of the variance is none: the likelihood is flat below that.
NO_INEFFICIENCY = 1e-6
NO_NOISE = 1 - 1e-9
# A normal cut so many standard deviations from its mean is an exponential to three digits and more:
# mu and sigma_u are no longer told apart.
FAR_OUT = 50.0
# Where a climb has not arrived after all its steps and mu is so many sigma_u away, it is on the way
# there.
ON_THE_WAY = 8.0
# Of the variance of half-normal inefficiency, 1 - 2/pi is left around its mean (FRONTIER 4.1, grid
# search).
HALF_NORMAL_LOSS = 2 / np.pi
GRIDS: tuple[tuple[float, ...], ...] = (
    tuple(np.arange(1, 10) / 10),
    tuple(np.arange(-9, 10) / 100),
)

Likelihood = NormalFrontier | ExponentialFrontier


class FrontierError(ValueError):
    """The likelihood has no maximum that can be reached."""


@dataclass(frozen=True)
class LeastSquares:
    """The frontier without inefficiency: coefficients (k,), residual variance with n - k below,
    log-likelihood of the normal model.
    """

    beta: np.ndarray
    variance: float
    log_likelihood: float


@dataclass(frozen=True)
class Optimum:
    """Where the likelihood is highest.

    Attributes
    ----------
    theta : all parameters as the likelihood orders them
    free : (p, p) covariance of the free parameters; those held at a bound are left out
    held : positions of parameters that are held
    """

    theta: np.ndarray
    free: np.ndarray
    held: tuple[int, ...]
    log_likelihood: float
    gradient_norm: float
    steps: int


def least_squares(data: FrontierData) -> LeastSquares:
    """Ordinary least squares of the outcome on the frontier's regressors."""
    n, _, k, _ = data.sizes
    beta = plain.least_squares(data.x, data.y, NOTHING_LEFT)
    square = float(np.sum((data.y - plain.times(data.x, beta)) ** 2))
    return LeastSquares(beta, square / (n - k), -n / 2 * (np.log(2 * np.pi * square / n) + 1))


def grid_start(likelihood: Likelihood, ols: LeastSquares) -> np.ndarray:
    """The best of FRONTIER 4.1's grid: gamma by tenths, then by hundredths; constant and variance
    corrected for it, the rest zero.

    The first column of x is the constant.
    """
    best = max((shifted_start(likelihood, ols, gamma) for gamma in GRIDS[0]), key=likelihood.value)
    middle = _gamma_of(likelihood, best)
    nearby = [gamma for gamma in middle + np.array(GRIDS[1]) if 0 < gamma < 1]
    return max(
        [best, *(shifted_start(likelihood, ols, gamma) for gamma in nearby)], key=likelihood.value
    )


def shifted_start(
    likelihood: Likelihood, ols: LeastSquares, gamma: float, mu: float = 0.0, eta: float = 0.0
) -> np.ndarray:
    """Parameters at which the half-normal with this gamma has the mean and variance of the
    least-squares residuals.

    `mu` is given in units of sigma_u and put on the first inefficiency term, which is the constant
    where there is one.
    """
    data = likelihood.data
    n, _, k, m = data.sizes
    variance = ols.variance * (n - k) / n / (1 - HALF_NORMAL_LOSS * gamma)
    beta = ols.beta.copy()
    beta[0] += data.sign * np.sqrt(HALF_NORMAL_LOSS * gamma * variance) / data.x[0, 0]
    delta = np.zeros(m)
    delta[:1] = mu * np.sqrt(gamma * variance)
    return np.concatenate([beta, delta, [variance, gamma], [eta] if data.decays else []])


def _gamma_of(likelihood: Likelihood, theta: np.ndarray) -> float:
    _, _, k, m = likelihood.data.sizes
    return float(theta[k + m + 1])


class Surface:
    """A likelihood over parameters that may take any value: ln sigma^2 and logit gamma; with
    `ratio`, mu = ratio * sigma_u is held.
    """

    def __init__(self, likelihood: Likelihood, ratio: float | None = None) -> None:
        self.likelihood, self.ratio = likelihood, ratio
        _, _, k, m = likelihood.data.sizes
        self.spot = k + m  # of sigma^2 among all parameters
        self.held: tuple[int, ...] = (k,) if ratio is not None else ()
        size = self.spot + 2 + likelihood.data.decays
        self.kept = np.array([position for position in range(size) if position not in self.held])

    def theta(self, natural: np.ndarray) -> np.ndarray:
        """All parameters from the free ones."""
        full = np.zeros(len(self.kept) + len(self.held), dtype=natural.dtype)
        full[self.kept] = natural
        if self.ratio is not None:
            full[self.held[0]] = self.ratio * np.sqrt(full[self.spot] * full[self.spot + 1])
        return full

    def natural_gradient(self, natural: np.ndarray) -> np.ndarray:
        """Derivatives by the free parameters, sigma^2 and gamma as they are."""
        full = self.theta(natural)
        slope = self.likelihood.gradient(full)
        if self.ratio is not None:
            through_mu = slope[self.held[0]] * full[self.held[0]] / 2
            slope[self.spot] += through_mu / full[self.spot]
            slope[self.spot + 1] += through_mu / full[self.spot + 1]
        return slope[self.kept]

    def unfold(self, phi: np.ndarray) -> np.ndarray:
        """Free parameters from the unbounded ones."""
        natural = phi.copy()
        at = self.spot - len(self.held)
        natural[at] = np.exp(phi[at])
        natural[at + 1] = 1 / (1 + np.exp(-phi[at + 1]))
        return natural

    def fold(self, theta: np.ndarray) -> np.ndarray:
        """Unbounded parameters from all parameters."""
        phi = theta[self.kept].copy()
        at = self.spot - len(self.held)
        phi[at], phi[at + 1] = np.log(phi[at]), special.logit(phi[at + 1])
        return phi

    def value(self, phi: np.ndarray) -> float:
        return self.likelihood.value(self.theta(self.unfold(phi)))

    def gradient(self, phi: np.ndarray) -> np.ndarray:
        natural = self.unfold(phi)
        slope = self.natural_gradient(natural)
        at = self.spot - len(self.held)
        slope[at] *= natural[at]
        slope[at + 1] *= natural[at + 1] * (1 - natural[at + 1])
        return slope


def second_derivatives(gradient: object, point: np.ndarray) -> np.ndarray:
    """Matrix of second derivatives by a complex step through the gradient: no difference is taken,
    so no digit is lost.
    """
    size = len(point)
    out = np.empty((size, size))
    for position in range(size):
        moved = point.astype(complex)
        moved[position] += 1j * STEP
        out[:, position] = np.imag(gradient(moved)) / STEP  # type: ignore[operator]
    return (out + out.T) / 2


def maximise(
    likelihood: Likelihood, starts: Sequence[np.ndarray], ratio: float | None = None
) -> Optimum | None:
    """The highest maximum reached from the starts, or None where inefficiency shrinks to nothing.

    Raises
    ------
    FrontierError : the noise shrinks to nothing, mu runs off, or the gradient does not vanish.
    """
    surface = Surface(likelihood, ratio)
    best: tuple[float, np.ndarray, int] | None = None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for start in starts:
            climbed = _climb(surface, surface.fold(start))
            if np.isfinite(climbed[0]) and (best is None or climbed[0] > best[0]):
                best = climbed
    if best is None:
        raise FrontierError(
            "the likelihood is finite at none of the starting values. Rescale the columns to "
            "comparable sizes."
        )
    value, phi, steps = best
    natural = surface.unfold(phi)
    theta = surface.theta(natural)
    if _gamma_of(likelihood, theta) < NO_INEFFICIENCY:
        return None
    norm = float(np.max(np.abs(surface.gradient(phi))))
    _refuse_limits(likelihood, theta, norm)
    information = -second_derivatives(surface.natural_gradient, natural)
    return Optimum(theta, _inverse(information), surface.held, value, norm, steps)


def _climb(surface: Surface, phi: np.ndarray) -> tuple[float, np.ndarray, int]:
    """Newton's steps, uphill also where the surface bends up, until the gradient is all rounding or
    no step climbs.
    """
    value, steps = surface.value(phi), 0
    # A derivative is a sum of terms of size one, one a row, each rounded.
    rounding = np.finfo(float).eps * len(surface.likelihood.data.y)
    for _ in range(NEWTON_STEPS):
        slope = surface.gradient(phi)
        second = -second_derivatives(surface.gradient, phi)
        norm = float(np.max(np.abs(slope)))
        if not (np.isfinite(norm) and np.all(np.isfinite(second))):
            break
        curvature, axes = plain.eigen(second)
        bend = np.maximum(np.abs(curvature), 1e-12 * max(float(np.max(np.abs(curvature))), 1e-300))
        move = plain.times(axes, plain.cross(axes, slope) / bend)
        found = _line_search(surface, phi, value, move, float(plain.dot(slope, move)), norm)
        if found is None:
            break
        phi, value, steps = found[0], found[1], steps + 1
        if norm <= rounding:
            break
    return value, phi, steps


def _line_search(
    surface: Surface, phi: np.ndarray, value: float, move: np.ndarray, gain: float, norm: float
) -> tuple[np.ndarray, float] | None:
    """The Newton step or a part of it: up the likelihood while that can be seen, then down the
    gradient until rounding stops it.
    """
    rounding = 1e-13 * max(1.0, abs(value))
    for halving in range(30):
        trial = phi + move / 2**halving
        reached = surface.value(trial)
        if not np.isfinite(reached):
            continue
        if reached > value + max(rounding, 1e-4 * gain / 2**halving):
            return trial, reached
        if (
            reached > value - rounding
            and float(np.max(np.abs(surface.gradient(trial)))) < 0.9 * norm
        ):
            return trial, reached
    return None


def _refuse_limits(likelihood: Likelihood, theta: np.ndarray, norm: float) -> None:
    data = likelihood.data
    _, _, k, m = data.sizes
    gamma, sigma_u = theta[k + m + 1], np.sqrt(theta[k + m] * theta[k + m + 1])
    ratio = float(np.mean(plain.times(data.w, theta[k : k + m]))) / sigma_u
    if abs(ratio) > (FAR_OUT if norm <= GRADIENT_GOAL else ON_THE_WAY):
        raise FrontierError(
            f"the likelihood keeps rising as mu moves off (mu is {ratio:.3g} sigma_u, gamma"
            f" {gamma:.6f}): the truncated normal turns into an exponential. Use"
            " distribution='exponential' or 'half_normal', or give a mu_bound."
        )
    if gamma > NO_NOISE:
        raise FrontierError(
            "the likelihood rises as the noise vanishes (gamma goes to 1): every row lies on "
            "one side. Use data envelopment, or check the outcome."
        )
    if not norm <= GRADIENT_GOAL:
        raise FrontierError(
            f"the gradient of the log-likelihood is {norm:.2e} where no step climbs further;"
            f" {GRADIENT_GOAL:g} is asked. Rescale the columns."
        )


def _inverse(information: np.ndarray) -> np.ndarray:
    """Covariance from the information; NaN where it is not positive definite, so that no standard
    error is invented.
    """
    if not np.all(np.isfinite(information)):
        return np.full(information.shape, np.nan)
    roots, axes = plain.eigen(information)
    return plain.times(axes / roots, axes.T) if roots[0] > 0 else np.full(information.shape, np.nan)


def orthonormal(matrix: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Columns of unit mean square that span the same space, and the upper triangle that leads back:
    matrix = basis @ triangle.

    Raises
    ------
    ValueError : a column that is a combination of those before it, named.
    """
    if not matrix.shape[1]:
        return matrix, np.zeros((0, 0))
    root = np.sqrt(len(matrix))
    size = np.sqrt(np.mean(matrix**2, axis=0))
    if np.any(size == 0):
        raise ValueError(
            f"column {names[int(np.argmin(size))]!r} is zero in every row that is used. Leave it"
            " out."
        )
    basis, triangle, kept = plain.orthonormal(matrix / size, NOTHING_LEFT)
    lost = np.setdiff1d(np.arange(matrix.shape[1]), kept)
    if len(lost):
        raise ValueError(
            f"column {names[int(lost[0])]!r} is a combination of the columns before it (or there"
            " are too few rows). Leave it out."
        )
    return basis * root, triangle * size / root


def with_columns(data: FrontierData, y: np.ndarray, x: np.ndarray, w: np.ndarray) -> FrontierData:
    """The same rows with another outcome and other regressors."""
    return replace(data, y=y, x=x, w=w)
