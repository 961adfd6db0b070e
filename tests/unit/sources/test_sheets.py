"""Workbooks: what is refused before it is laid out in memory, and that ordinary ones come through
unchanged.
"""

from __future__ import annotations

import subprocess
import zipfile

import openpyxl
import pytest

from tests.faults.xls import xls_bytes
from warehouse.errors import SourceError
from warehouse.sources.reading import sheets, workbook_extent
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.sheets import read_workbook


def raw_file(path):
    return RawFile(path, f"{path}")


def far_workbook(path, *cells):
    book = openpyxl.Workbook()
    book.active.title = "人口"
    for cell in cells:
        book.active[cell] = 1
    book.save(path)
    return path


def with_sheet(path, sheet_xml):
    """The workbook again, with another text for its sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = sheet_xml
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def sheet(body, prefix=b""):
    space = b"xmlns:x" if prefix else b"xmlns"
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return b'<%bworksheet %b="%b"><%bsheetData>%b</%bsheetData></%bworksheet>' % (
        prefix,
        space,
        main,
        prefix,
        body,
        prefix,
        prefix,
    )


@pytest.mark.parametrize("cells", [("XFD100000",), ("A1", "XFD100000"), ("A100000", "XFD1")])
def test_few_cells_that_span_many_are_refused(tmp_path, cells):
    path = far_workbook(tmp_path / "far.xlsx", *cells)
    assert path.stat().st_size < 10_000
    with pytest.raises(
        SourceError,
        match=(
            r"far\.xlsx, sheet 人口: reaches to cell XFD100000, "
            r".* 1,638,400,000 cells.*Delete the far rows and columns"
        ),
    ):
        read_workbook(raw_file(path))


@pytest.mark.parametrize("piece", [1, 7, 1024])
@pytest.mark.parametrize(
    "body",
    [
        b'<row r="1"><c r="A1"><v>1</v></c><c s="1" x=">" r = \'xfd100000\'><v>1</v></c></row>',
        b'<row r="100000"><c r="XFC100000"/><c><v>1</v></c></row>',
        b'<row r="99999"/><row><c r="XFC1"/><c><v>1</v></c></row>',
        b'<row r="1"><c r="ZZZZZZZZZZ99999999999999"><v>1</v></c></row>',
    ],
)
def test_far_cells_are_found_however_they_are_written(tmp_path, monkeypatch, body, piece):
    monkeypatch.setattr(workbook_extent, "PIECE", piece)
    path = with_sheet(far_workbook(tmp_path / "far.xlsx", "A1"), sheet(body))
    with pytest.raises(SourceError, match="sheet 人口: reaches to cell"):
        read_workbook(raw_file(path))


def test_a_prefix_hides_no_cell(tmp_path):
    path = with_sheet(
        far_workbook(tmp_path / "far.xlsx", "A1"),
        sheet(b'<x:row r="1"><x:c r="XFD100000"><x:v>1</x:v></x:c></x:row>', b"x:"),
    )
    with pytest.raises(SourceError, match="reaches to cell XFD100000"):
        read_workbook(raw_file(path))


def test_a_cell_hidden_in_an_open_tag_is_refused(tmp_path):
    path = with_sheet(
        far_workbook(tmp_path / "far.xlsx", "A1"),
        sheet(b'<!-- <c a=" --><row r="1"><c r="XFD100000"><v>1</v></c></row>'),
    )
    with pytest.raises(
        SourceError, match=r"part xl/worksheets/sheet1\.xml: has a cell whose tag does not end"
    ):
        read_workbook(raw_file(path))


def test_sheets_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_extent, "MAX_CELLS", 30)
    book = openpyxl.Workbook()
    book.active["D5"] = 1
    book.save(tmp_path / "one.xlsx")
    book.create_sheet("second")["D5"] = 1
    book.save(tmp_path / "two.xlsx")
    assert len(read_workbook(raw_file(tmp_path / "one.xlsx"))["Sheet"]) == 5
    with pytest.raises(
        SourceError,
        match="sheet second: reaches to cell D5, with which the workbook spans 40 cells",
    ):
        read_workbook(raw_file(tmp_path / "two.xlsx"))


@pytest.mark.parametrize("piece", [1, 13, 1024 * 1024])
def test_ordinary_workbooks_read_as_before(tmp_path, workbook, monkeypatch, piece):
    monkeypatch.setattr(workbook_extent, "PIECE", piece)
    rows = [["城市", 'r="XFD100000" <c r="XFD9">', 3.5], [None, "a>b", 2.0]]
    path = workbook("plain.xlsx", {"人口": rows, "空": []})
    assert read_workbook(raw_file(path)) == {"人口": [rows[0], ["", "a>b", 2.0]], "空": []}


def test_formats_on_far_cells_without_content_do_no_harm(tmp_path):
    body = (
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    )
    path = with_sheet(far_workbook(tmp_path / "styled.xlsx", "A1"), sheet(body))
    assert read_workbook(raw_file(path)) == {"人口": [[1.0]]}


def test_a_zipped_workbook_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", "<a/>")
    with pytest.raises(SourceError, match=r"a\.ods: is not an xlsx workbook\. Save it as xlsx"):
        read_workbook(raw_file(path))


def test_a_sheet_under_another_ending_is_refused(tmp_path):
    """The far cell lies in a part that is not .xml, to which the workbook's list of parts
    points.
    """
    path = far_workbook(tmp_path / "far.xlsx", "A1", "XFD100000")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.dat"] = parts.pop("xl/worksheets/sheet1.xml")
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        b"sheet1.xml", b"sheet1.dat"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(
        SourceError, match=r"far\.xlsx, xl/_rels/workbook\.xml\.rels: calls '.*sheet1\.dat' a sheet"
    ):
        read_workbook(raw_file(path))


@pytest.mark.parametrize("reference", [b"ENaNNaNNaNNaN6", b"A9999999", b"XFE1", b"A00000001048577"])
def test_a_cell_where_no_sheet_has_one_is_refused(tmp_path, reference):
    path = with_sheet(
        far_workbook(tmp_path / "far.xlsx", "A1"),
        sheet(b'<row r="1"><c r="%b"><v>1</v></c></row>' % reference),
    )
    with pytest.raises(
        SourceError, match="sheet 人口: names a cell in column .* where no sheet has one"
    ):
        read_workbook(raw_file(path))


def test_a_claimed_dimension_is_not_believed(tmp_path):
    data = sheet(b'<row r="1"><c r="A1"><v>1</v></c></row>').replace(
        b"<sheetData>", b'<dimension ref="A1:BDWGN1048576"/><sheetData>'
    )
    assert read_workbook(raw_file(with_sheet(far_workbook(tmp_path / "a.xlsx", "A1"), data))) == {
        "人口": [[1.0]]
    }


def with_parts(path, **changed):
    """The workbook again, with other texts for the parts whose names end so, or with parts of those
    names besides.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {
            **parts,
            **{f"xl/{name.replace('_', '.')}": data for name, data in changed.items()},
        }.items():
            archive.writestr(name, data)
    return path


