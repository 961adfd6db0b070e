"""The models say nothing that only one engine knows, outside macros that are dispatched by engine:
the same SQL is to run on DuckDB and on Spark.

What one engine says otherwise has its macro in dbt_project/macros/engine.sql, with a version for
each engine (duckdb__…, spark__…).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from warehouse.dictionary.entries import read_dictionary
from warehouse.project import DBT_PROJECT

FOLDERS = ("models", "macros", "tests")
# Words that one of the two engines does not know, or understands otherwise; and what to say.
REFUSED = {
    r"\bvarchar\b": "say string: Spark has no varchar without a length",
    r"\bhugeint\b": "say decimal(38, 0)",
    r"\bin \((?:[^()']|'[^']*')*\) *(?:=|<>)": "put brackets around the `in (…)` that is compared",
    r"//": "say floor(a / b)",
    r"\* (?:exclude|replace|rename)\b": "name the columns",
    r"(?<!\$)\[": "lists have brackets in DuckDB only: dispatch a macro",
    r"\blist(?:_\w+)?\(": "lists are DuckDB's: dispatch a macro",
    r"\b(?:string_agg|quantile_cont|quantile_disc|strptime|strftime|columns|arg_max|arg_min"
    r"|any_value|read_parquet|read_csv|generate_series|unnest|range)\(": "dispatch a macro",
    r"\b(?:explode|sequence|collect_list|array_sort|element_at)\(": "dispatch a macro",
    r"\b(?:asof|pivot|unpivot|by name)\b": "DuckDB's only: write it out",
    r"\bmedian\(": "say percentile_cont(0.5): of decimals, medians differ",
    r"\blog\(": "say safe_ln or log10: the base of log differs",
    # DuckDB ends with an error at zero and below, Spark answers null.
    r"\bln\((?!case when )": "say safe_ln, which is null where a value has no log",
}
WHOLE = r"(?:tinyint|smallint|int|integer|bigint)"
FRACTIONS = re.compile(r"/|\b(?:avg|sqrt|ln|exp|power|log10|percentile_cont)\(|::double")
ROUNDED = ("round", "floor", "ceil", "count", "rank", "row_number")
DISPATCHED = re.compile(
    r"\{% macro (?:duckdb|spark)__.*?\{%-? endmacro %\}", re.DOTALL
)  # what each engine has for itself


def bare(text: str) -> str:
    """SQL without comments, dispatched macros and Jinja, and with empty texts between quotes."""
    text = DISPATCHED.sub(" ", text)
    for pattern, instead in (
        (r"\{#.*?#\}", " "),
        (r"/\*.*?\*/", " "),
        (r"\{%.*?%\}", " "),
        (r"\{\{.*?\}\}", "jinja"),
        (r"'[^']*'", "''"),
        (r"--[^\n]*", " "),
    ):
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def opening(text: str, closing: int) -> int:
    """Where the bracket that closes at a place was opened."""
    depth = 0
    for at in range(closing, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            return at
    return 0


def closing(text: str, opened: int) -> int:
    """Where the bracket that opens at a place is closed."""
    depth = 0
    for at in range(opened, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    return len(text)


def unrounded(text: str, doubles: frozenset[str]) -> Iterator[str]:
    """Casts of doubles to whole numbers, which DuckDB rounds and Spark cuts."""
    for cast in re.finditer(rf"::{WHOLE}\b", text):
        before = text[: cast.start()]
        if before.endswith(")"):
            start = opening(before, len(before) - 1)
            name = re.search(r"\w*$", before[max(0, start - 40) : start])
            assert name is not None
            if name.group() not in ROUNDED and FRACTIONS.search(name.group() + before[start:]):
                yield f"{name.group()}{before[start:]}{cast.group()}: round it before"
        else:
            word = re.search(r"\w*$", before[-40:])
            if word is not None and word.group() in doubles:
                yield f"{word.group()}{cast.group()}: round it before"


def unfiltered(text: str) -> Iterator[str]:
    """max_by and min_by whose rows may have no value: DuckDB passes over these, Spark takes
    them.
    """
    for call in re.finditer(r"\b(?:max|min)_by\(", text):
        end = closing(text, call.end() - 1)
        value = text[call.end() : end].split(",")[0].strip()
        after = re.match(r"\s*filter \(", text[end + 1 :])
        filtered = text[end + 1 : closing(text, end + after.end()) + 1] if after else ""
        if f"{value} is not null" not in text[call.end() : end] + filtered:
            yield f"{text[call.start() : end + 1]}: add `filter (where {value} is not null)`"


def refused(text: str, doubles: frozenset[str] = frozenset()) -> list[str]:
    """What a second engine could not run in a file of SQL, each with what to do."""
    plain = bare(text)
    found = [
        f"{match.group().strip()}: {told}"
        for pattern, told in REFUSED.items()
        for match in re.finditer(pattern, plain, flags=re.IGNORECASE)
    ]
    return [*found, *unrounded(plain, doubles), *unfiltered(plain)]


def files() -> list[Path]:
    return sorted(file for folder in FOLDERS for file in (DBT_PROJECT / folder).rglob("*.sql"))


def test_models_say_nothing_that_one_engine_alone_knows() -> None:
    doubles = frozenset(
        name for name, entry in read_dictionary().items() if entry.data_type == "double"
    )
    found = {
        str(file.relative_to(DBT_PROJECT)): told
        for file in files()
        if (told := refused(file.read_text(encoding="utf-8"), doubles))
    }
    assert found == {}


def test_contracts_and_seeds_name_types_that_both_engines_know() -> None:
    known = {
        "date",
        "string",
        "double",
        "boolean",
        "smallint",
        "bigint",
        "integer",
        "tinyint",
        "timestamp",
    }
    found = []
    for file in sorted((DBT_PROJECT / "models").rglob("_*.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models") or []:
            found += [
                f"{model['name']}.{column['name']}: {column['data_type']}"
                for column in model.get("columns", [])
                if column["data_type"] not in known
                and not column["data_type"].startswith("decimal(")
            ]
    seeds = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["seeds"]
    for line in re.findall(r"'\w+': '(\w+)'", str(seeds["citytrade"])):
        if line not in known and line not in ("seeds",):
            found.append(f"dbt_project.yml, seeds: {line}")
    assert found == []


@pytest.mark.parametrize(
    "sql",
    [
        "select a::varchar from b",
        "select sum(a)::hugeint from b",
        "select * from a where b in ('x', 'y') = c",
        "select a // 2 from b",
        "select * exclude (a) from b",
        "select a[1] from b",
        "select list_sort(list(a)) from b",
        "select string_agg(a, ',') from b",
        "select median(a) from b",
        "select log(a) from b",
        "select max_by(a, b) from c",
        "select max_by(a, b) filter (where b > 1) from c",
        "select (a / b)::int from c",
        "select avg(a)::bigint from c",
        "select gdp_cny::int from c",
        "select explode(a) as b",
    ],
)
def test_each_rule_finds_what_it_is_for(sql: str) -> None:
    assert refused(sql, frozenset({"gdp_cny"}))


@pytest.mark.parametrize(
    "sql",
    [
        "select a::string, sum(b)::decimal(38, 0) from c  -- not varchar",
        "select * from a where (b in ('x', 'y')) = c and d in (1, 2)",
        "select * from a where b in ('x') and c = 1",
        "select round(a / b)::int, count(*)::int, floor((a + 99) / 100)::int from c",
        "select max_by(a, b) filter (where c > 1 and a is not null) from d",
        "select max_by(a, case when a is not null then b end) over e from d",
        "{% macro duckdb__x() -%} list(a)[1] {%- endmacro %} select {{ x()[0] }} as b",
        "select regexp_replace(a, '[0-9]//', '') from c",
        "select replace(a, ',', '') from c",
    ],
)
def test_what_both_engines_know_passes(sql: str) -> None:
    assert refused(sql, frozenset({"gdp_cny"})) == []
