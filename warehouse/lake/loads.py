"""The lake: what was read from raw files, as typed Parquet, written once and never edited.

    lake/loads/<source>/<load_id>/   one folder a raw file: its tables as Parquet, report.json
    lake/sets/<set_id>/<table>/      links to loads: what one release is built from
    lake/active -> sets/<set_id>     what `dbt build` by hand reads

A load's name is made of the file's content, the source and the reader's code, so the same file read
by the same reader is never read again, and a half-written load is never seen: it is written beside
and renamed in one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from warehouse.database import connect
from warehouse.lake.schema import SET_ASIDE, Columns, Tables, as_select, stored

# The file without rows that says a table's columns. Its name begins like those of data: Spark does
# not see files that begin with "_" or ".".
SCHEMA = "schema.parquet"

SETTLED_NS = 3_000_000_000
_HASHED: dict[Path, tuple[tuple[int, ...], str]] = {}


@dataclass(frozen=True)
class FilePart:
    """A member of an archive that was loaded; `layout` is empty for a document that was left
    unread.
    """

    name: str
    fingerprint: str
    bytes_n: int
    layout: str


@dataclass(frozen=True)
class ColumnFate:
    """What became of one column of a raw file or of a member of an archive.

    sheet : empty where the file has none
    head : as printed; in brackets where rows, or all of a sheet, are meant
    indicator : the lake's column, or the indicator, that it fills; None for one that is not read
    reason : why it is not read; of one that is, what had to be done to it, if anything
    """

    file_name: str
    sheet: str
    head: str
    indicator: str | None
    reason: str


@dataclass(frozen=True)
class LoadReport:
    """What reading one raw file gave. Units of every count: rows of the lake tables (see
    `warehouse.lake.schema`).
    """

    source: str
    load_id: str
    file_name: str
    fingerprint: str
    bytes_n: int
    layout: str
    read_n: int
    accepted_n: int
    set_aside: dict[str, int] = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)
    first_year: int | None = None
    last_year: int | None = None
    members: list[dict[str, Any]] = field(
        default_factory=list
    )  # FilePart by FilePart; empty unless the file is an archive
    columns: list[dict[str, Any]] = field(
        default_factory=list
    )  # ColumnFate by ColumnFate, of every table that was read

    @property
    def set_aside_n(self) -> int:
        return sum(self.set_aside.values())

    @property
    def column_rows(self) -> list[dict[str, Any]]:
        return [
            {"source": self.source, "load_id": self.load_id, **column} for column in self.columns
        ]

    @property
    def file_rows(self) -> list[dict[str, Any]]:
        """What the rows' `file_id` stands for: the file, or each member of an archive that was
        read.
        """
        whole = {"source": self.source, "load_id": self.load_id}
        if not self.members:
            parts = [FilePart(self.file_name, self.fingerprint, self.bytes_n, self.layout)]
        else:
            parts = [FilePart(**member) for member in self.members if member["layout"]]
        return [
            {
                **whole,
                "file_id": part.fingerprint[:12],
                "file_name": part.name,
                "fingerprint": part.fingerprint,
                "bytes_n": part.bytes_n,
            }
            for part in parts
        ]


def sql_text(value: str | os.PathLike[str]) -> str:
    """A path or another text as a whole SQL literal, its quotes included: o'brien becomes
    'o''brien'.
    """
    return "'" + os.fspath(value).replace("'", "''") + "'"


def fingerprint(path: Path, anew: bool = False) -> str:
    """SHA-256 of a file's bytes, as 64 hex digits.

    A file that this process has hashed is not hashed again while its place on the disk, its size
    and its times are the same, unless it was changed within seconds before: a change in the same
    tick of the disk's clock would not show.

    Parameters
    ----------
    anew : hash it in any case
    """
    start, state = time.time_ns(), _state(path)
    known = _HASHED.get(path)
    if known is not None and known[0] == state and not anew:
        return known[1]
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if state == _state(path) and max(state[-2:]) < start - SETTLED_NS:
        _HASHED[path] = (state, digest)
    return digest


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file does: its place on the disk, its size, its times."""
    about = path.stat()
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def load_folder(lake: Path, source: str, load_id: str) -> Path:
    return lake / "loads" / source / load_id


def finished_load(lake: Path, source: str, load_id: str) -> LoadReport | None:
    """The report of a load that is already in the lake, else None."""
    report = load_folder(lake, source, load_id) / "report.json"
    if not report.is_file():
        return None
    return LoadReport(**json.loads(report.read_text(encoding="utf-8")))


