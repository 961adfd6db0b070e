"""Downloads of the statistics office's query site (data.stats.gov.cn): one indicator of many
places, or many of one place.

    数据库：分省年度数据                          数据库：主要城市年度数据
    指标：地区生产总值(亿元)                      地区：广州
    时间：最近20年                                时间：最近20年
    地区,2024年,2023年,2022年,...                 指标,2018年,2017年,...
    北京市,49670.2,47353.7,45222.4,...            国内生产总值(亿元),,21503.15,...
    注：...                                       数据来源：国家统计局
    数据来源：国家统计局

As csv in GBK or as a workbook; the newest year comes first. The database says whether the places
are provinces or cities.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, Layout, RawFile
from warehouse.sources.yearbook.cells import Column as Cells
from warehouse.sources.yearbook.cells import Row, count_cells, is_blank
from warehouse.sources.yearbook.judging import deliver, deliver_provinces
from warehouse.sources.yearbook.parsing import (
    Quantity,
    known_quantity,
    no_known_column,
    normal_head,
)
from warehouse.sources.yearbook.tables import Table, first_rows, tables_of

VINTAGE = "nbs_query"
PREAMBLE = re.compile(r"(数据库|指标|地区|时间)[:：](.*)")
YEAR_HEAD = re.compile(r"((?:19|20)\d{2})年?")
FOOTER = re.compile(r"(数据来源|注)[:：]")
HEAD_WITHIN = 6


@dataclass(frozen=True)
class Query:
    """One download: what its preamble says, its row of heads (0-based) and the year of each
    column.
    """

    table: Table
    said: dict[str, str]
    head_at: int
    years: dict[int, int]  # column -> year

    @property
    def place(self) -> str:
        return self.table.place(self.head_at + 1)

    @property
    def by_region(self) -> bool:
        return _text(self.table.rows[self.head_at], 0) == "地区"


def recognise(raw: RawFile) -> bool:
    return any(
        "数据库" in _said(table) and _head_at(table) is not None for table in first_rows(raw)
    )


def read(raw: RawFile, delivery: Delivery) -> None:
    provinces: list[pd.DataFrame] = []
    cities: list[pd.DataFrame] = []
    for table in tables_of(raw):
        head_at = _head_at(table)
        if head_at is None or "数据库" not in _said(table):
            continue
        query = _query(raw, table, head_at)
        (provinces if _is_of_provinces(raw, query) else cities).append(_cells(raw, delivery, query))
    for parts, hand_over in ((cities, deliver), (provinces, deliver_provinces)):
        if parts:
            hand_over(delivery, pd.concat(parts, ignore_index=True), VINTAGE)


def _said(table: Table) -> dict[str, str]:
    """What the preamble says under 数据库, 指标 or 地区, and 时间."""
    found = (PREAMBLE.fullmatch(_text(row, 0)) for row in table.rows[:HEAD_WITHIN])
    return {match[1]: match[2] for match in found if match}


def _head_at(table: Table) -> int | None:
    return next(
        (
            at
            for at, row in enumerate(table.rows[:HEAD_WITHIN])
            if _text(row, 0) in ("地区", "指标") and len(row) > 1
        ),
        None,
    )


def _query(raw: RawFile, table: Table, head_at: int) -> Query:
    """
    Raises
    ------
    SourceError : heads that are no years, as in a quarterly or monthly table.
    """
    row, years = table.rows[head_at], {}
    for index in range(1, len(row)):
        if is_blank(row[index]):
            continue
        match = YEAR_HEAD.fullmatch(_text(row, index))
        if match is None:
            problem = f"has the column {_text(row, index)}, which is no year"
            raise SourceError(
                raw.name,
                table.place(head_at + 1),
                problem,
                "Query yearly data: quarters and months are not read",
            )
        years[index] = int(match[1])
    return Query(table, _said(table), head_at, years)


def _is_of_provinces(raw: RawFile, query: Query) -> bool:
    database = query.said["数据库"]
    if "省" in database:
        return True
    if "城市" in database:
        return False
    problem = f"is from the database {database}, which is of neither provinces nor cities"
    raise SourceError(
        raw.name,
        query.table.place(1),
        problem,
        "Query 分省年度数据 or 主要城市年度数据, or take the file out of the configuration",
    )


def _cells(raw: RawFile, delivery: Delivery, query: Query) -> pd.DataFrame:
    """The non-blank cells, in the shape that `melt` gives them."""
    rows = _body(raw, query)
    said = query.said.get("指标" if query.by_region else "地区", "")
    if not said:
        raise SourceError(
            raw.name,
            query.table.place(2),
            f"does not say its {'indicator' if query.by_region else 'region'}",
            "Download it again",
        )
    heads = [said] if query.by_region else [_text(row, 0) for _, row in rows]
    quantities = _quantities(raw, delivery, query, heads)
    known = [
        (line, row, head, quantity)
        for line, row in rows
        if (quantity := quantities[head := said if query.by_region else _text(row, 0)]) is not None
    ]
    columns = [Cells(index, "", "", "", 1.0) for index in query.years]
    delivery.read_n += count_cells([(line, row) for line, row, _, _ in known], columns)
    cells: list[tuple[object, ...]] = []
    for line, row, head, quantity in known:
        name = _text(row, 0) if query.by_region else said
        keys = line, name, quantity.scope or "unstated", quantity.indicator
        cells.extend(
            (*keys, year, row[index], quantity.factor, normal_head(head))
            for index, year in query.years.items()
            if index < len(row) and not is_blank(row[index])
        )
    frame = pd.DataFrame(
        cells,
        columns=["line", "city_name", "scope", "indicator", "year", "cell", "factor", "header"],
    )
    place = f"sheet {query.table.name}" if query.table.kind == "sheet" else ""
    return frame.astype({"year": object, "cell": object}).assign(
        place=place, city_code_published=None, is_interpolated=False
    )


def _quantities(
    raw: RawFile, delivery: Delivery, query: Query, heads: list[str]
) -> dict[str, Quantity | None]:
    """What each indicator counts; None for one that is not known.

    Raises
    ------
    SourceError : none is known.
    """
    quantities = {head: known_quantity(head, raw.name, query.place) for head in heads}
    for head, quantity in quantities.items():
        delivery.column(
            query.table.name,
            head,
            quantity.indicator if quantity else None,
            None if quantity else "not known",
        )
    if not any(quantities.values()):
        raise no_known_column(raw.name, query.place, list(quantities))
    return quantities


def _body(raw: RawFile, query: Query) -> list[tuple[int, Row]]:
    """Rows between the heads and the notes, with their lines.

    Raises
    ------
    SourceError : a csv whose rows have other numbers of fields than heads: cut off, or shifted by a
        comma in a number.
    """
    width, rows = len(query.table.rows[query.head_at]), []
    for at in range(query.head_at + 1, len(query.table.rows)):
        row = query.table.rows[at]
        if FOOTER.match(_text(row, 0)):
            break
        if all(is_blank(cell) for cell in row):
            continue
        if query.table.kind == "csv" and len(row) != width:
            problem = (
                f"has {len(row)} of {width} fields: the file is cut off, or a number has a comma"
            )
            raise SourceError(raw.name, f"line {at + 1}", problem, "Download the file again")
        rows.append((at + 1, row))
    return rows


def _text(row: Row, index: int) -> str:
    """A cell as text without blanks; a year typed as a number loses its `.0`."""
    cell = row[index] if index < len(row) else ""
    return (
        str(int(cell))
        if isinstance(cell, float) and cell.is_integer()
        else clean_name(str(cell or ""))
    )


LAYOUT = Layout(VINTAGE, recognise, read)
