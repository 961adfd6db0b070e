"""Yearly average exchange rates: CNY for one USD, a workbook or csv with the heads 年份 and
1美元兑人民币（元）.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import Check, as_numbers, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.text import is_foreign_text, read_rows, sniff_text

TABLE = "prices__exchange_rates"
YEAR_HEAD, RATE_HEAD = "年份", "1美元兑人民币(元)"
FIRST_YEAR, LAST_YEAR = 1949, 2100
LOWEST, HIGHEST = 0.5, 20.0  # CNY per USD; it has been between 1.5 (1980) and 8.7 (1994)
HEAD_WITHIN = 5


def is_exchange_rates(raw: RawFile) -> bool:
    if is_workbook(raw):
        return any(_head_at(rows) is not None for rows in read_workbook(raw).values())
    if is_foreign_text(raw):
        return True  # so that reading it says what is wrong with its encoding
    text = sniff_text(raw)
    return (
        text is not None
        and _head_at([line.split(",") for line in text.splitlines()[:HEAD_WITHIN]]) is not None
    )


def read_exchange_rates(raw: RawFile, delivery: Delivery) -> None:
    sheets: dict[str, list[list[object]]] = (
        read_workbook(raw) if is_workbook(raw) else {"": [list(row) for row in read_rows(raw)]}
    )
    headed = next(
        ((name, rows, at) for name, rows in sheets.items() if (at := _head_at(rows)) is not None),
        None,
    )
    if headed is None:
        raise SourceError(
            raw.name,
            "",
            f"has no head {RATE_HEAD}",
            f"Name the columns {YEAR_HEAD} and {RATE_HEAD}",
        )
    sheet, rows, head_at = headed
    heads = [_head(cell) for cell in rows[head_at]]
    for wanted in (YEAR_HEAD, RATE_HEAD):
        if wanted not in heads:
            place = f"sheet {sheet}" if sheet else f"line {head_at + 1}"
            found = ", ".join(head for head in heads if head)
            raise SourceError(
                raw.name,
                place,
                f"column {wanted} is missing; columns found: {found}",
                f"Name the column {wanted}",
            )
    year_at, rate_at = heads.index(YEAR_HEAD), heads.index(RATE_HEAD)
    delivery.heads(sheet, heads, {year_at: "year", rate_at: "cny_per_usd"})
    pairs = [
        (at + 1, _cell(rows[at], year_at), _cell(rows[at], rate_at))
        for at in range(head_at + 1, len(rows))
    ]
    pairs = [pair for pair in pairs if pair[1] or pair[2]]
    if not pairs:
        raise SourceError(
            raw.name, sheet and f"sheet {sheet}", "has heads and no rows", "Fetch the file again"
        )
    delivery.read_n += len(pairs)
    _deliver(delivery, pd.DataFrame(pairs, columns=["line", "published_year", "published_rate"]))


def _deliver(delivery: Delivery, rows: pd.DataFrame) -> None:
    year, rate = as_numbers(rows["published_year"]), as_numbers(rows["published_rate"])
    good_year = year.between(FIRST_YEAR, LAST_YEAR) & (year % 1 == 0)
    rows = rows.assign(year=year.where(good_year).astype("Int64"), cny_per_usd=rate)
    found = "year " + rows["published_year"] + ", CNY per USD " + rows["published_rate"]
    checks = [
        Check("bad_year", ~good_year, found),
        Check("bad_number", rate.isna(), found),
        Check("out_of_range", ~rate.between(LOWEST, HIGHEST), found),
    ]
    good, aside = sort_out(rows, checks)
    good, again = sort_out(
        good, [Check("duplicate_key", good.duplicated("year"), found[good.index])]
    )
    delivery.accept(TABLE, good[["line", "year", "cny_per_usd"]])
    delivery.put_aside(TABLE, pd.concat([aside, again], ignore_index=True))


def _head_at(rows: Sequence[Sequence[object]]) -> int | None:
    """The row (0-based) with a head that speaks of yuan for dollars; whether it is spelt as it must
    be is asked later.
    """
    return next(
        (
            at
            for at, row in enumerate(rows[:HEAD_WITHIN])
            if any("美元兑人民币" in _head(cell) for cell in row)
        ),
        None,
    )


def _head(cell: object) -> str:
    return clean_name(str(cell)).strip('"').translate(str.maketrans("（）", "()"))


def _cell(row: list[object], index: int) -> str:
    return clean_name(str(row[index])) if index < len(row) else ""
