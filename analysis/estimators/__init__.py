"""Estimators: each takes a frame and column names and returns a frozen result that says what it did."""

from __future__ import annotations

from analysis.estimators.fixed_effects import FixedEffectsResult, fixed_effects

__all__ = ["FixedEffectsResult", "fixed_effects"]
