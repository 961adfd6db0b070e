"""Numbers and missing values as people type them: full-width digits, footnotes' marks, thousands,
decimal commas, marks for nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import pandas as pd

from warehouse.dictionary.places import MARKS, without_marks

WIDE_SIGNS = dict(
    zip(map(ord, "０１２３４５６７８９．，－＋％　"), "0123456789.,-+% ", strict=True)
)
MARKS_AT_END = MARKS.pattern
# What stands for a value that there is not, in lower case: of people, of pandas, R and Stata, and
# of spreadsheets that failed to calculate.
MISSING = frozenset(
    {
        "", "na", "n/a", "n.a.", "nan", "null", "none", "<na>", ".", "-", "--", "---", "—", "——",
        "―", "–", "～", "~", "/", "\\", "…", "……", "...",
        "无", "缺失", "缺", "暂无", "暂缺", "不详", "无数据", "#value!", "#div/0!", "#n/a", "#ref!",
        "#name?", "#num!", "#null!",
    }
)  # fmt: skip
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
BLANK_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3})+(?:\.[0-9]*)?")
DECIMAL_COMMA = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]+)?")
# A number with one comma that cannot part thousands, and one whose commas cannot be decimal: its
# point is, or it has several.
COMMA_IS_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),(?:[0-9]{1,2}|[0-9]{4,})|[+-]?(?:0|[0-9]{4,}),"
    r"[0-9]+"
)
COMMAS_PART_THOUSANDS = re.compile(
    r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)\.(?:[0-9]{1,2}|[0-9]{4,})|[+-]?[0-9]{1,3}(?:,"
    r"[0-9]{3})+\.[0-9]*|[+-]?[0-9]{1,3}(?:,[0-9]{3}){2,}"
)


def is_missing(cell: object) -> bool:
    """Whether a cell holds nothing, or a mark that stands for nothing."""
    if isinstance(cell, str):
        return cell.strip().translate(WIDE_SIGNS).lower() in MISSING
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def missing(text: pd.Series) -> pd.Series:
    """`is_missing` of each text of a column."""
    return text.map({value: is_missing(value) for value in text.unique()}).fillna(True).astype(bool)


def plain_number(text: str) -> str:
    """A number's text in plain digits, without the marks of footnotes at its end."""
    return without_marks(text.strip().translate(WIDE_SIGNS))


def has_decimal_commas(texts: Iterable[str]) -> bool:
    """Whether the numbers of a column are written with decimal commas: one can be nothing else, and
    none has a decimal point or several commas.
    """
    found = [plain_number(text) for text in texts]
    return any(COMMA_IS_DECIMAL.fullmatch(text) for text in found) and not any(
        COMMAS_PART_THOUSANDS.fullmatch(text) for text in found
    )


def numbers_by_text(texts: Iterable[str]) -> dict[str, float]:
    """Each distinct text of one column as a number: NaN where it is none, and where its commas part
    no groups of three.

    Whether commas are decimal is decided once for the column.
    """
    distinct = list(dict.fromkeys(texts))
    commas = has_decimal_commas(distinct)
    return {text: _number(plain_number(text), commas) for text in distinct}


def _number(text: str, decimal_commas: bool) -> float:
    if decimal_commas:
        text = text.replace(".", "").replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else ""
    elif THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    elif BLANK_THOUSANDS.fullmatch(text):
        text = re.sub(r"[ \u00a0\u202f]", "", text)
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
