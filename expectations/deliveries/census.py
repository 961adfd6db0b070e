"""What a delivery of the economic census and what is known of the internet in its years
must hold.
"""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "census__output": (
        Check("not_null", ("division_code",)),
        Check("not_null", ("industry_code",)),
        Check("not_null", ("output_cny",)),
        Check("between", ("length_division_code",), 6, 6),
        Check("between", ("length_industry_code",), 4, 4),
        Check("between", ("output_cny",), 0, 1e13, severity="warning"),
        Check("between", ("year",), 1995, 2100),
    ),
    "census__trade_split": (
        Check("in_set", ("trade",), values=("wholesale", "retail")),
        Check("between", ("trade_revenue_cny",), 1, 1e16, severity="warning"),
        Check("between", ("internet_revenue_cny",), 0, 1e16, severity="warning"),
        Check("unique", ("file_id", "year", "trade")),
    ),
    "census__internet_investment": (
        Check("not_null", ("year",)),
        Check("between", ("internet_investment_cny",), 0, 1e14, severity="warning"),
        Check("unique", ("file_id", "year")),
    ),
}
