"""Mends texts of records as people's programs left them, before the rows are judged: codes with
`.0`, lost zeros, commas, marks, dates.

Nothing is written: `raw` is a view, and another that mends takes its place where something is to be
mended. What a file has not, costs one look through it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from warehouse.lake.loads import sql_text
from warehouse.sources.reading.codes import restored
from warehouse.sources.reading.values import (
    COMMA_IS_DECIMAL,
    COMMAS_PART_THOUSANDS,
    DECIMAL_COMMA,
    MARKS_AT_END,
    MISSING,
    THOUSANDS,
    WIDE_SIGNS,
)

CODES = ("hs_text", "firm_code", "postcode", "telephone", "partner_text", "flow_text")
NUMBERS = ("value_text", "quantity_text")
# Fields in which a mark may stand for nothing. NA would be Namibia as a partner; a place is for the
# models to know; a value must be there.
MAY_BE_MARKED = (
    "quantity_text",
    "quantity_unit",
    "firm_code",
    "firm_name",
    "postcode",
    "telephone",
    "trade_mode",
)
FOUND = (
    "date_text",
    *NUMBERS,
)  # what stood there is kept, as `<field>_found`, to be shown of rows that are set aside
DECIMALS_SAID = "read with decimal commas"
# headings of chapters 01 to 09 end in 01 to 14: other codes of seven figures are misprints
LOST_ZERO = "[1-9](0[1-9]|1[0-4])[0-9]{4}"
NOTHING = ", ".join(map(sql_text, sorted(MISSING - {""})))
LONGEST_MARK = max(map(len, MISSING))
PLAIN_SIGNS = f"{sql_text(''.join(map(chr, WIDE_SIGNS)))}, {sql_text(''.join(WIDE_SIGNS.values()))}"


@dataclass
class Mended:
    """layers : field -> SQL for its mended text, for each view that took the place of another;
    said : field -> what was done to it, for a person
    """

    layers: list[dict[str, str]] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)

    @property
    def found(self) -> bool:
        """Whether the view has the columns of `FOUND`."""
        return bool(self.layers)


def mend(connection: duckdb.DuckDBPyConnection) -> Mended:
    """Mend the view `raw` of texts."""
    done = Mended()
    _replace(connection, done, _marks(connection))
    _replace(connection, done, _codes(connection))
    _replace(
        connection,
        done,
        {**_lost_zeros(connection, done), **_numbers(connection, done), **_dates(connection)},
    )
    return done


def mend_as(connection: duckdb.DuckDBPyConnection, done: Mended) -> None:
    """Mend the view `raw` as another was mended: a part of a file as the file."""
    for at, mended in enumerate(done.layers):
        _lay(connection, mended, at)


def _replace(connection: duckdb.DuckDBPyConnection, done: Mended, mended: dict[str, str]) -> None:
    if mended:
        _lay(connection, mended, len(done.layers))
        done.layers.append(mended)


def _lay(connection: duckdb.DuckDBPyConnection, mended: dict[str, str], below_n: int) -> None:
    """Put a view that mends in the place of `raw`, of which so many lie below already."""
    kept = "" if below_n else "".join(f", {name} as {name}_found" for name in FOUND)
    columns = ", ".join(f"{expression} as {name}" for name, expression in mended.items())
    below = f"raw_{below_n + 1}"
    connection.execute(f"alter view raw rename to {below}")
    connection.execute(f"create view raw as select * replace ({columns}){kept} from {below}")


def _where(connection: duckdb.DuckDBPyConnection, tests: dict[str, str]) -> dict[str, bool]:
    """For each field whether any row passes its test."""
    row = connection.execute(
        f"select {', '.join(f'coalesce(bool_or({test}), false)' for test in tests.values())}"
        " from raw"
    ).fetchone()
    assert row is not None
    return dict(zip(tests, row, strict=True))


def _marks(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    def test(
        name: str,
    ) -> str:  # nearly all texts are told apart by their first sign or their length
        return (
            f"case when ({name} < '0' or {name} >= ':') and length({name}) <= {LONGEST_MARK} then"
            f" lower({name}) in ({NOTHING}) else false end"
        )

    there = _where(connection, {name: test(name) for name in MAY_BE_MARKED})
    return {
        name: f"case when {test(name)} then '' else {name} end"
        for name, is_there in there.items()
        if is_there
    }


def _codes(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A code that was a number gained .0."""
    there = _where(connection, {name: f"contains({name}, '.')" for name in CODES})
    return {
        name: rf"regexp_replace({name}, '^([0-9]+)\.0*$', '\1')"
        for name, is_there in there.items()
        if is_there
    }


