"""Historical instruments: heads by their words, units, yes and no, spoilt rows."""

from __future__ import annotations

import pandas as pd
import pytest

from warehouse.errors import SourceError


def test_workbook_of_1984(load, workbook):
    rows = [
        [
            "省份",
            "城市",
            "1984年邮局数量（个）",
            "1984年固定电话数（万部）",
            "1984年人口密度（人/平方公里）",
        ],
        ["浙江省", "杭州市", 210, 1.5, 620.5],
        ["浙江省", "宁波", "", 0.8, 500],
    ]
    report, tables, aside = load(
        "history", workbook("history.xlsx", {"说明": [["来源"]], "1984": rows})
    )
    table = tables["history__cities"]
    assert report.layout == "city_history" and aside.empty
    assert list(table["city_name"]) == ["杭州市", "宁波"]
    assert table["post_offices_1984_n"].tolist()[0] == 210 and pd.isna(
        table["post_offices_1984_n"][1]
    )
    assert table["telephones_1984_n"].tolist() == [15_000, 8_000]
    assert table["population_density_1984"].tolist() == [620.5, 500]
    assert table["has_railway_1933"].isna().all()


def test_csv_of_railways_and_land(load, tmp_path):
    path = tmp_path / "railway.csv"
    path.write_bytes(
        "城市,1933年是否通铁路,市辖区土地面积(公顷)\n杭州市,是,68200\n丽水市,0,\n".encode("gb18030")
    )
    _, tables, aside = load("history", path)
    table = tables["history__cities"]
    assert aside.empty
    assert table["has_railway_1933"].tolist() == [True, False]
    assert table["district_land_area_km2"].tolist()[0] == 682 and pd.isna(
        table["district_land_area_km2"][1]
    )


def test_spoilt_rows_are_set_aside(load, tmp_path):
    path = tmp_path / "h.csv"
    path.write_text(
        "城市,1984年电话数(部),1933年铁路\n杭州市,12,1\n乌有市,3,1\n宁波市,-3,1\n"
        "温州市,许多,1\n嘉兴市,4,或许\n杭州市,5,0\n,6,1\n",
        encoding="utf-8",
    )
    report, tables, aside = load("history", path)
    assert tables["history__cities"]["city_name"].tolist() == ["杭州市"]
    found = dict(zip(aside["line"], aside["reason"], strict=True))
    assert found == {
        3: "unknown_city",
        4: "negative_value",
        5: "bad_number",
        6: "bad_number",
        7: "duplicate_key",
        8: "missing_city",
    }
    assert report.read_n == 7


def test_a_table_without_cities_or_rows_is_refused(load, tmp_path):
    for text, message in (
        ("地方,1933年铁路\n杭州市,1\n", "no column of cities"),
        ("城市,1933年铁路\n", "no rows"),
    ):
        path = tmp_path / "bad.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=message):
            load("history", path)
