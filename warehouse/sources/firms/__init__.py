"""The industrial enterprise database: its heads year by year, and how a file of it is read."""

from __future__ import annotations

from warehouse.sources.base import Source
from warehouse.sources.firms.reading import layouts

SOURCE = Source(
    name="firms",
    title="Industrial enterprises above designated size",
    publisher="National Bureau of Statistics of China",
    citation="国家统计局, 中国工业企业数据库 (全部国有及规模以上非国有工业企业), 1998-2013.",
    licence="licensed; not distributed with citytrade",
    layouts=tuple(layouts()),
)
