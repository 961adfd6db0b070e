"""Log-likelihoods of stochastic frontiers with their gradients, and the inefficiency that they
imply.

Everything is written with h(z) = ln Phi(z) + z^2/2, which stays finite where Phi underflows, and
its derivative h'(z) = phi(z)/Phi(z) + z. Gradients take complex parameters with tiny imaginary
parts, so that a complex step through them gives second derivatives to machine precision. Sums are
those of `plain`, the same on every processor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from analysis.measures import plain

# below this z + phi/Phi loses digits by cancellation, and its continued fraction has long converged
FAR_TAIL = -20.0


def log_ratio(z: np.ndarray) -> np.ndarray:
    """h(z) = ln Phi(z) + z^2/2 for real z, of any size."""
    below = np.log(special.erfcx(-np.minimum(z, 0.0) / np.sqrt(2)) / 2)
    return np.where(z <= 0, below, special.log_ndtr(z) + z * z / 2)


def log_ratio_slope(z: np.ndarray) -> np.ndarray:
    """h'(z) = phi(z)/Phi(z) + z; of complex z the imaginary part is carried to first order, h''(z)
    = 1 - h'(z) phi(z)/Phi(z).
    """
    real = np.real(z)
    mills = np.sqrt(2 / np.pi) / special.erfcx(-real / np.sqrt(2))
    slope = np.where(real < FAR_TAIL, _far_slope(np.minimum(real, FAR_TAIL)), mills + real)
    if not np.iscomplexobj(z):
        return slope
    return slope + 1j * (1 - slope * (slope - real)) * np.imag(z)


def _far_slope(z: np.ndarray) -> np.ndarray:
    """h'(z) for z < -20 by Laplace's continued fraction 1/(x + 2/(x + 3/(x + ...))), x = -z."""
    x = -z
    tail = x
    for term in range(30, 1, -1):
        tail = x + term / tail
    return 1 / tail


@dataclass(frozen=True)
class FrontierData:
    """Rows sorted by group; a group shares one draw of inefficiency.

    Attributes
    ----------
    y : (n,) outcome
    x : (n, k) frontier regressors
    w : (g, m) regressors of the mean of the normal that is truncated, one row a group; m = 0 for
        the half-normal
    first : (g,) position of each group's first row
    tau : (n,) period less the base period, in which inefficiency is the group's draw itself
    sign : 1 where inefficiency lowers the outcome (production), -1 where it raises it (cost)
    decays : whether inefficiency is exp(-eta tau) times the group's draw
    """

    y: np.ndarray
    x: np.ndarray
    w: np.ndarray
    first: np.ndarray
    tau: np.ndarray
    sign: float
    decays: bool

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Rows, groups, frontier terms, inefficiency terms."""
        return len(self.y), len(self.first), self.x.shape[1], self.w.shape[1]


@dataclass(frozen=True)
class _Parts:
    """What value, gradient and efficiency share; names as in the formulas of `NormalFrontier`."""

    residual: np.ndarray
    sigma2: complex
    gamma: complex
    mu: np.ndarray
    scale: np.ndarray  # exp(-eta tau), (n,)
    weighted: np.ndarray  # A_i = sum of scale * residual, (g,)
    squares: np.ndarray  # S_i = sum of scale^2, (g,)
    variance: np.ndarray  # D_i, (g,)
    z: np.ndarray  # (g,)


