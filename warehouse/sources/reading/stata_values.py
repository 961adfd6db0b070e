"""What the numbers of a Stata file stand for: texts where their variable has value labels, dates
where its display format says so.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

DATE_FORMAT = re.compile(r"%-?(?:t([cCdwmqhy])|(d))")
START = datetime.date(1960, 1, 1)
MILLISECONDS_A_DAY = 86_400_000
PER_YEAR = {
    "w": (52, "w"),
    "m": (12, "-"),
    "q": (4, "q"),
    "h": (2, "h"),
}  # periods a year, and what stands before their number


def is_date_format(kind: str) -> bool:
    return DATE_FORMAT.match(kind) is not None


def with_labels(column: pd.Series, labels: Mapping[int, str]) -> pd.Series:
    """A label's text for each code that has one; other numbers stay, and so does a column in which
    no code has one.
    """
    places, values = pd.factorize(column)
    told = [
        labels.get(int(value), value) if np.isfinite(value) and value == int(value) else value
        for value in values.tolist()
    ]
    if not any(isinstance(value, str) for value in told):
        return column
    return _spread(column, places, told)


def as_dates(column: pd.Series, kind: str) -> pd.Series:
    """Numbers as the dates that a display format makes of them.

    Days and moments become dates, months texts such as 2000-01, weeks, quarters and halves texts
    such as 2000q1; years stay numbers. So does what is no whole number, or lies outside the years 1
    to 9999: it is judged as what it is.
    """
    match = DATE_FORMAT.match(kind)
    unit = (match[1] or match[2]) if match else "y"
    if unit == "y":
        return column
    places, values = pd.factorize(column)
    return _spread(column, places, [_date(value, unit) for value in values.tolist()])


def _date(value: float, unit: str) -> object:
    number = value / MILLISECONDS_A_DAY // 1 if unit in "cC" else value
    if not np.isfinite(number) or number != int(number):
        return value
    if unit in "cCd":
        try:
            return START + datetime.timedelta(days=int(number))
        except OverflowError:
            return value
    count, sign = PER_YEAR[unit]
    years, periods = divmod(int(number), count)
    if not 1 <= START.year + years <= 9999:
        return value
    return (
        f"{START.year + years}{sign}{periods + 1:02d}"
        if count > 9
        else f"{START.year + years}{sign}{periods + 1}"
    )


def _spread(column: pd.Series, places: np.ndarray, values: list[object]) -> pd.Series:
    """Values in their places; what is missing stays so."""
    return pd.Series(
        [values[at] if at >= 0 else np.nan for at in places], index=column.index, dtype=object
    )
