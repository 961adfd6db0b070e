"""How the exports of a whole city grow against the nation's: the equation of
digital_export_resilience in the simulated world, 2011-2021, fixed before any estimate.

    res_ct = ON_DIGITAL dig_ct + ON_EFFICIENCY aif_ct + ON_ZONE zone_ct + controls_ct' g
             + city + year + shock

res is the paper's resilience (eq. 2): (v_t - c_t) / |c_t - v_2008|, v the exports of all firms of
the city and c_t what the year before would be, had it grown as the nation. dig is the index of the
digital economy, aif = exp(-u) the efficiency of innovation, whose shortfall u is smaller where dig
is larger, zone a big-data zone in force. Given res, the year before and 2008, exports follow:
v_t = c_t + res_ct |c_t - v_2008|; the year's effect is what makes them add up to the nation's.

From 2012 on some cities sell to three destinations or fewer: those for which a second equation, of
dig and of the nearness of ports, is negative; its shock and that of resilience go together.

Districts' exports of 2011 follow from another equation (`warehouse.simulate.model.exports`). Where
they would be more than nearly all of the city's, they are nearly all: see
`warehouse.simulate.model.records`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.economy import Array, Economy
from warehouse.simulate.model.exports import NATION_BILLION_USD, port_distances
from warehouse.simulate.model.geography import (
    REFERENCE,
    SEEDS,
    YEARS,
    City,
    city_name_rows,
    read_reference,
)
from warehouse.simulate.model.measured import entropy_scale
from warehouse.simulate.model.nation import CNY_PER_USD

Ints = NDArray[np.int64]
FIRST, BASE = YEARS.index(2011), YEARS.index(2008)
PERIOD = slice(FIRST, len(YEARS))
ON_DIGITAL, ON_EFFICIENCY, ON_ZONE = 1.0, 0.10, 0.06
CONTROLS = {
    "fdi_share": 0.8,
    "fiscal_self_sufficiency_share": 0.1,
    "finance_ratio": 0.02,
    "structure_ratio": 0.02,
}
CITY_DEVIATION, SHOCK_DEVIATION = 0.06, 0.12
# Selling widely: a latent number that is positive for those that do.
WIDE = {"constant": 1.9, "digital": 3.0, "ln_market_access": 0.35}
WIDE_CITY, SHOCKS_TOGETHER = 0.5, 0.5
NARROW_DESTINATIONS, LEAST_LEFT = 3, 0.5


def parameters() -> dict[str, object]:
    """What was set, not drawn."""
    return {
        "on_digital_economy": ON_DIGITAL,
        "on_allocation_efficiency": ON_EFFICIENCY,
        "on_big_data_zone": ON_ZONE,
        "controls": CONTROLS,
        "city_deviation": CITY_DEVIATION,
        "shock_deviation": SHOCK_DEVIATION,
        "selling_widely": WIDE,
        "correlation_of_shocks": SHOCKS_TOGETHER,
    }


@dataclass(frozen=True)
class Growth:
    """resilience : what the equation says without the year's effect, (cities, years from 2011)
    narrow : which city-years sell to few destinations, (cities, years)
    regressors : as the panel measures them, (cities, years from 2011)
    """

    resilience: Array
    narrow: NDArray[np.bool_]
    regressors: dict[str, Array]

    def whole(self, at: int, before: Ints, natural: Ints) -> Ints | None:
        """Exports of all firms of each city in the year, cents, from those of the years before;
        `natural` of a city that exported nothing the year before. None before 2011.
        """
        if at < FIRST:
            return None
        former, base = before[:, -1].astype(float), before[:, BASE].astype(float)
        factor = NATION_BILLION_USD[at] / NATION_BILLION_USD[at - 1]
        counterfactual = former * factor
        distance = np.abs(counterfactual - base)

        def exports(year_effect: float) -> Array:
            change = (self.resilience[:, at - FIRST] + year_effect) * distance
            return np.maximum(counterfactual + change, LEAST_LEFT * counterfactual)

        new = natural[former == 0].sum()
        low, high = -10.0, 10.0
        for _ in range(80):
            middle = (low + high) / 2
            enough = exports(middle).sum() + new >= counterfactual.sum()
            low, high = (low, middle) if enough else (middle, high)
        value = np.where(former > 0, exports(low), natural)
        return np.maximum(np.rint(value), 1000).astype(np.int64)


def digital_economy(economy: Economy, finance: Array) -> Array:
    """The entropy-weighted index of seven indicators (digital_export_resilience, table 1), (all
    cities, years from 2011); the paper's sample shapes it.

    finance : the digital finance index, (cities or more, years from 2011)
    """
    x = {name: values[:, PERIOD] for name, values in economy.indicators.items()}
    people = x["population_registered_n"]
    indicators = {
        "mobile_users_per_100": 100 * x["mobile_users_n"] / people,
        "broadband_users_per_100": 100 * x["broadband_users_n"] / people,
        "internet_patents_granted_n": x["internet_patents_granted_n"],
        "science_share": x["science_expenditure_cny"] / x["fiscal_expenditure_cny"],
        "it_employees_n": x["it_employees_n"],
        "telecom_revenue_per_head_cny": x["telecom_revenue_cny"] / people,
        "digital_finance_index": finance[: len(people)],
    }
    rows = read_reference(SEEDS.parent / "judgments" / "digital_exclusions.csv")
    out = {row["city_code"] for row in rows}
    kept = np.array([city.city_code not in out for city in economy.cities])
    sample = {name: values[kept] for name, values in indicators.items()}
    return entropy_scale(sample).index(indicators)


def big_data_years(cities: tuple[City, ...]) -> Ints:
    """First year of a big-data zone in each city; 9999 if never. A zone of a province or a named
    region covers its cities.
    """
    codes = {row["name_zh"]: row["city_code"] for row in city_name_rows()}
    places = read_reference(SEEDS / "cities.csv")
    regions: dict[str, list[str]] = {}
    for row in read_reference(SEEDS.parent / "judgments" / "policy_regions.csv"):
        regions.setdefault(row["region_name"], []).append(row["city_code"])
    first: dict[str, int] = {}
    for row in read_reference(REFERENCE / "policy_zones.csv"):
        if row["policy"] == "big_data":
            name = row["name_zh"]
            provincial = [row["city_code"] for row in places if row["province_name_zh"] == name]
            covered = regions.get(name) or provincial or [codes[name]]
            for code in covered:
                first[code] = min(first.get(code, 9999), int(row["year"]))
    return np.array([first.get(city.city_code, 9999) for city in cities], dtype=np.int64)


def measure(economy: Economy, digital: Array, efficiency: Array) -> dict[str, Array]:
    """The regressors of trading cities, named as in the panel, (cities, years from 2011)."""
    x = {name: values[:, PERIOD] for name, values in economy.indicators.items()}
    years = np.asarray(YEARS[FIRST:])[None, :]
    rate = np.array(CNY_PER_USD)[None, PERIOD]
    return {
        "digital_economy_index": digital,
        "innovation_allocation_sfa_index": efficiency,
        "big_data_did": (years >= big_data_years(economy.cities)[:, None]).astype(float),
        "fdi_share": x["fdi_usd"] * rate / x["gdp_cny"],
        "fiscal_self_sufficiency_share": x["fiscal_revenue_cny"] / x["fiscal_expenditure_cny"],
        "finance_ratio": (x["deposits_cny"] + x["loans_cny"]) / x["gdp_cny"],
        "structure_ratio": x["gdp_tertiary_cny"] / x["gdp_secondary_cny"],
    }


def draw_growth(
    economy: Economy,
    digital: Array,
    efficiency: Array,
    rng: np.random.Generator,
    null: bool = False,
) -> Growth:
    """Draw the shocks and solve both equations for cities that trade.

    Parameters
    ----------
    digital, efficiency : (cities, years from 2011)
    null : nothing but controls acts on resilience or on selling widely
    """
    regressors = measure(economy, digital, efficiency)
    acts = 0.0 if null else 1.0
    coefficients = {
        "digital_economy_index": acts * ON_DIGITAL,
        "innovation_allocation_sfa_index": acts * ON_EFFICIENCY,
        "big_data_did": acts * ON_ZONE,
        **CONTROLS,
    }
    shape = digital.shape
    shocks = rng.multivariate_normal(
        [0.0, 0.0], [[1.0, SHOCKS_TOGETHER], [SHOCKS_TOGETHER, 1.0]], shape
    )
    resilience = rng.normal(0.0, CITY_DEVIATION, (shape[0], 1)) + SHOCK_DEVIATION * shocks[..., 0]
    for name, coefficient in coefficients.items():
        resilience = resilience + coefficient * (regressors[name] - regressors[name].mean())
    access = -np.log(port_distances(economy.cities))
    latent = (
        WIDE["constant"]
        + acts * WIDE["digital"] * (digital - digital.mean())
        + (WIDE["ln_market_access"] * (access - access.mean()))[:, None]
        + rng.normal(0.0, WIDE_CITY, (shape[0], 1))
        + shocks[..., 1]
    )
    narrow = np.zeros((shape[0], len(YEARS)), dtype=bool)
    narrow[:, PERIOD] = latent < 0
    narrow[:, FIRST] = False
    return Growth(resilience, narrow, regressors)
