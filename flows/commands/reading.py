"""The commands that read what is published; each imports what it needs, so that all start
quickly.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, BinaryIO

from flows.telling.lines import say_at_once
from warehouse.errors import CitytradeError
from warehouse.settings.config import load_config


def run_sql(given: argparse.Namespace) -> int:
    from warehouse.query.limits import Limits

    config, limits = load_config(given.config), Limits(given.seconds, given.memory)
    if given.statement is None:
        from flows.doors.shell import run_shell

        return run_shell(config, limits, given.format, given.limit)
    from flows.doors.sql import run_sql as run

    run(
        config,
        given.statement,
        given.format,
        given.limit,
        limits,
        binary_output() if given.format == "parquet" else None,
    )
    return 0


def run_panels(given: argparse.Namespace) -> None:
    from warehouse.store import panels

    config = load_config(given.config)
    _print_frame(panels(config), given)
    _tell_simulated(config, given)


def run_describe(given: argparse.Namespace) -> None:
    from warehouse.store import describe

    frame = describe(given.name, load_config(given.config))
    if given.format == "table":  # which is in English; a line has no room for a definition twice
        frame = frame.drop(columns="definition_zh", errors="ignore")
    _print_frame(frame, given)


def run_cite(given: argparse.Namespace) -> None:
    from flows.doors.citing import as_bibtex, as_text
    from warehouse.store import citations

    frame = citations(given.name, load_config(given.config))
    written = {"text": as_text, "bibtex": as_bibtex}
    if given.format in written:
        print(written[given.format](frame))
    else:
        _print_frame(frame, given)


def run_panel(given: argparse.Namespace) -> None:
    from warehouse.store import panel

    config = load_config(given.config)
    frame = panel(given.name, _years(given.years), given.columns, config)
    if given.output is None:
        _print_frame(frame, given)
    else:
        from flows.doors.export import save

        saved = save(frame, given.output, given.labels)
        print(f"{saved}: {len(frame):,} rows of {given.name}, release {frame.attrs['release']}")
    _tell_simulated(config, given)


def run_export_all(given: argparse.Namespace) -> None:
    from flows.doors.export import save_all

    config = load_config(given.config)
    names = save_all(config, given.directory, given.form, say_at_once, given.labels)
    print(f"{given.directory}: {len(names)} panels with dictionary.csv and README.txt")
    _tell_simulated(config, given)


def run_publish(given: argparse.Namespace) -> None:
    from flows.doors.publishing import publish

    config = load_config(given.config)
    release = publish(config, given.address, say_at_once)
    print(f"{given.address}: release {release} is the newest there")
    _tell_simulated(config, given)


def run_releases(given: argparse.Namespace) -> None:
    from warehouse.store import releases

    _print_frame(releases(load_config(given.config)), given)


def run_diff(given: argparse.Namespace) -> None:
    from flows.doors.releases import diff_text
    from warehouse.store import diff

    frame = diff(given.old, given.new, load_config(given.config))
    if given.cells or given.format != "table":
        _print_frame(frame, given)
    else:
        print(diff_text(frame, given.limit))


def binary_output() -> BinaryIO:
    """Standard output for bytes.

    Raises
    ------
    CitytradeError : it is a terminal, which would take them for commands.
    """
    if sys.stdout.isatty():
        raise CitytradeError(
            "--format parquet writes bytes, and a terminal shows none: add > FILE.parquet."
        )
    sys.stdout.flush()
    return sys.stdout.buffer


def _years(years: list[int] | None) -> int | tuple[int, int] | None:
    if years is None:
        return None
    if len(years) > 2:
        raise CitytradeError(
            "--years takes one year, or the first and the last, such as --years 2003 2011."
        )
    return years[0] if len(years) == 1 else (years[0], years[1])


def _print_frame(frame: Any, given: argparse.Namespace) -> None:
    from flows.doors.export_files import frame_rows, write_parquet
    from flows.telling.printing import table, write_csv, write_json

    names = list(frame.columns)
    if given.format == "csv":
        write_csv(names, frame_rows(frame), sys.stdout)
    elif given.format == "json":
        write_json(names, frame_rows(frame), sys.stdout)
    elif given.format == "parquet":
        write_parquet(frame, binary_output())
    else:
        print(table(names, list(frame_rows(frame.head(given.limit)))))
        if len(frame) > given.limit:
            print(
                f"{len(frame) - given.limit:,} more rows of {len(frame):,}; --format csv or json"
                " gives all, --limit N more."
            )


def _tell_simulated(config: Any, given: argparse.Namespace) -> None:
    """On a terminal's table say whose numbers these are; csv and json stay clean, and say it on
    stderr.
    """
    from flows.telling.lines import SIMULATED
    from warehouse.store import connect

    with connect(config) as connection:
        row = connection.execute("select is_simulated from meta.releases where is_this").fetchone()
    if row is not None and row[0]:
        print(
            SIMULATED,
            file=sys.stdout if getattr(given, "format", "table") == "table" else sys.stderr,
        )
