"""What one placebo asks for: the regression, and what is drawn in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimators.core.options import (
    Covariance,
    EffectsSmall,
    PlaceboDates,
    PlaceboDrawBy,
    checked,
)
from analysis.estimators.core.sample import Sample
from analysis.estimators.core.sandwich import LevelCount, SmallSample, small_sample
from analysis.estimators.placebo.cautions import Names
from analysis.estimators.placebo.draws import (
    Cells,
    allowed_dates,
    drawn_dates,
    moved_paths,
    shuffled,
)

KIND_NAMES = {"iid": "homoskedastic", "robust": "robust", "cluster": "clustered"}


@dataclass(frozen=True)
class Drawing:
    """What is drawn, and how often; names are those of the treatment, the unit and the period."""

    names: Names
    draw_by: PlaceboDrawBy
    dates: PlaceboDates
    date_choices: Sequence[object] | None
    draws: int
    seed: int

    def __post_init__(self) -> None:
        checked("draw_by", self.draw_by, PlaceboDrawBy)
        checked("dates", self.dates, PlaceboDates)

    @property
    def by_cell(self) -> bool:
        """Whether units and periods are drawn, rather than rows."""
        return self.draw_by != "row"

    def periods(self, frame: pd.DataFrame, sample: Sample) -> list[int]:
        """Dates that may be drawn; none where the true ones are kept."""
        if self.draw_by != "unit" or self.dates != "drawn":
            return []
        time = self.names[2]
        used = frame[time] if sample.keep is None else frame[time][sample.keep]
        return allowed_dates(sorted(used.unique()), self.date_choices, time)

    def drawn(
        self, truth: np.ndarray, cells: Cells | None, dated: list[int]
    ) -> Iterator[np.ndarray]:
        rng = np.random.Generator(np.random.PCG64(self.seed))
        if cells is None or self.draw_by == "cell":
            return shuffled(truth, self.draws, rng)
        if dated:
            return drawn_dates(cells, self.names, dated, self.draws, rng)
        return moved_paths(cells, self.names, self.draws, rng)

    def text(self) -> str:
        if self.draw_by == "row":
            return "values shuffled over rows"
        if self.draw_by == "cell":
            return f"values shuffled over {self.names[1]} and {self.names[2]}"
        kept = self.dates == "kept"
        when = "dates as they were" if kept else "each from a date drawn at random"
        return f"treated {self.names[1]} drawn at random, {when}"


@dataclass(frozen=True)
class DrawnRegression:
    """The regression whose treatment is drawn; columns are outcome, treatment and controls."""

    columns: list[str]
    effects: tuple[str, ...]
    errors: Covariance
    small: EffectsSmall

    def __post_init__(self) -> None:
        checked("small", self.small, EffectsSmall)

    def paid(self, sample: Sample) -> SmallSample:
        clusters = [sample.groups[name] for name in self.errors.clusters]
        count = LevelCount(sample.of(self.effects))
        return small_sample(self.small, sample.n, len(self.columns) - 1, count, clusters)

    def convention(self, df: float) -> str:
        clustered = f" by {' and '.join(self.errors.clusters)}" if self.errors.clusters else ""
        named = f"{KIND_NAMES[self.errors.kind]}{clustered} as in {self.small.replace('_', ' ')}"
        return f"{named}, t with {df:,} degrees of freedom"
