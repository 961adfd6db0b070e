"""Panels and truths of simulated worlds, straight from the simulator's arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report.recovery import (
    agglomeration_exports,
    agglomeration_resilience,
    digital_export_resilience,
    ecommerce_resilience,
    trade_worlds,
    virtual_agglomeration_quality,
)
from analysis.report.recovery.core import Estimates, compare_with_truth
from analysis.report.recovery.papers import PAPERS
from warehouse.simulate.model import panels as columns_of
from warehouse.simulate.model.city_headlines import Headlines, city_headlines, part_is_large
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.model.zones import ecommerce_sample
from warehouse.simulate.world import streams

CITY_PAPERS = ("agglomeration_resilience", "ecommerce_resilience")
# Those whose panels need no records; export quality is estimated when it is asked for by its name.
QUICK = (
    "agglomeration_exports",
    "agglomeration_resilience",
    "digital_export_resilience",
    "ecommerce_resilience",
)
QUALITY = "virtual_agglomeration_quality"
BESIDE = {
    "agglomeration_exports": agglomeration_exports.BESIDE,
    "agglomeration_resilience": agglomeration_resilience.BESIDE,
    "digital_export_resilience": digital_export_resilience.BESIDE,
    "ecommerce_resilience": ecommerce_resilience.BESIDE,
    QUALITY: virtual_agglomeration_quality.BESIDE,
}


def panels_of(whole: Whole) -> dict[str, pd.DataFrame]:
    """The panels that recovery reads, of one world."""
    columns, weights = columns_of.agglomeration_resilience(whole)
    at, neighbour = np.nonzero(weights)
    codes = columns["city_code"]
    pairs = pd.DataFrame(
        {
            "city_code": codes[at],
            "neighbour_code": codes[neighbour],
            "weight": weights[at, neighbour],
        }
    )
    zones = pd.DataFrame(columns_of.ecommerce_resilience(whole))
    large = part_is_large(whole, ecommerce_sample(whole.economy))
    zones["is_large_city"] = np.repeat(large, len(zones) // len(large))
    return {
        agglomeration_resilience.PANEL: pd.DataFrame(columns),
        agglomeration_resilience.WEIGHTS: pairs,
        ecommerce_resilience.PANEL: zones,
    }


def world(
    scale: str, seed: int, null: bool = False, slugs: tuple[str, ...] = QUICK
) -> tuple[dict[str, pd.DataFrame], Headlines]:
    """Panels and truth of a seed, of these papers at least; null: of a world in which nothing acts
    on anything.
    """
    random = streams(seed)
    whole = whole_economy(scale, random, null=null)
    panels: dict[str, pd.DataFrame] = {}
    truth: Headlines = {}
    if set(slugs) & set(CITY_PAPERS):
        panels, truth = panels_of(whole), city_headlines(whole, null)
    if set(slugs) - set(CITY_PAPERS):
        more, known = trade_worlds.panels_of(whole, scale, random, null, QUALITY in slugs)
        panels, truth = panels | more, truth | known
    return panels, truth


def recovered(
    scale: str, seed: int, null: bool = False, slugs: tuple[str, ...] = (), beside: bool = False
) -> pd.DataFrame:
    """Truths beside estimates of one world.

    beside : other choices too, the papers' own among them
    """
    chosen = slugs or QUICK
    panels, truth = world(scale, seed, null, chosen)
    tables = []
    for slug in chosen:
        choices = {"recommended": PAPERS[slug].estimates}
        for choice, estimates in (choices | (BESIDE[slug] if beside else {})).items():
            found: Estimates = {slug: estimates(panels)}
            tables.append(compare_with_truth(truth, found).assign(choice=choice))
    return pd.concat(tables, ignore_index=True)
