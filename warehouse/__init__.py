"""citytrade's store: `from warehouse import connect, panel, panels, describe`."""

from __future__ import annotations

from warehouse.store import connect, describe, panel, panels, releases

__all__ = ["connect", "describe", "panel", "panels", "releases"]
