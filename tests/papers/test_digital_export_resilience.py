"""digital_export_resilience in the simulated world: its sample, and its variables computed again by
other means than the models use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.measures.weights import entropy_weights
from warehouse import connect
from warehouse.settings.config import Config

INDICATORS = [
    "mobile_users_per_100", "broadband_users_per_100", "internet_patents_granted_n",
    "science_share", "it_employees_n", "telecom_revenue_per_head_cny",
    "digital_finance_index",
]  # fmt: skip
LEFT_OUT = {"4604", "6404", "5401", "5402", "5403", "5404", "5405", "5406"}


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    assert small_release.simulate is not None
    return json.loads(
        next(Path(small_release.simulate.directory).glob("*truth.json")).read_text(encoding="utf-8")
    )


@pytest.fixture(scope="module")
def warehouse(small_release: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(small_release.path) as connection:
        yield connection


@pytest.fixture(scope="module")
def panel(warehouse: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    return warehouse.execute(
        "select * from panel_digital_export_resilience order by city_code, year"
    ).df()


@pytest.fixture(scope="module")
def exports(warehouse: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Value in USD by city, destination and year, of all firms, from the narrow fact."""
    frame = warehouse.execute(
        "select city_id, destination_id, year, "
        "sum(value_cents)::double / 100 as value from intermediate.int_trade__exports group "
        "by all"
    ).df()
    return frame.assign(city_code=frame["city_id"].astype(int).astype(str).str.zfill(4))


def test_sample(warehouse: duckdb.DuckDBPyConnection, panel: pd.DataFrame) -> None:
    cities = set(
        warehouse.execute(
            "select distinct city_code from city_year where year between 2011 and 2021"
        ).df()["city_code"]
    )
    assert set(panel["city_code"]) == cities - LEFT_OUT
    assert (
        panel.groupby("city_code")["year"].agg(["min", "max", "count"]) == [2011, 2021, 11]
    ).all(axis=None)


def test_resilience_is_the_deviation_from_the_path_of_the_nation(
    panel: pd.DataFrame, exports: pd.DataFrame
) -> None:
    value = exports.pivot_table(index="city_code", columns="year", values="value", aggfunc="sum")
    nation = value.sum()
    expected = {}
    for year in range(2011, 2022):
        path = value[year - 1] * nation[year] / nation[year - 1]
        for city, number in ((value[year] - path) / (path - value[2008]).abs()).items():
            expected[city, year] = number
    found = panel.set_index(["city_code", "year"])["export_resilience_index"]
    wanted = pd.Series(expected).reindex(found.index)
    assert found.notna().mean() > 0.9
    assert found.isna().equals(wanted.isna())
    assert found.dropna().to_numpy() == pytest.approx(
        wanted.dropna().to_numpy(), rel=1e-6, abs=1e-9
    )


def test_readings_of_resilience_and_who_exports_widely(panel: pd.DataFrame) -> None:
    printed = panel["export_resilience_index"]
    low, high = np.quantile(printed.dropna(), [0.01, 0.99], method="averaged_inverted_cdf")
    clipped = printed.clip(low, high)
    np.testing.assert_allclose(panel["export_resilience_index_winsorised"], clipped, rtol=1e-12)
    scaled = (clipped - low) / (high - low)
    np.testing.assert_allclose(panel["scaled_export_resilience_index"], scaled, atol=1e-12)
    widely = panel["whole_city_destination_n"].fillna(0) > 3
    assert panel["is_widely_exporting"].astype(bool).equals(widely)
    assert panel["is_widely_exporting"].notna().all()
    assert panel["interpolated_variables"].str.len().gt(0).any()


def test_deviation_from_2008_stands_in_2011_to_2015(
    panel: pd.DataFrame, exports: pd.DataFrame
) -> None:
    value = exports.groupby(["city_code", "year"])["value"].sum()
    known = panel[panel["export_deviation_2008_ratio"].notna()]
    assert set(known["year"]) == set(range(2011, 2016))
    expected = [
        value[city, year] / value[city, 2008] - 1
        for city, year in zip(known["city_code"], known["year"], strict=True)
    ]
    assert known["export_deviation_2008_ratio"].to_numpy() == pytest.approx(
        expected, rel=1e-9, abs=1e-12
    )


