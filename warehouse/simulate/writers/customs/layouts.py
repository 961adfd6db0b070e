"""The simulated customs records in any of the layouts that holders really have, all years in the
one that is asked for.

Each layout has the heads, words and codes of its own, and an encoding or file type in which it is
met. Every one states the firm, its postcode and telephone and the production place: holders of the
years whose own columns lack them have merged them in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.model.defects import Defects, spoil_text
from warehouse.simulate.model.geography import SEEDS, YEARS, city_name_rows, read_reference
from warehouse.simulate.model.trade import (
    MODES,
    UNKNOWN_PARTNER_CODE,
    UNKNOWN_PARTNER_NAME,
    UNKNOWN_PLACES,
    Market,
    Records,
)
from warehouse.simulate.writers.customs.by_period import (
    WrittenFile,
    text_columns,
    write_csv,
    write_dta,
)
from warehouse.simulate.writers.customs.formats import (
    Columns,
    write_lines,
    write_parquet,
    write_stata_text,
    write_xlsx,
    write_zipped,
)

MODE_CODES = ("10", "15", "14", "39")  # of trade.MODES, as customs' list of regimes has them
MODES_EN = (
    "Ordinary Trade",
    "Processing with Imported Materials",
    "Processing and Assembling",
    "Other",
)
UNKNOWN_PARTNER_EN = "Countries(reg.) unknown"
UNKNOWN_AREA = "99999"
DATE, FLOW, HS, VALUE, QUANTITY, UNIT = "日期", "进口或出口", "HS编码", "金额", "数量", "数量单位"
FIRM, NAME, POSTCODE, TELEPHONE, PLACE, PARTNER, MODE, NATURE = (
    "企业编码",
    "经营单位",
    "邮编",
    "电话",
    "消费地或生产地",
    "起运国或目的国",
    "贸易方式",
    "企业性质",
)
PARTNER_NAME, MODE_NAME = (
    "贸易伙伴名称",
    "贸易方式名称",
)  # beside the codes, in layouts that give both


@dataclass(frozen=True)
class Shape:
    """How one layout writes a record.

    heads : the Chinese csv's head -> this layout's, in its order
    partner, mode : zh | en | code
    place : zh | code
    numbers_flow : whether exports are 0 and imports 1
    writes : (path, columns, heads) -> None
    suffix, first_line : of its files, and where their records begin
    by_flow : exports and imports lie apart, and no column tells them
    """

    heads: dict[str, str]
    writes: Callable[[Path, Columns], None]
    suffix: str
    partner: str = "zh"
    mode: str = "zh"
    place: str = "zh"
    numbers_flow: bool = False
    first_line: int = 2
    by_flow: bool = False


def _heads(**pairs: str) -> dict[str, str]:
    keys = {
        "date": DATE, "flow": FLOW, "hs": HS, "value": VALUE, "quantity": QUANTITY, "unit": UNIT,
        "firm": FIRM, "name": NAME, "postcode": POSTCODE,
        "telephone": TELEPHONE, "place": PLACE, "partner": PARTNER, "mode": MODE, "nature": NATURE,
        "partner_name": PARTNER_NAME, "mode_name": MODE_NAME,
    }  # fmt: skip
    return {keys[name]: head for name, head in pairs.items()}


_ENGLISH = _heads(
    date="shipment_date", flow="exp_imp", hs="hs_id", value="value", quantity="quantity",
    unit="unit", firm="party_id", name="company",
    nature="CompanyType", place="city", partner="country", mode="shipment", postcode="zip",
    telephone="tel",
)  # fmt: skip
_CSMAR = _heads(
    date="年月_YearMonth", name="经营单位名称_EntNm", firm="经营单位编码_EntCd",
    flow="进出口分类代码_ImpExpTypeCd", hs="HS商品编码_HSCd",
    value="金额_美元_Sum_USD", mode="贸易方式代码_TrdMdCd",
    partner="起运国或目的国代码_BegEndCntryCd", partner_name="起运国或目的国名称_BegEndCntryNm",
    quantity="数量_Quantity", unit="数量单位代码_QuantityUnitCd", place="消费地或生产地代码",
    postcode="邮编", telephone="电话",
)  # fmt: skip

SHAPES: dict[str, Shape] = {
    "2000_english": Shape(_ENGLISH, lambda path, columns: write_lines(path, columns, "utf-8", "\n"),
    ".csv", partner="en", mode="en", numbers_flow=True),
    "2002_mixed": Shape(
        _heads(date="日期", hs="hs_id", name="company", partner="国家名称_C", flow="进出口_C",
        nature="companytype", mode="贸易类型_C", value="value",
               quantity="quantity", unit="unit", firm="party_id", place="消费地或生产地",
               postcode="邮编", telephone="电话"),
        lambda path, columns: write_zipped(path, columns, "gb18030"), ".zip",
    ),
    "2003_chinese": Shape(
        _heads(date="日期", flow="进口或出口", firm="企业编码", name="经营单位", nature="企业性质",
        hs="税号编码", partner="起运国或目的国", value="金额",
               quantity="数量", mode="贸易方式", unit="数量单位", place="消费地或生产地",
               postcode="邮编", telephone="电话"),
        lambda path, columns: write_lines(path, columns, "utf-8-sig", "\r\n"), ".csv",
        partner="code", place="code",
    ),
    "2005_english": Shape({**_ENGLISH, "中转国": "companyType"}, write_parquet, ".parquet",
    partner="en", mode="en", numbers_flow=True, first_line=1),
    "2006_chinese": Shape(
        _heads(date="日期", flow="进出口", firm="企业代码", name="企业名称", nature="企业类型",
        hs="商品代码", partner="var18", value="金额", quantity="数量",
               mode="贸易方式", unit="数量单位", place="消费地或生产地", postcode="邮编",
               telephone="电话"),
        write_stata_text, ".dta", first_line=1,
    ),
    "csmar_2000_2016": Shape(_CSMAR, write_xlsx, ".xlsx", partner="code", mode="code", place="code",
    numbers_flow=True),
    "online_query_zh": Shape(
        _heads(date="数据年月", hs="商品编码", partner="贸易伙伴编码", partner_name="贸易伙伴名称",
        mode="贸易方式编码", mode_name="贸易方式名称",
               quantity="第一数量", unit="第一计量单位", value="美元", firm="企业编码",
               name="经营单位", postcode="邮编", telephone="电话", place="消费地或生产地"),
        lambda path, columns: write_lines(path, columns, "gb18030", "\r\n", as_query=True), ".csv",
        partner="code", mode="code", place="code", by_flow=True,
    ),
    "online_query_en": Shape(
        _heads(date="Date of data", hs="Commodity code", partner="Trading partner code",
        partner_name="Trading partner", mode="Customs Regime code",
               mode_name="Customs Regime", quantity="Quantity", unit="Unit", value="US dollar",
               firm="party_id", name="company", postcode="zip", telephone="tel", place="city"),
        lambda path, columns: write_lines(path, columns, "gb18030", "\n", as_query=True), ".csv",
        partner="code", mode="code", by_flow=True,
    ),
}  # fmt: skip
BY_PERIOD = "by_period"  # each year in the layout of its own time
LAYOUTS = (
    *sorted((*SHAPES, "2005_chinese_csv", "2007_stata")),
    BY_PERIOD,
)  # named as their readers are
IN_PARTS = {2007: 14}  # files that a year of Stata files comes in
QUERY_FROM = 2017


def _layout_in(year: int, month: int) -> str:
    """The layout in which holders have a month's records; 2005 is in English up to November."""
    if year == 2005:
        return "2005_chinese_csv" if month == 12 else "2005_english"
    until = {
        2001: "2000_english",
        2002: "2002_mixed",
        2004: "2003_chinese",
        2006: "2006_chinese",
        2011: "2007_stata",
        QUERY_FROM - 1: "csmar_2000_2016",
    }
    return next((layout for last, layout in until.items() if year <= last), "online_query_zh")


