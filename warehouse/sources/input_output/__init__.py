"""Input-output tables of the OECD: the national tables of China (edition of 2021), and the
inter-country tables (ICIO) of every edition.

No layout says its year inside the file, so the year is taken from the file's name. Values are
million USD at current prices. Final demand, taxes less subsidies and trade balances may be
negative; what one industry buys from another may not.
"""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.input_output.editions import EDITIONS, ICIO_FINAL_DEMAND
from warehouse.sources.input_output.icio import reader, recogniser
from warehouse.sources.input_output.national import (
    NATIONAL_COLUMNS,
    NATIONAL_ROWS,
    is_national,
    read_national,
)
from warehouse.sources.reading.base import Layout, Source

__all__ = ["EDITIONS", "ICIO_FINAL_DEMAND", "NATIONAL_COLUMNS", "NATIONAL_ROWS", "SOURCE"]

TABLES: Tables = {
    # One row a cell of a national table, million USD.
    "input_output__national": {
        "edition": "varchar",
        "year": "smallint",
        "row_code": "varchar",
        "column_code": "varchar",
        "value_usd_million": "double",
    },
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
}

SOURCE = Source(
    name="input_output",
    title="Input-output tables",
    publisher="Organisation for Economic Co-operation and Development (OECD)",
    citation=(
        "OECD, Inter-Country Input-Output Tables (editions of 2016, 2018, "
        "2021 and later) and national input-output tables (2021), http://oe.cd/icio"
    ),
    licence="OECD terms and conditions; free to use with acknowledgement",
    tables=TABLES,
    layouts=(
        Layout("oecd_national_2021", is_national, read_national),
        *(
            Layout(f"oecd_icio_{edition.name}", recogniser(edition), reader(edition))
            for edition in EDITIONS
        ),
    ),
)
