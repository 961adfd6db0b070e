"""Stata files: what their header says is held against the file before anything is read, and every fault becomes one sentence.

Of formats before 118 nobody knows the encoding of the text: it comes as if it were Latin-1, for the reader to put right.
Text in a later file that is no UTF-8 comes the same way.
"""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile

OLD_RELEASES = {102, 103, 104, 105, 108, 110, 111, 113, 114, 115}
MARK = b"<stata_dta>"
FIRST_UTF8_RELEASE = 118
MAX_VARIABLES = 5_000
LONGEST_TEXT = 100_000  # characters of a long string, which many rows may share
STRL = 32_768
WIDTHS = {STRL: 8, 65_526: 8, 65_527: 4, 65_528: 4, 65_529: 2, 65_530: 1}  # bytes by type since format 117; up to 2045 the type is the width
OLD_WIDTHS = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}
OLDEST_WIDTHS = {ord(letter): width for letter, width in zip("bilfd", (1, 2, 4, 4, 8), strict=True)}
START = re.compile(rb"<stata_dta><header><release>(\d{3})</release><byteorder>(MSF|LSF)</byteorder><K>(.{2,4})</K><N>(.{4,8})</N>", re.DOTALL)
# What pandas raises on a file that is cut off or makes no sense.
FAULTS = (ArithmeticError, EOFError, LookupError, OSError, StopIteration, struct.error, TypeError, ValueError)


@dataclass(frozen=True)
class _Header:
    """rows_at : where the first row begins, in formats that say so"""

    types: tuple[int, ...]
    rows_n: int
    row_bytes: int
    rows_at: int | None


def stata_release(raw: RawFile) -> int | None:
    """The number of a Stata file's format, or None for another kind of file."""
    head = raw.head
    if head.startswith(MARK):
        found = re.match(rb"<stata_dta><header><release>(\d{3})</release>", head)
        return int(found[1]) if found else FIRST_UTF8_RELEASE
    is_old = len(head) > 4 and head[0] in OLD_RELEASES and head[1] in (0, 1, 2) and head[2] in (0, 1)
    return head[0] if is_old else None


def stata_labels(raw: RawFile) -> dict[str, str]:
    """Names of the variables and their labels, in the file's order.

    Raises
    ------
    SourceError : as `stata_pieces` raises it.
    """
    header = _header(raw)
    with _told(raw), pd.read_stata(raw.path, iterator=True, convert_categoricals=False, compression=None) as reader:
        labels = dict(reader.variable_labels())
    if len(labels) < len(header.types):
        raise SourceError(raw.name, "", "names a variable twice", "Rename or drop one of the two in Stata")
    return labels


def stata_frame(raw: RawFile) -> pd.DataFrame:
    """The whole file at once; numbers stay numbers, whatever labels or dates they stand for.

    Raises
    ------
    SourceError : as `stata_pieces` raises it.
    """
    header = _header(raw)
    stata_labels(raw)
    with _told(raw):
        frame = pd.read_stata(raw.path, convert_categoricals=False, convert_dates=False, compression=None)
    _refuse_long_text(raw, header, frame)
    return frame


def stata_pieces(raw: RawFile, rows_n: int) -> Iterator[pd.DataFrame]:
    """The file in pieces of so many rows.

    Raises
    ------
    SourceError : a file that is cut off or damaged, or claims more rows or variables than it can hold.
    """
    header = _header(raw)
    stata_labels(raw)
    with _told(raw):
        reader = pd.read_stata(raw.path, chunksize=rows_n, convert_categoricals=False, convert_dates=False, compression=None)
    with reader:
        while True:
            with _told(raw):
                piece = next(reader, None)
            if piece is None:
                return
            _refuse_long_text(raw, header, piece)
            yield piece


