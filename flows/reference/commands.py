"""The commands and their options, from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from flows.commands.arguments import parser
from flows.reference.markdown import code, head, table

TOLD = (
    "`citytrade COMMAND`. `--config FILE` may stand before or after the command; without it the"
    " nearest citytrade.toml counts. Exit codes: 0 done, 1 an error that is printed, 2 wrong"
    " usage, 3 published, but a source is in trouble."
)


def commands_page() -> str:
    """docs/reference/commands.md."""
    parts = [head("Commands", TOLD, "flows/commands")]
    for name, command in _commands(parser()):
        parts.append(f"\n## {name}\n\n{command.description}\n")
        actions = [action for action in command._actions if action.dest not in ("help", "config")]
        if actions:
            rows = [(_written(action), _default(action), _help(action)) for action in actions]
            parts.append("\n" + table(("argument", "if left out", "does"), rows))
    return "".join(parts)


def _commands(top: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command, in the order of `citytrade --help`."""
    [choices] = [a for a in top._actions if isinstance(a, argparse._SubParsersAction)]
    yield from choices.choices.items()


def _written(action: argparse.Action) -> str:
    """As one writes it: `-o, --output FILE`, `name`, `--format {a,b}`."""
    takes = "" if action.nargs == 0 else _metavar(action)
    if not action.option_strings:
        return code(f"[{takes}]" if action.nargs in ("?", "*") else takes)
    return code(f"{', '.join(action.option_strings)} {takes}".strip())


def _metavar(action: argparse.Action) -> str:
    if action.metavar is not None:
        name = str(action.metavar)
    elif action.choices is not None:
        name = "{" + ",".join(str(choice) for choice in action.choices) + "}"
    else:
        name = action.dest.upper() if action.option_strings else action.dest
    return f"{name} …" if action.nargs in ("+", "*") else name


def _default(action: argparse.Action) -> str:
    given = action.default
    if action.nargs == 0 or given in (None, "", (), []) or given == argparse.SUPPRESS:
        return ""
    return code(f"{given:g}" if isinstance(given, float) else str(given))


def _help(action: argparse.Action) -> str:
    """Its help; what the column of defaults says is not said twice."""
    return (action.help or "").split(" (default: ")[0]
