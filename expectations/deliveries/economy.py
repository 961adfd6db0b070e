"""Deliveries about cities' economies: yearbooks, digital finance, prices, policies."""

from __future__ import annotations

from expectations.checks import Check

POLICIES = ("cross_border_ecommerce", "broadband_china", "big_data", "resource_based", "belt_and_road", "development_zone", "commercial_tier")

ECONOMY: dict[str, tuple[Check, ...]] = {
    "yearbook__indicators": (
        Check("not_null", ("city_name",)),
        Check("not_null", ("indicator",)),
        Check("not_null", ("value",)),
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("in_set", ("scope",), values=("city", "district", "unstated")),
        Check("unique", ("file_id", "line", "city_name", "scope", "indicator", "year", "vintage", "header"), severity="warning"),
    ),
    "yearbook__provinces": (
        Check("not_null", ("province_name",)),
        Check("not_null", ("indicator",)),
        Check("not_null", ("value",)),
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("unique", ("file_id", "province_name", "indicator", "year", "vintage")),
    ),
    "digital_finance__cities": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 2011, 2100),
        Check("not_null", ("code_2018",)),
        Check("between", ("length_code_2018",), 4, 6),
        Check("not_null", ("index_aggregate",)),
        Check("between", ("index_aggregate",), 0, 1000),
        Check("unique", ("file_id", "year", "code_2018")),
    ),
    "digital_finance__provinces": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 2011, 2100),
        Check("not_null", ("province_name",)),
        Check("between", ("index_aggregate",), 0, 1000),
        Check("unique", ("file_id", "year", "province_name")),
    ),
    "prices__exchange_rates": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1949, 2100),
        Check("not_null", ("cny_per_usd",)),
        Check("between", ("cny_per_usd",), 1, 20),
        Check("unique", ("file_id", "year")),
    ),
    "policies__zones": (
        Check("not_null", ("name",)),
        Check("in_set", ("policy",), values=POLICIES),
        Check("not_null", ("first_year",)),
        Check("between", ("first_year",), 1984, 2100),
    ),
}
