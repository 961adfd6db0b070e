"""Printing: tables of papers with our estimates and the published numbers side by side."""

from __future__ import annotations

from analysis.report.tables import ComparisonTable, compare

__all__ = ["ComparisonTable", "compare"]
