"""The joint test of several effects, as the tests of pre-trends are."""

from __future__ import annotations

import numpy as np
from scipy import linalg, stats

from analysis.estimators.core.result import Test

# Eigenvalues of a tested covariance below this share of the largest are taken for zero: the
# restriction is then implied by the others.
RANK_TOLERANCE = 1e-10


def wald(
    name: str, estimate: np.ndarray, covariance: np.ndarray, df2: float | None, null: str
) -> Test:
    """Joint test that all estimates are zero: chi-squared with df = rank, F where df2 is given.

    Restrictions that are implied by others (a singular covariance) are not counted; F is the
    chi-squared over the rank. Without an estimate there is no statistic: it is missing.
    """
    values, vectors = linalg.eigh(covariance) if len(estimate) else (np.zeros(0), covariance)
    used = values > RANK_TOLERANCE * values.max(initial=0.0)
    q = int(used.sum())
    if not q:
        return Test(name, float("nan"), 0.0, float("nan"), df2, null)
    projected = vectors[:, used].T @ estimate
    statistic = float((projected**2 / values[used]).sum())
    if df2 is None:
        return Test(name, statistic, float(q), float(stats.chi2.sf(statistic, q)), None, null)
    return Test(name, statistic / q, float(q), float(stats.f.sf(statistic / q, q, df2)), df2, null)
