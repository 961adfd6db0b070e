"""The lake's tables: what every reader of a source must deliver, column by column, in DuckDB types.

Values are in base units (CNY, USD, persons, km2), never in 万元 or 亿元, except `value_cents` (hundredths of a USD, or of `currency` where that column stands).
Names and codes are as published; the models, not the readers, say which city or product they mean.
"""

from __future__ import annotations

LINEAGE = {"file_id": "varchar", "line": "bigint", "load_id": "varchar"}

SET_ASIDE = {
    "source": "varchar",
    "table_name": "varchar",
    "reason": "varchar",
    "detail": "varchar",
    "value_cents": "bigint",
    "year": "smallint",
    **LINEAGE,
}

_FINANCE = dict.fromkeys(
    (
        "index_aggregate",
        "coverage_breadth",
        "usage_depth",
        "payment",
        "insurance",
        "monetary_fund",
        "investment",
        "credit",
        "credit_investigation",
        "digitization_level",
    ),
    "double",
)

TABLES: dict[str, dict[str, str]] = {
    # One row a customs record. Units: hundredths of `currency`; quantity in `quantity_unit`.
    "customs__records": {
        "year": "smallint",
        "month": "tinyint",
        "flow": "varchar",  # export | import
        "hs8": "varchar",
        "value_cents": "bigint",
        "currency": "varchar",  # USD | CNY
        "quantity": "double",
        "quantity_unit": "varchar",
        "firm_code": "varchar",
        "firm_name": "varchar",
        "postcode": "varchar",
        "production_place": "varchar",
        "partner_name": "varchar",
        "partner_code": "varchar",
        "trade_mode": "varchar",
    },
    # One row a city, scope, indicator, year and vintage. `indicator` is a column of seeds/dictionary/columns.csv, which has its unit.
    "yearbook__indicators": {
        "city_name": "varchar",
        "city_code_published": "varchar",
        "scope": "varchar",  # city | district | unstated
        "indicator": "varchar",
        "year": "smallint",
        "value": "double",
        "is_interpolated": "boolean",
        "vintage": "varchar",
        "header": "varchar",
    },
    # One row a province, indicator, year and vintage, of the whole province; names full or short, as published.
    "yearbook__provinces": {
        "province_name": "varchar",
        "indicator": "varchar",
        "year": "smallint",
        "value": "double",
        "vintage": "varchar",
        "header": "varchar",
    },
    "digital_finance__cities": {
        "year": "smallint",
        "name_2018": "varchar",
        "name_2018_en": "varchar",
        "code_2018": "varchar",
        "name_2014": "varchar",
        "code_2014": "varchar",
        **_FINANCE,
    },
    "digital_finance__provinces": {"year": "smallint", "province_name": "varchar", "province_code": "varchar", **_FINANCE},
    # One row a cell of a national table, million USD.
    "input_output__national": {"edition": "varchar", "year": "smallint", "row_code": "varchar", "column_code": "varchar", "value_usd_million": "double"},
    # One row a cell of an ICIO column of China (CHN, CN1, CN2), million USD.
    "input_output__icio": {
        "edition": "varchar",
        "year": "smallint",
        "row_country": "varchar",
        "row_industry": "varchar",
        "column_country": "varchar",
        "column_code": "varchar",
        "value_usd_million": "double",
    },
    # `kind` is correlation or conversion; revisions are 1996, 2002, 2007, 2012, 2017.
    "concordance__hs": {
        "kind": "varchar",
        "from_revision": "smallint",
        "to_revision": "smallint",
        "from_hs6": "varchar",
        "to_hs6": "varchar",
        "relationship": "varchar",  # 1:1 | n:1 | 1:n | n:n; null in conversion tables
    },
    # One row a division, group or class of GB/T 4754-2002 (two, three or four digits) and its ISIC Rev. 4 division.
    "concordance__industries": {"gbt2002_code": "varchar", "isic4_code": "varchar", "name_zh": "varchar"},
    "concordance__bec": {"revision": "smallint", "hs6": "varchar", "bec_code": "varchar"},
    # One row an importing country (English name as published) and three-digit HS product.
    "concordance__elasticities": {"country_name": "varchar", "hs3": "varchar", "sigma": "double"},
    "divisions__names": {"vintage": "varchar", "division_code": "varchar", "name_zh": "varchar"},
    "postcodes__districts": {
        "province_name": "varchar",
        "city_name": "varchar",
        "county_name": "varchar",
        "postcode": "varchar",
        "longitude": "double",
        "latitude": "double",
    },
    "geography__adjacency": {"city_code": "varchar", "neighbour_code": "varchar"},
    "geography__ports": {"port_name_zh": "varchar", "port_name_en": "varchar", "longitude": "double", "latitude": "double"},
    # One row a city, year and category; previous year = 100.
    "prices__consumer": {"city_name": "varchar", "year": "smallint", "category": "varchar", "index_pct": "double"},
    # One row a line of the census: a county's industry, or a firm (`enterprises_n` is null then).
    "census__output": {"year": "smallint", "division_code": "varchar", "industry_code": "varchar", "output_cny": "double", "enterprises_n": "bigint"},
    # One row a year and trade (wholesale | retail): revenue, and the part of it over the internet.
    "census__trade_split": {"year": "smallint", "trade": "varchar", "trade_revenue_cny": "double", "internet_revenue_cny": "double"},
    # The nation's fixed investment in information transmission, software and information technology services.
    "census__internet_investment": {"year": "smallint", "internet_investment_cny": "double"},
    "reports__texts": {"city_name": "varchar", "year": "smallint", "text": "varchar", "characters_n": "bigint"},
    "prices__exchange_rates": {"year": "smallint", "cny_per_usd": "double"},
    # One row a city and year; the index is relative, without a unit.
    "innovation__cities": {"city_name": "varchar", "year": "smallint", "innovation_index": "double"},
    # One row a country and month: share of newspaper articles, per cent.
    "risk__geopolitical": {"iso3": "varchar", "year": "smallint", "month": "tinyint", "articles_pct": "double"},
    "marketisation__provinces": {"province_name": "varchar", "year": "smallint", "marketisation_index": "double"},
    # One row an exporter (CEPII's number), product and year, all importers together.
    "world_trade__flows": {"year": "smallint", "exporter_code": "varchar", "hs6": "varchar", "value_usd": "bigint", "partners_n": "integer"},
    "world_trade__countries": {"exporter_code": "varchar", "country_name": "varchar", "iso3": "varchar"},
    # `gdp_per_head_usd` in the prices that the indicator's code says: CD current, KD constant, PP.* international dollars.
    "world_trade__income": {"iso3": "varchar", "country_name": "varchar", "indicator_code": "varchar", "year": "smallint", "gdp_per_head_usd": "double"},
    # One row a place named in a policy document.
    "policies__zones": {
        "policy": "varchar",  # cross_border_ecommerce | broadband_china | big_data | resource_based | belt_and_road | development_zone | commercial_tier
        "batch": "varchar",
        "first_year": "smallint",
        "approved_on": "varchar",
        "document": "varchar",
        "name": "varchar",
        "level": "varchar",
        "provenance": "varchar",
    },
    # One row a firm and year as the survey prints it, money in CNY; `firm_output_cny_1990` is at prices of 1990.
    "firms__enterprises": {
        "year": "smallint",
        "firm_code": "varchar",
        "firm_name": "varchar",
        "region_code": "varchar",
        "industry_code": "varchar",
        "opening_year": "smallint",
        "firm_output_cny": "double",
        "firm_output_cny_1990": "double",
        "firm_value_added_cny": "double",
        "intermediate_input_cny": "double",
        "value_added_tax_cny": "double",
        "firm_employees_n": "double",
        "firm_wages_cny": "double",
        "fixed_assets_original_cny": "double",
        "fixed_assets_net_cny": "double",
        "export_delivery_cny": "double",
        "paid_in_capital_cny": "double",
    },
    # One row a city of a compiler's list of what cities were long ago.
    "history__cities": {
        "city_name": "varchar",
        "post_offices_1984_n": "double",
        "telephones_1984_n": "double",
        "population_density_1984": "double",  # persons per km2
        "has_railway_1933": "boolean",
        "district_land_area_km2": "double",
    },
}
