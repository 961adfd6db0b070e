"""Inter-country tables of every edition, read line by line; only China's columns are kept.

A whole table as text would take gigabytes, so the good cells of some lines at a time go into a
temporary database.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import islice
from operator import itemgetter
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.database import connect
from warehouse.sources.input_output.cells import judged, refuse_missing, refuse_short, year_in_name
from warehouse.sources.input_output.editions import CHINA, COUNTRY, Edition
from warehouse.sources.input_output.grid import heads_of, lines_of
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import matches

TABLE = "input_output__icio"
PIECE = 200  # lines
COLUMNS = {
    "line": "bigint",
    "edition": "varchar",
    "year": "smallint",
    "row_country": "varchar",
    "row_industry": "varchar",
    "column_country": "varchar",
    "column_code": "varchar",
    "value_usd_million": "double",
}


def recogniser(edition: Edition) -> Callable[[RawFile], bool]:
    """Whether a file is a table of this edition."""

    def recognise(raw: RawFile) -> bool:
        header = heads_of(raw)
        return header[:1] in (["V1"], [""]) and any(map(edition.first_industry.fullmatch, header))

    return recognise


def reader(edition: Edition) -> Callable[[RawFile, Delivery], None]:
    """Reads a table of an edition."""

    def read(raw: RawFile, delivery: Delivery) -> None:
        year = year_in_name(raw, edition.years)
        with (
            tempfile.TemporaryDirectory(dir=delivery.folder) as folder,
            connect(Path(folder) / "cells.duckdb") as connection,
        ):
            connection.execute(
                "create table cells"
                f" ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
            )
            _read_table(edition, year, raw, delivery, connection)
            delivery.accept_query(
                connection,
                TABLE,
                f"select {', '.join(COLUMNS)} from cells order by rowid",
                set(COLUMNS),
            )

    return read


def _read_table(
    edition: Edition,
    year: int,
    raw: RawFile,
    delivery: Delivery,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = lines_of(raw)
    header = [label.strip() for label in next(rows)[1]]
    columns = _china_columns(edition, raw, header)
    for label in columns:
        delivery.column("", label, "value_usd_million")
    delivery.column(
        "",
        "(columns of other countries)",
        None,
        "only what China's industries and buyers take is kept",
    )
    pick = itemgetter(*(header.index(label) for label in columns))
    names: list[str] = []
    last = 1
    while piece := list(islice(rows, PIECE)):
        for line, fields in piece:
            refuse_short(raw.name, line, fields, header)
        texts = [text for _, fields in piece for text in pick(fields)]
        good, aside = _piece(
            edition, year, columns, [(line, fields[0].strip()) for line, fields in piece], texts
        )
        connection.register("piece", good)
        connection.execute(f"insert into cells select {', '.join(COLUMNS)} from piece")
        connection.unregister("piece")
        delivery.put_aside(TABLE, aside)
        delivery.read_n += len(columns) * len(piece)
        names += [fields[0].strip() for _, fields in piece]
        last = piece[-1][0]
    wanted = [
        *(label for label in header if edition.industry_of(label)),
        *edition.rows_without_country,
    ]
    refuse_missing(raw.name, f"line {last}", "row", wanted, names, edition.name)


def _china_columns(edition: Edition, raw: RawFile, header: list[str]) -> dict[str, tuple[str, str]]:
    """China's columns in the file's order: label -> country and code; industries of CHN, CN1 and
    CN2, and final demand.
    """
    parts = {label: part for label in header if (part := edition.industry_of(label))}
    countries = {country for country, _ in parts.values()}
    split = edition.must_split or bool({"CN1", "CN2"} & countries)
    wanted = {country for country in CHINA if country != "CHN" and split}
    if edition.must_split or not split or "CHN" in countries:
        wanted.add("CHN")
    industries = sorted({industry for _, industry in parts.values()})
    chosen = {
        f"{country}_{industry}": (country, industry)
        for country in sorted(wanted)
        for industry in industries
    }
    chosen |= {edition.final_label("CHN", code): ("CHN", code) for code in edition.final_demand}
    refuse_missing(raw.name, "line 1", "column", list(chosen), header, edition.name)
    return {label: chosen[label] for label in header if label in chosen}


def _piece(
    edition: Edition,
    year: int,
    columns: dict[str, tuple[str, str]],
    rows: list[tuple[int, str]],
    texts: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some lines as one row a cell: good ones and ones set aside. A code D01T02 is kept as 01T02,
    as the edition's csv writes it.
    """
    n = len(columns)
    frame = (
        pd.DataFrame(rows, columns=["line", "label"])
        .loc[lambda rows: rows.index.repeat(n)]
        .reset_index(drop=True)
    )
    frame[["column_country", "column_code"]] = list(columns.values()) * len(rows)
    parts = frame["label"].str.extract(f"^(?:({COUNTRY})_)?(.+)$")
    frame = frame.assign(
        edition=edition.name, row_country=parts[0], row_industry=parts[1], text=texts, year=year
    )
    between = (
        matches(frame["row_industry"], edition.industry.pattern)
        & frame["row_country"].notna()
        & matches(frame["column_code"], edition.industry.pattern)
    )
    if edition.name == "2021":
        for name in ("row_industry", "column_code"):
            frame[name] = frame[name].str.replace(r"^D(?=\d)", "", regex=True)
    return judged(frame, between)
