"""Virtual agglomeration of the small simulated world, worked out a second time from its raw files,
and the simulator's truth.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config
from warehouse.simulate.model.geography import PROJECT, city_name_rows, read_reference
from warehouse.simulate.model.technology import CROSSWALK, SPLIT_YEARS, TRADE

INDUSTRIES = PROJECT / "dbt_project" / "seeds" / "judgments" / "io_industries.csv"
YEAR = 2011


@pytest.fixture(scope="module")
def world(small_release: Config) -> Path:
    return small_release.home.parent / "world"


@pytest.fixture(scope="module")
def truth(world: Path) -> dict[str, Any]:
    return json.loads((world / "truth.json").read_text(encoding="utf-8"))["virtual"]


@pytest.fixture(scope="module")
def published(small_release: Config) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(small_release.home / "current" / DATABASE), read_only=True)


def coefficients(world: Path) -> dict[str, float]:
    """ISIC division -> digital services per unit of output, from the national table as it is
    printed.
    """
    table = pd.read_csv(
        world / "input_output" / f"SIMULATED_oecd_national_io_2021ed_CHN_{YEAR}.csv",
        dtype={"Code": str},
    ).set_index("Code")
    before, after = (at for at, year in enumerate(SPLIT_YEARS) if year in (2008, 2013))
    weight = (YEAR - SPLIT_YEARS[before]) / (SPLIT_YEARS[after] - SPLIT_YEARS[before])
    shares = []
    for at in (before, after):
        sold = sum(revenue[at] for revenue, _ in TRADE.values())
        shares.append(
            sum(round(revenue[at] * share[at], 1) for revenue, share in TRADE.values()) / sold
        )
    internet = shares[0] + weight * (shares[1] - shares[0])
    rows = [row for row in read_reference(INDUSTRIES) if row["source_table"] == "national"]
    return {
        row["isic4_code"]: (
            (table.at["34", code] + table.at["35", code] + internet * table.at["26", code])
            / table.at["OUTPUT", code]
        )
        for row in rows
        if (code := row["industry_code"])
    }


def census(world: Path) -> pd.DataFrame:
    """Output by city and ISIC division, from the census as it is printed."""
    homes = {
        row["division_code"]: row["city_code"]
        for row in city_name_rows()
        if row["division_code"] != "4690"
    }
    known = {row["gbt2002_code"]: row["isic4_code"] for row in read_reference(CROSSWALK)}
    rows = pd.read_csv(
        world / "census" / "SIMULATED_economic_census_2004.csv", encoding="gb18030", dtype=str
    )
    rows.columns = ["place", "industry", "firms", "thousands"]
    rows = rows[
        rows["place"].str.isdigit()
        & rows["industry"].str.isdigit()
        & rows["thousands"].fillna("").str.isdigit()
    ]
    rows["isic4_code"] = [
        next(known[code[:n]] for n in (4, 3, 2) if code[:n] in known)
        for code in rows["industry"].str.zfill(4)
    ]
    municipal = rows["place"].str[:2].isin(["11", "12", "31", "50"])
    rows["city_code"] = (
        (rows["place"].str[:4]).where(~municipal, rows["place"].str[:2] + "00").map(homes)
    )
    kept = rows[rows["city_code"].fillna("") != ""]
    return (
        kept.assign(output=kept["thousands"].astype(float) * 1000)
        .groupby(["city_code", "isic4_code"], as_index=False)["output"]
        .sum()
    )


def test_the_index_of_every_city_comes_out_again(
    world: Path, published: duckdb.DuckDBPyConnection
) -> None:
    output = census(world)
    total = output.groupby("city_code")["output"].transform("sum")
    expected = (output["output"] / total * output["isic4_code"].map(coefficients(world))).groupby(
        output["city_code"]
    ).sum() * 100
    query = (
        "select city_code, virtual_agglomeration_index from indices.idx_virtual_agglomeration"
        f" where year = {YEAR}"
    )
    found = (
        published.sql(query).df().set_index("city_code")["virtual_agglomeration_index"].sort_index()
    )
    assert len(found) == len(expected) >= 60
    np.testing.assert_allclose(found, expected.sort_index(), rtol=1e-9)


def test_the_census_loses_nothing_without_a_reason(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    known = {row["city_code"]: row["output_cny"] for row in truth["census_output_cny"]}
    query = (
        "select city_code, sum(industrial_output_cny::decimal(38, "
        "2))::bigint from intermediate.int_census__city_industry group by city_code"
    )
    assert dict(published.sql(query).fetchall()) == known
    aside = published.sql(
        "select count(*) from meta.set_aside where table_name = 'census__output'"
    ).fetchone()
    assert aside == (truth["census_bad_rows"],)
    assert published.sql(
        "select distinct set_aside_reason from intermediate.int_census__left_out"
    ).fetchall() == [("outside_spine",)]
    shares = published.sql(
        "select abs(sum(industrial_output_share) - 1) as gap from "
        "intermediate.int_census__city_industry group by city_code"
    ).df()["gap"]
    assert shares.max() < 1e-12


def test_every_word_of_every_report_is_counted(
    truth: dict[str, Any], published: duckdb.DuckDBPyConnection
) -> None:
    known = {(row["city_code"], row["year"]): row["words_n"] for row in truth["report_words"]}
    found = published.sql(
        "select city_code, year, words_n from intermediate.int_virtual_agglomeration_quality__words"
    ).fetchall()
    assert {(city, year): words for city, year, words in found} == known


def test_markets_grow_together_as_simulated(published: duckdb.DuckDBPyConnection) -> None:
    """The spread of prices between cities falls by 4 % a year, so integration rises by about as
    much; 2016 brings other categories.
    """
    query = (
        "select year, avg(market_integration_index) as mean from indices.idx_market_integration "
        "group by year order by year"
    )
    mean = published.sql(query).df().set_index("year")["mean"]
    assert list(mean.index) == list(range(2001, 2022))
    growth = np.polyfit(mean.index, np.log(mean), 1)[0]
    assert growth == pytest.approx(0.04, abs=0.01)


def test_every_edition_gives_the_same_digital_inputs(published: duckdb.DuckDBPyConnection) -> None:
    """Divisions of manufacturing that all five editions print alike; that of 2016 adds publishing
    to paper (17, 18), that of 2018 drugs to chemicals.
    """
    query = """
        select isic4_code, software_coefficient, trade_coefficient
        from intermediate.int_io__digital_input
        where source_table = 'icio' and year = 2010 and isic4_code between '10' and '30'
            and isic4_code not in ('17', '18', '20', '21')
    """
    groups = published.sql(query).df().groupby("isic4_code")
    assert groups.ngroups == 17
    assert set(groups.size()) == {5}
    np.testing.assert_allclose(groups.max(), groups.min(), rtol=1e-7)
