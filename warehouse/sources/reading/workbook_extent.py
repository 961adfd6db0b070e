"""How far the sheets of an xlsx reach and what they hide, found before a cell is in memory."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO
from xml.etree import ElementTree

from warehouse.errors import SourceError
from warehouse.sources.reading.containers import DAMAGED, MAX_RATIO, RATIO_COUNTS_FROM_BYTES
from warehouse.sources.reading.rawfile import RawFile

MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
# of all sheets, from A1 to their far corners, blank cells included: they all take memory
MAX_CELLS = 20_000_000
MAX_COLUMNS, MAX_ROWS = 16_384, 1_048_576  # an xlsx sheet ends at XFD1048576
MAX_TAG_BYTES = 64 * 1024
MAX_LIST_BYTES = 16 * 1024 * 1024  # of a workbook's lists of its parts
PIECE = 1024 * 1024
OTHER_ZIPPED_WORKBOOKS = {
    ".ods",
    ".xlsb",
}  # told by their ending alone; the size of their sheets is not looked up here
# The tag of a cell, a row or a group of columns up to its ">", under any prefix; possessive, so
# that a tag without an end costs no more than one with.
TAG = re.compile(rb"""<(?:[\w.-]+:)?(c|row|col)(?=[\s/>])((?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)""")
# A formula without its result, as programs write it that do not calculate; one whose result is an
# empty text says t="str".
UNSAVED_FORMULA = re.compile(
    rb"""<(?:[\w.-]+:)?c(?![^>]*\bt\s*=\s*["']str["'])(?:\s[^>]*)?>\s*"""
    rb"""<(?:[\w.-]+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:[\w.-]+:)?f\s*>)"""
    rb"""\s*(?:<(?:[\w.-]+:)?v\s*/>|<(?:[\w.-]+:)?v\s*>\s*</(?:[\w.-]+:)?v\s*>)?\s*"""
    rb"""</(?:[\w.-]+:)?c\s*>"""
)
LONGEST_FORMULA = 16 * 1024
IS_HIDDEN = re.compile(rb"""(?<![\w:.-])hidden\s*=\s*["'](?:1|true)["']""")
SPAN = re.compile(rb"""(?<![\w:.-])(min|max)\s*=\s*["']([0-9]{1,7})["']""")
FILTER = re.compile(
    rb"""<(?:[\w.-]+:)?autoFilter\s[^>]*?ref\s*=\s*["'][A-Z$]+([0-9]{1,7}):[A-Z$]+\$?([0-9]{1,7})["'][^>]*>\s*"""
    rb"""<(?:[\w.-]+:)?filterColumn"""
)
# hidden rows that are followed by others that are not; a hostile file may have any number
MOST_GAPS = 10_000
REFERENCE = re.compile(rb"""r(?<![\w:.-]r)\s*=\s*["']([A-Za-z]*)([0-9]*)["']""")


def letters(column: int) -> str:
    """A column (1-based) as spreadsheet programs call it."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


@dataclass
class Extent:
    """How far the cells of a sheet reach from A1, in columns and rows; cells without content do not
    count.
    """

    columns: int = 0
    rows: int = 0
    hidden_rows: list[range] = field(default_factory=list)
    hidden_columns: list[range] = field(default_factory=list)

    def hide_row(self, row: int) -> None:
        if self.hidden_rows and self.hidden_rows[-1].stop == row:
            self.hidden_rows[-1] = range(self.hidden_rows[-1].start, row + 1)
        elif len(self.hidden_rows) < MOST_GAPS:
            self.hidden_rows.append(range(row, row + 1))

    @property
    def cells_n(self) -> int:
        return self.columns * self.rows

    @property
    def far_cell(self) -> str:
        """The corner opposite to A1, as spreadsheet programs call it."""
        return f"{letters(self.columns)}{self.rows}"


def refuse_bomb(raw: RawFile) -> None:
    try:
        with zipfile.ZipFile(raw.path) as archive:
            entries = archive.infolist()
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        UnicodeDecodeError,
        *DAMAGED,
    ) as error:  # a damaged list of parts may ask for a newer zip
        raise SourceError(
            raw.name, "", "is cut off or not a workbook", "Fetch the file again"
        ) from error
    unpacked, packed = sum(entry.file_size for entry in entries), raw.path.stat().st_size
    problem = ""
    if unpacked > MAX_UNPACKED_BYTES:
        problem = f"unpacks to {unpacked:,} bytes, more than the {MAX_UNPACKED_BYTES:,} allowed"
    elif unpacked > RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * packed:
        problem = (
            f"unpacks to {unpacked:,} bytes, {unpacked // packed:,} times its size; at most"
            f" {MAX_RATIO} times are allowed"
        )
    if problem:
        raise SourceError(
            raw.name, "", problem, "Check where the file comes from; split it if it is genuine"
        )


def look_through(raw: RawFile) -> dict[str, Extent]:
    """Return the sheets with hidden rows or columns, by name, and refuse an xlsx in which few cells
    span many.

    A sheet is laid out in memory from A1 to its farthest row and column. A sheet with a formula
    that has no result is refused too. An xls is looked at by the process that reads it only.
    """
    try:
        with zipfile.ZipFile(raw.path) as archive:
            names = {name.lower() for name in archive.namelist()}
            if "xl/workbook.xml" not in names or raw.path.suffix.lower() in OTHER_ZIPPED_WORKBOOKS:
                raise SourceError(
                    raw.name, "", "is not an xlsx workbook", "Save it as xlsx and refresh"
                )
            _refuse_disguised_sheets(raw, archive)
            return _covered(raw, archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        ElementTree.ParseError,
        LookupError,
        NotImplementedError,
        RuntimeError,
        OSError,
        *DAMAGED,
    ) as error:
        # expat raises LookupError for an encoding that it does not know; zipfile the next three for
        # a compression that it does
        # not know, a part that wants a password, and one that lies before the file's first byte
        raise SourceError(
            raw.name,
            "",
            f"cannot be unpacked as a workbook ({error})",
            "Save it again without a password and refresh",
        ) from error


def _covered(raw: RawFile, archive: zipfile.ZipFile) -> dict[str, Extent]:
    """The sheets with hidden rows or columns; each is looked at alone, and all of them together."""
    total = 0
    covered: dict[str, Extent] = {}
    for entry in archive.infolist():
        if not entry.filename.lower().endswith(".xml"):
            # sheets are the only parts with cells, and all of them are .xml, in whatever folder
            continue
        with archive.open(entry) as part:
            watched = _Watched(part)
            extent = _extent(raw, watched, entry.filename)
        total += extent.cells_n
        if total > MAX_CELLS:
            raise _too_far(raw, f"sheet {_sheet_name(archive, entry.filename)}", extent, total)
        if extent.columns > MAX_COLUMNS or extent.rows > MAX_ROWS:
            raise _beyond(raw, f"sheet {_sheet_name(archive, entry.filename)}", extent)
        if watched.has_unsaved_formula:
            raise _without_results(raw, f"sheet {_sheet_name(archive, entry.filename)}")
        extent.hidden_rows = [
            span
            for span in extent.hidden_rows
            if span.start not in watched.filtered or span.stop - 1 not in watched.filtered
        ]
        if extent.hidden_rows or extent.hidden_columns:
            covered[_sheet_name(archive, entry.filename)] = extent
    return covered


def _refuse_disguised_sheets(raw: RawFile, archive: zipfile.ZipFile) -> None:
    """A workbook's list of parts may call any part a sheet; one that is not .xml would be laid out
    without being looked at.
    """
    for name in archive.namelist():
        if not name.lower().endswith(".rels"):
            continue
        for link in _list_in(archive, name):
            target = link.get("Target", "")
            if link.get("Type", "").lower().endswith("sheet") and not target.lower().endswith(
                ".xml"
            ):
                raise SourceError(
                    raw.name,
                    name,
                    f"calls {target!r} a sheet, which is not xml",
                    "Open it in a spreadsheet program, save it again and refresh",
                )


def _list_in(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    """One of the lists by which a workbook holds together.

    Raises
    ------
    zipfile.BadZipFile : it is longer than any such list, or declares entities, which no such list
        does.
    """
    if archive.getinfo(name).file_size > MAX_LIST_BYTES:
        raise zipfile.BadZipFile(f"{name} unpacks to {archive.getinfo(name).file_size:,} bytes")
    data = archive.read(name)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise zipfile.BadZipFile(f"{name} declares entities")
    return ElementTree.fromstring(data)


class _Watched:
    """A sheet's bytes as they are read, looked through for formulas without results and for a
    filter that is on.
    """

    def __init__(self, part: IO[bytes]) -> None:
        self._part, self._tail = part, b""
        self.has_unsaved_formula = False
        self.filtered = range(0)  # rows

    def read(self, size: int) -> bytes:
        piece = self._part.read(size)
        data = self._tail + piece
        self.has_unsaved_formula |= UNSAVED_FORMULA.search(data) is not None
        if filtered := FILTER.search(data):
            self.filtered = range(int(filtered[1]), int(filtered[2]) + 1)
        self._tail = data[-LONGEST_FORMULA:]
        return piece


def _without_results(raw: RawFile, place: str) -> SourceError:
    problem = "holds formulas whose results were never saved, and none is calculated here"
    return SourceError(
        raw.name, place, problem, "Open it in a spreadsheet program, save it again and refresh"
    )


def _too_far(raw: RawFile, place: str, extent: Extent, total: int) -> SourceError:
    return SourceError(
        raw.name,
        place,
        f"reaches to cell {extent.far_cell}, with which the workbook spans {total:,} cells, more"
        f" than the {MAX_CELLS:,} allowed",
        "Delete the far rows and columns that hold nothing of use, save it again and refresh",
    )


def _beyond(raw: RawFile, place: str, extent: Extent) -> SourceError:
    """Such a cell is the work of damage: letters that a reader counts on past the last column lead
    it anywhere.
    """
    problem = (
        f"names a cell in column {extent.columns:,}, row {extent.rows:,} or beyond, where no sheet"
        " has one"
    )
    return SourceError(
        raw.name, place, problem, "Open it in a spreadsheet program, save it again and refresh"
    )


def _extent(raw: RawFile, part: _Watched, name: str) -> Extent:
    """How far a sheet reaches; a cell or row that does not say where it stands follows the one
    before it.
    """
    extent = Extent()
    row = column = 0
    for tag, attributes in _tags(raw, part, name):
        if tag == b"col":
            if IS_HIDDEN.search(attributes):
                said = {bound: int(number) for bound, number in SPAN.findall(attributes)}
                extent.hidden_columns.append(
                    range(said.get(b"min", 1), min(said.get(b"max", 0), MAX_COLUMNS) + 1)
                )
            continue
        row_said = column_said = 0
        for letters, digits in REFERENCE.findall(attributes):
            # Cut to one figure more than the format allows, so that a monstrous number stays a
            # number too large.
            row_said = max(row_said, int(digits.lstrip(b"0")[:8] or 0))
            column_said = max(column_said, _column_number(letters[:4]))
        if tag == b"row":
            row, column = row_said or row + 1, 0
            if IS_HIDDEN.search(attributes):
                extent.hide_row(row)
            continue
        column = column_said or column + 1
        if not attributes.endswith(b"/"):
            extent.columns = max(extent.columns, column)
            extent.rows = max(extent.rows, row_said or row)
    return extent


def _tags(raw: RawFile, part: _Watched, name: str) -> Iterator[tuple[bytes, bytes]]:
    """The tags of cells and rows with their attributes, in order; a tag that a piece ends in is
    kept for the next piece.
    """
    rest = b""
    while piece := part.read(PIECE):
        data = rest + piece
        done, cut = 0, -1
        for match in TAG.finditer(data):
            end = match.end()
            if data[end : end + 1] != b">":
                if data.find(b"<", end) >= 0:
                    raise SourceError(
                        raw.name,
                        f"part {name}",
                        "has a cell whose tag does not end",
                        "Open it in a spreadsheet program and save it again",
                    )
                cut = match.start()
                break
            done = end
            yield match[1], match[2]
        if cut < 0:
            last = data.rfind(b"<")
            cut = last if last >= done and b">" not in data[last:] else len(data)
        rest = data[cut:]
        if len(rest) > MAX_TAG_BYTES:
            raise SourceError(
                raw.name,
                f"part {name}",
                f"has a tag of over {MAX_TAG_BYTES:,} bytes",
                "Open it in a spreadsheet program and save it again",
            )


@lru_cache(maxsize=20_000)
def _column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet_name(archive: zipfile.ZipFile, part: str) -> str:
    """A sheet's name as its users know it, or its part's name where the workbook's list does not
    lead to it.
    """
    try:
        links, sheets = (
            _list_in(archive, "xl/_rels/workbook.xml.rels"),
            _list_in(archive, "xl/workbook.xml"),
        )
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile):
        return part
    ids = {
        link.get("Id")
        for link in links.iter()
        if part.endswith(link.get("Target", "?").lstrip("/").removeprefix("xl/"))
    }
    named = [
        sheet.get("name")
        for sheet in sheets.iter()
        if sheet.tag.endswith("}sheet") and ids.intersection(sheet.attrib.values())
    ]
    return named[0] if named and named[0] else part
