"""citytrade's store: `from warehouse import connect, panel, panels, describe, diff, releases`."""

from __future__ import annotations

from warehouse.store import connect, describe, diff, panel, panels, releases

__all__ = ["connect", "describe", "diff", "panel", "panels", "releases"]