class NormalFrontier:
    """Normal noise; inefficiency normal, truncated at zero: half-normal, Battese-Coelli (1992) and
    (1995) in one.

    y_it = x_it b + v_it - s u_it, u_it = exp(-eta tau_it) u_i, u_i ~ N+(mu_i, sigma_u^2), mu_i =
    w_i d, sigma^2 = sigma_u^2 + sigma_v^2, gamma = sigma_u^2 / sigma^2. With S_i, A_i the sums over
    a group of scale^2 and scale * residual, B_i = 1 + (S_i - 1) gamma, D_i = gamma (1 - gamma)
    sigma^2 B_i and z_i = (mu_i (1 - gamma) - s gamma A_i) / sqrt(D_i):

    ln L = -n/2 ln(2 pi sigma^2) - (n - g)/2 ln(1 - gamma) - sum ln(B_i)/2 - sum h(mu_i / sigma_u) +
    sum h(z_i) - sum residual^2 / (2 (1 - gamma) sigma^2)

    (Battese and Coelli 1992, appendix; 1995 with every row its own group.) Parameters in the order
    b (k), d (m), sigma^2, gamma[, eta].
    """

    def __init__(self, data: FrontierData) -> None:
        self.data = data

    def _parts(self, theta: np.ndarray) -> _Parts:
        data = self.data
        n, _, k, m = data.sizes
        sigma2, gamma = theta[k + m], theta[k + m + 1]
        scale = np.exp(-theta[k + m + 2] * data.tau) if data.decays else np.ones(n)
        residual = data.y - plain.times(data.x, theta[:k])
        mu = plain.times(data.w, theta[k : k + m])
        weighted = np.add.reduceat(scale * residual, data.first)
        squares = np.add.reduceat(scale * scale, data.first)
        variance = gamma * (1 - gamma) * sigma2 * (1 + (squares - 1) * gamma)
        z = (mu * (1 - gamma) - data.sign * gamma * weighted) / np.sqrt(variance)
        return _Parts(residual, sigma2, gamma, mu, scale, weighted, squares, variance, z)

    def value(self, theta: np.ndarray) -> float:
        """ln L at real parameters."""
        part = self._parts(theta)
        n, g, _, _ = self.data.sizes
        total = -n / 2 * np.log(2 * np.pi * part.sigma2) - (n - g) / 2 * np.log(1 - part.gamma)
        total -= np.sum(np.log(1 + (part.squares - 1) * part.gamma)) / 2
        total += np.sum(log_ratio(part.z)) - np.sum(
            log_ratio(part.mu / np.sqrt(part.sigma2 * part.gamma))
        )
        return float(
            total - plain.dot(part.residual, part.residual) / (2 * (1 - part.gamma) * part.sigma2)
        )

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of ln L, (k + m + 2 or 3,)."""
        data, part = self.data, self._parts(theta)
        sigma2, gamma, root = part.sigma2, part.gamma, np.sqrt(part.variance)
        sigma_u = np.sqrt(sigma2 * gamma)
        slope, slope_mu = log_ratio_slope(part.z), log_ratio_slope(part.mu / sigma_u)
        by_row = np.repeat(slope / root, np.diff(np.append(data.first, len(data.y)))) * part.scale
        along_b = plain.cross(
            data.x, part.residual / ((1 - gamma) * sigma2) + data.sign * gamma * by_row
        )
        along_d = plain.cross(data.w, slope * (1 - gamma) / root - slope_mu / sigma_u)
        pieces = [
            along_b,
            along_d,
            self._along_variances(part, slope, slope_mu * part.mu / sigma_u),
        ]
        if data.decays:
            pieces.append(np.array([self._along_decay(part, slope)]))
        return np.concatenate(pieces)

    def _along_variances(self, part: _Parts, slope: np.ndarray, slope_mu: np.ndarray) -> np.ndarray:
        n, g, _, _ = self.data.sizes
        sigma2, gamma, extra = part.sigma2, part.gamma, part.squares - 1
        square = plain.dot(part.residual, part.residual)
        along_sigma2 = (np.sum(slope_mu - slope * part.z) - n) / (2 * sigma2) + square / (
            2 * (1 - gamma) * sigma2**2
        )
        variance_slope = sigma2 * (
            (1 - 2 * gamma) * (1 + extra * gamma) + gamma * (1 - gamma) * extra
        )
        z_slope = -(part.mu + self.data.sign * part.weighted) / np.sqrt(
            part.variance
        ) - part.z * variance_slope / (2 * part.variance)
        along_gamma = (
            (n - g) / (2 * (1 - gamma))
            - np.sum(extra / (1 + extra * gamma)) / 2
            + np.sum(slope_mu) / (2 * gamma)
        )
        along_gamma += np.sum(slope * z_slope) - square / (2 * (1 - gamma) ** 2 * sigma2)
        return np.array([along_sigma2, along_gamma])

    def _along_decay(self, part: _Parts, slope: np.ndarray) -> complex:
        data, gamma = self.data, part.gamma
        weighted_slope = np.add.reduceat(-data.tau * part.scale * part.residual, data.first)
        squares_slope = np.add.reduceat(-2 * data.tau * part.scale**2, data.first)
        shrinks = gamma * squares_slope / (2 * (1 + (part.squares - 1) * gamma))
        return np.sum(
            slope
            * (-data.sign * gamma * weighted_slope / np.sqrt(part.variance) - part.z * shrinks)
            - shrinks
        )

    def posterior(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each row: mean and standard deviation of the normal whose truncation is u_i given the
        residuals, and exp(-eta tau).
        """
        part = self._parts(theta)
        counts = np.diff(np.append(self.data.first, len(self.data.y)))
        spread = np.sqrt(part.variance) / (1 + (part.squares - 1) * part.gamma)
        return np.repeat(part.z * spread, counts), np.repeat(spread, counts), part.scale


