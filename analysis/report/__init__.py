"""Printing: tables of papers with our estimates and the published numbers side by side."""

from __future__ import annotations

from analysis.report.statistics import StatisticsTable, compare_statistics
from analysis.report.tables import ComparisonTable, compare

__all__ = ["ComparisonTable", "StatisticsTable", "compare", "compare_statistics"]
