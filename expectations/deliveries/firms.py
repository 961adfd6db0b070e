"""Deliveries about firms and about cities long ago."""

from __future__ import annotations

from expectations.checks import Check

FIRMS: dict[str, tuple[Check, ...]] = {
    "firms__enterprises": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1995, 2030),
        Check("not_null", ("firm_code",), severity="warning"),
        Check("not_null", ("region_code",), severity="warning"),
        Check("not_null", ("firm_employees_n",), severity="warning"),
        Check("unique", ("file_id", "line")),
    ),
    "history__cities": (
        Check("not_null", ("city_name",)),
        Check("between", ("post_offices_1984_n",), minimum=0),
        Check("between", ("telephones_1984_n",), minimum=0),
        Check("between", ("population_density_1984",), 0, 100_000),
        Check("between", ("district_land_area_km2",), 0, 400_000),
        Check("unique", ("file_id", "city_name")),
    ),
}
