"""Every key of a configuration, with what may stand there and what it does: their one home.

What is known is checked from here, and docs/reference/configuration.md is written from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """One key.

    kind : what may be given, as TOML writes it
    default : what holds where it is left out; "" where nothing does
    told : what it does
    """

    kind: str
    default: str
    told: str


WAREHOUSE = {
    "home": Key("path", '"data"', "the folder of the lake, the releases and the link `current`"),
    "first_year": Key("year", "2000", "the first year that panels hold"),
    "last_year": Key("year", "2021", "the last year that panels hold"),
    "memory": Key(
        "such as 2g or 500MB",
        "DuckDB's own limit",
        "what each database of a refresh may take, 256MB or more; what is over it lies in the"
        " unpublished build meanwhile",
    ),
}
SIMULATE = {
    "directory": Key("path", '"data/simulated"', "where the simulated raw files are written"),
    "scale": Key(
        '"paper" or "small"',
        '"paper"',
        "2 million customs records and about 290 cities, or 20,000 and 60",
    ),
    "seed": Key("whole number", "1", "which world: the same seed writes the same files"),
}
FILES = {
    "files": Key(
        "list of patterns",
        "",
        "the raw files, loose or in archives: `*` in a name, `**` over folders",
    ),
}
CONTROLS = {
    "totals": Key(
        "[[sources.<source>.totals]]", "none", "control totals that the accepted rows must meet"
    ),
    "hold_change_share": Key(
        "share, over 0 to 1",
        "never held",
        "a year whose rows shrink or grow by more is held until `citytrade refresh --confirm`",
    ),
    "published_through": Key(
        "year", "not asked", "the publisher's last year: data that end earlier are called stale"
    ),
}
VALUES = {
    "warn_left_share": Key(
        "share, 0 to 1", "0.1", "a reason that takes more of the records' value out is warned of"
    ),
}
CUSTOMS = {
    "flow": Key(
        '"export" or "import"', "as the files say", "of files without such a column: what they hold"
    ),
    "export_files": Key(
        "list of names or patterns", "none", "files that hold exports, by their names"
    ),
    "import_files": Key(
        "list of names or patterns", "none", "files that hold imports, by their names"
    ),
}
WITH_TABLES = {
    "tables": Key(
        "[sources.yearbook.tables.<name>]", "none", "tables of your own, whose heads you name"
    ),
}
TOTAL = {
    "year": Key("year", "", "of the total"),
    "rows": Key("whole number", "", "records of that year; this or `value_usd`, or both"),
    "value_usd": Key("number", "", "their value in USD, of customs records alone"),
}
ALERTS = {
    "command": Key("list of words", "nobody", "a program, which gets the trouble as JSON"),
    "webhook": Key("web address", "nobody", "the same JSON is posted to it"),
    "services": Key("list of addresses", "nobody", "written as apprise writes them"),
}
SPARK = {
    "master": Key("local[N], spark://HOST:PORT, yarn or k8s://…", '"local[*]"', "where it runs"),
    "memory": Key("such as 4g", '"2g"', "of the driver"),
    "executor_memory": Key("such as 4g", '"2g"', "of each executor of a cluster"),
    "address": Key("address", '"127.0.0.1"', "of this machine, as the workers reach it"),
    "lake": Key("path or address", "its own path", "where the workers see the home's `lake`"),
    "settings": Key("text by property", "none", "other properties of Spark, no secrets"),
}
TABLE = {
    "files": Key("list of patterns", "the source's", "the files that this table describes"),
    "keys": Key(
        "heads by key", "",
        "which heads hold `city`, `year`, perhaps `code`; `indicator`, `value` and `unit` of one"
        ' value a row; `years = "heads"`, `"sheets"` or `"name"` where years stand as heads, in the'
        ' names of sheets or in the file\'s; `cities = "heads"`',
    ),
    "columns": Key("[head, unit] by indicator", "", "what counts what, in which unit or factor"),
    "scope": Key(
        '"city", "district" or "unstated"', '"unstated"', "whole city (全市) or districts (市辖区)"
    ),
    "sheets": Key("list of names", "all", "the sheets that are read"),
    "years": Key("[first, last]", "all", "the years that are read; others are set aside"),
    "yearbook": Key('year or "name"', "", "the yearbook's own year: it prints the year before"),
    "edition": Key(
        "text", '"own_table"', "the edition that values are ranked by, of seeds/judgments/vintages"
    ),
    "interpolated": Key(
        "true, or head by indicator", "false", "values are estimates, or a column says of each"
    ),
    "city_names": Key(
        "{ sheet, from, to }", "none", "a sheet that translates the names of cities"
    ),
}  # fmt: skip
KEY_COLUMNS = {"city", "cities", "year", "years", "code", "indicator", "value", "unit"}
YEARS = ("heads", "sheets", "name")  # where years stand that no column says
NAMES_KEYS = {"sheet", "from", "to"}

# Settings that one source alone has: what its files cannot say of themselves.
OF_SOURCES = {"customs": CUSTOMS | VALUES, "yearbook": WITH_TABLES}