class ExponentialFrontier:
    """Normal noise and exponential inefficiency with standard deviation sigma_u (Meeusen and van
    den Broeck 1977), rows independent.

    ln L = sum of -ln(sigma_u) + h(z_i) - residual_i^2 / (2 sigma_v^2), z_i = -s residual_i /
    sigma_v - sigma_v / sigma_u. Parameters in the order b (k), sigma^2 = sigma_u^2 + sigma_v^2,
    gamma = sigma_u^2 / sigma^2.
    """

    def __init__(self, data: FrontierData) -> None:
        self.data = data

    def _parts(self, theta: np.ndarray) -> tuple[np.ndarray, complex, complex, np.ndarray]:
        k = self.data.x.shape[1]
        residual = self.data.y - plain.times(self.data.x, theta[:k])
        sigma_u, sigma_v = np.sqrt(theta[k] * theta[k + 1]), np.sqrt(theta[k] * (1 - theta[k + 1]))
        return residual, sigma_u, sigma_v, -self.data.sign * residual / sigma_v - sigma_v / sigma_u

    def value(self, theta: np.ndarray) -> float:
        """ln L at real parameters."""
        residual, sigma_u, sigma_v, z = self._parts(theta)
        return float(
            np.sum(log_ratio(z))
            - len(z) * np.log(np.real(sigma_u))
            - plain.dot(residual, residual) / (2 * np.real(sigma_v) ** 2)
        )

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Derivatives of ln L, (k + 2,)."""
        residual, sigma_u, sigma_v, z = self._parts(theta)
        sigma2, gamma = theta[-2], theta[-1]
        slope = log_ratio_slope(z)
        along_b = plain.cross(self.data.x, self.data.sign * slope / sigma_v + residual / sigma_v**2)
        along_u = np.sum(slope) * sigma_v / sigma_u**2 - len(z) / sigma_u
        along_v = (
            np.sum(slope * (self.data.sign * residual / sigma_v**2 - 1 / sigma_u))
            + plain.dot(residual, residual) / sigma_v**3
        )
        along_sigma2 = (along_u * sigma_u + along_v * sigma_v) / (2 * sigma2)
        along_gamma = along_u * sigma_u / (2 * gamma) - along_v * sigma_v / (2 * (1 - gamma))
        return np.concatenate([along_b, [along_sigma2, along_gamma]])

    def posterior(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each row: mean and standard deviation of the normal whose truncation is u given the
        residual, and ones.
        """
        _, _, sigma_v, z = self._parts(theta)
        spread = np.full(len(z), np.real(sigma_v))
        return z * spread, spread, np.ones(len(z))


def expected_inefficiency(mean: np.ndarray, spread: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """E(u | residuals), u the scale times a normal(mean, spread) truncated at zero (Jondrow,
    Lovell, Materov and Schmidt 1982).
    """
    return scale * spread * log_ratio_slope(mean / spread)


def expected_exponential(
    mean: np.ndarray, spread: np.ndarray, scale: np.ndarray, power: float
) -> np.ndarray:
    """E(exp(power u) | residuals); power -1 is the efficiency of Battese and Coelli (1988), 1 the
    cost ratio that FRONTIER prints.
    """
    z = mean / spread
    return np.exp(log_ratio(z + power * scale * spread) - log_ratio(z))
