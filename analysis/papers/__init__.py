"""Papers as data: what each table is (paper.toml), what was printed (published.csv), their
estimation on a release, and a verdict a cell.

A folder a paper; code appears beside these files only where a paper does something that no other
does.
"""

from __future__ import annotations

from analysis.papers.declared import Paper
from analysis.papers.published import (
    CELL,
    FOLDER,
    PUBLISHED_COLUMNS,
    PaperError,
    nearest,
    read_lines,
    read_published,
)
from analysis.papers.release import Release
from analysis.papers.specification import load_paper, paper_names, read_paper

__all__ = [
    "CELL",
    "FOLDER",
    "PUBLISHED_COLUMNS",
    "Paper",
    "PaperError",
    "Release",
    "load_paper",
    "nearest",
    "paper_names",
    "read_lines",
    "read_paper",
    "read_published",
]
