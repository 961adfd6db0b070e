"""What a delivery of exchange rates and of prices of cities and provinces must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "prices__exchange_rates": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("not_null", ("cny_per_usd",)),
        Check("between", ("cny_per_usd",), 1, 20, severity="warning"),
        Check("unique", ("file_id", "year")),
    ),
    "prices__consumer": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("year",)),
        Check("not_null", ("category",)),
        Check("between", ("index_pct",), 50, 200, severity="warning"),
        Check("unique", ("file_id", "city_name", "year", "category")),
    ),
    "prices__provinces": (
        Check("not_null", ("province_name",)),
        Check("not_null", ("year",)),
        Check("not_null", ("measure",)),
        Check("between", ("index_pct",), 50, 200, severity="warning"),
        Check("unique", ("file_id", "province_name", "year", "measure")),
    ),
}
