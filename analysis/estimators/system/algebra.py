"""The arithmetic of systems of linear equations: stacked least squares, the covariance of
residuals, five formulas of 3SLS.

Every block of regressors is first made orthonormal (a QR factor each), so that columns of very
different size, a yuan figure beside a share, cost no digits; restrictions are carried through the
same change of basis.

In what follows y_i is (n,), X_i (n, k_i), Z_i (n, l_i) for equation i = 1..G, P_i the projection on
Z_i, S the (G, G) covariance of the residuals across equations; all equations have the same n rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import linalg

from analysis.estimators.core.options import ResidualCovariance, SystemFormula, SystemMethod

DIAGONAL: tuple[SystemMethod, ...] = ("OLS", "WLS", "2SLS", "W2SLS")
WITH_INSTRUMENTS: tuple[SystemMethod, ...] = ("2SLS", "W2SLS", "3SLS")


@dataclass(frozen=True)
class Blocks:
    """The data of all equations, regressors orthonormal; `back` turns coefficients of that basis
    into the ones asked for.
    """

    y: list[np.ndarray]  # (n,) each
    x: list[np.ndarray]  # (n, k_i), orthonormal columns
    back: list[np.ndarray]  # (k_i, k_i), upper triangular
    z: list[np.ndarray] | None  # (n, l_i), orthonormal instruments
    restrictions: np.ndarray  # (r, k), in the orthonormal basis
    values: np.ndarray  # (r,)

    @property
    def n(self) -> int:
        return len(self.y[0])

    @property
    def starts(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum([block.shape[1] for block in self.x])])

    def split(self, stacked: np.ndarray) -> list[np.ndarray]:
        """Stacked coefficients (k,) by equation."""
        return [stacked[a:b] for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)]

    def residuals(self, stacked: np.ndarray) -> np.ndarray:
        """(n, G) residuals at the stacked coefficients of the orthonormal basis."""
        return np.column_stack(
            [y - x @ b for y, x, b in zip(self.y, self.x, self.split(stacked), strict=True)]
        )


@dataclass(frozen=True)
class Options:
    method: SystemMethod
    residual_covariance: ResidualCovariance
    formula: SystemFormula
    iterations: int
    tolerance: float
    pooled_variance: bool
    weighted_first: bool
    centre: bool
    counted: np.ndarray  # (G,) coefficients that the degrees of freedom count, by equation


@dataclass(frozen=True)
class Estimate:
    coefficients: np.ndarray  # (k,)
    covariance: np.ndarray  # (k, k)
    residuals: np.ndarray  # (n, G)
    used: np.ndarray  # (G, G) residual covariance that entered the estimate
    after: np.ndarray  # (G, G) residual covariance at the estimate
    iterations: int
    converged: bool  # within the tolerance, where more rounds than one were asked for


def build_blocks(
    y: list[np.ndarray],
    x: list[np.ndarray],
    z: list[np.ndarray] | None,
    restrictions: np.ndarray | None = None,
    values: np.ndarray | None = None,
) -> Blocks:
    """Orthonormal blocks; the columns of each x_i and z_i must be independent."""
    factors = [linalg.qr(block, mode="economic") for block in x]
    back = [linalg.solve_triangular(r, np.eye(len(r))) for _, r in factors]
    k = sum(block.shape[1] for block in x)
    asked = np.zeros((0, k)) if restrictions is None else restrictions @ linalg.block_diag(*back)
    return Blocks(
        y=y,
        x=[q for q, _ in factors],
        back=back,
        z=None if z is None else [linalg.qr(block, mode="economic")[0] for block in z],
        restrictions=asked,
        values=np.zeros(0) if values is None else values,
    )


def residual_covariance(
    residuals: np.ndarray,
    how: ResidualCovariance,
    counted: np.ndarray,
    x: list[np.ndarray],
    centre: bool,
) -> np.ndarray:
    """S (G, G) from residuals (n, G).

    none     e_i'e_j / n
    geomean  e_i'e_j / sqrt((n - k_i)(n - k_j))
    max      e_i'e_j / (n - max(k_i, k_j))
    theil    e_i'e_j / (n - k_i - k_j + tr(P_Xi P_Xj)), unbiased under OLS (Theil 1971); S need not
             be positive definite
    """
    n, g = residuals.shape
    e = residuals - residuals.mean(axis=0) if centre else residuals
    divisor = np.full((g, g), float(n))
    for i in range(g):
        for j in range(g):
            if how == "geomean":
                divisor[i, j] = np.sqrt((n - counted[i]) * (n - counted[j]))
            elif how == "max":
                divisor[i, j] = n - max(counted[i], counted[j])
            elif how == "theil":
                divisor[i, j] = n - counted[i] - counted[j] + float(((x[i].T @ x[j]) ** 2).sum())
    return np.asarray(e.T @ e / divisor)


def estimate(blocks: Blocks, options: Options) -> Estimate:
    """Fit the system; coefficients and covariance in the basis of the regressors as given."""
    hat = _projected(blocks)
    equal = np.eye(len(hat))
    start = _solve(_moments(hat, hat, equal), _right(hat, blocks.y, equal), blocks)
    if options.method in ("OLS", "2SLS"):
        fitted = _Fitted(start, *_single_step(blocks, hat, start, options), 0, True)
    else:
        fitted = _weighted(blocks, hat, start, options)
    turn = linalg.block_diag(*blocks.back)
    residuals = blocks.residuals(fitted.b)
    after = _spread(blocks, fitted.b, options)
    b, v = turn @ fitted.b, turn @ fitted.v @ turn.T
    return Estimate(b, v, residuals, fitted.s, after, fitted.rounds, bool(fitted.converged))


class _Fitted(NamedTuple):
    """Coefficients (k,) of the orthonormal basis, their covariance (k, k), the residual covariance
    (G, G) that was used, and the rounds that it took.
    """

    b: np.ndarray
    v: np.ndarray
    s: np.ndarray
    rounds: int
    converged: bool


def _projected(blocks: Blocks) -> list[np.ndarray]:
    """Regressors on the instruments of their equation, where there are instruments."""
    if blocks.z is None:
        return blocks.x
    return [z @ (z.T @ x) for z, x in zip(blocks.z, blocks.x, strict=True)]


def _spread(
    blocks: Blocks, b: np.ndarray, options: Options, *, diagonal: bool = False
) -> np.ndarray:
    """S (G, G) of the residuals at b; without what equations share, where it is to be diagonal."""
    how, counted = options.residual_covariance, options.counted
    s = residual_covariance(blocks.residuals(b), how, counted, blocks.x, options.centre)
    return np.diag(np.diag(s)) if diagonal else s


def _single_step(
    blocks: Blocks, hat: list[np.ndarray], b: np.ndarray, options: Options
) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of the coefficients and of the residuals, where equations have no weights."""
    s = _spread(blocks, b, options, diagonal=True)
    if options.pooled_variance:
        rank = blocks.starts[-1] - len(blocks.values)
        rows = blocks.n * len(hat)
        divisor = rows if options.residual_covariance == "none" else rows - rank
        s = np.eye(len(hat)) * float((blocks.residuals(b) ** 2).sum()) / divisor
    return _bordered_inverse(_moments(hat, hat, np.linalg.inv(s)), blocks), s


