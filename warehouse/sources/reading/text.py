"""Text as publishers ship it: UTF-8 with or without a byte-order mark, or GB18030 (which contains
GBK and GB2312).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import TextIO

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile

MAX_SMALL_BYTES = 256 * 1024 * 1024
CHUNK = 8 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
MAX_SMALL_CELLS = 20_000_000  # of a file that is read as a whole: an empty cell takes memory too
REPLACEMENT = "\ufffd"
BLANKS = " \t\u3000"  # what people leave around a text
csv.field_size_limit(
    LONGEST_LINE
)  # one limit for the whole process: set here and nowhere else, or readers depend on each other


def sniff_text(raw: RawFile) -> str | None:
    """The head of a text file, or None for a binary one; the last, perhaps cut, line is
    left out.
    """
    head = raw.head
    if (
        b"\x00" in head
        or head[:4] in (b"PK\x03\x04", b"PAR1")
        or head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    ):
        return None
    complete = head.rfind(b"\n") + 1 or len(head)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return head[:complete].decode(encoding)
        except UnicodeDecodeError:
            continue
    return head[:complete].decode("gb18030", errors="replace")


def is_foreign_text(raw: RawFile) -> bool:
    """Whether a file looks like text in an encoding other than UTF-8 and GB18030, so that no mark
    in it can be read.
    """
    if raw.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    text = sniff_text(raw)
    return text is not None and REPLACEMENT in text


def read_text(raw: RawFile) -> str:
    """A whole text file, decoded strictly.

    Raises
    ------
    SourceError : neither UTF-8 nor GB18030 (with the first offending line), cut off within a
        character, or too large to be such a file.
    """
    size = raw.path.stat().st_size
    if size > MAX_SMALL_BYTES:
        raise SourceError(
            raw.name,
            "",
            f"has {size:,} bytes, more than the {MAX_SMALL_BYTES:,} that a table of this kind may"
            " have",
            "Check that the right file is named",
        )
    data = raw.path.read_bytes()
    furthest, is_cut = 0, False
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            furthest, is_cut = max(furthest, error.start), is_cut or _is_cut(error)
            # UTF-8 up to there: GB18030 might make other characters of all of it.
            if is_cut and not data[: error.start].isascii():
                break
    line = data.count(b"\n", 0, furthest) + 1
    found = data[furthest : furthest + 4].hex(" ")
    if is_cut:
        raise SourceError(
            raw.name,
            f"line {line}",
            f"ends in the middle of a character (bytes {found}): the file is cut off",
            "Fetch the file again; if it is whole, save it as UTF-8",
        )
    raise SourceError(
        raw.name,
        f"line {line}",
        f"is neither UTF-8 nor GB18030 (bytes {found})",
        "Save the file as UTF-8 and refresh again",
    )


def _is_cut(error: UnicodeDecodeError) -> bool:
    """Whether nothing is wrong but that bytes of the last character are missing."""
    return error.end == len(error.object) and error.reason in (
        "unexpected end of data",
        "incomplete multibyte sequence",
    )


def read_rows(raw: RawFile) -> list[list[str]]:
    """All rows of a small csv file but blank ones at its end, as text, in order; a field of over 1
    MiB is refused.
    """
    text = read_text(raw)
    cells_n = text.count(",") + text.count("\n")
    if cells_n > MAX_SMALL_CELLS:
        problem = (
            f"has about {cells_n:,} cells, more than the {MAX_SMALL_CELLS:,} that a table of this"
            " kind may have"
        )
        raise SourceError(raw.name, "", problem, "Check that the right file is named")
    handle = io.StringIO(text, newline="")
    try:
        rows = list(csv.reader(_lines(raw, handle, LONGEST_LINE)))
    except csv.Error as error:
        raise SourceError(
            raw.name, "", f"is not a readable csv ({error})", "Save it again as csv and refresh"
        ) from error
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def csv_rows(
    raw: RawFile, encoding: str, longest_line: int = LONGEST_LINE
) -> Iterator[tuple[int, list[str]]]:
    """The rows of a large csv, one after the other, with the line that each ends in.

    Raises
    ------
    SourceError : a line or a field that is longer than any, or bytes that are not of the encoding.
    """
    try:
        with raw.path.open(encoding=encoding, newline="") as handle:
            reader = csv.reader(_lines(raw, handle, longest_line))
            for fields in reader:
                yield reader.line_num, fields
    except (UnicodeDecodeError, csv.Error) as error:
        problem = f"is not a csv in {encoding.removesuffix('-sig').upper()} ({error})"
        raise SourceError(
            raw.name, "", problem, "Save it as UTF-8, or fetch it again from its publisher"
        ) from error


def _lines(raw: RawFile, handle: TextIO, longest: int) -> Iterator[str]:
    """Lines; a file that has none is not taken into memory."""
    number = 0
    longest += 1  # with its end
    while line := handle.readline(longest):
        number += 1
        if len(line) == longest:
            problem = f"is longer than {longest - 1:,} characters"
            raise SourceError(
                raw.name,
                f"line {number}",
                problem,
                "Check that the file is a csv with one record a line",
            )
        yield line


def lines_of(raw: RawFile) -> int:
    """How many lines a file has; empty ones at its end do not count.

    Raises
    ------
    SourceError : 8 MiB without the end of a line.
    """
    breaks = at_end = 0
    with raw.path.open("rb") as source:
        while chunk := source.read(CHUNK):
            filled = chunk.rstrip(b"\r\n")
            at_end = chunk.count(b"\n", len(filled)) + (0 if filled else at_end)
            breaks += chunk.count(b"\n")
            if len(chunk) == CHUNK and b"\n" not in chunk[LONGEST_LINE:]:
                problem = f"is longer than {LONGEST_LINE:,} bytes"
                raise SourceError(
                    raw.name,
                    f"line {breaks + 1}",
                    problem,
                    "Check that the file is a csv with one record a line",
                )
    return breaks - at_end + 1


def is_utf8(raw: RawFile) -> bool:
    """Whether a whole file is UTF-8, read in pieces."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with raw.path.open("rb") as source:
        while chunk := source.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError:
                return False
    return True
