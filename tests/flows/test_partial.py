"""What a change reaches is built, and nothing else; the tables are those of a whole build.

A small project with everything that a change can go through: a view over the lake, a macro, a
variable, a seed, a Python model, a table that became a view. `python -m tests.faults.partial`
proves the same on the whole project.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from flows.refresh import dbt, reach
from flows.refresh.basis import Basis
from flows.refresh.recipes import nodes_of
from flows.refresh.record import Node, Record, digest, record_of, with_recipes
from tests.conftest import PROJECT, unseal
from warehouse.releases.contents import table_contents
from warehouse.releases.meta import drop_staging
from warehouse.releases.publish import (
    DATABASE,
    Manifest,
    begin_build,
    current_release,
    next_release_id,
    publish,
    read_manifest,
)
from warehouse.settings.config import Config

MODELS = {
    "staging/stg_a__rows.sql": "select * from {{ lake('a__rows') }}",
    "staging/stg_b__rows.sql": "select * from {{ lake('b__rows') }}",
    "intermediate/int_a.sql": (
        "select key, year, {{ scaled('value') }} as value from {{ ref('stg_a__rows') }}"
        " where year >= {{ var('first_year') }}"
    ),
    "intermediate/int_b.sql": "select key, value as other from {{ ref('stg_b__rows') }}",
    "indices/idx_scaled.py": (
        "from analysis.measures.scaling import unit_range\n\n\n"
        "def model(dbt, session):\n"
        "    frame = dbt.ref('int_a').df().sort_values(['key', 'year'], ignore_index=True)\n"
        "    return frame[['key', 'year']].assign(scaled=unit_range(frame['value']))\n"
    ),
    "panels/city_year.sql": (
        "select a.key, a.year, a.value, b.other, w.weight, s.scaled from {{ ref('int_a') }} as a"
        " join {{ ref('int_b') }} as b using (key) join {{ ref('weights') }} as w using (key)"
        " join {{ ref('idx_scaled') }} as s using (key, year)"
    ),
    "panels/panel_b.sql": "select key, sum(other) as other from {{ ref('int_b') }} group by key",
}
YAML = """
models:
  - name: city_year
    description: "One row a key and year."
    config: {meta: {grain: [key, year]}}
    columns: [{name: weight, data_tests: [not_null]}]
  - name: panel_b
    description: "One row a key."
    config: {meta: {grain: [key]}}
    columns: [{name: key, data_tests: [unique]}]
"""
SETTINGS = """
name: citytrade
version: 0.1.0
config-version: 2
profile: citytrade
vars: {first_year: 2000}
models:
  citytrade:
    staging: {+schema: staging, +materialized: view}
    intermediate: {+schema: intermediate, +materialized: table}
    indices: {+schema: indices, +materialized: table}
    panels: {+materialized: table}
seeds: {citytrade: {+schema: seeds}}
"""
SCALED = "{% macro scaled(column) %}{{ column }} * 2.5{% endmacro %}"
EVERY_TEST = 2


class Project:
    """A dbt project, a lake, and builds of both: each is published and is the basis of the next."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self.write("dbt_project.yml", SETTINGS)
        profiles = PROJECT / "dbt_project" / "profiles.yml"
        self.write("profiles.yml", profiles.read_text(encoding="utf-8"))
        engine = PROJECT / "dbt_project" / "macros" / "engine.sql"
        self.write("macros/engine.sql", engine.read_text(encoding="utf-8"))
        self.write("macros/scaled.sql", SCALED)
        self.write("seeds/weights.csv", "key,weight\n1,0.5\n2,0.25\n3,0.125\n")
        for name, text in MODELS.items():
            self.write(f"models/{name}", text)
        self.write("models/models.yml", YAML)
        self.deliver("a__rows", "i % 3 + 1 as key, 2000 + i as year, i * 1.5 as value")
        self.deliver("b__rows", "i % 3 + 1 as key, i as value")

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def deliver(self, table: str, columns: str) -> None:
        """Another load of a table takes the place of the one before."""
        lake = self.config.lake / "sets" / "now" / table
        shutil.rmtree(lake, ignore_errors=True)
        lake.mkdir(parents=True)
        load = lake / f"{digest(columns)}.parquet"
        duckdb.sql(f"copy (select {columns} from range(9) t(i)) to '{load}' (format parquet)")

    def build(self, whole: bool = False) -> tuple[dbt.Built, dict[str, list[object]]]:
        """A build, and what the tables of its file hold; a partial one is published."""
        name = next_release_id(self.config.home, datetime.now(UTC), "abcdef")
        folder = begin_build(self.config.home, f"{name}.again" if whole else name)
        current = current_release(self.config.home)
        former = read_manifest(self.config.home, current) if current is not None else None
        where = self.config.builds / current if current is not None else None
        basis = Basis(former, where, "asked for" if whole else "")
        lake = self.config.lake / "sets" / "now"
        built = dbt.build(self.config, lake, folder, lambda _: None, basis)
        with duckdb.connect(str(folder / DATABASE)) as connection:
            drop_staging(connection)
        contents = table_contents(folder / DATABASE)
        if not whole:
            publish(
                self.config.home,
                folder,
                Manifest(
                    name, current, "2026-11-20T00:00:00", "c", True, "i", "c", "s",
                    tables=contents, built_from=built.built_from,
                ),
            )  # fmt: skip
        return built, contents


