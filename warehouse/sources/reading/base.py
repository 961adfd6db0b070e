"""What every source shares: recognise a layout by content, read, set bad rows aside, count, and
write the load.

A source is a module with `SOURCE = Source(name, citation..., layouts=(...))`. A layout says whether
a file is its own by looking inside it, and reads it into a `Delivery`. Nothing here knows which
sources exist.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import closure
from warehouse.errors import SourceError
from warehouse.lake.loads import (
    ColumnFate,
    FilePart,
    LoadReport,
    begin_load,
    fingerprint,
    finish_load,
    finished_load,
    sql_text,
)
from warehouse.lake.schema import SET_ASIDE, Columns, Tables, as_select, stored
from warehouse.sources.reading import containers, separators, sheets
from warehouse.sources.reading.encodings import is_plain_path, shown_name
from warehouse.sources.reading.options import options_for
from warehouse.sources.reading.rawfile import RawFile as RawFile

FEW_ROWS = 10_000
UNKNOWN_HEAD = "nothing that is read is known by this head"
NO_HEAD = "it has no head"
LONGEST_HEAD = 200  # characters; a head is printed
MOST_COLUMNS = 5_000  # named of one file: a hostile one may have any number


@cache
def _memory() -> duckdb.DuckDBPyConnection:
    """A database without tables, through which frames are written out."""
    return duckdb.connect()


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
    columns: dict[tuple[str, str], ColumnFate] = field(default_factory=dict)  # by sheet and head
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
        connection = _memory().cursor()
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

    def close(self) -> None:
        self._name_unread_sheets()
        for part in self._hidden():
            self.column(part.sheet, part.head, reason=part.reason)
        if not self._aside_frames:
            return
        rows = pd.concat(self._aside_frames, ignore_index=True).sort_values("line", kind="stable")
        rows["detail"] = rows["detail"].astype("string").str.slice(0, 200)
        columns = as_select(SET_ASIDE, {})
        with duckdb.connect() as connection:
            connection.register("aside", rows)
            connection.execute(
                f"copy (select {columns} from aside) to"
                f" {sql_text(self.folder / 'set_aside.parquet')} (format parquet, compression zstd)"
            )


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
                function.__module__
                for layout in self.layouts
                for function in (layout.recognise, layout.read)
            }
        )


def load_file(
    source: Source, path: Path, lake: Path, options: Mapping[str, str] | None = None
) -> tuple[LoadReport, bool]:
    """Read one raw file into the lake, unless the lake holds that very load; returns the report and
    whether it was read now.

    Raises
    ------
    SourceError : a file of no known layout, one that cannot be read, or one whose rows do not add
        up.
    """
    options = options_for(path, options or {})
    name = shown_name(path)
    try:
        raw = RawFile(path, fingerprint(path), options, "" if name == path.name else name)
    except OSError as error:
        raise SourceError(
            name,
            "",
            f"cannot be opened ({error.strerror})",
            "Check that the file exists and may be read",
        ) from error
    key = "|".join(
        [source.name, raw.fingerprint, name, source.reader_version, repr(sorted(options.items()))]
    )
    load_id = hashlib.sha256(key.encode()).hexdigest()[:12]
    known = finished_load(lake, source.name, load_id)
    if known is not None:
        return known, False
    folder = begin_load(lake, source.name, load_id)
    try:
        if not is_plain_path(path):
            raw = _linked(raw, folder / "named")
        report = _read_into(folder, source, raw, load_id)
        shutil.rmtree(folder / "named", ignore_errors=True)
        finish_load(lake, report, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # gone already when the load is finished
    return report, True


def _linked(raw: RawFile, folder: Path) -> RawFile:
    """The file under a name that every library can be told, by a link that lasts as long as it is
    read.
    """
    folder.mkdir(parents=True)
    link = folder / containers.safe_name(raw.name)
    link.symlink_to(raw.path.absolute())
    return RawFile(link, raw.fingerprint, raw.options, raw.name)


def _read_into(folder: Path, source: Source, raw: RawFile, load_id: str) -> LoadReport:
    """Read a file, or every member of an archive, into the load's folder."""
    if containers.is_archive(raw):
        parts, deliveries = _read_members(folder, source, raw, load_id)
    else:
        parts, deliveries = [], [_read_file(folder, source, raw, load_id)]
    firsts, lasts = (
        [year for year in years if year is not None]
        for years in zip(*((d.first_year, d.last_year) for d in deliveries), strict=True)
    )
    report = LoadReport(
        source=source.name,
        load_id=load_id,
        file_name=raw.name,
        fingerprint=raw.fingerprint,
        bytes_n=raw.path.stat().st_size,
        layout=", ".join(dict.fromkeys(delivery.layout for delivery in deliveries)),
        read_n=sum(delivery.read_n for delivery in deliveries),
        accepted_n=sum(sum(delivery.tables.values()) for delivery in deliveries),
        set_aside=dict(
            sorted(sum((delivery.set_aside for delivery in deliveries), Counter[str]()).items())
        ),
        tables=dict(sorted(_tables_n(deliveries).items())),
        first_year=min(firsts, default=None),
        last_year=max(lasts, default=None),
        members=[asdict(part) for part in parts],
        columns=[asdict(fate) for delivery in deliveries for fate in delivery.columns.values()],
    )
    if fingerprint(raw.path) != raw.fingerprint:
        raise SourceError(
            raw.name,
            "",
            "changed while it was read",
            "Wait until it is written, then refresh again",
        )
    return report


