"""Postcodes of districts and counties, with a position: one csv row a county-level division.

Names and postcodes stay as published; which unit a postcode belongs to is for the models to say.
"""

from __future__ import annotations

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, clean_name, unknown_name_detail
from warehouse.lake.schema import Tables
from warehouse.sources.reading.aliased import has_aliased, read_aliased
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.codes import restored, whole, with_lost_zeros
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out
from warehouse.sources.reading.small_csv import header_of, read_small_csv

COLUMNS = {
    "province": "province_name", "city": "city_name", "county": "county_name",
    "longitude": "longitude", "latitude": "latitude", "zipCode": "postcode",
}  # fmt: skip
# China's outermost points, in degrees, the islands of the South China Sea included.
LONGITUDES = (73.0, 136.0)
LATITUDES = (3.0, 54.0)


def outside_china(longitude: pd.Series, latitude: pd.Series) -> pd.Series:
    """Whether a position, in degrees, is missing or lies outside the box around China."""
    return ~(longitude.between(*LONGITUDES) & latitude.between(*LATITUDES))


def _is_district_csv(raw: RawFile) -> bool:
    return len(set(COLUMNS) & set(header_of(raw))) >= len(COLUMNS) - 1


def _read_district_csv(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, COLUMNS, delivery)
    _deliver(delivery, table.rows_n, table.rows, table.broken)


# The same list as other people have it, with or without positions.
OTHER_HEADS = {
    "province": ("省", "省份", "省级", "province", "province_name"),
    "city": ("市", "城市", "地级市", "市级", "city", "city_name"),
    "county": ("区县", "县区", "县", "区", "县级", "区/县", "district", "county", "county_name"),
    "longitude": ("经度", "longitude", "lon", "lng"),
    "latitude": ("纬度", "latitude", "lat"),
    "zipCode": ("邮编", "邮政编码", "邮码", "postcode", "zipcode", "zip", "postal_code"),
}
OTHER_NEEDED = ("city", "county", "zipCode")


def _is_district_table(raw: RawFile) -> bool:
    return has_aliased(raw, OTHER_HEADS, OTHER_NEEDED)


def _read_district_table(raw: RawFile, delivery: Delivery) -> None:
    """A spreadsheet takes the zero that begins a postcode of the north (010030): five digits get it
    back.
    """
    table = read_aliased(raw, delivery, OTHER_HEADS, OTHER_NEEDED)
    text = table.rows.assign(
        zipCode=table.rows["zipCode"].map(lambda code: code.zfill(6) if len(code) == 5 else code)
    )
    _deliver(delivery, table.rows_n, text, table.broken, {"longitude", "latitude"} <= table.there)


def _deliver(
    delivery: Delivery,
    rows_n: int,
    text: pd.DataFrame,
    broken: pd.DataFrame,
    has_positions: bool = True,
) -> None:
    delivery.read_n = rows_n
    postcodes, restored_n = with_lost_zeros(whole(text["zipCode"]), 6)
    if restored_n:
        delivery.column("", "zipCode", COLUMNS["zipCode"], restored(restored_n))
    frame = pd.DataFrame(
        {
            "line": text["line"],
            "province_name": text["province"].map(clean_name),
            "city_name": text["city"].map(city_name),
            "county_name": text["county"].map(clean_name),
            "postcode": postcodes,
            "longitude": as_numbers(text["longitude"]),
            "latitude": as_numbers(text["latitude"]),
        }
    )
    good, aside = sort_out(frame, _checks(frame, text, has_positions))
    delivery.accept("postcodes__districts", good)
    delivery.put_aside("postcodes__districts", pd.concat([broken, aside]))


def _checks(frame: pd.DataFrame, text: pd.DataFrame, has_positions: bool) -> list[Check]:
    unknown = ~frame["city_name"].isin(city_names())
    place = frame["city_name"] + " " + frame["county_name"] + ": "
    return [
        Check(
            "missing_name",
            (frame["city_name"] == "") | (frame["county_name"] == ""),
            place + text["zipCode"],
        ),
        Check("bad_postcode", ~matches(frame["postcode"], "[0-9]{6}"), place + text["zipCode"]),
        Check(
            "unknown_city",
            unknown,
            frame["city_name"].where(unknown, "").map(unknown_name_detail),
        ),
        Check(
            "bad_coordinate",
            outside_china(frame["longitude"], frame["latitude"]) & has_positions,
            place + text["longitude"] + ", " + text["latitude"],
        ),
    ]


TABLES: Tables = {
    "postcodes__districts": {
        "province_name": "varchar",
        "city_name": "varchar",
        "county_name": "varchar",
        "postcode": "varchar",
        "longitude": "double",
        "latitude": "double",
    },
}

SOURCE = Source(
    name="postcodes",
    title="Postcodes of districts and counties",
    publisher="china-region (collected from China Post's lists)",
    citation="china-region 0.0.11, postcodes and positions of county-level divisions",
    licence="MIT",
    tables=TABLES,
    layouts=(
        Layout("district_csv", _is_district_csv, _read_district_csv),
        Layout("district_table", _is_district_table, _read_district_table),
    ),
)
