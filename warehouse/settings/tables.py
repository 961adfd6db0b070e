"""Tables of a user's own, as the configuration describes them: [sources.yearbook.tables.NAME].

    files = ["panels/CRE_city.xlsx"]
    keys = { city = "Ctnm", year = "Sgnyea" }
    columns = { gdp_cny = ["Gdpct01", "亿元"], district_gdp_cny = ["Gdpct02", 1e8] }

Everything is checked here, before a file is opened; what the files then do not hold is said by
their reader.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from warehouse.errors import ConfigError
from warehouse.settings.keys import KEY_COLUMNS, NAMES_KEYS, TABLE, YEARS

SCOPES = ("city", "district", "unstated")
DISTRICT = "district_"


@dataclass(frozen=True)
class TableSettings:
    """One table: its name, the patterns of its files, and what its reader is told, as it goes to
    JSON.
    """

    name: str
    patterns: tuple[str, ...]
    told: dict[str, Any]

    def as_option(self) -> dict[str, Any]:
        return {"name": self.name, "patterns": list(self.patterns), "table": self.told}


def parse_tables(
    where: str, source: str, given: object, absolute: Callable[[str], str]
) -> tuple[TableSettings, ...]:
    """The tables of a source, checked.

    Raises
    ------
    ConfigError : a table that is none, an unknown key or indicator (with the nearest known), a unit
        that its
        indicator cannot have, keys that make no shape; `where` says in which file.
    """
    if not isinstance(given, dict) or not all(isinstance(table, dict) for table in given.values()):
        raise ConfigError(
            f"{where}: tables are named, such as [sources.{source}.tables.mine] with its settings"
            " below."
        )
    return tuple(
        _table(f"{where.removesuffix(']')}.tables.{name}]", name, table, absolute)
        for name, table in given.items()
    )


def as_option(tables: Iterable[TableSettings]) -> str:
    """All tables as the text that the readers' options hold."""
    return json.dumps([table.as_option() for table in tables], ensure_ascii=False, sort_keys=True)


def _table(
    where: str, name: str, given: dict[str, Any], absolute: Callable[[str], str]
) -> TableSettings:
    _refuse_unknown(where, "key", given, set(TABLE))
    files = given.get("files", [])
    if not _is_texts(files):
        raise ConfigError(
            f'{where}: files must be a list of patterns, such as files = ["panels/*.xlsx"].'
        )
    told = {
        key: given[key] for key in ("sheets", "years", "yearbook", "city_names") if key in given
    }
    _check_plain(where, told)
    if "columns" not in given:
        if "yearbook" not in given:
            raise ConfigError(
                f"{where}: says neither columns nor yearbook. Say which columns count what, or"
                " which yearbook it is."
            )
        return TableSettings(name, tuple(absolute(file) for file in files), told)
    scope = given.get("scope", "unstated")
    if scope not in SCOPES:
        raise ConfigError(f"{where}: scope = {scope!r}; it is one of {', '.join(SCOPES)}.")
    keys = _keys(where, given.get("keys"))
    told |= {
        "keys": keys,
        "columns": _columns(where, given["columns"], scope, has_unit_key="unit" in keys),
        "edition": _edition(where, given.get("edition")),
        "interpolated": _interpolated(where, given.get("interpolated", False), given["columns"]),
    }
    return TableSettings(name, tuple(absolute(file) for file in files), told)


def _check_plain(where: str, told: dict[str, Any]) -> None:
    if "sheets" in told and not _is_texts(told["sheets"]):
        raise ConfigError(f'{where}: sheets must be a list of names, such as sheets = ["Sheet1"].')
    yearbook = told.get("yearbook", 2000)
    if yearbook != "name" and (
        isinstance(yearbook, bool) or not isinstance(yearbook, int) or not 1950 <= yearbook <= 2100
    ):
        raise ConfigError(
            f"{where}: yearbook = {yearbook!r} is no year. Give the yearbook's own year, such as"
            ' 2012 for the one that prints 2011, or "name" if the file\'s name has it.'
        )
    years = told.get("years", [1949, 2100])
    if (
        not isinstance(years, list)
        or len(years) != 2
        or not all(type(year) is int for year in years)
        or years[0] > years[1]
    ):
        raise ConfigError(
            f"{where}: years = {years!r} are not the first and the last year to read, such as years"
            " = [2004, 2018]."
        )
    names = told.get("city_names", dict.fromkeys(NAMES_KEYS, ""))
    if (
        not isinstance(names, dict)
        or set(names) != NAMES_KEYS
        or not all(isinstance(text, str) for text in names.values())
    ):
        raise ConfigError(
            f'{where}: city_names = {{ sheet = "list", from = "Prefecture", to = "地级市" }} is how'
            " it is written."
        )


