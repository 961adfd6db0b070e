"""The industrial enterprise database: its heads year by year, and how a file of it is read."""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.firms.reading import layouts
from warehouse.sources.reading.base import Source

TABLES: Tables = {
    # One row a firm and year as the survey prints it, money in CNY; `firm_output_cny_1990` is at
    # prices of 1990.
    "firms__enterprises": {
        "year": "smallint",
        "firm_code": "varchar",
        "firm_name": "varchar",
        "region_code": "varchar",
        "postcode": "varchar",
        "telephone": "varchar",
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
}

SOURCE = Source(
    name="firms",
    title="Industrial enterprises above designated size",
    publisher="National Bureau of Statistics of China",
    citation="国家统计局, 中国工业企业数据库 (全部国有及规模以上非国有工业企业), 1998-2013.",
    licence="licensed; not distributed with citytrade",
    tables=TABLES,
    layouts=tuple(layouts()),
)
