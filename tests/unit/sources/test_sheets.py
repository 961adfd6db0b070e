"""Workbooks: what is refused before it is laid out in memory, and that ordinary ones come through unchanged."""

from __future__ import annotations

import zipfile

import openpyxl
import pytest

from warehouse.errors import SourceError
from warehouse.sources import sheets
from warehouse.sources.base import RawFile
from warehouse.sources.sheets import read_workbook


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
    return b'<%bworksheet %b="%b"><%bsheetData>%b</%bsheetData></%bworksheet>' % (prefix, space, main, prefix, body, prefix, prefix)


@pytest.mark.parametrize("cells", [("XFD100000",), ("A1", "XFD100000"), ("A100000", "XFD1")])
def test_few_cells_that_span_many_are_refused(tmp_path, cells):
    path = far_workbook(tmp_path / "far.xlsx", *cells)
    assert path.stat().st_size < 10_000
    with pytest.raises(SourceError, match=r"far\.xlsx, sheet 人口: reaches to cell XFD100000, .* 1,638,400,000 cells.*Delete the far rows and columns"):
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
    monkeypatch.setattr(sheets, "PIECE", piece)
    path = with_sheet(far_workbook(tmp_path / "far.xlsx", "A1"), sheet(body))
    with pytest.raises(SourceError, match="sheet 人口: reaches to cell"):
        read_workbook(raw_file(path))


def test_a_prefix_hides_no_cell(tmp_path):
    path = with_sheet(far_workbook(tmp_path / "far.xlsx", "A1"), sheet(b'<x:row r="1"><x:c r="XFD100000"><x:v>1</x:v></x:c></x:row>', b"x:"))
    with pytest.raises(SourceError, match="reaches to cell XFD100000"):
        read_workbook(raw_file(path))


def test_a_cell_hidden_in_an_open_tag_is_refused(tmp_path):
    path = with_sheet(far_workbook(tmp_path / "far.xlsx", "A1"), sheet(b'<!-- <c a=" --><row r="1"><c r="XFD100000"><v>1</v></c></row>'))
    with pytest.raises(SourceError, match=r"part xl/worksheets/sheet1\.xml: has a cell whose tag does not end"):
        read_workbook(raw_file(path))


def test_sheets_count_together(tmp_path, monkeypatch):
    monkeypatch.setattr(sheets, "MAX_CELLS", 30)
    book = openpyxl.Workbook()
    book.active["D5"] = 1
    book.save(tmp_path / "one.xlsx")
    book.create_sheet("second")["D5"] = 1
    book.save(tmp_path / "two.xlsx")
    assert len(read_workbook(raw_file(tmp_path / "one.xlsx"))["Sheet"]) == 5
    with pytest.raises(SourceError, match="sheet second: reaches to cell D5, with which the workbook spans 40 cells"):
        read_workbook(raw_file(tmp_path / "two.xlsx"))


@pytest.mark.parametrize("piece", [1, 13, 1024 * 1024])
def test_ordinary_workbooks_read_as_before(tmp_path, workbook, monkeypatch, piece):
    monkeypatch.setattr(sheets, "PIECE", piece)
    rows = [["城市", 'r="XFD100000" <c r="XFD9">', 3.5], [None, "a>b", 2.0]]
    path = workbook("plain.xlsx", {"人口": rows, "空": []})
    assert read_workbook(raw_file(path)) == {"人口": [rows[0], ["", "a>b", 2.0]], "空": []}


def test_formats_on_far_cells_without_content_do_no_harm(tmp_path):
    body = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576" s="1"/></row>'
    path = with_sheet(far_workbook(tmp_path / "styled.xlsx", "A1"), sheet(body))
    assert read_workbook(raw_file(path)) == {"人口": [[1.0]]}


def test_a_zipped_workbook_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "a.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("content.xml", "<a/>")
    with pytest.raises(SourceError, match=r"a\.ods: is not an xlsx workbook\. Save it as xlsx"):
        read_workbook(raw_file(path))


def test_a_sheet_under_another_ending_is_refused(tmp_path):
    """The far cell lies in a part that is not .xml, to which the workbook's list of parts points."""
    path = far_workbook(tmp_path / "far.xlsx", "A1", "XFD100000")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.dat"] = parts.pop("xl/worksheets/sheet1.xml")
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(b"sheet1.xml", b"sheet1.dat")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(SourceError, match=r"far\.xlsx, xl/_rels/workbook\.xml\.rels: calls '.*sheet1\.dat' a sheet"):
        read_workbook(raw_file(path))
