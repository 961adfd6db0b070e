"""Customs records: one row a declared transaction, export or import, in US dollars.

Two layouts so far, both as the General Administration of Customs' micro data circulate:
the Chinese csv of 2005 (`2005_chinese_csv`), and the Stata files of 2007-2011 with underscored names
(`2007_stata`), whose numeric product codes have lost their leading zero. Both end in the same query, which reads
text, decides every row's fate once, and sets bad rows aside with the first reason that applies.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from warehouse.errors import SourceError
from warehouse.places import clean_name
from warehouse.sources.base import Delivery, Layout, RawFile, Source
from warehouse.sources.text import BLANK_LINE, Transcoded, sniff_text, transcode

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
with digits as (
    select *,
        replace(replace(date_text, '/', '-'), '.', '-') as day,
        try_cast(hs_text as uinteger) as hs_number,
        try_cast(partner_text as usmallint) <= 999 and length(partner_text) <= 3 as is_partner_code
    from raw
),
typed as (
    select
        line,
        try_cast(case when contains(day, '-') then split_part(day, '-', 1) when length(day) >= 6 then left(day, 4) end as usmallint) as year,
        try_cast(case when contains(day, '-') then split_part(day, '-', 2) when length(day) >= 6 then substr(day, 5, 2) end as utinyint) as month,
        case when flow_text in ('出口', '0', 'E') then 'export' when flow_text in ('进口', '1', 'I') then 'import' end as flow,
        hs_text as hs8,
        coalesce(length(hs_text) = 8 and hs_text = lpad(hs_number::varchar, 8, '0') and hs_number between 1000000 and 97999999, false) as is_hs8,
        round(try_cast(replace(value_text, ',', '') as decimal(16, 4)) * 100)::decimal(18, 0) as cents,
        nullif(replace(quantity_text, ',', ''), '') as quantity_text,
        try_cast(replace(quantity_text, ',', '') as double) as quantity,
        nullif(quantity_unit, '') as quantity_unit,
        nullif(firm_code, '') as firm_code,
        case when contains(firm_name, '\ufffd') then null else nullif(firm_name, '') end as firm_name,
        nullif(postcode, '') as postcode,
        nullif(production_place, '') as production_place,
        case when is_partner_code is not true then nullif(partner_text, '') end as partner_name,
        case when is_partner_code then lpad(partner_text, 3, '0') end as partner_code,
        nullif(trade_mode, '') as trade_mode,
        date_text, flow_text, value_text
    from digits
)
select *, case
    when year is null or year not between 1980 and 2100 or month is null or month not between 1 and 12 then 'bad_date'
    when flow is null then 'bad_flow'
    when not is_hs8 then 'bad_hs_code'
    when production_place is null then 'missing_place'
    when partner_name is null and partner_code is null then 'missing_partner'
    when cents is null then 'bad_value'
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
    connection.execute(f"create table judged as {DECIDE}")
    good = f"select {', '.join(KEPT).replace('value_cents', 'cents as value_cents')} from judged where reason is null order by line"
    delivery.accept_query(connection, TABLE, good, set(KEPT))
    bad = connection.execute(
        f"""select line, reason, {DETAIL} as detail, cents::bigint as value_cents,
               case when year between 1980 and 2100 then year end as year from judged where reason is not null order by line"""
    ).df()
    delivery.put_aside(TABLE, bad)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(f"select count(*) from {table}").fetchone()
    assert row is not None
    return int(row[0])


def _scratch(delivery: Delivery) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into the load's folder when a file is larger than memory."""
    connection = duckdb.connect(":memory:", config={"temp_directory": str(delivery.folder / "scratch.tmp")})
    connection.execute("set enable_progress_bar = false")  # the refresh tells its own progress
    return connection


