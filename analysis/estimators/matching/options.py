"""How rows are matched: one object that every matching takes and that its note describes."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.estimators.core.options import Kernel, MatchMethod, MatchSupport, MatchTies
from analysis.estimators.matching.weights import KERNELS


@dataclass(frozen=True)
class MatchOptions:
    """How rows are matched.

    Attributes
    ----------
    method, neighbours, ties, support, trim : see `analysis.estimators.matching.model`
    replacement : may a control serve several treated rows; without, treated rows choose in the order of their scores
    descending : without replacement, the largest score chooses first
    caliper : largest distance, in units of the score (or of its standard deviation where caliper_in_sd)
    kernel, bandwidth : for method "kernel"
    on_index : measure distance in the index (log odds of a logit) instead of the probability
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
        for name, value, known in (
            ("method", self.method, ("neighbours", "radius", "kernel")),
            ("ties", self.ties, ("average", "first")),
            ("kernel", self.kernel, tuple(KERNELS)),
            ("support", self.support, ("none", "common", "overlap", "trim")),
        ):
            if value not in known:
                raise ValueError(f"{name} = {value!r}: it is one of {', '.join(known)}.")
        if self.neighbours < 1 or self.bandwidth <= 0 or (self.caliper is not None and self.caliper <= 0) or not 0 <= self.trim < 0.5:
            raise ValueError("neighbours is one or more, bandwidth and caliper are positive, trim is below 0.5.")
        if self.method == "radius" and self.caliper is None:
            raise ValueError("radius matching needs a caliper.")
        if self.method == "kernel" and self.caliper is not None:
            raise ValueError("kernel matching has a bandwidth, not a caliper.")
        if not self.replacement and (self.method != "neighbours" or self.ties != "first"):
            raise ValueError("without replacement rows are taken one by one: method='neighbours' and ties='first'.")

    def describe(self) -> str:
        parts = {
            "neighbours": f"{self.neighbours} nearest neighbour(s) {'with' if self.replacement else 'without'} replacement, ties: {self.ties}",
            "radius": "radius",
            "kernel": f"{self.kernel} kernel, bandwidth {self.bandwidth:g}",
        }[self.method]
        caliper = "" if self.caliper is None else f", caliper {self.caliper:g}{' standard deviations' if self.caliper_in_sd else ''}"
        return f"{parts}{caliper}{', on the index' if self.on_index else ''}, support: {self.support}"
