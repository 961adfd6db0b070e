"""Input-output tables of the OECD, 2021 edition: the national tables of China, and the inter-country tables (ICIO).

Neither layout says its year inside the file, so the year is taken from the file's name. Values are million USD at
current prices. Final demand, taxes less subsidies and trade balances may be negative; what one industry buys from
another may not.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from operator import itemgetter

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.base import Delivery, Layout, RawFile, Source
from warehouse.sources.setting_aside import Check, as_numbers, matches, sort_out
from warehouse.sources.small_csv import header_of
from warehouse.sources.text import read_rows

EDITION = "2021"
EDITION_YEARS = range(1995, 2019)
EDITION_IN_NAME = re.compile(r"ICIO\d{4}|\d{4}ed", re.IGNORECASE)
YEAR_IN_NAME = re.compile(r"(?<!\d)(\d{4})(?!\d)")
COUNTRY_IN_NAME = re.compile(r"_([A-Z]{3})_\d{4}$")
INDUSTRY = r"\d.*"  # industries are numbered; every other code is final demand, tax, value added or a total

INDUSTRIES = tuple(f"{number:02d}" for number in range(1, 46))
NATIONAL_COLUMNS = (*INDUSTRIES, "HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "CONS_ABR", "CONS_NONRES", "EXPO", "IMPO")
NATIONAL_ROWS = (*INDUSTRIES, "TXS_IMP_FNL", "TXS_INT_FNL", "TTL_INT_FNL", "VALU", "OUTPUT")

ICIO_INDUSTRY = re.compile(r"([A-Z][A-Z0-9]{2})_(\d.*)")
ICIO_FIRST_INDUSTRY = re.compile(r"[A-Z][A-Z0-9]{2}_01T02")  # agriculture of the 2021 edition; 01T03 in 2018, A01 from 2023
ICIO_CHINA = ("CHN", "CN1", "CN2")
ICIO_FINAL_DEMAND = ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "DPABR")
ICIO_ROWS_WITHOUT_COUNTRY = ("VALU", "OUTPUT")


def _is_national(raw: RawFile) -> bool:
    header = header_of(raw)
    return header[:2] == ["Code", "Description"] and 2 * len(set(NATIONAL_COLUMNS) & set(header)) > len(NATIONAL_COLUMNS)


def _is_icio(raw: RawFile) -> bool:
    header = header_of(raw)
    return header[:1] == ["V1"] and any(ICIO_FIRST_INDUSTRY.fullmatch(label) for label in header)


def _year_of(raw: RawFile) -> int:
    """The one year of the edition that the file's name holds, the edition's own number set apart."""
    years = {int(year) for year in YEAR_IN_NAME.findall(EDITION_IN_NAME.sub("", raw.path.stem))}
    named = sorted(years & set(EDITION_YEARS))
    if len(named) != 1:
        first, last = EDITION_YEARS[0], EDITION_YEARS[-1]
        problem = f"names {len(named)} years between {first} and {last} in its file name, and the table's year stands nowhere else"
        raise SourceError(raw.name, "", problem, f"Name the file after its year, for example oecd_national_io_2021ed_CHN_{last}.csv or ICIO2021_{last}.csv")
    return named[0]


def _read_national(raw: RawFile, delivery: Delivery) -> None:
    year = _year_of(raw)
    country = COUNTRY_IN_NAME.search(raw.path.stem)
    if country and country.group(1) != "CHN":
        raise SourceError(raw.name, "", f"is named as the table of {country.group(1)}; only China's are kept", "Take it out of the configuration")
    lines = read_rows(raw)
    header = [name.strip() for name in lines[0]]
    _refuse_missing(raw, "line 1", "column", NATIONAL_COLUMNS, header)
    cells: list[tuple[int, str, str, str]] = []
    for line, fields in enumerate(lines[1:], start=2):
        if any(fields):
            _refuse_short(raw, line, fields, header)
            cells.extend((line, fields[0].strip(), column, text) for column, text in zip(header[2:], fields[2:], strict=True))
    _refuse_missing(raw, f"line {len(lines)}", "row", NATIONAL_ROWS, [fields[0].strip() for fields in lines[1:] if any(fields)])
    delivery.read_n = (len(header) - 2) * sum(1 for fields in lines[1:] if any(fields))
    frame = pd.DataFrame(cells, columns=["line", "row_code", "column_code", "text"]).assign(year=year)
    _deliver(delivery, "input_output__national", frame.assign(label=frame["row_code"]), matches(frame["row_code"], INDUSTRY))


def _read_icio(raw: RawFile, delivery: Delivery) -> None:
    year = _year_of(raw)
    rows = _icio_rows(raw)
    _, header = next(rows)
    labels = _china_columns(raw, header)
    pick = itemgetter(*(header.index(label) for label in labels))
    lines: list[int] = []
    names: list[str] = []
    texts: list[str] = []
    for line, fields in rows:
        _refuse_short(raw, line, fields, header)
        lines.append(line)
        names.append(fields[0].strip())
        texts.extend(pick(fields))
    _refuse_missing(raw, f"line {lines[-1] if lines else 1}", "row", [*filter(ICIO_INDUSTRY.fullmatch, header), *ICIO_ROWS_WITHOUT_COUNTRY], names)
    delivery.read_n = len(labels) * len(lines)
    frame = pd.DataFrame({"line": lines, "label": names}).loc[lambda rows: rows.index.repeat(len(labels))].reset_index(drop=True)
    frame[["column_country", "column_code"]] = pd.DataFrame([label.split("_", 1) for label in labels] * len(lines))
    parts = frame["label"].str.extract(r"^(?:([A-Z0-9]{3})_)?(.+)$")
    frame = frame.assign(row_country=parts[0], row_industry=parts[1], text=texts, year=year)
    _deliver(delivery, "input_output__icio", frame, matches(frame["row_industry"], INDUSTRY))


def _icio_rows(raw: RawFile) -> Iterator[tuple[int, list[str]]]:
    """Line number and values, row by row: a whole table as text would take gigabytes."""
    try:
        with raw.path.open(encoding="utf-8-sig", newline="") as handle:
            for line, fields in enumerate(csv.reader(handle), start=1):
                if fields:
                    yield line, [field.strip() for field in fields] if line == 1 else fields
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(raw.name, "", f"is not a csv of plain text ({error})", "Fetch the file again from its publisher") from error


def _china_columns(raw: RawFile, header: list[str]) -> list[str]:
    """Labels of China's columns, in the file's order: industries of CHN, CN1 and CN2, and final demand of CHN."""
    industries = sorted({found.group(2) for found in map(ICIO_INDUSTRY.fullmatch, header) if found})
    wanted = [f"{country}_{industry}" for country in ICIO_CHINA for industry in industries]
    wanted += [f"CHN_{code}" for code in ICIO_FINAL_DEMAND]
    _refuse_missing(raw, "line 1", "column", wanted, header)
    return sorted(wanted, key=header.index)


def _deliver(delivery: Delivery, table: str, frame: pd.DataFrame, from_industry: pd.Series) -> None:
    """Hand over one row a cell; `label` is its row as the file names it, `from_industry` whether that row is an industry's sales."""
    frame = frame.assign(edition=EDITION, value_usd_million=as_numbers(frame["text"]))
    found = "row " + frame["label"] + ", column " + frame["column_code"] + ": " + frame["text"]
    between_industries = from_industry & matches(frame["column_code"], INDUSTRY)
    good, aside = sort_out(
        frame,
        [
            Check("bad_number", frame["value_usd_million"].isna(), found),
            Check("negative_value", between_industries & (frame["value_usd_million"] < 0), found),
        ],
    )
    delivery.accept(table, good.drop(columns=["text", "label"]))
    delivery.put_aside(table, aside)


