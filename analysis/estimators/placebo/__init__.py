"""Placebo by permutation of the treatment."""

from __future__ import annotations

from analysis.estimators.placebo.model import PlaceboResult, placebo

__all__ = ["PlaceboResult", "placebo"]