def begin_load(lake: Path, source: str, load_id: str) -> Path:
    """An empty folder to write a load into; `finish_load` gives it its place."""
    folder = lake / "loads" / source / f".{load_id}.{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    return folder


def finish_load(lake: Path, report: LoadReport, folder: Path) -> None:
    """Give a fully written load its place in one step."""
    text = json.dumps(asdict(report), ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "report.json").write_text(text, encoding="utf-8")
    target = load_folder(lake, report.source, report.load_id)
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(folder)  # another process finished the same load first


def activate(lake: Path, loads: Iterable[LoadReport], tables: Tables) -> str:
    """Make the named loads the ones that `dbt build` by hand reads, and return their set's id."""
    set_id = make_set(lake, loads, tables)
    switch_link(lake / "active", Path("sets") / set_id)
    return set_id


def make_set(lake: Path, loads: Iterable[LoadReport], tables: Tables) -> str:
    """Link the named loads into one folder that models can read, and return the set's id.

    Every table of the lake is present in a set, an absent source's as a file without rows, so that
    the models run and leave that source's columns null.
    """
    chosen = sorted(loads, key=lambda load: (load.source, load.load_id))
    key = json.dumps([[load.source, load.load_id] for load in chosen] + [sorted(tables), SCHEMA])
    set_id = hashlib.sha256(key.encode()).hexdigest()[:12]
    target = lake / "sets" / set_id
    if not target.is_dir():
        building = lake / "sets" / f".{set_id}.{uuid.uuid4().hex[:8]}"
        try:
            _link_tables(lake, building, chosen, tables)
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)  # gone already when the set has its place
    return set_id


def prune_lake(lake: Path, loads: Iterable[tuple[str, str]], sets: Iterable[str]) -> int:
    """Remove loads and sets that no kept release was made from, and what a killed reader left;
    returns how many loads went.

    Parameters
    ----------
    loads : (source, load_id) of the loads to keep
    sets : the sets to keep; the active one is kept in any case

    The caller holds the refresh lock, so nobody is writing a load. A load that is needed again is
    read again.
    """
    kept_loads, kept_sets = set(loads), {*sets, Path(os.path.realpath(lake / "active")).name}
    for folder in (lake / "sets").glob("*"):
        if folder.name not in kept_sets:
            shutil.rmtree(folder, ignore_errors=True)
    doomed = [
        folder
        for folder in (lake / "loads").glob("*/*")
        if (folder.parent.name, folder.name) not in kept_loads
    ]
    for folder in doomed:
        # Its report goes first: a removal that is cut short leaves no load that looks finished.
        (folder / "report.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return sum(not folder.name.startswith(".") for folder in doomed)


def switch_link(link: Path, target: Path) -> None:
    """Point a link at another folder in one step; whoever follows it sees the old folder or the new
    one.
    """
    fresh = link.with_name(f".{link.name}.{uuid.uuid4().hex[:8]}")
    fresh.symlink_to(target, target_is_directory=True)
    os.replace(fresh, link)


def _link_tables(lake: Path, building: Path, loads: list[LoadReport], tables: Tables) -> None:
    schema_folder = lake / "schema"
    schema_folder.mkdir(parents=True, exist_ok=True)
    for name, columns in {
        **{name: stored(columns) for name, columns in tables.items()},
        "set_aside": SET_ASIDE,
    }.items():
        (building / name).mkdir(parents=True)
        empty = (
            schema_folder
            / f"{name}.{hashlib.sha256(repr(columns).encode()).hexdigest()[:8]}.parquet"
        )
        if not empty.is_file():
            _write_empty(columns, empty)
        (building / name / SCHEMA).symlink_to(os.path.relpath(empty, building / name))
    for load in loads:
        for name in (*load.tables, "set_aside"):
            file = load_folder(lake, load.source, load.load_id) / f"{name}.parquet"
            if file.is_file():
                (building / name / f"{load.load_id}.parquet").symlink_to(
                    os.path.relpath(file, building / name)
                )


def _write_empty(columns: Columns, file: Path) -> None:
    partial = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    with connect() as connection:
        connection.execute(
            f"copy (select {as_select(columns, dict.fromkeys(columns, 'null'))} limit 0) to"
            f" {sql_text(partial)} (format parquet)"
        )
    os.replace(partial, file)
