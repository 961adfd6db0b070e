"""When clusters are too few for errors that rest on many of them."""

from __future__ import annotations

from analysis.estimators.core.result import Caution

FEW_CLUSTERS = 30  # where theory for many clusters begins to fail


def few_clusters(count: int) -> list[Caution]:
    """The warning, where there are fewer clusters than that."""
    if count >= FEW_CLUSTERS:
        return []
    few = f"{count} clusters are few"
    text = f"{few}: clustered errors are then too small (Cameron, Gelbach and Miller 2008)."
    remedy = "Look at a permutation (placebo) too, or cluster by something finer."
    return [Caution("few_clusters", text, remedy)]
