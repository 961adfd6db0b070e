"""What of a release is built, decided before dbt starts where that is possible, and recorded
afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.refresh import dbt_job
from flows.refresh.basis import Basis, copy, prepare, remove
from flows.refresh.conditions import MACROS, conditions, project_digest
from flows.refresh.reach import Plan, plan, whole_reason
from flows.refresh.recipes import macros_digest, nodes_of
from flows.refresh.record import Record, digest, lake_digests, with_recipes
from warehouse.releases.publish import DATABASE
from warehouse.settings.config import Config


@dataclass(frozen=True)
class Begun:
    """What is known before dbt starts.

    now : what the release is built from; without nodes while dbt must say them
    former : the record of the release whose file was copied; None where everything is built
    made : the plan, or None where dbt must compile first
    """

    now: Record
    former: Record | None
    made: Plan | None

    @property
    def needs_dbt(self) -> bool:
        return self.made is None or bool(self.made.whole) or bool(self.made.run)


def begin(config: Config, lake_set: Path, folder: Path, basis: Basis, dbt_project: Path) -> Begun:
    """Decide what is built, and lay a copy of the former release in the folder where only a part
    is.
    """
    now = Record(
        conditions(dbt_project), project_digest(config, dbt_project), lake_digests(lake_set), {}
    )
    why, former = basis.refusal(), basis.record
    if why or former is None:
        return Begun(now, None, Plan(why))
    # Which macros take the place of dbt's own is known once dbt has parsed; the same project has
    # the same.
    now = replace(now, whole={**now.whole, MACROS: former.whole.get(MACROS, "")})
    why = whole_reason(former, now) or copy(basis, folder)
    if why:
        return Begun(now, None, Plan(why))
    if former.project != now.project:
        return Begun(now, former, None)
    now = with_recipes(replace(now, nodes=former.nodes), folder.name)
    made = plan(former, now)
    problem = made.whole or prepare(folder / DATABASE, now, made)
    if problem:
        remove(folder)
        return Begun(now, None, Plan(problem))
    return Begun(now, former, made)


def parsed_file(home: Path, now: Record) -> Path:
    """Where the project is kept as dbt has parsed it: of this code under these conditions, and no
    other.
    """
    whole = {name: value for name, value in now.whole.items() if name != MACROS}
    return home / "dbt" / f"parsed-{digest([whole, now.project])}.msgpack"


def keep_parsed(fresh: Path, kept: Path) -> None:
    """Keep what dbt has just parsed, and nothing of other code; without a parse, nothing is new."""
    if not fresh.is_file():
        return
    kept.parent.mkdir(exist_ok=True)
    os.replace(fresh, kept)
    for other in kept.parent.glob("parsed-*.msgpack"):
        if other != kept:
            other.unlink(missing_ok=True)


def job_of(begun: Begun, folder: Path, arguments: Sequence[str], parsed: Path) -> dbt_job.Job:
    """What dbt is to do.

    Parameters
    ----------
    parsed : the project as dbt has parsed it before, if it is there
    """
    names, former, now = None, None, None
    if begun.made is None:
        assert begun.former is not None
        former, now = begun.former.as_json(), begun.now.as_json()
    elif not begun.made.whole:
        names = dbt_job.names_of(begun.now, begun.made.run)
    project = arguments[arguments.index("--project-dir") + 1]
    kept = str(parsed) if parsed.is_file() else ""
    return dbt_job.Job(str(folder), project, list(arguments), kept, former, now, names)


def settled(
    begun: Begun, folder: Path, lake: str, dbt_project: Path, results: Sequence[Mapping[str, Any]]
) -> tuple[Record, Plan]:
    """What the release was built from, with the outcome of every test, and what of it was built.

    Parameters
    ----------
    lake : the address of the lake's set, as it stands in compiled code
    results : of all nodes that dbt ran
    """
    now, made = begun.now, begun.made
    if made is None:
        now, made = dbt_job.read_planned(folder / "dbt" / dbt_job.PLANNED)
    if made.whole:
        manifest = json.loads((folder / "dbt" / dbt_job.MANIFEST).read_text(encoding="utf-8"))
        nodes = nodes_of(manifest, lake, dbt_project)
        whole = {**now.whole, MACROS: macros_digest(manifest)}
        now = with_recipes(replace(now, whole=whole, nodes=nodes), folder.name)
    release = folder.name.removeprefix(".").removesuffix(".tmp")
    former = begun.former
    built_in = {
        name: former.built_in.get(name, "") if former and name in made.kept else release
        for name, node in now.nodes.items()
        if node.is_kept
    }
    ran = {
        result["unique_id"]: (result["status"], result["failures"], result["message"])
        for result in results
        if result["unique_id"] in now.nodes and now.nodes[result["unique_id"]].kind == "test"
    }
    known = former.outcomes if former and not made.whole else {}
    outcomes = {
        name: ran.get(name) or known[name]
        for name, node in now.nodes.items()
        if node.kind == "test" and (name in ran or (name in known and name not in made.run))
    }
    return replace(now, built_in=built_in, outcomes=outcomes), made
