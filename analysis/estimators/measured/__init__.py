"""What analysis.measures computes, with the arguments and the result of every estimator: frontiers,
production functions, envelopment, Malmquist, weights of indices.
"""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.measured.envelopment import (
    EnvelopmentReport,
    MalmquistReport,
    envelopment,
    malmquist,
)
from analysis.estimators.measured.frontier import FrontierReport, stochastic_frontier
from analysis.estimators.measured.production import ProductionReport, production_function
from analysis.estimators.measured.weights import (
    WeightsReport,
    entropy_weights,
    principal_components,
)

__all__ = [
    "EnvelopmentReport",
    "FrontierReport",
    "MalmquistReport",
    "ProductionReport",
    "WeightsReport",
    "entropy_weights",
    "envelopment",
    "malmquist",
    "principal_components",
    "production_function",
    "stochastic_frontier",
]

register(
    "measured",
    entropy_weights,
    envelopment,
    malmquist,
    principal_components,
    production_function,
    stochastic_frontier,
)
