"""`citytrade refresh --engine spark`: what selectors.yml names `on_spark` is built there, and
DuckDB takes the tables over.

    builds/.<release>.tmp/spark/spark-warehouse/<schema>.db/<table>/*.parquet
    builds/.<release>.tmp/spark/metastore_db, derby.log, local, …

All of it lies in the unpublished build folder and goes before publication; a build that is killed
leaves it to the next refresh, which removes it with the rest. What stays is the fact table's years,
in the home, for the next build (flows/refresh/kept_years.py).
"""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import re
import shutil
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flows.processes import supervised
from flows.processes.spark_session import PROPERTIES, SECRET
from flows.refresh import dbt, kept_years, spark_job
from flows.refresh.basis import Basis
from flows.refresh.conditions import variables
from flows.telling.lines import Say
from warehouse.errors import ReleaseError
from warehouse.releases.publish import DATABASE
from warehouse.releases.seal import remove_tree
from warehouse.settings.choices import defaults
from warehouse.settings.config import Config
from warehouse.settings.spark import SparkSettings

ENGINES = ("duckdb", "spark")
SELECTOR = "on_spark"
FOLDER = "spark"
WAREHOUSE = "spark-warehouse"  # Spark's own name for it, in the session's working directory
JAVA = 17
GLOB_SIGNS = re.compile(r"([\\*?\[\]{},])")


def build(
    config: Config,
    lake_set: Path,
    folder: Path,
    engine: str,
    say: Say,
    basis: Basis | None = None,
) -> dbt.Built:
    """Build the models of a release with an engine; whatever the engine, the result is in DuckDB.

    Parameters
    ----------
    basis : the former release, of which DuckDB copies what is the same; Spark builds everything but
        the years of the fact that are kept, and these too where a basis says why not

    Raises
    ------
    ReleaseError : what the engine needs is not there; a model or test failed.
    """
    if engine == "duckdb":
        return dbt.build(config, lake_set, folder, say, basis)
    work = folder / FOLDER
    say(f"Building customs on Spark ({config.spark.master})")
    kept = kept_years.folder_of(config.home)
    is_next = basis is not None and not basis.why_not
    taken_over = build_on_spark(config, lake_set, work, say, kept if is_next else None)
    say(f"Taking {len(taken_over)} tables over into DuckDB, and building the rest there")
    whole = Basis(why_not="Spark builds everything")
    built = dbt.build(config, lake_set, folder, say, whole, taken_over)
    if basis is not None:  # a rebuild of an old release leaves the years of the newest
        keep_years(kept, work, say)
    remove_tree(work)
    return built


def missing() -> list[str]:
    """What --engine spark needs of this machine and does not find; empty where all is there."""
    absent = [
        name
        for name, module in (("pyspark", "pyspark"), ("dbt-spark", "dbt.adapters.spark"))
        if not _is_there(module)
    ]
    java = _java_version()
    if java < JAVA:
        absent.append(f"Java {JAVA}" + (f" (there is {java})" if java else ""))
    return absent


def refuse_absent(settings: SparkSettings) -> None:
    """
    Raises
    ------
    ReleaseError : Java, the packages of citytrade[spark] or the cluster's secret are not there; it
        says what to do.
    """
    absent = missing()
    if absent:
        raise ReleaseError(
            f"--engine spark needs {' and '.join(absent)}: run `apt install"
            " openjdk-17-jre-headless` and `pip install -c constraints.txt -e '.[spark]'`, or"
            " refresh without --engine."
        )
    if settings.master.startswith("spark://") and not os.environ.get(SECRET):
        raise ReleaseError(
            f"--engine spark: {settings.master} is a cluster, and {SECRET} is not set. Export the"
            " secret that its machines were started with (docs/scaling.md says how)."
        )


def build_on_spark(
    config: Config, lake_set: Path, work: Path, say: Say, kept: Path | None = None
) -> dict[str, str]:
    """Build what SELECTOR names in a warehouse of its own below `work`; returns where each table
    lies: model -> a pattern of Parquet files, as DuckDB reads it.

    Parameters
    ----------
    kept : where years of the fact are kept, of which those that are the same are not written; None
        to write all

    Raises
    ------
    ReleaseError : what Spark needs is not there, it stopped, or a model failed.
    """
    refuse_absent(config.spark)
    signs = GLOB_SIGNS.search(str(work))
    if signs:
        raise ReleaseError(
            f"--engine spark: {work} holds {signs.group()}, which Spark takes for a wildcard where"
            " it writes. Choose another home, or refresh without --engine."
        )
    (work / "tmp").mkdir(parents=True)
    command = _command(config, lake_set, work, kept)
    environment = _environment(config, lake_set, work)
    code, errors = dbt.followed(command, work, environment, say)
    results = dbt.read_results(work / "dbt")
    dbt.refuse_failed(code, errors, results, work / DATABASE, "Spark")
    return _tables(work)


