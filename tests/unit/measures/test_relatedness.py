"""Density of related products: by hand, and blind to order and units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.measures.relatedness import relatedness_density

NAMES = {"unit": "city", "period": "year", "product": "product", "value": "value"}


@pytest.fixture
def frame() -> pd.DataFrame:
    draw = np.random.default_rng(8)
    rows = pd.DataFrame(
        [
            (city, year, product)
            for city in range(12)
            for year in range(2008, 2014)
            for product in range(15)
        ],
        columns=["city", "year", "product"],
    )
    return rows.assign(value=draw.lognormal(sigma=1.5, size=len(rows)))[
        draw.random(len(rows)) < 0.6
    ]


def test_by_hand() -> None:
    """Cities a: products 1, 2; b: 1, 2; c: 2, 3; d: 4, each with 1 of each good, so every good that
    is exported is an advantage where 4 goods share.

    Totals: 1: 2, 2: 3, 3: 1, 4: 1, all 7. Expected of city a (2 in all) in good 2 is 6/7 < 1: an
    advantage, and so in all others. Proximity 1-2: 2 together over max(2, 3) = 2/3; 2-3: 1/3; the
    others 0. Reach of 1: 2/3, of 2: 1, of 3: 1/3, of 4: 0. City a: density of 1 = (2/3)/(2/3) = 1;
    of 2 = (2/3)/1 = 2/3; mean with shares 1/2: 5/6. City c: of 2 = 1/3, of 3 = 1: mean 2/3. City d:
    none.
    """
    pairs = [("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 2), ("c", 3), ("d", 4)]
    frame = pd.DataFrame(
        [(city, 2008, product, 1.0) for city, product in pairs],
        columns=["city", "year", "product", "value"],
    )
    result = relatedness_density(frame, **NAMES, base=[2008])
    assert result["city"].to_list() == list("abcd")
    assert result["density"].to_list()[:3] == pytest.approx([5 / 6, 5 / 6, 2 / 3], abs=1e-12)
    assert np.isnan(result["density"].iloc[3])


def test_lies_between_zero_and_one_and_has_a_row_for_each_unit_and_period(
    frame: pd.DataFrame,
) -> None:
    result = relatedness_density(frame, **NAMES, base=range(2008, 2011))
    assert result["density"].between(0, 1).all()
    assert (
        result[["city", "year"]].values.tolist()
        == frame[["city", "year"]].drop_duplicates().sort_values(["city", "year"]).values.tolist()
    )


def test_order_units_and_other_columns_change_nothing(frame: pd.DataFrame) -> None:
    first = relatedness_density(frame, **NAMES, base=range(2008, 2011))
    shuffled = frame.sample(frac=1, random_state=1).assign(extra=1)
    pd.testing.assert_frame_equal(
        relatedness_density(shuffled, **NAMES, base=range(2008, 2011)), first
    )
    pd.testing.assert_frame_equal(
        relatedness_density(
            frame.assign(value=frame["value"] * 1024), **NAMES, base=range(2008, 2011)
        ),
        first,
    )


def test_empty_base_and_empty_frame(frame: pd.DataFrame) -> None:
    assert relatedness_density(frame, **NAMES, base=[1999])["density"].isna().all()
    assert relatedness_density(frame.iloc[:0], **NAMES, base=[2008]).empty


def test_refuses_duplicates(frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="earlier row"):
        relatedness_density(pd.concat([frame, frame.iloc[:1]]), **NAMES, base=[2008])
