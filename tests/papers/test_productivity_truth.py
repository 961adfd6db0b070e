"""Firms' productivity in the small simulated world against what the simulator knows.

Elasticities, city means, and the sample of agglomeration_exports.
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config


@pytest.fixture(scope="module")
def truth(small_release: Config) -> dict[str, Any]:
    return json.loads(
        (small_release.home.parent / "world" / "truth.json").read_text(encoding="utf-8")
    )


@pytest.fixture(scope="module")
def published(small_release: Config) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(small_release.home / "current" / DATABASE), read_only=True)


def test_elasticities_of_every_industry_come_back(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    known = truth["industry"]["elasticities_and_level"]
    rows = published.sql(
        "select industry_code, estimation_method, labour_elasticity, "
        "capital_elasticity from intermediate.int_firms__elasticity"
    ).fetchall()
    assert {row[0] for row in rows} == set(known) and len(rows) == 3 * len(known)
    for industry, method, labour, capital in rows:
        assert labour == pytest.approx(known[industry][0], abs=0.05), (industry, method)
        assert capital == pytest.approx(known[industry][1], abs=0.09), (industry, method)


def test_city_means_follow_the_truth(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    found = published.sql("select * from indices.idx_city_productivity").df()
    both = found.merge(
        pd.DataFrame(truth["industry"]["city_year"]),
        on=["city_code", "year"],
        suffixes=("", "_true"),
    )
    assert len(both) == len(found) == len(truth["industry"]["city_year"])
    assert (
        (both["firms_n"] / both["firms_n_true"]).between(0.85, 1).all()
    )  # spoilt rows are left out
    printed = both["year"] <= 2007  # value added is printed; later it is output times a share
    for rows, least in ((both[printed], 0.96), (both[~printed], 0.94)):
        assert rows["ln_productivity_relative"].corr(rows["mean_productivity"]) > least
        for column in ("ln_productivity", "ln_productivity_op", "ln_productivity_acf"):
            assert rows[column].corr(rows["mean_ln_tfp"]) > 0.8, column
    relative = both["ln_productivity_relative"] - both["mean_productivity"]
    assert (relative - relative.groupby(both["year"]).transform("mean")).std() < 0.05


def test_every_row_of_the_survey_is_accounted_for(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    files = truth["industry_files"].values()
    fates = dict(
        published.sql(
            "select fate, sum(records_n)::int from intermediate.int_firms__reconciliation "
            "group by fate"
        ).fetchall()
    )
    assert sum(fates.values()) == sum(file["rows"] - file["missing_firm"] for file in files)
    assert fates["too_few_employees"] == sum(file["too_small"] for file in files)
    assert fates["output_not_positive"] == sum(file["negative_output"] for file in files)
    assert fates["used"] == sum(
        file["rows"] - file["missing_firm"] - file["too_small"] - file["negative_output"]
        for file in files
    )


def test_historical_facts_reach_their_cities(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    known = pd.DataFrame(truth["history"]).set_index("city_code").sort_index()
    found = (
        published.sql("select * from intermediate.int_history__city")
        .df()
        .set_index("city_code")
        .sort_index()
    )
    numbers = [column for column in known if column != "has_railway_1933"]
    pd.testing.assert_frame_equal(
        found[numbers], known[numbers].reindex(found.index), check_dtype=False, rtol=1e-12
    )
    railway = known["has_railway_1933"].dropna()
    assert (
        found["has_railway_1933"].dropna().astype(bool).to_dict() == railway.astype(bool).to_dict()
    )


def test_the_panel_is_the_regression_sample(published: duckdb.DuckDBPyConnection) -> None:
    panel = published.sql("from panel_agglomeration_exports").df()
    assert len(panel) > 300 and panel["year"].min() == 2003 and panel["year"].max() == 2011
    # Whole cities' values beside the districts' are readings of their own and decide no row.
    beside = [column for column in panel if column.startswith("ln") and "whole_city" in column]
    assert panel.drop(columns=beside).notna().all(axis=None)
    standardised = panel.filter(regex="^z_(?!lagged_)")  # lags are on the scale of their outcome
    assert standardised.mean().abs().max() < 1e-12
    assert standardised.std(ddof=1).to_numpy() == pytest.approx(1.0, abs=1e-10)
    centred = {
        name: panel[name] - panel[name].mean() for name in ("ln_agglomeration", "ln_productivity")
    }
    product = centred["ln_agglomeration"] * centred["ln_productivity"]
    assert panel["z_agglomeration_productivity"].to_numpy() == pytest.approx(
        ((product - product.mean()) / product.std()).to_numpy(), abs=1e-9
    )
    for outcome, name in (
        ("export_value_usd", "export"),
        ("hs6_n", "hs6"),
        ("destination_n", "destination"),
    ):
        values = panel[outcome].astype(float)
        low, high = np.percentile(values, [10, 90], method="averaged_inverted_cdf")  # as Stata's
        assert (panel[f"is_within_{name}_deciles"] == values.between(low, high)).all()
