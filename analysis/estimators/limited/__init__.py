"""Outcomes that are yes or no, cut off, or seen for some rows only."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.limited.binary import BinaryChoiceResult, binary_choice
from analysis.estimators.limited.binary_fit import SeparationError
from analysis.estimators.limited.heckman import HeckmanResult, heckman
from analysis.estimators.limited.tobit import TobitResult, tobit

__all__ = [
    "BinaryChoiceResult",
    "HeckmanResult",
    "SeparationError",
    "TobitResult",
    "binary_choice",
    "heckman",
    "tobit",
]

register("limited", binary_choice, heckman, tobit)
