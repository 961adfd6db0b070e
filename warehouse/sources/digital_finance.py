"""The Peking University digital financial inclusion index, of cities and provinces: Stata files and the published workbooks.

A workbook of the 2011-2020 edition has its counties on the sixth sheet, one of 2011-2023 on a sheet named Counties;
sheets are told apart by their heads, and counties are not read. Codes are numbers in both (3301.0 is 3301).
The index is built on base-year bounds, so components below zero are genuine; the aggregate is never negative.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.dictionary.places import city_names, clean_name, province_names, unknown_name_detail
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.sheets import is_workbook, read_workbook
from warehouse.sources.reading.stata import stata_frame, stata_release

_MEASURES = dict.fromkeys(
    (
        "index_aggregate",
        "coverage_breadth",
        "usage_depth",
        "payment",
        "insurance",
        "monetary_fund",
        "investment",
        "credit",
        "credit_investigation",
        "digitization_level",
    ),
    "double",
)

TABLES: Tables = {
    "digital_finance__cities": {
        "year": "smallint",
        "name_2018": "varchar",
        "name_2018_en": "varchar",
        "code_2018": "varchar",
        "name_2014": "varchar",
        "code_2014": "varchar",
        **_MEASURES,
    },
    "digital_finance__provinces": {"year": "smallint", "province_name": "varchar", "province_code": "varchar", **_MEASURES},
}

CITIES, PROVINCES = "digital_finance__cities", "digital_finance__provinces"
FIRST_YEAR, LAST_YEAR = 2011, 2100
HEAD_WITHIN = 10  # the heads stand in one of the first rows
COMPONENTS = tuple(name for name, kind in TABLES[CITIES].items() if kind == "double")
INDEX = "index_aggregate"


@dataclass(frozen=True)
class Shape:
    """One table's columns as published, the key among them, and how many digits its code has."""

    table: str
    code: str
    name: str
    digits: int
    columns: dict[str, str]  # lake column -> published head

    @property
    def codes(self) -> list[str]:
        return [column for column in self.columns if "code" in column]


CITY_SHAPE = Shape(
    CITIES,
    code="code_2018",
    name="name_2018",
    digits=4,
    columns={
        "name_2018": "pref_name_year18", "name_2018_en": "pref_name_year18_eng", "code_2018": "pref_code_year18",
        "name_2014": "pref_name_year14", "code_2014": "pref_code_year14",
    },
)  # fmt: skip
PROVINCE_SHAPE = Shape(PROVINCES, code="province_code", name="province_name", digits=2, columns={"province_name": "prov_name", "province_code": "prov_code"})


def _recognise_stata(raw: RawFile) -> bool:
    return stata_release(raw) is not None and INDEX.encode() in raw.head


def _read_stata(raw: RawFile, delivery: Delivery) -> None:
    frame = stata_frame(raw)
    shape = _shape_of(list(frame.columns))
    if shape is None:
        raise _only_counties(raw)
    frame.insert(0, "line", np.arange(1, len(frame) + 1))
    _deliver(raw, delivery, frame, shape, "")


def _recognise_workbook(raw: RawFile) -> bool:
    return is_workbook(raw) and any(True for _ in _sheets(raw))


def _read_workbook(raw: RawFile, delivery: Delivery) -> None:
    seen: set[str] = set()
    for sheet, frame in _sheets(raw):
        shape = _shape_of(list(frame.columns))
        if shape is None:
            continue
        if shape.table in seen:
            raise SourceError(raw.name, f"sheet {sheet}", f"holds {shape.table.split('__')[1]} again", "Keep one of the two sheets")
        seen.add(shape.table)
        _deliver(raw, delivery, frame, shape, f"sheet {sheet}")
    if not seen:
        raise _only_counties(raw)


def _sheets(raw: RawFile) -> Iterator[tuple[str, pd.DataFrame]]:
    """Sheets whose heads include a year and the aggregate index, as frames with `line` (the row in the sheet)."""
    for sheet, rows in read_workbook(raw).items():
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            heads = [clean_name(str(cell)) for cell in row]
            if "year" in heads and (INDEX in heads or set(COMPONENTS) & set(heads)):
                frame = pd.DataFrame(rows[at + 1 :], columns=heads, dtype=object)
                frame = frame.loc[:, [bool(head) for head in heads]]
                frame.insert(0, "line", np.arange(at + 2, len(rows) + 1))
                yield sheet, frame
                break


