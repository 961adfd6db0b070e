"""One home for each column: the dictionary; contracts, comments and lists of indicators are written
from it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.dictionary.contracts import (
    LISTS,
    contracts,
    described,
    indicator_lists,
    with_columns,
)
from warehouse.dictionary.entries import FIELDS, KINDS, ColumnEntry, read_dictionary
from warehouse.errors import CitytradeError
from warehouse.sources.yearbook.headers import HEADERS

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MODELS: list[dict[str, Any]] = [
    model
    for file in sorted((PROJECT / "models").rglob("_*.yml"))
    for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
]
PYTHON_MODELS = {file.stem for file in (PROJECT / "models").rglob("*.py")}
WITHOUT_KEY = {
    "int_trade__judged",
    "int_trade__exports",
    "int_trade__district_exports",
}  # one row a record; the record's file and line stay in staging
SUFFIX_UNITS = {
    "_cny": "CNY", "_usd": "USD", "_2000": "2000", "_pct": "%", "_n": "count", "_km": "km",
    "_km2": "km2", "_m2": "m2", "_t": "t", "_cents": "US cents",
    "_code": "code", "_year": "year", "_did": "0 or 1",
}  # fmt: skip
HAND = """version: 2

models:
  # what people write stays, comments too
  - name: int_city__a
    description: "One row a city."
    config: {meta: {grain: [city_code], types: {rows_n: bigint}}}
    data_tests: [unique_grain]
    columns:
      - {name: old, data_type: text}
