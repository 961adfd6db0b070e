from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.errors import SourceError
from warehouse.sources.policies import level_of

REFERENCE = Path(__file__).resolve().parents[3] / "warehouse" / "reference"
OWN = "policy,batch,year,approved_on,document,name_zh,level,provenance\n"
ZONES = "batch,approval_date,document,name,provenance,evidence\n"
BROADBAND = "batch_year,name_as_published,source,cross_check\n"
BIG_DATA = "batch_year,name_as_published,level,source\n"


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_ecommerce_zones(load, tmp_path):
    text = (
        ZONES
        + "1,2015-03,国函〔2015〕44号,杭州市,SEEN,a page\n"
        + "4,2019-12-15,国函〔2019〕137号,石家庄市,MEMORY_UNVERIFIED,\n"
        + "3,2018-07-24,国函〔2018〕93号,义乌市,SEEN,\n"
    )
    report, tables, aside = load("policies", write(tmp_path / "zones.csv", text))
    rows = tables["policies__zones"]
    assert report.layout == "ecommerce_zones_csv"
    assert report.read_n == 3
    assert aside.empty
    assert set(rows["policy"]) == {"cross_border_ecommerce"}
    assert list(rows["first_year"]) == [2015, 2019, 2018]  # the year of approval, also for December
    assert list(rows["approved_on"]) == ["2015-03", "2019-12-15", "2018-07-24"]
    assert list(rows["batch"]) == ["1", "4", "3"]
    assert list(rows["level"]) == ["city", "city", "county"]
    assert list(rows["provenance"]) == ["seen", "from_memory", "seen"]
    assert rows["document"].iloc[0] == "国函〔2015〕44号"


def test_broadband_cities(load, tmp_path):
    text = (
        BROADBAND + "2014,福州市(含平潭),a list,a page\n2015,重庆市江津区,,a page\n"
        "2014,长株潭城市群,a list,a page\n"
    )
    report, tables, _ = load("policies", write(tmp_path / "broadband.csv", text))
    rows = tables["policies__zones"]
    assert report.layout == "broadband_china_csv"
    assert set(rows["policy"]) == {"broadband_china"}
    assert list(rows["name"]) == ["福州市(含平潭)", "重庆市江津区", "长株潭城市群"]
    assert list(rows["level"]) == ["city", "county", "region"]
    assert list(rows["first_year"]) == [2014, 2015, 2014]
    assert rows["provenance"].isna().to_list() == [False, True, False]


def test_big_data_zones_keep_the_level_that_the_file_states(load, tmp_path):
    text = (
        BIG_DATA
        + "2016,京津冀,region,a list\n2016,贵州省,province,a list\n2016,上海市,city,a list\n"
    )
    report, tables, _ = load("policies", write(tmp_path / "big_data.csv", text))
    rows = tables["policies__zones"]
    assert report.layout == "big_data_zones_csv"
    assert dict(zip(rows["name"], rows["level"], strict=True)) == {
        "京津冀": "region",
        "贵州省": "province",
        "上海市": "city",
    }


def test_own_layout(load, tmp_path):
    text = (
        OWN + "big_data,1,2016,2016,名单,沈阳市,city,seen\n"
        "cross_border_ecommerce,5,2020,2020-04-27,国函〔2020〕47号,雄安新区,region,seen\n"
    )
    report, tables, _ = load("policies", write(tmp_path / "policy_zones.csv", text))
    rows = tables["policies__zones"]
    assert report.layout == "policy_zones_csv"
    assert list(rows["policy"]) == ["big_data", "cross_border_ecommerce"]
    assert list(rows["first_year"]) == [2016, 2020]
    assert list(rows["level"]) == ["city", "region"]


