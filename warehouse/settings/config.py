"""The configuration: one TOML file that names the raw files and the folder that citytrade keeps.

Relative paths start at the configuration file's own folder; `${NAME}` takes an environment
variable.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from warehouse.errors import ConfigError
from warehouse.project import PROJECT
from warehouse.settings import keys
from warehouse.settings.choices import parse_choices
from warehouse.settings.controls import (
    Alerts,
    Controls,
    parse_alerts,
    parse_controls,
    refuse_addresses,
)
from warehouse.settings.memory import parse_memory
from warehouse.settings.spark import SparkSettings, parse_spark
from warehouse.settings.tables import as_option, parse_tables

CONFIG_NAME = "citytrade.toml"
CONFIG_VARIABLE = "CITYTRADE_CONFIG"
TABLES = ("warehouse", "simulate", "sources", "choices", "alerts", "spark")
LARGEST_BYTES = 4_000_000
UNUSABLE = "#?%"  # they end or escape parts of the addresses by which databases are opened
FLOWS = ("export", "import")


@dataclass(frozen=True)
class SimulateSettings:
    """Which simulated world stands in for the licensed raw files."""

    directory: Path
    scale: str
    seed: int


@dataclass(frozen=True)
class SourceSettings:
    """Where one source's raw files are found, and what only the user can know about them.

    options : setting -> text, as the source's readers look it up; a list of patterns stands one a
        line
    """

    patterns: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    controls: Controls = field(default_factory=Controls)


@dataclass(frozen=True)
class Config:
    """A checked configuration; every path in it is absolute."""

    path: Path
    home: Path
    first_year: int
    last_year: int
    sources: dict[str, SourceSettings]
    simulate: SimulateSettings | None
    alerts: Alerts = field(default_factory=Alerts)
    choices: dict[str, Any] = field(default_factory=dict)  # those made; the others are defaults
    spark: SparkSettings = field(default_factory=SparkSettings)
    memory: str | None = None  # of each database of a refresh, such as 2000MB
    is_named: bool = (
        True  # False where the file was found rather than named: then nothing that it names is run
    )

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def builds(self) -> Path:
        return self.home / "builds"

    @property
    def spill(self) -> Path:
        """What goes over the limit of memory while a release is built."""
        return self.builds / ".spill"

    @property
    def current(self) -> Path:
        """The link that readers follow; it always points at one whole release."""
        return self.home / "current"


def find_config(path: str | os.PathLike[str] | None = None) -> Path:
    """The configuration in force: the one named, the variable's, or the nearest one above this
    folder.
    """
    if path is not None:
        found = Path(path)
    elif CONFIG_VARIABLE in os.environ:
        found = Path(os.environ[CONFIG_VARIABLE])
    else:
        here = Path.cwd()
        candidates = [folder / CONFIG_NAME for folder in (here, *here.parents)]
        candidates.append(PROJECT / CONFIG_NAME)
        found = next((c for c in candidates if c.is_file()), Path(CONFIG_NAME))
    if "\0" in str(found) or not found.is_file():
        raise ConfigError(
            f"{found}: no such configuration file. Name one with --config FILE, or copy"
            " citytrade.toml from the project."
        )
    return found.resolve()


def load_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Read and check a configuration.

    Raises
    ------
    ConfigError : a missing file, TOML that does not parse, an unknown key (the nearest known one is
        named),
        a value of another kind than expected, a variable that is not set, or years in the wrong
        order.
    """
    from warehouse.sources import SOURCES

    file = find_config(path)
    raw = _parsed(file)
    _refuse_unknown(file, "the file", raw, set(TABLES))
    settings = _table(file, "warehouse", raw.get("warehouse", {}), set(keys.WAREHOUSE))
    sources = _table(file, "sources", raw.get("sources", {}), set(SOURCES))
    first, last = settings.get("first_year", 2000), settings.get("last_year", 2021)
    if not (isinstance(first, int) and isinstance(last, int) and 1949 <= first <= last <= 2100):
        raise ConfigError(
            f"{file}, [warehouse]: first_year = {first!r} and last_year = {last!r} are not two"
            " years in order. Give e.g. 2003 and 2023."
        )

    home = _absolute(file, _text(file, "[warehouse]", "home", settings.get("home", "data")))
    refuse_signs(f"{file}, [warehouse]: home", home)
    return Config(
        path=file,
        home=home,
        first_year=first,
        last_year=last,
        sources={name: _source_settings(file, name, given) for name, given in sources.items()},
        simulate=_simulate_settings(file, raw.get("simulate")),
        alerts=_alerts(file, raw.get("alerts", {})),
        choices=parse_choices(f"{file}, [choices]", raw.get("choices", {})),
        spark=parse_spark(
            f"{file}, [spark]", _table(file, "spark", raw.get("spark", {}), set(keys.SPARK))
        ),
        memory=parse_memory(f"{file}, [warehouse]", settings.get("memory")),
        is_named=path is not None or CONFIG_VARIABLE in os.environ,
    )


