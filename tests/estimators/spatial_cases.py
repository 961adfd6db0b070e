"""Cities on a map of squares, and equations in space whose truth is known."""

from __future__ import annotations

import numpy as np


def rook(side: int) -> np.ndarray:
    """Rook neighbours on a square of side x side cities."""
    row, column = np.divmod(np.arange(side * side), side)
    return ((np.abs(row[:, None] - row) + np.abs(column[:, None] - column)) == 1).astype(float)


EQUATIONS = {"one": ("y1", ["x1"]), "two": ("y2", ["x2", "x3"])}
