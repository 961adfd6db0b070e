"""The headlines of agglomeration_exports: two-step system GMM with Windmeijer's errors. The lag and
the core variables are endogenous, instrumented by their second and third lags (collapsed), controls
by themselves, with effects of years.
"""

from __future__ import annotations

import pandas as pd

from analysis.estimators.gmm import GMM, IV, dynamic_gmm
from analysis.estimators.linear import fixed_effects
from analysis.report.recovery.core import Estimate, Panels
from warehouse.simulate.model import exports

PANEL = "panel_agglomeration_exports"
CORE, CONTROLS = list(exports.CORE), list(exports.CONTROLS)


def estimates(panels: Panels) -> dict[str, Estimate]:
    """Lag, core variables and interactions, of each outcome."""
    frame = centred(panels[PANEL])
    found: dict[str, Estimate] = {}
    for outcome in exports.OUTCOMES:
        own = [GMM(term, lags=(2, 3), collapse=True, name=term) for term in CORE]
        lagged = GMM(f"L.{outcome}", lags=(1, 2), collapse=True, name="lag")
        result = dynamic_gmm(
            frame,
            outcome,
            [f"L.{outcome}", *CORE, *CONTROLS],
            gmm=[lagged, *own],
            iv=[IV(name) for name in CONTROLS],
            where=frame["in_sample"].to_numpy(),
            time_effects=True,
        )
        terms = {"lag": f"L1.{outcome}"} | {name: name for name in CORE}
        for name, term in terms.items():
            value, error = result.coefficients[term], result.standard_errors[term]
            found[f"{outcome}.{name}"] = Estimate(float(value), float(error))
    return found


def within(panels: Panels) -> dict[str, Estimate]:
    """The same by plain within estimation, which the paper's method is there to avoid."""
    frame = centred(panels[PANEL]).sort_values(["city_code", "year"])
    found: dict[str, Estimate] = {}
    for outcome in exports.OUTCOMES:
        rows = frame.assign(lag=frame.groupby("city_code")[outcome].shift())[frame["in_sample"]]
        result = fixed_effects(
            rows,
            outcome,
            ["lag", *CORE, *(name for name in CONTROLS if name != "ln_1p_port_distance")],
            effects=["city_code", "year"],
            covariance={"cluster": ["city_code"]},
        )
        for name in ("lag", *CORE):
            value, error = result.coefficients[name], result.standard_errors[name]
            found[f"{outcome}.{name}"] = Estimate(float(value), float(error))
    return found


def centred(panel: pd.DataFrame) -> pd.DataFrame:
    """The panel with its core variables less the centres of the world's equation, the interactions
    as their products, and a row for each city-year that is known by its lagged outcomes alone:
    `in_sample` is false there.
    """
    core = {name: panel[name] - centre for name, centre in exports.CENTRES.items()}
    agglomeration = core["ln_agglomeration"]
    panel = panel.assign(
        **core,
        agglomeration_growth_resilience=agglomeration * core["ln_growth_resilience"],
        agglomeration_productivity=agglomeration * core["ln_productivity"],
        in_sample=True,
    )
    names, keys = [*exports.OUTCOMES, *CORE, *CONTROLS], ["city_code", "year"]
    kept = panel[[*keys, *names, "in_sample"]]
    lags = panel[[*keys, *(f"lagged_{name}" for name in exports.OUTCOMES)]].dropna()
    former = lags.assign(year=lags["year"] - 1, in_sample=False)
    former = former.rename(columns=lambda name: name.removeprefix("lagged_"))
    known = pd.MultiIndex.from_frame(kept[keys])
    former = former[~pd.MultiIndex.from_frame(former[keys]).isin(known)]
    return pd.concat([former, kept]).sort_values(keys, ignore_index=True)


BESIDE = {"within": within}