@contextmanager
def _told(raw: RawFile) -> Iterator[None]:
    """Faults as one sentence, and no warning about text that is not UTF-8: such names are put right, or set aside as unknown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnicodeWarning)
            warnings.filterwarnings("ignore", "invalid value encountered in cast", RuntimeWarning)  # a damaged missing value; it is judged as a number
            yield
    except FAULTS as error:
        raise _damaged(raw, f"{error}") from error


def _damaged(raw: RawFile, problem: str) -> SourceError:
    return SourceError(raw.name, "", f"cannot be read as a Stata file ({problem}): it is cut off or damaged", "Fetch the file again, or save it with Stata")


def _header(raw: RawFile) -> _Header:
    """What a file says of itself, if the file can hold it."""
    try:
        header = _new_header(raw) if raw.head.startswith(MARK) else _old_header(raw)
    except (struct.error, ValueError) as error:
        raise _damaged(raw, f"its header makes no sense: {error}") from error
    size = raw.path.stat().st_size
    if not header.types:
        raise _damaged(raw, "it has no variables")
    if header.rows_n * max(header.row_bytes, len(header.types)) > size:
        raise _damaged(raw, f"its header claims {header.rows_n:,} rows of {len(header.types):,} variables, which {size:,} bytes cannot hold")
    if header.rows_at is not None:
        with raw.path.open("rb") as handle:
            handle.seek(header.rows_at + header.rows_n * header.row_bytes)
            if handle.read(7) != b"</data>":
                raise _damaged(raw, f"its rows do not end where {header.rows_n:,} of them should")
    return header


def _refuse_variables(raw: RawFile, variables_n: int) -> None:
    if variables_n > MAX_VARIABLES:
        raise SourceError(raw.name, "", f"claims {variables_n:,} variables, more than the {MAX_VARIABLES:,} allowed", "Keep those that are needed, in Stata")


def _old_header(raw: RawFile) -> _Header:
    release, order = raw.head[0], ">" if raw.head[1] == 1 else "<"
    variables_n, rows_n = struct.unpack_from(order + ("HI" if release >= 103 else "HH"), raw.head, 4)
    _refuse_variables(raw, variables_n)
    at = (8 if release < 103 else 10) + (81 if release > 105 else 32) + (18 if release > 104 else 0)
    types = tuple(raw.head[at : at + variables_n])
    if len(types) < variables_n:
        raise _damaged(raw, "it ends within its header")
    if release >= 111:
        widths = [OLD_WIDTHS.get(kind, kind) for kind in types]
    else:
        widths = [OLDEST_WIDTHS[kind] if kind in OLDEST_WIDTHS else max(0, kind - 127) for kind in types]
    return _Header(types, rows_n, sum(widths), None)


def _new_header(raw: RawFile) -> _Header:
    found = START.match(raw.head)
    if found is None:
        raise _damaged(raw, "its header makes no sense")
    order = ">" if found[2] == b"MSF" else "<"
    variables_n = struct.unpack(order + ("H" if len(found[3]) == 2 else "I"), found[3])[0]
    rows_n = struct.unpack(order + ("I" if len(found[4]) == 4 else "Q"), found[4])[0]
    _refuse_variables(raw, variables_n)
    places = struct.unpack_from(f"{order}14q", raw.head, raw.head.index(b"<map>", found.end()) + 5)
    at = raw.head.index(b"<variable_types>", found.end()) + 16
    types = struct.unpack_from(f"{order}{variables_n}H", raw.head, at)
    size = raw.path.stat().st_size
    if any(not 0 <= place <= size for place in places):
        raise _damaged(raw, "its list of parts leads out of it")
    return _Header(types, rows_n, sum(WIDTHS.get(kind, kind) for kind in types), places[9] + 6)


def _refuse_long_text(raw: RawFile, header: _Header, frame: pd.DataFrame) -> None:
    """Long strings are stored once for all rows that share them; as columns of text they would be as many as there are rows."""
    for at, kind in enumerate(header.types):
        if kind == STRL and max((len(text) for text in frame.iloc[:, at].unique() if isinstance(text, str)), default=0) > LONGEST_TEXT:
            raise SourceError(raw.name, f"variable {frame.columns[at]}", f"holds a text of over {LONGEST_TEXT:,} characters", "Drop the variable in Stata")