@pytest.fixture
def project(tmp_path: Path, tiny_config: Config, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(dbt, "PROJECT", tmp_path / "dbt_project")
    return Project(tmp_path / "dbt_project", tiny_config)


def ran(built: dbt.Built) -> set[str]:
    """What dbt ran; the outcome of a test that stands has no time."""
    return {r["unique_id"].split(".")[2] for r in built.results if "execution_time" in r}


def same_as_whole(project: Project, built: dbt.Built, contents: dict[str, list[object]]) -> None:
    whole, expected = project.build(whole=True)
    assert contents == expected
    assert whole.told.startswith("built all 7 models: asked for")
    recipes = [
        {name: node["recipe"] for name, node in one.built_from["nodes"].items()}
        for one in (built, whole)
    ]
    assert recipes[0] == recipes[1]
    assert len([r for r in built.results if r["unique_id"].startswith("test.")]) == EVERY_TEST


def test_what_a_change_reaches_is_built_and_the_tables_are_those_of_a_whole_build(
    project: Project,
) -> None:
    first, _ = project.build()
    assert first.told == "built all 7 models: there is no former release"
    still, _ = project.build()
    assert still.told == "built 0 of 7 models: nothing that they are made from changed"
    assert ran(still) == set() and still.kept == {
        "main.city_year", "main.panel_b", "intermediate.int_a", "intermediate.int_b",
        "indices.idx_scaled", "seeds.weights",
    }  # fmt: skip

    project.deliver("b__rows", "i % 3 + 1 as key, i * 10 as value")
    built, contents = project.build()
    assert built.told == "built 4 of 7 models: b__rows changed"
    tests = {"unique_panel_b_key", "not_null_city_year_weight"}
    assert ran(built) == {"stg_b__rows", "int_b", "city_year", "panel_b", *tests}
    same_as_whole(project, built, contents)

    project.write("macros/scaled.sql", SCALED.replace("2.5", "3.5"))
    project.write("seeds/weights.csv", "key,weight\n1,0.5\n2,0.25\n3,0.0625\n")
    built, contents = project.build()
    assert built.told == "built 4 of 7 models: model int_a, seed weights changed"
    assert ran(built) == {
        "stg_a__rows", "int_a", "idx_scaled", "weights", "city_year", "not_null_city_year_weight",
    }  # fmt: skip
    same_as_whole(project, built, contents)


def test_a_table_that_became_a_view_or_is_gone_leaves_nothing_behind(project: Project) -> None:
    project.build()
    project.write("dbt_project.yml", SETTINGS.replace("first_year: 2000", "first_year: 2003"))
    project.write(
        "models/intermediate/int_b.sql",
        "{{ config(materialized='view') }} " + MODELS["intermediate/int_b.sql"],
    )
    (project.folder / "models/panels/panel_b.sql").unlink()
    project.write("models/models.yml", YAML.split("  - name: panel_b")[0])
    built, contents = project.build()
    assert set(contents) == {
        "main.city_year", "intermediate.int_a", "indices.idx_scaled", "seeds.weights",
    }  # fmt: skip
    whole, expected = project.build(whole=True)
    assert contents == expected and whole.models_n == 6
    # The configuration's own first year counts, not that of the project's settings.
    assert "int_a" not in ran(built)


@pytest.mark.parametrize("name", [DATABASE, "release.json", "dbt/manifest.json"])
def test_a_release_that_was_changed_is_no_basis(project: Project, name: str) -> None:
    project.build()
    release = project.config.builds / str(current_release(project.config.home))
    unseal(release)
    with (release / name).open("ab") as file:
        file.write(b" ")
    built, _ = project.build()
    assert built.told == (
        f"built all 7 models: release {release.name} is no basis: {name} was changed after its"
        " publication"
    )


def _compiled(sql: str, **fields: object) -> dict[str, Node]:
    """The nodes of a manifest with one model, as dbt would write it."""
    node = {
        "unique_id": "model.citytrade.m", "resource_type": "model", "name": "m", "alias": "m",
        "schema": "main", "raw_code": sql, "compiled_code": sql, "language": "sql",
        "config": {"materialized": "table"}, "depends_on": {"nodes": [], "macros": []},
        "original_file_path": "models/m.sql", **fields,
    }  # fmt: skip
    manifest = {
        "metadata": {"project_name": "citytrade"}, "macros": {},
        "nodes": {"model.citytrade.m": node},
    }  # fmt: skip
    return nodes_of(manifest, "/lake", Path("/nowhere"))


@pytest.mark.parametrize(
    ("sql", "is_sure"),
    [
        ("select 1 as random -- now()", True),
        ("select 'now()' as x, a is distinct from 'b' as y from t", True),
        ("select * from read_parquet('/lake/t/*.parquet')", True),
        ("select now() as x", False),
        ("select RANDOM () as x", False),
        ("select '--' as x, current_date", False),
        ("select * from read_parquet('/elsewhere/*.parquet')", False),
        ("select * from '/elsewhere/file.csv'", False),
        ("select '/lake' as place", True),
        ("select * from read_parquet(['/lake/t/*.parquet'])", False),
        ("{{ run_query('select 1') }}", False),
    ],
)
def test_code_whose_outcome_its_text_does_not_tell_is_always_built(sql: str, is_sure: bool) -> None:
    (node,) = _compiled(sql).values()
    assert bool(node.code) == is_sure
    now = with_recipes(Record({}, "p", {"t": "1"}, {"m": node}), "release 2")
    before = with_recipes(replace(now), "release 1")
    assert (reach.plan(before, now).run == set()) == is_sure


@pytest.mark.parametrize(
    ("code", "is_sure"),
    [
        ("from analysis.measures.scaling import unit_range\n", True),
        ("import numpy as np\n", True),
        ("import os\n", False),
        ("from analysis.estimators import core\n", False),
        ("def model(dbt, session):\n    return session.sql('from t')\n", False),
        ("def model(dbt, session):\n    return open('x')\n", False),
    ],
)
def test_a_python_model_that_sees_more_than_its_arguments_is_always_built(
    code: str, is_sure: bool
) -> None:
    (node,) = _compiled(code, language="python").values()
    assert bool(node.code) == is_sure


def test_other_conditions_have_everything_built() -> None:
    node = Node("model", "m", "code", relation="main.m", stored="table")
    before = with_recipes(Record({"duckdb": "1", "Python": "3"}, "p", {}, {"m": node}), "r")
    assert reach.plan(before, replace(before, whole={"duckdb": "2", "Python": "3"})).whole == (
        "duckdb changed"
    )
    odd = replace(before, nodes={"m": node, "o": Node("operation", "o", "")})
    assert "has a operation, which may change any table" in reach.plan(before, odd).whole


def test_a_record_is_what_it_was_after_json(project: Project) -> None:
    node = Node("test", "t", "code", ("a",), ("lake",))
    record = with_recipes(
        Record({"duckdb": "1"}, "p", {"lake": "1"}, {"t": node}, outcomes={"t": ("pass", 0, None)}),
        "r",
    )
    assert record_of(json.loads(json.dumps(record.as_json()))) == record
    assert record_of({}) is None
    assert record_of({**record.as_json(), "form": 0}) is None
    refused: Callable[[], str] = Basis(None, None).refusal
    assert refused() == "there is no former release"
