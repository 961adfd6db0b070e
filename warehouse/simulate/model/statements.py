"""What simulated customs records state of places and postcodes, and why panels leave one out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.firms import Firms
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.trade import LEFT_OUT, SHARES, UNKNOWN_PLACES, Ints, Market, Records


def place_texts(
    market: Market, year: int, firm: Ints, unknown: NDArray[np.bool_], rng: np.random.Generator
) -> Ints:
    """Production place of each record as customs write it that year."""
    jinan = next((city for city in market.economy.cities if city.city_code == "3701"), None)
    forms = [
        place.places[year]
        or (jinan.places[year] if jinan and place.city_code == "3701" else ("不详",))
        for place in market.firms.places
    ]
    width = max(len(form) for form in forms)
    table = np.array(
        [[market.text_index(form[j % len(form)]) for j in range(width)] for form in forms]
    )
    texts = table[market.firms.place[firm], rng.integers(0, width, len(firm))]
    strange = np.array([market.text_index(text) for text in UNKNOWN_PLACES])
    return np.where(unknown, strange[rng.integers(0, len(strange), len(firm))], texts)


def stated_postcodes(
    firms: Firms, year: int, firm: Ints, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Postcode on each record: the firm's, or none - on single records, and on all records of some
    firm-years.
    """
    lost_year = (firm * 2_654_435_761 + year * 40_503) % 1000 < 1000 * SHARES[
        "firm_year_without_postcode"
    ]
    lost = lost_year | (rng.random(len(firm)) < SHARES["postcode_missing"])
    return np.where(lost, -1, firms.postcode[firm]).astype(np.int32)


def reasons(
    market: Market, year: int, records: Records, unknown_place: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Why a record is left out of the panels (an index into LEFT_OUT), from what is known of its
    firm; -1 if it is not.
    """
    firms, firm = market.firms, records.firm
    outside = np.array([not place.city_code for place in firms.places])[firms.place[firm]]
    tests = {
        "unknown_place": unknown_place,
        "outside_spine": outside,
        "unknown_partner": records.partner < 0,
        "unknown_hs": records.product < 0,
        "no_postcode": firms.postcode[firm] < 0,
        "unknown_postcode": ~firms.postcode_known[firm],
        "county_firm": ~firms.district[firm, year - YEARS[0]],
    }
    return np.select([tests[reason] for reason in LEFT_OUT], np.arange(len(LEFT_OUT)), -1).astype(
        np.int8
    )


def state_every_postcode(firms: Firms, records: Records, bad: NDArray[np.bool_]) -> None:
    """Give every firm that has a postcode one good export record which states it, so that other
    years can supply it.
    """
    usable = ~bad & ~records.is_import & ~np.isin(records.left_out, (0, 1, 2, 3))
    stated = np.zeros(firms.count, dtype=bool)
    stated[records.firm[usable & (records.postcode >= 0)]] = True
    candidates = np.flatnonzero(usable)
    first_firm, first_at = np.unique(records.firm[candidates], return_index=True)
    needed = ~stated[first_firm] & (firms.postcode[first_firm] >= 0)
    records.postcode[candidates[first_at[needed]]] = firms.postcode[first_firm[needed]]


def stray_postcodes(
    firms: Firms, records: Records, bad: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Misprint the postcode on one record of some firm-years that state the right one at least five
    times more.
    """
    stating = np.flatnonzero(
        ~bad & ~records.is_import & (records.left_out < 0) & (records.postcode >= 0)
    )
    key = records.firm[stating].astype(np.int64) * len(YEARS) + (records.year[stating] - YEARS[0])
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    chosen = stating[
        first[(counts >= 6) & (rng.random(len(counts)) < SHARES["firm_year_with_a_misprint"])]
    ]
    other = firms.postcode[rng.integers(0, firms.count, len(chosen))]
    records.postcode[chosen] = np.where(rng.random(len(chosen)) < 0.5, 0, np.maximum(other, 0))
