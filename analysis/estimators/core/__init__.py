"""What every family rests on: rows and columns checked, effects absorbed, sums by cluster, one result."""

from __future__ import annotations

from analysis.estimators.core.outliers import Clipped, percentile, trim, winsorise
from analysis.estimators.core.result import Result, Test

__all__ = ["Clipped", "Result", "Test", "percentile", "trim", "winsorise"]
