"""Take any number of fixed effects out of columns, exactly: by elimination, not by iterating to a
tolerance.

With D1 the dummies of the largest effect, D2 those of all others (p levels) and W the weights, the
effects' normal equations are

    [D1'WD1  D1'WD2] [a]   [D1'Wz]
    [D2'WD1  D2'WD2] [g] = [D2'Wz]

D1'WD1 is diagonal, so a is eliminated by hand, whatever its size, and there remains the reduced
system of p equations

    S g = D2'Wz - N' H^-1 D1'Wz,     S = D2'WD2 - N' H^-1 N,     N = D1'WD2,  H = D1'WD1

S is singular by as much as the effects overlap (one level for each connected part of two effects);
a solution is found with the redundant levels at zero, and residuals do not depend on which. Up to
3,000 levels S is factored densely (Cholesky with pivoting). Above, preconditioned conjugate
gradients run to the rounding error, which well-linked effects reach in a few dozen steps; where
they do not get there, S is factored after all, sparsely or densely as it fills. The residuals are
then projected once more, which brings their sums by level to the rounding error of the columns
themselves.

Source: the elimination is Schur's complement; for two effects it is Abowd, Kramarz and Margolis
(1999), for the graph's parts Abowd, Creecy and Kramarz (2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy import sparse

from analysis.estimators.core.factors import Factor, dense_factor, sparse_factor
from analysis.estimators.core.groups import Group, combined, connected_parts
from analysis.estimators.core.tall import cross, subtract_product, times

DENSE_LEVELS = 3_000  # reduced systems up to here are factored densely at once
DENSE_LIMIT = 12_000  # and up to here (1.2 GB) where they fill up
MERGED_CELLS = (
    1 << 15
)  # small effects are looked up together while the table stays in the processor's cache
ROWS_AT_ONCE = 1 << 15
GRADIENT_STEPS = 200
GRADIENT_FLOOR = 1e-13


class Absorber:
    """Effects ready to be taken out of columns.

    Parameters
    ----------
    groups : for each effect its level numbers (n,), 0.. without holes, and the number of levels
    weights : (n,) positive, or None

    Raises
    ------
    ValueError : no effect, or effects and weights of different length.
    """

    def __init__(self, groups: Sequence[Group], weights: np.ndarray | None = None) -> None:
        if (
            not groups
            or len(
                {len(codes) for codes, _ in groups}
                | ({len(weights)} if weights is not None else set())
            )
            != 1
        ):
            raise ValueError(
                "effects and weights must be there for the same rows, at least one effect."
            )
        order = sorted(range(len(groups)), key=lambda i: (-groups[i][1], i))
        self.n = len(groups[0][0])
        self.weights = weights
        self._head = groups[order[0]]
        self._rest = [groups[i] for i in reversed(order[1:])]  # from the smallest up
        self._offsets = np.cumsum([0, *(size for _, size in self._rest)])
        self._head_weight = np.bincount(
            self._head[0], weights=weights, minlength=self._head[1]
        ).astype(float)
        self._merge()
        self._link()
        self._factor: Factor | None = None
        if 0 < self.reduced_levels <= DENSE_LEVELS:
            self._factor = dense_factor(self._reduced())

    @property
    def reduced_levels(self) -> int:
        """Levels p of all effects but the largest."""
        return int(self._offsets[-1])

    def residualise(
        self, columns: np.ndarray, *, refine: bool = True, overwrite: bool = False
    ) -> np.ndarray:
        """Columns (n, m) less their projection on the effects, in float64.

        refine : project twice, for sums by level that are zero to rounding; once is enough for
            columns of size one, such as dummies
        overwrite : write into `columns`, a C-ordered float64 array
        """
        left = columns if overwrite else np.array(columns, dtype=np.float64, order="C")
        # Only gradients need to know how large the columns were: what is left after the first round
        # is small, its rounding is not.
        squares = self._squares(left) if self._rest and self._factor is None else None
        for _ in range(2 if refine else 1):
            effects = self.effects(self.sums(left), squares)
            for start in range(0, self.n, ROWS_AT_ONCE):
                rows = slice(start, min(start + ROWS_AT_ONCE, self.n))
                left[rows] -= self.fitted(effects, rows)
        return left

    def sums(self, columns: np.ndarray) -> np.ndarray:
        """Weighted sums of columns (n, m) by what is looked up: levels of the largest effect, then
        levels of the others or cells of them.
        """
        return np.asarray(self._weighted.T @ columns)

    def effects(self, sums: np.ndarray, squares: np.ndarray | None = None) -> np.ndarray:
        """The effects that fit best the columns with these sums, by what is looked up; sum(sums *
        effects) is what they explain.

        squares : (m,) sums of squares that the columns' rounding comes from
        """
        effects = sums.copy()
        heads = effects[: self._head[1]]
        if not self._rest:
            heads /= self._head_weight[:, None]
            return effects
        rest = self._solve(
            self._lift.T @ effects[self._head[1] :] - self._shares_transposed(heads), squares
        )
        heads /= self._head_weight[:, None]
        subtract_product(heads, self._table, rest[: self._dense_levels])
        for start in range(0, len(heads), ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, len(heads)))
            heads[rows] -= self._sparse[rows] @ rest[self._dense_levels :]
        effects[self._head[1] :] = self._lift @ rest
        return effects

    def fitted(self, effects: np.ndarray, rows: slice) -> np.ndarray:
        """Effects added up by row, for some rows."""
        return np.asarray(self._incidence[rows] @ effects)

    def rank(self) -> int:
        """Independent dummies of all effects, exactly: by the graph for two effects, by elimination
        for more.
        """
        if not self._rest:
            return self._head[1]
        if len(self._rest) == 1:
            return self._head[1] + self._rest[0][1] - connected_parts(self._head, self._rest[0])
        return self._head[1] + self._direct().rank

    def _merge(self) -> None:
        """One look-up a row for small effects together: row -> cell -> levels."""
        merged: list[tuple[Group, list[int]]] = []
        for at, group in enumerate(self._rest):
            if merged and merged[-1][0][1] * group[1] <= MERGED_CELLS:
                merged[-1] = (combined([merged[-1][0], group]), [*merged[-1][1], at])
            else:
                merged.append((group, [at]))
        starts = np.cumsum([self._head[1], *(cell[1] for cell, _ in merged)])
        looked_up = np.empty((self.n, 1 + len(merged)), dtype=np.int32)
        looked_up[:, 0] = self._head[0]
        rows, levels = [], []
        for at, ((codes, size), members) in enumerate(merged):
            looked_up[:, 1 + at] = codes + starts[at]
            for member in members:
                level = np.empty(size, dtype=np.int64)
                level[codes] = self._rest[member][0] + self._offsets[member]
                rows.append(np.arange(size) + starts[at] - self._head[1])
                levels.append(level)
        self._cells = [cell for cell, _ in merged]
        self._incidence = _one_hot(looked_up, int(starts[-1]), None)
        self._weighted = (
            self._incidence
            if self.weights is None
            else _one_hot(looked_up, int(starts[-1]), self.weights)
        )
        at_cell, at_level = (
            np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
            for parts in (rows, levels)
        )
        shape = (int(starts[-1]) - self._head[1], self.reduced_levels)
        self._lift = sparse.csr_array((np.ones(len(at_cell)), (at_cell, at_level)), shape=shape)

    def _link(self) -> None:
        """H^-1 N, each head level's weight shared among other levels: the small effects as a table,
        the others sparsely.
        """
        heads, self._dense_levels = self._head[1], 0
        tables: list[np.ndarray] = []
        links: list[sparse.csr_array] = []
        for codes, size in self._rest:
            if not links and heads * (self._dense_levels + size) <= 8 * self.n:
                flat = np.bincount(
                    self._head[0].astype(np.int64) * size + codes,
                    weights=self.weights,
                    minlength=heads * size,
                )
                tables.append(flat.reshape(heads, size) / self._head_weight[:, None])
                self._dense_levels += size
            else:
                links.append(_cross(self._head, (codes, size), self.weights))
        self._table = (
            tables[0] if len(tables) == 1 else np.hstack(tables) if tables else np.zeros((heads, 0))
        )
        self._sparse = sparse.hstack(links, format="csr") if links else sparse.csr_array((heads, 0))
        self._sparse.data /= np.repeat(self._head_weight, np.diff(self._sparse.indptr))
        self._level_weight = np.concatenate(
            [np.bincount(c, weights=self.weights, minlength=s).astype(float) for c, s in self._rest]
            or [np.zeros(0)]
        )

    def _shares_transposed(self, heads: np.ndarray) -> np.ndarray:
        """N'H^-1 times values by head level (levels, m)."""
        return np.vstack([cross(self._table, heads), self._sparse.T @ heads])

    def _reduced(self) -> sparse.csr_array:
        """S, (p, p)."""
        table = self._table * self._head_weight[:, None]
        links = self._sparse.copy()
        links.data = links.data * np.repeat(self._head_weight, np.diff(links.indptr))
        side = sparse.csr_array(links.T @ self._table)
        corner = sparse.csr_array(cross(table, self._table))
        overlap = sparse.block_array(
            [[corner, side.T], [side, links.T @ self._sparse]], format="csr"
        )
        reduced = sparse.csr_array(self._between - overlap)
        diagonal = reduced.diagonal()
        # What little a level has of its own is lost in the difference: it is summed afresh from
        # what no head level has alone.
        if np.any(diagonal < 1e-3 * self._level_weight):
            own = np.append(
                (table * (1 - self._table)).sum(axis=0),
                np.bincount(links.indices, links.data * (1 - self._sparse.data), links.shape[1]),
            )
            own[own <= 1e-11 * self._level_weight] = 0
            reduced.setdiag(own)
        return reduced

    @cached_property
    def _between(self) -> sparse.csr_array:
        """D2'WD2, (p, p): weights by level on the diagonal, by pair of levels of two effects
        elsewhere.
        """
        cells: dict[tuple[int, int], sparse.sparray] = {}
        for i, (codes, size) in enumerate(self._cells):
            weight = np.bincount(codes, weights=self.weights, minlength=size).astype(float)
            cells[i, i] = sparse.dia_array((weight[None, :], [0]), shape=(size, size))
            for j in range(i):
                cells[j, i] = _cross(self._cells[j], (codes, size), self.weights)
                cells[i, j] = cells[j, i].T
        blocks = [[cells[i, j] for j in range(len(self._cells))] for i in range(len(self._cells))]
        return sparse.csr_array(
            self._lift.T @ sparse.block_array(blocks, format="csr") @ self._lift
        )

    def _direct(self) -> Factor:
        if self._factor is None:
            reduced = self._reduced()
            filled = (
                reduced.nnz > 0.02 * self.reduced_levels**2 and self.reduced_levels <= DENSE_LIMIT
            )
            self._factor = (dense_factor if filled else sparse_factor)(reduced)
        return self._factor

    def _squares(self, columns: np.ndarray) -> np.ndarray:
        return np.einsum(
            "ij,ij->j",
            columns,
            columns if self.weights is None else columns * self.weights[:, None],
        )

    def _solve(self, right: np.ndarray, squares: np.ndarray | None) -> np.ndarray:
        if self._factor is None:
            found = self._by_gradients(right, squares)
            if found is not None:
                return found
        return self._direct().solve(right)

    def _by_gradients(self, right: np.ndarray, squares: np.ndarray | None) -> np.ndarray | None:
        """Conjugate gradients on S, all columns together; None where the rounding error is not
        reached.
        """
        scale = 1 / self._level_weight[:, None]
        found, left = np.zeros_like(right), right.copy()
        step = left * scale
        power = (left * step).sum(axis=0)
        floor = np.maximum(
            GRADIENT_FLOOR**2 * power,
            0 if squares is None else (4 * np.finfo(float).eps) ** 2 * squares,
        )
        for _ in range(GRADIENT_STEPS):
            going = power > floor
            if not going.any():
                return found
            heads = (
                times(self._table, step[: self._dense_levels])
                + self._sparse @ step[self._dense_levels :]
            )
            image = self._between @ step - self._shares_transposed(
                heads * self._head_weight[:, None]
            )
            curvature = (step * image).sum(axis=0)
            if np.any(curvature[going] <= 0):
                return None
            length = np.divide(power, curvature, out=np.zeros_like(power), where=going)
            found += length * step
            left -= length * image
            turned = left * scale
            before, power = power, (left * turned).sum(axis=0)
            step = turned + step * np.divide(power, before, out=np.zeros_like(power), where=going)
        return None


def _one_hot(positions: np.ndarray, width: int, weights: np.ndarray | None) -> sparse.csr_array:
    """Rows (n,) with a one, or the row's weight, at each of their positions (n, q)."""
    n, per_row = positions.shape
    values = np.ones(n * per_row) if weights is None else np.repeat(weights, per_row)
    return sparse.csr_array(
        (values, positions.ravel(), np.arange(0, n * per_row + 1, per_row, dtype=np.int32)),
        shape=(n, width),
    )


def _cross(one: Group, other: Group, weights: np.ndarray | None) -> sparse.csr_array:
    """Weight of each pair of levels, (levels, levels)."""
    values = np.ones(len(one[0])) if weights is None else weights
    return sparse.csr_array(
        sparse.coo_array((values, (one[0], other[0])), shape=(one[1], other[1]))
    )
