"""When instruments are too weak to be believed without a table that speaks of the errors."""

from __future__ import annotations

# First-stage F below which estimate and errors are not to be trusted (Staiger and Stock 1997).
WEAK_F = 10