def shown(layout: str, records: Records, defects: Defects) -> Defects:
    """The defects as a layout can show them: where files have no column for the flow, none can be
    wrong.
    """
    without_flow = (
        records.year >= QUERY_FROM
        if layout == BY_PERIOD
        else np.full(len(records), layout in SHAPES and SHAPES[layout].by_flow)
    )
    return defects.without("bad_flow", "bad_hs_code", without_flow)


def write_in_layout(
    folder: Path,
    market: Market,
    records: Records,
    defects: Defects,
    rng: np.random.Generator,
    layout: str,
    progress: Callable[[str], None],
) -> list[WrittenFile]:
    """Write all records, year by year, in one of LAYOUTS; returns which records lie where."""
    written, words = [], _Words(market)
    for year in YEARS:
        of_year = np.flatnonzero(records.year == year)
        months = records.month[of_year]
        kinds = {
            _layout_in(year, month) if layout == BY_PERIOD else layout for month in range(1, 13)
        }
        for kind in sorted(kinds):
            at = (
                of_year
                if len(kinds) == 1
                else of_year[[_layout_in(year, month) == kind for month in months.tolist()]]
            )
            stem = f"SIMULATED_customs_{kind}_{year}"
            written += [
                _write_piece(
                    folder / f"{stem}{ending}", kind, words, year, records, defects, rng, part
                )
                for ending, part in _pieces(kind, year, records, at)
            ]
        progress(f"customs {year}, layout {', '.join(sorted(kinds))}: {len(of_year):,} records")
    return written


