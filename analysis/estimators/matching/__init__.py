"""Propensity-score matching: effects on the treated, weights for matched rows, balance."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.matching.model import match, matching_att
from analysis.estimators.matching.options import MatchOptions
from analysis.estimators.matching.result import Matching, MatchingResult
from analysis.estimators.matching.weights import TieError

__all__ = ["MatchOptions", "Matching", "MatchingResult", "TieError", "match", "matching_att"]

register("matching", match, matching_att)
