"""Several deliveries, of an archive's members or a file's parts, become the tables of one load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from warehouse.database import shared
from warehouse.lake.loads import sql_text
from warehouse.lake.schema import SET_ASIDE, Columns, Tables, as_select, stored
from warehouse.sources.reading.base import Delivery


def join(folder: Path, tables: Tables, deliveries: Sequence[Delivery]) -> None:
    """Make one Parquet file a table of the deliveries' rows, those read into files and those
    gathered, in the deliveries' order.
    """
    names = dict.fromkeys(
        file.name for delivery in deliveries for file in sorted(delivery.folder.glob("*.parquet"))
    )
    names |= dict.fromkeys(
        f"{table}.parquet" for delivery in deliveries for table in delivery.gathered
    )
    for name in names:
        table = name.removesuffix(".parquet")
        _join_table(
            table,
            SET_ASIDE if table == "set_aside" else stored(tables[table]),
            folder / name,
            deliveries,
        )


def _join_table(table: str, kept: Columns, target: Path, deliveries: Sequence[Delivery]) -> None:
    columns = as_select(kept, {})
    connection = shared().cursor()
    try:
        parts: list[str] = []
        waiting: list[pd.DataFrame] = []

        def write_waiting() -> None:
            if waiting:
                name = f"waiting_{len(parts)}"
                connection.register(
                    name, pd.concat(waiting, ignore_index=True).reindex(columns=list(kept))
                )
                parts.append(f"select {columns} from {name}")
                waiting.clear()

        done: set[Path] = set()  # members that wrote nothing share a folder with the next
        for delivery in deliveries:
            if table in delivery.gathered:
                waiting.append(delivery.gathered[table])
            elif (file := delivery.folder / target.name).exists() and file not in done:
                done.add(file)
                write_waiting()
                parts.append(f"select {columns} from read_parquet({sql_text(file)})")
        write_waiting()
        connection.execute(
            f"copy ({' union all '.join(parts)}) to {sql_text(target)} (format parquet, compression"
            " zstd)"
        )
    finally:
        connection.close()
