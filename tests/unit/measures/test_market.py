from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.market import CATEGORY_SETS, integration, market_integration, segmentation

ALL = np.ones((3, 3), dtype=bool)


def test_segmentation_worked_by_hand():
    """Three places, two goods. |dQ|: good 1: 12: 0.02, 13: 0.04, 23: 0.02, mean 0.08/3; good 2:
    0.01, 0.01, 0.02, mean 0.04/3.

    q_12 = (0.02 - 0.08/3, 0.01 - 0.04/3) = (-0.02, -0.01)/3; variance of two numbers =
    (difference)^2 / 2 = (0.01/3)^2 / 2
    q_13 = (0.04, -0.01)/3: (0.05/3)^2 / 2;  q_23 = (-0.02, 0.02)/3: (0.04/3)^2 / 2.
    """
    changes = np.array([[0.01, 0.02], [0.03, 0.03], [0.05, 0.01]])
    v12, v13, v23 = ((d / 3) ** 2 / 2 for d in (0.01, 0.05, 0.04))
    expected = np.array([(v12 + v13) / 2, (v12 + v23) / 2, (v13 + v23) / 2])
    np.testing.assert_allclose(segmentation(changes, ALL), expected, rtol=0, atol=1e-17)
    np.testing.assert_allclose(integration(expected), 1 / np.sqrt(expected), rtol=1e-15)


def test_less_the_mean_of_own_pairs_worked_by_hand():
    """The same places. Of place 1 the means are 0.03 and 0.01: q_12 = (-0.01, 0), q_13 = (0.01, 0),
    each with variance 0.01^2 / 2. Of place 2: 0.02 and 0.015, q_21 = (0, -0.005), q_23 = (0,
    0.005). Of place 3: 0.03 and 0.015, q_31 = (0.01, -0.005), q_32 = (-0.01, 0.005): 0.015^2 / 2.
    """
    changes = np.array([[0.01, 0.02], [0.03, 0.03], [0.05, 0.01]])
    expected = [d**2 / 2 for d in (0.01, 0.005, 0.015)]
    found = segmentation(changes, ALL, less_own_mean=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-17)


def test_neighbours_alone_and_a_place_without_any():
    changes = np.array([[0.01, 0.02], [0.03, 0.03], [0.05, 0.01]])
    pairs = np.zeros((3, 3), dtype=bool)
    pairs[0, 1] = pairs[1, 0] = True
    result = segmentation(changes, pairs)
    # One pair: the mean over pairs is the pair itself, so nothing is left.
    assert result[:2].tolist() == [0, 0]
    assert np.isnan(result[2])
    assert np.isnan(integration(result)).all(), (
        "no segmentation gives no integration, never infinity"
    )


def test_second_formula_on_random_prices():
    rng = np.random.default_rng(5)
    changes = rng.normal(0, 0.02, (9, 8))
    n = len(changes)
    distance = np.abs(changes[:, None, :] - changes[None, :, :])
    off = ~np.eye(n, dtype=bool)
    q = distance - distance[off].mean(axis=0)
    expected = [np.mean([np.var(q[i, j], ddof=1) for j in range(n) if j != i]) for i in range(n)]
    np.testing.assert_allclose(
        segmentation(changes, np.ones((n, n), dtype=bool)), expected, rtol=1e-12
    )


def test_prices_that_rise_together_and_order_change_nothing():
    rng = np.random.default_rng(6)
    changes = rng.normal(0, 0.02, (7, 8))
    pairs = rng.random((7, 7)) < 0.5
    pairs = pairs | pairs.T | ~np.eye(7, dtype=bool)[::-1]
    pairs = pairs | pairs.T
    known = segmentation(changes, pairs)
    np.testing.assert_allclose(
        segmentation(changes + rng.normal(0, 0.1, 8), pairs), known, rtol=1e-9
    )
    order = rng.permutation(7)
    np.testing.assert_allclose(
        segmentation(changes[order], pairs[np.ix_(order, order)]), known[order], rtol=1e-12
    )
    np.testing.assert_allclose(
        segmentation(changes[:, rng.permutation(8)], pairs), known, rtol=1e-12
    )
    np.testing.assert_allclose(segmentation(2 * changes, pairs), 4 * known, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "pairs", "message"),
    [
        (np.zeros((3, 1)), ALL, "two goods or more"),
        (np.zeros((3, 2)), ALL[:2, :2], "symmetric pairs"),
        (np.zeros((3, 2)), np.triu(ALL), "symmetric pairs"),
        (np.array([[np.nan, 0], [0, 0], [0, 0]]), ALL, "missing or not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes, pairs, message):
    with pytest.raises(ValueError, match=message):
        segmentation(changes, pairs)


def frame(
    years: tuple[int, ...] = (2014, 2016),
    cities: tuple[str, ...] = ("3301", "3302", "3303", "3304"),
) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = [
        (city, year, category, 100 + rng.normal(0, 2))
        for year in years
        for city in cities
        for category in CATEGORY_SETS[0 if year < 2016 else 1]
    ]
    return pd.DataFrame(rows, columns=["city_code", "year", "category", "index_pct"]).astype(
        {"year": "int16"}
    )


NEIGHBOURS = pd.DataFrame(
    {
        "city_code": ["3301", "3302", "3302", "3303"],
        "neighbour_code": ["3302", "3301", "3303", "3302"],
    }
)


def test_each_year_uses_its_own_categories_and_scale_does_not_matter():
    prices = frame()
    result = market_integration(prices, NEIGHBOURS)
    assert result[["city_code", "year"]].to_numpy().tolist() == [
        [city, year] for city in ("3301", "3302", "3303", "3304") for year in (2014, 2016)
    ]
    assert result["year"].dtype == np.int16
    assert (result["market_integration_index"] > 0).all()
    assert (
        result.loc[result["city_code"] == "3304", "neighbour_market_integration_index"].isna().all()
    )
    np.testing.assert_allclose(
        result["market_integration_index"] ** 2 * result["market_segmentation_index"], 1, rtol=1e-12
    )
    scaled = prices.assign(index_pct=prices["index_pct"] * 1.07)
    pd.testing.assert_frame_equal(
        market_integration(scaled.sample(frac=1, random_state=1), NEIGHBOURS), result, rtol=1e-9
    )


def test_a_city_without_all_categories_is_left_out_and_leaves_the_others_alone():
    prices = frame()
    without = market_integration(prices[prices["city_code"] != "3304"], NEIGHBOURS)
    holed = prices.drop(
        index=prices.index[(prices["city_code"] == "3304") & (prices["category"] == "clothing")]
    )
    pd.testing.assert_frame_equal(market_integration(holed, NEIGHBOURS), without)
    negative = prices.copy()
    negative.loc[
        (negative["city_code"] == "3304") & (negative["category"] == "clothing"), "index_pct"
    ] = 0
    pd.testing.assert_frame_equal(market_integration(negative, NEIGHBOURS), without)


def test_no_prices_give_no_rows_of_the_same_kinds():
    prices = frame()
    empty = market_integration(prices[:0], NEIGHBOURS)
    assert empty.empty
    assert empty.dtypes.tolist() == market_integration(prices, NEIGHBOURS).dtypes.tolist()
