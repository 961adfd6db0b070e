"""What a delivery of the postcodes of districts and counties must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "postcodes__districts": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("county_name",)),
        Check("not_null", ("postcode",)),
        Check("between", ("longitude",), 70, 140, severity="warning"),
        Check("between", ("latitude",), 0, 56, severity="warning"),
    ),
}
