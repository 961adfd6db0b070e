"""Concordances: revisions of the Harmonized System, HS to BEC, GB/T 4754 to ISIC, and elasticities
of substitution.
"""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.concordance.elasticities import (
    is_elasticities,
    is_elasticities_table,
    read_elasticities,
    read_elasticities_table,
)
from warehouse.sources.concordance.industries import (
    is_crosswalk_csv,
    is_crosswalk_sheet,
    read_crosswalk_csv,
    read_crosswalk_sheet,
)
from warehouse.sources.concordance.products import (
    is_bec,
    is_hs_workbook,
    read_bec,
    read_hs_workbook,
)
from warehouse.sources.reading.base import Layout, Source

TABLES: Tables = {
    # `kind` is correlation or conversion; revisions are 1996, 2002, 2007, 2012, 2017.
    "concordance__hs": {
        "kind": "varchar",
        "from_revision": "smallint",
        "to_revision": "smallint",
        "from_hs6": "varchar",
        "to_hs6": "varchar",
        "relationship": "varchar",  # 1:1 | n:1 | 1:n | n:n; null in conversion tables
    },
    # One row a division, group or class of GB/T 4754-2002 (two, three or four digits) and its ISIC
    # Rev. 4 division.
    "concordance__industries": {
        "gbt2002_code": "varchar",
        "isic4_code": "varchar",
        "name_zh": "varchar",
    },
    "concordance__bec": {"revision": "smallint", "hs6": "varchar", "bec_code": "varchar"},
    # One row an importing country (English name as published) and three-digit HS product.
    "concordance__elasticities": {"country_name": "varchar", "hs3": "varchar", "sigma": "double"},
}

SOURCE = Source(
    name="concordance",
    title=(
        "Correspondence tables of the Harmonized System and of Broad Economic Categories, and"
        " elasticities of substitution"
    ),
    publisher=(
        "United Nations Statistics Division (UNSD); elasticities: Christian Broda and David E."
        " Weinstein"
    ),
    citation=(
        "UNSD, Correlation and conversion tables between HS and BEC,"
        " https://unstats.un.org/unsd/classifications/Econ; elasticities: Broda, Greenfield and"
        " Weinstein (2017), From groundnuts to globalization: a structural estimate of trade and"
        " growth, Research in Economics 71(4): 759-783"
    ),
    licence=(
        "United Nations terms of use, free to use with acknowledgement; elasticities: free for"
        " research with citation"
    ),
    tables=TABLES,
    layouts=(
        Layout("unsd_hs_workbook", is_hs_workbook, read_hs_workbook),
        Layout("unsd_hs_bec_csv", is_bec, read_bec),
        Layout("gbt_isic_sheet", is_crosswalk_sheet, read_crosswalk_sheet),
        Layout("gbt_isic_csv", is_crosswalk_csv, read_crosswalk_csv),
        Layout("broda_weinstein_hs3", is_elasticities, read_elasticities),
        Layout("elasticities_table", is_elasticities_table, read_elasticities_table),
    ),
)
