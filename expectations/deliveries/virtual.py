"""Deliveries behind virtual agglomeration: the economic census, crosswalk of industries, consumer prices, work reports."""

from __future__ import annotations

from expectations.checks import Check

VIRTUAL: dict[str, tuple[Check, ...]] = {
    "census__output": (
        Check("not_null", ("division_code",)),
        Check("not_null", ("industry_code",)),
        Check("not_null", ("output_cny",)),
        Check("between", ("length_division_code",), 6, 6),
        Check("between", ("length_industry_code",), 4, 4),
        Check("between", ("output_cny",), 0, 1e13),
        Check("between", ("year",), 1995, 2100),
    ),
    "census__trade_split": (
        Check("in_set", ("trade",), values=("wholesale", "retail")),
        Check("between", ("trade_revenue_cny",), 1, 1e16),
        Check("between", ("internet_revenue_cny",), 0, 1e16),
        Check("unique", ("file_id", "year", "trade")),
    ),
    "census__internet_investment": (
        Check("not_null", ("year",)),
        Check("between", ("internet_investment_cny",), 0, 1e14),
        Check("unique", ("file_id", "year")),
    ),
    "concordance__industries": (
        Check("not_null", ("gbt2002_code",)),
        Check("between", ("length_gbt2002_code",), 2, 4),
        Check("between", ("length_isic4_code",), 2, 2),
        Check("unique", ("file_id", "gbt2002_code")),
    ),
    "prices__consumer": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("year",)),
        Check("not_null", ("category",)),
        Check("between", ("index_pct",), 50, 200),
        Check("unique", ("file_id", "city_name", "year", "category")),
    ),
    "reports__texts": (
        Check("not_null", ("city_name",)),
        Check("between", ("year",), 1978, 2100),
        Check("between", ("characters_n",), 50, 1e7),
        Check("unique", ("city_name", "year"), severity="warning"),
    ),
}
