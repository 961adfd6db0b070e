"""Writes the vintages of GB/T 2260: the project's own list of divisions, whose content is real."""

from __future__ import annotations

import json
from pathlib import Path

from warehouse.simulate.model.geography import expanded_vintages


def write_divisions(folder: Path) -> None:
    for vintage, names in expanded_vintages().items():
        text = json.dumps(dict(sorted(names.items())), ensure_ascii=False, indent=2)
        (folder / f"SIMULATED_{vintage}.json").write_text(text + "\n", encoding="utf-8")
