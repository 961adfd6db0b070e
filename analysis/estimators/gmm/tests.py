"""Tests after panel GMM: serial correlation, overidentification (whole and by group of
instruments), joint significance.

Conventions are those of xtabond2 (Roodman 2009, Stata Journal 9(1), sections 2.8, 3.5 and 4); where
its print of 2009 and gretl agree and later versions differ, see the options of dynamic_gmm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.estimators.core.result import Test
from analysis.estimators.gmm.inverse import inverse_times, rank
from analysis.estimators.gmm.steps import Estimate, minimise

LEVELS_GROUP = "GMM instruments for levels"
NO_TEST = float("nan")


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """What the Arellano-Bond test looks at: residuals w (T, N) of one equation and its regressors x
    (K, T, N), zero or NaN where missing.

    `error_h` (T, T) is the covariance of w, and `cross_h` (R, T) that of all rows' errors with w,
    that the first step assumes; they serve where errors are not robust. `used` (T, N) are that
    equation's rows in the estimate.
    """

    w: np.ndarray
    x: np.ndarray
    used: np.ndarray
    error_h: np.ndarray
    cross_h: np.ndarray


def autocorrelation(
    estimate: Estimate, about: Autocorrelation, order: int, sigma2: float | None
) -> Test:
    """Arellano-Bond z test that residuals are not correlated with those `order` periods before
    (Arellano and Bond 1991, equation 8).

    `sigma2` is given where the first step's error covariance is taken at its word; None makes the
    test robust.
    """
    z, final = estimate.equations.z, estimate.final
    present = ~np.isnan(about.w)
    w = np.where(present, about.w, 0.0)
    lagged = np.zeros_like(w)
    lagged[order:] = w[:-order]
    products = np.einsum("tn,tn->n", w, lagged)
    name = f"AR({order})"
    null = f"no serial correlation of order {order}"
    if not products.any():
        return Test(name, NO_TEST, None, NO_TEST, null=null)
    x = np.where(np.isnan(about.x).any(axis=0), 0.0, about.x)
    xw = np.einsum("ktn,tn->k", x, lagged)
    if sigma2 is None:
        own = float(products @ products)
        zhw = z.moments(final.errors) @ products
    else:
        masked = lagged * about.used
        own = sigma2 * float(np.vdot(masked, about.error_h @ masked))
        zhw = sigma2 * z.cross((about.cross_h @ masked)[None])[:, 0]
    # In units where the weighting matrix is the moments' covariance, sigma2 cancels between A and
    # the bread of one step.
    bridge = final.bread @ (final.a_zx.T @ zhw)
    variance = own - 2 * xw @ bridge + xw @ estimate.covariance @ xw
    statistic = float(products.sum() / np.sqrt(variance)) if variance > 0 else NO_TEST
    return Test(name, statistic, None, float(2 * stats.norm.sf(abs(statistic))), null=null)


def overidentification(estimate: Estimate) -> dict[str, Test]:
    """Sargan (always) and Hansen (unless one step with conventional errors) tests of all
    instruments together."""
    first, k = estimate.first, len(estimate.first.b)
    df = int(first.kept.sum()) - k
    sargan = first.statistic / estimate.sigma2_first
    null = "all instruments are exogenous"
    out = {"sargan": chi2_test("Sargan", sargan, df, f"{null}, errors are homoskedastic")}
    if estimate.second is not None:
        out["hansen"] = chi2_test("Hansen", estimate.second.statistic, df, null)
    return out


def chi2_test(name: str, statistic: float, df: int, null: str) -> Test:
    """A chi-squared test; without degrees of freedom there is no p."""
    return Test(
        name, statistic, df, float(stats.chi2.sf(statistic, df)) if df > 0 else NO_TEST, null=null
    )


def difference_tests(estimate: Estimate, whole: Test) -> dict[str, tuple[Test, Test]]:
    """Difference-in-Hansen (or Sargan) test of each group of instruments.

    The statistic without the group comes from a new estimate with the same moments' covariance less
    the group's rows, so that the difference cannot be negative while that matrix has full rank. A
    group has no test where the other instruments are fewer than the regressors or leave one
    unidentified. Its degrees of freedom are the rank that the first step's weighting matrix loses
    without it.

    Returns
    -------
    tests : by group: the test of the other instruments alone, and the group's own
    """
    columns = estimate.equations.z.columns
    labels = list(dict.fromkeys(column.group for column in columns if column.is_tested))
    members = {label: np.array([column.group == label for column in columns]) for label in labels}
    level_gmm = np.array([column.is_level_gmm for column in columns])
    if level_gmm.any():
        members = {LEVELS_GROUP: level_gmm} | members
    k, total = len(estimate.first.b), int(estimate.first.kept.sum())
    found: dict[str, tuple[Test, Test]] = {}
    for label, inside in members.items():
        rest_of = np.flatnonzero(~inside)
        others = rank(estimate.s_first[np.ix_(rest_of, rest_of)]) if len(rest_of) else 0
        statistic = _statistic_of(estimate, rest_of) if k <= others < total else None
        if statistic is None or whole.df is None:
            continue
        df = total - others
        rest, own = "the other instruments are exogenous", f"{label}: exogenous"
        without = chi2_test(f"{whole.name} without {label}", statistic, int(whole.df) - df, rest)
        gap = whole.statistic - statistic
        found[label] = without, chi2_test(f"Difference-in-{whole.name} {label}", gap, df, own)
    return found


def _statistic_of(estimate: Estimate, part: np.ndarray) -> float | None:
    """Sargan or Hansen statistic of some instruments alone; None if they leave a regressor
    unidentified."""
    found = minimise(
        estimate.s[np.ix_(part, part)],
        estimate.zx[part],
        estimate.zy[part],
        estimate.equations.inverse,
    )
    return float(found.ze @ found.a_ze) if found.identified.all() else None


def wald(
    name: str, b: np.ndarray, covariance: np.ndarray, df: int, df2: float | None, null: str
) -> Test:
    """Chi-squared test that the coefficients (K,) are all zero, or F with df2 degrees of freedom
    below."""
    weighed, _ = inverse_times(covariance, b[:, None])
    statistic = float(b @ weighed[:, 0])
    if df <= 0:
        return Test(name, NO_TEST, df, NO_TEST, df2, null)
    if df2 is None:
        return Test(name, statistic, df, float(stats.chi2.sf(statistic, df)), null=null)
    return Test(name, statistic / df, df, float(stats.f.sf(statistic / df, df, df2)), df2, null)