def keep_years(kept: Path, work: Path, say: Say) -> None:
    """Keep the years of the fact for the next build, now that this one is whole. A disk that has no
    room for that costs the next build its time, and this one nothing.
    """
    try:
        kept_years.keep(kept, spark_job.read_decided(work), _fact_folder(work))
    except OSError as error:
        say(f"  The years that Spark wrote cannot be kept for the next refresh: {error}")


def properties(settings: SparkSettings, work: Path) -> dict[str, str]:
    """The session's properties: closed to other machines unless the configuration opens it, and
    nothing outside `work`.
    """
    ours = {
        "spark.master": settings.master,
        "spark.app.name": "citytrade",
        "spark.driver.memory": settings.memory,
        "spark.driver.host": settings.address,
        "spark.driver.bindAddress": settings.address,
        "spark.local.dir": str(work / "tmp"),
        # Said, because what Spark takes by itself is an address, with %20 for a blank.
        "spark.sql.warehouse.dir": str(work / WAREHOUSE),
        "spark.ui.enabled": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
    }
    if settings.is_local:
        ours["spark.sql.shuffle.partitions"] = "8"
    else:
        ours["spark.executor.memory"] = settings.executor_memory
    if settings.master.startswith("spark://"):
        ours |= {"spark.authenticate": "true", "spark.network.crypto.enabled": "true"}
    return {**ours, **settings.settings}


def lake_address(config: Config, lake_set: Path) -> str:
    """The set of the lake as Spark reads it, between backticks in SQL: a path in which no sign is a
    wildcard, or the address that the configuration gives for the lake.
    """
    address = config.spark.lake.rstrip("/")
    if "://" in address:
        return f"{address}/sets/{lake_set.name}".replace("`", "``")
    path = f"{address}/sets/{lake_set.name}" if address else str(lake_set)
    return GLOB_SIGNS.sub(r"\\\1", path).replace("`", "``")


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package above it
        return False


def _java_version() -> int:
    """The version of the Java that Spark would start, 0 without one."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else shutil.which("java")
    if not java:
        return 0
    try:
        told = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=60, check=True
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(found.group(1)) if found else 0


def _command(config: Config, lake_set: Path, work: Path, kept: Path | None) -> list[str]:
    job = spark_job.Job(
        ["--target", "spark", *dbt.common_arguments(config, work / "dbt")],
        str(work / WAREHOUSE),
        lake_address(config, lake_set),
        str(lake_set),
        config.first_year,
        config.last_year,
        {**defaults(), **variables(config)},
        str(kept) if kept is not None else "",
    )
    (work / spark_job.JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
    return supervised.command("flows.refresh.spark_job:main", str(work / spark_job.JOB))


def _environment(config: Config, lake_set: Path, work: Path) -> dict[str, str]:
    return {
        **session_environment(config.spark, work),
        PROPERTIES: json.dumps(properties(config.spark, work)),
        "CITYTRADE_LAKE": lake_address(config, lake_set),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def session_environment(settings: SparkSettings, work: Path) -> dict[str, str]:
    """The environment of a process that opens a session of Spark, and of nothing outside `work`."""
    return {
        **supervised.environment(),
        "SPARK_CONF_DIR": str(work),  # no properties but ours
        "SPARK_LOCAL_IP": settings.address,
        "LC_ALL": "C.UTF-8",  # Java takes the encoding of paths from there
        "TMPDIR": str(work / "tmp"),
        "DO_NOT_TRACK": "1",
    }


def _tables(work: Path) -> dict[str, str]:
    """Every table that Spark has finished, by its model."""
    found = {}
    nodes = _nodes(work)
    for result in dbt.read_results(work / "dbt"):
        node = nodes[result["unique_id"]]
        if node["resource_type"] != "model" or node["config"]["materialized"] != "table":
            continue
        folder = _folder(work, node)
        if not (folder / "_SUCCESS").is_file():
            raise ReleaseError(
                f"Spark says that it built {node['name']}, and {folder} holds no finished table."
                " Must the build folder be on a disk that every worker sees under the same path?"
                " docs/scaling.md says what a cluster needs."
            )
        files = "*.parquet"
        if "stored_by" in node["config"]["meta"]:
            # Without a row there is no partition, and no file that says which columns there are.
            folder, files = (
                (work / spark_job.EMPTY, files)
                if (work / spark_job.EMPTY).is_dir()
                else (folder, "*/*.parquet")
            )
        found[node["name"]] = glob.escape(str(folder)).replace("'", "''") + f"/{files}"
    return found


def _nodes(work: Path) -> dict[str, Any]:
    nodes: dict[str, Any] = json.loads(
        (work / "dbt" / "manifest.json").read_text(encoding="utf-8")
    )["nodes"]
    return nodes


def _folder(work: Path, node: dict[str, Any]) -> Path:
    return work / WAREHOUSE / f"{node['schema']}.db" / str(node["name"])


def _fact_folder(work: Path) -> Path:
    [node] = [node for node in _nodes(work).values() if node["name"] == spark_job.FACT]
    return _folder(work, node)
