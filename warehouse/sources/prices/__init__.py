"""Prices: consumer price indices of cities, and exchange rates. Deflators stand in the city panels,
beside the GDP that they belong to.
"""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.prices.consumer import is_consumer_prices, read_consumer_prices
from warehouse.sources.prices.exchange import is_exchange_rates, read_exchange_rates
from warehouse.sources.prices.provincial import (
    is_provincial_stata,
    is_provincial_table,
    read_provincial_stata,
    read_provincial_table,
)
from warehouse.sources.reading.base import Layout, Source

TABLES: Tables = {
    # One row a city, year and category; previous year = 100.
    "prices__consumer": {
        "city_name": "varchar",
        "year": "smallint",
        "category": "varchar",
        "index_pct": "double",
    },
    # One row a province, year and measure (consumer_prices, gdp_deflator); previous year = 100.
    "prices__provinces": {
        "province_name": "varchar",
        "year": "smallint",
        "measure": "varchar",
        "index_pct": "double",
    },
    "prices__exchange_rates": {"year": "smallint", "cny_per_usd": "double"},
}

SOURCE = Source(
    name="prices",
    title=(
        "Consumer prices of cities by category; exchange rate of the renminbi to the US dollar, "
        "yearly average"
    ),
    publisher=(
        "National Bureau of Statistics of China and its survey offices; State Administration of "
        "Foreign Exchange"
    ),
    citation=(
        "各省、市统计年鉴: 居民消费价格分类指数(上年=100); 国家统计局, "
        "中国统计年鉴: 人民币汇率(年平均价)."
    ),
    licence="Public figures",
    tables=TABLES,
    layouts=(
        Layout("consumer_prices", is_consumer_prices, read_consumer_prices),
        Layout("provincial_prices_stata", is_provincial_stata, read_provincial_stata),
        Layout("provincial_prices_table", is_provincial_table, read_provincial_table),
        Layout("exchange_rates", is_exchange_rates, read_exchange_rates),
    ),
)