def _pieces(
    layout: str, year: int, records: Records, at: NDArray[np.integer]
) -> Iterator[tuple[str, NDArray[np.integer]]]:
    """What ends each file's name, and the records that it holds."""
    if layout in SHAPES and SHAPES[layout].by_flow:
        yield "_export", at[~records.is_import[at]]
        yield "_import", at[records.is_import[at]]
    elif layout == "2007_stata" and year in IN_PARTS:
        for number, part in enumerate(np.array_split(at, IN_PARTS[year]), start=1):
            yield f"_part{number:02d}", part
    else:
        yield "", at


def _write_piece(
    path: Path,
    layout: str,
    words: _Words,
    year: int,
    records: Records,
    defects: Defects,
    rng: np.random.Generator,
    at: NDArray[np.integer],
) -> WrittenFile:
    """Write the records `at` into one file; `path` lacks the ending that the layout gives it."""
    shape, market = SHAPES.get(layout), words.market
    suffix = shape.suffix if shape else ".dta" if layout == "2007_stata" else ".csv"
    file = path.with_name(path.name + suffix)
    piece, spoilt = records.part(at), defects.part(at)
    if shape:
        shape.writes(file, _columns(shape, words, market, piece, spoilt, year, rng))
    elif layout == "2007_stata":
        write_dta(file, market, piece, spoilt, year)
    else:
        write_csv(file, market, piece, spoilt, year, rng)
    return WrittenFile(
        file.name, at, shape.first_line if shape else 1 if layout == "2007_stata" else 2
    )


class _Words:
    """Names and codes of partners, modes and places, as layouts write them."""

    def __init__(self, market: Market) -> None:
        english = {
            row["country_code"]: row["country_name_en"]
            for row in read_reference(SEEDS / "countries.csv")
        }
        self.market = market
        self.partners = {
            "zh": [*(names[0] for names in market.partner_names), UNKNOWN_PARTNER_NAME],
            "en": [*(english[code] for code in market.partner_codes), UNKNOWN_PARTNER_EN],
            "code": [*market.partner_codes, UNKNOWN_PARTNER_CODE],
        }
        self.modes = {"zh": list(MODES), "en": list(MODES_EN), "code": list(MODE_CODES)}

    def partner(self, records: Records, kind: str) -> list[str]:
        return np.array(self.partners[kind], dtype=object)[
            records.partner
        ].tolist()  # an unknown one is -1, and stands last

    def mode(self, records: Records, kind: str) -> list[str]:
        return np.array(self.modes[kind], dtype=object)[records.mode].tolist()

    def areas(self, records: Records, year: int) -> list[str]:
        """Customs' five-digit area code of each record's production place, under the prefecture's
        code of that year.
        """
        market = self.market
        codes = {
            row["name_zh"]: row["division_code"]
            for row in city_name_rows()
            if int(row["first_year"]) <= year <= int(row["last_year"])
        }  # a place's first form is its full name in that year
        jinan = next(
            (
                place.places[year]
                for place in market.firms.places
                if place.city_code == "3701" and place.places[year]
            ),
            ("",),
        )
        by_place = [
            codes.get((place.places[year] or jinan)[0], "") + "9" for place in market.firms.places
        ]
        unknown = {
            market.place_text_index[text]
            for text in UNKNOWN_PLACES
            if text in market.place_text_index
        }
        places = market.firms.place[records.firm].tolist()
        return [
            UNKNOWN_AREA if text in unknown else by_place[place]
            for text, place in zip(records.place.tolist(), places, strict=True)
        ]


def _columns(
    shape: Shape,
    words: _Words,
    market: Market,
    records: Records,
    defects: Defects,
    year: int,
    rng: np.random.Generator,
) -> Columns:
    """A file's columns under the layout's heads, spoilt where the world says so."""
    columns = text_columns(market, records, rng)
    columns[MODE] = words.mode(records, shape.mode)
    if shape.partner != "zh":
        columns[PARTNER] = words.partner(records, shape.partner)
    if shape.place == "code":
        columns[PLACE] = words.areas(records, year)
    spoil_text(columns, defects, year)
    if shape.numbers_flow:
        columns[FLOW] = [{"出口": "0", "进口": "1"}.get(text, text) for text in columns[FLOW]]
    language = "en" if "Trading partner" in shape.heads.values() else "zh"
    columns[MODE_NAME] = words.mode(records, language)
    columns[PARTNER_NAME] = [
        name if code.strip() else ""
        for name, code in zip(words.partner(records, language), columns[PARTNER], strict=True)
    ]
    return {head: columns[own] for own, head in shape.heads.items()}
