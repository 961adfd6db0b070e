"""World trade by exporter and product, and countries' GDP per head.

Flows: CEPII's BACI, a csv a year with the columns t, i, j, k, v, q (year, exporter, importer, HS
six-digit code, thousand USD, tons). Only the exporter's total by product enters the lake, summed
exactly, so one row of the lake stands for all importers of one exporter and product; rows are
counted as rows of the lake. Countries: BACI's own list of its numbers. Income: a series of the
World Bank's indicators in its csv, four lines of preamble above the heads, years across.
"""

from __future__ import annotations

import csv
import re
from itertools import islice

import duckdb
import pandas as pd

from warehouse.database import connect
from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out
from warehouse.sources.reading.small_csv import header_of, read_small_csv
from warehouse.sources.reading.text import lines_of, read_rows, sniff_text
from warehouse.sources.reading.values import is_missing

FLOWS, COUNTRIES, INCOME = "world_trade__flows", "world_trade__countries", "world_trade__income"
FLOW_COLUMNS = ("t", "i", "j", "k", "v")
FLOW_FIELDS = ("year", "exporter_code", "partners_n", "hs6", "value_usd")
COUNTRY_HEADS = (
    ("country_code", "country_name", "country_iso3"),
    ("country_code", "country_name_full", "iso_3digit_alpha"),
)
COUNTRY_COLUMNS = ("exporter_code", "country_name", "iso3")
INCOME_HEADS = ("Country Name", "Country Code", "Indicator Code")
HEAD_WITHIN = 8

# What a flow's row must be; the first that fails gives the reason.
FAILS = (
    (
        "bad_year",
        "try_cast(t as smallint) is null or try_cast(t as smallint) not between 1962 and 2100",
    ),
    (
        "bad_code",
        "not regexp_full_match(i, '[0-9]{1,3}') or not regexp_full_match(j, '[0-9]{1,3}')",
    ),
    (
        "bad_hs_code",
        "not regexp_full_match(k, '[0-9]{5,6}')",
    ),  # a number in some copies: 010121 is 10121 there
    ("bad_number", "try_cast(v as decimal(18, 3)) is null"),
    ("negative_value", "try_cast(v as decimal(18, 3)) < 0"),
)


def _is_flows(raw: RawFile) -> bool:
    return {*FLOW_COLUMNS, "q"} <= {name.strip('"') for name in header_of(raw)}


def _is_countries(raw: RawFile) -> bool:
    return any(set(heads) <= set(header_of(raw)) for heads in COUNTRY_HEADS)


def _is_income(raw: RawFile) -> bool:
    text = sniff_text(raw)
    return text is not None and any(
        _is_income_head(line) for line in islice(csv.reader(text.splitlines()), HEAD_WITHIN)
    )


def _is_income_head(cells: list[str]) -> bool:
    return all(head in cells for head in INCOME_HEADS)


def _read_flows(raw: RawFile, delivery: Delivery) -> None:
    lines_n = lines_of(raw)
    with connect() as connection:
        names = header_of(raw)
        if len(set(names)) < len(names):
            raise SourceError(
                raw.name,
                "line 1",
                "names a column twice",
                "Fetch the file again from its publisher",
            )
        delivery.heads(
            "",
            names,
            {names.index(name): lake for name, lake in zip(FLOW_COLUMNS, FLOW_FIELDS, strict=True)},
        )
        _fill_flows(connection, raw, names)
        _refuse_repeated(raw, connection)
        _refuse_unread(raw, connection, lines_n)
        _deliver_flows(connection, delivery)


def _fill_flows(connection: duckdb.DuckDBPyConnection, raw: RawFile, names: list[str]) -> None:
    """Fill the table `flows` with a file's rows as texts, each with the reason why it fails."""
    columns = ", ".join(f"trim(c{names.index(name)}, ' \"') as {name}" for name in FLOW_COLUMNS)
    kinds = ", ".join(f"'c{at}': 'varchar'" for at in range(len(names)))
    reason = " ".join(f"when coalesce({fails}, true) then '{name}'" for name, fails in FAILS)
    # Quotes mean nothing here: one that is opened and never closed would swallow the rows after it.
    read = (
        f"columns = {{{kinds}}}, skip = 1, header = false, delim = ',', quote = '', escape ="
        " '', auto_detect = false, parallel = false"
    )
    source = f"read_csv({sql_text(raw.path)}, {read})"
    try:
        connection.execute(
            f"create table flows as select *, case {reason} end as reason from (select"
            f" row_number() over () + 1 as line, {columns} from {source})"
        )
    except duckdb.Error as error:
        problem = f"is not a readable csv ({str(error).splitlines()[0]})"
        raise SourceError(
            raw.name, "", problem, "Fetch the file again as its publisher ships it"
        ) from error


