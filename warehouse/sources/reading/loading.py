"""From a raw file to a load in the lake: recognised, read, counted, and written in one step."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from warehouse.errors import SourceError
from warehouse.lake.loads import (
    FilePart,
    LoadReport,
    begin_load,
    fingerprint,
    finish_load,
    finished_load,
)
from warehouse.sources.reading import containers, separators
from warehouse.sources.reading.base import Delivery, Layout, Source
from warehouse.sources.reading.encodings import is_plain_path, shown_name
from warehouse.sources.reading.joining import join
from warehouse.sources.reading.options import options_for
from warehouse.sources.reading.parquet import is_parquet, parquet_as_csv
from warehouse.sources.reading.parts import Spread
from warehouse.sources.reading.rawfile import RawFile as RawFile


def load_file(
    source: Source,
    path: Path,
    lake: Path,
    options: Mapping[str, str] | None = None,
    spread: Spread | None = None,
) -> tuple[LoadReport, bool]:
    """Read one raw file into the lake, unless the lake holds that very load; returns the report and
    whether it was read now.

    Parameters
    ----------
    spread : who reads the parts of a large file, where a layout knows how to cut it

    Raises
    ------
    SourceError : a file of no known layout, one that cannot be read, or one whose rows do not add
        up.
    """
    raw, load_id = _named(source, path, options or {})
    known = finished_load(lake, source.name, load_id)
    if known is not None:
        return known, False
    folder = begin_load(lake, source.name, load_id)
    try:
        if not is_plain_path(path):
            raw = linked(raw, folder / "named")
        report = _read_into(folder, source, raw, load_id, spread)
        shutil.rmtree(folder / "named", ignore_errors=True)
        finish_load(lake, report, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # gone already when the load is finished
    return report, True


def known_load(
    source: Source, path: Path, lake: Path, options: Mapping[str, str]
) -> LoadReport | None:
    """The report of a raw file's load, if the lake holds it.

    Raises
    ------
    SourceError : a file that cannot be opened.
    """
    return finished_load(lake, source.name, _named(source, path, options)[1])


def _named(source: Source, path: Path, options: Mapping[str, str]) -> tuple[RawFile, str]:
    """A raw file, and the id of its load: what it holds, and who reads it how."""
    options = options_for(path, options)
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
    return raw, hashlib.sha256(key.encode()).hexdigest()[:12]


def linked(raw: RawFile, folder: Path) -> RawFile:
    """The file under a name that every library can be told, by a link that lasts as long as it is
    read.
    """
    folder.mkdir(parents=True)
    link = folder / containers.safe_name(raw.name)
    link.symlink_to(raw.path.absolute())
    return RawFile(link, raw.fingerprint, raw.options, raw.name)


def _read_into(
    folder: Path, source: Source, raw: RawFile, load_id: str, spread: Spread | None
) -> LoadReport:
    """Read a file, or every member of an archive, into the load's folder."""
    if containers.is_archive(raw):
        parts, deliveries = _read_members(folder, source, raw, load_id, spread)
    else:
        parts, deliveries = [], [_read_file(folder, source, raw, load_id, spread=spread)]
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
    if fingerprint(raw.path, anew=True) != raw.fingerprint:
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
    folder: Path,
    source: Source,
    raw: RawFile,
    load_id: str,
    gathers: bool = False,
    spread: Spread | None = None,
) -> Delivery:
    """Read one file or member, and see that its rows add up."""
    delivery = Delivery(raw, load_id, folder, source.tables, gathers=gathers, spread=spread)
    read_delivery(source, delivery)
    return delivery


def read_delivery(source: Source, delivery: Delivery) -> None:
    """Fill a delivery from its file, and see that its rows add up."""
    raw, folder = delivery.raw, delivery.folder
    try:
        delivery.raw = raw = prepared(source, raw, folder / "converted")
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


def prepared(source: Source, raw: RawFile, folder: Path) -> RawFile:
    """The file in the clothes that the source's layouts expect; what is written for it lies in
    `folder`.
    """
    if is_parquet(raw) and not source.reads_parquet:
        return parquet_as_csv(raw, folder)
    return raw if source.reads_prose else separators.as_plain_csv(raw, folder)


def _read_members(
    folder: Path, source: Source, raw: RawFile, load_id: str, spread: Spread | None
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
        delivery = _read_file(place, source, inner, load_id, gathers=True, spread=spread)
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
    join(folder, source.tables, deliveries)
    shutil.rmtree(folder / "members", ignore_errors=True)
    shutil.rmtree(folder / "parts", ignore_errors=True)
    return parts, deliveries


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
