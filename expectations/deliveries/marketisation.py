"""What a delivery of the marketisation index of provinces must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "marketisation__provinces": (
        Check("not_null", ("province_name",)),
        Check("between", ("year",), 1990, 2100),
        Check("not_null", ("marketisation_index",)),
        Check("between", ("marketisation_index",), -10, 20, severity="warning"),
        Check("unique", ("file_id", "province_name", "year")),
    ),
}
