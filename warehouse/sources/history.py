"""What cities were before the reforms: post offices, telephones and density in 1984, railways in
1933, and the districts' land.

Compilers hand these on as one table a theme, a row a city; a head says what it holds by its words,
its year and its unit (1984年邮局数量(个), 1984年电话数(万部), 1933年是否通铁路). A table may hold
any of the five; what it lacks stays null. Values that no city can have are set aside, and so is a
name that no list of cities knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, clean_name, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.text import is_foreign_text, read_rows, sniff_text
from warehouse.sources.reading.values import missing

TABLE = "history__cities"
CITY_HEADS = ("城市", "地级市", "城市名称", "市")
HEADS: Mapping[str, str] = {
    "post_offices_1984_n": "1984年?.*邮(电)?局",
    "telephones_1984_n": "1984年?.*电话",
    "population_density_1984": "1984年?.*人口密度",
    "has_railway_1933": "1933年?.*铁路",
    "district_land_area_km2": "市辖区.*(土地)?面积",
}
MULTIPLES = {"万部": 1e4, "万个": 1e4, "万户": 1e4, "公顷": 0.01}
YES, NO = ("1", "1.0", "是", "有", "通"), ("0", "0.0", "否", "无", "不通")
HEAD_WITHIN = 5


def _recognise(raw: RawFile) -> bool:
    if is_workbook(raw):
        return any(_head_at(rows) is not None for rows in read_workbook(raw).values())
    if is_foreign_text(raw):
        return True  # so that reading it says what is wrong with its encoding
    text = sniff_text(raw)
    return (
        text is not None
        and _head_at([line.split(",") for line in text.splitlines()[:HEAD_WITHIN]]) is not None
    )


def _head_at(rows: Sequence[Sequence[object]]) -> int | None:
    """The row (0-based) with the heads: one of them speaks of 1984, 1933 or the districts' area."""
    return next(
        (at for at, row in enumerate(rows[:HEAD_WITHIN]) if _fields([_text(cell) for cell in row])),
        None,
    )


def _fields(heads: list[str]) -> dict[str, int]:
    return {
        field: at
        for field, pattern in HEADS.items()
        for at, head in enumerate(heads)
        if re.search(pattern, head)
    }


def _text(cell: object) -> str:
    return clean_name(str(cell)).strip('"').translate(str.maketrans("（）", "()"))


def _read(raw: RawFile, delivery: Delivery) -> None:
    sheets: dict[str, list[list[object]]] = (
        read_workbook(raw) if is_workbook(raw) else {"": [list(row) for row in read_rows(raw)]}
    )
    name, rows, head_at = next(
        (name, rows, at) for name, rows in sheets.items() if (at := _head_at(rows)) is not None
    )
    place = f"sheet {name}" if name else f"line {head_at + 1}"
    heads = [_text(cell) for cell in rows[head_at]]
    city_at = next((heads.index(head) for head in CITY_HEADS if head in heads), None)
    if city_at is None:
        raise SourceError(
            raw.name,
            place,
            f"has no column of cities; columns found: {', '.join(heads)}",
            f"Name the column {CITY_HEADS[0]}",
        )
    fields = _fields(heads)
    filled = [
        (at + 1, [_text(cell) for cell in row])
        for at, row in enumerate(rows)
        if at > head_at and any(_text(cell) for cell in row)
    ]
    if not filled:
        raise SourceError(raw.name, place, "has heads and no rows", "Fetch the file again")
    delivery.heads(
        name, heads, {city_at: "city_name", **{at: field for field, at in fields.items()}}
    )
    cells = {
        field: [row[at] if at < len(row) else "" for _, row in filled]
        for field, at in {"city_name": city_at, **fields}.items()
    }
    delivery.read_n += len(filled)
    _deliver(delivery, pd.DataFrame({"line": [line for line, _ in filled], **cells}), heads, fields)


def _deliver(
    delivery: Delivery, text: pd.DataFrame, heads: list[str], fields: Mapping[str, int]
) -> None:
    text = text.assign(city_name=text["city_name"].map(city_name))
    rows = text[["line", "city_name"]].copy()
    checks = [
        Check("missing_city", text["city_name"] == "", pd.Series("", index=text.index)),
        Check(
            "unknown_city",
            ~text["city_name"].isin(city_names()),
            text["city_name"].map(unknown_name_detail),
        ),
    ]
    for field, at in fields.items():
        found = heads[at] + ": " + text[field]
        if field == "has_railway_1933":
            rows[field] = (
                text[field]
                .map({**dict.fromkeys(YES, True), **dict.fromkeys(NO, False)})
                .astype("boolean")
            )
            checks.append(
                Check("bad_number", ~(text[field].isin((*YES, *NO)) | missing(text[field])), found)
            )
        else:
            number = as_numbers(text[field])
            rows[field] = number * next(
                (factor for unit, factor in MULTIPLES.items() if f"({unit})" in heads[at]), 1.0
            )
            checks += [
                Check("bad_number", number.isna() & ~missing(text[field]), found),
                Check("negative_value", number < 0, found),
            ]
    checks.append(Check("duplicate_key", text.duplicated("city_name"), text["city_name"]))
    good, aside = sort_out(rows, checks)
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, aside)


TABLES: Tables = {
    # One row a city of a compiler's list of what cities were long ago.
    "history__cities": {
        "city_name": "varchar",
        "post_offices_1984_n": "double",
        "telephones_1984_n": "double",
        "population_density_1984": "double",  # persons per km2
        "has_railway_1933": "boolean",
        "district_land_area_km2": "double",
    },
}

SOURCE = Source(
    name="history",
    title="Cities in 1933 and 1984: railways, post offices, telephones, density",
    publisher=(
        "Compiled by researchers from the China Urban Statistical Yearbook 1985 and railway maps "
        "of 1933"
    ),
    citation=(
        "国家统计局, 中国城市统计年鉴1985; 1933年中国铁路路线图, "
        "as compiled for instruments of urban density and connectivity."
    ),
    licence="Facts; the compilers' tables are not distributed with citytrade",
    tables=TABLES,
    layouts=(Layout("city_history", _recognise, _read),),
)
