"""Customs records: one row a declared transaction, export or import, in US dollars (in yuan where
the online query gives no dollars).
"""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.customs.layouts import LAYOUTS
from warehouse.sources.customs.reading import layout
from warehouse.sources.reading.base import Source

TABLES: Tables = {
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
        "telephone": "varchar",
        "production_place": "varchar",
        "partner_name": "varchar",
        "partner_code": "varchar",
        "trade_mode": "varchar",
    },
}

SOURCE = Source(
    name="customs",
    title="China customs transaction records",
    publisher="General Administration of Customs of the People's Republic of China",
    citation=(
        "General Administration of Customs, China Customs Statistics, "
        "transaction records by firm, 2000-"
    ),
    licence="licensed; not distributed with citytrade",
    tables=TABLES,
    layouts=tuple(layout(spec) for spec in LAYOUTS),
    reads_parquet=True,
)