def _keys(where: str, given: object) -> dict[str, str]:
    """The heads of the key columns, which together make one of the shapes.

    wide   : city, year                          one row a city and year, a column an indicator
    long   : city, year, indicator, value        one row a value; perhaps unit
    across : years = "heads", perhaps city and indicator   years as heads, an indicator in each row,
                                                           a table each, or in the same heads
    matrix : cities = "heads", year                        cities as heads, a table an indicator
    With years = "sheets" or "name" the year of a wide or a long table is that in each sheet's name,
    or in the file's.
    """
    if not isinstance(given, dict) or not all(
        isinstance(head, str) and head.strip() for head in given.values()
    ):
        raise ConfigError(
            f'{where}: keys must name the heads of city and year, such as keys = {{ city = "城市",'
            ' year = "年份" }.'
        )
    _refuse_unknown(where, "key column", given, KEY_COLUMNS)
    if given.get("years", YEARS[0]) not in YEARS or {"year", "years"} <= set(given):
        raise ConfigError(
            f'{where}: years = "heads" says that years stand as heads, "sheets" in the names of'
            ' sheets, "name" in the file\'s; there is no year beside it.'
        )
    if given.get("years") == "heads":
        if "value" in given:
            raise ConfigError(
                f'{where}: years = "heads" says that years stand as heads; there is no value'
                " beside it."
            )
        return dict(given)
    if "cities" in given:
        if given["cities"] != "heads" or set(given) != {"cities", "year"}:
            raise ConfigError(
                f'{where}: cities = "heads" says that cities stand as heads; beside it there is'
                " year, and nothing else."
            )
        return dict(given)
    if "city" not in given or not {"year", "years"} & set(given):
        raise ConfigError(
            f'{where}: keys need city and year (or years = "heads", "sheets" or "name"). Add the'
            " heads that hold them."
        )
    if ("indicator" in given) != ("value" in given):
        raise ConfigError(
            f"{where}: keys with indicator need value, and the other way round. Add the one that is"
            " missing."
        )
    return dict(given)


def _columns(
    where: str, given: object, scope: str, has_unit_key: bool
) -> dict[str, dict[str, Any]]:
    """Indicator -> head, scope and factor; a name that begins with district_ is of the
    districts.
    """
    from warehouse.sources.yearbook.headers import HEADERS, IN_DOLLARS, UNITS

    if not isinstance(given, dict) or not given:
        raise ConfigError(
            f'{where}: columns must say what counts what, such as columns = {{ gdp_cny = ["GDP",'
            ' "亿元"] }.'
        )
    kinds = {header.indicator: UNITS[header.unit][0] for header in HEADERS}
    columns = {}
    for name, said in given.items():
        indicator = name.removeprefix(DISTRICT)
        if indicator not in kinds:
            raise ConfigError(
                f"{where}: columns: no indicator is called {name!r}. {_nearest(indicator, kinds)}"
            )
        head, unit = _head_and_unit(where, name, said, has_unit_key)
        is_usd = indicator in IN_DOLLARS and isinstance(unit, str) and unit.endswith("美元")
        columns[name] = {
            "indicator": IN_DOLLARS[indicator] if is_usd else indicator,
            "head": head,
            "scope": "district" if name.startswith(DISTRICT) else scope,
            "factor": _factor(where, name, unit, "usd" if is_usd else kinds[indicator]),
        }
    return columns


def _head_and_unit(where: str, name: str, said: object, has_unit_key: bool) -> tuple[str, object]:
    if isinstance(said, list) and len(said) == 2 and isinstance(said[0], str) and said[0].strip():
        return said[0], said[1]
    if has_unit_key and isinstance(said, list) and len(said) == 1 and isinstance(said[0], str):
        return said[0], None
    raise ConfigError(
        f"{where}: columns: {name} = {said!r}; write its head and its unit or factor, such as"
        f' {name} = ["head", "万元"].'
    )


def _factor(where: str, name: str, unit: object, kind: str) -> float | None:
    """From the unit to the indicator's base unit; None where rows state their own."""
    from warehouse.sources.yearbook.headers import UNITS

    if unit is None:
        return None
    if isinstance(unit, (int, float)) and not isinstance(unit, bool) and 0 < unit < 1e18:
        return float(unit)
    fitting = [known for known, (counts, _) in UNITS.items() if counts == kind]
    if not isinstance(unit, str) or unit not in fitting:
        hint = f"It is one of {', '.join(fitting)}, or a factor to the base unit, such as 1e4."
        raise ConfigError(f"{where}: columns: {name} cannot have the unit {unit!r}. {hint}")
    return UNITS[unit][1]


def _edition(where: str, given: object) -> str:
    """The edition that the values are told apart and ranked by, one of
    seeds/judgments/vintages.csv.
    """
    import csv

    from warehouse.project import SEEDS

    with (SEEDS / "judgments" / "vintages.csv").open(encoding="utf-8", newline="") as handle:
        known = [row["vintage"] for row in csv.DictReader(handle)]
    if given is None:
        return "own_table"
    if given not in known:
        raise ConfigError(
            f"{where}: edition = {given!r} is not ranked. {_nearest(str(given), known)} "
            "Leave it out, or give it a rank in dbt_project/seeds/judgments/vintages.csv."
        )
    return str(given)


def _interpolated(where: str, given: object, columns: dict[str, Any]) -> bool | dict[str, str]:
    if isinstance(given, bool):
        return given
    if not isinstance(given, dict) or not all(isinstance(head, str) for head in given.values()):
        raise ConfigError(
            f"{where}: interpolated is true for a whole table, or names the column that says it of"
            ' each row, such as interpolated = { fixed_investment_cny = "fai_imputed" }.'
        )
    _refuse_unknown(where, "column", given, set(columns))
    return dict(given)


def _is_texts(given: object) -> bool:
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(text, str) and text.strip() for text in given)
    )


def _refuse_unknown(where: str, what: str, given: dict[str, Any], known: set[str]) -> None:
    for key in given:
        if key not in known:
            raise ConfigError(f"{where}: unknown {what} {key!r}. {_nearest(key, known)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    return (
        f"Did you mean {' or '.join(repr(one) for one in near)}?"
        if near
        else f"Known: {', '.join(names)}."
    )
