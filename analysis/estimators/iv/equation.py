"""One instrumented equation as arrays: weighted columns without their effects, and the covariance
of sums.

All columns are multiplied by the square root of the weight, so that plain cross products are
weighted ones, and the absorbed effects are taken out of all of them. The constant, where there are
no effects, is the last exogenous regressor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.estimators.core.groups import Group
from analysis.estimators.core.options import CovarianceKind
from analysis.estimators.core.sums import crossed_sums
from analysis.estimators.core.tall import cross, decomposed


@dataclass(frozen=True, eq=False)
class Errors:
    """What is assumed of the errors: equal and independent, independent, or dependent inside
    clusters.

    Attributes
    ----------
    kind : "iid", "robust" or "cluster"
    groups : clusters of the rows, one grouping a cluster column
    crossed : the crossing of two cluster columns, None for one
    repeats : (n,) square root of frequency weights, None for other weights
    """

    kind: CovarianceKind
    groups: tuple[Group, ...] = ()
    crossed: Group | None = None
    repeats: np.ndarray | None = None

    @property
    def clusters(self) -> int:
        """Clusters; of two cluster columns the fewer."""
        return min(size for _, size in self.groups)

    def covariance_of_sums(self, scores: np.ndarray) -> np.ndarray:
        """Covariance (m, m) of the column sums of scores (n, m) without the iid assumption, no
        small-sample factor.

        Two cluster columns: the sum of both covariances less that of their crossing (Cameron,
        Gelbach and Miller 2011, equation 2.11).
        """
        if self.kind != "cluster":
            # A row that stands for w equal rows counts w times, not w squared times.
            part = scores if self.repeats is None else scores / self.repeats[:, None]
            return np.asarray(part.T @ part)
        total = sum(
            (crossed_sums(group, scores) for group in self.groups), np.zeros((scores.shape[1],) * 2)
        )
        return total if self.crossed is None else total - crossed_sums(self.crossed, scores)

    def moment_covariance(
        self, instruments: np.ndarray, residual: np.ndarray, n: float
    ) -> np.ndarray:
        """Covariance (l, l) of the sums of instruments (n, l) times residual (n,); n is the number
        of observations that rows stand for."""
        if self.kind == "iid":
            return np.asarray(float(residual @ residual) / n * (instruments.T @ instruments))
        return self.covariance_of_sums(instruments * residual[:, None])


@dataclass(frozen=True, eq=False)
class Model:
    """The columns of one equation, weighted and without effects.

    Attributes
    ----------
    y : (n,) outcome
    x1, x2, z1 : (n, k1), (n, k2), (n, l1) endogenous regressors, exogenous regressors, excluded
        instruments
    names_x1, names_x2, names_z1 : their names, in the caller's order, the constant last in x2
    errors : what is assumed of the errors
    n : observations; the sum of frequency weights where there are such
    absorbed : degrees of freedom that the effects cost
    total_centred, total_raw : weighted sums of squares of the outcome about its mean (its within
        variation, with effects) and about zero
    """

    y: np.ndarray
    x1: np.ndarray
    x2: np.ndarray
    z1: np.ndarray
    names_x1: tuple[str, ...]
    names_x2: tuple[str, ...]
    names_z1: tuple[str, ...]
    errors: Errors
    n: float
    absorbed: int
    total_centred: float
    total_raw: float

    @cached_property
    def x(self) -> np.ndarray:
        """(n, k) regressors, the endogenous first."""
        return np.hstack([self.x1, self.x2])

    @cached_property
    def x_size(self) -> np.ndarray:
        """(k,) norms of the regressors."""
        return column_sizes(self.x)

    @cached_property
    def z(self) -> np.ndarray:
        """(n, l) instruments, the exogenous regressors first."""
        return np.hstack([self.x2, self.z1])

    @property
    def q(self) -> np.ndarray:
        """(n, l) orthonormal basis of the instruments: one for every estimate and test."""
        return self.decomposition[0]

    @cached_property
    def decomposition(self) -> tuple[np.ndarray, np.ndarray]:
        """q (n, l), and the triangle (l, l) with z = q triangle."""
        size = column_sizes(self.z)
        q, triangle = decomposed(self.z / np.where(size > 0, size, 1))
        return q, triangle * size

    @property
    def q_exogenous(self) -> np.ndarray:
        """(n, k2) orthonormal basis of the exogenous regressors, the first instruments."""
        return self.q[:, : self.x2.shape[1]]

    @property
    def q_excluded(self) -> np.ndarray:
        """(n, l1) orthonormal basis of what the excluded instruments have beside the exogenous
        regressors.
        """
        return self.q[:, self.x2.shape[1] :]

    @cached_property
    def q_all(self) -> np.ndarray:
        """(n, l + k1) orthonormal basis of instruments and endogenous regressors."""
        return widened(self.q, self.x1)

    def x_on(self, q: np.ndarray) -> np.ndarray:
        """q'x (m, k) of a basis q (n, m); those of `q` and `q_all` are reckoned once."""
        if q is self.q:
            return self._x_on_all[: q.shape[1]]
        return self._x_on_all if q is self.q_all else cross(q, self.x)

    @cached_property
    def _x_on_all(self) -> np.ndarray:
        return cross(self.q_all, self.x)

    @property
    def terms(self) -> tuple[str, ...]:
        return self.names_x1 + self.names_x2

    @property
    def k(self) -> int:
        return self.x1.shape[1] + self.x2.shape[1]

    @property
    def l1(self) -> int:
        return self.z1.shape[1]

    @property
    def df_instruments(self) -> float:
        """Observations less instruments less what the effects cost."""
        return self.n - self.x2.shape[1] - self.l1 - self.absorbed

    @property
    def df_regressors(self) -> float:
        """Observations less regressors less what the effects cost."""
        return self.n - self.k - self.absorbed

    def f_from_chi2(self, chi2: float, restrictions: int, df: float) -> float:
        """A Wald statistic in large-sample form as F; df is what is left after the columns of that
        regression."""
        if self.errors.kind == "cluster":
            g = self.errors.clusters
            return chi2 / restrictions * (g - 1) / g * df / (self.n - 1)
        return chi2 / restrictions * df / self.n

    def f_df2(self, df: float) -> float:
        """Denominator degrees of freedom of F, and those of t."""
        return self.errors.clusters - 1 if self.errors.kind == "cluster" else df

    def small_factor(self, df: float) -> float:
        """What a covariance in large-sample form is multiplied with, with df left: G/(G-1)·(N-1)/df
        of clusters, else N/df."""
        if self.errors.kind != "cluster":
            return self.n / df
        g = self.errors.clusters
        return g / (g - 1) * (self.n - 1) / df


def column_sizes(columns: np.ndarray) -> np.ndarray:
    """(m,) norms of columns (n, m)."""
    return np.asarray(np.sqrt(np.einsum("ij,ij->j", columns, columns)))


def basis(columns: np.ndarray) -> np.ndarray:
    """(n, l) orthonormal columns that span the same space."""
    size = column_sizes(columns)
    return decomposed(columns / np.where(size > 0, size, 1))[0]


def widened(q: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis q (n, l) with that of what columns (n, t) have beside it.

    What is left is made orthogonal once more when it has its size: of a column that q spans only
    rounding is left, which may point anywhere.
    """
    left = basis(residual_maker(columns, q))
    return np.hstack([q, basis(residual_maker(left, q))])


def residual_maker(columns: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Columns less their projection on an orthonormal basis, projected twice so that rounding does
    not survive."""
    if on.shape[1] == 0:
        return columns
    once = columns - on @ (on.T @ columns)
    return np.asarray(once - on @ (on.T @ once))
