"""What the customs benchmark measures on, in one folder a size: two steps, before and after one
`dbt build`.

`python -m tests.benchmarks.preparation records FOLDER N` writes customs__records/<year>.parquet,
truth.json and lake/ (`simulated FOLDER N` does without lake/); `reference FOLDER` writes
reference/: the small tables that the customs models read, as Parquet and in warehouse.duckdb, and
models.json.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import duckdb
import yaml

from tests.benchmarks.customs_panel import PANEL, PROJECT, say
from warehouse.lake.loads import LoadReport, activate, begin_load, finish_load
from warehouse.simulate import simulate, simulator_version, world_is_current, write_customs_lake
from warehouse.sources import get_source, lake_tables
from warehouse.sources.reading.loading import load_file

SEED = 1
RECORDS = "stg_customs__records"
REFERENCE_FILES = {
    "concordance": "concordance/*",
    "divisions": "divisions/*.json",
    "postcodes": "postcodes/*.csv",
}


def simulate_records(folder: Path, records_n: int) -> None:
    """Simulated records and their truth, unless this simulator wrote them before."""
    marker, made_by = (
        folder / "SIMULATED.json",
        {"records_n": records_n, "seed": SEED, "simulator_version": simulator_version()},
    )
    if not marker.is_file() or json.loads(marker.read_text(encoding="utf-8")) != made_by:
        say("simulating the records (once)")
        shutil.rmtree(folder, ignore_errors=True)
        write_customs_lake(folder, records_n, SEED)
        marker.write_text(json.dumps(made_by), encoding="utf-8")


def prepare_records(folder: Path, records_n: int) -> None:
    """Simulated records in a lake whose other sources are a small world's."""
    simulate_records(folder, records_n)
    world = folder.parent / "world"
    if not world_is_current(world, "small", SEED):
        simulate(world, "small", SEED)
    shutil.rmtree(folder / "lake", ignore_errors=True)
    lake = folder / "lake"
    loads = [
        load_file(get_source(name), file, lake)[0]
        for name, pattern in REFERENCE_FILES.items()
        for file in sorted(world.glob(pattern))
    ]
    activate(
        lake,
        [
            *loads,
            *(
                _customs_load(lake, file)
                for file in sorted((folder / "customs__records").glob("*.parquet"))
            ),
        ],
        lake_tables(),
    )


def _customs_load(lake: Path, file: Path) -> LoadReport:
    """A year's records as a load of their own, as if their raw file had been read."""
    count = duckdb.sql(f"select count(*) from read_parquet('{file}')").fetchall()[0][0]
    tables, name = {"customs__records": count}, f"simulated{file.stem}"
    report = LoadReport(
        "customs", name, file.name, name, file.stat().st_size, "simulated", count, count, {}, tables
    )
    building = begin_load(lake, "customs", report.load_id)
    os.link(file, building / "customs__records.parquet")
    finish_load(lake, report, building)
    return report


def prepare_reference(folder: Path) -> None:
    """From the finished build: every table that the customs models read and that does not come from
    customs, and their SQL.
    """
    reference = folder / "reference"
    shutil.rmtree(reference, ignore_errors=True)
    reference.mkdir()
    nodes = json.loads((folder / "dbt" / "target" / "manifest.json").read_text(encoding="utf-8"))[
        "nodes"
    ]
    by_name = {
        node["name"]: node for node in nodes.values() if node["resource_type"] in ("model", "seed")
    }
    order = _customs_models(by_name)
    _write_tables(
        folder,
        [
            by_name[name]
            for name in sorted(
                {parent for name in order for parent in _parents(by_name[name])} - set(order)
            )
        ],
    )
    profile = yaml.safe_load((PROJECT / "dbt_project" / "profiles.yml").read_text(encoding="utf-8"))
    settings = profile["citytrade"]["outputs"]["duckdb"]["settings"]
    plan = {"settings": settings, "models": [_model(by_name[name]) for name in order]}
    (reference / "models.json").write_text(
        json.dumps(plan, ensure_ascii=False, indent=1), encoding="utf-8"
    )
    shutil.rmtree(folder / "dbt")


def _parents(node: dict[str, Any]) -> list[str]:
    return [parent.split(".")[-1] for parent in node["depends_on"].get("nodes", [])]


def _customs_models(by_name: dict[str, dict[str, Any]]) -> list[str]:
    """Models between the customs records and the panel, each after those that it reads."""
    above: dict[str, list[str]] = {}
    waiting = [PANEL]
    while waiting:
        name = waiting.pop()
        above[name] = sorted(_parents(by_name[name]))
        waiting += [parent for parent in above[name] if parent not in above]
    order: list[str] = []
    for name in TopologicalSorter(above).static_order():
        if name == RECORDS or set(above[name]) & set(order):
            order.append(name)
    return order


def _model(node: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": node["name"],
        "relation": node["relation_name"],
        "is_view": node["config"]["materialized"] == "view",
        "columns": {name: column["data_type"] for name, column in node["columns"].items()},
        "sql": node["compiled_code"],
    }


def _write_tables(folder: Path, nodes: list[dict[str, Any]]) -> None:
    """Copy tables out of the build, for DuckDB into a database of the same name (compiled SQL names
    it) and for the peers.
    """
    reference = folder / "reference"
    with duckdb.connect(str(folder / "dbt" / "warehouse.duckdb"), read_only=True) as build:
        for node in nodes:
            build.execute(
                f"copy {node['relation_name']} to '{reference / node['name']}.parquet' (format"
                " parquet)"
            )
    with duckdb.connect(str(reference / "warehouse.duckdb")) as connection:
        for schema in ("staging", *sorted({node["schema"] for node in nodes})):
            connection.execute(f"create schema if not exists {schema}")
        for node in nodes:
            connection.execute(
                f"create table {node['relation_name']} as from"
                f" read_parquet('{reference / node['name']}.parquet')"
            )


if __name__ == "__main__":
    if sys.argv[1] == "simulated":
        simulate_records(Path(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "records":
        prepare_records(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        prepare_reference(Path(sys.argv[2]))
