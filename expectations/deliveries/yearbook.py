"""What a delivery of the city yearbooks must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "yearbook__indicators": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("indicator",)),
        Check("not_null", ("value",)),
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("in_set", ("scope",), values=("city", "district", "unstated")),
        Check(
            "unique",
            ("file_id", "line", "city_name", "scope", "indicator", "year", "vintage", "header"),
            severity="warning",
        ),
    ),
    "yearbook__provinces": (
        Check("not_null", ("province_name",)),
        Check("not_null", ("indicator",)),
        Check("not_null", ("value",)),
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("unique", ("file_id", "province_name", "indicator", "year", "vintage")),
    ),
}
