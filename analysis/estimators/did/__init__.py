"""Differences in differences: two-way, event studies, group-time, imputed, bounded, matched."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.did.aggregate import AggregateEffects, aggregate_effects
from analysis.estimators.did.bacon import BaconDecomposition, bacon_decomposition
from analysis.estimators.did.callaway import GroupTimeEffects, callaway_santanna
from analysis.estimators.did.honest import HonestBounds, honest_bounds
from analysis.estimators.did.imputation import ImputationResult, imputation
from analysis.estimators.did.psm import PsmDidResult, psm_did
from analysis.estimators.did.sun_abraham import SunAbrahamResult, sun_abraham
from analysis.estimators.did.twoway import (
    DidResult,
    EventStudyResult,
    difference_in_differences,
    event_study,
    treated_by_period,
)

__all__ = [
    "AggregateEffects",
    "BaconDecomposition",
    "DidResult",
    "EventStudyResult",
    "GroupTimeEffects",
    "HonestBounds",
    "ImputationResult",
    "PsmDidResult",
    "SunAbrahamResult",
    "aggregate_effects",
    "bacon_decomposition",
    "callaway_santanna",
    "difference_in_differences",
    "event_study",
    "honest_bounds",
    "imputation",
    "psm_did",
    "sun_abraham",
    "treated_by_period",
]

register(
    "did",
    aggregate_effects,
    bacon_decomposition,
    callaway_santanna,
    difference_in_differences,
    event_study,
    honest_bounds,
    imputation,
    psm_did,
    sun_abraham,
    treated_by_period,
)
