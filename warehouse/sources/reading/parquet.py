"""Parquet files: their growth is counted before they are unpacked; most sources get them as csv."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from warehouse.database import connect
from warehouse.errors import SourceError
from warehouse.lake.loads import sql_text
from warehouse.sources.reading.containers import (
    GIB,
    MAX_RATIO,
    RATIO_COUNTS_FROM_BYTES,
    safe_name,
    shown,
)
from warehouse.sources.reading.rawfile import RawFile

PARQUET_MEMORY, PARQUET_ROWS = "2GB", 200_000
MAX_PARQUET_BYTES = 8 * GIB
PARQUET_MARK = b"PAR1"


def is_parquet(raw: RawFile) -> bool:
    return raw.head.startswith(PARQUET_MARK)


def refuse_parquet_bomb(raw: RawFile) -> None:
    """
    What a Parquet file says of its own size is not enough: a few bytes can stand for any number of
    rows of the same long text. Texts are counted as they are stored, each distinct one once, and
    counting stops at the limit.

    Raises
    ------
    SourceError : damage; columns that are no plain values; too many bytes as a table of text, by
        themselves or for the file's size.
    """
    try:
        with pyarrow.parquet.ParquetFile(raw.path) as file:
            schema, said = file.schema_arrow, file.metadata
            stated = sum(
                said.row_group(group).total_byte_size for group in range(said.num_row_groups)
            )
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise SourceError(
                raw.name,
                f"column {shown(nested[0])}",
                "holds lists or structures, which no table has",
                "Save the file with plain columns",
            )
        _refuse_growth(raw, max(stated, said.num_rows * len(schema)))
        texts = [field.name for field in schema if _is_text(field.type)]
        if texts:
            with pyarrow.parquet.ParquetFile(raw.path, read_dictionary=texts) as file:
                if _growth(
                    raw,
                    stated + sum(_most_text(file, group) for group in range(said.num_row_groups)),
                ):
                    counted = 0
                    for batch in file.iter_batches(PARQUET_ROWS):
                        counted += sum(_text_bytes(column) for column in batch.columns)
                        _refuse_growth(raw, counted)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise SourceError(
            raw.name, "", f"cannot be read as a Parquet file ({error})", "Fetch the file again"
        ) from error


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_binary,
            pa.types.is_large_binary,
        )
    )


def _most_text(file: pyarrow.parquet.ParquetFile, group: int) -> int:
    """As many bytes as a row group's texts can have at most: each as long as the longest in the
    list that all rows share.
    """
    first = next(file.iter_batches(1, row_groups=[group]), None)
    columns = (
        [
            column
            for column in first.columns
            if pa.types.is_dictionary(column.type) and _is_text(column.type)
        ]
        if first is not None
        else []
    )
    return (
        sum(pc.max(pc.binary_length(column.dictionary)).as_py() or 0 for column in columns)
        * file.metadata.row_group(group).num_rows
    )


def _text_bytes(column: pa.Array) -> int:
    if pa.types.is_dictionary(column.type) and _is_text(column.type):
        return int(
            pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0
        )
    return 0


def _refuse_growth(raw: RawFile, unpacked: int) -> None:
    if problem := _growth(raw, unpacked):
        raise SourceError(
            raw.name, "", problem, "Check where the file comes from; split it if it is genuine"
        )


def _growth(raw: RawFile, unpacked: int) -> str:
    """What is wrong with a file that becomes so many bytes; nothing, if so many are allowed."""
    packed = raw.path.stat().st_size
    if unpacked > MAX_PARQUET_BYTES:
        return f"unpacks to {unpacked:,} bytes, more than the {MAX_PARQUET_BYTES:,} allowed"
    if unpacked > RATIO_COUNTS_FROM_BYTES and unpacked > MAX_RATIO * packed:
        return (
            f"unpacks to {unpacked:,} bytes, {unpacked // packed:,} times its size; at most"
            f" {MAX_RATIO} times are allowed"
        )
    return ""


def parquet_as_csv(raw: RawFile, folder: Path) -> RawFile:
    """A Parquet file written out as UTF-8 csv, for sources whose layouts are tables of text; whole
    numbers lose their `.0`.

    Line n + 1 is row n of the Parquet file. Raises SourceError where it cannot be read, or unpacks
    to over 8 GiB.
    """
    refuse_parquet_bomb(raw)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{safe_name(raw.path.name).removesuffix(raw.path.suffix)}.csv"
    file = sql_text(raw.path)
    try:
        with connect(memory=PARQUET_MEMORY) as connection:
            connection.execute("set enable_progress_bar = false")
            kinds = connection.execute(f"describe select * from read_parquet({file})").fetchall()
            columns = ", ".join(_csv_column(str(name), str(kind)) for name, kind, *_ in kinds)
            connection.execute(
                f"copy (select {columns} from read_parquet({file})) to {sql_text(target)} (format"
                " csv, header true)"
            )
    except duckdb.Error as error:
        raise SourceError(
            raw.name,
            "",
            f"cannot be read as a Parquet file ({str(error).splitlines()[0]})",
            "Fetch the file again",
        ) from error
    return RawFile(target, raw.fingerprint, raw.options, raw.name)


def _csv_column(name: str, kind: str) -> str:
    quoted = _quoted(name)
    if kind in ("DOUBLE", "FLOAT"):
        return (
            f"case when {quoted} = trunc({quoted}) and abs({quoted}) < 1e15 then"
            f" {quoted}::bigint::varchar else {quoted}::varchar end as {quoted}"
        )
    return quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
