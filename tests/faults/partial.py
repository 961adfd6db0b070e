"""A refresh that builds what a change reaches gives the tables of one that builds everything:
random changes, one on top of the other, each built in part and compared with a whole build by the
hash of every table.

python -m tests.faults.partial --changes 50 --folder FOLDER

It goes on in FOLDER where it was stopped. With --every 5 a whole build follows every fifth change
only; a table that a change left stale is found by the next one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.conftest import PROJECT, environment, write_config
from tests.faults.changes import Place, change

COPIED = (
    "analysis",
    "dbt_project",
    "expectations",
    "flows",
    "tests",
    "warehouse",
    "pyproject.toml",
)
COMMENTS = """
    select schema_name || '.' || table_name as place, comment
    from duckdb_tables() where not internal
    union all
    select
        schema_name || '.' || table_name || '.' || column_name, data_type || coalesce(comment, '')
    from duckdb_columns() where not internal order by all
"""


@dataclass(frozen=True)
class Step:
    """What a build gave: what it says of itself, CPU seconds of all its processes, the contents of
    every table as they are in its file, types and comments, the outcome of every test; or why
    nothing was built.
    """

    told: str = ""
    cpu_s: float = 0.0
    tables: dict[str, Any] | None = None
    stated: dict[str, Any] | None = None
    columns: list[Any] | None = None
    tests: dict[str, Any] | None = None
    refusal: str = ""

    def differs(self, other: Step) -> list[str]:
        """Names of tables, columns and tests that are not the same in both."""
        found = []
        for here, there in ((self.tables, other.tables), (self.tests, other.tests)):
            names = sorted({*(here or {}), *(there or {})})
            found += [n for n in names if (here or {}).get(n) != (there or {}).get(n)]
        pairs = {tuple(row) for row in self.columns or []} ^ {
            tuple(row) for row in other.columns or []
        }
        return found + sorted({row[0] for row in pairs})


def build(config_file: str, whole: bool) -> Step:
    """Build in part and publish, or build everything beside and throw it away. Runs in the copy of
    the project.
    """
    from flows.refresh import dbt
    from flows.refresh.basis import Basis
    from flows.refresh.finish import finish_database
    from flows.refresh.inputs import find_inputs, published
    from flows.refresh.manifest import manifest_of
    from flows.refresh.outcomes import SourceOutcome, all_sources
    from flows.refresh.reading import Reader
    from warehouse.errors import CitytradeError
    from warehouse.lake.loads import make_set
    from warehouse.releases.contents import table_contents
    from warehouse.releases.publish import (
        DATABASE,
        begin_build,
        next_release_id,
        publish,
    )  # fmt: skip
    from warehouse.settings.config import load_config
    from warehouse.sources import lake_tables

    config = load_config(config_file)
    inputs, former = find_inputs(config), published(config)
    try:
        with Reader(config.lake, _quiet) as reader:
            read = {
                name: SourceOutcome(
                    name, "loaded", reader.read(name, files, config.sources[name].options)
                )
                for name, files in inputs.files.items()
            }
        outcomes = all_sources(read)
        loads = [load for outcome in outcomes for load in outcome.loads]
        set_id = make_set(config.lake, loads, lake_tables())
        now = datetime.now(UTC)
        release = next_release_id(config.home, now, inputs.fingerprint)
        folder = begin_build(config.home, f"{release}.whole" if whole else release)
        where = config.builds / former.release if former is not None else None
        basis = Basis(former, where, "asked for by the test" if whole else "")
        built = dbt.build(config, config.lake / "sets" / set_id, folder, _quiet, basis)
        created = now.isoformat(timespec="seconds").removesuffix("+00:00")
        manifest = manifest_of(config, release, inputs, former, created, set_id, outcomes)
        finish_database(config, folder, manifest, outcomes, built, [])
    except CitytradeError as error:
        return Step(refusal=str(error), cpu_s=_cpu())
    known = {n: former.tables[n] for n in built.kept} if former is not None else {}
    tables, stated = table_contents(folder / DATABASE), table_contents(folder / DATABASE, known)
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        columns = [
            list(row)
            for row in connection.execute(COMMENTS).fetchall()
            if not row[0].startswith("meta.")
        ]
    tests = {
        result["unique_id"]: [result["status"], result["failures"]]
        for result in built.results
        if result["unique_id"].startswith("test.")
    }
    cpu = _cpu()
    if whole:
        shutil.rmtree(folder)
    else:
        from dataclasses import replace

        publish(
            config.home, folder, replace(manifest, tables=stated, built_from=built.built_from), 2
        )
    return Step(built.told, cpu, tables, stated, columns, tests)


def _quiet(text: str) -> None:
    """What a build says on its way is not wanted here."""


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(one.ru_utime + one.ru_stime for one in used), 1)


class Proof:
    """A home, a world and a copy of the project in a folder, changed and built step by step."""

    def __init__(self, folder: Path, world: Path | None, say: Callable[[str], None]) -> None:
        self.folder, self.say = folder, say
        self.place = Place(folder / "project", folder / "world", folder / "citytrade.toml")
        self.state = folder / "state.json"
        if not self.state.is_file():
            self._set_up(world)
        self.done: list[dict[str, Any]] = json.loads(self.state.read_text(encoding="utf-8"))

    def _set_up(self, world: Path | None) -> None:
        from warehouse.simulate import simulate

        self.folder.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
        for name in COPIED:
            here, there = PROJECT / name, self.place.project / name
            if here.is_dir():
                shutil.copytree(here, there, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(here, there)
        if world is None:
            simulate(self.place.world, "small", 7, self.say)
        else:
            shutil.copytree(world, self.place.world, dirs_exist_ok=True)
            if (world.parent / "home/lake/loads").is_dir():  # what was read need not be read again
                shutil.copytree(
                    world.parent / "home/lake/loads",
                    self.folder / "home/lake/loads",
                    dirs_exist_ok=True,
                )
        write_config(self.place.config, self.place.world, simulate=False)
        self.say("Building everything for the first time")
        first = self.step(whole=False)
        assert not first.refusal, first.refusal
        self.say(f"  {first.told}, {first.cpu_s:.0f} CPU s")
        self.state.write_text("[]", encoding="utf-8")

    def step(self, whole: bool) -> Step:
        """One build, by the code as it is in the copy now."""
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.faults.partial", "--build", str(self.place.config)]
        done = subprocess.run(
            [*command, "--answer", str(answer), *(["--whole"] if whole else [])],
            cwd=self.place.project,
            env={**environment(), "PYTHONPATH": str(self.place.project)},
            capture_output=True,
            text=True,
        )
        if not answer.is_file():
            return Step(refusal=(done.stderr or done.stdout)[-2000:])
        return Step(**json.loads(answer.read_text(encoding="utf-8")))

    def run(self, changes: int, every: int) -> bool:
        """Make changes until there are so many; whether all builds were equal."""
        while len(self.done) < changes:
            number = len(self.done) + 1
            made = change(self.place, number)
            part = self.step(whole=False)
            line: dict[str, Any] = {"change": made.said, "cpu_s": part.cpu_s, "differs": []}
            if part.refusal:
                line["told"] = f"refused: {part.refusal.splitlines()[-1].strip()[:150]}"
            else:
                line |= {"told": part.told, "tables": len(part.tables or {})}
                if part.tables != part.stated:
                    line["differs"] = ["what the manifest states"]
            if number % every == 0 and not part.refusal:
                whole = self.step(whole=True)
                line["whole_cpu_s"] = whole.cpu_s
                line["differs"] += [whole.refusal] if whole.refusal else part.differs(whole)
            if part.refusal:
                made.undo()
            self.done.append(line)
            self.state.write_text(json.dumps(self.done, ensure_ascii=False, indent=1))
            self.say(f"{number}. {_told(line)}")
        return not any(line["differs"] for line in self.done)


def _told(line: dict[str, Any]) -> str:
    compared = ""
    if line["differs"]:
        compared = f"; DIFFERS: {', '.join(line['differs'][:5])}"
    elif "whole_cpu_s" in line:
        compared = f"; whole {line['whole_cpu_s']:.0f} CPU s, all {line['tables']} tables equal"
    return f"{line['change']}: {line['told']}, {line['cpu_s']:.0f} CPU s{compared}"


def totals(done: list[dict[str, Any]]) -> str:
    """One line over all changes."""
    part = sorted(line["cpu_s"] for line in done if not line["told"].startswith("refused"))
    whole = sorted(line["whole_cpu_s"] for line in done if "whole_cpu_s" in line)
    unequal = sum(bool(line["differs"]) for line in done)
    refused = len(done) - len(part)
    middle = f"; CPU s in the middle: partial {part[len(part) // 2]:.0f}" if part else ""
    middle += f", whole {whole[len(whole) // 2]:.0f}" if whole else ""
    return (
        f"{len(done)} changes, {refused} refused by a test of models, {len(whole)} compared with a"
        f" whole build, {unequal} unequal{middle}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=50)
    parser.add_argument("--every", type=int, default=1, help="a whole build after so many changes")
    parser.add_argument("--folder", type=Path, help="where it works, and goes on")
    parser.add_argument("--world", type=Path, help="raw files to take; simulated if not given")
    parser.add_argument("--build", help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build:
        given.answer.write_text(json.dumps(asdict(build(given.build, given.whole)), default=str))
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    folder = given.folder or Path(tempfile.mkdtemp(prefix="citytrade-partial-"))
    proof = Proof(folder.resolve(), given.world, lambda text: print(text, flush=True))
    equal = proof.run(given.changes, given.every)
    print(totals(proof.done))
    sys.exit(0 if equal else 1)


if __name__ == "__main__":
    main()
