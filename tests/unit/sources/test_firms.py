"""The enterprise survey: every family of heads in csv and Stata, units, spoilt rows, and files that
cannot be read.
"""

from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest

from warehouse.errors import SourceError
from warehouse.simulate.formats.stata import write_stata
from warehouse.sources.firms.heads import find_heads, plain_head

CLASSIC = (
    "法人代码,企业名称,dq,cic,开业成立时间年,工业总产值_当年价格千元,工业增加值千元,工业中间投入合计千元,应交增值税千元,"
    "全部从业人员年平均人数人,应付工资薪酬总额千元,固定资产原价合计千元,固定资产净值年平均余额千元,其中出口交货值千元,实收资本千元\n"
)
GOOD = "123456789,杭州某某厂,330106001000,1310,1998,5000,1200,4000,200,120,800,3000,2500,100,900\n"


def write(path, text, encoding="gb18030"):
    path.write_bytes(text.encode(encoding))
    return path


def test_classic_heads_in_thousands_become_base_units(load, tmp_path):
    report, tables, aside = load("firms", write(tmp_path / "firms_2005.csv", CLASSIC + GOOD))
    (row,) = tables["firms__enterprises"].to_dict("records")
    assert report.layout == "units_in_heads_csv"
    assert aside.empty
    assert (
        row["year"],
        row["firm_code"],
        row["region_code"],
        row["industry_code"],
        row["opening_year"],
    ) == (2005, "123456789", "330106001000", "1310", 1998)
    assert row["firm_output_cny"] == 5_000_000
    assert row["firm_value_added_cny"] == 1_200_000
    assert row["intermediate_input_cny"] == 4_000_000
    assert row["firm_employees_n"] == 120
    assert (
        row["fixed_assets_original_cny"] == 3_000_000 and row["fixed_assets_net_cny"] == 2_500_000
    )
    assert row["export_delivery_cny"] == 100_000 and row["paid_in_capital_cny"] == 900_000


@pytest.mark.parametrize(
    ("name", "head", "values", "layout", "expected"),
    [
        (
            "short_2002.csv",
            "法人代码,法人单位,省地县码,行业代码,产值现价,工业增加值,全部职工数,固定资产净",
            "1,甲厂,330102,1711,10,3,50,8",
            "short_names_csv",
            {
                "firm_output_cny": 10_000,
                "firm_value_added_cny": 3_000,
                "firm_employees_n": 50,
                "fixed_assets_net_cny": 8_000,
            },
        ),
        (
            "enterprises2003.csv",
            (
                "法人代码,法人单位,省地县码,行业代码,工业总产值（不变价）,工业总产值（现价、"
                "新规定）,工业增加值,从业人数,固定资产合计"
            ),
            "1,甲厂,330102,1711,9,10,3,50,8",
            "constant_prices_2003_csv",
            {"firm_output_cny": 10_000, "firm_output_cny_1990": 9_000, "firm_employees_n": 50},
        ),
        (
            "2004.csv",
            "法人代码,法人单位,行政区代码,行业代码,工业产值当,中间投入,应交增值税,全部从业人,固定资产净",
            "1,甲厂,330102001000,1711,10,6,1,50,8",
            "short_names_csv",
            {
                "firm_output_cny": 10_000,
                "intermediate_input_cny": 6_000,
                "value_added_tax_cny": 1_000,
                "region_code": "330102001000",
            },
        ),
        (
            "2009.csv",
            "组织机构代码,单位详细名称,行政区划代码,行业小类代码,工业总产值_当年价格,年末从业人员合计,固定资产合计",
            "1,甲厂,330102001000,610,10,50,8",
            "long_names_2008_csv",
            {"firm_output_cny": 10_000, "industry_code": "0610", "firm_employees_n": 50},
        ),
        (
            "2010.csv",
            "B01,B02,B05,行业类别代码,工业总产值当年价格,年末从业人员合计_总计,固定资产合计",
            "1,甲厂,330102,1711,10,50,8",
            "survey_2010_csv",
            {
                "firm_code": "1",
                "firm_name": "甲厂",
                "region_code": "330102",
                "firm_output_cny": 10_000,
            },
        ),
        (
            "2011.csv",
            "组织机构代码,企业名称,省地县码,行业小类代码,工业总产值_当年价格(万元),从业人员平均人数,固定资产合计(元)",
            '1,甲厂,330102,1711,"1,000",50,8',
            "long_names_2008_csv",
            {"firm_output_cny": 10_000_000, "fixed_assets_net_cny": 8},
        ),
    ],
)
def test_heads_of_every_year(load, tmp_path, name, head, values, layout, expected):
    report, tables, _ = load("firms", write(tmp_path / name, f"{head}\n{values}\n"))
    (row,) = tables["firms__enterprises"].to_dict("records")
    assert report.layout == layout
    assert {field: row[field] for field in expected} == expected
    assert row["year"] == int("".join(letter for letter in name if letter.isdigit())[-4:])


