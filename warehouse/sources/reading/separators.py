"""Text tables in other clothes: tabs or semicolons between values, UTF-16, and the web pages that
programs save under a workbook's name.

A text table with tabs or semicolons is written out again with commas, line by line, so that every
reader reads it and line numbers stay. Tabs, semicolons and quotes are single bytes that no other
character of UTF-8 or GB18030 holds: nothing needs decoding for that. A vertical bar separates
nothing here, as it is also the second byte of characters of GB18030.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile

LONGEST_LINE = 1024 * 1024
PIECE = 1024 * 1024
SEPARATORS = (b"\t", b";")
LINES_LOOKED_AT = 5
QUOTED = re.compile(rb'"[^"]*"')
UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
WEB_PAGE = re.compile(
    (
        rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|meta|table|script|style|div|!--)"
        rb"[\s>-]"
    ),
    re.IGNORECASE,
)
OFFICE_XML = (
    b"urn:schemas-microsoft-com:office:spreadsheet",
    b"urn:schemas-microsoft-com:office:excel",
)


def refuse_web_page(raw: RawFile) -> None:
    """
    Raises
    ------
    SourceError : a web page or an XML table, whatever its name says, with what to do about it.
    """
    head = raw.head[:4096]
    remedy = "Open it in a spreadsheet program, save it as xlsx or csv, and refresh"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<?xml") and any(
        mark in raw.head for mark in OFFICE_XML
    ):
        raise SourceError(
            raw.name, "", "is a spreadsheet saved as XML (2003), which is not read", remedy
        )
    if head.startswith(b"MIME-Version:"):
        raise SourceError(
            raw.name, "", "is a web page saved with its parts (mht), which is not read", remedy
        )
    if WEB_PAGE.match(head):
        named = (
            " under the name of a workbook" if raw.path.suffix.lower() in (".xls", ".xlsx") else ""
        )
        problem = (
            f"is a web page saved{named}: a table of a site, or the message that a site gave"
            " instead of the file"
        )
        raise SourceError(
            raw.name,
            "",
            problem,
            f"Look at it in a browser; if it shows the table: {remedy[0].lower()}{remedy[1:]}",
        )


def utf16_of(raw: RawFile) -> str:
    """The kind of UTF-16 that a text file is in, by its byte-order mark or by the zero bytes that
    plain signs have there; empty for none.
    """
    for mark, name in UTF16.items():
        if raw.head.startswith(mark):
            return name
    sample = raw.head[:2000]
    zeros = [sample[at::2].count(0) for at in (0, 1)]
    if len(sample) < 20 or sum(zeros) < len(sample) // 6 or min(zeros):
        return ""
    name = "utf-16-le" if zeros[1] else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(name, errors="replace")
    return name if all(sign.isprintable() or sign in "\t\r\n" for sign in text[:-1]) else ""


def separator_of(head: bytes) -> bytes:
    """The separator other than a comma that the first lines agree on, at least twice a line or once
    beside no comma; empty for none.
    """
    lines = [QUOTED.sub(b"", line) for line in re.split(rb"\r\n|\n|\r", head) if line.strip()][
        :LINES_LOOKED_AT
    ]
    for separator in SEPARATORS:
        counts = {line.count(separator) for line in lines}
        if (
            len(lines) > 1
            and len(counts) == 1
            and counts.pop() >= (1 if b"," not in lines[0] else 2)
            and lines[0].count(separator) > lines[0].count(b",")
        ):
            return separator
    return b""


def as_plain_csv(raw: RawFile, folder: Path) -> RawFile:
    """The file as UTF-8 or GB18030 text with commas: itself where it is no text, or such a text
    already.

    Raises
    ------
    SourceError : UTF-16 that is damaged, or a line of over 1 MiB.
    """
    encoding = utf16_of(raw)
    if encoding:
        raw = _decoded(raw, _place(folder / "utf8", raw), encoding)
    separator = b"" if b"\x00" in raw.head else separator_of(raw.head)
    if not separator:
        return raw
    target = _place(folder / "commas", raw)
    with raw.path.open("rb") as source, target.open("wb") as sink:
        for line in _lines(raw, source):
            sink.write(_with_commas(line, separator))
    return RawFile(target, raw.fingerprint, raw.options, raw.name)


def _place(folder: Path, raw: RawFile) -> Path:
    """Where a file is written again: under its own name, which may say a year."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / raw.path.name


def _decoded(raw: RawFile, target: Path, encoding: str) -> RawFile:
    try:
        with (
            raw.path.open(encoding=encoding, newline="") as source,
            target.open("w", encoding="utf-8", newline="") as sink,
        ):
            while piece := source.read(PIECE):
                sink.write(piece.removeprefix("\ufeff"))
    except UnicodeError as error:
        raise SourceError(
            raw.name,
            "",
            f"is UTF-16 text that is damaged ({error})",
            "Save it as UTF-8 and refresh again",
        ) from error
    return RawFile(target, raw.fingerprint, raw.options, raw.name)


def _lines(raw: RawFile, source: IO[bytes]) -> Iterator[bytes]:
    number = 0
    while line := source.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            problem = f"is longer than {LONGEST_LINE:,} bytes"
            raise SourceError(
                raw.name,
                f"line {number}",
                problem,
                "Check that the file is a table with one record a line",
            )
        yield line


def _with_commas(line: bytes, separator: bytes) -> bytes:
    """A line with commas between its values, and quotes around those that hold one; a quote that is
    never closed means nothing.
    """
    body = line.rstrip(b"\r\n")
    end = line[len(body) :]
    if b'"' not in body:
        fields = body.split(separator)
    elif body.count(b'"') % 2:
        fields = body.replace(b'"', b"").split(separator)
    else:  # latin-1 takes each byte for a sign and gives it back
        rows = csv.reader([body.decode("latin-1")], delimiter=separator.decode())
        fields = [field.encode("latin-1") for field in next(rows, [])]
    quoted = (
        b'"' + field.replace(b'"', b'""') + b'"' if b"," in field or b'"' in field else field
        for field in fields
    )
    return b",".join(quoted) + end
