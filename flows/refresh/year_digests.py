"""What each year of the fact table is made from, as a digest a year.

The rows of a year follow from its records, from the code between these and the fact, and from what
records look up. Records are known by the loads that can hold them, code by its text, and a table
that is looked up by its content as Spark has it now: a changed model that leads to the same table
reaches no year.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.refresh.recipes import macros_digest
from flows.refresh.record import digest
from warehouse.lake.loads import SCHEMA, LoadReport

FORM = 1  # of what a digest is made of
RECORDS = "customs__records"
# Of these the fact reads a record's own year, by an equality join. Of all else it may read any row,
# so that a change there reaches every year.
BY_YEAR = {
    "int_trade__firm_postcode", "int_geography__postcode_year", "int_time__year",
    "prices__exchange_rates",
}  # fmt: skip
# Where a row of the lake was read from: of a table that records look up, the fact never has it.
ORIGIN = {"file_id", "load_id", "line"}
PACKAGES = ("pyspark", "dbt-core", "dbt-adapters", "dbt-spark")
# Which years are built, and no more: a year that comes or goes changes no other.
WINDOW = re.compile(
    r"\byear between \{\{ var\('first_year'\) \}\} and \{\{ var\('last_year'\) \}\}"
)
VARIABLE = re.compile(r"\bvar\((?:\s*['\"](\w+)['\"])?")
LAKE_TABLE = re.compile(r"\blake\('(\w+)'\)")
STAR = re.compile(r"(?:(\w+)\.)?\*\s*(?:,|\bfrom\b|$)", re.MULTILINE)


@dataclass(frozen=True)
class Read:
    """A table that stands between records and the fact.

    name : of the model or seed, or of the lake's table
    relation : schema.name; empty of a table of the lake
    words : what stands in the code that reads it, among it the columns that are read; None where
        all may be
    """

    name: str
    relation: str
    words: frozenset[str] | None

    def columns(self, there: Iterable[str]) -> list[str]:
        """Those of its columns that may matter, by their names in rising order."""
        return sorted(
            column
            for column in there
            if (self.words is None or column in self.words)
            and (self.relation or column not in ORIGIN)
        )


def between(manifest: Mapping[str, Any], fact: str) -> list[dict[str, Any]]:
    """The fact's node and those of the views through which it reads, near or far."""
    nodes, found = manifest["nodes"], {}
    waiting = [f"model.{manifest['metadata']['project_name']}.{fact}"]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = nodes[name]
        waiting += [
            other for other in nodes[name]["depends_on"]["nodes"] if not _is_stored(nodes[other])
        ]
    return [found[name] for name in sorted(found)]


def reads(manifest: Mapping[str, Any], fact: str) -> list[Read]:
    """The tables that the fact and these views read, but for the records."""
    found: dict[tuple[str, str], list[frozenset[str] | None]] = {}
    for node in between(manifest, fact):
        for name in node["depends_on"]["nodes"]:
            other = manifest["nodes"][name]
            if _is_stored(other):
                relation = f"{other['schema']}.{other['alias'] or other['name']}"
                found.setdefault((other["name"], relation), []).append(_words(node, other["name"]))
        for table in LAKE_TABLE.findall(node["raw_code"]):
            if table != RECORDS:
                found.setdefault((table, ""), []).append(_words(node, table))
    return [
        Read(name, relation, None if None in words else frozenset().union(*filter(None, words)))
        for (name, relation), words in sorted(found.items())
    ]


def code(manifest: Mapping[str, Any], fact: str, variables: Mapping[str, Any]) -> list[Any]:
    """What says how rows are made of records: the text of the fact, of the views and of the macros
    that they name, the variables that any of these names, and what dbt's own macros are replaced
    by. It holds no path and no years of the release.
    """
    nodes = between(manifest, fact)
    macros = _macros(manifest, nodes)
    texts = [WINDOW.sub("", text) for text in (*(node["raw_code"] for node in nodes), *macros)]
    named = {name for text in texts for name in VARIABLE.findall(text)}
    told = variables if "" in named else {name: variables.get(name) for name in named}
    return [
        texts,
        [[node["name"], node["schema"], node["columns"], node["config"]] for node in nodes],
        dict(told),
        macros_digest(manifest),
    ]


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def loads_by_year(table: Path, years: Iterable[int]) -> dict[int, list[list[str]]]:
    """Year -> the loads that can hold rows of it, of a table of the lake's set.

    A load says the first and the last year of its rows. One that does not, and a file that is of no
    load, can hold rows of any year.
    """
    found: dict[int, list[list[str]]] = {year: [] for year in years}
    for file in sorted(table.iterdir()):
        place = file.resolve()
        report = place.with_name("report.json")
        first = last = None
        if file.name != SCHEMA and report.is_file():
            load = LoadReport(**json.loads(report.read_text(encoding="utf-8")))
            if load.tables.get(table.name) == 0:
                continue
            said = [load.source, load.load_id, str(place.stat().st_size)]
            first, last = load.first_year, load.last_year
        else:
            with place.open("rb") as handle:
                said = [file.name, hashlib.file_digest(handle, "sha256").hexdigest()]
        for year, loads in found.items():
            if first is None or last is None or first <= year <= last:
                loads.append(said)
    return found


def digests(
    years: Iterable[int], whole: object, by_year: Mapping[str, Mapping[int, object]]
) -> dict[int, str]:
    """Year -> digest of all that its rows are made from.

    Parameters
    ----------
    whole : what every year is made from
    by_year : name -> year -> what this year alone is made from; a year that is not there has none
    """
    return {
        year: digest([FORM, whole, {name: of.get(year) for name, of in by_year.items()}])
        for year in years
    }


def content_query(source: str, columns: Iterable[str], is_by_year: bool) -> str:
    """SQL for Spark: how many rows a table has, and the sum of their hashes, whatever their order;
    by year, or under a year that is null.
    """
    # A null leaves Spark's hash as it is, so that which column is null must be said too.
    hashed = ", ".join(f"`{column}`, `{column}` is null" for column in columns)
    year, group = ("year", " group by year") if is_by_year else ("null", "")
    return (
        f"select {year}, count(*), cast(sum(cast(xxhash64({hashed}) as decimal(38, 0))) as string)"
        f" from {source}{group}"
    )


def _is_stored(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] == "seed" or node["config"]["materialized"] == "table"


def _words(node: Mapping[str, Any], table: str) -> frozenset[str] | None:
    """The words of a node's code, or None where it may take every column of a table by a star."""
    text = node["raw_code"]
    for alias in STAR.findall(text):
        of = rf"\b(?:ref|lake)\('(\w+)'\) \}}\}} as {alias}\b"
        tables = set(re.findall(of, text)) if alias else set()
        if not tables or table in tables:
            return None
    return frozenset(re.findall(r"\w+", text))


def _macros(manifest: Mapping[str, Any], nodes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The text of the project's macros that nodes name, near or far."""
    own = {
        name: macro
        for name, macro in manifest["macros"].items()
        if macro["package_name"] == manifest["metadata"]["project_name"]
    }
    found: set[str] = set()
    waiting = [name for node in nodes for name in node["depends_on"]["macros"]]
    while waiting:
        name = waiting.pop()
        if name in own and name not in found:
            found.add(name)
            waiting += own[name]["depends_on"]["macros"]
    return [own[name]["macro_sql"] for name in sorted(found)]
