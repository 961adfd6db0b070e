"""The lake's tables: what every reader of a source must deliver, column by column, in DuckDB types.

Values are in base units (CNY, USD, persons, km2), never in 万元 or 亿元, except `value_cents` (hundredths of a USD).
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
    # One row a customs record. Units: US cents; quantity in `quantity_unit`.
    "customs__records": {
        "year": "smallint",
        "month": "tinyint",
        "flow": "varchar",  # export | import
        "hs8": "varchar",
        "value_cents": "bigint",
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
    "concordance__bec": {"revision": "smallint", "hs6": "varchar", "bec_code": "varchar"},
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
    "prices__exchange_rates": {"year": "smallint", "cny_per_usd": "double"},
    # One row a place named in a policy document.
    "policies__zones": {
        "policy": "varchar",  # cross_border_ecommerce | broadband_china | big_data
        "batch": "varchar",
        "first_year": "smallint",
        "approved_on": "varchar",
        "document": "varchar",
        "name": "varchar",
        "level": "varchar",
        "provenance": "varchar",
    },
}