def _refuse_missing(raw: RawFile, place: str, kind: str, wanted: list[str] | tuple[str, ...], found: list[str]) -> None:
    missing = [name for name in wanted if name not in set(found)]
    twice = sorted({name for name in found if found.count(name) > 1}) if len(set(found)) < len(found) else []
    if missing:
        shown = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise SourceError(raw.name, place, f"has no {kind} {shown}", "The file is cut off or not of the 2021 edition: fetch it again from the OECD")
    if twice:
        raise SourceError(raw.name, place, f"has the {kind} {twice[0]} twice", "Fetch the file again from the OECD")


def _refuse_short(raw: RawFile, line: int, fields: list[str], header: list[str]) -> None:
    if len(fields) != len(header):
        problem = f"has {len(fields)} values, {len(header)} expected"
        raise SourceError(raw.name, f"line {line}", problem, "The file is cut off or damaged: fetch it again from the OECD")


SOURCE = Source(
    name="input_output",
    title="Input-output tables",
    publisher="Organisation for Economic Co-operation and Development (OECD)",
    citation="OECD (2021), Inter-Country Input-Output Tables and national input-output tables, 2021 edition, http://oe.cd/icio",
    licence="OECD terms and conditions; free to use with acknowledgement",
    layouts=(
        Layout("oecd_national_2021", _is_national, _read_national),
        Layout("oecd_icio_2021", _is_icio, _read_icio),
    ),
)
