"""What every source shares: layouts that recognise a file and read it into a delivery, and what
became of its rows and columns.

A source is a module with `SOURCE = Source(name, citation..., layouts=(...))`. A layout says whether
a file is its own by looking inside it, and reads it into a `Delivery`. Nothing here knows which
sources exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import closure
from warehouse.database import connect, shared
from warehouse.lake.loads import (
    ColumnFate,
    sql_text,
)
from warehouse.lake.schema import SET_ASIDE, Tables, as_select, stored
from warehouse.sources.reading import sheets
from warehouse.sources.reading.parts import Spread
from warehouse.sources.reading.rawfile import RawFile as RawFile

FEW_ROWS = 10_000
LOADING = "warehouse.sources.reading.loading"  # what every layout is read by
UNKNOWN_HEAD = "nothing that is read is known by this head"
NO_HEAD = "it has no head"
LONGEST_HEAD = 200  # characters; a head is printed
MOST_COLUMNS = 5_000  # named of one file: a hostile one may have any number


@dataclass
class Delivery:
    """Collects what a layout reads from one file and writes it as the load's Parquet files.

    `read_n` counts what the file holds, in rows of the lake table it feeds (cells, for a wide sheet
    that becomes a long table; blank cells are not counted). A layout states it independently of
    what it accepts.
    """

    raw: RawFile
    load_id: str
    folder: Path
    source_tables: Tables
    layout: str = ""
    read_n: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    set_aside: Counter[str] = field(default_factory=Counter)
    first_year: int | None = None
    last_year: int | None = None
    # an archive's member: few rows wait for those of the others, and are written with them
    gathers: bool = False
    gathered: dict[str, pd.DataFrame] = field(default_factory=dict)
    # who reads the parts of a large file; None where it is read as a whole
    spread: Spread | None = None
    columns: dict[tuple[str, str], ColumnFate] = field(default_factory=dict)  # by sheet and head
    # head and indicator -> from its unit to the base unit, for layouts that find units in heads
    factors: dict[tuple[str, str], float] = field(default_factory=dict)
    _aside_frames: list[pd.DataFrame] = field(default_factory=list)

    def column(
        self, sheet: str, head: str, taken_as: str | None = None, reason: str | None = None
    ) -> None:
        """Say what became of one column: which column of the lake, or indicator, it fills, or else
        why it is not read.

        `reason` of a column that is read says what was done to it. Said again of the same sheet and
        head, what is read prevails. `sheet` is empty for a file without sheets.
        """
        key = sheet, _fit_to_print(head)
        known = self.columns.get(key)
        if known is None and len(self.columns) >= MOST_COLUMNS:
            key, taken_as, reason = (
                ("", "(more columns)"),
                None,
                f"only the first {MOST_COLUMNS:,} of a file are named",
            )
        if known is None or known.indicator is None or (taken_as is not None and reason):
            self.columns[key] = ColumnFate(
                self.raw.name,
                *key,
                taken_as,
                reason or ("" if taken_as is not None else UNKNOWN_HEAD),
            )

    def heads(
        self,
        sheet: str,
        heads: Sequence[str],
        taken: Mapping[int, str],
        reasons: Mapping[int, str] | None = None,
    ) -> None:
        """Say it of a whole row of heads.

        Parameters
        ----------
        taken : position of a head -> the column of the lake, or indicator, that it fills
        reasons : position -> why a column is not read, where there is more to say than that nobody
            knows its head
        """
        last = max((at for at, head in enumerate(heads) if str(head).strip()), default=-1)
        hidden = {(part.sheet, part.column) for part in self._hidden()}
        said: set[str] = set()
        for at, head in enumerate(heads[: last + 1]):
            is_named = bool(str(head).strip())
            if not is_named and (sheet, at + 1) in hidden:
                continue
            name = str(head) if is_named else f"(column {at + 1})"
            name = f"{name} (again, in column {at + 1})" if name in said else name
            said.add(name)
            self.column(
                sheet, name, taken.get(at), (reasons or {}).get(at, None if is_named else NO_HEAD)
            )

    def accept(self, table: str, frame: pd.DataFrame) -> None:
        """Write good rows: the table's columns and `line` (1-based, as in the file); missing
        columns become null.
        """
        if self.gathers and len(frame) <= FEW_ROWS and table not in self.tables:
            self._gather(table, frame)
            return
        connection = shared().cursor()
        try:
            connection.register("delivered", frame)
            self.accept_query(connection, table, "select * from delivered", set(frame.columns))
        finally:
            connection.close()

    def _gather(self, table: str, frame: pd.DataFrame) -> None:
        self._refuse_unknown(table, set(frame.columns))
        self.gathered[table] = frame.assign(file_id=self.raw.file_id, load_id=self.load_id)
        self.tables[table] = len(frame)
        if len(frame) and "year" in frame.columns:
            self._note_years(int(frame["year"].min()), int(frame["year"].max()))

    def _hidden(self) -> list[sheets.Hidden]:
        return sheets.hidden_parts(self.raw) if sheets.is_workbook(self.raw) else []

    def _name_unread_sheets(self) -> None:
        """A sheet of which nothing was said is one whose heads the layout does not know."""
        if self.columns and sheets.is_workbook(self.raw):
            said = {sheet for sheet, _ in self.columns}
            for name, rows in sheets.read_workbook(self.raw).items():
                if name not in said and any(cell != "" for row in rows for cell in row):
                    self.column(
                        name, sheets.WHOLE_SHEET, reason="it has no heads that the layout knows"
                    )

    def _refuse_unknown(self, table: str, has: set[str]) -> None:
        unknown = has - set(stored(self.source_tables[table]))
        if unknown:
            raise ValueError(f"{table} has no column {sorted(unknown)}")

    def _note_years(self, first: int, last: int) -> None:
        self.first_year = first if self.first_year is None else min(self.first_year, first)
        self.last_year = last if self.last_year is None else max(self.last_year, last)

    def accept_query(
        self, connection: duckdb.DuckDBPyConnection, table: str, query: str, has: set[str]
    ) -> None:
        """Write good rows straight from a query with the columns `has`, in the order that the query
        gives.
        """
        self._refuse_unknown(table, has)
        kept = stored(self.source_tables[table])
        columns = as_select(
            kept,
            {
                **dict.fromkeys(set(kept) - has, "null"),
                "file_id": f"'{self.raw.file_id}'",
                "load_id": f"'{self.load_id}'",
            },
        )
        file = self.folder / f"{table}.parquet"
        if file.exists() or table in self.gathered:
            raise ValueError(f"{table} is delivered twice by {self.raw.name}")
        connection.execute(
            f"copy (select {columns} from ({query})) to {sql_text(file)} (format parquet,"
            " compression zstd)"
        )
        years = "min(year), max(year)" if "year" in kept else "null, null"
        row = connection.execute(
            f"select count(*), {years} from read_parquet({sql_text(file)})"
        ).fetchone()
        assert row is not None
        count, first, last = row
        self.tables[table] = count
        if first is not None:
            self._note_years(first, last)

    def put_aside(self, table: str, frame: pd.DataFrame) -> None:
        """Set bad rows aside: columns `line` and `reason`, if known `detail` (what stood there),
        `value_cents`, `year`.
        """
        if len(frame):
            rows = frame.assign(
                source=table.split("__")[0],
                table_name=table,
                file_id=self.raw.file_id,
                load_id=self.load_id,
            )
            self._aside_frames.append(rows.reindex(columns=list(SET_ASIDE)))
            self.set_aside.update(frame["reason"].astype(str).tolist())

    def count(self, parts: Sequence[Delivery]) -> None:
        """Count as this one's what the parts of its file gave; their files are joined already."""
        for part in parts:
            for table, rows_n in part.tables.items():
                self.tables[table] = self.tables.get(table, 0) + rows_n
            self.set_aside.update(part.set_aside)
            if part.first_year is not None and part.last_year is not None:
                self._note_years(part.first_year, part.last_year)

    def close(self) -> None:
        self._name_unread_sheets()
        for part in self._hidden():
            self.column(part.sheet, part.head, reason=part.reason)
        if not self._aside_frames:
            return
        rows = pd.concat(self._aside_frames, ignore_index=True).sort_values("line", kind="stable")
        rows["detail"] = rows["detail"].astype("string").str.slice(0, 200)
        columns = as_select(SET_ASIDE, {})
        with connect() as connection:
            connection.register("aside", rows)
            connection.execute(
                f"copy (select {columns} from aside) to"
                f" {sql_text(self.folder / 'set_aside.parquet')} (format parquet, compression zstd)"
            )
        self._aside_frames.clear()