def _tables_n(deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Rows accepted by table; a table that got none is named too."""
    rows: dict[str, int] = {}
    for delivery in deliveries:
        for table, count in delivery.tables.items():
            rows[table] = rows.get(table, 0) + count
    return rows


def _read_file(
    folder: Path, source: Source, raw: RawFile, load_id: str, gathers: bool = False
) -> Delivery:
    """Read one file or member, and see that its rows add up."""
    delivery = Delivery(raw, load_id, folder, source.tables, gathers=gathers)
    try:
        if containers.is_parquet(raw) and not source.reads_parquet:
            delivery.raw = raw = containers.parquet_as_csv(raw, folder / "converted")
        elif not source.reads_prose:
            delivery.raw = raw = separators.as_plain_csv(raw, folder / "converted")
        layout = recognise(source, raw)
        delivery.layout = layout.name
        layout.read(raw, delivery)
    finally:
        shutil.rmtree(folder / "converted", ignore_errors=True)
    delivery.close()
    accepted, aside = sum(delivery.tables.values()), sum(delivery.set_aside.values())
    if delivery.read_n != accepted + aside:
        raise SourceError(
            raw.name, "",
            f"{delivery.read_n} rows read, but {accepted} accepted and {aside} set aside",
            "This is a fault of the reader: please report it with the file's first lines",
        )  # fmt: skip
    return delivery


def _read_members(
    folder: Path, source: Source, raw: RawFile, load_id: str
) -> tuple[list[FilePart], list[Delivery]]:
    """Read an archive's members one after the other, and join what they gave; a document that no
    layout knows is left unread.
    """
    parts: list[FilePart] = []
    deliveries: list[Delivery] = []
    found = containers.members(raw)
    used = 0
    for member, inner in containers.unpacked(raw, found, folder / "members"):
        size = inner.path.stat().st_size
        if member.is_document and not any(layout.recognise(inner) for layout in source.layouts):
            parts.append(FilePart(inner.name, inner.fingerprint, size, ""))
            continue
        twin = next((part.name for part in parts if part.fingerprint == inner.fingerprint), None)
        if twin is not None:
            raise SourceError(
                inner.name,
                "",
                f"holds the same bytes as {twin}",
                "Keep one of the two in the archive",
            )
        place = folder / "parts" / f"{used:04d}"
        place.mkdir(parents=True, exist_ok=True)
        delivery = _read_file(place, source, inner, load_id, gathers=True)
        used += any(place.iterdir())  # a member that wrote nothing leaves its folder to the next
        deliveries.append(delivery)
        parts.append(FilePart(inner.name, inner.fingerprint, size, delivery.layout))
    if not deliveries:
        raise SourceError(
            raw.name,
            "",
            "holds documents and no data file",
            "Check that the right archive is named",
        )
    _join(folder, source.tables, deliveries)
    shutil.rmtree(folder / "members", ignore_errors=True)
    shutil.rmtree(folder / "parts", ignore_errors=True)
    return parts, deliveries


def _join(folder: Path, tables: Tables, deliveries: Sequence[Delivery]) -> None:
    """Make one Parquet file a table of the members' rows, those read into files and those gathered,
    in the members' order.
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
    connection = _memory().cursor()
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


def recognise(source: Source, raw: RawFile) -> Layout:
    """The one layout whose marks a file's content shows.

    Raises
    ------
    SourceError : an empty file, or one that shows no known layout's marks.
    """
    if not raw.head:
        raise SourceError(raw.name, "", "is empty", "Fetch the file again from its publisher")
    containers.refuse_foreign(raw)
    for layout in source.layouts:
        if layout.recognise(raw):
            return layout
    known = ", ".join(layout.name for layout in source.layouts)
    raise SourceError(
        raw.name,
        "line 1",
        f"shows none of the layouts known for {source.name} ({known})",
        "Compare its header with the layouts in README.md, or take it out of the configuration",
    )
