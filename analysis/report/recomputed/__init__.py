"""A column of each estimator recomputed by another program, and the table of differences: every
coefficient, standard error, N and R2 that both have.

statsmodels: OLS with dummies for effects, probit and logit. linearmodels: IV2SLS on columns whose
effects statsmodels has taken out, PanelOLS, IV3SLS with spatial lags made here by a matrix, IVGMM
on a dynamic panel stacked anew (`dynamic`); staggered effects a cell at a time, by dummies or
imputed (`staggered`). What none of them has (generalised spatial systems, permutation) is compared
with gretl's, R's and Stata's printed numbers in tests/estimators, and is named.
"""

from __future__ import annotations

from analysis.report.recomputed.compare import OTHERS, Difference, differences, uncovered

__all__ = ["OTHERS", "Difference", "differences", "uncovered"]
