"""What the papers leave open, as a user chooses it: the table [choices] of the configuration.

The choices and their defaults are the variables of dbt_project.yml, with what each means; the years
of the panels alone are set elsewhere, under [warehouse].
"""

from __future__ import annotations

import csv
import difflib
import functools
from collections.abc import Mapping
from typing import Any

from warehouse.errors import ConfigError
from warehouse.project import PROJECT

DBT = PROJECT / "dbt_project"
ELSEWHERE = {"first_year", "last_year"}
ELASTICITIES = ("published", "estimated")


def parse_choices(where: str, given: object) -> dict[str, Any]:
    """The choices that a configuration makes; those that it leaves out stay as dbt_project.yml has
    them, and are not in the result.

    Raises
    ------
    ConfigError : no table, an unknown choice (the nearest is named), a value of another kind than
        the default, tables or an elasticity that there are not; `where` says in which file.
    """
    if not isinstance(given, dict):
        raise ConfigError(f"{where}: choices are settings, such as use_interpolated = true.")
    known = defaults()
    for name, value in given.items():
        if name in ELSEWHERE:
            raise ConfigError(f"{where}: {name} stands under [warehouse].")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(sorted(known))}."
            raise ConfigError(f"{where}: there is no choice {name!r}. {hint}")
        if type(value) is not type(known[name]):
            raise ConfigError(
                f"{where}: {name} = {value!r} is of another kind than its default,"
                f" {known[name]!r}. Write it like that one."
            )
        _refuse_other(where, name, value)
    return {name: given[name] for name in sorted(given)}


@functools.cache
def defaults() -> Mapping[str, Any]:
    """Choice -> its value where nobody chooses."""
    import yaml

    text = (DBT / "dbt_project.yml").read_text(encoding="utf-8")
    variables = yaml.safe_load(text)["vars"]
    return {name: value for name, value in variables.items() if name not in ELSEWHERE}


def _refuse_other(where: str, name: str, value: Any) -> None:
    allowed: tuple[str, ...] | None = None
    if name == "quality_elasticity":
        allowed = ELASTICITIES
    elif name == "input_output_tables" and value:
        allowed = _tables()
    if allowed is not None and value not in allowed:
        raise ConfigError(f"{where}: {name} = {value!r}. It is one of {', '.join(allowed)}.")
    if isinstance(value, int) and not isinstance(value, bool) and value < 1:
        raise ConfigError(f"{where}: {name} = {value} is below one.")


def _tables() -> tuple[str, ...]:
    with (DBT / "seeds" / "judgments" / "io_tables.csv").open(encoding="utf-8") as file:
        return tuple(f"{row['source_table']} {row['edition']}" for row in csv.DictReader(file))
