"""Spatial weights, autocorrelation, and systems of equations with spatial lags."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.spatial.equations import SpatialEquation
from analysis.estimators.spatial.moran import MoranResult, moran
from analysis.estimators.spatial.system import (
    SpatialSystemResult,
    generalised_spatial_three_stage,
    spatial_three_stage,
)
from analysis.estimators.spatial.tests import (
    ResidualMoran,
    Tests,
    residual_moran,
    spatial_dependence_tests,
)
from analysis.estimators.spatial.weights import SpatialWeights, spatial_weights

__all__ = [
    "MoranResult",
    "ResidualMoran",
    "SpatialEquation",
    "SpatialSystemResult",
    "SpatialWeights",
    "Tests",
    "generalised_spatial_three_stage",
    "moran",
    "residual_moran",
    "spatial_dependence_tests",
    "spatial_three_stage",
    "spatial_weights",
]

register(
    "spatial",
    generalised_spatial_three_stage,
    moran,
    residual_moran,
    spatial_dependence_tests,
    spatial_three_stage,
    spatial_weights,
)
