"""The headline of virtual_agglomeration_quality: a within estimate with effects of cities, headings
and years, clustered by city; as printed, clustered by city and heading.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.estimators.linear import fixed_effects
from analysis.report.recovery.core import Estimate, Panels

PANEL = "panel_virtual_agglomeration_quality"
TERM = "virtual_agglomeration_index"


def estimates(panels: Panels) -> dict[str, Estimate]:
    return {TERM: _within(panels, ["city_code"])}


def as_printed(panels: Panels) -> dict[str, Estimate]:
    frame = panels[PANEL]
    pair = frame["city_code"] + frame["hs4_code"]
    return {TERM: _within({PANEL: frame.assign(pair=pair)}, ["pair"])}


def _within(panels: Panels, clusters: Sequence[str]) -> Estimate:
    result = fixed_effects(
        panels[PANEL].dropna(subset=[TERM]),
        "quality_index",
        [TERM],
        effects=["city_code", "hs4_code", "year"],
        covariance={"cluster": list(clusters)},
    )
    return Estimate(float(result.coefficients[TERM]), float(result.standard_errors[TERM]))


BESIDE = {"as printed": as_printed}
