"""What standard errors and coefficients of a regression do not say by themselves, looked for in its
rows: regressors that vary more coarsely than rows, clusters of which a few decide, hardly any
variation left, outcomes of which a few rows decide, and controls that the treatment moves.

Each is a function of arrays that every regression has, so that any estimator can ask; what the
designs of one family alone can have (weak instruments, small cohorts) stands in that family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from analysis.estimators.core.clusters import FEW_CLUSTERS
from analysis.estimators.core.groups import TOGETHER, Group, combined, nested
from analysis.estimators.core.names import listed
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sums import sums_by
from analysis.estimators.core.tall import cross

# Cells of which there are more than this share of the rows hold a row or two each.
COARSE = 0.5
# Clusters that partial leverage is worth; with fewer, tests reject too often however many clusters
# there are (Carter, Schnepel and Steigerwald 2017; MacKinnon, Nielsen and Webb 2023).
FEW_EFFECTIVE = 10
# Share of a column's variance that has to be left once effects are out.
LITTLE = 0.002
# Share of the outcome's variation that one row in a hundred may hold: 0.09 for a normal, 0.35 for a
# t with 3 degrees of freedom.
HEAVY = 0.5
HUNDREDTH = 100
FEW_ROWS = 100  # fewer have no one in a hundred to speak of
SIZE = 0.05  # of the test whether a treatment moves a control, shared among the controls


@dataclass(frozen=True, eq=False)
class Design:
    """A regression as its rows show it.

    Attributes
    ----------
    outcome, regressors : names, those of the columns in their order
    raw, within : (n, 1 + k) outcome and regressors as given, and with the effects taken out
    groups : name -> level numbers by row, of every effect, cluster and key
    effects, clusters : names among the groups
    """

    outcome: str
    regressors: tuple[str, ...]
    raw: np.ndarray
    within: np.ndarray
    groups: Mapping[str, Group]
    effects: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        return len(self.raw)


def inference_cautions(design: Design) -> tuple[Caution, ...]:
    """All of them, in the order of what they touch: errors, then coefficients."""
    return (
        *coarse_regressors(design),
        *lopsided_clusters(design),
        *little_variation(design),
        *heavy_tails(design.outcome, design.within[:, 0]),
        *bad_controls(design),
    )


def coarse_regressors(design: Design) -> Iterator[Caution]:
    """Regressors that have one value in every cell of coarser groups, while rows of a cell count as
    independent: they lie in different clusters, or there are none (Moulton 1990).
    """
    clusters = [design.groups[name] for name in design.clusters]
    found: dict[str, list[int]] = {}
    cells = sorted(_cells(design), key=lambda one: one[1][1])
    for at in range(1, design.raw.shape[1]):
        for name, group in cells:
            if is_constant_within(design.raw[:, at], group):
                found.setdefault(name, []).append(at)
                break
    by_name = dict(cells)
    for name, columns in found.items():
        if not any(nested(by_name[name], cluster) for cluster in clusters):
            repeats = is_constant_within(design.raw[:, 0], by_name[name])
            yield _coarse(design, name, by_name[name][1], columns, repeats=repeats)


def _cells(design: Design) -> Iterator[tuple[str, Group]]:
    """Groups that are much fewer than rows: each grouping, and each two of them together."""
    most = COARSE * design.n
    single = {name: group for name, group in design.groups.items() if TOGETHER not in name}
    yield from ((name, group) for name, group in design.groups.items() if 1 < group[1] <= most)
    for (one, first), (other, second) in combinations(single.items(), 2):
        if f"{one}{TOGETHER}{other}" in design.groups:
            continue
        both = combined([first, second])
        if max(first[1], second[1]) < both[1] <= most:
            yield f"{one}{TOGETHER}{other}", both


def is_constant_within(column: np.ndarray, group: Group) -> bool:
    """Whether a column (n,) has one value in every group."""
    codes, size = group
    value = np.empty(size)
    value[codes] = column
    return bool(np.array_equal(value[codes], column))


def _coarse(
    design: Design, name: str, levels: int, columns: Sequence[int], *, repeats: bool
) -> Caution:
    names = [design.regressors[at - 1] for at in columns]
    shown = listed(names) if len(names) < 4 else f"{names[0]} and {len(names) - 1} others"
    by = f"clustered by {listed(design.clusters)}" if design.clusters else "without clusters"
    text = (
        f"{shown} {'varies' if len(names) == 1 else 'vary'} by {name} only: {levels:,} values in"
        f" {design.n:,} rows, and errors {by} take the rows of one {name} for independent"
        " (Moulton 1990)."
    )
    coarser = name.split(TOGETHER)[0]
    remedy = f"Cluster by {coarser}, or by whatever {name} lies in."
    if repeats:
        text += f" {design.outcome} does not vary more finely either: rows are repeated."
        remedy = f"Take one row a {name}, and cluster by {coarser}."
    return Caution("repeated_rows" if repeats else "coarse_regressor", text, remedy)


def lopsided_clusters(design: Design) -> Iterator[Caution]:
    """Regressors that a few clusters decide: 1 / sum of squared shares of partial leverage, the
    variation of a regressor beyond effects and other regressors.
    """
    if not design.clusters:
        return
    name = min(design.clusters, key=lambda one: design.groups[one][1])
    group = design.groups[name]
    if group[1] < FEW_CLUSTERS:
        return  # few_clusters says it
    effective = effective_clusters(design.within[:, 1:], group)
    few = [
        f"{regressor} {count:.1f}"
        for regressor, count in zip(design.regressors, effective, strict=True)
        if count < FEW_EFFECTIVE
    ]
    if few:
        text = (
            f"Few of the {group[1]:,} clusters ({name}) decide: by partial leverage they are worth"
            f" {listed(few)} equal ones, and errors are then too small (MacKinnon, Nielsen and"
            " Webb 2023)."
        )
        yield Caution("lopsided_clusters", text, "Look at wild_bootstrap, or a permutation.")


def effective_clusters(within: np.ndarray, group: Group) -> np.ndarray:
    """(k,) 1 / sum over clusters of (its share of the regressor's partial leverage)^2."""
    inverse = np.linalg.pinv(cross(within, within))
    partial = within @ inverse
    leverage = sums_by(group, partial**2)
    total = leverage.sum(axis=0)
    shares = np.divide(leverage, total, out=np.zeros_like(leverage), where=total > 0)
    squares = (shares**2).sum(axis=0)
    return np.divide(1.0, squares, out=np.full(len(squares), np.inf), where=squares > 0)


def little_variation(design: Design) -> Iterator[Caution]:
    """Columns of which effects leave hardly anything."""
    if not design.effects:
        return
    spread = ((design.raw - design.raw.mean(axis=0)) ** 2).sum(axis=0)
    left = (design.within**2).sum(axis=0)
    shares = np.divide(left, spread, out=np.ones_like(left), where=spread > 0)
    names = (design.outcome, *design.regressors)
    few = [f"{name} {100 * share:.2g} %" for name, share in zip(names, shares, strict=True)
           if share < LITTLE]  # fmt: skip
    if few:
        text = (
            f"Hardly any variation is left once the effects of {listed(design.effects)} are out:"
            f" of {listed(few)}. What is left may be rounding or errors of measurement."
        )
        yield Caution("little_variation", text, "Take out fewer effects, or compare longer spans.")


def heavy_tails(outcome: str, values: np.ndarray) -> Iterator[Caution]:
    """An outcome of which a hundredth of the rows holds most of the variation."""
    n = len(values)
    if n < FEW_ROWS:
        return
    squares = (values - values.mean()) ** 2
    most = -(-n // HUNDREDTH)
    total = float(squares.sum())
    if total <= 0:
        return
    share = float(np.partition(squares, n - most)[n - most :].sum()) / total
    if share > HEAVY:
        text = (
            f"{outcome} has heavy tails: {most:,} of {n:,} rows hold {100 * share:.0f} % of its"
            " variation, so that a few rows decide coefficients and their errors."
        )
        yield Caution("heavy_tails", text, "Compare logs, winsorised values, or without them.")


def bad_controls(design: Design) -> Iterator[Caution]:
    """Controls that move with a treatment that is switched on for good: the first regressor, 0 or 1
    and never back, in a regression with effects of units and periods (Angrist and Pischke 2009).
    """
    if len(design.effects) < 2 or not _switches_on(design):
        return
    treated = design.within[:, 1]
    group = design.groups[(*design.clusters, design.effects[0])[0]]  # units, where none are named
    size = float(treated @ treated)
    controls = [at for at in range(2, design.raw.shape[1]) if not _is_dummy(design.raw[:, at])]
    if not controls or size <= 0 or group[1] < 2:
        return
    columns = design.within[:, controls]
    slopes = treated @ columns / size
    scores = sums_by(group, treated[:, None] * (columns - np.outer(treated, slopes)))
    errors = np.sqrt((scores**2).sum(axis=0) * group[1] / (group[1] - 1)) / size
    t = np.divide(slopes, errors, out=np.zeros_like(slopes), where=errors > 0)
    limit = float(stats.t.isf(SIZE / 2 / len(controls), group[1] - 1))
    moved = [
        f"{design.regressors[at - 1]} (t = {value:.1f})"
        for at, value in zip(controls, t, strict=True)
        if abs(value) > limit
    ]
    if moved:
        text = (
            f"{design.regressors[0]} goes with {listed(moved)} once effects are out: where it moves"
            " a control, that part of its effect is held fixed (Angrist and Pischke 2009)."
        )
        yield Caution("bad_control", text, "Compare without, or with values before treatment.")


def _is_dummy(column: np.ndarray) -> bool:
    return bool(np.isin(column, (0.0, 1.0)).all())


def _switches_on(design: Design) -> bool:
    """Whether the first regressor is 0, then 1, by the first effect's levels along the second's."""
    treated = design.raw[:, 1]
    if not _is_dummy(treated):
        return False
    unit, time = (design.groups[name][0] for name in design.effects[:2])
    order = np.lexsort((time, unit))
    step = np.diff(treated[order])[np.diff(unit[order]) == 0]
    return bool((step > 0).any() and (step >= 0).all())
