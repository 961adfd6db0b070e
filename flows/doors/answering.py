"""The process that answers a reader's queries: one release, so much address space, and nothing else
to lose.

A query that takes more than it may, in whatever way, ends this process and no other. It is started
by `flows.doors.sql.Door`, gets a line of JSON a statement, and gives back frames: a letter, a
length, the bytes.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from flows.telling.printing import Sink, in_chunks, table, unique_names, write_csv, write_json
from warehouse.errors import CitytradeError
from warehouse.query.connection import estimates_file, open_release
from warehouse.query.statements import reading_statement

TEXT, BYTES, DONE, REFUSED, WANTED, BROKEN = b"T", b"B", b"D", b"R", b"M", b"E"
HEAD = struct.Struct("!cI")
CHUNK = 1 << 16
SLACK_BYTES = (
    256 << 20
    # what a query needs beside its data: stacks of threads, the code of a function that is first
    # used
)
# What is wrong with a statement. Any other error (a thread that could not be started, a failed
# assertion of the engine's) says something about this process.
MISTAKES = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError)
# Of these none is about memory: what one says of allocating, it quotes from the statement.
QUOTING = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ConversionException,
    duckdb.ParserException,
    duckdb.SyntaxException,
)
HELP = "`citytrade panels` lists the panels, `citytrade describe NAME` a panel's columns."
FILES = (
    "The statement reads a file or the network, "
    "and only the published release can be read here. Load raw files with `citytrade refresh`."
)


class Frames(io.TextIOBase):
    """Text written to a pipe in frames."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._held, self._size = pipe, list[str](), 0

    def write(self, text: str) -> int:
        self._held.append(text)
        self._size += len(text)
        if self._size >= CHUNK:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._held:
            self.frame(TEXT, "".join(self._held))
            self._held, self._size = [], 0

    def frame(self, kind: bytes, text: str) -> None:
        self.bytes_frame(kind, text.encode("utf-8", errors="replace"))

    def bytes_frame(self, kind: bytes, content: bytes) -> None:
        self._pipe.write(HEAD.pack(kind, len(content)) + content)
        self._pipe.flush()


def main() -> None:
    """Answer until the pipe is closed; the arguments are the release's folder and the bytes that
    its queries may take.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the one who asks decides
    folder, memory = Path(sys.argv[1]), int(sys.argv[2])
    frames = Frames(os.fdopen(os.dup(sys.stdout.fileno()), "wb"))
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        beside = estimates_file(folder.parent.parent, folder.name)
        limit = f"{max(memory // 1_000_000, 1)}MB"
        connection = open_release(folder, limit, estimates=beside)
    except CitytradeError as error:
        frames.frame(REFUSED, str(error))
        return
    _hold_memory(memory)
    frames.frame(DONE, "")
    for line in sys.stdin:
        _answer(connection, json.loads(line), frames)


def _hold_memory(memory: int) -> None:
    """Let this process's address space grow by what a query may take, and no further."""
    for line in (
        Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        if Path("/proc/self/status").is_file()
        else []
    ):
        if line.startswith("VmSize:"):
            size = int(line.split()[1]) * 1024 + memory + SLACK_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (size, size))


def _answer(connection: duckdb.DuckDBPyConnection, asked: dict[str, Any], frames: Frames) -> None:
    try:
        cursor = connection.execute(reading_statement(asked["statement"]))
        if asked["form"] == "parquet":
            _send_parquet(cursor, frames)
        else:
            print_rows(cursor, asked["form"], asked["limit"], frames)
        frames.flush()
        frames.frame(DONE, "")
    except (MemoryError, duckdb.OutOfMemoryException):
        frames.frame(WANTED, "")
    except duckdb.PermissionException:
        frames.frame(REFUSED, FILES)
    except duckdb.Error as error:
        told = str(error)
        if not isinstance(error, QUOTING) and ("bad_alloc" in told or "allocate" in told):
            frames.frame(WANTED, "")
        else:
            frames.frame(REFUSED if isinstance(error, MISTAKES) else BROKEN, f"{told}\n{HELP}")
    except (CitytradeError, ValueError, OverflowError) as error:  # Python has no year 294247
        frames.frame(REFUSED, str(error))


def _send_parquet(cursor: duckdb.DuckDBPyConnection, frames: Frames) -> None:
    """A query's rows as one Parquet file, a batch in memory at a time; the second column of one
    name a becomes a_1.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, content: Any) -> int:
            frames.bytes_frame(BYTES, bytes(content))
            return len(content)

    batches = cursor.to_arrow_reader(100_000)
    schema = pa.schema(
        [
            field.with_name(name)
            for field, name in zip(batches.schema, unique_names(batches.schema.names), strict=True)
        ]
    )
    with (
        io.BufferedWriter(Pipe(), CHUNK) as sink,
        pq.ParquetWriter(sink, schema, compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


def print_rows(cursor: duckdb.DuckDBPyConnection, form: str, limit: int, out: Sink) -> None:
    """Write a query's rows as table (at most `limit`), csv or json."""
    names = [column[0] for column in cursor.description or []]
    if form == "csv":
        write_csv(names, in_chunks(cursor), out)
    elif form == "json":
        write_json(names, in_chunks(cursor), out)
    else:
        rows = cursor.fetchmany(limit)
        more = sum(1 for _ in in_chunks(cursor))
        if names == ["explain_key", "explain_value"]:
            out.write("\n".join(str(row[1]) for row in rows) + "\n")
            return
        out.write(table(names, rows) + "\n")
        if more:
            out.write(
                f"{more:,} more rows of {more + len(rows):,}; --format csv or json gives all,"
                " --limit N more.\n"
            )
