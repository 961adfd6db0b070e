"""Placebo by permutation of the treatment."""

from __future__ import annotations

from analysis.estimators.core.registry import register
from analysis.estimators.placebo.model import PlaceboResult, placebo

__all__ = ["PlaceboResult", "placebo"]

register("placebo", placebo)