def _refuse_repeated(raw: RawFile, connection: duckdb.DuckDBPyConnection) -> None:
    """A flow that stands twice would be added up: that is a fault of the whole file, such as one
    joined from two.
    """
    found = connection.execute(
        "select min(line), i, lpad(k, 6, '0') as k from flows where reason is null group by t, i,"
        " lpad(k, 6, '0') having count(*) > count(distinct j) limit 1"
    ).fetchone()
    if found is not None:
        problem = f"gives exporter {found[1]}, product {found[2]} to one importer more than once"
        raise SourceError(
            raw.name,
            f"from line {found[0]}",
            problem,
            "Fetch the file again, or take out what was appended to it",
        )


def _refuse_unread(raw: RawFile, connection: duckdb.DuckDBPyConnection, lines_n: int) -> None:
    """A file of which not every line below its header was read, or that has none."""
    if lines_n < 2:
        raise SourceError(
            raw.name,
            "line 1",
            "has a header and no rows",
            "Fetch the file again from its publisher",
        )
    count = connection.execute("select count(*) from flows").fetchone()
    assert count is not None
    if count[0] != lines_n - 1:
        problem = f"has {lines_n - 1:,} lines below its header, of which {count[0]:,} could be read"
        raise SourceError(
            raw.name,
            "",
            problem,
            "Fetch the file again from its publisher: it may have empty or very long lines",
        )


