"""The real files, from the folder that CITYTRADE_REAL_DATA names to a published `city_year`."""

from __future__ import annotations

import math

import duckdb
import pytest

from analysis.estimators import moran
from analysis.report.autocorrelation import warehouse_weights


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_city_year_covers_the_cities_and_years(real: duckdb.DuckDBPyConnection) -> None:
    covered = real.execute(
        """select year, count(gdp_cny), count(gdp_cny_2000), count(gdp_growth_pct),
               count(gdp_tertiary_cny), count(population_resident_n),
               count(fdi_usd), count(deposits_cny), count(road_area_per_head_m2)
                   from city_year group by year order by year"""
    ).fetchall()
    assert [row[0] for row in covered] == list(range(2000, 2024))
    for row in covered:
        assert row[1:4] == (296, 296, 296)  # every city of the spine but 三沙, which no file prices
        assert row[4] >= 290
        assert row[0] < 2010 or row[5] >= 286  # the editions interpolate before, which is left out
        assert row[0] < 2003 or row[7] >= 281
        assert row[0] < 2003 or row[8] >= 283
    assert all(row[6] >= 200 for row in covered if row[0] <= 2022)  # the file thins out in 2023


def test_digital_finance_and_policies(real: duckdb.DuckDBPyConnection) -> None:
    finance = dict(
        real.execute(
            "select year, count(digital_finance_index) from city_year where year >= 2011 "
            "group by year"
        ).fetchall()
    )
    assert set(finance) == set(range(2011, 2024))
    assert min(finance.values()) >= 292
    assert one(
        real, "select digital_finance_index from city_year where city_code = '1100' and year = 2011"
    ) == (80.78,)
    zones = "select count(distinct city_code) from city_year where {} is not null"
    assert one(real, zones.format("ecommerce_zone_year"))[0] >= 165
    assert one(real, zones.format("broadband_china_year"))[0] >= 108
    assert one(
        real,
        "select city_code, ecommerce_zone_year from city_year where city_name_zh = '杭州市' "
        "and year = 2020",
    ) == ("3301", 2015)


def test_both_editions_of_shanghai_are_kept_and_one_is_chosen(
    real: duckdb.DuckDBPyConnection,
) -> None:
    editions = real.execute(
        """select vintage, round(value / 1e8, 2), is_chosen
               from intermediate.int_city__indicator_vintages
           where city_code = '3100' and year = 2011 and scope = 'city'
               and indicator = 'gdp_cny' order by vintage"""
    ).fetchall()
    assert [edition for edition in editions if edition[2]] == [("gdp_base_2000", 20009.7, True)]
    assert {("financial_development", 19195.69), ("sector_structure", 20009.68)} < {
        edition[:2] for edition in editions
    }


def test_known_values(real: duckdb.DuckDBPyConnection) -> None:
    """Real GDP against the publisher's own column, in 100 million CNY at prices of 2000."""
    assert one(
        real,
        "select round(gdp_cny_2000 / 1e8, 1), "
        "gdp_vintage from city_year where city_code = '3100' and year = 2011",
    ) == (15492.6, "gdp_base_2000")
    assert one(
        real, "select cny_per_usd from city_year where city_code = '3100' and year = 2011"
    ) == (6.4943,)
    assert one(
        real, "select cny_per_usd from city_year where city_code = '3100' and year = 2003"
    ) == (8.277,)


def test_no_city_is_lost_without_a_reason(real: duckdb.DuckDBPyConnection) -> None:
    assert (
        real.execute(
            "select city_name_zh from seeds.cities where city_code not in (select city_code "
            "from city_year)"
        ).fetchall()
        == []
    )
    unexplained = (
        "select city_name from intermediate.int_city__left_out where reason not in ('outside', "
        "'split', 'merged') or note is null"
    )
    assert real.execute(unexplained).fetchall() == []
    outside = (
        "select count(*) from intermediate.int_city__left_out where city_name in ('巢湖市', "
        "'莱芜市', '延边朝鲜族自治州')"
    )
    assert one(real, outside)[0] >= 3


def test_input_coefficients_and_product_tables(real: duckdb.DuckDBPyConnection) -> None:
    years, cells = one(
        real,
        "select count(distinct year), count(*) from intermediate.int_io__input_coefficients "
        "where input_coefficient is not null",
    )
    assert years >= 16  # the panel's years are 2003-2023; all 24 tables, 1995-2018, are in the lake
    assert cells >= 16 * 44 * 45
    revisions = dict(
        real.execute(
            "select revision, count(*) from intermediate.int_concordance__hs2002 group by revision"
        ).fetchall()
    )
    assert set(revisions) == {1996, 2002, 2007, 2012, 2017}
    assert min(revisions.values()) >= 5050


