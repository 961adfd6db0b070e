"""Run the dbt project in a process of its own, which gives back DuckDB's lock when it ends."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from flows.processes import supervised
from flows.telling.lines import Say
from flows.telling.progress import advance
from warehouse.errors import ReleaseError
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config

PROJECT = supervised.PROJECT / "dbt_project"
RESULT_EVENTS = {
    "LogModelResult",
    "LogSeedResult",
    "LogTestResult",
    "LogSnapshotResult",
    "LogNodeResult",
}
FAILED = {"error", "fail", "runtime error", "partial success"}
STAGING = "stg_"
SHOWN = 5
SLOW_SECONDS = 1.0


@dataclass(frozen=True)
class PanelModel:
    """A model that readers see as a panel; its grain names its rows, and sources are those that it
    is made from.
    """

    name: str
    grain: tuple[str, ...]
    description: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Built:
    """What dbt did. results : unique_id, status, message, failures, execution_time of
    every node.
    """

    models_n: int
    tests_n: int
    panels: tuple[PanelModel, ...]
    results: tuple[dict[str, Any], ...]


def build(config: Config, lake_set: Path, folder: Path, say: Say) -> Built:
    """Run `dbt build` into the release folder.

    Raises
    ------
    ReleaseError : a model or test failed (each is named, with its message and failing rows), or no
        model ran.
    """
    target, project = folder / "dbt", PROJECT
    code, errors = _run(config, lake_set, folder, say)
    results = _read_results(target)
    failed = [result for result in results if result["status"] in FAILED]
    if failed:
        raise ReleaseError(_failures(failed, folder / DATABASE))
    if code != 0:
        # Of a traceback, such as that of a full disk, the last line is for a person.
        told = dict.fromkeys(
            error.splitlines()[-1] if error.startswith("Traceback") else error for error in errors
        )
        raise ReleaseError(
            "dbt stopped before it built anything:\n  "
            + "\n  ".join(list(told)[-SHOWN:] or [f"exit code {code}, no message"])
        )
    models_n = sum(
        result["unique_id"].startswith("model.") and result["status"] == "success"
        for result in results
    )
    if models_n == 0:
        raise ReleaseError(
            f"dbt ran no model of {project}. Check that its models folder is there and not"
            " disabled."
        )
    built = Built(
        models_n,
        sum(r["unique_id"].startswith(("test.", "unit_test.")) for r in results),
        _panels(target),
        tuple(results),
    )
    _tidy(target)
    return built


def _run(config: Config, lake_set: Path, folder: Path, say: Say) -> tuple[int, list[str]]:
    """dbt's exit code, and what it said of errors."""
    process = subprocess.Popen(
        _command(config, PROJECT, folder / "dbt"),
        cwd=PROJECT,
        env={
            **supervised.environment(),
            # The models put it into '…/*.parquet': a quote or a bracket in a folder's name must not
            # end or widen that.
            "CITYTRADE_LAKE": glob.escape(str(lake_set)).replace("'", "''"),
            "CITYTRADE_DB": str(folder / DATABASE),
            # Python models give the same bits with any number of threads; they are fastest with one
            # beside DuckDB's own.
            "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        errors = _follow(process, say)
        return process.wait(), errors
    finally:
        process.kill()
        process.wait()


def _command(config: Config, project: Path, target: Path) -> list[str]:
    return supervised.command(
        # Unit tests try a model's arithmetic on made-up rows: a change of code can break them, a
        # change of data cannot.
        "dbt.cli.main:cli", "build", "--exclude-resource-type", "unit_test",
        "--project-dir", str(project), "--profiles-dir", str(project), "--target-path", str(target),
        "--log-path", str(target),
        "--log-format", "json", "--log-level-file", "none", "--no-use-colors", "--no-version-check",
        "--vars", json.dumps({"first_year": config.first_year, "last_year": config.last_year}),
    )  # fmt: skip


def _follow(process: subprocess.Popen[str], say: Say) -> list[str]:
    """Tell slow nodes as they are done and all of them in one line, and keep what dbt says of
    errors.
    """
    assert process.stdout is not None
    errors: list[str] = []
    counts: Counter[str] = Counter()
    for event in _events(process.stdout):
        info, data = event.get("info", {}), event.get("data", {})
        if info.get("level") == "error" and info.get("msg"):
            errors.append(str(info["msg"]).strip())
        if info.get("name") not in RESULT_EVENTS:
            continue
        node = data.get("node_info", {})
        kind = str(node.get("resource_type", "node")).replace("_", " ")
        counts[kind] += 1
        advance(say, counts.total(), data.get("total", data.get("num_models", 0)))
        if data.get("execution_time", 0) >= SLOW_SECONDS:
            say(
                f"  {kind} {node.get('node_name', '')}: {data['execution_time']:.1f} s"
                f" ({counts.total()} of {data.get('total', data.get('num_models', 0))})"
            )
    if counts:
        say("  " + ", ".join(f"{count} {kind}s" for kind, count in sorted(counts.items())))
    return errors


def _events(lines: Iterator[str] | Any) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            event = {
                "info": {"level": "error", "msg": line.strip()}
            }  # not an event: a traceback or a warning
        if isinstance(event, dict):
            yield event


def _read_results(target: Path) -> list[dict[str, Any]]:
    file = target / "run_results.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))["results"] if file.is_file() else []
    except ValueError:  # cut off by a full disk: dbt's exit code and last words say so
        return []


def _failures(failed: list[dict[str, Any]], database: Path) -> str:
    lines = [
        f"dbt: {len(failed)} nodes failed, so nothing is published and the former release stays."
    ]
    for result in failed[: 2 * SHOWN]:
        name = ".".join(result["unique_id"].split(".")[2:3])
        kind = result["unique_id"].split(".")[0]
        message = "\n    ".join(
            line for line in str(result["message"]).splitlines() if line.strip()
        )
        lines.append(f"  {kind} {name}: {message}")
        lines += [f"    {row}" for row in _failing_rows(result, database)]
    if len(failed) > 2 * SHOWN:
        lines.append(f"  and {len(failed) - 2 * SHOWN} more")
    return "\n".join(lines)


def _failing_rows(result: dict[str, Any], database: Path) -> list[str]:
    """The first rows that a failed data test found, from its own query."""
    if (
        result["status"] != "fail"
        or not result.get("compiled_code")
        or not result["unique_id"].startswith("test.")
    ):
        return []
    try:
        with duckdb.connect(str(database), read_only=True) as connection:
            cursor = connection.execute(
                f"select * from (\n{result['compiled_code']}\n) limit {SHOWN}"
            )
            names = [column[0] for column in cursor.description or []]
            return [
                json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=str)
                for row in cursor.fetchall()
            ]
    except duckdb.Error as error:
        return [f"(its rows cannot be shown: {str(error).splitlines()[0]})"]


def _panels(target: Path) -> tuple[PanelModel, ...]:
    nodes = json.loads((target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    panels = []
    for node in nodes.values():
        if node["resource_type"] != "model" or node["schema"] != "main":
            continue
        grain = (node.get("config", {}).get("meta") or {}).get("grain") or (
            node.get("meta") or {}
        ).get("grain")
        if not grain:
            raise ReleaseError(
                f"Panel {node['name']} does not say its grain. Add config: meta: grain: [column,"
                " ...] to its yaml."
            )
        panels.append(
            PanelModel(
                node["name"],
                tuple(grain),
                " ".join(node["description"].split()),
                _made_from(nodes, node["unique_id"]),
            )
        )
    return tuple(sorted(panels, key=lambda panel: panel.name))


def _made_from(nodes: dict[str, Any], model: str) -> tuple[str, ...]:
    """The sources whose staging models a model stands on, near or far."""
    seen, waiting = set(), [model]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += nodes[name]["depends_on"].get("nodes", []) if name in nodes else []
    staging = (
        nodes[name]["name"]
        for name in seen
        if name in nodes and nodes[name]["name"].startswith(STAGING)
    )
    return tuple(sorted({name.removeprefix(STAGING).split("__")[0] for name in staging}))


def _tidy(target: Path) -> None:
    """Keep dbt's manifest and results with the release; what only dbt itself can use goes."""
    for name in ("compiled", "run"):
        shutil.rmtree(target / name, ignore_errors=True)
    for name in (
        "partial_parse.msgpack",
        "graph.gpickle",
        "graph_summary.json",
        "semantic_manifest.json",
    ):
        (target / name).unlink(missing_ok=True)
