"""Run the dbt project in a process of its own, which gives back DuckDB's lock when it ends."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from flows.processes import supervised
from flows.refresh import dbt_job, partial
from flows.refresh.basis import Basis
from flows.refresh.conditions import variables
from flows.refresh.reach import told
from flows.telling.lines import Say
from flows.telling.progress import advance
from warehouse.database import connect
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
BEGINS = "MainReportVersion"  # the event with which each call of dbt begins
TOLD = "CitytradeTold"  # an event of ours among dbt's: a line to be said
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
    """What dbt did.

    results : unique_id, status, message, failures of every node that was built, and of every test:
        one whose tables are the former release's has the outcome that it had there
    built_from : what every table was built from (`flows.refresh.record`)
    kept : schema.table of the tables that are the former release's
    told : how many models were built, and why these, in a line
    """

    models_n: int
    tests_n: int
    panels: tuple[PanelModel, ...]
    results: tuple[dict[str, Any], ...]
    built_from: dict[str, Any] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    told: str = ""

    @property
    def recipes(self) -> dict[str, str]:
        """Panel -> its recipe."""
        nodes = self.built_from.get("nodes", {}).values()
        return {node["name"]: node["recipe"] for node in nodes if node["kind"] == "model"}


def build(
    config: Config,
    lake_set: Path,
    folder: Path,
    say: Say,
    basis: Basis | None = None,
    taken_over: Mapping[str, str] | None = None,
) -> Built:
    """Run `dbt build` into the release folder: of everything, or of what a change reaches since the
    release that is the basis.

    Parameters
    ----------
    taken_over : model -> Parquet files of a table that another engine has built already

    Raises
    ------
    ReleaseError : a model or test failed (each is named, with its message and failing rows), or no
        model ran.
    """
    target, lake = folder / "dbt", _lake_address(lake_set)
    target.mkdir(exist_ok=True)
    begun = partial.begin(config, lake_set, folder, basis or Basis(), PROJECT)
    results = []
    if begun.needs_dbt:
        results = _ran(config, lake, folder, begun, say, taken_over or {})
    record, made = partial.settled(begun, folder, lake, PROJECT, results)
    models = [name for name, node in record.nodes.items() if node.kind == "model"]
    built = {r["unique_id"] for r in results if r["status"] == "success"} & {*models}
    if made.whole and not built:
        raise ReleaseError(
            f"dbt ran no model of {PROJECT}. Check that its models folder is there and not"
            " disabled."
        )
    kept = [
        {"unique_id": name, "status": outcome[0], "failures": outcome[1], "message": outcome[2]}
        for name, outcome in record.outcomes.items()
        if name not in {result["unique_id"] for result in results}
    ]
    found = Built(
        len(built),
        len(record.outcomes),
        _panels(target),
        (*results, *kept),
        record.as_json(),
        frozenset(record.nodes[name].relation for name in made.kept),
        told(made, len(built), len(models)),
    )
    _tidy(target)
    return found


def _ran(
    config: Config,
    lake: str,
    folder: Path,
    begun: partial.Begun,
    say: Say,
    taken_over: Mapping[str, str],
) -> list[dict[str, Any]]:
    """The results of all nodes that dbt ran."""
    target, parsed = folder / "dbt", partial.parsed_file(config.home, begun.now)
    job = partial.job_of(begun, folder, common_arguments(config, target), parsed)
    (target / dbt_job.JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
    code, errors = _run(lake, folder, say, taken_over)
    results = read_results(target)
    refuse_failed(code, errors, results, folder / DATABASE)
    partial.keep_parsed(target / dbt_job.PARSED, parsed)
    return results


def _lake_address(lake_set: Path) -> str:
    """The lake's set as models name it. They put it into '…/*.parquet': a quote or a bracket in a
    folder's name must not end or widen that.
    """
    return glob.escape(str(lake_set)).replace("'", "''")


def refuse_failed(
    code: int,
    errors: list[str],
    results: list[dict[str, Any]],
    database: Path,
    where: str = "dbt",
) -> None:
    """
    Raises
    ------
    ReleaseError : a node failed (each is named, with its message and failing rows), or dbt stopped
        before it built anything.
    """
    failed = [result for result in results if result["status"] in FAILED]
    if failed:
        raise ReleaseError(_failures(failed, database, where))
    if code != 0:
        # Of a traceback, such as that of a full disk, the last line is for a person.
        told = dict.fromkeys(
            error.splitlines()[-1] if error.startswith("Traceback") else error for error in errors
        )
        raise ReleaseError(
            f"{where} stopped before it built anything:\n  "
            + "\n  ".join(list(told)[-SHOWN:] or [f"exit code {code}, no message"])
        )


def _run(lake: str, folder: Path, say: Say, taken_over: Mapping[str, str]) -> tuple[int, list[str]]:
    """dbt's exit code, and what it said of errors."""
    return followed(
        supervised.command("flows.refresh.dbt_job:main", str(folder / "dbt" / dbt_job.JOB)),
        PROJECT,
        {
            **supervised.environment(),
            "CITYTRADE_LAKE": lake,
            "CITYTRADE_DB": str(folder / DATABASE),
            "CITYTRADE_TAKEN_OVER": json.dumps(dict(taken_over)),
            # Python models give the same bits with any number of threads; they are fastest with one
            # beside DuckDB's own.
            "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        },
        say,
    )


def followed(
    command: list[str], folder: Path, environment: Mapping[str, str], say: Say
) -> tuple[int, list[str]]:
    """Run dbt in a process of its own, and tell of it; returns its exit code, and what it said of
    errors.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        errors = follow(process, say)
        return process.wait(), errors
    finally:
        process.kill()
        process.wait()


def common_arguments(config: Config, target: Path) -> list[str]:
    """What every run of dbt for a release is told: the project, the choices, where to write."""
    return [
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(target),
        "--log-path", str(target),
        "--log-format", "json", "--log-level-file", "none", "--no-use-colors", "--no-version-check",
        "--vars", json.dumps(variables(config)),
    ]  # fmt: skip


def follow(process: subprocess.Popen[str], say: Say) -> list[str]:
    """Tell slow nodes as they are done and all of them in one line, and keep what dbt says of
    errors.
    """
    assert process.stdout is not None
    errors: list[str] = []
    counts: Counter[str] = Counter()
    before = 0  # what earlier calls of dbt in this process have done
    for event in _events(process.stdout):
        info, data = event.get("info", {}), event.get("data", {})
        if info.get("level") == "error" and info.get("msg"):
            errors.append(str(info["msg"]).strip())
        if info.get("name") == TOLD:
            say(str(info.get("msg", "")))
        if info.get("name") == BEGINS:
            before = counts.total()
        if info.get("name") not in RESULT_EVENTS:
            continue
        node = data.get("node_info", {})
        kind = str(node.get("resource_type", "node")).replace("_", " ")
        counts[kind] += 1
        done, total = counts.total() - before, data.get("total", data.get("num_models", 0))
        advance(say, done, total)
        if data.get("execution_time", 0) >= SLOW_SECONDS:
            say(
                f"  {kind} {node.get('node_name', '')}: {data['execution_time']:.1f} s"
                f" ({done} of {total})"
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


def read_results(target: Path) -> list[dict[str, Any]]:
    """What dbt did, node by node; nothing where it did not get that far."""
    file = target / "run_results.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))["results"] if file.is_file() else []
    except ValueError:  # cut off by a full disk: dbt's exit code and last words say so
        return []


def _failures(failed: list[dict[str, Any]], database: Path, where: str) -> str:
    lines = [
        f"{where}: {len(failed)} nodes failed, so nothing is published and the former release"
        " stays."
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
        with connect(database, read_only=True) as connection:
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
        dbt_job.JOB,
        dbt_job.PLANNED,
    ):
        (target / name).unlink(missing_ok=True)