def _lost_zeros(connection: duckdb.DuckDBPyConnection, done: Mended) -> dict[str, str]:
    """Products have lost zeros where some lack one figure and none begins with a zero.

    A postcode that lacks a figure may have lost any: it gets a zero only where products have lost
    theirs too.
    """
    hs = (
        f"case when length(hs_text) = 7 then regexp_full_match(hs_text, '{LOST_ZERO}') else"
        " false end"
    )
    postcode = (
        "case when length(postcode) = 5 then regexp_full_match(postcode, "
        "'[1-7][0-9]{4}') else false end"
    )
    row = connection.execute(
        f"""select count(*) filter ({hs}), count(*) filter (length(hs_text) = 8 and prefix(hs_text,
                '0')),
                count(*) filter ({postcode}), count(*) filter (length(postcode) = 6
                    and prefix(postcode, '0')) from raw"""
    ).fetchone()
    assert row is not None
    mended = {}
    if row[0] and not row[1]:
        for name, test, short, kept in (
            ("hs_text", hs, *row[:2]),
            ("postcode", postcode, *row[2:]),
        ):
            if short and not kept:
                mended[name] = f"case when {test} then '0' || {name} else {name} end"
                done.said[name] = restored(short)
    return mended


def _numbers(connection: duckdb.DuckDBPyConnection, done: Mended) -> dict[str, str]:
    """Numbers in plain digits, without footnotes' marks; commas that part no groups of three stay,
    so that it is no number.
    """
    there = _where(
        connection,
        {name: f"{name} <> '' and try_cast({name} as double) is null" for name in NUMBERS},
    )
    mended = {}
    for name in (name for name, is_there in there.items() if is_there):
        plain = (
            f"trim(regexp_replace(translate(trim({name}), {PLAIN_SIGNS}), {sql_text(MARKS_AT_END)},"
            " ''))"
        )
        commas = _where(
            connection, {"all": f"contains({name}, ',') and {_is(COMMA_IS_DECIMAL.pattern, plain)}"}
        )["all"]
        thousands = {"all": _is(COMMAS_PART_THOUSANDS.pattern, plain)}
        if commas and not _where(connection, thousands)["all"]:
            done.said[name] = DECIMALS_SAID
            mended[name] = (
                f"case when {_is(DECIMAL_COMMA.pattern, plain)} then replace(replace({plain}, '.',"
                f" ''), ',', '.') else {plain} end"
            )
        else:
            grouped = (
                f"case when {_is(THOUSANDS.pattern, plain)} then replace({plain}, ',', '') else"
                f" {plain} end"
            )
            mended[name] = (
                f"case when try_cast({name} as double) is null then {grouped} else {name} end"
            )
    return mended


def _is(pattern: str, text: str) -> str:
    return f"regexp_full_match({text}, {sql_text(pattern)})"


def _dates(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """200001.0, 2000年1月, 2000m1, 15jan2000 and full-width digits, in the form that the others
    have.
    """
    odd = (
        "length(date_text) <> strlen(date_text) or length(date_text) = 9 or contains(date_text, "
        "'m') or (length(date_text) > 7 and contains(date_text, '.0'))"
    )
    if not _where(connection, {"date": odd})["date"]:
        return {}
    plain = f"translate(date_text, {PLAIN_SIGNS})"
    whole = rf"regexp_replace({plain}, '^([0-9]{{6,8}})\.0*$', '\1')"
    by_sign = (
        rf"regexp_replace(replace(replace(replace({whole}, '年', '-'), '月', '-'), '日', ''),"
        r" '^([0-9]{4})m([0-9]{1,2})$', '\1-\2')"
    )
    named = f"try_strptime({plain}, '%d%b%Y')"
    return {
        "date_text": (
            f"case when {named} is not null then strftime({named}, '%Y-%m-%d') else {by_sign} end"
        )
    }
