"""What every source shares: recognise a layout by content, read, set bad rows aside, count, and write the load.

A source is a module with `SOURCE = Source(name, citation..., layouts=(...))`. A layout says whether a file is its
own by looking inside it, and reads it into a `Delivery`. Nothing here knows which sources exist.
"""

from __future__ import annotations

import hashlib
import inspect
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import places
from warehouse.errors import SourceError
from warehouse.lake import LoadReport, begin_load, fingerprint, finish_load, finished_load, sql_text, table_columns
from warehouse.tables import SET_ASIDE, TABLES

SAMPLE_BYTES = 65_536
SHARED = Path(__file__).parent
SHARED_MODULES = {"base", "text", "sheets", "small_csv", "setting_aside"}


@dataclass(frozen=True)
class RawFile:
    """A raw file as it lies in the user's folder, and a first look into it."""

    path: Path
    fingerprint: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        with self.path.open("rb") as handle:
            return handle.read(SAMPLE_BYTES)

    @property
    def file_id(self) -> str:
        return self.fingerprint[:12]


@dataclass
class Delivery:
    """Collects what a layout reads from one file and writes it as the load's Parquet files.

    `read_n` counts what the file holds, in rows of the lake table it feeds (cells, for a wide sheet that becomes a
    long table; blank cells are not counted). A layout states it independently of what it accepts.
    """

    raw: RawFile
    load_id: str
    folder: Path
    read_n: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    set_aside: Counter[str] = field(default_factory=Counter)
    first_year: int | None = None
    last_year: int | None = None
    _aside_frames: list[pd.DataFrame] = field(default_factory=list)

    def accept(self, table: str, frame: pd.DataFrame) -> None:
        """Write good rows: the table's columns and `line` (1-based, as in the file); missing columns become null."""
        connection = duckdb.connect()
        try:
            connection.register("delivered", frame)
            self.accept_query(connection, table, "select * from delivered", set(frame.columns))
        finally:
            connection.close()

    def accept_query(self, connection: duckdb.DuckDBPyConnection, table: str, query: str, has: set[str]) -> None:
        """Write good rows straight from a query with the columns `has`, in the order that the query gives."""
        unknown = has - set(table_columns(table))
        if unknown:
            raise ValueError(f"{table} has no column {sorted(unknown)}")
        given = {"file_id": f"'{self.raw.file_id}'", "load_id": f"'{self.load_id}'"}
        columns = ", ".join(f"{given.get(name, name if name in has else 'null')}::{kind} as {name}" for name, kind in table_columns(table).items())
        file = self.folder / f"{table}.parquet"
        if file.exists():
            raise ValueError(f"{table} is delivered twice by {self.raw.name}")
        connection.execute(f"copy (select {columns} from ({query})) to {sql_text(file)} (format parquet, compression zstd)")
        years = "min(year), max(year)" if "year" in table_columns(table) else "null, null"
        row = connection.execute(f"select count(*), {years} from read_parquet({sql_text(file)})").fetchone()
        assert row is not None
        count, first, last = row
        self.tables[table] = count
        if first is not None:
            self.first_year = first if self.first_year is None else min(self.first_year, first)
            self.last_year = last if self.last_year is None else max(self.last_year, last)

    def put_aside(self, table: str, frame: pd.DataFrame) -> None:
        """Set bad rows aside: columns `line` and `reason`, if known `detail` (what stood there), `value_cents`, `year`."""
        if len(frame):
            rows = frame.assign(source=table.split("__")[0], table_name=table, file_id=self.raw.file_id, load_id=self.load_id)
            self._aside_frames.append(rows.reindex(columns=list(SET_ASIDE)))
            self.set_aside.update(frame["reason"].astype(str).tolist())

    def close(self) -> None:
        if not self._aside_frames:
            return
        rows = pd.concat(self._aside_frames, ignore_index=True).sort_values("line", kind="stable")
        rows["detail"] = rows["detail"].astype("string").str.slice(0, 200)
        columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in SET_ASIDE.items())
        with duckdb.connect() as connection:
            connection.register("aside", rows)
            connection.execute(f"copy (select {columns} from aside) to {sql_text(self.folder / 'set_aside.parquet')} (format parquet, compression zstd)")


