"""Data that pages read: scripts that hand rows to the page, since a page that is opened from disk
may run scripts beside it, but may not fetch files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.report.site.pages import script_data

SAFE = re.compile(r"[a-z0-9_]+")
WORLD = {True: "SIMULATED DATA, 模拟数据", False: "published files"}


class DataFolder:
    """The folder `data` of a site. Each file calls citytrade.data(name, value)."""

    def __init__(self, folder: Path, is_simulated: bool, release: str) -> None:
        self.folder = folder
        self._head = f"/* {WORLD[is_simulated]}, release {release} */\n"

    def put(self, name: str, value: Any) -> str:
        """Write a value under a name of small letters, digits and _; returns its place in the
        site.

        Raises
        ------
        ValueError : another name.
        """
        if not SAFE.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a data file")
        self.folder.mkdir(parents=True, exist_ok=True)
        text = f'{self._head}citytrade.data("{name}",{script_data(value)});\n'
        (self.folder / f"{name}.js").write_text(text, encoding="utf-8")
        return f"data/{name}.js"


def columns_of(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[str, list[Any]]:
    """Rows as one list a name: half the size of a mapping a row."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        for name in names:
            found[name].append(row[name])
    return found


def rounded(value: float | None) -> float | None:
    """Six figures that count: what a chart can show, in half the bytes; 100 and not 100.0, which
    are one number to a page.
    """
    if value is None or value != value:
        return None
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() else short
