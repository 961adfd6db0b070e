"""Rows of a yearbook as its tests compare them."""

from __future__ import annotations

import pandas as pd


def values(rows: pd.DataFrame) -> dict[tuple[str, str, str, int], float]:
    return {
        (row.city_name, row.scope, row.indicator, row.year): row.value for row in rows.itertuples()
    }


def reasons(aside: pd.DataFrame) -> dict[str, int]:
    return aside["reason"].value_counts().to_dict()
