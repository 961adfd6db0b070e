"""Stata files: what their header says is held against the file before anything is read, and every
fault becomes one sentence.

A value is given as a person sees it in Stata: a label's text stands for its code, and a number with
a date's display format is that date. Text is put right where its encoding is unknown (see
`stata_text`). Codes stored as float are for the readers to refuse with `refuse_rounded`.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.errors import SourceError
from warehouse.sources.reading.rawfile import RawFile
from warehouse.sources.reading.stata_header import (
    FILLING,
    FIRST_UTF8_RELEASE,
    STRL,
    StataHeader,
    damaged,
    stata_header,
    stata_release,
)
from warehouse.sources.reading.stata_text import Repair
from warehouse.sources.reading.stata_values import as_dates, is_date_format, with_labels

EXACT_IN_FLOAT = 2**24
LONGEST_TEXT = 100_000  # characters of a long string, which many rows may share
# What pandas raises on a file that is cut off or makes no sense.
FAULTS = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    StopIteration,
    struct.error,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class _Described:
    """What a file says of its variables, in their order; `labels` by the name of a set of labels,
    as it stands in the file.
    """

    names: list[str]
    texts: list[str]
    formats: list[str]
    label_sets: list[str]
    labels: dict[str, dict[int, str]]


def stata_labels(raw: RawFile) -> dict[str, str]:
    """Names of the variables and their labels, in the file's order.

    Raises
    ------
    SourceError : as `stata_pieces` raises it.
    """
    found, _ = _described(raw, stata_header(raw))
    return dict(zip(found.names, found.texts, strict=True))


def stata_frame(raw: RawFile) -> pd.DataFrame:
    """The whole file at once.

    Raises
    ------
    SourceError : as `stata_pieces` raises it.
    """
    header = stata_header(raw)
    found, repair = _described(raw, header)
    with _told(raw, repair):
        frame = pd.read_stata(
            raw.path, convert_categoricals=False, convert_dates=False, compression=None
        )
    return _as_seen(raw, header, found, repair, frame)


def stata_pieces(raw: RawFile, rows_n: int) -> Iterator[pd.DataFrame]:
    """The file in pieces of so many rows.

    Raises
    ------
    SourceError : a file that is cut off, goes on after its end or is damaged, claims more rows or
        variables than it can hold, or has
        text in an encoding that is neither UTF-8 nor GB18030 nor Latin-1.
    """
    header = stata_header(raw)
    found, repair = _described(raw, header)
    with _told(raw):
        reader = pd.read_stata(
            raw.path,
            chunksize=rows_n,
            convert_categoricals=False,
            convert_dates=False,
            compression=None,
        )
    with reader:
        while True:
            with _told(raw, repair):
                piece = next(reader, None)
            if piece is None:
                return
            yield _as_seen(raw, header, found, repair, piece)


def refuse_rounded(raw: RawFile, head: str, column: pd.Series) -> None:
    """
    Raises
    ------
    SourceError : codes that stand in a column of floats, which keep 24 bits, and are too large for
        that.
    """
    if column.dtype == np.float32 and (column.abs() >= EXACT_IN_FLOAT).any():
        problem = (
            f"holds codes as float, of which numbers above {EXACT_IN_FLOAT:,} were rounded when"
            " they were stored; nobody can restore them"
        )
        raise SourceError(
            raw.name,
            f"column {head}",
            problem,
            "Take the codes from the file as it was before, as text, long or double",
        )


def _described(raw: RawFile, header: StataHeader) -> tuple[_Described, Repair]:
    """Names, labels and formats of the variables; the text of names and labels is put right by one
    decision for all of them.
    """
    repair = Repair(raw.name, is_old=(stata_release(raw) or 0) < FIRST_UTF8_RELEASE)
    with (
        _told(raw, repair),
        pd.read_stata(
            raw.path, iterator=True, convert_categoricals=False, compression=None
        ) as reader,
    ):
        variables = dict(reader.variable_labels())
        # pandas keeps what it has read of these under names of its own; `value_labels` alone does
        # not say which variable has which set
        inside = vars(reader)
        formats, label_sets, data_at = (
            list(inside["_fmtlist"]),
            list(inside["_lbllist"]),
            int(inside["_data_location"]),
        )
        if header.rows_at is None:
            _refuse_more(
                raw, data_at + header.rows_n * header.row_bytes, has_labels=any(label_sets)
            )
        labels = {
            name: {int(code): text for code, text in found.items()}
            for name, found in reader.value_labels().items()
        }
    _refuse_undescribed(raw, header, variables, labels)
    texts = repair.texts("its names and labels", [*variables, *variables.values()])
    names, said = texts[: len(variables)], texts[len(variables) :]
    labels = {
        name: dict(
            zip(found, repair.texts(f"value label {name}", list(found.values())), strict=True)
        )
        for name, found in labels.items()
    }
    return _Described(names, said, formats, label_sets, labels), repair


def _refuse_undescribed(
    raw: RawFile,
    header: StataHeader,
    variables: dict[str, str],
    labels: dict[str, dict[int, str]],
) -> None:
    """A name given twice, or a label that no person wrote."""
    if len(variables) < len(header.types):
        raise SourceError(
            raw.name, "", "names a variable twice", "Rename or drop one of the two in Stata"
        )
    longest = max((len(text) for found in labels.values() for text in found.values()), default=0)
    if longest > LONGEST_TEXT:
        raise SourceError(
            raw.name,
            "",
            f"has a value label of over {LONGEST_TEXT:,} characters",
            "Shorten or drop it in Stata",
        )


def _as_seen(
    raw: RawFile, header: StataHeader, found: _Described, repair: Repair, frame: pd.DataFrame
) -> pd.DataFrame:
    """A piece as a person sees it in Stata: names and text put right, labels for codes, dates for
    the numbers that stand for them.
    """
    _refuse_long_text(raw, header, frame)
    for at, (kind, name) in enumerate(zip(found.formats, found.names, strict=True)):
        column = frame.iloc[:, at]
        if not pd.api.types.is_numeric_dtype(column):
            frame.isetitem(at, repair.column(name, column).array)
        elif labels := found.labels.get(found.label_sets[at]):
            frame.isetitem(at, with_labels(column, labels).array)
        elif is_date_format(kind):
            frame.isetitem(at, as_dates(column, kind).array)
    frame.columns = pd.Index(found.names)
    return frame


def _refuse_more(raw: RawFile, rows_end: int, has_labels: bool) -> None:
    """Refuse a file of a format before 117 in which anything but whole sets of value labels follows
    the last row that its head states.

    Its head then states fewer rows than it holds, or another file hangs on it; either would be
    passed over without a word.
    """
    size, order = raw.path.stat().st_size, ">" if raw.head[1] == 1 else "<"
    at, name_bytes = rows_end, 9 if raw.head[0] <= 108 else 33
    with raw.path.open("rb") as handle:
        while raw.head[0] >= 108 and at + 12 + name_bytes <= size:
            handle.seek(at)
            piece = handle.read(4 + name_bytes + 3 + 8)
            length, (count, text) = (
                struct.unpack_from(f"{order}i", piece)[0],
                struct.unpack_from(f"{order}ii", piece, 4 + name_bytes + 3),
            )
            if (
                count < 0
                or text < 0
                or length != 8 + 8 * count + text
                or at + 4 + name_bytes + 3 + length > size
            ):
                break
            at += 4 + name_bytes + 3 + length
        handle.seek(at)
        rest = handle.read(64)
    # sets of labels of formats before 108 have no length; a file of theirs that has none must end
    # with its rows
    if rest.strip(FILLING) and (raw.head[0] >= 108 or not has_labels):
        problem = f"it goes on for {size - at:,} bytes after the last row that its head states"
        raise damaged(raw, problem)


@contextmanager
def _told(raw: RawFile, repair: Repair | None = None) -> Iterator[None]:
    """Faults as one sentence, and no warning about text that is not UTF-8: what puts text right is
    told of it instead.
    """
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", UnicodeWarning)
            warnings.filterwarnings(
                "ignore", "invalid value encountered in cast", RuntimeWarning
            )  # a damaged missing value; it is judged as a number
            yield
        if repair is not None and any(
            issubclass(warning.category, UnicodeWarning) for warning in said
        ):
            repair.is_needed = True
    except FAULTS as error:
        raise damaged(raw, f"{error}") from error


def _refuse_long_text(raw: RawFile, header: StataHeader, frame: pd.DataFrame) -> None:
    """Long strings are stored once for all rows that share them; as columns of text they would be
    as many as there are rows.
    """
    for at, kind in enumerate(header.types):
        if (
            kind == STRL
            and max(
                (len(text) for text in frame.iloc[:, at].unique() if isinstance(text, str)),
                default=0,
            )
            > LONGEST_TEXT
        ):
            raise SourceError(
                raw.name,
                f"variable {frame.columns[at]}",
                f"holds a text of over {LONGEST_TEXT:,} characters",
                "Drop the variable in Stata",
            )
