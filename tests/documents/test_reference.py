"""What is written from the project itself is up to date, whole, and what dbt takes it for."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.estimators import registered
from analysis.papers import paper_names
from flows.commands.arguments import parser
from flows.reference.__main__ import PANELS, WRITERS, main
from flows.reference.commands import commands_page
from flows.reference.configuration import configuration_page
from flows.reference.estimators import estimators_page
from warehouse.releases.publish import current_release
from warehouse.settings import keys
from warehouse.settings.choices import defaults
from warehouse.settings.config import Config

SEMANTICS = PANELS / "_panels_semantic_models.yml"


@pytest.mark.parametrize("file", WRITERS, ids=lambda file: file.name)
def test_what_is_written_is_up_to_date(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == WRITERS[file](), "run `make reference`"


def test_a_difference_is_shown_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.reference import __main__ as writing

    monkeypatch.setattr("warehouse.written.PROJECT", tmp_path)
    monkeypatch.setattr(writing, "WRITERS", {tmp_path / "docs" / "a.md": lambda: "new\n"})
    assert main(["--check"]) == 1
    assert "+new" in capsys.readouterr().out
    assert not (tmp_path / "docs").exists()
    assert main([]) == 0
    assert main(["--check"]) == 0


def commands() -> dict[str, argparse.ArgumentParser]:
    [choices] = [a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return choices.choices


@pytest.mark.parametrize("name", commands())
def test_every_argument_of_a_command_says_what_it_is(name: str) -> None:
    assert f"\n## {name}\n" in commands_page()
    assert [action.dest for action in commands()[name]._actions if not action.help] == []


def test_the_page_of_the_configuration_has_every_key() -> None:
    page = configuration_page()
    tables = [value for value in vars(keys).values() if isinstance(value, dict)]
    known = {name for table in tables for name, key in table.items() if isinstance(key, keys.Key)}
    assert [name for name in sorted(known | set(defaults())) if f"| `{name}` |" not in page] == []
    for table in tables:
        for key in table.values():
            if isinstance(key, keys.Key):
                assert all(isinstance(text, str) for text in dataclasses.astuple(key))
                assert key.told


def test_the_page_of_estimators_has_each_with_its_options() -> None:
    page = estimators_page()
    for name, entry in registered().items():
        section = page.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]
        assert [option for option in entry.options if f"| `{option}` |" not in section] == []


def semantic_models() -> list[dict[str, Any]]:
    return yaml.safe_load(SEMANTICS.read_text(encoding="utf-8"))["semantic_models"]


def test_semantic_models_hold_by_the_rules_of_dbt() -> None:
    """dbt tries them only where metrics stand beside; here they are tried without."""
    from dbt_semantic_interfaces.implementations.project_configuration import (
        PydanticProjectConfiguration,
    )
    from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
    from dbt_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
    from dbt_semantic_interfaces.validations.semantic_manifest_validator import (
        SemanticManifestValidator,
    )

    def told(models: list[dict[str, Any]]) -> list[str]:
        made = [
            PydanticSemanticModel.parse_obj(
                {**model, "node_relation": {"alias": model["name"], "schema_name": "main"}}
            )
            for model in models
        ]
        manifest = PydanticSemanticManifest(
            semantic_models=made, metrics=[], project_configuration=PydanticProjectConfiguration()
        )
        found = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(
            manifest
        )
        return [issue.message for issue in (*found.errors, *found.warnings)]

    nothing_to_ask = ["No metrics present in the model."]
    assert told(semantic_models()) == nothing_to_ask
    wrong = semantic_models()
    wrong[0]["measures"][0]["agg_time_dimension"] = "no_such_year"
    assert len(told(wrong)) > len(nothing_to_ask)


def test_every_column_of_a_panel_is_a_key_a_group_or_a_number() -> None:
    panels = yaml.safe_load((PANELS / "_panels.yml").read_text(encoding="utf-8"))["models"]
    columns = {model["name"]: {column["name"] for column in model["columns"]} for model in panels}
    grains = {model["name"]: set(model["config"]["meta"]["grain"]) for model in panels}
    assert {model["name"] for model in semantic_models()} == set(columns)
    for model in semantic_models():
        numbers = {measure["expr"] for measure in model.get("measures", [])}
        groups = {one["name"] for one in model["dimensions"]} - {"calendar_year"}
        described = numbers | groups | grains[model["name"]]
        if "measures" in model:
            assert described == columns[model["name"]]
        else:  # a cross-section: numbers without a year have no time to be added up over
            assert described < columns[model["name"]]


def test_sums_are_of_what_adds_up_over_cities() -> None:
    [city_year] = [model for model in semantic_models() if model["name"] == "city_year"]
    how = {measure["expr"]: measure for measure in city_year["measures"]}
    assert how["export_value_usd"]["agg"] == how["gdp_cny"]["agg"] == "sum"
    assert "non_additive_dimension" not in how["export_value_usd"]
    assert how["gdp_cny"]["non_additive_dimension"]["window_choice"] == "max"
    for name in ("hs6_n", "average_wage_cny", "gdp_growth_pct", "gdp_deflator_2000"):
        assert how[name]["agg"] == "average"


def test_dbt_knows_papers_and_panels(small_release: Config) -> None:
    release = current_release(small_release.home)
    assert release is not None
    manifest = json.loads((small_release.builds / release / "dbt" / "manifest.json").read_text())
    exposures = {found["name"]: found for found in manifest["exposures"].values()}
    assert sorted(exposures) == paper_names()
    for slug, found in exposures.items():
        read = {name.split(".")[-1] for name in found["depends_on"]["nodes"]}
        assert any(name.startswith(f"panel_{slug}") for name in read)
    described = {found["name"] for found in manifest["semantic_models"].values()}
    assert described == {model["name"] for model in semantic_models()}
