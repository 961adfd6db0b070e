"""What every measure does before it computes: check the columns, take them as numbers, say which
rows cannot be used.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd


def check_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse names that the frame lacks or holds twice, and names that are asked for twice.

    Raises
    ------
    ValueError : naming the column and the nearest ones that are there.
    """
    present = [str(column) for column in frame.columns]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ValueError(f"column {name!r} is asked for twice. Name it in one place.")
        if present.count(name) == 0:
            near = difflib.get_close_matches(name, present, n=3)
            told = f"Nearest: {', '.join(near)}" if near else f"It has {', '.join(present[:12])}"
            raise ValueError(f"column {name!r} is not in the frame. {told}.")
        if present.count(name) > 1:
            raise ValueError(
                f"column {name!r} stands in the frame {present.count(name)} times. Keep one."
            )


def numbers(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """The named columns as a new (n, k) float64 array, missing as NaN.

    Raises
    ------
    ValueError : a column that is not of a numeric or boolean type.
    """
    out = np.empty((len(frame), len(names)))
    for position, name in enumerate(names):
        if not (
            pd.api.types.is_numeric_dtype(frame[name]) or pd.api.types.is_bool_dtype(frame[name])
        ):
            raise ValueError(
                f"column {name!r} holds {frame[name].dtype}, not numbers. Convert it first."
            )
        out[:, position] = frame[name].to_numpy(dtype="float64", na_value=np.nan)
    return out


def periods(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A period column as float64, missing as NaN.

    Raises
    ------
    ValueError : a column that is not of whole numbers.
    """
    values = numbers(frame, [name])[:, 0]
    finite = values[np.isfinite(values)]
    if np.any(finite != np.round(finite)):
        raise ValueError(
            f"column {name!r} holds {finite[finite != np.round(finite)][0]:g}: periods are whole"
            " numbers (years)."
        )
    return values


def refuse_duplicates(frame: pd.DataFrame, keys: Sequence[str]) -> None:
    """Refuse two rows with the same keys, naming the first few."""
    repeated = frame.duplicated(list(keys), keep="first")
    if repeated.any():
        shown = frame.loc[repeated.to_numpy(), list(keys)].drop_duplicates().head(3)
        named = "; ".join(
            ", ".join(f"{key} {value}" for key, value in zip(keys, row, strict=True))
            for row in shown.itertuples(index=False)
        )
        raise ValueError(
            f"{rows(int(repeated.sum()))} with the {' and '.join(keys)} of an earlier row"
            f" ({named}). One row a key is needed: aggregate or filter."
        )


def usable_rows(columns: Sequence[tuple[str, np.ndarray]]) -> tuple[np.ndarray, dict[str, int]]:
    """Which rows have every number, and how many are left out for which reason.

    Parameters
    ----------
    columns : (name, (n,) float64) pairs; NaN and infinity disqualify a row

    Returns
    -------
    keep : (n,) boolean
    dropped : reason -> rows; a row with several reasons counts under the first
    """
    keep = np.ones(len(columns[0][1]), dtype=bool)
    dropped: dict[str, int] = {}
    for name, values in columns:
        for reason, bad in (
            (f"{name} missing", np.isnan(values)),
            (f"{name} infinite", np.isinf(values)),
        ):
            count = int((keep & bad).sum())
            if count:
                dropped[reason] = count
            keep &= ~bad
    return keep, dropped


def labels_missing(frame: pd.DataFrame, name: str) -> np.ndarray:
    """0 where the row has a label, NaN where it has none: for `usable_rows`."""
    return np.where(frame[name].isna().to_numpy(), np.nan, 0.0)


def codes_by_first_row(labels: Sequence[Hashable] | np.ndarray | pd.Series) -> np.ndarray:
    """Whole numbers from 0, in the order in which the labels appear, so that their type and
    spelling do not matter.
    """
    return np.asarray(pd.factorize(np.asarray(labels, dtype=object))[0])


def rows(count: int) -> str:
    """'1 row', '2,480 rows'."""
    return f"{count:,} row{'' if count == 1 else 's'}"
