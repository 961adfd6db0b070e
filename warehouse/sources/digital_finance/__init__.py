"""The Peking University digital financial inclusion index, of cities and provinces: Stata files,
the published
workbooks, and what people make of both: columns renamed or left out, codes of six digits, csv.

A workbook of the 2011-2020 edition has its counties on the sixth sheet, one of 2011-2023 on a sheet
named Counties; sheets are told apart by their heads, and counties are not read. Codes are numbers
in both (3301.0 is 3301). A year, a name and the aggregate index must be there; a component or a
code that is not is null. The index is built on base-year bounds, so components below zero are
genuine; the aggregate is never negative.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from warehouse.dictionary.places import (
    city_name,
    city_names,
    clean_name,
    province_names,
    unknown_name_detail,
)
from warehouse.errors import SourceError
from warehouse.sources.digital_finance.heads import (
    CITIES,
    CITY_SHAPE,
    COMPONENTS,
    INDEX,
    TABLES,
    Shape,
    has_heads,
    shape_of,
)
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.small_csv import header_of
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.reading.stata_header import stata_release
from warehouse.sources.reading.text import read_rows

FIRST_YEAR, LAST_YEAR = 2011, 2100
HEAD_WITHIN = 10  # the heads stand in one of the first rows


def _recognise_stata(raw: RawFile) -> bool:
    return stata_release(raw) is not None and has_heads(stata_frame(raw).columns)


def _read_stata(raw: RawFile, delivery: Delivery) -> None:
    frame = stata_frame(raw)
    _read_tables(raw, delivery, [("", frame.assign(line=np.arange(1, len(frame) + 1)))])


def _recognise_workbook(raw: RawFile) -> bool:
    return is_workbook(raw) and any(True for _ in _sheets(read_workbook(raw)))


def _read_workbook(raw: RawFile, delivery: Delivery) -> None:
    _read_tables(raw, delivery, _sheets(read_workbook(raw)))


def _recognise_csv(raw: RawFile) -> bool:
    return stata_release(raw) is None and not is_workbook(raw) and has_heads(header_of(raw))


def _read_csv(raw: RawFile, delivery: Delivery) -> None:
    rows: list[list[object]] = [list(row) for row in read_rows(raw)]
    _read_tables(raw, delivery, _sheets({"": rows}))


def _read_tables(
    raw: RawFile, delivery: Delivery, tables: Iterable[tuple[str, pd.DataFrame]]
) -> None:
    seen: set[str] = set()
    for sheet, frame in tables:
        shape = shape_of(list(frame.columns))
        if shape is None:
            continue
        if shape.table in seen:
            raise SourceError(
                raw.name,
                f"sheet {sheet}",
                f"holds {shape.table.split('__')[1]} again",
                "Keep one of the two sheets",
            )
        seen.add(shape.table)
        _deliver(raw, delivery, frame, shape, sheet)
    if not seen:
        raise SourceError(
            raw.name,
            "",
            "holds counties only, which are not read",
            "Name the file of cities or provinces instead",
        )


def _sheets(workbook: dict[str, list[list[object]]]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Sheets whose heads include a year and a measure, as frames with `line` (the row in the
    sheet).
    """
    for sheet, rows in workbook.items():
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            heads = [clean_name(str(cell)) for cell in row]
            if has_heads(heads):
                body = [
                    [*cells[: len(heads)], *[None] * (len(heads) - len(cells))]
                    for cells in rows[at + 1 :]
                ]
                frame = pd.DataFrame(body, columns=heads, dtype=object)
                frame = frame.loc[:, [bool(head) for head in heads]]
                yield sheet, frame.assign(line=np.arange(at + 2, len(rows) + 1))
                break


def _deliver(
    raw: RawFile, delivery: Delivery, frame: pd.DataFrame, shape: Shape, sheet: str
) -> None:
    place = f"sheet {sheet}" if sheet else ""
    found = _found_columns(raw, delivery, frame, shape, sheet)
    blank = frame.drop(columns="line").map(_is_blank).all(axis=1)
    if blank.all():
        raise SourceError(
            raw.name, place, "has heads and no rows", "Fetch the file again from its publisher"
        )
    delivery.read_n += int((~blank).sum())
    rows = frame.loc[~blank, ["line", *found.values()]].set_axis(["line", *found], axis=1)
    rows = rows.reindex(columns=["line", *shape.heads]).astype(object).reset_index(drop=True)
    typed = _typed(rows, shape)
    good, aside = sort_out(typed, _checks(rows, typed, shape, set(found)))
    key = good[shape.code] if shape.code in found else good[shape.name]
    repeated = (
        good[shape.name]
        + " "
        + (good[shape.code] + " " if shape.code in found else "")
        + good["year"].astype(str)
    )
    good, again = sort_out(
        good, [Check("duplicate_key", good.assign(key=key).duplicated(["key", "year"]), repeated)]
    )
    absent = [column for column in shape.columns if column not in found]
    good = good.assign(**dict.fromkeys(absent))
    delivery.accept(shape.table, good[["line", *TABLES[shape.table]]])
    delivery.put_aside(shape.table, pd.concat([aside, again], ignore_index=True))


