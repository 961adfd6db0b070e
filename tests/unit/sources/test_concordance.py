from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from warehouse.errors import SourceError


def write_workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


CORRELATION = [
    ["Between", None, None, None],
    ["HS 2012", "ex.", "HS 2002", "Relationship"],
    ["010121", None, "010110", "n:1"],
    ["010130", "ex", "010110", "n:n"],
    ["010130", "ex", "010190", "n:n"],
    ["970600", None, "970600", "1:1"],
    [None, None, None, None],
]
CONVERSION = [
    ["From", "To"],
    ["HS 2012", "HS 2002"],
    ["010121", "010110"],
    ["010130", "010190"],
    ["970600", "970600"],
]


def test_both_kinds_are_read_from_one_workbook(load, tmp_path):
    report, tables, aside = load(
        "concordance",
        write_workbook(
            tmp_path / "hs.xlsx",
            {"Correlation Tables": CORRELATION, "Conversion Tables": CONVERSION},
        ),
    )
    pairs = tables["concordance__hs"]
    assert report.layout == "unsd_hs_workbook"
    assert report.read_n == 7
    assert aside.empty
    assert set(pairs["from_revision"]) == {2012}
    assert set(pairs["to_revision"]) == {2002}
    correlation = pairs[pairs["kind"] == "correlation"]
    assert list(correlation["relationship"]) == ["n:1", "n:n", "n:n", "1:1"]
    conversion = pairs[pairs["kind"] == "conversion"]
    assert dict(zip(conversion["from_hs6"], conversion["to_hs6"], strict=True)) == {
        "010121": "010110",
        "010130": "010190",
        "970600": "970600",
    }
    assert conversion["relationship"].isna().all()
    assert list(conversion["line"]) == [3, 4, 5]


def test_titles_blank_columns_and_shifted_headers(load, tmp_path):
    rows = [
        [None, "Correlation table HS 2012 to HS 2002", None, None, None],
        [None, None, None, None, None],
        [None, None, "HS 2012", "HS 2002", "Relationship"],
        [None, None, "010121", "010110", "n to 1"],
        [None, None, "040110", "040110", "'1:1"],
        [None, None, "040120", "040120", "1 to n"],
        [None, None, "040130", "040130", "'n:n"],
    ]
    _, tables, _ = load(
        "concordance",
        write_workbook(
            tmp_path / "hs.xlsx", {"Notes": [["Read me"]], "Correlation HS2012-HS2002": rows}
        ),
    )
    pairs = tables["concordance__hs"]
    assert list(pairs["relationship"]) == ["n:1", "1:1", "1:n", "n:n"]
    assert list(pairs["line"]) == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("heads", "revisions"),
    [
        (["From HS 2017", "To HS 2012"], (2017, 2012)),
        (["HS02", "HS96"], (2002, 1996)),
        (["To HS 2002", "From HS 2007"], (2007, 2002)),
    ],
)
def test_revisions_come_from_the_heads(load, tmp_path, heads, revisions):
    _, tables, _ = load(
        "concordance",
        write_workbook(tmp_path / "hs.xlsx", {"Conversion": [heads, ["010121", "010121"]]}),
    )
    row = tables["concordance__hs"].iloc[0]
    assert (row["from_revision"], row["to_revision"]) == revisions


def test_codes_are_six_digits_as_text(load, tmp_path):
    rows = [["HS 2007", "HS 1996"], [10110, "0101.11"], [720431.0, "720430 "]]
    _, tables, _ = load("concordance", write_workbook(tmp_path / "hs.xlsx", {"Conversion": rows}))
    pairs = tables["concordance__hs"]
    assert list(pairs["from_hs6"]) == ["010110", "720431"]
    assert list(pairs["to_hs6"]) == ["010111", "720430"]


def test_bad_rows_are_set_aside(load, tmp_path):
    correlation = [
        *CORRELATION[:3],
        ["01O130", None, "010110", "n:n"],
        ["10110", None, "010110", "n:1"],
        ["010190", None, "010190", "many"],
    ]
    conversion = [*CONVERSION, ["010121", "010190"]]
    report, tables, aside = load(
        "concordance",
        write_workbook(
            tmp_path / "hs.xlsx", {"Correlation": correlation, "Conversion": conversion}
        ),
    )
    assert report.read_n == 8
    assert report.set_aside == {"bad_hs_code": 2, "bad_relationship": 1, "duplicate_key": 1}
    assert "sheet Correlation: 01O130 to 010110" in set(aside["detail"])
    assert "sheet Conversion: 010121 to 010190" in set(aside["detail"])
    conversion_rows = tables["concordance__hs"].query(
        "kind == 'conversion' and from_hs6 == '010121'"
    )
    assert list(conversion_rows["to_hs6"]) == ["010110"]


def test_a_sheet_with_one_column_of_codes_is_refused(load, tmp_path):
    with pytest.raises(
        SourceError,
        match="sheet 'Conversion', row 1: heads 1 of its columns as HS codes, two expected",
    ):
        load(
            "concordance",
            write_workbook(
                tmp_path / "hs.xlsx", {"Conversion": [["HS 2012", "Code"], ["010121", "010110"]]}
            ),
        )


def test_an_unknown_revision_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="HS 1988 is none of the revisions that are kept"):
        load(
            "concordance",
            write_workbook(
                tmp_path / "hs.xlsx", {"Conversion": [["HS 2012", "HS 1988"], ["010121", "010110"]]}
            ),
        )


def test_another_workbook_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="shows none of the layouts known for concordance"):
        load(
            "concordance",
            write_workbook(
                tmp_path / "bec.xlsx",
                {"Sheet1": [["pfCode", "cmdCode", "cmdDescE"], ["BE", "1", "Food and beverages"]]},
            ),
        )


