"""`citytrade refresh --engine spark`: big raw files that the lake does not hold yet are read on
Spark, by the readers that read them here.

What they give lies in the lake as if it had been read here, so that the refresh then finds these
files known. A file that could not be read there is named, and read here, where it is said in full
what is wrong with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.processes import supervised
from flows.processes.spark_session import PROPERTIES
from flows.refresh.engine import properties, session_environment
from flows.refresh.inputs import Inputs
from flows.refresh.reading import unread
from flows.refresh.spark_reading_job import JOB
from flows.telling.lines import Say
from flows.telling.progress import advance
from warehouse.database import held
from warehouse.errors import ReleaseError
from warehouse.releases.seal import remove_tree
from warehouse.settings.config import Config
from warehouse.sources.reading.encodings import shown_name

PART_BYTES = 256 * 1024 * 1024  # a minute's work of one core
PYTHON = "spark.pyspark.python"
SHOWN = 5


def read_on_spark(config: Config, inputs: Inputs, say: Say) -> None:
    """Read the big files on the machines of Spark, as far as these see the home at its path.

    Raises
    ------
    ReleaseError : Spark did not start, or stopped.
    """
    wanted = [
        {"source": source, "file": str(file), "options": config.sources[source].options}
        for source, files in inputs.files.items()
        if source not in inputs.problems
        for file in unread(source, files, config.lake, config.sources[source].options)
    ]
    if not wanted:
        return
    if config.spark.lake:
        say(
            f"Reading {len(wanted)} big files here: [spark] lake says that Spark sees the lake"
            " elsewhere than at its path, and readers write there"
        )
        return
    say(f"Reading {len(wanted)} big files on Spark ({config.spark.master})")
    work = config.builds / f".reading-{uuid.uuid4().hex[:8]}.tmp"  # gone with the leftovers
    (work / "tmp").mkdir(parents=True)
    try:
        job = {"lake": str(config.lake), "part_bytes": PART_BYTES, "files": wanted}
        (work / JOB).write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
        for told in _told(config, work):
            _tell(told, say)
    finally:
        remove_tree(work)


def _tell(told: Mapping[str, Any], say: Say) -> None:
    """What the process said of one file, or of how far it is."""
    if "done" in told:
        advance(say, told["done"], told["total"])
        return
    name = f"  {told['source']}: {shown_name(Path(told['file']))}"
    if told["problem"]:
        say(f"{name} was not read on Spark, and is read here: {told['problem']}")
    else:
        say(
            f"{name}: {told['read_n']:,} rows read, {told['set_aside_n']:,} set aside,"
            f" {told['seconds']:.1f} s on Spark"
        )


def _told(config: Config, work: Path) -> Iterator[dict[str, Any]]:
    """What the process that speaks to Spark says, line by line.

    Raises
    ------
    ReleaseError : it did not come to its end.
    """
    process = subprocess.Popen(
        supervised.command("flows.refresh.spark_reading_job:main", str(work / JOB)),
        cwd=work,
        env=_environment(config, work),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    strange: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                told = None
            if isinstance(told, dict):
                yield told
            elif line.strip():
                strange = [*strange, line.strip()][-SHOWN:]
        code = process.wait()
    finally:
        process.kill()
        process.wait()
    if code:
        raise ReleaseError(
            "Spark stopped before it had read the raw files:\n  "
            + "\n  ".join(strange or [f"exit code {code}, no message"])
        )


def _environment(config: Config, work: Path) -> dict[str, str]:
    """The process's environment, and what those of the cluster's processes must hold."""
    needed = {"PYTHONPATH": supervised.environment()["PYTHONPATH"], **held()}
    readers = {f"spark.executorEnv.{name}": value for name, value in needed.items()}
    given = {**readers, **properties(config.spark, work)}
    return {
        **session_environment(config.spark, work),
        PROPERTIES: json.dumps(given),
        "PYSPARK_PYTHON": given.get(PYTHON, sys.executable),
    }
