"""What a delivery of the industrial enterprise survey must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "firms__enterprises": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1995, 2030),
        Check("not_null", ("firm_code",), severity="warning"),
        Check("not_null", ("region_code",), severity="warning"),
        Check("not_null", ("firm_employees_n",), severity="warning"),
        Check("unique", ("file_id", "line")),
    ),
}
