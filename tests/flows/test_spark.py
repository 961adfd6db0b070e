"""What Spark builds is what DuckDB builds: every table of the selection, from the small simulated
world with rows added that nobody would want, in a lake whose path nobody would choose.

It takes about two minutes, and needs Java 17 and citytrade[spark]: `make spark` runs it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flows.refresh import dbt, engine
from tests.flows.same_tables import build_on_duckdb, differing
from warehouse.lake.loads import SCHEMA
from warehouse.settings.config import Config
from warehouse.settings.spark import SparkSettings

ABSENT = engine.missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(ABSENT), reason=f"not there: {', '.join(ABSENT)} (`make spark`)"),
]
NAME = "脏 data's [1]"
NOT_THERE = {"concordance__bec"}
# Each is one fault of a customs record as delivered, in SQL over a good one.
# fmt: off
DIRTY = {
    "production_place": (
        "null", "'　杭州市　'", "'o''brien\\'", "'9999'", "'33019'", "''", "'杭州'",
    ),
    "partner_name": ("null", "'美国 '", "'Côte d''Ivoire'", "'中国，台湾'", "'%'", "'_'"),
    "partner_code": ("null", "'502'", "'999'", "' 502'"),
    "postcode": ("null", "'000000'", "'31000'", "'310O00'", "'３１００００'", "'310000'"),
    "hs8": ("null", "'00000000'", "'8471'", "'84713000'", "'abcdefgh'"),
    "value_cents": ("null", "-1", "0", "10000000000001", "9000000000000000000"),
    "currency": ("'CNY'", "'EUR'", "null"),
    "quantity": ("null", "0", "-1.5"),
    "quantity_unit": ("null", "''", "'千克'", "' 千克'"),
    "firm_code": ("null", "''", "'　'"),
    "firm_name": ("null", "'进出口\\'", "'贸易''公司'"),
    "trade_mode": ("null", "''", "'一般贸易'", "'10'"),
    "year": ("1999", "2022", "null"),
    "flow": ("null", "'import'"),
}
# fmt: on


@pytest.fixture(scope="module")
def lake_set(small_release: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The set of the small release, with a file of dirty customs records and without a source."""
    active = small_release.lake / "active"
    target = tmp_path_factory.mktemp("lake") / NAME / "sets" / "dirty"
    for table in sorted(active.resolve().iterdir()):
        (target / table.name).mkdir(parents=True)
        for file in table.iterdir():
            if table.name not in NOT_THERE or file.name == SCHEMA:
                (target / table.name / file.name).symlink_to(file.resolve())
    folder = target / "customs__records"
    files = [str(file) for file in folder.iterdir()]
    faults = [(column, value) for column, values in DIRTY.items() for value in values]
    with duckdb.connect() as connection:
        connection.execute(
            "create table good as select * from read_parquet(?, union_by_name=true) where flow ="
            " 'export' order by file_id, line limit 40",
            [files],
        )
        rows = " union all ".join(
            f"select * replace (({value}) as {column}, line + {1_000_000 * at} as line) from good"
            for at, (column, value) in enumerate(faults, 1)
        )
        types = ", ".join(
            f'"{name}"::{kind} as "{name}"'
            for name, kind, *_ in connection.execute("describe good").fetchall()
        )
        file = str(folder / "dirty.parquet").replace("'", "''")
        connection.execute(f"copy (select {types} from ({rows})) to '{file}' (format parquet)")
    return target


@pytest.fixture(scope="module")
def on_spark(
    small_release: Config, lake_set: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    config = replace(small_release, spark=SparkSettings(master="local[2]", memory="1g"))
    work = tmp_path_factory.mktemp("spark") / NAME.split(" [")[0]
    tables = engine.build_on_spark(config, lake_set, work, print)
    left = (engine.WAREHOUSE, "metastore_db", "derby.log")
    assert not [name for name in left for at in (dbt.PROJECT, Path.cwd()) if (at / name).exists()]
    return tables


@pytest.fixture(scope="module")
def on_duckdb(
    small_release: Config, lake_set: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return build_on_duckdb(small_release, lake_set, tmp_path_factory.mktemp("duckdb"))


def test_every_table_is_the_same_on_both_engines(on_spark: dict[str, str], on_duckdb: Path) -> None:
    assert len(on_spark) > 20
    assert differing(on_duckdb, on_spark) == []


def test_dirty_records_leave_for_the_same_reasons_on_both(
    on_spark: dict[str, str], on_duckdb: Path
) -> None:
    """The reconciliation counts them by year and fate; each reason that models give is there."""
    with duckdb.connect(str(on_duckdb), read_only=True) as connection:
        query = "select fate, sum(records_n)::bigint, sum(value_cents)::hugeint from {} group by 1"
        ours = connection.execute(
            query.format("intermediate.int_trade__reconciliation") + " order by 1"
        ).fetchall()
        theirs = connection.execute(
            query.format(f"read_parquet('{on_spark['int_trade__reconciliation']}')") + " order by 1"
        ).fetchall()
    assert ours == theirs
    assert {
        "kept", "missing_place", "unknown_place", "missing_partner", "unknown_partner",
        "unknown_hs", "value_out_of_bounds",
    } <= {fate for fate, *_ in ours}  # fmt: skip
