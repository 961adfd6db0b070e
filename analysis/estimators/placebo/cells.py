"""Draws that are the same for all rows of a city and year, collapsed exactly to the cells: no draw
touches the rows.

Let C be the dummies of the cells, d = Cc a draw. Effects are constant in cells (cities, years,
regions ...), but one may be finer (firms; H its weights, N firms by cells). With K = C'WC -
N'H^-1N, L the cells' levels of the other effects and S = L'KL,

    h = c - L S^- L'K c, e = Ch less its mean by firm, sum w e e = h'Kc, sum w d y~ = c'(C'Wy~),
        Q'Wd = (C'WQ)'c

A cluster's sum of w e e over the firms that lie inside it is again a quadratic form in h over the
cells it touches; firms that move between clusters are the only ones whose rows are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from analysis.estimators.core.groups import Group, combined, nested, renumbered
from analysis.estimators.core.tall import subtract_product
from analysis.estimators.placebo.draws import Cells
from analysis.estimators.placebo.engine import BYTES_AT_ONCE, DEGENERATE, ROWS_AT_ONCE, Setting

MOST_CELLS = 6_000
MOST_LEVELS = 2_000
SPANNED = 1e-9  # eigenvalues of S, levels of weight one, that count as none


def collapses(cells: Cells, effects: Sequence[Group], shared: Setting) -> bool:
    """Whether draws by cell can be collapsed: at most one effect finer than cells, errors
    homoskedastic or with few clusters.
    """
    finer = [effect for effect in effects if not nested((cells.codes, cells.n), effect)]
    levels = sum(effect[1] for effect in effects) - sum(effect[1] for effect in finer)
    few = all(group[1] <= MOST_CELLS for group, _ in shared.groupings())
    return (
        cells.n <= MOST_CELLS
        and len(finer) <= 1
        and levels <= MOST_LEVELS
        and shared.kind != "robust"
        and few
    )


class CellDraws:
    """Draws by cell, for a setting that `collapses` allows."""

    def __init__(self, shared: Setting, cells: Cells, effects: Sequence[Group]) -> None:
        self._shared = shared
        group = (cells.codes, cells.n)
        finer = [effect for effect in effects if not nested(group, effect)]
        self._finer = finer[0] if finer else None
        weights = np.ones(shared.n) if shared.weights is None else shared.weights
        self._weight = np.bincount(cells.codes, weights=weights, minlength=cells.n)
        self._kernel = sparse.csr_array(_diagonal(self._weight))
        if self._finer is not None:
            by_finer = _pairs(self._finer, group, weights)
            total = np.bincount(self._finer[0], weights=weights, minlength=self._finer[1])
            self._kernel = sparse.csr_array(
                self._kernel - by_finer.T @ _diagonal(1 / total) @ by_finer
            )
        self._level_of, self._solver = _level_solver(
            self._kernel, cells, [effect for effect in effects if nested(group, effect)]
        )
        self._outcome = np.bincount(
            cells.codes, weights=weights * shared.outcome, minlength=cells.n
        )
        self._controls = _sums(group, shared.weighted(shared.controls))
        self._parts = [
            (_ClusterSums(shared, self._finer, group, cluster), sign)
            for cluster, sign in shared.groupings()
        ]
        self._rows: _MoverRows | None = None
        parts = [part for part, _ in self._parts]
        movers = (
            np.logical_or.reduce([part.by_row for part in parts])
            if parts
            else np.zeros(shared.n, dtype=bool)
        )
        if self._finer is not None and movers.any():
            self._rows = _MoverRows(shared, self._finer, group, movers, parts)

    @property
    def at_once(self) -> int:
        """Draws to hand over together."""
        widest = max(
            [
                self._kernel.shape[0],
                *(part.width for part, _ in self._parts),
                self._rows.levels if self._rows else 0,
            ]
        )
        return max(1, min(64, BYTES_AT_ONCE // (8 * widest)))

    def statistics(self, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and variances (B,) of treatments drawn by cell (cells, B); NaN where the
        effects absorb a draw.
        """
        image = self._kernel @ drawn
        own = drawn - self._level_of @ (self._solver @ (self._level_of.T @ image))
        slopes = self._controls.T @ drawn
        squares = (own * image).sum(axis=0) - (slopes**2).sum(axis=0)
        squares[squares <= DEGENERATE * (self._weight @ drawn**2)] = np.nan
        b = self._outcome @ drawn / squares
        if self._shared.kind == "iid":
            return b, self._shared.without_clusters(b, squares)
        scores = [part.scores(own, slopes, b) for part, _ in self._parts]
        if self._rows is not None:
            scores = [
                one + more
                for one, more in zip(scores, self._rows.scores(own, slopes, b), strict=True)
            ]
        middle = sum(
            (
                sign * (one**2).sum(axis=0)
                for one, (_, sign) in zip(scores, self._parts, strict=True)
            ),
            np.zeros(drawn.shape[1]),
        )
        return b, self._shared.factor * middle / squares**2


