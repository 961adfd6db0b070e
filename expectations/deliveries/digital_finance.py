"""What a delivery of the digital finance index must hold."""

from __future__ import annotations

from expectations.checks import Check

CHECKS: dict[str, tuple[Check, ...]] = {
    "digital_finance__cities": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 2011, 2100),
        Check("not_null", ("code_2018",)),
        Check("between", ("length_code_2018",), 4, 6),
        Check("not_null", ("index_aggregate",)),
        Check("between", ("index_aggregate",), 0, 1000, severity="warning"),
        Check("unique", ("file_id", "year", "code_2018")),
    ),
    "digital_finance__provinces": (
        Check("not_null", ("year",)),
        Check("between", ("year",), 2011, 2100),
        Check("not_null", ("province_name",)),
        Check("between", ("index_aggregate",), 0, 1000, severity="warning"),
        Check("unique", ("file_id", "year", "province_name")),
    ),
}
