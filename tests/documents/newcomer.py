"""The first steps as a newcomer takes them, from an empty folder, with the time of each.

    python -m tests.documents.newcomer [--small] [PAGE …]

It clones this repository as it is committed, sets it up and builds the world as the pages' first
block says (--small: the smaller world that the page speaks of), then runs what follows on each
page, in the order of the page: blocks of python, SQL and shell, and of the transcripts what a
newcomer would type (`citytrade refresh`, `citytrade panel`). What serves for ever or asks for a
second release is left out, and named.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.documents.blocks import Block, blocks
from warehouse.project import PROJECT

START = PROJECT / "docs" / "start"
TYPED = ("citytrade refresh --config", "citytrade panel")
CLONE = "git clone <this repository> citytrade && cd citytrade"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Take the first steps from an empty folder.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="analyst, … (all if none)")
    parser.add_argument("--small", action="store_true", help="the small world")
    given = parser.parse_args(arguments)
    pages = [START / f"{name}.md" for name in given.pages] or sorted(START.glob("*.md"))
    with tempfile.TemporaryDirectory(prefix="newcomer-") as name:
        folder = Path(name)
        began = time.monotonic()
        _set_up(folder, given.small)
        made = time.monotonic() - began
        world = "small" if given.small else "default"
        print(f"set up, {world} world built: {made:.0f} s", flush=True)
        for page in pages:
            began = time.monotonic()
            for block in blocks(page)[1:]:
                _take(block, folder)
            took = time.monotonic() - began
            print(f"{page.stem}: {took:.0f} s, with the set-up {made + took:.0f} s", flush=True)
    return 0


def _set_up(folder: Path, small: bool) -> None:
    first = next(block for block in blocks(START / "analyst.md") if block.language == "console")
    lines = list(_typed(first.text))
    assert lines[0] == CLONE, lines
    assert lines[1:] == ["make refresh", "source .venv/bin/activate"], lines
    _shell(folder, f"git clone -q {PROJECT} citytrade")
    if small:
        file = folder / "citytrade" / "citytrade.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('scale = "paper"', 'scale = "small"'), encoding="utf-8")
    _shell(folder / "citytrade", "make refresh")


def _take(block: Block, folder: Path) -> None:
    """Run a block with the newcomer's own Python and command line."""
    if block.language == "python":
        # Names of one block are there in the next: a page's blocks are kept together.
        kept = folder / f"{block.page.stem}.py"
        before = kept.read_text(encoding="utf-8") if kept.is_file() else ""
        kept.write_text(before + block.text, encoding="utf-8")
        _shell(folder / "citytrade", f"python {kept}")
    elif block.language == "sql":
        for statement in filter(str.strip, block.text.split(";\n")):
            _command(folder, ["citytrade", "sql", statement])
    elif block.language == "sh":
        _shell(folder / "citytrade", block.text)
    elif block.language == "console":
        for line in _typed(block.text):
            if line.startswith(TYPED):
                _shell(folder / "citytrade", line)
            else:
                print(f"  {block.place}: not taken: {line}", flush=True)


def _typed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("$ "):
            yield re.sub(r"\s+#.*", "", line[2:]).strip()


def _shell(folder: Path, lines: str) -> None:
    _command(folder, [shutil.which("bash") or "bash", "-euo", "pipefail", "-c", lines])


def _command(folder: Path, words: list[str]) -> None:
    there = folder if folder.name == "citytrade" else folder / "citytrade"
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CITYTRADE_", "PYTHON", "VIRTUAL_ENV"))
    }
    path = os.pathsep.join((str(there / ".venv" / "bin"), os.environ["PATH"]))
    where = there if there.is_dir() else folder
    done = subprocess.run(words, cwd=where, env={**kept, "PATH": path})
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}")


if __name__ == "__main__":
    sys.exit(main())
