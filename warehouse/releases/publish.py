"""Releases on disk: a build is finished beside the published ones and takes its place in one step.

home/builds/.<release>.tmp/   being built or removed; nobody reads it
home/builds/.spill/           what a refresh's databases have no room for in memory
home/builds/<release>/        warehouse.duckdb, release.json and dbt's artefacts; sealed, never
                              changed again
home/current -> builds/<release>
home/published                the names of all releases that readers ever got, one a line
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from warehouse.errors import ReleaseError
from warehouse.lake.loads import switch_link
from warehouse.releases.seal import broken_seals, remove_tree, seal

DATABASE = "warehouse.duckdb"
MANIFEST = "release.json"
PUBLISHED = "published"
KEPT = 5
RELEASE_PATTERN = re.compile(r"^\d{8}T\d{6}Z-[0-9a-f]{6}$")


@dataclass(frozen=True)
class Manifest:
    """What a release was made from, enough to make it again.

    code_version : the commit of the code, "+" after it if files were changed since; empty outside a
        clone
    years : first and last year of the panels
    choices : those of the configuration's table [choices]; what it leaves out is as dbt_project.yml
        of that code has it
    sources : one mapping a source: source, status, message, is_simulated
    loads : the fields of each `warehouse.lake.loads.LoadReport` in use
    tables : schema.table -> rows and a hash of their content that no order of rows changes; schema
        `meta` is left out
    engine : duckdb, or spark where customs' models were built there
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
    code_version: str = ""
    years: list[int] = field(default_factory=list)
    choices: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, list[Any]] = field(default_factory=dict)
    engine: str = "duckdb"
    built_from: dict[str, Any] = field(default_factory=dict)


