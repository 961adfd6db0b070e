"""The arguments of every command."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from flows.commands import looking, papers, reading, site, working

DEFAULT_LIMIT = 40
SECONDS, MEMORY = 60, "2GB"
CONFIG_HELP = "the configuration (default: the nearest citytrade.toml)"
COMPLETION = (
    'Your shell completes commands and options after: eval "$(register-python-argcomplete '
    'citytrade)"'
)
RELEASE_HELP = "a release, or the beginning of its name (default: {})"


def parser() -> argparse.ArgumentParser:
    """The whole command line; each command's function is its default `run`."""
    top = argparse.ArgumentParser(
        prog="citytrade",
        description="A reproducible data warehouse for China's city-level export panels.",
        epilog=COMPLETION,
    )
    top.add_argument("--config", metavar="FILE", help=CONFIG_HELP)
    top.add_argument(
        "--version", action=Version, nargs=0, help="citytrade's version, and its commit in a clone"
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _working(commands)
    _looking(commands)
    _asking(commands)
    _saving(commands)
    _releases(commands)
    papers.add_commands(commands, _command)
    site.add_commands(commands, _command)
    return top


class Version(argparse.Action):
    """Looked up only when somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        from flows.refresh.inputs import code_version

        commit = code_version()[:13]
        print(f"citytrade {version('citytrade')}{f' ({commit})' if commit else ''}")
        parser.exit()


def _working(commands: Any) -> None:
    """What builds releases and keeps the house."""
    _refreshing(commands)
    simulate = _command(
        commands, "simulate", working.run_simulate, "write a simulated world's raw files"
    )
    simulate.add_argument("directory", type=Path, metavar="DIR", help="where; made if not there")
    simulate.add_argument(
        "--scale", choices=("small", "paper"), default="small",
        help="60 cities and 20,000 customs records, or about 290 and 2 million (default: small)",
    )  # fmt: skip
    simulate.add_argument("--seed", type=int, default=1, help="which world (default: 1)")
    simulate.add_argument(
        "--layout", action="append", default=[], metavar="SOURCE=LAYOUT",
        help="write a source in another layout, e.g. customs=csmar",
    )  # fmt: skip

    _serving(commands)
    _command(commands, "doctor", working.run_doctor, "is everything here that a refresh needs?")


def _refreshing(commands: Any) -> None:
    refresh = _command(
        commands,
        "refresh",
        working.run_refresh,
        "read raw files, build, check and publish a release",
    )
    refresh.add_argument("--force", action="store_true", help="rebuild although nothing changed")
    refresh.add_argument(
        "--full", action="store_true",
        help="build every table anew, also those that the former release has the same",
    )  # fmt: skip
    refresh.add_argument(
        "--check", action="store_true",
        help="read the first rows of every file, say what would be read, and change nothing",
    )  # fmt: skip
    refresh.add_argument(
        "--confirm", nargs="+", default=(), metavar="SOURCE",
        help="take what is held of these sources for its change of size",
    )  # fmt: skip
    refresh.add_argument(
        "--engine", choices=("duckdb", "spark"), default="duckdb",
        help="spark builds customs' models on the Spark that the configuration names",
    )  # fmt: skip


def _serving(commands: Any) -> None:
    serve = _command(commands, "serve", working.run_serve, "refresh by a schedule")
    serve.add_argument(
        "--cron",
        default="0 6 * * 1",
        help='when: minute, hour, day, month, weekday (default: "0 6 * * 1", Mondays at 6)',
    )
    serve.add_argument(
        "--timezone",
        default="UTC",
        metavar="ZONE",
        help="of the schedule, such as Asia/Shanghai (default: UTC)",
    )
    serve.add_argument(
        "--port", type=int, default=4200, help="of the local Prefect server (default: 4200)"
    )


def _looking(commands: Any) -> None:
    """What looks at files and changes nothing, and what writes an empty one."""
    inspect = _command(
        commands,
        "inspect",
        looking.run_inspect,
        "say what files are, what would be read of them, and the configuration that reads them",
    )
    inspect.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="files of any source, or archives"
    )
    template = _command(
        commands,
        "template",
        looking.run_template,
        "write an empty file with the heads of a source and one example row",
    )
    template.add_argument("source", metavar="SOURCE", help="such as customs")
    template.add_argument(
        "--layout", metavar="NAME", help="one of the source's other tables (default: its usual one)"
    )
    template.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write it (default: here)"
    )


def _asking(commands: Any) -> None:
    """What answers on the terminal."""
    sql = _command(
        commands, "sql", reading.run_sql,
        "query the published release; without a statement, a shell with history and completion",
    )  # fmt: skip
    sql.add_argument("statement", nargs="?", metavar='"SELECT …"', help="one that reads")
    sql.add_argument(
        "--seconds",
        type=_positive,
        default=SECONDS,
        metavar="S",
        help=f"stop a query after S seconds (default: {SECONDS})",
    )
    sql.add_argument(
        "--memory", type=_memory, default=MEMORY, metavar="SIZE",
        help=f"memory that a query may take, such as 500MB (default: {MEMORY})",
    )  # fmt: skip
    _output_options(sql)

    _output_options(_command(commands, "panels", reading.run_panels, "list the panels"))

    describe = _command(
        commands,
        "describe",
        reading.run_describe,
        "a panel's columns: units, labels, definitions, sources, ranges",
    )
    describe.add_argument("name", metavar="PANEL", help="as `citytrade panels` names it")
    _output_options(describe)

    cite = _command(
        commands, "cite", reading.run_cite, "what to cite for a panel: citytrade and its sources"
    )
    cite.add_argument("name", metavar="PANEL", help="as `citytrade panels` names it")
    cite.add_argument(
        "--format", choices=("text", "bibtex", "csv", "json"), default="text",
        help="sentences, BibTeX entries, or rows (default: text)",
    )  # fmt: skip


def _saving(commands: Any) -> None:
    """What writes panels into files."""
    panel = _command(commands, "panel", reading.run_panel, "print or save a panel")
    panel.add_argument("name", metavar="PANEL", help="as `citytrade panels` names it")
    panel.add_argument(
        "--years", type=int, nargs="+", metavar="YEAR", help="one year, or the first and the last"
    )
    panel.add_argument("--columns", nargs="+", metavar="COLUMN", help="columns besides the keys")
    panel.add_argument(
        "-o", "--output", type=Path, metavar="FILE",
        help="save as FILE.parquet, .csv, .dta (Stata) or .xlsx, with labels and units",
    )  # fmt: skip
    _labels_option(panel)
    _output_options(panel)

    everything = _command(
        commands,
        "export-all",
        reading.run_export_all,
        "save every panel and a data dictionary into a new folder",
    )
    everything.add_argument("directory", type=Path, metavar="DIR", help="not there yet")
    everything.add_argument(
        "--as", dest="form", choices=("parquet", "csv", "dta", "xlsx"), default="parquet",
        help="file format (default: parquet)",
    )  # fmt: skip
    _labels_option(everything)

    publish = _command(
        commands,
        "publish",
        reading.run_publish,
        "publish the current release's panels for other machines: a folder or s3://BUCKET/FOLDER",
    )
    publish.add_argument("address", metavar="ADDRESS", help="a folder, or s3://BUCKET/FOLDER")


def _releases(commands: Any) -> None:
    """What looks at releases, compares them and goes back."""
    _output_options(
        _command(commands, "releases", reading.run_releases, "list the releases on disk")
    )

    diff = _command(
        commands, "diff", reading.run_diff,
        "what changed from one release to another: rows and values by panel, column, city and year",
    )  # fmt: skip
    diff.add_argument("old", nargs="?", default="previous", help=RELEASE_HELP.format("previous"))
    diff.add_argument("new", nargs="?", default="current", help=RELEASE_HELP.format("current"))
    diff.add_argument(
        "--cells",
        action="store_true",
        help="one line a panel, column, city and year instead of one a panel and column",
    )
    _output_options(diff)

    rollback = _command(
        commands, "rollback", working.run_rollback, "let readers get an earlier release again"
    )
    rollback.add_argument(
        "release", nargs="?", default="previous", help=RELEASE_HELP.format("previous")
    )

    rebuild = _command(
        commands,
        "rebuild",
        working.run_rebuild,
        "make a release again from its manifest, and compare every table",
    )
    rebuild.add_argument(
        "release",
        help="a release, the beginning of its name, or a manifest kept elsewhere (release.json)",
    )


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ("" if text[-1] == "?" else ".")
    )
    # --config may stand before or after the command; a default here would hide the one before.
    command.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help=CONFIG_HELP)
    command.set_defaults(run=run)
    return command


def _labels_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--labels",
        choices=("en", "zh"),
        default="en",
        help="language of a .dta's labels and an .xlsx's heads (default: en)",
    )


def _output_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--format", choices=("table", "csv", "json", "parquet"), default="table",
        help="for a terminal, or whole for programs (default: table)",
    )  # fmt: skip
    command.add_argument(
        "--limit", type=_rows_n, default=DEFAULT_LIMIT, metavar="N",
        help=f"rows that a table shows (default: {DEFAULT_LIMIT})",
    )  # fmt: skip


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
