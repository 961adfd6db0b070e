"""What every estimator does before it estimates: check the columns and say which rows cannot be
used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.estimators.core.names import nearest


def check_columns(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse a name that the frame lacks, or holds twice, before anything is computed.

    Raises
    ------
    ValueError : naming the column and the nearest ones that are there.
    """
    present = [str(column) for column in frame.columns]
    for name in names:
        if present.count(name) == 0:
            raise ValueError(f"column {name!r} is not in the frame. {nearest(name, present)}")
        if present.count(name) > 1:
            raise ValueError(
                f"column {name!r} stands in the frame {present.count(name)} times. Keep one."
            )


def numbers(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The named columns as float64, missing as NaN; the frame itself is not touched.

    Raises
    ------
    ValueError : a column that is not of a numeric or boolean type.
    """
    for name in names:
        if is_text(frame[name]):
            raise ValueError(
                f"column {name!r} holds {frame[name].dtype}, not numbers. Convert it, or build"
                " dummies from it."
            )
    return pd.DataFrame(
        {name: frame[name].to_numpy(dtype="float64", na_value=np.nan) for name in names},
        index=frame.index,
    )


def is_text(column: pd.Series) -> bool:
    """Whether a column holds something other than numbers and booleans: labels, to be made into
    dummies."""
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def refuse_duplicates(frame: pd.DataFrame, keys: Sequence[str]) -> None:
    """Refuse two rows with the same keys, naming the first few."""
    repeated = frame.duplicated(list(keys), keep="first")
    if repeated.any():
        shown = frame.loc[repeated, list(keys)].drop_duplicates().head(3)
        named = "; ".join(
            ", ".join(f"{key} {value}" for key, value in zip(keys, row, strict=True))
            for row in shown.itertuples(index=False)
        )
        raise ValueError(
            f"{rows(int(repeated.sum()))} with the {' and '.join(keys)} of an earlier row"
            f" ({named}). One row a key is needed: aggregate or filter."
        )


def rows(count: int) -> str:
    """'1 row', '2,480 rows'."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def left_out(dropped: Mapping[str, int]) -> str:
    """'12 rows (x missing); 1 row (outside where)', or 'no rows'."""
    return "; ".join(f"{rows(count)} ({why})" for why, count in dropped.items()) or "no rows"


def no_row(n: int, dropped: Mapping[str, int]) -> str:
    """What is said where none of n rows is complete."""
    why = ", ".join(f"{reason}: {count}" for reason, count in dropped.items())
    return f"no row of {n:,} is complete (left out: {why or 'the frame is empty'})."


def usable_rows(labels: pd.DataFrame, values: pd.DataFrame) -> tuple[np.ndarray, dict[str, int]]:
    """Which rows are complete, and how many are left out for which reason.

    Parameters
    ----------
    labels : columns that name groups (effects, clusters); only a missing one disqualifies a row
    values : float columns; NaN and infinity disqualify a row

    Returns
    -------
    keep : boolean array, one entry a row
    dropped : reason -> rows; a row with several reasons counts under the first
    """
    keep = np.ones(len(labels), dtype=bool)
    reasons = [(f"{name} missing", labels[name].isna().to_numpy()) for name in labels.columns]
    for name in values.columns:
        column = values[name].to_numpy()
        reasons += [(f"{name} missing", np.isnan(column)), (f"{name} infinite", np.isinf(column))]
    dropped: dict[str, int] = {}
    for reason, bad in reasons:
        count = int((keep & bad).sum())
        if count:
            dropped[reason] = dropped.get(reason, 0) + count
        keep &= ~bad
    return keep, dropped
