"""Files that the patterns of a configuration name."""

from __future__ import annotations

import glob
import itertools
import os
import re
from pathlib import Path

from warehouse.errors import ConfigError

ESCAPED = re.compile(r"\[([*?\[])\]")  # as glob.escape writes a sign that is no wildcard


def matched_files(patterns: tuple[str, ...]) -> list[Path]:
    """Files that the patterns name, sorted; a link that leads out of a pattern's own folder is
    refused.

    Raises
    ------
    ConfigError : a pattern that matches nothing, or a match outside the folder that the pattern
        starts from.
    """
    found: set[Path] = set()
    for pattern in patterns:
        folder = _start_folder(pattern).resolve()
        matches = [
            Path(match) for match in glob.glob(pattern, recursive=True) if os.path.isfile(match)
        ]
        if not matches:
            raise ConfigError(
                f"{_unescaped(pattern)}: no file matches. Check the path, or take the source out of"
                " the configuration: its columns will be null."
            )
        for match in matches:
            if not match.resolve().is_relative_to(folder):
                raise ConfigError(
                    f"{match}: leads out of {folder}. Copy the file into the data folder instead of"
                    " linking to it."
                )
            found.add(match)
    return sorted(found)


def _start_folder(pattern: str) -> Path:
    """The folder that a pattern searches: its leading parts without wildcards."""
    parts = Path(pattern).parts
    plain = list(itertools.takewhile(lambda part: not glob.has_magic(ESCAPED.sub("", part)), parts))
    folder = Path(*(_unescaped(part) for part in plain))
    return folder if len(plain) < len(parts) else folder.parent


def _unescaped(pattern: str) -> str:
    return ESCAPED.sub(r"\1", pattern)
