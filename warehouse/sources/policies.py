"""Places named by national programmes: cross-border e-commerce pilot zones, Broadband China,
big-data zones, economic and technological development zones, resource-based cities; and by lists of
commercial tiers. A resource-based city has its class where others have their batch, a tier its
name.

`first_year` is the year of approval, also where approval came in December. Text is kept as text.

Level of a place, where the file states none, by its name (a note in brackets, as in 福州市(含平潭),
is passed over):
  city      a prefecture-level division, municipalities, autonomous prefectures and 地区 included
  province  ends in 省 or 自治区, or a whole province named as 全岛
  county    a county-level division of GB/T 2260, alone or after its city's name (重庆市江津区); one
            governed directly by its province (阿拉尔市) is a county too, though yearbooks list it
            among the cities
  region    ends in 群, 新区 or 三角洲: several cities, or an area of its own
A file may state the level country (Belt and Road). A name that is none of these is set aside as
unknown_city with the names nearest to it.
"""

from __future__ import annotations

import csv
import re
from functools import cache

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, unknown_name_detail
from warehouse.lake.schema import Tables
from warehouse.project import PROJECT
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, matches, sort_out
from warehouse.sources.reading.small_csv import header_of, read_small_csv

TABLE = "policies__zones"
POLICIES = (
    "cross_border_ecommerce",
    "broadband_china",
    "big_data",
    "resource_based",
    "belt_and_road",
    "development_zone",
    "commercial_tier",
)
LEVELS = ("city", "province", "region", "county", "country")
PROVENANCE = {"SEEN": "seen", "MEMORY_UNVERIFIED": "from_memory"}
DATE = r"(?:19|20)[0-9]{2}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
OWN_COLUMNS = (
    "policy",
    "batch",
    "year",
    "approved_on",
    "document",
    "name_zh",
    "level",
    "provenance",
)
ZONE_COLUMNS = ("batch", "approval_date", "document", "name", "provenance")
SIGNED_COLUMNS = ("batch", "date_signed", "document", "name", "county_level_city")
LIST_COLUMNS = ("batch_year", "name_as_published", "source")
DIVISIONS = PROJECT / "warehouse" / "reference" / "divisions.csv"


@cache
def _county_names() -> tuple[frozenset[str], frozenset[str]]:
    """Names of county-level divisions in any vintage of GB/T 2260, and those of them that only a
    province governs.
    """
    with DIVISIONS.open(encoding="utf-8", newline="") as handle:
        names = [(row["division_code"], row["name_zh"]) for row in csv.DictReader(handle)]
    counties = frozenset(name for code, name in names if not code.endswith("00"))
    prefectures = {name for code, name in names if code.endswith("00")}
    return counties, frozenset(
        name for code, name in names if code[2:4] == "90" and name in counties - prefectures
    )


def level_of(name: str) -> str | None:
    """Level of a place by the rule above; None for a name that no rule knows."""
    plain = re.sub(r"[(（].*?[)）]", "", name)
    counties, directly_governed = _county_names()
    if plain in city_names() - directly_governed:
        return "city"
    if re.search(r"(省|自治区|全岛)$", plain):
        return "province"
    parts = re.fullmatch(r"(?:(.+?市)(?=.))?(.+)", plain)
    if parts and parts[2] in counties and (parts[1] is None or parts[1] in city_names()):
        return "county"
    return "region" if re.search(r"(群|新区|三角洲)$", plain) else None


def _is_own(raw: RawFile) -> bool:
    return len(set(OWN_COLUMNS) & set(header_of(raw))) >= len(OWN_COLUMNS) - 1


def _is_zones(raw: RawFile) -> bool:
    return "approval_date" in header_of(raw)


def _is_signed_zones(raw: RawFile) -> bool:
    return set(SIGNED_COLUMNS) <= set(header_of(raw))


def _read_signed_zones(raw: RawFile, delivery: Delivery) -> None:
    """The State Council's replies with the day on which each was signed; names may be short, and
    counties are marked.
    """
    table = read_small_csv(raw, SIGNED_COLUMNS, delivery)
    text = table.rows.rename(columns={"date_signed": "approved_on"})
    level = text["county_level_city"].map({"1": "county"}).fillna("")
    named = text["name"].where(
        level == "", text["name"].map(lambda name: name if name.endswith("市") else f"{name}市")
    )
    year = text["approved_on"].str.slice(0, 4)
    _deliver(
        delivery,
        table.rows_n,
        text.assign(
            name=named, policy="cross_border_ecommerce", year=year, level=level, provenance="seen"
        ),
        table.broken,
    )


def _is_broadband(raw: RawFile) -> bool:
    return {"name_as_published", "cross_check"} <= set(header_of(raw))


