"""A release published elsewhere, for readers on other machines: its panels as Parquet, a manifest,
and last of all the name of the newest one (`warehouse.elsewhere` says how they lie).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

from flows.doors.export import save_all
from flows.telling.lines import Say
from warehouse.elsewhere import (
    JSON_BYTES,
    LATEST,
    MANIFEST,
    RELEASES,
    Place,
    labels,
    open_place,
    within_time,
)
from warehouse.errors import ReleaseError
from warehouse.settings.config import Config
from warehouse.store import connect, release_folder

BESIDE = ("README.txt", "dictionary.csv")


def publish(config: Config, address: str, say: Say) -> str:
    """Write every panel of the current release to `address`; returns the release's name.

    Readers there get the former release until the last file of this one stands. A release that is
    there already is not written again: only the name of the newest changes.

    Raises
    ------
    ReleaseError : an address that cannot be written to, or where this release already lies with
        other contents.
    """
    place = open_place(address)
    if place.files is None:
        raise ReleaseError(
            f"{place.address}: a web server only gives files out. Publish into the folder or bucket"
            " that it serves."
        )
    release = release_folder(config).name
    with tempfile.TemporaryDirectory(prefix="citytrade-publish-") as scratch:
        folder = Path(scratch) / "panels"
        names = save_all(config, folder, "parquet", lambda line: None, release=release)
        manifest = _json(_manifest(config, release, folder, names))
        there = place.read(RELEASES, release, MANIFEST, limit=JSON_BYTES)
        if there is not None and there != manifest:
            raise ReleaseError(
                f"{release} lies in {place.address} already, with other contents than here. Remove"
                f" {place.path(RELEASES, release)} there if this one is right."
            )
        files = [*(f"{name}.parquet" for name in names), *BESIDE]
        for file in [] if there is not None else files:
            content = (folder / file).read_bytes()
            _write(place, content, RELEASES, release, file)
            say(f"  {file}: {len(content):,} bytes")
        if there is None:
            _write(place, manifest, RELEASES, release, MANIFEST)
    _write(place, _json({"release": release}), LATEST)
    return release


def _manifest(config: Config, release: str, folder: Path, names: list[str]) -> dict[str, Any]:
    """What a reader must know of the files; the same whenever and wherever it is written."""
    import pyarrow.parquet as pq

    with connect(config, release) as connection:
        made = connection.execute(
            "select created_at::varchar, is_simulated from meta.releases where is_this"
        ).fetchone()
        keys = dict(connection.execute("select panel, grain from meta.panels").fetchall())
    assert made is not None  # every release tells of itself
    panels = []
    for name in names:
        file = folder / f"{name}.parquet"
        about = pq.read_schema(file)
        panels.append(
            {
                "panel": name,
                "file": file.name,
                "rows": pq.read_metadata(file).num_rows,
                "bytes": file.stat().st_size,
                "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "keys": [key.strip() for key in keys[name].split(",")],
                "columns": [
                    {"name": field.name, "type": str(field.type), **labels(field)}
                    for field in about
                ],
            }
        )
    return {"release": release, "created_at": made[0], "simulated": made[1], "panels": panels}


def _json(told: dict[str, Any]) -> bytes:
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def _write(place: Place, content: bytes, *parts: str) -> None:
    """Put a file in its place in one step: an object store does that by itself, a folder by a new
    name that takes the old one's.
    """
    path = place.path(*parts)
    try:
        if _is_folder(place):
            file = Path(path)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
            try:
                partial.write_bytes(content)
                os.replace(partial, file)
            finally:
                partial.unlink(missing_ok=True)
        else:
            within_time(place.files, "pipe_file", path, content)
    except Exception as error:  # each store raises its own kinds
        raise place.failed("written", "/".join(parts), error) from error


def _is_folder(place: Place) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(place.files, LocalFileSystem)
