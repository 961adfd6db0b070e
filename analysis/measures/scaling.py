"""Putting values on a scale that readers know."""

from __future__ import annotations

import numpy as np
import pandas as pd


def unit_range(values: pd.Series) -> pd.Series:
    """Values moved and stretched so that the smallest is 0 and the largest 1: (x - min) / (max -
    min).

    Parameters
    ----------
    values : (n,) numbers in any unit; missing ones stay missing

    Returns
    -------
    pandas.Series : (n,) in 0-1 with the same index; missing throughout where all values are equal
        or none is known
    """
    numbers = values.astype("float64")
    low, spread = numbers.min(), numbers.max() - numbers.min()
    return (
        (numbers - low) / spread
        if spread > 0
        else pd.Series(np.nan, index=values.index, name=values.name)
    )