def _fit_to_print(text: str) -> str:
    """A head on one line, without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:LONGEST_HEAD].strip()


@dataclass(frozen=True)
class Layout:
    """One way in which a publisher ships a source.

    recognise : looks at a file's content (never at its name alone) and says whether it has this
        layout
    read : reads the file into a `Delivery`; raises SourceError where the file cannot be read at all
    """

    name: str
    recognise: Callable[[RawFile], bool]
    read: Callable[[RawFile, Delivery], None]


@dataclass(frozen=True)
class Source:
    """One publisher's data: who publishes it, under which licence, which layouts are understood,
    and which lake tables they fill.
    """

    name: str
    title: str
    publisher: str
    citation: str
    licence: str
    layouts: tuple[Layout, ...]
    tables: Tables  # lake table -> its columns, without lineage
    reads_parquet: bool = (
        False  # its layouts read Parquet themselves; otherwise they are given it as csv
    )
    # its files are no tables; those of the others are given to their layouts as csv with commas
    reads_prose: bool = False

    @cached_property
    def reader_version(self) -> str:
        """Changes when code or a list that reads this source changes, wherever it stands: see
        `warehouse.closure`.
        """
        return closure.version_of(
            {
                LOADING,
                *(
                    function.__module__
                    for layout in self.layouts
                    for function in (layout.recognise, layout.read)
                ),
            }
        )
