from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from warehouse.errors import SourceError
from warehouse.sources.input_output import ICIO_FINAL_DEMAND, NATIONAL_COLUMNS, NATIONAL_ROWS

NATIONAL_NAME = "oecd_national_io_2021ed_CHN_2011.csv"


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)
    return path


def national_rows(cells: dict[tuple[str, str], str] | None = None) -> list[list[str]]:
    """A national table of the real shape, all cells 1.0 but the ones given."""
    cells = cells or {}
    rows = [["Code", "Description", *NATIONAL_COLUMNS]]
    rows += [[row, f"Industry, {row}", *(cells.get((row, column), "1.0") for column in NATIONAL_COLUMNS)] for row in NATIONAL_ROWS]
    return rows


INDUSTRIES = ("01T02", "03")
COUNTRIES = ("AUS", "CHN", "CN1", "CN2")


def icio_rows(cells: dict[tuple[str, str], str] | None = None, countries: tuple[str, ...] = COUNTRIES) -> list[list[str]]:
    """A small inter-country table of the 2021 edition's shape, all cells 2.5 but the ones given."""
    cells = cells or {}
    labels = [f"{country}_{industry}" for country in countries for industry in INDUSTRIES]
    final = [f"{country}_{code}" for country in ("AUS", "CHN") for code in ICIO_FINAL_DEMAND]
    header = ["V1", *labels, *final, "TOTAL"]
    names = [*labels, "AUS_TAXSUB", "CHN_TAXSUB", "VALU", "OUTPUT"]
    return [header, *([name, *(cells.get((name, column), "2.5") for column in header[1:])] for name in names)]


def test_national_table_gives_every_cell(load, tmp_path):
    path = write_csv(tmp_path / NATIONAL_NAME, national_rows({("01", "02"): "4601.5", ("01", "IMPO"): "-62481.8"}))
    report, tables, aside = load("input_output", path)
    cells = tables["input_output__national"]
    assert report.layout == "oecd_national_2021"
    assert report.read_n == 50 * 54 == len(cells)
    assert aside.empty
    assert (report.first_year, report.last_year) == (2011, 2011)
    assert set(cells["edition"]) == {"2021"}
    value = cells.set_index(["row_code", "column_code"])["value_usd_million"]
    assert value["01", "02"] == 4601.5
    assert value["01", "IMPO"] == -62481.8
    assert value["OUTPUT", "45"] == 1.0
    assert cells["line"].min() == 2
    assert cells["line"].max() == 51


def test_bad_cells_of_a_national_table_are_set_aside(load, tmp_path):
    bad = {("02", "03"): "-4.5", ("05", "06"): "..", ("07", "08"): "1,234.5", ("09", "10"): "nan", ("11", "12"): ""}
    legal = {("03", "INVNT"): "-21.8", ("TXS_INT_FNL", "01"): "-4594.9"}
    report, tables, aside = load("input_output", write_csv(tmp_path / NATIONAL_NAME, national_rows({**bad, **legal})))
    assert report.read_n == 2700
    assert report.set_aside == {"bad_number": 4, "negative_value": 1}
    value = tables["input_output__national"].set_index(["row_code", "column_code"])["value_usd_million"]
    assert value["03", "INVNT"] == -21.8
    assert value["TXS_INT_FNL", "01"] == -4594.9
    negative = aside[aside["reason"] == "negative_value"].iloc[0]
    assert negative["detail"] == "row 02, column 03: -4.5"
    assert negative["line"] == 3
    assert negative["year"] == 2011


@pytest.mark.parametrize("name", ["national.csv", "oecd_national_io_2021ed_CHN.csv", "CHN_2010_2011.csv", "oecd_national_io_2021ed_CHN_2019.csv"])
def test_a_name_without_one_year_is_refused(load, tmp_path, name):
    with pytest.raises(SourceError, match=r"years between 1995 and 2018 in its file name.*Name the file after its year"):
        load("input_output", write_csv(tmp_path / name, national_rows()))


def test_another_countrys_table_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="named as the table of USA; only China's are kept"):
        load("input_output", write_csv(tmp_path / "oecd_national_io_2021ed_USA_2011.csv", national_rows()))


def test_a_national_table_without_a_column_is_refused(load, tmp_path):
    rows = [row[:10] + row[11:] for row in national_rows()]
    with pytest.raises(SourceError, match=f"{NATIONAL_NAME}, line 1: has no column 09"):
        load("input_output", write_csv(tmp_path / NATIONAL_NAME, rows))


