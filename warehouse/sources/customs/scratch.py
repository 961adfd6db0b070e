"""Where the rows of one customs file lie while they are read: in files beside the load, which a
small database reads row group by row group.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from duckdb.func import ARROW

from warehouse.database import connect
from warehouse.lake.loads import sql_text

MEMORY = "256MB"  # for the tables of one file
THREADS = 1  # rows stay in order, and other files are read beside it


def scratch_database() -> duckdb.DuckDBPyConnection:
    """A database without tables: what is read lies in files, and none is kept in memory."""
    connection = connect(memory=MEMORY)
    connection.execute(f"set threads = {THREADS}")
    connection.execute("set enable_progress_bar = false")  # the refresh tells its own progress
    connection.execute("set enable_external_file_cache = false")
    return connection


def show(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], line: str = "line") -> int:
    """Make the view `raw` of the rows in these files, in order; returns how many there are.

    Parameters
    ----------
    line : SQL for a row's line in the file that is read
    """
    listed = ", ".join(map(sql_text, files))
    connection.execute(
        f"create view raw as select * replace ({line} as line) from read_parquet([{listed}])"
    )
    row = connection.execute(f"select count(*) from read_parquet([{listed}])").fetchone()
    assert row is not None
    return int(row[0])


def line_in_file(connection: duckdb.DuckDBPyConnection, broken: np.ndarray) -> str:
    """SQL for the line in the file of a good row, where good rows are counted from 2 without gaps
    and the lines of broken rows lie between them.
    """
    if not len(broken):
        return "line"
    before = broken - np.arange(len(broken))

    def shifted(lines: pa.ChunkedArray) -> pa.Array:
        counted = lines.to_numpy()
        return pa.array(counted + np.searchsorted(before, counted, side="right"))

    connection.create_function("shifted", shifted, ["bigint"], "bigint", type=ARROW)
    return "shifted(line)"
