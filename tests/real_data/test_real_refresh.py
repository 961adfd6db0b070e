"""The real files, from the folder that CITYTRADE_REAL_DATA names to a published `city_year`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse import connect

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

pytestmark = pytest.mark.skipif("CITYTRADE_REAL_DATA" not in os.environ, reason="CITYTRADE_REAL_DATA does not name the folder of real files")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release of the real files by the configuration beside this test, with a home of its own."""
    folder = tmp_path_factory.mktemp("real")
    text = (HERE / "citytrade.toml").read_text(encoding="utf-8")
    config = folder / "citytrade.toml"
    config.write_text(text.replace('home = "../../data/real"', 'home = "home"').replace('"../../', f'"{PROJECT}/'), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "flows.cli", "refresh", "--config", str(config)], cwd=PROJECT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "customs          not configured" in done.stdout
    assert "SIMULATED" not in done.stdout
    with connect(config) as connection:
        yield connection


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_city_year_covers_the_cities_and_years(real: duckdb.DuckDBPyConnection) -> None:
    covered = real.execute(
        """select year, count(gdp_cny), count(gdp_cny_2000), count(gdp_growth_pct), count(gdp_tertiary_cny), count(population_resident_n),
               count(fdi_usd), count(deposits_cny), count(road_area_per_head_m2) from city_year group by year order by year"""
    ).fetchall()
    assert [row[0] for row in covered] == list(range(2003, 2024))
    for row in covered:
        assert row[1:4] == (296, 296, 296)  # every city of the spine but 三沙, which no file prices
        assert min(row[4:6]) >= 290
        assert row[7] >= 281
        assert row[8] >= 284
    assert all(row[6] >= 200 for row in covered if row[0] <= 2022)  # the file thins out in 2023


def test_digital_finance_and_policies(real: duckdb.DuckDBPyConnection) -> None:
    finance = dict(real.execute("select year, count(digital_finance_index) from city_year where year >= 2011 group by year").fetchall())
    assert set(finance) == set(range(2011, 2024))
    assert min(finance.values()) >= 292
    assert one(real, "select digital_finance_index from city_year where city_code = '1100' and year = 2011") == (80.78,)
    zones = "select count(distinct city_code) from city_year where {} is not null"
    assert one(real, zones.format("ecommerce_zone_year"))[0] >= 165
    assert one(real, zones.format("broadband_china_year"))[0] >= 108
    assert one(real, "select city_code, ecommerce_zone_year from city_year where city_name_zh = '杭州市' and year = 2020") == ("3301", 2015)


def test_both_editions_of_shanghai_are_kept_and_one_is_chosen(real: duckdb.DuckDBPyConnection) -> None:
    editions = real.execute(
        """select vintage, round(value / 1e8, 2), is_chosen from intermediate.int_city__indicator_vintages
           where city_code = '3100' and year = 2011 and scope = 'city' and indicator = 'gdp_cny' order by vintage"""
    ).fetchall()
    assert editions == [("financial_development", 19195.69, False), ("gdp_base_2000", 20009.7, True), ("sector_structure", 20009.68, False)]


def test_known_values(real: duckdb.DuckDBPyConnection) -> None:
    """Real GDP against the publisher's own column, in 100 million CNY at prices of 2000."""
    assert one(real, "select round(gdp_cny_2000 / 1e8, 1), gdp_vintage from city_year where city_code = '3100' and year = 2011") == (15492.6, "gdp_base_2000")
    assert one(real, "select cny_per_usd from city_year where city_code = '3100' and year = 2011") == (6.4943,)
    assert one(real, "select cny_per_usd from city_year where city_code = '3100' and year = 2003") == (8.277,)


def test_no_city_is_lost_without_a_reason(real: duckdb.DuckDBPyConnection) -> None:
    assert real.execute("select city_name_zh from seeds.cities where city_code not in (select city_code from city_year)").fetchall() == []
    unexplained = "select city_name from intermediate.int_city__left_out where reason not in ('outside', 'split', 'merged') or note is null"
    assert real.execute(unexplained).fetchall() == []
    outside = "select count(*) from intermediate.int_city__left_out where city_name in ('巢湖市', '莱芜市', '延边朝鲜族自治州')"
    assert one(real, outside)[0] >= 3


def test_input_coefficients_and_product_tables(real: duckdb.DuckDBPyConnection) -> None:
    years, cells = one(real, "select count(distinct year), count(*) from intermediate.int_io__input_coefficients where input_coefficient is not null")
    assert years >= 16  # the panel's years are 2003-2023; all 24 tables, 1995-2018, are in the lake
    assert cells >= 16 * 44 * 45
    revisions = dict(real.execute("select revision, count(*) from intermediate.int_concordance__hs2002 group by revision").fetchall())
    assert set(revisions) == {1996, 2002, 2007, 2012, 2017}
    assert min(revisions.values()) >= 5050


def test_trade_columns_are_null_since_no_customs_records_are_configured(real: duckdb.DuckDBPyConnection) -> None:
    assert one(real, "select count(export_value_usd), count(hs6_n), count(*) > 6000 from city_year") == (0, 0, True)
    assert one(real, "select status from meta.sources where source = 'customs'") == ("not_configured",)
