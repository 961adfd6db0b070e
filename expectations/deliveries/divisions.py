"""What a delivery of the vintages of division codes must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "divisions__names": (
        Check("not_null", ("vintage",)),
        Check("not_null", ("division_code",)),
        Check("between", ("length_division_code",), 6, 6),
        Check("not_null", ("name_zh",)),
        Check("unique", ("file_id", "vintage", "division_code")),
    ),
}
