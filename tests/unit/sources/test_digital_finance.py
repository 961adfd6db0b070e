"""The digital finance index: Stata files old and new, and workbooks of both editions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.sources.digital_finance import COMPONENTS

CITY_KEYS = [
    "year",
    "pref_name_year18",
    "pref_name_year18_eng",
    "pref_code_year18",
    "pref_name_year14",
    "pref_code_year14",
]
CITY_HEAD = [*CITY_KEYS, *COMPONENTS]
PROVINCE_HEAD = ["year", "prov_name", "prov_name_eng", "prov_code", *COMPONENTS]
COUNTY_HEAD = [
    "year",
    "prov_name",
    "pref_name_year14",
    "pref_code_year14",
    "county_name_year14",
    "county_code_year14",
    *COMPONENTS,
]


def city(year=2011, name="杭州市", code=3301.0, index=85.69, english="Hangzhou", **others):
    row = (
        dict.fromkeys(COMPONENTS, 50.0) | {"index_aggregate": index, "monetary_fund": None} | others
    )
    return [year, name, english, code, name, code, *(row[component] for component in COMPONENTS)]


def province(year=2011, name="浙江省", code=33.0, index=77.39):
    return [year, name, "Zhejiang", code, index, *[50.0] * (len(COMPONENTS) - 1)]


def write_stata(path, head, rows, encoding=None, version=118):
    """A Stata file; with an encoding, its text is bytes of that encoding in a file that does not
    say so.
    """
    frame = pd.DataFrame(rows, columns=head)
    for name in frame.columns:
        if frame[name].map(lambda cell: isinstance(cell, str)).any():
            texts = frame[name].astype(str)
            frame[name] = (
                texts.map(lambda text: text.encode(encoding).decode("latin-1"))
                if encoding
                else texts
            ).astype(object)
        else:
            frame[name] = frame[name].astype(float)
    frame.to_stata(path, write_index=False, version=version)
    return path


def test_stata_cities(load, tmp_path):
    rows = [
        city(),
        city(2012, index=144.7, credit=-37.07),
        city(name="襄阳市", code=4206, english="Xiang Yang"),
    ]
    report, tables, aside = load(
        "digital_finance", write_stata(tmp_path / "city.dta", CITY_HEAD, rows)
    )
    found = tables["digital_finance__cities"]
    assert (report.layout, report.read_n, len(aside)) == ("stata", 3, 0)
    assert found[
        ["year", "name_2018", "name_2018_en", "code_2018", "code_2014", "index_aggregate"]
    ].values.tolist() == [
        [2011, "杭州市", "Hangzhou", "3301", "3301", 85.69],
        [2012, "杭州市", "Hangzhou", "3301", "3301", 144.7],
        [2011, "襄阳市", "Xiang Yang", "4206", "4206", 85.69],
    ]
    assert found["credit"].tolist() == [50.0, -37.07, 50.0]  # components may be negative
    assert found["monetary_fund"].isna().all()
    assert found["line"].tolist() == [1, 2, 3]


def test_stata_provinces(load, tmp_path):
    report, tables, _ = load(
        "digital_finance", write_stata(tmp_path / "province.dta", PROVINCE_HEAD, [province()])
    )
    assert report.tables == {"digital_finance__provinces": 1}
    columns = ["year", "province_name", "province_code", "index_aggregate"]
    assert tables["digital_finance__provinces"][columns].values.tolist() == [
        [2011, "浙江省", "33", 77.39]
    ]


@pytest.mark.parametrize("version", [114, 117])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_old_stata_files_do_not_say_their_encoding(load, tmp_path, version, encoding):
    path = write_stata(
        tmp_path / "old.dta",
        CITY_HEAD,
        [city(), city(name="鄂尔多斯市", code=1506)],
        encoding,
        version,
    )
    _, tables, aside = load("digital_finance", path)
    assert tables["digital_finance__cities"]["name_2018"].tolist() == ["杭州市", "鄂尔多斯市"]
    assert len(aside) == 0


def test_old_stata_file_in_another_encoding(load, tmp_path):
    path = write_stata(
        tmp_path / "old.dta", CITY_HEAD, [city(name="\u00ff\u00fe\u00ff")], "latin-1", 117
    )
    with pytest.raises(
        SourceError,
        match=r"old\.dta, column pref_name_year18: is neither UTF-8 nor GB18030 \(bytes ff fe ff\)",
    ):
        load("digital_finance", path)


def test_workbook_of_the_later_edition(load, workbook):
    sheets = {
        "数据说明": [["北京大学数字普惠金融指数"]],
        "Regionalism_Code": [["code", "name"], [3301, "杭州市"]],
        "Provinces": [PROVINCE_HEAD, province()],
        "Prefecture_Level_Cities": [CITY_HEAD, city(), [None] * len(CITY_HEAD), city(2012)],
        "Counties": [
            COUNTY_HEAD,
            [2014, "浙江省", "杭州市", 3301, "桐庐县", 330122, *[1.0] * len(COMPONENTS)],
        ],
    }
    report, tables, aside = load("digital_finance", workbook("index.xlsx", sheets))
    assert report.layout == "workbook"
    assert report.tables == {"digital_finance__cities": 2, "digital_finance__provinces": 1}
    assert tables["digital_finance__cities"][["line", "year", "code_2018"]].values.tolist() == [
        [2, 2011, "3301"],
        [4, 2012, "3301"],
    ]
    assert len(aside) == 0


def test_workbook_of_the_earlier_edition_with_counties_on_the_sixth_sheet(load, workbook):
    notes = {f"Sheet{number}": [["说明"]] for number in (1, 2, 3)}
    county = [
        COUNTY_HEAD,
        [2014, "浙江省", "杭州市", 3301, "桐庐县", 330122, *[1.0] * len(COMPONENTS)],
    ]
    sheets = {
        **notes,
        "省": [["省级指数"], PROVINCE_HEAD, province()],
        "市": [CITY_HEAD, city()],
        "县": county,
    }
    report, tables, _ = load("digital_finance", workbook("index.xlsx", sheets))
    assert report.tables == {"digital_finance__cities": 1, "digital_finance__provinces": 1}
    assert tables["digital_finance__provinces"]["line"].tolist() == [3]


def test_each_bad_row_has_its_reason(load, workbook):
    rows = [
        city(),
        city(name="宁波市", code="33O2"),
        city(name="宁波市", code=330203),
        city(year=1911, name="宁波市", code=3302),
        city(year="二〇一一", name="宁波市", code=3302),
        city(name="宁坡市", code=3302),
        city(name="宁波市", code=3302, index=-1),
        city(name="宁波市", code=3302, index=None),
        city(name="宁波市", code=3302, payment="--"),
        city(index=99.0),
        city(name="宁波市", code=3302),
    ]
    report, tables, aside = load(
        "digital_finance", workbook("index.xlsx", {"Prefecture_Level_Cities": [CITY_HEAD, *rows]})
    )
    assert aside[["line", "reason"]].values.tolist() == [
        [3, "bad_code"], [4, "bad_code"], [5, "bad_year"], [6, "bad_year"], [7, "unknown_city"], [8,
        "negative_value"],
        [9, "missing_value"], [10, "bad_number"], [11, "duplicate_key"],
    ]  # fmt: skip
    detail = aside.set_index("line")["detail"]
    assert detail[3] == "宁波市: code 33O2, 4 digits expected"
    assert "宁波市" in detail[7].split("nearest names: ")[1]
    assert detail[10] == "宁波市 payment: --"
    assert detail[11] == "杭州市 3301 2011"
    assert tables["digital_finance__cities"]["line"].tolist() == [2, 12]
    assert report.read_n == 11


def test_unknown_province(load, tmp_path):
    _, _, aside = load(
        "digital_finance",
        write_stata(
            tmp_path / "p.dta", PROVINCE_HEAD, [province(), province(name="浙江生", code=34)]
        ),
    )
    assert aside[["reason", "detail"]].values.tolist() == [["unknown_province", aside["detail"][0]]]
    assert "浙江省" in aside["detail"][0]


@pytest.mark.parametrize(
    ("lacking", "named"),
    [("index_aggregate", "index_aggregate"), ("pref_name_year18", "pref_name_year18")],
)
def test_a_missing_column_is_named(load, workbook, lacking, named):
    at = CITY_HEAD.index(lacking)
    row = city()
    heads = [name for name in CITY_HEAD if name != lacking]
    with pytest.raises(
        SourceError,
        match=rf"index\.xlsx, sheet 市: column {named} is missing; columns found: year, pref_",
    ):
        load("digital_finance", workbook("index.xlsx", {"市": [heads, row[:at] + row[at + 1 :]]}))


def test_a_missing_component_is_null_and_an_unknown_head_is_named(load, workbook):
    head = ["note" if name == "digitization_level" else name for name in CITY_HEAD]
    report, tables, _ = load("digital_finance", workbook("index.xlsx", {"市": [head, city()]}))
    assert tables["digital_finance__cities"]["digitization_level"].isna().all()
    assert [column["head"] for column in report.columns if column["indicator"] is None] == ["note"]


class TestAsPeoplePassItOn:
    """Renamed, trimmed to a few columns, with codes of six digits, in Chinese, as csv."""

    def values(self, tables):
        columns = ["year", "name_2018", "code_2018", "index_aggregate", "payment"]
        return (
            tables["digital_finance__cities"][columns]
            .astype(object)
            .where(lambda cell: cell.notna(), None)
            .values.tolist()
        )

    def test_renamed_and_trimmed(self, load, workbook):
        rows = [
            ["year", "city_name", "city_code", "index_aggregate", "payment"],
            [2011, "北京市", 1100, 80.78, 87.56],
        ]
        report, tables, _ = load("digital_finance", workbook("old.xlsx", {"Sheet1": rows}))
        assert (report.layout, self.values(tables)) == (
            "workbook",
            [[2011, "北京市", "1100", 80.78, 87.56]],
        )

    def test_codes_of_six_digits(self, load, tmp_path):
        rows = [
            city(name="北京市", code=110000),
            city(name="杭州市", code=330100),
            city(name="宁波市", code=330203),
        ]
        _, tables, aside = load(
            "digital_finance", write_stata(tmp_path / "six.dta", CITY_HEAD, rows)
        )
        assert tables["digital_finance__cities"][["code_2018", "code_2014"]].values.tolist() == [
            ["1100", "1100"],
            ["3301", "3301"],
        ]
        assert aside["reason"].tolist() == ["bad_code"]  # a county's code is no city's

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
    def test_csv_in_chinese_without_codes(self, load, tmp_path, encoding):
        path = tmp_path / "index.csv"
        text = (
            "年份,省份,城市,数字普惠金融指数,覆盖广度\n2011,北京市,北京市,80.78,96.44\n"
            "2011,浙江省,杭州市,86.18,\n2011,浙江省,杭州市,99,\n"
        )
        path.write_bytes(text.encode(encoding))
        report, tables, aside = load("digital_finance", path)
        assert report.layout == "csv"
        assert self.values(tables) == [
            [2011, "北京市", None, 80.78, None],
            [2011, "杭州市", None, 86.18, None],
        ]
        assert aside["reason"].tolist() == ["duplicate_key"]

    def test_provinces_with_codes_of_six_digits(self, load, tmp_path):
        path = tmp_path / "province.csv"
        path.write_text(
            "year,province,省份代码,index_aggregate\n2011,浙江省,330000,77.39\n", encoding="utf-8"
        )
        _, tables, _ = load("digital_finance", path)
        assert tables["digital_finance__provinces"][
            ["province_name", "province_code"]
        ].values.tolist() == [["浙江省", "33"]]


def test_counties_alone_are_refused(load, workbook):
    with pytest.raises(
        SourceError,
        match=r"holds counties only, which are not read\. Name the file of cities or provinces",
    ):
        load(
            "digital_finance",
            workbook(
                "index.xlsx",
                {
                    "县": [
                        COUNTY_HEAD,
                        [
                            2014,
                            "浙江省",
                            "杭州市",
                            3301,
                            "桐庐县",
                            330122,
                            *[1.0] * len(COMPONENTS),
                        ],
                    ]
                },
            ),
        )


def test_the_same_table_twice_is_refused(load, workbook):
    with pytest.raises(SourceError, match="sheet 市2: holds cities again"):
        load(
            "digital_finance",
            workbook("index.xlsx", {"市": [CITY_HEAD, city()], "市2": [CITY_HEAD, city()]}),
        )


def test_heads_without_rows(load, workbook):
    with pytest.raises(SourceError, match="sheet 市: has heads and no rows"):
        load("digital_finance", workbook("index.xlsx", {"市": [CITY_HEAD]}))


@pytest.mark.parametrize("version", [114, 118])
def test_a_truncated_stata_file(load, tmp_path, version):
    rows = [city(year, name="Hangzhou") for year in np.arange(2011, 2100)]
    path = write_stata(tmp_path / "city.dta", CITY_HEAD, rows, version=version)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(
        SourceError, match=r"city\.dta: cannot be read as a Stata file.*it is cut off"
    ):
        load("digital_finance", path)


def test_a_truncated_workbook(load, workbook):
    path = workbook("index.xlsx", {"市": [CITY_HEAD, city()]})
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(SourceError, match=r"index\.xlsx: is cut off or not a workbook"):
        load("digital_finance", path)


def test_another_stata_file_is_not_taken_for_the_index(load, tmp_path):
    path = write_stata(tmp_path / "other.dta", ["year", "x"], [[2011.0, 1.0]])
    with pytest.raises(
        SourceError,
        match=(
            r"other\.dta, line 1: shows none of the layouts known for digital_finance \(stata, "
            r"workbook, csv\)"
        ),
    ):
        load("digital_finance", path)


def test_an_empty_file(load, tmp_path):
    path = tmp_path / "city.dta"
    path.write_bytes(b"")
    with pytest.raises(SourceError, match=r"city\.dta: is empty"):
        load("digital_finance", path)


def test_a_column_named_twice_is_refused(load, workbook):
    path = workbook("index.xlsx", {"Cities": [[*CITY_HEAD, "year"], [*city(), 2012]]})
    with pytest.raises(
        SourceError, match=r"index\.xlsx, sheet Cities: names the column year twice"
    ):
        load("digital_finance", path)
