"""A simulated world: raw files as publishers would ship them, made from a seed, with its truth
beside it.
"""

from __future__ import annotations

from warehouse.simulate.lake import write_customs_lake
from warehouse.simulate.world import simulate, simulator_version, world_is_current

__all__ = ["simulate", "simulator_version", "world_is_current", "write_customs_lake"]
