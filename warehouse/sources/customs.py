"""Customs records: one row a declared transaction, export or import, in US dollars.

Two layouts so far, both as the General Administration of Customs' micro data circulate:
the Chinese csv of 2005 (`2005_chinese_csv`), and the Stata files of 2007-2011 with underscored names
(`2007_stata`), whose numeric product codes have lost their leading zero. Both end in the same query, which reads
text, decides every row's fate once, and sets bad rows aside with the first reason that applies.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd

from warehouse.errors import SourceError
from warehouse.places import clean_name
from warehouse.sources.base import Delivery, Layout, RawFile, Source
from warehouse.sources.text import sniff_text, transcode

TABLE = "customs__records"
STATA_CHUNK_ROWS = 500_000
LONGEST_LINE_BYTES = 1024 * 1024

# Field of the common query -> column head in the layout. Those in OPTIONAL may be missing from a file.
CHINESE_2005 = {
    "date_text": "日期",
    "flow_text": "进口或出口",
    "hs_text": "HS编码",
    "value_text": "金额",
    "quantity_text": "数量",
    "quantity_unit": "数量单位",
    "firm_code": "企业编码",
    "firm_name": "经营单位",
    "postcode": "邮编",
    "production_place": "消费地或生产地",
    "partner_text": "起运国或目的国",
    "trade_mode": "贸易方式",
}
STATA_2007 = {
    "date_text": "_日期",
    "flow_text": "_进口或出口",
    "hs_text": "_税号编码",
    "value_text": "_金额",
    "quantity_text": "_数量",
    "quantity_unit": "_数量单位",
    "firm_code": "_企业编码",
    "firm_name": "_经营单位",
    "postcode": "_邮编",
    "production_place": "_消费地进口or生产地出口",
    "partner_text": "_起运国或目的国",
    "trade_mode": "_贸易方式",
}
OPTIONAL = {"quantity_unit", "postcode"}

# Every rule about a customs row, in the order in which the first one that fails names the reason.
DECIDE = """
with typed as (
    select
        line,
        try_cast(regexp_extract(date_text, '^(\\d{4})[-/.]?(\\d{2})', 1) as smallint) as year,
        try_cast(regexp_extract(date_text, '^(\\d{4})[-/.]?(\\d{2})', 2) as tinyint) as month,
        case when flow_text in ('出口', '0', 'E') then 'export' when flow_text in ('进口', '1', 'I') then 'import' end as flow,
        hs_text as hs8,
        round(try_cast(replace(value_text, ',', '') as decimal(24, 4)) * 100)::decimal(24, 0) as cents,
        nullif(replace(quantity_text, ',', ''), '') as quantity_text,
        try_cast(replace(quantity_text, ',', '') as double) as quantity,
        nullif(quantity_unit, '') as quantity_unit,
        nullif(firm_code, '') as firm_code,
        case when contains(firm_name, '\ufffd') then null else nullif(firm_name, '') end as firm_name,
        nullif(postcode, '') as postcode,
        nullif(production_place, '') as production_place,
        case when not regexp_full_match(partner_text, '\\d{1,3}') then nullif(partner_text, '') end as partner_name,
        case when regexp_full_match(partner_text, '\\d{1,3}') then lpad(partner_text, 3, '0') end as partner_code,
        nullif(trade_mode, '') as trade_mode,
        date_text, flow_text, value_text
    from raw
)
select *, case
    when year is null or year not between 1980 and 2100 or month is null or month not between 1 and 12 then 'bad_date'
    when flow is null then 'bad_flow'
    when hs8 is null or not regexp_full_match(hs8, '(0[1-9]|[1-8]\\d|9[0-7])\\d{6}') then 'bad_hs_code'
    when production_place is null then 'missing_place'
    when partner_name is null and partner_code is null then 'missing_partner'
    when cents is null or cents > 9e17 then 'bad_value'
    when cents <= 0 then 'negative_value'
    when quantity_text is not null and (quantity is null or not isfinite(quantity) or quantity < 0) then 'bad_quantity'
