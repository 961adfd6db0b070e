"""The first rows of a large file as a file of its own, so that a look takes seconds.

A text is cut at the end of a line, a Stata file after so many rows, with its labels kept, and a
Parquet file after so many rows. Workbooks are never cut: they are small by the limits of their
reader. Nothing else is changed, so that the readers see what they would see of the whole.
"""

from __future__ import annotations

import re
import shutil
import struct
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from warehouse.errors import SourceError
from warehouse.sources.reading.parquet import is_parquet, refuse_parquet_bomb
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.separators import utf16_of
from warehouse.sources.reading.sheets import is_workbook
from warehouse.sources.reading.stata import FAULTS
from warehouse.sources.reading.stata_header import START, stata_header, stata_release

PIECE = 1024 * 1024
LARGEST_TEXT = 64 * PIECE  # of so many lines as are asked for
MAP_PARTS, SHIFTED_PARTS = 14, range(10, 14)  # of the list of parts of a Stata file since 117


def excerpt(raw: RawFile, folder: Path, rows_n: int, whole_bytes: int) -> tuple[RawFile, str]:
    """A file of at most `whole_bytes` as it is, a larger one's first rows; and what was taken, in
    words ("" for the whole).

    Raises
    ------
    SourceError : a Parquet file that unpacks to too much.
    """
    size = raw.path.stat().st_size
    if size <= whole_bytes or is_workbook(raw) or _is_json(raw):
        return raw, ""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / raw.path.name
    if stata_release(raw) is not None:
        taken = _cut_stata(raw, target, rows_n)
    elif is_parquet(raw):
        taken = _cut_parquet(raw, target, rows_n)
    else:
        taken = _cut_text(raw, target, rows_n)
    if not taken:
        return raw, ""
    return RawFile(target, raw.fingerprint, raw.options, raw.name), taken


def _is_json(raw: RawFile) -> bool:
    return raw.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _cut_text(raw: RawFile, target: Path, rows_n: int) -> str:
    """The first lines; nothing is taken of a text whose lines are too long to be one's."""
    wide = utf16_of(raw)
    end = {"utf-16-le": b"\n\x00", "utf-16-be": b"\x00\n"}.get(wide, b"\n")
    lines_n = written = 0
    with raw.path.open("rb") as source, target.open("wb") as sink:
        while lines_n <= rows_n and written < LARGEST_TEXT:
            piece = source.read(PIECE)
            at = 0
            while lines_n <= rows_n and (found := piece.find(end, at)) >= 0:
                at = found + len(end)
                lines_n += 1
            is_last = lines_n > rows_n or len(piece) < PIECE
            sink.write(piece[:at] if is_last else piece)
            written += len(piece)
            if is_last:
                break
        else:
            return ""
    return f"its first {lines_n - 1:,} rows"


def _cut_parquet(raw: RawFile, target: Path, rows_n: int) -> str:
    refuse_parquet_bomb(raw)
    try:
        with pyarrow.parquet.ParquetFile(raw.path) as file:
            if file.metadata.num_rows <= rows_n:
                return ""
            batch = next(file.iter_batches(rows_n))
            pyarrow.parquet.write_table(pa.Table.from_batches([batch]), target)
    except (pa.ArrowException, OSError, ValueError, StopIteration):
        return ""  # the reader of the whole says what is wrong with it
    return f"its first {batch.num_rows:,} rows"


def _cut_stata(raw: RawFile, target: Path, rows_n: int) -> str:
    try:
        header = stata_header(raw)
        data_at = _rows_at(raw) if header.rows_at is None else header.rows_at
    except (SourceError, *FAULTS):
        return ""  # the reader of the whole says what is wrong with it
    if header.rows_n <= rows_n:
        return ""
    dropped = (header.rows_n - rows_n) * header.row_bytes
    with raw.path.open("rb") as source, target.open("wb") as sink:
        sink.write(_front(source.read(data_at), rows_n, dropped))
        _copy(source, sink, rows_n * header.row_bytes)
        source.seek(data_at + header.rows_n * header.row_bytes)
        shutil.copyfileobj(source, sink, PIECE)
    return f"its first {rows_n:,} rows"


def _rows_at(raw: RawFile) -> int:
    """Where the rows of a file of a format before 117 begin, which pandas finds and keeps under a
    name of its own.
    """
    with pd.read_stata(raw.path, iterator=True, compression=None) as reader:
        reader.variable_labels()  # which makes it read the head
        return int(vars(reader)["_data_location"])


def _front(head: bytes, rows_n: int, dropped: int) -> bytes:
    """What stands before a Stata file's rows, with the number of rows and the places of what
    follows them put right.
    """
    found = START.match(head)
    if found is None:
        order = ">" if head[1] == 1 else "<"
        return head[:6] + struct.pack(f"{order}I", rows_n) + head[10:]
    order = ">" if found[2] == b"MSF" else "<"
    kind = "I" if len(found[4]) == 4 else "Q"
    head = head[: found.start(4)] + struct.pack(order + kind, rows_n) + head[found.end(4) :]
    at = re.search(rb"<map>", head)
    assert at is not None
    places = list(struct.unpack_from(f"{order}{MAP_PARTS}q", head, at.end()))
    for part in SHIFTED_PARTS:
        places[part] -= dropped
    packed = struct.pack(f"{order}{MAP_PARTS}q", *places)
    return head[: at.end()] + packed + head[at.end() + len(packed) :]


def _copy(source: IO[bytes], sink: IO[bytes], count: int) -> None:
    while count > 0:
        piece = source.read(min(PIECE, count))
        if not piece:
            return
        sink.write(piece)
        count -= len(piece)
