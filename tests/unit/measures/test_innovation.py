"""Efficiency of innovation: in (0, 1], 1 for a peer, by hand, and blind to order and units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.envelopment import envelopment
from analysis.measures.frontier import stochastic_frontier
from analysis.measures.innovation import innovation_efficiency

INPUTS, OUTPUTS = ["money", "people"], ["patents", "contracts"]
KEYS = {"unit": "city", "period": "year"}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(4)
    n, years = 40, 4
    rows = pd.DataFrame(
        {"city": np.repeat(np.arange(n), years), "year": np.tile(np.arange(2011, 2011 + years), n)}
    )
    rows["money"], rows["people"] = (
        draw.lognormal(sigma=0.8, size=len(rows)),
        draw.lognormal(sigma=0.8, size=len(rows)),
    )
    both = np.sqrt(rows["money"] * rows["people"]) * np.exp(
        draw.normal(0, 0.1, len(rows)) - np.abs(draw.normal(0, 0.5, len(rows)))
    )
    mix = draw.lognormal(sigma=0.2, size=len(rows))
    return rows.assign(patents=100 * both * mix, contracts=10 * both / mix)


def test_envelopment_by_hand() -> None:
    """One input of 1; patents and contracts (4, 1), (1, 4) span the frontier p + c = 5: (2, 2)
    reaches 4 / 5, and (4, 1) at twice the input 1 / 2.
    """
    frame = pd.DataFrame(
        {
            "city": list("abcd"),
            "year": 2011,
            "money": [1.0, 1, 1, 2],
            "patents": [4.0, 1, 2, 4],
            "contracts": [1.0, 4, 2, 1],
        }
    )
    result = innovation_efficiency(frame, ["money"], OUTPUTS, **KEYS)
    assert result["envelopment"].to_list() == pytest.approx([1, 1, 0.8, 0.5], abs=1e-9)
    assert result["frontier"].isna().all()  # four rows are too few for a stochastic frontier


def test_frontier_is_the_distance_function_written_out(frame: pd.DataFrame) -> None:
    logs = np.log(frame[[*INPUTS, *OUTPUTS]]).assign(trend=frame["year"] - 2012.5)
    logs["ratio"] = logs["contracts"] - logs["patents"]
    expected = stochastic_frontier(logs, "patents", [*INPUTS, "ratio", "trend"]).efficiencies[
        "battese_coelli"
    ]
    assert innovation_efficiency(frame, INPUTS, OUTPUTS, **KEYS)[
        "frontier"
    ].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)


def test_efficiencies_lie_in_zero_one_and_peers_reach_one(frame: pd.DataFrame) -> None:
    result = innovation_efficiency(frame, INPUTS, OUTPUTS, **KEYS)
    for name in ("frontier", "envelopment"):
        assert ((result[name] > 0) & (result[name] <= 1)).all()
    assert (result.groupby("year")["envelopment"].max() == 1).all()
    peers = envelopment(frame, INPUTS, OUTPUTS, unit="city", period="year").peers
    found = result.merge(peers, left_on=["city", "year"], right_on=["peer", "year"])
    assert len(found) and (found["envelopment"] == 1).all()
    assert result["frontier"].corr(result["envelopment"]) > 0.5


def test_order_and_units_change_nothing(frame: pd.DataFrame) -> None:
    first = innovation_efficiency(frame, INPUTS, OUTPUTS, **KEYS)
    shuffled = frame.sample(frac=1, random_state=2).assign(other="text")
    pd.testing.assert_frame_equal(innovation_efficiency(shuffled, INPUTS, OUTPUTS, **KEYS), first)
    units = frame.assign(money=frame["money"] * 1e4, patents=frame["patents"] / 7)
    again = innovation_efficiency(units, INPUTS, OUTPUTS, **KEYS)
    for name in ("frontier", "envelopment"):
        assert again[name].to_numpy() == pytest.approx(first[name].to_numpy(), abs=1e-6)


def test_rows_that_cannot_be_used_have_no_efficiency(frame: pd.DataFrame) -> None:
    spoilt = frame.copy()
    spoilt.loc[0, "money"] = 0.0
    spoilt.loc[1, "people"] = np.nan
    spoilt.loc[2, "contracts"] = 0.0  # no log, yet one output is enough for the envelopment
    result = innovation_efficiency(spoilt, INPUTS, OUTPUTS, **KEYS)
    assert result["envelopment"].isna().to_list()[:4] == [True, True, False, False]
    assert result["frontier"].isna().to_list()[:4] == [True, True, True, False]
    empty = innovation_efficiency(spoilt.assign(money=np.nan), INPUTS, OUTPUTS, **KEYS)
    assert empty[["frontier", "envelopment"]].isna().all(axis=None)
