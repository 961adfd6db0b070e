"""One simulated world in every customs layout: the same `city_year` to the byte from each, and
equal to the world's truth.

dbt builds the panel once, from the default layout. For each layout its files are read into the same
lake, and the statements that dbt ran for the models between the customs records and the panel are
run again, as dbt compiled them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.lake.loads import LoadReport, activate
from warehouse.simulate import simulate
from warehouse.simulate.model.whole import whole_economy
from warehouse.simulate.world import streams, write_customs_world
from warehouse.simulate.writers.customs.layouts import LAYOUTS
from warehouse.sources import get_source, lake_tables
from warehouse.sources.reading.loading import load_file

PROJECT = Path(__file__).resolve().parents[2]
SEED = 7
SOURCES = (
    "yearbook",
    "digital_finance",
    "concordance",
    "divisions",
    "postcodes",
    "geography",
    "prices",
    "policies",
)
FLOWS = {"export_files": "*_export.csv", "import_files": "*_import.csv"}
RECORDS = "model.citytrade.stg_customs__records"
MEASURES = "city_code, year, (export_value_usd * 100)::bigint, hs6_n, destination_n"


class Built:
    """A lake with the world's sources, the database that dbt made of it, and the models that
    customs records lead to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake, self.database = folder, folder / "lake", folder / "warehouse.duckdb"
        world = simulate(folder / "world", "small", SEED)
        self.truth: dict[str, Any] = json.loads((world / "truth.json").read_text(encoding="utf-8"))
        self.others = [load for name in SOURCES for load in self.load(name, world / name)]
        activate(self.lake, [*self.others, *self.load("customs", world / "customs")], lake_tables())
        self.models = self._build()
        with duckdb.connect(str(self.database)) as connection:
            self.columns = [row[0] for row in connection.execute("describe city_year").fetchall()]
            self.panel = self.export(connection)

    def load(self, source: str, files: Path) -> list[LoadReport]:
        options = FLOWS if source == "customs" else {}
        return [
            load_file(get_source(source), file, self.lake, options)[0]
            for file in sorted(files.iterdir())
        ]

    def _build(self) -> list[dict[str, Any]]:
        """Run dbt up to the panel; returns the models after the customs records, in the order in
        which dbt ran them.
        """
        process = subprocess.run(
            [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "build",
            "--select", "+city_year", "--resource-type", "model",
             "--resource-type", "seed", "--no-version-check", "--project-dir", ".",
             "--profiles-dir", ".", "--target-path", str(self.folder / "target"),
             "--log-path", str(self.folder / "log")],
            cwd=PROJECT / "dbt_project",
            env={**os.environ, "CITYTRADE_LAKE": str(self.lake / "active"),
            "CITYTRADE_DB": str(self.database), "DO_NOT_TRACK": "1"},
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert process.returncode == 0, process.stdout + process.stderr
        nodes = json.loads((self.folder / "target" / "manifest.json").read_text(encoding="utf-8"))[
            "nodes"
        ]
        results = json.loads(
            (self.folder / "target" / "run_results.json").read_text(encoding="utf-8")
        )["results"]
        after, models = {RECORDS}, []
        for result in results:
            node = nodes[result["unique_id"]]
            if result["unique_id"] == RECORDS or after & set(
                node.get("depends_on", {}).get("nodes", ())
            ):
                after.add(result["unique_id"])
                models.append(
                    {
                        "name": node["name"],
                        "kind": node["config"]["materialized"],
                        "relation": result["relation_name"],
                        "sql": result["compiled_code"],
                    }
                )
        return models

    def run(self, customs: list[LoadReport], connection: duckdb.DuckDBPyConnection) -> None:
        """Build the models again on another set of customs loads."""
        activate(self.lake, [*self.others, *customs], lake_tables())
        for model in self.models:
            connection.execute(
                f"create or replace {model['kind']} {model['relation']} as {model['sql']}"
            )

    def export(self, connection: duckdb.DuckDBPyConnection) -> dict[str, bytes]:
        """The panel's bytes as csv and as Parquet."""
        exported = {}
        for kind in ("csv", "parquet"):
            file = self.folder / f"city_year.{kind}"
            connection.execute(
                f"copy (select {', '.join(self.columns)} from city_year order by city_code, year)"
                f" to '{file}'"
            )
            exported[kind] = file.read_bytes()
        return exported


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("layouts"))