"""


def entry(name: str, data_type: str = "double", kind: str = "measure") -> ColumnEntry:
    return ColumnEntry(
        name,
        data_type,
        kind,
        "count",
        f"The {name}",
        "列",
        'Says "so".',
        "如此。",
        "somewhere",
        None,
        None,
        "",
    )


DICTIONARY = {
    "city_code": entry("city_code", "varchar", "key"),
    "rows_n": entry("rows_n", "integer"),
    "gdp_cny": entry("gdp_cny"),
}
BUILT = {"int_city__a": [("city_code", "varchar"), ("rows_n", "bigint")]}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["name"])
def test_every_model_states_its_grain_and_tests_it(model: dict[str, Any]) -> None:
    assert model["description"].startswith("One row a"), (
        "the first sentence of a description is the grain"
    )
    tests = model.get("data_tests", [])
    assert ("columns_as_declared" in tests) == (model["name"] in PYTHON_MODELS), (
        "dbt enforces no contract on a Python model: this test stands in for it"
    )
    if model["name"] not in WITHOUT_KEY:
        assert tests[0] == "unique_grain"
        assert set(model["config"]["meta"]["grain"]) <= {
            column["name"] for column in model["columns"]
        }


def test_no_model_goes_without_its_contract() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["models"][
        "citytrade"
    ]
    assert project["+contract"] == {"enforced": "{{ var('contracts', true) }}"}
    assert project["+persist_docs"] == {"relation": True, "columns": True}
    exempt = {
        file.stem
        for file in (PROJECT / "models").rglob("*.*")
        if file.suffix in (".sql", ".py")
        and re.search(r"\bcontract\s*=", file.read_text(encoding="utf-8"))
    }
    assert exempt == PYTHON_MODELS
    assert {model["name"] for model in MODELS} == {
        file.stem for file in (PROJECT / "models").rglob("*.sql")
    } | PYTHON_MODELS


def test_what_is_written_from_the_dictionary_is_up_to_date() -> None:
    """Names and their order are the models' own, which dbt's contracts hold; all else must follow
    from the dictionary.
    """
    dictionary = read_dictionary()
    built = {
        model["name"]: [(column["name"], column["data_type"]) for column in model["columns"]]
        for model in MODELS
    }
    stale = [
        file.name
        for file, text in contracts(built, dictionary).items()
        if file.read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make dictionary`"
    assert LISTS.read_text(encoding="utf-8") == indicator_lists(dictionary), "run `make dictionary`"


def test_columns_are_written_and_all_else_is_kept() -> None:
    written = with_columns(HAND, "_city.yml", BUILT, DICTIONARY)
    assert written.startswith(HAND.partition("    columns:")[0])
    columns = yaml.safe_load(written)["models"][0]["columns"]
    assert [(column["name"], column["data_type"]) for column in columns] == [
        ("city_code", "string"),  # as every engine calls it
        ("rows_n", "bigint"),
    ]
    assert (
        columns[1]["description"]
        == described(DICTIONARY["rows_n"])
        == 'The rows_n (列), count. Says "so".'
    )
    assert with_columns(written, "_city.yml", BUILT, DICTIONARY) == written


def test_an_entry_without_columns_gets_them() -> None:
    bare = HAND.partition("    columns:")[0]
    assert with_columns(bare, "_city.yml", BUILT, DICTIONARY) == with_columns(
        HAND, "_city.yml", BUILT, DICTIONARY
    )


@pytest.mark.parametrize(
    ("built", "message"),
    [
        (
            {"int_city__a": [("city_code", "varchar"), ("rows_n", "integer")]},
            "rows_n is integer and should be bigint: cast it",
        ),
        (
            {"int_city__a": [("city_code", "integer"), ("rows_n", "bigint")]},
            "int_city__a: city_code is integer and should be varchar",
        ),
        (
            {"int_city__a": [("rows_n", "bigint"), ("new_n", "bigint")]},
            r"new_n \(bigint\) is not in the dictionary: write its row",
        ),
        ({"int_city__a": [("city_code", "varchar")]}, "meta.types names rows_n, which it has not"),
        ({}, "_city.yml: there is no model int_city__a"),
    ],
)
def test_what_the_dictionary_does_not_say_is_refused(
    built: dict[str, list[tuple[str, str]]], message: str
) -> None:
    with pytest.raises(CitytradeError, match=message):
        with_columns(HAND, "_city.yml", built, DICTIONARY)


def test_a_model_that_no_file_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "_city.yml").write_text(HAND, encoding="utf-8")
    with pytest.raises(CitytradeError, match="names int_city__b"):
        contracts({**BUILT, "int_city__b": []}, DICTIONARY, tmp_path)


def test_indicators_are_listed_in_the_order_of_the_dictionary() -> None:
    listed = indicator_lists(
        {
            name: entry(name, kind="indicator")
            for name in ("gdp_cny", "area_km2", "district_gdp_cny")
        }
        | {"b": entry("b")}
    )
    assert re.findall(r"macro (\w+)|'(\w+)'", listed) == [
        ("city_indicators", ""), ("", "gdp_cny"), ("", "area_km2"), ("district_indicators", ""),
        ("", "gdp_cny"),
    ]  # fmt: skip


def test_an_indicator_is_what_a_head_of_a_yearbook_means() -> None:
    understood = {header.indicator for header in HEADERS}
    listed = {
        name.removeprefix("district_")
        for name, one in read_dictionary().items()
        if one.kind == "indicator"
    }
    assert listed - understood == {"gdp_deflator_2000"}, (
        "but for the deflator that the file of GDP with base 2000 prints"
    )


def test_a_name_and_its_kind_and_type_agree() -> None:
    for name, one in read_dictionary().items():
        assert one.kind in KINDS, name
        assert (
            (one.kind == "flag") == (one.data_type == "boolean") == name.startswith(("is_", "has_"))
        ), name
        if one.kind == "dummy":
            assert one.unit == "0 or 1", name
        if name.startswith("ln_"):
            assert one.kind == "log", name
        if name.endswith("_code"):
            assert (one.kind, one.data_type) == ("key", "varchar"), name


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("colour", "line 2: a has the kind 'colour'. Write one of dummy, flag"),
        ("", "has the kind ''"),
    ],
)
def test_an_unknown_kind_is_refused(tmp_path: Path, kind: str, message: str) -> None:
    file = tmp_path / "columns.csv"
    file.write_text(
        f"column_name,data_type,kind,unit,label_en,label_zh,definition,definition_zh,source,"
        f"minimum,maximum,bound_reason\na,double,{kind},count,A,甲,x,乙,y,,,\n",
        encoding="utf-8",
    )
    with pytest.raises(CitytradeError, match=message):
        read_dictionary(file)


@pytest.mark.parametrize("field", ["definition", "definition_zh"])
def test_a_column_without_a_definition_in_a_language_is_refused(tmp_path: Path, field: str) -> None:
    row = dict.fromkeys(FIELDS, "") | {"column_name": "a", "kind": "index", "definition": "x"}
    row |= {"definition_zh": "乙", field: " "}
    file = tmp_path / "columns.csv"
    file.write_text(f"{','.join(FIELDS)}\n{','.join(row[key] for key in FIELDS)}\n", "utf-8")
    with pytest.raises(CitytradeError, match=f"line 2: a has no {field}. Write what"):
        read_dictionary(file)


def test_a_name_and_its_unit_agree() -> None:
    for name, one in read_dictionary().items():
        suffix = max((s for s in SUFFIX_UNITS if name.endswith(s)), key=len, default=None)
        if suffix and not name.startswith(("city_name", "city_code", "ln_")):
            assert SUFFIX_UNITS[suffix] in one.unit, f"{name}: unit {one.unit!r}"
        if name.endswith("_share") and not name.startswith("ln_"):
            assert one.unit.startswith("share"), name
        if name.startswith(("is_", "has_")):
            assert one.unit == "true or false", name
        if name.startswith("ln_"):
            assert one.unit == "log", name


def test_a_bound_has_a_reason() -> None:
    for name, one in read_dictionary().items():
        assert bool(one.bound_reason) == (one.minimum is not None or one.maximum is not None), name


def test_the_dictionary_has_no_column_that_no_model_has() -> None:
    used = {column["name"] for model in MODELS for column in model["columns"]}
    assert set(read_dictionary()) - used == set()
