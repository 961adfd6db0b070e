"""One home for each column: the dictionary, the models' contracts and the generated docs agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.dictionary.docs import BLOCKS, doc_blocks
from warehouse.dictionary.entries import read_dictionary

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MODELS: list[dict[str, Any]] = [
    model for file in sorted((PROJECT / "models").rglob("_*.yml")) for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
]
PYTHON_MODELS = {file.stem for file in (PROJECT / "models").rglob("*.py")}
WITHOUT_KEY = {"int_trade__judged", "int_trade__exports"}  # one row a record; the record's file and line stay in staging
SUFFIX_UNITS = {
    "_cny": "CNY", "_usd": "USD", "_2000": "2000", "_pct": "%", "_n": "count", "_km": "km", "_km2": "km2", "_m2": "m2", "_t": "t", "_cents": "US cents",
    "_code": "code", "_year": "year", "_did": "0 or 1",
}  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_every_model_states_its_grain_and_every_column_is_in_the_dictionary(model: dict[str, Any]) -> None:
    known = read_dictionary()
    assert model["description"].startswith("One row a"), "the first sentence of a description is the grain"
    if model["name"] in PYTHON_MODELS:
        assert "columns_as_declared" in model["data_tests"], "dbt enforces no contract on a Python model: this test stands in for it"
    else:
        assert model["config"]["contract"]["enforced"] is True
    if model["name"] not in WITHOUT_KEY:
        columns = model["data_tests"][0]["unique_grain"]["arguments"]["columns"]
        assert columns == model["config"]["meta"]["grain"]
    for column in model["columns"]:
        assert column["name"] in known, f"{model['name']}.{column['name']} has no row in seeds/dictionary/columns.csv"
        assert column["description"] == f"{{{{ doc('{column['name']}') }}}}"


def test_every_model_has_a_contract() -> None:
    described = {model["name"] for model in MODELS}
    written = {file.stem for file in (PROJECT / "models").rglob("*.sql")} | PYTHON_MODELS
    assert described == written


def test_a_name_and_its_unit_agree() -> None:
    for name, entry in read_dictionary().items():
        suffix = max((s for s in SUFFIX_UNITS if name.endswith(s)), key=len, default=None)
        if suffix and not name.startswith(("city_name", "city_code", "ln_")):
            assert SUFFIX_UNITS[suffix] in entry.unit, f"{name}: unit {entry.unit!r}"
        if name.endswith("_share") and not name.startswith("ln_"):
            assert entry.unit.startswith("share"), name
        if name.startswith(("is_", "has_")):
            assert entry.unit == "true or false", name
        if name.startswith("ln_"):
            assert entry.unit == "log", name


def test_a_bound_has_a_reason() -> None:
    for name, entry in read_dictionary().items():
        assert bool(entry.bound_reason) == (entry.minimum is not None or entry.maximum is not None), name


def test_the_dictionary_has_no_column_that_no_model_has() -> None:
    used = {column["name"] for model in MODELS for column in model["columns"]}
    assert set(read_dictionary()) - used == set()


def test_docs_are_written_from_the_dictionary() -> None:
    assert BLOCKS.read_text(encoding="utf-8") == doc_blocks(), "run `make docs`"
