"""Least squares: fixed effects, ordinary and panel regressions, and what is built from their
coefficients.
"""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.linear.comparison import GroupComparison, compare_groups
from analysis.estimators.linear.cross_check import largest_difference, panel_ols_slopes
from analysis.estimators.linear.curvature import moderation, quadratic
from analysis.estimators.linear.fixed_effects import FixedEffectsResult, fixed_effects
from analysis.estimators.linear.mediation import MediationResult, mediation
from analysis.estimators.linear.ols import LinearResult, linear_regression
from analysis.estimators.linear.panel import PanelResult, panel_regression
from analysis.estimators.linear.panel_tests import breusch_pagan, effects_f_test, hausman_random

__all__ = [
    "FixedEffectsResult",
    "GroupComparison",
    "LinearResult",
    "MediationResult",
    "PanelResult",
    "breusch_pagan",
    "compare_groups",
    "effects_f_test",
    "fixed_effects",
    "hausman_random",
    "largest_difference",
    "linear_regression",
    "mediation",
    "moderation",
    "panel_ols_slopes",
    "panel_regression",
    "quadratic",
]

register(
    "linear",
    breusch_pagan,
    compare_groups,
    effects_f_test,
    fixed_effects,
    hausman_random,
    largest_difference,
    linear_regression,
    mediation,
    moderation,
    panel_ols_slopes,
    panel_regression,
    quadratic,
)
