"""Files of one source that hold the same rows: read together they would count everything twice, and
nobody would notice.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from pathlib import Path

from warehouse.database import connect
from warehouse.errors import SourceError
from warehouse.lake.loads import LoadReport, load_folder, sql_text
from warehouse.lake.schema import LINEAGE


def refuse_duplicates(lake: Path, loads: Mapping[Path, LoadReport]) -> None:
    """Compare the loads of one source's files, by counts first and by rows only where the counts
    agree.

    Two files of the same bytes may differ in rows, where a file's name says what year or vintage it
    holds.

    Raises
    ------
    SourceError : two files hold the same bytes, or the same rows in other words; both are named.
    """
    alike: dict[tuple[object, ...], list[Path]] = {}
    for file, load in loads.items():
        alike.setdefault(
            (
                load.read_n,
                tuple(sorted(load.tables.items())),
                tuple(sorted(load.set_aside.items())),
            ),
            [],
        ).append(file)
    for files in alike.values():
        for first, second in itertools.combinations(files, 2):
            one, other = loads[first], loads[second]
            if one.load_id == other.load_id or (one.accepted_n and _same_rows(lake, one, other)):
                what = "bytes" if one.fingerprint == other.fingerprint else "rows"
                name, twin = _told_apart(first, second)
                raise SourceError(
                    twin,
                    "",
                    f"holds the same {what} as {name}",
                    "Name one of them in the configuration",
                )


def _same_rows(lake: Path, one: LoadReport, other: LoadReport) -> bool:
    """Whether each table has the same rows in both, whatever their order; their numbers of rows are
    known to agree.
    """
    with connect() as connection:
        for table in one.tables:
            first, second = (
                sql_text(load_folder(lake, load.source, load.load_id) / f"{table}.parquet")
                for load in (one, other)
            )
            rows = f"select * exclude ({', '.join(LINEAGE)}) from read_parquet"
            query = f"select 1 from ({rows}({first}) except all {rows}({second})) limit 1"
            if connection.execute(query).fetchone() is not None:
                return False
    return True


def _told_apart(first: Path, second: Path) -> tuple[str, str]:
    """Both files' names, with as many of their folders as it takes to tell them apart."""
    if first.name != second.name:
        return first.name, second.name
    common = os.path.commonpath([first.parent, second.parent])
    return os.path.relpath(first, common), os.path.relpath(second, common)
