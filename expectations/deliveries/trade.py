"""Deliveries about trade: customs records, concordances, input-output tables."""

from __future__ import annotations

from expectations.checks import Check

REVISIONS = (1992, 1996, 2002, 2007, 2012, 2017, 2022)

TRADE: dict[str, tuple[Check, ...]] = {
    "customs__records": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 1995, 2030),
        Check("between", ("month",), 1, 12),
        Check("not_null", ("flow",)),
        Check("in_set", ("flow",), values=("export", "import")),
        Check("not_null", ("hs8",)),
        Check("between", ("length_hs8",), 8, 8),
        Check("not_null", ("value_cents",)),
        Check("between", ("value_cents",), 1, 10_000_000_000_000),
        Check("not_null", ("currency",)),
        Check("in_set", ("currency",), values=("USD", "CNY")),
        Check("between", ("quantity",), minimum=0),
        Check("not_null", ("production_place",), severity="warning"),
        Check("unique", ("file_id", "line")),
    ),
    "concordance__hs": (
        Check("not_null", ("from_hs6",)),
        Check("not_null", ("to_hs6",)),
        Check("between", ("length_from_hs6",), 6, 6),
        Check("between", ("length_to_hs6",), 6, 6),
        Check("in_set", ("kind",), values=("correlation", "conversion")),
        Check("in_set", ("from_revision",), values=REVISIONS),
        Check("in_set", ("to_revision",), values=REVISIONS),
        Check("unique", ("file_id", "kind", "from_revision", "to_revision", "from_hs6", "to_hs6")),
    ),
    "concordance__bec": (
        Check("not_null", ("hs6",)),
        Check("between", ("length_hs6",), 6, 6),
        Check("not_null", ("bec_code",)),
        Check("unique", ("file_id", "revision", "hs6", "bec_code")),  # a product may serve several uses
    ),
    "concordance__elasticities": (
        Check("not_null", ("country_name",)),
        Check("not_null", ("hs3",)),
        Check("between", ("length_hs3",), 3, 3),
        Check("not_null", ("sigma",)),
        Check("between", ("sigma",), 0, 1_000_000),
        Check("unique", ("file_id", "country_name", "hs3")),
    ),
    "input_output__national": (
        Check("not_null", ("row_code",)),
        Check("not_null", ("column_code",)),
        Check("between", ("year",), 1990, 2030),
        Check("not_null", ("value_usd_million",)),
        Check("unique", ("file_id", "edition", "year", "row_code", "column_code")),
    ),
    "input_output__icio": (
        Check("not_null", ("row_industry",)),
        Check("not_null", ("column_code",)),
        Check("between", ("year",), 1990, 2030),
        Check("not_null", ("value_usd_million",)),
        Check("unique", ("file_id", "edition", "year", "row_country", "row_industry", "column_country", "column_code")),
    ),
}
