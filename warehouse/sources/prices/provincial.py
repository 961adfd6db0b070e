"""Prices of provinces, previous year = 100: consumer prices of all items, and the deflator of GDP.

A replication file in Stata repeats them beside every prefecture, as ratios (1.056); statistical
yearbooks and queries print one row a province and year, on the base of 100.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from warehouse.dictionary.places import province_names, province_prefixes
from warehouse.errors import SourceError
from warehouse.sources.reading.aliased import has_aliased, read_aliased
from warehouse.sources.reading.base import Delivery, RawFile
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out
from warehouse.sources.reading.stata import stata_frame
from warehouse.sources.reading.stata_header import stata_release

TABLE = "prices__provinces"
STATA_HEADS = ("year", "provcode", "inflation", "deflator")
MEASURES = {"inflation": "consumer_prices", "deflator": "gdp_deflator"}
HEADS = {
    "province": ("省份", "省", "地区", "province", "province_name"),
    "year": ("年份", "年度", "year"),
    "consumer_prices": (
        "居民消费价格指数(上年=100)",
        "居民消费价格指数",
        "居民消费价格总指数",
        "居民消费价格总指数(上年=100)",
        "cpi",
    ),
    "gdp_deflator": (
        "gdp平减指数(上年=100)",
        "地区生产总值平减指数(上年=100)",
        "地区生产总值平减指数",
    ),
}
NEEDED = ("province", "year", "consumer_prices")
LOWEST, HIGHEST = (
    50.0,
    200.0,
)  # previous year = 100; no province's prices have halved or doubled in a year


def is_provincial_stata(raw: RawFile) -> bool:
    return stata_release(raw) is not None and set(STATA_HEADS) <= set(stata_frame(raw).columns)


def read_provincial_stata(raw: RawFile, delivery: Delivery) -> None:
    """
    Raises
    ------
    SourceError : two prefectures of one province and year have different prices of their province.
    """
    frame = stata_frame(raw)
    delivery.heads(
        "",
        list(frame.columns),
        {list(frame.columns).index(head): name for head, name in _taken().items()},
    )
    parts = [_stata_cells(raw, frame, head, measure) for head, measure in MEASURES.items()]
    _deliver(
        delivery,
        pd.concat(parts, ignore_index=True).sort_values(
            ["line", "measure"], kind="stable", ignore_index=True
        ),
    )


def _stata_cells(raw: RawFile, frame: pd.DataFrame, head: str, measure: str) -> pd.DataFrame:
    """One measure's cells, once a province and year, as ratios on the base of 100."""
    known = frame.assign(line=np.arange(1, len(frame) + 1))[
        ["line", "provcode", "year", head]
    ].dropna()
    once = known.drop_duplicates(["provcode", "year", head])
    twice = once[once.duplicated(["provcode", "year"])]
    if len(twice):
        place = f"row {twice['line'].iloc[0]}"
        raise SourceError(
            raw.name,
            place,
            f"gives one province and year two values of {head}",
            "Fetch the file again from its publisher",
        )
    names = {code: name for name, code in province_names().items()}
    code = once["provcode"].map(lambda number: f"{int(number):02d}")
    return pd.DataFrame(
        {
            "line": once["line"],
            "province_name": code.map(names).fillna(code),
            "year_text": once["year"].map(lambda number: str(int(number))),
            "measure": measure,
            "text": (once[head].astype(float) * 100).map(lambda number: f"{number:.15g}"),
        }
    )


def _taken() -> dict[str, str]:
    return {"year": "year", "provcode": "province_name", **dict.fromkeys(MEASURES, "index_pct")}


def is_provincial_table(raw: RawFile) -> bool:
    return has_aliased(raw, HEADS, NEEDED)


def read_provincial_table(raw: RawFile, delivery: Delivery) -> None:
    table = read_aliased(raw, delivery, HEADS, NEEDED)
    rows = table.rows.rename(columns={"year": "year_text"})
    rows["province_name"] = rows["province"].map(_full_name)
    long = rows.melt(
        ["line", "province_name", "year_text"], list(MEASURES.values()), "measure", "text"
    )
    _deliver(
        delivery,
        long[long["text"] != ""].sort_values(["line", "measure"], kind="stable", ignore_index=True),
        table.broken,
    )


def _full_name(name: str) -> str:
    """A province's full name for its full or short one; another name as it is."""
    code = province_prefixes().get(name)
    return next((full for full, known in province_names().items() if known == code), name)


def _deliver(delivery: Delivery, cells: pd.DataFrame, broken: pd.DataFrame | None = None) -> None:
    """Check cells of `line`, province_name, year_text, measure and text."""
    parts: Iterable[pd.DataFrame] = [] if broken is None else [broken]
    delivery.read_n = len(cells) + sum(len(part) for part in parts)
    index = as_numbers(cells["text"])
    good_year = matches(cells["year_text"], "(19|20)[0-9]{2}")
    found = (
        cells["province_name"]
        + " "
        + cells["year_text"]
        + ", "
        + cells["measure"]
        + ": "
        + cells["text"]
    )
    frame = cells.assign(
        index_pct=index, year=pd.to_numeric(cells["year_text"].where(good_year)).astype("Int64")
    )
    good, aside = sort_out(
        frame,
        [
            Check("bad_year", ~good_year, found),
            Check("unknown_province", ~cells["province_name"].isin(province_names()), found),
            Check("bad_number", index.isna(), found),
            Check("out_of_range", ~index.between(LOWEST, HIGHEST), found),
            Check(
                "duplicate_key", cells.duplicated(["province_name", "year_text", "measure"]), found
            ),
        ],
    )
    delivery.accept(TABLE, good[["line", "province_name", "year", "measure", "index_pct"]])
    delivery.put_aside(TABLE, pd.concat([*parts, aside]))
