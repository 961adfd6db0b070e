"""The headlines of ecommerce_resilience: two-way fixed effects, mediation, and effects by year
since approval by imputation, whose controls may move over time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.estimators import (
    aggregate_effects,
    callaway_santanna,
    event_study,
    fixed_effects,
    imputation,
    mediation,
)
from analysis.report.recovery.core import Estimate, Panels

PANEL = "panel_ecommerce_resilience"
OUTCOME, ZONE, COHORT = "resilience_index", "zone_did", "ecommerce_zone_cohort"
CONTROLS = ["agglomeration", "openness_share", "fdi_share", "science_share", "ln_fdi"]
MEDIATORS = {
    "digital": "digital_level_scaled_index",
    "innovation": "ln_innovation_index",
    "employment": "tertiary_employment_share",
}
EFFECTS, CLUSTERS = ["city_code", "year"], {"cluster": ["city_code"]}
OPTIONS = {"effects": EFFECTS, "covariance": CLUSTERS}
# Later years since approval are those of one cohort of a dozen cities.
FURTHEST_YEAR = 3


def estimates(panels: Panels) -> dict[str, Estimate]:
    """All headlines of the paper."""
    frame = panels[PANEL]
    found = {"t4_zone": _two_way(frame)}
    is_large = frame["is_large_city"].astype(bool)
    for name, rows in (("large", is_large), ("other", ~is_large)):
        found[f"t7_zone_{name}_cities"] = _two_way(frame[rows])
    for name, column in MEDIATORS.items():
        result = mediation(
            frame, OUTCOME, ZONE, column, CONTROLS, estimator="fixed_effects", options=OPTIONS
        )
        effects: Any = result.effects
        found[f"t6_{name}"] = Estimate(
            *(float(effects.loc["a", key]) for key in ("effect", "standard_error"))
        )
        for kind in ("indirect", "direct"):
            found[f"t6_{name}_{kind}"] = Estimate(
                *(float(effects.loc[kind, key]) for key in ("effect", "standard_error"))
            )
    return found | _by_year_since(frame)


def as_printed(panels: Panels) -> dict[str, Estimate]:
    """Table 7 with errors that take every city-year for a draw of its own, as its t of 20.786
    beside table 4's 4.812 suggest, and table 4 with the same.
    """
    frame, large = panels[PANEL], panels[PANEL]["is_large_city"].astype(bool)
    return {
        "t4_zone": _two_way(frame, "iid"),
        "t7_zone_large_cities": _two_way(frame[large], "iid"),
        "t7_zone_other_cities": _two_way(frame[~large], "iid"),
    }


def by_callaway_santanna(panels: Panels) -> dict[str, Estimate]:
    """Effects by year since approval without controls, whose changes these estimators cannot hold
    constant.
    """
    frame = _of_several_cities(panels[PANEL])
    cells = callaway_santanna(frame, OUTCOME, "city_code", "year", COHORT)
    result = aggregate_effects(cells, "dynamic", min_e=0, max_e=FURTHEST_YEAR)
    return {
        f"f1_zone_by_year_since[{int(row.value)}]": Estimate(row.att, row.standard_error)
        for row in _rows(result.estimates)
    }


def by_event_study(panels: Panels) -> dict[str, Estimate]:
    """Figure 1 as it is printed: dummies of years since approval in one regression, the controls
    and all cohorts together.
    """
    frame = _of_several_cities(panels[PANEL])
    result = event_study(
        frame, OUTCOME, "city_code", "year", COHORT, CONTROLS, first=-4, last=4,
        covariance=CLUSTERS,
    )  # fmt: skip
    return {
        f"f1_zone_by_year_since[{since}]": Estimate(
            float(result.coefficients[term]), float(result.standard_errors[term])
        )
        for term in result.coefficients.index
        for since in range(FURTHEST_YEAR + 1)
        if term == f"e={since}"
    }


def _rows(estimates: pd.DataFrame) -> Iterator[Any]:
    """Rows by name of column: value, att, standard_error."""
    return iter(estimates.itertuples())


def _of_several_cities(frame: pd.DataFrame) -> pd.DataFrame:
    """Cohorts of one city are left out: their own effect is all there is to compare it with."""
    return frame[frame.groupby(COHORT)["city_code"].transform("nunique") > 1]


BESIDE = {
    "as printed": as_printed,
    "event_study": by_event_study,
    "callaway_santanna": by_callaway_santanna,
}


def _two_way(frame: pd.DataFrame, covariance: Any = CLUSTERS) -> Estimate:
    result = fixed_effects(
        frame, OUTCOME, [ZONE, *CONTROLS], effects=EFFECTS, covariance=covariance
    )
    return Estimate(float(result.coefficients[ZONE]), float(result.standard_errors[ZONE]))


def _by_year_since(frame: pd.DataFrame) -> dict[str, Estimate]:
    """Cohorts of one city are left out: their own effect is all there is to compare it with."""
    cities_n = frame.groupby(COHORT)["city_code"].transform("nunique")
    result = imputation(
        frame[cities_n > 1], OUTCOME, "city_code", "year", COHORT, CONTROLS,
        leads=0, leave_one_out=True,
    )  # fmt: skip
    found = {
        f"f1_zone_by_year_since[{int(row.value)}]": Estimate(row.att, row.standard_error)
        for row in _rows(result.estimates)
        if row.value <= FURTHEST_YEAR
    }
    overall = result.coefficients["overall"], result.standard_errors["overall"]
    return {"f1_zone_on_the_treated": Estimate(*(float(part) for part in overall)), **found}