def test_bad_rows_are_set_aside(load, tmp_path):
    bad = [
        "big_data,1,2016,2016,,沈阳市,city,seen",
        "big_data,1,2016,2016,, ,city,seen",
        "big_data,1,,2016,,大连市,city,seen",
        "big_data,1,20I6,20I6,,大连市,city,seen",
        "big_data,1,2016,2015-12,,大连市,city,seen",
        "big_data,1,2016,2016/01,,大连市,city,seen",
        "big_data,1,2016,2016,,大连市,town,seen",
        "big_data,1,2016,2016,,大莲市,city,seen",
        "big_data,1,2016,2016,,太阳城,,seen",
        "big_data,2,2017,2017,,沈阳市,city,seen",
        "smart_city,1,2016,2016,,大连市,city,seen",
        "big_data,1,2016,2016,,=HYPERLINK(1),,seen",
        "broadband_china,1,2016,2016,,沈阳市,city,seen",
    ]
    report, tables, aside = load(
        "policies", write(tmp_path / "policy_zones.csv", OWN + "\n".join(bad) + "\n")
    )
    assert report.read_n == 13
    assert report.set_aside == {
        "bad_level": 1,
        "bad_policy": 1,
        "bad_year": 4,
        "duplicate_key": 1,
        "missing_name": 1,
        "unknown_city": 3,
    }
    assert list(tables["policies__zones"]["policy"]) == ["big_data", "broadband_china"]
    detail = aside.set_index("line")["detail"]
    assert detail[9].startswith("大莲市 (nearest names: ")
    assert "大连市" in detail[9]
    assert detail[4] == "大连市: year , approved on 2016"
    assert detail[13].startswith("=HYPERLINK(1)")


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("杭州市", "city"), ("北京市", "city"), ("喀什地区", "city"),
        ("大理白族自治州", "city"), ("福州市（含平潭）", "city"),
        ("贵州省", "province"), ("内蒙古自治区", "province"), ("海南全岛", "province"),
        ("长株潭城市群", "region"), ("珠江三角洲", "region"), ("雄安新区", "region"),
        ("昆山市", "county"), ("重庆市北碚区", "county"), ("浦东新区", "county"),
        ("阿拉尔市", "county"), ("儋州市", "city"), ("牡丹江市", "city"),
        ("杭洲市", None), ("杭洲市西湖区", None), ("", None),
    ],
)  # fmt: skip
def test_level_by_name(name, level):
    assert level_of(name) == level


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            ZONES.replace("document,", "") + "1,2015-03,杭州市,SEEN,\n",
            "line 1: has no column 'document'",
        ),
        (
            OWN.replace(",year", "") + "big_data,1,2016,,沈阳市,city,seen\n",
            "line 1: has no column 'year'",
        ),
        (BROADBAND.replace("source,", "") + "2014,杭州市,\n", "line 1: has no column 'source'"),
        (
            BIG_DATA.replace("batch_year,", "") + "杭州市,city,\n",
            "line 1: has no column 'batch_year'",
        ),
        (
            ZONES + "1,2015-03,国函〔2015〕44号,杭",
            "line 2: ends after 4 of 6 values: the file is cut off",
        ),
        (ZONES, "has a header and no rows"),
        ("", "is empty"),
        ("name,year\n杭州市,2015\n", "shows none of the layouts known for policies"),
    ],
)
def test_files_that_cannot_be_read_are_refused(load, tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        load("policies", write(tmp_path / "file.csv", text))


def test_another_encoding_is_refused(load, tmp_path):
    (tmp_path / "zones.csv").write_bytes(ZONES.encode() + b"1,2015-03,\xff\xff,a,SEEN,b\n")
    with pytest.raises(SourceError, match="line 2: is neither UTF-8 nor GB18030"):
        load("policies", tmp_path / "zones.csv")


def test_lists_of_cities_have_their_class_as_batch_and_agree_with_known_counts(load):
    _, resources, aside = load("policies", REFERENCE / "resource_cities.csv")
    assert aside.empty
    assert resources["policies__zones"]["batch"].value_counts().to_dict() == {
        "mature": 66,
        "declining": 24,
        "growing": 20,
        "regenerating": 16,
    }
    _, lists, aside = load("policies", REFERENCE / "city_lists.csv")
    assert aside.empty
    rows = lists["policies__zones"]
    tiers = rows[rows["policy"] == "commercial_tier"]
    assert tiers["batch"].value_counts().to_dict() == {
        "tier_3": 70,
        "tier_2": 30,
        "new_tier_1": 15,
        "tier_1": 4,
    }
    zones = rows[rows["policy"] == "development_zone"].set_index("name")["first_year"]
    assert (zones["大连市"], zones["上海市"], zones["合肥市"]) == (1984, 1986, 2000)
    assert set(rows["provenance"]) == {"from_memory"}


def test_replies_with_the_day_of_signature(load, tmp_path):
    head = "batch,date_signed,document,name,county_level_city,page\n"
    text = (
        head + "1,2015-03-07,国函〔2015〕44号,杭州,0,a page\n"
        "4,2019-12-15,国函〔2019〕137号,义乌,1,a page\n"
        "4,2019-12,国函〔2019〕137号,杭洲,0,a page\n"
    )
    report, tables, aside = load("policies", write(tmp_path / "replies.csv", text))
    assert report.layout == "ecommerce_replies_csv"
    columns = ["policy", "batch", "first_year", "approved_on", "name", "level", "provenance"]
    assert tables["policies__zones"][columns].values.tolist() == [
        ["cross_border_ecommerce", "1", 2015, "2015-03-07", "杭州", "city", "seen"],
        ["cross_border_ecommerce", "4", 2019, "2019-12-15", "义乌市", "county", "seen"],
    ]
    assert aside["reason"].tolist() == ["unknown_city"]
