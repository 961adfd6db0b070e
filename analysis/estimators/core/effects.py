"""Effects as every family takes them out: any number, none among them, by the one absorber."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from analysis.estimators.core.absorb import Absorber
from analysis.estimators.core.groups import Group, nested


class Effects:
    """Groupings whose levels are taken out of columns; without any, columns stay as they are.

    Parameters
    ----------
    groups : for each effect its level numbers (n,), 0.. without holes, and the number of levels
    weights : (n,) positive, or None
    """

    def __init__(self, groups: Sequence[Group], weights: np.ndarray | None = None) -> None:
        self.groups = list(groups)
        self._absorber = Absorber(self.groups, weights) if self.groups else None

    @cached_property
    def rank(self) -> int:
        """Independent dummies of all effects, the constant among them; 0 without effects."""
        return self._absorber.rank() if self._absorber else 0

    def out(self, columns: np.ndarray) -> np.ndarray:
        """Columns (n, m) or (n,) with the effects taken out."""
        if self._absorber is None:
            return columns
        return self._absorber.residualise(columns.reshape(len(columns), -1)).reshape(columns.shape)

    def cost(self, clusters: Sequence[Group] = ()) -> int:
        """Degrees of freedom: an effect whose levels each lie inside one cluster costs nothing, the
        constant still does.
        """
        if not self.groups:
            return 0
        free = [
            group
            for group in self.groups
            if not any(nested(group, cluster) for cluster in clusters)
        ]
        return Effects(free).rank if free else 1