end as reason
from typed
"""
DETAIL = """case reason
    when 'bad_date' then date_text when 'bad_flow' then flow_text when 'bad_hs_code' then hs8
    when 'bad_value' then value_text when 'negative_value' then value_text when 'bad_quantity' then quantity_text end"""
KEPT = (
    "line", "year", "month", "flow", "hs8", "value_cents", "quantity", "quantity_unit", "firm_code", "firm_name",
    "postcode", "production_place", "partner_name", "partner_code", "trade_mode",
)  # fmt: skip


def _deliver(connection: duckdb.DuckDBPyConnection, delivery: Delivery) -> None:
    """Judge the rows of the connection's table `raw` (all text, and `line`) and hand them over."""
    delivery.read_n += _count(connection, "raw")
    connection.execute(f"create table judged as {DECIDE}")
    good = f"select {', '.join(KEPT).replace('value_cents', 'cents as value_cents')} from judged where reason is null order by line"
    delivery.accept_query(connection, TABLE, good, set(KEPT))
    bad = connection.execute(
        f"""select line, reason, {DETAIL} as detail, case when abs(cents) < 9e17 then cents::bigint end as value_cents,
               case when year between 1980 and 2100 then year end as year from judged where reason is not null order by line"""
    ).df()
    delivery.put_aside(TABLE, bad)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def _scratch(delivery: Delivery) -> duckdb.DuckDBPyConnection:
    """A database of its own beside the load, so that large files spill to disk instead of filling memory."""
    return duckdb.connect(str(delivery.folder / "scratch.duckdb"))


def _discard_scratch(folder: Path) -> None:
    for file in folder.glob("scratch.*"):
        file.unlink()


def _check_columns(raw: RawFile, wanted: dict[str, str], present: list[str]) -> None:
    missing = [head for field, head in wanted.items() if field not in OPTIONAL and head not in present]
    if missing:
        raise SourceError(raw.name, "line 1", f"lacks the column {'、'.join(missing)}", "Ship the file with all columns of its layout; README.md lists them")


# 2005, Chinese csv ---------------------------------------------------------------------------------------------


def _csv_header(raw: RawFile) -> list[str]:
    text = sniff_text(raw)
    if not text:
        return []
    row = next(csv.reader(io.StringIO(text.splitlines()[0])), [])
    return [clean_name(head) for head in row]


def _is_chinese_2005(raw: RawFile) -> bool:
    header = _csv_header(raw)
    return len({"HS编码", "消费地或生产地", "进口或出口", "起运国或目的国"} & set(header)) >= 3


def _read_chinese_2005(raw: RawFile, delivery: Delivery) -> None:
    header = _csv_header(raw)
    _check_columns(raw, CHINESE_2005, header)
    heads = [head or f"unnamed_{i}" for i, head in enumerate(header)]
    if len(set(heads)) < len(heads):
        raise SourceError(raw.name, "line 1", "names a column twice", "Rename or remove one of them and refresh")
    plain = delivery.folder / "scratch.csv"
    transcode(raw, plain)
    with _scratch(delivery) as connection:
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(heads)))
        at = {head: f"c{i}" for i, head in enumerate(heads)}
        fields = ", ".join(f"trim({at[head]}, ' \t\u3000') as {field}" if head in at else f"null as {field}" for field, head in CHINESE_2005.items())
        try:
            connection.execute(
                f"""create table raw as select row_number() over () as line, {fields} from read_csv(
                        '{plain}', columns = {{{columns}}}, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
                        nullstr = '', store_rejects = true, rejects_limit = 0, max_line_size = {LONGEST_LINE_BYTES})"""
            )
        except duckdb.Error as error:
            raise SourceError(raw.name, "", f"cannot be read as csv ({str(error).splitlines()[0]})", "Check quotes and line ends near that place") from error
        broken = connection.execute("select distinct line, 'broken_row' as reason, csv_line as detail from reject_errors order by line").df()
        delivery.read_n += len(broken)
        delivery.put_aside(TABLE, broken)
        _number_lines(connection, broken["line"].tolist())
        _deliver(connection, delivery)
    _discard_scratch(delivery.folder)


def _number_lines(connection: duckdb.DuckDBPyConnection, broken: list[int]) -> None:
    """Turn row numbers into line numbers: the header is line 1, and broken rows take a line each."""
    shifts = pd.DataFrame({"after_row": [line - 2 - i for i, line in enumerate(broken)], "shift": range(1, len(broken) + 1)})
    if broken:
        connection.register("shifts", shifts)
        connection.execute(
            """update raw set line = raw.line + coalesce((select max(shift) from shifts where after_row < raw.line), 0)
               where line > (select min(after_row) from shifts)"""
        )
    connection.execute("update raw set line = line + 1")


