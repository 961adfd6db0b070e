"""What Spark builds is what DuckDB builds: every table of the selection, from the small simulated
world with rows added that nobody would want, in a lake whose path nobody would choose. So it is
after a change, where Spark writes those years of the fact that the change reaches, and no others.

It takes about four minutes, and needs Java 17 and citytrade[spark]: `make spark` runs it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from flows.refresh import dbt, engine, kept_years, spark_job
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
YEAR = 2012  # of the load that changes
NEW_FIRM = "3301999999"
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


Build = Callable[[Path, Path], dict[str, str]]


@pytest.fixture(scope="module")
def build(small_release: Config, kept: Path) -> Build:
    """Build a set on Spark in a folder, from the years that are kept."""
    config = replace(small_release, spark=SparkSettings(master="local[2]", memory="1g"))

    def build(lake_set: Path, work: Path) -> dict[str, str]:
        tables = engine.build_on_spark(config, lake_set, work, print, kept)
        left, places = (engine.WAREHOUSE, "metastore_db", "derby.log"), (dbt.PROJECT, Path.cwd())
        assert not [name for name in left for at in places if (at / name).exists()]
        return tables

    return build


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / NAME / "exports"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("spark") / NAME.split(" [")[0]


@pytest.fixture(scope="module")
def on_spark(lake_set: Path, work: Path, kept: Path, build: Build) -> dict[str, str]:
    """A build with nothing kept before it, whose years are kept."""
    tables = build(lake_set, work)
    engine.keep_years(kept, work, print)
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


@pytest.fixture(scope="module")
def lender(small_release: Config, on_duckdb: Path) -> tuple[str, set[int]]:
    """A firm that has the postcode of some of its years from YEAR, and these years."""
    with duckdb.connect(str(on_duckdb), read_only=True) as connection:
        [(firm, years)] = connection.execute(
            "select firm_code, list(year) from intermediate.int_trade__firm_postcode where"
            " is_postcode_filled and postcode_year = ? and year between ? and ? group by firm_code"
            " order by firm_code limit 1",
            [YEAR, small_release.first_year, small_release.last_year],
        ).fetchall()
    return firm, set(years)


@pytest.fixture(scope="module")
def changed_set(lake_set: Path, lender: tuple[str, set[int]]) -> Path:
    """The set with another load of YEAR: a new firm, three records less, and the lender elsewhere.

    Nothing of it is new to the other tables that records look up, which would reach every year.
    """
    target = lake_set.with_name("changed")
    for table in lake_set.iterdir():
        (target / table.name).mkdir(parents=True)
        for file in table.iterdir():
            (target / table.name / file.name).symlink_to(file.resolve())
    [former] = [
        file
        for file in (target / "customs__records").iterdir()
        if (report := file.resolve().with_name("report.json")).is_file()
        and json.loads(report.read_text(encoding="utf-8"))["first_year"] == YEAR
    ]
    load = lake_set.parent.parent / "loads" / "customs" / "0123456789ab"
    load.mkdir(parents=True)
    said = json.loads(former.resolve().with_name("report.json").read_text(encoding="utf-8"))
    (load / "report.json").write_text(json.dumps({**said, "load_id": load.name}), encoding="utf-8")
    file = load / "customs__records.parquet"
    with duckdb.connect() as connection:
        connection.execute("create table old as from read_parquet(?)", [[str(former.resolve())]])
        connection.execute(
            "create table new as select * from old order by count(*) over (partition by"
            " partner_name, production_place) desc, line offset 3"
        )
        connection.execute(
            "insert into new select * replace (? as firm_code, line + 1000000 as line) from old"
            " order by line limit 5",
            [NEW_FIRM],
        )
        connection.execute(
            "update new set postcode = (select max(postcode) from old where postcode <> '000000')"
            " where firm_code = ?",
            [lender[0]],
        )
        text = str(file).replace("'", "''")
        connection.execute(f"copy new to '{text}' (format parquet)")
    former.unlink()
    (target / "customs__records" / f"{load.name}.parquet").symlink_to(file)
    return target


def test_the_first_build_writes_and_keeps_every_year(
    small_release: Config, on_spark: dict[str, str], work: Path, kept: Path
) -> None:
    years = set(range(small_release.first_year, small_release.last_year + 1))
    assert set(spark_job.read_decided(work).written) == set(kept_years.kept_years(kept)) == years
    assert kept_years.uncounted(kept) == []


def years_of_other_postcodes(one: Path, other: Path) -> set[int]:
    """The years in which firms have other postcodes in one DuckDB file than in another."""
    table = "intermediate.int_trade__firm_postcode"
    with duckdb.connect(str(one), read_only=True) as connection:
        connection.execute(f"attach '{other}' as other (read_only)")
        rows = connection.execute(
            f"select distinct year from ((from {table} except from other.{table}) union all"
            f" (from other.{table} except from {table})) where year is not null"
        ).fetchall()
    return {year for (year,) in rows}


@pytest.mark.usefixtures("on_spark")
def test_a_change_has_the_years_written_that_it_reaches_and_the_tables_are_whole(
    small_release: Config,
    on_duckdb: Path,
    changed_set: Path,
    lender: tuple[str, set[int]],
    kept: Path,
    build: Build,
    tmp_path: Path,
) -> None:
    work = tmp_path / "spark"
    tables = build(changed_set, work)
    decided = spark_job.read_decided(work)
    whole = build_on_duckdb(small_release, changed_set, tmp_path / "duckdb")
    assert differing(whole, tables) == []
    reached = {YEAR} | years_of_other_postcodes(on_duckdb, whole)
    assert set(decided.written) == reached
    assert len(reached) < len(decided.digests) / 2, "most years are the same"
    assert lender[1] <= reached
    for year, former in decided.same.items():
        for name in former.files:
            [linked] = work.rglob(f"{spark_job.FACT}/year={year}/{name}")
            assert linked.samefile(kept / former.folder / name)
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select count(*) from read_parquet('{tables['int_trade__firm']}') where firm_code = ?",
            [NEW_FIRM],
        ).fetchone()
    assert rows == (1,)
