"""The simulated customs records, each year in the layout of its time or all in one of one's
choice.
"""

from __future__ import annotations

from warehouse.simulate.writers.customs.by_period import WrittenFile, write_customs
from warehouse.simulate.writers.customs.layouts import LAYOUTS, shown, write_in_layout

__all__ = ["LAYOUTS", "WrittenFile", "shown", "write_customs", "write_in_layout"]
