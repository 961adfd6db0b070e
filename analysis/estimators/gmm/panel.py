"""The panel of a dynamic model as a grid: one row a period, one column a unit, NaN where there is
no value.

Every array of this family of modules has the units last, so that a period of all units lies
together in memory. The equations of the model are stacked in rows: periods of the transformed
equation, then, in system GMM, periods of the level equation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, numbers, refuse_duplicates
from analysis.estimators.core.groups import group_codes
from analysis.estimators.core.options import Transform, Where, row_mask
from analysis.estimators.gmm.terms import Term

# A transformed column is nothing but rounding when it is smaller than this share of the column
# itself.
NOTHING_LEFT = 1e-12
LARGEST_GRID = 50_000_000


@dataclass(frozen=True)
class Panel:
    """Columns of a frame on a grid of T periods and N units.

    Attributes
    ----------
    periods : (T,) values of the time column, evenly spaced
    columns : name -> (T, N) values
    present : (T, N) whether the frame has a row
    asked : (T, N) whether that row is among those to estimate on; the others serve lags and
        instruments only
    row : (T, N) position of that row in the frame, -1 where there is none
    keyless : reason -> rows of the frame without a unit or a time
    """

    periods: np.ndarray
    columns: Mapping[str, np.ndarray]
    present: np.ndarray
    asked: np.ndarray
    row: np.ndarray
    keyless: Mapping[str, int]

    def term(self, term: Term) -> np.ndarray:
        """(T, N) values of a lagged or differenced column; lags go by time, so a gap makes them
        missing."""
        values = self.columns[term.column]
        for _ in range(term.differences):
            values = values - shifted(values, 1)
        return shifted(values, term.lag)

    def only(self, units: np.ndarray) -> Panel:
        """The panel of some units (N,) bool, over the periods in which they have rows."""
        seen = np.flatnonzero(self.present[:, units].any(axis=1))
        window = slice(seen[0], seen[-1] + 1)
        kept = {
            name: np.ascontiguousarray(values[window, units])
            for name, values in self.columns.items()
        }
        present, asked, row = (grid[window, units] for grid in (self.present, self.asked, self.row))
        return Panel(self.periods[window], kept, present, asked, row, self.keyless)


def make_panel(
    frame: pd.DataFrame,
    columns: Sequence[str],
    unit: str,
    time: str,
    time_step: int,
    where: Where | None = None,
) -> Panel:
    """Lay the named columns out by unit and time, those of rows that are not asked for as well.

    Raises
    ------
    ValueError : an unknown or non-numeric column, two rows with one unit and time, a time that is
        not a whole number of steps, or something other than rows in where.
    """
    check_columns(frame, [unit, time, *columns])
    mask = row_mask(frame, where)
    values = numbers(frame, columns)
    has_keys, keyless = _with_keys(frame, (unit, time))
    if not has_keys.any():
        raise ValueError(f"no row of the frame ({len(frame):,}) has both {unit} and {time}.")
    refuse_duplicates(frame.loc[has_keys], [unit, time])
    step, periods = _steps(frame.loc[has_keys, time], time, time_step)
    codes, units = group_codes(frame.loc[has_keys], unit)
    if len(periods) * units > LARGEST_GRID:
        raise ValueError(
            f"{time} spans {len(periods):,} periods of {time_step} for {units:,} units. Number the"
            " periods without jumps, or give time_step."
        )
    row = np.full((len(periods), units), -1, dtype=np.int64)
    row[step, codes] = np.flatnonzero(has_keys)
    filled: dict[str, np.ndarray] = {}
    for name in columns:
        grid = np.full(row.shape, np.nan)
        column = values[name].to_numpy()[has_keys]
        grid[step, codes] = np.where(np.isfinite(column), column, np.nan)
        filled[name] = grid
    present = row >= 0
    return Panel(
        periods, filled, present, present if mask is None else present & mask[row], row, keyless
    )


def _with_keys(frame: pd.DataFrame, keys: Sequence[str]) -> tuple[np.ndarray, dict[str, int]]:
    """Rows (n,) that have both keys, and how many lack one."""
    keyless: dict[str, int] = {}
    there = np.ones(len(frame), dtype=bool)
    for name in keys:
        missing = frame[name].isna().to_numpy()
        if (there & missing).any():
            keyless[f"{name} missing"] = int((there & missing).sum())
        there &= ~missing
    return there, keyless


def _steps(time: pd.Series, name: str, time_step: int) -> tuple[np.ndarray, np.ndarray]:
    """Each row's period as a number from 0, and the periods themselves."""
    if time_step < 1 or int(time_step) != time_step:
        raise ValueError(
            f"time_step = {time_step!r}: it is the whole number of units of {name} from one period"
            " to the next, at least 1."
        )
    if not pd.api.types.is_numeric_dtype(time) or pd.api.types.is_bool_dtype(time):
        raise ValueError(
            f"column {name!r} holds {time.dtype}; lags need whole numbers such as years."
            " Convert it."
        )
    exact = time.to_numpy(dtype="float64")
    whole = np.rint(exact)
    if not np.isfinite(exact).all() or (whole != exact).any():
        raise ValueError(
            f"column {name!r} has values that are not whole numbers. Lags go by whole periods:"
            " number them."
        )
    start = whole.min()
    step, rest = np.divmod(whole - start, time_step)
    if rest.any():
        raise ValueError(
            f"column {name!r} is not spaced by time_step = {time_step} from {start:.0f} on. Give"
            " the right time_step."
        )
    return step.astype(np.int64), (start + time_step * np.arange(int(step.max()) + 1)).astype(
        np.int64
    )


