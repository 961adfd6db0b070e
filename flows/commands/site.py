"""`citytrade site`: the published release as pages that open from disk."""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any

from flows.telling.lines import say_at_once
from warehouse.settings.config import load_config

FOLDER = "site"  # beside the lake and the releases, in the configuration's home


def add_commands(commands: Any, command: Any) -> None:
    """Its arguments; `command` makes it, as the other rooms do."""
    site = command(
        commands, "site", run_site,
        "write the published release as pages that open from disk: panels, map, sources, papers",
    )  # fmt: skip
    site.add_argument(
        "--out", type=Path, metavar="DIR",
        help="the folder (default: `site` in the configuration's home); one that is not empty and"
        " was not made by this command is refused",
    )  # fmt: skip
    site.add_argument(
        "--figures", action="store_true",
        help="estimate and draw the papers' figures too, which takes minutes",
    )  # fmt: skip


def run_site(given: argparse.Namespace) -> None:
    from analysis.report.site import build_site
    from flows.doors.export import save

    began = perf_counter()
    config = load_config(given.config)
    out = given.out if given.out is not None else config.home / FOLDER
    release = build_site(config, out, save, say_at_once, given.figures)
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    print(
        f"{out / 'index.html'}: release {release}, {size / 1e6:.1f} MB,"
        f" {perf_counter() - began:.1f} s"
    )