def true_measures(truth: dict[str, Any]) -> list[tuple[object, ...]]:
    rows = (
        (
            row["city_code"],
            row["year"],
            row["export_value_cents"],
            row["hs6_n"],
            row["destination_n"],
        )
        for row in truth["city_year"]
    )
    return sorted(rows)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_panel(built: Built, tmp_path: Path, layout: str) -> None:
    truth: dict[str, Any] = {}
    random = streams(SEED)
    whole = whole_economy("small", random)
    write_customs_world(tmp_path, "small", whole, random, layout, lambda _: None, truth)
    assert truth["city_year"] == built.truth["city_year"]
    loads = built.load("customs", tmp_path / "customs")

    assert {load.file_name: load.read_n for load in loads} == truth["records_by_file"]
    assert all(load.read_n == load.accepted_n + load.set_aside_n for load in loads)
    reasons = sum((Counter(load.set_aside) for load in loads), Counter[str]())
    assert reasons == Counter(row["reason"] for row in truth["bad_rows"])
    assert {load.layout for load in loads} == {layout} or layout == "by_period"

    with duckdb.connect(str(built.database)) as connection:
        built.run(loads, connection)
        found = connection.execute(
            f"select {MEASURES} from city_year where export_value_usd is not null order by"
            " city_code, year"
        ).fetchall()
        panel = built.export(connection)
    assert found == true_measures(truth)
    assert {kind: panel[kind] == data for kind, data in built.panel.items()} == {
        "csv": True,
        "parquet": True,
    }


def test_the_models_that_are_run_again_are_those_between_records_and_panel(built: Built) -> None:
    names = [model["name"] for model in built.models]
    assert names[0] == "stg_customs__records"
    assert names[-1] == "city_year"
    assert {
        "int_geography__place",
        "int_trade__partner",
        "int_trade__firm_postcode",
        "int_trade__judged",
        "int_trade__exports",
        "int_trade__city_year",
    } <= set(names)


def test_layouts_differ_in_what_they_say_and_not_in_what_they_mean(built: Built) -> None:
    """The comparison above would be empty if all layouts were written alike."""
    assert len(LAYOUTS) == 11
    loads = built.lake / "loads" / "customs"
    written = duckdb.sql(
        f"""select bool_or(production_place = '33019'), bool_or(partner_name = 'United States'),
                list(distinct trade_mode)
            from read_parquet('{loads}/*/customs__records.parquet')"""
    ).fetchone()
    assert written is not None
    assert written[:2] == (True, True)
    assert {"10", "一般贸易", "Ordinary Trade"} <= set(written[2])


def test_yuan_are_divided_by_the_year_s_rate_and_stay_out_where_there_is_none(
    built: Built, tmp_path: Path
) -> None:
    with duckdb.connect(str(built.database), read_only=True) as connection:
        product = connection.execute(
            "select min(hs6_code) from intermediate.int_concordance__hs2002 where revision = 2007"
        ).fetchone()
    assert product is not None
    header = "数据年月,商品编码,贸易伙伴编码,第一数量,人民币,企业编码,邮编,消费地或生产地"
    file = tmp_path / "yuan_export.csv"
    file.write_text(
        f'{header}\n201005,{product[0]}00,502,10,"1,000,000",3301000001,310012,33019\n',
        encoding="utf-8",
    )
    loads = [load_file(get_source("customs"), file, built.lake, FLOWS)[0]]
    judged = "select value_cents, city_id, set_aside_reason from intermediate.int_trade__judged"
    with duckdb.connect(str(built.database)) as connection:
        built.run(loads, connection)
        rate = connection.execute(
            "select cny_per_usd from staging.stg_prices__exchange_rates where year = 2010"
        ).fetchone()
        assert rate is not None
        assert connection.execute(judged).fetchall() == [(round(100_000_000 / rate[0]), 3301, None)]
        others, built.others = (
            built.others,
            [load for load in built.others if load.source != "prices"],
        )
        try:
            built.run(loads, connection)
        finally:
            built.others = others
        assert connection.execute(judged).fetchall() == [(None, 3301, "no_exchange_rate")]
        assert connection.execute(
            "select count(*) from intermediate.int_trade__exports"
        ).fetchone() == (0,)
