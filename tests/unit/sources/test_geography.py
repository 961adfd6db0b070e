from __future__ import annotations

import pytest

from warehouse.errors import SourceError

PAIRS = "adcode_left,adcode_right,city_left,city_right\n"
PORTS = "port_name_zh,port_name_en,longitude,latitude\n"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_neighbours_come_in_both_directions_and_sorted(load, tmp_path):
    text = (
        PAIRS + "330100,330400,杭州市,嘉兴市\n110100,120100,北京市,天津市\n"
        "500000,510500,重庆市,泸州市\n310100,330400,上海市,嘉兴市\n"
    )
    report, tables, aside = load("geography", write(tmp_path / "pairs.csv", text))
    rows = tables["geography__adjacency"]
    assert report.layout == "adjacency_csv"
    assert report.read_n == 8
    assert aside.empty
    found = list(zip(rows["city_code"], rows["neighbour_code"], strict=True))
    assert found == [
        ("1100", "1200"), ("1200", "1100"), ("3100", "3304"), ("3301", "3304"), ("3304", "3100"),
        ("3304", "3301"), ("5000", "5105"), ("5105", "5000"),
    ]  # fmt: skip
    assert list(rows["line"]) == [3, 3, 5, 2, 5, 2, 4, 4]


def test_bad_pairs_are_set_aside_in_both_directions(load, tmp_path):
    text = PAIRS + "\n".join(
        [
            "330100,330400,杭州市,嘉兴市",
            "330400,330100,嘉兴市,杭州市",
            "33O100,330200,杭州市,宁波市",
            "429004,429005,仙桃市,潜江市",
            "810000,440300,香港,深圳市",
            "330200,330200,宁波市,宁波市",
            "330500",
            "330500,330100,湖州市,杭州市",
        ]
    )
    report, tables, aside = load("geography", write(tmp_path / "pairs.csv", text))
    assert report.read_n == 16
    assert len(tables["geography__adjacency"]) == 4
    assert report.set_aside == {
        "bad_code": 2,
        "duplicate_key": 2,
        "not_a_prefecture": 4,
        "own_neighbour": 2,
        "wrong_field_count": 2,
    }
    assert set(aside.loc[aside["reason"] == "bad_code", "detail"]) == {
        "33O100 and 330200",
        "330200 and 33O100",
    }
    assert set(aside.loc[aside["reason"] == "duplicate_key", "line"]) == {3}


def test_pairs_without_one_side_are_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 1: has no column 'adcode_right'"):
        load("geography", write(tmp_path / "pairs.csv", "adcode_left,city_left\n330100,杭州市\n"))


def test_pairs_cut_off_are_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 3: ends after 2 of 4 values: the file is cut off"):
        load(
            "geography",
            write(tmp_path / "pairs.csv", PAIRS + "330100,330400,杭州市,嘉兴市\n330100,3305"),
        )


def test_ports_are_read(load, tmp_path):
    report, tables, aside = load(
        "geography",
        write(
            tmp_path / "ports.csv",
            PORTS + "大连港,Dalian,121.88,39.02\n 宁波港 ,Ningbo,121.85,29.94\n",
        ),
    )
    rows = tables["geography__ports"]
    assert report.layout == "ports_csv"
    assert report.read_n == 2
    assert aside.empty
    assert list(rows["port_name_zh"]) == ["大连港", "宁波港"]
    assert list(rows["port_name_en"]) == ["Dalian", "Ningbo"]
    assert rows["longitude"].to_list() == [121.88, 121.85]
    assert rows["latitude"].to_list() == [39.02, 29.94]


def test_bad_ports_are_set_aside(load, tmp_path):
    text = (
        PORTS + "大连港,Dalian,121.88,39.02\n大连港,Dalian,121.8,39.0\n,Nowhere,121,39\n"
        "鹿特丹港,Rotterdam,4.48,51.92\n宁波港,Ningbo,east,29.94\n"
    )
    report, tables, aside = load("geography", write(tmp_path / "ports.csv", text))
    assert report.read_n == 5
    assert report.set_aside == {"bad_coordinate": 2, "duplicate_key": 1, "missing_name": 1}
    assert list(tables["geography__ports"]["line"]) == [2]
    assert aside.set_index("line")["detail"][6] == "宁波港 Ningbo: east, 29.94"


def test_ports_without_a_position_are_refused(load, tmp_path):
    with pytest.raises(SourceError, match="has no column 'latitude'"):
        load(
            "geography",
            write(
                tmp_path / "ports.csv",
                "port_name_zh,port_name_en,longitude\n大连港,Dalian,121.88\n",
            ),
        )


def test_another_encoding_is_refused(load, tmp_path):
    (tmp_path / "ports.csv").write_bytes(PORTS.encode() + b"\xff\xff,Dalian,121.88,39.02\n")
    with pytest.raises(SourceError, match="line 2: is neither UTF-8 nor GB18030"):
        load("geography", tmp_path / "ports.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (PORTS, "no rows"),
        ("adcode,province,city,lon,lat,n_neighbours\n", "none of the layouts"),
    ],
)
def test_other_files_are_refused(load, tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        load("geography", write(tmp_path / "file.csv", text))


@pytest.mark.parametrize(
    "text",
    [
        (
            "id,dzcode,coord_long,coord_lat,cityname_chn\n1,1101,116.42,39.93,北京市\n"
            "2,3301,120.21,30.24,杭州市\n"
        ),
        "城市,经度,纬度,城市代码\n北京市,116.42,39.93,110100\n浙江杭州市,120.21,30.24,330100\n",
    ],
)
def test_seats_of_cities(load, tmp_path, text):
    path = tmp_path / "seats.csv"
    path.write_text(text, encoding="utf-8")
    report, tables, _ = load("geography", path)
    assert report.layout == "seats"
    assert tables["geography__seats"][
        ["city_name", "city_code", "longitude", "latitude"]
    ].values.tolist() == [
        ["北京市", "1100", 116.42, 39.93],
        ["杭州市", "3301", 120.21, 30.24],
    ]


def test_each_bad_seat_has_its_reason(load, workbook):
    rows = [
        ["城市", "经度", "纬度", "代码"], ["杭州市", 120.21, 30.24, 3301], ["杭洲市", 115.8, 33.8,
        3416], ["宁波市", 30.24, 120.21, 3302],
        ["温州市", 120.7, 28.0, 33033], ["杭州", 120.21, 30.24, ""], ["", 120.21, 30.24, ""],
    ]  # fmt: skip
    _, tables, aside = load("geography", workbook("seats.xlsx", {"Sheet1": rows}))
    assert tables["geography__seats"]["city_name"].tolist() == ["杭州市"]
    assert aside["reason"].tolist() == [
        "unknown_city",
        "bad_coordinate",
        "bad_code",
        "duplicate_key",
        "missing_name",
    ]
