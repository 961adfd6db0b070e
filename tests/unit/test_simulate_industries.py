"""The simulated economy by industry, and the gaps that make the papers drop cities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from warehouse.simulate.model.economy import Economy
from warehouse.simulate.model.gaps import KNOWN_YEARS, OFTEN_MISSING, blank_cells, incomplete_cities
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.industries import (
    INDUSTRIES,
    SECONDARY,
    TERTIARY,
)
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.world import streams

BY_INDUSTRY = "employees_mining_n"


@pytest.fixture(scope="module")
def economy() -> Economy:
    return whole_economy("paper", streams(1)).economy


@pytest.fixture(scope="module")
def kept(economy: Economy) -> Callable[..., int]:
    """How many cities have every one of some indicators at both ends of a span of years, where
    nothing is extrapolated.
    """
    rng = np.random.default_rng(4)

    def count(first: int, last: int, scope: str, *indicators: str, since: int = 2021) -> int:
        years = [first - YEARS[0], last - YEARS[0]]
        late = np.array([city.since > since for city in economy.cities])
        blank = np.any(
            [
                blank_cells(economy.cities, name, scope, rng)[:, years].any(axis=1)
                for name in indicators
            ],
            axis=0,
        )
        return int((~blank & ~late).sum())

    return count


def test_the_spine_is_there_whole(economy: Economy) -> None:
    assert len(economy.cities) == 297
    assert all(
        values.shape == (297, len(YEARS))
        for values in (*economy.indicators.values(), *economy.district.values())
    )


def test_industries_and_sectors_add_up_to_the_person(economy: Economy) -> None:
    x = economy.indicators
    assert len(INDUSTRIES) == 19
    assert np.array_equal(sum(x[name] for name in INDUSTRIES), x["employees_n"])
    assert np.array_equal(sum(x[name] for name in SECONDARY), x["secondary_employees_n"])
    assert np.array_equal(sum(x[name] for name in TERTIARY), x["tertiary_employees_n"])
    assert all((x[name] >= 0).all() and (x[name] % 1 == 0).all() for name in INDUSTRIES)


def test_cities_are_specialised_as_cities_are(economy: Economy) -> None:
    jobs = np.stack([economy.indicators[name] for name in INDUSTRIES], axis=-1)
    share = jobs / jobs.sum(axis=-1, keepdims=True)
    entropy = -np.where(share > 0, share * np.log(np.where(share > 0, share, 1.0)), 0.0).sum(
        axis=-1
    )
    nation = jobs.sum(axis=0) / jobs.sum(axis=(0, 2))[:, None]
    quotient = (share / nation).max(axis=-1)
    assert 2.15 < entropy.mean() < 2.35
    assert quotient.max() > 12
    assert 2 < quotient.mean() < 4.5


def test_the_papers_keep_as_many_cities_as_they_say(
    economy: Economy, kept: Callable[..., int]
) -> None:
    # The panel of agglomeration_exports is not balanced: 拉萨 and 固原 are in it up to 2010. Its
    # 286th city is 莱芜, which is in 济南 now.
    assert (
        kept(2003, 2010, "district", "employees_n", "population_nonagricultural_n", since=2010)
        == 285
    )
    assert kept(2003, 2020, "city", BY_INDUSTRY) == 241
    assert (
        kept(
            2011,
            2021,
            "city",
            "fdi_usd",
            "mobile_users_n",
            "exports_cny",
            "pollution_investment_cny",
        )
        == 289
    )
    assert kept(2012, 2021, "city", "fdi_usd", *OFTEN_MISSING) == 248


def test_short_gaps_lie_between_printed_years(economy: Economy) -> None:
    blank = blank_cells(economy.cities, "fdi_usd", "city", np.random.default_rng(5))
    whole = np.array(
        [city.city_code not in incomplete_cities()["everything"] for city in economy.cities]
    )
    known = np.isin(YEARS, KNOWN_YEARS)
    assert not blank[whole][:, known].any()
    assert 0.01 < blank[whole][:, ~known].mean() < 0.03
    assert not blank_cells(economy.cities, "gdp_cny", "city", np.random.default_rng(5)).any()