def _shape_of(heads: list[str]) -> Shape | None:
    """Cities or provinces; None for counties."""
    if any(str(head).startswith("county_") for head in heads):
        return None
    return CITY_SHAPE if any(str(head).startswith("pref_") for head in heads) else PROVINCE_SHAPE


def _deliver(raw: RawFile, delivery: Delivery, frame: pd.DataFrame, shape: Shape, place: str) -> None:
    published = {"year": "year", **shape.columns, **{name: name for name in COMPONENTS}}
    missing = [head for head in published.values() if head not in frame.columns]
    if missing:
        found = ", ".join(str(head) for head in frame.columns[1:])
        raise SourceError(raw.name, place, f"column {', '.join(missing)} is missing; columns found: {found}", "Fetch the edition again, or restore the column")
    twice = [head for head in published.values() if list(frame.columns).count(head) > 1]
    if twice:
        raise SourceError(raw.name, place, f"names the column {twice[0]} twice", "Delete or rename one of the two")
    blank = frame.drop(columns="line").map(_is_blank).all(axis=1)
    if blank.all():
        raise SourceError(raw.name, place, "has heads and no rows", "Fetch the file again from its publisher")
    delivery.read_n += int((~blank).sum())
    rows = frame.loc[~blank, ["line", *published.values()]].set_axis(["line", *published], axis=1).reset_index(drop=True)
    typed = _typed(rows, shape)
    good, aside = sort_out(typed, _checks(rows, typed, shape))
    repeated = good[shape.name] + " " + good[shape.code] + " " + good["year"].astype(str)
    good, again = sort_out(good, [Check("duplicate_key", good.duplicated([shape.code, "year"]), repeated)])
    delivery.accept(shape.table, good[["line", *TABLES[shape.table]]])
    delivery.put_aside(shape.table, pd.concat([aside, again], ignore_index=True))


def _typed(rows: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """The rows as the lake wants them; a year or a number that cannot be one is missing."""
    typed = rows[["line"]].copy()
    for name in shape.columns:
        read = _code if name in shape.codes else _text
        typed[name] = pd.Series([read(cell) for cell in rows[name]], index=rows.index, dtype="str")
    for name in ("year", *COMPONENTS):
        typed[name] = pd.Series([_number(cell) for cell in rows[name]], index=rows.index, dtype="float64")
    good_year = typed["year"].between(FIRST_YEAR, LAST_YEAR) & (typed["year"] % 1 == 0)
    typed["year"] = typed["year"].where(good_year).astype("Int64")
    return typed


def _checks(rows: pd.DataFrame, typed: pd.DataFrame, shape: Shape) -> list[Check]:
    """What is demanded of a row, first demand first."""
    name = typed[shape.name]
    digits = f", {shape.digits} digits expected"
    codes = [
        Check("bad_code", ~matches(typed[code], f"[0-9]{{{shape.digits}}}"), name + ": code " + typed[code] + digits)
        for code in shape.codes
    ]  # fmt: skip
    is_city = shape.table == CITIES
    unknown = ~name.isin(city_names() if is_city else province_names())
    said = name.where(unknown, "").map(unknown_name_detail if is_city else _unknown_province)
    numbers = [
        Check("bad_number", typed[column].isna() & ~rows[column].map(_is_blank).astype(bool), name + f" {column}: " + rows[column].astype(str))
        for column in COMPONENTS
    ]  # fmt: skip
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


def _only_counties(raw: RawFile) -> SourceError:
    return SourceError(raw.name, "", "holds counties only, which are not read", "Name the file of cities or provinces instead")


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or (isinstance(cell, str) and not cell.strip())


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


def _code(cell: object) -> str:
    number = _number(cell)
    return str(int(number)) if number.is_integer() else _text(cell)


SOURCE = Source(
    name="digital_finance",
    title="Peking University Digital Financial Inclusion Index of China",
    publisher="Institute of Digital Finance, Peking University",
    citation="郭峰, 王靖一, 王芳, 孔涛, 张勋, 程志云 (2020), 测度中国数字普惠金融发展: 指数编制与空间特征, 经济学(季刊) 19(4): 1401-1418.",
    licence="Free for research with citation; not redistributed with citytrade",
    tables=TABLES,
    layouts=(Layout("stata", _recognise_stata, _read_stata), Layout("workbook", _recognise_workbook, _read_workbook)),
)
