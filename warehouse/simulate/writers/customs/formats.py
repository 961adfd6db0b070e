"""The kinds of files in which simulated customs records are written; each has bytes that depend on
its content alone.
"""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from warehouse.simulate.formats.stata import write_stata
from warehouse.simulate.formats.workbooks import write_workbook

Columns = dict[str, list[str]]  # head -> one text a record
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
NUMBERS = ("value", "quantity")
QUERY_VALUES = ("美元", "US dollar")


def _csv_text(columns: Columns, end: str, as_query: bool) -> str:
    sink = io.StringIO()
    writer = csv.writer(
        sink,
        lineterminator=f",{end}" if as_query else end,
        quoting=csv.QUOTE_ALL if as_query else csv.QUOTE_MINIMAL,
    )
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return sink.getvalue()


def write_lines(
    path: Path, columns: Columns, encoding: str, end: str, as_query: bool = False
) -> None:
    """A csv; as customs' online query gives it, every field is quoted, a comma ends each line,
    thousands have commas and `?` is missing.
    """
    if as_query:
        columns = {
            head: [_queried(head, text) for text in texts] for head, texts in columns.items()
        }
    path.write_bytes(_csv_text(columns, end, as_query).encode(encoding))


def _queried(head: str, text: str) -> str:
    if not text.strip():
        return "?"
    whole, point, rest = text.partition(".")
    if head in QUERY_VALUES and whole.removeprefix("-").isdigit():
        return f"{int(whole):,}{point}{rest}" if whole != "-0" else text
    return text


def write_zipped(path: Path, columns: Columns, encoding: str) -> None:
    """A csv in a zip, under a Chinese name in GBK without the flag that says so, as Chinese Windows
    packs it.
    """
    entry = zipfile.ZipInfo(
        f"海关数据{path.stem[-4:]}.csv".encode("gbk").decode("cp437"), date_time=FIXED_TIME
    )
    entry.compress_type = zipfile.ZIP_DEFLATED
    data = _csv_text(columns, "\r\n", as_query=False).encode(encoding)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(entry, data)
    # zipfile writes such a name in UTF-8 and flags it: put the bytes of the other encoding in its
    # place.
    name = entry.filename
    path.write_bytes(_renamed(path.read_bytes(), name.encode("utf-8"), name.encode("cp437")))


def _renamed(archive: bytes, old: bytes, new: bytes) -> bytes:
    """An archive of one member, with that member's name and its flag exchanged in both of its
    records.
    """
    start = archive.rindex(b"PK\x01\x02")
    end = archive.rindex(b"PK\x05\x06")
    local = (
        archive[:6]
        + b"\0\0"
        + archive[8:26]
        + len(new).to_bytes(2, "little")
        + archive[28:30]
        + new
        + archive[30 + len(old) : start]
    )
    entry = archive[start:end]
    central = (
        entry[:8]
        + b"\0\0"
        + entry[10:28]
        + len(new).to_bytes(2, "little")
        + entry[30:46]
        + new
        + entry[46 + len(old) :]
    )
    tail = (
        archive[end : end + 12]
        + len(central).to_bytes(4, "little")
        + len(local).to_bytes(4, "little")
        + archive[end + 20 :]
    )
    return local + central + tail


def write_parquet(path: Path, columns: Columns) -> None:
    """A Parquet file: values and quantities as numbers, everything else as text."""
    arrays = {
        head: pa.array([_number(text) for text in texts]) if head in NUMBERS else pa.array(texts)
        for head, texts in columns.items()
    }
    pyarrow.parquet.write_table(pa.table(arrays), path, compression="zstd")


def _number(text: str) -> float | None:
    """A number; no number where nothing stands there, and a negative one for words, which no reader
    may take for a number.
    """
    try:
        return float(text)
    except ValueError:
        return None if text in ("", "N/A", "—", "见附件") else -1.0


def write_stata_text(path: Path, columns: Columns) -> None:
    """A Stata file in which every column is text, numbers too."""
    octets = {
        head: np.array([text.encode("gb18030") for text in texts] or [b""])
        for head, texts in columns.items()
    }
    table = np.empty(
        len(next(iter(columns.values()))),
        dtype=[(head, f"S{max(1, values.dtype.itemsize)}") for head, values in octets.items()],
    )
    for head, values in octets.items():
        table[head] = values[: len(table)]
    write_stata(path, table, "SIMULATED customs records, not real")


def write_xlsx(path: Path, columns: Columns) -> None:
    rows = [list(columns), *(list(row) for row in zip(*columns.values(), strict=True))]
    write_workbook(path, {"Sheet1": rows})
