"""Writes the simulated customs records: Chinese csv up to 2006, Stata files from 2007, or all years
in a layout of one's choice.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from warehouse.simulate.formats.stata import missing_values, write_stata
from warehouse.simulate.model.defects import Defects, spoil_numbers, spoil_text
from warehouse.simulate.model.firms import NATURES
from warehouse.simulate.model.geography import YEARS
from warehouse.simulate.model.trade import (
    MODES,
    UNKNOWN_PARTNER_CODE,
    UNKNOWN_PARTNER_NAME,
    Market,
    Records,
)

LAST_CSV_YEAR = 2006
TWO_PART_YEARS = range(2007, 2012)
CSV_HEADER = (
    "日期", "进口或出口", "HS编码", "HS中文", "金额", "数量", "价格", "数量单位", "企业编码",
    "经营单位", "单位地址", "电话", "传真", "邮编",
    "电子邮件", "联系人", "消费地或生产地", "企业性质", "起运国或目的国", "口岸海关", "贸易方式",
    "运输方式", "中转国",
)  # fmt: skip
MEASURES = ("千克", "个", "台", "米", "件", "套")
PORTS = (
    "上海海关",
    "深圳海关",
    "宁波海关",
    "天津海关",
    "青岛海关",
    "广州海关",
    "厦门海关",
    "大连海关",
)
CARRIERS = ("江海运输", "航空运输", "汽车运输", "铁路运输")
CUT_NAME_SHARE = 0.001
HALF_A_CHARACTER = "\udcd6"  # written as the single byte D6


@dataclass(frozen=True)
class WrittenFile:
    """A customs file: its name, which records it holds (by their positions), and the line (as a
    person counts) of its first record.
    """

    name: str
    records: NDArray[np.integer]
    first_line: int


def write_customs(
    folder: Path,
    market: Market,
    records: Records,
    defects: Defects,
    rng: np.random.Generator,
    progress: Callable[[str], None],
) -> list[WrittenFile]:
    """Write all customs files into `folder`, csv up to a year and Stata files after it, and say
    which records lie where.
    """
    written = []
    for year, part, rows in _files(records):
        ending = ".csv" if year <= LAST_CSV_YEAR else ".dta"
        name = f"SIMULATED_customs_{year}{f'_part{part}' if part else ''}{ending}"
        piece, spoilt = records.part(rows), defects.part(rows)
        if year <= LAST_CSV_YEAR:
            write_csv(folder / name, market, piece, spoilt, year, rng)
        else:
            write_dta(folder / name, market, piece, spoilt, year)
        written.append(
            WrittenFile(name, np.arange(rows.start, rows.stop), 2 if year <= LAST_CSV_YEAR else 1)
        )
        progress(f"customs {year}: {len(piece):,} records")
    return written


def _files(records: Records) -> Iterator[tuple[int, int, slice]]:
    """(year, part or 0, records) of each file; large years are shipped in two parts."""
    edges = np.searchsorted(records.year, [*YEARS, YEARS[-1] + 1])
    for year, start, stop in zip(YEARS, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if year in TWO_PART_YEARS:
            middle = (start + stop) // 2
            yield year, 1, slice(start, middle)
            yield year, 2, slice(middle, stop)
        else:
            yield year, 0, slice(start, stop)


def _money(cents: int) -> str:
    """Dollars with at most two decimals."""
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def _take(texts: list[str], index: NDArray[np.integer]) -> list[str]:
    return np.array(texts, dtype=object)[index].tolist()


def text_columns(
    market: Market, records: Records, rng: np.random.Generator
) -> dict[str, list[str]]:
    """The records of one year as text, by the heads of the Chinese csv, each value as it
    should be.
    """
    firms, firm = market.firms, records.firm
    count = len(records)
    empty = [""] * count
    postcodes = records.postcode.tolist()
    return {
        "日期": [
            f"{year}{month:02d}"
            for year, month in zip(records.year.tolist(), records.month.tolist(), strict=True)
        ],
        "进口或出口": _take(["出口", "进口"], records.is_import.astype(np.int64)),
        "HS编码": [f"{code:08d}" for code in records.hs8.tolist()],
        "HS中文": empty,
        "金额": [_money(cents) for cents in records.cents.tolist()],
        "数量": [f"{quantity:.0f}" for quantity in records.quantity.tolist()],
        "价格": [f"{price:.4f}" for price in (records.cents / 100 / records.quantity).tolist()],
        "数量单位": _take(list(MEASURES), records.hs8 // 1_000_000 % len(MEASURES)),
        "企业编码": _take(firms.codes, firm),
        "经营单位": _take(firms.names, firm),
        "单位地址": [
            "浙江省,模拟路1号" if draw < 0.005 else "" for draw in rng.random(count).tolist()
        ],
        "电话": _take(firms.telephones, firm),
        "传真": empty,
        "邮编": ["" if code < 0 else f"{code:06d}" for code in postcodes],
        "电子邮件": empty,
        "联系人": empty,
        "消费地或生产地": _take(market.place_texts, records.place),
        "企业性质": _take(list(NATURES), firms.nature[firm]),
        "起运国或目的国": _partner_texts(market, records, rng),
        "口岸海关": _take(list(PORTS), firms.place[firm] % len(PORTS)),
        "贸易方式": _take(list(MODES), records.mode),
        "运输方式": _take(list(CARRIERS), np.where(records.cents % 7 < 5, 0, records.cents % 4)),
        "中转国": empty,
    }


def _partner_texts(market: Market, records: Records, rng: np.random.Generator) -> list[str]:
    """The partner of each record, by one of the names that it goes by."""
    aliases = [
        *(names[j % len(names)] for names in market.partner_names for j in range(4)),
        *[UNKNOWN_PARTNER_NAME] * 4,
    ]
    partner = np.where(records.partner < 0, len(market.partner_names), records.partner)
    return _take(aliases, partner * 4 + rng.integers(0, 4, len(records)))


def write_csv(
    path: Path,
    market: Market,
    records: Records,
    defects: Defects,
    year: int,
    rng: np.random.Generator,
) -> None:
    """One year's records as the Chinese csv of 2005, some firm names cut in the middle of a
    character.
    """
    columns = text_columns(market, records, rng)
    for at in np.flatnonzero(rng.random(len(records)) < CUT_NAME_SHARE).tolist():
        columns["经营单位"][at] = columns["经营单位"][at][:-1] + HALF_A_CHARACTER
    spoil_text(columns, defects, year)
    with path.open("w", encoding="gb18030", errors="surrogateescape", newline="") as sink:
        writer = csv.writer(sink, lineterminator="\r\n")
        writer.writerow(CSV_HEADER)
        writer.writerows(zip(*(columns[head] for head in CSV_HEADER), strict=True))


def _octets(texts: list[str]) -> NDArray[np.bytes_]:
    return np.array([text.encode("gb18030") for text in texts])


def write_dta(path: Path, market: Market, records: Records, defects: Defects, year: int) -> None:
    """One year's records, or a part of them, as a Stata file with underscored names and numeric
    codes.
    """
    firms, firm = market.firms, records.firm
    partner_codes = np.array(
        [*(int(code) for code in market.partner_codes), int(UNKNOWN_PARTNER_CODE)], dtype=np.int16
    )
    distinct, where = np.unique(records.postcode, return_inverse=True)
    postcodes = np.array(
        [b"" if code < 0 else f"{code:06d}".encode() for code in distinct.tolist()]
    )
    columns: dict[str, NDArray[np.generic]] = {
        "_日期": (year * 100 + records.month.astype(np.int32)).astype(np.int32),
        "_进口或出口": records.is_import.astype(np.int8),
        "_企业编码": _octets(firms.codes)[firm],
        "_经营单位": _octets(firms.names)[firm],
        "_邮编": postcodes[where],
        "_电话": _octets(firms.telephones)[firm],
        "_消费地进口or生产地出口": _octets(market.place_texts)[records.place],
        "_海关口岸": _octets(list(PORTS))[firms.place[firm] % len(PORTS)],
        "_企业性质": _octets(list(NATURES))[firms.nature[firm]],
        "_税号编码": records.hs8,
        "_起运国或目的国": partner_codes[records.partner],
        "_金额": records.cents / 100,
        "_数量": records.quantity,
        "_贸易方式": _octets(list(MODES))[records.mode],
        "_中转国": np.where(records.cents % 50 == 0, "香港".encode("gb18030"), b""),
    }
    table = np.empty(len(records), dtype=[(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    spoil_numbers(table, defects, missing_values(table))
    write_stata(path, table, "SIMULATED customs records, not real")
