"""The sources: one module each, and this list of them."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.lake.schema import Columns
    from warehouse.sources.reading.base import Source

# name -> module; a module is imported only when its source is read, so that the command line starts
# quickly.
SOURCES = {
    "customs": "warehouse.sources.customs",
    "yearbook": "warehouse.sources.yearbook",
    "digital_finance": "warehouse.sources.digital_finance",
    "input_output": "warehouse.sources.input_output",
    "concordance": "warehouse.sources.concordance",
    "divisions": "warehouse.sources.divisions",
    "postcodes": "warehouse.sources.postcodes",
    "geography": "warehouse.sources.geography",
    "prices": "warehouse.sources.prices",
    "policies": "warehouse.sources.policies",
    "firms": "warehouse.sources.firms",
    "history": "warehouse.sources.history",
    "innovation": "warehouse.sources.innovation",
    "risk": "warehouse.sources.risk",
    "marketisation": "warehouse.sources.marketisation",
    "world_trade": "warehouse.sources.world_trade",
    "census": "warehouse.sources.census",
    "reports": "warehouse.sources.reports",
}


@cache
def get_source(name: str) -> Source:
    """The source of that name (a key of SOURCES)."""
    source: Source = importlib.import_module(SOURCES[name]).SOURCE
    return source


@cache
def lake_tables() -> dict[str, Columns]:
    """Every source's lake tables, without lineage."""
    return {
        name: columns for source in SOURCES for name, columns in get_source(source).tables.items()
    }
