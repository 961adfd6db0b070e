from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path

import pandas as pd
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
    rows += [
        [row, f"Industry, {row}", *(cells.get((row, column), "1.0") for column in NATIONAL_COLUMNS)]
        for row in NATIONAL_ROWS
    ]
    return rows


INDUSTRIES = ("01T02", "03")
COUNTRIES = ("AUS", "CHN", "CN1", "CN2")


def icio_rows(
    cells: dict[tuple[str, str], str] | None = None, countries: tuple[str, ...] = COUNTRIES
) -> list[list[str]]:
    """A small inter-country table of the 2021 edition's shape, all cells 2.5 but the ones given."""
    cells = cells or {}
    labels = [f"{country}_{industry}" for country in countries for industry in INDUSTRIES]
    final = [f"{country}_{code}" for country in ("AUS", "CHN") for code in ICIO_FINAL_DEMAND]
    header = ["V1", *labels, *final, "TOTAL"]
    names = [*labels, "AUS_TAXSUB", "CHN_TAXSUB", "VALU", "OUTPUT"]
    return [
        header,
        *([name, *(cells.get((name, column), "2.5") for column in header[1:])] for name in names),
    ]


def test_national_table_gives_every_cell(load, tmp_path):
    path = write_csv(
        tmp_path / NATIONAL_NAME,
        national_rows({("01", "02"): "4601.5", ("01", "IMPO"): "-62481.8"}),
    )
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
    bad = {
        ("02", "03"): "-4.5",
        ("05", "06"): "..",
        ("07", "08"): "12,34.5",
        ("09", "10"): "nan",
        ("11", "12"): "",
    }
    legal = {("03", "INVNT"): "-21.8", ("TXS_INT_FNL", "01"): "-4594.9"}
    report, tables, aside = load(
        "input_output", write_csv(tmp_path / NATIONAL_NAME, national_rows({**bad, **legal}))
    )
    assert report.read_n == 2700
    assert report.set_aside == {"bad_number": 4, "negative_value": 1}
    value = tables["input_output__national"].set_index(["row_code", "column_code"])[
        "value_usd_million"
    ]
    assert value["03", "INVNT"] == -21.8
    assert value["TXS_INT_FNL", "01"] == -4594.9
    negative = aside[aside["reason"] == "negative_value"].iloc[0]
    assert negative["detail"] == "row 02, column 03: -4.5"
    assert negative["line"] == 3
    assert negative["year"] == 2011


@pytest.mark.parametrize(
    "name",
    [
        "national.csv",
        "oecd_national_io_2021ed_CHN.csv",
        "CHN_2010_2011.csv",
        "oecd_national_io_2021ed_CHN_2019.csv",
    ],
)
def test_a_name_without_one_year_is_refused(load, tmp_path, name):
    with pytest.raises(
        SourceError,
        match=r"years between 1995 and 2018 in its file name.*Name the file after its year",
    ):
        load("input_output", write_csv(tmp_path / name, national_rows()))


def test_another_countrys_table_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="named as the table of USA; only China's are kept"):
        load(
            "input_output",
            write_csv(tmp_path / "oecd_national_io_2021ed_USA_2011.csv", national_rows()),
        )


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
    cells = {
        ("AUS_03", "CN2_01T02"): "7.25",
        ("CHN_TAXSUB", "CN1_03"): "-0.5",
        ("VALU", "CN1_01T02"): "99",
        ("AUS_03", "CHN_INVNT"): "-1.5",
    }
    report, tables, aside = load(
        "input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(cells))
    )
    rows = tables["input_output__icio"]
    china = 3 * len(INDUSTRIES) + len(ICIO_FINAL_DEMAND)
    assert report.layout == "oecd_icio_2021"
    assert report.read_n == china * (8 + 4) == len(rows)
    assert aside.empty
    assert report.first_year == 2018
    assert set(rows["column_country"]) == {"CHN", "CN1", "CN2"}
    value = rows.set_index(["row_country", "row_industry", "column_country", "column_code"])[
        "value_usd_million"
    ]
    assert value["AUS", "03", "CN2", "01T02"] == 7.25
    assert value["CHN", "TAXSUB", "CN1", "03"] == -0.5
    assert value["AUS", "03", "CHN", "INVNT"] == -1.5
    assert value["CN1", "01T02", "CHN", "HFCE"] == 2.5
    without_country = rows[rows["row_country"].isna()]
    assert set(without_country["row_industry"]) == {"VALU", "OUTPUT"}
    assert (
        without_country.query(
            "row_industry == 'VALU' and column_country == 'CN1' and column_code == '01T02'"
        )["value_usd_million"].item()
        == 99
    )


def test_bad_cells_of_an_icio_table_are_set_aside(load, tmp_path):
    cells = {
        ("AUS_03", "CN1_03"): "-7.25",
        ("CHN_03", "CHN_GFCF"): "x",
        ("AUS_03", "AUS_03"): "another country's cell is not read",
    }
    report, _, aside = load(
        "input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(cells))
    )
    assert report.set_aside == {"bad_number": 1, "negative_value": 1}
    assert list(aside["detail"]) == ["row AUS_03, column 03: -7.25", "row CHN_03, column GFCF: x"]


