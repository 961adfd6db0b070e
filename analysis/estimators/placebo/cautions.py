"""What a reader of a placebo must not overlook."""

from __future__ import annotations

import numpy as np

from analysis.estimators.core.clusters import FEW_CLUSTERS, FEW_TREATED, few_clusters
from analysis.estimators.core.options import Covariance
from analysis.estimators.core.result import Caution
from analysis.estimators.core.sample import Sample
from analysis.estimators.placebo.draws import Cells, adoption, seen_alike

Names = tuple[str, str, str]


def cautions(
    errors: Covariance,
    sample: Sample,
    cells: Cells | None,
    names: Names,
    variance: float,
    drawn: tuple[int, int],
    by_unit: bool,
) -> tuple[Caution, ...]:
    """All of them: of the estimate's variance, its clusters, who is treated, and the draws.

    names : of the treatment, the unit and the period
    drawn : draws without a coefficient, and all draws
    by_unit : whole paths are drawn, with the dates that they have
    """
    undefined, draws = drawn
    clusters = min((sample.groups[name][1] for name in errors.clusters), default=FEW_CLUSTERS)
    remedy = "Judge by the empirical p of coefficients."
    found = _not_semidefinite(variance, names[0])
    found += few_clusters(clusters, more="those of the draws too", remedy=remedy)
    dummy = cells is not None and bool(np.isin(cells.treatment, (0.0, 1.0)).all())
    if cells is not None and dummy:
        units = len(np.unique(cells.unit[cells.treatment == 1]))
        everybody = int(cells.unit.max()) + 1
        if units < FEW_TREATED:
            text = (
                f"{units} of {everybody:,} units ({names[1]}) have {names[0]}: a standard error"
                " says little."
            )
            found.append(Caution("small_cohort", text, "Judge by the empirical p of coefficients."))
    found += _of_their_own(cells, names) if by_unit else []
    if undefined:
        text = f"{undefined:,} of {draws:,} draws have no coefficient: the effects absorb them."
        found.append(Caution("undefined_draws", text, "Shares are of the others."))
    return tuple(found)


def _of_their_own(cells: Cells | None, names: Names) -> list[Caution]:
    """Units whose path stays where it is, since no other is seen in the same periods."""
    if cells is None or adoption(cells) is not None:
        return []
    counts = np.bincount(seen_alike(cells))
    alone = int((counts == 1).sum())
    if not alone:
        return []
    text = (
        f"{alone:,} of {int(counts.sum()):,} {names[1]} keep their path in every draw: no other is"
        f" seen in the same {names[2]}s."
    )
    return [Caution("kept_paths", text, "Balance the panel to draw among all.")]


def _not_semidefinite(variance: float, treatment: str) -> list[Caution]:
    if variance >= 0:
        return []
    text = (
        f"The two-way covariance is not positive semidefinite: {treatment} has no standard error,"
        " and its t is not compared with the draws'."
    )
    remedy = "Compare with clusters by either column alone."
    return [Caution("not_semidefinite", text, remedy)]
