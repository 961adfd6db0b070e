"""Instrument columns of a dynamic panel model, made from what is asked for (gmm.specs).

Most GMM-style instruments are zero in every row but one (a lag used in one period), so a column is
kept as its N values in that row. Only collapsed and IV-style instruments fill several rows.
Products with the instruments are sums over rows of small products, and the N x rows x instruments
matrix never exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.gmm.panel import shifted
from analysis.estimators.gmm.specs import GMM, lag_limits


@dataclass(frozen=True)
class Column:
    """Where an instrument comes from: its group, the equation, the period (None: every period), the
    variable and its lag."""

    group: str
    equation: str
    period: int | None
    variable: str
    lag: int | None
    is_level_gmm: bool = False
    is_tested: bool = True


@dataclass(frozen=True, eq=False)
class Instruments:
    """L instrument columns over R rows (periods of each equation) and N units.

    Attributes
    ----------
    single : row -> (m, N), the instruments that are non-zero in that row only
    spread : (R, D, N), the instruments that are non-zero in several rows
    columns : L descriptions, those of `single` row by row, then those of `spread`
    """

    single: tuple[np.ndarray, ...]
    spread: np.ndarray
    columns: tuple[Column, ...]

    @property
    def starts(self) -> np.ndarray:
        """(R + 1,) first column of each row's single instruments, and of the spread ones."""
        return np.concatenate([[0], np.cumsum([len(block) for block in self.single])]).astype(
            np.int64
        )

    def weighting(self, h: np.ndarray) -> np.ndarray:
        """(L, L) sum over units of Z_i' H Z_i, for H (R, R)."""
        total = len(self.columns)
        out = np.zeros((total, total))
        starts, rows = self.starts, len(self.single)
        for r in range(rows):
            for s in range(r, rows):
                if h[r, s] and len(self.single[r]) and len(self.single[s]):
                    block = h[r, s] * (self.single[r] @ self.single[s].T)
                    out[starts[r] : starts[r + 1], starts[s] : starts[s + 1]] = block
                    out[starts[s] : starts[s + 1], starts[r] : starts[r + 1]] = block.T
        if self.spread.shape[1]:
            self._add_spread(out, h, starts)
        return out

    def _add_spread(self, out: np.ndarray, h: np.ndarray, starts: np.ndarray) -> None:
        tail = slice(starts[-1], len(out))
        used = [r for r in range(len(self.single)) if self.spread[r].any()]
        for r in range(len(self.single)):
            weighed = np.zeros(self.spread.shape[1:])
            for s in used:
                if h[r, s]:
                    weighed += h[r, s] * self.spread[s]
            out[tail, tail] += self.spread[r] @ weighed.T
            block = self.single[r] @ weighed.T
            out[starts[r] : starts[r + 1], tail] = block
            out[tail, starts[r] : starts[r + 1]] = block.T

    def cross(self, x: np.ndarray) -> np.ndarray:
        """(L, K) sum over units of Z_i' X_i, for X (K, R, N)."""
        parts = [block @ x[:, r].T for r, block in enumerate(self.single)]
        tail = sum(
            (self.spread[r] @ x[:, r].T for r in range(len(self.single))),
            np.zeros((self.spread.shape[1], len(x))),
        )
        return np.concatenate([*parts, tail])

    def moments(self, errors: np.ndarray) -> np.ndarray:
        """(L, N) Z_i' e_i of each unit, for errors (R, N)."""
        out = np.empty((len(self.columns), errors.shape[1]))
        starts = self.starts
        for r, block in enumerate(self.single):
            np.multiply(block, errors[r], out=out[starts[r] : starts[r + 1]])
        tail = out[starts[-1] :]
        tail[:] = 0.0
        for r in range(len(self.single)):
            tail += self.spread[r] * errors[r]
        return out

    def combined(self, weights: np.ndarray) -> np.ndarray:
        """(R, N) the instruments summed with weights (L,)."""
        starts = self.starts
        rows = [
            weights[starts[r] : starts[r + 1]] @ block + weights[starts[-1] :] @ self.spread[r]
            for r, block in enumerate(self.single)
        ]
        return np.stack(rows)


