"""The simulated city yearbooks: official sheets, panels and downloads, or all in one layout of
one's choice.
"""

from __future__ import annotations

from warehouse.simulate.writers.yearbook.default import write_yearbooks
from warehouse.simulate.writers.yearbook.layouts import LAYOUTS

__all__ = ["LAYOUTS", "write_yearbooks"]
