"""What data must look like: deliveries before they are loaded, panels before they are published."""

from __future__ import annotations

from expectations.checks import CheckResult
from expectations.ledger import Ledger
from expectations.run import check_deliveries, check_panels

__all__ = ["CheckResult", "Ledger", "check_deliveries", "check_panels"]
