"""Firm panels for production functions: usable rows, lags of adjacent periods only, polynomials,
resampling by firm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.measures import plain, samples

# The share of a column that must be left beside the columns before it.
NOTHING_LEFT = 1e-9


@dataclass(frozen=True)
class FirmPanel:
    """Rows sorted by firm and period; all values in logs, as given.

    Attributes
    ----------
    y : (n,) output
    free, state, proxy, controls : (n, .) columns by role
    firm : (n,) whole numbers from 0, rising
    period : (n,) whole numbers
    before : (n,) position of the same firm's row one period earlier, -1 where there is none
    survives : (n,) whether the firm is seen in a later period; NaN in the panel's last period
    """

    y: np.ndarray
    free: np.ndarray
    state: np.ndarray
    proxy: np.ndarray
    controls: np.ndarray
    firm: np.ndarray
    period: np.ndarray
    before: np.ndarray
    survives: np.ndarray

    @property
    def first_rows(self) -> np.ndarray:
        """Position of each firm's first row."""
        return np.flatnonzero(np.diff(self.firm, prepend=-1))

    def resampled(self, firms: np.ndarray) -> FirmPanel:
        """The rows of the firms drawn, each draw a firm of its own."""
        starts = self.first_rows
        counts = np.diff(np.append(starts, len(self.y)))[firms]
        rows = np.repeat(
            starts[firms] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts
        ) + np.arange(counts.sum())
        before = np.where(self.before[rows] >= 0, np.arange(len(rows)) - 1, -1)
        firm = np.repeat(np.arange(len(firms)), counts)
        columns = (
            self.y[rows],
            self.free[rows],
            self.state[rows],
            self.proxy[rows],
            self.controls[rows],
        )
        return FirmPanel(*columns, firm, self.period[rows], before, self.survives[rows])


@dataclass(frozen=True)
class Roles:
    """Which column plays which part."""

    output: str
    free: tuple[str, ...]
    state: tuple[str, ...]
    proxy: tuple[str, ...]
    controls: tuple[str, ...]
    unit: str
    period: str

    @property
    def columns(self) -> list[str]:
        return [self.output, *self.free, *self.state, *self.proxy, *self.controls]


def firm_panel(
    frame: pd.DataFrame, roles: Roles
) -> tuple[FirmPanel, np.ndarray, Mapping[str, int]]:
    """The panel, the position of each of its rows in the frame, and what was dropped.

    Raises
    ------
    ValueError : columns missing or not numeric; duplicate firm and period; no firm with two
        adjacent periods.
    """
    samples.check_columns(frame, [*roles.columns, roles.unit, roles.period])
    values, times = samples.numbers(frame, roles.columns), samples.periods(frame, roles.period)
    checks = [(name, values[:, position]) for position, name in enumerate(roles.columns)]
    keep, dropped = samples.usable_rows(
        [*checks, (roles.unit, samples.labels_missing(frame, roles.unit)), (roles.period, times)]
    )
    samples.refuse_duplicates(frame.loc[keep], [roles.unit, roles.period])
    seen_last = _last_periods(frame[roles.unit], times)
    rows = np.flatnonzero(keep)
    # Firms are counted in the order of their numbers, so that neither the frame's order nor the
    # spelling of ids changes a sum or a draw.
    rows = rows[np.lexsort((*values[rows].T, times[rows]))]
    firm = samples.codes_by_first_row(frame[roles.unit].iloc[rows])
    order = np.lexsort((times[rows], firm))
    rows, firm = rows[order], firm[order]
    period = times[rows]
    adjacent = (np.diff(firm, prepend=-1) == 0) & (np.diff(period, prepend=np.nan) == 1)
    before = np.where(adjacent, np.arange(len(rows)) - 1, -1)
    if not adjacent.any():
        raise ValueError(
            f"no {roles.unit} has two adjacent values of {roles.period!r} with every number"
            f" ({samples.rows(len(rows))}; left out: {dropped or 'none'})."
        )
    survives = np.where(
        period == np.nanmax(times), np.nan, (seen_last[rows] > period).astype(float)
    )
    split = np.cumsum([1, len(roles.free), len(roles.state), len(roles.proxy)])
    y, free, state, proxy, controls = np.split(values[rows], split, axis=1)
    return (
        FirmPanel(y[:, 0], free, state, proxy, controls, firm, period, before, survives),
        rows,
        dropped,
    )


def _last_periods(units: pd.Series, times: np.ndarray) -> np.ndarray:
    """The last period in which each row's firm is seen at all, also with numbers missing: absence
    of a number is no exit.
    """
    codes = pd.factorize(units.to_numpy(dtype=object))[0]
    last = np.full(codes.max(initial=-1) + 1, -np.inf)
    known = (codes >= 0) & np.isfinite(times)
    np.maximum.at(last, codes[known], times[known])
    return np.where(known, last[np.maximum(codes, 0)] if len(last) else np.nan, np.nan)


def polynomial(columns: np.ndarray, order: int) -> np.ndarray:
    """All products of the columns up to the given degree, (n, .), without the constant.

    Columns are standardised first (by their real parts, if a complex step is taken), which changes
    no fit.
    """
    real = np.real(columns)
    spread = real.std(axis=0)
    scaled = (columns - real.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    powers = [np.ascontiguousarray(column) for column in scaled.T]
    terms: list[tuple[tuple[int, ...], np.ndarray]] = [
        ((at,), column) for at, column in enumerate(powers)
    ]
    lower = terms
    for _ in range(order - 1):
        lower = [
            ((*term, at), value * powers[at])
            for term, value in lower
            for at in range(term[-1], len(powers))
        ]
        terms = terms + lower
    return np.column_stack([value for _, value in terms])


def partly_linear(
    y: np.ndarray, nuisance: np.ndarray, wanted: np.ndarray, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of y on a constant, nuisance columns (of which dependent ones are left out) and
    wanted columns.

    Returns
    -------
    coefficients : (k,) of the wanted columns
    fitted : (n,)

    Raises
    ------
    ValueError : naming a wanted column that the others determine.
    """
    first, width = 1 + nuisance.shape[1], wanted.shape[1]
    columns = np.column_stack([np.ones(len(y)), nuisance, wanted])
    basis, triangle, kept = plain.orthonormal(columns, NOTHING_LEFT)
    lost = np.setdiff1d(np.arange(first, first + width), kept)
    if len(lost):
        name = names[int(lost[0]) - first]
        raise ValueError(
            f"column {name!r} is determined by the state, the proxy and the columns before it, so"
            " its coefficient cannot be told. Leave it out."
        )
    shares = plain.cross(basis, y)
    rank = len(kept) - width
    return plain.solve_upper(triangle[rank:, first:], shares[rank:]), plain.times(basis, shares)


def independent(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis (n, rank) of the columns' span; a column that those before it determine
    adds nothing.
    """
    return plain.orthonormal(columns, NOTHING_LEFT)[0]


def projected(basis: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The part of (n,) or (n, m) values that lies in the span of an orthonormal basis (n, k)."""
    return plain.times(basis, plain.cross(basis, values))
