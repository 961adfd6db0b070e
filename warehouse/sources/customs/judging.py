"""Decides the fate of every customs row once, whatever file it came from, and sets bad rows aside with the first reason that applies."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.lake.loads import sql_text
from warehouse.sources.reading.base import Delivery
from warehouse.sources.reading.codes import restored
from warehouse.sources.reading.values import COMMA_IS_DECIMAL, DECIMAL_COMMA, MARKS_AT_END, POINT_IS_DECIMAL, THOUSANDS, WIDE_SIGNS

TABLE = "customs__records"

WIDE, NARROW = "".join(map(chr, WIDE_SIGNS)), "".join(WIDE_SIGNS.values())
WHOLE = r"regexp_replace({0}, '^([0-9]+)\.0*$', '\1')"  # a code that was a number gained .0
DECIMALS_SAID = "read with decimal commas"
LOST_ZERO = "^[1-9](0[1-9]|1[0-4])[0-9]{4}$"  # headings of chapters 01 to 09 end in 01 to 14: other codes of seven figures are misprints

# Every rule about a customs row, in the order in which the first one that fails names the reason.
DECIDE = """
with plain as (
    select * replace (
        {date} as date_text, {flow} as flow_text, {hs} as hs_text, {firm} as firm_code, {postcode} as postcode, {partner} as partner_text
    ), value_text as value_found, quantity_text as quantity_found, date_text as date_found, {value} as value_number, {quantity} as quantity_number
    from raw
),
digits as (
    select *,
        case when regexp_full_match(date_text, '[0-9]{{1,2}}[A-Za-z]{{3}}[0-9]{{4}}') then strftime(try_strptime(date_text, '%d%b%Y'), '%Y-%m-%d')
            else regexp_replace(replace(replace(replace(replace(replace(date_text, '/', '-'), '.', '-'), '年', '-'), '月', '-'), '日', ''),
                '^([0-9]{{4}})m([0-9]{{1,2}})$', '\\1-\\2') end as day,
        {restored} as hs_code,
        try_cast(partner_text as usmallint) <= 999 and length(partner_text) <= 3 as is_partner_code
    from plain
),
typed as (
    select
        line,
        try_cast(case when contains(day, '-') then split_part(day, '-', 1) when length(day) >= 6 then left(day, 4) end as usmallint) as year,
        try_cast(case when contains(day, '-') then split_part(day, '-', 2) when length(day) >= 6 then substr(day, 5, 2) end as utinyint) as month,
        case when flow_text in ('出口', '0', 'E', 'export', 'Export') then 'export' when flow_text in ('进口', '1', 'I', 'import', 'Import') then 'import' end
            as flow,
        hs_code as hs8,
        coalesce(length(hs_code) = 8 and hs_code = lpad(try_cast(hs_code as uinteger)::varchar, 8, '0')
            and try_cast(hs_code as uinteger) between 1000000 and 97999999, false) as is_hs8,
        round(try_cast(value_number as decimal(16, 4)) * 100)::decimal(18, 0) as cents,
        nullif(quantity_number, '') as quantity_text,
        try_cast(quantity_number as double) as quantity,
        nullif(quantity_unit, '') as quantity_unit,
        nullif(firm_code, '') as firm_code,
        case when contains(firm_name, '\ufffd') then null else nullif(firm_name, '') end as firm_name,
        case when {has_lost_postcodes} and regexp_full_match(postcode, '[1-7][0-9]{{4}}') then '0' || postcode else nullif(postcode, '') end as postcode,
        nullif(production_place, '') as production_place,
        case when is_partner_code is not true then nullif(partner_text, '') end as partner_name,
        case when is_partner_code then lpad(partner_text, 3, '0') end as partner_code,
        nullif(trade_mode, '') as trade_mode,
        date_found, flow_text, value_found, quantity_found
    from digits
)
select *, case
    when year is null or year not between 1980 and 2100 or ($has_months and (month is null or month not between 1 and 12)) then 'bad_date'
    when flow is null then 'bad_flow'
    when not is_hs8 then 'bad_hs_code'
    when $has_places and production_place is null then 'missing_place'
    when $has_partners and partner_name is null and partner_code is null then 'missing_partner'
    when cents is null then 'bad_value'
    when cents <= 0 then 'negative_value'
    when quantity_text is not null and (quantity is null or not isfinite(quantity) or quantity < 0) then 'bad_quantity'
    when regexp_full_match(firm_code, '[0-9]+(\\.[0-9]+)?[eE][+]?[0-9]+') then 'rounded_code'
