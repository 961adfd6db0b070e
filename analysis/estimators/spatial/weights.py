"""Spatial weights: who neighbours whom, how strongly, and what to do with those who neighbour
nobody.

W is (N, N) over units; entry (i, j) is the weight of neighbour j in the lag of unit i, so that (W
y)_i is a weighted sum of its neighbours' values. In a panel W is applied year by year, to the units
that the year has: the rows and columns of absent units are taken out first and the weights are
normalised after that, so that a row still sums to one.

Normalisations: "row" (each row sums to one), "spectral" (divided by the largest absolute
eigenvalue), "max" (divided by the smaller of the largest row and the largest column sum; Kelejian
and Prucha 2010), "none".

A unit without a neighbour (an island) has a row of zeros and a lag of zero. `islands` says what to
do: "keep" it with that zero, "drop" its rows, or "refuse".
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.estimators.core.columns import check_columns, refuse_duplicates
from analysis.estimators.core.options import Islands, Normalise, checked

WeightsSource: TypeAlias = np.ndarray | sparse.sparray | sparse.spmatrix | pd.DataFrame


@dataclass(frozen=True, eq=False)
class SpatialWeights:
    """Weights as given, before they are normalised.

    Attributes
    ----------
    units : (N,) ids, sorted
    raw : (N, N) sparse
    normalise, islands : see the module's text
    """

    units: pd.Index
    raw: sparse.csr_array
    normalise: Normalise
    islands: Islands

    @property
    def island_units(self) -> list[Hashable]:
        """Units without any neighbour in the whole map."""
        return list(self.units[np.flatnonzero(np.diff(self.raw.indptr) == 0)])

    def positions(self, units: pd.Series) -> np.ndarray:
        """Row of W of each unit id.

        Raises
        ------
        ValueError : ids that W lacks, naming them.
        """
        found = self.units.get_indexer(pd.Index(units.astype(object)))
        if (found < 0).any():
            lacking = pd.unique(units.astype(object)[found < 0])
            shown = ", ".join(repr(unit) for unit in lacking[:5])
            known = ", ".join(repr(unit) for unit in self.units[:3])
            raise ValueError(
                f"{len(lacking)} units of the frame are not in the weights ({shown}); the weights"
                f" have units such as {known}."
            )
        return np.asarray(found)

    def among(self, positions: np.ndarray) -> sparse.csr_array:
        """The normalised weights among these rows of W, in the order given."""
        return normalised(sparse.csr_array(self.raw[positions][:, positions]), self.normalise)


def spatial_weights(
    source: WeightsSource,
    units: Sequence[Hashable] | None = None,
    *,
    normalise: Normalise = "row",
    islands: Islands = "keep",
    origin: str = "city_code",
    neighbour: str = "neighbour_code",
    weight: str | None = None,
    symmetric: bool = False,
) -> SpatialWeights:
    """Weights from a matrix, or from a long frame of pairs.

    Parameters
    ----------
    source : (N, N) array or sparse matrix with `units` naming its rows; or a square frame whose
        index and columns are the ids; or a long
        frame with a row a pair, columns `origin`, `neighbour` and `weight` (absent: all weights are
        one)
    units : ids of the rows of a matrix; with pairs, all ids (those in no pair are islands)
    symmetric : pairs are listed once, not in both directions

    Raises
    ------
    ValueError : a matrix that is not square or does not match its units, repeated units or pairs,
        weights that are missing or negative, a
        unit that neighbours itself, an unknown option.
    """
    checked("normalise", normalise, Normalise)
    checked("islands", islands, Islands)
    if isinstance(source, pd.DataFrame) and {origin, neighbour} <= set(map(str, source.columns)):
        ids, raw = _from_pairs(source, units, origin, neighbour, weight, symmetric)
    else:
        ids, raw = _from_matrix(source, units)
    ids, raw = _sorted(ids, raw)
    if len(raw.data) and (not np.isfinite(raw.data).all() or raw.data.min() < 0):
        raise ValueError(
            "weights must be numbers that are not negative: some are missing, "
            "infinite or below zero."
        )
    raw.eliminate_zeros()
    own = np.flatnonzero(raw.diagonal())
    if len(own):
        raise ValueError(
            f"{len(own)} units neighbour themselves (first: {ids[own[0]]!r}). Set the diagonal of"
            " the weights to zero."
        )
    made = SpatialWeights(ids, raw, normalise, islands)
    if islands == "refuse" and made.island_units:
        raise ValueError(
            f"{len(made.island_units)} units have no neighbour:"
            f" {', '.join(map(repr, made.island_units[:10]))}. Give them one, or say islands='keep'"
            " or 'drop'."
        )
    return made


def normalised(raw: sparse.csr_array, how: Normalise) -> sparse.csr_array:
    """Weights divided as the normalisation says; rows of zeros stay."""
    matrix = raw.astype(float)
    row_sums = np.asarray(matrix.sum(axis=1)).ravel()
    if how == "row":
        factor = np.divide(1.0, row_sums, out=np.zeros_like(row_sums), where=row_sums > 0)
        return sparse.csr_array(sparse.diags_array(factor) @ matrix)
    if how == "none" or not len(matrix.data):
        return sparse.csr_array(matrix)
    column_sums = np.asarray(matrix.sum(axis=0)).ravel()
    size = (
        np.abs(np.linalg.eigvals(matrix.toarray())).max()
        if how == "spectral"
        else min(row_sums.max(), column_sums.max())
    )
    if size <= 0:
        raise ValueError(
            "the weights have no eigenvalue but zero (nobody is a neighbour's neighbour): use "
            "normalise='max' or 'row'."
        )
    return sparse.csr_array(matrix / size)


def _from_matrix(
    source: WeightsSource, units: Sequence[Hashable] | None
) -> tuple[pd.Index, sparse.csr_array]:
    if isinstance(source, pd.DataFrame):
        if units is None:
            if set(source.index) != set(source.columns):
                raise ValueError(
                    "a square frame of weights has the same ids in its index and its columns; "
                    "a long frame names its columns of pairs."
                )
            units = list(source.index)
            source = source[units]
        source = source.to_numpy(dtype=float)
    matrix = sparse.csr_array(source).astype(float)
    matrix.sum_duplicates()
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"weights are {matrix.shape[0]} by {matrix.shape[1]}: they must be square."
        )
    if units is None or len(units) != matrix.shape[0]:
        raise ValueError(
            f"weights have {matrix.shape[0]} rows and {0 if units is None else len(units)} units:"
            " name one unit a row."
        )
    return pd.Index(list(units), dtype=object), matrix


def _from_pairs(
    pairs: pd.DataFrame,
    units: Sequence[Hashable] | None,
    origin: str,
    neighbour: str,
    weight: str | None,
    symmetric: bool,
) -> tuple[pd.Index, sparse.csr_array]:
    table = _pair_table(pairs, origin, neighbour, weight, symmetric=symmetric)
    refuse_duplicates(table, ["from", "to"])
    first = table["from"] if units is None else pd.Series(list[Any](units), dtype=object)
    ids = pd.Index(pd.unique(pd.concat([first, table["from"], table["to"]])), dtype=object)
    if units is not None and len(ids) > len(set(units)):
        raise ValueError(
            f"pairs name units that are not in the list of units, such as {ids[-1]!r}."
        )
    where = (ids.get_indexer(pd.Index(table["from"])), ids.get_indexer(pd.Index(table["to"])))
    return ids, sparse.csr_array((table["weight"].to_numpy(), where), shape=(len(ids), len(ids)))


def _pair_table(
    pairs: pd.DataFrame, origin: str, neighbour: str, weight: str | None, *, symmetric: bool
) -> pd.DataFrame:
    """Columns from, to and weight; each pair both ways round where it is to be symmetric."""
    check_columns(pairs, [origin, neighbour, *([weight] if weight else [])])
    ends = {"from": pairs[origin].astype(object), "to": pairs[neighbour].astype(object)}
    table = pd.DataFrame(ends)
    table["weight"] = pairs[weight].astype(float) if weight else 1.0
    if table.isna().any(axis=None):
        raise ValueError(f"a pair of neighbours lacks its {origin}, {neighbour} or weight.")
    if not symmetric:
        return table
    turned = table.rename(columns={"from": "to", "to": "from"})
    return pd.concat([table, turned], ignore_index=True)


def _sorted(ids: pd.Index, raw: sparse.csr_array) -> tuple[pd.Index, sparse.csr_array]:
    if not ids.is_unique:
        raise ValueError(f"the weights name a unit twice: {ids[ids.duplicated()][0]!r}.")
    try:
        order = np.argsort(ids.to_numpy())
    except TypeError as error:
        raise ValueError(
            "ids of units are of different types (text and numbers): make them one."
        ) from error
    return ids[order], sparse.csr_array(raw[order][:, order])
