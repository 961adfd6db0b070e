"""How rows are matched: one object that every matching takes and that its note describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.estimators.core.names import nearest
from analysis.estimators.core.options import (
    Kernel,
    MatchMethod,
    MatchSupport,
    MatchTies,
    checked,
)


@dataclass(frozen=True)
class MatchOptions:
    """How rows are matched.

    Attributes
    ----------
    method, neighbours, ties, support, trim : see `analysis.estimators.matching.model`
    replacement : may a control serve several treated rows; without, treated rows choose in the
        order of their scores
    descending : without replacement, the largest score chooses first
    caliper : largest distance, in units of the score (or of its standard deviation where
        caliper_in_sd)
    kernel, bandwidth : for method "kernel"
    on_index : measure distance in the index (log odds of a logit) instead of the probability

    Raises
    ------
    ValueError : a value that is not known, or options that do not go together.
    """

    method: MatchMethod = "neighbours"
    neighbours: int = 1
    replacement: bool = True
    ties: MatchTies = "average"
    descending: bool = True
    caliper: float | None = None
    caliper_in_sd: bool = False
    kernel: Kernel = "epanechnikov"
    bandwidth: float = 0.06
    on_index: bool = False
    support: MatchSupport = "none"
    trim: float = 0.1

    def __post_init__(self) -> None:
        checked("method", self.method, MatchMethod)
        checked("ties", self.ties, MatchTies)
        checked("kernel", self.kernel, Kernel)
        checked("support", self.support, MatchSupport)
        if self.neighbours < 1 or self.bandwidth <= 0 or not 0 <= self.trim < 0.5:
            raise ValueError("neighbours is one or more, bandwidth is positive, trim below 0.5.")
        if self.caliper is not None and self.caliper <= 0:
            raise ValueError(f"caliper = {self.caliper}: it is positive.")
        if self.method == "radius" and self.caliper is None:
            raise ValueError("radius matching needs a caliper.")
        if self.method == "kernel" and self.caliper is not None:
            raise ValueError("kernel matching has a bandwidth, not a caliper.")
        if not self.replacement and (self.method != "neighbours" or self.ties != "first"):
            raise ValueError(
                "without replacement rows are taken one by one: method='neighbours' and "
                "ties='first'."
            )

    def describe(self) -> str:
        """The options in force, as a note would say them."""
        with_or_without = "with" if self.replacement else "without"
        parts = {
            "neighbours": (
                f"{self.neighbours} nearest neighbour(s) {with_or_without} replacement, ties:"
                f" {self.ties}"
            ),
            "radius": "radius",
            "kernel": f"{self.kernel} kernel, bandwidth {self.bandwidth:g}",
        }[self.method]
        deviations = " standard deviations" if self.caliper_in_sd else ""
        caliper = "" if self.caliper is None else f", caliper {self.caliper:g}{deviations}"
        index = ", on the index" if self.on_index else ""
        return f"{parts}{caliper}{index}, support: {self.support}"


def match_options(given: MatchOptions | Mapping[str, Any] | None) -> MatchOptions:
    """The options of a matching, from themselves or from their fields by name.

    Raises
    ------
    ValueError : an unknown field (the nearest is named), or a value that `MatchOptions` refuses.
    """
    if isinstance(given, MatchOptions):
        return given
    known = list(MatchOptions.__dataclass_fields__)
    for name in given or {}:
        if name not in known:
            raise ValueError(f"options has no {name!r}. {nearest(str(name), known)}")
    return MatchOptions(**(given or {}))