def _parsed(file: Path) -> dict[str, Any]:
    """A configuration's tables, none of them looked at yet."""
    try:
        return tomllib.loads(_whole_text(file))
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot be read ({error.strerror}). Give yourself the right to read it."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{file}: not valid TOML ({error}). Mend that line and try again."
        ) from error
    except RecursionError as error:
        raise ConfigError(
            f"{file}: not a configuration: brackets are nested without end. Compare it with the"
            " project's citytrade.toml."
        ) from error


def with_secrets(config: Config) -> Alerts:
    """Whom to alert, with the variables in their addresses filled in; only what sends alerts needs
    those.

    Raises
    ------
    ConfigError : a variable that is not set, or an address that is none.
    """
    where = f"{config.path}, [alerts]"
    filled = [
        re.sub(r"\$\{(\w+)\}", lambda match: _variable(config.path, match.group(1)), text).strip()
        for text in (config.alerts.webhook, *config.alerts.services)
    ]
    refuse_addresses(where, filled[0], filled[1:])
    return replace(config.alerts, webhook=filled[0], services=tuple(filled[1:]))


def _whole_text(file: Path) -> str:
    """A configuration's text, of a size that one has.

    Raises
    ------
    ConfigError : a file too large to be one.
    """
    if file.stat().st_size > LARGEST_BYTES:
        raise ConfigError(
            f"{file}: is {file.stat().st_size / 1e6:.0f} MB large, and no configuration is. Name"
            " the right file with --config."
        )
    return file.read_text(encoding="utf-8-sig")


def refuse_signs(what: str, folder: Path) -> None:
    """
    Raises
    ------
    ConfigError : a folder whose name holds a sign that the databases below it would read as a part
        of an address.
    """
    signs = [sign for sign in UNUSABLE if sign in str(folder)]
    if signs or any(not sign.isprintable() for sign in str(folder)):
        held = " and ".join(signs) or "a sign that cannot be printed"
        raise ConfigError(
            f"{what} = {str(folder)!r} holds {held}, with which no database can be kept there."
            " Rename that folder, or choose another."
        )


def _source_settings(file: Path, name: str, given: object) -> SourceSettings:
    own = keys.OF_SOURCES.get(name, {})
    known = keys.FILES | keys.CONTROLS | own
    settings = dict(_table(file, f"sources.{name}", given, set(known)))
    where = f"{file}, [sources.{name}]"
    tables = parse_tables(
        where, name, settings.pop("tables", {}), lambda pattern: _absolute_pattern(file, pattern)
    )
    patterns = settings.get("files", [])
    if (
        not isinstance(patterns, list)
        or not (patterns or tables)
        or not all(isinstance(p, str) and "\0" not in p for p in patterns)
    ):
        raise ConfigError(
            f'{where}: files must be a list of patterns, such as files = ["customs/*.csv"].'
        )
    options = {
        key: _option(file, f"[sources.{name}]", key, value)
        for key, value in sorted(settings.items())
        if key in own and key not in keys.VALUES
    }
    if tables:
        options["tables"] = as_option(tables)
    named = [
        *(_absolute_pattern(file, p) for p in patterns),
        *(pattern for table in tables for pattern in table.patterns),
    ]
    return SourceSettings(
        tuple(dict.fromkeys(named)), options, parse_controls(where, name, settings)
    )


