"""What a delivery of lists of cities and countries that policies name must hold."""

from __future__ import annotations

from expectations.checks import Check

POLICIES = (
    "cross_border_ecommerce",
    "broadband_china",
    "big_data",
    "resource_based",
    "belt_and_road",
    "development_zone",
    "commercial_tier",
)

CHECKS: dict[str, tuple[Check, ...]] = {
    "policies__zones": (
        Check("not_null", ("name",)),
        Check("in_set", ("policy",), values=POLICIES),
        Check("not_null", ("first_year",)),
        Check("between", ("first_year",), 1984, 2100),
    ),
}
