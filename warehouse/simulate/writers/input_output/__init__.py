"""The simulated input-output tables: national tables of China, and a small ICIO in each of its
editions.
"""

from __future__ import annotations

from warehouse.simulate.writers.input_output.national import write_input_output

__all__ = ["write_input_output"]
