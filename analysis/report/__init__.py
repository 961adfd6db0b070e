"""Printing: tables of papers with our estimates and the published numbers side by side, figures,
and what the published numbers say against themselves.
"""

from __future__ import annotations

from analysis.report.formats import CELLS, FORMATS, PAGES
from analysis.report.layout import Page, counted, page_of
from analysis.report.statistics import StatisticsTable, compare_statistics

__all__ = [
    "CELLS",
    "FORMATS",
    "PAGES",
    "Page",
    "StatisticsTable",
    "compare_statistics",
    "counted",
    "page_of",
]
