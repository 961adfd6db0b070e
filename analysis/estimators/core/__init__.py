"""What every family rests on: rows and columns checked, effects absorbed, sums by cluster, one
grammar, one result.
"""

from __future__ import annotations

from analysis.estimators.core.options import CovarianceOption, Where
from analysis.estimators.core.outliers import Clipped, percentile, trim, winsorise
from analysis.estimators.core.registry import Entry, Option, entry, estimate, registered
from analysis.estimators.core.result import Caution, Report, Result, Test

__all__ = [
    "Caution",
    "Clipped",
    "CovarianceOption",
    "Entry",
    "Option",
    "Report",
    "Result",
    "Test",
    "Where",
    "entry",
    "estimate",
    "percentile",
    "registered",
    "trim",
    "winsorise",
]
