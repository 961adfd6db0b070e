"""Customs records in files that are tables already: Stata, Parquet, workbooks. Each comes in
pieces, and becomes text column by column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from warehouse.dictionary.places import clean_name
from warehouse.errors import SourceError
from warehouse.sources.customs.layouts import layout_of
from warehouse.sources.reading.base import RawFile
from warehouse.sources.reading.parquet import is_parquet, refuse_parquet_bomb
from warehouse.sources.reading.sheets import Rows, is_workbook, read_workbook
from warehouse.sources.reading.stata import stata_labels, stata_pieces
from warehouse.sources.reading.stata_header import stata_release
from warehouse.sources.reading.text import BLANKS

CHUNK_ROWS = 100_000
HEAD_WITHIN = 10
Piece = tuple[
    pd.DataFrame, "pd.Series[int]"
]  # columns by head, and each row's line as a person counts


def is_table(raw: RawFile) -> bool:
    return is_stata(raw) or is_parquet(raw) or is_workbook(raw)


def is_stata(raw: RawFile) -> bool:
    return stata_release(raw) is not None


def table_heads(raw: RawFile) -> list[str]:
    """Column heads of a Stata or Parquet file, or of a workbook's first sheet of records."""
    if is_stata(raw):
        return [clean_head(name) for name in stata_labels(raw)]
    if is_parquet(raw):
        return [clean_head(name) for name in _parquet_names(raw)]
    return next((heads for _, heads, _, _ in _record_sheets(raw)), [])


def record_sheets(raw: RawFile) -> list[str]:
    """Names of a workbook's sheets of records; of another kind of file one that is empty."""
    return [name for name, *_ in _record_sheets(raw)] if is_workbook(raw) else [""]


def clean_head(head: str) -> str:
    """A head without blanks around it; those inside a Chinese one go too."""
    return head.strip() if head.isascii() else clean_name(head)


def pieces(raw: RawFile) -> Iterator[Piece]:
    """The rows of a file, in order.

    Raises
    ------
    SourceError : a file that is cut off, or not what its first bytes say.
    """
    if is_stata(raw):
        return _stata_pieces(raw)
    return _parquet_pieces(raw) if is_parquet(raw) else _workbook_pieces(raw)


def _stata_pieces(raw: RawFile) -> Iterator[Piece]:
    start = 0
    for piece in stata_pieces(raw, CHUNK_ROWS):
        piece.columns = pd.Index([clean_head(str(name)) for name in piece.columns])
        yield piece, _lines(start, len(piece))
        start += len(piece)


def _lines(start: int, count: int) -> pd.Series[int]:
    return pd.Series(range(start + 1, start + count + 1), dtype="int64")


def _parquet(raw: RawFile) -> pyarrow.parquet.ParquetFile:
    try:
        return pyarrow.parquet.ParquetFile(raw.path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(
            raw.name, "", f"cannot be read as a Parquet file ({error})", "Fetch the file again"
        ) from error


def _parquet_names(raw: RawFile) -> list[str]:
    """A damaged name is found out only when it is asked for."""
    try:
        return list(_parquet(raw).schema_arrow.names)
    except (pa.ArrowException, ValueError) as error:
        raise SourceError(
            raw.name, "", f"cannot be read as a Parquet file ({error})", "Fetch the file again"
        ) from error


def _parquet_pieces(raw: RawFile) -> Iterator[Piece]:
    start = 0
    try:
        refuse_parquet_bomb(raw)
        for batch in _parquet(raw).iter_batches(CHUNK_ROWS):
            batch.validate(
                full=True
            )  # text that is not UTF-8 is found out only when it is looked at
            frame = batch.to_pandas()
            frame.columns = pd.Index([clean_head(str(name)) for name in frame.columns])
            yield frame, _lines(start, len(frame))
            start += len(frame)
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise SourceError(
            raw.name, "", f"cannot be read as a Parquet file ({error})", "Fetch the file again"
        ) from error


def _record_sheets(raw: RawFile) -> Iterator[tuple[str, list[str], int, Rows]]:
    """The name, the heads, the row that they stand in (from 0) and all rows of each sheet that has
    a customs layout.
    """
    for name, rows in read_workbook(raw).items():
        for at, row in enumerate(rows[:HEAD_WITHIN]):
            heads = [clean_head(str(cell)) for cell in row]
            if layout_of(tuple(heads)) is not None:
                yield name, heads, at, rows
                break


def _workbook_pieces(raw: RawFile) -> Iterator[Piece]:
    """Sheets one after the other: a second sheet's lines go on counting where the first
    one's end.
    """
    before, first = 0, None
    for _, heads, at, rows in _record_sheets(raw):
        if first is not None and heads != first:
            raise SourceError(
                raw.name,
                "",
                "has sheets with different columns",
                "Save each sheet as a workbook of its own",
            )
        first = heads
        filled = [
            (number, row)
            for number, row in enumerate(rows[at + 1 :], start=before + at + 2)
            if any(cell != "" for cell in row)
        ]
        frame = pd.DataFrame(
            [[None if cell == "" else cell for cell in row] for _, row in filled],
            columns=heads,
            dtype=object,
        )
        yield frame, pd.Series([number for number, _ in filled], dtype="int64")
        before += len(rows)


def as_text(column: pd.Series, width: int, pads_text: bool) -> pa.Array:
    """A column as text, each distinct value converted once: a number without .0 or exponent.

    A number with one figure less than `width` (0: any) gets back its leading zero, and so does text
    if `pads_text`.
    """
    codes, values = pd.factorize(column)
    texts = []
    for value in values.tolist():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        text = _number_text(float(value)) if is_number else str(value).strip(BLANKS)
        texts.append("0" + text if len(text) == width - 1 and (is_number or pads_text) else text)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, mask=codes < 0), pa.array(texts, pa.string())
    ).cast(pa.string())


def _number_text(number: float) -> str:
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.4f}" if abs(number) < 1e15 else repr(number)


def path_key(raw: RawFile) -> tuple[Path, str, str]:
    """What tells one raw file from another, for remembering what was found in it."""
    return raw.path, raw.fingerprint, raw.label