def test_a_long_text_that_many_cells_share_is_refused(tmp_path):
    """20 MB of shared text in 2,000 cells would be 40 GB."""
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    book = openpyxl.Workbook()
    book.active.title = "人口"
    book.active["A1"] = "a text"
    book.save(tmp_path / "shared.xlsx")
    strings = b'<sst xmlns="%b" count="1" uniqueCount="1"><si><t>%b</t></si></sst>' % (
        main,
        b"x" * 20_000_000,
    )
    kinds = (
        b'<Override PartName="/xl/sharedStrings.xml" '
        b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+x'
        b'ml"/>'
    )
    with zipfile.ZipFile(tmp_path / "shared.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>", kinds + b"</Types>"
    )
    parts["xl/sharedStrings.xml"] = strings
    parts["xl/worksheets/sheet1.xml"] = sheet(
        b"".join(
            b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (row, row)
            for row in range(1, 2_001)
        )
    )
    with zipfile.ZipFile(tmp_path / "shared.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(
        SourceError,
        match=(
            r"shared\.xlsx(, sheet 人口: holds more than the|: cannot be read as a workbook \(it "
            r"takes more memory or time)"
        ),
    ):
        read_workbook(raw_file(tmp_path / "shared.xlsx"))


def test_a_workbook_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    path = with_parts(far_workbook(tmp_path / "bomb.xlsx", "A1"), media=bytes(100 * 1024**2))
    with pytest.raises(
        SourceError,
        match=(
            r"bomb\.xlsx: unpacks to [\d,]+ bytes, "
            r"[\d,]+ times its size; at most 250 times are allowed"
        ),
    ):
        read_workbook(raw_file(path))


