"""What customs cost on DuckDB and on Spark, by the number of records: seconds, processor seconds
and memory, and what they come to at a number that was not measured.

python -m tests.benchmarks.engines --config FILE --records 0.2 2        millions of records
python -m tests.benchmarks.engines --config FILE --records 2 10 50 --engines duckdb local cluster

FILE names a home with a published release: its records are repeated until there are as many. It
needs Java 17 and citytrade[spark]; `cluster` is two workers of one core on this machine.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import duckdb

from flows.refresh import engine
from tests.benchmarks.watching import Cost, watched
from tests.faults.spark_cluster import Cluster
from tests.flows.same_tables import build_on_duckdb, published_set
from warehouse.settings.config import Config, load_config
from warehouse.settings.spark import SparkSettings

RECORDS = "customs__records"


def repeated(lake_set: Path, target: Path, records: int) -> int:
    """A set of the lake whose customs records are repeated, each time by other firms, up to a
    number; returns how many there are.
    """
    for table in sorted(lake_set.iterdir()):
        (target / table.name).mkdir(parents=True)
        if table.name != RECORDS:
            for file in table.iterdir():
                (target / table.name / file.name).symlink_to(file.resolve())
    files = [str(file) for file in (lake_set / RECORDS).iterdir()]
    with duckdb.connect(config={"memory_limit": "2GB", "threads": 2}) as connection:
        source = "read_parquet(?, union_by_name=true)"
        row = connection.execute(f"select count(*) from {source}", [files]).fetchone()
        assert row is not None
        for at in range(-(-records // row[0])):
            name = str(target / RECORDS / f"part{at:05}.parquet").replace("'", "''")
            wanted = min(row[0], records - at * row[0])
            connection.execute(
                f"copy (select * replace (firm_code || '{at}' as firm_code) from {source} limit"
                f" {wanted}) to '{name}' (format parquet)",
                [files],
            )
    return records


def run(kind: str, config: Config, lake_set: Path, work: Path) -> Cost:
    """Build what selectors.yml names once."""
    settings = SparkSettings(master="local[2]", memory="3g", executor_memory="2g")
    if kind == "duckdb":
        with watched() as cost:
            build_on_duckdb(config, lake_set, work)
    elif kind == "local":
        with watched() as cost:
            _on_spark(replace(config, spark=settings), lake_set, work)
    else:
        with Cluster(work / "cluster", memory="2g") as cluster, watched() as cost:
            os.environ[engine.SECRET] = cluster.secret
            master = replace(settings, master=cluster.address)
            _on_spark(replace(config, spark=master), lake_set, work / "build")
    return cost


def _on_spark(config: Config, lake_set: Path, work: Path) -> None:
    engine.build_on_spark(config, lake_set, work, lambda text: None)


def grown(costs: dict[int, Cost], records: float) -> tuple[float, float, float]:
    """Processor seconds of a run without records, of a million more, and what they come to: the
    line through the smallest and the largest run.
    """
    low, high = min(costs), max(costs)
    slope = (costs[high].cpu - costs[low].cpu) / (high - low)
    fixed = costs[low].cpu - slope * low
    return fixed, slope * 1e6, fixed + slope * records


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", required=True)
    parser.add_argument("--records", nargs="+", type=float, default=[2, 10, 50])
    parser.add_argument("--engines", nargs="+", default=["duckdb", "local"])
    parser.add_argument("--to", type=float, default=10_000, help="millions to compute the cost of")
    given = parser.parse_args()
    config = load_config(given.config)
    lake_set = published_set(config)
    costs: dict[str, dict[int, Cost]] = {kind: {} for kind in given.engines}
    print("engine   records  seconds  processor seconds  memory in GB", flush=True)
    for millions in given.records:
        with tempfile.TemporaryDirectory(prefix="citytrade-engines-") as name:
            records = repeated(lake_set, Path(name) / "sets" / "many", int(millions * 1e6))
            for kind in given.engines:
                cost = run(kind, config, Path(name) / "sets" / "many", Path(name) / kind)
                costs[kind][records] = cost
                print(
                    f"{kind:8} {records:>8,} {cost.seconds:8.0f} {cost.cpu:18.0f}"
                    f" {cost.memory / 1e9:13.1f}",
                    flush=True,
                )
    for kind, found in costs.items():
        if len(found) > 1:
            fixed, slope, total = grown(found, given.to * 1e6)
            print(
                f"{kind}: {fixed:.0f} processor seconds, and {slope:.1f} a million records;"
                f" {given.to:,.0f} million: {total / 3600:,.1f} processor hours"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
