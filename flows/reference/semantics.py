"""The panels as dbt's semantic models: which columns are keys, which one filters or groups by, and
how each number may be put together. From the panels' descriptions and the dictionary.

The form is that of dbt 1.6 to 1.11 (`semantic_models:` with entities, dimensions and measures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from flows.reference.yml import Line, dump
from warehouse.dictionary.entries import ColumnEntry, read_dictionary
from warehouse.project import DBT_PROJECT

HEAD = (
    "# Written from seeds/dictionary/columns.csv and _panels.yml by `make reference`: edit those,"
    " not this file.\n"
    "# A sum is over cities, products or destinations; over years it takes the last, since stocks"
    " must not be added up.\n\n"
)
PANELS = DBT_PROJECT / "models" / "panels" / "_panels.yml"
TIME, YEARS = "year", "calendar_year"  # MetricFlow keeps the word year for itself
ENTITIES = {"city_code": "city", "hs6_code": "product", "destination_code": "destination"}
GROUPING = frozenset({"name", "note", "flag", "dummy", "group", "key"})
NO_SUMS = ("_share", "_pct")  # as in the macro adds_up, with which cities are joined
NO_SUMS_NAMED = frozenset({"gdp_deflator_2000", "urban_disposable_income_cny", "average_wage_cny"})
TRADED = frozenset({"export_value_usd", "records_n"})


def semantics_yml() -> str:
    """dbt_project/models/panels/_panels_semantic_models.yml: a semantic model a panel."""
    dictionary = read_dictionary()
    models = yaml.safe_load(PANELS.read_text(encoding="utf-8"))["models"]
    given = {"semantic_models": [_semantic_model(model, dictionary) for model in models]}
    return HEAD + dump(given)


def _semantic_model(
    model: Mapping[str, Any], dictionary: Mapping[str, ColumnEntry]
) -> dict[str, Any]:
    name, grain = model["name"], list(model["config"]["meta"]["grain"])
    columns = [dictionary[column["name"]] for column in model["columns"]]
    found: dict[str, Any] = {
        "name": name,
        "model": f"ref('{name}')",
        "description": model["description"].split(". ")[0].rstrip(".") + ".",
    }
    has_years = TIME in grain
    if has_years:
        found["defaults"] = {"agg_time_dimension": YEARS}
    found["entities"] = _entities(name, grain)
    found["dimensions"] = [
        *([Line(_year())] if has_years else []),
        *(
            Line(_dimension(one))
            for one in columns
            if _groups(one) and one.column_name not in grain
        ),
    ]
    if has_years:
        numbers = [one for one in columns if not _groups(one)]
        found["measures"] = [Line(_measure(name, one)) for one in numbers]
    return found


def _entities(name: str, grain: Sequence[str]) -> list[Any]:
    """The row, then what it is of; other models join by the latter."""
    parts = [column for column in grain if column != TIME]
    known = [{"name": ENTITIES.get(p, p.removesuffix("_code")), "expr": p} for p in parts]
    if list(grain) == parts and len(parts) == 1:
        return [Line({**known[0], "type": "primary"})]
    row = {
        "name": f"{name}_row",
        "type": "primary",
        "expr": "concat_ws(' ', " + ", ".join(grain) + ")",
    }
    return [Line(row), *(Line({**one, "type": "foreign"}) for one in known)]


def _year() -> dict[str, Any]:
    return {
        "name": YEARS,
        "type": "time",
        "expr": f"make_date({TIME}, 1, 1)",
        "type_params": {"time_granularity": "year"},
    }


def _dimension(entry: ColumnEntry) -> dict[str, Any]:
    return {"name": entry.column_name, "type": "categorical", "label": entry.label_en}


def _measure(panel: str, entry: ColumnEntry) -> dict[str, Any]:
    """Names of measures are unique over all models, so each says of which panel it is."""
    column = entry.column_name
    found: dict[str, Any] = {
        "name": f"{column}_of_{panel}",
        "label": f"{entry.label_en} ({entry.unit})",
        "expr": column,
        "agg": "sum" if column in TRADED or _adds_up(entry) else "average",
    }
    if _adds_up(entry):
        found["non_additive_dimension"] = {"name": YEARS, "window_choice": "max"}
    return found


def _adds_up(entry: ColumnEntry) -> bool:
    """Is a sum over cities a number of the same kind?"""
    name = entry.column_name
    told = name.endswith(NO_SUMS) or "_per_head_" in name or name in NO_SUMS_NAMED
    return entry.kind == "indicator" and not told


def _groups(entry: ColumnEntry) -> bool:
    return entry.kind in GROUPING or entry.data_type in ("varchar", "boolean")
