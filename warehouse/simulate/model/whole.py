"""The whole economy of a simulated world: all cities, all indicators, before anything trades or is
printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from warehouse.simulate.model import zones
from warehouse.simulate.model.allocation import fall_short
from warehouse.simulate.model.economy import Economy, build_economy
from warehouse.simulate.model.employment import settle_employment
from warehouse.simulate.model.exports import draw_shocks, people_follow
from warehouse.simulate.model.geography import YEARS, City, cities, late_cities
from warehouse.simulate.model.growth import digital_economy
from warehouse.simulate.model.industries import (
    fill_innovation,
    fill_surroundings,
    natural_mix,
    widen,
)
from warehouse.simulate.model.industry import Industry, build_industry
from warehouse.simulate.model.mediators import digital_finance, history_of, innovation_index
from warehouse.simulate.model.shocks import Array
from warehouse.simulate.model.technology import (
    Census,
    Technology,
    draw_census,
    draw_technology,
    virtual_agglomeration,
)

Streams = Mapping[str, np.random.Generator]


@dataclass(frozen=True)
class Measured:
    """What is measured of cities beside the yearbooks, and what follows from zones.

    Attributes
    ----------
    finance : (places, years from 2011) digital finance, places outside the spine behind the cities
    innovation : (n, years) the innovation index
    history : (trading,) each, what old tables say
    digital, resilience : (sample, 2012-2021) the indices of ecommerce_resilience, of its cities
    """

    finance: Array
    innovation: Array
    history: dict[str, Array]
    digital: Array
    resilience: Array


@dataclass(frozen=True)
class Whole:
    """Everything about cities that files of a world are written from.

    Attributes
    ----------
    economy : all cities; those that became cities too late to trade stand last
    trading_n : the number of those that trade in the simulated customs
    measured : what is measured of cities beside the yearbooks
    industry : the enterprises of the survey, in cities that trade
    technology, census : what industries use of one another, and what each city makes
    digital_economy, efficiency : the index of the digital economy, and how efficiently innovation
        is turned out: (cities, years from 2011)
    shocks : to the log of the exports of districts, which people have answered: (trading, years)
    truth : entries of truth.json
    """

    economy: Economy
    trading_n: int
    measured: Measured
    industry: Industry
    shocks: Array
    technology: Technology
    census: Census
    digital_economy: Array
    efficiency: Array
    truth: dict[str, object]

    @property
    def trading(self) -> Economy:
        """The part of the economy that trades; arrays are shared, not copied."""
        return self.economy.first(self.trading_n)

    @property
    def virtual(self) -> Array:
        """Virtual agglomeration, per cent, of the cities that trade: (trading, years)."""
        return virtual_agglomeration(self.technology, self.census)[: self.trading_n]


def whole_economy(
    scale: str, random: Streams, chosen: tuple[City, ...] | None = None, null: bool = False
) -> Whole:
    """Draw the cities' economies and set the structural equations on them.

    Parameters
    ----------
    random : of `warehouse.simulate.world.streams`; of "market" the firms are drawn later
    chosen : these cities alone; default, those of the scale
    null : neither zones nor the mix of industries and resilience act on anything; for tests of size
    """
    early = build_economy(chosen or cities(scale), random["market"])
    trading_n = len(early.cities)
    late = () if chosen else late_cities(scale)
    economy = widen(early, late, random["late_cities"])
    industry = build_industry(economy.first(trading_n), random["industry"])
    shocks = draw_shocks(trading_n, random["exports"])
    people_follow(economy, shocks)
    measured, truth = _settle(economy, trading_n, random, null)
    digital = digital_economy(economy, measured.finance)
    efficiency, truth["innovation_shortfall"] = fall_short(
        economy, digital, random["shortfall"], null
    )
    technology = draw_technology(random["technology"])
    census = draw_census(economy, random["technology"])
    return Whole(
        economy=economy,
        trading_n=trading_n,
        measured=measured,
        industry=industry,
        shocks=shocks,
        technology=technology,
        census=census,
        digital_economy=digital,
        efficiency=efficiency,
        truth=truth,
    )


def _settle(
    economy: Economy, trading_n: int, random: Streams, null: bool
) -> tuple[Measured, dict[str, object]]:
    """Zones first, since what they move is among the controls of employment; then employees and
    their industries; then what follows from both.
    """
    natural = natural_mix(economy, random["industries"])
    finance = digital_finance(economy, random["finance"])
    innovation = innovation_index(economy, random["innovation"], null)
    history = history_of(economy.first(trading_n), random["history"])
    digital, resilience = zones.settle(
        economy, finance[:, zones.PERIOD.start - len(YEARS) :], innovation, random["zones"], null
    )
    fill_innovation(economy, random["industries"])
    known = {name: history[name] for name in ("has_railway_1933", "population_density_1984")}
    settled = settle_employment(economy, known, natural, random["employment"], null)
    fill_surroundings(economy, random["industries"])
    return Measured(finance, innovation, history, digital, resilience), {"employment": settled}