end as reason
from typed
"""
DETAIL = """case reason
    when 'bad_date' then date_found when 'bad_flow' then flow_text
    when 'bad_hs_code' then hs8 || case when length(hs8) = 7 then ' (7 digits: a spreadsheet may have taken a zero)' else '' end
    when 'bad_value' then value_found when 'negative_value' then value_found when 'bad_quantity' then quantity_found
    when 'rounded_code' then firm_code || ' (a spreadsheet has rounded the code)' end"""
KEPT = (
    "line", "year", "month", "flow", "hs8", "value_cents", "currency", "quantity", "quantity_unit", "firm_code", "firm_name",
    "postcode", "production_place", "partner_name", "partner_code", "trade_mode",
)  # fmt: skip


@dataclass(frozen=True)
class Stated:
    """What a file states of every row: a column that it does not have cannot be missing from one of its rows."""

    has_months: bool
    has_places: bool
    has_partners: bool
    currency: str  # USD | CNY


@dataclass(frozen=True)
class Seen:
    """What the rows of a file show only together: which commas are decimal, and whether codes have lost their leading zeros."""

    has_value_commas: bool
    has_quantity_commas: bool
    hs_restored_n: int
    postcodes_restored_n: int

    def mended(self) -> dict[str, str]:
        """Field -> what was done to it, for a person."""
        said = {}
        if self.has_value_commas:
            said["value_text"] = DECIMALS_SAID
        if self.has_quantity_commas:
            said["quantity_text"] = DECIMALS_SAID
        for field, count in (("hs_text", self.hs_restored_n), ("postcode", self.postcodes_restored_n)):
            if count:
                said[field] = restored(count)
        return said


def look(connection: duckdb.DuckDBPyConnection) -> Seen:
    """Look through the table `raw`. Products have lost zeros where some lack one figure and none begins with a zero.

    A postcode that lacks a figure may have lost any: it gets a zero only where products have lost theirs too.
    """
    hs, postcode = WHOLE.format("hs_text"), WHOLE.format("postcode")
    row = connection.execute(
        f"""select {_decimal_commas("value_text")}, {_decimal_commas("quantity_text")},
            count(*) filter (regexp_full_match({hs}, '0[0-9]{{7}}')), count(*) filter (regexp_full_match({hs}, '{LOST_ZERO}')),
            count(*) filter (regexp_full_match({postcode}, '0[0-9]{{5}}')), count(*) filter (regexp_full_match({postcode}, '[1-7][0-9]{{4}}')) from raw"""
    ).fetchone()
    assert row is not None
    value, quantity, hs_kept, hs_short, postcodes_kept, postcodes_short = row
    return Seen(value, quantity, 0 if hs_kept else hs_short, 0 if hs_kept or not hs_short or postcodes_kept else postcodes_short)


def _plain(column: str) -> str:
    """A number in plain digits, without marks of footnotes; what is a number already stays as it is."""
    mended = f"regexp_replace(translate(trim({column}), {sql_text(WIDE)}, {sql_text(NARROW)}), {sql_text(MARKS_AT_END)}, '')"
    return f"case when try_cast({column} as double) is null then trim({mended}) else {column} end"


def _decimal_commas(column: str) -> str:
    fits = [f"regexp_full_match({_plain(column)}, {sql_text(pattern.pattern)})" for pattern in (COMMA_IS_DECIMAL, POINT_IS_DECIMAL)]
    return f"coalesce(bool_or(contains({column}, ',') and {fits[0]}), false) and not coalesce(bool_or({fits[1]}), false)"


def _number(column: str, has_decimal_commas: bool) -> str:
    """A number's text as the database casts it; commas that part no groups of three stay, so that it is no number."""
    plain = _plain(column)
    if has_decimal_commas:
        fits = f"regexp_full_match({plain}, {sql_text(DECIMAL_COMMA.pattern)})"
        return f"case when {fits} then replace(replace({plain}, '.', ''), ',', '.') else {plain} end"
    fits = f"contains({column}, ',') and regexp_full_match({plain}, {sql_text(THOUSANDS.pattern)})"
    return f"case when {fits} then replace({plain}, ',', '') else {plain} end"


def _decision(seen: Seen) -> str:
    return DECIDE.format(
        date=f"translate({WHOLE.format('date_text')}, {sql_text(WIDE)}, {sql_text(NARROW)})",
        flow=WHOLE.format("flow_text"),
        hs=WHOLE.format("hs_text"),
        firm=WHOLE.format("firm_code"),
        postcode=WHOLE.format("postcode"),
        partner=WHOLE.format("partner_text"),
        value=_number("value_text", seen.has_value_commas),
        quantity=_number("quantity_text", seen.has_quantity_commas),
        restored=f"case when regexp_full_match(hs_text, '{LOST_ZERO}') then '0' || hs_text else hs_text end" if seen.hs_restored_n else "hs_text",
        has_lost_postcodes="true" if seen.postcodes_restored_n else "false",
    )


def deliver(connection: duckdb.DuckDBPyConnection, delivery: Delivery, stated: Stated, seen: Seen) -> None:
    """Judge the rows of the connection's table `raw` (all text, and `line`) and hand them over."""
    rules = {"has_months": stated.has_months, "has_places": stated.has_places, "has_partners": stated.has_partners}
    connection.execute(f"create table judged as {_decision(seen)}", rules)
    columns = ", ".join({"value_cents": "cents as value_cents", "currency": f"'{stated.currency}' as currency"}.get(name, name) for name in KEPT)
    delivery.accept_query(connection, TABLE, f"select {columns} from judged where reason is null order by line", set(KEPT))
    bad = connection.execute(
        f"""select line, reason, {DETAIL} as detail, {"cents" if stated.currency == "USD" else "null"}::bigint as value_cents,
               case when year between 1980 and 2100 then year end as year from judged where reason is not null order by line"""
    ).df()
    delivery.put_aside(TABLE, bad)
