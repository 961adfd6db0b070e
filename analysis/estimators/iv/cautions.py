"""What a reader of an instrumented equation must not overlook: weak or many instruments, few
clusters, what has no value."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.estimators.core.clusters import few_clusters
from analysis.estimators.core.columns import rows
from analysis.estimators.core.result import Caution, Test
from analysis.estimators.core.strength import WEAK_F
from analysis.estimators.iv.equation import Model

# Excluded instruments in a hundred rows from which 2SLS leans towards least squares notably (Bekker
# 1994).
MANY = 0.1
# An eigenvalue of a covariance scaled to a unit diagonal below this is more than rounding.
TOO_NEGATIVE = -1e-10


def cautions(
    model: Model,
    covariance: pd.DataFrame,
    tests: Mapping[str, Test],
    first_stage: pd.DataFrame,
    critical_values: pd.Series,
) -> tuple[Caution, ...]:
    """All of them, in the order of what they touch: the estimate, its errors, its tests."""
    return (
        *_weak(model, tests, first_stage, critical_values),
        *_many(model),
        *_clusters(model, covariance),
        *_no_value(tests),
    )


def _weak(
    model: Model, tests: Mapping[str, Test], first_stage: pd.DataFrame, critical_values: pd.Series
) -> list[Caution]:
    """By Stock and Yogo's value for a 5 % test of size 10 % at most, where there is one for the
    errors, else by the rule of thumb."""
    names = [str(name) for name in critical_values.index if str(name).endswith("size_10")]
    strength = "; ".join(_strength(name, column) for name, column in first_stage.items())
    if model.errors.kind == "iid" and names:
        found, needed = tests["cragg_donald_f"].statistic, float(critical_values[names[0]])
        short = found < needed
        why = (
            f"the Cragg-Donald F is {found:.2f}, and from {needed:g} on a 5 % test rejects a true"
            " null in at most 10 % of samples (Stock and Yogo 2005)"
        )
    else:
        short = bool((first_stage.loc["sw_f"] < WEAK_F).any())
        why = f"an F below {WEAK_F} is too little for estimate and errors (Staiger and Stock 1997)"
    if not short:
        return []
    several = ", given the other endogenous regressors" if len(model.names_x1) > 1 else ""
    text = f"The instruments are weak: first-stage {strength}{several}; {why}."
    own = "test and set" if len(model.names_x1) == 1 else "test"
    return [
        Caution(
            "weak_instruments",
            text,
            f"Read the Anderson-Rubin {own}, right however weak they are, and compare with LIML.",
        )
    ]


def _strength(name: object, column: pd.Series) -> str:
    return f"F({column['sw_f_df1']:g}, {column['sw_f_df2']:,.0f}) of {name} = {column['sw_f']:.2f}"


def _many(model: Model) -> list[Caution]:
    found = []
    if model.l1 > model.x1.shape[1] and model.l1 >= MANY * model.n:
        text = (
            f"{model.l1} excluded instruments for {rows(int(model.n))} are many: 2SLS and GMM lean"
            " towards least squares, and the errors of LIML are too small (Bekker 1994)."
        )
        found.append(Caution("many_instruments", text, "Use fewer instruments."))
    width = model.z.shape[1]
    if model.errors.kind == "cluster" and width >= model.errors.clusters:
        text = (
            f"{width} instruments (controls among them) are no fewer than {model.errors.clusters}"
            " clusters: tests of all of them rest on no covariance."
        )
        found.append(
            Caution(
                "many_instruments",
                text,
                "Use fewer instruments and controls, or cluster by something finer.",
            )
        )
    return found


def _clusters(model: Model, covariance: pd.DataFrame) -> list[Caution]:
    if model.errors.kind != "cluster":
        return []
    remedy = "Cluster by something finer, or read results at a stricter level."
    found = list(few_clusters(model.errors.clusters, remedy=remedy))
    size = np.sqrt(np.abs(np.diag(covariance)))
    scaled = covariance.to_numpy() / np.outer(size, size)
    if model.errors.crossed is not None and np.linalg.eigvalsh(scaled)[0] < TOO_NEGATIVE:
        none = [
            str(term)
            for term, value in zip(covariance.index, np.diag(covariance), strict=True)
            if value < 0
        ]
        lost = f", and {', '.join(none)} has no standard error" if none else ""
        text = (
            "The two-way covariance is not positive semidefinite: joint tests are not to be"
            f" trusted{lost}."
        )
        found.append(
            Caution("not_semidefinite", text, "Compare with clusters by either column alone.")
        )
    return found


def _no_value(tests: Mapping[str, Test]) -> list[Caution]:
    names = [test.name for test in tests.values() if np.isnan(test.statistic)]
    if not names:
        return []
    text = (
        f"No value could be given to {', '.join(names)}: the covariance has no inverse, as with no"
        " more clusters than columns tested."
    )
    return [Caution("no_statistic", text, "Cluster by something finer, or use fewer instruments.")]
