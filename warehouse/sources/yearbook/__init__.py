"""City yearbooks: the statistics office's sheets, processed panels of them, and city panels by theme."""

from __future__ import annotations

from warehouse.sources.base import Layout, Source
from warehouse.sources.yearbook import city_files, nbs_query, official, panels
from warehouse.sources.yearbook.headers import HEADERS, Header, glued_head, panel_head, sheet_head, unit_scope_head

SOURCE = Source(
    name="yearbook",
    title="China City Statistical Yearbook, and city panels compiled from city and provincial yearbooks and bulletins",
    publisher="National Bureau of Statistics of China, Department of Urban Surveys; compilers of the city panels as named in each file",
    citation="国家统计局城市社会经济调查司, 中国城市统计年鉴 (China City Statistical Yearbook), yearly. Beijing: China Statistics Press.",
    licence="Copyright of the publishers; not redistributed with citytrade",
    layouts=(
        Layout(official.VINTAGE, official.recognise, official.read),
        nbs_query.LAYOUT,
        *city_files.layouts(),
        *panels.layouts(),
    ),
)

__all__ = ["HEADERS", "SOURCE", "Header", "glued_head", "panel_head", "sheet_head", "unit_scope_head"]
