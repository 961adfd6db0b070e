"""The command line: `citytrade COMMAND`. Each command imports what it needs, so that all start quickly."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MISSING = "citytrade: the package {name} is missing. Run `pip install -c constraints.txt -e .` in the project's folder."
try:
    from warehouse.errors import CitytradeError
    from warehouse.settings.config import load_config
except ModuleNotFoundError as missing:
    sys.exit(MISSING.format(name=missing.name))

DEFAULT_LIMIT = 40
SECONDS, MEMORY = 60, "2GB"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 an error that is printed, 2 wrong usage, 3 a source in trouble."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # whatever the terminal's locale says: city names are Chinese
    given = parser().parse_args(arguments)
    try:
        return int(given.run(given) or 0)
    except CitytradeError as error:
        print(f"citytrade: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(MISSING.format(name=error.name), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output, such as `head`, has left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("citytrade: interrupted; what was published stays.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="citytrade", description="A reproducible data warehouse for China's city-level export panels.")
    top.add_argument("--config", metavar="FILE", help="the configuration (default: the nearest citytrade.toml)")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    refresh = _command(commands, "refresh", run_refresh, "read raw files, build, check and publish a release")
    refresh.add_argument("--force", action="store_true", help="rebuild although nothing changed")
    refresh.add_argument("--confirm", nargs="+", default=(), metavar="SOURCE", help="take what is held of these sources for its change of size")

    simulate = _command(commands, "simulate", run_simulate, "write a simulated world's raw files")
    simulate.add_argument("directory", type=Path, metavar="DIR")
    simulate.add_argument("--scale", choices=("small", "paper"), default="small")
    simulate.add_argument("--seed", type=int, default=1)
    simulate.add_argument("--layout", action="append", default=[], metavar="SOURCE=LAYOUT", help="write a source in another layout, e.g. customs=csmar")

    sql = _command(commands, "sql", run_sql, "query the published release; without a statement, a shell with history and completion")
    sql.add_argument("statement", nargs="?", metavar='"SELECT …"')
    sql.add_argument("--seconds", type=_positive, default=SECONDS, metavar="S", help=f"stop a query after S seconds (default: {SECONDS})")
    sql.add_argument("--memory", type=_memory, default=MEMORY, metavar="SIZE", help=f"memory that a query may take, such as 500MB (default: {MEMORY})")
    _output_options(sql)

    _output_options(_command(commands, "panels", run_panels, "list the panels"))

    panel = _command(commands, "panel", run_panel, "print or save a panel")
    panel.add_argument("name")
    panel.add_argument("--years", type=int, nargs="+", metavar="YEAR", help="one year, or the first and the last")
    panel.add_argument("--columns", nargs="+", metavar="COLUMN", help="columns besides the keys")
    panel.add_argument("-o", "--output", type=Path, metavar="FILE", help="save as FILE.parquet, .csv, .dta (Stata) or .xlsx, with labels and units")
    _output_options(panel)

    everything = _command(commands, "export-all", run_export_all, "save every panel and a data dictionary into a new folder")
    everything.add_argument("directory", type=Path, metavar="DIR")
    everything.add_argument("--as", dest="form", choices=("parquet", "csv", "dta", "xlsx"), default="parquet", help="file format (default: parquet)")

    describe = _command(commands, "describe", run_describe, "a panel's columns: units, labels, definitions, sources, ranges")
    describe.add_argument("name")
    _output_options(describe)

    _output_options(_command(commands, "releases", run_releases, "list the releases on disk"))

    diff = _command(commands, "diff", run_diff, "what changed from one release to another: rows and values by panel, column, city and year")
    diff.add_argument("old", nargs="?", default="previous", help="a release, or the beginning of its name (default: previous)")
    diff.add_argument("new", nargs="?", default="current", help="a release, or the beginning of its name (default: current)")
    diff.add_argument("--cells", action="store_true", help="one line a panel, column, city and year instead of one a panel and column")
    _output_options(diff)

    rollback = _command(commands, "rollback", run_rollback, "let readers get an earlier release again")
    rollback.add_argument("release", nargs="?", default="previous", help="a release, or the beginning of its name (default: previous)")

    rebuild = _command(commands, "rebuild", run_rebuild, "make a release again from its manifest, and compare every table")
    rebuild.add_argument("release", help="a release, the beginning of its name, or a manifest kept elsewhere (release.json)")

    serve = _command(commands, "serve", run_serve, "refresh by a schedule")
    serve.add_argument("--cron", default="0 6 * * 1", help='when, in UTC (default: "0 6 * * 1", Mondays at 6)')
    serve.add_argument("--port", type=int, default=4200, help="of the local Prefect server (default: 4200)")

    _command(commands, "doctor", run_doctor, "is everything here that a refresh needs?")
    return top


def run_refresh(given: argparse.Namespace) -> int:
    from flows.refresh.start import run

    config = load_config(given.config)
    unknown = sorted(set(given.confirm) - set(config.sources))
    if unknown:
        raise CitytradeError(f"--confirm {unknown[0]}: {config.path.name} names no such source. There are: {', '.join(sorted(config.sources))}.")
    return run(config, given.force, frozenset(given.confirm))


def run_simulate(given: argparse.Namespace) -> None:
    from flows.refresh.start import say_at_once
    from warehouse.simulate import simulate

    simulate(given.directory, given.scale, given.seed, say_at_once, dict(_layout_of(text) for text in given.layout))


def _layout_of(text: str) -> tuple[str, str]:
    source, equals, layout = text.partition("=")
    if not equals:
        raise CitytradeError(f"--layout {text}: is not SOURCE=LAYOUT. Write for example --layout customs=csmar.")
    return source, layout


def run_sql(given: argparse.Namespace) -> int:
    from warehouse.query.limits import Limits

    config, limits = load_config(given.config), Limits(given.seconds, given.memory)
    if given.statement is None:
        from flows.doors.shell import run_shell

        return run_shell(config, limits, given.format, given.limit)
    from flows.doors.sql import run_sql as run

    run(config, given.statement, given.format, given.limit, limits)
    return 0


def run_panels(given: argparse.Namespace) -> None:
    from warehouse.store import panels

    config = load_config(given.config)
    _print_frame(panels(config), given)
    _tell_simulated(config, given)


def run_describe(given: argparse.Namespace) -> None:
    from warehouse.store import describe

    _print_frame(describe(given.name, load_config(given.config)), given)


def run_panel(given: argparse.Namespace) -> None:
    from warehouse.store import panel

    config = load_config(given.config)
    frame = panel(given.name, _years(given.years), given.columns, config)
    if given.output is None:
        _print_frame(frame, given)
    else:
        from flows.doors.export import save

        save(frame, given.output)
        print(f"{given.output}: {len(frame):,} rows of {given.name}, release {frame.attrs['release']}")
    _tell_simulated(config, given)


def run_export_all(given: argparse.Namespace) -> None:
    from flows.doors.export import save_all
    from flows.refresh.start import say_at_once

    config = load_config(given.config)
    names = save_all(config, given.directory, given.form, say_at_once)
    print(f"{given.directory}: {len(names)} panels with dictionary.csv and README.txt")
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


def run_rollback(given: argparse.Namespace) -> None:
    from flows.doors.releases import roll_back

    left, target = roll_back(load_config(given.config), given.release)
    print(
        f"Readers get release {target} now, no longer {left}. The next refresh builds from the raw files as they are then: stop the schedule if it should not."
    )


def run_rebuild(given: argparse.Namespace) -> None:
    from flows.refresh.rebuild import rebuild
    from flows.refresh.start import say_at_once

    rebuild(load_config(given.config), given.release, say_at_once)


def run_serve(given: argparse.Namespace) -> None:
    from flows.refresh.start import say_at_once
    from flows.schedule.serve import serve

    serve(load_config(given.config), given.cron, given.port, say_at_once)


def run_doctor(given: argparse.Namespace) -> int:
    from flows.doctor import examine
    from flows.doors.printing import table

    findings = examine(given.config)
    print(table(("what", "found", ""), [(f.what, f.found, "mend" if f.remedy else "ok") for f in findings], cell_width=100))
    for finding in findings:
        if finding.remedy:
            print(f"{finding.what}: {finding.remedy}")
    return 1 if any(finding.remedy for finding in findings) else 0


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    # --config may stand before or after the command; a default here would hide the one before.
    command.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="the configuration (default: the nearest citytrade.toml)")
    command.set_defaults(run=run)
    return command


def _output_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--format", choices=("table", "csv", "json"), default="table")
    command.add_argument("--limit", type=_rows_n, default=DEFAULT_LIMIT, metavar="N", help=f"rows that a table shows (default: {DEFAULT_LIMIT})")


def _rows_n(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows; give 0 or more")
    return int(text)


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds; give e.g. 60")
    return seconds


def _memory(text: str) -> str:
    if re.fullmatch(r"[1-9]\d{0,5}(MB|GB)", text.upper()) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give e.g. 500MB or 2GB")
    return text.upper()


def _years(years: list[int] | None) -> int | tuple[int, int] | None:
    if years is None:
        return None
    if len(years) > 2:
        raise CitytradeError("--years takes one year, or the first and the last, such as --years 2003 2011.")
    return years[0] if len(years) == 1 else (years[0], years[1])


def _print_frame(frame: Any, given: argparse.Namespace) -> None:
    from flows.doors.export_files import frame_rows
    from flows.doors.printing import table, write_csv, write_json

    names = list(frame.columns)
    if given.format == "csv":
        write_csv(names, frame_rows(frame), sys.stdout)
    elif given.format == "json":
        write_json(names, frame_rows(frame), sys.stdout)
    else:
        print(table(names, list(frame_rows(frame.head(given.limit)))))
        if len(frame) > given.limit:
            print(f"{len(frame) - given.limit:,} more rows of {len(frame):,}; --format csv or json gives all, --limit N more.")


def _tell_simulated(config: Any, given: argparse.Namespace) -> None:
    """On a terminal's table say whose numbers these are; csv and json stay clean, and say it on stderr."""
    from flows.refresh.summary import SIMULATED
    from warehouse.store import connect

    with connect(config) as connection:
        row = connection.execute("select is_simulated from meta.releases where is_this").fetchone()
    if row is not None and row[0]:
        print(SIMULATED, file=sys.stdout if getattr(given, "format", "table") == "table" else sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
