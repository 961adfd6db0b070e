"""agglomeration_resilience: its indices once more from the published yearbook columns, by other
means than the models', on a release.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis.papers.statistics import load_statistics
from analysis.report import compare_statistics
from analysis.report.autocorrelation import panel_moran
from warehouse import connect, panel
from warehouse.settings.config import Config

PANEL, YEARLY = "panel_agglomeration_resilience", "panel_agglomeration_resilience_yearly"
RESILIENCE = ["employment_resilience_index", "common_rate_resilience_index"]
CORE = [*RESILIENCE, "industry_specialisation_index", "industry_diversity_index"]


@pytest.fixture(scope="module")
def release(small_release: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(small_release) as connection:
        yield connection


@pytest.fixture(scope="module")
def employees(release: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Cities and years by industries: the yearbooks' columns, inner gaps interpolated, only where
    all 19 are known.
    """
    columns = [
        row[0]
        for row in release.execute(
            "select indicator from seeds.industries order by industry_section_code"
        ).fetchall()
    ]
    assert len(columns) == 19
    raw = (
        release.execute(
            f"select city_code, year, {', '.join(columns)} from city_year order by city_code, year"
        )
        .df()
        .set_index(["city_code", "year"])
    )
    assert raw.isna().any(axis=None), "the simulated yearbooks leave gaps"
    filled = raw.groupby(level="city_code", group_keys=False).apply(
        lambda city: city.interpolate(limit_area="inside")
    )
    return filled.dropna()


def test_specialisation_and_diversity_from_the_yearbooks(
    release: duckdb.DuckDBPyConnection, employees: pd.DataFrame
) -> None:
    shares = employees.div(employees.sum(axis=1), axis=0)
    national = employees.groupby(level="year").sum()
    national = national.div(national.sum(axis=1), axis=0)
    quotients = shares / national.reindex(shares.index, level="year")
    gini = shares.apply(
        lambda row: (
            np.abs(np.subtract.outer(row.to_numpy(), row.to_numpy())).sum()
            / (2 * 19**2 * row.mean())
        ),
        axis=1,
    )
    found = (
        release.execute("from indices.idx_industry_agglomeration order by city_code, year")
        .df()
        .set_index(["city_code", "year"])
    )
    assert found.index.tolist() == shares.index.tolist()
    np.testing.assert_allclose(
        found["industry_specialisation_index"], quotients.max(axis=1), rtol=1e-10
    )
    np.testing.assert_allclose(
        found["industry_diversity_index"],
        -(shares * np.log(shares.where(shares > 0, 1))).sum(axis=1),
        atol=1e-11,
    )
    np.testing.assert_allclose(found["gini_diversity_index"], 1 - gini, atol=1e-11)


def test_resilience_from_the_yearbooks(
    release: duckdb.DuckDBPyConnection, employees: pd.DataFrame
) -> None:
    before = employees.copy()
    before.index = pd.MultiIndex.from_tuples(
        [(city, year + 1) for city, year in before.index], names=before.index.names
    )
    both = employees.index.intersection(before.index).sort_values()
    after, before = employees.loc[both], before.loc[both]
    growth = after.groupby(level="year").sum() / before.groupby(level="year").sum() - 1
    common = (
        after.sum(axis=1).groupby(level="year").sum()
        / before.sum(axis=1).groupby(level="year").sum()
    )
    actual = (after - before).sum(axis=1)
    changes = pd.DataFrame(
        {
            "actual": actual,
            "counterfactual": (before * growth.reindex(both, level="year")).sum(axis=1),
            "common": before.sum(axis=1) * (common.reindex(both, level="year") - 1),
        }
    )
    changes.index = pd.MultiIndex.from_tuples(  # resilience stands where its change starts
        [(city, year - 1) for city, year in both], names=both.names
    )
    found = (
        release.execute("from indices.idx_employment_resilience order by city_code, year")
        .df()
        .set_index(["city_code", "year"])
    )
    assert found.index.tolist() == changes.index.tolist()
    np.testing.assert_allclose(
        found["counterfactual_change_n"], changes["counterfactual"], atol=1e-5
    )
    inside = changes.query("2009 <= year < 2020").groupby(level="city_code")
    cities = release.execute(f"from {PANEL} order by city_code").df().set_index("city_code")
    assert len(cities) > 30
    assert (inside.size()[cities.index] == 11).all()
    for name, by in zip(RESILIENCE, ["counterfactual", "common"], strict=True):
        np.testing.assert_allclose(found[name], _resilience(changes, by), rtol=1e-6)
        over_the_period = _resilience(inside.sum(), by)[cities.index]
        np.testing.assert_allclose(cities[name], over_the_period, rtol=1e-6)


