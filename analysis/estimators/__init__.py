"""Estimators: each takes a frame and column names and returns a frozen result that says what it did.

from analysis.estimators import fixed_effects, dynamic_gmm, instrumental_variables, callaway_santanna
"""

from __future__ import annotations

from analysis.estimators.binary_choice import BinaryChoiceResult, SeparationError, binary_choice
from analysis.estimators.curvature import moderation, quadratic
from analysis.estimators.did import DidResult, EventStudyResult, difference_in_differences, event_study, treated_by_period
from analysis.estimators.did_aggregate import AggregateEffects, aggregate_effects
from analysis.estimators.did_bacon import BaconDecomposition, bacon_decomposition
from analysis.estimators.did_callaway import GroupTimeEffects, callaway_santanna
from analysis.estimators.did_honest import HonestBounds, honest_bounds
from analysis.estimators.did_imputation import ImputationResult, imputation
from analysis.estimators.did_sun_abraham import SunAbrahamResult, sun_abraham
from analysis.estimators.dynamic_gmm import GMM, IV, DynamicGMMResult, Lag, Term, dynamic_gmm
from analysis.estimators.fixed_effects import FixedEffectsResult, fixed_effects
from analysis.estimators.group_comparison import GroupComparison, compare_groups
from analysis.estimators.instrumental import InstrumentalResult, instrumental_variables
from analysis.estimators.limited import HeckmanResult, TobitResult, heckman, tobit
from analysis.estimators.linear import linear_regression
from analysis.estimators.matching import Matching, MatchingResult, match, matching_att
from analysis.estimators.matching_options import MatchOptions
from analysis.estimators.matching_weights import TieError
from analysis.estimators.mediation import MediationResult, mediation
from analysis.estimators.moran import MoranResult, moran
from analysis.estimators.outliers import Clipped, percentile, trim, winsorise
from analysis.estimators.panel_ols import largest_difference, panel_ols_slopes
from analysis.estimators.panel_tests import breusch_pagan, effects_f_test, hausman_random
from analysis.estimators.panels import PanelResult, panel_regression
from analysis.estimators.placebo import PlaceboResult, placebo
from analysis.estimators.psm_did import PsmDidResult, psm_did
from analysis.estimators.results import Result, Test
from analysis.estimators.spatial_regression import (
    SpatialResult,
    spatial_error_moments,
    spatial_generalised_two_stage,
    spatial_maximum_likelihood,
    spatial_two_stage,
)
from analysis.estimators.spatial_systems import SpatialEquation, SpatialSystemResult, generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial_tests import residual_moran, spatial_dependence_tests
from analysis.estimators.spatial_weights import SpatialWeights, spatial_weights
from analysis.estimators.systems import Equation, SystemResult, equation_system, hausman_systems

__all__ = [
    "GMM",
    "IV",
    "AggregateEffects",
    "BaconDecomposition",
    "BinaryChoiceResult",
    "Clipped",
    "DidResult",
    "DynamicGMMResult",
    "Equation",
    "EventStudyResult",
    "FixedEffectsResult",
    "GroupComparison",
    "GroupTimeEffects",
    "HeckmanResult",
    "HonestBounds",
    "ImputationResult",
    "InstrumentalResult",
    "Lag",
    "MatchOptions",
    "Matching",
    "MatchingResult",
    "MediationResult",
    "MoranResult",
    "PanelResult",
    "PlaceboResult",
    "PsmDidResult",
    "Result",
    "SeparationError",
    "SpatialEquation",
    "SpatialResult",
    "SpatialSystemResult",
    "SpatialWeights",
    "SunAbrahamResult",
    "SystemResult",
    "Term",
    "Test",
    "TieError",
    "TobitResult",
    "aggregate_effects",
    "bacon_decomposition",
    "binary_choice",
    "breusch_pagan",
    "callaway_santanna",
    "compare_groups",
    "difference_in_differences",
    "dynamic_gmm",
    "effects_f_test",
    "equation_system",
    "event_study",
    "fixed_effects",
    "generalised_spatial_three_stage",
    "hausman_random",
    "hausman_systems",
    "heckman",
    "honest_bounds",
    "imputation",
    "instrumental_variables",
    "largest_difference",
    "linear_regression",
    "match",
    "matching_att",
    "mediation",
    "moderation",
    "moran",
    "panel_ols_slopes",
    "panel_regression",
    "percentile",
    "placebo",
    "psm_did",
    "quadratic",
    "residual_moran",
    "spatial_dependence_tests",
    "spatial_error_moments",
    "spatial_generalised_two_stage",
    "spatial_maximum_likelihood",
    "spatial_three_stage",
    "spatial_two_stage",
    "spatial_weights",
    "sun_abraham",
    "tobit",
    "treated_by_period",
    "trim",
    "winsorise",
]
