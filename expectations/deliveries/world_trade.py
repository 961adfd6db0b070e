"""What a delivery of world trade, its countries and their income must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "world_trade__flows": (
        Check("not_null", ("exporter_code",)),
        Check("between", ("year",), 1962, 2100),
        Check("between", ("length_hs6",), 6, 6),
        Check("between", ("value_usd",), minimum=0, severity="warning"),
        Check("unique", ("file_id", "exporter_code", "hs6", "year")),
    ),
    "world_trade__countries": (
        Check("not_null", ("exporter_code",)),
        Check("between", ("length_iso3",), 3, 3),
        Check("unique", ("file_id", "exporter_code")),
    ),
    "world_trade__income": (
        Check("between", ("length_iso3",), 3, 3),
        Check("between", ("year",), 1960, 2100),
        Check("between", ("gdp_per_head_usd",), 10, 1_000_000, severity="warning"),
        Check("unique", ("file_id", "iso3", "indicator_code", "year")),
    ),
}
