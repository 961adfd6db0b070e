"""The headlines of agglomeration_resilience by generalised spatial 3SLS.

Each equation has the controls that it has in truth, so that each has excluded instruments (with the
same nine controls in both, as printed, neither is identified but through W X), instruments are X
and W X, and cities without a neighbour, whose lag the panel does not know, are left out.
"""

from __future__ import annotations

import pandas as pd

from analysis.estimators import generalised_spatial_three_stage, spatial_weights
from analysis.estimators.spatial.system import SpatialSystemResult
from analysis.report.recovery.core import Estimate, Panels

PANEL, WEIGHTS = "panel_agglomeration_resilience", "int_spatial__contiguity"
ER = "common_rate_resilience_index"
MIXES = {"t2": "industry_specialisation_index", "t3": "industry_diversity_index"}
ON_RESILIENCE = (
    "fiscal_expenditure_share",
    "ln_gdp_per_head",
    "fdi_share",
    "ln_invention_applications_per_10000",
    "fixed_investment_share",
)
ON_MIX = (
    "ln_students_per_10000",
    "ln_road_area_per_head",
    "ln_population_density",
    "ln_retail_sales",
    "has_railway_1933",
    "population_density_1984",
)


def estimates(panels: Panels) -> dict[str, Estimate]:
    """Both systems."""
    return _both(panels, is_printed=False)


def as_printed(panels: Panels) -> dict[str, Estimate]:
    """Both systems as the paper's tables have them: all nine controls in both equations, no
    history, W2X among the instruments, cities without neighbours kept with lags of zero.
    """
    return _both(panels, is_printed=True)


BESIDE = {"as printed": as_printed}


def _both(panels: Panels, is_printed: bool) -> dict[str, Estimate]:
    found = {}
    for table, mix in MIXES.items():
        result = system(panels, mix, is_printed)
        for outcome, term in (
            (ER, f"w_{ER}"), (ER, mix), (ER, f"w_{mix}"),
            (mix, f"w_{mix}"), (mix, ER), (mix, f"w_{ER}"),
        ):  # fmt: skip
            at = f"{'er' if outcome == ER else 'mix'}_{term}"
            found[f"{table}_{term}_on_{outcome}"] = Estimate(
                float(result.coefficients[at]), float(result.standard_errors[at])
            )
    return found


def system(panels: Panels, mix: str, is_printed: bool = False) -> SpatialSystemResult:
    """One system of the paper."""
    frame, pairs = panels[PANEL], panels[WEIGHTS]
    frame = frame.assign(has_railway_1933=frame["has_railway_1933"].astype(float))
    known = pairs["city_code"].isin(frame["city_code"]) & pairs["neighbour_code"].isin(
        frame["city_code"]
    )
    weights = spatial_weights(
        _square(pairs[known], sorted(frame["city_code"])),
        islands="keep" if is_printed else "drop",
    )
    nine = [*ON_RESILIENCE, *ON_MIX[:4]]
    equations = {
        "er": (ER, nine if is_printed else list(ON_RESILIENCE)),
        "mix": (mix, nine if is_printed else list(ON_MIX)),
    }
    return generalised_spatial_three_stage(
        frame,
        equations,
        weights,
        orders=2 if is_printed else 1,
        residual_covariance="none" if is_printed else "geomean",
    )


def _square(pairs: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    wide = pairs.pivot(index="city_code", columns="neighbour_code", values="weight")
    return wide.reindex(index=codes, columns=codes).fillna(0.0)