def test_industries_get_lost_zeros_back_only_where_all_lost_them_and_it_is_said(load, tmp_path):
    for year, other, expected, said in (
        (2005, ",1310,", ["0610", "1310"], ["1 of the codes got back the leading zero that a"]),
        (2006, ",0620,", ["610", "0620"], []),
    ):
        text = CLASSIC + GOOD.replace(",1310,", ",610,") + GOOD.replace(",1310,", other)
        report, tables, _ = load("firms", write(tmp_path / f"firms_{year}.csv", text))
        assert tables["firms__enterprises"]["industry_code"].tolist() == expected
        reasons = [column["reason"] for column in report.columns if column["head"] == "cic"]
        assert [reason.removesuffix(" spreadsheet took") for reason in reasons if reason] == said


@pytest.mark.parametrize(
    ("heads", "values", "expected"),
    [
        ("邮政编码,电话号码", "310000,0571-85012345", ("310000", "0571-85012345")),
        ("邮编,固定电话", "31 0000 ,85012345.0", ("310000", "85012345")),
        ("联系电话,邮政编码", "无,--", (None, None)),
        ("传真,网址", "85012345,www", (None, None)),
    ],
)
def test_postcodes_and_telephones_where_a_survey_prints_them(
    load, tmp_path, heads, values, expected
):
    text = f"{CLASSIC.strip()},{heads}\n{GOOD.strip()},{values}\n"
    _, tables, aside = load("firms", write(tmp_path / "firms_2005.csv", text))
    (row,) = tables["firms__enterprises"].to_dict("records")
    assert aside.empty
    found = tuple(None if pd.isna(row[name]) else row[name] for name in ("postcode", "telephone"))
    assert found == expected


def test_postcodes_get_lost_zeros_back_and_it_is_said(load, tmp_path):
    lines = [f"{GOOD.strip()},{code}\n" for code in ("50000", "310000")]
    file = write(tmp_path / "firms_2005.csv", f"{CLASSIC.strip()},邮编\n" + "".join(lines))
    report, tables, _ = load("firms", file)
    assert list(tables["firms__enterprises"]["postcode"]) == ["050000", "310000"]
    (said,) = [column["reason"] for column in report.columns if column["head"] == "邮编"]
    assert said.startswith("1 of the codes got back")


@pytest.mark.parametrize(("kind", "kept"), [("float64", True), ("float32", False)])
def test_a_telephone_that_stata_rounded_is_unknown_and_its_row_stays(load, tmp_path, kind, kept):
    columns = {
        "dq": 330106.0,
        "cic": 1310.0,
        "frdm": 5.0,
        "rs": 50.0,
        "cz": 90.0,
        "tel": 85012345.0,
    }
    heads = ("dq", "cic", "法人代码", "平均人数", "工业总产值", "电话")
    rows = np.empty(1, dtype=[(head, kind if head == "电话" else "float64") for head in heads])
    for head, value in zip(heads, columns.values(), strict=True):
        rows[head] = value
    write_stata(tmp_path / "firms_2007.dta", rows, "made for this test")
    report, tables, aside = load("firms", tmp_path / "firms_2007.dta")
    (row,) = tables["firms__enterprises"].to_dict("records")
    (said,) = [column["reason"] for column in report.columns if column["head"] == "电话"]
    assert aside.empty
    if kept:
        assert row["telephone"] == "85012345" and not said
    else:
        assert pd.isna(row["telephone"]) and "rounded" in said


def test_a_new_stata_file(load, tmp_path):
    heads = [
        "法人代码",
        "企业名称",
        "dq",
        "cic",
        "工业总产值_当年价格千元",
        "全部从业人员年平均人数人",
        "固定资产净值年平均余额千元",
    ]
    frame = pd.DataFrame(
        [["123", "杭州厂", 330106.0, 1310.0, 10.5, 20.0, float("nan")]], columns=heads
    )
    path = tmp_path / "firms_2007.dta"
    frame.to_stata(path, version=118, write_index=False)
    report, tables, _ = load("firms", path)
    (row,) = tables["firms__enterprises"].to_dict("records")
    assert report.layout == "units_in_heads_stata"
    assert (row["firm_code"], row["firm_name"], row["region_code"], row["industry_code"]) == (
        "123",
        "杭州厂",
        "330106",
        "1310",
    )
    assert row["firm_output_cny"] == 10_500 and pd.isna(row["fixed_assets_net_cny"])


