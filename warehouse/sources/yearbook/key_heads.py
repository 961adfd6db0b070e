"""The heads under which tables of cities name their keys."""

from __future__ import annotations

from collections.abc import Sequence

from warehouse.sources.yearbook.parsing import (
    normal_head,
)

YEAR_HEADS = ("年份", "年度", "year", "年", "时间")
YEARBOOK_HEADS = ("年鉴年份", "年鉴", "yearbook", "yearbook_year")
CITY_HEADS = (
    "城市",
    "城市名称",
    "地级市",
    "市",
    "地区",
    "city",
    "city_name",
    "cityname",
    "city_zh",
)
CODE_HEADS = ("行政区划代码", "城市代码", "地区代码", "市代码", "city_code", "citycode")
COUNTY_HEADS = (
    "区县",
    "县区",
    "县",
    "区(县)",
    "县(区)",
    "县市区",
    "区县名称",
    "县名",
    "county",
    "county_name",
)
NUMBER_HEADS = ("序号", "编号", "id", "no")
KEY_HEADS = {*YEAR_HEADS, *YEARBOOK_HEADS, *CITY_HEADS, *CODE_HEADS, *NUMBER_HEADS}


def index_of(heads: Sequence[object], wanted: tuple[str, ...]) -> int | None:
    names = [plain_name(head) for head in heads]
    return next((names.index(name) for name in wanted if name in names), None)


def plain_name(head: object) -> str:
    return normal_head(head).lower()
