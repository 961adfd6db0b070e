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
from analysis.estimators.linear.power import minimum_detectable_effects
from analysis.estimators.linear.wild import WildBootstrap, wild_bootstrap

__all__ = [
    "FixedEffectsResult",
    "GroupComparison",
    "LinearResult",
    "MediationResult",
    "PanelResult",
    "WildBootstrap",
    "breusch_pagan",
    "compare_groups",
    "effects_f_test",
    "fixed_effects",
    "hausman_random",
    "largest_difference",
    "linear_regression",
    "mediation",
    "minimum_detectable_effects",
    "moderation",
    "panel_ols_slopes",
    "panel_regression",
    "quadratic",
    "wild_bootstrap",
]

register(
    "linear",
    minimum_detectable_effects,
    wild_bootstrap,
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
