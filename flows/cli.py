# PYTHON_ARGCOMPLETE_OK
"""The command line: `citytrade COMMAND`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

MISSING = (
    "citytrade: the package {name} is missing. Run `pip install -c constraints.txt -e .` in the "
    "project's folder."
)
try:
    from flows.commands.arguments import parser
    from warehouse.errors import CitytradeError
    from warehouse.project import DBT_PROJECT
    from warehouse.settings.config import refuse_signs
except ModuleNotFoundError as missing:
    sys.exit(MISSING.format(name=missing.name))


def refuse_half_an_installation() -> None:
    """
    Raises
    ------
    CitytradeError : the models are not there, as in a wheel, which holds packages only.
    """
    if not (DBT_PROJECT / "dbt_project.yml").is_file():
        raise CitytradeError(
            f"{DBT_PROJECT} is not there: citytrade builds from a clone of its repository, not from"
            " a wheel alone. Clone it, and run `pip install -c constraints.txt -e .` in it."
        )
    refuse_signs("The folder of the clone", DBT_PROJECT.parent)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 an error that is printed, 2 wrong usage, 3 a
    source in trouble.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                encoding="utf-8"
            )  # whatever the terminal's locale says: city names are Chinese
    commands = parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could come next
        import argcomplete

        argcomplete.autocomplete(commands)
    given = commands.parse_args(arguments)
    try:
        refuse_half_an_installation()
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


if __name__ == "__main__":
    sys.exit(main())
