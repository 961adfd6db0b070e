"""The heads of a customs file that archives and Parquet files are made of in tests."""

from __future__ import annotations

HEAD = (
    "日期,进口或出口,HS编码,金额,数量,数量单位,企业编码,经营单位,邮编,消费地或生产地,"
    "起运国或目的国,贸易方式"
)
