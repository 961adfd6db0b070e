"""citytrade's store: `from warehouse import panel, panels, describe, citations, connect, diff`."""

from __future__ import annotations

from warehouse.store import citations, connect, describe, diff, panel, panels, releases

__all__ = ["citations", "connect", "describe", "diff", "panel", "panels", "releases"]
