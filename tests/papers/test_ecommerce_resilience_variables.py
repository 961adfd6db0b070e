"""Variables of ecommerce_resilience: the printed weights, and the weights by a second formula.

The published panel against what it is made of.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from analysis.measures.components import principal_component_index
from analysis.measures.scaling import unit_range
from analysis.measures.weights import entropy_weights
from analysis.papers import FOLDER
from warehouse import connect, panel
from warehouse.settings.config import Config

PRINTED = pd.read_csv(FOLDER / "ecommerce_resilience" / "published_weights.csv")
SEED = FOLDER.parents[1] / "dbt_project" / "seeds" / "judgments" / "resilience_indicators.csv"
POSITIVE = PRINTED.loc[PRINTED["direction"] > 0, "indicator"].tolist()
NEGATIVE = PRINTED.loc[PRINTED["direction"] < 0, "indicator"].tolist()
DIGITAL = [
    "digital_finance_index",
    "mobile_users_per_100",
    "internet_users_per_100",
    "telecom_revenue_per_head_cny",
    "it_employment_share",
]


def weights_by_divergence(frame: pd.DataFrame) -> dict[str, float]:
    """The same weights without an entropy: 1 - e is Kullback and Leibler's divergence of the shares
    from equal shares, over ln n.

    By sums without rounding (fsum), from columns one by one: nothing is shared with the function
    under test.
    """
    divergence = {}
    for name in [*POSITIVE, *NEGATIVE]:
        values = [float(value) if name in POSITIVE else -float(value) for value in frame[name]]
        low, n = min(values), len(values)
        total = math.fsum(value - low for value in values)
        shares = [(value - low) / total for value in values]
        divergence[name] = math.fsum(
            share * math.log(share * n) for share in shares if share > 0
        ) / math.log(n)
    everything = math.fsum(divergence.values())
    return {name: value / everything for name, value in divergence.items()}


@pytest.fixture
def drawn() -> pd.DataFrame:
    """248 cities and ten years of the 17 indicators, as skewed and as differently sized as the
    paper's; 0 ln 0 occurs in each.
    """
    draw = np.random.default_rng(17)
    spread = draw.uniform(0.05, 1.6, len(PRINTED))
    return pd.DataFrame(
        {
            name: 10.0 ** draw.integers(-2, 12) * np.exp(spread[at] * draw.normal(size=2480))
            for at, name in enumerate(PRINTED["indicator"])
        }
    )


def test_the_printed_weights_sum_to_one() -> None:
    assert len(PRINTED) == 17
    assert PRINTED["weight"].sum() == pytest.approx(
        1, abs=17 * 0.5e-7
    )  # seven decimals were printed
    assert (PRINTED["weight"] > 0).all()


def test_the_models_take_the_printed_indicators_and_signs() -> None:
    seed = pd.read_csv(SEED)
    assert dict(zip(seed["indicator"], seed["direction"], strict=True)) == dict(
        zip(PRINTED["indicator"], PRINTED["direction"], strict=True)
    )


def test_weights_equal_those_of_a_second_formula(drawn: pd.DataFrame) -> None:
    found = entropy_weights(drawn, POSITIVE, NEGATIVE).weights
    expected = weights_by_divergence(drawn)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert max(abs(found[name] - expected[name]) for name in expected) < 1e-12


def test_weights_ignore_units_and_the_order_of_rows(drawn: pd.DataFrame) -> None:
    found = entropy_weights(drawn, POSITIVE, NEGATIVE).weights
    other = drawn.sample(frac=1, random_state=1) * 1e4 + 7.0
    assert (
        entropy_weights(other, POSITIVE, NEGATIVE).weights - found
    ).abs().max() < 1e-9  # 7 is far below the units of most, and rounds them


def test_unit_range_by_hand() -> None:
    assert unit_range(pd.Series([2.0, None, 6.0, 3.0])).to_list()[:1] + unit_range(
        pd.Series([2.0, 6.0, 3.0])
    ).to_list() == [0, 0, 1, 0.25]
    assert unit_range(pd.Series([2.0, 2.0])).isna().all()
    assert unit_range(pd.Series([None, None], dtype="float64")).isna().all()


@pytest.fixture(scope="module")
def variables(small_release: Config) -> pd.DataFrame:
    """Variables of the sample's cities, gaps filled: a row a city and year."""
    query = (
        "select city_code, year, variable, value from"
        " intermediate.int_ecommerce_resilience__variable where city_code in (select city_code from"
        " intermediate.int_ecommerce_resilience__sample)"
    )
    with connect(small_release) as connection:
        long = connection.execute(query).df()
    return long.pivot(index=["city_code", "year"], columns="variable", values="value")


