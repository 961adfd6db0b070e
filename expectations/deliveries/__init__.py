"""Suites of the lake's tables, one a table, run on all Parquet files of a set before models read
them.

One module a source. The suites hold what makes a delivery usable at all; what single rows may hold
is decided by the readers, which set bad rows aside.
"""

from __future__ import annotations

import importlib

from expectations.checks import Check, Suite
from warehouse.sources import SOURCES

LINEAGE_CHECKS = (Check("not_null", ("file_id",)), Check("not_null", ("load_id",)))

SUITES: dict[str, Suite] = {
    table: Suite(
        f"deliveries.{table}",
        table,
        (Check("rows", minimum=1), *LINEAGE_CHECKS, *checks),
        keys=("file_id", "line"),
    )
    for source in SOURCES
    for table, checks in importlib.import_module(f"expectations.deliveries.{source}").CHECKS.items()
}
