"""The rows that an estimate uses: those asked for, complete, weighted, without singletons if
wished, and in an order of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.estimators.core.columns import check_columns, no_row, numbers, usable_rows
from analysis.estimators.core.groups import (
    Group,
    alone,
    canonical_order,
    columns_of,
    group_codes,
    order_by,
    refuse_repeated,
    renumbered,
    without_singletons,
)
from analysis.estimators.core.options import Where, row_mask
from analysis.estimators.core.tall import cross

SINGLETON = "alone in a level of an effect"
OUTSIDE = "outside where"


@dataclass(frozen=True, eq=False)
class Sample:
    """Complete rows; the order of the input, its index and its other columns have left no trace.

    Attributes
    ----------
    columns : (n, m) float64, by row
    groups : name of an effect, a cluster or another grouping -> level numbers (n,) and the number
        of levels
    weights : (n,) with mean one, or None
    dropped : reason -> rows left out
    singletons : rows kept although alone in a level of an effect
    labels : index labels of the rows used, in the order of the frame given
    keep : which rows of the frame are used; None for all
    order : (n,) position of each row among the labels; None where rows are in the order of the
        frame
    levels : grouping -> its labels in the order of their numbers, for those that were asked for
    """

    columns: np.ndarray
    groups: dict[str, Group]
    weights: np.ndarray | None
    dropped: dict[str, int]
    singletons: int
    labels: pd.Index
    keep: np.ndarray | None = None
    order: np.ndarray | None = None
    levels: Mapping[str, pd.Index] = field(default_factory=dict)

    @property
    def n(self) -> int:
        return len(self.columns)

    def column(self, at: int) -> np.ndarray:
        """One column (n,)."""
        return self.columns[:, at]

    def in_frame_order(self, values: np.ndarray) -> np.ndarray:
        """Values by row (n, ...) as the frame has its rows, one a label."""
        if self.order is None:
            return values
        back = np.empty_like(values)
        back[self.order] = values
        return back

    def of(self, names: Sequence[str]) -> list[Group]:
        """The named groupings; without a name, all rows as one group."""
        return [self.groups[name] for name in names] or [(np.zeros(self.n, dtype=np.int32), 1)]

    @cached_property
    def means(self) -> np.ndarray:
        """Weighted means of the columns (m,)."""
        return (
            self.columns.mean(axis=0)
            if self.weights is None
            else cross(self.weights[:, None], self.columns)[0] / self.n
        )


@dataclass(frozen=True)
class Taking:
    """How rows are taken.

    Attributes
    ----------
    levels : groupings whose labels are wanted
    sort_by : groupings that rows are in the order of, one after the other; default an order that
        suits the effects
    drop_singletons : leave out rows alone in a level of an effect, again and again until none is
    """

    levels: Sequence[str] = ()
    sort_by: Sequence[str] = ()
    drop_singletons: bool = False


AS_THEY_ARE = Taking()


def read_sample(
    frame: pd.DataFrame,
    columns: Sequence[str],
    effects: Sequence[str],
    others: Sequence[str] = (),
    *,
    weights: str | None = None,
    keys: Sequence[str] | None = None,
    where: Where | None = None,
    how: Taking = AS_THEY_ARE,
) -> Sample:
    """Take the rows of a frame that an estimate can use.

    Parameters
    ----------
    columns : numeric columns
    effects, others : group columns; "province#year" stands for the groups that two columns form
        together. Only effects have singletons
    weights : column of weights, zero or more; rows of weight zero are left out
    keys : columns that identify a row; None for the effects where there are two, otherwise none
    where : rows asked for; the others are counted among the dropped, and nothing in them matters

    Raises
    ------
    ValueError : an unknown or non-numeric column, two rows with one key, a negative weight, or no
        complete row.
    """
    identity = columns_of(effects) if keys is None and len(effects) == 2 else list(keys or ())
    names = list(dict.fromkeys([*effects, *others, *identity]))
    numeric = [*columns, *([weights] if weights else [])]
    check_columns(frame, [*numeric, *columns_of(names)])
    asked = row_mask(frame, where)
    frame, outside = rows_asked(frame, asked)
    groups = _groups(frame, names, identity)
    values = [_column(frame, name) for name in numeric]
    codes = [codes for codes, _ in groups.values()]
    keep, dropped = _complete(frame, columns_of(names), numeric, values, codes)
    dropped = outside | dropped
    keep = _without_zero_weight(frame, weights, values[-1], keep, dropped) if weights else keep
    if how.drop_singletons and effects:
        keep = _without_singletons([groups[name] for name in effects], keep, dropped, len(frame))
    rows = slice(None) if keep is None else keep
    if keep is not None:
        groups = {name: renumbered(codes[keep], size) for name, (codes, size) in groups.items()}
        values = [column[keep] for column in values]
    named = {name: _labels(frame[name][rows], groups[name]) for name in how.levels}
    sample = _in_order(values, groups, bool(weights), len(columns), how.sort_by)
    kept = int(alone([sample.groups[name] for name in effects]).sum()) if effects else 0
    labels, whole = frame.index[rows], _whole(keep, asked)
    return replace(
        sample, dropped=dropped, singletons=kept, labels=labels, keep=whole, levels=named
    )


def _groups(frame: pd.DataFrame, names: Sequence[str], identity: Sequence[str]) -> dict[str, Group]:
    """Level numbers by name; two rows with one key are refused.

    identity : columns that identify a row; none where nothing does
    """
    groups = {name: group_codes(frame, name) for name in names}
    if identity:
        keys = [groups.get(key) or group_codes(frame, key) for key in identity]
        refuse_repeated(frame, identity, keys)
    return groups


def rows_asked(frame: pd.DataFrame, where: Where | None) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows asked for, and how many others there are under the reason that is given for them."""
    asked = row_mask(frame, where)
    if asked is None or asked.all():
        return frame, {}
    return frame.loc[asked], {OUTSIDE: int((~asked).sum())}


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """(n,) float64; a column that is so already is not copied."""
    column = frame[name]
    return (
        column.to_numpy()
        if column.dtype == np.float64 and isinstance(column.dtype, np.dtype)
        else numbers(frame, [name])[name].to_numpy()
    )


