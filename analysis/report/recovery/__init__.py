"""Whether estimators find what was put into the simulated world: truths beside estimates.

A module a paper (or two) says with which of the project's estimators each headline of truth.json is
estimated. `python -m analysis.report.recovery` prints the table of a release, and of many worlds.
"""

from analysis.report.recovery.core import Estimate, compare_with_truth

__all__ = ["Estimate", "compare_with_truth"]
