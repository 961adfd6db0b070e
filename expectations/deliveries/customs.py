"""What a delivery of customs records must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "customs__records": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1995, 2030),
        Check("between", ("month",), 1, 12),
        Check("not_null", ("flow",)),
        Check("in_set", ("flow",), values=("export", "import")),
        Check("not_null", ("hs8",)),
        Check("between", ("length_hs8",), 8, 8),
        Check("not_null", ("value_cents",)),
        Check("between", ("value_cents",), 1, 10_000_000_000_000, severity="warning"),
        Check("not_null", ("currency",)),
        Check("in_set", ("currency",), values=("USD", "CNY")),
        Check("between", ("quantity",), minimum=0, severity="warning"),
        Check("not_null", ("production_place",), severity="warning"),
        Check("unique", ("file_id", "line")),
    ),
}