def _deliver_flows(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Sum the good flows by exporter and product, and set the others aside."""
    groups = connection.execute(
        "select count(distinct (t, i, lpad(k, 6, '0'))) from flows where reason is null"
    ).fetchone()
    aside = connection.execute("select count(reason) from flows").fetchone()
    assert groups is not None and aside is not None
    delivery.read_n += int(groups[0]) + int(aside[0])
    query = """
        select min(line) as line, t::smallint as year, i::int::varchar as exporter_code, lpad(k,
            6, '0') as hs6,
            (sum(v::decimal(18, 3)) * 1000)::bigint as value_usd, count(distinct j)::int
                as partners_n
        from flows where reason is null group by all order by line
    """
    delivery.accept_query(
        connection,
        FLOWS,
        query,
        {"line", "year", "exporter_code", "hs6", "value_usd", "partners_n"},
    )
    said = "concat_ws(',', t, i, j, k, v) as detail"
    delivery.put_aside(
        FLOWS,
        connection.execute(
            f"select line, reason, {said} from flows where reason is not null order by line"
        ).df(),
    )


def _read_countries(raw: RawFile, delivery: Delivery) -> None:
    heads = next(heads for heads in COUNTRY_HEADS if set(heads) <= set(header_of(raw)))
    table = read_small_csv(raw, dict(zip(heads, COUNTRY_COLUMNS, strict=True)), delivery)
    delivery.read_n += table.rows_n
    rows = table.rows.rename(columns=dict(zip(heads, COUNTRY_COLUMNS, strict=True)))
    said = rows["exporter_code"] + ", " + rows["country_name"] + ", " + rows["iso3"]
    checks = [
        Check(
            "bad_code",
            ~matches(rows["exporter_code"], "[0-9]{1,3}")
            | ~matches(rows["iso3"], "[A-Z][A-Z0-9]{2}"),
            said,
        ),
        Check("duplicate_key", rows.duplicated("exporter_code"), said),
    ]
    good, aside = sort_out(rows, checks)
    delivery.accept(
        COUNTRIES,
        good[["line", "exporter_code", "country_name", "iso3"]].assign(
            exporter_code=good["exporter_code"].astype(int).astype(str)
        ),
    )
    delivery.put_aside(COUNTRIES, pd.concat([table.broken, aside]))


def _read_income(raw: RawFile, delivery: Delivery) -> None:
    lines = read_rows(raw)
    head_at = next((at for at, line in enumerate(lines) if _is_income_head(line)), None)
    if head_at is None:
        raise SourceError(
            raw.name,
            "",
            f"has no line with the heads {', '.join(INCOME_HEADS)}",
            "Fetch the file again from its publisher",
        )
    heads = lines[head_at]
    years = {
        at: int(head) for at, head in enumerate(heads) if re.fullmatch(r"(19|20)[0-9]{2}", head)
    }
    name_at, code_at, series_at = (heads.index(head) for head in INCOME_HEADS)
    keys = {name_at: "country_name", code_at: "iso3", series_at: "indicator_code"}
    delivery.heads("", heads, {**keys, **dict.fromkeys(years, "gdp_per_head_usd")})
    cells = [
        (line, row[name_at], row[code_at], row[series_at], year, row[at].strip())
        for line, row in enumerate(lines[head_at + 1 :], start=head_at + 2)
        if len(row) > max(name_at, code_at, series_at)
        for at, year in years.items()
        if at < len(row) and not is_missing(row[at])
    ]
    if not cells:
        raise SourceError(
            raw.name,
            f"line {head_at + 1}",
            "has heads and no values",
            "Fetch the file again from its publisher",
        )
    rows = pd.DataFrame(
        cells, columns=["line", "country_name", "iso3", "indicator_code", "year", "found"]
    )
    _deliver_income(raw, delivery, rows)


def _deliver_income(raw: RawFile, delivery: Delivery, rows: pd.DataFrame) -> None:
    """
    Raises
    ------
    SourceError : another series than GDP per head.
    """
    foreign = rows.loc[~rows["indicator_code"].str.startswith("NY.GDP.PCAP."), "indicator_code"]
    if len(foreign):
        raise SourceError(
            raw.name,
            "",
            f"holds {foreign.iloc[0]}, not GDP per head",
            "Name a file of a series NY.GDP.PCAP.*",
        )
    delivery.read_n += len(rows)
    rows = rows.assign(gdp_per_head_usd=as_numbers(rows["found"]))
    said = rows["iso3"] + " " + rows["year"].astype(str) + ": " + rows["found"]
    checks = [
        Check("bad_code", ~matches(rows["iso3"], "[A-Z]{3}"), said),
        Check("bad_number", rows["gdp_per_head_usd"].isna(), said),
        Check("negative_value", rows["gdp_per_head_usd"] <= 0, said),
        Check("duplicate_key", rows.duplicated(["iso3", "indicator_code", "year"]), said),
    ]
    good, aside = sort_out(rows, checks)
    delivery.accept(
        INCOME, good[["line", "iso3", "country_name", "indicator_code", "year", "gdp_per_head_usd"]]
    )
    delivery.put_aside(INCOME, aside)


TABLES: Tables = {
    # One row an exporter (CEPII's number), product and year, all importers together.
    "world_trade__flows": {
        "year": "smallint",
        "exporter_code": "varchar",
        "hs6": "varchar",
        "value_usd": "bigint",
        "partners_n": "integer",
    },
    "world_trade__countries": {
        "exporter_code": "varchar",
        "country_name": "varchar",
        "iso3": "varchar",
    },
    # `gdp_per_head_usd` in the prices that the indicator's code says: CD current, KD constant, PP.*
    # international dollars.
    "world_trade__income": {
        "iso3": "varchar",
        "country_name": "varchar",
        "indicator_code": "varchar",
        "year": "smallint",
        "gdp_per_head_usd": "double",
    },
}

SOURCE = Source(
    name="world_trade",
    title="World exports by country and product (BACI), and GDP per head of countries",
    publisher="CEPII; World Bank",
    citation=(
        "Gaulier, G., and S. Zignago (2010), BACI: International trade database at the"
        " product-level, CEPII working paper 2010-23; World Bank, World Development Indicators,"
        " NY.GDP.PCAP.KD."
    ),
    licence="BACI: Etalab 2.0; World Development Indicators: CC BY 4.0",
    tables=TABLES,
    layouts=(
        Layout("baci_flows", _is_flows, _read_flows),
        Layout("baci_countries", _is_countries, _read_countries),
        Layout("wdi_csv", _is_income, _read_income),
    ),
)
