"""What an audit finds: the place, the arithmetic, how sure it is, and what hangs on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Certainty = Literal["certain", "likely", "possible"]
Weight = Literal["rounding", "inconsistent", "changes the conclusion"]
WEIGHTS: tuple[Weight, ...] = ("changes the conclusion", "inconsistent", "rounding")


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes
    ----------
    rule : the rule's name
    place : table, column and row
    arithmetic : what was computed, with its numbers
    certainty : "certain" follows from the printed numbers alone; "likely" and "possible" rest on
        what tables usually mean
    weight : the grades of statcheck: rounding, an inconsistency, or one that changes a conclusion
    doubtful : why the print is hard to read there, "" if it is not
    """

    rule: str
    place: str
    arithmetic: str
    certainty: Certainty
    weight: Weight
    doubtful: str = ""

    def doubted(self, reason: str) -> Finding:
        """The same, less sure, where the print is hard to read."""
        if not reason:
            return self
        return replace(self, certainty="possible", doubtful=reason)
