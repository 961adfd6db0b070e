"""The panels that are counted from the kept fact: our models beside one query each with
count(distinct …), and the limit, a scan of the fact.

`python -m tests.benchmarks.panels fact FOLDER` keeps the fact of a size that customs_panel has
prepared; `python -m tests.benchmarks.panels NAME FOLDER` runs one contender on it and prints its
outcome as json.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import duckdb
import jinja2

from tests.benchmarks.contenders import THREADS, citytrade
from tests.benchmarks.firm_panel import Outcome, timed
from warehouse.project import DBT_PROJECT

EXPORTS, COUNTRIES = "intermediate.int_trade__district_exports", "seeds.countries"
KEPT = "fact.duckdb"
MODELS = {
    "int_trade__city_year": "intermediate/trade",
    "city_destination_year": "panels",
    "city_hs6_year": "panels",
}
CENTS = "sum(value_cents)::decimal(20, 0)"
PLAIN = {
    "int_trade__city_year": f"""
        select right('000' || city_id::string, 4) as city_code, year, {CENTS} as value_cents,
            count(distinct hs6_id)::int as hs6_n, count(distinct destination_id)::int as
            destination_n, count(distinct firm_id)::int as exporters_n,
            sum(case when is_postcode_filled then value_cents else 0 end)::decimal(20, 0)
        from {EXPORTS} group by city_id, year""",
    "city_destination_year": f"""
        select right('000' || e.city_id::string, 4) as city_code, c.country_code,
            c.country_name_zh, c.country_name_en, c.iso3, e.year,
            ({CENTS} / 100)::decimal(20, 2), count(distinct e.hs6_id)::int,
            count(distinct e.firm_id)::int, count(*)::int
        from {EXPORTS} as e inner join {COUNTRIES} as c
            on e.destination_id = c.country_code::smallint
        group by e.city_id, c.country_code, c.country_name_zh, c.country_name_en, c.iso3, e.year
        order by city_code, country_code, e.year""",
    "city_hs6_year": f"""
        select right('000' || city_id::string, 4) as city_code,
            right('00000' || hs6_id::string, 6) as hs6_code, year,
            ({CENTS} / 100)::decimal(20, 2), count(distinct destination_id)::int,
            count(distinct firm_id)::int, count(*)::int
        from {EXPORTS} group by city_id, hs6_id, year order by city_code, hs6_code, year""",
}


def keep_fact(folder: Path) -> Outcome:
    """The fact and the lists that its panels read, in a file of their own."""
    work = folder / "fact_work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copy(folder / "reference" / "warehouse.duckdb", work)
    citytrade(folder, work)
    (folder / KEPT).unlink(missing_ok=True)
    countries = DBT_PROJECT / "seeds" / "geography" / "countries.csv"
    with duckdb.connect(str(folder / KEPT)) as connection:
        connection.execute("create schema intermediate; create schema seeds")
        connection.execute(f"attach '{work / 'warehouse.duckdb'}' as built (read_only)")
        connection.execute(
            "create table intermediate.int_trade__exports as from"
            " built.intermediate.int_trade__exports"
        )
        connection.execute(
            f"create view {EXPORTS} as from intermediate.int_trade__exports where is_district"
        )
        connection.execute(
            f"create table {COUNTRIES} as from read_csv('{countries}', all_varchar = true)"
        )
    shutil.rmtree(work)
    return {}


def model_sql(name: str) -> str:
    """A model's SQL on the kept fact."""
    counts = (DBT_PROJECT / "macros" / "counts.sql").read_text(encoding="utf-8")
    model = (DBT_PROJECT / "models" / MODELS[name] / f"{name}.sql").read_text(encoding="utf-8")
    relations = {EXPORTS.split(".")[1]: EXPORTS, "countries": COUNTRIES}
    return jinja2.Environment().from_string(counts + model).render(ref=relations.__getitem__)


def run(name: str, model: str, folder: Path) -> Outcome:
    """One contender on one panel: its cost, and a hash of its rows that no order changes."""
    query = {
        "limit": lambda: f"select max(columns(*)) from {EXPORTS}",
        "plain": lambda: PLAIN[model],
        "ours": lambda: model_sql(model),
    }[name]()
    settings = {"threads": THREADS, "preserve_insertion_order": False}
    with duckdb.connect(str(folder / KEPT), config=settings) as connection:
        connection.execute("set enable_progress_bar = false")

        def work() -> Outcome:
            connection.execute(f"create or replace temp table built as {query}")
            return {}

        outcome = timed(work)
        found = connection.sql("select count(*), sum(hash(built)) from built").fetchall()[0]
    return outcome | {"found": [int(found[0]), str(found[1])]}


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    done = keep_fact(Path(rest[0])) if what == "fact" else run(what, rest[0], Path(rest[1]))
    print(json.dumps(done))
