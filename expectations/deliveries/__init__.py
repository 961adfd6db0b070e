"""Suites of the lake's tables, one a table, run on all Parquet files of a set before models read them.

The suites hold what makes a delivery usable at all; what single rows may hold is decided by the readers, which set
bad rows aside.
"""

from __future__ import annotations

from expectations.checks import Check, Suite
from expectations.deliveries.digital import DIGITAL
from expectations.deliveries.economy import ECONOMY
from expectations.deliveries.firms import FIRMS
from expectations.deliveries.innovation import INNOVATION
from expectations.deliveries.places import PLACES
from expectations.deliveries.trade import TRADE
from expectations.deliveries.virtual import VIRTUAL

LINEAGE_CHECKS = (Check("not_null", ("file_id",)), Check("not_null", ("load_id",)))

SUITES: dict[str, Suite] = {
    table: Suite(f"deliveries.{table}", table, (Check("rows", minimum=1), *LINEAGE_CHECKS, *checks), keys=("file_id", "line"))
    for table, checks in {**TRADE, **ECONOMY, **PLACES, **FIRMS, **INNOVATION, **DIGITAL, **VIRTUAL}.items()
}
