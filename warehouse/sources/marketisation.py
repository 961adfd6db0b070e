"""The marketisation index of China's provinces (Fan Gang, Wang Xiaolu and others), as tables of
their reports give it.

A workbook or csv with provinces down and years across; titles and notes may stand above and below.
Averages of regions and of the country stand among the provinces: they are set aside as
unknown_province, since models take provinces only. A province's name may be its full or its short
one (内蒙古).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pandas as pd

from warehouse.dictionary.places import clean_name, province_prefixes, without_marks
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.text import read_rows, sniff_text
from warehouse.sources.reading.values import is_missing

TABLE = "marketisation__provinces"
PROVINCE_HEADS = ("地区", "省份", "省市区", "省(市、区)", "province")
YEAR_HEAD = re.compile(r"((?:19|20)[0-9]{2})(?:\.0|年)?")
HEAD_WITHIN = 6
LOWEST, HIGHEST = (
    -10.0,
    20.0,
)  # 0-10 in the base year, but later years pass 10 and the lowest fall below 0


@dataclass(frozen=True)
class Sheet:
    """A sheet whose row `head_at` (0-based) has years in the columns `years` and provinces in the
    column `province_at`.
    """

    name: str
    rows: Sequence[Sequence[object]]
    head_at: int
    province_at: int
    years: dict[int, int]

    @property
    def place(self) -> str:
        return f"sheet {self.name}" if self.name else ""


@cache
def known_provinces() -> frozenset[str]:
    """Full names of provinces, and the same without their kind."""
    return frozenset(province_prefixes())


def _sheets(raw: RawFile) -> list[Sheet]:
    """Sheets with the index: a head of provinces and of at least two years, under or on a sheet
    called 市场化.
    """
    if is_workbook(raw):
        tables = {name: (clean_name(name), rows) for name, rows in read_workbook(raw).items()}
    else:
        text = sniff_text(raw)
        if not text or "市场化" not in text[:4096]:
            return []
        tables = {"": ("", [list(row) for row in read_rows(raw)])}
    found = []
    for name, (above, rows) in tables.items():
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            heads = [clean_name(str(cell)).translate(str.maketrans("（）", "()")) for cell in row]
            years = {
                column: int(match[1])
                for column, head in enumerate(heads)
                if (match := YEAR_HEAD.fullmatch(head))
            }
            province_at = next(
                (column for column, head in enumerate(heads) if head in PROVINCE_HEADS), None
            )
            if province_at is not None and len(years) > 1 and "市场化" in above:
                found.append(Sheet(name, rows, at, province_at, years))
                break
            above += "".join(heads)
    return found


def _recognise(raw: RawFile) -> bool:
    return bool(_sheets(raw))


def _read(raw: RawFile, delivery: Delivery) -> None:
    sheets = _sheets(raw)
    if len(sheets) > 1:
        raise SourceError(
            raw.name,
            sheets[1].place,
            f"holds the index again, after {sheets[0].place}",
            "Keep the sheet of the total index",
        )
    sheet = sheets[0]
    if len(set(sheet.years.values())) < len(sheet.years):
        raise SourceError(
            raw.name, sheet.place, "names a year twice", "Delete or rename one of the two columns"
        )
    taken = {
        sheet.province_at: "province_name",
        **dict.fromkeys(sheet.years, "marketisation_index"),
    }
    delivery.heads(sheet.name, [clean_name(str(cell)) for cell in sheet.rows[sheet.head_at]], taken)
    cells = [
        (line, clean_name(str(row[sheet.province_at])), year, clean_name(str(row[column])))
        for line, row in enumerate(sheet.rows[sheet.head_at + 1 :], start=sheet.head_at + 2)
        for column, year in sheet.years.items()
        if column < len(row) and sheet.province_at < len(row) and not is_missing(row[column])
    ]
    if not cells:
        raise SourceError(raw.name, sheet.place, "has heads and no values", "Fetch the file again")
    delivery.read_n += len(cells)
    _deliver(delivery, pd.DataFrame(cells, columns=["line", "province_name", "year", "found"]))


def _deliver(delivery: Delivery, cells: pd.DataFrame) -> None:
    rows = cells.assign(
        marketisation_index=as_numbers(cells["found"]),
        province_name=cells["province_name"].map(without_marks),
    )
    said = rows["province_name"] + " " + rows["year"].astype(str) + ": " + rows["found"]
    checks = [
        Check("unknown_province", ~rows["province_name"].isin(known_provinces()), said),
        Check("bad_number", rows["marketisation_index"].isna(), said),
        Check("out_of_range", ~rows["marketisation_index"].between(LOWEST, HIGHEST), said),
    ]
    good, aside = sort_out(rows, checks)
    good, again = sort_out(
        good, [Check("duplicate_key", good.duplicated(["province_name", "year"]), said[good.index])]
    )
    delivery.accept(TABLE, good[["line", "province_name", "year", "marketisation_index"]])
    delivery.put_aside(TABLE, pd.concat([aside, again], ignore_index=True))


TABLES: Tables = {
    "marketisation__provinces": {
        "province_name": "varchar",
        "year": "smallint",
        "marketisation_index": "double",
    },
}

SOURCE = Source(
    name="marketisation",
    title="Marketisation index of China's provinces",
    publisher="National Economic Research Institute, China Reform Foundation",
    citation=(
        "樊纲, 王小鲁, 朱恒鹏 (2011), 中国市场化指数; 王小鲁, 胡李鹏, 樊纲 (2021), "
        "中国分省份市场化指数报告(2021), 社会科学文献出版社."
    ),
    licence="Printed in reports; not redistributed with citytrade",
    tables=TABLES,
    layouts=(Layout("provinces_by_year", _recognise, _read),),
)
