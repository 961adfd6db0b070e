"""`citytrade rebuild`: a release made again from its manifest, and compared with what the manifest
says of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations import CheckResult, check_deliveries
from flows.processes import lock
from flows.refresh import engine
from flows.refresh.finish import checked_panels, finish_database
from flows.refresh.inputs import code_fingerprint, package_versions
from flows.refresh.outcomes import SourceOutcome
from flows.telling.lines import Say
from warehouse.database import limited
from warehouse.errors import ReleaseError
from warehouse.lake.loads import LoadReport, finished_load, make_set
from warehouse.releases.contents import table_contents
from warehouse.releases.publish import (
    DATABASE,
    MANIFEST,
    RELEASE_PATTERN,
    Manifest,
    begin_build,
    current_release,
    named_release,
    note_published,
    put_in_place,
    read_manifest,
    read_manifest_file,
)
from warehouse.releases.seal import SUMS, broken_seals, remove_tree
from warehouse.settings.config import Config
from warehouse.sources import lake_tables

SHOWN = 5


def rebuild(config: Config, wanted: str, say: Say) -> Manifest:
    """Build a release again and compare every table; one that is no longer on disk, or no longer
    as it was published, is put back there.

    Parameters
    ----------
    wanted : a release on disk, or the path of a manifest (release.json) that was kept elsewhere

    Raises
    ------
    ReleaseError : other code, packages or years than the release was made with; loads that are no
        longer in the lake (the raw files are named); a manifest that was changed; the current
        release, if it was changed; or a rebuilt table that differs.
    """
    with lock.hold(config.home), limited(config.memory, config.spill):
        manifest = _manifest(config, wanted)
        _refuse_other_code(manifest)
        loads = _loads(config, manifest)
        altered = _altered(config, manifest, wanted)
        folder = begin_build(config.home, f"{manifest.release}.again")
        try:
            _build(config, manifest, loads, folder, say)
            _refuse_other_content(manifest, table_contents(folder / DATABASE))
            if (config.builds / manifest.release).exists() and not altered:
                say(
                    f"Release {manifest.release} rebuilt: {len(manifest.tables)} tables, each with"
                    " the same content."
                )
            else:
                put_in_place(config.home, folder, manifest)
                note_published(config.home, manifest.release)
                say(
                    f"Release {manifest.release} rebuilt and put back: {len(manifest.tables)}"
                    " tables, each with the same content."
                )
        finally:
            remove_tree(folder)
    return manifest


def _manifest(config: Config, wanted: str) -> Manifest:
    file = Path(wanted)
    manifest = (
        read_manifest_file(file)
        if _is_manifest(file)
        else read_manifest(config.home, named_release(config.home, wanted))
    )
    if not RELEASE_PATTERN.match(manifest.release):
        raise ReleaseError(
            f"{wanted}: {manifest.release!r} is no name of a release, so this manifest is not one"
            " that citytrade wrote."
        )
    if not manifest.tables:
        raise ReleaseError(
            f"Release {manifest.release} was made before manifests said what its tables hold, so a"
            " rebuild cannot be compared with it."
        )
    years = [config.first_year, config.last_year]
    if manifest.years != years:
        there = "-".join(map(str, manifest.years))
        raise ReleaseError(
            f"Release {manifest.release} holds {there}, and {config.path} asks for"
            f" {years[0]}-{years[1]}. Set first_year and last_year to its years."
        )
    if manifest.choices != config.choices:
        raise ReleaseError(
            f"Release {manifest.release} was made with the choices {manifest.choices or 'none'},"
            f" and {config.path} has {config.choices or 'none'}. Set [choices] to its own."
        )
    return manifest


def _is_manifest(file: Path) -> bool:
    return file.suffix == ".json" and file.is_file()


def _altered(config: Config, manifest: Manifest, wanted: str) -> bool:
    """Whether the release on disk is to be replaced, since it is not what was published.

    Raises
    ------
    ReleaseError : it is the one that readers get, who are never without one, so that nothing can
        take its place; or its manifest itself may have been changed.
    """
    name = manifest.release
    folder = config.builds / name
    broken = broken_seals(folder) if folder.exists() else []
    if broken and name == current_release(config.home):
        raise ReleaseError(
            f"Release {name} is the one that readers get, and it was changed after its publication"
            f" ({'; '.join(broken[:SHOWN])}). Run `citytrade refresh`: it publishes a new release"
            " in its place. Then rebuild this one, if it is wanted still."
        )
    kept = Path(wanted)  # a manifest beside the release, or the release's own
    is_own = not _is_manifest(kept) or kept.resolve().parent == folder.resolve()
    if is_own and any(line.startswith((MANIFEST, SUMS)) for line in broken):
        raise ReleaseError(
            f"Release {name}: {'; '.join(broken[:SHOWN])}, so its manifest may not be the one that"
            " was published. Rebuild it from a copy that was kept elsewhere (`citytrade rebuild"
            f" FILE.json`), or remove {folder}."
        )
    return bool(broken)


def _refuse_other_code(manifest: Manifest) -> None:
    if manifest.code_fingerprint != code_fingerprint():
        commit = f" (commit {manifest.code_version})" if manifest.code_version else ""
        raise ReleaseError(
            f"Release {manifest.release} was made by other code than this{commit}. Check that"
            " version out, and rebuild with it."
        )
    now = package_versions()
    other = [
        f"{name} {version} (here {now.get(name, 'missing')})"
        for name, version in sorted(manifest.packages.items())
        if now.get(name) != version
    ]
    if other:
        raise ReleaseError(
            f"Release {manifest.release} was made with other packages: {', '.join(other)}. Install"
            " those, and rebuild."
        )


def _loads(config: Config, manifest: Manifest) -> list[LoadReport]:
    loads = [LoadReport(**fields) for fields in manifest.loads]
    gone = [load for load in loads if finished_load(config.lake, load.source, load.load_id) is None]
    if gone:
        listed = "\n".join(
            f"  {load.source}: {load.file_name} (SHA-256 {load.fingerprint})" for load in gone
        )
        raise ReleaseError(
            f"{len(gone)} of {len(loads)} loads of release {manifest.release} are no longer in the"
            " lake. Put these raw files where the configuration finds them, run `citytrade"
            f" refresh`, and rebuild:\n{listed}"
        )
    return loads


def _build(
    config: Config, manifest: Manifest, loads: Sequence[LoadReport], folder: Path, say: Say
) -> None:
    """Models and schema `meta`, as a refresh makes them, with the manifest's own loads."""
    set_id = make_set(config.lake, loads, lake_tables())
    if set_id != manifest.set_id:
        raise ReleaseError(
            f"The loads of release {manifest.release} make the set {set_id}, not {manifest.set_id}:"
            " its manifest was changed by hand."
        )
    outcomes = _outcomes(manifest, loads)
    checks: list[CheckResult] = check_deliveries(
        [load for outcome in outcomes if outcome.status == "loaded" for load in outcome.loads],
        config.lake,
    )
    say(f"Building the models of release {manifest.release} again")
    lake_set = config.lake / "sets" / set_id
    built = engine.build(config, lake_set, folder, manifest.engine, say)
    checks += checked_panels(config, folder / DATABASE, built, outcomes)
    finish_database(config, folder, manifest, outcomes, built, checks)


def _outcomes(manifest: Manifest, loads: Sequence[LoadReport]) -> list[SourceOutcome]:
    return [
        SourceOutcome(
            source["source"],
            source["status"],
            tuple(load for load in loads if load.source == source["source"]),
            source["message"],
            bool(source.get("is_simulated", False)),
        )
        for source in manifest.sources
    ]


def _refuse_other_content(manifest: Manifest, found: dict[str, list[Any]]) -> None:
    other = [
        name
        for name in sorted({*manifest.tables, *found})
        if manifest.tables.get(name) != found.get(name)
    ]
    if other:
        more = f" and {len(other) - SHOWN} more" if len(other) > SHOWN else ""
        raise ReleaseError(
            f"{len(other)} of {len(manifest.tables)} tables of release {manifest.release} come out"
            f" otherwise: {', '.join(other[:SHOWN])}{more}. The release on disk stays as it is."
            " Please report it with both manifests."
        )
