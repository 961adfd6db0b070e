"""Wild cluster bootstrap of one coefficient, for errors that rest on few clusters.

Cameron, Gelbach and Miller (2008, Review of Economics and Statistics 90), with the null imposed:
residuals u of the regression without the regressor keep their size and change sign by cluster
(Rademacher), y* = fitted + v_g u, and t* of the full regression is compared with t. With C the
controls, X the regressor less effects and controls, and S_g the sum over cluster g,

    b* = X'y* / X'X,     t* = b* / sqrt(sum_g (S_g X e*)^2) X'X

Small-sample factors are the same in t and t* and drop out. Where no more sign vectors exist than
draws are asked for, all 2^G are taken (MacKinnon and Webb 2018), and p is exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import linalg

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.collinear import independent_columns
from analysis.estimators.core.columns import left_out, rows
from analysis.estimators.core.groups import Group
from analysis.estimators.core.options import (
    CovarianceOption,
    Where,
    columns_of,
    covariance_of,
    level_of,
)
from analysis.estimators.core.result import Caution, Report, glance_frame, tidy_frame
from analysis.estimators.core.sample import Sample, read_sample
from analysis.estimators.core.sums import sums_by
from analysis.estimators.core.tall import cross

AT_ONCE = 256  # draws whose outcomes are in memory together
SURE = 0.05  # no p can be below this with too few clusters


@dataclass(frozen=True, eq=False, kw_only=True)
class WildBootstrap(Report):
    """The coefficient of one regressor, and how its t stands among those of the bootstrap.

    Attributes
    ----------
    coefficient, t : of the regressor; t without a small-sample factor
    p : share of bootstrap t at least as far from zero, the sample's own among them
    draws : (draws,) t of the bootstrap
    exact : all sign vectors were taken, rather than drawn
    """

    outcome: str
    regressor: str
    coefficient: float
    t: float
    p: float
    draws: np.ndarray
    exact: bool
    seed: int | None
    n: int
    groups: Mapping[str, int]
    dropped: Mapping[str, int]
    sample: pd.Index

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """One row, with the bootstrap's p; it gives no interval."""
        level_of(level)
        b, nothing = np.array([self.coefficient]), np.array([np.nan])
        tested, error = (np.array([self.t]), np.array([self.p])), b / self.t
        none = (nothing, nothing)
        return tidy_frame(
            self.outcome, [self.regressor], b, error, tested=tested, interval=none, level=level
        )

    def glance(self) -> pd.DataFrame:
        """One row: rows, clusters and draws."""
        values = {"method": "wild cluster bootstrap", "outcome": self.outcome, "nobs": self.n}
        return glance_frame(values | {"draws": len(self.draws)}, self.groups, {})

    def note(self) -> str:
        """One sentence: what was drawn, on which rows, and what was left out."""
        (cluster, count), *_ = self.groups.items()
        how = "all" if self.exact else f"seed {self.seed},"
        drawn = f"{how} {len(self.draws):,} sign vectors of {count:,} {cluster}"
        what = f"wild cluster bootstrap of {self.regressor} on {self.outcome}, {rows(self.n)}"
        return f"{what}: {drawn}, p {self.p:.4f}; left out: {left_out(self.dropped)}."


def wild_bootstrap(
    frame: pd.DataFrame,
    outcome: str,
    regressor: str,
    controls: Sequence[str] = (),
    effects: Sequence[str] = ("city_code", "year"),
    *,
    covariance: CovarianceOption,
    weights: str | None = None,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    draws: int = 9999,
    seed: int = 20080101,
) -> WildBootstrap:
    """Test that a regressor's coefficient is zero, by signs drawn for whole clusters.

    Parameters
    ----------
    covariance : {"cluster": [column]}, the clusters that signs are drawn for
    effects, weights, keys, where : as in fixed_effects
    draws : sign vectors; all of them where there are no more than that

    Raises
    ------
    ValueError : what fixed_effects refuses, no clusters, fewer than two of them, or no draw.
    """
    cluster = covariance_of(covariance, most=1, kinds=("cluster",)).clusters[0]
    columns = _columns(outcome, regressor, controls, draws)
    sample = read_sample(
        frame, columns, effects, [cluster], weights=weights, keys=keys, where=where
    )
    problem, clusters = _Problem.of(sample, columns, effects, cluster), sample.groups[cluster][1]
    b, t = problem.t(problem.y[:, None])
    exact = 2.0**clusters <= draws
    found, p = problem.against(float(t[0]), None if exact else (draws, seed))
    return WildBootstrap(
        outcome=outcome,
        regressor=regressor,
        coefficient=float(b[0]),
        t=float(t[0]),
        p=p,
        draws=found,
        exact=exact,
        seed=None if exact else seed,
        n=sample.n,
        groups={cluster: clusters},
        dropped=sample.dropped,
        sample=sample.labels,
        warnings=_too_few(clusters, cluster),
    )


