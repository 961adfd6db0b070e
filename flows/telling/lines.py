"""Plain lines to whoever runs a command."""

from __future__ import annotations

import sys
from collections.abc import Callable

Say = Callable[[str], None]
SIMULATED = (
    "SIMULATED WORLD: these numbers come from a simulation; they say nothing about real cities."
)


def say_at_once(text: str) -> None:
    """Print a line in one piece, since sources are read side by side."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
