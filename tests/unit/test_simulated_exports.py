"""The simulated world's exports follow its equations, and its records add up to what they say."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from warehouse.simulate.model import exports, growth
from warehouse.simulate.model.allotment import meet, shared_out
from warehouse.simulate.model.defects import draw_defects
from warehouse.simulate.model.exports import COEFFICIENTS, CONTROLS, OUTCOMES
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.plan import Equations, draw_plan
from warehouse.simulate.model.records import Plan, draw_records
from warehouse.simulate.model.trade import LEFT_OUT, Market, Records, build_market
from warehouse.simulate.model.whole import Whole, whole_economy
from warehouse.simulate.truth import city_year, clean_exports
from warehouse.simulate.world import streams

TOTAL = 20_000


class Drawn:
    """A small world with its plan and its records."""

    def __init__(self, seed: int) -> None:
        random: Mapping[str, np.random.Generator] = streams(seed)
        self.whole: Whole = whole_economy("small", random)
        self.market: Market = build_market(self.whole.trading, 800, random["market"])
        found: tuple[Plan, Equations] = draw_plan(self.whole, TOTAL, random)
        self.plan, self.equations = found
        self.bad = draw_defects(TOTAL, random["defects"]).bad
        self.records: Records = draw_records(self.market, self.plan, self.bad, random["records"])

    def whole_cities(self) -> np.ndarray:
        """Cents of all exports, districts and others, by city and year."""
        codes = [city.city_code for city in self.whole.trading.cities]
        place = [codes.index(c) if c in codes else -1 for c in self.market.firms.spine_code()]
        city = np.array(place)[self.records.firm]
        kept = (self.records.left_out < 0) | (self.records.left_out > LEFT_OUT.index("unknown_hs"))
        rows = np.flatnonzero(~self.bad & ~self.records.is_import & kept & (city >= 0))
        totals = np.zeros((len(codes), len(YEARS)), dtype=np.int64)
        np.add.at(
            totals, (city[rows], self.records.year[rows] - YEARS[0]), self.records.cents[rows]
        )
        return totals


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    return Drawn(5)


def test_records_come_to_the_plan_to_the_cent_and_to_the_unit(drawn: Drawn) -> None:
    rows = pd.DataFrame(
        city_year(drawn.market, drawn.records, clean_exports(drawn.records, drawn.bad))
    )
    codes = [city.city_code for city in drawn.whole.trading.cities]
    at = rows["city_code"].map(codes.index).to_numpy(), (rows["year"] - YEARS[0]).to_numpy()
    assert len(rows) == len(codes) * len(YEARS)
    assert (rows["hs6_n"] == drawn.plan.products[at]).all()
    assert (rows["destination_n"] == drawn.plan.partners[at]).all()
    up_to_2010 = rows["year"].to_numpy() < 2011
    planned = drawn.plan.cents[at]
    assert (rows["export_value_cents"] == planned)[up_to_2010].all()
    # In 2011 the whole city is planned too: districts give way where they would be more than it, or
    # where nobody else exports, as happens in small worlds.
    in_2011 = rows["year"].to_numpy() == 2011
    assert (rows["export_value_cents"] == planned)[in_2011].mean() > 0.5


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_solve_the_equation(drawn: Drawn, outcome: str) -> None:
    """What the coefficients leave is a city's effect, a year's effect, and a shock: of the value,
    the shock that people answer; of counts, one that has nothing to do with the regressors.
    """
    found, coefficients = drawn.equations.exports, COEFFICIENTS[outcome]
    share = 1.0 if outcome == "ln_export_value" else exports.COUNTS_SHARE
    y, x = found.outcomes[outcome], found.regressors
    left = y[:, 1:] - coefficients["lag"] * y[:, :-1]
    for name in exports.CORE:
        left = left - coefficients[name] * x[name][:, 1:]
    for name, coefficient in CONTROLS.items():
        left = left - share * coefficient * x[name][:, 1:]
    surveyed = slice(0, 13)  # productivity is known up to 2013
    left = left[:, surveyed] - (found.shocks[:, 1:][:, surveyed] if share == 1.0 else 0.0)
    within = left - left.mean(axis=1, keepdims=True) - left.mean(axis=0) + left.mean()
    if share == 1.0:
        np.testing.assert_allclose(within, 0.0, atol=1e-9)
    else:
        for name in exports.CORE:
            assert abs(np.corrcoef(within.ravel(), x[name][:, 1:14].ravel())[0, 1]) < 0.15


def test_people_answer_to_shocks(drawn: Drawn) -> None:
    people = drawn.equations.exports.regressors["ln_agglomeration"]
    change, shock = np.diff(people, axis=1), np.diff(drawn.whole.shocks, axis=1)
    assert np.corrcoef(change.ravel(), shock.ravel())[0, 1] > 0.3


def test_whole_cities_grow_as_the_equation_says(drawn: Drawn) -> None:
    """Resilience by eq. 2, from the records' own totals, is the equation's but for a year's effect;
    the few cities that would lose more than half of their exports lose half.
    """
    totals = drawn.whole_cities().astype(float)
    nation = totals.sum(axis=0)
    base = totals[:, [growth.BASE]]
    expected = totals[:, growth.FIRST - 1 : -1] * (nation[1:] / nation[:-1])[growth.FIRST - 1 :]
    resilience = (totals[:, growth.FIRST :] - expected) / np.abs(expected - base)
    gap = resilience - drawn.equations.growth.resilience
    gap = np.abs(gap - np.nanmedian(gap, axis=0))
    assert np.nanmean(gap < 0.01) > 0.95
    factor = exports.NATION_BILLION_USD[1:] / exports.NATION_BILLION_USD[:-1]
    found = (nation[1:] / nation[:-1])[growth.FIRST - 1 :]
    np.testing.assert_allclose(found, factor[growth.FIRST - 1 :], rtol=1e-3)


def test_cities_planned_to_be_narrow_sell_to_few_destinations(drawn: Drawn) -> None:
    city = np.array(
        [
            [place.city_code for place in drawn.whole.trading.cities].index(code) if code else -1
            for code in drawn.market.firms.spine_code()
        ]
    )[drawn.records.firm]
    good = ~drawn.bad & ~drawn.records.is_import & (drawn.records.partner >= 0)
    for c, t in np.argwhere(drawn.plan.is_narrow)[::7]:
        rows = good & (city == c) & (drawn.records.year == YEARS[t])
        assert len(np.unique(drawn.records.partner[rows])) <= growth.NARROW_DESTINATIONS


def test_without_headline_parameters_nothing_follows_agglomeration() -> None:
    random = streams(6)
    whole = whole_economy("small", random)
    _, equations = draw_plan(whole, TOTAL, random, null=True)
    y = equations.exports.outcomes["ln_export_value"]
    x = equations.exports.regressors
    left = y - sum(value * x[name] for name, value in CONTROLS.items()) - whole.shocks
    within = left[:, 1:] - left[:, 1:].mean(axis=1, keepdims=True) - left[:, 1:].mean(axis=0)
    np.testing.assert_allclose(within + left[:, 1:].mean(), 0.0, atol=1e-9)


@pytest.mark.parametrize("wanted", [1, 3, 5, 9])
def test_meeting_a_count_changes_as_little_as_it_must(wanted: int) -> None:
    values = np.array([4, 4, 4, 7, 7, 9, 2, 2, 4, 7])
    pool = np.arange(20)
    found = meet(values, wanted, pool, np.ones(20), np.random.default_rng(1))
    assert len(np.unique(found)) == wanted
    counts = sorted(np.unique(values, return_counts=True)[1])
    fewest = sum(counts[: max(0, 4 - wanted)]) if wanted < 4 else wanted - 4
    assert (found != values).sum() == fewest


def test_sharing_out_adds_up_and_keeps_to_what_each_needs() -> None:
    least, weight = np.array([5, 0, 2, 1]), np.array([1.0, 0.0, 30.0, 10.0])
    found = shared_out(50, least, weight)
    assert found.sum() == 50
    assert (found >= least).all()
    assert found[2] > found[3] > found[1] == 0
    few = shared_out(4, least, weight)  # not enough for all: the smallest stay out
    assert few.sum() == 4 and few[0] == 0
