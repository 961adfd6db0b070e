"""What a simulated world's customs records must come to, from the equations of the papers on trade.

agglomeration_exports decides what the districts of each city export up to 2011: see
`warehouse.simulate.model.exports`. digital_export_resilience decides what whole cities export from
2011 on, and which sell to few destinations: see `growth`. virtual_agglomeration_quality decides the
quality: see `quality`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from warehouse.simulate.model.exports import Exports, draw_exports
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.growth import FIRST, NARROW_DESTINATIONS, Growth, draw_growth
from warehouse.simulate.model.quality import quality_of_cities
from warehouse.simulate.model.records import Plan, clean_by_year
from warehouse.simulate.model.whole import Whole


@dataclass(frozen=True)
class Equations:
    """The solved equations behind a plan."""

    exports: Exports
    growth: Growth


def draw_plan(
    whole: Whole,
    records_n: int,
    random: Mapping[str, np.random.Generator],
    null: bool = False,
) -> tuple[Plan, Equations]:
    """The plan for `records_n` records of all years, and the equations behind it.

    null : none of the headline parameters acts
    """
    economy, rng = whole.trading, random["exports"]
    each = clean_by_year(records_n, len(economy.cities))
    exports = draw_exports(economy, whole.industry, whole.shocks, each, rng, null)
    quality = quality_of_cities(whole.virtual, rng, null)
    n = len(economy.cities)
    growth = draw_growth(economy, whole.digital_economy[:n], whole.efficiency[:n], rng, null)
    natural = exports.value_cents
    named = np.array([[bool(city.places[year]) for year in YEARS] for city in economy.cities])
    planned = natural * (np.arange(natural.shape[1]) <= FIRST)
    destinations = exports.count("ln_destination")
    plan = Plan(
        cents=planned,
        products=exports.count("ln_hs6"),
        partners=np.where(
            growth.narrow, np.minimum(destinations, NARROW_DESTINATIONS), destinations
        ),
        is_narrow=growth.narrow,
        whole=lambda at, before: growth.whole(at, before, (natural * named)[:, at]),
        quality=quality,
    )
    return plan, Equations(exports, growth)
