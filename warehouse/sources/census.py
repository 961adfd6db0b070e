"""The economic census: industrial output by county and industry of GB/T 4754-2002, trade over the
internet; investment in the internet.

Output comes as a table by county and four-digit industry, or as the list of firms itself: either
way a row is a place, an industry and an output, and rows of the same place and industry add up.
Codes that a spreadsheet took for numbers get the leading zero back that they lost (610 is 0610,
mining of coal).
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pandas as pd

from warehouse.database import connect
from warehouse.errors import SourceError
from warehouse.lake.schema import Tables
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.codes import whole
from warehouse.sources.reading.headed import Cells, Headed, has_head, read_headed
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out

OUTPUT, TRADE, INVESTMENT = "census__output", "census__trade_split", "census__internet_investment"
PLACE_HEADS = ("行政区划代码", "行政区划", "省地县码", "地区代码", "区划代码", "dq")
INDUSTRY_HEADS = ("行业代码", "行业小类代码", "行业小类", "国民经济行业代码", "cic")
FIRMS_HEADS = ("企业数", "企业单位数", "单位数", "企业数(个)")
YEAR_HEADS = ("年份", "年度")
OUTPUT_HEAD = re.compile(r"工业总产值(?!.*不变价).*?[(_]?(亿元|万元|千元|元)\)?$")
REVENUE_HEAD = re.compile(r"(?:主营业务|营业)收入.*?[(_]?(亿元|万元|千元|元)\)?$")
INTERNET_HEAD = re.compile(r"(?:其中:?)?互联网.*?[(_]?(亿元|万元|千元|元)\)?$")
UNITS = {"亿元": 1e8, "万元": 1e4, "千元": 1e3, "元": 1.0}
INVESTMENT_HEAD = re.compile(
    r"(?:全国)?信息传输.*(?:固定资产投资|投资额).*?[(_]?(亿元|万元|千元|元)\)?$"
)
TRADES = {"批发业": "wholesale", "零售业": "retail"}
LARGEST_CNY = 1e17  # a thousand times the output of the nation
MOST_FIRMS = 1e8
YEAR_IN_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
COLUMNS = {
    "line": "bigint",
    "year": "smallint",
    "division_code": "varchar",
    "industry_code": "varchar",
    "output_cny": "double",
    "enterprises_n": "bigint",
}


def _plain(head: str) -> str:
    return head.translate(str.maketrans("（）：", "():"))


def _at(heads: Cells, names: tuple[str, ...]) -> int | None:
    return next((at for at, head in enumerate(map(_plain, heads)) if head in names), None)


def _with_unit(heads: Cells, pattern: re.Pattern[str]) -> tuple[int, float] | None:
    """Position and factor to CNY of the one column whose head matches."""
    found = [
        (at, UNITS[match[1]])
        for at, head in enumerate(heads)
        if (match := pattern.fullmatch(_plain(head)))
    ]
    return found[0] if len(found) == 1 else None


def _is_output_head(heads: Cells) -> bool:
    return (
        _at(heads, PLACE_HEADS) is not None
        and _at(heads, INDUSTRY_HEADS) is not None
        and any(_plain(head).startswith("工业总产值") for head in heads)
    )


def _is_trade_head(heads: Cells) -> bool:
    return (
        _at(heads, YEAR_HEADS) is not None
        and "行业" in heads
        and any("互联网" in head for head in heads)
    )


def _is_investment_head(heads: Cells) -> bool:
    return _at(heads, YEAR_HEADS) is not None and any(
        INVESTMENT_HEAD.fullmatch(_plain(head)) for head in heads
    )


def _recognise_output(raw: RawFile) -> bool:
    return has_head(raw, _is_output_head)


def _recognise_trade(raw: RawFile) -> bool:
    return has_head(raw, _is_trade_head)


def _recognise_investment(raw: RawFile) -> bool:
    return has_head(raw, _is_investment_head)


def _read_output(raw: RawFile, delivery: Delivery) -> None:
    seen: set[tuple[str, str]] = set()
    with (
        tempfile.TemporaryDirectory(dir=delivery.folder) as folder,
        connect(Path(folder) / "rows.duckdb") as connection,
    ):
        connection.execute(
            f"create table good ({', '.join(f'{name} {kind}' for name, kind in COLUMNS.items())})"
        )
        for piece in read_headed(raw, _is_output_head):
            delivery.read_n += len(piece.rows)
            rows, aside = _output_rows(raw, delivery, piece, seen)
            connection.register("piece", rows)
            connection.execute(f"insert into good select {', '.join(COLUMNS)} from piece")
            connection.unregister("piece")
            delivery.put_aside(OUTPUT, aside)
        delivery.accept_query(
            connection,
            OUTPUT,
            f"select {', '.join(COLUMNS)} from good order by rowid",
            set(COLUMNS),
        )


def _output_rows(
    raw: RawFile, delivery: Delivery, piece: Headed, seen: set[tuple[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    heads = piece.heads
    place, industry, firms, year = (
        _at(heads, names) for names in (PLACE_HEADS, INDUSTRY_HEADS, FIRMS_HEADS, YEAR_HEADS)
    )
    assert place is not None
    assert industry is not None
    column, factor = _output_column(raw, piece)
    found = {
        place: "division_code",
        industry: "industry_code",
        column: "output_cny",
        firms: "enterprises_n",
        year: "year",
    }
    delivery.heads(piece.sheet, heads, {at: name for at, name in found.items() if at is not None})
    own_year = _year_in_name(raw) if year is None else ""
    text = pd.DataFrame(
        [
            (
                line,
                cells[place],
                cells[industry],
                cells[column],
                "" if firms is None else cells[firms],
                own_year if year is None else cells[year],
            )
            for line, cells in piece.rows
        ],
        columns=["line", "division", "industry", "output", "firms", "year_text"],
    )
    return _judged_output(text, factor, firms is not None, seen)


def _output_column(raw: RawFile, piece: Headed) -> tuple[int, float]:
    """Position of the output at current prices, and its factor to CNY."""
    output = _with_unit(piece.heads, OUTPUT_HEAD)
    if output is None:
        problem = (
            "has no single column 工业总产值 at current prices with its unit (heads:"
            f" {', '.join(piece.heads)})"
        )
        raise SourceError(
            raw.name,
            piece.place,
            problem,
            "Name one column 工业总产值(当年价格)(千元), with the unit that it has",
        )
    return output


def _judged_output(
    text: pd.DataFrame, factor: float, is_aggregate: bool, seen: set[tuple[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    text = text.assign(division=whole(text["division"]), industry=whole(text["industry"]))
    industry = text["industry"].where(
        ~matches(text["industry"], "[0-9]{3}"), "0" + text["industry"]
    )
    value, firms = as_numbers(text["output"]), as_numbers(text["firms"])
    good_year = matches(text["year_text"], "(19|20)[0-9]{2}")
    found = "place " + text["division"] + ", industry " + text["industry"] + ": " + text["output"]
    frame = pd.DataFrame(
        {
            "line": text["line"],
            "year": pd.to_numeric(text["year_text"].where(good_year)).astype("Int64"),
            "division_code": text["division"].str.slice(0, 6),
            "industry_code": industry,
            "output_cny": value * factor,
            "enterprises_n": (
                firms.where((firms % 1 == 0) & firms.between(0, MOST_FIRMS)).astype("Int64")
            ),
        }
    )
    keys = list(zip(text["division"] + "|" + text["year_text"], industry, strict=True))
    again = _again(keys, seen) if is_aggregate else [False] * len(keys)
    checks = [
        Check("bad_year", ~good_year, text["year_text"]),
        Check("bad_division_code", ~matches(text["division"], "[1-9][0-9]{5}([0-9]{6})?"), found),
        Check("bad_industry_code", ~matches(industry, "[0-9]{4}"), found),
        Check("bad_number", value.isna(), found),
        Check("negative_value", value < 0, found),
        Check("out_of_range", value > LARGEST_CNY / factor, found),
        Check("duplicate_key", pd.Series(again, index=text.index), found),
    ]
    return sort_out(frame, checks)


def _again(keys: list[tuple[str, str]], seen: set[tuple[str, str]]) -> list[bool]:
    """Whether each key has come before, in this piece of the file or in an earlier one."""
    known = []
    for key in keys:
        known.append(key in seen)
        seen.add(key)
    return known


def _year_in_name(raw: RawFile) -> str:
    years = sorted(set(YEAR_IN_NAME.findall(raw.path.stem)))
    if len(years) != 1:
        problem = f"has no column {YEAR_HEADS[0]} and names {len(years)} years in its file name"
        raise SourceError(
            raw.name,
            "",
            problem,
            "Name the file after the year of the census, for example economic_census_2004.csv",
        )
    return years[0]


def _read_trade(raw: RawFile, delivery: Delivery) -> None:
    pieces = list(read_headed(raw, _is_trade_head))
    heads = pieces[0].heads
    year, trade = _at(heads, YEAR_HEADS), heads.index("行业")
    revenue, internet = _with_unit(heads, REVENUE_HEAD), _with_unit(heads, INTERNET_HEAD)
    assert year is not None
    if revenue is None or internet is None:
        problem = (
            "has no single column of revenue and of internet revenue with their units (heads:"
            f" {', '.join(heads)})"
        )
        raise SourceError(
            raw.name, pieces[0].place, problem, "Name them 主营业务收入(亿元) and 其中:互联网(亿元)"
        )
    taken = {
        year: "year",
        trade: "trade",
        revenue[0]: "trade_revenue_cny",
        internet[0]: "internet_revenue_cny",
    }
    delivery.heads(pieces[0].sheet, heads, taken)
    rows = [
        (line, cells[year], cells[trade], cells[revenue[0]], cells[internet[0]])
        for piece in pieces
        for line, cells in piece.rows
    ]
    text = pd.DataFrame(rows, columns=["line", "year_text", "trade_text", "revenue", "internet"])
    delivery.read_n = len(text)
    total = as_numbers(text["revenue"]) * revenue[1]
    part = as_numbers(text["internet"]) * internet[1]
    good, aside = _judged_trade(text, total, part)
    delivery.accept(TRADE, good)
    delivery.put_aside(TRADE, aside)


def _judged_trade(
    text: pd.DataFrame, total: pd.Series, part: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    good_year = matches(text["year_text"], "(19|20)[0-9]{2}")
    said = text["internet"] + " of " + text["revenue"]
    found = text["year_text"] + " " + text["trade_text"] + ": " + said
    frame = text[["line"]].assign(
        year=pd.to_numeric(text["year_text"].where(good_year)).astype("Int64"),
        trade=text["trade_text"].map(TRADES),
        trade_revenue_cny=total,
        internet_revenue_cny=part,
    )
    in_range = total.between(0, LARGEST_CNY, inclusive="right") & part.between(0, total)
    return sort_out(
        frame,
        [
            Check("bad_year", ~good_year, found),
            Check("unknown_trade", frame["trade"].isna(), found),
            Check("bad_number", total.isna() | part.isna(), found),
            Check("out_of_range", ~in_range, found),
            Check("duplicate_key", text.duplicated(["year_text", "trade_text"]), found),
        ],
    )


def _read_investment(raw: RawFile, delivery: Delivery) -> None:
    pieces = list(read_headed(raw, _is_investment_head))
    heads = pieces[0].heads
    year, column = _at(heads, YEAR_HEADS), _with_unit(heads, INVESTMENT_HEAD)
    assert year is not None
    if column is None:
        raise SourceError(
            raw.name,
            pieces[0].place,
            "has two columns of investment in information transmission",
            "Delete one of the two",
        )
    delivery.heads(pieces[0].sheet, heads, {year: "year", column[0]: "internet_investment_cny"})
    text = pd.DataFrame(
        [(line, cells[year], cells[column[0]]) for piece in pieces for line, cells in piece.rows],
        columns=["line", "year_text", "text"],
    )
    delivery.read_n = len(text)
    value, good_year = (
        as_numbers(text["text"]) * column[1],
        matches(text["year_text"], "(19|20)[0-9]{2}"),
    )
    found = text["year_text"] + ": " + text["text"]
    year_number = pd.to_numeric(text["year_text"].where(good_year)).astype("Int64")
    good, aside = sort_out(
        text[["line"]].assign(year=year_number, internet_investment_cny=value),
        [
            Check("bad_year", ~good_year, found),
            Check("bad_number", value.isna(), found),
            Check("negative_value", value < 0, found),
            Check("out_of_range", value > LARGEST_CNY, found),
            Check("duplicate_key", text.duplicated("year_text"), found),
        ],
    )
    delivery.accept(INVESTMENT, good)
    delivery.put_aside(INVESTMENT, aside)


TABLES: Tables = {
    # One row a line of the census: a county's industry, or a firm (`enterprises_n` is null then).
    "census__output": {
        "year": "smallint",
        "division_code": "varchar",
        "industry_code": "varchar",
        "output_cny": "double",
        "enterprises_n": "bigint",
    },
    # One row a year and trade (wholesale | retail): revenue, and the part of it over the internet.
    "census__trade_split": {
        "year": "smallint",
        "trade": "varchar",
        "trade_revenue_cny": "double",
        "internet_revenue_cny": "double",
    },
    # The nation's fixed investment in information transmission, software and information technology
    # services.
    "census__internet_investment": {"year": "smallint", "internet_investment_cny": "double"},
}

SOURCE = Source(
    name="census",
    title=(
        "Economic census: industrial output by place and industry, "
        "and internet trade; national investment in information transmission and software"
    ),
    publisher="National Bureau of Statistics of China",
    citation=(
        "国务院第一次全国经济普查领导小组办公室, "
        "第一次全国经济普查 (2004); 中国经济普查年鉴 (2004, 2008, 2013, "
        "2018); 中国统计年鉴: 固定资产投资."
    ),
    licence="Yearbooks: public figures with citation; the list of firms: for registered users only",
    tables=TABLES,
    layouts=(
        Layout("census_output", _recognise_output, _read_output),
        Layout("census_internet_trade", _recognise_trade, _read_trade),
        Layout("internet_investment", _recognise_investment, _read_investment),
    ),
)