def _weighted(
    blocks: Blocks, hat: list[np.ndarray], start: np.ndarray, options: Options
) -> _Fitted:
    """Equations weighted by the covariance of their residuals, once or until nothing moves."""
    diagonal, b = options.method in DIAGONAL, start
    formula = "GLS" if diagonal or blocks.z is None else options.formula
    if options.weighted_first and not diagonal:
        b = _step(blocks, hat, _spread(blocks, b, options, diagonal=True), "GLS", start)
    rounds, converged = 0, True
    for rounds in range(1, options.iterations + 1):  # noqa: B007  the count is reported
        before, s = b, _spread(blocks, b, options, diagonal=diagonal)
        b = _step(blocks, hat, s, formula, start)
        moved = _given(b, blocks) - _given(before, blocks)
        relative = np.sqrt((moved**2).sum() / (_given(before, blocks) ** 2).sum())
        converged = options.iterations == 1 or relative <= options.tolerance
        if converged:
            break
    return _Fitted(b, _variance(blocks, hat, s, formula), s, rounds, converged)


def _given(stacked: np.ndarray, blocks: Blocks) -> np.ndarray:
    return np.concatenate([t @ b for t, b in zip(blocks.back, blocks.split(stacked), strict=True)])


def _moments(left: list[np.ndarray], right: list[np.ndarray], weight: np.ndarray) -> np.ndarray:
    """Blocks w_ij L_i'R_j, (k, k)."""
    return np.block(
        [[weight[i, j] * (a.T @ b) for j, b in enumerate(right)] for i, a in enumerate(left)]
    )


def _right(left: list[np.ndarray], y: list[np.ndarray], weight: np.ndarray) -> np.ndarray:
    """Sums w_ij L_i'y_j, (k,)."""
    return np.concatenate(
        [
            sum((weight[i, j] * (a.T @ v) for j, v in enumerate(y)), np.zeros(a.shape[1]))
            for i, a in enumerate(left)
        ]
    )


