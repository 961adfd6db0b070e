"""`citytrade doctor`: is everything here that a refresh needs?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.processes import lock
from flows.refresh.leftovers import leftovers
from flows.telling.alerts import resolved
from warehouse.errors import CitytradeError, ReleaseError
from warehouse.project import PROJECT
from warehouse.releases.publish import broken_releases, current_release, read_manifest
from warehouse.settings.config import Config, load_config
from warehouse.settings.patterns import matched_files
from warehouse.store import connect

CONSTRAINTS = PROJECT / "constraints.txt"
SHOWN = 5
NAME = re.compile(r"[A-Za-z0-9._-]+")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;#]+)")


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `remedy` is empty where all is well."""

    what: str
    found: str
    remedy: str = ""


def examine(config_path: str | None) -> list[Finding]:
    """All findings, in the order in which one would mend them."""
    findings = [_python(), _packages(CONSTRAINTS)]
    try:
        config = load_config(config_path)
    except CitytradeError as error:
        return [*findings, Finding("configuration", "cannot be used", str(error))]
    findings.append(Finding("configuration", str(config.path)))
    findings += [
        _home(config),
        _lock(config),
        _sources(config),
        *_alerts(config),
        _leftovers(config),
        _release(config),
        *_seals(config),
    ]
    return findings


def _python() -> Finding:
    found = platform.python_version()
    return Finding(
        "Python", found, "" if sys.version_info >= (3, 11) else "Install Python 3.11 or later."
    )


def _packages(file: Path) -> Finding:
    if not file.is_file():
        return Finding(
            "packages", f"{file.name} is not there", "Run this from a clone of the project."
        )
    pins = {
        match.group(1): match.group(2)
        for line in file.read_text(encoding="utf-8").splitlines()
        if (match := PIN.match(line.strip()))
    }
    needed = _needed()
    wrong = []
    for name, version in pins.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            if _plain(name) in needed:
                wrong.append(f"{name} is missing")
            continue  # tools of developers are pinned too
        if found != version:
            wrong.append(f"{name} {found} instead of {version}")
    return Finding(
        "packages",
        ", ".join(wrong) if wrong else f"{len(pins)} as pinned",
        f"Run `pip install -c {file.name} -e .` in the project's folder." if wrong else "",
    )


