"""Consumer prices by city and category, previous year = 100: one row a city and year, one column a
category.

Up to 2015 the statistics offices print eight categories, from 2016 on eight others; a name that
stands for the same goods in both keeps its name here.
"""

from __future__ import annotations

import re

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.headed import Cells, Headed, has_head, read_headed
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out

TABLE = "prices__consumer"
YEAR_HEADS, CITY_HEADS = ("年份", "年度"), ("城市", "地区", "城市名称")
LOWEST, HIGHEST = (
    50.0,
    200.0,
)  # previous year = 100; no category of a city has halved or doubled in a year

# Category -> the heads under which it is printed, without 类, the word index and the base.
CATEGORIES = {
    "all_items": ("居民消费", "居民消费总", "居民消费价格总", "总", "CPI"),
    "food": ("食品",),
    "tobacco_liquor": ("烟酒", "烟酒及用品"),
    "clothing": ("衣着",),
    "household_equipment": (
        "家庭设备及维修",
        "家庭设备和维修",
        "家庭设备用品及维修服务",
        "家庭设备用品及服务",
    ),
    "medical": ("医疗", "医疗保健和个人用品", "医疗保健及个人用品"),
    "transport_communication": ("交通和通信", "交通及通信"),
    "recreation_education": ("娱乐教育文化", "娱乐教育文化用品及服务", "娱乐教育文化用品和服务"),
    "housing": ("居住",),
    "food_tobacco_liquor": ("食品烟酒",),
    "household_goods": ("生活用品及服务",),
    "education_recreation": ("教育文化和娱乐", "教育文化及娱乐"),
    "health": ("医疗保健",),
    "other_goods": ("其他用品和服务", "其他用品及服务"),
}
BY_HEAD = {head: category for category, heads in CATEGORIES.items() for head in heads}


def _category(head: str) -> str | None:
    plain = re.sub(r"[(（].*?[)）]", "", head)
    plain = re.sub(r"(价格)?(指数)?$", "", plain).removesuffix("类").replace("、", "")
    return BY_HEAD.get(plain)


def _is_head(cells: Cells) -> bool:
    names = [name for cell in cells if (name := _category(cell))]
    return any(cell in YEAR_HEADS for cell in cells) and len(names) >= 3


def is_consumer_prices(raw: RawFile) -> bool:
    return has_head(raw, _is_head)


def read_consumer_prices(raw: RawFile, delivery: Delivery) -> None:
    cells = pd.concat(
        [_cells(raw, delivery, piece) for piece in read_headed(raw, _is_head)], ignore_index=True
    )
    delivery.read_n = len(cells)
    index = as_numbers(cells["text"])
    good_year = matches(cells["year_text"], "(19|20)[0-9]{2}")
    found = (
        cells["city_name"]
        + " "
        + cells["year_text"]
        + ", "
        + cells["category"]
        + ": "
        + cells["text"]
    )
    unknown = ~cells["city_name"].isin(city_names())
    frame = cells.assign(
        index_pct=index, year=pd.to_numeric(cells["year_text"].where(good_year)).astype("Int64")
    )
    good, aside = sort_out(
        frame,
        [
            Check("bad_year", ~good_year, found),
            Check(
                "unknown_city",
                unknown,
                cells["city_name"].where(unknown, "").map(unknown_name_detail),
            ),
            Check("bad_number", index.isna(), found),
            Check("out_of_range", ~index.between(LOWEST, HIGHEST), found),
            Check("duplicate_key", cells.duplicated(["city_name", "year_text", "category"]), found),
        ],
    )
    delivery.accept(TABLE, good[["line", "city_name", "year", "category", "index_pct"]])
    delivery.put_aside(TABLE, aside)


def _cells(raw: RawFile, delivery: Delivery, piece: Headed) -> pd.DataFrame:
    """One row a filled cell of a category."""
    heads = piece.heads
    year = next(at for at, head in enumerate(heads) if head in YEAR_HEADS)
    city = next((at for at, head in enumerate(heads) if head in CITY_HEADS), None)
    if city is None:
        raise SourceError(
            raw.name,
            piece.place,
            f"has no column of cities (heads: {', '.join(heads)})",
            f"Name the column {CITY_HEADS[0]}",
        )
    columns = {at: name for at, head in enumerate(heads) if (name := _category(head))}
    if len(set(columns.values())) < len(columns):
        raise SourceError(
            raw.name,
            piece.place,
            "gives a category in two columns",
            "Delete or rename one of the two",
        )
    delivery.heads(
        piece.sheet, heads, {year: "year", city: "city_name", **dict.fromkeys(columns, "index_pct")}
    )
    rows = [
        (line, city_name(cells[city]), cells[year], name, cells[at])
        for line, cells in piece.rows
        for at, name in columns.items()
        if cells[at]
    ]
    return pd.DataFrame(rows, columns=["line", "city_name", "year_text", "category", "text"])
