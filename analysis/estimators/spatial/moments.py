"""The generalised moments estimate of a spatial error parameter (Kelejian and Prucha 1999,
International Economic Review 40).

With u = rho W u + e, e of variance s2, three moments of e, We and their product give, at residuals
u (n,), v = Wu and w = Wv,

    g = G (rho, rho^2, s2)',   g = (u'u, v'v, u'v)' / n,
    G = [2u'v, -v'v, n;  2v'w, -w'w, tr(W'W);  u'w + v'v, -v'w, 0] / n

and (rho, s2) minimise the sum of squares of the three differences. Given rho, s2 is a linear
regression; what is left is a polynomial of degree four in rho, whose minimum is found from the
roots of its derivative: nothing is iterated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse


class ErrorMoments(NamedTuple):
    rho: float
    variance: float  # s2 at the minimum
    distance: float  # sum of squares at the minimum


def error_moments(u: np.ndarray, w: sparse.csr_array) -> ErrorMoments:
    """rho and s2 from residuals u (n,) and weights W (n, n).

    Raises
    ------
    ValueError : residuals without any variation.
    """
    n = len(u)
    v = w @ u
    z = w @ v
    g = np.array([u @ u, v @ v, u @ v]) / n
    if g[0] <= 0:
        raise ValueError("the residuals are all zero: there is no spatial error to estimate.")
    trace = float((w.data**2).sum())
    a = np.array([[2 * (u @ v), -(v @ v)], [2 * (v @ z), -(z @ z)], [u @ z + v @ v, -(v @ z)]]) / n
    c = np.array([1.0, trace / n, 0.0])

    def off(column: np.ndarray) -> np.ndarray:
        return np.asarray(column - c * (c @ column) / (c @ c))

    a1, a2, g0 = off(a[:, 0]), off(a[:, 1]), off(g)
    # f(rho) = |a1 rho + a2 rho^2 - g0|^2, highest power first.
    quartic = np.array([a2 @ a2, 2 * (a1 @ a2), a1 @ a1 - 2 * (a2 @ g0), -2 * (a1 @ g0), g0 @ g0])
    roots = np.roots(np.polyder(quartic))
    real = np.sort(roots[np.abs(roots.imag) <= 1e-7 * (1 + np.abs(roots))].real)
    # A minimum beyond one in size belongs to another branch of the quartic where one inside exists.
    inside = real[np.abs(real) < 1]
    candidates = inside if len(inside) else real
    rho = float(candidates[np.argmin(np.polyval(quartic, candidates))])
    variance = float(c @ (g - a @ np.array([rho, rho**2])) / (c @ c))
    return ErrorMoments(rho, variance, float(np.polyval(quartic, rho)))