def _needed() -> set[str]:
    """The packages that the project itself names as needed at run time."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        _plain(match.group()) for text in project["dependencies"] if (match := NAME.match(text))
    }


def _plain(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def _home(config: Config) -> Finding:
    probe = config.home / f".doctor.{uuid.uuid4().hex[:8]}"
    try:
        config.home.mkdir(parents=True, exist_ok=True)
        probe.write_text("", encoding="utf-8")
        probe.unlink()
    except OSError as error:
        return Finding(
            "home",
            f"{config.home}: {error.strerror}",
            "Choose another home in [warehouse], or give yourself the right to write there.",
        )
    free = os.statvfs(config.home)
    return Finding("home", f"{config.home}, {free.f_bavail * free.f_frsize / 1e9:.1f} GB free")


def _lock(config: Config) -> Finding:
    try:
        holder, left = lock.state(config.home), lock.left_behind(config.home)
    except OSError as error:
        return Finding(
            "refresh",
            f"{config.home / lock.LOCK_NAME}: {error.strerror}",
            "Give yourself the right to read and write there.",
        )
    if left is not None:
        whose = f"process {left.pid} on {left.host}, started {left.started}"
        return Finding(
            "refresh",
            f"none running; stale lock of {whose}",
            (
                "That process ended before it was done. Run `citytrade refresh`: it removes what "
                "was left. Readers were never affected."
            ),
        )  # fmt: skip
    return Finding(
        "refresh",
        (
            f"running (process {holder.pid} on {holder.host}, since {holder.started})"
            if holder
            else "none running"
        ),
    )


def _sources(config: Config) -> Finding:
    try:
        files = [
            file
            for settings in config.sources.values()
            for file in matched_files(settings.patterns)
        ]
    except CitytradeError as error:
        remedy = (
            ""
            if config.simulate is not None and not config.simulate.directory.exists()
            else str(error)
        )
        return Finding(
            "raw files",
            "not simulated yet: `citytrade refresh` does it" if not remedy else "missing",
            remedy,
        )
    return Finding("raw files", f"{len(files)} files of {len(config.sources)} sources")


def _release(config: Config) -> Finding:
    if current_release(config.home) is None:
        return Finding("release", "none published yet: `citytrade refresh` builds one")
    foreign = _foreign_duckdb(config)
    if foreign is not None:
        return foreign
    try:
        with connect(config) as connection:
            row = connection.execute(
                "select release, is_simulated, (select count(*) from meta.panels), "
                "version() from meta.releases where is_this"
            ).fetchone()
    except (CitytradeError, duckdb.Error) as error:
        return Finding("release", "cannot be opened", f"{error} Run `citytrade refresh --force`.")
    assert row is not None
    return Finding(
        "release", f"{row[0]}{' (SIMULATED)' if row[1] else ''}, {row[2]} panels, DuckDB {row[3]}"
    )


def _alerts(config: Config) -> list[Finding]:
    """Whether whoever is to be told of trouble could be; nothing where the configuration names
    nobody.
    """
    alerts = config.alerts
    if not (alerts.command or alerts.webhook or alerts.services):
        return []
    try:
        resolved(config)
    except CitytradeError as error:
        return [Finding("alerts", "cannot be sent", str(error))]
    if alerts.command and not config.is_named:
        return [
            Finding(
                "alerts",
                "the command is not run",
                f"{config.path} was found, not named: name it with --config, here and for"
                " `citytrade refresh`.",
            )
        ]
    ways = (
        ["command"] * bool(alerts.command)
        + ["webhook"] * bool(alerts.webhook)
        + [address.split(":")[0] for address in alerts.services]
    )
    return [Finding("alerts", f"go to: {', '.join(ways)}")]


def _leftovers(config: Config) -> Finding:
    if lock.state(config.home) is not None:
        return Finding("leftovers", "not looked for while a refresh runs")
    found = [
        path.relative_to(config.home).as_posix() if path.is_relative_to(config.home) else path.name
        for path in leftovers(config)
    ]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    remedy = (
        "Refreshes that were ended left these. Run `citytrade refresh`: it removes them."
        if found
        else ""
    )
    return Finding("leftovers", ", ".join(found[:SHOWN]) + more or "none", remedy)


def _seals(config: Config) -> list[Finding]:
    """One finding a release whose files are not as they were published, or one that says that all
    are.
    """
    broken = broken_releases(config.home)
    current = current_release(config.home)
    found = []
    for name, wrong in broken.items():
        if wrong:
            remedy = (
                "Run `citytrade refresh`: it builds it again."
                if name == current
                else f"Run `citytrade rebuild {name}`, or do not use it."
            )
            found.append(
                Finding(
                    "seal",
                    f"{name}: {'; '.join(wrong[:SHOWN])}",
                    f"Release {name} was changed after its publication. {remedy}",
                )
            )
    return found or [Finding("seals", f"{len(broken)} releases as they were published")] * bool(
        broken
    )


def _foreign_duckdb(config: Config) -> Finding | None:
    """What to do where another version of DuckDB wrote the release: an older one than that cannot
    open it.
    """
    release = current_release(config.home)
    assert release is not None
    try:
        wrote = read_manifest(config.home, release).packages.get("duckdb")
    except ReleaseError as error:
        return Finding("release", f"{release}: its manifest cannot be read", str(error))
    here = duckdb.__version__
    if wrote is None or wrote == here:
        return None
    remedy = (
        f"Install the pinned packages (duckdb {wrote}), or run `citytrade refresh`: it builds the"
        f" release anew with DuckDB {here}."
    )
    return Finding(
        "release", f"{release} was written by DuckDB {wrote}, and this is DuckDB {here}", remedy
    )
