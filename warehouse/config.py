"""The configuration: one TOML file that names the raw files and the folder that citytrade keeps.

Relative paths start at the configuration file's own folder; `${NAME}` takes an environment variable.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warehouse.errors import ConfigError

CONFIG_NAME = "citytrade.toml"
CONFIG_VARIABLE = "CITYTRADE_CONFIG"
KNOWN_KEYS = {
    "warehouse": {"home", "first_year", "last_year"},
    "simulate": {"directory", "scale", "seed"},
    "source": {"files", "flow"},
}


@dataclass(frozen=True)
class SimulateSettings:
    """Which simulated world stands in for the licensed raw files."""

    directory: Path
    scale: str
    seed: int


@dataclass(frozen=True)
class SourceSettings:
    """Where one source's raw files are found, and what only the user can know about them."""

    patterns: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """A checked configuration; every path in it is absolute."""

    path: Path
    home: Path
    first_year: int
    last_year: int
    sources: dict[str, SourceSettings]
    simulate: SimulateSettings | None

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def builds(self) -> Path:
        return self.home / "builds"

    @property
    def current(self) -> Path:
        """The link that readers follow; it always points at one whole release."""
        return self.home / "current"


def find_config(path: str | os.PathLike[str] | None = None) -> Path:
    """The configuration in force: the one named, the variable's, or the nearest one above this folder."""
    if path is not None:
        found = Path(path)
    elif CONFIG_VARIABLE in os.environ:
        found = Path(os.environ[CONFIG_VARIABLE])
    else:
        here = Path.cwd()
        candidates = [folder / CONFIG_NAME for folder in (here, *here.parents)]
        candidates.append(Path(__file__).resolve().parent.parent / CONFIG_NAME)
        found = next((c for c in candidates if c.is_file()), Path(CONFIG_NAME))
    if not found.is_file():
        raise ConfigError(f"{found}: no such configuration file. Name one with --config FILE, or copy citytrade.toml from the project.")
    return found.resolve()


def load_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Read and check a configuration.

    Raises
    ------
    ConfigError : a missing file, TOML that does not parse, an unknown key (the nearest known one is named),
        a variable that is not set, years in the wrong order, or a path pattern that leaves its folder.
    """
    from warehouse.sources import SOURCES

    file = find_config(path)
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML ({error}). Mend that line and try again.") from error

    _refuse_unknown(file, "the file", raw, {"warehouse", "simulate", "sources"})
    settings = raw.get("warehouse", {})
    _refuse_unknown(file, "[warehouse]", settings, KNOWN_KEYS["warehouse"])
    _refuse_unknown(file, "[sources]", raw.get("sources", {}), set(SOURCES))
    first, last = settings.get("first_year", 2000), settings.get("last_year", 2021)
    if not (isinstance(first, int) and isinstance(last, int) and 1949 <= first <= last <= 2100):
        raise ConfigError(f"{file}, [warehouse]: first_year = {first!r} and last_year = {last!r} are not two years in order. Give e.g. 2003 and 2023.")

    sources = {}
    for name, given in raw.get("sources", {}).items():
        _refuse_unknown(file, f"[sources.{name}]", given, KNOWN_KEYS["source"])
        patterns = given.get("files", [])
        if isinstance(patterns, str) or not patterns or not all(isinstance(p, str) for p in patterns):
            raise ConfigError(f'{file}, [sources.{name}]: files must be a list of patterns, such as files = ["customs/*.csv"].')
        options = {key: str(value) for key, value in given.items() if key != "files"}
        sources[name] = SourceSettings(tuple(str(_absolute(file, p)) for p in patterns), options)

    return Config(
        path=file,
        home=_absolute(file, settings.get("home", "data")),
        first_year=first,
        last_year=last,
        sources=sources,
        simulate=_simulate_settings(file, raw.get("simulate")),
    )


def matched_files(patterns: tuple[str, ...]) -> list[Path]:
    """Files that the patterns name, sorted; a link that leads out of a pattern's own folder is refused.

    Raises
    ------
    ConfigError : a pattern that matches nothing, or a match outside the folder that the pattern starts from.
    """
    found: set[Path] = set()
    for pattern in patterns:
        folder = Path(re.split(r"[*?\[]", pattern, maxsplit=1)[0])
        folder = (folder if pattern.startswith(f"{folder}{os.sep}") else folder.parent).resolve()
        matches = [Path(match) for match in glob.glob(pattern, recursive=True) if os.path.isfile(match)]
        if not matches:
            raise ConfigError(f"{pattern}: no file matches. Check the path, or take the source out of the configuration: its columns will be null.")
        for match in matches:
            if not match.resolve().is_relative_to(folder):
                raise ConfigError(f"{match}: leads out of {folder}. Copy the file into the data folder instead of linking to it.")
            found.add(match)
    return sorted(found)


def _simulate_settings(file: Path, given: dict[str, Any] | None) -> SimulateSettings | None:
    if given is None:
        return None
    _refuse_unknown(file, "[simulate]", given, KNOWN_KEYS["simulate"])
    scale = given.get("scale", "paper")
    if scale not in ("small", "paper"):
        raise ConfigError(f"{file}, [simulate]: scale = {scale!r}; it is 'small' or 'paper'.")
    return SimulateSettings(_absolute(file, given.get("directory", "data/simulated")), scale, int(given.get("seed", 1)))


def _absolute(file: Path, text: str) -> Path:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(f"{file}: the variable {name} is not set. Set it, for instance: export {name}=/folder/of/raw/files.")
        return str(Path(os.environ[name]).absolute())

    return Path(os.path.normpath(file.parent / re.sub(r"\$\{(\w+)\}", value, text)))


def _refuse_unknown(file: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
            raise ConfigError(f"{file}, {where}: unknown key {key!r}. {hint}")
