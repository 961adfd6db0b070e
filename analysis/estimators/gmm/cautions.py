"""What a reader of a dynamic panel estimate must not overlook."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.core.strength import WEAK_F
from analysis.estimators.gmm.specification import Specification
from analysis.estimators.gmm.stack import Stacked
from analysis.estimators.gmm.steps import Estimate
from analysis.estimators.gmm.strength import uncovered

# A p of Hansen's test that says instruments are too many to be tested: Roodman (2009), A note on
# the theme of too many instruments, Oxford Bulletin of Economics and Statistics 71(1), 135-158.
TOO_GOOD = 0.99


def cautions(
    spec: Specification,
    stacked: Stacked,
    fitted: Estimate,
    units: int,
    strength: pd.Series,
    tests: Mapping[str, Test],
) -> tuple[Caution, ...]:
    """All of them, in the order of what they touch: instruments, regressors, errors, tests."""
    return (
        *_many(spec, fitted, units, tests),
        *_uncovered(spec),
        *_weak(strength),
        *_left_out(stacked, fitted),
        *_few(spec, units),
        *_no_value(tests),
    )


def _many(
    spec: Specification, fitted: Estimate, units: int, tests: Mapping[str, Test]
) -> list[Caution]:
    found = []
    count = int(fitted.first.kept.sum())
    remedy = "Collapse the instruments, or limit their lags."
    if count >= units:
        how = "outnumber" if count > units else "are as many as"
        text = (
            f"{count} instruments {how} {units} {spec.unit}, which weakens the Hansen test"
            f"{' and biases two-step errors' if spec.steps == 2 else ''}."
        )
        found.append(Caution("many_instruments", text, remedy))
    hansen = tests.get("hansen")
    if hansen is not None and hansen.p >= TOO_GOOD:
        text = (
            f"Hansen's test has p = {hansen.p:.4f} with {count} instruments: too good to be a sign"
            " that they are valid (Roodman 2009)."
        )
        found.append(Caution("many_instruments", text, remedy))
    return found


def _uncovered(spec: Specification) -> list[Caution]:
    alone, outside = uncovered(spec)
    if not alone:
        return []
    by = f" and on {', '.join(outside)}" if outside else ""
    text = (
        f"No instrument is made of {', '.join(alone)}: what is known of it rests on the instruments"
        f" of other regressors{by}."
    )
    remedy = "Name it in iv if it is strictly exogenous, in gmm with its lags if it is not."
    return [Caution("uncovered", text, remedy)]


def _weak(strength: pd.Series) -> list[Caution]:
    short = strength[strength < WEAK_F]
    if short.empty:
        return []
    values = ", ".join(f"{value:.2f} of {name}" for name, value in short.items())
    text = (
        f"The instruments are weak: conditional first-stage F of the stacked equations {values}, "
        f"and below {WEAK_F} is too little for estimate and errors."
    )
    return [
        Caution(
            "weak_instruments",
            text,
            "Use fewer and nearer lags, a system, "
            "or instruments from outside; compare the within estimate.",
        )
    ]


def _left_out(stacked: Stacked, fitted: Estimate) -> list[Caution]:
    found = [
        Caution("omitted", f"{name} was left out: it {why}.")
        for name, why in stacked.dropped.items()
    ]
    collinear = int((~fitted.first.kept).sum())
    if collinear:
        found.append(Caution("omitted", f"collinear instruments, not counted: {collinear}."))
    second = fitted.second
    if second is not None and int(second.kept.sum()) < int(fitted.first.kept.sum()):
        text = (
            "The two-step covariance of the moments is singular and a generalised inverse is "
            "used; difference-in-Hansen may be negative."
        )
        found.append(Caution("singular_weighting", text, "Use fewer instruments."))
    return found


def _few(spec: Specification, units: int) -> tuple[Caution, ...]:
    if not spec.robust:
        return ()
    if spec.steps == 1:
        return few_clusters(units, spec.unit, remedy="Read results at a stricter level.")
    remedy = "Compare one step, and read results at a stricter level."
    return few_clusters(units, spec.unit, "and the second step's weights are poorly known", remedy)


def _no_value(tests: Mapping[str, Test]) -> list[Caution]:
    names = [
        test.name
        for key, test in tests.items()
        if np.isnan(test.statistic) and not key.startswith("excluding ")
    ]
    if not names:
        return []
    text = (
        f"No value could be given to {', '.join(names)}: no residuals that far apart, no"
        " restriction to test, or a variance that is not positive."
    )
    return [Caution("no_statistic", text, "Ask for fewer orders, or keep more periods.")]
