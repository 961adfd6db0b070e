"""`citytrade sql` without a statement: a shell on the published release, with history and
completion.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.doors.sql import Door
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.query.statements import GAP
from warehouse.settings.config import Config
from warehouse.store import release_folder

# As people know them from other shells.
ALIASES = {
    ".exit": ".quit", "exit": ".quit", "quit": ".quit", "\\q": ".quit", "help": ".help",
    "\\?": ".help", "\\h": ".help",
    "\\d": ".describe", "\\dt": ".tables",
}  # fmt: skip
PROMPT, MORE = "citytrade> ", "      ...> "
HISTORY_LINES = 2000
BLANK = re.compile(rf"{GAP}*", re.DOTALL)
TOKENS = re.compile(
    r"\b[eE]'(?:[^'\\]|\\.|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|\"(?:[^\"]|\"\")*(?:\"|$)"
    r"|\$(\w*)\$.*?(?:\$\1\$|\Z)|--[^\n]*|/\*.*?(?:\*/|$)|;",
    re.DOTALL,
)
WORD_ENDS = " \t\n()[]{},;=<>+-*/%|'\"`"
SQL_WORDS = (
    "select", "from", "where", "group by", "group by all", "order by", "limit", "having", "join",
    "left join", "using", "with", "as", "and", "or", "not", "in",
    "between", "is null", "is not null", "case", "when", "then", "else", "end", "count(*)", "sum(",
    "avg(", "min(", "max(", "median(", "round(", "over (",
    "partition by", "distinct", "union all", "desc", "describe", "summarize", "explain",
)  # fmt: skip
HELP = """Statements end with a semicolon and only read; the shell reads release {release}
until it is left.
  .panels         the panels        .tables         every table
  .describe NAME  a table's columns .format FORMAT  table, csv or json
  .help           this              .quit           leave (also exit, quit, Ctrl-D)
  \\dt and \\d NAME do the same as .tables and .describe NAME."""


class Shell:
    """A conversation on one release. Readers of a release keep it, also while another one is
    published.
    """

    def __init__(self, door: Door, form: str, limit: int) -> None:
        self.door, self.form, self.limit = door, form, limit
        (about,) = _asked(door, "select release, is_simulated from meta.releases where is_this")
        self.release, self.is_simulated = about["release"], about["is_simulated"]
        self.words = _words(door)
        self.failed = False

    def complete(self, text: str, state: int) -> str | None:
        """The state-th word that begins like the text: tables, columns, SQL, and commands after a
        dot at the line's start.
        """
        low = text.lower()
        pool = (
            (".panels", ".tables", ".describe", ".format", ".help", ".quit")
            if low.startswith(".")
            else self.words
        )
        found = [word for word in pool if word.lower().startswith(low)]
        return found[state] if state < len(found) else None

    def obey(self, line: str) -> bool:
        """Carry out a dot command; False when it says to leave."""
        command, _, argument = line.strip().rstrip("; ").partition(" ")
        command, argument = ALIASES.get(command.lower(), command), argument.strip()
        if command == ".describe" and not argument:
            command = ".panels"
        if command == ".quit":
            return False
        if command == ".panels":
            self.run(
                "select panel, grain, rows_n, first_year, last_year from meta.panels order by panel"
            )
        elif command == ".tables":
            self.run(
                "select table_schema, table_name from information_schema.tables where table_catalog"
                " = current_database() order by all"
            )
        elif command == ".describe" and re.fullmatch(r"[\w.]+", argument):
            self.run(f"describe {argument}")
        elif command == ".format" and argument in ("table", "csv", "json"):
            self.form = argument
        else:
            print(HELP.format(release=self.release))
        return True

    def run(self, statement: str) -> None:
        """Run one statement; what is wrong with it is said, and the shell goes on."""
        try:
            self.door.ask(statement, self.form, self.limit, sys.stdout)
        except CitytradeError as error:
            self.failed = True
            print(f"citytrade: {error}", file=sys.stderr)
        except KeyboardInterrupt:
            print("citytrade: the query was stopped.", file=sys.stderr)
        sys.stdout.flush()

    def talk(self) -> None:
        """Read statements until the end of input or .quit; a statement may span lines."""
        pending = ""
        while True:
            try:
                line = input((MORE if pending else PROMPT) if sys.stdin.isatty() else "")
            except EOFError:
                break
            except KeyboardInterrupt:
                pending = ""
                print()
                continue
            if not pending and is_command(line):
                if not self.obey(line):
                    return
                continue
            pending = f"{pending}\n{line}" if pending else line
            while (cut := end_of_statement(pending)) is not None:
                statement, pending = pending[:cut], pending[cut + 1 :].lstrip()
                if BLANK.fullmatch(statement) is None:
                    self.run(statement)
        if BLANK.fullmatch(pending) is None:
            self.run(pending)


def run_shell(config: Config, limits: Limits, form: str, limit: int) -> int:
    """Talk SQL with the person at the terminal, or run the statements of a pipe; the exit code is 1
    if one of a pipe failed.
    """
    with Door(release_folder(config), limits) as door:
        shell = Shell(door, form, limit)
        if sys.stdin.isatty():
            print(
                f"{'SIMULATED ' if shell.is_simulated else ''}release {shell.release}; .help says"
                " what else there is, Tab completes, Ctrl-D leaves."
            )
        with _line_editing(shell):
            shell.talk()
        return int(shell.failed and not sys.stdin.isatty())


def is_command(line: str) -> bool:
    """Whether a line is for the shell: it begins with a dot or a backslash, or is one of the words
    that leave or help.
    """
    first = line.strip().rstrip("; ").lower()
    return first.startswith((".", "\\")) or first in ALIASES


def end_of_statement(text: str) -> int | None:
    """Where the first semicolon stands that is in no quotes and no comment, or None."""
    for match in TOKENS.finditer(text):
        if match.group() == ";":
            return match.start()
    return None


def _asked(door: Door, statement: str) -> list[dict[str, Any]]:
    """A statement's rows, for the shell's own use."""
    answer = io.StringIO()
    door.ask(statement, "json", 0, answer)
    rows: list[dict[str, Any]] = json.loads(answer.getvalue())
    return rows


def _words(door: Door) -> tuple[str, ...]:
    """What a person may want to complete: SQL words, tables (with their schema where they need it)
    and columns of panels.
    """
    names = (
        "select distinct table_schema, table_name, column_name from information_schema.columns"
        " where table_catalog = current_database()"
    )
    rows = [tuple(row.values()) for row in _asked(door, names)]
    tables = {name if schema == "main" else f"{schema}.{name}" for schema, name, _ in rows}
    columns = {column for schema, _, column in rows if schema in ("main", "indices", "meta")}
    return tuple(sorted({*SQL_WORDS, *tables, *columns}))


@contextmanager
def _line_editing(shell: Shell) -> Iterator[None]:
    """Completion, and a history that lasts beyond the session, where Python was built with
    readline.
    """
    try:
        import readline
    except ImportError:  # for instance on a minimal build of Python
        yield
        return
    if not sys.stdin.isatty():
        yield
        return
    file = _history_file()
    _read_history(readline, file)
    readline.set_completer(shell.complete)
    readline.set_completer_delims(WORD_ENDS)
    readline.parse_and_bind(
        "bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete"
    )
    try:
        yield
    finally:
        readline.set_history_length(HISTORY_LINES)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # before the first line is in it
            readline.write_history_file(str(file))
            file.chmod(0o600)
        except OSError as error:
            print(f"citytrade: the history could not be kept ({error.strerror}).", file=sys.stderr)


def _read_history(readline: Any, file: Path) -> None:
    try:
        readline.read_history_file(str(file))
    except OSError:
        return  # the first session has none


def _history_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "state"
    )
    return Path(state) / "citytrade" / "sql_history"
