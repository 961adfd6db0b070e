"""The city innovation index of Fudan's report on the innovative power of China's cities and
industries: a workbook.

Two shapes: one row a city and year (城市, 年份, 创新指数), or one row a city and a column a year,
as the report's annex prints it, under a title or on a sheet that speaks of the index. The index is
relative (the mean of all cities is 100 in the report's last year) and may be 0 for a city without
patents in force.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, clean_name, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.values import is_missing, missing

TABLE = "innovation__cities"
CITY_HEADS = ("城市", "城市名称", "city")
YEAR_HEADS = ("年份", "year")
INDEX_HEADS = ("创新指数", "城市创新指数", "index", "innovation_index")
FIRST_YEAR, LAST_YEAR = 1990, 2100
HEAD_WITHIN = 5
YEAR_HEAD = re.compile(r"((?:19|20)[0-9]{2})(?:\.0|年)?")


@dataclass(frozen=True)
class Sheet:
    """A sheet with the row of its heads (0-based), and where its city, year and index stand; in a
    wide one each year has a column.
    """

    name: str
    rows: Sequence[Sequence[object]]
    head_at: int
    heads: tuple[str, ...]
    is_wide: bool

    @property
    def place(self) -> str:
        return f"sheet {self.name}"

    def column(self, names: Sequence[str]) -> int:
        return next(at for at, head in enumerate(self.heads) if head in names)

    @property
    def year_columns(self) -> dict[int, int]:
        found = {at: YEAR_HEAD.fullmatch(head) for at, head in enumerate(self.heads)}
        return {at: int(match[1]) for at, match in found.items() if match}


def _sheets(raw: RawFile) -> list[Sheet]:
    """Sheets that hold the index, in either shape."""
    found = []
    for name, rows in read_workbook(raw).items():
        above = clean_name(name)
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            heads = tuple(clean_name(str(cell)) for cell in row)
            if any(head in CITY_HEADS for head in heads):
                is_long = any(head in YEAR_HEADS for head in heads) and any(
                    head in INDEX_HEADS for head in heads
                )
                is_wide = (
                    sum(bool(YEAR_HEAD.fullmatch(head)) for head in heads) > 1 and "创新" in above
                )
                if is_long or is_wide:
                    found.append(Sheet(name, rows, at, heads, not is_long))
                break
            above += "".join(heads)
    return found


def _recognise(raw: RawFile) -> bool:
    return is_workbook(raw) and bool(_sheets(raw))


def _read(raw: RawFile, delivery: Delivery) -> None:
    sheets = _sheets(raw)
    if len(sheets) > 1:
        raise SourceError(
            raw.name,
            sheets[1].place,
            f"holds the index again, after {sheets[0].place}",
            "Keep one of the two sheets",
        )
    delivery.heads(sheets[0].name, sheets[0].heads, _taken(sheets[0]))
    cells = pd.DataFrame(
        _wide(sheets[0]) if sheets[0].is_wide else _long(sheets[0]),
        columns=["line", "city_name", "year_text", "index_text"],
    )
    if cells.empty:
        raise SourceError(
            raw.name, sheets[0].place, "has heads and no rows", "Fetch the file again"
        )
    delivery.read_n += len(cells)
    _deliver(delivery, cells)


def _taken(sheet: Sheet) -> dict[int, str]:
    city = {sheet.column(CITY_HEADS): "city_name"}
    if sheet.is_wide:
        return {**city, **dict.fromkeys(sheet.year_columns, "innovation_index")}
    return {**city, sheet.column(YEAR_HEADS): "year", sheet.column(INDEX_HEADS): "innovation_index"}


def _long(sheet: Sheet) -> list[tuple[int, str, str, str]]:
    city, year, index = (sheet.column(names) for names in (CITY_HEADS, YEAR_HEADS, INDEX_HEADS))
    rows = [
        (line, _cell(row, city), _cell(row, year), _cell(row, index)) for line, row in _body(sheet)
    ]
    return [row for row in rows if any(row[1:])]


def _wide(sheet: Sheet) -> list[tuple[int, str, str, str]]:
    """A row a cell; a blank cell, or one with a mark for nothing, is a year that was not
    printed.
    """
    city, years = sheet.column(CITY_HEADS), sheet.year_columns
    cells = [
        (line, _cell(row, city), str(year), _cell(row, at))
        for line, row in _body(sheet)
        for at, year in years.items()
    ]
    return [cell for cell in cells if not is_missing(cell[3])]


def _body(sheet: Sheet) -> list[tuple[int, Sequence[object]]]:
    return [(at + 1, sheet.rows[at]) for at in range(sheet.head_at + 1, len(sheet.rows))]


def _cell(row: Sequence[object], at: int) -> str:
    return clean_name(str(row[at])) if at < len(row) else ""


def _deliver(delivery: Delivery, cells: pd.DataFrame) -> None:
    year, index = (
        as_numbers(cells["year_text"].str.removesuffix("年")),
        as_numbers(cells["index_text"]),
    )
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    rows = cells.assign(
        city_name=cells["city_name"].map(city_name),
        year=year.where(good_year).astype("Int64"),
        innovation_index=index,
    )
    name, said = (
        rows["city_name"],
        cells["city_name"] + " " + rows["year_text"] + ": " + rows["index_text"],
    )
    unknown = ~name.isin(city_names())
    checks = [
        Check("bad_year", ~good_year, said),
        Check("missing_city", name == "", said),
        Check("unknown_city", unknown, name.where(unknown, "").map(unknown_name_detail)),
        Check("missing_value", missing(rows["index_text"]), said),
        Check("bad_number", index.isna(), said),
        Check("negative_value", index < 0, said),
    ]
    good, aside = sort_out(rows, checks)
    good, again = sort_out(
        good, [Check("duplicate_key", good.duplicated(["city_name", "year"]), said[good.index])]
    )
    delivery.accept(TABLE, good[["line", "city_name", "year", "innovation_index"]])
    delivery.put_aside(TABLE, pd.concat([aside, again], ignore_index=True))


TABLES: Tables = {
    # One row a city and year; the index is relative, without a unit.
    "innovation__cities": {
        "city_name": "varchar",
        "year": "smallint",
        "innovation_index": "double",
    },
}

SOURCE = Source(
    name="innovation",
    title="Innovation index of Chinese cities",
    publisher="Fudan University, Industrial Development Research Center (FIND)",
    citation="寇宗来, 刘学悦 (2017), 中国城市和产业创新力报告2017, 复旦大学产业发展研究中心.",
    licence="Free for research with citation; not redistributed with citytrade",
    tables=TABLES,
    layouts=(Layout("workbook", _recognise, _read),),
)
