"""How much the instruments of a dynamic panel say about its regressors, and which regressors they
leave to the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimators.gmm.inverse import inverse_times
from analysis.estimators.gmm.specification import Specification
from analysis.estimators.gmm.steps import Equations

# A regressor that instruments explain but for this share is an instrument of itself.
NOTHING_LEFT = 1e-9


def first_stage(equations: Equations, zx: np.ndarray, names: tuple[str, ...]) -> pd.Series:
    """Conditional first-stage F (Sanderson and Windmeijer 2016) of each regressor that is not an
    instrument itself.

    Of the stacked equations as 2SLS would take them, with errors independent and of one variance: a
    measure of strength, not a test. With L instruments, K regressors and n used rows of all
    equations, F has L-K+1 and n-L degrees of freedom.

    Parameters
    ----------
    zx : (L, K) Z'X
    names : K labels

    Returns
    -------
    F by regressor
    """
    z, x = equations.z, equations.x
    solved, kept = inverse_times(z.weighting(np.eye(len(equations.h))), zx)
    explained = zx.T @ solved
    flat = x.reshape(len(x), -1)
    total = flat @ flat.T
    rows, width = int(equations.used.sum()), int(kept.sum())
    found = {}
    for k, name in enumerate(names):
        if total[k, k] - explained[k, k] <= NOTHING_LEFT * total[k, k]:
            continue
        others = np.delete(np.arange(len(names)), k)
        slope, _ = inverse_times(explained[np.ix_(others, others)], explained[others, k][:, None])
        contrast = np.zeros(len(names))
        contrast[k], contrast[others] = 1.0, -slope[:, 0]
        moved = float(contrast @ explained @ contrast)
        left = float(contrast @ total @ contrast) - moved
        df1, df2 = width - len(names) + 1, rows - width
        found[name] = moved / df1 / (left / df2) if df2 > 0 and left > 0 else float("nan")
    return pd.Series(found, dtype=float, name="first_stage_f")


def uncovered(spec: Specification) -> tuple[list[str], list[str]]:
    """Regressors that no instrument is made of, and columns among the instruments that no regressor
    is made of."""
    made_of = {term.column for _, terms, _ in (*spec.gmm, *spec.iv) for term in terms}
    own = {term.column for term in spec.regressors} | {spec.outcome}
    alone = [term.label for term in spec.regressors if term.column not in made_of]
    return alone, sorted(made_of - own)