def _discard_scratch(folder: Path) -> None:
    for leftover in folder.glob("scratch.*"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _check_columns(raw: RawFile, wanted: dict[str, str], present: list[str]) -> None:
    missing = [head for field, head in wanted.items() if field not in OPTIONAL and head not in present]
    if missing:
        needed = "、".join(head for field, head in wanted.items() if field not in OPTIONAL)
        raise SourceError(raw.name, "line 1", f"lacks the column {'、'.join(missing)}", f"Ship the file with all that its layout needs: {needed}")


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
    seen = transcode(raw, plain)
    with _scratch(delivery) as connection:
        columns = ", ".join(f"'c{i}': 'varchar'" for i in range(len(heads)))
        at = {head: f"c{i}" for i, head in enumerate(heads)}
        fields = ", ".join(f"trim({at[head]}, ' \t\u3000') as {field}" if head in at else f"null as {field}" for field, head in CHINESE_2005.items())
        try:
            connection.execute(
                f"""create table raw as select row_number() over () + 1 as line, {fields} from read_csv(
                        $file, columns = {{{columns}}}, header = true, delim = ',', quote = '"', escape = '"', auto_detect = false,
                        new_line = '\\n', nullstr = '', store_rejects = true, rejects_limit = 0, max_line_size = {LONGEST_LINE_BYTES})""",
                {"file": str(plain)},
            )
        except duckdb.Error as error:
            raise SourceError(raw.name, "", f"cannot be read as csv ({str(error).splitlines()[0]})", "Check quotes and line ends near that place") from error
        rejected = connection.execute("select distinct line, trim(csv_line, chr(10)) as detail from reject_errors order by line").df()
        _shift_lines(connection, rejected["line"].tolist())
        broken = rejected[rejected["detail"] != BLANK_LINE].assign(reason="broken_row")
        _refuse_cut_off(raw, seen, _count(connection, "raw") + len(rejected) + 1, broken["line"].tolist())
        delivery.read_n += seen.lines_n - 1
        delivery.put_aside(TABLE, broken)
        _deliver(connection, delivery)
    _discard_scratch(delivery.folder)


def _refuse_cut_off(raw: RawFile, seen: Transcoded, last_line: int, broken: list[int]) -> None:
    """A file whose last row ends early was cut off, and nobody knows how many rows are missing."""
    if seen.lines_n <= 1:
        raise SourceError(raw.name, "line 1", "holds a header and no records", "Fetch the file again")
    if not seen.is_ended and last_line in broken:
        raise SourceError(raw.name, f"line {last_line}", "ends in the middle of a row: the file is cut off", "Fetch the file again")


def _shift_lines(connection: duckdb.DuckDBPyConnection, broken: list[int]) -> None:
    """Make room in the line numbers of good rows, counted from 2 without gaps, for the lines of broken rows."""
    if not broken:
        return
    shifts = pd.DataFrame({"before_line": [line - i for i, line in enumerate(broken)], "shift": range(1, len(broken) + 1)})
    connection.register("shifts", shifts)
    connection.execute(
        """create or replace table raw as select r.* replace (r.line + coalesce(s.shift, 0) as line)
           from raw as r asof left join (select before_line, max(shift) as shift from shifts group by before_line) as s on r.line >= s.before_line"""
    )


# 2007-2011, Stata ----------------------------------------------------------------------------------------------


def _stata_chunks(raw: RawFile) -> Iterator[pd.DataFrame]:
    """Pieces of a Stata file, names put right; texts are repaired later, once per distinct value."""
    try:
        with pd.read_stata(raw.path, chunksize=STATA_CHUNK_ROWS, convert_categoricals=False, convert_dates=False) as reader:
            for chunk in reader:
                chunk.columns = pd.Index([_repair(str(name)) for name in chunk.columns])
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
            texts = {field: _as_text(chunk[head]) if head in chunk else pa.nulls(len(chunk), pa.string()) for field, head in STATA_2007.items()}
            lines = pa.array(range(start + 1, start + len(chunk) + 1))
            connection.register("piece", pa.table({**texts, "line": lines}))
            padded = {"hs_text": 8, "postcode": 6}  # numeric codes have lost their leading zero
            fields = ", ".join(
                f"case when length({field}) = {padded[field] - 1} then '0' || {field} else {field} end as {field}" if field in padded else field
                for field in STATA_2007
            )
            piece = f"select line, {fields} from piece"
            connection.execute(f"create table raw as {piece}" if start == 0 else f"insert into raw by name {piece}")
            connection.unregister("piece")
            start += len(chunk)
        if start == 0:
            raise SourceError(raw.name, "", "holds no records", "Fetch the file again")
        delivery.read_n += start
        _deliver(connection, delivery)
    _discard_scratch(delivery.folder)


def _as_text(column: pd.Series) -> pa.Array:
    """A column as text, each distinct value converted once: repaired if it is text, else without .0 or exponent."""
    codes, values = pd.factorize(column)
    if pd.api.types.is_numeric_dtype(column):
        texts = [_number_text(float(value)) for value in values]
    else:
        texts = [_repair(str(value)).strip(" \t\u3000") for value in values]
    missing = codes < 0
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(texts, pa.string())).cast(pa.string())


def _number_text(number: float) -> str:
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.4f}" if abs(number) < 1e15 else repr(number)


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
