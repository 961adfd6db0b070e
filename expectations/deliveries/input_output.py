"""What a delivery of input-output tables must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
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
        Check(
            "unique",
            (
                "file_id",
                "edition",
                "year",
                "row_country",
                "row_industry",
                "column_country",
                "column_code",
            ),
        ),
    ),
}
