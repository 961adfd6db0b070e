"""Customs records: one row a declared transaction, export or import, in US dollars (in yuan where the online query gives no dollars)."""

from __future__ import annotations

from warehouse.sources.base import Source
from warehouse.sources.customs.layouts import LAYOUTS
from warehouse.sources.customs.reading import layout

SOURCE = Source(
    name="customs",
    title="China customs transaction records",
    publisher="General Administration of Customs of the People's Republic of China",
    citation="General Administration of Customs, China Customs Statistics, transaction records by firm, 2000-",
    licence="licensed; not distributed with citytrade",
    layouts=tuple(layout(spec) for spec in LAYOUTS),
    reads_parquet=True,
)
