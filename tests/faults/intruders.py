"""Statements that want more than to read a release, each tried at both doors: nothing outside the
release is read, written, told or changed.

python -m tests.faults.intruders        prints how many of each kind were refused, how many were
                                         answered without harm, and each that got through
"""

from __future__ import annotations

import io
import socket
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pandas as pd

from flows.doors.sql import Door
from tests.conftest import publish_tiny, write_tiny_config
from tests.faults.statements import KINDS, STATEMENTS_N
from warehouse.errors import CitytradeError
from warehouse.query.limits import Limits
from warehouse.settings.config import Config, load_config
from warehouse.store import connect, release_folder

SECRET = "CANARY-7f3a91"


@dataclass
class Outside:
    """What must stay as it is and unread: a folder of files that hold the secret, a port where
    nobody may knock, and the home itself.
    """

    folder: Path
    home: Path
    port: int = 0
    knocks: list[object] = field(default_factory=list)

    def fill(self, statement: str) -> str:
        return statement.format(
            out=self.folder, file=self.folder / "canary", home=self.home, port=self.port
        )

    def state(self) -> dict[str, tuple[int, int]]:
        """When every file and folder below the folder and the home was written, and its size."""
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for folder in (self.folder, self.home)
            for path in folder.rglob("*")
        }

    def harm(self, statement: str, answer: str, before: dict[str, tuple[int, int]]) -> str:
        """What an answer, or what was done for it, gives away or changes; empty where nothing. That
        it repeats a path of the statement gives nothing away.
        """
        if SECRET in answer or "root:" in answer:
            return "it read a file"
        paths = (str(self.folder), str(self.home))
        if any(path in answer and path not in statement for path in paths):
            return "it told where files lie"
        if self.knocks:
            return "it reached the network"
        now = self.state()
        changed = [name for name in {*before, *now} if before.get(name) != now.get(name)]
        return f"it wrote {sorted(changed)}" if changed else ""


@contextmanager
def outside(config: Config, folder: Path) -> Iterator[Outside]:
    """Files with the secret in every form that DuckDB reads by itself, and a listening port."""
    folder.mkdir()
    (folder / "canary.txt").write_text(f"secret\n{SECRET}\n", encoding="utf-8")
    (folder / "canary.csv").write_text(f"secret\n{SECRET}\n", encoding="utf-8")
    (folder / "canary.json").write_text(f'{{"secret": "{SECRET}"}}\n', encoding="utf-8")
    with duckdb.connect(str(folder / "canary.duckdb")) as connection:
        connection.execute(f"create table canary as select '{SECRET}' as secret")
        connection.execute(f"copy canary to '{folder}/canary.parquet' (format parquet)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = Outside(folder, config.home, server.getsockname()[1])
        threading.Thread(target=_count_knocks, args=(server, there.knocks), daemon=True).start()
        yield there


def _count_knocks(server: socket.socket, knocks: list[object]) -> None:
    while True:
        try:
            connection, address = server.accept()
        except OSError:
            return  # it was closed: nobody knocks any more
        knocks.append(address)
        connection.close()


def at_the_shell(config: Config) -> Callable[[str], str]:
    """Ask as `citytrade sql` does, each statement in the same process as long as it lives."""
    door = Door(release_folder(config), Limits(20.0, "500MB"))

    def ask(statement: str) -> str:
        answer = io.StringIO()
        door.ask(statement, "csv", 10, answer)
        return answer.getvalue()

    return ask


def in_python(config: Config) -> Callable[[str], str]:
    """Ask as a program does that has one connection and a data frame."""
    connection = connect(config)

    def ask(statement: str) -> str:
        frame = pd.DataFrame({"secret": [SECRET]})
        assert len(frame) == 1
        return repr(connection.execute(statement).fetchall())

    return ask


DOORS = {"citytrade sql": at_the_shell, "warehouse.connect": in_python}
# What a reader sees of the release; whatever was tried before, it is the same.
SEEN = (
    "select (select count(*) from city_year), (select count(*) from duckdb_tables()),"
    " (select count(*) from duckdb_views() where not internal),"
    " (select count(*) from duckdb_functions() where not internal),"
    " (select count(*) from duckdb_schemas()), (select count(*) from duckdb_sequences()),"
    " (select count(*) from duckdb_types() where not internal)"
)


@dataclass(frozen=True)
class Tried:
    """One statement at one door: refused with which words, or answered; harm : what it did."""

    door: str
    kind: str
    statement: str
    refusal: str
    harm: str


def try_all(config: Config, there: Outside) -> list[Tried]:
    """Every statement at every door."""
    tried = []
    before = there.state()
    for door, opened in DOORS.items():
        ask = opened(config)
        seen = ask(SEEN)
        for kind, statements in KINDS.items():
            for statement in map(there.fill, statements):
                answer, refusal = "", ""
                try:
                    answer = ask(statement)
                except (CitytradeError, duckdb.Error) as error:
                    refusal = str(error)
                harm = there.harm(statement, answer or refusal, before)
                if ask(SEEN) != seen:
                    harm = harm or "what a reader sees has changed"
                tried.append(Tried(door, kind, statement, refusal, harm))
    return tried


def report(tried: list[Tried]) -> str:
    """The counts by door and kind, and each statement that got through."""
    from flows.telling.printing import table

    rows = []
    for door in DOORS:
        for kind in KINDS:
            ones = [one for one in tried if (one.door, one.kind) == (door, kind)]
            counts = Counter(
                "through" if one.harm else "refused" if one.refusal else "harmless" for one in ones
            )
            rows.append([door, kind, len(ones), *(counts[what] for what in OUTCOMES)])
    harmful = [one for one in tried if one.harm]
    harmless = dict.fromkeys(one.statement for one in tried if not one.harm and not one.refusal)
    return "\n".join(
        [
            table(["door", "kind", "tried", *OUTCOMES], rows),
            *(f"answered without harm: {statement!r}" for statement in harmless),
            *(f"THROUGH at {one.door}: {one.statement!r}: {one.harm}" for one in harmful),
            f"{STATEMENTS_N} statements at {len(DOORS)} doors: {len(harmful)} got through",
        ]
    )


OUTCOMES = ("refused", "harmless", "through")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="citytrade-statements-") as name:
        folder = Path(name).resolve()
        config = load_config(write_tiny_config(folder))
        publish_tiny(config)
        with outside(config, folder / "outside") as there:
            tried = try_all(config, there)
    print(report(tried))
    return int(any(one.harm for one in tried))


if __name__ == "__main__":
    sys.exit(main())
