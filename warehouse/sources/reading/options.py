"""What the configuration says of one file of a source: of all its tables, the one that names the
file.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from pathlib import Path

from warehouse.errors import SourceError

TABLES, TABLE = "tables", "table"


def options_for(path: Path, options: Mapping[str, str]) -> dict[str, str]:
    """A source's options with its tables (JSON: a list of `patterns` and `table`) narrowed down to
    that of one file.

    The load of a file so depends on its own table alone, and not on where the file lies.

    Raises
    ------
    SourceError : two tables name the file.
    """
    found = {key: value for key, value in options.items() if key != TABLES}
    tables = json.loads(options.get(TABLES, "[]"))
    here = path.absolute()
    mine = [
        entry for entry in tables if any(_matches(here, pattern) for pattern in entry["patterns"])
    ]
    if len(mine) > 1:
        named = " and ".join(entry["name"] for entry in mine)
        raise SourceError(
            path.name,
            "",
            f"is named by two tables of the configuration, {named}",
            "Let one of them name it",
        )
    if mine:
        found[TABLE] = json.dumps(mine[0]["table"], ensure_ascii=False, sort_keys=True)
    return found


def _matches(file: Path, pattern: str) -> bool:
    return any(Path(match) == file for match in glob.iglob(pattern, recursive=True))