def test_an_icio_table_without_export_processing_columns_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match="line 1: has no column CN1_01T02, CN1_03"):
        load(
            "input_output",
            write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows(countries=("AUS", "CHN", "CN2"))),
        )


def test_an_icio_table_cut_off_is_refused(load, tmp_path):
    with pytest.raises(SourceError, match=r"has no row VALU, OUTPUT\. The file is cut off"):
        load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows()[:-2]))


def test_the_edition_in_the_name_is_not_the_year(load, tmp_path):
    path = write_csv(tmp_path / "ICIO2021_2005.csv", icio_rows())
    assert load("input_output", path)[0].first_year == 2005
    nameless = shutil.copy(path, tmp_path / "ICIO2021.csv")
    with pytest.raises(SourceError, match="names 0 years"):
        load("input_output", Path(nameless))


def test_other_layouts_are_refused_and_not_misread(load, tmp_path):
    path = tmp_path / "ICIO2021_2018.csv"
    path.write_text(
        "Code,Description,DescriptionInChinese,1990,1991\nA,1,2,3,4\n", encoding="utf-8"
    )  # employment by industry
    with pytest.raises(
        SourceError,
        match=(
            r"shows none of the layouts known for input_output \(oecd_national_2021, "
            r"oecd_icio_2016, .*oecd_icio_2025\)"
        ),
    ):
        load("input_output", path)


# edition -> (file name, first cell of the header, industries, final demand, last column, rows after
# the industries, output row)
SPLIT_TAIL = ("AUS_TAXSUB", "CHN_TAXSUB", "VALU", "OUTPUT")
ICIO = {
    "2016": ("ICIO2016_2003.csv", "", ("C01T05AGR", "C64PTL"), ("HFCE", "NPS", "GGFC", "GFCF",
    "INV", "DIRP"), "DISC", ("VA+TAXSUB", "OUT"), "OUT"),
    "2018": (
        "ICIO2018_2010.CSV", "", ("01T03", "61"), ("HFCE", "NPISH", "GGFC", "GFCF", "INVNT", "P33"),
        "TOTAL", SPLIT_TAIL, "OUTPUT",
    ),
    "2021": ("ICIO2021_2018.csv", "V1", ("01T02", "61"), ICIO_FINAL_DEMAND, "TOTAL", SPLIT_TAIL,
    "OUTPUT"),
    "2023": ("2019_SML.csv", "V1", ("A01_02", "J61"), ICIO_FINAL_DEMAND, "OUT", ("TLS", "VA",
    "OUT"), "OUT"),
    "2025": ("2020_SML.csv", "V1", ("A01", "C302T309"), ICIO_FINAL_DEMAND, "OUT", ("TLS", "VA",
    "OUT"), "OUT"),
}  # fmt: skip


def edition_rows(edition: str, countries: tuple[str, ...]) -> list[list[str]]:
    """A tiny table of an edition; the cell in row i and column j is i + j / 100, both counted from
    1.
    """
    _, first, industries, final, last, tail, _ = ICIO[edition]
    labels = [f"{country}_{industry}" for country in countries for industry in industries]
    demand = [
        f"{code}_{buyer}" if edition == "2016" else f"{buyer}_{code}"
        for buyer in ("AUS", "CHN")
        for code in final
    ]
    header = [first, *labels, *demand, last]
    return [
        header,
        *(
            [name, *(f"{i + j / 100:.2f}" for j in range(1, len(header)))]
            for i, name in enumerate([*labels, *tail], start=1)
        ),
    ]


@pytest.mark.parametrize("edition", ICIO)
@pytest.mark.parametrize("packing", ["plain", "quoted", "zip"])
def test_each_edition_is_recognised_and_read(load, tmp_path, edition, packing):
    name, _, industries, final, _, tail, output = ICIO[edition]
    countries = COUNTRIES if edition < "2023" else ("AUS", "CHN")
    rows = edition_rows(edition, countries)
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(
            handle, quoting=csv.QUOTE_ALL if packing == "quoted" else csv.QUOTE_MINIMAL
        ).writerows(rows)
    if packing == "zip":
        with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
            archive.write(path, name)
        path = tmp_path / "packed.zip"
    report, tables, aside = load("input_output", path)
    cells = tables["input_output__icio"]
    kept = 2 * (len(countries) - 1) + len(final)
    assert report.layout == f"oecd_icio_{edition}"
    assert report.read_n == len(cells) == kept * (len(rows) - 1)
    assert aside.empty
    assert set(cells["edition"]) == {edition}
    assert set(cells["year"]) == {
        (
            2018
            if edition == "2021"
            else {"2016": 2003, "2018": 2010, "2023": 2019, "2025": 2020}[edition]
        )
    }
    value = cells.set_index(["row_country", "row_industry", "column_country", "column_code"])[
        "value_usd_million"
    ]
    assert value["AUS", industries[1], "CHN", industries[0]] == 2.03  # row 2, column 3
    demand_at = 2 * len(countries) + len(final) + 1
    assert value["CHN", industries[0], "CHN", final[0]] == pytest.approx(
        3 + demand_at / 100, abs=1e-12
    )
    assert cells[cells["row_industry"] == output]["row_country"].isna().all()
    assert len(tail) <= cells["row_industry"].nunique()


