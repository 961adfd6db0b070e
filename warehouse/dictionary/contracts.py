"""What the dbt project says of columns, written from the dictionary.

    python -m warehouse.dictionary.contracts           # write, and show what changes
    python -m warehouse.dictionary.contracts --check   # show it, and end with 1 if there is any

A model's SQL says which columns it has, and the dictionary what each one is. The models are built
on a lake without rows, their columns described, and `columns:` of each model's entry in
_<folder>.yml written: names in the order of the table, types, and descriptions that dbt leaves in
DuckDB as comments. Everything else in these files is written by people. A column whose type in one
model is another than the dictionary's is named there: `meta: {types: {value_cents: bigint}}`.
The yearbook's indicators are listed for the models in macros/dictionary.sql.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import yaml

from warehouse.dictionary.entries import COLUMNS, ColumnEntry, read_dictionary
from warehouse.errors import CitytradeError
from warehouse.lake.loads import make_set
from warehouse.sources import lake_tables
from warehouse.written import write_or_show

PROJECT = COLUMNS.parents[2]
LISTS = PROJECT / "macros" / "dictionary.sql"
DISTRICT = "district_"
# DuckDB's name of a type -> one that every engine knows, which contracts say.
PORTABLE = {"varchar": "string"}
SCHEMAS = ("staging", "intermediate", "indices", "main")
ENTRY = re.compile(r"(?m)^(?=  - name: )")
COLUMNS_BLOCK = re.compile(r"(?m)^    columns:.*\n(?:^      .*\n)*")
RUN_DBT = "from dbt.cli.main import cli; cli()"

Built = dict[str, list[tuple[str, str]]]


def built_columns(project: Path = PROJECT) -> Built:
    """Every model's columns and types, in order, once the models are built on a lake without rows.

    Raises
    ------
    CitytradeError : a model cannot be built; what dbt says of it follows.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lake, database = (
            folder / "sets" / make_set(folder, [], lake_tables()),
            folder / "empty.duckdb",
        )
        command = [
            *(
                sys.executable,
                "-c",
                RUN_DBT,
                "build",
                "--resource-type",
                "model",
                "--resource-type",
                "seed",
            ),
            *("--vars", json.dumps({"contracts": False}), "--no-version-check", "--no-use-colors"),
            *("--project-dir", str(project), "--profiles-dir", str(project)),
            *("--target-path", name, "--log-path", name, "--log-level-file", "none"),
        ]
        there = {"CITYTRADE_LAKE": str(lake), "CITYTRADE_DB": str(database), "DO_NOT_TRACK": "1"}
        done = subprocess.run(
            command, cwd=project, env={**os.environ, **there}, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise CitytradeError(
                "The models cannot be built on a lake without rows, so their columns are"
                f" unknown:\n{done.stdout[-3000:]}{done.stderr}"
            )
        return _described(database)


def _described(database: Path) -> Built:
    built: Built = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, column_name, lower(data_type) from duckdb_columns() where not"
            " internal and schema_name in (select unnest(?)) order by table_name, column_index",
            [list(SCHEMAS)],
        ).fetchall()
    for model, column, kind in rows:
        built.setdefault(model, []).append((column, kind))
    return built


def described(entry: ColumnEntry) -> str:
    """A column in one line: labels, unit, definition."""
    return f"{entry.label_en} ({entry.label_zh}), {entry.unit}. {entry.definition}"


def with_columns(text: str, file: str, built: Built, dictionary: Mapping[str, ColumnEntry]) -> str:
    """The text of a _<folder>.yml with `columns:` of its models written again; the rest stays.

    Raises
    ------
    CitytradeError : an entry without a model, or columns that the dictionary does not know or has
        otherwise.
    """
    head, *entries = ENTRY.split(text)
    written = []
    for entry in entries:
        said = yaml.safe_load(entry)[0]
        model = said["name"]
        if model not in built:
            raise CitytradeError(
                f"{file}: there is no model {model}. Take its entry out, or write {model}.sql."
            )
        types = said.get("config", {}).get("meta", {}).get("types", {})
        _refuse_unknown(model, built[model], types, dictionary)
        lines = "".join(_column_line(kind, dictionary[name]) for name, kind in built[model])
        body = COLUMNS_BLOCK.sub("", entry).rstrip("\n")
        written.append(f"{body}\n    columns:\n{lines}")
    return head + "\n".join(written)


