"""Difference and system GMM for dynamic panels."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.gmm.model import dynamic_gmm
from analysis.estimators.gmm.result import DynamicGMMResult
from analysis.estimators.gmm.specs import GMM, IV
from analysis.estimators.gmm.terms import Lag, Term

__all__ = ["GMM", "IV", "DynamicGMMResult", "Lag", "Term", "dynamic_gmm"]

register("gmm", dynamic_gmm)
