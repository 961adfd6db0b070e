"""What a delivery of the geopolitical risk index must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "risk__geopolitical": (
        Check("not_null", ("iso3",)),
        Check("between", ("length_iso3",), 3, 3),
        Check("between", ("year",), 1900, 2100),
        Check("between", ("month",), 1, 12),
        Check("not_null", ("articles_pct",)),
        Check("between", ("articles_pct",), 0, 100, severity="warning"),
        Check("unique", ("file_id", "iso3", "year", "month")),
    ),
}
