"""Deliveries about places: division codes, postcodes, neighbours, ports."""

from __future__ import annotations

from expectations.checks import Check

PLACES: dict[str, tuple[Check, ...]] = {
    "divisions__names": (
        Check("not_null", ("vintage",)),
        Check("not_null", ("division_code",)),
        Check("between", ("length_division_code",), 6, 6),
        Check("not_null", ("name_zh",)),
        Check("unique", ("file_id", "vintage", "division_code")),
    ),
    "postcodes__districts": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("county_name",)),
        Check("not_null", ("postcode",)),
        Check("between", ("longitude",), 70, 140, severity="warning"),
        Check("between", ("latitude",), 0, 56, severity="warning"),
    ),
    "geography__adjacency": (
        Check("not_null", ("city_code",)),
        Check("not_null", ("neighbour_code",)),
        Check("unique", ("file_id", "city_code", "neighbour_code")),
    ),
    "geography__ports": (
        Check("not_null", ("port_name_zh",)),
        Check("not_null", ("longitude",)),
        Check("not_null", ("latitude",)),
        Check("between", ("longitude",), 70, 140),
        Check("between", ("latitude",), 0, 56),
        Check("unique", ("file_id", "port_name_zh")),
    ),
}