def _columns(outcome: str, regressor: str, controls: Sequence[str], draws: int) -> list[str]:
    """The numeric columns, in the order of the regression."""
    listed = columns_of("controls", controls, outcome=outcome, empty=True)
    if regressor in (outcome, *listed):
        raise ValueError(f"regressor {regressor!r} is the outcome or among the controls.")
    if draws < 1:
        raise ValueError(f"draws = {draws}: at least one is needed.")
    return [outcome, regressor, *listed]


@dataclass(frozen=True)
class _Problem:
    """The regression with effects and controls taken out, in units of the weights' roots.

    Attributes
    ----------
    y, x : (n,) outcome and regressor; q : (n, k) orthonormal controls; root : (n,) of the weights
    """

    absorber: Absorber
    y: np.ndarray
    x: np.ndarray
    q: np.ndarray
    root: np.ndarray
    group: Group

    @staticmethod
    def of(sample: Sample, columns: list[str], effects: Sequence[str], cluster: str) -> _Problem:
        group = sample.groups[cluster]
        if group[1] < 2:
            raise ValueError(f"the sample has one level of {cluster} only: two are needed.")
        absorber = Absorber(sample.of(effects), sample.weights)
        within = absorber.residualise(sample.columns)
        weight = np.ones(sample.n) if sample.weights is None else sample.weights
        moments = cross(within, within * weight[:, None])
        independent_columns(within, moments, sample, columns, tuple(effects), drop=False)
        root = np.sqrt(weight)
        q = linalg.qr(within[:, 2:] * root[:, None], mode="economic")[0]
        y, x = (within[:, :2] * root[:, None] - q @ (q.T @ (within[:, :2] * root[:, None]))).T
        return _Problem(absorber, y, x, q, root, group)

    def t(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (m,) and t (m,) of outcomes (n, m) clear of effects and controls."""
        size = float(self.x @ self.x)
        b = self.x @ y / size
        scores = sums_by(self.group, self.x[:, None] * (y - np.outer(self.x, b)))
        return b, b * size / np.sqrt((scores**2).sum(axis=0))

    def against(self, t: float, drawing: tuple[int, int] | None) -> tuple[np.ndarray, float]:
        """t of the draws, and the share of them, with the sample's own, that are as far from zero.

        drawing : draws and seed; None for every sign vector, the sample's own among them
        """
        clusters = self.group[1]
        signs = _all_signs(clusters) if drawing is None else _drawn_signs(clusters, *drawing)
        found = np.concatenate([self.redrawn(batch) for batch in signs])
        far = int((np.abs(found) >= np.abs(t) * (1 - 1e-10)).sum())
        return found, far / len(found) if drawing is None else (1 + far) / (1 + len(found))

    def redrawn(self, signs: np.ndarray) -> np.ndarray:
        """t (m,) of outcomes whose residuals have changed sign by cluster (G, m)."""
        moved = (self.y / self.root)[:, None] * signs[self.group[0]]
        clear = self.absorber.residualise(moved, overwrite=True) * self.root[:, None]
        return self.t(clear - self.q @ (self.q.T @ clear))[1]


def _all_signs(clusters: int) -> Iterator[np.ndarray]:
    """Every vector of signs (G, m), the sample's own among them."""
    for start in range(0, 1 << clusters, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, 1 << clusters))
        yield 1.0 - 2.0 * ((numbers >> np.arange(clusters)[:, None]) & 1)


def _drawn_signs(clusters: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.Generator(np.random.PCG64(seed))
    for start in range(0, draws, AT_ONCE):
        count = min(AT_ONCE, draws - start)
        yield 1.0 - 2.0 * rng.integers(0, 2, size=(count, clusters)).T


def _too_few(clusters: int, name: str) -> tuple[Caution, ...]:
    """With G clusters there are 2^(G-1) sizes of t: no p is below one in so many."""
    least = 2.0 ** (1 - clusters)
    if least < SURE:
        return ()
    text = f"{clusters} clusters ({name}) allow no p below {least:.3g}."
    return (Caution("few_clusters", text, "Cluster by something finer, or look at a permutation."),)