# What electronics (column 17, ISIC 26) buys of telecommunications (row 34), IT services (row 35)
# and trade (row 26), over its output (row
# OUTPUT), million USD, from io/oecd_national_io_2021ed_CHN_<year>.csv: divided by hand.
DIGITAL_INPUTS = {2011: (1650.2, 8319.5, 889307.2), 2018: (2095.2, 16649.0, 1671441.4)}


@pytest.mark.parametrize("year", DIGITAL_INPUTS)
def test_digital_services_in_electronics_by_value(
    real: duckdb.DuckDBPyConnection, year: int
) -> None:
    telecom, software, output = DIGITAL_INPUTS[year]
    where = f"where source_table = 'national' and year = {year} and isic4_code = '26'"
    found = one(
        real,
        "select telecom_coefficient, software_coefficient, output_usd_million from"
        f" intermediate.int_io__digital_input {where}",
    )
    assert found == (
        pytest.approx(telecom / output, rel=1e-12),
        pytest.approx(software / output, rel=1e-12),
        pytest.approx(output),
    )
    sums = (
        "select count(*), count(telecom_coefficient), "
        "count(virtual_coefficient) from intermediate.int_virtual_agglomeration_quality__coefficie"
        "nt"
    )
    rows, known, summed = one(
        real, f"{sums} where isic4_code < '97'"
    )  # households (97, 98) have no output
    assert rows == known > 16 * 80
    assert summed == 0, (
        "without the census of trade the internet's part is unknown, and so is the sum"
    )


def test_trade_columns_are_null_since_no_customs_records_are_configured(
    real: duckdb.DuckDBPyConnection,
) -> None:
    assert one(
        real, "select count(export_value_usd), count(hs6_n), count(*) > 6000 from city_year"
    ) == (0, 0, True)
    assert one(real, "select status from meta.sources where source = 'customs'") == (
        "not_configured",
    )


# By city: growth of GDP in per cent in 2008, 2011 and 2021, nominal and real GDP of 2011 in 100
# million CNY (296个地级市GDP相关数据, columns
# GDP指数, 名义GDP and 实际GDP); digital finance index of 2011 and 2021 (PKU_DFIIC_city.dta,
# index_aggregate); years of the e-commerce zone and of
# Broadband China (policy/cbec_zones_MIXED_PROVENANCE.csv: 国函〔2016〕17号, 〔2015〕44号,
# 〔2020〕47号; policy/broadband_china.csv).
KNOWN = {
    "3100": ("上海市", 9.7, 8.3, 8.3, 20009.70, 15492.59, 81.18, 351.53222, 2016, 2014),
    "3301": ("杭州市", 11.0, 10.1, 8.5, 7153.03, 5242.828, 86.18, 359.68255, 2015, 2016),
    "3311": ("丽水市", 11.4, 11.4, 8.3, 756.30, 545.2136, 74.03, 314.113196, 2020, None),
    "6202": ("嘉峪关市", 8.88, 17.43, 5.1, 235.535, 75.92923, 35.54, 303.434368, None, None),
    "6102": ("铜川市", 17.1, 14.13, 7.43, 201.90, 131.8084, 49.97, 279.354714, None, None),
}


@pytest.mark.parametrize("city_code", KNOWN)
def test_two_large_and_three_small_cities_by_value(
    real: duckdb.DuckDBPyConnection, city_code: str
) -> None:
    (
        name,
        growth_2008,
        growth_2011,
        growth_2021,
        nominal,
        at_2000,
        finance_2011,
        finance_2021,
        zone,
        broadband,
    ) = KNOWN[city_code]
    columns = (
        "city_name_zh, gdp_growth_pct, digital_finance_index, ecommerce_zone_year, "
        "broadband_china_year"
    )
    early = one(
        real,
        f"select {columns}, gdp_cny / 1e8, gdp_cny_2000 / 1e8 from city_year where city_code ="
        f" '{city_code}' and year = 2011",
    )
    late = one(
        real, f"select {columns} from city_year where city_code = '{city_code}' and year = 2021"
    )
    assert early == (
        name,
        pytest.approx(growth_2011),
        pytest.approx(finance_2011),
        zone,
        broadband,
        pytest.approx(nominal),
        pytest.approx(at_2000, rel=1e-6),
    )
    assert late == (name, pytest.approx(growth_2021), pytest.approx(finance_2021), zone, broadband)
    resilience = (
        "select growth_resilience_index from intermediate.int_agglomeration_exports__growth where"
        f" city_code = '{city_code}' and year = 2011"
    )
    assert one(real, resilience) == (pytest.approx(math.exp((growth_2011 - growth_2008) / 100)),)


