"""Groups as numbers: levels of effects and clusters, rows in one order, what is connected, nested,
alone or repeated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import refuse_duplicates

Group = tuple[
    np.ndarray, int
]  # level numbers (n,), 0.. in the order of the labels, -1 where missing; number of levels
# "province#year" stands for the groups that the two columns form together, as Stata writes it.
TOGETHER = "#"
SMALL_TABLE = 1 << 22


def columns_of(names: Sequence[str]) -> list[str]:
    """Columns that group names refer to, each once: "province#year" refers to two."""
    return list(dict.fromkeys(part for name in names for part in name.split(TOGETHER)))


def group_codes(frame: pd.DataFrame, name: str) -> Group:
    """Level numbers (n,) of a column, or of columns joined by '#', and how many levels there are;
    -1 where one is missing.
    """
    parts = [_level_codes(frame[part]) for part in name.split(TOGETHER)]
    return parts[0] if len(parts) == 1 else combined(parts)


def _level_codes(column: pd.Series) -> Group:
    """Numbers 0.. in the order of the sorted labels: text, categories and numbers that sort alike
    get the same numbers.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        rank = np.append(pd.factorize(column.cat.categories, sort=True)[0], -1)
        return renumbered(rank[column.cat.codes.to_numpy()], len(rank) - 1)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu" and len(column):
        values = column.to_numpy()
        low, high = int(values.min()), int(values.max())
        if high - low < max(4 * len(values), 1024) and high < 1 << 62 and low > -(1 << 62):
            return renumbered(values.astype(np.int64) - low, high - low + 1)
    codes, labels = pd.factorize(column, sort=True)
    return codes.astype(np.int32), len(labels)


def numbered(codes: np.ndarray) -> Group:
    """Level numbers (n,), 0.. and all used, with how many there are."""
    return codes, int(codes.max(initial=-1)) + 1


def renumbered(codes: np.ndarray, size: int) -> Group:
    """The same groups numbered 0.. without holes, in the same order; -1 stays -1."""
    used = np.zeros(size + 1, dtype=bool)
    used[codes] = True
    used[size] = False
    numbers = np.append(np.cumsum(used[:size], dtype=np.int32) - 1, np.int32(-1))
    return numbers[codes], int(used.sum())


def combined(parts: Sequence[Group]) -> Group:
    """Groups formed by several groupings together, numbered in the order of their parts; -1 where a
    part is missing.
    """
    codes, size = parts[0]
    for other, levels in parts[1:]:
        missing = (codes < 0) | (other < 0)
        key = codes.astype(np.int64) * levels + other
        key[missing] = -1
        if size * levels <= max(SMALL_TABLE, 4 * len(key)):
            codes, size = renumbered(key, size * levels)
        else:
            codes, labels = pd.factorize(pd.Series(key).where(~missing), sort=True)
            codes, size = codes.astype(np.int32), len(labels)
    return codes, size


def refuse_repeated(frame: pd.DataFrame, keys: Sequence[str], known: Sequence[Group]) -> None:
    """Refuse two rows with the same keys (rows without a key do not count); known are the keys'
    level numbers.

    Raises
    ------
    ValueError : naming the first keys that repeat.
    """
    key = _mixed_radix(known)
    complete = np.logical_and.reduce([codes >= 0 for codes, _ in known])
    inside = np.sort(key[complete])
    if np.any(inside[1:] == inside[:-1]):
        refuse_duplicates(frame.loc[complete, list(keys)], keys)


def canonical_order(groups: Sequence[Group], columns: Sequence[np.ndarray]) -> np.ndarray | None:
    """An order of rows that depends on their content alone, so that the order of the input cannot
    move a digit.

    Rows go by the largest grouping first, then from the smallest up: a panel that is sorted by its
    keys is in order already. Rows that share all groups go by their values in `columns`.

    Returns
    -------
    (n,) positions, or None where the rows are in that order already
    """
    if not groups or not len(groups[0][0]):
        return None
    first = max(range(len(groups)), key=lambda i: (groups[i][1], -i))
    rest = sorted((i for i in range(len(groups)) if i != first), key=lambda i: (groups[i][1], i))
    return order_by([groups[i] for i in (first, *rest)], columns)


