"""What a refresh would be made from, and whether the published release was made from just that."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.errors import ConfigError
from warehouse.lake.loads import fingerprint
from warehouse.project import PROJECT
from warehouse.releases.publish import DATABASE, Manifest, current_release, read_manifest
from warehouse.settings.config import Config
from warehouse.settings.patterns import matched_files
from warehouse.sources.reading.encodings import shown_name

CODE_FOLDERS = ("warehouse", "dbt_project", "expectations", "flows", "analysis/measures")
NOT_CODE = {"__pycache__", "target", "logs", "dbt_packages", ".user.yml"}
PACKAGES = (
    "duckdb", "dbt-core", "dbt-duckdb", "great-expectations", "prefect", "pandas", "numpy",
    "pyarrow", "python-calamine", "scipy", "jieba",
)  # fmt: skip
TRUTH = "truth.json"


@dataclass(frozen=True)
class Inputs:
    """The raw files of each configured source and the fingerprints of everything that decides a
    release.

    problems : source -> why its files cannot be listed
    simulated : sources whose files belong to a simulated world
    """

    files: Mapping[str, tuple[Path, ...]]
    problems: Mapping[str, str]
    simulated: frozenset[str]
    fingerprint: str
    code: str
    packages: Mapping[str, str]

    @property
    def files_n(self) -> int:
        return sum(len(files) for files in self.files.values())


def find_inputs(config: Config) -> Inputs:
    """List and fingerprint every configured raw file, by its bytes, and the code that reads it."""
    files: dict[str, tuple[Path, ...]] = {}
    problems: dict[str, str] = {}
    for name, settings in config.sources.items():
        try:
            files[name] = tuple(matched_files(settings.patterns))
        except ConfigError as error:
            files[name], problems[name] = (), str(error)
    everything = sorted({file for found in files.values() for file in found})
    with ThreadPoolExecutor(max_workers=2) as pool:
        prints = dict(zip(everything, pool.map(_print_of, everything), strict=True))
    said: dict[str, Any] = {"years": [config.first_year, config.last_year]}
    for name, found in files.items():
        options = sorted(config.sources[name].options.items())
        # Totals that were mended in the configuration are a reason to refresh too.
        said[name] = [
            options,
            repr(config.sources[name].controls),
            problems.get(name),
            sorted((shown_name(file), prints[file]) for file in found),
        ]
    simulated = frozenset(
        name for name, found in files.items() if any(is_simulated(config, file) for file in found)
    )
    if config.choices:
        said["choices"] = config.choices
    said["simulated"] = sorted(simulated)
    return Inputs(files, problems, simulated, _digest(said), code_fingerprint(), package_versions())


def is_simulated(config: Config, file: Path) -> bool:
    """Whether a raw file belongs to a simulated world: the configured one, or any with its truth
    beside it.
    """
    if config.simulate is not None and file.is_relative_to(config.simulate.directory):
        return True
    return any((folder / TRUTH).is_file() for folder in list(file.parents)[:3])


def code_fingerprint(project: Path = PROJECT) -> str:
    """SHA-256 over the names and bytes of all code and seeds that a release depends on."""
    digest = hashlib.sha256()
    for folder in CODE_FOLDERS:
        for file in sorted((project / folder).rglob("*")):
            if (
                file.is_file()
                and not NOT_CODE & set(file.relative_to(project).parts)
                and file.suffix not in (".pyc", ".log")
            ):
                digest.update(f"{file.relative_to(project)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def code_version(project: Path = PROJECT) -> str:
    """The commit that the code was taken from, "+" after it if tracked files were changed since;
    empty outside a clone.
    """
    try:
        commit = _git(project, "rev-parse", "HEAD")
        return commit + (
            "+" if _git(project, "status", "--porcelain", "--untracked-files=no") else ""
        )
    except (OSError, subprocess.SubprocessError):
        return ""


def _git(project: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-C", str(project), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    ).stdout.strip()


def package_versions() -> dict[str, str]:
    """The versions of the packages that a release's numbers depend on."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def published(config: Config) -> Manifest | None:
    """The manifest of the release that readers get now, or None before the first."""
    release = current_release(config.home)
    return read_manifest(config.home, release) if release is not None else None


def is_unchanged(config: Config, inputs: Inputs, manifest: Manifest | None) -> bool:
    """Whether a rebuild would give the published release again."""
    return (
        manifest is not None
        and manifest.input_fingerprint == inputs.fingerprint
        and manifest.code_fingerprint == inputs.code
        and manifest.packages == inputs.packages
        and (config.current / DATABASE).is_file()
    )


def _print_of(file: Path) -> str:
    try:
        return fingerprint(file)
    except OSError as error:
        return f"unreadable: {error.strerror}"


def _digest(value: object) -> str:
    return hashlib.sha256(
        json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    ).hexdigest()
