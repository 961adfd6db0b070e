"""Write what is written from the project itself.

    python -m flows.reference           # write, and show what changes
    python -m flows.reference --check   # show it, and end with 1 if there is any

docs/reference: the commands from their arguments, the configuration from its keys, the estimators
from their registry. dbt_project/models/panels: the papers as dbt's exposures from their paper.toml,
and the panels as dbt's semantic models from the dictionary.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from flows.reference.commands import commands_page
from flows.reference.configuration import configuration_page
from flows.reference.estimators import estimators_page
from flows.reference.exposures import exposures_yml
from flows.reference.semantics import semantics_yml
from warehouse.errors import CitytradeError
from warehouse.project import DBT_PROJECT, PROJECT
from warehouse.written import write_or_show

PAGES = PROJECT / "docs" / "reference"
PANELS = DBT_PROJECT / "models" / "panels"
WRITERS: dict[Path, Callable[[], str]] = {
    PAGES / "commands.md": commands_page,
    PAGES / "configuration.md": configuration_page,
    PAGES / "estimators.md": estimators_page,
    PANELS / "_panels_exposures.yml": exposures_yml,
    PANELS / "_panels_semantic_models.yml": semantics_yml,
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the reference from what it describes.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if anything would")
    check = parser.parse_args(arguments).check
    try:
        differing = write_or_show({file: write() for file, write in WRITERS.items()}, check)
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    told = "would change: run `make reference`" if check else "written"
    print(f"{differing} files of the reference {told}")
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