def _found_columns(
    raw: RawFile, delivery: Delivery, frame: pd.DataFrame, shape: Shape, sheet: str
) -> dict[str, str]:
    """Lake column -> head in this table; every other head is named as unread.

    Raises
    ------
    SourceError : no year, no name or no aggregate index, or a head that stands twice.
    """
    place = f"sheet {sheet}" if sheet else ""
    heads = {clean_name(str(head)).lower(): str(head) for head in reversed(frame.columns)}
    found: dict[str, str] = {}
    for column, names in shape.heads.items():
        name = next((name for name in names if name in heads), None)
        if name is not None:
            found[column] = heads[name]
    missing = [
        shape.heads[column][0] for column in ("year", shape.name, INDEX) if column not in found
    ]
    if missing:
        there = ", ".join(str(head) for head in frame.columns if head != "line")
        raise SourceError(
            raw.name,
            place,
            f"column {', '.join(missing)} is missing; columns found: {there}",
            "Fetch the edition again, or restore the column",
        )
    twice = [head for head in found.values() if list(frame.columns).count(head) > 1]
    if twice:
        raise SourceError(
            raw.name, place, f"names the column {twice[0]} twice", "Delete or rename one of the two"
        )
    taken = {head: column for column, head in found.items()}
    for head in frame.columns:
        if head != "line":
            delivery.column(sheet, str(head), taken.get(head))
    return found


def _typed(rows: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """The rows as the lake wants them; a year or a number that cannot be one is missing."""
    typed = rows[["line"]].copy()
    for name in shape.columns:
        texts = [
            _code(cell, shape.digits) if name in shape.codes else _text(cell) for cell in rows[name]
        ]
        if name == CITY_SHAPE.name:
            texts = [city_name(text) for text in texts]
        typed[name] = pd.Series(texts, index=rows.index, dtype="str")
    for name in ("year", *COMPONENTS):
        typed[name] = pd.Series(
            [_number(cell) for cell in rows[name]], index=rows.index, dtype="float64"
        )
    good_year = typed["year"].between(FIRST_YEAR, LAST_YEAR) & (typed["year"] % 1 == 0)
    typed["year"] = typed["year"].where(good_year).astype("Int64")
    return typed


def _checks(rows: pd.DataFrame, typed: pd.DataFrame, shape: Shape, there: set[str]) -> list[Check]:
    """What is demanded of a row, first demand first; `there` are the columns that the file has."""
    name = typed[shape.name]
    digits = f", {shape.digits} digits expected"
    codes = [
        Check(
            "bad_code",
            ~matches(typed[code], f"[0-9]{{{shape.digits}}}"),
            name + ": code " + typed[code] + digits,
        )
        for code in shape.codes
        if code in there
    ]
    is_city = shape.table == CITIES
    unknown = ~name.isin(city_names() if is_city else province_names())
    said = name.where(unknown, "").map(unknown_name_detail if is_city else _unknown_province)
    numbers = [
        Check(
            "bad_number",
            typed[column].isna() & ~rows[column].map(_is_blank).astype(bool),
            name + f" {column}: " + rows[column].astype(str),
        )
        for column in COMPONENTS
        if column in there
    ]
    return [
        Check("bad_year", typed["year"].isna(), name + ": year " + rows["year"].astype(str)),
        *codes,
        Check("unknown_city" if is_city else "unknown_province", unknown, said),
        *numbers,
        Check("missing_value", typed[INDEX].isna(), name + f": no {INDEX}"),
        Check("negative_value", typed[INDEX] < 0, name + f" {INDEX}: " + rows[INDEX].astype(str)),
    ]


def _unknown_province(name: str) -> str:
    near = difflib.get_close_matches(name, list(province_names()), n=3, cutoff=0.3)
    return f"{name} (nearest names: {', '.join(near)})" if near else name


def _is_blank(cell: object) -> bool:
    return (
        cell is None
        or (isinstance(cell, float) and math.isnan(cell))
        or (isinstance(cell, str) and not cell.strip())
    )


def _number(cell: object) -> float:
    try:
        number = math.nan if isinstance(cell, bool) or _is_blank(cell) else float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _text(cell: object) -> str:
    """A name: blanks around it cut, and in Chinese ones also those inside."""
    text = "" if _is_blank(cell) else str(cell).strip()
    return text if text.isascii() else clean_name(text)


def _code(cell: object, digits: int) -> str:
    """A code as text; one of six digits that ends in zeros is cut to its city's four or its
    province's two.
    """
    number = _number(cell)
    text = str(int(number)) if number.is_integer() else _text(cell)
    return text[:digits] if len(text) == 6 and set(text[digits:]) == {"0"} else text


SOURCE = Source(
    name="digital_finance",
    title="Peking University Digital Financial Inclusion Index of China",
    publisher="Institute of Digital Finance, Peking University",
    citation=(
        "郭峰, 王靖一, 王芳, 孔涛, 张勋, 程志云 (2020), "
        "测度中国数字普惠金融发展: 指数编制与空间特征, 经济学(季刊) 19(4): 1401-1418."
    ),
    licence="Free for research with citation; not redistributed with citytrade",
    tables=TABLES,
    layouts=(
        Layout("stata", _recognise_stata, _read_stata),
        Layout("workbook", _recognise_workbook, _read_workbook),
        Layout("csv", _recognise_csv, _read_csv),
    ),
)