def test_shares_of_destinations_give_diversity(panel: pd.DataFrame, exports: pd.DataFrame) -> None:
    share = exports["value"] / exports.groupby(["city_code", "year"])["value"].transform("sum")
    expected = (share**2).groupby([exports["city_code"], exports["year"]]).sum()
    found = panel.dropna(subset="destination_hhi").set_index(["city_code", "year"])
    assert found["destination_hhi"].to_numpy() == pytest.approx(
        expected.reindex(found.index).to_numpy(), abs=1e-12
    )
    assert (found["destination_hhi"] * found["market_diversity_index"]).to_numpy() == pytest.approx(
        1, abs=1e-12
    )
    assert found["belt_and_road_share"].between(0, 1 + 1e-12).all()


def test_half_of_the_cities_are_highly_exposed_in_each_year(panel: pd.DataFrame) -> None:
    """Also groups that the sample leaves out count for the median, so a few more or less than half
    may stand above it.
    """
    known = panel.dropna(subset="risk_exposure_pct")
    share = known.groupby("year")["is_high_risk_exposure"].apply(
        lambda flags: flags.astype(float).mean()
    )
    assert share.between(0.45, 0.55).all()


def test_entropy_weights_sum_to_one_and_equal_the_second_formula(
    warehouse: duckdb.DuckDBPyConnection, panel: pd.DataFrame
) -> None:
    models = "intermediate.int_digital_export_resilience__"
    weights = (
        warehouse.execute(f"select indicator, entropy_weight from {models}entropy_weight")
        .df()
        .set_index("indicator")["entropy_weight"]
    )
    frame = warehouse.execute(f"select * from {models}indicator").df()
    expected = entropy_weights(frame[~frame["city_code"].isin(LEFT_OUT)], INDICATORS)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights[INDICATORS].to_list() == pytest.approx(
        expected.weights[INDICATORS].to_list(), abs=1e-12
    )
    assert panel["digital_economy_index"].dropna().between(0, 1).all()
    assert panel["digital_economy_index"].corr(panel["digital_economy_pca_index"]) > 0.5


def test_efficiencies_and_the_shortfall_that_the_world_was_made_with(
    panel: pd.DataFrame, truth: dict[str, Any]
) -> None:
    for name in ("innovation_allocation_sfa_index", "innovation_allocation_dea_index"):
        known = panel[name].dropna()
        assert len(known) > 300
        assert ((known > 0) & (known <= 1)).all()
    assert (panel.groupby("year")["innovation_allocation_dea_index"].max() == 1).all()
    mean = truth["innovation_shortfall"]["mean_efficiency_2011_2021"]
    assert panel["innovation_allocation_sfa_index"].mean() == pytest.approx(mean, abs=0.15)


def test_complexity_orders_products_as_the_world_does(
    warehouse: duckdb.DuckDBPyConnection, truth: dict[str, Any]
) -> None:
    found = warehouse.execute(
        "select hs6_code, avg(product_complexity_usd) as level from "
        "intermediate.int_world__product_complexity group by all"
    ).df()
    made = found["hs6_code"].map(truth["digital"]["sophistication_by_product"])
    assert made.notna().all()
    assert found["level"].corr(made, method="spearman") > 0.9


def test_marketisation_after_the_last_report_is_flagged(panel: pd.DataFrame) -> None:
    assert set(panel.loc[panel["is_marketisation_extrapolated"], "year"]) == {2020, 2021}
    by_year = panel.groupby(["province_code", "year"])["marketisation_index"].first().unstack()
    assert (by_year[2021] - by_year[2020]).to_numpy() == pytest.approx(
        (by_year[2020] - by_year[2019]).to_numpy(), abs=1e-9
    )


def test_nothing_is_infinite(panel: pd.DataFrame) -> None:
    assert np.isfinite(panel.select_dtypes("number").to_numpy(dtype="float64", na_value=0.0)).all()
