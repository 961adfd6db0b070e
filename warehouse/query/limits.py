"""Limits of one query, so that a slip of the pen in a shared shell does not take the machine."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.errors import CitytradeError

UNITS = {"MB": 1_000_000, "GB": 1_000_000_000}


@dataclass(frozen=True)
class Limits:
    """seconds : a query is stopped after these; memory : what it may take, such as "2GB"."""

    seconds: float = 60.0
    memory: str = "2GB"

    @property
    def memory_bytes(self) -> int:
        return int(self.memory[:-2]) * UNITS[self.memory[-2:]]

    def over_time(self) -> CitytradeError:
        return CitytradeError(
            f"The query was stopped after {self.seconds:g} s. Narrow it (fewer years, fewer"
            " columns), or allow more with --seconds."
        )

    def over_memory(self) -> CitytradeError:
        return CitytradeError(
            f"The query wanted more than {self.memory} of memory. Narrow it, or allow more with"
            " --memory."
        )