# 2007-2011, Stata ----------------------------------------------------------------------------------------------


def _stata_chunks(raw: RawFile) -> Iterator[pd.DataFrame]:
    """Pieces of a Stata file with Chinese text put right: old files hold GB18030 bytes that pandas reads as latin-1."""
    try:
        with pd.read_stata(raw.path, chunksize=STATA_CHUNK_ROWS, convert_categoricals=False, convert_dates=False) as reader:
            for chunk in reader:
                chunk.columns = pd.Index([_repair(str(name)) for name in chunk.columns])
                for name in chunk.columns:
                    if not pd.api.types.is_numeric_dtype(chunk[name]):
                        texts = chunk[name].astype("object").fillna("")
                        chunk[name] = texts.map({text: _repair(str(text)) for text in texts.unique()})
                yield chunk
    except (ValueError, OSError, EOFError, KeyError, IndexError, TypeError, OverflowError, MemoryError) as error:
        raise SourceError(raw.name, "", f"cannot be read as a Stata file ({error})", "Fetch the file again, or save it again with Stata") from error
    except Exception as error:  # struct.error and the like, from a file cut short
        raise SourceError(raw.name, "", f"is cut off or not a Stata file ({error})", "Fetch the file again") from error


def _repair(text: str) -> str:
    """Text whose bytes were GB18030 but were read as latin-1; text that was read right is left alone."""
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        return text
    return text if octets.isascii() else octets.decode("gb18030", errors="replace")


def _is_stata(raw: RawFile) -> bool:
    return raw.head[:1] in (b"\x69", b"\x6c", b"\x71", b"\x72", b"\x73") or raw.head.startswith(b"<stata_dta>")


def _is_stata_2007(raw: RawFile) -> bool:
    if not _is_stata(raw):
        return False
    names = {STATA_2007["hs_text"], STATA_2007["production_place"], STATA_2007["value_text"]}
    encoded = [name.encode(encoding) for name in names for encoding in ("gb18030", "utf-8")]
    return sum(name in raw.head for name in encoded) >= 2


def _read_stata_2007(raw: RawFile, delivery: Delivery) -> None:
    with _scratch(delivery) as connection:
        start = 0
        for chunk in _stata_chunks(raw):
            if start == 0:
                _check_columns(raw, STATA_2007, list(chunk.columns))
            frame = pd.DataFrame({field: _as_text(chunk[head]) if head in chunk else "" for field, head in STATA_2007.items()})
            frame["hs_text"] = frame["hs_text"].where(frame["hs_text"].str.len() != 7, "0" + frame["hs_text"])
            frame["line"] = range(start + 1, start + len(frame) + 1)
            connection.register("piece", frame)
            connection.execute("create table raw as from piece" if start == 0 else "insert into raw by name from piece")
            connection.unregister("piece")
            start += len(frame)
        if start == 0:
            raise SourceError(raw.name, "", "holds no records", "Fetch the file again")
        _deliver(connection, delivery)
    _discard_scratch(delivery.folder)


def _as_text(column: pd.Series) -> pd.Series:
    """Numbers as people write them (no .0, no exponent), missing as empty text."""
    if not pd.api.types.is_numeric_dtype(column):
        return column.astype("string").str.strip(" \t\u3000").fillna("")
    numbers = column.astype("float64")
    cents = numbers.mul(100).round()
    whole = cents.notna() & (cents % 100 == 0) & (cents.abs() < 9e17)
    texts = numbers.map("{:.2f}".format, na_action="ignore").astype("string")
    return texts.where(~whole, texts.str.slice(0, -3)).fillna("")


SOURCE = Source(
    name="customs",
    title="China customs transaction records",
    publisher="General Administration of Customs of the People's Republic of China",
    citation="General Administration of Customs, China Customs Statistics, transaction records by firm, 2000-",
    licence="licensed; not distributed with citytrade",
    layouts=(
        Layout("2005_chinese_csv", _is_chinese_2005, _read_chinese_2005),
        Layout("2007_stata", _is_stata_2007, _read_stata_2007),
    ),
)
