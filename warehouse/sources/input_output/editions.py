"""The editions of the inter-country tables: how each writes its rows and columns.

| edition | industries | agriculture | final demand | output row |
|---|---|---|---|---|
| 2016 | 34, ISIC Rev. 3 | AUS_C01T05AGR | HFCE_AUS | OUT |
| 2018 | 36, ISIC Rev. 4 | AUS_01T03 | AUS_HFCE | OUTPUT |
| 2021 | 45 | AUS_01T02 (AUS_D01T02 in the read-me) | AUS_HFCE | OUTPUT |
| 2023 | 45 | AUS_A01_02 | AUS_HFCE | OUT |
| 2025 | 50 | AUS_A01 | AUS_HFCE | OUT |

Up to 2021 China stands three times: CN2 is processing for export, CN1 everything else, and CHN,
which carries the values of neither in the edition of 2021. Which of them count is decided where
coefficients are computed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COUNTRY = r"[A-Z][A-Z0-9]{2}"
ICIO_FINAL_DEMAND = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR")
CHINA = ("CHN", "CN1", "CN2")


@dataclass(frozen=True)
class Edition:
    """One edition's way of writing.

    first_industry : pattern of the label of agriculture, which no other edition writes in that way
    industry : pattern of an industry's code
    final_demand : codes that every country has
    rows_without_country : rows that the table must have beside those of industries
    is_code_first : HFCE_AUS rather than AUS_HFCE
    must_split : China stands as CHN, CN1 and CN2; else CHN, or CN1 and CN2, will do
    """

    name: str
    years: range
    first_industry: re.Pattern[str]
    industry: re.Pattern[str]
    final_demand: tuple[str, ...]
    rows_without_country: tuple[str, ...]
    is_code_first: bool = False
    must_split: bool = True

    def industry_of(self, label: str) -> tuple[str, str] | None:
        """Country and industry of a label, None for final demand and totals."""
        country, _, code = label.partition("_")
        return (
            (country, code)
            if re.fullmatch(COUNTRY, country) and self.industry.fullmatch(code)
            else None
        )

    def final_label(self, country: str, code: str) -> str:
        return f"{code}_{country}" if self.is_code_first else f"{country}_{code}"


def _label(code: str) -> re.Pattern[str]:
    return re.compile(f"{COUNTRY}_{code}")


EDITIONS = (
    Edition(
        "2016",
        range(1995, 2012),
        _label("C01T05AGR"),
        re.compile(r"C\d{2}[A-Z0-9]*"),
        ("HFCE", "NPS", "GGFC", "GFCF", "INV", "DIRP"),
        ("OUT",),
        is_code_first=True,
    ),
    Edition(
        "2018",
        range(2005, 2017),
        _label("01T03"),
        re.compile(r"\d{2}[T0-9]*"),
        ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "P33"),
        ("VALU", "OUTPUT"),
    ),
    Edition(
        "2021",
        range(1995, 2019),
        _label("D?01T02"),
        re.compile(r"D?\d{2}[T0-9]*"),
        ICIO_FINAL_DEMAND,
        ("VALU", "OUTPUT"),
    ),
    Edition(
        "2023",
        range(1995, 2101),
        _label("A01_02"),
        re.compile(r"[A-U](\d{2}[T_0-9]*)?"),
        ICIO_FINAL_DEMAND,
        ("VA", "OUT"),
        must_split=False,
    ),
    Edition(
        "2025",
        range(1995, 2101),
        _label("A01"),
        re.compile(r"[A-U](\d{2}[T_0-9A-Z]*)?"),
        ICIO_FINAL_DEMAND,
        ("VA", "OUT"),
        must_split=False,
    ),
)