def release_id(moment: datetime, input_fingerprint: str) -> str:
    """A name that sorts by time and tells inputs apart, such as 20261120T061500Z-3fa9c1."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{input_fingerprint[:6]}"


def next_release_id(home: Path, moment: datetime, input_fingerprint: str) -> str:
    """A name after every release on disk, also on a machine whose clock was set back: names sort in
    the order of publication.
    """
    names = release_names(home)
    if names:
        newest = datetime.strptime(names[-1].split("-")[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        moment = max(moment.astimezone(UTC), newest + timedelta(seconds=1))
    return release_id(moment, input_fingerprint)


def current_release(home: Path) -> str | None:
    """The release that readers get now, or None before the first one."""
    link = home / "current"
    return Path(os.path.realpath(link)).name if link.is_dir() else None


def release_names(home: Path) -> list[str]:
    """Every whole release that readers have or had, oldest first."""
    unpublished = set(never_published(home))
    return [name for name in _names_on_disk(home) if name not in unpublished]


def never_published(home: Path) -> list[str]:
    """Releases that a refresh put in place and was killed before readers got them."""
    recorded = _recorded(home)
    if recorded is None:
        return []  # nothing says which these are, so none is taken for one
    known = {*recorded, current_release(home)}
    return [name for name in _names_on_disk(home) if name not in known]


def broken_releases(home: Path) -> dict[str, list[str]]:
    """What is no longer as it was sealed, by release; empty where all is well, and without those
    that a refresh removed meanwhile.
    """
    broken = {name: broken_seals(home / "builds" / name) for name in release_names(home)}
    there = release_names(home)
    return {name: wrong for name, wrong in broken.items() if name in there}


def note_published(home: Path, *releases: str | None) -> None:
    """Write down that readers have had these releases."""
    recorded = _recorded(home)
    known = _names_on_disk(home) if recorded is None else recorded
    names = dict.fromkeys([*known, *(release for release in releases if release is not None)])
    fresh = home / f".{PUBLISHED}.{os.getpid()}"
    # A record of no release is one empty line: a file without any is one that a power cut emptied.
    fresh.write_text("".join(f"{name}\n" for name in names) or "\n", encoding="utf-8")
    _sync(fresh)
    os.replace(fresh, home / PUBLISHED)


def _recorded(home: Path) -> list[str] | None:
    """The releases that readers ever got, or None where nothing says so: a home from before the
    record was kept, or a record whose bytes a power cut took.
    """
    record = home / PUBLISHED
    text = record.read_text(encoding="utf-8") if record.is_file() else ""
    return text.split() if text.strip("\0") else None


def _names_on_disk(home: Path) -> list[str]:
    builds = home / "builds"
    return (
        sorted(entry.name for entry in builds.iterdir() if RELEASE_PATTERN.match(entry.name))
        if builds.is_dir()
        else []
    )


def read_manifest(home: Path, release: str) -> Manifest:
    """The manifest of a release on disk.

    Raises
    ------
    ReleaseError : a release that is not there, or whose manifest cannot be read.
    """
    try:
        return read_manifest_file(home / "builds" / release / MANIFEST)
    except FileNotFoundError as error:
        raise unknown_release(home, release) from error


def read_manifest_file(file: Path) -> Manifest:
    """A manifest from its file, which may lie anywhere.

    Raises
    ------
    ReleaseError : a file that is not a manifest.
    """
    try:
        return Manifest(**json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ReleaseError(
            f"{file}: not a release manifest ({error}). Run `citytrade refresh --force` to build a"
            " new release."
        ) from error


def unknown_release(home: Path, release: str) -> ReleaseError:
    """The error for a release that is not on disk; it names those that are."""
    known = ", ".join(release_names(home)) or "none"
    return ReleaseError(
        f"Release {release!r} is not in {home / 'builds'} (there: {known}). Name one of these, or"
        " run `citytrade refresh`."
    )


def named_release(home: Path, name: str) -> str:
    """A release by its name, by the beginning of its name, or as `current` or `previous` (the one
    before the current).

    Raises
    ------
    ReleaseError : no such release, or several that begin so.
    """
    names, current = release_names(home), current_release(home)
    if name == "current" and current is not None:
        return current
    if name == "previous":
        before = names[: names.index(current)] if current in names else []
        if not before:
            raise ReleaseError(f"There is no release before the current one in {home / 'builds'}.")
        return before[-1]
    found = [known for known in names if known == name] or [
        known for known in names if name and known.startswith(name)
    ]
    if len(found) > 1:
        raise ReleaseError(
            f"{len(found)} releases begin with {name!r} ({', '.join(found)}). Give more of the"
            " name."
        )
    if not found:
        raise unknown_release(home, name)
    return found[0]


def begin_release(home: Path, release: str) -> Path:
    """An empty folder to build a release in; what a killed refresh left behind is removed first.

    The caller holds the refresh lock, so no live build is among the leftovers.
    """
    if (home / "builds" / release).exists():
        raise ReleaseError(
            f"Release {release} is already in {home / 'builds'}: two releases in one second. Run"
            " the refresh again."
        )
    return begin_build(home, release)


def begin_build(home: Path, name: str) -> Path:
    """An empty hidden folder to build in, whether or not a release of that name is there."""
    builds = home / "builds"
    builds.mkdir(parents=True, exist_ok=True)
    for leftover in builds.glob(".*.tmp"):
        remove_tree(leftover)
    folder = builds / f".{name}.tmp"
    folder.mkdir()
    return folder


def publish(home: Path, build: Path, manifest: Manifest, kept: int = KEPT) -> Path:
    """Give a finished build its name, make it the current release, and remove the oldest ones.

    Everything is on the disk before the link is switched, so a power cut leaves the old release or
    the new one.
    """
    target = put_in_place(home, build, manifest)
    make_current(home, manifest.release)
    prune(home, kept)
    return target


def put_in_place(home: Path, build: Path, manifest: Manifest) -> Path:
    """Write a finished build's manifest, seal it and give it its name, without making it the
    current release. What has that name already is removed.
    """
    if not (build / DATABASE).is_file():
        raise ReleaseError(
            f"{build / DATABASE} was never written, so there is nothing to publish. Run `citytrade"
            " refresh` again and read its first message."
        )
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1, sort_keys=True)
    (build / MANIFEST).write_text(text, encoding="utf-8")
    if _recorded(home) is None:
        note_published(home)  # what is there already was published before
    seal(build)
    sync_tree(build)
    target = home / "builds" / manifest.release
    former = target.with_name(f".{manifest.release}.former.tmp")
    if target.exists():
        target.rename(former)
    build.rename(target)
    _sync(target.parent)
    remove_tree(former)
    return target


def make_current(home: Path, release: str) -> None:
    """Switch readers to a release that is on disk, in one step.

    Raises
    ------
    ReleaseError : the release is not there.
    """
    if not (home / "builds" / release / DATABASE).is_file():
        raise unknown_release(home, release)
    note_published(home, current_release(home))
    switch_link(home / "current", Path("builds") / release)
    note_published(home, release)
    _sync(home)


def prune(home: Path, kept: int = KEPT) -> list[str]:
    """Remove all but the newest releases, never the current one; returns the names removed."""
    names = release_names(home)
    doomed = [name for name in names[: max(len(names) - kept, 0)] if name != current_release(home)]
    for name in doomed:
        # Renamed first, so that a removal that is cut short leaves no half release under a
        # release's name.
        grave = home / "builds" / f".{name}.tmp"
        (home / "builds" / name).rename(grave)
        remove_tree(grave)
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
