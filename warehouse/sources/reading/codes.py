"""Codes that went through a spreadsheet, which takes them for numbers: they gain `.0` and lose
leading zeros.
"""

from __future__ import annotations

import pandas as pd

ROUNDED = "stored as float, so that numbers of more than seven figures were rounded: left out"


def whole(codes: pd.Series) -> pd.Series:
    """Codes without the `.0` of a number."""
    return codes.str.replace(r"^([0-9]+)\.0*$", r"\1", regex=True)


def with_lost_zeros(codes: pd.Series, width: int) -> tuple[pd.Series, int]:
    """Codes of so many figures with the leading zero that a spreadsheet took, and how many got
    theirs back.

    They have lost zeros where some lack one figure and none begins with a zero.
    """
    short = codes.str.fullmatch(f"[1-9][0-9]{{{width - 2}}}").fillna(False).astype(bool)
    if not short.any() or codes.str.fullmatch(f"0[0-9]{{{width - 1}}}").fillna(False).any():
        return codes, 0
    return codes.mask(short, "0" + codes), int(short.sum())


def restored(count: int) -> str:
    """What was done to a column, for a person."""
    return f"{count:,} of the codes got back the leading zero that a spreadsheet took"
