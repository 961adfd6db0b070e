"""Who is treated when, drawn at random: whole paths moved between units, dates drawn anew, or
values shuffled over cells or rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.estimators.core.groups import Group


@dataclass(frozen=True, eq=False)
class Cells:
    """Unit-periods that rows fall into.

    codes : (n,) cell of each row
    unit, period : (cells,) numbers of each cell's unit and period
    treatment : (cells,) the true treatment, which must be the same in all rows of a cell
    """

    codes: np.ndarray
    unit: np.ndarray
    period: np.ndarray
    treatment: np.ndarray

    @property
    def n(self) -> int:
        return len(self.unit)


def cells_of(
    treatment: np.ndarray, unit: Group, period: Group, names: tuple[str, str, str]
) -> Cells:
    """Collapse rows to unit-periods.

    Parameters
    ----------
    treatment : (n,) by row
    names : of the treatment, the unit and the period, for messages

    Raises
    ------
    ValueError : a treatment that differs within a unit-period.
    """
    key = unit[0].astype(np.int64) * period[1] + period[0]
    found, first, codes = np.unique(key, return_index=True, return_inverse=True)
    value = treatment[first]
    if np.any(value[codes] != treatment):
        raise ValueError(
            f"{names[0]} differs between rows of one {names[1]} and {names[2]}: it cannot be moved"
            " between them. Draw by rows (draw_by = 'row') instead."
        )
    return Cells(codes, found // period[1], found % period[1], value)


def shuffled(values: np.ndarray, draws: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """The values in random order, again and again."""
    count = int(np.count_nonzero(values))
    if not np.all((values == 0) | (values == 1)):
        for _ in range(draws):
            yield rng.permutation(values)
        return
    # Of a dummy only the rarer value's places are drawn.
    ones = count <= len(values) - count
    for _ in range(draws):
        drawn = np.full(len(values), 0.0 if ones else 1.0)
        drawn[
            rng.choice(len(values), min(count, len(values) - count), replace=False, shuffle=False)
        ] = 1.0 if ones else 0.0
        yield drawn


def moved_paths(
    cells: Cells, names: tuple[str, str, str], draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Each unit gets the treatment path of another: who is treated is random, how many and when is
    as it was. (cells,) a draw.

    Where a unit lacks the period that another has, a treatment that starts and stays is prolonged
    by its first date; any other goes only to units that are seen in the same periods, and is an
    error where there are no two such.
    """
    units, periods = int(cells.unit.max()) + 1, int(cells.period.max()) + 1
    paths = np.full((units, periods), np.nan)
    paths[cells.unit, cells.period] = cells.treatment
    if np.isnan(paths).any():
        start = adoption(cells)
        if start is None:
            yield from _exchanged(paths, cells, names, draws, rng)
            return
        paths = (np.arange(periods) >= start[:, None]).astype(float)
    for _ in range(draws):
        yield paths[rng.permutation(units)[cells.unit], cells.period]


def drawn_dates(
    cells: Cells,
    names: tuple[str, str, str],
    dates: Sequence[int],
    draws: int,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """As many units as are treated, drawn at random, each from a date drawn at random: who and when
    are random. (cells,) a draw.

    Raises
    ------
    ValueError : a treatment that is not a dummy that starts once and stays.
    """
    start = adoption(cells)
    if start is None:
        raise ValueError(
            f"dates can be drawn only for a dummy that starts once and stays; {names[0]} is not."
            " Use dates = 'kept', or draw_by = 'cell'."
        )
    units, never = len(start), int(cells.period.max()) + 1
    treated = int((start < never).sum())
    choices = np.asarray(dates)
    for _ in range(draws):
        drawn = np.full(units, never)
        drawn[rng.permutation(units)[:treated]] = choices[rng.integers(0, len(choices), treated)]
        yield (cells.period >= drawn[cells.unit]).astype(float)


def seen_alike(cells: Cells) -> np.ndarray:
    """Number (units,) of the set of periods that each unit is seen in."""
    seen = np.zeros((int(cells.unit.max()) + 1, int(cells.period.max()) + 1), dtype=bool)
    seen[cells.unit, cells.period] = True
    return np.unique(seen, axis=0, return_inverse=True)[1].ravel()


def _exchanged(
    paths: np.ndarray,
    cells: Cells,
    names: tuple[str, str, str],
    draws: int,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Paths (units, periods) moved between units that are seen in the same periods."""
    alike = seen_alike(cells)
    groups = [np.flatnonzero(alike == at) for at in range(int(alike.max()) + 1)]
    if all(len(group) == 1 for group in groups):
        raise ValueError(
            f"the panel has gaps, and {names[0]} is not a dummy that starts once and stays: its"
            f" path cannot be given to another {names[1]}, of which no two are seen in the same"
            f" {names[2]}s. Draw by cells (draw_by = 'cell'), or balance the panel."
        )
    for _ in range(draws):
        given = np.empty(len(paths), dtype=np.int64)
        for group in groups:
            given[group] = rng.permutation(group)
        yield paths[given[cells.unit], cells.period]


def adoption(cells: Cells) -> np.ndarray | None:
    """First treated period of each unit (units,), the number of periods where never; None unless
    the treatment is a dummy that stays.
    """
    if not np.all((cells.treatment == 0) | (cells.treatment == 1)):
        return None
    never = int(cells.period.max()) + 1
    start = np.full(int(cells.unit.max()) + 1, never)
    on = cells.treatment == 1
    np.minimum.at(start, cells.unit[on], cells.period[on])
    return start if np.array_equal(cells.period >= start[cells.unit], on) else None


def allowed_dates(
    labels: Sequence[object], wanted: Sequence[object] | None, time: str
) -> list[int]:
    """Numbers of the periods that a drawn treatment may start in: all but the first, or those
    wanted.

    Raises
    ------
    ValueError : a wanted period that the sample lacks, or none.
    """
    if wanted is None:
        return list(range(1, len(labels)))
    known = {label: at for at, label in enumerate(labels)}
    missing = [label for label in wanted if label not in known]
    if missing or not len(wanted):
        raise ValueError(
            f"dates to draw from must be periods of the sample ({time} {labels[0]} to"
            f" {labels[-1]}); given: {list(wanted)}."
        )
    return sorted(known[label] for label in wanted)
