"""What runs in dbt's own process: parse, unless that was kept; compile and plan, where code has
changed; build what is to be built.

python -m flows.processes.supervised PARENT_PID flows.refresh.dbt_job:main JOB
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from flows.refresh.basis import prepare, remove
from flows.refresh.conditions import MACROS
from flows.refresh.reach import Plan, plan
from flows.refresh.recipes import macros_digest, nodes_of
from flows.refresh.record import Record, record_of, with_recipes
from warehouse.releases.publish import DATABASE

JOB, PLANNED, PARSED = "job.json", "planned.json", "partial_parse.msgpack"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Job:
    """What dbt is to do.

    folder : the release that is built
    project : the dbt project's folder
    arguments : what every call of dbt is given
    parsed : dbt's parsed project, kept from another build; empty without one
    former : what the former release was built from, where code has changed since, so that dbt must
        compile before it is known what is reached
    now : the same of this release, without nodes
    names : what to build; None for everything
    """

    folder: str
    project: str
    arguments: list[str]
    parsed: str = ""
    former: dict[str, Any] | None = None
    now: dict[str, Any] | None = None
    names: list[str] | None = None


def main() -> int:
    """dbt's exit code: 0 built, 1 something failed, 2 dbt could not work."""
    job = Job(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    from dbt.cli.main import dbtRunner

    runner = dbtRunner(_parsed(job.parsed))
    names = job.names
    if job.former is not None:
        if runner.manifest is None:
            parsed: Any = runner.invoke(["parse", *job.arguments])
            if not parsed.success:
                return _code(parsed)
            runner = dbtRunner(parsed.result)
        compiled = runner.invoke(["compile", *job.arguments])
        _let_go()
        names = _planned(job, compiled.success)
    if names == []:
        return 0
    return _code(runner.invoke(["build", *job.arguments, *chosen(names)]))


def chosen(names: Sequence[str] | None) -> list[str]:
    """The arguments that have dbt build just these nodes; none for everything, but for unit tests.

    Unit tests try a model's arithmetic on made-up rows: a change of code can break them, a change
    of data cannot.
    """
    if names is None:
        return ["--exclude-resource-type", "unit_test"]
    return ["--indirect-selection", "empty", "--select", *names]


def _code(outcome: Any) -> int:
    return 0 if outcome.success else 2 if outcome.exception is not None else 1


def _parsed(kept: str) -> Any:
    """dbt's manifest as it was kept, or None: then dbt parses."""
    if not kept:
        return None
    from dbt.contracts.graph.manifest import Manifest

    try:
        manifest = Manifest.from_msgpack(Path(kept).read_bytes())
        manifest.build_flat_graph()
    except Exception:  # whatever is wrong with it, parsing anew is right
        return None
    return manifest


def _let_go() -> None:
    """Have dbt give back the warehouse file, which it would keep open until its process ends."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _planned(job: Job, is_compiled: bool) -> list[str] | None:
    """The names of what is to be built now that code is compiled; None for everything. What was
    planned is left beside, for the process that asked.
    """
    folder = Path(job.folder)
    former, now = record_of(job.former or {}), record_of(job.now or {})
    assert former is not None and now is not None, "a job with records in this form"
    if not is_compiled:  # building says what is wrong
        made = Plan("the code could not be compiled before it was built")
    else:
        manifest = json.loads((folder / "dbt" / MANIFEST).read_text(encoding="utf-8"))
        now = with_recipes(
            replace(
                now,
                whole={**now.whole, MACROS: macros_digest(manifest)},
                nodes=nodes_of(manifest, os.environ["CITYTRADE_LAKE"], Path(job.project)),
            ),
            folder.name,
        )
        made = plan(former, now)
    if not made.whole:
        problem = prepare(folder / DATABASE, now, made)
        made = Plan(problem) if problem else made
    if made.whole:
        remove(folder)
    write_planned(folder / "dbt" / PLANNED, now, made)
    return None if made.whole else names_of(now, made.run)


def names_of(record: Record, run: Iterable[str]) -> list[str]:
    return sorted(record.nodes[name].name for name in run)


def write_planned(file: Path, record: Record, made: Plan) -> None:
    said = {name: sorted(v) if isinstance(v, frozenset) else v for name, v in asdict(made).items()}
    file.write_text(json.dumps({"plan": said, "record": record.as_json()}), encoding="utf-8")


def read_planned(file: Path) -> tuple[Record, Plan]:
    said = json.loads(file.read_text(encoding="utf-8"))
    record = record_of(said["record"])
    assert record is not None, "what the job has just written"
    made = said["plan"]
    return record, Plan(
        made["whole"],
        frozenset(made["reached"]),
        frozenset(made["run"]),
        frozenset(made["kept"]),
        tuple(made["causes"]),
    )