def _bordered(a: np.ndarray, blocks: Blocks) -> np.ndarray:
    """The matrix of restricted least squares: moments, and the restrictions around them."""
    r = blocks.restrictions
    return np.block([[a, r.T], [r, np.zeros((len(r), len(r)))]]) if len(r) else a


def _bordered_inverse(a: np.ndarray, blocks: Blocks) -> np.ndarray:
    return np.asarray(np.linalg.inv(_bordered(a, blocks))[: len(a), : len(a)])


def _solve(
    a: np.ndarray, c: np.ndarray, blocks: Blocks, values: np.ndarray | None = None
) -> np.ndarray:
    q = blocks.values if values is None else values
    return np.asarray(np.linalg.solve(_bordered(a, blocks), np.concatenate([c, q]))[: len(c)])


def _gmm_parts(blocks: Blocks, s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(X'Z (Z'(S x I)Z)^-1 Z'X, X'Z (Z'(S x I)Z)^-1 Z'y)."""
    z = blocks.z
    assert z is not None
    cross = linalg.block_diag(*[q.T @ x for q, x in zip(z, blocks.x, strict=True)])
    weight = np.linalg.solve(_moments(z, z, s), cross)
    return cross.T @ weight, weight.T @ np.concatenate(
        [q.T @ y for q, y in zip(z, blocks.y, strict=True)]
    )


def _step(
    blocks: Blocks, hat: list[np.ndarray], s: np.ndarray, formula: SystemFormula, start: np.ndarray
) -> np.ndarray:
    """Coefficients given S.

    GLS      (X^'(S^-1 x I)X^)^-1 X^'(S^-1 x I) y                    X^ = P X
    IV       (X^'(S^-1 x I)X)^-1 X^'(S^-1 x I) y
    Schmidt  (X^'(S^-1 x I)X^)^-1 X^'(S^-1 x I) P y                  Schmidt (1990)
    GMM      (X'Z(Z'(S x I)Z)^-1 Z'X)^-1 X'Z(Z'(S x I)Z)^-1 Z'y
    EViews   b2 + (X^'(S^-1 x I)X^)^-1 X^'(S^-1 x I)(y - X b2)       b2 of 2SLS
    All five agree where every equation has the same instruments.
    """
    if formula == "GMM":
        return _solve(*_gmm_parts(blocks, s), blocks)
    weight = np.linalg.inv(s)
    if formula == "IV":
        return _solve(_moments(hat, blocks.x, weight), _right(hat, blocks.y, weight), blocks)
    a = _moments(hat, hat, weight)
    if formula == "EViews":
        rest = list(blocks.residuals(start).T)
        # The first stage satisfies the restrictions already; the step from it must leave them
        # alone.
        return start + _solve(a, _right(hat, rest, weight), blocks, np.zeros(len(blocks.values)))
    if formula == "Schmidt":
        assert blocks.z is not None
        return _solve(
            a,
            _right(hat, [z @ (z.T @ y) for z, y in zip(blocks.z, blocks.y, strict=True)], weight),
            blocks,
        )
    return _solve(a, _right(hat, blocks.y, weight), blocks)


def _variance(
    blocks: Blocks, hat: list[np.ndarray], s: np.ndarray, formula: SystemFormula
) -> np.ndarray:
    if formula == "GMM":
        return _bordered_inverse(_gmm_parts(blocks, s)[0], blocks)
    weight = np.linalg.inv(s)
    if formula == "IV":
        return _bordered_inverse(_moments(hat, blocks.x, weight), blocks)
    bread = _bordered_inverse(_moments(hat, hat, weight), blocks)
    if formula != "Schmidt":
        return bread
    return bread @ _schmidt_meat(blocks, hat, s, weight) @ bread


def _schmidt_meat(
    blocks: Blocks, hat: list[np.ndarray], s: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """X^'(S^-1 x I) P (S x I) P (S^-1 x I) X^."""
    z = blocks.z
    assert z is not None
    # Row block i of P (S^-1 x I) X^ is P_i sum_j s^ij X^_j, kept as coordinates on the instruments
    # of equation i.
    middle = [
        np.concatenate([weight[i, j] * (q.T @ h) for j, h in enumerate(hat)], axis=1)
        for i, q in enumerate(z)
    ]
    total = np.zeros((middle[0].shape[1],) * 2)
    for i, a in enumerate(middle):
        for j, b in enumerate(middle):
            total += s[i, j] * (a.T @ (z[i].T @ z[j]) @ b)
    return total