def test_prices_of_2000_for_every_city_and_how_they_were_had(
    real: duckdb.DuckDBPyConnection,
) -> None:
    methods = dict(
        real.execute("select deflator_method, count(*) from city_year_real group by all").fetchall()
    )
    assert methods["published"] > 6100
    assert methods.keys() == {"published", "chained", "base", "province", None}
    assert one(
        real,
        "select count(distinct city_code) from city_year_real where deflator_method is null or"
        " deflator_method in ('base', 'province')",
    ) == (1,)  # 三沙, which no file prices: its province does, 2001-2017
    nominal = (
        "select fdi_cny, cny_per_usd, fdi_usd, "
        "gdp_deflator_2000 from city_year where city_code = '3301' and year = 2011"
    )
    fdi, rate, usd, deflator = one(real, nominal)
    assert fdi == pytest.approx(rate * usd)
    assert one(
        real, "select fdi_cny_2000 from city_year_real where city_code = '3301' and year = 2011"
    ) == (pytest.approx(fdi / deflator),)


def test_resilience_by_the_indicators_that_there_are_and_a_line_for_each_that_is_missing(
    real: duckdb.DuckDBPyConnection,
) -> None:
    """Seven of the 17 indicators of ecommerce_resilience are there in all ten years of any city.

    The index says so in every row; three are in no file, and seven in too few years.
    """
    index = (
        "select count(distinct city_code), min(indicators_n), max(indicators_n), "
        "count(*) filter (where not isfinite(resilience_index)) from {}"
    )
    cities, least, most, infinite = one(real, index.format("indices.idx_economic_resilience"))
    assert cities >= 150
    assert (least, most, infinite) == (7, 7, 0)
    lines = dict(
        real.execute(
            "select problem, count(*) from meta.problems where index_name = "
            "'idx_economic_resilience' group by all"
        ).fetchall()
    )
    assert lines == {"all_missing": 3, "too_rare": 7}
    growth = (
        "select count(distinct city_code) from intermediate.int_agglomeration_exports__growth "
        "where growth_resilience_index is not null and year = {}"
    )
    assert min(one(real, growth.format(year))[0] for year in range(2009, 2024)) >= 295


# Moran's I by the releases' weights: year, cities with a neighbour, I. With k nearest neighbours
# esda 2.9 gives the same; with contiguity
# it counts the four or five cities without a neighbour too, so its I is n / (n with a neighbour)
# times this one.
MORAN = {
    ("digital_finance_index", "contiguity"): [(2011, 292, 0.434719), (2020, 287, 0.541309)],
    ("digital_finance_index", "k_nearest"): [(2011, 296, 0.428595), (2020, 292, 0.574919)],
    ("digital_finance_index", "inverse_distance"): [(2020, 292, 0.162725)],
    ("gdp_growth_pct", "contiguity"): [(2009, 292, 0.337165), (2021, 292, 0.307956)],
    ("gdp_growth_pct", "k_nearest"): [(2009, 296, 0.394012)],
}


@pytest.mark.parametrize(("column", "kind"), MORAN)
def test_morans_i_of_real_cities(real: duckdb.DuckDBPyConnection, column: str, kind: str) -> None:
    weights = warehouse_weights(real, kind)
    for year, cities, expected in MORAN[column, kind]:
        frame = real.execute(f"select city_code, {column} from city_year where year = {year}").df()
        found = moran(frame, column, weights).statistics.iloc[0]
        assert (found["n"], round(found["moran_i"], 6)) == (cities, expected)
        assert found["p_random"] < 1e-6


def test_known_errors_of_the_sector_edition_are_corrected(real: duckdb.DuckDBPyConnection) -> None:
    """The rows of 2011 for five cities of Heilongjiang are shifted by one; the edition of GDP alone
    says what belongs where.
    """
    corrected = real.execute(
        "select city_code, year, value from intermediate.int_city__indicator_vintages where "
        "is_corrected and indicator = 'gdp_cny' order by all"
    ).fetchall()
    assert [(code, year) for code, year, _ in corrected] == [
        ("2309", 2011),
        ("2310", 2011),
        ("2311", 2011),
        ("2312", 2011),
        ("4508", 2005),
        ("4509", 2005),
    ]
    other = (
        "select value from intermediate.int_city__indicator_vintages where indicator = 'gdp_cny' "
        "and vintage = 'gdp_base_2000' and city_code = ? and year = ?"
    )
    for code in ("2309", "2311", "2312"):
        value = next(value for known, _, value in corrected if known == code)
        assert real.execute(other, [code, 2011]).fetchone() == (pytest.approx(value, rel=1e-4),)
    left_out = (
        "select count(*) from intermediate.int_city__indicator_vintages where city_code = '1506' "
        "and year = 2022 and vintage = 'sector_structure'"
    )
    assert real.execute(left_out).fetchone() == (0,)
