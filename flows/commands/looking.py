"""The commands that look at files and publish nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from warehouse.errors import ConfigError
from warehouse.settings.config import Config, load_config


def run_inspect(given: argparse.Namespace) -> int:
    from flows.commands.inspecting import looks

    config = _config_if_any(given.config)
    failed = 0
    for at, (text, is_told) in enumerate(looks(config, given.files)):
        if at:
            print()
        print(text, file=sys.stdout if is_told else sys.stderr, flush=True)
        failed += not is_told
    return 1 if failed else 0


def run_template(given: argparse.Namespace) -> None:
    from warehouse.sources.templates import template, templates, write_template

    chosen = template(given.source, given.layout)
    file = given.out if given.out is not None else Path(chosen.file)
    write_template(chosen, file)
    print(f"{file}: layout {chosen.layout} of {given.source}, with one example row to replace.")
    if chosen.in_name:
        print(f"The file's name must say {chosen.in_name}, as {chosen.file} does.")
    others = [one.layout for one in templates(given.source) if one.layout != chosen.layout]
    if others and given.layout is None:
        print(f"Other tables of {given.source}: --layout {', --layout '.join(others)}.")


def _config_if_any(path: str | None) -> Config | None:
    """The configuration in force, whose settings a file may need; a look needs none."""
    try:
        return load_config(path)
    except ConfigError:
        if path is not None:
            raise
        return None