def order_by(groups: Sequence[Group], columns: Sequence[np.ndarray]) -> np.ndarray | None:
    """Rows by one grouping after the other, those that share all of them by their values; None
    where they are in that order already.
    """
    key = _mixed_radix(groups)
    if np.all(key[1:] > key[:-1]):
        return None
    order = np.argsort(key, kind="stable")
    return _ties_broken(order, key[order], columns)


def _ties_broken(order: np.ndarray, key: np.ndarray, columns: Sequence[np.ndarray]) -> np.ndarray:
    same = key[1:] == key[:-1]  # with the row before, in all that has been looked at
    for column in columns:
        if not same.any():
            break
        inside = np.flatnonzero(np.append(same, False) | np.append(False, same))
        run = np.cumsum(np.append(True, ~same))[inside]
        values = column[order[inside]]
        moved = np.lexsort((values, run))
        order[inside] = order[inside][moved]
        values = values[moved]
        still = (run[1:] == run[:-1]) & (values[1:] == values[:-1])
        same = np.zeros_like(same)
        same[inside[1:][still] - 1] = True
    return order


def _mixed_radix(groups: Sequence[Group]) -> np.ndarray:
    """One integer a row that sorts as the groups do, one after the other."""
    key, size = groups[0][0].astype(np.int64), groups[0][1]
    for codes, levels in groups[1:]:
        if size * levels >= 1 << 62:
            key, labels = pd.factorize(key, sort=True)
            size = len(labels)
        key = key * levels + codes
        size *= levels
    return key


def nested(inner: Group, outer: Group) -> bool:
    """Whether each level of the inner grouping lies inside one level of the outer."""
    home = np.zeros(inner[1], dtype=outer[0].dtype)
    home[inner[0]] = outer[0]
    return bool(np.array_equal(home[inner[0]], outer[0]))


def connected_parts(one: Group, other: Group) -> int:
    """Parts of the graph whose nodes are the levels of two groupings and whose edges are
    the rows.
    """
    (many, n_many), (few, n_few) = sorted((one, other), key=lambda group: -group[1])
    if n_many * n_few <= SMALL_TABLE >> 4:
        cells = np.flatnonzero(np.bincount(many.astype(np.int64) * n_few + few))
        many, few = cells // n_few, cells % n_few
    if not np.all(many[1:] >= many[:-1]):
        order = np.argsort(many, kind="stable")
        many, few = many[order], few[order]
    # Levels of the smaller grouping that meet in a level of the larger are one part; each larger
    # level belongs to some smaller one.
    linked = many[1:] == many[:-1]
    start, end = few[:-1][linked].astype(np.int64), few[1:][linked].astype(np.int64)
    if n_few * n_few <= SMALL_TABLE:
        pairs = np.flatnonzero(np.bincount(start * n_few + end, minlength=1))
        start, end = pairs // n_few, pairs % n_few
    graph = sparse.coo_array(
        (np.ones(len(start), dtype=np.int8), (start, end)), shape=(n_few, n_few)
    )
    return int(sparse.csgraph.connected_components(graph.tocsr(), directed=False)[0])


def alone(groups: Sequence[Group]) -> np.ndarray:
    """Rows (n,) that are the only one in a level of some grouping."""
    flags = [np.bincount(codes, minlength=size)[codes] == 1 for codes, size in groups]
    return np.logical_or.reduce(flags) if flags else np.zeros(0, dtype=bool)


def without_singletons(groups: Sequence[Group]) -> np.ndarray:
    """Rows (n,) left once rows alone in a level are left out, again and again until none is
    (Correia 2015, reghdfe).
    """
    left = np.arange(len(groups[0][0]))
    inside = list(groups)
    while len(left):
        lonely = alone(inside)
        if not lonely.any():
            break
        left = left[~lonely]
        inside = [renumbered(codes[~lonely], size) for codes, size in inside]
    keep = np.zeros(len(groups[0][0]), dtype=bool)
    keep[left] = True
    return keep