@dataclass(frozen=True)
class Layout:
    """One way in which a publisher ships a source.

    recognise : looks at a file's content (never at its name alone) and says whether it has this layout
    read : reads the file into a `Delivery`; raises SourceError where the file cannot be read at all
    """

    name: str
    recognise: Callable[[RawFile], bool]
    read: Callable[[RawFile, Delivery], None]


@dataclass(frozen=True)
class Source:
    """One publisher's data: who publishes it, under which licence, and the layouts that are understood."""

    name: str
    title: str
    publisher: str
    citation: str
    licence: str
    layouts: tuple[Layout, ...]

    @cached_property
    def reader_version(self) -> str:
        """Changes when the code or the lists that read this source, or the shape of the lake, change."""
        own = {Path(inspect.getfile(layout.read)) for layout in self.layouts}
        packages = {file.parent for file in own if file.parent != SHARED}
        files = own | {file for package in packages for file in package.glob("*.py")}
        files |= {file for file in SHARED.glob("*.py") if file.stem in SHARED_MODULES} | {Path(places.__file__), *places.LISTS}
        digest = hashlib.sha256(repr(sorted((name, table_columns(name)) for name in _tables_of(self.name))).encode())
        for file in sorted(files):
            digest.update(file.read_bytes())
        return digest.hexdigest()[:8]


def load_file(source: Source, path: Path, lake: Path, options: Mapping[str, str] | None = None) -> tuple[LoadReport, bool]:
    """Read one raw file into the lake, unless the lake holds that very load; returns the report and whether it was read now.

    Raises
    ------
    SourceError : a file of no known layout, one that cannot be read, or one whose rows do not add up.
    """
    options = dict(options or {})
    try:
        raw = RawFile(path, fingerprint(path), options)
    except OSError as error:
        raise SourceError(path.name, "", f"cannot be opened ({error.strerror})", "Check that the file exists and may be read") from error
    key = "|".join([source.name, raw.fingerprint, path.name, source.reader_version, repr(sorted(options.items()))])
    load_id = hashlib.sha256(key.encode()).hexdigest()[:12]
    known = finished_load(lake, source.name, load_id)
    if known is not None:
        return known, False
    layout = recognise(source, raw)
    folder = begin_load(lake, source.name, load_id)
    try:
        report = _read_into(folder, source, layout, raw, load_id)
        finish_load(lake, report, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # gone already when the load is finished
    return report, True


def _read_into(folder: Path, source: Source, layout: Layout, raw: RawFile, load_id: str) -> LoadReport:
    path = raw.path
    delivery = Delivery(raw, load_id, folder)
    layout.read(raw, delivery)
    delivery.close()
    report = LoadReport(
        source=source.name,
        load_id=load_id,
        file_name=path.name,
        fingerprint=raw.fingerprint,
        bytes_n=path.stat().st_size,
        layout=layout.name,
        read_n=delivery.read_n,
        accepted_n=sum(delivery.tables.values()),
        set_aside=dict(sorted(delivery.set_aside.items())),
        tables=dict(sorted(delivery.tables.items())),
        first_year=delivery.first_year,
        last_year=delivery.last_year,
    )
    if report.read_n != report.accepted_n + report.set_aside_n:
        raise SourceError(
            path.name, "", f"{report.read_n} rows read, but {report.accepted_n} accepted and {report.set_aside_n} set aside",
            "This is a fault of the reader: please report it with the file's first lines",
        )  # fmt: skip
    if fingerprint(path) != raw.fingerprint:
        raise SourceError(path.name, "", "changed while it was read", "Wait until it is written, then refresh again")
    return report


def recognise(source: Source, raw: RawFile) -> Layout:
    """The one layout whose marks a file's content shows.

    Raises
    ------
    SourceError : an empty file, or one that shows no known layout's marks.
    """
    if not raw.head:
        raise SourceError(raw.name, "", "is empty", "Fetch the file again from its publisher")
    for layout in source.layouts:
        if layout.recognise(raw):
            return layout
    if raw.head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(raw.name, "", "is UTF-16 text", "Save it as UTF-8 and refresh again")
    known = ", ".join(layout.name for layout in source.layouts)
    raise SourceError(
        raw.name,
        "line 1",
        f"shows none of the layouts known for {source.name} ({known})",
        "Compare its header with the layouts in README.md, or take it out of the configuration",
    )


def _tables_of(source: str) -> list[str]:
    return [name for name in TABLES if name.split("__")[0] == source]
