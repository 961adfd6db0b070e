"""The keys of citytrade.toml, from where they are checked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from flows.reference.markdown import code, head, table
from warehouse.project import DBT_PROJECT
from warehouse.settings import keys
from warehouse.settings.choices import defaults
from warehouse.settings.keys import Key
from warehouse.sources import SOURCES

TOLD = (
    "`citytrade.toml`, or the file that `--config` or the variable `CITYTRADE_CONFIG` names."
    " Relative paths start at its own folder; `${NAME}` takes an environment variable. An unknown"
    " key is refused with the nearest that is known. `citytrade refresh --check` reads the first"
    " rows of every file that it names and changes nothing."
)
CHOICES = (
    "What the papers leave open, as you choose it: the variables of `dbt_project/dbt_project.yml`."
)
SECTIONS: tuple[tuple[str, str, Mapping[str, Key]], ...] = (
    ("[warehouse]", "Where, and which years.", keys.WAREHOUSE),
    (
        "[simulate]",
        "A simulated world in place of licensed files. Leave it out for your own.",
        keys.SIMULATE,
    ),
    (
        "[sources.<source>]",
        "A source that is left out leaves its columns null. Sources: "
        + ", ".join(f"`{name}`" for name in SOURCES)
        + ".",
        keys.FILES | keys.CONTROLS,
    ),
    ("[sources.customs]", "Besides.", keys.CUSTOMS | keys.VALUES),
    ("[sources.yearbook]", "Besides.", keys.WITH_TABLES),
    ("[[sources.<source>.totals]]", "A year's control total.", keys.TOTAL),
    (
        "[sources.yearbook.tables.<name>]",
        "A table whose heads nobody else can know: [your own tables](../own_files.md).",
        keys.TABLE,
    ),
    (
        "[alerts]",
        "Whom to tell of trouble: [scheduling](../scheduling.md#whom-it-tells).",
        keys.ALERTS,
    ),
    (
        "[spark]",
        "Where `citytrade refresh --engine spark` builds: [scaling](../scaling.md).",
        keys.SPARK,
    ),
)


def configuration_page() -> str:
    """docs/reference/configuration.md."""
    parts = [head("Configuration", TOLD, "warehouse/settings/keys.py")]
    for name, told, known in SECTIONS:
        rows = [(code(key), one.kind, one.default, one.told) for key, one in known.items()]
        parts.append(f"\n## `{name}`\n\n{told}\n\n")
        parts.append(table(("key", "takes", "if left out", "does"), rows))
    parts.append(f"\n## `[choices]`\n\n{CHOICES}\n\n")
    parts.append(table(("key", "if left out", "chooses"), _choices()))
    return "".join(parts)


def _choices() -> Iterator[tuple[str, str, str]]:
    """Choices with their defaults, and the comment above or beside them in dbt_project.yml."""
    told, of_several = "", False
    for line in (DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(r"  (?:(\w+):.*?)?(?:\s*# (.*))?", line)
        if found is None:
            continue
        name, comment = found.groups()
        if name is None:
            told, of_several = (f"{told} {comment}" if of_several else comment or ""), True
            continue
        of_several = False
        if name in defaults():
            yield code(name), json.dumps(defaults()[name]), comment or told