def test_a_national_table_cut_off_between_lines_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 40: has no row 40, 41, 42, 43, 44 and 6 more"):
        load("input_output", write_csv(tmp_path / NATIONAL_NAME, national_rows()[:40]))


def test_a_national_table_cut_off_within_a_line_is_refused(load, tmp_path):
    path = write_csv(tmp_path / NATIONAL_NAME, national_rows())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(SourceError, match=r"line 51: has \d+ values, 56 expected"):
        load("input_output", path)


def test_a_national_table_in_another_encoding_is_refused(load, tmp_path):
    path = write_csv(tmp_path / NATIONAL_NAME, national_rows())
    path.write_bytes(path.read_bytes().replace(b"Industry, 07", b"Industry\xff\xff 07"))
    with pytest.raises(SourceError, match="line 8: is neither UTF-8 nor GB18030"):
        load("input_output", path)


def test_an_empty_file_is_refused(load, tmp_path):
    (tmp_path / NATIONAL_NAME).touch()
    with pytest.raises(SourceError, match="is empty"):
        load("input_output", tmp_path / NATIONAL_NAME)


def test_icio_keeps_chinas_columns_and_all_rows(load, tmp_path):
    cells = {("AUS_03", "CN2_01T02"): "7.25", ("CHN_TAXSUB", "CN1_03"): "-0.5", ("VALU", "CN1_01T02"): "99", ("AUS_03", "CHN_INVNT"): "-1.5"}
    report, tables, aside = load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(cells)))
    rows = tables["input_output__icio"]
    china = 3 * len(INDUSTRIES) + len(ICIO_FINAL_DEMAND)
    assert report.layout == "oecd_icio_2021"
    assert report.read_n == china * (8 + 4) == len(rows)
    assert aside.empty
    assert report.first_year == 2018
    assert set(rows["column_country"]) == {"CHN", "CN1", "CN2"}
    value = rows.set_index(["row_country", "row_industry", "column_country", "column_code"])["value_usd_million"]
    assert value["AUS", "03", "CN2", "01T02"] == 7.25
    assert value["CHN", "TAXSUB", "CN1", "03"] == -0.5
    assert value["AUS", "03", "CHN", "INVNT"] == -1.5
    assert value["CN1", "01T02", "CHN", "HFCE"] == 2.5
    without_country = rows[rows["row_country"].isna()]
    assert set(without_country["row_industry"]) == {"VALU", "OUTPUT"}
    assert without_country.query("row_industry == 'VALU' and column_country == 'CN1' and column_code == '01T02'")["value_usd_million"].item() == 99


def test_bad_cells_of_an_icio_table_are_set_aside(load, tmp_path):
    cells = {("AUS_03", "CN1_03"): "-7.25", ("CHN_03", "CHN_GFCF"): "x", ("AUS_03", "AUS_03"): "another country's cell is not read"}
    report, _, aside = load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(cells)))
    assert report.set_aside == {"bad_number": 1, "negative_value": 1}
    assert list(aside["detail"]) == ["row AUS_03, column 03: -7.25", "row CHN_03, column GFCF: x"]


def test_an_icio_table_without_export_processing_columns_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 1: has no column CN1_01T02, CN1_03"):
        load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(countries=("AUS", "CHN", "CN2"))))


def test_an_icio_table_cut_off_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match=r"has no row VALU, OUTPUT\. The file is cut off"):
        load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows()[:-2]))


def test_the_edition_in_the_name_is_not_the_year(load, tmp_path):
    path = write_csv(tmp_path / "ICIO2021_2005.csv", icio_rows())
    assert load("input_output", path)[0].first_year == 2005
    nameless = shutil.copy(path, tmp_path / "ICIO2021.csv")
    with pytest.raises(SourceError, match="names 0 years"):
        load("input_output", Path(nameless))


@pytest.mark.parametrize(
    "header",
    [
        ",AUS_01T03,CHN_01T03,CN1_01T03,AUS_HFCE,TOTAL",  # 2018 edition
        '"","AUS_C01T05AGR","CHN_C01T05AGR","HFCE_AUS"',  # 2016 edition
        "V1,AGO_A01,CHN_A01,TOTAL",  # 2023 edition
        "Code,Description,DescriptionInChinese,1990,1991",  # employment by industry
    ],
)
def test_other_layouts_are_refused_and_not_misread(load, tmp_path, header):
    path = tmp_path / "ICIO2021_2018.csv"
    path.write_text(f"{header}\nAUS_01T03,1,2,3,4,5\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"shows none of the layouts known for input_output \(oecd_national_2021, oecd_icio_2021\)"):
        load("input_output", path)
