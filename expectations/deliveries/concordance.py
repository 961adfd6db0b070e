"""What a delivery of the concordances of products and industries, and elasticities must hold."""

from __future__ import annotations

from expectations.checks import Check

REVISIONS = (1992, 1996, 2002, 2007, 2012, 2017, 2022)

CHECKS: dict[str, tuple[Check, ...]] = {
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
        Check(
            "unique", ("file_id", "revision", "hs6", "bec_code")
        ),  # a product may serve several uses
    ),
    "concordance__elasticities": (
        Check("not_null", ("country_name",)),
        Check("not_null", ("hs3",)),
        Check("between", ("length_hs3",), 3, 3),
        Check("not_null", ("sigma",)),
        Check("between", ("sigma",), 0, 1_000_000, severity="warning"),
        Check("unique", ("file_id", "country_name", "hs3")),
    ),
    "concordance__industries": (
        Check("not_null", ("gbt2002_code",)),
        Check("between", ("length_gbt2002_code",), 2, 4),
        Check("between", ("length_isic4_code",), 2, 2),
        Check("unique", ("file_id", "gbt2002_code")),
    ),
}
