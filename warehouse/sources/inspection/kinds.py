"""What kind of file something is, by its first bytes and never by its name."""

from __future__ import annotations

import codecs

from warehouse.sources.reading.containers import ACCESS_MARKS, FOREIGN_MARKS, ZIP_MARKS
from warehouse.sources.reading.encodings import LATIN, encoding_of
from warehouse.sources.reading.parquet import is_parquet
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.separators import OFFICE_XML, WEB_PAGE, separator_of, utf16_of
from warehouse.sources.reading.sheets import XLS_MARK
from warehouse.sources.reading.stata_header import stata_release

# What is no table, or one of a program whose files are not read, and what to do with it.
PICTURE = "a picture holds no table: type its numbers off, or ask the publisher for a table"
STRANGE_MARKS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", PICTURE),
    (b"\xff\xd8\xff", "a picture (JPEG)", PICTURE),
    (b"GIF8", "a picture (GIF)", PICTURE),
    (b"II*\x00", "a picture (TIFF)", PICTURE),
    (b"MM\x00*", "a picture (TIFF)", PICTURE),
    (b"%PDF-", "a PDF document", "a PDF is not read: extract its tables as xlsx or csv"),
    (b"{\\rtf", "a document (RTF)", "save its tables as xlsx or csv"),
    (b"SQLite format 3\x00", "an SQLite database", "export its table as csv"),
    (b"$FL2", "an SPSS file", "save it in SPSS as Stata or csv"),
    (b"$FL3", "an SPSS file", "save it in SPSS as Stata or csv"),
    (bytes(12) + b"\xc2\xea\x81\x60", "a SAS file", "export it from SAS as csv"),
    (b"RDX", "an R file", "write its table from R with write.csv"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export its table as csv"),
    (b"\x7fELF", "a program", "it is no data file"),
    (b"MZ", "a program", "it is no data file"),
)
SAMPLE = 4096
NO_TEXT = "bytes that are no text and bear no mark that is known here"
MOST_CONTROLS = 0.01  # of the bytes of a text in whatever encoding


def strange_kind(raw: RawFile) -> tuple[str, str] | None:
    """The kind of a file that no source reads, and what to do with it; None for any other."""
    found = ((kind, advice) for mark, kind, advice in STRANGE_MARKS if raw.head.startswith(mark))
    return next(found, None)


def kind_of(raw: RawFile, is_archive: bool) -> str:
    """The kind of a file in words, with the encoding and separator of a text."""
    head = raw.head
    release = stata_release(raw)
    foreign = [kind for mark, kind in FOREIGN_MARKS.items() if head.startswith(mark)]
    strange = strange_kind(raw)
    if not head:
        return "an empty file"
    if strange is not None:
        return strange[0]
    if foreign:
        return foreign[0]
    if head[4:19] in ACCESS_MARKS:
        return "an Access database"
    if head.startswith(ZIP_MARKS):
        return "a zip archive" if is_archive else "a workbook (xlsx)"
    if head.startswith(XLS_MARK):
        return "a workbook (xls), or another document of old Office programs"
    if is_parquet(raw):
        return "a Parquet file"
    if release is not None:
        return f"a Stata file (format {release})"
    if WEB_PAGE.match(head[:SAMPLE]):
        return "a web page"
    if any(mark in head for mark in OFFICE_XML):
        return "a spreadsheet saved as XML (2003)"
    return _text_kind(raw)


def _text_kind(raw: RawFile) -> str:
    encoding = encoding_of_text(raw)
    if not encoding:
        return NO_TEXT
    if raw.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return f"text in JSON ({encoding})"
    if utf16_of(raw):
        return f"text ({encoding})"
    separator = separator_of(raw.head)
    named = {b"\t": "tabs", b";": "semicolons"}.get(separator, "")
    first = raw.head.split(b"\n", 1)[0]
    if not named:
        named = "commas" if b"," in first else ""
    return f"text ({encoding}{f', {named} between values' if named else ''})"


def encoding_of_text(raw: RawFile) -> str:
    """The encoding of a text, as its first 64 KiB show it; empty for bytes that are none."""
    wide = utf16_of(raw)
    if wide:
        return wide.upper()
    head = raw.head
    if b"\x00" in head:
        return ""
    complete = head[: head.rfind(b"\n") + 1] or head
    if head.startswith(codecs.BOM_UTF8):
        return "UTF-8 with a byte-order mark"
    for encoding, said in (("ascii", "plain ASCII"), ("utf-8", "UTF-8"), ("gb18030", "GB18030")):
        try:
            text = complete.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start >= len(complete) - 4 and complete is head and error.start > 0:
                return said  # one long line, cut within a character
            continue
        if encoding == "gb18030" and encoding_of([complete.decode(LATIN)]) == LATIN:
            break
        strange = sum(not sign.isprintable() and sign not in "\t\r\n\f" for sign in text)
        return said if 20 * strange <= len(text) else ""
    controls = sum(sign < 32 and sign not in b"\t\r\n\f" for sign in head)
    return "neither UTF-8 nor GB18030" if controls <= MOST_CONTROLS * len(head) else ""