def shifted(values: np.ndarray, by: int, fill: float = np.nan) -> np.ndarray:
    """Values (T, N) as they were `by` periods earlier (later if negative), `fill` where that is
    outside the grid."""
    if by == 0:
        return values
    out = np.full_like(values, fill)
    if abs(by) < len(values):
        if by > 0:
            out[by:] = values[:-by]
        else:
            out[:by] = values[-by:]
    return out


def differenced(values: np.ndarray) -> np.ndarray:
    """First differences (..., T, N); missing in the first period and after a gap."""
    out = np.full_like(values, np.nan)
    out[..., 1:, :] = values[..., 1:, :] - values[..., :-1, :]
    return out


def forward_deviations(values: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Arellano-Bover (1995) deviations from the mean of all later complete periods, scaled to keep
    the variance.

    The deviation of period t stands in row t + 1, as xtabond2 keeps it, so that lags count from the
    same row as for differences.

    Parameters
    ----------
    values : (..., T, N)
    complete : (T, N) the periods that enter the means
    """
    later = np.cumsum(complete[::-1], axis=0)[::-1] - complete
    taken = np.where(complete, values, 0.0)
    total = np.flip(np.cumsum(np.flip(taken, -2), axis=-2), -2) - taken
    out = np.full_like(values, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(later / (later + 1.0)) * (values - total / later)
    out[..., 1:, :] = np.where(later > 0, deviation, np.nan)[..., :-1, :]
    return _without_rounding(out, values)


def backward_deviations(values: np.ndarray, complete: np.ndarray) -> np.ndarray:
    """Deviations from the mean of all earlier complete periods, scaled; 0 where there is none
    (instruments only)."""
    earlier = np.cumsum(complete, axis=0) - complete
    taken = np.where(complete, values, 0.0)
    total = np.cumsum(taken, axis=-2) - taken
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(earlier / (earlier + 1.0)) * (values - total / earlier)
    return _without_rounding(np.where(earlier > 0, deviation, 0.0), values)


def _without_rounding(deviations: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Exact zeros where a column (T, N) is constant inside every unit, and its deviations are
    rounding only."""
    axes = (-2, -1)
    size = np.max(np.abs(np.nan_to_num(deviations)), axis=axes, keepdims=True)
    whole = np.max(np.abs(np.nan_to_num(values)), axis=axes, keepdims=True)
    return np.where((size <= NOTHING_LEFT * whole) & ~np.isnan(deviations), 0.0, deviations)


def transformer(transform: Transform, complete: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The function that takes the unit effects out of (..., T, N) values."""
    if transform == "difference":
        return differenced
    return lambda values: forward_deviations(values, complete)


def transform_matrix(transform: Transform, periods: int) -> np.ndarray:
    """(T, T) matrix whose row t makes the transformed error of row t from level errors; the first
    row is zero."""
    matrix = np.zeros((periods, periods))
    for t in range(1, periods):
        if transform == "difference":
            matrix[t, t], matrix[t, t - 1] = 1.0, -1.0
        else:
            matrix[t, t - 1], matrix[t, t:] = 1.0, -1.0 / (periods - t)
            matrix[t] /= np.linalg.norm(matrix[t])
    return matrix
