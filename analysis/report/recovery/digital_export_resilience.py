"""The headlines of digital_export_resilience: within estimates with effects of cities and years,
clustered by city. Zones stand beside the digital economy: it grows faster where they are, so that
one without the other takes part of the other's effect, as `as_printed` shows.

The efficiency that the panel has is the expectation of exp(-u) given all that sets a city apart. Of
that, effects of cities take away what lasts, so that within cities it moves less than exp(-u) does
and its coefficient is too large by the slope of the one on the other.
"""

from __future__ import annotations

import math

from analysis.estimators.linear import fixed_effects, wild_bootstrap
from analysis.report.recovery.core import Estimate, Panels
from warehouse.simulate.model import growth

PANEL = "panel_digital_export_resilience"
OUTCOME, DIGITAL, ZONE = "export_resilience_index", "digital_economy_index", "big_data_did"
EFFICIENCY = "innovation_allocation_sfa_index"
DRAWS = 999


def estimates(panels: Panels) -> dict[str, Estimate]:
    """The digital economy, alone and beside efficiency; efficiency; zones."""
    whole = _within(panels, DIGITAL, ZONE)
    beside = _within(panels, DIGITAL, EFFICIENCY, ZONE)
    return {
        DIGITAL: whole[DIGITAL],
        f"{DIGITAL}.direct": beside[DIGITAL],
        EFFICIENCY: beside[EFFICIENCY],
        ZONE: whole[ZONE],
    }


def as_printed(panels: Panels) -> dict[str, Estimate]:
    """Tables 3, 8 and 6: the digital economy without zones, zones without the digital economy."""
    beside = _within(panels, DIGITAL, EFFICIENCY)
    return {
        DIGITAL: _within(panels, DIGITAL)[DIGITAL],
        f"{DIGITAL}.direct": beside[DIGITAL],
        EFFICIENCY: beside[EFFICIENCY],
        ZONE: _within(panels, ZONE)[ZONE],
    }


def by_signs(panels: Panels) -> dict[str, Estimate]:
    """The digital economy by the wild cluster bootstrap: a few of 283 cities decide its
    coefficient, for which errors by city are too small (`lopsided_clusters` says so).
    """
    found = {}
    for name, beside in ((DIGITAL, []), (f"{DIGITAL}.direct", [EFFICIENCY])):
        result = wild_bootstrap(
            panels[PANEL],
            OUTCOME,
            DIGITAL,
            [*beside, ZONE, *growth.CONTROLS],
            covariance={"cluster": ["city_code"]},
            draws=DRAWS,
        )
        found[name] = Estimate(result.coefficient, math.nan, result.p)
    return found


def _within(panels: Panels, *terms: str) -> dict[str, Estimate]:
    result = fixed_effects(
        panels[PANEL],
        OUTCOME,
        [*terms, *growth.CONTROLS],
        effects=["city_code", "year"],
        covariance={"cluster": ["city_code"]},
    )
    return {
        term: Estimate(float(result.coefficients[term]), float(result.standard_errors[term]))
        for term in terms
    }


BESIDE = {"as printed": as_printed, "wild bootstrap": by_signs}
