"""What decides all tables of a release at once: packages, the machine, dbt's settings, and the code
that builds. And whether the dbt project, as a whole, is that of another release.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flows.refresh.inputs import NOT_CODE, PACKAGES
from flows.refresh.record import digest, digest_of_files
from warehouse.project import PROJECT
from warehouse.settings.config import Config

# Beside those that a release names: what dbt reads, renders and stores with.
MORE_PACKAGES = ("dbt-adapters", "dbt-common", "jinja2", "agate", "mashumaro", "pyyaml")
BUILDERS = (
    "flows/refresh/basis.py", "flows/refresh/conditions.py", "flows/refresh/dbt.py",
    "flows/refresh/dbt_job.py", "flows/refresh/reach.py", "flows/refresh/recipes.py",
    "flows/refresh/record.py", "flows/processes/supervised.py", "warehouse/closure.py",
    "warehouse/releases/meta.py",
)  # fmt: skip
MEASURES = ("analysis/__init__.py", "analysis/measures")
SETTINGS = "dbt_project.yml"
PROFILES = "profiles.yml"
MACROS = "dbt's own macros"


def conditions(dbt_project: Path) -> dict[str, str]:
    """Name -> what it is now, of everything that any table may depend on; the macros that take the
    place of dbt's own are added by who has parsed the project.
    """
    return {
        **{name: _version(name) for name in (*PACKAGES, *MORE_PACKAGES)},
        "Python": platform.python_version(),
        "the processor": digest([platform.machine(), _processor()]),
        "the C library": " ".join(platform.libc_ver()),
        SETTINGS: digest(_settings(dbt_project / SETTINGS)),
        PROFILES: digest_of_files([dbt_project / PROFILES], dbt_project),
        "dbt's environment": digest(
            sorted(item for item in os.environ.items() if item[0].startswith("DBT_"))
        ),
        "the code that builds": digest_of_files((PROJECT / name for name in BUILDERS), PROJECT),
    }


def project_digest(config: Config, dbt_project: Path) -> str:
    """Digest of everything that dbt's compiled code depends on, besides the conditions: models,
    macros, tests, seeds, variables, measures, and where the project lies.
    """
    files = [*_code(dbt_project), *(f for name in MEASURES for f in _code(PROJECT / name))]
    return digest([str(dbt_project), digest_of_files(files, PROJECT), variables(config)])


def variables(config: Config) -> dict[str, Any]:
    """What the models are told of a configuration."""
    return {"first_year": config.first_year, "last_year": config.last_year, **config.choices}


def _code(place: Path) -> Iterator[Path]:
    for file in [place] if place.is_file() else place.rglob("*"):
        parts = set(file.relative_to(place).parts)
        if file.is_file() and not NOT_CODE & parts and file.suffix not in (".pyc", ".log"):
            yield file


def _settings(file: Path) -> Any:
    """dbt's settings without variables, whose values compiled code shows."""
    import yaml

    settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: value for name, value in settings.items() if name != "vars"}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _processor() -> str:
    """What the processor is and can: libraries choose their code by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))