def test_entities_are_not_expanded(tmp_path):
    path = far_workbook(tmp_path / "laughs.xlsx", "A1")
    with zipfile.ZipFile(path) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels")
    bomb = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        + links[links.index(b"<Relationships") :]
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/_rels/other.xml.rels", bomb)
    with pytest.raises(SourceError, match="other.xml.rels declares entities"):
        read_workbook(raw_file(path))


def test_an_old_workbook_is_read_as_a_new_one(tmp_path):
    (tmp_path / "a.xls").write_bytes(xls_bytes({"人口": {(0, 1): "杭州市", (2, 0): 2.5}, "空": {}}))
    assert read_workbook(raw_file(tmp_path / "a.xls")) == {
        "人口": [["", "杭州市"], ["", ""], [2.5, ""]],
        "空": [],
    }


@pytest.mark.parametrize("sheets_n", [1, 300])
def test_far_cells_of_an_old_workbook_are_refused(tmp_path, sheets_n):
    """The format ends at column IV and row 65536, but a damaged file does not, and it may have any
    number of sheets.
    """
    far = (65_535, 65_534) if sheets_n == 1 else (65_535, 255)
    (tmp_path / "far.xls").write_bytes(
        xls_bytes({f"s{at}": {(0, 0): 1.0, far: 2.0} for at in range(sheets_n)})
    )
    assert (tmp_path / "far.xls").stat().st_size < 60_000
    with pytest.raises(
        SourceError,
        match=(
            r"far\.xls(, sheet s1: reaches so far that|: cannot be read as a workbook \(it takes "
            r"more memory or time)"
        ),
    ):
        read_workbook(raw_file(tmp_path / "far.xls"))


def test_a_formula_without_its_result_is_refused_and_none_is_calculated(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = 2
    book.active["B1"] = "=A1+1"
    book.save(tmp_path / "formula.xlsx")
    with pytest.raises(
        SourceError,
        match=(
            r"formula\.xlsx, sheet Sheet: holds formulas whose results were never saved, "
            r"and none is calculated here"
        ),
    ):
        read_workbook(raw_file(tmp_path / "formula.xlsx"))


@pytest.mark.parametrize("piece", [1, 64, 1024])
@pytest.mark.parametrize(
    "cell",
    [
        b"<f>1+1</f></c>",
        b"<f>1+1</f><v/></c>",
        b'<f t="shared" si="0"/><v></v></c>',
        b" <f>1+1</f >\n<v />\n</c >",
    ],
)
def test_formulas_without_results_are_found_however_they_are_written(
    tmp_path, monkeypatch, cell, piece
):
    monkeypatch.setattr(workbook_extent, "PIECE", piece)
    path = with_sheet(
        far_workbook(tmp_path / "a.xlsx", "A1"),
        sheet(b'<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="1">' + cell + b"</row>"),
    )
    with pytest.raises(SourceError, match="holds formulas whose results were never saved"):
        read_workbook(raw_file(path))


def test_a_formula_s_saved_result_is_read_and_macros_are_not_run(tmp_path):
    """What the formula would give today does not matter; a text that was saved empty is a result
    too.
    """
    cells = (
        b'<c r="A1"><f>HYPERLINK("http://x")+1</f><v>7</v></c><c r="B1" '
        b't="str"><f>""</f><v></v></c><c r="C1" t="str"><f>1</f><v>saved</v></c>'
    )
    path = with_sheet(
        far_workbook(tmp_path / "macro.xlsm", "A1"), sheet(b'<row r="1">' + cells + b"</row>")
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert read_workbook(raw_file(path)) == {"人口": [[7.0, "", "saved"]]}


def test_nothing_is_left_behind_when_reading_is_interrupted(tmp_path, workbook, monkeypatch):
    """The process that reads the workbook ends with the reading."""
    started = []

    class Watched(subprocess.Popen):
        def __init__(self, *given, **more):
            super().__init__(*given, **more)
            started.append(self)

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sheets.subprocess, "Popen", Watched)
    monkeypatch.setattr(sheets.pickle, "load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_workbook(raw_file(workbook("a.xlsx", {"s": [["x"]]})))
    assert started[0].returncode is not None
