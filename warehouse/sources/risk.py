"""The geopolitical risk index of Caldara and Iacoviello, by country and month: the workbook or csv
that its authors export.

One row a month with many series. Those named GPRC_ and a country's three letters are read: the
share of articles, in per cent, in ten recent newspapers (from 1985). A month without the series is
a blank cell. The month stands as a date, as a spreadsheet's day number, or as text (2008-01-01,
2008M01, 2008m1).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

import pandas as pd

from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.text import read_rows, sniff_text
from warehouse.sources.reading.values import is_missing

TABLE = "risk__geopolitical"
SERIES = re.compile(r"GPRC_([A-Z]{3})")
MONTH = re.compile(r"((?:18|19|20)[0-9]{2})(?:[Mm]|-)([0-9]{1,2})(?:-01(?:[ T]00:00:00)?)?")
FIRST_DAY = datetime.date(
    1899, 12, 30
)  # day 0 of a spreadsheet's dates, for all after February 1900
FIRST_YEAR, LAST_YEAR = 1900, 2100


def _is_head(cells: Sequence[object]) -> bool:
    return (
        bool(cells)
        and str(cells[0]).strip().lower() == "month"
        and any(SERIES.fullmatch(str(cell).strip()) for cell in cells)
    )


def _rows(raw: RawFile) -> tuple[str, list[list[object]]]:
    """Name and rows of the first sheet that has the head, from the head on; none where there is no
    such sheet.
    """
    if is_workbook(raw):
        return next(
            (
                (name, rows)
                for name, rows in read_workbook(raw).items()
                if rows and _is_head(rows[0])
            ),
            ("", []),
        )
    text = sniff_text(raw)
    if text is None or not text or not _is_head(text.splitlines()[0].split(",")):
        return "", []
    return "", [list(row) for row in read_rows(raw)]


def _recognise(raw: RawFile) -> bool:
    return bool(_rows(raw)[1])


def _read(raw: RawFile, delivery: Delivery) -> None:
    name, rows = _rows(raw)
    heads = [str(cell).strip() for cell in rows[0]]
    series = {at: match[1] for at, head in enumerate(heads) if (match := SERIES.fullmatch(head))}
    if len(set(series.values())) < len(series):
        raise SourceError(
            raw.name, "line 1", "names a country twice", "Delete or rename one of the two columns"
        )
    delivery.heads(name, heads, {0: "month", **dict.fromkeys(series, "articles_pct")})
    if len(rows) == 1:
        raise SourceError(
            raw.name,
            "line 1",
            "has a header and no rows",
            "Fetch the file again from its publisher",
        )
    cells = [
        (line, row[0], iso3, str(row[at]).strip())
        for line, row in enumerate(rows[1:], start=2)
        for at, iso3 in series.items()
        if at < len(row) and not is_missing(row[at])
    ]
    delivery.read_n += len(cells)
    _deliver(delivery, pd.DataFrame(cells, columns=["line", "published_month", "iso3", "found"]))


def _deliver(delivery: Delivery, cells: pd.DataFrame) -> None:
    moments = {month: _month(month) for month in cells["published_month"].unique()}
    year, month = (
        cells["published_month"]
        .map({key: pair[part] for key, pair in moments.items()})
        .astype("Int64")
        for part in (0, 1)
    )
    rows = cells.assign(year=year, month=month, articles_pct=as_numbers(cells["found"]))
    said = rows["iso3"] + " " + rows["published_month"].astype(str) + ": " + rows["found"]
    checks = [
        Check("bad_date", rows["year"].isna(), said),
        Check("bad_number", rows["articles_pct"].isna(), said),
        Check("out_of_range", ~rows["articles_pct"].between(0, 100), said),
    ]
    good, aside = sort_out(rows, checks)
    good, again = sort_out(
        good, [Check("duplicate_key", good.duplicated(["iso3", "year", "month"]), said[good.index])]
    )
    delivery.accept(TABLE, good[["line", "iso3", "year", "month", "articles_pct"]])
    delivery.put_aside(TABLE, pd.concat([aside, again], ignore_index=True))


def _month(cell: object) -> tuple[int | None, int | None]:
    """Year and month of a cell that holds a date in any of the ways above; a day other than the
    first is no month.
    """
    text = str(cell).strip()
    if (
        isinstance(cell, int | float)
        and not isinstance(cell, bool)
        and float(cell).is_integer()
        and 0 < cell < 100_000
    ):
        cell = FIRST_DAY + datetime.timedelta(days=int(cell))
    if isinstance(cell, datetime.date):
        return (
            (cell.year, cell.month)
            if cell.day == 1 and FIRST_YEAR <= cell.year <= LAST_YEAR
            else (None, None)
        )
    match = MONTH.fullmatch(text)
    if match and 1 <= int(match[2]) <= 12:
        return int(match[1]), int(match[2])
    return None, None


TABLES: Tables = {
    # One row a country and month: share of newspaper articles, per cent.
    "risk__geopolitical": {
        "iso3": "varchar",
        "year": "smallint",
        "month": "tinyint",
        "articles_pct": "double",
    },
}

SOURCE = Source(
    name="risk",
    title="Geopolitical risk index by country, monthly",
    publisher="Dario Caldara and Matteo Iacoviello",
    citation=(
        "Caldara, D., and M. Iacoviello (2022), Measuring geopolitical risk, American Economic"
        " Review 112(4): 1194-1225; data at matteoiacoviello.com/gpr.htm."
    ),
    licence="Free with citation",
    tables=TABLES,
    layouts=(Layout("gpr_export", _recognise, _read),),
)
