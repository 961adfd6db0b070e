"""Spatial weights, autocorrelation, and equations and systems with spatial lags."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.spatial.moran import MoranResult, moran
from analysis.estimators.spatial.single import (
    SpatialResult,
    spatial_error_moments,
    spatial_generalised_two_stage,
    spatial_maximum_likelihood,
    spatial_two_stage,
)
from analysis.estimators.spatial.system import SpatialEquation, SpatialSystemResult, generalised_spatial_three_stage, spatial_three_stage
from analysis.estimators.spatial.tests import residual_moran, spatial_dependence_tests
from analysis.estimators.spatial.weights import SpatialWeights, spatial_weights

__all__ = [
    "MoranResult",
    "SpatialEquation",
    "SpatialResult",
    "SpatialSystemResult",
    "SpatialWeights",
    "generalised_spatial_three_stage",
    "moran",
    "residual_moran",
    "spatial_dependence_tests",
    "spatial_error_moments",
    "spatial_generalised_two_stage",
    "spatial_maximum_likelihood",
    "spatial_three_stage",
    "spatial_two_stage",
    "spatial_weights",
]

register(
    "spatial",
    generalised_spatial_three_stage,
    moran,
    residual_moran,
    spatial_dependence_tests,
    spatial_error_moments,
    spatial_generalised_two_stage,
    spatial_maximum_likelihood,
    spatial_three_stage,
    spatial_two_stage,
    spatial_weights,
)