def as_kind(path: Path, kind: str, rows: list[list[str]]) -> Path:
    """The table as a workbook, in Stata (whose import writes labels in small letters) or as
    Parquet, with numbers as numbers.
    """
    frame = pd.DataFrame(rows[1:], columns=["V1" if label == "" else label for label in rows[0]])
    texts = [label for label in frame.columns if label in ("V1", "Code", "Description")]
    frame = frame.astype({label: float for label in frame.columns if label not in texts})
    target = path.with_suffix(f".{kind}")
    if kind == "xlsx":
        frame.to_excel(target, index=False)
    elif kind == "dta":
        frame.rename(columns=str.lower).rename(
            columns=lambda label: label if label[0].isalpha() else f"_{label}"
        ).to_stata(target, write_index=False, version=118)
    else:
        frame.to_parquet(target, index=False)
    return target


@pytest.mark.parametrize("edition", ICIO)
@pytest.mark.parametrize("kind", ["xlsx", "dta", "parquet"])
def test_each_edition_in_every_kind_of_file(load, tmp_path, edition, kind):
    rows = edition_rows(edition, COUNTRIES if edition < "2023" else ("AUS", "CHN"))
    _, plain, _ = load("input_output", write_csv(tmp_path / ICIO[edition][0], rows))
    report, tables, aside = load("input_output", as_kind(tmp_path / ICIO[edition][0], kind, rows))
    columns = [
        "edition",
        "year",
        "row_country",
        "row_industry",
        "column_country",
        "column_code",
        "value_usd_million",
    ]
    assert report.layout == f"oecd_icio_{edition}"
    assert aside.empty
    pd.testing.assert_frame_equal(
        tables["input_output__icio"][columns], plain["input_output__icio"][columns]
    )


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_national_table_in_other_kinds_of_file(load, tmp_path, kind):
    report, tables, _ = load(
        "input_output",
        as_kind(tmp_path / NATIONAL_NAME, kind, national_rows({("01", "02"): "4601.5"})),
    )
    cells = tables["input_output__national"].set_index(["row_code", "column_code"])[
        "value_usd_million"
    ]
    assert (report.layout, len(cells), cells["01", "02"]) == ("oecd_national_2021", 50 * 54, 4601.5)


def test_several_years_in_one_archive_are_all_read(load, tmp_path):
    with zipfile.ZipFile(tmp_path / "2018-2019_SML.zip", "w") as archive:
        for year in (2018, 2019):
            text = "\n".join(",".join(row) for row in edition_rows("2023", ("AUS", "CHN")))
            archive.writestr(f"{year}_SML.csv", text.replace("1.01", f"1.{year}"))
    report, tables, _ = load("input_output", tmp_path / "2018-2019_SML.zip")
    assert (report.first_year, report.last_year) == (2018, 2019)
    assert tables["input_output__icio"].groupby("year").size().nunique() == 1


def test_a_table_from_2023_on_needs_china_whole_or_in_both_parts(load, tmp_path):
    split = write_csv(tmp_path / "2019_SML.csv", edition_rows("2023", ("AUS", "CN1", "CN2")))
    assert set(load("input_output", split)[1]["input_output__icio"]["column_country"]) == {
        "CHN",
        "CN1",
        "CN2",
    }  # CHN by its final demand
    half = write_csv(tmp_path / "2018_SML.csv", edition_rows("2023", ("AUS", "CN1")))
    with pytest.raises(SourceError, match="line 1: has no column CN2_A01_02, CN2_J61"):
        load("input_output", half)


def test_codes_of_the_read_me_are_those_of_the_csv(load, tmp_path):
    rows = [
        [cell.replace("_0", "_D0") if i == 0 or j == 0 else cell for j, cell in enumerate(row)]
        for i, row in enumerate(icio_rows())
    ]
    _, tables, _ = load("input_output", write_csv(tmp_path / "ICIO2021_2018.csv", rows))
    cells = tables["input_output__icio"]
    assert {"01T02", "03"} <= set(cells["row_industry"])
    assert not cells["column_code"].str.startswith("D0").any()


def test_a_table_without_line_breaks_is_refused_in_bounded_memory(load, tmp_path):
    path = write_csv(tmp_path / "ICIO2021_2018.csv", icio_rows())
    with path.open("a", encoding="utf-8") as handle:
        handle.write("1," * 5_000_000)
    with pytest.raises(SourceError, match=r"line \d+: is longer than 4,194,304 characters"):
        load("input_output", path)
