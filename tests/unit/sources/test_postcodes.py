from __future__ import annotations

import pytest

from warehouse.errors import SourceError

HEADER = "province,city,county,longitude,latitude,zipCode\n"
GOOD = "浙江省,杭州市,西湖区,120.13,30.27,310013\n"


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_districts_are_read(load, tmp_path, encoding):
    text = HEADER + GOOD + "内蒙古自治区, 呼和浩特市 ,新城区,111.65,40.87,010030\n"
    report, tables, aside = load("postcodes", write(tmp_path / "districts.csv", text, encoding))
    rows = tables["postcodes__districts"]
    assert report.layout == "district_csv"
    assert report.read_n == 2
    assert aside.empty
    assert rows.iloc[0][["province_name", "city_name", "county_name", "postcode", "longitude",
        "latitude"]].to_list() == [
        "浙江省", "杭州市", "西湖区", "310013", 120.13, 30.27,
    ]  # fmt: skip
    assert rows["city_name"].iloc[1] == "呼和浩特市"
    assert rows["postcode"].iloc[1] == "010030"


def test_bad_rows_are_set_aside_with_their_reason(load, tmp_path):
    bad = [
        "福建省,泉州市,金门县,118.32,24.43,890至896",
        "河南省,新乡市,凤泉区,113.92,35.38,4453011",
        "港澳台,港澳台,台北市,121.5,25.03,222",
        "浙江省,杭州市,余杭区,120.3,30.42,31110O",
        "浙江省,杭洲市,上城区,120.17,30.25,310002",
        "浙江省,杭州市,下城区,-120.17,30.28,310006",
        "浙江省,杭州市,江干区,120.2,,310016",
        "浙江省,杭州市,,120.2,30.1,310018",
        "浙江省,杭州市,拱墅区,120.13",
        "浙江省,杭州市,滨江区,120.2,30.2,310051",
    ]
    report, tables, aside = load(
        "postcodes", write(tmp_path / "districts.csv", HEADER + "\n".join(bad) + "\n")
    )
    assert report.read_n == 10
    assert report.set_aside == {
        "bad_coordinate": 2,
        "bad_postcode": 4,
        "missing_name": 1,
        "unknown_city": 1,
        "wrong_field_count": 1,
    }
    assert list(tables["postcodes__districts"]["county_name"]) == ["滨江区"]
    assert list(aside["line"]) == list(range(2, 11))
    detail = aside.set_index("line")["detail"]
    assert detail[2] == "泉州市 金门县: 890至896"
    assert detail[6].startswith("杭洲市 (nearest names: ")
    assert "杭州市" in detail[6]
    assert detail[10] == "4 values, 6 expected"


def test_a_missing_column_is_named(load, tmp_path):
    with pytest.raises(
        SourceError,
        match=(
            r"line 1: has no column 'zipCode' \(it has province, city, county, longitude, "
            r"latitude\)"
        ),
    ):
        load(
            "postcodes",
            write(
                tmp_path / "districts.csv",
                "province,city,county,longitude,latitude\n浙江省,杭州市,西湖区,120.13,30.27\n",
            ),
        )


def test_a_column_named_twice_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="names a column twice"):
        load(
            "postcodes",
            write(
                tmp_path / "districts.csv",
                HEADER.replace("\n", ",city\n") + GOOD.replace("\n", ",杭州市\n"),
            ),
        )


def test_a_truncated_file_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 3: ends after 5 of 6 values: the file is cut off"):
        load(
            "postcodes",
            write(tmp_path / "districts.csv", HEADER + GOOD + "浙江省,杭州市,拱墅区,120.13,30."),
        )


def test_another_encoding_is_refused(load, tmp_path):
    path = write(tmp_path / "districts.csv", HEADER + GOOD, "gb18030")
    path.write_bytes(path.read_bytes() + b"\xff\xfe,a,b,120,30,310000\n")
    with pytest.raises(SourceError, match="line 3: is neither UTF-8 nor GB18030"):
        load("postcodes", path)


def test_names_in_another_chinese_encoding_match_nothing(load, tmp_path):
    report, tables, _ = load(
        "postcodes",
        write(
            tmp_path / "districts.csv",
            HEADER + "浙江省,杭州市,西湖,120.13,30.27,310013\n".replace("浙", "折"),
            "big5",
        ),
    )
    assert report.set_aside == {"unknown_city": 1}
    assert tables["postcodes__districts"].empty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        (HEADER, "has a header and no rows"),
        ("a,b\n1,2\n", "shows none of the layouts"),
    ],
)
def test_a_file_without_districts_is_refused(load, tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        load("postcodes", write(tmp_path / "districts.csv", text))


def test_windows_line_ends_are_understood(load, tmp_path):
    report, _, _ = load(
        "postcodes", write(tmp_path / "districts.csv", (HEADER + GOOD).replace("\n", "\r\n"))
    )
    assert report.accepted_n == 1


def test_the_list_as_other_people_have_it(load, workbook):
    """Chinese heads, a workbook that took the first zero, no positions."""
    rows = [
        ["省份", "城市", "区县", "邮政编码"],
        ["内蒙古自治区", "呼和浩特市", "新城区", 10030],
        ["浙江省", "杭州市", "西湖区", "310013"],
        ["浙江省", "杭州市", "江干区", 222],
    ]
    report, tables, aside = load("postcodes", workbook("codes.xlsx", {"Sheet1": rows}))
    assert report.layout == "district_table"
    assert tables["postcodes__districts"][["county_name", "postcode"]].values.tolist() == [
        ["新城区", "010030"],
        ["西湖区", "310013"],
    ]
    assert tables["postcodes__districts"]["longitude"].isna().all()
    assert aside["reason"].tolist() == ["bad_postcode"]