class Builder:
    """Collects instrument columns; those that are zero in every used row are left out."""

    def __init__(self, used: np.ndarray, periods: np.ndarray, system: bool) -> None:
        self.used, self.periods, self.system = used, periods, system
        self.t = len(periods)
        self._single: list[list[np.ndarray]] = [[] for _ in used]
        self._single_columns: list[list[Column]] = [[] for _ in used]
        self._spread: list[np.ndarray] = []
        self._spread_columns: list[Column] = []

    def add_gmm(
        self,
        spec: GMM,
        label: str,
        names: Sequence[str],
        bases: Sequence[np.ndarray],
        differences: Sequence[np.ndarray],
    ) -> None:
        """Instruments of one spec: `bases` serve the transformed equation, `differences` the level
        equation; both (T, N), 0 if missing."""
        level = spec.equation == "level"
        sources = differences if level and not spec.passthrough else bases
        low, high = self._within_panel(spec, level)
        offset = self.t if level else 0
        splits = spec.split and self.system and spec.equation == "both"
        own = f"{label} (difference)" if splits else label
        for name, source in zip(names, sources, strict=True):
            for lag in range(low, high + 1):
                about = Column(
                    own, "level" if level else "difference", None, name, lag, is_level_gmm=level
                )
                if spec.collapse:
                    self._add_spread(about, {offset: shifted(source, lag, 0.0)})
                else:
                    for t in range(max(0, lag), min(self.t, self.t + lag)):
                        self._add_single(about, offset + t, source[t - lag])
        if self.system and spec.equation == "both":
            self._add_level_lags(
                spec, f"{label} (level)" if splits else label, names, differences, low, high
            )

    def add_iv(
        self,
        label: str,
        names: Sequence[str],
        transformed: Sequence[np.ndarray],
        levels: Sequence[np.ndarray],
        *,
        tested: bool = True,
    ) -> None:
        """One column a variable; an empty sequence means none in that equation. Arrays (T, N)."""
        for i, name in enumerate(names):
            parts = ({0: transformed[i]} if transformed else {}) | (
                {self.t: levels[i]} if levels else {}
            )
            where = "both" if len(parts) == 2 else "difference" if transformed else "level"
            self._add_spread(Column(label, where, None, name, None, is_tested=tested), parts)

    def build(self) -> Instruments:
        n = self.used.shape[1]
        single = tuple(np.stack(rows) if rows else np.zeros((0, n)) for rows in self._single)
        spread = (
            np.stack(self._spread, axis=1) if self._spread else np.zeros((len(self.used), 0, n))
        )
        columns = [column for row in self._single_columns for column in row] + self._spread_columns
        return Instruments(single, spread, tuple(columns))

    def _within_panel(self, spec: GMM, level: bool) -> tuple[int, int]:
        """Lag limits cut to what the panel can hold."""
        low, high = lag_limits(spec.lags)
        longest = self.t - 1 - (level and not spec.passthrough)
        leads = self.t - 2 + level
        first, last = max(-leads, low), longest if high is None else min(longest, high)
        if first > last:
            raise ValueError(
                f"{spec}: no lag of {low} to {'the longest' if high is None else high} fits in"
                f" {self.t} periods. Shorten the lags."
            )
        return first, last

    def _add_level_lags(
        self,
        spec: GMM,
        label: str,
        names: Sequence[str],
        differences: Sequence[np.ndarray],
        low: int,
        high: int,
    ) -> None:
        """The one lagged difference that the level equation gets beside the transformed equation's
        lags (Blundell and Bond 1998).

        It is the shortest lag less one. A column that is zero in all used rows moves on to longer
        lags while the limits leave room; that room is shared by the columns of one spec, in the
        order of periods and variables, as in xtabond2.
        """
        deeper = low > 0 or high > 0
        lag, stop, direction = (max(low - 1, 0), high - 1, 1) if deeper else (high - 1, low - 1, -1)
        start, used = lag, self.used[self.t :]
        order: list[tuple[int | None, int]] = [(None, i) for i in range(len(names))]
        if not spec.collapse:
            order = [
                (t, i)
                for t in range(max(0, -start), min(self.t, self.t - start))
                for i in range(len(names))
            ]
        for source_row, i in order:
            at = start
            source = differences[i]
            if source_row is not None:
                source = np.zeros_like(source)
                source[source_row] = differences[i][source_row]
            while (lag < stop if direction > 0 else lag > stop) and not (
                shifted(source, at, 0.0) * used
            ).any():
                at, lag = at + direction, lag + direction
            about = Column(label, "level", None, f"D.{names[i]}", at, is_level_gmm=True)
            if source_row is None:
                self._add_spread(about, {self.t: shifted(source, at, 0.0)})
            elif 0 <= source_row + at < self.t:
                self._add_single(about, self.t + source_row + at, source[source_row])

    def _add_single(self, about: Column, row: int, values: np.ndarray) -> None:
        masked = values * self.used[row]
        if masked.any():
            self._single[row].append(masked)
            period = int(self.periods[row % self.t])
            self._single_columns[row].append(
                Column(
                    about.group,
                    about.equation,
                    period,
                    about.variable,
                    about.lag,
                    about.is_level_gmm,
                    about.is_tested,
                )
            )

    def _add_spread(self, about: Column, parts: dict[int, np.ndarray]) -> None:
        column = np.zeros(self.used.shape)
        for start, values in parts.items():
            column[start : start + self.t] = values
        column = np.where(self.used, column, 0.0)
        if column.any():
            self._spread.append(column)
            self._spread_columns.append(about)


def filled(values: np.ndarray) -> np.ndarray:
    """Values with 0 where they are missing, as GMM-style instruments use them."""
    return np.nan_to_num(values, nan=0.0)