def _column_line(kind: str, entry: ColumnEntry) -> str:
    kind = _portable(kind)
    quoted = json.dumps(kind) if "," in kind else kind
    text = json.dumps(described(entry), ensure_ascii=False)
    # A spine of time must say how fine it is.
    fine = ", granularity: day" if kind == "date" else ""
    return (
        f"      - {{name: {entry.column_name}, data_type: {quoted}, description: {text}{fine}}}\n"
    )


def _portable(kind: str) -> str:
    return PORTABLE.get(kind, kind)


def _refuse_unknown(
    model: str,
    columns: Iterable[tuple[str, str]],
    types: Mapping[str, str],
    dictionary: Mapping[str, ColumnEntry],
) -> None:
    wrong = []
    for name, kind in columns:
        if name not in dictionary:
            wrong.append(f"{name} ({kind}) is not in the dictionary: write its row")
        elif _portable(wanted := types.get(name, dictionary[name].data_type)) != _portable(kind):
            wrong.append(
                f"{name} is {kind} and should be {wanted}: cast it, or name its type in the model's"
                " meta.types"
            )
    gone = sorted(set(types) - {name for name, _ in columns})
    wrong += [f"meta.types names {name}, which it has not" for name in gone]
    if wrong:
        where = COLUMNS.relative_to(PROJECT.parent)
        raise CitytradeError(f"{model}: {'; '.join(wrong)}. The dictionary is {where}.")


def indicator_lists(dictionary: Mapping[str, ColumnEntry]) -> str:
    """The macros that list the yearbook's indicators, in the order of the dictionary."""
    names = [name for name, entry in dictionary.items() if entry.kind == "indicator"]
    city = [name for name in names if not name.startswith(DISTRICT)]
    district = [name.removeprefix(DISTRICT) for name in names if name.startswith(DISTRICT)]
    return (
        "{#- Written from seeds/dictionary/columns.csv by `make dictionary`; "
        "edit the dictionary, not this file. -#}\n\n"
        + _list_macro(
            "city_indicators", "What yearbooks print of a whole city, as panels list it.", city
        )
        + "\n"
        + _list_macro(
            "district_indicators", "Those that panels hold of the districts too.", district
        )
    )


def _list_macro(name: str, told: str, values: Iterable[str]) -> str:
    listed = "".join(f"        '{value}',\n" for value in values)
    body = f"    {{{{ return([\n{listed}    ]) }}}}"
    return f"{{#- {told} -#}}\n{{% macro {name}() -%}}\n{body}\n{{%- endmacro %}}\n"


def contracts(
    built: Built, dictionary: Mapping[str, ColumnEntry], project: Path = PROJECT
) -> dict[Path, str]:
    """Each _<folder>.yml that describes models, with what it should hold.

    Raises
    ------
    CitytradeError : a model without an entry, and as in with_columns.
    """
    plan: dict[Path, str] = {}
    named: set[str] = set()
    for file in sorted((project / "models").rglob("_*.yml")):
        text = file.read_text(encoding="utf-8")
        if "\nmodels:\n" in text:
            plan[file] = with_columns(text, str(file.relative_to(project)), built, dictionary)
            named.update(re.findall(r"(?m)^  - name: (\w+)", text))
    nameless = sorted(set(built) - named)
    if nameless:
        raise CitytradeError(
            f"No _<folder>.yml names {', '.join(nameless)}. Write name, description, grain and"
            " tests; the columns are filled in."
        )
    return plan


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write contracts and lists from the dictionary.")
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if anything would")
    check = parser.parse_args(arguments).check
    try:
        dictionary = read_dictionary()
        # The lists come first: models are made of them.
        differing = write_or_show({LISTS: indicator_lists(dictionary)}, check)
        differing += write_or_show(contracts(built_columns(), dictionary), check)
    except CitytradeError as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"{differing} files"
        f" {'would change: run `make dictionary`' if check else 'written from the dictionary'}"
    )
    return int(check and differing > 0)


if __name__ == "__main__":
    sys.exit(main())
