"""Releases on disk: a build is finished beside the published ones and takes its place in one step.

home/builds/.<release>.tmp/   being built; nobody reads it
home/builds/<release>/        warehouse.duckdb, release.json and dbt's artefacts; never changed again
home/current -> builds/<release>
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.errors import ReleaseError
from warehouse.lake import switch_link

DATABASE = "warehouse.duckdb"
MANIFEST = "release.json"
KEPT = 5
RELEASE_PATTERN = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{6}$")


@dataclass(frozen=True)
class Manifest:
    """What a release was made from.

    sources : one mapping a source: source, status, message
    loads : the fields of each `warehouse.lake.LoadReport` in use
    """

    release: str
    previous: str | None
    created_at: str
    config: str
    is_simulated: bool
    input_fingerprint: str
    code_fingerprint: str
    set_id: str
    packages: dict[str, str] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    loads: list[dict[str, Any]] = field(default_factory=list)


def release_id(moment: datetime, input_fingerprint: str) -> str:
    """A name that sorts by time and tells inputs apart, such as 20261120T061500Z-3fa9c1."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{input_fingerprint[:6]}"


def current_release(home: Path) -> str | None:
    """The release that readers get now, or None before the first one."""
    link = home / "current"
    return Path(os.path.realpath(link)).name if link.is_dir() else None


def release_names(home: Path) -> list[str]:
    """Every whole release, oldest first."""
    builds = home / "builds"
    return sorted(entry.name for entry in builds.iterdir() if RELEASE_PATTERN.match(entry.name)) if builds.is_dir() else []


def read_manifest(home: Path, release: str) -> Manifest:
    """The manifest of a release.

    Raises
    ------
    ReleaseError : a release that is not there, or whose manifest cannot be read.
    """
    file = home / "builds" / release / MANIFEST
    try:
        return Manifest(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        known = ", ".join(release_names(home)) or "none"
        raise ReleaseError(f"Release {release!r} is not in {home / 'builds'} (there: {known}). Name one of these, or run `citytrade refresh`.") from error
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"{file}: not a release manifest ({error}). Run `citytrade refresh --force` to build a new release.") from error


def begin_release(home: Path, release: str) -> Path:
    """An empty folder to build a release in; what a killed refresh left behind is removed first.

    The caller holds the refresh lock, so no live build is among the leftovers.
    """
    builds = home / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    for leftover in builds.glob(".*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    if (builds / release).exists():
        raise ReleaseError(f"Release {release} is already in {builds}: two releases in one second. Run the refresh again.")
    folder = builds / f".{release}.tmp"
    folder.mkdir()
    return folder


def publish(home: Path, build: Path, manifest: Manifest, kept: int = KEPT) -> Path:
    """Give a finished build its name, make it the current release, and remove the oldest ones.

    Everything is on the disk before the link is switched, so a power cut leaves the old release or the new one.
    """
    if not (build / DATABASE).is_file():
        raise ReleaseError(f"{build / DATABASE} was never written, so there is nothing to publish. Run `citytrade refresh` again and read its first message.")
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True)
    (build / MANIFEST).write_text(text, encoding="utf-8")
    sync_tree(build)
    target = home / "builds" / manifest.release
    build.rename(target)
    _sync(target.parent)
    switch_link(home / "current", Path("builds") / manifest.release)
    _sync(home)
    prune(home, kept)
    return target


def prune(home: Path, kept: int = KEPT) -> list[str]:
    """Remove all but the newest releases, never the current one; returns the names removed."""
    names = release_names(home)
    doomed = [name for name in names[: max(len(names) - kept, 0)] if name != current_release(home)]
    for name in doomed:
        # Renamed first, so that a removal that is cut short leaves no half release under a release's name.
        grave = home / "builds" / f".{name}.tmp"
        (home / "builds" / name).rename(grave)
        shutil.rmtree(grave, ignore_errors=True)
    return doomed


def sync_tree(folder: Path) -> None:
    """Force every file and folder below (and the folder itself) to the disk."""
    for place, _, files in os.walk(folder, topdown=False):
        for name in files:
            _sync(Path(place) / name)
        _sync(Path(place))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
