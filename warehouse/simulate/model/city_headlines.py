"""The parameters of the structural equations that papers' tables are to find, as truth.json has
them under `headlines`: fixed in `employment` and `zones` before anything is drawn, or, where a
table's number is an average of different effects, that average computed from these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model import employment, zones
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.measured import ecommerce_controls, within
from warehouse.simulate.model.shocks import Array
from warehouse.simulate.model.whole import Whole

Headline = dict[str, object]
Headlines = dict[str, dict[str, Headline]]
ER = "common_rate_resilience_index"
PSS, PSD = "industry_specialisation_index", "industry_diversity_index"


def city_headlines(whole: Whole, null: bool = False) -> Headlines:
    """By slug and name: value, definition, panel, outcome, term, table, columns."""
    return {
        "agglomeration_resilience": _of_mixes("t2", PSS, 1.0, null)
        | _of_mixes("t3", PSD, -employment.SCALE, null),
        "ecommerce_resilience": _of_zones(whole, null),
    }


def _of_mixes(table: str, mix: str, scale: float, null: bool) -> dict[str, Headline]:
    """Six coefficients of one spatial system; `scale` is what a unit of specialisation is in this
    measure.
    """
    b, r = (0.0, 0.0) if null else (employment.SPECIALISATION, employment.RESILIENCE)
    q = 0.0 if null else employment.LAGS["w_resilience_on_mix"]
    p, own = employment.LAGS["w_specialisation"], employment.LAGS["w_resilience"]
    values = {
        (1, ER, f"w_{ER}"): own,
        (1, ER, mix): b / scale,
        (1, ER, f"w_{mix}"): -b * p / scale,
        (2, mix, f"w_{mix}"): p,
        (2, mix, ER): r * scale,
        (2, mix, f"w_{ER}"): q * scale,
    }
    equations = {
        1: f"{ER} on w_{ER}, {mix}, w_{mix} and {', '.join(employment.RESILIENCE_CONTROLS)}",
        2: f"{mix} on w_{mix}, {ER}, w_{ER} and {', '.join(employment.SPECIALISATION_CONTROLS)}",
    }
    return {
        f"{table}_{term}_on_{outcome}": {
            "value": round(value, 12) + 0.0,
            "definition": f"Coefficient in the spatial system's equation of {equations[column]}.",
            "panel": "panel_agglomeration_resilience",
            "outcome": outcome,
            "term": term,
            "table": table,
            "columns": [column],
        }
        for (column, outcome, term), value in values.items()
    }


def _of_zones(whole: Whole, null: bool) -> dict[str, Headline]:
    economy = whole.economy
    sample = zones.ecommerce_sample(economy)
    if not len(whole.measured.resilience):
        return {}
    zone_year = economy.zone_year[sample]
    effect, zone = zones.effects(zone_year, null), zones.in_force(zone_year)
    controls = ecommerce_controls(economy.at(sample, zones.PERIOD))
    average = two_way(effect, zone, controls)
    found = {
        "t4_zone": _zone(
            average,
            "what two-way fixed effects with the five controls make of the effects by cohort and"
            " year since approval: their mean, weighted as that regression weighs city-years",
            "t4",
            [6],
        )
    }
    large = part_is_large(whole, sample)
    for column, (name, rows) in enumerate((("large", large), ("other", ~large)), start=1):
        chosen = {key: values[rows] for key, values in controls.items()}
        found[f"t7_zone_{name}_cities"] = _zone(
            two_way(effect[rows], zone[rows], chosen),
            f"as t4_zone, in the {name} cities alone ({int(rows.sum())})",
            "t7",
            [column],
        )
    return found | _by_year(effect, zone_year) | _by_way_of_mediators(average, null)


def _by_year(effect: Array, zone_year: NDArray[np.int64]) -> dict[str, Headline]:
    """The effects of figure 1, and their means over cohorts of more than one city."""
    sizes = {year: int((zone_year == year).sum()) for year in zones.COHORTS}
    alone = np.isin(zone_year, [year for year, cities_n in sizes.items() if cities_n == 1])
    some, year = effect[~alone], zone_year[~alone]
    of = {
        "f1_zone_by_cohort_and_year": (
            by_cell(effect, zone_year),
            "the effect on each cohort s years after approval",
        ),
        "f1_zone_by_year_since": (
            _by_year_since(some, year),
            "the mean effect s years after approval over cohorts of more than one city",
        ),
        "f1_zone_on_the_treated": (
            float(some[zones.in_force(year) > 0].mean()),
            "the mean effect over city-years with a zone, in cohorts of more than one city",
        ),
    }
    return {name: _zone(value, what, "f1", [1]) for name, (value, what) in of.items()}


def _by_way_of_mediators(average: float, null: bool) -> dict[str, Headline]:
    """The effects on mediators of table 6, and what goes by way of them."""
    found = {}
    for column, (name, outcome, value) in enumerate(_mediators(null), start=1):
        found[f"t6_{name}"] = _zone(
            value, "the effect of a zone in force on this mediator", "t6", [column], outcome
        )
        by = 0.0 if null else zones.ON_RESILIENCE[name] * value
        found[f"t6_{name}_indirect"] = _zone(
            by, f"the effect that goes by way of {outcome}", "t6", [column]
        )
        found[f"t6_{name}_direct"] = _zone(
            average - by, f"the effect that does not go by way of {outcome}", "t6", [column]
        )
    return found


def _mediators(null: bool) -> tuple[tuple[str, str, float], ...]:
    sizes = (zones.DIGITAL, zones.INNOVATION, zones.EMPLOYMENT)
    outcomes = (
        "digital_level_scaled_index",
        "ln_innovation_index",
        "tertiary_employment_share",
    )
    return tuple(
        (name, outcome, 0.0 if null else size)
        for name, outcome, size in zip(zones.ON_RESILIENCE, outcomes, sizes, strict=True)
    )


def _zone(
    value: object, what: str, table: str, columns: list[int], outcome: str = "resilience_index"
) -> Headline:
    if isinstance(value, float):
        value = round(value, 12)
    return {
        "value": value,
        "definition": f"Of {outcome} on zone_did with city and year effects and controls: {what}.",
        "panel": "panel_ecommerce_resilience",
        "outcome": outcome,
        "term": "zone_did",
        "table": table,
        "columns": columns,
    }


def two_way(effect: Array, zone: Array, controls: dict[str, Array]) -> float:
    """The coefficient of a zone in a regression of the effects alone on it, controls, cities and
    years: the estimand where effects differ and trends are parallel.
    """
    if not effect.any():
        return 0.0
    columns = [within(zone), *(within(values) for values in controls.values())]
    x = np.stack([column.ravel() / np.abs(column).max() for column in columns], axis=1)
    coefficients = np.linalg.lstsq(x, within(effect).ravel(), rcond=None)[0]
    return float(coefficients[0] / np.abs(columns[0]).max())


def by_cell(effect: Array, zone_year: NDArray[np.int64]) -> dict[str, float]:
    """ "cohort+s" -> effect."""
    years = np.array(YEARS)[zones.PERIOD]
    return {
        f"{cohort}+{year - cohort}": round(float(effect[zone_year == cohort, t].mean()), 12)
        for cohort in zones.COHORTS
        if (zone_year == cohort).any()
        for t, year in enumerate(years.tolist())
        if year >= cohort
    }


def _by_year_since(effect: Array, zone_year: NDArray[np.int64]) -> dict[str, float]:
    since = np.array(YEARS)[zones.PERIOD][None, :] - zone_year[:, None]
    return {
        str(s): round(float(effect[since == s].mean()), 12)
        for s in range(int(since.max()) + 1)
        if (since == s).any()
    }


def part_is_large(whole: Whole, sample: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether a city's districts have a million residents on average over the panel's years
    (int_ecommerce_resilience__sample).
    """
    residents = whole.economy.district["population_resident_n"][sample, zones.PERIOD]
    return np.asarray(residents.mean(axis=1) >= zones.LARGE_CITY)