def test_an_old_stata_file_in_gb18030(load, tmp_path):
    heads = {
        "组织机构代码": "S9",
        "单位详细名称": "S20",
        "行政区划代码": "S12",
        "行业小类代码": "S4",
        "工业总产值_当年价格": "f8",
        "年末从业人员合计": "f8",
    }
    rows = np.array(
        [(b"123", "杭州厂".encode("gb18030"), b"330106001000", b"1310", 10.0, 20.0)],
        dtype=list(heads.items()),
    )
    write_stata(tmp_path / "firms_2008.dta", rows, "test")
    report, tables, _ = load("firms", tmp_path / "firms_2008.dta")
    (row,) = tables["firms__enterprises"].to_dict("records")
    assert report.layout == "long_names_2008_stata"
    assert (row["firm_name"], row["region_code"], row["firm_output_cny"]) == (
        "杭州厂",
        "330106001000",
        10_000,
    )


def test_unreadable_rows_are_set_aside_and_doubtful_ones_kept(load, tmp_path):
    text = (
        CLASSIC
        + GOOD
        + GOOD.replace("5000", "五千")  # a number that is none
        + GOOD.replace("123456789,杭州某某厂", ",")  # neither code nor name
        + "a,b,c\n"  # too few fields
        + GOOD.replace(",5000,", ",-5000,").replace(
            ",120,", ",3,"
        )  # doubtful, for the models to judge
        + GOOD.replace(",1998,", ",0,")
    )
    report, tables, aside = load("firms", write(tmp_path / "firms_2006.csv", text))
    assert report.set_aside == {"bad_number": 1, "broken_row": 1, "missing_firm": 1}
    assert dict(zip(aside["line"], aside["reason"], strict=True)) == {
        3: "bad_number",
        4: "missing_firm",
        5: "broken_row",
    }
    assert "五千" in aside.loc[aside["reason"] == "bad_number", "detail"].iloc[0]
    rows = tables["firms__enterprises"]
    assert list(rows["firm_output_cny"]) == [5e6, -5e6, 5e6]
    assert pd.isna(rows["opening_year"].iloc[2])


@pytest.mark.parametrize("limit", [131_072, 4 * 1024**2])
def test_a_value_longer_than_any_is_a_broken_row(load, tmp_path, limit):
    """Whatever limit another reader has left to the whole process."""
    before = csv.field_size_limit(limit)
    try:
        _, tables, aside = load(
            "firms",
            write(
                tmp_path / "firms_2006.csv",
                CLASSIC + GOOD + GOOD.replace("杭州某某厂", "厂" * 200_000) + GOOD,
            ),
        )
    finally:
        csv.field_size_limit(before)
    assert list(aside["reason"]) == ["broken_row"]
    assert list(tables["firms__enterprises"]["line"]) == [2, 4]


def test_the_year_is_the_file_s_own_column_before_its_name(load, tmp_path):
    heads = "年份,法人代码,省地县码,行业代码,工业总产值,平均人数,固定资产平\n"
    text = heads + "2006,1,330102,1711,10,50,8\n20x6,2,330102,1711,10,50,8\n"
    _, tables, aside = load("firms", write(tmp_path / "survey_1999.csv", text))
    assert list(tables["firms__enterprises"]["year"]) == [2006]
    assert list(aside["reason"]) == ["bad_year"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("firms_2005.csv", CLASSIC.replace("全部从业人员年平均人数人", "甲"), "firm_employees_n"),
        ("firms_2005.csv", CLASSIC, "no records"),
        ("firms_2005.csv", CLASSIC + GOOD + "123,甲厂", "cut off"),
        ("firms.csv", CLASSIC + GOOD, "year"),
        ("other.csv", "a,b\n1,2\n", "layout"),
    ],
)
def test_files_that_cannot_be_read_are_refused(load, tmp_path, name, text, message):
    with pytest.raises(SourceError, match=message):
        load("firms", write(tmp_path / name, text))


def test_a_csv_cut_off_within_a_character_is_refused(load, tmp_path):
    path = tmp_path / "firms_2005.csv"
    path.write_bytes((CLASSIC + GOOD + "123,甲厂").encode()[:-1])
    with pytest.raises(SourceError, match="line 3: ends in the middle of a row"):
        load("firms", path)


def test_a_stata_file_cut_short_is_refused(load, tmp_path):
    path = tmp_path / "firms_2007.dta"
    pd.DataFrame({"dq": [1.0], "cic": [2.0]}).to_stata(path, write_index=False)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(SourceError, match="Stata"):
        load("firms", path)


def test_heads_are_known_by_their_words():
    assert plain_head("工业总产值（当年价格）\u3000(千元)") == "工业总产值当年价格千元"
    found = find_heads(["工业总产值_不变价千元", "工业总产值_当年价格千元", "dq"])
    assert found == {"region_code": 2, "firm_output_cny": 1, "firm_output_cny_1990": 0}
