"""Ours beside theirs, number by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.papers import Release
from analysis.papers.declared import Estimation, Paper
from analysis.papers.estimate import Estimate, run, sample
from analysis.report.recomputed import instruments, least_squares, selection, staggered
from analysis.report.recomputed.dynamic import dynamic
from analysis.report.recomputed.theirs import Arguments, NoPeerError, Theirs

LARGEST = 20_000  # rows; dummies of more are too many for OLS
Peer = Callable[[pd.DataFrame, Arguments], Theirs]


@dataclass(frozen=True)
class Difference:
    """One number by both programs.

    Attributes
    ----------
    number : "coefficient", "standard error", or a name of `glance()` (nobs, r2, ...)
    converted : what was done to their standard errors; "" for nothing, and for other numbers
    """

    paper: str
    table: str
    column: str
    estimator: str
    program: str
    equation: str
    term: str
    number: str
    ours: float
    theirs: float
    converted: str = ""

    @property
    def relative(self) -> float:
        return abs(self.ours - self.theirs) / max(abs(self.theirs), 1e-12)


def differences(paper: Paper, release: Release) -> Iterator[Difference]:
    """The first column of each estimator that another program has too, number by number."""
    seen: set[str] = set()
    for table in paper.tables.values():
        for name, column in table.columns.items():
            asked = column.estimation
            if asked is None or asked.estimator in seen or asked.estimator not in OTHERS:
                continue
            if len(release.frame(asked.panel, ())) > LARGEST:
                continue
            estimate, theirs = _both(release, asked)
            if theirs is None:
                continue
            seen.add(asked.estimator)
            program = OTHERS[asked.estimator][0]
            for equation, term, number, ours, value, converted in _beside(estimate, theirs):
                yield Difference(
                    paper.slug, table.name, name, asked.estimator, program, equation, term,
                    number, ours, value, converted,
                )  # fmt: skip


def _both(release: Release, asked: Estimation) -> tuple[Estimate, Theirs | None]:
    """Ours, and theirs where the other program has what the column asks for."""
    estimate, result = run(release, asked)
    if result is None:
        return estimate, None
    frame, arguments, _ = sample(release, asked)
    # Rows with something missing go, but where the estimator chooses its rows itself.
    rows = frame if asked.estimator in WHOLE else frame.loc[result.sample]
    follows = {"then": asked.then} if asked.then else {}
    try:
        return estimate, OTHERS[asked.estimator][1](rows, arguments | follows)
    except NoPeerError:
        return estimate, None


def _beside(
    estimate: Estimate, theirs: Theirs
) -> Iterator[tuple[str, str, str, float, float, str]]:
    """Equation, term, number, ours, theirs, and what was done to theirs."""
    kinds = {"coefficient": ("estimate", theirs.coefficients, ""),
             "standard error": ("std_error", theirs.errors, theirs.converted)}  # fmt: skip
    for number, (column, values, converted) in kinds.items():
        for (equation, term), value in values.items():
            here = estimate.terms[estimate.terms["term"] == term]
            here = here[here["equation"] == equation] if equation else here
            yield equation, term, number, float(here[column].iloc[0]), value, converted
    for name, value in theirs.fit.items():
        yield "", "", name, estimate.statistics.get(name, np.nan), value, ""


OTHERS: dict[str, tuple[str, Peer]] = {
    "linear_regression": ("statsmodels OLS", least_squares.linear),
    "fixed_effects": ("statsmodels OLS with dummies", least_squares.effects),
    "instrumental_variables": ("linearmodels IV2SLS", instruments.two_stage),
    "panel_regression": ("linearmodels PanelOLS", instruments.within),
    "spatial_three_stage": ("linearmodels IV3SLS", instruments.spatial),
    "dynamic_gmm": ("linearmodels IVGMM, stacked anew", dynamic),
    "heckman": ("statsmodels Probit, OLS", selection.heckman),
    "psm_did": ("statsmodels Logit, scipy cKDTree, OLS", selection.psm_did),
    "callaway_santanna": ("statsmodels OLS, a cell at a time", staggered.callaway_santanna),
    "imputation": ("statsmodels OLS with dummies, imputed", staggered.imputation),
    "event_study": ("statsmodels OLS with dummies", staggered.event_study),
    "sun_abraham": ("statsmodels OLS with dummies", staggered.sun_abraham),
    "mediation": ("statsmodels OLS with dummies, twice", least_squares.mediation),
    "wild_bootstrap": ("statsmodels OLS with dummies", least_squares.wild),
}
WHOLE = (
    "dynamic_gmm",
    "psm_did",
    "callaway_santanna",
    "imputation",
    "event_study",
    "sun_abraham",
    "mediation",
)  # they choose their rows themselves


def uncovered(papers: Sequence[Paper]) -> list[str]:
    """Estimators of the papers that no other program here has."""
    asked: list[Estimation] = [
        column.estimation
        for paper in papers
        for table in paper.tables.values()
        for column in table.columns.values()
        if column.estimation is not None
    ]
    return sorted({one.estimator for one in asked} - set(OTHERS))