def test_the_released_index_is_that_of_both_formulas(
    variables: pd.DataFrame, small_release: Config
) -> None:
    released = panel("panel_ecommerce_resilience", config=small_release).set_index(
        ["city_code", "year"]
    )["resilience_index"]
    fitted = entropy_weights(variables, POSITIVE, NEGATIVE)
    second = weights_by_divergence(variables)
    assert max(abs(fitted.weights[name] - second[name]) for name in second) < 1e-12
    assert len(released) == len(variables) > 400
    assert (fitted.index - released).abs().max() < 2e-12  # rounded to twelve decimals
    assert released.between(0, 1).all()


def test_the_released_digital_level_is_the_first_component(
    variables: pd.DataFrame, small_release: Config
) -> None:
    released = panel("panel_ecommerce_resilience", config=small_release).set_index(
        ["city_code", "year"]
    )
    fitted = principal_component_index(variables, DIGITAL)
    assert (fitted.index - released["digital_level_index"]).abs().max() < 2e-12
    assert released["digital_level_scaled_index"].agg(["min", "max"]).to_list() == [0, 1]
    assert released["digital_level_index"].corr(released["digital_finance_index"]) > 0.3


def test_the_panel_is_balanced_and_says_what_was_filled(small_release: Config) -> None:
    frame = panel("panel_ecommerce_resilience", config=small_release)
    assert (frame.groupby("city_code").size() == 10).all()
    with connect(small_release) as connection:
        flagged = connection.execute(
            "select city_code, year, variable from intermediate.int_ecommerce_resilience__variable"
            " where is_interpolated"
        ).df()
    keys = {
        name: set(map(tuple, rows[["city_code", "year"]].to_numpy().tolist()))
        for name, rows in flagged.groupby("variable")
    }
    for column, name in {
        "openness_share": "openness_share",
        "science_share": "science_share",
        "ln_fdi": "fdi_cny",
    }.items():
        told = frame.loc[frame[f"is_{column}_interpolated"], ["city_code", "year"]]
        inside = frame[["city_code", "year"]].apply(tuple, axis=1).isin(keys.get(name, set()))
        assert (
            set(map(tuple, told.to_numpy().tolist()))
            == set(map(tuple, frame.loc[inside, ["city_code", "year"]].to_numpy().tolist()))
            != set()
        )
    listed = frame["interpolated_indicators"].str.split().explode().dropna()
    assert set(listed) <= set(PRINTED["indicator"])
    assert frame["is_resilience_index_interpolated"].equals(frame["interpolated_indicators"] != "")


def test_event_time_and_lag_follow_the_zone(small_release: Config) -> None:
    frame = panel("panel_ecommerce_resilience", config=small_release).sort_values(
        ["city_code", "year"]
    )
    leads, lags = (
        [f"zone_lead_{k}_did" for k in (4, 3, 2, 1)],
        [f"zone_lag_{k}_did" for k in range(5)],
    )
    treated = frame["ecommerce_zone_year"].notna()
    assert (frame.loc[treated, [*leads, *lags]].sum(axis=1) == 1).all()
    assert (frame.loc[~treated, [*leads, *lags, "zone_did"]].sum(axis=1) == 0).all()
    assert (frame["zone_did"] == frame[lags].sum(axis=1)).all()
    before = frame.groupby("city_code")["zone_did"].shift()
    assert frame["zone_lagged_did"].isna().equals(before.isna())
    assert (frame["zone_lagged_did"].dropna().astype(int) == before.dropna().astype(int)).all()
