"""The blocks of a document, and what it takes to run one.

python, sql and sh are run, in the order of the page, each page in a folder of its own: names of one
python block are there in the next, files of one sh block too. console is a transcript: its commands
are not run, but they must exist and take what is given to them. A toml block must be a
configuration that can be read, where it is one. Everything else is for the eye.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.cli import main
from flows.commands.arguments import parser
from warehouse.project import PROJECT
from warehouse.settings.config import TABLES, load_config
from warehouse.store import connect

FENCE = re.compile(r"(?ms)^```([^\n`]*)\n(.*?)^```[ ]*$")
RUN = frozenset({"python", "sql", "sh"})
READ = frozenset({"console", "toml"})
SHOWN = frozenset({"text", "mermaid", "r", "stata", "bibtex"})
OPERATORS = frozenset("|&;<>()$`*?=\\")
SECONDS = 600


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, and the line on which that begins."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """A page's fenced blocks, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start(2)) + 1, found[1].strip(), found[2])
        for found in FENCE.finditer(text)
    ]


class Session:
    """One reader with a page open: a folder, the names that python has, and a configuration."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, block: Block) -> None:
        """Run a block as its reader would.

        Raises
        ------
        Exception : whatever it raises; AssertionError where a command ends with another code than 0
        """
        with contextlib.chdir(self.folder):
            if block.language == "python":
                # Empty lines before it, so that an error names the line of the page.
                text = "\n" * (block.line - 1) + block.text
                exec(compile(text, str(block.page), "exec"), self.names)
            elif block.language == "sql":
                self._ask(block)
            else:
                for lines in _commands(block.text):
                    self._shell(block, lines)

    def _ask(self, block: Block) -> None:
        with connect() as connection:
            for statement in block.text.split(";\n"):
                if re.sub(r"--.*", "", statement).strip():
                    connection.execute(statement).fetchall()

    def _shell(self, block: Block, lines: str) -> None:
        """A plain `citytrade …` runs here, since a process costs a second; all else in a shell."""
        words = shlex.split(lines, comments=True)
        if words[:1] == ["citytrade"] and not OPERATORS & set("".join(_unquoted(lines))):
            code = main(words[1:])
        else:
            path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
            done = subprocess.run(
                [shutil.which("bash") or "bash", "-euo", "pipefail", "-c", lines],
                env={**os.environ, "PATH": path, "PYTHONPATH": str(PROJECT)},
                timeout=SECONDS,
            )
            code = done.returncode
        assert code == 0, f"{block.place}: {lines.strip()} ended with {code}"


def look_at(block: Block, folder: Path) -> None:
    """What can be told of a block that is not run.

    Raises
    ------
    AssertionError : a command that there is not, or an argument that it does not take; a
        configuration that is refused.
    """
    if block.language == "console":
        for line in block.text.splitlines():
            if line.startswith("$ "):
                for words in _parts(line[2:]):
                    _known(block, words)
    elif block.language == "toml":
        given = tomllib.loads(block.text)
        if set(given) <= set(TABLES):
            file = folder / "block.toml"
            file.write_text(block.text, encoding="utf-8")
            load_config(file)


def _known(block: Block, words: list[str]) -> None:
    while words and "=" in words[0]:  # variables of that command alone
        words = words[1:]
    program = Path(words[0]).name if words else ""
    if program == "citytrade":
        try:
            parser().parse_args(words[1:])
        except SystemExit as refused:
            raise AssertionError(f"{block.place}: {shlex.join(words)} is refused") from refused
    elif program == "make":
        targets = re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"))
        wanted = {word for word in words[1:] if "=" not in word}
        assert wanted <= set(targets), f"{block.place}: make has no {wanted - set(targets)}"
    elif program.startswith("python") and "-m" in words:
        module = words[words.index("-m") + 1]
        there = importlib.util.find_spec(module) is not None
        assert there, f"{block.place}: there is no module {module}"


def _parts(line: str) -> Iterator[list[str]]:
    """The commands of a line: those that && or a bar parts, without what > sends elsewhere."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters = "#"
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word in ("&&", "|", ";", ">", ">>"):
            yield words
            words = []
            if word.startswith(">"):
                return
        else:
            words.append(word)
    yield words


def _commands(text: str) -> Iterator[str]:
    """The commands of a sh block: a line each, with those that it goes on to (\\, a quote, <<)."""
    waiting = ""
    for line in text.splitlines(keepends=True):
        waiting += line
        if not _goes_on(waiting):
            if waiting.strip() and not waiting.lstrip().startswith("#"):
                yield waiting
            waiting = ""
    assert not waiting, f"a command does not end: {waiting}"


def _goes_on(text: str) -> bool:
    here = re.search(r"<<-?\s*['\"]?(\w+)", text)
    if here is not None:
        return not re.search(rf"(?m)^{here[1]}$", text.split("\n", 1)[1])
    try:
        shlex.split(text, comments=True)
    except ValueError:  # a quote that is open
        return True
    return text.rstrip("\n").endswith("\\")


def _unquoted(text: str) -> Iterator[str]:
    """What stands outside of quotes, before a comment."""
    text = re.sub(r"\s#.*", "", text)
    yield re.sub(r"'[^']*'|\"[^\"$`]*\"", "", text)
