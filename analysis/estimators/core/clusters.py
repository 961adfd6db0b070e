"""When clusters are too few for errors that rest on many of them."""

from __future__ import annotations

from analysis.estimators.core.result import Caution

FEW_CLUSTERS = 30  # where theory for many clusters begins to fail
# R's did warns of groups with fewer units than this; Conley and Taber (2011) show why.
FEW_TREATED = 5
FINER = "Look at a permutation (placebo) too, or cluster by something finer."


def few_clusters(
    count: int, name: str = "", more: str = "", remedy: str = FINER
) -> tuple[Caution, ...]:
    """The warning, where there are fewer clusters than that.

    name : what they are by; more : what else suffers, after the sentence's last comma
    """
    if count >= FEW_CLUSTERS:
        return ()
    by = f" ({name})" if name else ""
    text = (
        f"{count} clusters{by} are few: clustered errors are then too small (Cameron, Gelbach and"
        f" Miller 2008){f', {more}' if more else ''}."
    )
    return (Caution("few_clusters", text, remedy),)
