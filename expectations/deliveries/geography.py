"""What a delivery of neighbours of cities, seaports and seats of cities must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "geography__adjacency": (
        Check("not_null", ("city_code",)),
        Check("not_null", ("neighbour_code",)),
        Check("unique", ("file_id", "city_code", "neighbour_code")),
    ),
    "geography__ports": (
        Check("not_null", ("port_name_zh",)),
        Check("not_null", ("longitude",)),
        Check("not_null", ("latitude",)),
        Check("between", ("longitude",), 70, 140, severity="warning"),
        Check("between", ("latitude",), 0, 56, severity="warning"),
        Check("unique", ("file_id", "port_name_zh")),
    ),
    "geography__seats": (
        Check("not_null", ("city_name",)),
        Check("between", ("longitude",), 73, 136, severity="warning"),
        Check("between", ("latitude",), 3, 54, severity="warning"),
        Check("unique", ("file_id", "city_name")),
    ),
}
