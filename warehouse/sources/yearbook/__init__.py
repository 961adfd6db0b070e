"""City yearbooks: the statistics office's sheets, processed panels of them, and city panels by
theme.
"""

from __future__ import annotations

from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Layout, Source
from warehouse.sources.yearbook import across, city_files, nbs_query, official, own, panels
from warehouse.sources.yearbook.headers import (
    HEADERS,
    Header,
    glued_head,
    panel_head,
    sheet_head,
    unit_scope_head,
)

TABLES: Tables = {
    # One row a city, scope, indicator, year and vintage. `indicator` is a column of
    # seeds/dictionary/columns.csv, which has its unit.
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
    # One row a province, indicator, year and vintage, of the whole province; names full or short,
    # as published.
    "yearbook__provinces": {
        "province_name": "varchar",
        "indicator": "varchar",
        "year": "smallint",
        "value": "double",
        "vintage": "varchar",
        "header": "varchar",
    },
}

SOURCE = Source(
    name="yearbook",
    title=(
        "China City Statistical Yearbook, and city panels compiled from city and provincial "
        "yearbooks and bulletins"
    ),
    publisher=(
        "National Bureau of Statistics of China, "
        "Department of Urban Surveys; compilers of the city panels as named in each file"
    ),
    citation=(
        "国家统计局城市社会经济调查司, 中国城市统计年鉴 (China City Statistical Yearbook), "
        "yearly. Beijing: China Statistics Press."
    ),
    licence="Copyright of the publishers; not redistributed with citytrade",
    tables=TABLES,
    layouts=(
        own.LAYOUT,
        Layout(official.VINTAGE, official.recognise, official.read),
        nbs_query.LAYOUT,
        *city_files.layouts(),
        *across.layouts(),
        *panels.layouts(),
    ),
)

__all__ = [
    "HEADERS",
    "SOURCE",
    "Header",
    "glued_head",
    "panel_head",
    "sheet_head",
    "unit_scope_head",
]
