"""What a delivery of work reports of city governments must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "reports__texts": (
        Check("not_null", ("city_name",)),
        Check("between", ("year",), 1978, 2100),
        Check("between", ("characters_n",), 50, 1e7, severity="warning"),
        Check("unique", ("city_name", "year"), severity="warning"),
    ),
}
