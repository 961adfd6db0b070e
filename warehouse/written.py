"""Files that are written from something else: shown where they differ, and written."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path

from warehouse.project import PROJECT


def write_or_show(plan: Mapping[Path, str], check: bool) -> int:
    """Show how each file differs from what it should hold and, unless checking, write it; returns
    how many differ.
    """
    differing = 0
    for file, text in plan.items():
        before = file.read_text(encoding="utf-8") if file.is_file() else ""
        if before != text:
            differing += 1
            name = str(file.relative_to(PROJECT))
            lines = before.splitlines(keepends=True), text.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*lines, name, name, n=0))
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    return differing