def _is_big_data(raw: RawFile) -> bool:
    return {"name_as_published", "level"} <= set(header_of(raw))


def _read_own(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, OWN_COLUMNS, delivery)
    text = table.rows.rename(columns={"name_zh": "name"})
    _deliver(delivery, table.rows_n, text, table.broken)


def _read_zones(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, ZONE_COLUMNS, delivery)
    text = table.rows.rename(columns={"approval_date": "approved_on"})
    provenance = text["provenance"].map(lambda word: PROVENANCE.get(word, word))
    year = text["approved_on"].str.slice(0, 4)
    _deliver(
        delivery,
        table.rows_n,
        text.assign(policy="cross_border_ecommerce", year=year, level="", provenance=provenance),
        table.broken,
    )


def _read_broadband(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, LIST_COLUMNS, delivery)
    _deliver(
        delivery,
        table.rows_n,
        _from_list(table.rows).assign(policy="broadband_china", level=""),
        table.broken,
    )


def _read_big_data(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, (*LIST_COLUMNS, "level"), delivery)
    _deliver(delivery, table.rows_n, _from_list(table.rows).assign(policy="big_data"), table.broken)


def _from_list(text: pd.DataFrame) -> pd.DataFrame:
    """A list whose batches are known by their year; a row that names where it was seen counts as
    seen.
    """
    text = text.rename(columns={"name_as_published": "name"})
    year = text["batch_year"]
    return text.assign(
        batch=year,
        year=year,
        approved_on=year,
        document=None,
        provenance=text["source"].map(lambda source: "seen" if source else None),
    )


def _deliver(delivery: Delivery, rows_n: int, text: pd.DataFrame, broken: pd.DataFrame) -> None:
    """Check the rows of any layout: columns policy, batch, year, approved_on, document, name,
    level, provenance and line.
    """
    delivery.read_n = rows_n
    name = text["name"].map(city_name)
    by_name = name.map(level_of)
    level = text["level"].where(text["level"] != "", by_name)
    is_year = matches(text["year"], "(19|20)[0-9]{2}")
    is_date = matches(text["approved_on"], DATE) & (
        text["approved_on"].str.slice(0, 4) == text["year"]
    )
    frame = text[["line", "policy", "batch", "approved_on", "document", "provenance"]].assign(
        name=name,
        level=level,
        first_year=pd.to_numeric(text["year"].where(is_year)).astype("Int16"),
    )
    unknown = level.isna() | ((level == "city") & by_name.isna())
    when = name + ": year " + text["year"] + ", approved on " + text["approved_on"]
    good, aside = sort_out(
        frame,
        [
            Check("bad_policy", ~text["policy"].isin(POLICIES), text["policy"]),
            Check("missing_name", name == "", when),
            Check("bad_year", ~(is_year & is_date), when),
            Check("bad_level", level.notna() & ~level.isin(LEVELS), name + ": " + text["level"]),
            Check("unknown_city", unknown, name.where(unknown, "").map(unknown_name_detail)),
            Check(
                "duplicate_key",
                pd.DataFrame({"policy": text["policy"], "name": name}).duplicated(),
                name,
            ),
        ],
    )
    delivery.accept(TABLE, good)
    delivery.put_aside(TABLE, pd.concat([broken, aside]))


TABLES: Tables = {
    # One row a place named in a policy document.
    "policies__zones": {
        # cross_border_ecommerce | broadband_china | big_data | resource_based | belt_and_road |
        # development_zone | commercial_tier
        "policy": "varchar",
        "batch": "varchar",
        "first_year": "smallint",
        "approved_on": "varchar",
        "document": "varchar",
        "name": "varchar",
        "level": "varchar",
        "provenance": "varchar",
    },
}

SOURCE = Source(
    name="policies",
    title="Pilot zones, demonstration cities and resource-based cities of national programmes",
    publisher=(
        "State Council; Ministry of Industry and Information Technology; National Development and"
        " Reform Commission"
    ),
    citation=(
        "State Council replies on cross-border e-commerce comprehensive pilot zones (2015-2025);"
        " lists of Broadband China demonstration cities (2014-2016), of national big-data"
        " comprehensive pilot zones (2016) and of resource-based cities (plan of 2013-2020)"
    ),
    licence="Facts from government documents; not subject to copyright",
    tables=TABLES,
    layouts=(
        Layout("policy_zones_csv", _is_own, _read_own),
        Layout("ecommerce_zones_csv", _is_zones, _read_zones),
        Layout("ecommerce_replies_csv", _is_signed_zones, _read_signed_zones),
        Layout("broadband_china_csv", _is_broadband, _read_broadband),
        Layout("big_data_zones_csv", _is_big_data, _read_big_data),
    ),
)