def test_a_workbook_without_rows_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="has headers and no rows"):
        load(
            "concordance",
            write_workbook(tmp_path / "hs.xlsx", {"Conversion": [["HS 2012", "HS 2002"]]}),
        )


def test_a_truncated_workbook_is_refused(load, tmp_path):
    path = write_workbook(tmp_path / "hs.xlsx", {"Conversion": CONVERSION})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match=r"hs\.xlsx: is cut off or not a workbook"):
        load("concordance", path)


BEC = (
    "\ufeffHS02,BEC,Relationship\n010110,41,n to 1\n0101.90,111,n to n\n010190,112,n to n\n"
    "710820,n/a,n to 1\nAB0110,41,n to 1\n010110,41,n to 1\n"
)


def test_bec_table(load, tmp_path):
    path = tmp_path / "bec.csv"
    path.write_text(BEC, encoding="utf-8")
    report, tables, aside = load("concordance", path)
    rows = tables["concordance__bec"]
    assert report.layout == "unsd_hs_bec_csv"
    assert report.read_n == 6
    assert set(rows["revision"]) == {2002}
    assert list(zip(rows["hs6"], rows["bec_code"], strict=True)) == [
        ("010110", "41"),
        ("010190", "111"),
        ("010190", "112"),
    ]
    assert dict(zip(aside["reason"], aside["detail"], strict=True)) == {
        "bad_bec_code": "710820 to n/a",
        "bad_hs_code": "AB0110 to 41",
        "duplicate_key": "010110 to 41",
    }
    assert list(aside["line"]) == [5, 6, 7]


def test_bec_table_without_its_category_is_refused(load, tmp_path):
    path = tmp_path / "bec.csv"
    path.write_text("HS 2012,Relationship\n010110,n to 1\n", encoding="utf-8")
    with pytest.raises(
        SourceError, match=r"line 1: has no column 'BEC' \(it has HS 2012, Relationship\)"
    ):
        load("concordance", path)


def test_bec_table_in_utf16_is_read(load, tmp_path):
    path = tmp_path / "bec.csv"
    path.write_text(BEC, encoding="utf-16")
    twin = tmp_path / "plain.csv"
    twin.write_text(BEC, encoding="utf-8")
    assert load("concordance", path)[0].tables == load("concordance", twin)[0].tables


def elasticities(**columns: list[object]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "ccode": [100.0] * 3,
            "cname": ["China"] * 3,
            "hs_3digit": [10.0, 71.0, 961.0],
            "sigma": [3.43, 1.0, 25.5],
            **columns,
        }
    )
    return frame.astype(
        {name: "float32" for name in ("ccode", "hs_3digit", "sigma") if name in frame}
    )


def write_elasticities(path: Path, frame: pd.DataFrame, version: int = 114) -> Path:
    frame.to_stata(path, version=version, write_index=False)
    return path


@pytest.mark.parametrize("version", [114, 118])
def test_elasticities_get_the_zeros_of_their_codes_back(load, tmp_path, version):
    report, tables, aside = load(
        "concordance", write_elasticities(tmp_path / "sigmas.dta", elasticities(), version)
    )
    rows = tables["concordance__elasticities"]
    assert report.layout == "broda_weinstein_hs3"
    assert list(rows["hs3"]) == ["010", "071", "961"]
    assert list(rows["sigma"]) == pytest.approx([3.43, 1.0, 25.5], rel=1e-6)
    assert list(rows["line"]) == [1, 2, 3]
    assert aside.empty


def test_bad_elasticities_are_set_aside(load, tmp_path):
    names = ["China", "China", "", "China", "China", "China", "China"]
    frame = pd.DataFrame(
        {
            "ccode": [1.0] * 7,
            "cname": names,
            "hs_3digit": [10, 10, 20, 1041, 30, 40, 5],
            "sigma": [2, 3, 2, 2, float("nan"), -1, 2],
        }
    ).astype({"ccode": "float32", "hs_3digit": "float32", "sigma": "float32"})
    report, tables, aside = load("concordance", write_elasticities(tmp_path / "sigmas.dta", frame))
    assert report.read_n == 7
    assert list(tables["concordance__elasticities"]["hs3"]) == ["010"]
    assert list(aside["reason"]) == [
        "duplicate_key",
        "missing_partner",
        "bad_hs_code",
        "bad_number",
        "negative_value",
        "bad_hs_code",
    ]
    assert aside["detail"].iloc[2].startswith("China, hs_3digit 1041")


def test_elasticities_without_a_column_are_refused(load, tmp_path):
    with pytest.raises(SourceError, match="shows none of the layouts known for concordance"):
        load(
            "concordance",
            write_elasticities(tmp_path / "sigmas.dta", elasticities().drop(columns="sigma")),
        )


def test_a_cut_file_of_elasticities_is_refused(load, tmp_path):
    path = write_elasticities(tmp_path / "sigmas.dta", elasticities())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(SourceError, match=r"sigmas\.dta: cannot be read as a Stata file"):
        load("concordance", path)


def test_elasticities_as_people_keep_them(load, tmp_path):
    """Renamed, as csv; the product has lost its zero, or is no number at all."""
    path = tmp_path / "sigma.csv"
    path.write_text(
        "country,hs3,sigma\nChina,10,3.43\nChina,847,2.1\nChina,84x,2.1\nChina,851,-1\n",
        encoding="utf-8",
    )
    report, tables, aside = load("concordance", path)
    assert report.layout == "elasticities_table"
    assert tables["concordance__elasticities"][
        ["country_name", "hs3", "sigma"]
    ].values.tolist() == [["China", "010", 3.43], ["China", "847", 2.1]]
    assert aside["reason"].tolist() == ["bad_hs_code", "negative_value"]
