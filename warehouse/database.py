"""DuckDB as a refresh opens it: within the configuration's limit of memory, and with what goes over
it in a folder that goes with the refresh.

The limit stands in the environment while it holds, and so holds in the processes that are started
meanwhile: readers, and dbt, whose profile names it. A database in a file spills beside that file,
which a refresh keeps in the unpublished build.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb

from warehouse.settings.memory import BYTES, bytes_of

MEMORY, SPILL = "CITYTRADE_MEMORY", "CITYTRADE_SPILL"


@contextmanager
def limited(memory: str | None, spill: Path) -> Iterator[None]:
    """Hold every database that is opened meanwhile to a limit of memory.

    Parameters
    ----------
    memory : what each may take, such as 2000MB; None for DuckDB's own limit
    spill : the folder of what goes over it; made, and removed in the end
    """
    former = {name: os.environ.get(name) for name in (MEMORY, SPILL)}
    spill.mkdir(parents=True, exist_ok=True)
    _set({MEMORY: memory, SPILL: str(spill)})
    try:
        yield
    finally:
        _set(former)
        shutil.rmtree(spill, ignore_errors=True)


def share(processes_n: int) -> None:
    """Leave this process its part of the limit, where others work beside it under the same."""
    memory = os.environ.get(MEMORY)
    if memory:
        _set({MEMORY: f"{max(bytes_of(memory) // BYTES['m'] // processes_n, 1)}MB"})


def settings() -> dict[str, str]:
    """The limit that is held, in DuckDB's words, for who must open a database by other means."""
    memory = os.environ.get(MEMORY)
    return {"memory_limit": memory} if memory else {}


def held() -> dict[str, str]:
    """The environment that holds the limit, for processes that do not inherit it."""
    return {name: os.environ[name] for name in (MEMORY, SPILL) if name in os.environ}


def connect(
    file: Path | None = None, *, read_only: bool = False, memory: str | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database; without a file, one that lives in memory.

    Parameters
    ----------
    memory : what this one may take, such as 256MB, where the limit that is held is not lower
    """
    connection = duckdb.connect(str(file) if file is not None else ":memory:", read_only=read_only)
    sizes = [size for size in (memory, os.environ.get(MEMORY)) if size]
    if sizes:
        connection.execute(f"set memory_limit = '{min(sizes, key=bytes_of)}'")
    if file is None:  # else it would spill into the working directory
        connection.execute("set temp_directory = ?", [str(spill_folder() / uuid.uuid4().hex)])
    return connection


def shared() -> duckdb.DuckDBPyConnection:
    """A database without tables, through which this process writes frames out: the same one while
    the same limit is held.
    """
    return _shared(os.environ.get(MEMORY), spill_folder())


@cache
def _shared(memory: str | None, spill: Path) -> duckdb.DuckDBPyConnection:
    return connect()


def spill_folder() -> Path:
    """Where databases without a file spill to, each into a folder of its own."""
    return Path(os.environ.get(SPILL) or tempfile.gettempdir())


def _set(wanted: dict[str, str | None]) -> None:
    for name, value in wanted.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
