"""Sorting the rows of a file into good ones and ones set aside, each with the first reason that
applies to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.sources.reading.values import numbers_by_text


@dataclass(frozen=True)
class Check:
    """One demand on the rows of a file.

    reason : what a row that fails it is set aside as, in snake_case
    failed : truth values, one a row
    found : what stood there, as text, one a row
    """

    reason: str
    failed: pd.Series
    found: pd.Series


def sort_out(rows: pd.DataFrame, checks: Sequence[Check]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows (with `line`, perhaps `year`) into those that pass every check and those that fail
    one.

    Returns
    -------
    good : the rows that pass, with all their columns
    aside : `line`, `reason`, `detail` and, where rows have it, `year` of the others; the first
        check that fails gives the reason
    """
    reason = pd.Series(None, index=rows.index, dtype="object")
    detail = pd.Series(None, index=rows.index, dtype="object")
    for check in checks:
        first = check.failed.fillna(True).astype(bool) & reason.isna()
        reason[first] = check.reason
        detail[first] = check.found[first]
    bad = reason.notna()
    kept = ["line", "year"] if "year" in rows.columns else ["line"]
    return rows[~bad], rows.loc[bad, kept].assign(reason=reason[bad], detail=detail[bad])


def as_numbers(text: pd.Series) -> pd.Series:
    """Text as doubles; what is not a finite number becomes missing (`nan`, `inf` and `12,34,56`
    too).

    Full-width digits, footnotes' marks, thousands in groups of three and a column's decimal commas
    are understood (see `values`).
    """
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    odd = numbers.isna() & text.notna()
    if odd.any():
        strings = text.astype("string").fillna("")
        # whether commas are decimal is a question for the whole column: its 1.000 is a thousand
        # then
        asked = odd | bool(strings[odd].str.contains("[,，]", regex=True).any())
        numbers = numbers.mask(
            asked, strings.map(numbers_by_text(strings[asked].unique())).astype("float64")
        )
    return numbers.where(np.isfinite(numbers))


def matches(text: pd.Series, pattern: str) -> pd.Series:
    """Whether each whole text matches a regular expression; missing text does not. ASCII digits
    only, as codes demand.
    """
    return text.str.fullmatch(pattern).fillna(False).astype(bool)