def _alerts(file: Path, raw: object) -> Alerts:
    return parse_alerts(f"{file}, [alerts]", _table(file, "alerts", raw, set(keys.ALERTS)))


def _option(file: Path, where: str, key: str, given: object) -> str:
    """A setting of one source as text."""
    if key == "flow":
        if given not in FLOWS:
            near = difflib.get_close_matches(str(given), FLOWS, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else "It is 'export' or 'import'."
            raise ConfigError(f"{file}, {where}: flow = {given!r}. {hint}")
        return str(given)
    if (
        not isinstance(given, list)
        or not given
        or not all(isinstance(p, str) and p.strip() for p in given)
    ):
        raise ConfigError(
            f"{file}, {where}: {key} must be a list of file names or patterns, such as {key} ="
            f' ["*_{key[:6]}.csv"].'
        )
    return "\n".join(given)


def _simulate_settings(file: Path, raw: object) -> SimulateSettings | None:
    if raw is None:
        return None
    given = _table(file, "simulate", raw, set(keys.SIMULATE))
    scale = given.get("scale", "paper")
    if scale not in ("small", "paper"):
        raise ConfigError(f"{file}, [simulate]: scale = {scale!r}; it is 'small' or 'paper'.")
    seed = given.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ConfigError(
            f"{file}, [simulate]: seed = {seed!r} is not a whole number. Give e.g. seed = 1."
        )
    return SimulateSettings(
        _absolute(
            file, _text(file, "[simulate]", "directory", given.get("directory", "data/simulated"))
        ),
        scale,
        seed,
    )


def _absolute(file: Path, text: str) -> Path:
    return Path(os.path.normpath(file.parent / _with_variables(file, text)))


def _absolute_pattern(file: Path, text: str) -> str:
    """A pattern from the root on; wildcards count only where the user wrote them, not in the name
    of a folder or a variable's value.
    """
    return os.path.normpath(
        os.path.join(glob.escape(str(file.parent)), _with_variables(file, text, glob.escape))
    )


def _with_variables(file: Path, text: str, escape: Callable[[str], str] = str) -> str:
    def value(match: re.Match[str]) -> str:
        return escape(str(Path(_variable(file, match.group(1))).absolute()))

    return re.sub(r"\$\{(\w+)\}", value, text)


def _variable(file: Path, name: str) -> str:
    if name not in os.environ:
        raise ConfigError(
            f"{file}: the variable {name} is not set. Set it, for instance: export"
            f" {name}=/folder/of/raw/files."
        )
    return os.environ[name]


def _table(file: Path, name: str, given: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ConfigError(
            f"{file}: {name} = {given!r} is not a table. Write [{name}] on a line of its own, and"
            " its settings below."
        )
    _refuse_unknown(file, f"[{name}]", given, known)
    return given


def _text(file: Path, where: str, key: str, given: object) -> str:
    if not isinstance(given, str) or "\0" in given:
        raise ConfigError(
            f"{file}, {where}: {key} = {given!r} is not a path. Write it in quotes, such as {key} ="
            ' "data".'
        )
    return given


def _refuse_unknown(file: Path, where: str, given: dict[str, Any], known: set[str]) -> None:
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known), n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known))}."
            raise ConfigError(f"{file}, {where}: unknown key {key!r}. {hint}")