def _resilience(changes: pd.DataFrame, by: str) -> pd.Series:
    return (changes["actual"] - changes[by]) / changes[by].abs()


def test_lags_are_the_neighbours_mean(release: duckdb.DuckDBPyConnection) -> None:
    pairs = release.execute(
        "select city_code, neighbour_code from intermediate.int_geography__neighbour"
    ).df()
    frame = release.execute(f"from {PANEL}").df().set_index("city_code")
    for name in [*CORE, "high_specialisation_index"]:
        known = pairs[pairs["neighbour_code"].isin(frame.index)]
        expected = (
            frame.loc[known["neighbour_code"], name].groupby(known["city_code"].to_numpy()).mean()
        )
        lags = frame[f"w_{name}"].dropna()
        assert sorted(lags.index) == sorted(set(expected.index) & set(frame.index))
        np.testing.assert_allclose(lags, expected[lags.index], atol=1e-12)


def test_groups_and_winsorised_values(release: duckdb.DuckDBPyConnection) -> None:
    frame = release.execute(f"from {PANEL}").df()
    for name in [*CORE, "fdi_share", "ln_retail_sales"]:
        # Stata's percentiles; of so few cities the 1st is the least value and the 99th the largest
        low, high = np.quantile(frame[name], [0.01, 0.99], method="averaged_inverted_cdf")
        np.testing.assert_allclose(
            frame[f"{name}_winsorised"], frame[name].clip(low, high), rtol=1e-12
        )
    parts = frame["high_specialisation_index"] + frame["low_specialisation_index"]
    np.testing.assert_array_equal(parts, frame["industry_specialisation_index_winsorised"])
    assert (
        frame["is_high_diversity"]
        == (frame["industry_diversity_index"] > frame["industry_diversity_index"].mean())
    ).all()
    yearly = release.execute(f"from {YEARLY}").df()
    mean = yearly.groupby("year")["industry_specialisation_index"].transform("mean")
    assert (
        yearly["is_high_specialisation"] == (yearly["industry_specialisation_index"] > mean)
    ).all()
    assert len(yearly) == 12 * len(frame)
    assert yearly["interaction_index"].dropna().between(0, 1).all()


def test_morans_i_with_the_releases_weights(small_release: Config) -> None:
    frame = panel(PANEL, columns=["industry_diversity_index"], config=small_release).set_index(
        "city_code"
    )["industry_diversity_index"]
    with connect(small_release) as connection:
        pairs = connection.execute(
            "select city_code, neighbour_code from intermediate.int_spatial__contiguity"
        ).df()
    pairs = pairs[pairs["city_code"].isin(frame.index) & pairs["neighbour_code"].isin(frame.index)]
    z = frame - frame.mean()
    lag = z[pairs["neighbour_code"]].groupby(pairs["city_code"].to_numpy()).mean()
    result = panel_moran(PANEL, "industry_diversity_index", config=small_release).statistics.iloc[0]
    assert result["n"] == len(lag)
    assert result["moran_i"] == pytest.approx(float(z[lag.index] @ lag) / float(z @ z), rel=1e-12)


def test_statistics_stand_beside_the_papers(small_release: Config) -> None:
    published = load_statistics("agglomeration_resilience")
    assert published.panel == YEARLY  # table 1 is of city-years
    printed = published.numbers.set_index("variable")
    assert printed.loc[
        "common_rate_resilience_index", ["mean", "sd", "minimum", "maximum"]
    ].tolist() == [1.972, 3.387, -19.857, 18.868]
    table = compare_statistics(
        published, panel(YEARLY, columns=published.variables, config=small_release)
    ).to_frame()
    assert len(table) == 12
    assert table["ours"].notna().all(axis=None)
