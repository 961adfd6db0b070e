"""What a delivery of the city innovation index must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "innovation__cities": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("year",)),
        Check("between", ("year",), 1990, 2100),
        Check("not_null", ("innovation_index",)),
        Check("between", ("innovation_index",), 0, 100_000, severity="warning"),
        Check("unique", ("file_id", "city_name", "year")),
    ),
}
