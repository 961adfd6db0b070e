"""Deliveries about countries and provinces that paper C sets cities against: risk, world trade, marketisation."""

from __future__ import annotations

from expectations.checks import Check

DIGITAL: dict[str, tuple[Check, ...]] = {
    "risk__geopolitical": (
        Check("not_null", ("iso3",)),
        Check("between", ("length_iso3",), 3, 3),
        Check("between", ("year",), 1900, 2100),
        Check("between", ("month",), 1, 12),
        Check("not_null", ("articles_pct",)),
        Check("between", ("articles_pct",), 0, 100),
        Check("unique", ("file_id", "iso3", "year", "month")),
    ),
    "marketisation__provinces": (
        Check("not_null", ("province_name",)),
        Check("between", ("year",), 1990, 2100),
        Check("not_null", ("marketisation_index",)),
        Check("between", ("marketisation_index",), -10, 20),
        Check("unique", ("file_id", "province_name", "year")),
    ),
    "world_trade__flows": (
        Check("not_null", ("exporter_code",)),
        Check("between", ("year",), 1962, 2100),
        Check("between", ("length_hs6",), 6, 6),
        Check("between", ("value_usd",), minimum=0),
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
        Check("between", ("gdp_per_head_usd",), 10, 1_000_000),
        Check("unique", ("file_id", "iso3", "indicator_code", "year")),
    ),
}
