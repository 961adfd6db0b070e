"""What runs in Spark's own process: dbt builds what the fact table is made from, then the years of
the fact that are not kept, beside which the kept ones are linked, then all that is made from it.

python -m flows.processes.supervised PARENT_PID flows.refresh.spark_job:main JOB

One session and one parse of the project serve all three.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.processes.spark_session import PROPERTIES, SECRET, begin
from flows.refresh import kept_years, year_digests
from flows.refresh.dbt import TOLD
from flows.refresh.kept_years import Decided, Year

JOB, DECIDED = "job.json", "years.json"
FACT = "int_trade__exports"
BEFORE, ITSELF, AFTER = "on_spark_before_the_fact", "on_spark_the_fact", "on_spark_after_the_fact"
YEARS = "CITYTRADE_YEARS"  # {"<model>": [2015]}: what macros/engine.sql has Spark write of it
EMPTY = "no_rows"  # a folder with the columns of a fact that has no rows, in a file
NOT_SQL = ("spark.sql.warehouse.dir",)  # of the session's properties, one that changes no rows


@dataclass(frozen=True)
class Job:
    """What is to be done.

    arguments : what every call of dbt is given
    warehouse : where Spark writes tables
    lake : the set of the lake as Spark reads it, between backticks
    lake_set : the same on this machine
    first_year, last_year : of the release
    variables : name -> value, those of dbt_project.yml and those that the release chooses
    kept : where years of the fact are kept; empty to write all
    """

    arguments: list[str]
    warehouse: str
    lake: str
    lake_set: str
    first_year: int
    last_year: int
    variables: dict[str, Any]
    kept: str = ""

    @property
    def work(self) -> Path:
        return Path(self.warehouse).parent


def main() -> int:
    """dbt's exit code: 0 built, 1 something failed, 2 dbt could not work."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    secret = os.environ.pop(SECRET, "")  # before a process inherits it
    session = begin(json.loads(os.environ[PROPERTIES]), secret)
    try:
        return _built(session, job)
    finally:
        session.stop()


def read_decided(work: Path) -> Decided:
    """What became of each year in a finished build."""
    said = json.loads((work / DECIDED).read_text(encoding="utf-8"))
    return Decided(
        {int(year): made_from for year, made_from in said["digests"].items()},
        tuple(said["written"]),
        {int(year): Year(**kept) for year, kept in said["same"].items()},
        {int(year): why for year, why in said["damaged"].items()},
    )


def _built(session: Any, job: Job) -> int:
    from dbt.cli.main import dbtRunner

    parsed: Any = dbtRunner().invoke(["parse", *job.arguments])
    if not parsed.success:
        return _code(parsed)
    runner, results, target = dbtRunner(parsed.result), [], job.work / "dbt"
    for selector in (BEFORE, ITSELF, AFTER):
        if selector == ITSELF:
            decided = _decide(session, job)
        done = runner.invoke(
            ["build", "--selector", selector, "--resource-type", "model", "--resource-type", "seed",
             *job.arguments]
        )  # fmt: skip
        ran = target / "run_results.json"
        if ran.is_file():
            results += json.loads(ran.read_text(encoding="utf-8"))["results"]
            ran.unlink()
        if not done.success:
            break
        if selector == ITSELF:
            _complete(session, job, decided)
    ran.write_text(json.dumps({"results": results}), encoding="utf-8")
    return _code(done)


def _code(outcome: Any) -> int:
    return 0 if outcome.success else 2 if outcome.exception is not None else 1


def _decide(session: Any, job: Job) -> Decided:
    """Which years are written, told to dbt, to a person and to whoever started this process."""
    digests = _digests(session, job)
    decided = kept_years.decide(Path(job.kept) if job.kept else None, digests)
    for line in decided.told(FACT):
        print(json.dumps({"info": {"name": TOLD, "level": "info", "msg": line}}), flush=True)
    os.environ[YEARS] = json.dumps({FACT: list(decided.written)})
    (job.work / DECIDED).write_text(json.dumps(asdict(decided)), encoding="utf-8")
    return decided


def _digests(session: Any, job: Job) -> dict[int, str]:
    """Year -> digest of all that its rows are made from, now that it is there."""
    manifest = json.loads((job.work / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    years = range(job.first_year, job.last_year + 1)
    settings = {
        name: value
        for name, value in session.sparkContext.getConf().getAll()
        if name.startswith("spark.sql.") and name not in NOT_SQL
    }
    whole: dict[str, object] = {
        "code": year_digests.code(manifest, FACT, job.variables),
        "versions": year_digests.versions(),
        "settings": settings,
    }
    by_year: dict[str, Mapping[int, object]] = {
        year_digests.RECORDS: year_digests.loads_by_year(
            Path(job.lake_set) / year_digests.RECORDS, years
        )
    }
    for read in year_digests.reads(manifest, FACT):
        source = read.relation or f"parquet.`{job.lake}/{read.name}`"
        is_by_year = read.name in year_digests.BY_YEAR
        columns = read.columns(session.sql(f"select * from {source}").columns)
        query = year_digests.content_query(source, columns, is_by_year)
        found = {year: [rows_n, total] for year, rows_n, total in session.sql(query).collect()}
        if is_by_year:
            by_year[read.name] = found
        else:
            whole[read.name] = [columns, found[None]]
    return year_digests.digests(years, whole, by_year)


def _complete(session: Any, job: Job, decided: Decided) -> None:
    """Lay the kept years beside those that were written, and let Spark know of them."""
    manifest = json.loads((job.work / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    [node] = [node for node in manifest["nodes"].values() if node["name"] == FACT]
    relation = f"{node['schema']}.{FACT}"
    table = Path(job.warehouse) / f"{node['schema']}.db" / FACT
    if decided.same:
        filled = kept_years.link(Path(job.kept), decided, table)
        for year in filled:
            session.sql(f"alter table {relation} add partition (year = {year})")
        session.sql(f"refresh table {relation}")
    if not any(table.glob("*/*.parquet")):
        session.table(relation).write.parquet(str(job.work / EMPTY))
