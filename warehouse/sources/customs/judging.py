"""Decides the fate of every customs row once, whatever file it came from, and sets bad rows aside
with the first reason that applies. Good rows go straight into the load, in the order in which they
came, so that no delivery is too large; only where some are missing are the rows judged once more,
for those that are set aside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from warehouse.errors import SourceError
from warehouse.sources.customs.mending import FOUND, Mended
from warehouse.sources.customs.scratch import MEMORY
from warehouse.sources.reading.base import Delivery, RawFile

TABLE = "customs__records"
# Row groups are small: several are held in memory.
SCRATCH_FORM = "(format parquet, row_group_size 30720, compression uncompressed)"
POWER_OF_TEN = r"[0-9]+(\.[0-9]+)?[eE][+]?[0-9]+"

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
        try_cast(case when contains(day, '-') then split_part(day, '-', 1)
            when length(day) >= 6 then left(day, 4) end as usmallint) as year,
        try_cast(case when contains(day, '-') then split_part(day, '-', 2)
            when length(day) >= 6 then substr(day, 5, 2) end as utinyint) as month,
        case when flow_text in ('出口', '0', 'E', 'export', 'Export') then 'export'
            when flow_text in ('进口', '1', 'I', 'import', 'Import') then 'import' end
            as flow,
        hs_text as hs8,
        coalesce(length(hs_text) = 8 and hs_text = lpad(hs_number::varchar, 8, '0')
            and hs_number between 1000000 and 97999999, false) as is_hs8,
        round(try_cast(value_text as decimal(16, 4)) * 100)::decimal(18, 0) as cents,
        nullif(quantity_text, '') as quantity_text,
        try_cast(quantity_text as double) as quantity,
        nullif(quantity_unit, '') as quantity_unit,
        nullif(firm_code, '') as firm_code,
        case when contains(firm_name, '\ufffd') then null else nullif(firm_name, '') end
            as firm_name,
        nullif(postcode, '') as postcode,
        nullif(telephone, '') as telephone,
        nullif(production_place, '') as production_place,
        case when is_partner_code is not true then nullif(partner_text, '') end as partner_name,
        case when is_partner_code then lpad(partner_text, 3, '0') end as partner_code,
        nullif(trade_mode, '') as trade_mode,
        {date_text} as date_found, flow_text, {value_text} as value_found, {quantity_text}
            as quantity_found
    from digits
)
select *, case
    when year is null or year not between 1980 and 2100 or ({has_months}
        and (month is null or month not between 1 and 12)) then 'bad_date'
    when flow is null then 'bad_flow'
    when not is_hs8 then 'bad_hs_code'
    when {has_places} and production_place is null then 'missing_place'
    when {has_partners} and partner_name is null and partner_code is null then 'missing_partner'
    when cents is null then 'bad_value'
    when cents <= 0 then 'negative_value'
    when quantity_text is not null and (quantity is null or not isfinite(quantity) or quantity < 0)
        then 'bad_quantity'
    when case when length(firm_code) <= 12 and contains(lower(firm_code),
        'e') then regexp_full_match(firm_code, '{power}') else false end
        then 'rounded_code'
end as reason
from typed
"""
DETAIL = """case reason
    when 'bad_date' then date_found when 'bad_flow' then flow_text
    when 'bad_hs_code' then hs8 || case when length(hs8) = 7 then
        ' (7 digits: a spreadsheet may have taken a zero)' else '' end
    when 'bad_value' then value_found when 'negative_value' then value_found
        when 'bad_quantity' then quantity_found
    when 'rounded_code' then firm_code || ' (a spreadsheet has rounded the code)' end"""
KEPT = (
    "line", "year", "month", "flow", "hs8", "value_cents", "currency", "quantity", "quantity_unit",
    "firm_code", "firm_name",
    "postcode", "telephone", "production_place", "partner_name", "partner_code", "trade_mode",
)  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """What a file states of every row: a column that it does not have cannot be missing from one of
    its rows.
    """

    has_months: bool
    has_places: bool
    has_partners: bool
    currency: str  # USD | CNY


@contextmanager
def refusing_long_texts(raw: RawFile) -> Iterator[None]:
    """
    Raises
    ------
    SourceError : texts so long that a row group of them is no matter of memory any more.
    """
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise SourceError(
            raw.name,
            "",
            f"has texts so long that a part of its rows does not fit into {MEMORY}",
            "Check that the file is a table of customs records",
        ) from error


def deliver(
    connection: duckdb.DuckDBPyConnection, delivery: Delivery, stated: Stated, mended: Mended
) -> None:
    """Judge the rows of the connection's view `raw` (all text, mended, and `line`, by which they
    are in order) and hand them over.
    """
    rules = {
        "has_months": stated.has_months,
        "has_places": stated.has_places,
        "has_partners": stated.has_partners,
    }
    found = {name: f"{name}_found" if mended.found else name for name in FOUND}
    connection.execute(
        f"create view judged as {DECIDE.format(power=POWER_OF_TEN, **found, **rules)}"
    )
    columns = ", ".join(
        {"value_cents": "cents as value_cents", "currency": f"'{stated.currency}' as currency"}.get(
            name, name
        )
        for name in KEPT
    )
    delivery.accept_query(
        connection, TABLE, f"select {columns} from judged where reason is null", set(KEPT)
    )
    row = connection.execute("select count(*) from raw").fetchone()
    assert row is not None
    if row[0] == delivery.tables[TABLE]:
        return
    bad = connection.execute(
        f"""select line, reason, {DETAIL} as detail,
                {"cents" if stated.currency == "USD" else "null"}::bigint as value_cents,
               case when year between 1980 and 2100 then year end as year from judged
                   where reason is not null"""
    ).df()
    delivery.put_aside(TABLE, bad)
