"""One contender in a process of its own: `python -m tests.benchmarks.contenders NAME FOLDER WORK`.

FOLDER holds the lake and the reference tables (see preparation.py); WORK a fresh copy of the
reference database, and the result: seconds, CPU seconds and rows. A contender's own packages, and
no others, are imported before the clock starts.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.peers import Row

THREADS = 2
FACT = "int_trade__exports"
NUMBERS = ("year", "value_cents")
TEXTS = ("flow", "firm_code", "postcode", "production_place", "partner_code", "partner_name", "hs8")


def limit(folder: Path, work: Path) -> list[Row]:
    """Read every column that the panel needs, and do nothing with it.

    A sum or a maximum makes DuckDB decode each value; a count would be answered from the file's
    statistics.
    """
    import duckdb

    wanted = ", ".join([*(f"sum({name})" for name in NUMBERS), *(f"max({name})" for name in TEXTS)])
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(
            f"select {wanted} from read_parquet('{folder / 'customs__records'}/*.parquet')"
        ).fetchall()
    return []


def citytrade(folder: Path, work: Path, views: frozenset[str] = frozenset()) -> list[Row]:
    """The models that depend on customs, from dbt's compiled SQL, in dbt's order, as dbt
    materialises them.

    views : models that are made views here, though dbt keeps them as tables
    """
    import duckdb

    plan = json.loads((folder / "reference" / "models.json").read_text(encoding="utf-8"))
    with duckdb.connect(
        str(work / "warehouse.duckdb"), config={"threads": THREADS, **plan["settings"]}
    ) as connection:
        connection.execute("set enable_progress_bar = false")
        for model in plan["models"]:
            if model["is_view"] or model["name"] in views:
                connection.execute(f"create view {model['relation']} as ({model['sql']})")
            else:
                columns = ", ".join(f"{name} {kind}" for name, kind in model["columns"].items())
                connection.execute("begin")
                connection.execute(f"create table {model['relation']} ({columns})")
                connection.execute(
                    f"insert into {model['relation']} select {', '.join(model['columns'])} from"
                    f" ({model['sql']})"
                )
                connection.execute("commit")
        panel = plan["models"][-1]["relation"]
        measures = (
            "value_cents::bigint, hs6_n, destination_n, exporters_n, filled_postcode_cents::bigint"
        )
        return connection.execute(f"select city_code, year, {measures} from {panel}").fetchall()


def citytrade_view(folder: Path, work: Path) -> list[Row]:
    """The same models for the panel alone: the fact table, from which all other panels start too,
    is not written.
    """
    return citytrade(folder, work, frozenset({FACT}))


def polars(folder: Path, work: Path) -> list[Row]:
    return peers.polars_panel(folder / "customs__records", folder / "reference")


def pandas(folder: Path, work: Path) -> list[Row]:
    return peers.pandas_panel(folder / "customs__records", folder / "reference")


CONTENDERS: dict[str, tuple[Callable[[Path, Path], list[Row]], tuple[str, ...]]] = {
    "limit": (limit, ("duckdb",)),
    "citytrade": (citytrade, ("duckdb",)),
    "citytrade_view": (citytrade_view, ("duckdb",)),
    "polars": (polars, ("polars",)),
    "pandas": (pandas, ("pandas", "pyarrow.parquet")),
}


def main(name: str, folder: Path, work: Path) -> None:
    contender, needed = CONTENDERS[name]
    for module in needed:
        importlib.import_module(module)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(THREADS)
    started, cpu_started = time.perf_counter(), time.process_time()
    rows = contender(folder, work)
    told = {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu_started,
        "rows": rows,
    }
    (work / "result.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
