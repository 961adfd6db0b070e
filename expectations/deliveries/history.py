"""What a delivery of facts about cities long ago must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "history__cities": (
        Check("not_null", ("city_name",)),
        Check("between", ("post_offices_1984_n",), minimum=0, severity="warning"),
        Check("between", ("telephones_1984_n",), minimum=0, severity="warning"),
        Check("between", ("population_density_1984",), 0, 100_000, severity="warning"),
        Check("between", ("district_land_area_km2",), 0, 400_000, severity="warning"),
        Check("unique", ("file_id", "city_name")),
    ),
}