class _ClusterSums:
    """Sums by cluster over rows whose finer effect lies inside one cluster, as sums over (cluster,
    cell).
    """

    def __init__(self, shared: Setting, finer: Group | None, cells: Group, cluster: Group) -> None:
        self.cluster = cluster
        self.by_row = np.zeros(shared.n, dtype=bool) if finer is None else _moving(finer, cluster)
        stay = ~self.by_row
        weights = np.ones(shared.n) if shared.weights is None else shared.weights
        touched = renumbered(
            *combined([(cluster[0][stay], cluster[1]), (cells[0][stay], cells[1])])
        )
        self.width = max(touched[1], cluster[1])
        self._cell = np.zeros(touched[1], dtype=np.int64)
        self._cell[touched[0]] = cells[0][stay]
        home = np.zeros(touched[1], dtype=np.int64)
        home[touched[0]] = cluster[0][stay]
        self._home = sparse.csr_array(
            (np.ones(touched[1]), (home, np.arange(touched[1]))), shape=(cluster[1], touched[1])
        )
        outcome, controls = weights[stay] * shared.outcome[stay], shared.controls[stay]
        self._outcome = np.bincount(touched[0], weights=outcome, minlength=touched[1])
        self._controls = _sums(touched, controls * weights[stay, None])
        self._kernel = sparse.csr_array(
            _diagonal(np.bincount(touched[0], weights=weights[stay], minlength=touched[1]))
        )
        if finer is not None and stay.any():
            inside = renumbered(finer[0][stay], finer[1])
            pairs = _pairs(inside, touched, weights[stay])
            total = np.bincount(inside[0], weights=weights[stay], minlength=inside[1])
            self._kernel = sparse.csr_array(self._kernel - pairs.T @ _diagonal(1 / total) @ pairs)
        inside_cluster = (cluster[0][stay], cluster[1])
        self._control_outcome = _sums(inside_cluster, controls * outcome[:, None])
        k = controls.shape[1]
        crossed = [
            _sums(inside_cluster, controls * (controls[:, at] * weights[stay])[:, None])
            for at in range(k)
        ]
        self._control_squares = np.stack(crossed, axis=1) if k else np.zeros((cluster[1], 0, 0))

    def scores(self, own: np.ndarray, slopes: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Sums of w e (y~ - b e) by cluster (G, B), without the rows of `by_row`."""
        inside = own[self._cell]
        with_outcome = (
            self._home @ (inside * self._outcome[:, None]) - self._control_outcome @ slopes
        )
        squares = self._home @ (inside * (self._kernel @ inside - 2 * (self._controls @ slopes)))
        for at in range(len(slopes)):
            squares += (self._control_squares[:, at] @ slopes) * slopes[at]
        return with_outcome - squares * b


class _MoverRows:
    """Rows whose finer effect lies in several clusters: their residuals are worked out, a few rows
    at a time.
    """

    def __init__(
        self,
        shared: Setting,
        finer: Group,
        cells: Group,
        movers: np.ndarray,
        parts: Sequence[_ClusterSums],
    ) -> None:
        # A level moves as a whole, so the rows hold all of it and its mean can be taken over them.
        rows = np.flatnonzero(movers)
        self.n = len(rows)
        codes, self.levels = renumbered(finer[0][rows], finer[1])
        cell = (cells[0][rows], cells[1])
        weights = np.ones(self.n) if shared.weights is None else shared.weights[rows]
        total = np.bincount(codes, weights=weights, minlength=self.levels)
        self._mean = _diagonal(1 / total) @ _pairs((codes, self.levels), cell, weights)
        looked_up = np.column_stack([cell[0], codes + cells[1]]).astype(np.int32)
        values = np.tile([1.0, -1.0], self.n)
        ends = np.arange(0, 2 * self.n + 1, 2, dtype=np.int32)
        self._residual = sparse.csr_array(
            (values, looked_up.ravel(), ends), shape=(self.n, cells[1] + self.levels)
        )
        self._outcome, self._controls = (
            shared.outcome[rows, None],
            np.ascontiguousarray(shared.controls[rows]),
        )
        # Rows count only in the sums by cluster that leave them out.
        self._dummies = [
            _weighted_dummies(part.cluster, rows, np.where(part.by_row[rows], weights, 0.0))
            for part in parts
        ]

    def scores(self, own: np.ndarray, slopes: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
        """What the rows add to the scores (G, B) of each part."""
        effects = np.vstack([own, self._mean @ own])
        added = [np.zeros((dummies.shape[1], own.shape[1])) for dummies in self._dummies]
        for start in range(0, self.n, ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, self.n))
            left = self._residual[rows] @ effects
            subtract_product(left, self._controls[rows], slopes)
            error = self._outcome[rows] - left * b
            error *= left
            for dummies, total in zip(self._dummies, added, strict=True):
                total += dummies[rows].T @ error
        return added


def _weighted_dummies(group: Group, rows: np.ndarray, weights: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(
        (weights, group[0][rows], np.arange(len(rows) + 1, dtype=np.int32)),
        shape=(len(rows), group[1]),
    )


def _moving(finer: Group, cluster: Group) -> np.ndarray:
    """Rows (n,) of levels that lie in more than one cluster."""
    home = np.zeros(finer[1], dtype=cluster[0].dtype)
    home[finer[0]] = cluster[0]
    moves = np.zeros(finer[1], dtype=bool)
    moves[finer[0][home[finer[0]] != cluster[0]]] = True
    return moves[finer[0]]


def _level_solver(
    kernel: sparse.csr_array, cells: Cells, effects: Sequence[Group]
) -> tuple[sparse.csr_array, np.ndarray]:
    """L (cells, levels) of effects that are constant in cells, and S^- (levels, levels)."""
    levels = np.cumsum([0, *(size for _, size in effects)])
    columns = []
    for at, (codes, _) in enumerate(effects):
        level = np.zeros(cells.n, dtype=np.int64)
        level[cells.codes] = codes
        columns.append(level + levels[at])
    positions = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
    rows = np.tile(np.arange(cells.n), len(columns))
    dummies = sparse.csr_array(
        (np.ones(len(positions)), (rows, positions)), shape=(cells.n, int(levels[-1]))
    )
    weight = np.bincount(cells.codes, minlength=cells.n) @ dummies
    scale = 1 / np.sqrt(weight) if len(weight) else np.zeros(0)
    values, vectors = (
        np.linalg.eigh((dummies.T @ kernel @ dummies).toarray() * np.outer(scale, scale))
        if len(scale)
        else (scale, np.zeros((0, 0)))
    )
    spans = values > SPANNED
    half = scale[:, None] * vectors[:, spans]
    return dummies, (half / values[spans]) @ half.T


def _pairs(one: Group, other: Group, weights: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(
        sparse.coo_array((weights, (one[0], other[0])), shape=(one[1], other[1]))
    )


def _sums(group: Group, columns: np.ndarray) -> np.ndarray:
    """Sums of columns (n, m) by group, (groups, m)."""
    codes, size = group
    dummies = sparse.csr_array(
        (np.ones(len(codes)), codes, np.arange(len(codes) + 1)), shape=(len(codes), size)
    )
    return np.asarray(dummies.T @ columns)


def _diagonal(values: np.ndarray) -> sparse.dia_array:
    return sparse.dia_array(
        (np.asarray(values, dtype=float)[None, :], [0]), shape=(len(values), len(values))
    )