def _complete(
    frame: pd.DataFrame,
    names: list[str],
    numeric: list[str],
    values: list[np.ndarray],
    codes: list[np.ndarray],
) -> tuple[np.ndarray | None, dict[str, int]]:
    """Complete rows, None for all of them. A finite sum shows that a column is; reasons are looked
    for only where something is missing.
    """
    if (
        len(frame)
        and all(part.min() >= 0 for part in codes)
        and np.isfinite([column.sum() for column in values]).all()
    ):
        return None, {}
    keep, dropped = usable_rows(
        frame[names],
        pd.DataFrame(dict(zip(numeric, values, strict=True)), index=frame.index, copy=False),
    )
    if not keep.any():
        raise ValueError(no_row(len(frame), dropped))
    return (None if keep.all() else keep), dropped


def _without_zero_weight(
    frame: pd.DataFrame,
    name: str,
    weight: np.ndarray,
    keep: np.ndarray | None,
    dropped: dict[str, int],
) -> np.ndarray | None:
    inside = np.ones(len(weight), dtype=bool) if keep is None else keep
    if np.any(weight[inside] < 0):
        row = frame.index[int(np.flatnonzero(inside & (weight < 0))[0])]
        raise ValueError(
            f"weight {name!r} is negative in {int((weight[inside] < 0).sum()):,} rows (the first:"
            f" index {row}). Weights are zero or more."
        )
    zero = inside & (weight == 0)
    if not zero.any():
        return keep
    dropped[f"{name} zero"] = int(zero.sum())
    if zero.sum() == inside.sum():
        raise ValueError(f"weight {name!r} is zero in every complete row.")
    return inside & ~zero


def _without_singletons(
    effects: list[Group], keep: np.ndarray | None, dropped: dict[str, int], n: int
) -> np.ndarray | None:
    inside = np.arange(n) if keep is None else np.flatnonzero(keep)
    stay = without_singletons([renumbered(codes[inside], size) for codes, size in effects])
    if stay.all():
        return keep
    if not stay.any():
        raise ValueError(
            f"each of {len(inside):,} complete rows is alone in a level of an effect, at once or"
            " once others are left out. Take out fewer effects."
        )
    dropped[SINGLETON] = int((~stay).sum())
    left = np.zeros(n, dtype=bool)
    left[inside[stay]] = True
    return left


def _whole(keep: np.ndarray | None, asked: np.ndarray | None) -> np.ndarray | None:
    """Which rows of the whole frame are used."""
    if asked is None or keep is None:
        return keep if asked is None else asked
    whole = asked.copy()
    whole[asked] = keep
    return whole


def _labels(column: pd.Series, group: Group) -> pd.Index:
    """The label of each level, in the order of their numbers."""
    codes, size = group
    first = np.zeros(size, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    return pd.Index(column.iloc[first].to_numpy())


def _in_order(
    values: list[np.ndarray],
    groups: dict[str, Group],
    weighted: bool,
    n_columns: int,
    sort_by: Sequence[str],
) -> Sample:
    if sort_by:
        order = order_by([groups[name] for name in sort_by], values)
    else:
        order = canonical_order(
            list(groups.values()) or [(np.zeros(len(values[0]), dtype=np.int32), 1)], values
        )
    if order is not None:
        groups = {name: (codes[order], size) for name, (codes, size) in groups.items()}
    columns = np.empty((len(values[0]), n_columns))
    for at, column in enumerate(values[:n_columns]):
        columns[:, at] = column if order is None else column[order]
    weights = None
    if weighted:
        weights = values[-1] if order is None else values[-1][order]
        weights = weights / weights.mean()
    return Sample(columns, groups, weights, {}, 0, pd.RangeIndex(0), order=order)
